from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from faceward.capture.plan import DEPTH_GAP_S, draw_slots, make_plan, slot_rates
from faceward.errors import ConfigError
from faceward.model.face import Pose
from faceward.model.frame import Illumination, Prompt, SensorKind, Stream
from faceward.model.liveness import Requirements
from hypothesis import given, settings
from hypothesis import strategies as st

DOTS, FLOOD, SECOND, OFF = Illumination.DOTS, Illumination.FLOOD, Illumination.FLOOD_SECOND, Illumination.OFF
NONCE = bytes(range(16))


def test_without_special_needs_a_second_holds_ten_dots_seventeen_flood_and_three_dark_slots(script: Any) -> None:
    assert slot_rates({}, script.INFO) == {DOTS: 10, FLOOD: 17, SECOND: 0, OFF: 3}


def test_the_largest_rate_that_any_gate_asks_for_wins(script: Any) -> None:
    needs = {"a": Requirements(flood_hz=20.0, dots_hz=5.0), "b": Requirements(flood_hz=12.0, off_hz=4.0)}
    rates = slot_rates(needs, script.INFO)
    assert rates[FLOOD] >= 20 and rates[OFF] >= 4 and rates[DOTS] >= 5 and sum(rates.values()) == 30


def test_a_rate_that_is_no_whole_number_is_rounded_up(script: Any) -> None:
    assert slot_rates({"a": Requirements(dots_hz=10.2)}, script.INFO)[DOTS] == 11


def test_more_slots_than_a_second_has_are_refused_with_the_gates_names(script: Any) -> None:
    needs = {"pulse": Requirements(flood_hz=25.0), "dots": Requirements(dots_hz=6.0)}
    with pytest.raises(ConfigError, match=r"gates dots, pulse together ask for 31 slots .* the sensor has 30"):
        slot_rates(needs, script.INFO)


