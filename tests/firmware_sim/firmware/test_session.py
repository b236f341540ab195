"""An attested session as the sensor keeps it: what it takes, what it refuses, and what ends it."""

from __future__ import annotations

import struct

import pytest
from faceward.wire.attestation import authenticated_request, connect_request
from faceward_proto.v1 import device_pb2 as pb
from faceward_sim.firmware.device import Firmware
from faceward_sim.firmware.setup import Stall
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

OK, MALFORMED, UNSUPPORTED, BUSY = 1, 2, 3, 4
UNAUTHENTICATED = 6
PLAIN = {
    "identity": pb.IdentityRequest(),
    "calibration": pb.CalibrationRequest(),
    "health": pb.HealthRequest(),
    "schedule": pb.IlluminationSchedule(nonce=bytes(8), slots=b"\1"),
    "indicator": pb.Indicator(prompt=3),
    "configuration": pb.Configuration(),
    "exposure": pb.Exposure(exposure_us=1_000, gain_centi=100),
    "stop": pb.StopRequest(),
    "attest": pb.AttestRequest(slots=1),
}


def request(**content) -> bytes:
    return pb.DeviceRequest(**content).SerializeToString()


def status(host, message: bytes) -> int:
    return pb.DeviceReply.FromString(host.ask(message)).status


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_request_does_nothing_in_a_session(connect, host, firmware, name):
    attested = connect()
    attested.start(bytes([2] * 9))
    before = firmware.next_slot()[0].payloads[0][36:42].tobytes()
    assert status(host, request(**{name: PLAIN[name]})) == UNAUTHENTICATED
    assert firmware.streaming
    assert firmware.next_slot()[0].payloads[0][36:42].tobytes() == before
    assert attested.ask(health=pb.HealthRequest()).status == OK


@pytest.mark.parametrize("name", ["identity", "calibration", "health"])
def test_in_a_session_a_question_is_answered_as_outside_it(connect, host, name):
    plain = pb.DeviceReply.FromString(host.ask(request(**{name: PLAIN[name]})))
    assert connect().ask(**{name: PLAIN[name]}) == plain


def test_a_request_counts_once_and_only_upwards(connect, host, firmware):
    session = connect().session
    first, second = (session.seal(request(indicator=pb.Indicator(prompt=prompt))) for prompt in (3, 4))
    assert status(host, second) == OK
    assert status(host, second) == UNAUTHENTICATED
    assert status(host, first) == UNAUTHENTICATED
    assert firmware._prompt == 4
    assert status(host, session.seal(request(indicator=pb.Indicator(prompt=5)))) == OK


def test_a_forged_request_uses_no_counter_up(connect, host):
    attested = connect()
    forged = authenticated_request(0xFFFF_FFFF, request(stop=pb.StopRequest()), bytes(32))
    assert status(host, forged) == UNAUTHENTICATED
    assert attested.ask(health=pb.HealthRequest()).status == OK


def test_a_request_of_another_session_is_refused(connect, host):
    old = connect().session
    connect()
    assert status(host, old.seal(request(health=pb.HealthRequest()))) == UNAUTHENTICATED


@pytest.mark.parametrize(
    "inner",
    [
        request(connect=pb.ConnectRequest(host_random=bytes(32), host_key=bytes(65))),
        request(authenticated=pb.AuthenticatedMessage(counter=9)),
        b"",
        b"\x0a\x00\x0a\x00",
    ],
    ids=["connect", "authenticated", "nothing", "two"],
)
def test_what_no_request_may_hold_is_malformed_and_said_so_with_a_tag(connect, inner):
    assert connect().ask_bytes(inner).status == MALFORMED


def test_without_a_session_what_needs_one_is_refused(host):
    assert status(host, authenticated_request(1, request(health=pb.HealthRequest()), bytes(32))) == UNAUTHENTICATED
    assert status(host, request(attest=pb.AttestRequest(slots=1))) == UNAUTHENTICATED


@pytest.mark.parametrize(
    ("random", "key"), [(bytes(31), b"\4" + bytes(64)), (bytes(32), bytes(64)), (bytes(32), b"\4" + bytes(64)),
                        (bytes(32), bytes(65)), (bytes(32), b"\2" + bytes(64))],
)  # fmt: skip
def test_a_handshake_without_a_point_of_the_curve_is_malformed(host, random, key):
    assert status(host, connect_request(random, key)) == MALFORMED


def test_a_failed_handshake_leaves_the_session_as_it_was(connect, host):
    attested = connect()
    assert status(host, connect_request(bytes(32), bytes(65))) == MALFORMED
    assert attested.ask(health=pb.HealthRequest()).status == OK


def test_no_session_begins_while_slots_are_taken_and_the_old_one_goes_on(connect, host):
    attested = connect()
    attested.start(bytes([2] * 9))
    point = attested.session.chain.agreement_key[-65:]
    assert status(host, connect_request(bytes(32), point)) == BUSY
    assert attested.ask(health=pb.HealthRequest()).status == OK


