"""Relief against sheets and panels, on drawn captures whose shapes are known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from faceward.plugin import FrameSet, Outcome, Slot, Stream
from faceward_gates.flatness import FlatnessGate
from faceward_sim.conformance.scene import (
    Scene,
    bent_sheet_mm,
    head_mm,
    sensor_of,
    sheet_mm,
    without_depth,
    without_infrared,
)

GATE = FlatnessGate()
HEAD = Scene()


def noseless_mm(x_mm, y_mm):
    """A head whose nose is cut off, and whose brow and chin stand out instead."""
    flat = head_mm(x_mm, y_mm) - 26.0 * np.exp(-0.5 * ((x_mm / 9.0) ** 2 + ((y_mm - 4.0) / 14.0) ** 2))
    return flat + 12.0 * np.exp(-0.5 * (((y_mm + 60.0) / 8.0) ** 2)) - 20.0 * np.exp(-0.5 * (x_mm**2 + y_mm**2) / 400.0)


def wall_mm(x_mm, y_mm):
    return np.full(np.shape(x_mm), 40.0)


def test_a_head_is_live_and_its_frames_are_covered(judge, shown):
    frames = shown(HEAD)
    evidence = judge(GATE, frames)
    assert evidence.outcome is Outcome.LIVE
    assert evidence.score > 1.0
    every = {digest for frame_set, _ in frames for digest in frame_set.digests}
    dark = {
        slot.infrared.digest for frame_set, _ in frames for slot in frame_set.slots if slot.infrared.illumination == 0
    }
    assert evidence.covered == every - dark


@pytest.mark.parametrize("relief", [sheet_mm, bent_sheet_mm], ids=["flat", "bent"])
@pytest.mark.parametrize("distance_mm", [300.0, 500.0])
def test_a_sheet_with_a_face_on_it_is_not_live_flat_or_bent(judge, shown, relief, distance_mm):
    evidence = judge(GATE, shown(Scene(relief=relief, distance_mm=distance_mm, r50_mm=0.05)))
    assert evidence.outcome is Outcome.NOT_LIVE
    assert evidence.cue == "flat relief"
    assert evidence.score < 1.0


def test_relief_without_a_nose_where_the_image_has_one_is_not_live(judge, shown):
    evidence = judge(GATE, shown(Scene(relief=noseless_mm)))
    assert evidence.outcome is Outcome.NOT_LIVE
    assert evidence.cue == "no nose"


def test_the_limit_for_the_bend_is_the_policys(judge, shown):
    evidence = judge(GATE, shown(HEAD), thresholds={"bend_residual_mm": 9.0})
    assert evidence.outcome is Outcome.NOT_LIVE
    assert "9" in str(evidence.measures[0].limit)


def test_the_limit_for_the_nose_is_the_policys(judge, shown):
    assert judge(GATE, shown(HEAD), thresholds={"protrusion_mm": 60.0}).cue == "no nose"


def test_too_few_depth_frames_say_nothing(judge, shown):
    assert judge(GATE, shown(HEAD)[:7]).outcome is Outcome.INCONCLUSIVE
    assert judge(GATE, shown(HEAD)[:8]).outcome is Outcome.LIVE


def test_a_flat_thing_without_a_face_is_a_panel_after_a_second_and_a_half(judge, shown):
    frames = shown(Scene(relief=sheet_mm, faces=0))
    evidence = judge(GATE, frames)
    assert evidence.outcome is Outcome.NOT_LIVE
    assert evidence.cue == "flat panel"
    assert not evidence.covered
    assert judge(GATE, frames[:14]).outcome is Outcome.INCONCLUSIVE


def test_dark_glass_of_a_phones_size_is_a_panel(judge, shown):
    def phone_mm(x_mm, y_mm):
        return np.where((np.abs(x_mm) < 37.0) & (np.abs(y_mm) < 77.0), 60.0, np.nan)

    evidence = judge(GATE, shown(Scene(relief=phone_mm, faces=0, albedo=0.03, r50_mm=0.05)))
    assert (evidence.outcome, evidence.cue) == (Outcome.NOT_LIVE, "flat panel")
    bright = judge(GATE, shown(Scene(relief=phone_mm, faces=0, albedo=0.5, r50_mm=0.05)))
    assert bright.outcome is Outcome.INCONCLUSIVE


def test_a_wall_that_fills_the_view_is_no_panel(judge, shown):
    assert judge(GATE, shown(Scene(relief=wall_mm, faces=0))).outcome is Outcome.INCONCLUSIVE


def test_a_head_without_a_detected_face_is_no_panel(judge, shown):
    evidence = judge(GATE, shown(Scene(faces=0)))
    assert (evidence.outcome, evidence.cue) == (Outcome.INCONCLUSIVE, "nobody there")


def test_nobody_there_is_inconclusive(judge, shown):
    evidence = judge(GATE, shown(Scene(relief=None)))
    assert (evidence.outcome, evidence.cue) == (Outcome.INCONCLUSIVE, "nobody there")
    assert math.isnan(evidence.score)


def test_without_a_depth_stream_nothing_is_evaluated(judge, shown):
    flat = replace(sensor_of(), streams=frozenset({Stream.INFRARED}))
    evidence = judge(GATE, without_depth(shown(HEAD)), sensor=flat)
    assert (evidence.outcome, evidence.cue) == (Outcome.NOT_EVALUATED, "depth")


@pytest.mark.parametrize(
    ("relief", "outcome"), [(head_mm, Outcome.LIVE), (sheet_mm, Outcome.NOT_LIVE), (bent_sheet_mm, Outcome.NOT_LIVE)]
)
def test_depth_alone_is_judged_by_the_nearest_thing(judge, shown, relief, outcome):
    depth_only = replace(sensor_of(), streams=frozenset({Stream.DEPTH}))
    frames = without_infrared(shown(Scene(relief=relief, r50_mm=0.05)))
    evidence = judge(GATE, frames, sensor=depth_only)
    assert evidence.outcome is outcome
    assert evidence.covered == {digest for frame_set, _ in frames for digest in frame_set.digests}


def test_flood_frames_long_after_the_last_depth_are_not_covered(judge, shown):
    frames = shown(HEAD)
    late = []
    for frame_set, face in frames[10:12]:
        slots = tuple(
            Slot(replace(slot.infrared, device_time_us=slot.infrared.device_time_us + 60_000_000))
            for slot in frame_set.slots[1:]
        )
        late.append((FrameSet(frame_set.index, slots), face))
    late_digests = {digest for frame_set, _ in late for digest in frame_set.digests}
    evidence = judge(GATE, frames[:10] + late)
    assert evidence.outcome is Outcome.LIVE
    assert not evidence.covered & late_digests
