"""A frame's record: the bytes by which tag and capture digest know it (docs/protocol.md, "Capture digest")."""

from __future__ import annotations

import struct
from typing import Final

from faceward.errors import DeviceProtocolError
from faceward.model.frame import Frame

# The payload header's metadata from its magic to the config hash, then SHA-256 of the pixels.
_RECORD = struct.Struct("<4sBBHIIQIHhI8s32s")
RECORD_BYTES: Final = _RECORD.size
MAGIC: Final = b"FWM1"
_CONFIG_HASH_BYTES, _DIGEST_BYTES = 8, 32


def frame_record(frame: Frame) -> bytes:
    """The record of a frame that has its digest: 76 bytes. A sensor without config hashes has zeros there.

    Raises: DeviceProtocolError (metadata out of the layout's range).
    """
    if len(frame.digest) != _DIGEST_BYTES or len(frame.config_hash) not in (0, _CONFIG_HASH_BYTES):
        raise DeviceProtocolError(f"slot {frame.slot}: a frame without its digest, or with half a config hash")
    try:
        return _RECORD.pack(
            MAGIC,
            int(frame.stream),
            int(frame.illumination),
            frame.wavelength_nm,
            frame.sequence,
            frame.slot,
            frame.device_time_us,
            frame.exposure_us,
            round(frame.gain * 100),
            round(frame.temperature_c * 100),
            memoryview(frame.data).nbytes,
            frame.config_hash,
            frame.digest,
        )
    except (struct.error, OverflowError, ValueError) as error:
        raise DeviceProtocolError(f"slot {frame.slot}: frame metadata out of range: {error}") from error
