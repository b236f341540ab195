from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from faceward_sim.optics.geometry import Geometry
from faceward_sim.world.surface import SceneState


def test_normals_point_out_of_a_ball(scenes):
    geometry = Geometry()
    geometry.load(SceneState((scenes.ball(500, 100),)))
    outwards = (geometry.vertices_mm - (0, 0, 500)) / 100
    inner = outwards[:, 2] < -0.1
    assert (np.sum(geometry.normals * outwards, axis=1)[inner] > 0.99).all()


def test_vertices_that_were_split_for_a_texture_share_their_normal_but_an_edge_stays_an_edge(scenes):
    flat = scenes.plane(400, width_mm=100)
    right_end = np.flatnonzero(flat.vertices_mm[:, 0] == flat.vertices_mm[:, 0].max())
    for slope, shared in ((0.3, True), (4.0, False)):
        leaning = scenes.plane(400, width_mm=100, lean=slope)
        moved = leaning.vertices_mm.copy()
        moved -= leaning.vertices_mm[leaning.vertices_mm[:, 0].argmin()] - flat.vertices_mm[right_end[0]]
        moved[np.isclose(moved[:, 0], moved[:, 0].min())] = flat.vertices_mm[right_end]
        geometry = Geometry()
        geometry.load(SceneState((replace(flat, **_joined(flat, moved)),)))
        count = len(flat.vertices_mm)
        left = geometry.normals[right_end[5]]
        right = geometry.normals[count + np.flatnonzero(np.isclose(moved[:, 0], moved[:, 0].min()))[5]]
        assert np.allclose(left, right) is shared


def _joined(flat, moved):
    count = len(flat.vertices_mm)
    return {
        "vertices_mm": np.concatenate([flat.vertices_mm, moved]),
        "triangles": np.concatenate([flat.triangles, flat.triangles + count]).astype(np.int32),
        "uv": np.concatenate([flat.uv, flat.uv]),
    }


def test_moving_vertices_need_no_new_layout_but_another_texture_does(scenes):
    geometry = Geometry()
    still = scenes.plane(400)
    geometry.load(SceneState((still,)))
    texels = geometry.texels
    geometry.load(SceneState((replace(still, vertices_mm=still.vertices_mm + np.float32(5)),)))
    assert geometry.texels is texels
    assert geometry.vertices_mm[0, 2] == 405
    geometry.load(SceneState((replace(still, reflectance=np.full((16, 16), 0.7, np.float32)),)))
    assert abs(geometry.texels.max() - 0.7) < 1e-6


@pytest.mark.parametrize("part", ["triangles", "uv", "reflectance"])
def test_a_surface_whose_arrays_do_not_fit_is_refused(scenes, part):
    still = scenes.plane(400)
    broken = {
        "triangles": still.triangles + 1,
        "uv": still.uv[:-1],
        "reflectance": np.zeros((0, 4), np.float32),
    }
    with pytest.raises(ValueError, match="surface 0"):
        Geometry().load(SceneState((replace(still, **{part: broken[part]}),)))
