"""Payloads to frames: the header written out by hand, and everything that may be wrong with it."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from faceward.errors import DeviceProtocolError
from faceward.hal.payload import HEADER_BYTES, FrameAssembler, FrameMemory, finish, parse_header
from faceward.model.frame import Illumination, Stream, digest_of
from hypothesis import given
from hypothesis import strategies as st

WIDTH_PX, HEIGHT_PX = 8, 4
FRAME_BYTES = 2 * WIDTH_PX * HEIGHT_PX
PIXELS = bytes(range(FRAME_BYTES))
USUAL: dict[str, Any] = {
    "length": 88, "info": 0x8C, "pts": 7, "scr": 9, "sof": 3, "magic": b"FWM1", "stream": 1, "illumination": 2,
    "wavelength_nm": 940, "sequence": 5, "slot": 6, "device_time_us": 1_234_567_890_123, "exposure_us": 2000,
    "gain": 150, "temperature": -512, "bytes": FRAME_BYTES, "config": b"CONFHASH", "tag": bytes(32),
}  # fmt: skip
# docs/protocol.md, field by field.
LAYOUT = "<BB II H 4s BBH I I Q I H h I 8s 32s"


def payload(body: bytes = b"", **changes: Any) -> memoryview:
    return memoryview(struct.pack(LAYOUT, *(USUAL | changes).values()) + body)


def assembler() -> FrameAssembler:
    return FrameAssembler(Stream.INFRARED, WIDTH_PX, HEIGHT_PX)


def test_a_frame_in_two_payloads_is_put_together() -> None:
    made = assembler()
    assert made.feed(payload(PIXELS[:40])) is None
    frame = made.feed(payload(PIXELS[40:], info=0x8E))
    assert frame is not None
    assert bytes(frame.data) == PIXELS
    assert (frame.stream, frame.width_px, frame.height_px, frame.sequence, frame.slot) == (1, 8, 4, 5, 6)
    assert (frame.device_time_us, frame.exposure_us, frame.gain) == (1_234_567_890_123, 2000, 1.5)
    assert (frame.illumination, frame.wavelength_nm, frame.temperature_c) == (Illumination.FLOOD, 940, -5.12)
    assert (frame.config_hash, frame.tag, frame.digest) == (b"CONFHASH", b"", b"")
    assert finish(frame).digest == digest_of(PIXELS)
    with pytest.raises(TypeError):
        frame.data[0] = 1  # type: ignore[index]


def test_a_tag_that_is_not_zero_is_kept() -> None:
    frame = assembler().feed(payload(PIXELS, info=0x8E, tag=b"t" * 32))
    assert frame is not None
    assert frame.tag == b"t" * 32


def test_a_frame_does_not_share_the_read_buffer() -> None:
    buffer = bytearray(payload(PIXELS, info=0x8E))
    frame = assembler().feed(memoryview(buffer))
    buffer[HEADER_BYTES:] = bytes(FRAME_BYTES)
    assert frame is not None
    assert bytes(frame.data) == PIXELS


def test_frames_follow_each_other_with_a_toggling_frame_bit() -> None:
    made = assembler()
    for index in range(4):
        assert made.feed(payload(PIXELS, info=0x8E | index & 1, sequence=index)) is not None


@pytest.mark.parametrize(
    "view", [lambda data: data, lambda data: data[3:5], lambda data: np.frombuffer(data, np.uint8)]
)
def test_memory_is_used_again_only_when_no_view_of_it_is_left(view: Callable[[memoryview], object]) -> None:
    memory = FrameMemory(16)
    first = memory.take()
    first[:] = b"0123456789abcdef"
    held = view(first.toreadonly())
    del first
    others = [memory.take() for _ in range(60)]
    for other in others:
        other[:] = b"." * 16
    assert bytes(held) in b"0123456789abcdef"  # type: ignore[call-overload]
    known = {np.frombuffer(other, np.uint8).ctypes.data for other in others}
    assert len(known) == 60
    del held, other, others
    again = [memory.take() for _ in range(30)]
    assert len({np.frombuffer(buffer, np.uint8).ctypes.data for buffer in again} - known) <= 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"length": 12}, "metadata"),
        ({"length": 87}, "metadata"),
        ({"magic": b"FWM2"}, "metadata"),
        ({"info": 0xCC}, "damaged"),
        ({"info": 0x9C}, "flags 0x9c"),
        ({"info": 0xAC}, "flags 0xac"),
        ({"info": 0x0C}, "flags 0x0c"),
        ({"info": 0x88}, "flags 0x88"),
        ({"info": 0x84}, "flags 0x84"),
        ({"stream": 0}, "stream 0"),
        ({"stream": 3}, "stream 3"),
        ({"stream": 2}, "depth frame on the infrared stream"),
        ({"illumination": 4}, "illumination 4"),
        ({"temperature": -4001}, "-40.01"),
        ({"temperature": 12501}, "125.01"),
        ({"exposure_us": 0}, "exposure of 0"),
        ({"exposure_us": 1_000_001}, "exposure of 1000001"),
        ({"gain": 0}, "gain 0"),
        ({"bytes": FRAME_BYTES - 1}, "not 64"),
        ({"bytes": FRAME_BYTES + 1}, "not 64"),
    ],
)
def test_a_header_that_the_protocol_has_not_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DeviceProtocolError, match=words):
        assembler().feed(payload(PIXELS, **{"info": 0x8E} | changes))


def test_a_frame_bit_that_does_not_toggle_is_refused() -> None:
    made = assembler()
    made.feed(payload(PIXELS, info=0x8E))
    with pytest.raises(DeviceProtocolError, match="did not toggle"):
        made.feed(payload(PIXELS, info=0x8E, sequence=6))


def test_a_frame_that_comes_twice_is_refused() -> None:
    made = assembler()
    made.feed(payload(PIXELS, info=0x8E))
    with pytest.raises(DeviceProtocolError, match="came twice"):
        made.feed(payload(PIXELS, info=0x8E))


def test_a_payload_of_the_next_frame_before_this_one_ended_is_refused() -> None:
    made = assembler()
    made.feed(payload(PIXELS[:40]))
    with pytest.raises(DeviceProtocolError, match="before this one ended"):
        made.feed(payload(PIXELS[40:], info=0x8F))


@pytest.mark.parametrize("at", [2, 12, 20, 24, 28, 36, 48, 56, 87])
def test_payloads_of_one_frame_that_differ_in_their_metadata_are_refused(at: int) -> None:
    made = assembler()
    made.feed(payload(PIXELS[:40]))
    second = bytearray(payload(PIXELS[40:], info=0x8E))
    second[at] ^= 1
    with pytest.raises(DeviceProtocolError, match="differ"):
        made.feed(memoryview(second))


def test_a_second_payload_that_is_marked_as_damaged_is_refused() -> None:
    made = assembler()
    made.feed(payload(PIXELS[:40]))
    with pytest.raises(DeviceProtocolError, match="damaged"):
        made.feed(payload(PIXELS[40:], info=0xCE))


@pytest.mark.parametrize("length", [0, 1, 12, 87])
def test_a_payload_shorter_than_its_header_is_refused(length: int) -> None:
    with pytest.raises(DeviceProtocolError, match="header"):
        assembler().feed(payload(PIXELS, info=0x8E)[:length])
    made = assembler()
    made.feed(payload(PIXELS[:40]))
    with pytest.raises(DeviceProtocolError, match="header"):
        made.feed(payload(PIXELS[40:], info=0x8E)[:length])


@pytest.mark.parametrize(
    ("body", "info", "words"),
    [
        (PIXELS[:-2], 0x8E, "ends after 62 bytes of 64"),
        (PIXELS + b"xx", 0x8E, "66 bytes or more of 64"),
        (PIXELS, 0x8C, "does not end where it is full"),
        (b"", 0x8C, "0 bytes or more"),
        (b"", 0x8E, "0 bytes or more"),
    ],
)
def test_a_frame_of_the_wrong_length_is_refused(body: bytes, info: int, words: str) -> None:
    with pytest.raises(DeviceProtocolError, match=words):
        assembler().feed(payload(body, info=info))


@given(st.binary(max_size=200))
def test_no_bytes_break_the_header_parser(data: bytes) -> None:
    try:
        header = parse_header(data)
    except DeviceProtocolError:
        return
    assert data[12:16] == b"FWM1"
    assert header.sequence == int.from_bytes(data[20:24], "little")


@given(st.integers(0, HEADER_BYTES - 1), st.integers(0, 255))
def test_a_header_with_one_byte_changed_is_read_as_changed_or_refused(at: int, value: int) -> None:
    raw = bytearray(payload(info=0x8E))
    was, raw[at] = raw[at], value
    try:
        header = parse_header(raw)
    except DeviceProtocolError:
        assert value != was
        return
    again = struct.pack(
        "<4sBBHIIQIHhI8s32s", b"FWM1", header.stream, header.illumination, header.wavelength_nm, header.sequence,
        header.slot, header.device_time_us, header.exposure_us, header.gain_centi, header.temperature_centi_c,
        header.frame_bytes, header.config_hash, header.tag,
    )  # fmt: skip
    assert again == raw[12:]


@given(st.lists(st.integers(1, FRAME_BYTES - 1), unique=True, max_size=10))
def test_a_frame_may_be_cut_anywhere(cuts: list[int]) -> None:
    made = assembler()
    edges = [0, *sorted(cuts), FRAME_BYTES]
    frames = [
        made.feed(payload(PIXELS[start:end], info=0x8C | (2 if end == FRAME_BYTES else 0)))
        for start, end in itertools.pairwise(edges)
    ]
    assert frames[:-1] == [None] * (len(edges) - 2)
    assert frames[-1] is not None
    assert bytes(frames[-1].data) == PIXELS
