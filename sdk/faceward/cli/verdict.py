"""A verdict for people and for programs: each gate's outcome by itself, with its measures and their limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faceward.model.liveness import LivenessVerdict, Measure, Outcome

if TYPE_CHECKING:
    from rich.table import Table

_STYLES = {
    Outcome.LIVE: "green",
    Outcome.NOT_LIVE: "bold red",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.NOT_EVALUATED: "dim",
}


def as_document(verdict: LivenessVerdict) -> dict[str, Any]:
    """The verdict as a JSON document (development view: production callers see the code alone)."""
    return {
        "outcome": verdict.outcome.value,
        "policy_hash": verdict.policy_hash,
        "gates": [
            {
                "gate": result.gate,
                "version": result.version,
                "distribution": result.distribution,
                "outcome": result.evidence.outcome.value,
                "cue": result.evidence.cue,
                "reason": result.evidence.reason,
                "score": result.evidence.score,
                "measures": [
                    {
                        "name": measure.name,
                        "value": measure.value,
                        "unit": measure.unit,
                        "limit": measure.limit,
                        "sense": measure.sense if measure.limit is not None else None,
                        "passes": measure.passes,
                    }
                    for measure in result.evidence.measures
                ],
            }
            for result in verdict.results
        ],
    }


def _limit(measure: Measure) -> str:
    return "" if measure.limit is None else f"{measure.sense} {measure.limit:.4g}"


def as_table(verdict: LivenessVerdict) -> Table:
    """One row a measure, grouped by gate; a measure that broke its limit stands out."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading, justify in (
        ("gate", "left"), ("outcome", "left"), ("cue", "left"),
        ("measure", "left"), ("value", "right"), ("limit", "left"), ("unit", "left"),
    ):  # fmt: skip
        table.add_column(heading, justify=justify, no_wrap=heading != "cue")
    for result in verdict.results:
        evidence = result.evidence
        head = (Text(result.gate), Text(evidence.outcome.value, style=_STYLES[evidence.outcome]), Text(evidence.cue))
        for number, measure in enumerate(evidence.measures or (None,)):
            lead = head if number == 0 else ("", "", "")
            if measure is None:
                table.add_row(*lead, "", "", "", "")
                continue
            style = "red" if measure.passes is False else ""
            table.add_row(
                *lead, Text(measure.name), f"{measure.value:.4g}", _limit(measure), Text(measure.unit), style=style
            )
        table.add_section()
    return table


def cues(verdict: LivenessVerdict) -> str:
    """What decided, in one line: `skin-optics: dot spread`."""
    return "; ".join(f"{result.gate}: {result.evidence.cue}" for result in verdict.deciding)
