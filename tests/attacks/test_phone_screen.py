"""A phone that shows a face, which at 940 nm is a dark pane of glass without one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from faceward.model.liveness import LivenessVerdict, Outcome

CUES = {("flatness", "flat panel")}


@pytest.mark.e2e
@pytest.mark.parametrize("distance_mm", [300.0, 400.0, 500.0])
def test_a_phone_is_refused_as_a_panel_and_not_for_a_missing_face(
    refused_as_not_live: Callable[..., LivenessVerdict], seed: int, distance_mm: float
) -> None:
    verdict = refused_as_not_live("phone-screen", seed, distance_mm, cues=CUES)

    flatness = next(result.evidence for result in verdict.results if result.gate == "flatness")
    assert flatness.outcome is Outcome.NOT_LIVE
    assert [measure.passes for measure in flatness.measures] == [False, False, False]
