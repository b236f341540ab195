"""The UVC driver against the simulated firmware, over both ways to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from faceward.errors import (
    CaptureCancelled,
    ConfigError,
    DeviceBusy,
    DeviceDenied,
    DeviceError,
    DeviceFault,
    DeviceLost,
    DeviceProtocolError,
    DeviceTimeout,
)
from faceward.hal.sensor import SensorAddress
from faceward.hal.usb import Stalled
from faceward.hal.uvc import UvcDriver
from faceward.model.frame import Illumination, IlluminationSchedule, Prompt, SensorKind, Stream, digest_of
from faceward_sim.faults import FAULTS
from faceward_sim.firmware.messages import DeviceFault as SimulatedFault

MakeRig = Callable[..., Any]


def test_a_sensor_says_what_it_is(make_rig: MakeRig, transport: str) -> None:
    with make_rig().open() as sensor:
        info = sensor.info
    assert (info.vendor, info.model, info.serial, info.firmware_version) == ("Faceward", "sl-940", "TEST0001", "1.0.0")
    assert (info.kind, info.transport, info.driver) == (SensorKind.STRUCTURED_LIGHT, transport, "uvc")
    assert info.wavelengths_nm == {Illumination.DOTS: 940, Illumination.FLOOD: 940}
    assert (info.slot_rate_hz, info.max_schedule_slots) == (30.0, 4096)
    assert info.calibration.infrared.fx_px == 554.0
    assert info.calibration.depth_unit_um == 125.0
    assert [(p.width_px, p.height_px, p.infrared_rate_hz, p.depth_rate_hz) for p in info.profiles] == [
        (640, 480, 30.0, 10.0),
        (320, 240, 30.0, 10.0),
    ]
    assert info.profiles[0].bandwidth_bytes_per_s == 640 * 480 * 2 * 40


@pytest.mark.parametrize("number", [0, 1])
def test_slots_come_in_order_with_depth_where_the_schedule_says_dots(
    make_rig: MakeRig, schedule: IlluminationSchedule, number: int
) -> None:
    rig = make_rig()
    with rig.open() as sensor:
        profile = sensor.info.profiles[number]
        sensor.start(profile, schedule)
        last_us = None
        for index in range(40):
            slot = sensor.read_slot()
            infrared, depth = slot.infrared, slot.depth
            assert (infrared.stream, infrared.slot, infrared.sequence) == (Stream.INFRARED, index, index)
            assert infrared.illumination == schedule.slots[index]
            assert infrared.wavelength_nm == (940 if infrared.illumination else 0)
            assert (depth is not None) == (infrared.illumination is Illumination.DOTS)
            assert infrared.pixels.shape == (profile.height_px, profile.width_px)
            assert not infrared.pixels.flags.writeable
            assert infrared.digest == digest_of(infrared.data)
            assert infrared.temperature_c == 36.5
            assert len(infrared.config_hash) == 8
            assert len(infrared.tag) == 32
            if depth is not None:
                assert (depth.stream, depth.slot) == (Stream.DEPTH, index)
                assert depth.pixels.shape == (profile.height_px, profile.width_px)
                assert np.all(depth.pixels == 3200 + index)
                assert depth.digest == digest_of(depth.data)
            if last_us is not None:
                assert abs(infrared.device_time_us - last_us - 33_333) <= 1
            last_us = infrared.device_time_us


def test_pixels_arrive_as_the_imager_made_them(make_rig: MakeRig, schedule: IlluminationSchedule) -> None:
    rig = make_rig()
    with rig.open() as sensor:
        sensor.start(sensor.info.profiles[0], schedule)
        for _ in range(5):
            slot = sensor.read_slot()
            again = rig.imager.picture(rig.imager.exposures[slot.infrared.slot])
            assert np.array_equal(slot.infrared.pixels, again.infrared)


def test_frames_stay_what_they_were_while_others_come(make_rig: MakeRig, schedule: IlluminationSchedule) -> None:
    with make_rig().open() as sensor:
        sensor.start(sensor.info.profiles[1], schedule)
        slots = [sensor.read_slot() for _ in range(50)]
    assert all(slot.infrared.digest == digest_of(slot.infrared.data) for slot in slots)
    assert len({slot.infrared.digest for slot in slots}) == 50


def test_a_sensor_can_be_started_again_after_it_stopped(make_rig: MakeRig, schedule: IlluminationSchedule) -> None:
    other = IlluminationSchedule(b"another nonce 16", bytes(reversed(schedule.slots)))
    with make_rig().open() as sensor:
        hashes = []
        for used in (schedule, other):
            sensor.start(sensor.info.profiles[1], used)
            slots = [sensor.read_slot() for _ in range(20)]
            assert [slot.infrared.slot for slot in slots] == list(range(20))
            assert bytes(slot.infrared.illumination for slot in slots) == used.slots[:20]
            hashes.append(slots[0].infrared.config_hash)
            sensor.stop()
            sensor.stop()
        assert hashes[0] != hashes[1]


def test_past_the_end_of_the_schedule_slots_are_dark(make_rig: MakeRig) -> None:
    with make_rig().open() as sensor:
        sensor.start(sensor.info.profiles[1], IlluminationSchedule(b"12345678", bytes([1, 2])))
        lights = [sensor.read_slot().infrared.illumination for _ in range(6)]
    assert lights == [1, 2, 0, 0, 0, 0]


def test_exposure_and_prompt_change_while_slots_stream(make_rig: MakeRig, schedule: IlluminationSchedule) -> None:
    rig = make_rig()
    with rig.open() as sensor:
        sensor.start(sensor.info.profiles[1], schedule)
        sensor.read_slot()
        sensor.set_exposure(7_300, 2.5)
        sensor.indicate(Prompt.SMILE)
        found = next(
            slot.infrared
            for slot in (sensor.read_slot() for _ in range(100))
            if slot.infrared.exposure_us == 7_300 and slot.infrared.gain == 2.5
        )
        assert found.slot > 0
        while sensor.read_slot().infrared.slot < found.slot + 40:
            pass
    assert rig.imager.exposures[-1].prompt == Prompt.SMILE


def test_an_exposure_out_of_range_becomes_the_nearest(make_rig: MakeRig, schedule: IlluminationSchedule) -> None:
    with make_rig().open() as sensor:
        sensor.set_exposure(1_000_000, 99.0)
        sensor.start(sensor.info.profiles[1], schedule)
        frame = sensor.read_slot().infrared
        assert (frame.exposure_us, frame.gain) == (33_000, 16.0)


@pytest.mark.parametrize(("exposure_us", "gain"), [(0, 1.0), (-5, 1.0), (1000, 0.0), (1000, float("nan"))])
def test_an_exposure_that_is_none_is_refused(make_rig: MakeRig, exposure_us: int, gain: float) -> None:
    with make_rig(way="usb").open() as sensor, pytest.raises(ConfigError, match="no exposure"):
        sensor.set_exposure(exposure_us, gain)


def test_health_is_the_sensors_own_report(make_rig: MakeRig) -> None:
    rig = make_rig()
    with rig.open() as sensor:
        assert sensor.health().faults == ()
        rig.powered.firmware.firmware.conditions.update({SimulatedFault.FLOOD, SimulatedFault.CLOCK})
        health = sensor.health()
    assert set(health.faults) == {"flood", "clock"}
    assert health.uptime_us > 0


def test_a_sensor_with_a_fault_does_not_start_and_names_it(make_rig: MakeRig, schedule: IlluminationSchedule) -> None:
    rig = make_rig()
    with rig.open() as sensor:
        rig.powered.firmware.firmware.conditions.add(SimulatedFault.PROJECTOR)
        with pytest.raises(DeviceFault, match="projector") as caught:
            sensor.start(sensor.info.profiles[0], schedule)
    assert caught.value.fault == "projector"


@pytest.mark.parametrize(
    ("slots", "words"),
    [(b"", "slots on this sensor"), (bytes(5000), "slots on this sensor"), (bytes([1, 3]), "no light 3")],
)
def test_a_schedule_that_the_sensor_has_not_is_refused(make_rig: MakeRig, slots: bytes, words: str) -> None:
    with make_rig(way="usb").open() as sensor, pytest.raises(ConfigError, match=words):
        sensor.start(sensor.info.profiles[0], IlluminationSchedule(b"12345678", slots))


def test_a_short_nonce_is_refused(make_rig: MakeRig) -> None:
    with make_rig(way="usb").open() as sensor, pytest.raises(ConfigError, match="nonce"):
        sensor.start(sensor.info.profiles[0], IlluminationSchedule(b"1234567", bytes([1])))


def test_a_profile_that_the_sensor_has_not_is_refused(make_rig: MakeRig, schedule: IlluminationSchedule) -> None:
    with make_rig(way="usb").open() as sensor, pytest.raises(ConfigError, match="no profile 800 x 600"):
        sensor.start(replace(sensor.info.profiles[0], width_px=800, height_px=600), schedule)


def test_starting_twice_is_refused(make_rig: MakeRig, schedule: IlluminationSchedule) -> None:
    with make_rig(way="usb").open() as sensor:
        sensor.start(sensor.info.profiles[1], schedule)
        with pytest.raises(ConfigError, match="already"):
            sensor.start(sensor.info.profiles[1], schedule)


def test_reading_before_the_start_is_refused(make_rig: MakeRig) -> None:
    with make_rig(way="usb").open() as sensor, pytest.raises(ConfigError, match="start it first"):
        sensor.read_slot()


def test_a_closed_sensor_says_so(make_rig: MakeRig, schedule: IlluminationSchedule) -> None:
    sensor = make_rig(way="usb").open()
    sensor.close()
    sensor.close()
    for call in (
        lambda: sensor.start(sensor.info.profiles[0], schedule),
        sensor.read_slot,
        sensor.health,
        lambda: sensor.set_exposure(100),
        lambda: sensor.indicate(Prompt.DONE),
    ):
        with pytest.raises(DeviceLost, match="closed"):
            call()


def test_a_closed_sensor_can_be_opened_again(make_rig: MakeRig, schedule: IlluminationSchedule) -> None:
    rig = make_rig()
    for _ in range(2):
        with rig.open() as sensor:
            sensor.start(sensor.info.profiles[1], schedule)
            assert sensor.read_slot().infrared.slot == 0


def test_cancelling_ends_a_read_that_waits(make_rig: MakeRig, schedule: IlluminationSchedule) -> None:
    with make_rig("silent").open() as sensor:
        sensor.start(sensor.info.profiles[1], schedule)
        timer = threading.Timer(0.1, sensor.cancel)
        timer.start()
        began = time.monotonic()
        with pytest.raises(CaptureCancelled):
            sensor.read_slot(timeout_s=30.0)
        assert time.monotonic() - began < 15.0
        timer.join()
        with pytest.raises(CaptureCancelled):
            sensor.read_slot()
        sensor.stop()
        sensor.start(sensor.info.profiles[1], schedule)
        with pytest.raises(CaptureCancelled):
            sensor.read_slot()


def test_a_host_that_reads_late_loses_nothing_for_a_second(make_rig: MakeRig, schedule: IlluminationSchedule) -> None:
    with make_rig().open() as sensor:
        sensor.start(sensor.info.profiles[1], schedule)
        time.sleep(0.3)
        assert [sensor.read_slot().infrared.slot for _ in range(60)] == list(range(60))


# What each fault of the field ends in: at opening, at starting, in a read, in the stop.
READ_FAULTS: dict[str, tuple[type[DeviceError], str]] = {
    "brown-out:20": (DeviceLost, "endpoint|control"),
    "clock-reset:20": (DeviceProtocolError, "clock"),
    "counter-reset:20": (DeviceProtocolError, "where"),
    "duplicate-frame:20": (DeviceProtocolError, "came twice"),
    "garbage-metadata": (DeviceProtocolError, "metadata"),
    "garbage-metadata:20": (DeviceProtocolError, "metadata"),
    "lost-frame:20": (DeviceProtocolError, "did not come"),
    "missing-metadata": (DeviceProtocolError, "metadata"),
    "overheat:20": (DeviceFault, "too hot"),
    "overlong-frame:20": (DeviceProtocolError, "slot 20: the (infrared|depth) frame has"),
    "short-frame:20": (DeviceProtocolError, "slot 20: the (infrared|depth) frame ends"),
    "silent": (DeviceTimeout, "next slot"),
    "silent:20": (DeviceTimeout, "next slot"),
    "silent-depth": (DeviceTimeout, "depth frame of slot 0"),
    "stuck:20": (DeviceFault, "same"),
    "stuck-fid:20": (DeviceProtocolError, "toggle"),
    "unplug:20": (DeviceLost, "endpoint|control"),
    "wrong-config-hash": (DeviceProtocolError, "configuration"),
    "zero-depth": (DeviceFault, "without any depth"),
}


@pytest.mark.parametrize("fault", READ_FAULTS)
def test_a_fault_ends_the_stream_with_its_error_and_in_time(
    make_rig: MakeRig, schedule: IlluminationSchedule, fault: str
) -> None:
    expected, words = READ_FAULTS[fault]
    with make_rig(fault).open() as sensor:
        sensor.start(sensor.info.profiles[1 if fault != "overlong-frame:20" else 0], schedule)
        began = time.monotonic()
        with pytest.raises(DeviceError, match=words) as caught:
            for _ in range(60):
                sensor.read_slot(timeout_s=1.0)
        assert type(caught.value) is expected
        # Generous: 60 reads of at most a second each would be a minute.
        assert time.monotonic() - began < 20.0
        with pytest.raises(expected):
            sensor.read_slot(timeout_s=1.0)


def test_every_fault_of_the_simulator_is_accounted_for() -> None:
    elsewhere = {"busy", "garbage-descriptors", "wrong-ids", "stop-blocks", "stop-stalls"}
    # Only what a picture shows gives these away: challenge-echo's and the gates' work.
    to_the_eye = {"alternation-slip", "swapped-calibration"}
    assert {name.partition(":")[0] for name in READ_FAULTS} | elsewhere | to_the_eye == set(FAULTS)


def test_the_stuck_sensor_and_the_dead_projector_have_names(make_rig: MakeRig, schedule: IlluminationSchedule) -> None:
    for fault, name in (("stuck", "stuck"), ("zero-depth", "projector"), ("overheat", "overheat")):
        with make_rig(fault, way="usb").open() as sensor:
            sensor.start(sensor.info.profiles[1], schedule)
            with pytest.raises(DeviceFault) as caught:
                for _ in range(100):
                    sensor.read_slot()
            assert caught.value.fault == name


def test_a_busy_sensor_is_busy(make_rig: MakeRig) -> None:
    with pytest.raises(DeviceBusy):
        make_rig("busy").open()


def test_a_sensor_in_use_is_busy_for_the_next(make_rig: MakeRig) -> None:
    rig = make_rig(way="usb")
    with rig.open(), pytest.raises(DeviceBusy):
        rig.open()


def test_garbage_descriptors_are_a_protocol_error(make_rig: MakeRig) -> None:
    with pytest.raises(DeviceProtocolError, match="descriptors"):
        make_rig("garbage-descriptors").open()


def test_a_stop_that_is_never_answered_times_out_and_the_sensor_still_closes(
    make_rig: MakeRig, schedule: IlluminationSchedule
) -> None:
    sensor = make_rig("stop-blocks").open()
    sensor.start(sensor.info.profiles[1], schedule)
    sensor.read_slot()
    began = time.monotonic()
    with pytest.raises(DeviceTimeout):
        sensor.stop(timeout_s=0.5)
    sensor.stop(timeout_s=0.5)
    sensor.close()
    assert time.monotonic() - began < 10.0


def test_a_stop_that_is_refused_says_so(make_rig: MakeRig, schedule: IlluminationSchedule) -> None:
    sensor = make_rig("stop-stalls").open()
    sensor.start(sensor.info.profiles[1], schedule)
    sensor.read_slot()
    with pytest.raises(Stalled):
        sensor.stop()
    sensor.close()


@pytest.mark.parametrize("slot", [0, 1, 7, 13])
def test_a_sensor_that_is_pulled_out_while_slots_come_is_lost(
    make_rig: MakeRig, schedule: IlluminationSchedule, slot: int
) -> None:
    rig = make_rig()
    with rig.open() as sensor:
        sensor.start(sensor.info.profiles[1], schedule)
        for _ in range(slot):
            sensor.read_slot()
        rig.powered.unplug()
        with pytest.raises(DeviceLost):
            for _ in range(200):
                sensor.read_slot()
        for call in (sensor.health, lambda: sensor.indicate(Prompt.DONE), lambda: sensor.set_exposure(1000)):
            with pytest.raises(DeviceLost):
                call()
        sensor.stop()


def test_a_sensor_that_is_pulled_out_between_calls_is_lost(make_rig: MakeRig, schedule: IlluminationSchedule) -> None:
    rig = make_rig()
    with rig.open() as sensor:
        rig.powered.unplug()
        with pytest.raises(DeviceLost):
            sensor.start(sensor.info.profiles[1], schedule)


def test_a_sensor_that_was_pulled_out_before_it_opened_is_lost(make_rig: MakeRig) -> None:
    rig = make_rig()
    device = rig.device()
    rig.powered.unplug()
    with pytest.raises(DeviceLost):
        UvcDriver().open(device, SensorAddress("usb:", 0x1209, 1, "", "", "uvc"))


def test_a_waiting_read_learns_at_once_that_the_sensor_is_gone(
    make_rig: MakeRig, schedule: IlluminationSchedule
) -> None:
    rig = make_rig("silent")
    with rig.open() as sensor:
        sensor.start(sensor.info.profiles[1], schedule)
        timer = threading.Timer(0.1, rig.powered.unplug)
        timer.start()
        began = time.monotonic()
        with pytest.raises(DeviceLost):
            sensor.read_slot(timeout_s=30.0)
        assert time.monotonic() - began < 15.0
        timer.join()


def test_opening_keeps_its_deadline(make_rig: MakeRig) -> None:
    with pytest.raises(DeviceTimeout):
        make_rig(way="usb").open(timeout_s=0.0)


def test_a_kernel_driver_lets_go_and_gets_its_interfaces_back(make_rig: MakeRig) -> None:
    rig = make_rig(way="usb", kernel_driver=True)
    device = rig.device()
    with rig.open() as sensor:
        assert sensor.health().faults == ()
        assert not any(device.is_kernel_driver_active(number) for number in range(3))
    assert all(device.is_kernel_driver_active(number) for number in range(3))


def test_a_user_without_permission_is_told(make_rig: MakeRig) -> None:
    with pytest.raises(DeviceDenied, match="faceward doctor"):
        make_rig(way="usb", denied=True).open()
