"""A sensor proves what it is before a slot is believed, and whoever changes a byte on the way is found."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from types import SimpleNamespace

import pytest
from faceward.capture.digest import CaptureDigest, digest_schedule
from faceward.errors import DeviceError, DeviceNotAttested
from faceward.hal.attestation import Handshake, is_simulated
from faceward.hal.uvc import UvcSensor
from faceward.model.capture import CaptureClaim, SensorClaim
from faceward.model.frame import Frame, Illumination, Stream, digest_of
from faceward.wire import attestation as wire
from faceward_proto import attestation as lock
from faceward_proto.errors import VerificationError
from faceward_sim.firmware.chain import Provision, start
from faceward_sim.firmware.messages import AuthenticatedRequest, decode_request, encode_reply
from faceward_sim.firmware.messages import ReplyStatus as Status
from faceward_sim.firmware.session import Session
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.hal.conftest import GradientImager

GRANT = hashlib.sha256(b"a grant").digest()
STARTED = start(GradientImager().identity, Provision())


def handshake(change=lambda reply: reply):
    """Both halves of a handshake in memory, with the sensor's reply changed on the way."""
    half = Handshake()
    sensor = Session(decode_request(half.request), bytes(32), STARTED)
    reply = wire.read_connect(change(encode_reply(Status.OK, connect=sensor.reply)))
    assert reply is not None
    return half.finish(reply), sensor


@pytest.fixture
def sensor(make_rig):
    with make_rig(way="usb").open() as opened:
        yield opened


def captured(sensor: UvcSensor, schedule, slots: int = 12) -> CaptureClaim:
    digest = CaptureDigest(sensor.info, schedule.nonce, digest_schedule(schedule))
    sensor.start(sensor.info.profiles[0], schedule)
    key_frames = []
    for _ in range(slots):
        slot = sensor.read_slot()
        digest.add(slot)
        if slot.depth is not None:
            key_frames += [slot.infrared.digest, slot.depth.digest]
    sensor.stop()
    return CaptureClaim(schedule.nonce, digest_schedule(schedule), digest.close(), slots, tuple(key_frames[:4]), GRANT)


def claimed(sensor: UvcSensor, claim: CaptureClaim) -> lock.CaptureClaim:
    info = sensor.info
    return lock.CaptureClaim(
        info.vendor, info.model, info.serial, info.firmware_version, claim.nonce, claim.schedule_digest,
        claim.capture_digest, claim.slots, claim.key_frames, claim.grant_digest,
    )  # fmt: skip


def test_a_sensor_is_attested_from_its_opening_and_a_lock_believes_its_capture(sensor, schedule) -> None:
    assert sensor.claim is not None and sensor.claim.kind == lock.EVIDENCE_KIND == lock.EVIDENCE_KIND
    assert is_simulated(sensor.claim)
    proven = lock.verify_chain(sensor.claim.proof, [lock.simulator_root()])
    assert (proven.serial, proven.simulated) == (sensor.info.serial, True)

    claim = captured(sensor, schedule)
    evidence = sensor.attest(claim)
    assert lock.verify_capture(evidence.data, claimed(sensor, claim), [lock.simulator_root()]).serial == proven.serial


