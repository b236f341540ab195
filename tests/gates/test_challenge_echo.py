"""The light in the image against the schedule, whatever the metadata says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from faceward.plugin import FrameSet, Illumination, IlluminationSchedule, Outcome, Slot, Stream, digest_of
from faceward_gates.challenge_echo import ChallengeEchoGate
from faceward_sim.conformance.scene import Scene, schedule_of, sensor_of, sheet_mm, without_infrared

GATE = ChallengeEchoGate()
HEAD = Scene()


def relabelled(frames, lights: bytes):
    """The same images with the metadata of another schedule."""

    def label(frame):
        return None if frame is None else replace(frame, illumination=Illumination(lights[frame.slot]))

    return [
        (FrameSet(each.index, tuple(Slot(label(s.infrared), label(s.depth)) for s in each.slots)), face)
        for each, face in frames
    ]


def rotated(schedule: IlluminationSchedule, by: int) -> IlluminationSchedule:
    return IlluminationSchedule(schedule.nonce, schedule.slots[by:] + schedule.slots[:by])


@pytest.mark.parametrize(
    "scene", [HEAD, Scene(albedo=0.2, r50_mm=0.85), Scene(albedo=0.5, r50_mm=2.3), Scene(ambient=2.0)]
)
def test_light_as_ordered_is_live_and_covers_every_frame(judge, shown, scene):
    frames = shown(scene)
    evidence = judge(GATE, frames)
    assert evidence.outcome is Outcome.LIVE
    assert evidence.covered == {digest for frame_set, _ in frames for digest in frame_set.digests}


@pytest.mark.parametrize("by", [1, 7, 13])
def test_the_right_light_at_another_time_is_not_live_even_with_matching_labels(judge, shown, by):
    other = rotated(schedule_of(3), by)
    evidence = judge(GATE, relabelled(shown(HEAD), other.slots), schedule=other)
    assert (evidence.outcome, evidence.cue) == (Outcome.NOT_LIVE, "light off schedule")
    assert evidence.score < 0


@pytest.mark.parametrize("light", [Illumination.FLOOD, Illumination.DOTS])
def test_a_loop_of_one_image_is_not_live(judge, shown, light):
    frames = shown(HEAD)
    stuck = next(slot.infrared for each, _ in frames for slot in each.slots if slot.infrared.illumination is light)

    def same(slot):
        meta = slot.infrared
        return Slot(replace(meta, data=stuck.data, digest=stuck.digest), slot.depth)

    looped = [(FrameSet(each.index, tuple(same(slot) for slot in each.slots)), face) for each, face in frames]
    evidence = judge(GATE, looped)
    assert (evidence.outcome, evidence.cue) == (Outcome.NOT_LIVE, "light off schedule")


def test_a_slot_that_shows_other_light_is_not_covered(judge, shown):
    frames = shown(HEAD)
    at = next(i for i, (each, _) in enumerate(frames) if len(each.infrared(Illumination.FLOOD)) == 2)
    frame_set, face = frames[at]
    dots = frame_set.slots[0].infrared
    flood = frame_set.slots[-1].infrared
    wrong = Slot(replace(flood, data=dots.data, digest=dots.digest))
    frames[at] = (FrameSet(frame_set.index, (*frame_set.slots[1:-1], wrong)), face)
    evidence = judge(GATE, frames)
    assert evidence.outcome is Outcome.LIVE
    assert dots.digest not in evidence.covered


def test_slots_beyond_the_schedule_count_against_it(judge, shown):
    short = IlluminationSchedule(bytes(16), schedule_of(3).slots[:60])
    assert judge(GATE, shown(HEAD), schedule=short).outcome is Outcome.NOT_LIVE


def test_a_dark_scene_says_nothing(judge, shown):
    evidence = judge(GATE, shown(Scene(relief=None)))
    assert (evidence.outcome, evidence.cue) == (Outcome.INCONCLUSIVE, "no echo")


def test_too_few_slots_say_nothing(judge, shown):
    evidence = judge(GATE, shown(HEAD)[:9])
    assert (evidence.outcome, evidence.cue) == (Outcome.INCONCLUSIVE, "too few slots")


def test_a_schedule_without_dark_slots_is_no_challenge(judge, shown):
    frames = [
        (FrameSet(each.index, tuple(s for s in each.slots if s.infrared.illumination is not Illumination.OFF)), face)
        for each, face in shown(HEAD)
    ]
    assert judge(GATE, frames).cue == "too few slots"


def test_paper_echoes_too_for_light_alone_is_no_life(judge, shown):
    assert judge(GATE, shown(Scene(relief=sheet_mm, r50_mm=0.05, albedo=0.65))).outcome is Outcome.LIVE


def test_without_infrared_nothing_is_evaluated(judge, shown):
    sensor = replace(sensor_of(), streams=frozenset({Stream.DEPTH}))
    assert judge(GATE, without_infrared(shown(HEAD)), sensor=sensor).outcome is Outcome.NOT_EVALUATED


@pytest.mark.parametrize("share", [0.3, 3.0])
def test_a_second_band_counts_as_flood_however_strong_it_is(judge, shown, share):
    """The calibration says how much brighter the second band's slots are."""
    known = sensor_of()
    calibration = replace(
        known.calibration, flood_second_counts_per_us_at_1m=share * known.calibration.flood_counts_per_us_at_1m
    )
    sensor = replace(
        known,
        calibration=calibration,
        wavelengths_nm={**known.wavelengths_nm, Illumination.FLOOD_SECOND: 850},
    )
    lights = bytearray(schedule_of(3).slots)
    floods = [slot for slot, light in enumerate(lights) if light == Illumination.FLOOD]
    for slot in floods[::3]:
        lights[slot] = Illumination.FLOOD_SECOND

    def band(frame):
        if frame is None or lights[frame.slot] != Illumination.FLOOD_SECOND:
            return frame
        black = calibration.black_level_counts
        data = np.clip(black + (frame.pixels - black) * share, 0, 65535).astype("<u2").tobytes()
        return replace(frame, illumination=Illumination.FLOOD_SECOND, data=data, digest=digest_of(data))

    frames = [
        (FrameSet(each.index, tuple(Slot(band(s.infrared), s.depth) for s in each.slots)), face)
        for each, face in shown(Scene(albedo=0.2, r50_mm=0.85))
    ]
    schedule = IlluminationSchedule(schedule_of(3).nonce, bytes(lights))
    evidence = judge(GATE, frames, sensor=sensor, schedule=schedule)
    assert evidence.outcome is Outcome.LIVE
    assert evidence.covered == {digest for frame_set, _ in frames for digest in frame_set.digests}
