"""Sheets: bending keeps lengths, and a hole's edge lies where it was cut."""

from __future__ import annotations

import numpy as np
from faceward_sim.world.instruments.sheets import Hole, bent, cut, flat_grid, grid_triangles
from hypothesis import given
from hypothesis import strategies as st

COLUMNS, ROWS = 41, 51


def areas(points, triangles):
    a, b, c = (points[triangles[:, k]].astype(np.float64) for k in range(3))
    ab, ac = b - a, c - a
    return 0.5 * (ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0])


@given(st.floats(-1 / 60, 1 / 60))
def test_bending_keeps_every_length_along_the_sheet(curvature):
    flat, _ = flat_grid(200, 280, 201, 3)
    rolled = bent(flat, curvature).reshape(3, 201, 3)
    across = np.linalg.norm(np.diff(rolled[1], axis=0), axis=1)
    assert np.allclose(across, 1.0, rtol=2e-3)
    assert np.allclose(rolled[:, :, 1], flat[:, 1].reshape(3, 201))


def test_positive_curvature_turns_the_sides_away_from_the_sensor():
    flat, _ = flat_grid(200, 280, 21, 3)
    assert bent(flat, 1 / 90)[0, 2] > 20
    assert bent(flat, -1 / 90)[0, 2] < -20


@given(
    st.builds(
        Hole,
        x_mm=st.floats(-50, 50),
        y_mm=st.floats(-80, 80),
        half_width_mm=st.floats(8, 30),
        half_height_mm=st.floats(8, 20),
    )
)
def test_a_hole_takes_out_an_ellipse_and_nothing_else(hole):
    flat, _ = flat_grid(200, 280, COLUMNS, ROWS)
    whole = grid_triangles(COLUMNS, ROWS)
    points, kept = cut(flat, whole, (hole,))
    left = np.abs(areas(points, kept))
    missing = 200 * 280 - left.sum()
    wanted = np.pi * hole.half_width_mm * hole.half_height_mm
    assert abs(missing - wanted) < 0.12 * wanted + 10
    assert hole.reach(points[np.unique(kept)]).min() > 0.999
    moved = np.linalg.norm(points - flat, axis=1)
    assert moved.max() < 12
