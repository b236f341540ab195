from __future__ import annotations

import numpy as np
from faceward_sim.optics.geometry import Geometry
from faceward_sim.optics.rasterise import Rasteriser
from faceward_sim.optics.shadow import ShadowMap
from faceward_sim.world.surface import SceneState, Sun


def _seen(scenes, towards, *surfaces):
    geometry, view = Geometry(), Rasteriser(scenes.camera)
    geometry.load(SceneState(surfaces))
    view.draw(geometry)
    unit = np.asarray(towards) / np.linalg.norm(towards)
    sun = Sun((float(unit[0]), float(unit[1]), float(unit[2])), 1.0, 0.0, shadows=True)
    return ShadowMap(scenes.camera).cast(geometry, view, sun)


def test_nothing_in_the_way_leaves_everything_in_the_sun(scenes):
    assert _seen(scenes, (0.5, -0.4, -1.0), scenes.plane(500)).all()


def test_a_ball_throws_its_shadow_away_from_the_sun(scenes):
    ball, wall = scenes.ball(450, 40), scenes.plane(600)
    seen = _seen(scenes, (1.0, 0.0, -1.0), ball, wall)
    # From x = 0 at z = 450 along (-1, 0, 1) to the wall at z = 600: x = -150 mm.
    at = round(-150 / 600 * scenes.camera.f_px + scenes.camera.cx_px)
    assert not seen[240, at]
    assert seen[240, 640 - at]


def test_a_surface_that_faces_the_sun_is_not_in_its_own_shadow(scenes):
    seen = _seen(scenes, (0.0, -0.2, -1.0), scenes.ball(450, 90))
    assert seen[200:280, 280:360].mean() > 0.99
