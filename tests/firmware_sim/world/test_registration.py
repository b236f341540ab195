"""The base head's face laid onto shapes."""

from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.world.anatomy import load_anatomy
from faceward_sim.world.registration import LARGEST_SCALE, SMALLEST_SCALE, Laid, lay_face
from faceward_sim.world.shape import draw_build

CAMERA = np.eye(3, dtype=np.float32)


@pytest.fixture(scope="module")
def build(draw_seed):
    return draw_build(draw_seed("registration"), load_anatomy(), 2.0)


@pytest.fixture(scope="module")
def triangles():
    """Of a head down to the neck."""
    anatomy = load_anatomy()
    corners = anatomy.wedge_vertex[anatomy.triangles[~anatomy.cavity]]
    return corners[(anatomy.vertices_mm[corners][:, :, 1] < 150).all(axis=1)]


def test_a_head_that_is_inside_out_is_laid_as_well(build, triangles):
    vertices = build.vertices_mm.astype(float)
    found, turned = (lay_face(vertices, faces, CAMERA) for faces in (triangles, triangles[:, ::-1]))
    assert turned.misfit_mm == pytest.approx(found.misfit_mm, abs=0.5)
    assert np.abs(turned.eyes_mm - found.eyes_mm).max() < 3


def test_the_base_head_lies_on_itself_with_its_eyes_where_they_are(triangles):
    vertices = load_anatomy().vertices_mm.astype(float)
    found = lay_face(vertices, triangles, CAMERA)
    assert found.sized and found.scale == pytest.approx(1, abs=0.02)
    assert np.allclose(found.rotation, np.eye(3), atol=0.03)
    assert np.abs(found.eyes_mm.mean(axis=0)).max() < 2  # the origin is the middle between the eyes


@pytest.mark.parametrize(
    ("scale", "sized"),
    [(SMALLEST_SCALE, True), (LARGEST_SCALE, True), (SMALLEST_SCALE - 0.01, False), (LARGEST_SCALE + 0.01, False)],
)
def test_a_face_is_sized_as_an_adults_within_both_limits(scale, sized):
    assert Laid(5.0, scale, CAMERA, np.zeros((2, 3), np.float32)).sized is sized


def test_a_face_of_two_fifths_of_a_persons_size_is_not_sized(build, triangles):
    found = lay_face(build.vertices_mm.astype(float) / 2.54, triangles, CAMERA)
    assert not found.sized
