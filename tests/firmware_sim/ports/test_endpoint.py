"""Packets, payloads and reads on one bulk IN endpoint."""

from __future__ import annotations

import pytest
from faceward_sim.firmware.payload import WireFrame
from faceward_sim.ports.endpoint import BulkIn, Outcome, Transfer
from hypothesis import given
from hypothesis import strategies as st


def frame(*sizes: int, fill: int = 0, run: int = 0) -> WireFrame:
    return WireFrame(0x81, [memoryview(bytearray([fill] * size)) for size in sizes], run)


def read(bulk: BulkIn, length: int) -> Transfer:
    transfer = Transfer(length, lambda _: None)
    bulk.submit(transfer)
    return transfer


def data(transfer: Transfer) -> bytes:
    return b"".join(transfer.pieces)


@pytest.fixture
def bulk() -> BulkIn:
    bulk = BulkIn(0x81, capacity_frames=2)
    bulk.flush(0)
    return bulk


@pytest.mark.parametrize(
    ("payload", "length", "reads"),
    [
        (1000, 65_536, [1000]),
        (1024, 65_536, [1024]),
        (1024, 1024, [1024, 0]),
        (1024, 512, [512, 512, 0]),
        (40_000, 16_384, [16_384, 16_384, 40_000 - 32_768]),
        (32_768, 16_384, [16_384, 16_384, 0]),
        (65_536, 65_536, [65_536]),
        (65_536, 16_384, [16_384] * 4),
        (0, 512, [0]),
        (66_560, 65_536, [65_536, 1024]),
    ],
)
def test_a_payload_ends_at_a_short_packet_an_empty_packet_or_the_agreed_size(bulk, payload, length, reads):
    bulk.push(frame(payload))
    done = [read(bulk, length) for _ in reads]
    assert [(t.filled, t.outcome) for t in done] == [(size, Outcome.DONE) for size in reads]
    assert read(bulk, length).outcome is Outcome.WAITING


def test_payloads_of_the_agreed_size_run_on_in_one_long_read(bulk):
    bulk.push(frame(65_536, 65_536, 100))
    assert read(bulk, 1 << 20).filled == 2 * 65_536 + 100


def test_a_long_read_waits_for_the_end_of_the_frame(bulk):
    transfer = read(bulk, 1 << 20)
    assert bulk.push(frame(65_536)) == []
    assert bulk.push(frame(10)) == [transfer]
    assert transfer.filled == 65_546


def test_a_read_that_ends_inside_a_packet_is_babble(bulk):
    bulk.push(frame(1000))
    assert read(bulk, 100).outcome is Outcome.OVERFLOW
    assert read(bulk, 65_536).filled == 1000 - 512


@given(st.lists(st.integers(0, 66_000), min_size=1, max_size=6), st.sampled_from([512, 1024, 16_384, 65_536, 1 << 20]))
def test_no_byte_is_lost_added_or_moved_whatever_the_sizes(sizes, length):
    bulk = BulkIn(0x81, capacity_frames=1)
    bulk.flush(0)
    payloads = [bytes([1 + n]) * size for n, size in enumerate(sizes)]
    bulk.push(WireFrame(0x81, [memoryview(bytearray(p)) for p in payloads], 0))
    received = []
    while True:
        transfer = read(bulk, length)
        if transfer.outcome is Outcome.WAITING:
            break
        received.append(data(transfer))
    assert b"".join(received) + data(transfer) == b"".join(payloads)


def test_reads_are_served_in_order(bulk):
    first, second = read(bulk, 512), read(bulk, 512)
    assert bulk.push(frame(100)) == [first]
    assert bulk.push(frame(200)) == [second]


def test_a_read_is_taken_back_once_and_only_while_it_waits(bulk):
    waiting = read(bulk, 512)
    assert bulk.cancel(waiting) and waiting.outcome is Outcome.CANCELLED
    assert not bulk.cancel(waiting)
    bulk.push(frame(100))
    assert not bulk.cancel(read(bulk, 512))


def test_the_oldest_whole_frame_is_dropped_and_one_that_is_half_sent_is_not(bulk):
    bulk.push(frame(1000, fill=2))
    bulk.push(frame(1000, fill=4))
    assert bulk.full
    assert read(bulk, 512).filled == 512
    assert bulk.drop_oldest_whole() and not bulk.full
    assert not bulk.drop_oldest_whole()
    assert data(read(bulk, 512)) == bytes([2]) * 488


def test_frames_behind_a_dropped_one_still_toggle(bulk):
    for fid in (0, 1):
        bulk.push(frame(10, fill=fid))
    assert data(read(bulk, 512))[1] == 0
    bulk.push(frame(10, fill=0))
    assert bulk.drop_oldest_whole()
    bulk.push(frame(10, fill=1))
    assert [data(read(bulk, 512))[1] for _ in range(2)] == [1, 0]


def test_a_frame_of_an_earlier_run_is_not_sent(bulk):
    bulk.push(frame(10))
    bulk.flush(1)
    assert bulk.push(frame(10, run=0)) == []
    assert read(bulk, 512).outcome is Outcome.WAITING


def test_flushing_forgets_an_empty_packet(bulk):
    bulk.push(frame(512))
    read(bulk, 512)
    bulk.flush(1)
    assert read(bulk, 512).outcome is Outcome.WAITING
