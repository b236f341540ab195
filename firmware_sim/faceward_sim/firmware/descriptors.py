"""What the sensor says of itself on the bus (USB 2.0 chapter 9, UVC 1.1, UVC 1.1 uncompressed payload)."""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass, replace

from faceward_sim.firmware.imager import FactoryIdentity, SensorKind

# pid.codes keeps 1209:0001 to 1209:0010 for tests and prototypes: https://pid.codes/1209/0001/
USB_IDS = {
    "sl-940": (0x1209, 0x0001),
    "sl-850-940": (0x1209, 0x0003),
    "tof-940": (0x1209, 0x0004),
    "sl-wide-940": (0x1209, 0x0005),
}

INFRARED_ENDPOINT = 0x81
DEPTH_ENDPOINT = 0x82

CONTROL_INTERFACE = 0
INFRARED_INTERFACE = 1
DEPTH_INTERFACE = 2

CAMERA_TERMINAL = 1
PROCESSING_UNIT = 2
INFRARED_TERMINAL = 3
EXTENSION_UNIT = 4
DEPTH_TERMINAL = 5

EXTENSION_GUID = uuid.UUID("6f1c5a3e-9d0b-4b7a-8c55-fa0e57a4d001")
CLOCK_HZ = 1_000_000
# usb-side facts: above about 80 KB libuvc finds no memory for a second stream, 16 KB loses frames.
MAX_PAYLOAD_BYTES = 65_536
HIGH_SPEED_PACKET_BYTES = 512
FULL_SPEED_PACKET_BYTES = 64

# A media GUID is the four characters and this tail (UVC 1.1 uncompressed payload, 2.2).
_GUID_TAIL = bytes.fromhex("0000100080 0000aa00389b71".replace(" ", ""))

_DEVICE, _CONFIGURATION, _STRING, _INTERFACE, _ENDPOINT = 1, 2, 3, 4, 5
_DEVICE_QUALIFIER, _OTHER_SPEED, _ASSOCIATION, _CS_INTERFACE = 6, 7, 0x0B, 0x24
_CC_VIDEO, _SC_CONTROL, _SC_STREAMING, _SC_COLLECTION = 0x0E, 1, 2, 3
_ENGLISH_US = 0x0409


@dataclass(frozen=True, slots=True)
class FrameSize:
    """One frame descriptor: 16 bits a pixel at one interval."""

    width_px: int
    height_px: int
    interval_100ns: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of a whole frame."""
        return self.width_px * self.height_px * 2


@dataclass(frozen=True, slots=True)
class StreamShape:
    """One streaming interface with its endpoint, format and sizes; bFrameIndex counts `frames` from 1."""

    interface: int
    endpoint: int
    terminal: int
    fourcc: bytes
    frames: tuple[FrameSize, ...]


# Intervals: 30 a second for infrared; dots slots, and so depth from dots, come to 10 a second (docs/protocol.md).
INFRARED = StreamShape(
    INFRARED_INTERFACE,
    INFRARED_ENDPOINT,
    INFRARED_TERMINAL,
    b"Y16 ",
    (FrameSize(640, 480, 333_333), FrameSize(320, 240, 333_333)),
)
DEPTH = StreamShape(
    DEPTH_INTERFACE,
    DEPTH_ENDPOINT,
    DEPTH_TERMINAL,
    b"Z16 ",
    (FrameSize(640, 480, 1_000_000), FrameSize(320, 240, 1_000_000)),
)
STREAMS = (INFRARED, DEPTH)
_LIT_DEPTH = replace(DEPTH, frames=tuple(replace(size, interval_100ns=333_333) for size in DEPTH.frames))


def depth_shape(kind: SensorKind) -> StreamShape:
    """The depth stream of a sensor: in dots slots only where depth comes from dots, else in every lit one."""
    return DEPTH if kind is SensorKind.STRUCTURED_LIGHT else _LIT_DEPTH


class Descriptors:
    """The descriptors of one sensor.

    Raises ValueError for a model without USB ids.
    """

    def __init__(self, identity: FactoryIdentity) -> None:
        if identity.model not in USB_IDS:
            known = ", ".join(sorted(USB_IDS))
            raise ValueError(f"no USB ids for the model {identity.model!r}; there are some for {known}")
        self.vid, self.pid = USB_IDS[identity.model]
        self._strings = (
            identity.vendor,
            f"{identity.vendor} {identity.model}",
            identity.serial,
            "Face sensor",
            "Infrared",
            "Depth",
        )
        self.device = struct.pack(
            "<BBHBBBBHHHBBBB", 18, _DEVICE, 0x0200, 0xEF, 2, 1, 64, self.vid, self.pid, 0x0100, 1, 2, 3, 1
        )
        self.device_qualifier = struct.pack("<BBHBBBBBB", 10, _DEVICE_QUALIFIER, 0x0200, 0xEF, 2, 1, 64, 1, 0)
        depth = depth_shape(identity.kind)
        self.configuration = _configuration(_CONFIGURATION, HIGH_SPEED_PACKET_BYTES, depth)
        self.other_speed = _configuration(_OTHER_SPEED, FULL_SPEED_PACKET_BYTES, depth)

    def get(self, kind: int, index: int) -> bytes | None:
        """The descriptor of GET_DESCRIPTOR's wValue, or None when there is none."""
        if kind == _STRING:
            return self._string(index)
        if index != 0:
            return None
        return {
            _DEVICE: self.device,
            _CONFIGURATION: self.configuration,
            _DEVICE_QUALIFIER: self.device_qualifier,
            _OTHER_SPEED: self.other_speed,
        }.get(kind)

    def _string(self, index: int) -> bytes | None:
        if index == 0:
            return struct.pack("<BBH", 4, _STRING, _ENGLISH_US)
        if index > len(self._strings):
            return None
        text = self._strings[index - 1].encode("utf-16-le")[:252]
        return struct.pack("<BB", 2 + len(text), _STRING) + text


