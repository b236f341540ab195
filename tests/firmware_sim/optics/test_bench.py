"""The bench against patches whose numbers are known, since they were made up for it."""

from __future__ import annotations

import math

import pytest
from faceward_sim.optics.bench import Bench, Patch
from faceward_sim.world.surface import Material


@pytest.fixture(scope="module")
def bench():
    return Bench(10_023)


def _patch(reflectance=0.4, r50_mm=1.0, ratio=3.3, mirrors=0.03):
    return Patch(reflectance, Material("made up", r50_mm, ratio * r50_mm, mirrors / reflectance, 0.3))


@pytest.mark.parametrize("reflectance", [0.08, 0.38, 0.85])
def test_reflectance_is_read_from_the_flood_image_whatever_the_surface_mirrors(bench, reflectance):
    assert bench.reflectance(_patch(reflectance)) == pytest.approx(reflectance, rel=0.01)


def test_side_by_side_a_difference_of_a_thousandth_shows(bench):
    assert bench.ratio(_patch(0.4004), _patch(0.4)) == pytest.approx(1.001, abs=0.0002)


@pytest.mark.parametrize("r50_mm", [0.07, 0.9, 5.0])
def test_a_dots_profile_is_read_without_the_blur_whatever_its_size(bench, r50_mm):
    patch = _patch(r50_mm=r50_mm)
    spread = bench.spread(patch)
    assert spread.r50_mm == pytest.approx(r50_mm, rel=0.05)
    assert spread.r90_mm == pytest.approx(3.3 * r50_mm, rel=0.07)
    if r50_mm == 0.9:
        assert spread.share_half_mm == pytest.approx(float(patch.material.profile.inside(0.5)), rel=0.05)


def test_the_direct_share_is_what_the_surface_mirrors_of_all_that_returns(bench):
    assert bench.direct_share(_patch(0.3, mirrors=0.028)) == pytest.approx(0.028 / 0.328, rel=0.05)


def test_polarisers_take_the_mirror_away_and_nothing_else():
    patch = _patch()
    assert patch.polarised.material.specular_share == 0
    assert patch.polarised.reflectance == patch.reflectance
    assert math.isclose(patch.polarised.material.dot_r90_mm, patch.material.dot_r90_mm)
