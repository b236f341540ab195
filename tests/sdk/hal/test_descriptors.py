"""Descriptors of a sensor, written out by hand from the tables of UVC 1.1, and all that is not one."""

from __future__ import annotations

import pytest
from faceward.errors import DeviceProtocolError
from faceward.hal.descriptors import FrameChoice, parse_video_function
from faceward.model.frame import Stream
from hypothesis import given
from hypothesis import strategies as st

GUID_TAIL = "000010008000 00aa00389b71"
EXTENSION = "3e5a1c6f 0b9d 7a4b 8c55 fa0e57a4d001"


def streaming(number: int, endpoint: int, fourcc: bytes, interval: int, terminal: int) -> list[str]:
    frames = []
    for index, (width, height) in enumerate(((640, 480), (320, 240)), 1):
        size = (2 * width * height).to_bytes(4, "little").hex()
        step = interval.to_bytes(4, "little").hex()
        shape = width.to_bytes(2, "little").hex() + height.to_bytes(2, "little").hex()
        frames.append(f"1e 24 05 {index:02x} 00 {shape} 00000001 00000001 {size} {step} 01 {step}")
    return [
        f"09 04 {number:02x} 00 01 0e 02 00 00",
        f"0e 24 01 01 6b00 {endpoint:02x} 00 {terminal:02x} 00 00 00 01 00",
        f"1b 24 04 01 02 {fourcc.hex()} {GUID_TAIL} 10 01 00 00 00 00",
        *frames,
        "06 24 0d 01 01 04",
        f"07 05 {endpoint:02x} 02 0002 00",
    ]


PARTS = [
    "08 0b 00 03 0e 03 00 00",
    "09 04 00 00 00 0e 01 00 00",
    "0e 24 01 1001 5800 40420f00 02 01 02",
    "12 24 02 01 0102 00 00 0000 0000 0000 03 080000",
    "0c 24 05 02 01 0000 02 0002 00 00",
    f"1a 24 06 04 {EXTENSION} 02 01 02 01 03 00",
    "09 24 03 03 0101 00 04 00",
    "09 24 03 05 0101 00 04 00",
    *streaming(1, 0x81, b"Y16 ", 333_333, 3),
    *streaming(2, 0x82, b"Z16 ", 1_000_000, 5),
]


def configuration(parts: list[str], interfaces: int = 3) -> bytes:
    body = b"".join(bytes.fromhex(part.replace(" ", "")) for part in parts)
    return bytes([9, 2, *(9 + len(body)).to_bytes(2, "little"), interfaces, 1, 0, 0x80, 250]) + body


def test_a_sensors_descriptors_are_read() -> None:
    function = parse_video_function(configuration(PARTS))
    assert (function.configuration, function.control, function.interfaces) == (1, 0, (0, 1, 2))
    assert (function.camera_terminal, function.processing_unit, function.extension_unit) == (1, 2, 4)
    infrared, depth = function.streams[Stream.INFRARED], function.streams[Stream.DEPTH]
    assert (infrared.number, infrared.endpoint, infrared.packet_bytes, infrared.format_index) == (1, 0x81, 512, 1)
    assert infrared.frames == (FrameChoice(1, 640, 480, 333_333), FrameChoice(2, 320, 240, 333_333))
    assert (depth.number, depth.endpoint) == (2, 0x82)
    assert depth.frames[1].frame_bytes == 320 * 240 * 2


