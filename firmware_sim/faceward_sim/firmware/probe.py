"""UVC 1.1 probe and commit of one stream (UVC 1.1, 4.3.1.1: 34 bytes)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from faceward_sim.firmware.descriptors import CLOCK_HZ, MAX_PAYLOAD_BYTES, FrameSize, StreamShape

_PROBE = struct.Struct("<HBBIHHHHHIIIBBBB")
PROBE_BYTES = _PROBE.size
_UVC_1_0_BYTES = 26


@dataclass(frozen=True, slots=True)
class Probe:
    """What host and device settle on; the fields that this device has no use for stay zero."""

    hint: int
    format_index: int
    frame_index: int
    interval_100ns: int
    frame_bytes: int
    payload_bytes: int

    def encode(self) -> bytes:
        """The 34 bytes on the wire."""
        return _PROBE.pack(
            self.hint,
            self.format_index,
            self.frame_index,
            self.interval_100ns,
            0,
            0,
            0,
            0,
            0,
            self.frame_bytes,
            self.payload_bytes,
            CLOCK_HZ,
            0b11,  # bmFramingInfo: FID and EOF are there
            1,
            1,
            1,
        )


def decode_probe(data: bytes) -> Probe:
    """What a host asks for, as it stands.

    Hosts of UVC 1.0 send the first 26 bytes. Raises ValueError for any other length.
    """
    if len(data) not in (PROBE_BYTES, _UVC_1_0_BYTES):
        raise ValueError(f"a probe has {PROBE_BYTES} bytes, not {len(data)}")
    fields = _PROBE.unpack(bytes(data).ljust(PROBE_BYTES, b"\0"))
    return Probe(fields[0], fields[1], fields[2], fields[3], fields[9], fields[10])


def default_probe(stream: StreamShape) -> Probe:
    """The full size."""
    return _of_size(stream, 1)


def settle(stream: StreamShape, asked: Probe) -> Probe:
    """The nearest that the device can do: an unknown size becomes the full size, the interval is the only one."""
    index = asked.frame_index if asked.format_index == 1 and 1 <= asked.frame_index <= len(stream.frames) else 1
    return replace(_of_size(stream, index), hint=asked.hint)


def committed_size(stream: StreamShape, asked: Probe) -> FrameSize | None:
    """The size that a commit means, or None when the device has no such thing.

    Sizes of frame and payload are the device's own, so what the host sends there does not matter.
    """
    if asked.format_index != 1 or not 1 <= asked.frame_index <= len(stream.frames):
        return None
    size = stream.frames[asked.frame_index - 1]
    return size if asked.interval_100ns == size.interval_100ns else None


def _of_size(stream: StreamShape, frame_index: int) -> Probe:
    size = stream.frames[frame_index - 1]
    return Probe(0, 1, frame_index, size.interval_100ns, size.frame_bytes, MAX_PAYLOAD_BYTES)
