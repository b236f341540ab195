"""What a sensor sends: frames, the slots they fill, and the sets that gates see."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Stream(IntEnum):
    """A sensor's stream (capture.proto)."""

    INFRARED = 1
    DEPTH = 2


class Illumination(IntEnum):
    """An emitter's state during one slot (device.proto)."""

    OFF = 0
    DOTS = 1
    FLOOD = 2
    FLOOD_SECOND = 3


class Prompt(IntEnum):
    """What the sensor's indicator tells the person (device.proto). Left and right are the person's own."""

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


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame with the sensor's own metadata.

    `data` holds height_px x width_px little-endian uint16, row by row: bytes, or a read-only view over memory that its
    owner keeps for as long as the Frame is in use (in a gate: until `observe` returns). `digest` is SHA-256 of `data`.
    """

    stream: Stream
    width_px: int
    height_px: int
    data: bytes | memoryview
    sequence: int
    slot: int
    device_time_us: int
    exposure_us: int
    gain: float
    illumination: Illumination
    wavelength_nm: int
    temperature_c: float
    config_hash: bytes
    digest: bytes
    tag: bytes = b""

    @property
    def pixels(self) -> NDArray[np.uint16]:
        """A read-only (height_px, width_px) uint16 view: infrared counts, or depth in depth units (0: none)."""
        view = np.frombuffer(self.data, dtype="<u2").reshape(self.height_px, self.width_px)
        view.flags.writeable = False
        return view


def digest_of(data: bytes | memoryview) -> bytes:
    """The digest by which a frame's pixels are known: SHA-256, 32 bytes."""
    return hashlib.sha256(data).digest()


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """One slot of the schedule: its infrared frame and, where the sensor measures depth in it, the depth frame.

    A live sensor's slots always have infrared; a recording of a depth camera may have depth alone. None has neither.
    """

    infrared: Frame | None
    depth: Frame | None = None

    def __post_init__(self) -> None:
        if self.infrared is None and self.depth is None:
            raise ValueError("a slot has infrared, depth or both")

    @property
    def frames(self) -> tuple[Frame, ...]:
        """Infrared, then depth, as far as they are there."""
        return tuple(frame for frame in (self.infrared, self.depth) if frame is not None)

    @property
    def number(self) -> int:
        """Its place in the schedule."""
        return self.frames[0].slot

    @property
    def device_time_us(self) -> int:
        """When the sensor exposed it."""
        return self.frames[0].device_time_us


@dataclass(frozen=True, slots=True, eq=False)
class FrameSet:
    """A depth frame with the slots up to the next one. `slots` is never empty and rises by slot number.

    The first slot carries the depth, except where a capture starts before the first depth frame or where a sensor or a
    recording has no depth: then no slot does.
    """

    index: int
    slots: tuple[Slot, ...]

    @property
    def depth(self) -> Frame | None:
        """The set's depth frame, if it has one."""
        return self.slots[0].depth

    def infrared(self, illumination: Illumination) -> Sequence[Frame]:
        """The set's infrared frames under one illumination, in order."""
        frames = (slot.infrared for slot in self.slots if slot.infrared is not None)
        return [frame for frame in frames if frame.illumination is illumination]

    @property
    def digests(self) -> tuple[bytes, ...]:
        """Digests of every frame in the set: each slot's infrared, then its depth."""
        return tuple(frame.digest for slot in self.slots for frame in slot.frames)


@dataclass(frozen=True, slots=True)
class Intrinsics:
    """Pinhole intrinsics in pixels, for frames of width_px x height_px."""

    width_px: int
    height_px: int
    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float

    def scaled(self, width_px: int, height_px: int) -> Intrinsics:
        """The same camera at another size (pixel centres at integer coordinates)."""
        sx, sy = width_px / self.width_px, height_px / self.height_px
        return Intrinsics(
            width_px, height_px, self.fx_px * sx, self.fy_px * sy,
            (self.cx_px + 0.5) * sx - 0.5, (self.cy_px + 0.5) * sy - 0.5,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the sensor says of its optics; field meanings and units are device.proto's Calibration."""

    infrared: Intrinsics
    depth: Intrinsics
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


class SensorKind(IntEnum):
    """The principle by which a sensor measures depth (device.proto)."""

    STRUCTURED_LIGHT = 1
    TIME_OF_FLIGHT = 2
    PASSIVE_STEREO = 3


@dataclass(frozen=True, slots=True)
class StreamProfile:
    """A size at which both streams run, and what it costs."""

    width_px: int
    height_px: int
    infrared_rate_hz: float
    depth_rate_hz: float  # at ten dots slots a second; follows the schedule

    @property
    def bandwidth_bytes_per_s(self) -> float:
        """Pixel bytes a second of both streams together."""
        return 2.0 * self.width_px * self.height_px * (self.infrared_rate_hz + self.depth_rate_hz)


@dataclass(frozen=True, slots=True)
class SensorInfo:
    """What is known of an open sensor. Nothing in it is proof: it is what the sensor says."""

    address: str
    vendor: str
    model: str
    serial: str
    firmware_version: str
    hardware_revision: str
    kind: SensorKind
    wavelengths_nm: dict[Illumination, int]
    slot_rate_hz: float
    max_schedule_slots: int
    calibration: Calibration
    profiles: tuple[StreamProfile, ...]
    streams: frozenset[Stream] = field(default=frozenset({Stream.INFRARED, Stream.DEPTH}))
    transport: str = "usb"
    driver: str = "uvc"

    @property
    def flood_bands_nm(self) -> frozenset[int]:
        """The wavelengths that it floods a face with."""
        lights = (Illumination.FLOOD, Illumination.FLOOD_SECOND)
        return frozenset(filter(None, (self.wavelengths_nm.get(light) for light in lights)))


@dataclass(frozen=True, slots=True)
class IlluminationSchedule:
    """Which light each slot gets: `slots` has one Illumination value a byte; `nonce` is the host's, fresh a capture."""

    nonce: bytes
    slots: bytes


@dataclass(frozen=True, slots=True)
class Health:
    """The sensor's own report."""

    temperature_c: float
    uptime_us: int
    faults: tuple[str, ...]
    dropped_frames: int
