from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from faceward.capture.exposure import EXPOSURE_MAX_US, EXPOSURE_MIN_US, SETTLE_SLOTS, TARGET, AutoExposure
from faceward.capture.plan import DOTS_HZ, FLOOD_HZ, SEARCH_S
from faceward.face.quality import Fault
from faceward.hal.inspection import DEAD_DEPTH_FRAMES


def test_the_start_value_puts_skin_at_the_usual_distance_on_target(script: Any) -> None:
    calibration = replace(script.CALIBRATION, flood_counts_per_us_at_1m=4.0)
    counts = 4.0 * 0.35 / 0.4**2 * AutoExposure(calibration).start_us
    assert counts / 59_000.0 == pytest.approx(TARGET, rel=0.05)


def test_a_sensor_without_flood_calibration_still_gets_an_exposure(script: Any) -> None:
    start = AutoExposure(replace(script.CALIBRATION, flood_counts_per_us_at_1m=0.0)).start_us
    assert EXPOSURE_MIN_US <= start <= EXPOSURE_MAX_US


@pytest.mark.parametrize("level", [0.30, 0.35, 0.42])
def test_a_face_near_the_target_is_left_alone(script: Any, level: float) -> None:
    assert AutoExposure(script.CALIBRATION).see(0, 2_000, replace(script.GOOD, exposure=level)) is None


@pytest.mark.parametrize(("level", "wanted_us"), [(0.175, 4_000), (0.70, 1_000), (0.01, 8_000)])
def test_a_face_off_the_target_moves_there_at_most_fourfold(script: Any, level: float, wanted_us: int) -> None:
    assert AutoExposure(script.CALIBRATION).see(0, 2_000, replace(script.GOOD, exposure=level)) == wanted_us


@pytest.mark.parametrize(("level", "wanted_us"), [(0.36, 1_500), (0.2, 1_500), (0.5, 1_000), (0.9, 800)])
def test_saturation_dims_whatever_the_mean_says(script: Any, level: float, wanted_us: int) -> None:
    quality = replace(script.GOOD, exposure=level, saturated_share=0.2)
    assert AutoExposure(script.CALIBRATION).see(0, 2_000, quality) == wanted_us


@pytest.mark.parametrize("gloss", [0.031, 0.04, 0.06, 0.2])
def test_a_face_whose_gloss_saturates_is_dimmed_until_it_is_good_and_stays_so(script: Any, gloss: float) -> None:
    """Gloss that no longer saturates under less light: a look is good again, and is not made too bright anew."""
    auto, exposure_us, looks = AutoExposure(script.CALIBRATION), 3_000, []
    for slot in range(0, 120, 2):
        share = gloss * max(0.0, (exposure_us - 1_400) / 1_600)
        quality = replace(script.GOOD, exposure=0.35 * exposure_us / 3_000, saturated_share=share)
        looks.append(quality)
        exposure_us = auto.see(slot, exposure_us, quality) or exposure_us
    assert {Fault.TOO_BRIGHT in look.faults for look in looks[12:]} == {False}
    assert len({look.exposure for look in looks[12:]}) == 1


def test_who_has_gone_away_from_where_they_saturated_gets_the_light_that_it_takes(script: Any) -> None:
    auto = AutoExposure(script.CALIBRATION)
    assert auto.see(0, 2_000, replace(script.GOOD, exposure=0.36, saturated_share=0.1)) == 1_500
    assert auto.see(10, 1_500, replace(script.GOOD, exposure=0.2)) is None
    assert auto.see(20, 1_500, replace(script.GOOD, exposure=0.07)) == 6_000


def test_after_a_change_the_slots_under_way_are_waited_for(script: Any) -> None:
    auto, dark = AutoExposure(script.CALIBRATION), replace(script.GOOD, exposure=0.1)
    assert auto.see(10, 2_000, dark) is not None
    assert auto.see(10 + SETTLE_SLOTS - 1, 2_000, dark) is None
    assert auto.see(10 + SETTLE_SLOTS, 2_000, dark) is not None


def test_exposures_keep_the_range_and_the_steps_of_the_control(script: Any) -> None:
    auto = AutoExposure(script.CALIBRATION)
    assert auto.see(0, 24_000, replace(script.GOOD, exposure=0.01)) == EXPOSURE_MAX_US
    assert auto.see(100, 200, replace(script.GOOD, exposure=1.0, saturated_share=1.0)) == EXPOSURE_MIN_US
    assert auto.see(200, 1_234, replace(script.GOOD, exposure=0.1)) % 100 == 0
    assert auto.see(300, EXPOSURE_MAX_US, replace(script.GOOD, exposure=0.01)) is None


def test_with_nobody_found_every_exposure_is_tried_within_the_search(script: Any) -> None:
    calibration = replace(script.CALIBRATION, flood_counts_per_us_at_1m=4.0)
    auto = AutoExposure(calibration)
    looks = int(SEARCH_S * FLOOD_HZ)
    changed = {slot: value for slot in range(looks) if (value := auto.see(slot, auto.start_us, None)) is not None}
    tried = list(changed.values())
    assert tried[0] == pytest.approx(3 * auto.start_us, abs=50)
    assert tried[1] == pytest.approx(min(9 * auto.start_us, EXPOSURE_MAX_US), abs=50)
    assert tried[2] == pytest.approx(0.3 * auto.start_us, abs=50)
    # Three looks at depth under each of the long ones, for the gate that judges what stands there instead of a face; and
    # under the short one not the second without depth that the hardware layer takes for a dead projector.
    longer, longest, short = changed
    assert min(longest - longer, short - longest) >= 3 * FLOOD_HZ / DOTS_HZ
    assert (looks - short) * DOTS_HZ / FLOOD_HZ < DEAD_DEPTH_FRAMES


@pytest.mark.parametrize("reflectance", [0.1, 0.3, 0.8])
@pytest.mark.parametrize("distance_m", [0.25, 0.4, 0.6])
def test_any_skin_at_any_distance_is_on_target_within_a_second(
    script: Any, reflectance: float, distance_m: float
) -> None:
    calibration = replace(script.CALIBRATION, flood_counts_per_us_at_1m=4.0)
    auto = AutoExposure(calibration)
    exposure_us = auto.start_us
    for slot in range(0, 30, 2):
        level = 4.0 * reflectance / distance_m**2 * exposure_us / 59_000.0
        quality = replace(script.GOOD, exposure=min(level, 1.0), saturated_share=float(level > 1.0))
        exposure_us = auto.see(slot, exposure_us, quality) or exposure_us
    assert 0.7 * TARGET <= level <= 1.3 * TARGET
