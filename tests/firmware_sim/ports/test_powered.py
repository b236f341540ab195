"""The slots' clock against a wall clock that the test turns."""

from __future__ import annotations

import itertools
import struct
import threading

import pytest
from faceward_sim.faults import inject, parse_fault
from faceward_sim.firmware.device import Firmware
from faceward_sim.ports.endpoint import Transfer
from faceward_sim.ports.powered import Occupied, Pace, PoweredSensor, Unplugged


class Wall:
    """A wall clock that jumps to wherever the sensor looks next, so that no test waits."""

    def __init__(self, step_s: float) -> None:
        self.now_s = 0.0
        self._step_s = step_s

    def __call__(self) -> float:
        self.now_s += self._step_s
        return self.now_s


def read(sensor: PoweredSensor, length: int = 65_536) -> bytes:
    ended = threading.Event()
    transfer = Transfer(length, lambda _: ended.set())
    sensor.submit(0x81, transfer)
    assert ended.wait(20)
    return b"".join(transfer.pieces)


def commit(sensor: PoweredSensor, host) -> None:
    type(host)(sensor.control).commit(1, frame=2)


def test_in_real_time_late_slots_are_lost_with_their_numbers(imager, host):
    sensor = PoweredSensor(Firmware(imager), pace=Pace.REAL, now_s=Wall(0.1))
    try:
        commit(sensor, host)
        slots = []
        while len(slots) < 4:
            payload = read(sensor)
            if payload[1] & 2:
                sequence, slot = struct.unpack_from("<II", payload, 20)
                assert sequence == slot
                slots.append(slot)
        # The wall moves by three slots at every look.
        assert all(later - earlier >= 2 for earlier, later in itertools.pairwise(slots))
        assert sensor.firmware.dropped_frames > 0
    finally:
        sensor.close()


def test_in_lockstep_at_most_in_real_time_a_slot_takes_a_period_of_the_wall(imager, host):
    wall = Wall(1e-3)
    sensor = PoweredSensor(Firmware(imager), at_most_real_time=True, now_s=wall)
    try:
        commit(sensor, host)
        for _ in range(4 * 3):
            read(sensor)
        assert wall.now_s >= 4 / 30
        assert sensor.firmware.dropped_frames == 0
    finally:
        sensor.close()


def test_in_lockstep_a_frame_too_many_is_kept_for_the_host(imager, host):
    faulty = inject(Firmware(imager), parse_fault("duplicate-frame:1"))
    sensor = PoweredSensor(faulty, patience_s=1e6)
    try:
        commit(sensor, host)
        slots = [struct.unpack_from("<I", read(sensor), 24)[0] for _ in range(5 * 3)]
        assert slots[::3] == [0, 1, 1, 2, 3]
    finally:
        sensor.close()


def test_one_host_at_a_time(firmware):
    sensor = PoweredSensor(firmware)
    try:
        sensor.acquire("one")
        with pytest.raises(Occupied):
            sensor.acquire("two")
        sensor.release("two")
        with pytest.raises(Occupied):
            sensor.acquire("two")
        sensor.release("one")
        sensor.acquire("two")
    finally:
        sensor.close()


def test_after_unplugging_nothing_works_and_the_owner_was_told(firmware):
    sensor = PoweredSensor(firmware)
    told = threading.Event()
    sensor.acquire("one", told.set)
    sensor.unplug()
    assert told.is_set()
    with pytest.raises(Unplugged):
        sensor.acquire("one")
    with pytest.raises(Unplugged):
        sensor.control(bytes([0x80, 0, 0, 0, 0, 0, 2, 0]))
    with pytest.raises(Unplugged):
        sensor.submit(0x81, Transfer(512, lambda _: None))
    assert sensor.wait_unplugged(0)
    sensor.close()
