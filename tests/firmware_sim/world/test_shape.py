from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.world import shape
from faceward_sim.world.anatomy import eye_centre, load_anatomy


def _sunk_mm(seed):
    """How far the skin around each eye lies inside the wall of its socket, in millimetres of the drawn head."""
    anatomy = load_anatomy()
    drawn = shape.draw_build(seed, anatomy, 2.0).vertices_mm
    corners = anatomy.wedge_vertex[anatomy.triangles]
    walls = np.setdiff1d(corners[anatomy.cavity], corners[~anatomy.cavity])
    skin = np.setdiff1d(corners[~anatomy.cavity], corners[anatomy.cavity])
    for eye in anatomy.eye_vertices:
        rest = np.linalg.norm(anatomy.vertices_mm - eye_centre(anatomy.vertices_mm[eye]), axis=1)
        here = np.linalg.norm(drawn - eye_centre(drawn[eye]), axis=1)
        yield here[walls[rest[walls] < 20]].max() - here[skin[rest[skin] > 17.5]].min()


@pytest.mark.parametrize("seed", [103, 111, 134])
def test_no_socket_comes_through_the_cheek(monkeypatch, seed):
    assert all(sunk < 0 for sunk in _sunk_mm(seed))
    monkeypatch.setattr(shape, "_cover_sockets", lambda vertices_mm, anatomy: None)
    assert any(sunk > 1 for sunk in _sunk_mm(seed))


def test_lids_stay_where_they_were_drawn(monkeypatch):
    anatomy = load_anatomy()
    covered = shape.draw_build(111, anatomy, 2.0).vertices_mm
    monkeypatch.setattr(shape, "_cover_sockets", lambda vertices_mm, anatomy: None)
    drawn = shape.draw_build(111, anatomy, 2.0).vertices_mm
    for eye in anatomy.eye_vertices:
        rest = np.linalg.norm(anatomy.vertices_mm - eye_centre(anatomy.vertices_mm[eye]), axis=1)
        assert np.array_equal(covered[rest < 16.5], drawn[rest < 16.5])
