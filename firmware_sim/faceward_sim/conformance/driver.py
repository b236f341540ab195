"""What every sensor driver must keep. Subclass `DriverContract` and say how to reach a sensor of its kind:

class TestMyDriver(DriverContract):
    @pytest.fixture
    def connect(self, faceward_sim_device):
        def connect(*faults):
            backend = faceward_sim_device(actor="live", seed=1, faults=faults)
            device = usb.core.find(idVendor=0x1209, idProduct=0x0001, backend=backend)
            return MyDriver(), device, SensorAddress("usb:1209:0001", 0x1209, 0x0001, "", "", "my-driver")

        return connect
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from faceward.plugin import (
    Calibration,
    CaptureCancelled,
    CaptureClaim,
    CaptureDigest,
    ConfigError,
    DeviceBusy,
    DeviceError,
    DeviceLost,
    DeviceNotAttested,
    DeviceTimeout,
    Health,
    Illumination,
    IlluminationSchedule,
    Prompt,
    Sensor,
    SensorAddress,
    SensorDriver,
    Stream,
    StreamProfile,
    digest_of,
    digest_schedule,
)

Connect = Callable[..., tuple[SensorDriver, object, SensorAddress]]

_SLOTS = bytes([1, 2, 2, 0, 1, 2, 1, 2, 2, 2, 0, 1, 2, 2, 1, 2] * 8)
_SCHEDULE = IlluminationSchedule(b"conformance kit.", _SLOTS)
_OUR_EVIDENCE = "faceward.sensor.v1"
_DEADLINE_S = 1.0
_HUNG_S = 30.0  # no measurement: whoever has not come back by then has no deadline at all


class DriverContract:
    """The contract of a driver, as tests. Faults that `connect` must be able to bring about: `silent:5`, `unplug:5`."""

    @pytest.fixture
    def connect(self) -> Connect:
        """Reaches a fresh sensor: `connect(*faults)` gives the driver, a usb.core.Device and its address."""
        raise pytest.UsageError("a subclass of DriverContract has a fixture `connect`: see its docstring")

    @pytest.fixture
    def opened(self, connect: Connect) -> Iterator[Callable[..., Sensor]]:
        """Opens sensors, each fresh, and closes what a test leaves open."""
        sensors: list[Sensor] = []

        def run(*faults: str) -> Sensor:
            driver, device, address = connect(*faults)
            sensors.append(driver.open(device, address))
            return sensors[-1]

        yield run
        for sensor in sensors:
            sensor.close()

    def test_it_names_itself_and_its_products(self, connect: Connect) -> None:
        driver, _, _ = connect()
        assert isinstance(driver.name, str)
        assert driver.name
        ids = [(match.vid, match.pid) for match in driver.matches]
        assert ids
        assert len(set(ids)) == len(ids)
        assert all(0 <= number <= 0xFFFF for pair in ids for number in pair)

    def test_a_sensor_describes_itself(self, opened: Callable[..., Sensor]) -> None:
        info = opened().info
        assert info.profiles
        assert info.streams
        assert info.slot_rate_hz > 0
        assert info.max_schedule_slots >= len(_SLOTS)
        assert isinstance(info.calibration, Calibration)
        assert 0 < info.calibration.depth_min_mm < info.calibration.depth_max_mm
        assert info.calibration.infrared.fx_px > 0
        assert all(isinstance(light, Illumination) for light in info.wavelengths_nm)

    def test_health_is_told(self, opened: Callable[..., Sensor]) -> None:
        assert isinstance(opened().health(), Health)

    def test_closing_twice_is_closing_once_and_the_sensor_can_be_had_again(self, connect: Connect) -> None:
        driver, device, address = connect()
        first = driver.open(device, address)
        first.close()
        first.close()
        second = driver.open(device, address)
        second.close()

    def test_stopping_is_idempotent_and_a_stopped_sensor_starts_again(self, opened: Callable[..., Sensor]) -> None:
        sensor = opened()
        sensor.stop()
        for _ in range(2):
            _start(sensor)
            assert sensor.read_slot().number == 0
            sensor.stop()
            sensor.stop()

    def test_a_sensor_that_is_open_is_busy_for_the_next(self, connect: Connect) -> None:
        driver, device, address = connect()
        with driver.open(device, address), pytest.raises(DeviceBusy):
            driver.open(_again(device), address).close()

    def test_slots_come_in_order_as_scheduled_with_depth_where_it_was_measured(
        self, opened: Callable[..., Sensor]
    ) -> None:
        sensor = opened()
        profile = _start(sensor)
        slots = [sensor.read_slot() for _ in range(16)]
        assert [slot.number for slot in slots] == list(range(16))
        times_us = [frame.device_time_us for slot in slots for frame in (slot.infrared,) if frame is not None]
        assert times_us == sorted(set(times_us))
        for slot in slots:
            for frame in (slot.infrared, slot.depth):
                if frame is None:
                    continue
                assert frame.illumination is Illumination(_SLOTS[frame.slot])
                assert (frame.width_px, frame.height_px) == (profile.width_px, profile.height_px)
                assert memoryview(frame.data).nbytes == 2 * frame.width_px * frame.height_px
                assert frame.digest == digest_of(frame.data)
                assert frame.exposure_us > 0
        if Stream.DEPTH in sensor.info.streams:
            assert any(slot.depth is not None for slot in slots)

    def test_a_frame_stays_what_it_was_while_others_come(self, opened: Callable[..., Sensor]) -> None:
        sensor = opened()
        _start(sensor)
        kept = [sensor.read_slot() for _ in range(4)]
        for _ in range(12):
            sensor.read_slot()
        for slot in kept:
            for frame in (slot.infrared, slot.depth):
                assert frame is None or digest_of(frame.data) == frame.digest

    def test_exposure_and_prompts_are_taken_while_slots_come(self, opened: Callable[..., Sensor]) -> None:
        sensor = opened()
        _start(sensor)
        sensor.read_slot()
        sensor.set_exposure(1500)
        for prompt in (Prompt.LOOK_STRAIGHT, Prompt.TURN_LEFT, Prompt.NONE):
            sensor.indicate(prompt)
        assert sensor.read_slot().number == 1

    @pytest.mark.parametrize("slots", [b"", bytes([1, 9, 2])], ids=["empty", "unknown-light"])
    def test_a_schedule_that_cannot_be_is_refused(self, opened: Callable[..., Sensor], slots: bytes) -> None:
        sensor = opened()
        with pytest.raises(ConfigError):
            sensor.start(sensor.info.profiles[0], IlluminationSchedule(_SCHEDULE.nonce, slots))

    def test_a_profile_that_is_not_the_sensors_is_refused(self, opened: Callable[..., Sensor]) -> None:
        with pytest.raises(ConfigError):
            opened().start(StreamProfile(17, 13, 30.0, 10.0), _SCHEDULE)

    def test_reading_before_the_start_is_an_error_of_the_tree(self, opened: Callable[..., Sensor]) -> None:
        with pytest.raises((DeviceError, ConfigError)):
            opened().read_slot(timeout_s=_DEADLINE_S)

    def test_reading_after_the_close_is_an_error_of_the_tree(self, opened: Callable[..., Sensor]) -> None:
        sensor = opened()
        _start(sensor)
        sensor.close()
        with pytest.raises((DeviceError, ConfigError)):
            sensor.read_slot(timeout_s=_DEADLINE_S)

    def test_a_silent_sensor_is_a_timeout_and_never_a_hang(self, opened: Callable[..., Sensor]) -> None:
        sensor = opened("silent:5")
        _start(sensor)
        error = _within(_HUNG_S, lambda: _read_until_error(sensor))
        assert isinstance(error, DeviceTimeout), error
        sensor.close()

    def test_an_unplugged_sensor_is_lost_and_still_closes(self, opened: Callable[..., Sensor]) -> None:
        sensor = opened("unplug:5")
        _start(sensor)
        error = _within(_HUNG_S, lambda: _read_until_error(sensor))
        assert isinstance(error, DeviceLost), error
        sensor.close()

    def test_cancelling_from_another_thread_ends_the_running_read_and_all_later_ones(
        self, opened: Callable[..., Sensor]
    ) -> None:
        sensor = opened("silent:5")
        _start(sensor)
        for _ in range(5):
            sensor.read_slot()
        timer = threading.Timer(0.1, sensor.cancel)
        timer.start()
        error = _within(_HUNG_S, lambda: _read_until_error(sensor, timeout_s=20.0))
        timer.join()
        assert isinstance(error, CaptureCancelled), error
        with pytest.raises(CaptureCancelled):
            sensor.read_slot(timeout_s=_DEADLINE_S)

    def test_what_a_sensor_claims_is_of_a_kind_that_can_be_verified(self, connect: Connect) -> None:
        driver, device, address = connect()
        with driver.open(device, address) as sensor:
            claim = sensor.claim
        if claim is not None:
            assert claim.proof
            assert claim.kind in {_OUR_EVIDENCE, *(scheme.kind for scheme in driver.evidence)}

    def test_a_sensor_that_claims_something_signs_what_it_saw_and_any_other_signs_nothing(
        self, opened: Callable[..., Sensor]
    ) -> None:
        sensor = opened()
        evidence = sensor.attest(_capture(sensor))
        if sensor.claim is None:
            assert evidence is None
        else:
            assert evidence is not None
            assert evidence.kind == sensor.claim.kind
            assert evidence.data

    @pytest.mark.parametrize("lie", ["digest", "slots", "key-frame"])
    def test_a_sensor_signs_nothing_that_it_did_not_see(self, opened: Callable[..., Sensor], lie: str) -> None:
        sensor = opened()
        seen = _capture(sensor)
        told = {
            "digest": replace(seen, capture_digest=bytes(32)),
            "slots": replace(seen, slots=seen.slots + 1),
            "key-frame": replace(seen, key_frames=(bytes(32),)),
        }[lie]
        if sensor.claim is None:
            assert sensor.attest(told) is None
        else:
            with pytest.raises(DeviceNotAttested):
                sensor.attest(told)


def _capture(sensor: Sensor) -> CaptureClaim:
    """Sixteen slots, and what the host saw of them."""
    _start(sensor)
    schedule = digest_schedule(_SCHEDULE)
    digest = CaptureDigest(sensor.info, _SCHEDULE.nonce, schedule)
    slots = [sensor.read_slot() for _ in range(16)]
    sensor.stop()
    for slot in slots:
        digest.add(slot)
    frames = tuple(slot.infrared.digest for slot in slots if slot.infrared is not None)
    return CaptureClaim(_SCHEDULE.nonce, schedule, digest.close(), len(slots), frames[:2], b"g" * 32)


def _start(sensor: Sensor) -> StreamProfile:
    profile = min(sensor.info.profiles, key=lambda offered: offered.width_px * offered.height_px)
    sensor.start(profile, _SCHEDULE)
    return profile


def _again(device: object) -> object:
    """Another handle on the same device, where pyusb can find one."""
    import usb.core

    if isinstance(device, usb.core.Device):
        return usb.core.find(backend=device.backend, idVendor=device.idVendor, idProduct=device.idProduct)
    return device


def _read_until_error(sensor: Sensor, timeout_s: float = _DEADLINE_S) -> Exception | None:
    stop_by = time.monotonic() + _HUNG_S
    try:
        while time.monotonic() < stop_by:
            sensor.read_slot(timeout_s=timeout_s)
    except (DeviceError, CaptureCancelled) as error:
        return error
    return None


def _within(seconds: float, work: Callable[[], Exception | None]) -> Exception | None:
    found: list[Exception | None] = []
    thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
    thread.start()
    thread.join(seconds)
    assert found, f"no answer within {seconds:g} s: a call without a deadline"
    return found[0]
