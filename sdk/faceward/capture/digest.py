"""The capture's digest: one SHA-256 chain over what the sensor said it is and every frame that it sent, in order.

The layout is that of docs/protocol.md, "Capture digest": an attested sensor computes the same and signs it.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import astuple

from faceward.errors import DeviceProtocolError
from faceward.model.frame import Calibration, IlluminationSchedule, SensorInfo, Slot
from faceward.wire.frames import frame_record

_OPENING = b"faceward.capture.v1\0"


class CaptureDigest:
    """Feed it every slot, in order, then `close` it."""

    def __init__(self, sensor: SensorInfo, nonce: bytes, schedule_digest: bytes) -> None:
        """Raises: DeviceProtocolError when the sensor's own words are too long to be digested."""
        opening = hashlib.sha256(_OPENING)
        for word in (sensor.vendor, sensor.model, sensor.serial, sensor.firmware_version, sensor.hardware_revision):
            opening.update(_counted(word.encode("utf-8", "surrogatepass")))
        opening.update(struct.pack("<B", int(sensor.kind)))
        opening.update(digest_calibration(sensor.calibration))
        opening.update(_counted(nonce))
        opening.update(schedule_digest)
        self._chain = opening.digest()
        self._frames = 0

    def add(self, slot: Slot) -> None:
        """Chain a slot's frames. Raises: DeviceProtocolError (metadata out of the layout's range)."""
        for frame in slot.frames:
            self._chain = hashlib.sha256(self._chain + frame_record(frame)).digest()
            self._frames += 1

    def close(self) -> bytes:
        """The digest, 32 bytes; the object can be fed on, and closed again."""
        return hashlib.sha256(self._chain + struct.pack("<I", self._frames)).digest()


def digest_schedule(schedule: IlluminationSchedule) -> bytes:
    """SHA-256 over `faceward.schedule.v1` NUL, the nonce's length (u16, little-endian), nonce and slots: 32 bytes."""
    head = b"faceward.schedule.v1\0" + struct.pack("<H", len(schedule.nonce))
    return hashlib.sha256(head + schedule.nonce + schedule.slots).digest()


def digest_calibration(calibration: Calibration) -> bytes:
    """SHA-256 over every number of the calibration as a little-endian double, in the order of its fields: 32 bytes."""
    numbers: list[float] = []
    for value in astuple(calibration):
        numbers.extend(value if isinstance(value, tuple) else (value,))
    return hashlib.sha256(struct.pack(f"<{len(numbers)}d", *numbers)).digest()


def _counted(data: bytes) -> bytes:
    if len(data) > 0xFFFF:
        raise DeviceProtocolError(f"{len(data)} bytes where 65535 are the most")
    return struct.pack("<H", len(data)) + data
