from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from faceward.capture.guidance import CLEAR_SLOTS, PROMPTS, SHOW_SLOTS, Hysteresis, Reason, reason_of


def test_a_good_slot_has_no_reason(script: Any) -> None:
    assert reason_of(script.look(0)) is None


def test_no_face_and_two_faces_come_before_everything_else(script: Any) -> None:
    assert reason_of(script.look(0, faces=0)) is Reason.NO_FACE
    assert reason_of(script.look(0, faces=2, quality=replace(script.GOOD, exposure=0.0))) is Reason.TWO_FACES


def test_distance_is_mended_before_light(script: Any) -> None:
    assert reason_of(script.look(0, quality=replace(script.GOOD, exposure=0.9, distance_mm=200.0))) is Reason.TOO_CLOSE


def test_every_reason_has_a_prompt() -> None:
    assert set(PROMPTS) == set(Reason)


def test_a_reason_shows_when_it_lasts() -> None:
    hysteresis = Hysteresis()
    for _ in range(SHOW_SLOTS - 1):
        assert hysteresis.see(Reason.TOO_FAR) is None
    assert hysteresis.see(Reason.TOO_FAR) is Reason.TOO_FAR


def test_a_reason_that_comes_and_goes_never_shows() -> None:
    hysteresis = Hysteresis()
    for _ in range(50):
        for _ in range(SHOW_SLOTS - 1):
            hysteresis.see(Reason.TOO_FAR)
        assert hysteresis.see(None) is None


def test_a_shown_reason_stays_through_a_short_good_moment_and_goes_after_a_longer_one() -> None:
    hysteresis = Hysteresis()
    for _ in range(SHOW_SLOTS):
        hysteresis.see(Reason.TOO_FAR)
    for _ in range(CLEAR_SLOTS - 1):
        assert hysteresis.see(None) is Reason.TOO_FAR
    assert hysteresis.see(Reason.TOO_FAR) is Reason.TOO_FAR
    for _ in range(CLEAR_SLOTS - 1):
        assert hysteresis.see(None) is Reason.TOO_FAR
    assert hysteresis.see(None) is None


def test_another_reason_takes_over_only_when_it_lasts() -> None:
    hysteresis = Hysteresis()
    for _ in range(SHOW_SLOTS):
        hysteresis.see(Reason.TOO_FAR)
    for _ in range(SHOW_SLOTS - 1):
        assert hysteresis.see(Reason.BLURRED) is Reason.TOO_FAR
    assert hysteresis.see(Reason.BLURRED) is Reason.BLURRED


@pytest.mark.parametrize("field", ["distance_mm", "exposure", "saturated_share", "sharpness", "covered_share"])
def test_a_measure_that_is_no_number_is_a_reason(script: Any, field: str) -> None:
    assert reason_of(script.look(0, quality=replace(script.GOOD, **{field: float("nan")}))) is not None