@pytest.mark.parametrize("field", ["dots_hz", "flood_hz", "flood_second_hz", "off_hz", "seconds"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_a_gate_that_asks_for_no_number_is_refused(script: Any, field: str, value: float) -> None:
    with pytest.raises(ConfigError, match="gate odd"):
        slot_rates({"odd": Requirements(**{field: value})}, script.INFO)


def test_a_band_that_the_sensor_has_not_is_left_out_of_the_plan(script: Any) -> None:
    assert slot_rates({"a": Requirements(flood_second_hz=10.0)}, script.INFO)[SECOND] == 0
    both = replace(script.INFO, wavelengths_nm={DOTS: 940, FLOOD: 940, SECOND: 850})
    assert slot_rates({"a": Requirements(flood_second_hz=8.0)}, both)[SECOND] == 8


def test_dots_that_the_sensor_has_not_are_left_out_of_the_plan(script: Any) -> None:
    bare = replace(script.INFO, wavelengths_nm={FLOOD: 940}, streams=frozenset({Stream.INFRARED}))
    assert slot_rates({"a": Requirements(depth=True, dots_hz=10.0)}, bare) == {DOTS: 0, FLOOD: 27, SECOND: 0, OFF: 3}


def test_depth_asks_for_dots_on_structured_light_alone(script: Any) -> None:
    needs = {"a": Requirements(depth=True, flood_hz=26.0)}
    with pytest.raises(ConfigError):
        slot_rates(needs, script.INFO)
    slot_rates(needs, replace(script.INFO, kind=SensorKind.TIME_OF_FLIGHT))


@given(nonce=st.binary(min_size=8, max_size=32), dots=st.integers(1, 14), off=st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_every_second_holds_the_rates_and_no_gap_without_depth_is_long(nonce: bytes, dots: int, off: int) -> None:
    rates = {DOTS: dots, FLOOD: 30 - dots - off, OFF: off, SECOND: 0}
    slots = list(draw_slots(nonce, rates, 300, 30.0))
    for second in range(10):
        assert Counter(slots[second * 30 : second * 30 + 30]) == {light: n for light, n in rates.items() if n}
    lit = [slot for slot, light in enumerate(slots) if light is DOTS]
    longest = max(after - before for before, after in pairwise([-1, *lit]))
    assert longest <= max(DEPTH_GAP_S * 30, -(-2 * 30 // dots)) + 1  # one more where both lights are due


def test_the_order_is_the_nonces_and_nobody_elses() -> None:
    rates = {DOTS: 10, FLOOD: 17, OFF: 3}
    drawn = [bytes(draw_slots(bytes([n]) * 16, rates, 90, 30.0)) for n in range(64)]
    assert len(set(drawn)) == 64
    assert bytes(draw_slots(bytes(16), rates, 90, 30.0)) == drawn[0]


def test_no_slot_can_be_told_from_its_place_in_the_second() -> None:
    rates = {DOTS: 10, FLOOD: 17, OFF: 3}
    orders = [list(draw_slots(n.to_bytes(16), rates, 60, 30.0))[30:] for n in range(400)]
    for place in range(30):
        share = sum(order[place] is DOTS for order in orders) / len(orders)
        assert 0.15 < share < 0.55


def test_an_enrollment_goes_through_all_poses_and_the_smile(script: Any) -> None:
    plan = make_plan([script.Asked()], script.INFO, nonce=NONCE)
    assert [stage.pose for stage in plan.stages] == list(Pose)
    assert [stage.prompt for stage in plan.stages] == [
        Prompt.LOOK_STRAIGHT, Prompt.TURN_LEFT, Prompt.TURN_RIGHT, Prompt.LOOK_UP, Prompt.LOOK_DOWN, Prompt.SMILE,
    ]  # fmt: skip


def test_a_verification_asks_for_one_turn_that_the_nonce_draws(script: Any) -> None:
    turns = set()
    for n in range(64):
        plan = make_plan([script.Asked()], script.INFO, nonce=n.to_bytes(16), purpose="verify")
        assert plan.stages[0].pose is Pose.FRONTAL and len(plan.stages) == 2
        turns.add(plan.stages[1].pose)
    assert turns == {Pose.LEFT, Pose.RIGHT, Pose.UP, Pose.DOWN}


def test_a_gate_that_needs_an_expression_gets_it_in_a_verification_too(script: Any) -> None:
    gate = script.Asked(needs=Requirements(expression=True))
    assert make_plan([gate], script.INFO, nonce=NONCE, purpose="verify").stages[-1].pose is Pose.SMILE


def test_the_frontal_stage_lasts_as_long_as_the_slowest_gate_asks(script: Any) -> None:
    gates = [script.Asked("a", Requirements(seconds=4.0)), script.Asked("b", Requirements(seconds=2.0))]
    assert make_plan(gates, script.INFO, nonce=NONCE).stages[0].dwell_s == 4.0


def test_the_schedule_covers_the_capture_and_never_more_than_the_sensor_takes(script: Any) -> None:
    plan = make_plan([script.Asked()], script.INFO, nonce=NONCE)
    assert 40 * 30 <= len(plan.schedule.slots) <= script.INFO.max_schedule_slots
    short = make_plan([script.Asked()], replace(script.INFO, max_schedule_slots=600), nonce=NONCE)
    assert len(short.schedule.slots) == 600


def test_a_sensor_whose_schedule_is_too_short_for_the_gates_is_refused(script: Any) -> None:
    gate = script.Asked(needs=Requirements(seconds=30.0))
    with pytest.raises(ConfigError, match="schedule holds 20 s"):
        make_plan([gate], replace(script.INFO, max_schedule_slots=600), nonce=NONCE)


@pytest.mark.parametrize("size", [0, 7, 33])
def test_a_nonce_that_is_too_short_or_too_long_is_refused(script: Any, size: int) -> None:
    with pytest.raises(ConfigError, match="nonce"):
        make_plan([], script.INFO, nonce=bytes(size))


def test_a_sensor_without_profiles_and_an_unknown_purpose_are_refused(script: Any) -> None:
    with pytest.raises(ConfigError, match="no stream profile"):
        make_plan([], replace(script.INFO, profiles=()), nonce=NONCE)
    with pytest.raises(ConfigError, match="for enroll or verify"):
        make_plan([], script.INFO, nonce=NONCE, purpose="demo")  # type: ignore[arg-type]


def test_the_largest_profile_is_taken_unless_another_is_named(script: Any) -> None:
    assert make_plan([], script.INFO, nonce=NONCE).profile.width_px == 640
    assert make_plan([], script.INFO, nonce=NONCE, profile=script.INFO.profiles[1]).profile.width_px == 320
