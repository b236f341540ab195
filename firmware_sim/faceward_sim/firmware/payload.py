"""Frames as UVC payloads: the standard header, the metadata behind it, and a share of the pixels (docs/protocol.md)."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from faceward_sim.firmware.descriptors import MAX_PAYLOAD_BYTES
from faceward_sim.firmware.imager import Illumination

# UVC 1.1, 2.4.3.3: length, info, PTS, then SCR as the source clock (4) and a bus frame number (2).
_STANDARD = struct.Struct("<BBIIH")
_METADATA = struct.Struct("<4sBBHIIQIHhI8s")
HEADER_BYTES = _STANDARD.size + _METADATA.size + 32
BODY_BYTES = MAX_PAYLOAD_BYTES - HEADER_BYTES
_FID, _EOF, _PTS, _SCR, _EOH = 0x01, 0x02, 0x04, 0x08, 0x80
_U32 = 0xFFFF_FFFF
_NO_TAG = bytes(32)


class StreamId(IntEnum):
    """The metadata's word for a stream."""

    INFRARED = 1
    DEPTH = 2


@dataclass(frozen=True, slots=True)
class FrameMetadata:
    """What one frame says of itself."""

    stream: StreamId
    illumination: Illumination
    wavelength_nm: int
    sequence: int
    slot: int
    device_time_us: int
    exposure_us: int
    gain: float
    temperature_c: float
    config_hash: bytes

    def encode(self, frame_bytes: int) -> bytes:
        """The header's metadata without its tag: 44 bytes, the same in every payload of the frame."""
        temperature = round(self.temperature_c * 100)
        return _METADATA.pack(
            b"FWM1",
            self.stream,
            self.illumination,
            self.wavelength_nm,
            self.sequence & _U32,
            self.slot & _U32,
            self.device_time_us,
            self.exposure_us,
            round(self.gain * 100),
            max(-32_768, min(32_767, temperature)),
            frame_bytes,
            self.config_hash,
        )


@dataclass(slots=True)
class WireFrame:
    """One frame on its way: the endpoint it leaves by and its payloads, each header and body in one piece.

    `run` counts the starts and stops of its stream: a frame of an earlier run must not be sent any more.
    """

    endpoint: int
    payloads: list[memoryview]
    run: int = 0


def downscale_infrared(image: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """(2h, 2w) to (h, w) uint16: the mean of each 2 x 2 block, rounded half up."""
    total = image[0::2, 0::2].astype(np.uint32)
    total += image[0::2, 1::2]
    total += image[1::2, 0::2]
    total += image[1::2, 1::2]
    total += 2
    total >>= 2
    return total.astype(np.uint16)


def downscale_depth(image: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """(2h, 2w) to (h, w) uint16: the nearest surface in each 2 x 2 block that has a depth, 0 where none has.

    A mean over an edge would invent a surface between two.
    """
    # Zero wraps to the largest value, so that it loses against every depth.
    shifted = image - np.uint16(1)
    nearest = np.minimum(
        np.minimum(shifted[0::2, 0::2], shifted[0::2, 1::2]), np.minimum(shifted[1::2, 0::2], shifted[1::2, 1::2])
    )
    return nearest + np.uint16(1)


def pack_frame(
    endpoint: int,
    image: NDArray[np.uint16],
    metadata: FrameMetadata,
    bus_time_us: int,
    seal: Callable[[bytes], bytes] | None = None,
) -> WireFrame:
    """One frame's payloads over one fresh buffer, its pixels copied once. FID is the sequence's lowest bit.

    `seal` gives the tag for the frame's record: its metadata and the SHA-256 of its pixels, 76 bytes.
    """
    pixels = np.ascontiguousarray(image, dtype="<u2").reshape(-1).view(np.uint8)
    frame_bytes = pixels.size
    encoded = metadata.encode(frame_bytes)
    tag = _NO_TAG if seal is None else seal(encoded + hashlib.sha256(pixels.data).digest())
    count = -(-frame_bytes // BODY_BYTES)
    buffer = np.empty(frame_bytes + count * HEADER_BYTES, np.uint8)
    view = buffer.data
    payloads = []
    for index in range(count):
        start = index * MAX_PAYLOAD_BYTES
        body = pixels[index * BODY_BYTES : (index + 1) * BODY_BYTES]
        end = start + HEADER_BYTES + body.size
        info = metadata.sequence & _FID | _PTS | _SCR | _EOH | (_EOF if index == count - 1 else 0)
        standard = _STANDARD.pack(
            HEADER_BYTES,
            info,
            metadata.device_time_us & _U32,
            bus_time_us & _U32,
            bus_time_us // 1000 & 0x7FF,  # the bus counts frames of 1 ms in eleven bits
        )
        view[start : start + HEADER_BYTES] = standard + encoded + tag
        buffer[start + HEADER_BYTES : end] = body
        payloads.append(view[start:end])
    return WireFrame(endpoint, payloads)