def format_guid(fourcc: bytes) -> bytes:
    """The media GUID of a four-character code."""
    return fourcc + _GUID_TAIL


def _configuration(kind: int, packet_bytes: int, depth: StreamShape) -> bytes:
    body = _association() + _control_interface()
    for stream, name in ((INFRARED, 5), (depth, 6)):
        body += _streaming_interface(stream, name, packet_bytes)
    # Three interfaces, configuration 1, powered by the bus, 500 mA.
    return struct.pack("<BBHBBBBB", 9, kind, 9 + len(body), 3, 1, 0, 0x80, 250) + body


def _association() -> bytes:
    return struct.pack("<8B", 8, _ASSOCIATION, CONTROL_INTERFACE, 3, _CC_VIDEO, _SC_COLLECTION, 0, 4)


def _interface(number: int, endpoints: int, subclass: int, name: int) -> bytes:
    return struct.pack("<9B", 9, _INTERFACE, number, 0, endpoints, _CC_VIDEO, subclass, 0, name)


def _control_interface() -> bytes:
    # 0x0201 is a camera (ITT_CAMERA), 0x0101 a stream to the host (TT_STREAMING).
    camera = struct.pack("<BBBBHBBHHHB", 18, _CS_INTERFACE, 2, CAMERA_TERMINAL, 0x0201, 0, 0, 0, 0, 0, 3)
    camera += (1 << 3).to_bytes(3, "little")  # D3: exposure time, absolute
    processing = struct.pack("<BBBBBHB", 12, _CS_INTERFACE, 5, PROCESSING_UNIT, CAMERA_TERMINAL, 0, 2)
    processing += struct.pack("<HBB", 1 << 9, 0, 0)  # D9: gain
    extension = struct.pack("<BBBB", 26, _CS_INTERFACE, 6, EXTENSION_UNIT) + EXTENSION_GUID.bytes_le
    extension += struct.pack("<BBBBBB", 2, 1, PROCESSING_UNIT, 1, 0b11, 0)
    outputs = b"".join(
        struct.pack("<BBBBHBBB", 9, _CS_INTERFACE, 3, stream.terminal, 0x0101, 0, EXTENSION_UNIT, 0)
        for stream in STREAMS
    )
    units = camera + processing + extension + outputs
    header = struct.pack(
        "<BBBHHIBBB", 14, _CS_INTERFACE, 1, 0x0110, 14 + len(units), CLOCK_HZ, 2, INFRARED_INTERFACE, DEPTH_INTERFACE
    )
    return _interface(CONTROL_INTERFACE, 0, _SC_CONTROL, 4) + header + units


def _streaming_interface(stream: StreamShape, name: int, packet_bytes: int) -> bytes:
    video_format = struct.pack("<BBBBB", 27, _CS_INTERFACE, 4, 1, len(stream.frames)) + format_guid(stream.fourcc)
    video_format += struct.pack("<6B", 16, 1, 0, 0, 0, 0)
    frames = b""
    for index, size in enumerate(stream.frames, start=1):
        bits_per_second = size.frame_bytes * 8 * 10_000_000 // size.interval_100ns
        frames += struct.pack(
            "<BBBBBHHIIIIBI",
            30,
            _CS_INTERFACE,
            5,
            index,
            0,
            size.width_px,
            size.height_px,
            bits_per_second,
            bits_per_second,
            size.frame_bytes,
            size.interval_100ns,
            1,
            size.interval_100ns,
        )
    colour = struct.pack("<6B", 6, _CS_INTERFACE, 0x0D, 1, 1, 4)
    specific = video_format + frames + colour
    header = struct.pack(
        "<BBBBHBBBBBBBB",
        14,
        _CS_INTERFACE,
        1,
        1,
        14 + len(specific),
        stream.endpoint,
        0,
        stream.terminal,
        0,
        0,
        0,
        1,
        0,
    )
    endpoint = struct.pack("<BBBBHB", 7, _ENDPOINT, stream.endpoint, 2, packet_bytes, 0)
    return _interface(stream.interface, 1, _SC_STREAMING, name) + header + specific + endpoint
