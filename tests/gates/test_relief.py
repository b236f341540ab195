"""Depth on a grid of cells, and what shapes are told from it."""

from __future__ import annotations

import numpy as np
import pytest
from faceward_gates.relief import face_relief, facing, largest_blob, nearest_slab, shape_of
from faceward_sim.conformance.scene import Scene, head_mm, sensor_of, sheet_mm
from hypothesis import given
from hypothesis import strategies as st

CALIBRATION = sensor_of().calibration
WHOLE = (0.0, 0.0, 640.0, 480.0)


@pytest.fixture
def depth_of(shown):
    return lambda scene: shown(scene)[0][0].depth


def grid(count: int = 20) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.meshgrid(np.linspace(-70, 70, count), np.linspace(-90, 90, count))
    return x.ravel(), y.ravel()


@given(
    a=st.floats(-1, 1), b=st.floats(-1, 1), z=st.floats(250, 800), sigma=st.floats(0.01, 1.5), seed=st.integers(0, 999)
)
def test_a_plane_held_anywhere_has_no_residual_but_noise(a: float, b: float, z: float, sigma: float, seed: int):
    x, y = grid()
    noise = sigma * np.random.default_rng(seed).standard_normal(len(x))
    shape = shape_of(np.column_stack([x, y, z + a * x + b * y + noise]).astype(np.float32))
    assert shape.bend_mm <= 1.02 * shape.plane_mm  # each is refitted without its own farthest points
    assert shape.plane_mm < 1.2 * sigma + 0.01
    assert min(shape.span_mm, shape.short_mm) > 100


@given(radius=st.floats(110, 600), turn=st.floats(0, np.pi), z=st.floats(250, 800))
def test_a_bent_sheet_is_a_bend_and_a_head_is_not(radius: float, turn: float, z: float):
    x, y = grid()
    across = np.cos(turn) * x + np.sin(turn) * y
    sheet = shape_of(np.column_stack([x, y, z + radius - np.sqrt(np.maximum(radius**2 - across**2, 0))]).astype("f4"))
    head = shape_of(np.column_stack([x, y, z - np.nan_to_num(head_mm(x, y))]).astype(np.float32))
    if radius > 180:
        assert sheet.bend_mm < 0.6
    assert head.bend_mm > 2.5


def test_too_few_points_have_no_shape():
    assert shape_of(np.zeros((59, 3), np.float32)) is None


def test_points_lie_where_the_depth_frame_has_them(depth_of):
    relief = face_relief(depth_of(Scene()), CALIBRATION, (220.0, 120.0, 200.0, 240.0), (640, 480))
    nose = relief.at(319.5, 239.5 + 554.0 * 4.0 / 374.0)
    assert nose == pytest.approx([0.0, 4.0, 475.0 - 75.0 - 25.8], abs=1.5)
    assert relief.at(-5.0, 10.0) is None


def test_a_frame_of_another_size_is_only_a_matter_of_scale(depth_of):
    depth = depth_of(Scene())
    one = face_relief(depth, CALIBRATION, (220.0, 120.0, 200.0, 240.0), (640, 480))
    two = face_relief(depth, CALIBRATION, (110.0, 60.0, 100.0, 120.0), (320, 240))
    assert np.array_equal(one.z_mm, two.z_mm)


@pytest.mark.parametrize(
    "box", [(0, 0, 4, 4), (np.nan, 0, 50, 50), (-900, -900, 50, 50), (0, 0, np.inf, 9), (5, 5, 90, 0)]
)
def test_a_box_without_a_face_has_no_relief(depth_of, box):
    assert face_relief(depth_of(Scene()), CALIBRATION, box, (640, 480)) is None


def test_what_lies_behind_a_face_is_left_out(depth_of):
    relief = face_relief(depth_of(Scene()), CALIBRATION, (150.0, 50.0, 340.0, 380.0), (640, 480))
    assert np.ptp(relief.z_mm[relief.valid]) <= 170.0


def test_the_nearest_slab_ends_a_head_behind_the_nose_and_beyond_reach_is_nothing(depth_of):
    slab = nearest_slab(depth_of(Scene()), CALIBRATION, 900.0)
    assert slab.z_mm[slab.valid].max() <= slab.z_mm[slab.valid].min() + 145.0
    assert slab.area_mm2 == pytest.approx(np.pi * 78 * 108, rel=0.2)
    assert nearest_slab(depth_of(Scene()), CALIBRATION, 300.0) is None
    assert largest_blob(slab).area_mm2 <= slab.area_mm2


def test_a_sheet_square_to_the_sensor_faces_it_and_a_leaning_one_by_its_cosine(depth_of):
    def leaning_mm(x_mm, y_mm):
        return sheet_mm(x_mm, y_mm) + x_mm

    for relief, angle_deg in ((sheet_mm, 0.0), (leaning_mm, 45.0)):
        whole = nearest_slab(depth_of(Scene(relief=relief)), CALIBRATION, 900.0)
        middle = facing(whole)[whole.valid & (np.abs(whole.x_mm) < 10) & (np.abs(whole.y_mm) < 60)]
        assert np.median(middle) == pytest.approx(np.cos(np.radians(angle_deg)), abs=0.02)