def test_the_simulators_own_descriptors_are_read_alike(make_rig: object) -> None:
    rig = make_rig(way="usb")  # type: ignore[operator]
    function = parse_video_function(rig.powered.firmware.descriptors.configuration)
    assert function == parse_video_function(configuration(PARTS))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("1001 5800", "0001 5800", "UVC 1.00"),
        ("1001 5800", "5001 5800", "UVC 1.50"),
        ("5800 4042", "5700 4042", "header's lengths"),
        ("40420f00 02 01 02", "40420f00 02 01 03", "does not belong"),
        ("0e 24 01 1001", "0e 24 07 1001", "no video control header"),
        ("02 01 0102", "02 01 0002", "no camera terminal"),
        ("0c 24 05", "0c 24 04", "unknown kind 4"),
        ("3e5a1c6f", "3e5a1c60", "no extension unit"),
        ("24 03 05 0101", "24 03 03 0101", "twice"),
        ("24 03 05 0101", "24 03 00 0101", "is none"),
        ("09 04 01 00 01 0e 02", "09 04 01 00 01 0e 01", "2 video control"),
        ("09 04 01 00 01 0e 02", "09 04 01 00 02 0e 02", "not one endpoint"),
        ("09 04 02 00 01", "09 04 02 01 01", "one setting"),
        ("09 04 02 00 01", "09 04 01 00 01", "each there once"),
        ("07 05 82 02", "07 05 02 02", "no bulk IN"),
        ("07 05 82 02", "07 05 82 03", "no bulk IN"),
        ("07 05 82 02", "07 05 83 02", "input header"),
        ("07 05 82 02 0002", "07 05 82 02 0000", "no bulk IN"),
        ("24 01 01 6b00 81", "24 01 02 6b00 81", "input header"),
        ("6b00 81", "6c00 81", "input header"),
        ("0e 24 01 01", "0e 24 02 01", "no input header"),
        ("59313620", "59313621", "neither Y16 nor Z16"),
        ("59313620", "5a313620", "two streams of depth"),
        ("71 10 01", "71 08 01", "neither Y16 nor Z16"),
        ("1b 24 04 01 02", "1b 24 04 01 03", "says 3"),
        ("1b 24 04 01 02", "1b 24 06 01 02", "not one uncompressed"),
        ("1e 24 05 02", "1e 24 05 01", "of one index"),
        ("1e 24 05 01", "1e 24 05 00", "intervals"),
        ("00600900", "00600901", "pixels in"),
        ("8002 e001", "0000 e001", "0 x 480"),
        ("06 24 0d", "06 24 0e", "not one uncompressed"),
        ("08 0b", "08 0c", "out of place"),
    ],
)
def test_descriptors_that_are_not_a_sensors_are_refused(old: str, new: str, words: str) -> None:
    parts = [part.replace("8002e001", "8002 e001") for part in PARTS]
    found = next((index for index, part in enumerate(parts) if old in part), None)
    assert found is not None, old
    parts[found] = parts[found].replace(old, new)
    with pytest.raises(DeviceProtocolError, match=words):
        parse_video_function(configuration(parts))


def test_two_streams_on_one_endpoint_are_refused() -> None:
    parts = [part.replace("6b00 82", "6b00 81").replace("05 82", "05 81") for part in PARTS]
    with pytest.raises(DeviceProtocolError, match="one endpoint"):
        parse_video_function(configuration(parts))


def test_a_sensor_without_depth_is_refused() -> None:
    parts = [part for part in PARTS[:15] if part]
    with pytest.raises(DeviceProtocolError, match="one infrared and one depth"):
        parse_video_function(configuration(parts, interfaces=2))


def test_a_number_of_interfaces_that_is_not_theirs_is_refused() -> None:
    with pytest.raises(DeviceProtocolError, match="each there once"):
        parse_video_function(configuration(PARTS, interfaces=4))


def test_an_interval_of_zero_is_refused() -> None:
    parts = [part.replace("40420f00 01 40420f00", "00000000 01 00000000") for part in PARTS]
    with pytest.raises(DeviceProtocolError, match="intervals"):
        parse_video_function(configuration(parts))


@pytest.mark.parametrize("cut", range(0, 360, 7))
def test_descriptors_that_are_cut_short_are_refused(cut: int) -> None:
    whole = configuration(PARTS)
    with pytest.raises(DeviceProtocolError):
        parse_video_function(whole[:cut])
    with pytest.raises(DeviceProtocolError):
        parse_video_function(whole[:2] + cut.to_bytes(2, "little") + whole[4:cut])


@given(st.binary(max_size=400))
def test_no_bytes_break_the_parser(data: bytes) -> None:
    with pytest.raises(DeviceProtocolError):
        parse_video_function(data)


@given(st.lists(st.tuples(st.integers(0, len(configuration(PARTS)) - 1), st.integers(0, 255)), min_size=1, max_size=3))
def test_descriptors_with_bytes_changed_are_read_or_refused(changes: list[tuple[int, int]]) -> None:
    data = bytearray(configuration(PARTS))
    for at, value in changes:
        data[at] = value
    try:
        function = parse_video_function(bytes(data))
    except DeviceProtocolError:
        return
    assert set(function.streams) == set(Stream)
    for stream in function.streams.values():
        assert stream.endpoint & 0x80
        assert all(0 < choice.width_px <= 4096 and choice.interval_100ns for choice in stream.frames)
