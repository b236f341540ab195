"""Chunks of messages."""

from __future__ import annotations

import struct

import pytest
from faceward_sim.firmware.chunks import ChunkError, CommandAssembler, split_reply
from hypothesis import given
from hypothesis import strategies as st


def chunk(transaction=1, flags=3, total=4, offset=0, body=b"abcd", padding=b"\0") -> bytes:
    return (struct.pack("<BBHHH", transaction, flags, total, offset, len(body)) + body).ljust(256, padding)


@given(st.integers(1, 255), st.binary(max_size=8192))
def test_a_message_in_chunks_is_the_message(transaction, message):
    chunks = split_reply(transaction, message)
    assembler = CommandAssembler()
    assert all(len(part) == 256 for part in chunks)
    assert [assembler.feed(part) for part in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert assembler.feed(chunks[-1]) == (transaction, message)


def test_a_chunk_written_by_hand():
    assert CommandAssembler().feed(b"\x09\x03\x02\x00\x00\x00\x02\x00\x0a\x00" + bytes(246)) == (9, b"\x0a\x00")
    assert split_reply(9, b"\x08\x02") == [b"\x09\x03\x02\x00\x00\x00\x02\x00\x08\x02" + bytes(246)]


@pytest.mark.parametrize(
    "bad",
    [
        chunk(transaction=0),
        chunk(flags=7),
        chunk(flags=1),
        chunk(flags=2),
        chunk(total=3),
        chunk(total=5),
        chunk(offset=1),
        chunk(total=8193, flags=1),
        chunk(padding=b"\1"),
        chunk()[:-1],
        chunk() + b"\0",
        chunk(total=4, flags=1, body=b""),
        b"\x01\x01\x00\x02\x00\x00\xf9\x00" + bytes(248),
    ],
)
def test_a_chunk_that_contradicts_itself_is_refused(bad):
    with pytest.raises(ChunkError):
        CommandAssembler().feed(bad)


@pytest.mark.parametrize(
    "second",
    [
        chunk(2, 2, 300, 248, bytes(52)),
        chunk(1, 2, 301, 248, bytes(53)),
        chunk(1, 2, 300, 247, bytes(53)),
        chunk(1, 0, 300, 248, bytes(52)),
        chunk(1, 0, 300, 248, b""),
    ],
)
def test_a_chunk_that_does_not_continue_the_last_one_is_refused_and_forgets_it(second):
    assembler = CommandAssembler()
    assert assembler.feed(chunk(1, 1, 300, 0, bytes(248))) is None
    with pytest.raises(ChunkError):
        assembler.feed(second)
    with pytest.raises(ChunkError):
        assembler.feed(chunk(1, 2, 300, 248, bytes(52)))


def test_a_first_chunk_starts_over():
    assembler = CommandAssembler()
    assembler.feed(chunk(1, 1, 300, 0, bytes(248)))
    assert assembler.feed(chunk(2)) == (2, b"abcd")


def test_a_message_above_the_limit_can_not_be_sent():
    with pytest.raises(ValueError):
        split_reply(1, bytes(8193))
