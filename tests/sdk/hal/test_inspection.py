"""What must hold from slot to slot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from faceward.errors import DeviceFault, DeviceProtocolError
from faceward.hal.inspection import DEAD_DEPTH_FRAMES, Expectations, SlotInspector, measures_depth
from faceward.model.frame import Frame, Illumination, IlluminationSchedule, SensorKind, Stream, digest_of

SLOTS = bytes([1, 2, 0, 1, 0, 0, 1, 2] * 20)
EXPECTED = Expectations(
    SensorKind.STRUCTURED_LIGHT,
    {Illumination.DOTS: 940, Illumination.FLOOD: 850},
    30.0,
    IlluminationSchedule(b"nonce nonce", SLOTS),
    b"CONFHASH",
)


def frame(stream: Stream, slot: int, /, **changes: Any) -> Frame:
    light = Illumination(SLOTS[slot]) if slot < len(SLOTS) else Illumination.OFF
    sequence = slot if stream is Stream.INFRARED else SLOTS[:slot].count(1)
    data = slot.to_bytes(4, "little") + bytes([stream] * 4)
    made = Frame(
        stream, 2, 2, data, sequence, slot, 1_700_000 + slot * 1_000_000 // 30, 2000, 1.0, light,
        {1: 940, 2: 850}.get(light, 0), 36.5, b"CONFHASH", digest_of(data),
    )  # fmt: skip
    return replace(made, **changes)


def feed(inspector: SlotInspector, slot: int, infrared: dict[str, Any] | None = None, **depth: Any) -> None:
    taken = frame(Stream.INFRARED, slot, **(infrared or {}))
    wanted = inspector.wants_depth(taken)
    inspector.accept(taken, frame(Stream.DEPTH, slot, **depth) if wanted else None)


def fed(count: int, expected: Expectations = EXPECTED) -> SlotInspector:
    inspector = SlotInspector(expected)
    for slot in range(count):
        feed(inspector, slot)
    return inspector


def test_a_stream_that_keeps_every_rule_passes_to_its_end_and_beyond() -> None:
    inspector = fed(len(SLOTS) + 10)
    with pytest.raises(DeviceProtocolError, match=f"slot 0 with sequence 0 came where {len(SLOTS) + 10} was due"):
        feed(inspector, 0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"slot": 4, "sequence": 4}, "slot 3 did not come"),
        ({"slot": 6, "sequence": 6}, "slots 3 to 5 did not come"),
        ({"slot": 2, "sequence": 2}, "slot 2 came twice"),
        ({"slot": 0, "sequence": 0}, "slot 0 with sequence 0 came where 3"),
        ({"slot": 3, "sequence": 4}, "sequence 4 came where 3"),
        ({"config_hash": b"CONFHASX"}, "another configuration"),
        ({"illumination": Illumination.FLOOD}, "FLOOD, the schedule says DOTS"),
        ({"wavelength_nm": 850}, "850 nm, not 940"),
        ({"device_time_us": 1_700_000 + 66_666}, "clock moved by 0"),
        ({"device_time_us": 1_700_000 + 66_666 + 33_333 + 8_400}, "clock"),
        ({"device_time_us": 1_700_000 + 66_666 + 33_333 - 8_400}, "clock"),
        ({"device_time_us": 5}, "clock"),
    ],
)
def test_an_infrared_frame_that_breaks_a_rule_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DeviceProtocolError, match=words):
        feed(fed(3), 3, changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sequence": 2}, "depth frame 2 came where 1"),
        ({"illumination": Illumination.FLOOD}, "different things"),
        ({"exposure_us": 2001}, "different things"),
        ({"device_time_us": 1_700_000 + 100_000 + 16_700}, "not taken together"),
        ({"config_hash": b"CONFHASX"}, "another configuration"),
        ({"wavelength_nm": 0}, "0 nm"),
    ],
)
def test_a_depth_frame_that_breaks_a_rule_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DeviceProtocolError, match=words):
        feed(fed(3), 3, **changes)


def test_a_little_jitter_is_no_fault() -> None:
    inspector = SlotInspector(EXPECTED)
    for slot in range(60):
        jitter_us = 2000 if slot % 2 else 0
        taken = frame(Stream.INFRARED, slot, device_time_us=1_700_000 + slot * 1_000_000 // 30 + jitter_us)
        assert inspector.wants_depth(taken) is (SLOTS[slot] == Illumination.DOTS)
        inspector.accept(taken, frame(Stream.DEPTH, slot) if SLOTS[slot] == Illumination.DOTS else None)


def test_a_clock_that_runs_away_slowly_is_found() -> None:
    inspector = SlotInspector(EXPECTED)
    with pytest.raises(DeviceProtocolError, match="clock"):
        for slot in range(100):
            feed(
                inspector, slot, {"device_time_us": 1_700_000 + slot * 34_000}, device_time_us=1_700_000 + slot * 34_000
            )


def test_a_sensor_that_is_too_hot_is_a_fault() -> None:
    feed(SlotInspector(EXPECTED), 0, {"temperature_c": 84.9})
    with pytest.raises(DeviceFault) as caught:
        feed(SlotInspector(EXPECTED), 0, {"temperature_c": 85.0})
    assert caught.value.fault == "overheat"


def test_depth_without_any_depth_is_forgiven_until_it_goes_on() -> None:
    zero = {"data": bytes(8), "digest": digest_of(bytes(8))}
    dots = [slot for slot, light in enumerate(SLOTS) if light == 1]
    last = dots[DEAD_DEPTH_FRAMES - 1]
    inspector = SlotInspector(EXPECTED)
    for slot in range(last):
        feed(inspector, slot, **zero)
    with pytest.raises(DeviceFault) as caught:
        feed(inspector, last, **zero)
    assert caught.value.fault == "projector"


LIT = replace(EXPECTED, flood_counts_per_us_at_1m=0.1, black_level_counts=512.0)
WHITE_AT_1M = 0.1 * 2000  # counts over black, at the frames' exposure


def pictured(slot: int, counts: float) -> dict[str, Any]:
    """An infrared frame of flood light whose pixels are all so far over black; another slot's is another picture."""
    data = np.full(4, 512 + counts + slot / len(SLOTS), np.float64).round().astype("<u2").tobytes()
    return {"data": data, "digest": digest_of(data + bytes([slot]))}


