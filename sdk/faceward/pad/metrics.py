"""The shares of ISO/IEC 30107-3, counted over presentations, never over frames.

Terms are those of ISO/IEC 30107-3:2023; clauses are numbered as in its clause 13 on metrics. A presentation has a response
when the gates decided on it:

| capture outcome | the standard's word | counts in |
|---|---|---|
| live | classified as bona fide presentation | APCER, BPCER (13.2, classification) |
| not-live, inconclusive | classified as attack presentation | APCER, BPCER (13.2, classification) |
| rejected, failed | non-response | APNRR, BPNRR (13.2, non-response) |

INCONCLUSIVE is an answer of the PAD subsystem, and it refuses: so it is an error where somebody living stood there and none
where an attack did. Who takes it for no response finds that share in `apcer_decided`, which is never lower. A rejection by
quality, and an error of sensor or host, is no answer: it is left out of APCER's and BPCER's denominators, which are the
classified presentations, and stands in APNRR and BPNRR, whose denominators are all presentations.

One NOT_LIVE refuses however the capture went, so an incomplete capture is classified where a gate found an attack, and a
non-response where every gate found somebody alive. That makes APCER flatter the gates. `found_alive` and
`gates_refused` count the gates' answers alone, of complete captures and of incomplete ones.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from faceward.pad.intervals import Rate
from faceward.pad.presentation import CaptureOutcome, Presentation

DECIDED: Final = frozenset({CaptureOutcome.LIVE, CaptureOutcome.NOT_LIVE})


@dataclass(frozen=True, slots=True)
class Grant:
    """The attempts that one permission (or one verification) allowed, in their order."""

    grant_id: str
    attempts: tuple[Presentation, ...]

    @property
    def responded(self) -> bool:
        return any(line.responded for line in self.attempts)

    @property
    def accepted(self) -> bool:
        """Whether any attempt was found alive."""
        return any(line.accepted for line in self.attempts)

    @property
    def matched(self) -> bool:
        """Whether any attempt was found alive and matched."""
        return any(line.matched for line in self.attempts)


def grouped(
    lines: Iterable[Presentation], key: Callable[[Presentation], str | None]
) -> dict[str, tuple[Presentation, ...]]:
    """The lines by a key, keys in order; a line whose key is None is left out."""
    groups: dict[str, list[Presentation]] = defaultdict(list)
    for line in lines:
        name = key(line)
        if name is not None:
            groups[name].append(line)
    return {name: tuple(groups[name]) for name in sorted(groups)}


def grants(lines: Iterable[Presentation]) -> tuple[Grant, ...]:
    """The lines by grant."""
    return tuple(
        Grant(name, tuple(sorted(attempts, key=lambda line: line.attempt)))
        for name, attempts in grouped(lines, lambda line: line.grant_id).items()
    )


def apcer(attacks: Iterable[Presentation]) -> Rate:
    """Attack presentation classification error rate of the attacks of one species (13.2): the share of classified ones
    that were taken for living. Species are never pooled; who calls this gives one species, or one instrument.
    """
    return Rate(*_counted((line.accepted, line.responded) for line in attacks))


def apcer_decided(attacks: Iterable[Presentation]) -> Rate:
    """APCER if INCONCLUSIVE were taken for a non-response: of the live and not-live ones, the share that was live."""
    return Rate(*_counted((line.accepted, line.outcome in DECIDED) for line in attacks))


def bpcer(living: Iterable[Presentation]) -> Rate:
    """Bona fide presentation classification error rate (13.2): the share of classified living presentations refused."""
    return Rate(*_counted((not line.accepted, line.responded) for line in living))


def found_alive(attacks: Iterable[Presentation]) -> Rate:
    """The gates alone on the attacks of one species: of those that they answered, the share that every gate found alive.

    Incomplete captures count like complete ones, so that it is an attack's own clumsiness that makes no gate look better.
    """
    return Rate(*_counted((line.found_alive, line.answered) for line in attacks))


def gates_refused(living: Iterable[Presentation]) -> Rate:
    """The gates alone on the living: of the captures that they answered, the share that some gate did not find alive."""
    return Rate(*_counted((not line.found_alive, line.answered) for line in living))


def non_response(lines: Iterable[Presentation]) -> Rate:
    """APNRR of one species' attacks, BPNRR of living presentations (13.2): the share that got no decision."""
    return Rate(*_counted((not line.responded, True) for line in lines))


