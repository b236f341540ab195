"""Spread and albedo, on drawn captures whose spread and albedo are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from faceward.plugin import FrameSet, Illumination, Outcome, Slot, Stream, digest_of
from faceward_gates.skin_optics import SkinOpticsGate
from faceward_sim.conformance.scene import Scene, sensor_of, sheet_mm, without_depth, without_infrared

GATE = SkinOpticsGate()
# By tone, lightest to darkest: diffuse reflectance and dot r50 at 940 nm (the parameter sheet's Monte Carlo transport).
SKIN = [(0.482, 1.10), (0.383, 1.00), (0.300, 0.90), (0.221, 0.85)]


def measured(evidence, name: str) -> float:
    return next(measure.value for measure in evidence.measures if measure.name.startswith(name))


@pytest.mark.parametrize(("albedo", "r50_mm"), SKIN)
def test_skin_of_every_tone_is_live(judge, shown, albedo, r50_mm):
    evidence = judge(GATE, shown(Scene(albedo=albedo, r50_mm=r50_mm)))
    assert evidence.outcome is Outcome.LIVE
    assert evidence.score > 0


def test_the_tightest_region_is_measured_to_a_tenth_and_albedo_to_a_twentieth(judge, shown):
    evidence = judge(GATE, shown(Scene(albedo=0.383, r50_mm=1.0)))
    assert measured(evidence, "dot spread, tightest") == pytest.approx(1.0, rel=0.10)
    assert measured(evidence, "albedo, brightest") == pytest.approx(0.383, rel=0.05)


@pytest.mark.parametrize("distance_mm", [300.0, 500.0])
def test_the_measure_is_one_of_millimetres_at_any_distance(judge, shown, distance_mm):
    evidence = judge(GATE, shown(Scene(r50_mm=1.0, distance_mm=distance_mm)))
    assert evidence.outcome is Outcome.LIVE
    assert measured(evidence, "dot spread, tightest") == pytest.approx(1.0, rel=0.15)


@pytest.mark.parametrize(("albedo", "r50_mm"), [(0.51, 2.25), (0.64, 2.70), (0.52, 2.00)])
def test_silicone_is_not_live_by_its_dots(judge, shown, albedo, r50_mm):
    evidence = judge(GATE, shown(Scene(albedo=albedo, r50_mm=r50_mm)))
    assert (evidence.outcome, evidence.cue) == (Outcome.NOT_LIVE, "dot spread")
    assert evidence.score < 0
    assert "silicone" in evidence.reason


def test_paper_is_not_live_by_its_dots(judge, shown):
    evidence = judge(GATE, shown(Scene(relief=sheet_mm, albedo=0.65, r50_mm=0.05)))
    assert (evidence.outcome, evidence.cue) == (Outcome.NOT_LIVE, "dots too sharp")


def test_more_light_than_skin_returns_is_not_live(judge, shown):
    evidence = judge(GATE, shown(Scene(albedo=0.89, r50_mm=1.0, exposure_us=900)))
    assert (evidence.outcome, evidence.cue) == (Outcome.NOT_LIVE, "albedo too high")


def test_a_dark_face_with_the_spread_of_a_light_one_is_weighed_against_its_albedo(judge, shown):
    spread = {"spread_max_mm": 1.65}
    assert judge(GATE, shown(Scene(albedo=0.45, r50_mm=1.1)), thresholds=spread).outcome is Outcome.LIVE
    assert judge(GATE, shown(Scene(albedo=0.20, r50_mm=1.1)), thresholds=spread).cue == "dot spread"


def test_ambient_light_is_taken_off_before_anything_is_measured(judge, shown):
    plain = judge(GATE, shown(Scene(albedo=0.4)))
    sunny = judge(GATE, shown(Scene(albedo=0.4, ambient=2.0, seed=1)))
    assert sunny.outcome is Outcome.LIVE
    assert measured(sunny, "albedo, brightest") == pytest.approx(measured(plain, "albedo, brightest"), rel=0.06)
    assert measured(sunny, "dot spread, tight") == pytest.approx(measured(plain, "dot spread, tight"), rel=0.15)


def test_a_region_without_enough_dots_is_inconclusive_and_named(judge, shown):
    evidence = judge(GATE, shown(Scene()), thresholds={"dots_each": 1e5})
    assert (evidence.outcome, evidence.cue) == (Outcome.INCONCLUSIVE, "too few dots")
    few = judge(GATE, shown(Scene()), thresholds={"dots_each": 600.0})
    assert few.outcome is Outcome.INCONCLUSIVE
    assert "forehead" in few.reason
    assert "chin" not in few.reason


TWO_BANDS = replace(
    sensor_of(),
    wavelengths_nm={Illumination.DOTS: 940, Illumination.FLOOD: 940, Illumination.FLOOD_SECOND: 850},
    calibration=replace(
        sensor_of().calibration,
        flood_second_counts_per_us_at_1m=sensor_of().calibration.flood_counts_per_us_at_1m,
    ),
)


def in_two_bands(frames, share: float):
    """Every other flood frame taken for the second band, with that much of its light."""

    def second(frame, turn):
        if frame is None or frame.illumination is not Illumination.FLOOD or turn % 2:
            return frame
        black = TWO_BANDS.calibration.black_level_counts
        data = np.rint(black + (frame.pixels.astype(np.float64) - black) * share).astype("<u2").tobytes()
        return replace(
            frame, illumination=Illumination.FLOOD_SECOND, wavelength_nm=850, data=data, digest=digest_of(data)
        )

    return [
        (FrameSet(each.index, tuple(Slot(second(s.infrared, s.number), s.depth) for s in each.slots)), face)
        for each, face in frames
    ]


def test_it_says_what_it_can_not_claim(judge, shown):
    assert "matched" in judge(GATE, shown(Scene())).reason


def test_a_second_band_is_asked_for_where_there_is_one():
    assert GATE.requirements(TWO_BANDS).flood_second_hz > 0
    assert GATE.requirements(sensor_of()).flood_second_hz == 0


def test_a_second_band_that_was_not_measured_is_inconclusive(judge, shown):
    evidence = judge(GATE, shown(Scene()), sensor=TWO_BANDS)
    assert (evidence.outcome, evidence.cue) == (Outcome.INCONCLUSIVE, "second band")


@pytest.mark.parametrize("share", [0.9, 1.15])
def test_both_bands_as_skin_returns_them_are_live_and_covered(judge, shown, share):
    frames = in_two_bands(shown(Scene(albedo=0.3)), share)
    evidence = judge(GATE, frames, sensor=TWO_BANDS)
    assert evidence.outcome is Outcome.LIVE
    assert measured(evidence, "band ratio, highest") == pytest.approx(1 / share, rel=0.05)
    seconds = {f.digest for each, _ in frames for f in each.infrared(Illumination.FLOOD_SECOND)}
    assert seconds and seconds <= evidence.covered


@pytest.mark.parametrize("share", [0.5, 1.8])
def test_bands_as_no_skin_returns_them_are_not_live(judge, shown, share):
    evidence = judge(GATE, in_two_bands(shown(Scene(albedo=0.3)), share), sensor=TWO_BANDS)
    assert (evidence.outcome, evidence.cue) == (Outcome.NOT_LIVE, "band ratio")


def test_without_a_stream_or_dots_nothing_is_evaluated(judge, shown):
    frames = shown(Scene())
    for frames_left, streams in (
        (without_depth(frames), {Stream.INFRARED}),
        (without_infrared(frames), {Stream.DEPTH}),
    ):
        evidence = judge(GATE, frames_left, sensor=replace(sensor_of(), streams=frozenset(streams)))
        assert (evidence.outcome, evidence.cue) == (Outcome.NOT_EVALUATED, "streams")
    dotless = replace(sensor_of(), wavelengths_nm={Illumination.FLOOD: 940})
    assert judge(GATE, frames, sensor=dotless).cue == "dots"


def test_dark_slots_are_not_covered_and_everything_else_is(judge, shown):
    frames = shown(Scene())
    covered = judge(GATE, frames).covered
    for frame_set, _ in frames:
        for slot in frame_set.slots:
            assert (slot.infrared.digest in covered) == (slot.infrared.illumination is not Illumination.OFF)


def test_one_region_of_silicone_can_not_average_out(judge, shown):
    """A capture whose second half is silicone in another pose: the worst pose decides."""
    skin, mask = shown(Scene()), shown(Scene(r50_mm=2.25, albedo=0.5))
    half = len(skin) // 2
    from faceward.plugin import Pose

    turned = [(frame_set, replace(face, stage=Pose.LEFT)) for frame_set, face in mask[half:]]
    evidence = judge(GATE, skin[:half] + turned)
    assert (evidence.outcome, evidence.cue) == (Outcome.NOT_LIVE, "dot spread")
    assert "pose left" in evidence.reason
