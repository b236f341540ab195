from __future__ import annotations

import numpy as np
from faceward_sim.optics.geometry import Geometry
from faceward_sim.optics.rasterise import Rasteriser
from faceward_sim.world.surface import SceneState


def _draw(scenes, *surfaces):
    geometry, view = Geometry(), Rasteriser(scenes.camera)
    geometry.load(SceneState(surfaces))
    view.draw(geometry)
    return geometry, view


def test_a_leaning_plane_has_its_own_depth_at_every_pixel(scenes):
    _, view = _draw(scenes, scenes.plane(400, lean=0.5))
    x = (np.arange(640) - 319.5) / 554.0
    expected = 400 / (1 - 0.5 * x)  # z = 400 + lean * x z / f
    assert np.abs(view.depth_mm() - expected[None, :]).max() < 0.01


def test_a_ball_has_the_outline_and_the_depth_of_a_ball(scenes):
    _, view = _draw(scenes, scenes.ball(500, 100))
    depth = view.depth_mm()
    assert abs(depth[239:241, 319:321].mean() - 400) < 0.2
    radius_px = 554 * 100 / np.sqrt(500**2 - 100**2)
    assert abs((depth > 0).sum() / (np.pi * radius_px**2) - 1) < 0.01


def test_what_is_nearer_hides_what_is_behind_whichever_is_drawn_first(scenes):
    near, far = scenes.plane(300, width_mm=50), scenes.plane(400)
    _, view = _draw(scenes, near, far)
    _, other = _draw(scenes, far, near)
    for v in (view, other):
        assert abs(v.depth_mm()[240, 320] - 300) < 0.01
        assert abs(v.depth_mm()[240, 600] - 400) < 0.01


def test_a_sheet_is_seen_from_its_back_too(scenes):
    front = scenes.plane(400)
    back = type(front)(
        front.vertices_mm, np.ascontiguousarray(front.triangles[:, ::-1]), front.uv, front.reflectance, front.material
    )
    _, view = _draw(scenes, back)
    assert abs(view.depth_mm()[240, 320] - 400) < 0.01


def test_nothing_is_drawn_inside_the_housing_or_behind_the_lens(scenes):
    for z_mm in (-400.0, 20.0):
        _, view = _draw(scenes, scenes.plane(z_mm))
        assert not view.inverse_depth.any()


def test_an_empty_scene_leaves_an_empty_view(scenes):
    geometry, view = _draw(scenes, scenes.plane(400))
    geometry.load(SceneState(()))
    view.draw(geometry)
    assert not view.depth_mm().any()
