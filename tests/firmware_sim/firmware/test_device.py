"""The firmware as a host sees it: requests in, answers and slots out."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace

import numpy as np
import pytest
from faceward_proto.v1 import device_pb2
from faceward_sim.firmware.device import Firmware
from faceward_sim.firmware.imager import Illumination, Prompt, SensorKind, SlotImage
from faceward_sim.firmware.messages import DeviceFault
from faceward_sim.firmware.setup import Stall

SET, GET_CUR, GET_MIN, GET_MAX, GET_RES, GET_LEN, GET_INFO, GET_DEF = 1, *range(0x81, 0x88)
EXPOSURE, GAIN, ERROR, COMMAND, REPLY = (
    (0x0400, 0x0100),
    (0x0400, 0x0200),
    (0x0200, 0),
    (0x0100, 0x400),
    (0x0200, 0x400),
)
PROBE, COMMIT = 0x0100, 0x0200


def request(**content) -> bytes:
    return device_pb2.DeviceRequest(**content).SerializeToString()


def ask(host, **content) -> device_pb2.DeviceReply:
    return device_pb2.DeviceReply.FromString(host.ask(request(**content)))


def load(host, slots: bytes, nonce: bytes = bytes(range(16))) -> device_pb2.DeviceReply:
    return ask(host, schedule=device_pb2.IlluminationSchedule(nonce=nonce, slots=slots))


def meta(frame) -> dict:
    names = ("magic", "stream", "illumination", "wavelength", "sequence", "slot", "time", "exposure", "gain")
    names += ("temperature", "size", "hash", "tag")
    return dict(zip(names, struct.unpack_from("<4sBBHIIQIHhI8s32s", frame.payloads[0], 12), strict=True))


def pixels(frame, shape) -> np.ndarray:
    return np.frombuffer(b"".join(p[88:] for p in frame.payloads), "<u2").reshape(shape)


# Standard requests


@pytest.mark.parametrize(
    ("setup", "answer"),
    [
        ((0x80, 0, 0, 0, 2), b"\0\0"),
        ((0x81, 0, 0, 2, 2), b"\0\0"),
        ((0x82, 0, 0, 0x81, 2), b"\0\0"),
        ((0x82, 0, 0, 0, 2), b"\0\0"),
        ((0x80, 8, 0, 0, 1), b"\1"),
        ((0x81, 10, 0, 1, 1), b"\0"),
        ((0x80, 6, 0x0100, 0, 8), bytes.fromhex("12010002ef020140")),
        ((0x80, 6, 0x0600, 0, 10), bytes.fromhex("0a060002ef0201400100")),
        ((0x80, 6, 0x0300, 0, 255), b"\x04\x03\x09\x04"),
    ],
)
def test_a_standard_request_is_answered(host, setup, answer):
    assert host.get(*setup) == answer


@pytest.mark.parametrize(
    "setup",
    [
        (0x80, 6, 0x0F00, 0, 5),
        (0x80, 6, 0x0307, 0, 255),
        (0x81, 6, 0x2200, 0, 64),
        (0x80, 0x0C, 0, 0, 2),
        (0x81, 0, 0, 3, 2),
        (0x81, 10, 0, 3, 1),
        (0x82, 0, 0, 0x83, 2),
        (0x82, 0, 0, 1, 2),
        (0xC0, 1, 0, 0, 4),
        (0xA1, GET_CUR, 0x0100, 3, 34),
        (0xA2, GET_CUR, 0x0100, 0x81, 4),
        (0xA0, GET_CUR, 0x0100, 0, 4),
    ],
)
def test_an_unknown_request_to_read_is_stalled(host, setup):
    with pytest.raises(Stall):
        host.get(*setup)


@pytest.mark.parametrize(
    "setup",
    [
        (0x00, 9, 2, 0),
        (0x01, 9, 1, 0),
        (0x01, 11, 1, 1),
        (0x01, 11, 0, 3),
        (0x00, 1, 1, 0),
        (0x00, 3, 1, 0),
        (0x02, 1, 1, 0x81),
        (0x02, 1, 0, 0x83),
        (0x00, 7, 0x0100, 0),
        (0x00, 6, 0x0100, 0),
        (0x40, 1, 0, 0),
    ],
)
def test_an_unknown_request_to_write_is_stalled(host, setup):
    with pytest.raises(Stall):
        host.put(*setup)


def test_a_write_that_is_not_as_long_as_announced_is_stalled(firmware):
    with pytest.raises(Stall):
        firmware.control(struct.pack("<BBHHH", 0x21, SET, *EXPOSURE, 4), b"\1\0")


def test_a_setup_packet_of_another_length_is_no_setup_packet(firmware):
    with pytest.raises(ValueError):
        firmware.control(bytes(7))


def test_set_cur_to_an_interface_is_not_clear_feature(host, firmware):
    host.commit(1)
    host.put(0x21, SET, *EXPOSURE, struct.pack("<I", 7))
    assert firmware.streaming


def test_nothing_of_video_works_before_the_device_is_configured(imager):
    firmware = Firmware(imager)
    with pytest.raises(Stall):
        firmware.control(struct.pack("<BBHHH", 0xA1, GET_CUR, *EXPOSURE, 4))


# Controls


@pytest.mark.parametrize(
    ("control", "size", "low", "high", "default"), [(EXPOSURE, 4, 1, 330, 20), (GAIN, 2, 100, 1600, 100)]
)
def test_a_control_states_its_range(host, control, size, low, high, default):
    read = {code: host.get(0xA1, code, *control, size) for code in (GET_CUR, GET_MIN, GET_MAX, GET_RES, GET_DEF)}
    values = {code: int.from_bytes(raw, "little") for code, raw in read.items()}
    assert values == {GET_CUR: default, GET_MIN: low, GET_MAX: high, GET_RES: 1, GET_DEF: default}
    assert all(len(raw) == size for raw in read.values())
    assert host.get(0xA1, GET_INFO, *control, 1) == b"\3"
    assert host.get(0xA1, GET_LEN, *control, 2) == bytes([size, 0])


@pytest.mark.parametrize(("control", "size", "low", "high"), [(EXPOSURE, 4, 1, 330), (GAIN, 2, 100, 1600)])
def test_a_control_takes_its_range_and_no_more(host, control, size, low, high):
    for value in (low, high):
        host.put(0x21, SET, *control, value.to_bytes(size, "little"))
        assert host.get(0xA1, GET_CUR, *control, size) == value.to_bytes(size, "little")
    for value in (low - 1, high + 1):
        with pytest.raises(Stall):
            host.put(0x21, SET, *control, value.to_bytes(size, "little"))
        assert host.get(0xA1, GET_CUR, *ERROR, 1) == b"\4"
    assert host.get(0xA1, GET_CUR, *control, size) == high.to_bytes(size, "little")
    assert host.get(0xA1, GET_CUR, *ERROR, 1) == b"\0"


@pytest.mark.parametrize(
    ("value", "index", "code", "error"),
    [
        (0x0400, 0x0900, GET_CUR, 5),
        (0x0100, 0x0100, GET_CUR, 6),
        (0x0200, 0x0200, GET_CUR, 6),
        (0x0300, 0x0400, GET_CUR, 6),
        (0x0400, 0x0100, 0x88, 7),
        (0x0100, 0x0400, GET_CUR, 7),
        (0x0200, 0x0400, GET_DEF, 7),
        (0x0200, 0x0400, GET_CUR, 2),
    ],
)
def test_a_refused_request_says_why(host, value, index, code, error):
    with pytest.raises(Stall):
        host.get(0xA1, code, value, index, 256)
    assert host.get(0xA1, GET_CUR, *ERROR, 1) == bytes([error])


def test_the_error_code_is_read_only(host):
    assert host.get(0xA1, GET_INFO, *ERROR, 1) == b"\1"
    assert host.get(0xA1, GET_LEN, *ERROR, 2) == b"\1\0"
    with pytest.raises(Stall):
        host.put(0x21, SET, *ERROR, b"\0")


def test_a_request_in_the_wrong_direction_is_stalled(host):
    with pytest.raises(Stall):
        host.get(0xA1, SET, *EXPOSURE, 4)
    with pytest.raises(Stall):
        host.put(0x21, GET_CUR, *EXPOSURE, bytes(4))


# Probe and commit


@pytest.mark.parametrize(("interface", "interval"), [(1, 333_333), (2, 1_000_000)])
def test_the_default_probe_is_the_full_size_written_by_hand(host, interface, interval):
    golden = bytes.fromhex("0000 01 01") + interval.to_bytes(4, "little") + bytes(10)
    golden += bytes.fromhex("00600900 00000100 40420f00 03 01 01 01")
    for code in (GET_CUR, GET_MIN, GET_MAX, GET_DEF):
        assert host.get(0xA1, code, PROBE, interface, 34) == golden
    assert host.get(0xA1, GET_RES, PROBE, interface, 34) == bytes(34)
    assert host.get(0xA1, GET_LEN, PROBE, interface, 2) == b"\x22\0"
    assert host.get(0xA1, GET_INFO, PROBE, interface, 1) == b"\3"
    assert host.get(0xA1, GET_LEN, COMMIT, interface, 2) == b"\x22\0"
    with pytest.raises(Stall):
        host.get(0xA1, GET_MIN, COMMIT, interface, 34)


@pytest.mark.parametrize(
    ("asked", "settled"), [((1, 2, 1), (1, 2)), ((1, 9, 0), (1, 1)), ((3, 2, 0), (1, 1)), ((0, 0, 0), (1, 1))]
)
def test_a_probe_settles_on_what_there_is(host, asked, settled):
    host.put(0x21, SET, PROBE, 1, struct.pack("<HBBI", 1, *asked).ljust(34, b"\0"))
    answer = struct.unpack_from("<HBBI", host.get(0xA1, GET_CUR, PROBE, 1, 34))
    assert answer == (1, *settled, 333_333)


def test_each_stream_has_a_probe_of_its_own(host):
    host.probe(1, frame=2)
    assert host.get(0xA1, GET_CUR, PROBE, 2, 34)[3] == 1
    assert host.get(0xA1, GET_CUR, PROBE, 1, 34)[3] == 2


def test_a_host_of_uvc_1_0_may_probe_with_26_bytes(host):
    host.put(0x21, SET, PROBE, 1, struct.pack("<HBBI", 1, 1, 2, 333_333).ljust(26, b"\0"))
    assert host.get(0xA1, GET_CUR, PROBE, 1, 26)[3] == 2


@pytest.mark.parametrize("length", [0, 25, 33, 35, 48])
def test_a_probe_of_another_length_is_stalled(host, length):
    with pytest.raises(Stall):
        host.put(0x21, SET, PROBE, 1, bytes(length))


@pytest.mark.parametrize("asked", [(2, 1, 333_333), (1, 3, 333_333), (1, 0, 333_333), (1, 1, 666_666)])
def test_a_commit_to_what_there_is_not_is_stalled_and_starts_nothing(host, firmware, asked):
    with pytest.raises(Stall):
        host.put(0x21, SET, COMMIT, 1, struct.pack("<HBBI", 1, *asked).ljust(34, b"\0"))
    assert not firmware.streaming


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 1)])
def test_both_streams_run_at_the_same_size(host, first, second):
    host.commit(first, frame=2)
    with pytest.raises(Stall):
        host.commit(second, frame=1)
    host.commit(second, frame=2)


# Slots


def test_without_a_schedule_dots_and_floods_alternate_and_every_tenth_slot_is_dark(host, firmware):
    host.commit(2)
    host.commit(1)
    lit = []
    for _ in range(20):
        frames = firmware.next_slot()
        lit.append(meta(frames[0])["illumination"])
        assert [frame.endpoint for frame in frames] == ([0x81, 0x82] if lit[-1] == 1 else [0x81])
    assert lit == [1, 2, 2, 1, 2, 2, 1, 2, 2, 0, 2, 2, 1, 2, 2, 1, 2, 2, 1, 0]


def test_a_schedule_is_followed_and_dark_past_its_end(host, firmware, imager):
    assert load(host, bytes([2, 0, 1, 1])).status == 1
    host.commit(1)
    for _ in range(6):
        firmware.next_slot()
    assert [e.illumination for e in imager.exposures] == [Illumination(n) for n in (2, 0, 1, 1, 0, 0)]


def test_metadata_says_what_the_slot_was_taken_with(host, firmware, imager):
    host.put(0x21, SET, *EXPOSURE, struct.pack("<I", 35))
    host.put(0x21, SET, *GAIN, struct.pack("<H", 250))
    host.commit(2)
    host.commit(1)
    rows = [meta(frame) for _ in range(4) for frame in firmware.next_slot()]
    infrared = [row for row in rows if row["stream"] == 1]
    depth = [row for row in rows if row["stream"] == 2]
    assert [row["sequence"] for row in infrared] == [0, 1, 2, 3]
    assert [(row["sequence"], row["slot"]) for row in depth] == [(0, 0), (1, 3)]
    start = infrared[0]["time"]
    assert [row["time"] - start for row in infrared] == [0, 33_333, 66_666, 100_000]
    assert [exposure.device_time_us for exposure in imager.exposures] == [row["time"] for row in infrared]
    assert {(row["exposure"], row["gain"], row["temperature"]) for row in rows} == {(3500, 250, 3650)}
    assert {(exposure.exposure_us, exposure.gain) for exposure in imager.exposures} == {(3500, 2.5)}
    assert {row["magic"] for row in rows} == {b"FWM1"} and {row["size"] for row in rows} == {614_400}
    assert {row["wavelength"] for row in rows} == {940} and {row["tag"] for row in rows} == {bytes(32)}


def test_a_dark_slot_has_no_wavelength(host, firmware):
    load(host, bytes([0]))
    host.commit(1)
    assert meta(firmware.next_slot()[0])["wavelength"] == 0


def test_the_frame_bit_toggles_in_each_stream(host, firmware):
    host.commit(2)
    host.commit(1)
    bits = {0x81: [], 0x82: []}
    for _ in range(7):
        for frame in firmware.next_slot():
            assert len({payload[1] & 1 for payload in frame.payloads}) == 1
            bits[frame.endpoint].append(frame.payloads[0][1] & 1)
    assert bits == {0x81: [0, 1, 0, 1, 0, 1, 0], 0x82: [0, 1, 0]}


def test_the_pixels_are_the_imagers(host, firmware):
    host.commit(2)
    host.commit(1)
    infrared, depth = firmware.next_slot()
    assert (pixels(infrared, (480, 640))[0, :4] == [0, 1, 2, 3]).all()
    assert pixels(depth, (480, 640))[5, :8].tolist() == [0, 3200, 3200, 3200, 3200, 3200, 3200, 0]


def test_the_small_profile_is_a_mean_of_infrared_and_the_nearest_depth(host, firmware):
    host.commit(2, frame=2)
    host.commit(1, frame=2)
    infrared, depth = firmware.next_slot()
    # Rows of 640 in a ramp modulo 1000: 0, 1, 640 and 641 make 320.5.
    assert pixels(infrared, (240, 320))[0, 0] == 321
    assert (pixels(depth, (240, 320)) == 3200).all()


@pytest.mark.parametrize("with_depth", [False, True])
@pytest.mark.parametrize("slots", [None, bytes([1, 2])])
def test_the_config_hash_covers_sizes_and_schedule(host, firmware, with_depth, slots):
    raw = b""
    if slots is not None:
        raw = device_pb2.IlluminationSchedule(nonce=bytes(range(16)), slots=slots).SerializeToString()
        load(host, slots)
    if with_depth:
        host.commit(2, frame=2)
    host.commit(1, frame=2)
    text = b"faceward.config.v1\0" + struct.pack("<4H", 320, 240, *((320, 240) if with_depth else (0, 0)))
    expected = hashlib.sha256(text + hashlib.sha256(raw).digest()).digest()[:8]
    assert {meta(frame)["hash"] for frame in firmware.next_slot()} == {expected}


def test_a_skipped_slot_uses_up_its_numbers_and_is_counted(host, firmware, imager):
    host.commit(2)
    host.commit(1)
    firmware.skip_slot()
    for _ in range(2):
        firmware.next_slot()
    frames = firmware.next_slot()
    assert [(meta(f)["stream"], meta(f)["sequence"], meta(f)["slot"]) for f in frames] == [(1, 3, 3), (2, 1, 3)]
    assert [exposure.slot for exposure in imager.exposures] == [1, 2, 3]
    assert ask(host, health=device_pb2.HealthRequest()).health.dropped_frames == 2


def test_nothing_flows_before_a_commit_or_with_depth_alone(host, firmware, imager):
    assert firmware.next_slot() == ()
    host.commit(2)
    assert firmware.next_slot() == () and not firmware.streaming and imager.exposures == []
    firmware.skip_slot()
    assert firmware.slot == 0


def test_clearing_the_halt_of_depth_stops_depth_only(host, firmware):
    host.commit(2)
    host.commit(1)
    host.stop(0x82)
    assert [frame.endpoint for frame in firmware.next_slot()] == [0x81]
    host.commit(2)
    firmware.next_slot()
    firmware.next_slot()
    assert [(f.endpoint, meta(f)["sequence"]) for f in firmware.next_slot()] == [(0x81, 3), (0x82, 0)]


def test_clearing_the_halt_of_infrared_leaves_depth_committed(host, firmware):
    host.commit(2)
    host.commit(1)
    firmware.next_slot()
    host.stop(0x81)
    assert not firmware.streaming
    host.commit(1)
    assert [(f.endpoint, meta(f)["sequence"], meta(f)["slot"]) for f in firmware.next_slot()] == [
        (0x81, 0, 0),
        (0x82, 0, 0),
    ]


def test_set_interface_stops_a_stream_too(host, firmware):
    host.commit(1)
    host.put(0x01, 11, 0, 2)
    assert firmware.streaming
    host.put(0x01, 11, 0, 1)
    assert not firmware.streaming


def test_a_halted_endpoint_says_so_until_it_is_cleared(host, firmware):
    host.put(0x02, 3, 0, 0x82)
    assert host.get(0x82, 0, 0, 0x82, 2) == b"\1\0" and firmware.halted(0x82) and not firmware.halted(0x81)
    host.stop(0x82)
    assert host.get(0x82, 0, 0, 0x82, 2) == b"\0\0"
    host.put(0x02, 3, 0, 0x82)
    host.put(0x01, 11, 0, 2)
    assert not firmware.halted(0x82)


def test_a_stop_while_the_imager_works_throws_the_slot_away(host, firmware, imager):
    host.commit(1)
    exposing = imager.expose

    def expose(exposure):
        host.stop(0x81)
        return exposing(exposure)

    imager.expose = expose
    assert firmware.next_slot() == ()
    assert firmware.slot == 0


def test_device_time_rises_over_stop_start_reset_and_power(host, firmware, imager):
    for again in (lambda: host.stop(0x81), firmware.reset, firmware.power_cycle):
        host.commit(1)
        firmware.next_slot()
        firmware.next_slot()
        again()
        host.configure()
    times = [exposure.device_time_us for exposure in imager.exposures]
    assert [exposure.slot for exposure in imager.exposures] == [0, 1] * 3
    assert times == sorted(set(times))


# Extension unit


def test_the_extension_controls_say_their_size_and_direction(host):
    for selector, info in ((COMMAND, 2), (REPLY, 1)):
        assert host.get(0xA1, GET_LEN, *selector, 2) == b"\0\1"
        assert host.get(0xA1, GET_INFO, *selector, 1) == bytes([info])


def test_identity_is_the_factorys(host):
    reply = ask(host, identity=device_pb2.IdentityRequest())
    assert reply.status == 1
    assert (reply.identity.model, reply.identity.serial, reply.identity.kind) == ("sl-940", "TEST0001", 1)
    assert [(e.illumination, e.wavelength_nm) for e in reply.identity.emitters] == [(1, 940), (2, 940)]
    assert (reply.identity.slot_rate_mhz, reply.identity.max_schedule_slots) == (30_000, 4096)


def test_calibration_is_the_factorys(host, imager):
    read = ask(host, calibration=device_pb2.CalibrationRequest()).calibration
    for field in device_pb2.Calibration.DESCRIPTOR.fields:
        expected = getattr(imager.calibration, field.name)
        if field.name in ("infrared", "depth"):
            expected = device_pb2.Intrinsics(**{f.name: getattr(expected, f.name) for f in field.message_type.fields})
            assert getattr(read, field.name) == expected
        else:
            assert getattr(read, field.name) == pytest.approx(expected, rel=1e-6)


def test_health_reports_temperature_uptime_and_faults(host, firmware):
    host.commit(1)
    firmware.next_slot()
    firmware.conditions.add(DeviceFault.OVERHEAT)
    firmware.report_dropped(3)
    health = ask(host, health=device_pb2.HealthRequest()).health
    assert (health.temperature_centi_c, list(health.faults), health.dropped_frames) == (3650, [3], 3)
    assert health.uptime_us == firmware.uptime_us > 1_500_000


def test_the_imager_learns_a_prompt_from_the_next_slot_on(host, firmware, imager):
    host.commit(1)
    firmware.next_slot()
    assert ask(host, indicator=device_pb2.Indicator(prompt=device_pb2.PROMPT_SMILE)).status == 1
    firmware.next_slot()
    assert [exposure.prompt for exposure in imager.exposures] == [Prompt.NONE, Prompt.SMILE]


@pytest.mark.parametrize(
    ("slots", "status"), [(bytes([4]), 2), (bytes([3]), 3), (bytes(4096), 1), (bytes(4097), 3), (b"", 1)]
)
def test_a_schedule_must_be_one_that_the_sensor_can_follow(host, slots, status):
    assert load(host, slots).status == status


def test_a_schedule_is_refused_while_streaming_or_faulty(host, firmware):
    host.commit(1)
    assert load(host, bytes(3)).status == 4
    host.stop(0x81)
    firmware.conditions.add(DeviceFault.PROJECTOR)
    assert load(host, bytes(3)).status == 5


def test_a_schedule_is_forgotten_when_infrared_stops(host, firmware, imager):
    load(host, bytes([0, 0]))
    host.commit(1)
    host.stop(0x81)
    host.commit(1)
    firmware.next_slot()
    assert imager.exposures[-1].illumination is Illumination.DOTS


def test_stopping_what_does_not_run_keeps_the_schedule(host, firmware, imager):
    load(host, bytes([2]))
    host.stop(0x81)
    host.commit(1)
    firmware.next_slot()
    assert imager.exposures[-1].illumination is Illumination.FLOOD


def test_an_unreadable_request_is_malformed_and_an_unknown_prompt_unsupported(host):
    assert device_pb2.DeviceReply.FromString(host.ask(b"\xff")).status == 2
    assert device_pb2.DeviceReply.FromString(host.ask(b"")).status == 2
    assert ask(host, indicator=device_pb2.Indicator(prompt=77)).status == 3


def test_a_reply_is_read_once_and_not_past_its_end(host):
    host.ask(request(identity=device_pb2.IdentityRequest()))
    with pytest.raises(Stall):
        host.get(0xA1, GET_CUR, *REPLY, 256)


def test_a_reply_is_not_there_before_the_request_is_whole(host):
    message = request(schedule=device_pb2.IlluminationSchedule(nonce=bytes(8), slots=bytes(300)))
    host.put(0x21, SET, *COMMAND, struct.pack("<BBHHH", 5, 1, len(message), 0, 248) + message[:248])
    with pytest.raises(Stall):
        host.get(0xA1, GET_CUR, *REPLY, 256)
    host.put(
        0x21,
        SET,
        *COMMAND,
        (struct.pack("<BBHHH", 5, 2, len(message), 248, len(message) - 248) + message[248:]).ljust(256, b"\0"),
    )
    assert host.get(0xA1, GET_CUR, *REPLY, 256)[:2] == b"\x05\x03"


def test_a_reply_is_read_a_whole_chunk_at_a_time(host):
    host.put(0x21, SET, *COMMAND, b"\x01\x03\x02\x00\x00\x00\x02\x00\x1a\x00" + bytes(246))
    with pytest.raises(Stall):
        host.get(0xA1, GET_CUR, *REPLY, 64)
    assert len(host.get(0xA1, GET_CUR, *REPLY, 256)) == 256


def test_a_chunk_out_of_place_is_stalled(host):
    with pytest.raises(Stall):
        host.put(0x21, SET, *COMMAND, bytes(256))


@pytest.mark.parametrize("forget", ["configure", "reset"])
def test_configuring_or_resetting_forgets_what_the_host_has_set(host, firmware, imager, forget):
    host.put(0x21, SET, *EXPOSURE, struct.pack("<I", 99))
    ask(host, indicator=device_pb2.Indicator(prompt=2))
    load(host, bytes([0]))
    host.commit(1)
    (host.configure if forget == "configure" else firmware.reset)()
    assert not firmware.streaming
    host.configure()
    host.commit(1)
    firmware.next_slot()
    taken = imager.exposures[-1]
    assert (taken.exposure_us, taken.prompt, taken.illumination) == (2000, Prompt.NONE, Illumination.DOTS)


@pytest.mark.parametrize(
    ("kind", "lights"),
    [
        (SensorKind.STRUCTURED_LIGHT, [1]),
        (SensorKind.TIME_OF_FLIGHT, [1, 2, 3]),
        (SensorKind.PASSIVE_STEREO, [0, 1, 2, 3]),
    ],
)
def test_depth_goes_out_where_the_principle_measures_it(imager, host, kind, lights):
    emitters = ((Illumination.DOTS, 940), (Illumination.FLOOD, 940), (Illumination.FLOOD_SECOND, 850))
    imager.identity = replace(imager.identity, kind=kind, emitters=emitters)
    measured = imager.expose

    def always(exposure):
        return SlotImage(measured(exposure).infrared, np.full((480, 640), 4000 + exposure.slot, np.uint16), 36.5)

    imager.expose = always
    firmware = Firmware(imager)
    talk = type(host)(firmware.control)
    talk.configure()
    load(talk, bytes([0, 1, 2, 3]))
    talk.put(0x21, SET, COMMIT, 2, talk.probe(2, interval=333_333))
    talk.commit(1)
    found = [firmware.next_slot() for _ in range(4)]
    assert [light for light, frames in enumerate(found) if len(frames) == 2] == lights
