from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faceward.errors import CaptureRejected, ConfigError
from faceward.extract.relief import CELLS, measure_relief, relief_distance_mm
from faceward.extract.sface import (
    FRONTAL_WEIGHT,
    RELIEF_FREE_MM,
    RELIEF_WEIGHT,
    SFaceExtractor,
    faceward_extractor,
)
from faceward.face.models import ModelFiles
from faceward.liveness.admit import LiveCapture, admit
from faceward.model.capture import Capture, FaceTemplate, KeyFrame
from faceward.model.face import Pose
from faceward.model.frame import Prompt
from faceward.model.liveness import Evidence, GateResult, LivenessVerdict, Outcome

PROMPTS = {Pose.FRONTAL: Prompt.LOOK_STRAIGHT, Pose.LEFT: Prompt.TURN_LEFT, Pose.SMILE: Prompt.SMILE}


def key_of(pose: Pose, scene: Any, analysis_of: Callable[[Any], Any]) -> KeyFrame:
    sighting = analysis_of(scene).look(scene.slot, scene.depth).sighting
    return KeyFrame(pose, scene.flood, scene.depth, sighting)


def admitted(keys: tuple[KeyFrame, ...], info: Any) -> LiveCapture:
    """A capture of these key frames that one gate, having seen them all, found alive."""
    capture = Capture("c", info, b"nonce678", bytes(32), bytes(32), 100, 10.0, keys, complete=True, rejection=None)
    covered = {key.flood.digest for key in keys} | {key.depth.digest for key in keys if key.depth is not None}
    evidence = Evidence(Outcome.LIVE, "test", "all good", covered=frozenset(covered))
    verdict = LivenessVerdict(Outcome.LIVE, (GateResult("gate", "1", "tests", evidence),), bytes(32))
    return admit(capture, verdict)


@pytest.fixture(scope="session")
def extractor(models: ModelFiles) -> SFaceExtractor:
    return SFaceExtractor(models)


@pytest.fixture(scope="session")
def capture_of(people: Any, analysis_of: Any) -> Callable[..., LiveCapture]:
    def make(seed: int, poses: tuple[Pose, ...] = (Pose.FRONTAL, Pose.LEFT), **look: Any) -> LiveCapture:
        scenes = [people.look(seed, PROMPTS[pose], **look) for pose in poses]
        keys = tuple(key_of(pose, scene, analysis_of) for pose, scene in zip(poses, scenes, strict=True))
        return admitted(keys, scenes[0].info)

    return make


def a_template(*poses: Pose, angle: float = 0.0, relief_mm: float = 0.0) -> FaceTemplate:
    """Unit vectors at an angle from the first axis."""
    rows = np.zeros((len(poses), 128), dtype=np.float32)
    rows[:, 0], rows[:, 1] = np.cos(angle), np.sin(angle)
    relief = np.full(CELLS * CELLS, relief_mm, dtype=np.float32)
    return FaceTemplate("sface", "1", poses, rows, relief)


def test_a_template_holds_a_unit_row_for_each_pose_and_the_frontal_relief(
    extractor: Any, capture_of: Any, people: Any
) -> None:
    template = extractor.extract(capture_of(people.seeds[0]))
    assert template.poses == (Pose.FRONTAL, Pose.LEFT)
    assert template.embeddings.shape == (2, 128) and template.embeddings.dtype == np.float32
    assert np.linalg.norm(template.embeddings, axis=1) == pytest.approx([1.0, 1.0], abs=1e-5)
    assert template.relief.shape == (144,) and template.relief.dtype == np.float32
    assert (template.extractor, template.extractor_version) == (extractor.name, extractor.version) == ("sface", "1")


def test_people_match_themselves_on_another_sensor_and_nobody_else(extractor: Any, capture_of: Any, people: Any) -> None:
    enrolled = {seed: extractor.extract(capture_of(seed)) for seed in people.seeds[:4]}
    probes = {seed: extractor.extract(capture_of(seed, after_s=2.4, unit=6)) for seed in people.seeds[:4]}
    for seed, probe in probes.items():
        for other, reference in enrolled.items():
            matches = extractor.compare(probe, reference) >= extractor.threshold
            assert matches == (seed == other), (seed, other, extractor.compare(probe, reference))


def test_the_score_is_the_weighted_cosine_less_what_the_reliefs_differ_by(extractor: Any) -> None:
    reference = a_template(Pose.FRONTAL, Pose.LEFT)
    probe = a_template(Pose.FRONTAL, Pose.LEFT, angle=0.5)
    probe.embeddings[1] = reference.embeddings[1]
    expected = (FRONTAL_WEIGHT * np.cos(0.5) + 1.0) / (FRONTAL_WEIGHT + 1.0)
    assert extractor.compare(probe, reference) == pytest.approx(expected, abs=1e-5)
    raised = a_template(Pose.FRONTAL, Pose.LEFT, relief_mm=RELIEF_FREE_MM + 4.0)
    assert extractor.compare(raised, reference) == pytest.approx(1.0 - 4.0 * RELIEF_WEIGHT, abs=1e-5)


def test_a_relief_within_the_free_distance_neither_costs_nor_helps(extractor: Any) -> None:
    near = a_template(Pose.FRONTAL, relief_mm=RELIEF_FREE_MM * 0.9)
    assert extractor.compare(near, a_template(Pose.FRONTAL)) == pytest.approx(1.0, abs=1e-5)


