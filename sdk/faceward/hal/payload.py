"""The payloads of one stream, put together to frames (docs/protocol.md, payload header)."""

from __future__ import annotations

import array
import struct
from collections import deque
from dataclasses import dataclass
from typing import Final

from faceward.errors import DeviceProtocolError
from faceward.model.frame import Frame, Illumination, Stream, digest_of
from faceward.wire.frames import MAGIC

# UVC 1.1, 2.4.3.3 (length, info, PTS, SCR as clock and bus frame), then the metadata.
_HEADER = struct.Struct("<BBIIH4sBBHIIQIHhI8s32s")
HEADER_BYTES: Final = _HEADER.size
MAX_PAYLOAD_BYTES: Final = 65_536
_METADATA_AT = 12
_FID, _EOF, _PTS, _SCR, _RESERVED, _ERROR, _EOH = 0x01, 0x02, 0x04, 0x08, 0x10, 0x40, 0x80
# The specification of a silicon sensor's die; outside it the number is no temperature.
_TEMPERATURE_RANGE_CENTI_C = range(-4_000, 12_501)
_MAX_EXPOSURE_US = 1_000_000
# Buffers that are kept, and how many of the oldest are tried before another is made.
_KEPT, _OLDEST = 40, 4


@dataclass(frozen=True, slots=True)
class PayloadHeader:
    """One payload's header, checked as far as it can be by itself."""

    fid: int
    eof: bool
    pts: int
    stream: Stream
    illumination: Illumination
    wavelength_nm: int
    sequence: int
    slot: int
    device_time_us: int
    exposure_us: int
    gain_centi: int
    temperature_centi_c: int
    frame_bytes: int
    config_hash: bytes
    tag: bytes


def parse_header(payload: bytes | memoryview | array.array[int]) -> PayloadHeader:
    """The header of a payload.

    Raises: DeviceProtocolError.
    """
    if len(payload) < HEADER_BYTES:
        raise DeviceProtocolError(f"a payload of {len(payload)} bytes has no whole header")
    (
        length, info, pts, _, _, magic, stream, illumination, wavelength_nm, sequence, slot, device_time_us,
        exposure_us, gain_centi, temperature_centi_c, frame_bytes, config_hash, tag,
    ) = _HEADER.unpack_from(payload)  # fmt: skip
    if length != HEADER_BYTES or magic != MAGIC:
        raise DeviceProtocolError("a payload without the sensor's metadata")
    if info & _ERROR:
        raise DeviceProtocolError("the sensor marks a payload as damaged")
    if info & ~(_FID | _EOF) != _PTS | _SCR | _EOH:
        raise DeviceProtocolError(f"a payload header with flags {info:#04x}")
    if stream not in (Stream.INFRARED, Stream.DEPTH):
        raise DeviceProtocolError(f"a payload of stream {stream}")
    if illumination > max(Illumination):
        raise DeviceProtocolError(f"a payload under illumination {illumination}")
    if temperature_centi_c not in _TEMPERATURE_RANGE_CENTI_C:
        raise DeviceProtocolError(f"a sensor at {temperature_centi_c / 100:g} °C")
    if not 0 < exposure_us <= _MAX_EXPOSURE_US or not gain_centi:
        raise DeviceProtocolError(f"an exposure of {exposure_us} us at gain {gain_centi / 100:g}")
    return PayloadHeader(
        info & _FID, bool(info & _EOF), pts, Stream(stream), Illumination(illumination), wavelength_nm, sequence, slot,
        device_time_us, exposure_us, gain_centi, temperature_centi_c, frame_bytes, config_hash, tag,
    )  # fmt: skip


