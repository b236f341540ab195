"""A typical silicone mask of another face, worn by somebody alive who obeys every prompt."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from faceward.model.liveness import LivenessVerdict, Outcome

CUES = {("skin-optics", "dot spread")}


@pytest.mark.e2e
@pytest.mark.parametrize("distance_mm", [300.0, 500.0])
def test_a_silicone_mask_is_refused_because_light_spreads_too_far_in_it(
    refused_as_not_live: Callable[..., LivenessVerdict], seed: int, distance_mm: float
) -> None:
    verdict = refused_as_not_live("mask-silicone", seed, distance_mm, cues=CUES)

    outcomes = {result.gate: result.evidence.outcome for result in verdict.results}
    assert outcomes["skin-optics"] is Outcome.NOT_LIVE
    # A mask has a face's relief and its wearer is one person: nothing but the skin's optics can tell.
    assert outcomes["challenge-echo"] is Outcome.LIVE
    assert outcomes["flatness"] is not Outcome.NOT_LIVE
