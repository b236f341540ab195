from __future__ import annotations

import hashlib
import struct
from dataclasses import astuple, replace
from typing import Any

import pytest
from faceward.capture.digest import CaptureDigest, digest_calibration, digest_schedule
from faceward.errors import DeviceProtocolError
from faceward.model.frame import Illumination, IlluminationSchedule, Slot, Stream

SCHEDULE = bytes(range(32))


def test_the_layout_is_the_documented_one(script: Any) -> None:
    def counted(data: bytes) -> bytes:
        return struct.pack("<H", len(data)) + data

    slot = script.slot(3, Illumination.DOTS)
    words = (b"Faceward", b"scripted", b"S1", b"1.0", b"A")
    opening = b"faceward.capture.v1\0" + b"".join(counted(word) for word in words) + b"\x01"
    opening += digest_calibration(script.CALIBRATION) + counted(b"nonce678") + SCHEDULE
    expected = hashlib.sha256(opening).digest()
    for frame in (slot.infrared, slot.depth):
        record = b"FWM1" + bytes([frame.stream, 1])
        record += struct.pack("<HIIQIHhI", 940, 3, 3, 3 * script.SLOT_US, 2_000, 100, 3_500, 16) + b"confhash"
        expected = hashlib.sha256(expected + record + hashlib.sha256(frame.data).digest()).digest()
    chain = CaptureDigest(script.INFO, b"nonce678", SCHEDULE)
    chain.add(slot)
    assert chain.close() == hashlib.sha256(expected + struct.pack("<I", 2)).digest()


@pytest.mark.parametrize(
    "change",
    [
        {"illumination": Illumination.OFF}, {"wavelength_nm": 850}, {"gain": 1.01}, {"slot": 9}, {"sequence": 9},
        {"exposure_us": 2_001}, {"device_time_us": 7}, {"config_hash": b"otherone"}, {"digest": bytes(32)},
        {"stream": Stream.DEPTH}, {"temperature_c": 35.01}, {"data": bytes(18)},
    ],
)  # fmt: skip
def test_every_field_of_a_frame_changes_the_digest(script: Any, change: dict[str, Any]) -> None:
    slot = script.slot(3, Illumination.FLOOD)
    digests = set()
    for frame in (slot.infrared, replace(slot.infrared, **change)):
        chain = CaptureDigest(script.INFO, b"nonce678", SCHEDULE)
        chain.add(Slot(frame))
        digests.add(chain.close())
    assert len(digests) == 2


def test_the_sensor_the_nonce_the_schedule_and_the_order_change_the_digest(script: Any) -> None:
    a, b = script.slot(0, Illumination.FLOOD), script.slot(1, Illumination.FLOOD)
    moved = replace(script.CALIBRATION, baseline_mm=41.0)
    opened = [
        (script.INFO, b"nonce678", SCHEDULE, (a, b)),
        (script.INFO, b"nonce679", SCHEDULE, (a, b)),
        (script.INFO, b"nonce678", bytes(32), (a, b)),
        (script.INFO, b"nonce678", SCHEDULE, (b, a)),
        (script.INFO, b"nonce678", SCHEDULE, (a,)),
        (replace(script.INFO, serial="S2"), b"nonce678", SCHEDULE, (a, b)),
        (replace(script.INFO, vendor="Facewards", model="cripted"), b"nonce678", SCHEDULE, (a, b)),
        (replace(script.INFO, calibration=moved), b"nonce678", SCHEDULE, (a, b)),
    ]
    digests = set()
    for sensor, nonce, schedule, slots in opened:
        chain = CaptureDigest(sensor, nonce, schedule)
        for slot in slots:
            chain.add(slot)
        digests.add(chain.close())
    assert len(digests) == len(opened)


def test_every_number_of_the_calibration_counts(script: Any) -> None:
    flat = [value for value in astuple(script.CALIBRATION) if not isinstance(value, tuple)]
    digests = {digest_calibration(script.CALIBRATION)}
    names = [name for name in script.CALIBRATION.__dataclass_fields__ if name not in ("infrared", "depth")]
    for name in names:
        value = getattr(script.CALIBRATION, name)
        digests.add(digest_calibration(replace(script.CALIBRATION, **{name: value + 1.0})))
    assert len(digests) == 1 + len(flat)


@pytest.mark.parametrize("change", [{"slot": 1 << 32}, {"exposure_us": -1}, {"gain": float("nan")}, {"digest": b""}])
def test_metadata_that_the_layout_cannot_hold_is_the_sensors_fault(script: Any, change: dict[str, Any]) -> None:
    chain = CaptureDigest(script.INFO, b"nonce678", SCHEDULE)
    with pytest.raises(DeviceProtocolError):
        chain.add(Slot(replace(script.slot(3, Illumination.FLOOD).infrared, **change)))


def test_a_sensor_that_names_itself_endlessly_is_refused(script: Any) -> None:
    with pytest.raises(DeviceProtocolError):
        CaptureDigest(replace(script.INFO, vendor="x" * 70_000), b"nonce678", SCHEDULE)


def test_the_schedules_digest_depends_on_nonce_and_slots_and_on_where_one_ends() -> None:
    digests = {
        digest_schedule(IlluminationSchedule(b"12345678", b"\1\2")),
        digest_schedule(IlluminationSchedule(b"12345678\1", b"\2")),
        digest_schedule(IlluminationSchedule(b"12345678", b"\2\1")),
    }
    assert len(digests) == 3
    assert digest_schedule(IlluminationSchedule(b"12345678", b"\1\2")).hex() == (
        hashlib.sha256(b"faceward.schedule.v1\0\x08\x00" + b"12345678\1\2").hexdigest()
    )
