"""A byte changed at each position of each message that something is decided by. The number that was tried is printed."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from faceward.capture.digest import digest_schedule
from faceward.errors import DeviceError
from faceward.hal.attestation import Handshake
from faceward.hal.payload import FrameAssembler, finish
from faceward.model.capture import CaptureClaim
from faceward.model.frame import IlluminationSchedule, Stream
from faceward.signing.sealing import seal_payload
from faceward.wire import attestation as wire
from faceward_proto import attestation as lock_attestation
from faceward_proto import trust as lock
from faceward_proto.envelope import TRUST_TYPE
from faceward_proto.truststore import read_trust_store, write_trust_statement
from faceward_sim.firmware.chain import Provision, start
from faceward_sim.firmware.imager import Illumination
from faceward_sim.firmware.messages import AuthenticatedRequest, ConnectRequest, decode_request, encode_reply
from faceward_sim.firmware.messages import ReplyStatus as Status
from faceward_sim.firmware.payload import FrameMetadata, StreamId, pack_frame
from faceward_sim.firmware.protobuf import Malformed
from faceward_sim.firmware.session import BadPoint, Session
from faceward_sim.rig import build_firmware

from tests.attacks.records import Enrolled, grant_of, record_of

REFUSALS = (DeviceError, lock.VerificationError, Malformed, BadPoint)

Flip = Callable[[str, bytes, Callable[[bytes], object]], list[int]]


@pytest.fixture
def flip(record_property: Callable[[str, object], None]) -> Flip:
    """`flip(name, data, take)`: gives `take` the data with each byte changed, by a drawn value, one at a time.

    `take` raises one of REFUSALS; the positions of bytes whose change it took come back.
    """

    def run(name: str, data: bytes, take: Callable[[bytes], object]) -> list[int]:
        seed = random.SystemRandom().randrange(1 << 32)
        drawn = random.Random(seed)
        take(data)
        survived = []
        for at in range(len(data)):
            changed = bytes([*data[:at], data[at] ^ drawn.randrange(1, 256), *data[at + 1 :]])
            try:
                take(changed)
            except REFUSALS:
                continue
            survived.append(at)
        record_property("flipped", f"{name}: {len(data)} bytes, {len(survived)} survived (drawn from {seed})")
        return survived

    return run


@pytest.fixture(scope="module")
def started() -> SimpleNamespace:
    imager = build_firmware("sl-940", "live", 7).imager
    return start(imager.identity, Provision())


@pytest.fixture
def session(started: SimpleNamespace) -> tuple[Handshake, Session]:
    """A handshake that waits for the sensor's reply, and the sensor's half."""
    half = Handshake()
    return half, Session(decode_request(half.request), bytes(32), started)


def test_the_sensors_half_of_the_handshake(session: tuple[Handshake, Session], flip: Flip) -> None:
    half, sensor = session

    def take(reply: bytes) -> object:
        answer = wire.read_connect(reply)
        # A sensor that says it has no attestation is an unattested one, which is the policy's to refuse.
        if answer is None:
            raise DeviceError("unattested")
        found = half.finish(answer)
        return lock_attestation.verify_chain(found.chain.data, [lock_attestation.simulator_root()])

    assert flip("connect reply", encode_reply(Status.OK, connect=sensor.reply), take) == []


def test_the_hosts_half_of_the_handshake(started: SimpleNamespace, flip: Flip) -> None:
    half = Handshake()

    def take(request: bytes) -> object:
        decoded = decode_request(request)
        if not isinstance(decoded, ConnectRequest):
            raise DeviceError("another kind of request: no handshake comes of it")
        reply = wire.read_connect(encode_reply(Status.OK, connect=Session(decoded, bytes(32), started).reply))
        return half.finish(reply)

    assert flip("connect request", half.request, take) == []


def test_a_command_and_its_reply(session: tuple[Handshake, Session], flip: Flip) -> None:
    half, sensor = session
    host = half.finish(wire.read_connect(encode_reply(Status.OK, connect=sensor.reply)))
    command = b"\x1a\x00"
    sealed = host.seal(command)

    def take(request: bytes) -> object:
        decoded = decode_request(request)
        if not isinstance(decoded, AuthenticatedRequest):
            raise DeviceError("not authenticated: refused within a session")
        # Each on a sensor that has seen nothing yet: a counter that was used is refused for that alone.
        sensor._counter = 0
        opened = sensor.open(decoded)
        if opened is None:
            raise DeviceError("not the session's")
        return opened

    assert flip("authenticated command", sealed, take) == []
    reply = encode_reply(Status.OK, authenticated=sensor.seal(1, encode_reply(Status.OK)))
    assert flip("authenticated reply", reply, host.open) == []


def test_a_frame_header_and_pixels(session: tuple[Handshake, Session], flip: Flip) -> None:
    half, sensor = session
    host = half.finish(wire.read_connect(encode_reply(Status.OK, connect=sensor.reply)))
    pixels = np.arange(24 * 16, dtype=np.uint16).reshape(16, 24)
    metadata = FrameMetadata(StreamId.INFRARED, Illumination.FLOOD, 940, 5, 5, 166_666, 2_500, 1.5, 35.1, b"confhash")
    (payload,) = pack_frame(0x81, pixels, metadata, 169_166, sensor.tag).payloads

    def take(sent: bytes) -> object:
        frame = FrameAssembler(Stream.INFRARED, 24, 16).feed(memoryview(sent))
        if frame is None:
            raise DeviceError("no frame")
        finished = finish(frame)
        host.check_frame(finished)
        return finished

    # The bus's own clock (bytes 2 to 11: PTS and SCR) says nothing that anybody believes: no tag is over it.
    told = take(bytes(payload))
    for at in range(2, 12):
        same = take(bytes([*payload[:at], payload[at] ^ 0xFF, *payload[at + 1 :]]))
        assert (same.digest, same.device_time_us, same.tag) == (told.digest, told.device_time_us, told.tag)
    assert flip("frame", bytes(payload[12:]), lambda sent: take(bytes(payload[:12]) + sent)) == []
    assert flip("frame's flags", bytes(payload[:2]), lambda sent: take(sent + bytes(payload[2:]))) == []


def test_the_signature_over_a_capture(session: tuple[Handshake, Session], started: SimpleNamespace, flip: Flip) -> None:
    from faceward_sim.firmware.capture import SentCapture
    from faceward_sim.firmware.messages import AttestRequest, ScheduleRequest

    half, sensor = session
    host = half.finish(wire.read_connect(encode_reply(Status.OK, connect=sensor.reply)))
    imager = build_firmware("sl-940", "live", 7).imager
    schedule = IlluminationSchedule(b"nonce of 16 byte", bytes([1, 2, 2, 0]))
    sent = SentCapture(imager.identity, imager.calibration, ScheduleRequest(b"", schedule.nonce, schedule.slots))
    frame = bytes(44) + hashlib.sha256(b"pixels").digest()
    sent.add(frame)
    sent.end_slot()
    signed = sent.attest(AttestRequest(1, (frame[-32:],), b"g" * 32), started)
    digest = dict(sent._closed)[1]
    claim = CaptureClaim(schedule.nonce, digest_schedule(schedule), digest, 1, (frame[-32:],), b"g" * 32)
    reply = encode_reply(Status.OK, attest=signed)
    assert flip("attest reply", reply, lambda answer: host.check_capture(claim, wire.read_attest(answer))) == []


def test_a_record(enrolled: Enrolled, flip: Flip) -> None:
    now_s = time.time()
    trust = enrolled.trust()

    def take(sent: bytes) -> object:
        return lock.verify_template(sent, trust, now_s=now_s, grant_seen=())

    assert flip("record", enrolled.alice.envelope, take) == []


def test_the_evidence_in_a_record_whose_host_signs_anything(enrolled: Enrolled, flip: Flip) -> None:
    record = record_of(enrolled.alice.envelope)
    claim = lock_attestation.claim_of(record)
    roots = [lock_attestation.simulator_root()]
    assert flip("evidence", record.sensor.evidence, lambda sent: lock_attestation.verify_capture(sent, claim, roots)) == []


def test_a_grant(enrolled: Enrolled, flip: Flip) -> None:
    record = record_of(enrolled.alice.envelope)
    assert grant_of(record).subject == record.subject
    trust = enrolled.trust()
    assert flip("grant", record.grant, lambda sent: lock.verify_grant(sent, trust, at_s=record.issued_at_s)) == []


def test_a_trust_store(enrolled: Enrolled, flip: Flip) -> None:
    now_s = int(time.time())
    store = replace(enrolled.trust(), sequence=3, issued_at_s=now_s, expires_at_s=now_s + 3600)
    root = store.hosts[0]
    signed = seal_payload(write_trust_statement(store), TRUST_TYPE, enrolled.host.signer)
    assert flip("trust store", signed, lambda sent: read_trust_store(sent, root, now_s=now_s, minimum_sequence=3)) == []