def apcer_per_grant(attacks: Iterable[Presentation]) -> Rate:
    """The share of grants with a decision in which any attempt of the attack was taken for living: retries included."""
    return Rate(*_counted((grant.accepted, grant.responded) for grant in grants(attacks)))


def bpcer_per_grant(living: Iterable[Presentation]) -> Rate:
    """The share of grants with a decision in which no attempt was found alive."""
    return Rate(*_counted((not grant.accepted, grant.responded) for grant in grants(living)))


def non_response_per_grant(lines: Iterable[Presentation]) -> Rate:
    """The share of grants in which no attempt got a decision."""
    return Rate(*_counted((not grant.responded, True) for grant in grants(lines)))


def refused(living: Iterable[Presentation]) -> Rate:
    """The share of all living presentations not accepted, whatever the cause: what the person at the door sees."""
    return Rate(*_counted((not line.accepted, True) for line in living))


def failure_to_enrol(living: Iterable[Presentation]) -> Rate:
    """Failure-to-enrol rate (ISO/IEC 19795-1): of the grants to enroll somebody living, the share in which no attempt was
    found alive. Where nothing is extracted, as in faceward.trial, that is its lower bound: an extractor may refuse as well.
    """
    enrollments = grants(line for line in living if line.purpose == "enroll")
    return Rate(*_counted((not grant.accepted, True) for grant in enrollments))


def iapar(attacks: Iterable[Presentation]) -> Rate:
    """Impostor attack presentation accept rate of one species (13.4, the full system): of all attack presentations to a
    system that matches, those that were found alive and matched the template that they attacked. Non-responses stay in the
    denominator: to the attacker they are presentations.
    """
    return Rate(*_counted((line.matched, line.target_id is not None) for line in attacks))


def iapar_per_grant(attacks: Iterable[Presentation]) -> Rate:
    """The same by grant: any attempt counts."""
    tried = grants(line for line in attacks if line.target_id is not None)
    return Rate(*_counted((grant.matched, True) for grant in tried))


def false_rejects(living: Iterable[Presentation]) -> Rate:
    """False reject rate of the full system (ISO/IEC 19795-1): of the living who claim to be who they are, those not let in,
    whatever the cause.
    """
    return Rate(*_counted((not line.matched, line.target_id is not None) for line in living if _genuine(line)))


def false_rejects_per_grant(living: Iterable[Presentation]) -> Rate:
    """The same by grant: refused at every attempt."""
    return Rate(*_counted((not grant.matched, True) for grant in grants(line for line in living if _genuine(line))))


def _genuine(line: Presentation) -> bool:
    return line.target_id is not None and line.target_id == line.person_id


def riapar(accepted: Rate, rejected: Rate) -> float | None:
    """Relative impostor attack presentation accept rate (13.4): 1 + (IAPAR - (1 - FRR)), of one system at one threshold.

    A system that lets everybody in has 1, one that lets nobody in as well: neither is any use. None without both.
    """
    if accepted.share is None or rejected.share is None:
        return None
    return 1.0 + (accepted.share - (1.0 - rejected.share))


def by_cluster(
    lines: Iterable[Presentation],
    key: Callable[[Presentation], str | None],
    measure: Callable[[Sequence[Presentation]], Rate],
) -> Mapping[str, Rate]:
    """A share by person or by instrument, without those that have no trial."""
    rates = {name: measure(group) for name, group in grouped(lines, key).items()}
    return {name: rate for name, rate in rates.items() if rate.trials}


def outcomes(lines: Iterable[Presentation]) -> dict[str, int]:
    """How captures ended, every outcome named."""
    found = Counter(line.outcome for line in lines)
    return {outcome.value: found[outcome] for outcome in CaptureOutcome}


def _counted(pairs: Iterable[tuple[bool, bool]]) -> tuple[int, int]:
    """Errors and trials, from (error, trial) of each."""
    errors = trials = 0
    for error, trial in pairs:
        trials += trial
        errors += error and trial
    return errors, trials
