"""Lines of results, made by hand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from faceward.model.liveness import Outcome
from faceward.pad.presentation import CaptureOutcome, GateLine, MeasureLine, Presentation

Make = Callable[..., Presentation]


@pytest.fixture(scope="session")
def make() -> Make:
    """`make("live")`, `make("print", instrument_id="a")`: a line that is sound, with what the test cares about changed.

    Each line is a presentation, person, instrument and grant of its own where nothing else is said.
    """
    numbers = count()

    def made(species: str = "live", outcome: str = "live", **changes: Any) -> Presentation:
        number = next(numbers)
        attack = changes.get("attack", species != "live")
        end = CaptureOutcome(outcome)
        answer = {CaptureOutcome.LIVE: Outcome.LIVE, CaptureOutcome.NOT_LIVE: Outcome.NOT_LIVE}.get(end)
        score = changes.pop("score", 0.9 if end is CaptureOutcome.LIVE else 0.1)
        measure = MeasureLine("spread_mm", 1.0 + score, "mm", 1.5, ">=")
        gates = (GateLine("optics", "1.0", answer or Outcome.INCONCLUSIVE, "dot spread", score, (measure,)),)
        fields: dict[str, Any] = {
            "presentation_id": f"p{number:06d}",
            "attack": attack,
            "species": species,
            "person_id": f"person-{number}",
            "instrument_id": f"{species}-{number}" if attack else None,
            "tone": "III-IV",
            "sensor_kind": "sl-940",
            "sensor_unit": "unit-1",
            "split": "test",
            "generator": "B",
            "simulated": True,
            "seed": 10_000 + number,
            "replay": f"scene = {number}",
            "policy_sha256": "ab" * 32,
            "purpose": "enroll",
            "grant_id": f"grant-{number}",
            "attempt": 1,
            "outcome": end,
            "rejection_reason": "too-far" if end is CaptureOutcome.REJECTED else None,
            "error_code": "device-lost" if end is CaptureOutcome.FAILED else None,
            "gates": () if end in (CaptureOutcome.REJECTED, CaptureOutcome.FAILED) else gates,
            "decision_s": 4.0,
        }
        return Presentation(**{**fields, **changes})

    return made