class FrameMemory:
    """Buffers of one size for frames, used again once nobody has a view of them: fresh pages cost more than the copy.

    A bytearray refuses to change its length while any view of it is left, of whatever kind, so that it can tell.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._buffers: deque[bytearray] = deque()

    def take(self) -> memoryview:
        """A buffer that nobody else looks at, with whatever is in it."""
        for _ in range(min(len(self._buffers), _OLDEST)):
            buffer = self._buffers.popleft()
            self._buffers.append(buffer)
            try:
                buffer.append(0)
            except BufferError:
                continue
            buffer.pop()
            return memoryview(buffer)
        buffer = bytearray(self._size)
        if len(self._buffers) < _KEPT:
            self._buffers.append(buffer)
        return memoryview(buffer)


class FrameAssembler:
    """Frames of one stream from its payloads. Each body is copied once, into the frame's own memory."""

    def __init__(self, stream: Stream, width_px: int, height_px: int) -> None:
        self._stream = stream
        self._width_px = width_px
        self._height_px = height_px
        self._frame_bytes = 2 * width_px * height_px
        self._header: PayloadHeader | None = None
        self._metadata = b""
        self._memory = FrameMemory(self._frame_bytes)
        self._target = memoryview(b"")
        self._filled = 0
        self._last: PayloadHeader | None = None

    def feed(self, payload: memoryview) -> Frame | None:
        """Take one payload, header and body; the frame when this payload ends it, without its digest (`finish`).

        Raises: DeviceProtocolError.
        """
        header = self._header
        if header is None:
            header = self._begin(payload)
        else:
            self._continue(header, payload)
        name = f"slot {header.slot}: the {self._stream.name.lower()} frame"
        body = payload[HEADER_BYTES:]
        end = self._filled + len(body)
        if not len(body) or end > self._frame_bytes:
            raise DeviceProtocolError(f"{name} has {end} bytes or more of {self._frame_bytes}")
        self._target[self._filled : end] = body
        self._filled = end
        is_last = bool(payload[1] & _EOF)
        if is_last != (end == self._frame_bytes):
            raise DeviceProtocolError(
                f"{name} "
                + (f"ends after {end} bytes of {self._frame_bytes}" if is_last else "does not end where it is full")
            )
        if not is_last:
            return None
        data, self._target = self._target.toreadonly(), memoryview(b"")
        self._header = None
        return Frame(
            stream=self._stream,
            width_px=self._width_px,
            height_px=self._height_px,
            data=data,
            sequence=header.sequence,
            slot=header.slot,
            device_time_us=header.device_time_us,
            exposure_us=header.exposure_us,
            gain=header.gain_centi / 100,
            illumination=header.illumination,
            wavelength_nm=header.wavelength_nm,
            temperature_c=header.temperature_centi_c / 100,
            config_hash=header.config_hash,
            digest=b"",
            tag=header.tag if any(header.tag) else b"",
        )

    def _begin(self, payload: memoryview) -> PayloadHeader:
        header = parse_header(payload)
        name = self._stream.name.lower()
        if header.stream is not self._stream:
            raise DeviceProtocolError(f"slot {header.slot}: a {header.stream.name.lower()} frame on the {name} stream")
        if header.frame_bytes != self._frame_bytes:
            raise DeviceProtocolError(
                f"slot {header.slot}: the {name} frame says it has {header.frame_bytes} bytes, not {self._frame_bytes}"
            )
        last, self._last = self._last, header
        if last is not None and header.fid == last.fid:
            raise DeviceProtocolError(_why_no_toggle(last, header, name))
        self._header = header
        self._metadata = bytes(payload[_METADATA_AT:HEADER_BYTES])
        self._target = self._memory.take()
        self._filled = 0
        return header

    def _continue(self, header: PayloadHeader, payload: memoryview) -> None:
        if len(payload) < HEADER_BYTES or payload[0] != HEADER_BYTES:
            raise DeviceProtocolError(f"slot {header.slot}: a payload of {len(payload)} bytes without its header")
        if payload[1] & _ERROR:
            raise DeviceProtocolError(f"slot {header.slot}: the sensor marks a payload as damaged")
        if payload[1] & ~_EOF != header.fid | _PTS | _SCR | _EOH:
            raise DeviceProtocolError(f"slot {header.slot}: a payload of another frame before this one ended")
        if payload[_METADATA_AT:HEADER_BYTES] != self._metadata or payload[2:6] != header.pts.to_bytes(4, "little"):
            raise DeviceProtocolError(f"slot {header.slot}: a frame's payloads differ in their metadata")


def _why_no_toggle(last: PayloadHeader, header: PayloadHeader, name: str) -> str:
    if header.sequence == last.sequence:
        return f"slot {header.slot}: its {name} frame came twice"
    if header.sequence > last.sequence + 1:
        return f"slot {header.slot}: {name} frames before it did not come: lost on the way, or read too slowly"
    return f"slot {header.slot}: the frame bit of the {name} stream did not toggle"


def finish(frame: Frame) -> Frame:
    """The frame with its digest: SHA-256 of the pixels, computed here and nowhere else."""
    return Frame(
        frame.stream, frame.width_px, frame.height_px, frame.data, frame.sequence, frame.slot, frame.device_time_us,
        frame.exposure_us, frame.gain, frame.illumination, frame.wavelength_nm, frame.temperature_c, frame.config_hash,
        digest_of(frame.data), frame.tag,
    )  # fmt: skip