@pytest.mark.parametrize(
    "change",
    [
        {"capture_digest": bytes(32)},
        {"slots": 11},
        {"nonce": b"another nonce..."},
        {"schedule_digest": bytes(32)},
        {"key_frames": (bytes(32),)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_sensor_signs_no_capture_but_its_own(sensor, schedule, change) -> None:
    claim = captured(sensor, schedule)
    with pytest.raises(DeviceNotAttested):
        sensor.attest(replace(claim, **change))
    assert sensor.attest(claim) is not None


def test_key_frames_in_another_order_or_another_grant_are_refused_by_the_lock(sensor, schedule) -> None:
    claim = captured(sensor, schedule)
    evidence = sensor.attest(claim).data
    for other in (
        replace(claim, key_frames=claim.key_frames[::-1]),
        replace(claim, grant_digest=hashlib.sha256(b"another grant").digest()),
        replace(claim, nonce=b"another nonce..."),
    ):
        with pytest.raises(VerificationError):
            lock.verify_capture(evidence, claimed(sensor, other), [lock.simulator_root()])


def test_no_byte_of_the_evidence_can_be_flipped(sensor, schedule) -> None:
    claim = captured(sensor, schedule)
    evidence, expected = sensor.attest(claim).data, claimed(sensor, claim)
    for at in range(len(evidence)):
        changed = bytes([*evidence[:at], evidence[at] ^ 0x04, *evidence[at + 1 :]])
        with pytest.raises(VerificationError):
            lock.verify_capture(changed, expected, [lock.simulator_root()])


def test_no_byte_of_the_sensors_half_of_the_handshake_can_be_flipped() -> None:
    _, sensor = handshake()
    length = len(encode_reply(Status.OK, connect=sensor.reply))
    survived = []
    for at in range(length):
        try:
            session, _ = handshake(lambda reply, at=at: bytes([*reply[:at], reply[at] ^ 0x01, *reply[at + 1 :]]))
        except (DeviceError, AssertionError):
            continue
        survived.append((at, session))
    # The root's own signature is looked at by whoever has roots; all else dies here, and that dies there.
    assert survived == []


def test_no_byte_of_an_authenticated_reply_can_be_flipped() -> None:
    session, sensor = handshake()
    sealed = decode_request(session.seal(b"\x1a\x00"))
    assert isinstance(sealed, AuthenticatedRequest)
    assert sensor.open(sealed) == b"\x1a\x00"
    reply = encode_reply(Status.OK, authenticated=sensor.seal(1, encode_reply(Status.OK)))
    assert session.open(reply) == encode_reply(Status.OK)
    for at in range(len(reply)):
        changed = bytes([*reply[:at], reply[at] ^ 0x01, *reply[at + 1 :]])
        with pytest.raises(DeviceError):
            session.open(changed)
    with pytest.raises(DeviceNotAttested):
        session.open(encode_reply(Status.OK))
    with pytest.raises(DeviceNotAttested, match="request 2"):
        session.open(encode_reply(Status.OK, authenticated=sensor.seal(2, encode_reply(Status.OK))))


def test_a_request_is_taken_once_and_only_from_the_session(fresh=handshake) -> None:
    session, sensor = fresh()
    request = decode_request(session.seal(b"\x1a\x00"))
    assert sensor.open(replace(request, message=b"\x0a\x00")) is None
    assert sensor.open(replace(request, counter=2)) is None
    assert sensor.open(request) == b"\x1a\x00"
    assert sensor.open(request) is None
    assert fresh()[1].open(decode_request(session.seal(b"\x1a\x00"))) is None


def a_frame(**changes) -> Frame:
    pixels = bytes(range(16))
    frame = Frame(
        Stream.INFRARED, 4, 2, pixels, 5, 5, 2_166_666, 2_500, 1.5, Illumination.FLOOD, 940, 35.12, b"confhash",
        digest_of(pixels),
    )  # fmt: skip
    return replace(frame, **changes)


@pytest.mark.parametrize(
    "change",
    [
        {"stream": Stream.DEPTH}, {"sequence": 6}, {"slot": 6}, {"device_time_us": 1}, {"exposure_us": 2_600},
        {"gain": 1.0}, {"illumination": Illumination.OFF}, {"wavelength_nm": 850}, {"temperature_c": 36.0},
        {"config_hash": b"hashconf"}, {"digest": bytes(32)}, {"tag": b""}, {"tag": bytes(32)},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_nothing_that_a_frame_says_of_itself_can_be_changed(change) -> None:
    from faceward.wire.frames import frame_record

    session, sensor = handshake()
    tagged = a_frame(tag=sensor.tag(frame_record(a_frame())))
    session.check_frame(tagged)
    with pytest.raises(DeviceNotAttested):
        session.check_frame(replace(tagged, **change))


def test_a_frame_of_another_session_is_refused_though_the_sensor_is_the_same() -> None:
    from faceward.wire.frames import frame_record

    session, _ = handshake()
    _, earlier = handshake()
    with pytest.raises(DeviceNotAttested):
        session.check_frame(a_frame(tag=earlier.tag(frame_record(a_frame()))))


def test_a_chain_without_its_key_begins_no_session() -> None:
    half = Handshake()
    thief = SimpleNamespace(chain=STARTED.chain, agreement=start(GradientImager("OTHER").identity, Provision()).agreement)
    reply = wire.read_connect(
        encode_reply(Status.OK, connect=Session(decode_request(half.request), bytes(32), thief).reply)
    )
    with pytest.raises(DeviceNotAttested, match="does not have the key"):
        half.finish(reply)


def test_another_root_is_no_simulator() -> None:
    vendor = start(GradientImager().identity, Provision(root=0xC0FFEE))
    assert not is_simulated(SensorClaim(lock.EVIDENCE_KIND, vendor.chain))
    assert not is_simulated(SensorClaim("acme", STARTED.chain))
    assert not is_simulated(None)
    assert is_simulated(SensorClaim(lock.EVIDENCE_KIND, STARTED.chain))


@given(st.binary(max_size=300))
def test_junk_is_no_chain(data: bytes) -> None:
    assert not is_simulated(SensorClaim(lock.EVIDENCE_KIND, data))
