"""What the sensor signs of a capture: what it saw itself, and nothing else."""

from __future__ import annotations

import hashlib

import pytest
from faceward.wire.attestation import SignedStatement, read_capture_statement
from faceward_proto.keys import PublicKey
from faceward_proto.v1 import device_pb2 as pb

OK, MALFORMED, UNSUPPORTED = 1, 2, 3
SLOTS = bytes([1, 2, 0] * 60)


@pytest.fixture
def attested(connect):
    made = connect()
    made.start(SLOTS)
    return made


def take(firmware, slots: int) -> list[bytes]:
    """Digests of the pixels of each frame of the next slots, in order."""
    frames = [frame for _ in range(slots) for frame in firmware.next_slot()]
    return [hashlib.sha256(b"".join(bytes(p[88:]) for p in frame.payloads)).digest() for frame in frames]


def attest(host, slots: int, key_frames=(), grant: bytes = b"") -> pb.DeviceReply:
    return host.ask(attest=pb.AttestRequest(slots=slots, key_frames=key_frames, grant_digest=grant))


def test_it_signs_what_it_sent_with_the_key_of_its_chain(attested, firmware):
    digests = take(firmware, 5)
    reply = attest(attested, 4, digests[2:4], b"g" * 32)
    assert reply.status == OK
    signed = SignedStatement(reply.attest.statement, reply.attest.signature)
    key = PublicKey(attested.session.chain.signing_key)
    assert key.verifies(signed.signature, b"faceward.sensor.capture.v1\0" + signed.statement)
    said = read_capture_statement(signed.statement)
    assert (said.nonce, said.slots, said.grant_digest) == (bytes(range(16)), 4, b"g" * 32)
    assert said.key_frames == tuple(digests[2:4])


def test_it_signs_while_it_streams_and_after_it_stopped_until_the_next_schedule(attested, firmware):
    take(firmware, 3)
    running = attest(attested, 3)
    attested.ask(stop=pb.StopRequest())
    stopped = attest(attested, 3)
    assert running.status == OK
    assert stopped.attest == running.attest
    schedule = pb.IlluminationSchedule(nonce=b"another nonce", slots=SLOTS)
    assert attested.ask(schedule=schedule).status == OK
    assert attest(attested, 3).status == MALFORMED


def test_it_signs_nothing_that_it_has_not_sent(attested, firmware):
    digests = take(firmware, 4)
    for slots, key_frames, grant in (
        (0, [], b""),
        (5, [], b""),
        (4, [bytes(32)], b""),
        (4, [digests[0], b""], b""),
        (3, [digests[-1]], b""),
        (4, [digests[0]] * 65, b""),
        (4, [], bytes(31)),
    ):
        assert attest(attested, slots, key_frames, grant).status == MALFORMED
    assert attest(attested, 4, [digests[0]] * 64).status == OK


def test_it_remembers_the_last_128_slots(attested, firmware):
    take(firmware, 130)
    assert attest(attested, 2).status == UNSUPPORTED
    assert attest(attested, 3).status == OK
    assert attest(attested, 130).status == OK


def test_slots_past_the_schedule_are_no_part_of_the_capture(connect, firmware):
    host = connect()
    host.start(bytes([1, 2]))
    digests = take(firmware, 4)
    assert attest(host, 3).status == MALFORMED
    assert attest(host, 2, digests[:3]).status == OK
    assert attest(host, 2, digests[3:4]).status == MALFORMED


def test_frames_after_a_stop_from_outside_are_no_part_of_the_capture(attested, firmware):
    take(firmware, 2)
    before = attest(attested, 2)
    attested.host.stop(0x81)
    attested.host.commit(1, 2)
    take(firmware, 2)
    assert attest(attested, 2).attest == before.attest
    assert attest(attested, 3).status == MALFORMED


def test_a_slot_that_was_skipped_counts_and_holds_no_frame(attested, firmware):
    take(firmware, 1)
    one = read_capture_statement(attest(attested, 1).attest.statement)
    firmware.skip_slot()
    two = read_capture_statement(attest(attested, 2).attest.statement)
    assert one.capture_digest == two.capture_digest


def test_before_the_first_capture_there_is_nothing_to_sign(connect):
    assert attest(connect(), 1).status == MALFORMED


def test_a_new_session_signs_nothing_of_the_one_before(attested, firmware, connect):
    take(firmware, 2)
    attested.ask(stop=pb.StopRequest())
    assert attest(connect(), 2).status == MALFORMED
