from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.optics.diffusion import SpreadTables, spread
from faceward_sim.world.surface import Material
from hypothesis import given, settings
from hypothesis import strategies as st

# sensor-physics sheet: r50, r90 and the share of a dot's light inside .5 mm, by tone
_TONES = [(1.10, 3.50, 0.24), (1.00, 3.35, 0.27), (0.90, 3.20, 0.29), (0.85, 3.00, 0.32)]


def _inside(radius_mm, material):
    s, k = spread(material)
    return 1 - np.exp(-((radius_mm / s) ** k))


@given(st.floats(0.03, 6.0), st.floats(1.3, 6.0))
@settings(deadline=None)
def test_half_of_the_light_is_inside_r50_and_nine_tenths_inside_r90(r50, ratio):
    material = Material("m", r50, r50 * ratio, 0.0, 0.3)
    assert _inside(r50, material) == pytest.approx(0.5, abs=1e-6)
    assert _inside(r50 * ratio, material) == pytest.approx(0.9, abs=1e-6)


@pytest.mark.parametrize(("r50", "r90", "share"), _TONES)
def test_the_heart_of_a_dot_on_skin_agrees_with_light_transport(r50, r90, share):
    assert _inside(0.5, Material("skin", r50, r90, 0.07, 0.3)) == pytest.approx(share, abs=0.04)


@pytest.mark.parametrize("px_per_mm", [0.7, 1.4, 2.2])
def test_a_blurred_profile_is_what_rays_and_a_blurring_lens_make(px_per_mm):
    material = Material("skin", 1.0, 3.35, 0.0, 0.3)
    tables = SpreadTables(0.8)
    row = tables.row(material, int(SpreadTables.steps(np.float32([px_per_mm]))[0]))
    squared = np.linspace(0, tables.reach_px[row] ** 2, tables.tables.shape[1] - 1)
    profile = tables.tables[row, :-1].astype(np.float64)
    light = np.cumsum(profile - profile[0] / 2 * (squared == 0)) * np.pi * squared[1]
    assert light[-1] == pytest.approx(1, abs=0.01)
    rng = np.random.default_rng(1)
    s, k = spread(material)
    radius = s * (-np.log(rng.random(400_000))) ** (1 / k) * px_per_mm
    x, y = radius + 0.8 * rng.standard_normal(400_000), 0.8 * rng.standard_normal(400_000)
    for share in (0.25, 0.5, 0.75, 0.9):
        expected = np.quantile(np.hypot(x, y), share)
        assert np.sqrt(np.interp(share, light, squared)) == pytest.approx(expected, rel=0.05)
