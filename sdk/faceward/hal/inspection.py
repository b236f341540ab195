"""What must hold from slot to slot: order, clock, light, configuration, and a sensor that is well.

The expectations are the host's own: the schedule it loaded, the configuration hash it computed. That the light in a picture
follows the schedule is for the gates to find. What a picture shows is looked at once: where no depth comes, whether there
is anything near that should have some.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from faceward.errors import DeviceFault, DeviceProtocolError
from faceward.model.frame import Frame, Illumination, IlluminationSchedule, SensorKind, Stream

# One second at ten dots slots a second: longer than anything that passes close before the lens.
DEAD_DEPTH_FRAMES: Final = 10
# Of what white at 1 m returns of the flood: skin of the darkest tone at .8 m returns .34 of it, white at 1.8 m .31.
NEAR_SHARE: Final = 0.3
_NEAR_AREA = 0.02  # of the picture; a face at .8 m fills .04 of it
_GRID = 8  # every so manieth pixel of a row and of a column is looked at
# Parts of industrial grade are specified up to 85 degrees, those of commercial grade up to 70.
OVERHEAT_C: Final = 85.0
# A slot may begin this share of a period early or late against the one before; a crystal is a thousand times better.
_STEP_TOLERANCE: Final = 0.25


def measures_depth(kind: SensorKind, illumination: Illumination) -> bool:
    """Whether a sensor of that kind has a depth frame in such a slot (docs/protocol.md)."""
    if kind is SensorKind.STRUCTURED_LIGHT:
        return illumination is Illumination.DOTS
    return kind is SensorKind.PASSIVE_STEREO or illumination is not Illumination.OFF


@dataclass(frozen=True, slots=True)
class Expectations:
    """What the host has set, and what the sensor said of itself before.

    `flood_counts_per_us_at_1m` is what white returns, over `black_level_counts`; 0 where the sensor does not say.
    """

    kind: SensorKind
    wavelengths_nm: Mapping[Illumination, int]
    slot_rate_hz: float
    schedule: IlluminationSchedule
    config_hash: bytes
    flood_counts_per_us_at_1m: float = 0.0
    black_level_counts: float = 0.0

    def illumination(self, slot: int) -> Illumination:
        """The light of a slot: the schedule's byte, and darkness past its end."""
        slots = self.schedule.slots
        return Illumination(slots[slot]) if slot < len(slots) else Illumination.OFF


