"""Captures drawn by hand for the gates, and the gates over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import pytest
from faceward.plugin import Evidence, GateContext, IlluminationSchedule, LivenessGate, SensorInfo
from faceward_sim.conformance.scene import Scene, Shown, draw, schedule_of, sensor_of

SECONDS = 3


@cache
def _drawn(scene: Scene) -> tuple[Shown, ...]:
    return tuple(draw(scene, schedule=schedule_of(SECONDS)))


@pytest.fixture
def shown() -> Callable[[Scene], list[Shown]]:
    """A capture of a scene, three seconds; drawn once for all tests."""
    return lambda scene: list(_drawn(scene))


@pytest.fixture
def judge() -> Callable[..., Evidence]:
    """A gate's evidence over a capture; `schedule` is what the gate is told, the drawn one unless a test says otherwise."""

    def run(
        gate: LivenessGate,
        frames: Sequence[Shown],
        *,
        sensor: SensorInfo | None = None,
        schedule: IlluminationSchedule | None = None,
        thresholds: Mapping[str, float] | None = None,
    ) -> Evidence:
        context = GateContext(
            sensor or sensor_of(), schedule or schedule_of(SECONDS), {**gate.thresholds(), **(thresholds or {})}
        )
        session = gate.open(context)
        for frame_set, face in frames:
            session.observe(frame_set, face)
        return session.conclude()

    return run
