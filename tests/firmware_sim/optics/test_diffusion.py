from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.optics.diffusion import SpreadTables
from faceward_sim.world.surface import Material

_TWO_RADII = Material("skin", 1.0, 3.35, 0.0, 0.3)
_SEVEN_RADII = Material("skin", 1.0, 3.3, 0.0, 0.3, (0.16, 0.45, 1.0, 2.0, 3.3, 5.2, 7.0))


@pytest.mark.parametrize("material", [_TWO_RADII, _SEVEN_RADII], ids=["two radii", "seven radii"])
@pytest.mark.parametrize("px_per_mm", [0.7, 1.4, 2.2])
def test_a_blurred_profile_is_what_rays_and_a_blurring_lens_make(material, px_per_mm):
    tables = SpreadTables(0.8)
    row = tables.row(material, int(SpreadTables.steps(np.float32([px_per_mm]))[0]))
    squared = np.linspace(0, tables.reach_px[row] ** 2, tables.tables.shape[1] - 1)
    profile = tables.tables[row, :-1].astype(np.float64)
    light = np.cumsum(profile - profile[0] / 2 * (squared == 0)) * np.pi * squared[1]
    assert light[-1] == pytest.approx(1, abs=0.01)
    rng = np.random.default_rng(1)
    radii = np.geomspace(1e-4, 100, 4000)
    radius = np.interp(rng.random(400_000), material.profile.inside(radii), radii) * px_per_mm
    x, y = radius + 0.8 * rng.standard_normal(400_000), 0.8 * rng.standard_normal(400_000)
    for share in (0.25, 0.5, 0.75, 0.9):
        expected = np.quantile(np.hypot(x, y), share)
        assert np.sqrt(np.interp(share, light, squared)) == pytest.approx(expected, rel=0.05)