class SlotInspector:
    """Sees every slot of one stream once, in order."""

    def __init__(self, expected: Expectations) -> None:
        self._expected = expected
        self._period_us = 1e6 / expected.slot_rate_hz
        self._slot = 0
        self._depth_sequence = 0
        self._first_time_us = 0
        self._last_time_us = 0
        self._last_infrared: Frame | None = None
        self._last_depth_digest = b""
        self._zero_depths = 0
        self._near: bool | None = None  # None: no flood was seen since depth went out
        self._zero_digests: dict[int, bytes] = {}

    def wants_depth(self, infrared: Frame) -> bool:
        """Whether this slot must come with a depth frame; the frame itself is checked first, all but its digest.

        Raises: DeviceProtocolError, DeviceFault.
        """
        self._check_order(infrared)
        self._check_settings(infrared)
        self._check_clock(infrared)
        return measures_depth(self._expected.kind, infrared.illumination)

    def accept(self, infrared: Frame, depth: Frame | None) -> None:
        """Take the whole slot, after `wants_depth`.

        Raises: DeviceProtocolError, DeviceFault.
        """
        if depth is not None:
            if depth.sequence != self._depth_sequence:
                raise DeviceProtocolError(
                    f"slot {depth.slot}: depth frame {depth.sequence} came where {self._depth_sequence} was due"
                )
            self._depth_sequence += 1
            if depth.illumination is not infrared.illumination or depth.exposure_us != infrared.exposure_us:
                raise DeviceProtocolError(f"slot {depth.slot}: depth and infrared say different things of one exposure")
            if abs(depth.device_time_us - infrared.device_time_us) > self._period_us / 2:
                raise DeviceProtocolError(f"slot {depth.slot}: depth and infrared were not taken together")
            self._check_settings(depth)
            self._check_alive(depth)
        if self._zero_depths and infrared.illumination is Illumination.FLOOD:
            self._near = self._is_near(infrared)
        self._check_changing(infrared)
        self._last_infrared = infrared
        self._slot += 1

    def _check_order(self, frame: Frame) -> None:
        due = self._slot
        if frame.slot == due and frame.sequence == due:
            return
        if frame.slot > due and frame.sequence == frame.slot:
            missing = f"slot {due}" if frame.slot == due + 1 else f"slots {due} to {frame.slot - 1}"
            raise DeviceProtocolError(f"{missing} did not come: lost on the way, or the host read too slowly")
        if frame.slot == due - 1:
            raise DeviceProtocolError(f"slot {frame.slot} came twice")
        raise DeviceProtocolError(f"slot {frame.slot} with sequence {frame.sequence} came where {due} was due")

    def _check_settings(self, frame: Frame) -> None:
        name = f"slot {frame.slot}: the {'depth' if frame.stream is Stream.DEPTH else 'infrared'} frame"
        if frame.config_hash != self._expected.config_hash:
            raise DeviceProtocolError(f"{name} was taken under another configuration than the host's")
        due = self._expected.illumination(frame.slot)
        if frame.illumination is not due:
            raise DeviceProtocolError(f"{name} was taken under {frame.illumination.name}, the schedule says {due.name}")
        wavelength_nm = self._expected.wavelengths_nm.get(due, 0)
        if frame.wavelength_nm != wavelength_nm:
            raise DeviceProtocolError(f"{name} has a wavelength of {frame.wavelength_nm} nm, not {wavelength_nm}")
        if frame.temperature_c >= OVERHEAT_C:
            raise DeviceFault(f"the sensor is too hot: {frame.temperature_c:.0f} °C", "overheat")

    def _check_clock(self, frame: Frame) -> None:
        if frame.slot == 0:
            self._first_time_us = frame.device_time_us
        else:
            step_us = frame.device_time_us - self._last_time_us
            total_us = frame.device_time_us - self._first_time_us
            drift_us = abs(total_us - frame.slot * self._period_us)
            allowed_us = _STEP_TOLERANCE * self._period_us
            if abs(step_us - self._period_us) > allowed_us or drift_us > allowed_us + 0.001 * total_us:
                raise DeviceProtocolError(
                    f"slot {frame.slot}: the sensor's clock moved by {step_us} us; a slot has {self._period_us:.0f}"
                )
        self._last_time_us = frame.device_time_us

    def _check_alive(self, depth: Frame) -> None:
        size = len(depth.data)
        if size not in self._zero_digests:
            self._zero_digests[size] = hashlib.sha256(bytes(size)).digest()
        is_zero = depth.digest == self._zero_digests[size]
        self._zero_depths = self._zero_depths + 1 if is_zero else 0
        if not is_zero:
            self._near = None
        # An empty room whose wall is far has no depth either, and nothing near that the flood would light.
        if self._zero_depths >= DEAD_DEPTH_FRAMES and self._near is not False:
            raise DeviceFault(f"{self._zero_depths} depth frames in a row without any depth", "projector")
        if depth.digest == self._last_depth_digest and not is_zero:
            raise DeviceFault(f"slot {depth.slot}: the same depth picture again", "stuck")
        self._last_depth_digest = depth.digest

    def _is_near(self, flood: Frame) -> bool:
        """Whether something within a metre or so is lit; yes, where the sensor does not say how strong its light is."""
        white = self._expected.flood_counts_per_us_at_1m * flood.exposure_us * flood.gain
        over_black = flood.pixels[::_GRID, ::_GRID].astype(np.float32) - self._expected.black_level_counts
        return float(np.mean(over_black >= NEAR_SHARE * white)) >= _NEAR_AREA

    def _check_changing(self, infrared: Frame) -> None:
        # Noise makes every lit picture different from every other.
        last = self._last_infrared
        if (
            last is not None
            and infrared.digest == last.digest
            and (infrared.illumination is not Illumination.OFF or last.illumination is not Illumination.OFF)
        ):
            raise DeviceFault(f"slot {infrared.slot}: the same infrared picture again", "stuck")
