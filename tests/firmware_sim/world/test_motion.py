from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.firmware.imager import Prompt
from faceward_sim.world.motion import REACTION_S, BlinkTrain, Manner, Mover
from faceward_sim.world.streams import stream

SLOT_S = 1 / 30


def _follow(mover: Mover, prompt: Prompt, from_s: float, lasts_s: float):
    times = np.arange(from_s, from_s + lasts_s, SLOT_S)
    return times, [mover.at(float(t), prompt) for t in times]


def test_the_same_seed_moves_alike_whatever_it_wears():
    one, other = Mover(5, 400.0), Mover(5, 400.0)
    for slot in range(200):
        prompt = Prompt.TURN_LEFT if slot > 60 else Prompt.NONE
        assert one.at(slot * SLOT_S, prompt) == other.at(slot * SLOT_S, prompt)


def test_blinks_come_at_the_published_rate():
    rates = []
    for seed in range(30):
        train = BlinkTrain.draw(stream(seed, "blinks"))
        for step in range(5 * 60 * 40):
            train.closure(step / 40)
        rates.append(train.count / 5)
        assert 8 <= train.a_minute <= 21
    assert 12.5 < np.mean(rates) < 16.5
    assert 1.5 < np.std(rates) < 6.0


def test_a_blink_closes_the_lids_and_lasts_as_long_as_people_blink():
    train = BlinkTrain.draw(stream(3, "blinks"))
    closure = np.array([train.closure(k / 1000) for k in range(60_000)])
    shut = closure > 0
    starts = np.flatnonzero(np.diff(shut.astype(int)) == 1)
    ends = np.flatnonzero(np.diff(shut.astype(int)) == -1)
    lasts = (ends[: len(starts)] - starts[: len(ends)]) / 1000
    assert len(lasts) >= 5
    assert lasts.min() > 0.09 and lasts.max() < 0.41
    assert closure.max() > 0.9


@pytest.mark.parametrize(
    ("prompt", "axis", "sign"),
    [
        (Prompt.TURN_LEFT, "yaw_rad", 1),
        (Prompt.TURN_RIGHT, "yaw_rad", -1),
        (Prompt.LOOK_UP, "pitch_rad", 1),
        (Prompt.LOOK_DOWN, "pitch_rad", -1),
    ],
)
def test_a_head_turns_the_way_it_is_asked_to(prompt, axis, sign):
    for seed in range(10):
        mover = Mover(seed, 400.0)
        _, before = _follow(mover, Prompt.NONE, 0.0, 1.0)
        _, after = _follow(mover, prompt, 1.0, 3.0)
        moved = np.rad2deg(getattr(after[-1], axis) - getattr(before[-1], axis)) * sign
        assert (15 if axis == "yaw_rad" else 7) < moved < (36 if axis == "yaw_rad" else 24)


def test_nobody_answers_a_prompt_before_a_humans_delay():
    for seed in range(20):
        asked, unasked = Mover(seed, 400.0), Mover(seed, 400.0)
        for k in range(30):
            asked.at(k / 100, Prompt.NONE), unasked.at(k / 100, Prompt.NONE)
        first = None
        for k in range(30, 200):
            a, b = asked.at(k / 100, Prompt.TURN_LEFT), unasked.at(k / 100, Prompt.NONE)
            if abs(a.yaw_rad - b.yaw_rad) > 1e-3 and first is None:
                first = (k - 30) / 100
        assert first is not None
        assert REACTION_S[0] <= first <= REACTION_S[1] + 0.2