@pytest.mark.parametrize(("share", "dead"), [(0.25, False), (0.35, True)])
def test_without_depth_a_projector_is_dead_where_something_near_is_lit(share: float, dead: bool) -> None:
    zero = {"data": bytes(8), "digest": digest_of(bytes(8))}
    inspector = SlotInspector(LIT)
    found = None
    for slot, light in enumerate(SLOTS):
        lit = pictured(slot, share * WHITE_AT_1M) if light == 2 else {}
        try:
            feed(inspector, slot, lit, **zero)
        except DeviceFault as fault:
            found = fault.fault
            break
    assert found == ("projector" if dead else None)


def test_what_was_far_before_depth_came_back_says_nothing_of_later() -> None:
    zero = {"data": bytes(8), "digest": digest_of(bytes(8))}
    inspector = SlotInspector(LIT)
    dots = [slot for slot, light in enumerate(SLOTS) if light == 1]
    for slot in range(dots[3]):
        feed(inspector, slot, pictured(slot, 0.1 * WHITE_AT_1M) if SLOTS[slot] == 2 else {}, **zero)
    feed(inspector, dots[3])
    with pytest.raises(DeviceFault, match="without any depth"):
        for slot in range(dots[3] + 1, len(SLOTS)):
            feed(inspector, slot, pictured(slot, WHITE_AT_1M) if SLOTS[slot] == 2 else {}, **zero)


def test_one_depth_frame_with_a_depth_begins_the_count_anew() -> None:
    zero = {"data": bytes(8), "digest": digest_of(bytes(8))}
    inspector = SlotInspector(EXPECTED)
    for slot in range(len(SLOTS)):
        feed(inspector, slot, **({} if SLOTS[:slot].count(1) % DEAD_DEPTH_FRAMES == 5 else zero))
    silent = SlotInspector(EXPECTED)
    with pytest.raises(DeviceFault, match="without any depth"):
        for slot in range(len(SLOTS)):
            feed(silent, slot, **zero)


@pytest.mark.parametrize("slot", [3, 4])
def test_a_lit_picture_that_stands_still_is_a_fault(slot: int) -> None:
    with pytest.raises(DeviceFault) as caught:
        feed(fed(slot), slot, {"digest": frame(Stream.INFRARED, slot - 1).digest})
    assert caught.value.fault == "stuck"


def test_two_dark_pictures_may_be_alike() -> None:
    assert SLOTS[5] == Illumination.OFF
    inspector = fed(5)
    feed(inspector, 5, {"digest": frame(Stream.INFRARED, 4).digest})
    with pytest.raises(DeviceProtocolError, match="slot 5 came twice"):
        feed(inspector, 5)


def test_a_depth_picture_that_stands_still_is_a_fault() -> None:
    with pytest.raises(DeviceFault) as caught:
        feed(fed(3), 3, digest=frame(Stream.DEPTH, 0).digest)
    assert caught.value.fault == "stuck"


@pytest.mark.parametrize(
    ("kind", "lights"),
    [
        (SensorKind.STRUCTURED_LIGHT, {1}),
        (SensorKind.TIME_OF_FLIGHT, {1, 2, 3}),
        (SensorKind.PASSIVE_STEREO, {0, 1, 2, 3}),
    ],
)
def test_depth_comes_where_the_principle_gives_it(kind: SensorKind, lights: set[int]) -> None:
    assert {light for light in Illumination if measures_depth(kind, light)} == lights
