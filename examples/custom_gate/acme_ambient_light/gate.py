"""The light that reaches the face while every emitter of the sensor is off.

Two things are measured in the box of the face, in counts a microsecond above black:

- the ambient share: the median level of dark slots over that of flood slots. Sunlight, or a lamp with infrared in it,
  drowns what the other gates measure. That is no attack, so it is INCONCLUSIVE: move out of the light.
- the flicker: the spread of dark slots' levels over the median flood level. The sun doesn't change thirty times a
  second, and breathing and sway move the level by a few percent of itself. Light that comes and goes in slots that
  nobody outside could know to be dark belongs to a second emitter: NOT_LIVE.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from faceward.plugin import (
    Evidence,
    FaceObservation,
    FaceSighting,
    Frame,
    FrameSet,
    GateContext,
    GateSession,
    Illumination,
    LivenessGate,
    Measure,
    Outcome,
    Requirements,
    SensorInfo,
)

_SLOTS_NEEDED = 5  # of each kind: below that a median says little


class AmbientLight(LivenessGate):
    """Refuses a face in light that is not the sensor's own."""

    name = "ambient-light"
    version = "1.0.0"

    def requirements(self, sensor: SensorInfo) -> Requirements:
        """Two dark and five flood slots a second, for three seconds; no depth."""
        return Requirements(off_hz=2.0, flood_hz=5.0, seconds=3.0)

    def thresholds(self) -> Mapping[str, float]:
        """Shares of the flood level, reasoned and not measured.

        A third of the flood light may come from elsewhere before relief and albedo lose their meaning; 8 % is twice
        what sway can do (flood light falls as 1/z^2, so 8 mm at .4 m are 4 %).
        """
        return {"ambient_share_max": 0.35, "flicker_share_max": 0.08}

    def open(self, context: GateContext) -> GateSession:
        """Judge one capture."""
        return _Session(context)


class _Session(GateSession):
    def __init__(self, context: GateContext) -> None:
        self._black_counts = context.sensor.calibration.black_level_counts
        self._ambient_share_max = context.thresholds["ambient_share_max"]
        self._flicker_share_max = context.thresholds["flicker_share_max"]
        self._dark: list[float] = []
        self._flood: list[float] = []
        self._covered: set[bytes] = set()

    def observe(self, frame_set: FrameSet, face: FaceObservation) -> None:
        """Measure the dark and the flood slots of a set in which a face was seen; keep numbers only."""
        sighting = face.best
        if sighting is None:
            return
        for kind, levels in ((Illumination.OFF, self._dark), (Illumination.FLOOD, self._flood)):
            for frame in frame_set.infrared(kind):
                level = self._level(frame, sighting)
                if level is not None:
                    levels.append(level)
        self._covered.update(frame_set.digests)

    def _level(self, frame: Frame, sighting: FaceSighting) -> float | None:
        """Median counts a microsecond at gain 1 in the middle half of the face's box; None where that is no area."""
        x, y, width, height = sighting.box_px
        left, top = max(0, round(x + width / 4)), max(0, round(y + height / 4))
        right, bottom = min(frame.width_px, round(x + width * 3 / 4)), min(frame.height_px, round(y + height * 3 / 4))
        if right - left < 8 or bottom - top < 8 or frame.exposure_us <= 0 or frame.gain <= 0:
            return None
        patch = frame.pixels[top:bottom:2, left:right:2]
        return (float(np.median(patch)) - self._black_counts) / (frame.exposure_us * frame.gain)

    def conclude(self) -> Evidence:
        """NOT_LIVE for a second emitter, INCONCLUSIVE for strong ambient light or too few slots, else LIVE."""
        if min(len(self._dark), len(self._flood)) < _SLOTS_NEEDED:
            return self._answer(Outcome.INCONCLUSIVE, "too few slots", "too few dark or flood slots showed a face", ())
        flood = float(np.median(self._flood))
        if not flood > 0.0:
            return self._answer(Outcome.INCONCLUSIVE, "no flood light", "flood slots are as dark as black", ())
        ambient_share = float(np.median(self._dark)) / flood
        flicker_share = float(np.ptp(self._dark)) / flood
        measures = (
            Measure("ambient share", ambient_share, "of flood", self._ambient_share_max),
            Measure("flicker", flicker_share, "of flood", self._flicker_share_max),
        )
        if not flicker_share <= self._flicker_share_max:
            return self._answer(
                Outcome.NOT_LIVE, "second emitter", "infrared light came and went while the sensor was dark", measures
            )
        if not ambient_share <= self._ambient_share_max:
            return self._answer(
                Outcome.INCONCLUSIVE, "ambient light", "infrared light of the room drowns the sensor's own", measures
            )
        return self._answer(Outcome.LIVE, "dark when dark", "the face is lit by the sensor alone", measures)

    def _answer(self, outcome: Outcome, cue: str, reason: str, measures: tuple[Measure, ...]) -> Evidence:
        score = -max((measure.value / measure.limit for measure in measures if measure.limit), default=math.nan)
        return Evidence(outcome, cue, reason, measures, score, frozenset(self._covered))
