"""An A4 print of somebody else's face, held before the holder's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from faceward.model.liveness import LivenessVerdict, Outcome

CUES = {("flatness", "flat relief"), ("flatness", "no nose"), ("flatness", "flat panel")}


@pytest.mark.e2e
@pytest.mark.parametrize("distance_mm", [300.0, 500.0])
def test_a_print_is_refused_for_its_relief(
    refused_as_not_live: Callable[..., LivenessVerdict], seed: int, distance_mm: float
) -> None:
    verdict = refused_as_not_live("print-a4", seed, distance_mm, cues=CUES)

    flatness = next(result.evidence for result in verdict.results if result.gate == "flatness")
    assert flatness.outcome is Outcome.NOT_LIVE
    assert any(measure.passes is False for measure in flatness.measures)
