"""`challenge-echo`: the light in the image follows this capture's schedule, whatever the metadata says.

The schedule is drawn from the host's fresh nonce, so images that were made before, or elsewhere, carry another order of
dots, flood and dark. Each slot's light is told from its image alone: flood by its level, dots by how much they stand out
of a dim image, dark by the lack of both. A hostile device that renders images to the schedule is stopped by attestation,
not here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from faceward.plugin import (
    Evidence,
    FaceObservation,
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
    Slot,
    Stream,
    hookimpl,
)
from numpy.typing import NDArray

from faceward_gates.sightings import nearest_sighting

_PATCH_PX = 160  # the middle of the face: 15 to 20 dots across, whatever the distance
_TEXTURE = 0.13  # spread of a face in flood light over its mean, from eyes, nostrils and brows (development seeds: .10)
_AROUND_SLOTS = 20  # people step nearer and away; their brightness is compared within two thirds of a second
_SMOOTH_PX = 13  # wider than the pitch of dots, so that what is left over it is the dots' contrast


@dataclass(frozen=True, slots=True)
class Look:
    """A slot's image in numbers: counts above black for each microsecond, its electrons, and how much of it stands out.

    `detail` is the spread about the local mean, in the unit of `level`, without read noise and a face's own texture.
    """

    slot: int
    scheduled: Illumination
    level: float
    electrons: float
    detail: float
    digests: tuple[bytes, ...]


class ChallengeEchoGate(LivenessGate):
    """Light as ordered."""

    name = "challenge-echo"
    version = "1.0.0"

    def requirements(self, sensor: SensorInfo) -> Requirements:
        """Every kind of light often enough to be told from chance; dots where the sensor has them."""
        dots_hz = 5.0 if Illumination.DOTS in sensor.wavelengths_nm else 0.0
        return Requirements(dots_hz=dots_hz, flood_hz=8.0, off_hz=2.0, seconds=1.5)

    def thresholds(self) -> Mapping[str, float]:
        """Chosen on development seeds of the simulator; see README."""
        return {
            "agreement": 0.93,
            "slots": 30.0,
            "slots_each": 3.0,
            "dots_share": 0.3,
            "dark_share": 0.5,
            "echo_electrons": 12.0,
        }

    def open(self, context: GateContext) -> GateSession:
        """Begin."""
        return _Session(context)


class _Session(GateSession):
    def __init__(self, context: GateContext) -> None:
        self._sensor = context.sensor
        self._schedule = context.schedule.slots
        self._limits = context.thresholds
        self._dots_to_flood = _dots_to_flood(context.sensor)
        self._second_to_first = _second_to_first(context.sensor)
        self._looks: list[Look] = []
        self._beyond = 0
        self._centre: tuple[float, float] | None = None

    def observe(self, frame_set: FrameSet, face: FaceObservation) -> None:
        """Look at each slot's light."""
        for slot in frame_set.slots:
            frame = slot.infrared
            if frame is None:
                continue
            sighting = nearest_sighting(frame.slot, face)
            if sighting is not None:
                x, y, w, h = sighting.box_px
                if np.isfinite([x, y, w, h]).all():
                    self._centre = (x + w / 2, y + h / 2)
            self._see(slot, frame)

    def _see(self, slot: Slot, frame: Frame) -> None:
        if not 0 <= frame.slot < len(self._schedule) or frame.exposure_us <= 0 or frame.gain <= 0:
            self._beyond += 1
            return
        try:
            scheduled = Illumination(self._schedule[frame.slot])
        except ValueError:
            self._beyond += 1
            return
        calibration = self._sensor.calibration
        patch = _patch(frame, self._centre).astype(np.float32)
        patch -= calibration.black_level_counts
        mean = float(patch.mean())
        rest = patch - cv2.blur(patch, (_SMOOTH_PX, _SMOOTH_PX), borderType=cv2.BORDER_REFLECT)
        noise = calibration.read_noise_counts * frame.gain
        own = noise * noise + (_TEXTURE * mean) ** 2
        detail = math.sqrt(max(float(np.mean(rest * rest)) - own, 0.0))
        digests = (frame.digest,) if slot.depth is None else (frame.digest, slot.depth.digest)
        scale = (
            frame.exposure_us * frame.gain * (self._second_to_first if scheduled is Illumination.FLOOD_SECOND else 1.0)
        )
        electrons = mean / max(calibration.counts_per_electron * frame.gain, 1e-9)
        self._looks.append(Look(frame.slot, scheduled, mean / scale, electrons, detail / scale, digests))

    def conclude(self) -> Evidence:
        """Compare what each slot shows with what it was told to show."""
        if Stream.INFRARED not in self._sensor.streams:
            return Evidence(Outcome.NOT_EVALUATED, "infrared", "without infrared there is no light to follow")
        limits = self._limits
        counts = {light: sum(look.scheduled is light for look in self._looks) for light in Illumination}
        expected = [Illumination.OFF, Illumination.FLOOD]
        if Illumination.DOTS in self._sensor.wavelengths_nm:
            expected.append(Illumination.DOTS)
        agreed = self._agreeing()
        share = len(agreed) / (len(self._looks) + self._beyond) if self._looks else 0.0
        agreement = Measure("slots lit as ordered", share, "", limits["agreement"], ">=")
        # What came back in the brighter slots, whichever they were: a dark scene says nothing about the schedule.
        electrons = float(np.percentile([look.electrons for look in self._looks], 75)) if self._looks else 0.0
        echo = Measure("echo", electrons, "e-", limits["echo_electrons"], ">=")
        measures = (agreement, echo, Measure("slots", len(self._looks), "", limits["slots"], ">="))
        covered = frozenset(digest for look in agreed for digest in look.digests)
        if len(self._looks) < limits["slots"] or any(counts[light] < limits["slots_each"] for light in expected):
            missing = ", ".join(f"{counts[light]} {light.name.lower()}" for light in expected)
            return Evidence(Outcome.INCONCLUSIVE, "too few slots", f"saw {missing}", measures, math.nan, covered)
        if not echo.passes:
            reason = f"too little light came back to tell: {electrons:.0f} electrons a pixel"
            return Evidence(Outcome.INCONCLUSIVE, "no echo", reason, measures, math.nan, covered)
        score = share - limits["agreement"]
        if not agreement.passes:
            reason = f"the light does not follow the schedule: {share:.0%} of the slots are lit as ordered"
            return Evidence(Outcome.NOT_LIVE, "light off schedule", reason, measures, score, covered)
        return Evidence(
            Outcome.LIVE, "light as ordered", "the light in the image follows the schedule", measures, score, covered
        )

    def _agreeing(self) -> list[Look]:
        """The slots that show what the schedule says, each against the flood slots around it."""
        slots = np.array([look.slot for look in self._looks])
        levels = np.array([look.level for look in self._looks])
        flood = np.array([look.scheduled is Illumination.FLOOD for look in self._looks], bool)
        found = []
        for look in self._looks:
            around = flood & (np.abs(slots - look.slot) <= _AROUND_SLOTS)
            usual = float(np.median(levels[around])) if around.any() else 0.0
            if self._light_of(look, usual) is _kind(look.scheduled):
                found.append(look)
        return found

    def _light_of(self, look: Look, flood_level: float) -> Illumination:
        if look.level > self._limits["dark_share"] * flood_level:
            return Illumination.FLOOD
        if look.detail > self._limits["dots_share"] * self._dots_to_flood * flood_level:
            return Illumination.DOTS
        return Illumination.OFF