def test_only_poses_that_both_have_count(extractor: Any) -> None:
    probe = a_template(Pose.FRONTAL, Pose.UP)
    assert extractor.compare(probe, a_template(Pose.FRONTAL, Pose.LEFT)) == pytest.approx(1.0, abs=1e-5)


def test_without_a_frontal_face_on_both_sides_nothing_matches(extractor: Any) -> None:
    assert extractor.compare(a_template(Pose.LEFT), a_template(Pose.LEFT)) == -1.0
    assert extractor.compare(a_template(Pose.FRONTAL), a_template(Pose.LEFT)) == -1.0


def test_the_score_stays_in_its_range(extractor: Any) -> None:
    far = a_template(Pose.FRONTAL, angle=np.pi, relief_mm=500.0)
    assert extractor.compare(far, a_template(Pose.FRONTAL)) == -1.0


def broken(**changes: Any) -> FaceTemplate:
    return replace(a_template(Pose.FRONTAL, Pose.LEFT), **changes)


@pytest.mark.parametrize(
    "template",
    [
        broken(extractor="other"),
        broken(extractor_version="2"),
        broken(embeddings=np.ones((2, 127), dtype=np.float32)),
        broken(embeddings=np.ones((2, 128), dtype=np.float32)),
        broken(embeddings=np.full((2, 128), np.nan, dtype=np.float32)),
        broken(embeddings=np.zeros((2, 128), dtype=np.float32)),
        broken(relief=np.zeros(143, dtype=np.float32)),
        broken(relief=np.full(144, np.inf, dtype=np.float32)),
        broken(poses=(Pose.FRONTAL, Pose.FRONTAL)),
        broken(poses=(Pose.FRONTAL,)),
    ],
)
def test_a_template_that_is_none_of_ours_is_refused_on_either_side(extractor: Any, template: FaceTemplate) -> None:
    good = a_template(Pose.FRONTAL, Pose.LEFT)
    with pytest.raises(ConfigError):
        extractor.compare(template, good)
    with pytest.raises(ConfigError):
        extractor.compare(good, template)


def test_a_capture_without_a_frontal_face_gives_no_template(extractor: Any, capture_of: Any, people: Any) -> None:
    with pytest.raises(CaptureRejected, match="no frontal face"):
        extractor.extract(capture_of(people.seeds[0], (Pose.LEFT,)))


def test_a_key_frame_without_depth_gives_no_template(
    extractor: Any, people: Any, analysis_of: Any
) -> None:
    scene = people.look(people.seeds[0])
    flat = replace(key_of(Pose.FRONTAL, scene, analysis_of), depth=None)
    with pytest.raises(CaptureRejected, match="too little depth"):
        extractor.extract(admitted((flat,), scene.info))


@pytest.mark.parametrize("landmarks", [np.full((5, 2), 100.0), np.full((5, 2), np.nan)])
def test_a_key_frame_whose_landmarks_are_none_gives_no_template(
    extractor: Any, people: Any, analysis_of: Any, landmarks: np.ndarray
) -> None:
    scene = people.look(people.seeds[0])
    key = key_of(Pose.FRONTAL, scene, analysis_of)
    lost = replace(key, sighting=replace(key.sighting, landmarks_px=landmarks.astype(np.float32)))
    with pytest.raises(CaptureRejected, match="no usable face"):
        extractor.extract(admitted((lost,), scene.info))


def test_the_hook_loads_the_checked_models_from_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="faceward models install"):
        faceward_extractor(tmp_path)


def test_a_relief_is_the_same_from_another_distance_and_another_persons_is_not(people: Any, analysis_of: Any) -> None:
    def relief(seed: int, distance_mm: float) -> np.ndarray:
        scene = people.look(seed, distance_mm=distance_mm, exposure_us=int(2_500 * (distance_mm / 400) ** 2))
        return measure_relief(key_of(Pose.FRONTAL, scene, analysis_of), scene.info.calibration)

    own = relief_distance_mm(relief(people.seeds[0], 400.0), relief(people.seeds[0], 450.0))
    others = [relief_distance_mm(relief(people.seeds[0], 400.0), relief(seed, 400.0)) for seed in people.seeds[1:4]]
    assert own < np.median(others) and own < 3.5


def test_a_nose_stands_out_of_a_relief(people: Any, analysis_of: Any) -> None:
    scene = people.look(people.seeds[0])
    grid = measure_relief(key_of(Pose.FRONTAL, scene, analysis_of), scene.info.calibration).reshape(CELLS, CELLS)
    middle = grid[3:10, 4:8].max()
    assert middle > 8.0 and middle > grid[:, [0, 1, 10, 11]].max()


def test_a_flat_board_has_no_relief_at_all(people: Any, analysis_of: Any) -> None:
    scene = people.look(people.seeds[0])
    key = key_of(Pose.FRONTAL, scene, analysis_of)
    board = np.full((480, 640), 4000, dtype="<u2").tobytes()
    relief = measure_relief(replace(key, depth=replace(scene.depth, data=board)), scene.info.calibration)
    assert np.abs(relief).max() < 0.5


def test_too_little_depth_gives_no_relief(people: Any, analysis_of: Any) -> None:
    scene = people.look(people.seeds[0])
    key = key_of(Pose.FRONTAL, scene, analysis_of)
    depth = scene.depth.pixels.copy()
    eyes_px = key.sighting.landmarks_px[:2, 1].mean()
    depth[int(eyes_px) + 12 :] = 0
    half = replace(key, depth=replace(scene.depth, data=depth.tobytes()))
    assert measure_relief(half, scene.info.calibration) is None
