"""UVC descriptors of a sensor, read strictly (USB 2.0 chapter 9, UVC 1.1, docs/protocol.md).

Only what the protocol asks for is accepted: one control interface of UVC 1.1 with a camera terminal, a processing unit
and Faceward's extension unit, and one bulk streaming interface each for `Y16 ` and `Z16 `.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from faceward.errors import DeviceProtocolError
from faceward.model.frame import Stream

EXTENSION_GUID: Final = uuid.UUID("6f1c5a3e-9d0b-4b7a-8c55-fa0e57a4d001")
# A media GUID is the four characters and this tail (UVC 1.1, uncompressed payload, 2.2).
_GUID_TAIL: Final = bytes.fromhex("0000100080 0000aa00389b71".replace(" ", ""))
FORMAT_GUIDS: Final = {b"Y16 " + _GUID_TAIL: Stream.INFRARED, b"Z16 " + _GUID_TAIL: Stream.DEPTH}

_CONFIGURATION, _INTERFACE, _ENDPOINT, _ASSOCIATION, _CS_INTERFACE = 2, 4, 5, 0x0B, 0x24
_CS_ENDPOINT = 0x25
_VIDEO, _SC_CONTROL, _SC_STREAMING = 0x0E, 1, 2
_VC_HEADER, _VC_INPUT, _VC_OUTPUT, _VC_PROCESSING, _VC_EXTENSION = 1, 2, 3, 5, 6
_VS_INPUT_HEADER, _VS_FORMAT, _VS_FRAME, _VS_COLOUR = 1, 4, 5, 0x0D
_ITT_CAMERA = 0x0201
_MAX_SIDE_PX = 4_096
_MAX_BYTES = 4_096  # of a whole configuration; ours has 400


@dataclass(frozen=True, slots=True)
class FrameChoice:
    """One frame descriptor: 16 bits a pixel at its shortest interval."""

    index: int
    width_px: int
    height_px: int
    interval_100ns: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of a whole frame."""
        return 2 * self.width_px * self.height_px


@dataclass(frozen=True, slots=True)
class StreamingInterface:
    """One stream: where it is, and what it offers."""

    stream: Stream
    number: int
    endpoint: int
    packet_bytes: int
    format_index: int
    frames: tuple[FrameChoice, ...]


@dataclass(frozen=True, slots=True)
class VideoFunction:
    """What a sensor's configuration descriptor says."""

    configuration: int
    control: int  # number of the control interface
    camera_terminal: int
    processing_unit: int
    extension_unit: int
    streams: dict[Stream, StreamingInterface]

    @property
    def interfaces(self) -> tuple[int, ...]:
        """Every interface's number."""
        return (self.control, *(stream.number for stream in self.streams.values()))


@dataclass(slots=True)
class _Setting:
    number: int
    alternate: int
    endpoints: int
    classes: tuple[int, int]
    specific: list[bytes] = field(default_factory=list)
    found: list[bytes] = field(default_factory=list)


def parse_video_function(data: bytes) -> VideoFunction:
    """The video function of a whole configuration descriptor.

    Raises: DeviceProtocolError for anything that is not a Faceward sensor's.
    """
    try:
        return _parse(data)
    except (struct.error, IndexError) as error:
        raise DeviceProtocolError(f"the sensor's descriptors are cut short: {error}") from error


def _fail(text: str) -> DeviceProtocolError:
    return DeviceProtocolError(f"the sensor's descriptors are wrong: {text}")