@pytest.mark.parametrize("end", ["reset", "configuration"])
def test_a_session_ends_with_a_reset_or_a_configuration(connect, host, firmware, end):
    attested = connect()
    attested.start(bytes([2] * 9))
    if end == "reset":
        firmware.reset()
    host.configure()
    assert status(host, attested.session.seal(request(health=pb.HealthRequest()))) == UNAUTHENTICATED
    assert status(host, request(health=pb.HealthRequest())) == OK
    host.commit(1)
    assert not any(firmware.next_slot()[0].payloads[0][56:88])


def test_the_plain_controls_of_exposure_and_gain_are_stalled_but_can_be_read(connect, host):
    connect()
    for index, size in ((0x0100, 4), (0x0200, 2)):
        low = host.get(0xA1, 0x82, 0x0400, index, size)
        with pytest.raises(Stall):
            host.put(0x21, 1, 0x0400, index, low)


def test_exposure_is_set_by_the_session(connect, firmware):
    attested = connect()
    assert attested.ask(exposure=pb.Exposure(exposure_us=7_349, gain_centi=250)).status == OK
    attested.start(bytes([2] * 9))
    assert struct.unpack_from("<IH", firmware.next_slot()[0].payloads[0], 36) == (7_300, 250)


@pytest.mark.parametrize("exposure", [(0, 100), (49, 100), (33_051, 100), (1_000, 99), (1_000, 1_601)])
def test_an_exposure_that_the_sensor_has_not_is_unsupported_and_changes_nothing(connect, firmware, exposure):
    attested = connect()
    assert attested.ask(exposure=pb.Exposure(exposure_us=exposure[0], gain_centi=exposure[1])).status == UNSUPPORTED
    attested.start(bytes([2] * 9))
    assert struct.unpack_from("<IH", firmware.next_slot()[0].payloads[0], 36) == (2_000, 100)


def test_a_commit_takes_the_sizes_of_the_configuration_alone(connect, host, firmware):
    attested = connect()
    with pytest.raises(Stall):
        host.commit(1, 2)
    sizes = {"infrared_width_px": 320, "infrared_height_px": 240}
    assert attested.ask(configuration=pb.Configuration(**sizes)).status == OK
    for interface, frame in ((1, 1), (2, 1), (2, 2)):
        with pytest.raises(Stall):
            host.commit(interface, frame)
    host.commit(1, 2)
    assert firmware.streaming


def test_nothing_is_committed_or_configured_while_slots_are_taken(connect, host):
    attested = connect()
    attested.start(bytes([2] * 9))
    for interface in (1, 2):
        with pytest.raises(Stall):
            host.commit(interface, 2)
    assert attested.ask(configuration=pb.Configuration()).status == BUSY


@pytest.mark.parametrize("side", ["infrared_width_px", "depth_height_px"])
def test_a_configuration_that_the_sensor_has_not_is_unsupported(connect, side):
    assert connect().ask(configuration=pb.Configuration(**{side: 320})).status == UNSUPPORTED


def test_stop_ends_both_streams(connect, firmware):
    attested = connect()
    attested.start(bytes([1] * 9))
    assert len(firmware.next_slot()) == 2
    assert attested.ask(stop=pb.StopRequest()).status == OK
    assert not firmware.streaming
    assert firmware.next_slot() == ()
    assert firmware.stream_run(0x82) > 1


def test_a_new_session_forgets_a_schedule_that_was_loaded_before_it(connect, host, firmware):
    assert status(host, request(schedule=pb.IlluminationSchedule(nonce=bytes(8), slots=b"\0" * 9))) == OK
    attested = connect()
    sizes = {f"{name}_{side}_px": n for name in ("infrared", "depth") for side, n in (("width", 320), ("height", 240))}
    assert attested.ask(configuration=pb.Configuration(**sizes)).status == OK
    host.commit(1, 2)
    assert firmware.next_slot()[0].payloads[0][17] == 1


@pytest.mark.parametrize("name", ["connect", "authenticated", "attest"])
def test_a_sensor_without_attestation_says_so_and_answers_everything_else(imager, host, name):
    bare = type(host)(Firmware(imager, None).control)
    bare.configure()
    content = {
        "connect": pb.ConnectRequest(host_random=bytes(32), host_key=bytes(65)),
        "authenticated": pb.AuthenticatedMessage(counter=1),
        "attest": pb.AttestRequest(slots=1),
    }
    assert status(bare, request(**{name: content[name]})) == UNSUPPORTED
    assert status(bare, request(identity=pb.IdentityRequest())) == OK


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=300), st.integers(0, 0xFFFF_FFFF), st.binary(max_size=40))
def test_nobody_without_the_keys_gets_a_message_through(connect, host, message, counter, tag):
    attested = connect()
    forged = authenticated_request(counter, message, tag)
    assert status(host, forged) == UNAUTHENTICATED
    assert attested.ask(health=pb.HealthRequest()).status == OK
