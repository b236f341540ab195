"""Chunks of the extension unit against bytes written by hand."""

from __future__ import annotations

import struct

import pytest
from faceward.errors import DeviceProtocolError
from faceward.hal.chunks import ReplyAssembler, split
from hypothesis import given
from hypothesis import strategies as st


def chunk(transaction: int, flags: int, total: int, offset: int, body: bytes, length: int | None = None) -> bytes:
    header = struct.pack("<BBHHH", transaction, flags, total, offset, len(body) if length is None else length)
    return (header + body).ljust(256, b"\0")


def test_a_short_message_is_one_chunk() -> None:
    assert list(split(7, b"abc")) == [b"\x07\x03\x03\x00\x00\x00\x03\x00abc" + bytes(245)]


def test_an_empty_message_is_one_chunk_too() -> None:
    assert list(split(255, b"")) == [b"\xff\x03" + bytes(254)]


def test_a_long_message_is_cut_at_248_bytes() -> None:
    message = bytes(range(250)) * 2
    assert list(split(1, message)) == [
        chunk(1, 1, 500, 0, message[:248]),
        chunk(1, 0, 500, 248, message[248:496]),
        chunk(1, 2, 500, 496, message[496:]),
    ]


@pytest.mark.parametrize(("transaction", "size"), [(0, 1), (256, 1), (1, 8193)])
def test_what_no_chunk_holds_is_refused(transaction: int, size: int) -> None:
    with pytest.raises(ValueError, match="transaction"):
        list(split(transaction, bytes(size)))


@pytest.mark.parametrize(
    "wrong",
    [
        chunk(9, 3, 3, 0, b"abc"),
        chunk(7, 2, 3, 0, b"abc"),
        chunk(7, 1, 3, 0, b"abc"),
        chunk(7, 7, 3, 0, b"abc"),
        chunk(7, 3, 3, 1, b"ab"),
        chunk(7, 3, 2, 0, b"abc"),
        chunk(7, 1, 8193, 0, b"x" * 248),
        chunk(7, 1, 300, 0, b"", 249),
        chunk(7, 1, 10, 0, b""),
        chunk(7, 3, 3, 0, b"abc!", 3),
        chunk(7, 3, 3, 0, b"abc")[:-1],
        chunk(7, 3, 3, 0, b"abc") + b"\0",
    ],
    ids=[
        "transaction", "no first", "no last", "unknown flag", "offset", "past the end", "too long", "body too long",
        "no progress", "padding", "short", "overlong",
    ],
)  # fmt: skip
def test_a_first_chunk_that_is_wrong_is_refused(wrong: bytes) -> None:
    with pytest.raises(DeviceProtocolError):
        ReplyAssembler(7).feed(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        chunk(7, 1, 300, 0, b"x" * 248),
        chunk(7, 2, 301, 248, b"x" * 52),
        chunk(7, 2, 300, 249, b"x" * 51),
        chunk(7, 0, 300, 248, b"x" * 52),
        chunk(8, 2, 300, 248, b"x" * 52),
    ],
    ids=["first again", "another total", "a gap", "no last", "another transaction"],
)
def test_a_second_chunk_that_does_not_continue_the_first_is_refused(wrong: bytes) -> None:
    assembler = ReplyAssembler(7)
    assert assembler.feed(chunk(7, 1, 300, 0, b"x" * 248)) is None
    with pytest.raises(DeviceProtocolError):
        assembler.feed(wrong)


@given(st.integers(1, 255), st.binary(max_size=1200))
def test_what_is_split_comes_together_again(transaction: int, message: bytes) -> None:
    assembler = ReplyAssembler(transaction)
    *before, last = split(transaction, message)
    assert [assembler.feed(piece) for piece in before] == [None] * len(before)
    assert assembler.feed(last) == message


@given(st.binary(min_size=256, max_size=256))
def test_no_bytes_break_the_assembler(data: bytes) -> None:
    try:
        message = ReplyAssembler(data[0]).feed(data)
    except DeviceProtocolError:
        return
    if message is not None:
        assert list(split(data[0], message)) == [data]
