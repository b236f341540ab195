"""One face, one track, one identity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from faceward.plugin import FaceObservation, FrameSet, HeadPose, Outcome, Slot, Stream
from faceward_gates.continuity import ContinuityGate
from faceward_sim.conformance.scene import NOBODY, Scene, sensor_of, without_infrared

GATE = ContinuityGate()
HEAD = Scene(width_px=320)
SENSOR = sensor_of(320)


@pytest.fixture
def frames(shown):
    return shown(HEAD)


@pytest.fixture
def cue(judge):
    def run(frames):
        evidence = judge(GATE, frames, sensor=SENSOR)
        return evidence.outcome, evidence.cue

    return run


def as_somebody(face: FaceObservation, angle_deg: float, yaw_deg: float = 0.0) -> FaceObservation:
    """The face with an identity at an angle from the first one, looking aside."""
    angle = np.radians(angle_deg)
    sightings = tuple(replace(each, pose=HeadPose(yaw_deg, 0.0, 0.0)) for each in face.sightings)
    return replace(face, sightings=sightings, identity=np.array([np.cos(angle), np.sin(angle), 0.0, 0.0], np.float32))


def moved(face: FaceObservation, right_mm: float = 0.0, nearer_mm: float = 0.0) -> FaceObservation:
    scale = SENSOR.calibration.infrared.fx_px / 400.0
    return replace(
        face,
        sightings=tuple(
            replace(
                each, landmarks_px=each.landmarks_px + np.float32([right_mm * scale, 0]), distance_mm=400.0 - nearer_mm
            )
            for each in face.sightings
        ),
    )


def delayed(frame_set: FrameSet, seconds: float) -> FrameSet:
    def later(frame):
        return None if frame is None else replace(frame, device_time_us=frame.device_time_us + round(1e6 * seconds))

    return FrameSet(frame_set.index, tuple(Slot(later(s.infrared), later(s.depth)) for s in frame_set.slots))


def test_one_person_is_live_and_every_set_with_a_face_is_covered(judge, frames):
    evidence = judge(GATE, frames, sensor=SENSOR)
    assert (evidence.outcome, evidence.cue) == (Outcome.LIVE, "one person")
    assert evidence.covered == {digest for frame_set, _ in frames for digest in frame_set.digests}
    assert evidence.score > 0


def test_another_identity_in_the_same_pose_is_not_live(cue, frames):
    swapped = frames[:15] + [(frame_set, as_somebody(face, 60.0)) for frame_set, face in frames[15:]]
    assert cue(swapped) == (Outcome.NOT_LIVE, "identity changed")


def test_a_face_that_drifts_as_it_turns_is_the_same_face(cue, frames):
    last = len(frames) - 1
    turning = [(each, as_somebody(face, 1.8 * index, yaw_deg=1.0 * index)) for index, (each, face) in enumerate(frames)]
    assert cue(turning)[0] is Outcome.LIVE
    at_once = [
        (each, as_somebody(face, 1.8 * last if index > 10 else 0.0)) for index, (each, face) in enumerate(frames)
    ]
    assert cue(at_once) == (Outcome.NOT_LIVE, "identity changed")


def test_two_bad_looks_at_identity_are_noise_and_three_are_somebody_else(cue, frames):
    for count, outcome in ((2, Outcome.LIVE), (3, Outcome.NOT_LIVE)):
        strange = [
            (each, as_somebody(face, 70.0 if 15 <= index < 15 + count else 0.0))
            for index, (each, face) in enumerate(frames)
        ]
        assert cue(strange)[0] is outcome


def test_somebody_a_little_alike_is_found_by_the_looks_before_and_after(cue, frames):
    # 52 degrees are a likeness of .62: each look by itself passes, all of them together do not.
    swapped = frames[:15] + [(frame_set, as_somebody(face, 52.0)) for frame_set, face in frames[15:]]
    assert cue(swapped) == (Outcome.NOT_LIVE, "identity changed")
    short = frames[:15] + [(each, as_somebody(face, 52.0)) for each, face in frames[15:18]]
    assert cue(short)[0] is Outcome.LIVE
    elsewhere = frames[:15] + [(each, as_somebody(face, 52.0, yaw_deg=9.0)) for each, face in frames[15:]]
    assert cue(elsewhere)[0] is Outcome.LIVE


def test_somebody_else_who_only_shows_another_pose_is_found_by_likeness_to_all(cue, frames):
    swapped = frames[:15] + [(frame_set, as_somebody(face, 70.0, yaw_deg=25.0)) for frame_set, face in frames[15:]]
    assert cue(swapped) == (Outcome.NOT_LIVE, "identity changed")


def test_a_second_face_at_any_time_is_inconclusive_and_no_accusation(cue, frames):
    frame_set, face = frames[20]
    frames[20] = (frame_set, replace(face, faces_max=2))
    assert cue(frames) == (Outcome.INCONCLUSIVE, "second face")
    swapped = frames[:21] + [(each, as_somebody(seen, 70.0)) for each, seen in frames[21:]]
    assert cue(swapped) == (Outcome.INCONCLUSIVE, "second face")


def test_a_gap_in_the_track_is_inconclusive(cue, frames):
    gap = frames[:12] + [(frame_set, NOBODY) for frame_set, _ in frames[12:22]] + frames[22:]
    assert cue(gap) == (Outcome.INCONCLUSIVE, "track lost")
    late = frames[:12] + [(delayed(frame_set, 0.4), face) for frame_set, face in frames[12:]]
    assert cue(late)[0] is Outcome.LIVE


@pytest.mark.parametrize("way", [{"right_mm": 120.0}, {"nearer_mm": 120.0}])
def test_a_jump_of_the_face_is_inconclusive(cue, frames, way):
    jumped = frames[:15] + [(frame_set, moved(face, **way)) for frame_set, face in frames[15:]]
    assert cue(jumped) == (Outcome.INCONCLUSIVE, "track jumped")


def test_a_step_towards_the_sensor_is_no_jump(cue, frames):
    stepping = [
        (frame_set, moved(face, nearer_mm=4.0 * index, right_mm=2.0 * index))
        for index, (frame_set, face) in enumerate(frames)
    ]
    assert cue(stepping)[0] is Outcome.LIVE


def test_a_distance_that_depth_has_not_told_yet_is_no_jump(cue, frames):
    frame_set, face = frames[0]
    unknown = replace(face, sightings=tuple(replace(each, distance_mm=None) for each in face.sightings))
    far = [(each, moved(seen, nearer_mm=-180.0)) for each, seen in frames[1:]]
    assert cue([(frame_set, unknown), *far])[0] is Outcome.LIVE


def test_too_few_sightings_or_identities_say_nothing(cue, frames):
    assert cue(frames[:3]) == (Outcome.INCONCLUSIVE, "too few frames")
    nameless = [(frame_set, replace(face, identity=None)) for frame_set, face in frames]
    assert cue(nameless) == (Outcome.INCONCLUSIVE, "too few identities")
    broken = [(each, replace(face, identity=np.full(4, np.nan, np.float32))) for each, face in frames]
    assert cue(broken) == (Outcome.INCONCLUSIVE, "too few identities")


def test_no_face_is_inconclusive(cue, frames):
    assert cue([(frame_set, NOBODY) for frame_set, _ in frames]) == (Outcome.INCONCLUSIVE, "no face")


def test_sets_without_a_face_are_not_covered(judge, frames):
    frame_set, _ = frames[10]
    frames[10] = (frame_set, NOBODY)
    assert not set(frame_set.digests) & judge(GATE, frames, sensor=SENSOR).covered


def test_without_infrared_nothing_is_evaluated(judge, frames):
    sensor = replace(SENSOR, streams=frozenset({Stream.DEPTH}))
    assert judge(GATE, without_infrared(frames), sensor=sensor).outcome is Outcome.NOT_EVALUATED
