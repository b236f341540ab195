"""Two passive cameras: colour, and depth from finding one picture in the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from faceward_sim.optics.dual_camera import DualCamera


def _textured(rng):
    return np.clip(0.4 + 0.15 * rng.standard_normal((256, 256)), 0.05, 0.9).astype(np.float32)


def test_a_textured_target_is_measured_and_a_plain_one_in_the_dark_is_not(scenes, unit_seed):
    wall = scenes.plane(500, _textured(np.random.default_rng(1)), width_mm=1600, height_mm=1200)
    depth = DualCamera(scenes.actor(wall), unit_seed).look(0).depth_mm
    middle = depth[180:300, 260:380]
    assert (middle > 0).mean() > 0.9
    assert np.median(middle[middle > 0]) == pytest.approx(500, rel=0.02)


def test_pictures_have_the_colour_of_what_is_there(scenes, unit_seed):
    red = replace(scenes.matt_skin, colour=(1.4, 0.5, 0.3))
    picture = DualCamera(scenes.actor(scenes.plane(400, 0.4, red)), unit_seed).look(0).left
    blue, green, bright = (float(np.median(picture[200:280, 280:360, channel])) for channel in range(3))
    assert bright > 1.3 * green > 1.3 * blue


def test_what_time_of_flight_and_dots_would_tell_apart_looks_the_same(scenes, unit_seed):
    """Paper and silicone of one colour: nothing here sees into a surface."""
    pictures = [
        DualCamera(scenes.actor(scenes.plane(400, 0.4, replace(m, specular_share=0.0))), unit_seed).look(0).left
        for m in (scenes.paper, scenes.silicone)
    ]
    assert np.array_equal(*pictures)


def test_units_differ_and_a_seed_makes_the_same_pictures(scenes, unit_seed):
    actor = scenes.actor(scenes.ball(450, 90))
    a, b, other = (DualCamera(actor, seed).look(0) for seed in (unit_seed, unit_seed, unit_seed + 1))
    assert np.array_equal(a.left, b.left) and np.array_equal(a.right, b.right)
    assert not np.array_equal(a.left, other.left)
    assert a.left.shape == (480, 640, 3) and a.left.dtype == np.uint8
