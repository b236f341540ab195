"""Frames as UVC payloads: the standard header, the metadata behind it, and a share of the pixels (docs/protocol.md)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from faceward_sim.firmware.descriptors import MAX_PAYLOAD_BYTES
from faceward_sim.firmware.imager import Illumination

# UVC 1.1, 2.4.3.3: length, info, PTS, then SCR as the source clock (4) and a bus frame number (2).
_HEADER = struct.Struct("<BBIIH4sBBHIIQIHhI8s32s")
HEADER_BYTES = _HEADER.size
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


def pack_frame(endpoint: int, image: NDArray[np.uint16], metadata: FrameMetadata, bus_time_us: int) -> WireFrame:
    """One frame's payloads over one fresh buffer, its pixels copied once. FID is the sequence's lowest bit."""
    pixels = np.ascontiguousarray(image, dtype="<u2").reshape(-1).view(np.uint8)
    frame_bytes = pixels.size
    count = -(-frame_bytes // BODY_BYTES)
    buffer = np.empty(frame_bytes + count * HEADER_BYTES, np.uint8)
    view = buffer.data
    payloads = []
    for index in range(count):
        start = index * MAX_PAYLOAD_BYTES
        body = pixels[index * BODY_BYTES : (index + 1) * BODY_BYTES]
        end = start + HEADER_BYTES + body.size
        info = metadata.sequence & _FID | _PTS | _SCR | _EOH | (_EOF if index == count - 1 else 0)
        _pack_header(view[start:end], info, metadata, bus_time_us, frame_bytes)
        buffer[start + HEADER_BYTES : end] = body
        payloads.append(view[start:end])
    return WireFrame(endpoint, payloads)


def _pack_header(target: memoryview, info: int, metadata: FrameMetadata, bus_time_us: int, frame_bytes: int) -> None:
    temperature = round(metadata.temperature_c * 100)
    _HEADER.pack_into(
        target,
        0,
        HEADER_BYTES,
        info,
        metadata.device_time_us & _U32,
        bus_time_us & _U32,
        bus_time_us // 1000 & 0x7FF,  # the bus counts frames of 1 ms in eleven bits
        b"FWM1",
        metadata.stream,
        metadata.illumination,
        metadata.wavelength_nm,
        metadata.sequence & _U32,
        metadata.slot & _U32,
        metadata.device_time_us,
        metadata.exposure_us,
        round(metadata.gain * 100),
        max(-32_768, min(32_767, temperature)),
        frame_bytes,
        metadata.config_hash,
        _NO_TAG,
    )
