"""What the sensor remembers of a capture, so that it can sign it: the digest's chain and the frames that it sent."""

from __future__ import annotations

import hashlib
import struct
from collections import deque
from dataclasses import fields

from faceward_sim.firmware.chain import StartedFirmware
from faceward_sim.firmware.imager import FactoryCalibration, FactoryIdentity
from faceward_sim.firmware.messages import CAPTURE_STATEMENT, AttestRequest, ReplyStatus, ScheduleRequest
from faceward_sim.firmware.protobuf import encode

CAPTURE_LABEL = b"faceward.sensor.capture.v1"
KEPT_SLOTS = 128
MAX_KEY_FRAMES = 64
_DIGEST_BYTES = 32


class Unattestable(Exception):
    """The sensor does not sign what it was asked to; `status` says why."""

    def __init__(self, status: ReplyStatus) -> None:
        super().__init__(status.name)
        self.status = status


class SentCapture:
    """One run of the infrared stream under a schedule of the host's; slots past the schedule's end are no part of it."""

    def __init__(self, identity: FactoryIdentity, calibration: FactoryCalibration, schedule: ScheduleRequest) -> None:
        self._nonce = schedule.nonce
        self._scheduled = len(schedule.slots)
        nonce = _counted(schedule.nonce)
        self._schedule_digest = _sha256(b"faceward.schedule.v1\0", nonce, schedule.slots)
        self._chain = opening_digest(identity, calibration, nonce, self._schedule_digest)
        self._frames = 0
        self._slots = 0
        self._slot_of: dict[bytes, int] = {}
        # Of the last slots, how many there were then, and the digest over them.
        self._closed: deque[tuple[int, bytes]] = deque(maxlen=KEPT_SLOTS)

    def add(self, record: bytes) -> None:
        """Chain a frame's record; its payload digest is the last 32 bytes."""
        if self._slots >= self._scheduled:
            return
        self._chain = _sha256(self._chain, record)
        self._frames += 1
        self._slot_of.setdefault(record[-_DIGEST_BYTES:], self._slots)

    def end_slot(self) -> None:
        """The slot's frames are sent."""
        if self._slots >= self._scheduled:
            return
        self._slots += 1
        self._closed.append((self._slots, _sha256(self._chain, struct.pack("<I", self._frames))))

    def attest(self, request: AttestRequest, started: StartedFirmware) -> dict[str, bytes]:
        """The AttestReply's fields. Raises Unattestable."""
        if not 0 < request.slots <= self._slots or len(request.key_frames) > MAX_KEY_FRAMES:
            raise Unattestable(ReplyStatus.MALFORMED)
        if len(request.grant_digest) not in (0, _DIGEST_BYTES):
            raise Unattestable(ReplyStatus.MALFORMED)
        if any(self._slot_of.get(digest, request.slots) >= request.slots for digest in request.key_frames):
            raise Unattestable(ReplyStatus.MALFORMED)
        digest = dict(self._closed).get(request.slots)
        if digest is None:
            raise Unattestable(ReplyStatus.UNSUPPORTED)
        statement = encode(
            CAPTURE_STATEMENT,
            {
                "nonce": self._nonce,
                "schedule_digest": self._schedule_digest,
                "capture_digest": digest,
                "slots": request.slots,
                "key_frames": request.key_frames,
                "grant_digest": request.grant_digest,
            },
        )
        return {"statement": statement, "signature": started.signing.sign(CAPTURE_LABEL, statement)}


def opening_digest(
    identity: FactoryIdentity, calibration: FactoryCalibration, nonce: bytes, schedule_digest: bytes
) -> bytes:
    """The chain before its first frame; `nonce` has its length before it."""
    words = (
        identity.vendor,
        identity.model,
        identity.serial,
        identity.firmware_version,
        identity.hardware_revision,
    )
    counted = [_counted(word.encode()) for word in words]
    kind = bytes([identity.kind])
    return _sha256(
        b"faceward.capture.v1\0", *counted, kind, calibration_digest(calibration), nonce, schedule_digest
    )


def calibration_digest(calibration: FactoryCalibration) -> bytes:
    """SHA-256 over the numbers as the host reads them: single precision on the wire, then as doubles."""
    numbers: list[float] = []
    for camera in (calibration.infrared, calibration.depth):
        focal = (camera.fx_px, camera.fy_px, camera.cx_px, camera.cy_px)
        numbers += [camera.width_px, camera.height_px, *map(_single, focal)]
    numbers += [_single(getattr(calibration, entry.name)) for entry in fields(calibration)[2:]]
    return _sha256(*(struct.pack("<d", number) for number in numbers))


def _single(number: float) -> float:
    return struct.unpack("<f", struct.pack("<f", number))[0]


def _counted(data: bytes) -> bytes:
    return struct.pack("<H", len(data)) + data


def _sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()
