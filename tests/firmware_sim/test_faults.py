"""Faults: each shows on the wire as it does in the field, and everything else stays as it was."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from faceward_proto.v1 import device_pb2
from faceward_sim.faults import FAULTS, inject, parse_fault
from faceward_sim.firmware.device import Firmware
from faceward_sim.firmware.imager import Illumination
from faceward_sim.firmware.setup import NoAnswer, PowerLost, Stall


@pytest.fixture
def run(imager, host):
    """Takes slots of a faulty sensor: `run("name:slot", slots)` gives the frames of each slot."""

    def make(names: str, slots: int):
        faulty = inject(Firmware(imager), *(parse_fault(name) for name in names.split()))
        make.host = type(host)(faulty.control)
        make.faulty = faulty
        make.host.configure()
        make.host.commit(2)
        make.host.commit(1)
        return [faulty.next_slot() for _ in range(slots)]

    return make


def field(frame, at: int, layout: str = "<I") -> int:
    return struct.unpack_from(layout, frame.payloads[0], at)[0]


def body(frame) -> bytes:
    return b"".join(payload[88:] for payload in frame.payloads)


def health(host) -> device_pb2.Health:
    message = device_pb2.DeviceRequest(health=device_pb2.HealthRequest()).SerializeToString()
    return device_pb2.DeviceReply.FromString(host.ask(message)).health


def test_without_faults_a_sensor_is_as_it_was(run, imager):
    faulty = run("", 4)
    plain = Firmware(type(imager)())
    host = type(run.host)(plain.control)
    host.configure()
    host.commit(2)
    host.commit(1)
    again = [plain.next_slot() for _ in range(4)]
    assert [[bytes(p) for f in s for p in f.payloads] for s in faulty] == [
        [bytes(p) for f in s for p in f.payloads] for s in again
    ]


def test_unplug_and_brown_out_lose_power_at_their_slot(run):
    run("unplug:2", 2)
    for _ in range(2):
        with pytest.raises(PowerLost) as lost:
            run.faulty.next_slot()
        assert not lost.value.comes_back
    run("brown-out:2", 2)
    with pytest.raises(PowerLost) as lost:
        run.faulty.next_slot()
    assert lost.value.comes_back
    assert len(run.faulty.next_slot()) == 1
    assert list(health(run.host).faults) == [device_pb2.DEVICE_FAULT_BROWNOUT]


@pytest.mark.parametrize(
    ("fault", "endpoints"),
    [
        ("silent:3", [[0x81, 0x82], [0x81], [0x81], [], []]),
        ("silent-depth:1", [[0x81, 0x82], [0x81], [0x81], [0x81], [0x81]]),
        ("lost-frame:3", [[0x81, 0x82], [0x81], [0x81], [], [0x81]]),
        ("duplicate-frame:3", [[0x81, 0x82], [0x81], [0x81], [0x81, 0x82, 0x81, 0x82], [0x81]]),
    ],
)
def test_frames_stay_away_or_come_twice(run, fault, endpoints):
    assert [[frame.endpoint for frame in slot] for slot in run(fault, 5)] == endpoints


@pytest.mark.parametrize(("fault", "kind"), [("stop-blocks", NoAnswer), ("stop-stalls", Stall)])
def test_a_stop_that_does_not_stop(run, fault, kind):
    run(fault, 1)
    with pytest.raises(kind):
        run.host.stop(0x81)
    with pytest.raises(kind):
        run.host.put(0x01, 11, 0, 1)
    assert run.faulty.streaming
    run.host.put(0x01, 11, 0, 0)
    run.host.put(0x21, 1, 0x0400, 0x0100, struct.pack("<I", 30))


def test_a_dead_projector_leaves_dots_slots_dark_and_depth_zero_while_metadata_says_dots(run, imager):
    slots = run("zero-depth:3", 5)
    assert [exposure.illumination for exposure in imager.exposures] == [
        Illumination.DOTS,
        Illumination.FLOOD,
        Illumination.FLOOD,
        Illumination.OFF,
        Illumination.FLOOD,
    ]
    assert any(body(slots[0][1])) and not any(body(slots[3][1]))
    assert field(slots[3][0], 17, "<B") == Illumination.DOTS


def test_after_a_slip_the_light_lags_a_slot_behind_the_metadata(run, imager):
    slots = run("alternation-slip:2", 7)
    said = [field(slot[0], 17, "<B") for slot in slots]
    lit = [exposure.illumination for exposure in imager.exposures]
    assert said == [1, 2, 2, 1, 2, 2, 1]
    assert lit[3:] == said[2:-1] and lit != said
    assert [len(slot) for slot in slots] == [2, 1, 1, 2, 1, 1, 2]


def test_swapped_calibration_is_another_units(run, imager):
    run("swapped-calibration", 1)
    message = device_pb2.DeviceRequest(calibration=device_pb2.CalibrationRequest()).SerializeToString()
    read = device_pb2.DeviceReply.FromString(run.host.ask(message)).calibration
    assert read.baseline_mm == pytest.approx(46.0)
    assert read.infrared.fx_px == pytest.approx(0.9 * 554.0)
    assert imager.calibration.baseline_mm == 40.0


def test_an_overheated_sensor_says_so_and_then_falls_silent(run):
    slots = run("overheat:2", 9)
    assert [len(slot) > 0 for slot in slots] == [True] * 7 + [False] * 2
    assert [field(slot[0], 42, "<h") for slot in slots[:7]] == [3650] * 2 + [9600] * 5
    state = health(run.host)
    assert (list(state.faults), state.temperature_centi_c) == ([device_pb2.DEVICE_FAULT_OVERHEAT], 9600)


def test_counters_begin_at_zero_again(run):
    slots = run("counter-reset:3", 7)
    assert [(field(s[0], 20), field(s[0], 24)) for s in slots] == [(n, n) for n in (0, 1, 2, 0, 1, 2, 3)]
    assert [(field(s[1], 20), field(s[1], 24)) for s in slots if len(s) > 1] == [(0, 0), (0, 0), (1, 3)]


def test_the_clock_begins_at_zero_again(run):
    times = [field(slot[0], 28, "<Q") for slot in run("clock-reset:2", 4)]
    assert times[1] > 1_000_000 and times[2:] == [0, 33_334]


def test_a_wrong_config_hash_differs_in_every_payload(run, imager):
    (slot,) = run("wrong-config-hash", 1)
    right = run.faulty.firmware.config_hash()
    assert all(bytes(p[48:56]) != right for frame in slot for p in frame.payloads)


def test_garbage_metadata_leaves_the_standard_header_and_the_pixels(run):
    (slot,) = run("garbage-metadata", 1)
    payload = slot[0].payloads[0]
    assert payload[0] == 88 and bytes(payload[12:16]) != b"FWM1"
    assert np.frombuffer(payload[88:96], "<u2").tolist() == [0, 1, 2, 3]


def test_missing_metadata_leaves_twelve_bytes_of_header(run):
    (slot,) = run("missing-metadata", 1)
    assert [payload[0] for payload in slot[0].payloads] == [12] * 10
    assert sum(len(payload) - 12 for payload in slot[0].payloads) == 614_400
    assert slot[0].payloads[-1][1] & 2


@pytest.mark.parametrize(("fault", "sign"), [("short-frame:1", -1), ("overlong-frame:1", 1)])
def test_one_slot_has_the_wrong_length(run, fault, sign):
    lengths = [len(body(slot[0])) for slot in run(fault, 3)]
    assert lengths[0] == lengths[2] == 614_400
    assert (lengths[1] - 614_400) * sign > 0
    assert max(len(p) for slot in run(fault, 3) for p in slot[0].payloads) <= 65_536


def test_a_stuck_picture_has_metadata_that_goes_on(run):
    slots = run("stuck:1", 4)
    assert body(slots[0][0]) != body(slots[1][0]) == body(slots[2][0]) == body(slots[3][0])
    assert [field(slot[0], 24) for slot in slots] == [0, 1, 2, 3]


def test_a_stuck_frame_bit_does_not_toggle(run):
    assert [slot[0].payloads[0][1] & 1 for slot in run("stuck-fid:2", 6)] == [0, 1, 0, 0, 0, 0]


def test_garbage_descriptors_keep_lengths_interfaces_and_endpoints(imager):
    firmware = Firmware(imager)
    good = firmware.descriptors.configuration
    inject(firmware, parse_fault("garbage-descriptors"))
    bad = firmware.descriptors.configuration
    assert len(bad) == len(good) and bad != good
    at = 0
    while at < len(good):
        length, kind = good[at], good[at + 1]
        assert bad[at] == length
        assert (bad[at : at + length] == good[at : at + length]) == (kind != 0x24)
        at += length


def test_wrong_ids_are_in_the_device_descriptor(imager):
    faulty = inject(Firmware(imager), parse_fault("wrong-ids"))
    assert struct.unpack_from("<HH", faulty.descriptors.device, 8) == (0x1209, 0x0002)


def test_a_busy_sensor_is_claimed_elsewhere(imager):
    assert inject(Firmware(imager), parse_fault("busy")).claimed_elsewhere
    assert not inject(Firmware(imager), parse_fault("silent")).claimed_elsewhere


def test_faults_compose(run):
    slots = run("lost-frame:1 wrong-config-hash:2", 4)
    right = run.faulty.firmware.config_hash()
    assert [len(slot) for slot in slots] == [2, 0, 1, 2]
    assert [bytes(slot[0].payloads[0][48:56]) == right for slot in slots if slot] == [True, False, False]


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_fault_can_be_named(name, imager):
    assert FAULTS[name].description
    inject(Firmware(imager), parse_fault(name))


@pytest.mark.parametrize(
    "text", ["", "nothing", "unplug:", "unplug:-1", "unplug:x", "unplug:1:2", "busy:3", "unplug:²"]
)
def test_a_fault_that_is_not_there_is_refused_by_name(text):
    with pytest.raises(ValueError, match=r"fault"):
        parse_fault(text)
