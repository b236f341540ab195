from __future__ import annotations

import numpy as np
import pytest
from faceward.face.pose import MEAN_FACE_MM, pose_from_pixels, pose_from_points
from faceward.model.frame import Intrinsics
from hypothesis import assume, given
from hypothesis import strategies as st

CAMERA = Intrinsics(640, 480, 554.0, 554.0, 319.5, 239.5)


def turned(yaw_deg: float, pitch_deg: float, roll_deg: float) -> np.ndarray:
    """The rotation of a head, built from three turns about the camera's axes: first roll, then pitch, then yaw."""
    yaw, pitch, roll = np.radians([yaw_deg, pitch_deg, roll_deg])
    # Towards the person's own left the face's forward axis goes from -z to +x; looking up it goes to -y.
    about_y = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return about_y @ about_x @ about_z


def head(yaw: float, pitch: float, roll: float, at: tuple[float, float, float] = (0.0, 0.0, 400.0)) -> np.ndarray:
    return MEAN_FACE_MM @ turned(yaw, pitch, roll).T + at


def pixels(points: np.ndarray) -> np.ndarray:
    return (points[:, :2] / points[:, 2:] * 554.0 + (319.5, 239.5)).astype(np.float32)


def test_a_head_turned_to_its_own_left_faces_the_images_right() -> None:
    forward = turned(30, 0, 0) @ (0, 0, -1)
    assert forward[0] > 0.4
    assert pose_from_points(head(30, 0, 0)).yaw_deg > 25


def test_a_head_that_looks_up_faces_the_images_top() -> None:
    forward = turned(0, 20, 0) @ (0, 0, -1)
    assert forward[1] < -0.3
    assert pose_from_points(head(0, 20, 0)).pitch_deg > 15


def test_a_head_whose_top_leans_to_its_own_left_has_positive_roll() -> None:
    top = turned(0, 0, 10) @ (0, -1, 0)
    assert top[0] > 0.1
    assert pose_from_points(head(0, 0, 10)).roll_deg > 8


@given(st.floats(-35, 35), st.floats(-25, 25), st.floats(-20, 20), st.floats(-80, 80), st.floats(280, 600))
def test_any_pose_of_the_mean_face_is_found_from_its_points(
    yaw: float, pitch: float, roll: float, x: float, z: float
) -> None:
    pose = pose_from_points(head(yaw, pitch, roll, (x, -20.0, z)))
    assert (pose.yaw_deg, pose.pitch_deg, pose.roll_deg) == pytest.approx((yaw, pitch, roll), abs=0.6)


@given(st.floats(-30, 30), st.floats(-20, 20), st.floats(-15, 15), st.floats(-100, 100))
def test_without_depth_the_pose_comes_from_the_pixels(yaw: float, pitch: float, roll: float, x: float) -> None:
    pose = pose_from_pixels(pixels(head(yaw, pitch, roll, (x, 0.0, 450.0))), CAMERA)
    assert (pose.yaw_deg, pose.pitch_deg, pose.roll_deg) == pytest.approx((yaw, pitch, roll), abs=6)


@given(st.lists(st.floats(-4, 4), min_size=15, max_size=15))
def test_depth_noise_of_some_millimetres_moves_the_pose_by_some_degrees(noise: list[float]) -> None:
    pose = pose_from_points(head(20, -10, 0) + np.reshape(noise, (5, 3)))
    assert abs(pose.yaw_deg - 20) < 14 and abs(pose.pitch_deg + 10) < 14


@pytest.mark.parametrize("corner", [3, 4])
def test_one_corner_of_the_mouth_is_enough(corner: int) -> None:
    points = head(15, 10, 0)
    points[corner] = np.nan
    pose = pose_from_points(points)
    assert (pose.yaw_deg, pose.pitch_deg) == pytest.approx((15, 10), abs=1)


@pytest.mark.parametrize("unknown", [[0], [1], [3, 4], [0, 1, 2, 3, 4]])
def test_without_an_eye_or_the_mouth_there_is_no_pose_from_depth(unknown: list[int]) -> None:
    points = head(0, 0, 0)
    points[unknown] = np.nan
    assert pose_from_points(points) is None


def test_the_nose_alone_is_not_missed() -> None:
    points = head(12, 0, 0)
    points[2] = np.nan
    assert pose_from_points(points).yaw_deg == pytest.approx(12, abs=0.5)


def test_an_eye_whose_depth_is_the_walls_gives_no_pose() -> None:
    points = head(0, 0, 0)
    points[0] *= 1.5
    assert pose_from_points(points) is None


def test_a_mouth_that_is_no_face_below_the_eyes_gives_no_pose() -> None:
    points = head(0, 0, 0)
    points[3:] += (0, 80, 0)
    assert pose_from_points(points) is None


@given(st.lists(st.floats(-50, 700), min_size=10, max_size=10))
def test_any_five_pixels_give_a_pose_or_none_and_never_an_error(numbers: list[float]) -> None:
    pose = pose_from_pixels(np.reshape(numbers, (5, 2)).astype(np.float32), CAMERA)
    assume(pose is not None)
    assert np.isfinite([pose.yaw_deg, pose.pitch_deg, pose.roll_deg]).all()


def test_points_on_one_spot_or_one_line_are_no_face() -> None:
    assert pose_from_pixels(np.full((5, 2), 200.0, dtype=np.float32), CAMERA) is None
    line = np.column_stack([np.linspace(100, 200, 5), np.full(5, 100.0)]).astype(np.float32)
    assert pose_from_pixels(line, CAMERA) is None


@pytest.mark.parametrize(("pitch", "known"), [(49, True), (-49, True), (52, False), (-52, False)])
def test_points_on_a_plane_that_no_face_has_are_no_pose(pitch: float, known: bool) -> None:
    pose = pose_from_points(head(0, pitch, 0))
    assert (pose is not None) == known
