"""Automatic exposure: keeps the face at a third of the sensor's range."""

from __future__ import annotations

from faceward.face.quality import SATURATED_MAX, FaceQuality
from faceward.model.frame import Calibration

TARGET = 0.35  # of the range: room for a glint and for a person who comes nearer
DEAD_BAND = 0.30  # changes below it are left alone: gates compare brightness over time
EXPOSURE_STEP_US = 100  # the camera terminal's exposure control counts in these (UVC 1.1, 4.2.2.1.4)
EXPOSURE_MIN_US = 100
EXPOSURE_MAX_US = 25_000  # a slot lasts 33 ms; readout and emitter switching need the rest
SETTLE_SLOTS = 4  # slots already under way keep the old exposure
BACK_OFF = 0.75  # of the exposure under which more of the face saturated than a good look may show
FORGET_LEVEL = 0.1  # so dark a face has gone away from where it saturated

_START_DISTANCE_M = 0.4
_START_REFLECTANCE = 0.35  # between skin of tones III and V at 940 nm (.38, .30: sensor-physics table)
# Looks without a face before another exposure: 1.2 s, so that a search of 4 s sees all of them, the shortest for half a
# second.
_SEARCH_SLOTS = 20
# A dark tone at 600 mm; black glass at 500 mm, whose dots give depth under no shorter one; a fair tone at 250 mm.
_SEARCH_FACTORS = (1.0, 3.0, 9.0, 0.3)


class AutoExposure:
    """Says when to set another exposure. It knows nothing of the sensor but its calibration."""

    def __init__(self, calibration: Calibration) -> None:
        self._range = calibration.saturation_counts - calibration.black_level_counts
        per_us = calibration.flood_counts_per_us_at_1m * _START_REFLECTANCE / _START_DISTANCE_M**2
        self.start_us = _clamp(TARGET * self._range / per_us) if per_us > 0.0 else 2_000
        self._set_at_slot = -SETTLE_SLOTS
        self._missed = 0
        self._ceiling_us = float(EXPOSURE_MAX_US)

    def see(self, slot: int, exposure_us: int, quality: FaceQuality | None) -> int | None:
        """After each flood slot, with the exposure it was taken with: the exposure to set now, or None to leave it."""
        if quality is None:
            return self._search(slot)
        self._missed = 0
        if slot < self._set_at_slot + SETTLE_SLOTS or exposure_us <= 0:
            return None
        level = quality.exposure
        low, high = TARGET * (1 - DEAD_BAND), TARGET * (1 + DEAD_BAND)
        if quality.saturated_share > SATURATED_MAX:
            # Where the rest of the face is bright as it should be, its gloss saturates: dim it, and don't try that again.
            wanted = self._ceiling_us = exposure_us * BACK_OFF
            if level > high:
                wanted = exposure_us * min(0.5, TARGET / level)
        elif low <= level <= high:
            return None
        else:
            wanted = exposure_us * min(max(TARGET / max(level, 0.01), 0.25), 4.0)
            if FORGET_LEVEL <= level < low:
                wanted = max(min(wanted, self._ceiling_us), exposure_us)
        return self._change(slot, exposure_us, wanted)

    def _search(self, slot: int) -> int | None:
        self._missed += 1
        if self._missed % _SEARCH_SLOTS:
            return None
        factor = _SEARCH_FACTORS[self._missed // _SEARCH_SLOTS % len(_SEARCH_FACTORS)]
        return self._change(slot, 0, self.start_us * factor)

    def _change(self, slot: int, exposure_us: int, wanted_us: float) -> int | None:
        value = _clamp(wanted_us)
        if value == exposure_us:
            return None
        self._set_at_slot = slot
        return value


def _clamp(exposure_us: float) -> int:
    steps = round(exposure_us / EXPOSURE_STEP_US)
    return min(max(steps * EXPOSURE_STEP_US, EXPOSURE_MIN_US), EXPOSURE_MAX_US)