def _dots_to_flood(sensor: SensorInfo) -> float:
    """The mean of a dots image over that of a flood image on the same surface, from the calibration."""
    calibration = sensor.calibration
    pitch_px = calibration.dot_pitch_mrad * 1e-3 * calibration.infrared.fx_px
    flood = calibration.flood_counts_per_us_at_1m * pitch_px * pitch_px
    return calibration.dot_counts_per_us_at_1m / flood if flood > 0 else math.inf


def _second_to_first(sensor: SensorInfo) -> float:
    """How much brighter the second band's flood is on the same surface, from the calibration; 1 where it says neither."""
    first = sensor.calibration.flood_counts_per_us_at_1m
    second = sensor.calibration.flood_second_counts_per_us_at_1m
    return second / first if first > 0 and second > 0 else 1.0


def _kind(scheduled: Illumination) -> Illumination:
    return Illumination.FLOOD if scheduled is Illumination.FLOOD_SECOND else scheduled


def _patch(frame: Frame, centre: tuple[float, float] | None) -> NDArray[np.uint16]:
    """The square that is looked at: the middle of the face, or of the frame where there is none."""
    side = min(_PATCH_PX, frame.width_px, frame.height_px)
    x, y = centre if centre is not None else (frame.width_px / 2, frame.height_px / 2)
    left = min(max(int(x - side / 2), 0), frame.width_px - side)
    top = min(max(int(y - side / 2), 0), frame.height_px - side)
    return frame.pixels[top : top + side, left : left + side]


@hookimpl
def faceward_gate() -> LivenessGate:
    """The plugin's one gate."""
    return ChallengeEchoGate()
