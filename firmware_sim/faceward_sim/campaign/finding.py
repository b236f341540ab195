"""What a search of designs leaves behind: the designs, a plan that presents them, and a report to be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from faceward.pad import CaptureOutcome

from faceward_sim.campaign.adapt import Found, Tried
from faceward_sim.campaign.designs import designs_text
from faceward_sim.campaign.folder import POLICY, FolderError, write_file
from faceward_sim.campaign.plan import PACKAGED_POLICY, Plan
from faceward_sim.campaign.score import holding
from faceward_sim.tables import write_table
from faceward_sim.world.adaptive import BOUNDS, MASK_ADAPTIVE

DESIGNS, PRESENT, REPORT = "designs.toml", "present.toml", "adapted.md"
DRAWS = 42  # without any accepted one, enough to bound a species' APCER by 7 %


def write_found(out: Path, plan: Plan, found: Found) -> None:
    """Write the report, and of a search that has ended the designs and the plan. Raises FolderError."""
    files = {REPORT: report_text(plan, found)}
    if found.finalists:
        files[DESIGNS] = "# Simulated. Best first; adapted.md says what they are worth.\n" + designs_text(
            each.design for each in found.finalists
        )
        files[PRESENT] = "# Simulated. The designs of this search before test wearers.\n" + plan_text(plan, found.frozen)
    try:
        if found.finalists and plan.policy is not None:
            write_file(out / POLICY, plan.policy.read_bytes())
        for name, text in files.items():
            write_file(out / name, text.encode())
    except OSError as error:
        raise FolderError(f"{error.filename or out} can't be written: {error.strerror or error}") from None


def plan_text(plan: Plan, frozen: str) -> str:
    """A plan that presents the designs to those gates alone, with the living people of the plan that they come from."""
    live: dict[str, Any] = {} if plan.live is None else asdict(plan.live)
    values = {
        "name": f"{plan.name[:55]}-adaptive",
        "split": "test",
        "seed": plan.seed,
        "generator": plan.generator,
        "frozen": frozen,
        "sensors": plan.sensors,
        "policy": PACKAGED_POLICY if plan.policy is None else POLICY,
        "purpose": plan.purpose,
        "distances_mm": plan.distances_mm,
        "angles_deg": plan.angles_deg,
        "headline": True,
        "notes": "Masks of designs that were searched against these gates: the second headline.",
        "live": live,
        "attacks": [{"actor": MASK_ADAPTIVE, "designs": DESIGNS, "draws": DRAWS}],
    }
    return write_table(values)


def report_text(plan: Plan, found: Found) -> str:
    """What was tried, the best score over time, and which gate held, as Markdown."""
    return "\n".join(_report(plan, found)) + "\n"


def _report(plan: Plan, found: Found) -> Iterator[str]:
    searched = [each for tried in found.generations for each in tried]
    yield f"# Designs searched against the gates: {plan.name}\n"
    yield (
        "**Everything here is simulated**: masks, wearers, sensors, and so every figure. A score says how near a "
        "presentation came to being taken for living (0 to 1); it is a search's, and no rate of errors. What was found was "
        "chosen for getting past these very wearers and units: its error rate is that of `present.toml`, on test seeds.\n"
    )
    if not found.complete:
        yield "**Stopped before its end**; the same command goes on from here.\n"
    yield f"- Gates and thresholds: `{found.frozen}` (policy `{found.policy_sha256}`)"
    yield f"- Sensors: {', '.join(plan.sensors)}; wearers and units of the dev split; search seed {found.seed}"
    yield f"- {len(searched)} presentations in {len(found.generations)} generations, one wearer and one unit each"
    finals = sum(len(each.finals) for each in found.finalists)
    yield f"- {finals} presentations of the {len(found.finalists)} designs that were left, each by another wearer\n"
    yield "## Over time\n"
    yield from _over_time(found.generations)
    yield "\n## Which gate held\n"
    yield from _held(found.generations, [each for finalist in found.finalists for each in finalist.finals])
    if found.finalists:
        yield "\n## What was found\n"
        yield from _finalists(found)
    yield ""
    yield "A presentation is seen again by `faceward-sim show scenes/ID.toml`; scores follow from the lines in `results*`."


def _over_time(generations: Sequence[Sequence[Tried]]) -> Iterator[str]:
    yield "| generation | sensor | wearer | mean score | best score | best so far | taken for living |"
    yield "|---|---|---|---|---|---|---|"
    best = 0.0
    for number, tried in enumerate(generations):
        scores = [each.score for each in tried]
        best = max(best, *scores)
        entry = tried[0].entry
        yield (
            f"| {number + 1} | {entry.sensor_kind} | {entry.person_id} | {sum(scores) / len(scores):.3f} | "
            f"{max(scores):.3f} | {best:.3f} | {_accepted(tried)} of {len(tried)} |"
        )


def _accepted(tried: Iterable[Tried]) -> int:
    return sum(each.line.outcome is CaptureOutcome.LIVE for each in tried)


def _held(generations: Sequence[Sequence[Tried]], finals: Sequence[Tried]) -> Iterator[str]:
    """Counts of presentations; several may hold one."""
    groups = {
        "first generation": list(generations[0]) if generations else [],
        "last generation": list(generations[-1]) if generations else [],
        "all generations": [each for tried in generations for each in tried],
        "finals": list(finals),
    }
    counts = {name: Counter(why for each in tried for why in holding(each.line)) for name, tried in groups.items()}
    yield f"| held by | {' | '.join(f'{name} ({len(groups[name])})' for name in groups)} |"
    yield "|---" * (len(groups) + 1) + "|"
    for why, _ in counts["all generations"].most_common():
        yield f"| {why} | {' | '.join(str(counts[name][why]) for name in groups)} |"
    for why in sorted(set(counts["finals"]) - set(counts["all generations"])):
        yield f"| {why} | {' | '.join(str(counts[name][why]) for name in groups)} |"
    yield f"| nothing: taken for living | {' | '.join(str(_accepted(tried)) for tried in groups.values())} |"


def _finalists(found: Found) -> Iterator[str]:
    heads = [f"design {number}" for number in range(1, len(found.finalists) + 1)]
    yield f"| | {' | '.join(heads)} | could be | |"
    yield "|---" * (len(heads) + 3) + "|"
    yield f"| mean score of its finals | {' | '.join(f'{each.score:.3f}' for each in found.finalists)} | | |"
    told = " | ".join(f"{each.accepted} of {len(each.finals)}" for each in found.finalists)
    yield f"| taken for living in them | {told} | | |"
    for name, bound in BOUNDS.items():
        values = " | ".join(f"{getattr(each.design, name):.3g}" for each in found.finalists)
        yield f"| {name} | {values} | {bound.low:g} to {bound.high:g} | {bound.source} |"
