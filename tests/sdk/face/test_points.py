from __future__ import annotations

import numpy as np
import pytest
from faceward.face.points import locate, unproject_frame
from faceward.model.frame import Calibration, Frame, Illumination, Intrinsics, Stream

CAMERA = Intrinsics(640, 480, 554.0, 554.0, 319.5, 239.5)
CALIBRATION = Calibration(
    CAMERA, CAMERA, 100.0, 40.0, 200.0, 1000.0, 10.0, 1.0, 0.3, 5.0, 0.0, 10.0, 512.0, 20.0, 5.0, 65_520.0
)


def depth_frame(depth_mm: np.ndarray) -> Frame:
    data = np.rint(depth_mm * 10).astype("<u2")
    return Frame(
        Stream.DEPTH, data.shape[1], data.shape[0], data.tobytes(), 0, 0, 0, 1000, 1.0, Illumination.DOTS, 940, 35.0,
        b"", b"",
    )  # fmt: skip


def at(x: float, y: float) -> np.ndarray:
    return np.array([[x, y]], dtype=np.float32)


def test_a_landmark_on_a_wall_lies_where_the_camera_sees_it() -> None:
    points = locate(at(319.5 + 55.4, 239.5 - 110.8), (640, 480), depth_frame(np.full((480, 640), 500.0)), CALIBRATION)
    assert points[0] == pytest.approx((50.0, -100.0, 500.0), abs=0.01)


def test_depth_of_half_the_size_is_looked_up_at_the_same_place() -> None:
    depth = np.full((240, 320), 400.0)
    depth[:, 160:] = 600.0
    points = locate(np.array([[200, 100], [440, 100]], dtype=np.float32), (640, 480), depth_frame(depth), CALIBRATION)
    assert points[:, 2] == pytest.approx((400.0, 600.0), abs=0.1)


def test_a_hole_is_bridged_from_around_it_and_a_large_one_is_unknown() -> None:
    depth = np.full((480, 640), 400.0)
    depth[230:250, 310:330] = 0.0
    assert locate(at(320, 240), (640, 480), depth_frame(depth), CALIBRATION)[0, 2] == pytest.approx(400.0, abs=0.1)
    depth[180:300, 260:380] = 0.0
    assert locate(at(320, 240), (640, 480), depth_frame(depth), CALIBRATION) is None


def test_an_unknown_landmark_does_not_hide_the_known_ones() -> None:
    depth = np.full((480, 640), 400.0)
    depth[:, :200] = 0.0
    points = locate(np.array([[50, 100], [400, 100]], dtype=np.float32), (640, 480), depth_frame(depth), CALIBRATION)
    assert np.isnan(points[0]).all() and points[1, 2] == pytest.approx(400.0, abs=0.1)


@pytest.mark.parametrize("wrong_mm", [100.0, 1500.0])
def test_depth_beyond_what_the_sensor_measures_does_not_count(wrong_mm: float) -> None:
    depth = depth_frame(np.full((480, 640), wrong_mm))
    assert locate(at(320, 240), (640, 480), depth, CALIBRATION) is None
    assert len(unproject_frame(depth, CALIBRATION)) == 0


@pytest.mark.parametrize("place", [(-300.0, 10.0), (5000.0, 5000.0), (639.0, 479.0), (0.0, 0.0)])
def test_a_landmark_outside_the_frame_is_no_error(place: tuple[float, float]) -> None:
    points = locate(at(*place), (640, 480), depth_frame(np.full((480, 640), 400.0)), CALIBRATION)
    assert points is None or points.shape == (1, 3)


def test_a_whole_frame_becomes_a_cloud() -> None:
    cloud = unproject_frame(depth_frame(np.full((480, 640), 554.0)), CALIBRATION)
    assert cloud.shape == (480 * 640, 3)
    assert cloud[0] == pytest.approx((-319.5, -239.5, 554.0), abs=0.01)
    assert cloud[-1] == pytest.approx((319.5 + 1.0 - 1.0, 239.5, 554.0), abs=0.01)
