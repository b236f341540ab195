"""What a reader has to know before believing a figure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from faceward.pad.intervals import trials_without_error
from faceward.pad.presentation import CaptureOutcome, Presentation
from faceward.pad.results import About

if TYPE_CHECKING:
    from faceward.pad.report import SpeciesReport

# FIDO's limit for each species (IAPAR), and the number of presentations without error that shows it.
REFERENCE_SHARE: Final = 0.07
REFERENCE_TRIALS: Final = trials_without_error(REFERENCE_SHARE)


def cautions(about: About, lines: Sequence[Presentation], policies: set[str | None]) -> Iterable[str]:
    """Of the folder as a whole."""
    splits = {line.split for line in lines}
    if "test" not in splits:
        yield "There is no test split: whatever was tuned was tuned on these presentations, and the figures flatter."
    elif about.test_openings is None:
        yield "The folder does not say how often its test split was opened."
    elif about.test_openings > 1:
        yield f"The test split was opened {about.test_openings} times; each opening makes its figures more flattering."
    if len(policies) > 1 or None in policies:
        yield "Not every line names the policy that was tested."


def scope_cautions(
    living: Sequence[Presentation],
    species: tuple[SpeciesReport, ...],
    split: str,
    dev: Sequence[Presentation] | None,
) -> Iterable[str]:
    """Of one split, kind of sensor and purpose."""
    if not living:
        yield "Nobody living was presented here, so there is no BPCER."
    if not species:
        yield "No attack was presented here, so there is no APCER."
    unheard = [each.species for each in species if not each.apcer.rate.trials]
    if unheard:
        yield f"No presentation of {', '.join(unheard)} got a response: of these there is no APCER at all."
    # Every gate found alive more than were accepted: the rest were rejected for what the capture lacked.
    clumsy = [each.species for each in species if each.found_alive.errors > each.apcer.rate.errors]
    if clumsy:
        yield (
            f"Captures of {', '.join(clumsy)} were rejected for what they lacked though every gate found somebody alive. "
            "They are no decisions and in no APCER, while captures that lacked as much are in it where a gate found an "
            'attack: APCER flatters the gates. "Found alive by every gate" counts their answers alone.'
        )
    few = [each.species for each in species if 0 < each.apcer.rate.trials < REFERENCE_TRIALS]
    if few:
        yield (
            f"Fewer than {REFERENCE_TRIALS} classified presentations of {', '.join(few)}: even without any error these "
            f"could not be bounded by {100 * REFERENCE_SHARE:.0f} %."
        )
    repeated = [each.species for each in species if each.grants > each.instruments]
    if repeated:
        yield (
            f"Instruments of {', '.join(repeated)} were presented under several grants. Repeats are not independent: the "
            "exact interval is too narrow, and the bootstrap by instrument stands beside it."
        )
    if len({line.person_id for line in living}) < len({line.grant_id for line in living}):
        yield (
            "Some living people came under several grants. Repeats are not independent: the exact interval is too narrow, "
            "and the bootstrap by person stands beside it."
        )
    if any(each.presentations > each.grants for each in species) or any(line.attempt > 1 for line in living):
        yield (
            "Some presentations are further attempts of one grant and depend on the first: shares per grant count each "
            "grant once."
        )
    if split != "dev" and not dev:
        yield (
            "There is no dev split for this sensor and purpose: the thresholds of operating points are chosen on the very "
            "presentations that they report, which flatters."
        )
    met = {line.species for line in dev or () if line.attack}
    strange = [each.species for each in species if dev and split != "dev" and each.species not in met]
    if strange:
        yield (
            f"The dev split has no {', '.join(strange)}: thresholds of operating points were chosen without them, and hold "
            "their limits for the other species alone."
        )
    undecided = [each.species for each in species if each.outcomes[CaptureOutcome.INCONCLUSIVE.value]]
    if undecided:
        yield (
            f"Some presentations of {', '.join(undecided)} ended inconclusive. They count as classified as attacks, "
            "because they were refused; the column of decided ones leaves them out."
        )
