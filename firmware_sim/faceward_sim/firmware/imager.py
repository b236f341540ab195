"""What the firmware asks of the hardware behind it: one exposure a slot."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Illumination(IntEnum):
    """An emitter's state in one slot; the value is the slot's byte in a schedule (device.proto)."""

    OFF = 0
    DOTS = 1
    FLOOD = 2
    FLOOD_SECOND = 3


class Prompt(IntEnum):
    """What the indicator shows (device.proto)."""

    NONE = 0
    LOOK_STRAIGHT = 1
    HOLD_STILL = 2
    TURN_LEFT = 3
    TURN_RIGHT = 4
    LOOK_UP = 5
    LOOK_DOWN = 6
    SMILE = 7
    MOVE_CLOSER = 8
    MOVE_BACK = 9
    UNCOVER_FACE = 10
    ONE_PERSON = 11
    DONE = 12
    REFUSED = 13


class SensorKind(IntEnum):
    """The principle of depth (device.proto)."""

    STRUCTURED_LIGHT = 1
    TIME_OF_FLIGHT = 2
    PASSIVE_STEREO = 3


def measures_depth(kind: SensorKind, illumination: Illumination) -> bool:
    """Whether a slot lit so has depth: dots make it, or any modulated light, or (with two cameras) none is needed."""
    if kind is SensorKind.STRUCTURED_LIGHT:
        return illumination is Illumination.DOTS
    return kind is SensorKind.PASSIVE_STEREO or illumination is not Illumination.OFF


@dataclass(frozen=True, slots=True)
class FactoryIdentity:
    """What the sensor says it is."""

    vendor: str
    model: str
    serial: str
    firmware_version: str
    hardware_revision: str
    kind: SensorKind
    emitters: tuple[tuple[Illumination, int], ...]  # (illumination, wavelength_nm)
    slot_rate_mhz: int = 30_000
    max_schedule_slots: int = 4096


@dataclass(frozen=True, slots=True)
class FactoryIntrinsics:
    """Pinhole intrinsics in pixels at full size."""

    width_px: int
    height_px: int
    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float


@dataclass(frozen=True, slots=True)
class FactoryCalibration:
    """The factory's estimate, field by field as in device.proto's Calibration."""

    infrared: FactoryIntrinsics
    depth: FactoryIntrinsics
    depth_unit_um: float
    baseline_mm: float
    depth_min_mm: float
    depth_max_mm: float
    dot_pitch_mrad: float
    dot_spot_mrad: float
    lens_mtf50_cy_per_px: float
    flood_counts_per_us_at_1m: float
    flood_second_counts_per_us_at_1m: float
    dot_counts_per_us_at_1m: float
    black_level_counts: float
    read_noise_counts: float
    counts_per_electron: float
    saturation_counts: float


@dataclass(frozen=True, slots=True)
class Exposure:
    """One slot as the firmware has set it."""

    slot: int
    device_time_us: int
    illumination: Illumination
    exposure_us: int
    gain: float
    prompt: Prompt  # what the indicator has shown since before this slot


@dataclass(frozen=True, slots=True)
class SlotImage:
    """What came out: infrared counts and, where `measures_depth`, depth in depth units (0: none).

    Both are (height_px, width_px) uint16, C-contiguous, at full size; the firmware never keeps them past the slot.
    """

    infrared: NDArray[np.uint16]
    depth: NDArray[np.uint16] | None = field(default=None)
    temperature_c: float = 35.0


class Imager(Protocol):
    """Optics, emitters and pixels. The firmware drives it with slots in rising order."""

    identity: FactoryIdentity
    calibration: FactoryCalibration

    def expose(self, exposure: Exposure) -> SlotImage:
        """Take one slot."""
        ...