def _descriptors(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        length = data[at]
        if length < 3 or at + length > len(data):
            raise _fail(f"one of {length} bytes where {len(data) - at} are left")
        yield data[at : at + length]
        at += length


def _parse(data: bytes) -> VideoFunction:
    if not 9 <= len(data) <= _MAX_BYTES or data[:2] != bytes([9, _CONFIGURATION]):
        raise _fail("no configuration descriptor")
    if int.from_bytes(data[2:4], "little") != len(data):
        raise _fail("the total length is not the length")
    settings: list[_Setting] = []
    for descriptor in _descriptors(data[9:]):
        kind = descriptor[1]
        if kind == _INTERFACE:
            _, _, number, alternate, endpoints, major, minor, _, _ = struct.unpack("<9B", descriptor)
            settings.append(_Setting(number, alternate, endpoints, (major, minor)))
        elif kind == _ENDPOINT and settings:
            settings[-1].found.append(descriptor)
        elif kind == _CS_INTERFACE and settings:
            settings[-1].specific.append(descriptor)
        elif kind not in (_ASSOCIATION, _CS_ENDPOINT):
            raise _fail(f"type {kind:#04x} is out of place")
    numbers = [setting.number for setting in settings]
    if numbers != sorted(set(numbers)) or len(numbers) != data[4] or any(setting.alternate for setting in settings):
        raise _fail("its interfaces are not each there once, with one setting")
    controls = [setting for setting in settings if setting.classes == (_VIDEO, _SC_CONTROL)]
    if len(controls) != 1:
        raise _fail(f"{len(controls)} video control interfaces")
    camera, processing, extension, collection = _units(controls[0])
    streams: dict[Stream, StreamingInterface] = {}
    for setting in settings:
        if setting.classes == (_VIDEO, _SC_STREAMING):
            if setting.number not in collection:
                raise _fail(f"interface {setting.number} does not belong to the video control interface")
            found = _streaming(setting)
            if found.stream in streams:
                raise _fail(f"two streams of {found.stream.name.lower()}")
            streams[found.stream] = found
    if set(streams) != set(Stream):
        raise _fail("there is not one infrared and one depth stream")
    if len({stream.endpoint for stream in streams.values()}) != len(streams):
        raise _fail("two streams on one endpoint")
    return VideoFunction(data[5], controls[0].number, camera, processing, extension, streams)


def _units(control: _Setting) -> tuple[int, int, int, frozenset[int]]:
    if not control.specific or control.specific[0][2] != _VC_HEADER:
        raise _fail("no video control header")
    header = control.specific[0]
    _, _, _, version, total, _, count = struct.unpack_from("<BBBHHIB", header)
    if version != 0x0110:
        raise _fail(f"it is of UVC {version >> 8:x}.{version & 0xFF:02x}, not 1.10")
    if total != sum(len(descriptor) for descriptor in control.specific) or len(header) != 12 + count:
        raise _fail("the video control header's lengths")
    found: dict[int, int] = {}  # kind to unit
    seen: set[int] = set()
    for descriptor in control.specific[1:]:
        kind, unit = descriptor[2], descriptor[3]
        if unit == 0 or unit in seen:
            raise _fail(f"unit {unit} is there twice, or is none")
        seen.add(unit)
        wanted = (
            (kind == _VC_INPUT and int.from_bytes(descriptor[4:6], "little") == _ITT_CAMERA)
            or kind == _VC_PROCESSING
            or (kind == _VC_EXTENSION and descriptor[4:20] == EXTENSION_GUID.bytes_le)
        )
        if wanted:
            if kind in found:
                raise _fail(f"two units of kind {kind}")
            found[kind] = unit
        elif kind not in (_VC_INPUT, _VC_OUTPUT, _VC_EXTENSION):
            raise _fail(f"unit {unit} is of an unknown kind {kind}")
    missing = {_VC_INPUT: "camera terminal", _VC_PROCESSING: "processing unit", _VC_EXTENSION: "extension unit"}
    for kind, name in missing.items():
        if kind not in found:
            raise _fail(f"no {name}")
    return found[_VC_INPUT], found[_VC_PROCESSING], found[_VC_EXTENSION], frozenset(header[12:])


def _streaming(setting: _Setting) -> StreamingInterface:
    if setting.endpoints != 1 or len(setting.found) != 1:
        raise _fail(f"interface {setting.number} has not one endpoint")
    _, _, address, attributes, packet_bytes, _ = struct.unpack("<BBBBHB", setting.found[0])
    if not address & 0x80 or not address & 0x0F or attributes & 3 != 2 or not packet_bytes:
        raise _fail(f"endpoint {address:#04x} is no bulk IN endpoint")
    if not setting.specific or setting.specific[0][2] != _VS_INPUT_HEADER:
        raise _fail(f"interface {setting.number} has no input header")
    header = setting.specific[0]
    total, endpoint = struct.unpack_from("<HB", header, 4)
    if header[3] != 1 or endpoint != address or total != sum(len(descriptor) for descriptor in setting.specific):
        raise _fail(f"the input header of interface {setting.number}")
    formats = [descriptor for descriptor in setting.specific[1:] if descriptor[2] == _VS_FORMAT]
    frames = [descriptor for descriptor in setting.specific[1:] if descriptor[2] == _VS_FRAME]
    others = [descriptor[2] for descriptor in setting.specific[1:] if descriptor[2] not in (_VS_FORMAT, _VS_FRAME)]
    if any(kind != _VS_COLOUR for kind in others) or len(formats) != 1 or len(formats[0]) != 27:
        raise _fail(f"interface {setting.number} has not one uncompressed format")
    index, count, guid, bits = struct.unpack_from("<BB16sB", formats[0], 3)
    if guid not in FORMAT_GUIDS or bits != 16:
        raise _fail(f"interface {setting.number} has a format that is neither Y16 nor Z16")
    if count != len(frames) or not frames or not index:
        raise _fail(f"interface {setting.number} has {len(frames)} frame descriptors and says {count}")
    choices = tuple(_frame(descriptor) for descriptor in frames)
    if len({choice.index for choice in choices}) != len(choices):
        raise _fail("two frame descriptors of one index")
    return StreamingInterface(FORMAT_GUIDS[guid], setting.number, address, packet_bytes, index, choices)


def _frame(descriptor: bytes) -> FrameChoice:
    index, _, width_px, height_px, _, _, frame_bytes, default, intervals = struct.unpack_from(
        "<BBHHIIIIB", descriptor, 3
    )
    # One interval or more are listed; 0 would be a continuous range, of which three numbers follow.
    listed = [int.from_bytes(descriptor[at : at + 4], "little") for at in range(26, len(descriptor), 4)]
    if not index or not intervals or len(descriptor) != 26 + 4 * intervals or default not in listed or 0 in listed:
        raise _fail(f"the intervals of frame descriptor {index}")
    if not (0 < width_px <= _MAX_SIDE_PX and 0 < height_px <= _MAX_SIDE_PX):
        raise _fail(f"frames of {width_px} x {height_px} pixels")
    if frame_bytes != 2 * width_px * height_px:
        raise _fail(f"frames of {width_px} x {height_px} pixels in {frame_bytes} bytes")
    return FrameChoice(index, width_px, height_px, default)
