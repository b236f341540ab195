"""The capture's digest: one SHA-256 over what the sensor said it is and every frame that it sent, in order.

All integers are little-endian; `str` and `bytes` are a u16 length and that many bytes (text in UTF-8).

Opening:

| field | type |
|---|---|
| `faceward.capture.v1` NUL | 20 bytes |
| vendor, model, serial, firmware_version, hardware_revision | 5 str |
| kind | u8 |
| calibration | SHA-256 over its numbers as doubles in the order of device.proto (intrinsics first), 32 bytes |
| nonce | bytes |
| schedule digest (faceward.capture.plan) | 32 bytes |

Each frame, a slot's infrared before its depth:

| field | type |
|---|---|
| stream, illumination | 2 u8 |
| wavelength_nm, gain in hundredths | 2 u16 |
| slot, sequence, exposure_us | 3 u32 |
| device_time_us | u64 |
| config hash | bytes |
| payload digest (SHA-256 of the pixels) | 32 bytes |

Closing: the number of frames, u32.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import astuple

from faceward.errors import DeviceProtocolError
from faceward.model.frame import Calibration, Frame, SensorInfo, Slot

_OPENING = b"faceward.capture.v1\0"


class CaptureDigest:
    """Feed it every slot, in order, then `close` it."""

    def __init__(self, sensor: SensorInfo, nonce: bytes, schedule_digest: bytes) -> None:
        """Raises: DeviceProtocolError when the sensor's own words are too long to be digested."""
        self._hash = hashlib.sha256(_OPENING)
        for word in (sensor.vendor, sensor.model, sensor.serial, sensor.firmware_version, sensor.hardware_revision):
            self._hash.update(_counted(word.encode("utf-8", "surrogatepass")))
        self._hash.update(struct.pack("<B", int(sensor.kind)))
        self._hash.update(digest_calibration(sensor.calibration))
        self._hash.update(_counted(nonce))
        self._hash.update(schedule_digest)
        self._frames = 0

    def add(self, slot: Slot) -> None:
        """Chain a slot's frames. Raises: DeviceProtocolError (metadata out of the layout's range)."""
        for frame in slot.frames:
            self._hash.update(_record(frame))
            self._frames += 1

    def close(self) -> bytes:
        """The digest, 32 bytes; the object can be fed on, and closed again."""
        closed = self._hash.copy()
        closed.update(struct.pack("<I", self._frames))
        return closed.digest()


def digest_calibration(calibration: Calibration) -> bytes:
    """SHA-256 over every number of the calibration as a little-endian double, in the order of its fields: 32 bytes."""
    numbers: list[float] = []
    for value in astuple(calibration):
        numbers.extend(value if isinstance(value, tuple) else (value,))
    return hashlib.sha256(struct.pack(f"<{len(numbers)}d", *numbers)).digest()


def _record(frame: Frame) -> bytes:
    try:
        head = struct.pack(
            "<BBHHIIIQ", int(frame.stream), int(frame.illumination), frame.wavelength_nm, round(frame.gain * 100),
            frame.slot, frame.sequence, frame.exposure_us, frame.device_time_us,
        )  # fmt: skip
    except (struct.error, OverflowError, ValueError) as error:
        raise DeviceProtocolError(f"slot {frame.slot}: frame metadata out of range: {error}") from error
    if len(frame.digest) != 32:
        raise DeviceProtocolError(f"slot {frame.slot}: a frame without its digest")
    return head + _counted(frame.config_hash) + frame.digest


def _counted(data: bytes) -> bytes:
    if len(data) > 0xFFFF:
        raise DeviceProtocolError(f"{len(data)} bytes where 65535 are the most")
    return struct.pack("<H", len(data)) + data
