"""What follows from a verdict's results."""

from __future__ import annotations

import math

import pytest
from faceward.model.liveness import Evidence, GateResult, LivenessVerdict, Measure, Outcome


def verdict(outcome: Outcome, *outcomes: Outcome) -> LivenessVerdict:
    results = tuple(
        GateResult(f"gate-{number}", "1", "gates", Evidence(each, "cue", "reason")) for number, each in enumerate(outcomes)
    )
    return LivenessVerdict(outcome, results, bytes(32))


def deciding(found: LivenessVerdict) -> list[str]:
    return [result.gate for result in found.deciding]


def test_a_detection_alone_decides_what_is_not_live() -> None:
    found = verdict(Outcome.NOT_LIVE, Outcome.LIVE, Outcome.NOT_LIVE, Outcome.INCONCLUSIVE, Outcome.NOT_EVALUATED)
    assert deciding(found) == ["gate-1"]


def test_every_gate_that_could_not_judge_decides_what_is_inconclusive() -> None:
    found = verdict(Outcome.INCONCLUSIVE, Outcome.LIVE, Outcome.NOT_EVALUATED, Outcome.INCONCLUSIVE)
    assert deciding(found) == ["gate-1", "gate-2"]


def test_every_gate_decides_what_is_live() -> None:
    assert deciding(verdict(Outcome.LIVE, Outcome.LIVE, Outcome.LIVE)) == ["gate-0", "gate-1"]


@pytest.mark.parametrize(
    ("value", "limit", "sense", "passes"),
    [
        (1.0, 1.0, "<=", True),
        (1.1, 1.0, "<=", False),
        (1.0, 1.0, ">=", True),
        (0.9, 1.0, ">=", False),
        (math.nan, 1.0, "<=", False),
        (math.nan, 1.0, ">=", False),
        (5.0, None, "<=", None),
    ],
)
def test_a_measure_keeps_its_limit_or_does_not_and_nan_never_does(
    value: float, limit: float | None, sense: str, passes: bool | None
) -> None:
    assert Measure("m", value, "mm", limit, sense).passes is passes
