"""Make-up: what an infrared sensor sees of it, and that it hides no more than it would."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from faceward_sim.world.complexion import draw_complexion, draw_traits, paint_skin
from faceward_sim.world.makeup import draw_makeup
from faceward_sim.world.skin_map import load_skin_map

SEED = 10_215
SIZE = 512


@pytest.fixture(scope="module")
def skin():
    return load_skin_map(SIZE)


@pytest.fixture(scope="module")
def paint(skin):
    complexion, traits = draw_complexion(SEED, 2.0), draw_traits(SEED, male=0.0, age=0.6)
    return lambda make_up: paint_skin(SEED, skin, complexion, replace(traits, mole_count=4), make_up)


@pytest.fixture(scope="module")
def cheeks(skin):
    x, y, z = (skin.position_mm[..., axis] for axis in range(3))
    return (np.abs(x) > 25) & (np.abs(x) < 60) & (y > 20) & (y < 60) & (z < 50)


def test_a_foundation_evens_out_what_lies_under_it(paint, cheeks):
    plain = replace(draw_makeup(SEED), evenness=0.0, brightness=1.0, liner_mm=0.0)
    half = replace(plain, evenness=0.5)
    bare, covered = paint(plain)[cheeks], paint(half)[cheeks]
    assert covered.std() / covered.mean() == pytest.approx(0.5 * bare.std() / bare.mean(), rel=0.1)


def test_a_brighter_foundation_brightens_cheeks_and_leaves_the_neck(paint, cheeks, skin):
    plain = replace(draw_makeup(SEED), evenness=0.0, brightness=1.0, liner_mm=0.0)
    before, after = paint(plain), paint(replace(plain, brightness=1.08))
    assert after[cheeks].mean() / before[cheeks].mean() == pytest.approx(1.08, abs=0.01)
    neck = skin.position_mm[..., 1] > 140
    assert np.array_equal(before[neck], after[neck])


def test_liner_is_black_at_the_lids_and_nowhere_else(paint, skin):
    plain = replace(draw_makeup(SEED), liner_mm=0.0)
    before, after = paint(plain), paint(replace(plain, liner_mm=2.0, below=1.0))
    changed = before - after > 0.02
    assert changed.sum() > 100
    assert skin.lid_distance_mm[changed].max() < 6.0
    assert after[changed].min() < 0.09


def test_lips_and_lashes_follow_what_is_put_on_them():
    traits, make_up = draw_traits(SEED, male=0.0, age=0.2), draw_makeup(SEED)
    under = make_up.on(traits)
    assert under.lip_upper == traits.lip_upper * make_up.lips
    assert under.lash > traits.lash and under.brow_density >= min(traits.brow_density, 1.15)


def test_people_make_up_differently_and_each_the_same_every_day():
    drawn = [draw_makeup(seed) for seed in range(10_000, 10_100)]
    assert drawn[3] == draw_makeup(10_003)
    assert 50 < sum(each.liner_mm > 0 for each in drawn) < 90
