"""A verdict as a table and as JSON: every gate by itself, every measure with its limit."""

from __future__ import annotations

import io
import json
import math

from faceward.cli.output import plain
from faceward.cli.verdict import as_document, as_table, cues
from faceward.model.liveness import Evidence, GateResult, LivenessVerdict, Measure, Outcome
from rich.console import Console


def result(gate: str, outcome: Outcome, cue: str, *measures: Measure, score: float = 0.5) -> GateResult:
    return GateResult(gate, "1.0", "some-gates 1.0", Evidence(outcome, cue, "because", measures, score))


VERDICT = LivenessVerdict(
    Outcome.NOT_LIVE,
    (
        result("flatness", Outcome.LIVE, "relief", Measure("relief", 21.5, "mm", 8.0, ">=")),
        result(
            "skin-optics", Outcome.NOT_LIVE, "dot [spread]",
            Measure("r50", 2.345678, "mm", 1.6), Measure("albedo", 0.4, ""), score=math.nan,
        ),
        result("vendor", Outcome.NOT_EVALUATED, "no second band"),
    ),
    bytes(32),
)  # fmt: skip


def printed() -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(as_table(VERDICT))
    return console.export_text()


def test_the_table_has_every_gate_with_outcome_cue_and_measures_beside_their_limits() -> None:
    text = printed()
    lines = [line.split() for line in text.splitlines()]
    row = next(line for line in lines if "flatness" in line)
    for word in ("live", "relief", "21.5", ">=", "8", "mm"):
        assert word in row
    assert any("2.346" in line and "<=" in line and "1.6" in line for line in lines)
    assert any("vendor" in line and "not-evaluated" in line for line in lines)


def test_what_a_plugin_wrote_is_shown_as_it_is_and_never_read_as_markup() -> None:
    assert "dot [spread]" in printed()


def test_the_document_is_json_and_says_which_measures_pass() -> None:
    document = plain(as_document(VERDICT))
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["outcome"] == "not-live"
    skin = document["gates"][1]
    assert skin["score"] is None
    assert [measure["passes"] for measure in skin["measures"]] == [False, None]
    assert skin["measures"][1]["sense"] is None


def test_the_cues_of_the_gates_that_decided_stand_in_one_line() -> None:
    assert cues(VERDICT) == "skin-optics: dot [spread]"