def test_a_prompt_that_changes_mid_turn_never_makes_the_head_jump():
    mover = Mover(9, 400.0)
    prompts = [Prompt.TURN_LEFT, Prompt.LOOK_UP, Prompt.TURN_RIGHT, Prompt.SMILE, Prompt.MOVE_CLOSER]
    yaw = np.array([mover.at(k * SLOT_S, prompts[(k // 13) % len(prompts)]).yaw_rad for k in range(400)])
    assert np.abs(np.diff(np.rad2deg(yaw))).max() < 7.0


def test_a_smile_comes_and_goes_with_its_prompt():
    mover = Mover(4, 400.0)
    _, smiling = _follow(mover, Prompt.SMILE, 0.0, 2.5)
    assert smiling[0].units.get("mouthSmileLeft", 0.0) == 0.0
    assert smiling[-1].units["mouthSmileLeft"] > 0.6
    _, after = _follow(mover, Prompt.LOOK_STRAIGHT, 2.5, 2.5)
    assert after[-1].units.get("mouthSmileLeft", 0.0) == 0.0


@pytest.mark.parametrize(("prompt", "sign"), [(Prompt.MOVE_CLOSER, -1), (Prompt.MOVE_BACK, 1)])
def test_somebody_steps_once_and_again_while_still_asked(prompt, sign):
    mover = Mover(6, 500.0)
    start = mover.at(0.0, Prompt.NONE).shift_mm[2]
    _, first = _follow(mover, prompt, 0.1, 1.35)
    _, second = _follow(mover, prompt, 1.45, 3.0)
    once, twice = sign * (first[-1].shift_mm[2] - start), sign * (second[-1].shift_mm[2] - start)
    assert twice > once + 30
    assert twice > 80


def test_nobody_walks_into_the_sensor():
    mover = Mover(6, 400.0)
    _, path = _follow(mover, Prompt.MOVE_CLOSER, 0.0, 20.0)
    assert 400.0 + path[-1].shift_mm[2] > 200.0


def test_holding_still_calms_the_sway():
    for seed in range(5):
        free, still = Mover(seed, 400.0), Mover(seed, 400.0)
        _, loose = _follow(free, Prompt.NONE, 0.0, 20.0)
        _, held = _follow(still, Prompt.HOLD_STILL, 0.0, 20.0)
        spread = [np.std([p.shift_mm[0] for p in path[60:]]) for path in (loose, held)]
        assert spread[1] < 0.6 * spread[0]


def test_breath_and_heart_move_a_head_by_fractions_of_a_millimetre_to_millimetres():
    for seed in range(8):
        _, path = _follow(Mover(seed, 400.0), Prompt.NONE, 0.0, 30.0)
        shift = np.array([p.shift_mm for p in path])
        assert 0.3 < shift[:, 2].std() < 6.0
        assert np.abs(np.diff(shift, axis=0)).max() < 2.5


def _turned(manner: Manner) -> tuple[np.ndarray, list]:
    mover = Mover(10_005, 400.0, manner)
    _follow(mover, Prompt.NONE, 0.0, 1.0)
    return _follow(mover, Prompt.TURN_LEFT, 1.0, 4.0)


def test_whoever_takes_their_time_answers_as_much_later_and_does_the_same():
    times, usual = _turned(Manner())
    _, late = _turned(Manner(late_s=0.6))
    slots = round(0.6 / SLOT_S)
    moved = [np.flatnonzero([abs(p.torso_yaw_rad) > 0.02 for p in postures])[0] for postures in (usual, late)]
    assert moved[1] - moved[0] == slots
    assert usual[-1].torso_yaw_rad == pytest.approx(late[-1].torso_yaw_rad, abs=1e-9)
    assert len(times) == len(usual)


def test_how_far_somebody_turns_and_how_still_they_stand_are_up_to_them():
    _, usual = _turned(Manner())
    _, less = _turned(Manner(turn_share=0.8, sway_share=0.3))
    # What a turn overshoots by is drawn beside it.
    assert less[-1].torso_yaw_rad == pytest.approx(0.8 * usual[-1].torso_yaw_rad, abs=0.012)
    spread = [np.std([posture.shift_mm[2] for posture in postures]) for postures in (usual, less)]
    assert spread[1] < 0.6 * spread[0]
