"""`continuity`: one face, one track, one identity from the first frame to the last.

What this stops is a swap in the middle: a live face for the liveness cues, another for the template. A second face ends
it without an accusation, for bystanders happen; another identity on the same track does not happen to the living.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from faceward.plugin import (
    Evidence,
    FaceObservation,
    FaceSighting,
    Frame,
    FrameSet,
    GateContext,
    GateSession,
    LivenessGate,
    Measure,
    Outcome,
    Requirements,
    SensorInfo,
    Stream,
    hookimpl,
)
from numpy.typing import NDArray

from faceward_gates.sightings import flood_frames

_USUAL_MM = 400.0  # where no depth has told the distance yet: the middle of the working range
_RECENT = (
    3  # looks at identity that must agree on a change: one bad embedding is noise, two in a row are another person
)


class ContinuityGate(LivenessGate):
    """One person throughout."""

    name = "continuity"
    version = "1.0.0"

    def requirements(self, sensor: SensorInfo) -> Requirements:
        """Flood frames close enough together for a track."""
        return Requirements(flood_hz=8.0, seconds=1.0)

    def thresholds(self) -> Mapping[str, float]:
        """Chosen on development seeds of the simulator; see README."""
        return {
            "identity_floor": 0.45,
            "step_floor": 0.68,
            "gap_seconds": 0.7,
            "speed_mm_per_s": 900.0,
            "jump_mm": 45.0,
            "sightings": 12.0,
            "identities": 3.0,
        }

    def open(self, context: GateContext) -> GateSession:
        """Begin."""
        return _Session(context)


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Where the middle of eyes and mouth was: along a ray (z is 1), at a distance if depth told one."""

    time_us: int
    ray: NDArray[np.float64]
    distance_mm: float | None


def _moved_mm(before: _Place, after: _Place) -> float:
    """How far it has moved; across the line of sight alone where a distance is missing."""
    known = [place.distance_mm for place in (before, after) if place.distance_mm is not None]
    distance_mm = known[0] if known else _USUAL_MM
    near = distance_mm if before.distance_mm is None else before.distance_mm
    far = distance_mm if after.distance_mm is None else after.distance_mm
    return float(np.linalg.norm(after.ray * far - before.ray * near))


class _Session(GateSession):
    def __init__(self, context: GateContext) -> None:
        self._sensor = context.sensor
        self._limits = context.thresholds
        self._last: _Place | None = None
        self._sightings = 0
        self._longest_gap_s = 0.0
        self._worst_jump_mm = 0.0
        self._faces_max = 0
        self._sum: NDArray[np.float64] | None = None
        self._recent: deque[NDArray[np.float64]] = deque(maxlen=_RECENT)
        self._identities = 0
        self._lowest = 1.0
        self._step = 1.0
        self._covered: set[bytes] = set()

    def observe(self, frame_set: FrameSet, face: FaceObservation) -> None:
        """Follow the face."""
        self._faces_max = max(self._faces_max, face.faces_max)
        pairs = flood_frames(frame_set, face)
        for frame, sighting in pairs:
            self._follow(frame, sighting)
            self._covered.add(frame.digest)
        if pairs:
            # One moment: what the track covers in the flood frames it covers in the depth between them.
            self._covered.update(frame_set.digests)
        if face.identity is not None:
            self._recognise(np.asarray(face.identity, np.float64))

    def _follow(self, frame: Frame, sighting: FaceSighting) -> None:
        camera = self._sensor.calibration.infrared.scaled(frame.width_px, frame.height_px)
        middle = sighting.landmarks_px.astype(np.float64)[[0, 1, 3, 4]].mean(axis=0)
        ray = np.array([(middle[0] - camera.cx_px) / camera.fx_px, (middle[1] - camera.cy_px) / camera.fy_px, 1.0])
        now = _Place(frame.device_time_us, ray, sighting.distance_mm)
        self._sightings += 1
        if self._last is not None:
            seconds = max((now.time_us - self._last.time_us) / 1e6, 0.0)
            self._longest_gap_s = max(self._longest_gap_s, seconds)
            beyond_mm = _moved_mm(self._last, now) - self._limits["speed_mm_per_s"] * seconds
            self._worst_jump_mm = max(self._worst_jump_mm, beyond_mm)
        self._last = now

    def _recognise(self, identity: NDArray[np.float64]) -> None:
        length = float(np.linalg.norm(identity))
        if not math.isfinite(length) or length < 1e-6:
            return
        identity = identity / length
        self._identities += 1
        self._recent.append(identity)
        if len(self._recent) == _RECENT:
            before, after, later = self._recent
            self._step = min(self._step, float(max(before @ after, before @ later)))
        if self._sum is None:
            self._sum = identity.copy()
            return
        if len(self._recent) == _RECENT:
            recent = np.mean(self._recent, axis=0)
            scale = float(np.linalg.norm(recent) * np.linalg.norm(self._sum))
            self._lowest = min(self._lowest, float(recent @ self._sum) / max(scale, 1e-9))
        self._sum += identity

    def conclude(self) -> Evidence:
        """One face, one track, one identity - in this order, since identity along a broken track says nothing."""
        if Stream.INFRARED not in self._sensor.streams:
            return Evidence(Outcome.NOT_EVALUATED, "infrared", "without infrared there is no identity to follow")
        limits = self._limits
        gap = Measure("longest gap", self._longest_gap_s, "s", limits["gap_seconds"])
        jump = Measure("jump beyond human speed", max(self._worst_jump_mm, 0.0), "mm", limits["jump_mm"])
        faces = Measure("faces", float(self._faces_max), "", 1.0)
        same = Measure("likeness to all before", self._lowest, "", limits["identity_floor"], ">=")
        step = Measure("likeness across a step", self._step, "", limits["step_floor"], ">=")
        measures = (faces, gap, jump, same, step)
        covered = frozenset(self._covered)
        margin = min(self._lowest - limits["identity_floor"], self._step - limits["step_floor"])
        if not (same.passes and step.passes) and self._faces_max <= 1:
            return Evidence(
                Outcome.NOT_LIVE,
                "identity changed",
                f"the face became another's: likeness {self._step:.2f} across a step, {self._lowest:.2f} to all before",
                measures,
                margin,
                covered,
            )
        refusals = (
            (self._sightings == 0, "no face", "no face was seen"),
            (not faces.passes, "second face", f"{self._faces_max} faces at once"),
            (self._sightings < limits["sightings"], "too few frames", f"a face in {self._sightings} frames only"),
            (self._identities < limits["identities"], "too few identities", f"{self._identities} looks at identity"),
            (not gap.passes, "track lost", f"no face for {self._longest_gap_s:.2f} s in the middle"),
            (not jump.passes, "track jumped", f"the face moved {self._worst_jump_mm:.0f} mm farther than heads move"),
        )
        for refused, cue, reason in refusals:
            if refused:
                return Evidence(Outcome.INCONCLUSIVE, cue, reason, measures, math.nan, covered)
        score = min(margin, 1.0 - self._longest_gap_s / limits["gap_seconds"])
        return Evidence(Outcome.LIVE, "one person", "one face, one track, one identity", measures, score, covered)


@hookimpl
def faceward_gate() -> LivenessGate:
    """The plugin's one gate."""
    return ContinuityGate()
