from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.optics.profile import SHARES
from faceward_sim.optics.transport.layers import Layer, gap, skin
from faceward_sim.optics.transport.photons import fly
from faceward_sim.optics.transport.response import DROP_MHZ, Response, Tally

_STACK = (Layer(3.0, 0.01, 1.0), gap(2.0), *skin(0.5, 0.04, 2.0))
_MU_A = [layer.mu_a for layer in _STACK]


@pytest.fixture(scope="module")
def flight():
    return fly(_STACK, 40_000, 10_007)


def test_a_tally_is_the_plain_sum_over_photons(flight):
    weight = np.exp(-flight.paths_mm @ np.array(_MU_A))
    seen = Tally(flight, dermis=3).at(_MU_A)
    assert seen.reflectance == pytest.approx((1 - flight.specular) * weight.sum() / 40_000)
    assert seen.dermis_path_mm == pytest.approx((weight * flight.paths_mm[:, 3]).sum() / weight.sum())
    assert seen.mean_over_range_mm == pytest.approx((weight @ flight.paths_mm @ flight.indices) / weight.sum() / 2)
    for share, radius in zip(SHARES, seen.radii_mm, strict=True):
        assert weight[flight.radius_mm <= radius].sum() / weight.sum() == pytest.approx(share, abs=0.001)


def test_absorption_put_in_afterwards_is_absorption_flown_through(flight):
    drawn = fly(_STACK, 40_000, 10_008, absorbed=True)
    seen = Tally(flight, dermis=3).at(_MU_A).reflectance
    assert (1 - drawn.specular) * len(drawn.radius_mm) / 40_000 == pytest.approx(seen, abs=0.012)


@pytest.mark.parametrize("mhz", [20.0, 60.0, 100.0, 200.0])
def test_over_range_at_any_frequency_follows_from_its_fall_to_300_mhz(flight, mhz):
    told = Tally(flight, dermis=3).at(_MU_A)
    direct = Tally(flight, dermis=3, drop_mhz=mhz).at(_MU_A)
    fall = direct.over_range_drop_mm * (mhz / DROP_MHZ) ** 2
    assert told.over_range_mm(mhz) == pytest.approx(direct.mean_over_range_mm - fall, abs=0.1)
    assert told.over_range_mm() == told.mean_over_range_mm > told.over_range_mm(300.0)


def test_blood_in_the_dermis_darkens_as_the_same_absorption_flown_through(flight):
    tally = Tally(flight, dermis=3)
    more = [mu + (0.0006 if layer == 3 else 0.0) for layer, mu in enumerate(_MU_A)]
    change = tally.at(more).reflectance / tally.at(_MU_A).reflectance
    told = tally.at(_MU_A).with_blood(0.001, 0.6)
    assert told.reflectance / tally.at(_MU_A).reflectance == pytest.approx(change, abs=1e-5)


def test_values_are_the_response_again():
    response = Response(0.4, tuple(np.arange(1.0, 1 + len(SHARES))), 5.0, 0.1, 7.0)
    assert Response.from_values(response.values()) == response
    assert response.r50_mm == 3.0
    assert response.profile.radius_mm(0.5) == pytest.approx(3.0)
    assert response.r90_mm == 5.0
