from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from faceward_sim.optics.flood import Daylight, Emitter, flood_signal
from faceward_sim.optics.geometry import Geometry
from faceward_sim.optics.rasterise import Rasteriser
from faceward_sim.world.surface import Material, SceneState, Sun

_AT_LENS = Emitter(0.0, 0.0, 0.0)


def _flood(scenes, *surfaces, emitter=_AT_LENS, flood=1000.0, ambient=0.0, **more):
    geometry, view = Geometry(), Rasteriser(scenes.camera)
    geometry.load(SceneState(surfaces))
    view.draw(geometry)
    return flood_signal(geometry, view, emitter, flood, ambient, np.zeros((480, 640), np.float32), **more)


@pytest.mark.parametrize("z_mm", [250.0, 400.0, 800.0])
def test_flood_light_falls_with_the_square_of_distance(scenes, z_mm):
    centre = _flood(scenes, scenes.plane(z_mm, 0.5))[240, 320]
    assert centre == pytest.approx(1000 * 0.5 / (z_mm / 1000) ** 2, rel=1e-3)


def test_flood_light_falls_with_the_cosine_to_the_emitter(scenes):
    lean = np.tan(np.radians(50))
    centre = _flood(scenes, scenes.plane(400, 0.5, lean=lean))[240, 320]
    assert centre == pytest.approx(1000 * 0.5 / 0.16 * np.cos(np.radians(50)), rel=5e-3)


def test_light_is_proportional_to_the_texture_where_the_texture_says(scenes):
    texture = np.full((64, 64), 0.2, np.float32)
    texture[:32] = 0.6  # v runs down the image
    signal = _flood(scenes, scenes.plane(400, texture))
    assert signal[150, 320] / signal[330, 320] == pytest.approx(3, rel=0.05)


def test_light_follows_the_flush_of_the_surface(scenes):
    plane = scenes.plane(400, 0.5)
    flushed = replace(plane, flush=np.full(len(plane.vertices_mm), 0.9, np.float32))
    assert _flood(scenes, flushed)[240, 320] == pytest.approx(0.9 * _flood(scenes, plane)[240, 320], rel=1e-4)


def test_an_emitter_below_the_lens_lights_from_below(scenes):
    signal = _flood(scenes, scenes.ball(500, 100), emitter=Emitter(0.0, 80.0, 0.0))
    assert signal[290, 320] > 1.1 * signal[190, 320]


def test_ambient_light_is_all_there_is_when_the_emitter_is_off(scenes):
    signal = _flood(scenes, scenes.plane(400, 0.5), flood=0.0, ambient=10.0)
    assert np.allclose(signal, 5.0, rtol=1e-4)


def test_a_gloss_brightens_the_mirror_point_alone(scenes):
    glossy = Material("glossy", 1.0, 3.35, 0.07, 0.1)
    matt, shiny = (_flood(scenes, scenes.ball(500, 100, 0.38, m)) for m in (scenes.matt_skin, glossy))
    # At the mirror point F0 / 4 m^2 over R; the share is of the diffuse reflectance, so R cancels.
    assert shiny[240, 320] / matt[240, 320] - 1 == pytest.approx(0.07 / (4 * 0.01), rel=0.1)
    assert shiny[240, 395] / matt[240, 395] - 1 < 0.01


def test_a_glint_smaller_than_a_pixel_keeps_its_light(scenes):
    """A cornea's glint at .4 m is narrower than a pixel: sampled by points it would come and go with its place."""
    wet = Material("wet", 0.5, 1.5, 1.0, 0.02)
    sums = []
    for shift in np.linspace(0, 0.7, 8):
        eye = scenes.ball(400, 8, 0.03, wet)
        eye = replace(eye, vertices_mm=eye.vertices_mm + np.float32([shift, shift / 2, 0]))
        sums.append(_flood(scenes, eye).sum())
    assert np.std(sums) / np.mean(sums) < 0.1


def test_a_fine_texture_far_away_is_averaged_and_not_sampled_past(scenes):
    rng = np.random.default_rng(5)
    noisy = rng.choice(np.float32([0.1, 0.7]), (2048, 2048))
    signal = _flood(scenes, scenes.plane(800, noisy, width_mm=400, height_mm=400))[200:280, 280:360]
    assert signal.std() / signal.mean() < 0.3
    assert signal.mean() == pytest.approx(1000 * 0.4 / 0.64, rel=0.03)


def _day(towards, counts=100.0, wrap=0.0, seen=None):
    return Daylight(Sun(towards, counts, wrap, shadows=False), counts, seen)


def test_the_sun_lights_by_its_cosine_whatever_the_distance(scenes):
    slanted = (0.0, -0.6, -0.8)
    for z_mm in (300, 700):
        centre = _flood(scenes, scenes.plane(z_mm, 0.5), flood=0.0, day=_day(slanted))[240, 320]
        assert centre == pytest.approx(100 * 0.5 * 0.8, rel=1e-3)


def test_the_side_away_from_the_sun_is_dark_and_light_that_wraps_reaches_it(scenes):
    ball = scenes.ball(500, 100)
    hard = _flood(scenes, ball, flood=0.0, day=_day((1.0, 0.0, 0.0)))
    soft = _flood(scenes, ball, flood=0.0, day=_day((1.0, 0.0, 0.0), wrap=0.5))
    assert hard[240, 260] == 0 and soft[240, 290] > 0
    assert hard[240, 390] > hard[240, 340] > 0


def test_what_stands_in_shadow_has_no_sun(scenes):
    seen = np.ones((480, 640), np.uint8)
    seen[:, :320] = 0
    signal = _flood(scenes, scenes.plane(400, 0.5), flood=0.0, ambient=4.0, day=_day((0.0, 0.0, -1.0), seen=seen))
    assert signal[240, 100] == pytest.approx(2.0, rel=1e-3)
    assert signal[240, 500] == pytest.approx(52.0, rel=1e-3)


def test_a_beam_that_points_aside_is_brightest_there(scenes):
    aside = Emitter(0.0, 0.0, 0.5, 0.2, 0.0)
    middle, right = (_flood(scenes, scenes.plane(400, 0.5), emitter=aside)[240, x] for x in (320, 320 + 110))
    straight = _flood(scenes, scenes.plane(400, 0.5))
    assert middle / straight[240, 320] == pytest.approx(1 - 0.5 * 0.04, rel=1e-3)
    assert right / straight[240, 430] == pytest.approx(1, rel=1e-3)


def test_another_units_emitter_adds_its_light(scenes):
    plane = scenes.plane(400, 0.5)
    both = _flood(scenes, plane, strangers=[(Emitter(0.0, 0.0, 0.0), 500.0)])
    assert both[240, 320] == pytest.approx(1.5 * _flood(scenes, plane)[240, 320], rel=1e-4)


def test_each_surface_returns_its_own_share_of_another_band(scenes):
    left, right = scenes.plane(400, 0.5, width_mm=400, x_mm=-200), scenes.plane(400, 0.5, width_mm=400, x_mm=200)
    share = np.array([0.8, 1.2], np.float32)
    signal = _flood(scenes, left, right, lit=share)
    assert signal[240, 220] / signal[240, 420] == pytest.approx(0.8 / 1.2, rel=1e-3)
    room = _flood(scenes, left, right, flood=0.0, ambient=10.0, room=share)
    assert (room[240, 220], room[240, 420]) == pytest.approx((4.0, 6.0), rel=1e-3)
