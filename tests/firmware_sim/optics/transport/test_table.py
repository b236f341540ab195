"""The committed table against photons flown afresh where it has no node."""

from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.optics.transport.layers import Layer, gap, modified, skin
from faceward_sim.optics.transport.photons import fly
from faceward_sim.optics.transport.response import Tally
from faceward_sim.optics.transport.table import GRIDS, Slab, load_table
from faceward_sim.optics.transport.tissue import MEASURED
from hypothesis import given, settings
from hypothesis import strategies as st

_PHOTONS = 40_000
_HEAD_MU_S_REDUCED = 1.96


@pytest.fixture
def rng(seed):
    return np.random.default_rng(seed)


def _between(rng, low, high):
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _answers(response):
    return {
        "reflectance": response.reflectance,
        "r50_mm": response.r50_mm,
        "r90_mm": response.r90_mm,
        "mean_over_range_mm": response.mean_over_range_mm,
        "over_range_mm(200)": response.over_range_mm(200.0),
        "dermis_path_mm": response.dermis_path_mm,
    }


def _near(flown):
    """Within what a straight line between nodes and the fresh photons' noise leave."""
    answers = _answers(flown)
    return {
        "reflectance": pytest.approx(answers["reflectance"], rel=0.03, abs=0.012),
        "r50_mm": pytest.approx(answers["r50_mm"], rel=0.08),
        "r90_mm": pytest.approx(answers["r90_mm"], rel=0.10),
        "mean_over_range_mm": pytest.approx(answers["mean_over_range_mm"], rel=0.07, abs=0.05),
        "over_range_mm(200)": pytest.approx(answers["over_range_mm(200)"], rel=0.07, abs=0.05),
        "dermis_path_mm": pytest.approx(answers["dermis_path_mm"], rel=0.20, abs=0.05),
    }


@pytest.mark.parametrize("again", range(3))
def test_skin_between_nodes_is_what_fresh_photons_say(rng, again):
    epidermis, dermis, mu_s = _between(rng, 0.1, 5.0), _between(rng, 0.015, 0.12), _between(rng, 1.2, 3.5)
    stack = skin(epidermis, dermis, mu_s)
    flown = Tally(fly(stack, _PHOTONS, int(rng.integers(1 << 30))), dermis=1).at([x.mu_a for x in stack])
    assert _answers(load_table().skin(epidermis, dermis, mu_s)) == _near(flown)


@pytest.mark.parametrize("again", range(3))
def test_a_slab_in_air_between_nodes_is_what_fresh_photons_say(rng, again):
    mu_s = _between(rng, 0.5, 20.0)
    slab = Slab(_between(rng, 1.5, 25.0) / mu_s, _between(rng, 0.002, 0.05), mu_s, float(rng.uniform(1.35, 1.55)))
    layer = Layer(slab.thickness_mm, slab.mu_a, slab.mu_s_reduced, slab.index)
    flown = Tally(fly([layer], _PHOTONS, int(rng.integers(1 << 30)))).at([slab.mu_a])
    assert _answers(load_table().slab(slab)) == _near(flown)


@pytest.mark.parametrize("touching", [True, False])
@pytest.mark.parametrize("again", range(2))
def test_a_slab_before_a_head_between_nodes_is_what_fresh_photons_say(rng, touching, again):
    slab = Slab(_between(rng, 0.9, 5.0), _between(rng, 0.002, 0.08), _between(rng, 0.7, 8.0), rng.uniform(1.4, 1.55))
    air_mm = 0.0 if touching else _between(rng, 0.3, 4.0)
    epidermis, dermis = _between(rng, 0.12, 4.0), _between(rng, 0.02, 0.08)
    layer = Layer(slab.thickness_mm, slab.mu_a, slab.mu_s_reduced, slab.index)
    stack = (layer, *(() if touching else (gap(air_mm),)), *skin(epidermis, dermis, _HEAD_MU_S_REDUCED))
    tally = Tally(fly(stack, _PHOTONS, int(rng.integers(1 << 30))), dermis=len(stack) - 2)
    flown = tally.at([x.mu_a for x in stack])
    assert _answers(load_table().worn(slab, air_mm, epidermis, dermis)) == _near(flown)


@given(st.floats(0.8, 5.0), st.floats(0.05, 8.0), st.floats(0.009, 0.19), st.floats(1.01, 2.0))
@settings(deadline=None)
def test_skin_that_absorbs_more_returns_less(mu_s, epidermis, dermis, times):
    table = load_table()
    seen = table.skin(epidermis, dermis, mu_s)
    assert 0 < table.skin(min(epidermis * times, 8.5), dermis, mu_s).reflectance <= seen.reflectance < 1
    assert 0 < table.skin(epidermis, min(dermis * times, 0.2), mu_s).reflectance <= seen.reflectance
    assert list(seen.radii_mm) == sorted(seen.radii_mm) and seen.radii_mm[0] > 0


@given(st.floats(1.4, 1.55), st.floats(0.3, 20.0), st.floats(0.1, 6.0), st.floats(0.0, 5.0), st.floats(0.0006, 0.6))
@settings(deadline=None)
def test_a_shell_with_more_pigment_returns_less_and_hides_more_of_the_head(index, mu_s, thickness, gap_mm, mu_a):
    gap_mm = gap_mm if gap_mm >= 0.02 else 0.0
    clear, dark = (
        load_table().worn(Slab(thickness, absorbed, mu_s, index), gap_mm, 0.5, 0.04) for absorbed in (mu_a, 2 * mu_a)
    )
    assert 0 < dark.reflectance <= clear.reflectance < 1
    # Steps of the table's levels may stand against it where hardly anything is seen of the head at all.
    assert dark.dermis_path_mm <= clear.dermis_path_mm * 1.01 + 0.01


@given(st.floats(0.5, 20.0), st.floats(0.7, 10.0), st.floats(0.001, 0.05), st.floats(0.5, 2.0))
@settings(deadline=None)
def test_a_slab_scaled_is_its_response_scaled(mu_s, thickness, mu_a, scale):
    table = load_table()
    one = table.slab(Slab(thickness, mu_a, mu_s))
    other = table.slab(Slab(thickness * scale, mu_a / scale, mu_s / scale))
    assert other.reflectance == pytest.approx(one.reflectance, rel=1e-6)
    assert other.r50_mm == pytest.approx(one.r50_mm * scale, rel=1e-6)
    assert other.mean_over_range_mm == pytest.approx(one.mean_over_range_mm * scale, rel=1e-6)


def test_past_the_deepest_node_a_slab_is_endless():
    table = load_table()
    assert table.slab(Slab(10.0, 0.01, 60.0)) == table.slab(Slab(1000.0, 0.01, 60.0))


@pytest.mark.parametrize(
    ("slab", "gap_mm", "named"),
    [
        (Slab(3.0, 0.02, 1.0, 1.9), 1.0, "refractive index"),
        (Slab(3.0, 0.02, 200.0), 1.0, "mu_s'"),
        (Slab(30.0, 0.02, 1.0), 0.0, "thickness"),
        (Slab(3.0, 5.0, 1.0), 0.0, "mu_a of the slab"),
        (Slab(3.0, 0.02, 1.0), 50.0, "gap"),
    ],
)
def test_what_the_table_does_not_reach_is_refused_by_name(slab, gap_mm, named):
    with pytest.raises(ValueError, match=named):
        load_table().worn(slab, gap_mm, 0.5, 0.04)


_SECOND = MEASURED.table


def _roughly(flown):
    """B's table has fewer photons, and fewer nodes of the refractive index."""
    return (
        pytest.approx(flown.reflectance, rel=0.05, abs=0.015),
        pytest.approx(flown.r50_mm, rel=0.12),
        pytest.approx(flown.r90_mm, rel=0.13),
        pytest.approx(flown.mean_over_range_mm, rel=0.10, abs=0.1),
    )


def _first_answers(response):
    return response.reflectance, response.r50_mm, response.r90_mm, response.mean_over_range_mm


def test_the_second_table_between_nodes_is_what_fresh_photons_under_its_phase_function_say(rng):
    epidermis, dermis, mu_s = _between(rng, 0.1, 4.0), _between(rng, 0.05, 0.15), _between(rng, 1.2, 3.5)
    stack = modified(skin(epidermis, dermis, mu_s))
    flown = Tally(fly(stack, _PHOTONS, int(rng.integers(1 << 30))), dermis=1).at([x.mu_a for x in stack])
    assert _first_answers(load_table(_SECOND).skin(epidermis, dermis, mu_s)) == _roughly(flown)
    slab = Slab(_between(rng, 0.9, 5.0), _between(rng, 0.002, 0.08), _between(rng, 0.7, 8.0), rng.uniform(1.36, 1.52))
    layer = Layer(slab.thickness_mm, slab.mu_a, slab.mu_s_reduced, slab.index)
    for air_mm in (0.0, _between(rng, 0.3, 6.0)):
        stack = modified((layer, *((gap(air_mm),) if air_mm else ()), *skin(epidermis, dermis, _HEAD_MU_S_REDUCED)))
        tally = Tally(fly(stack, _PHOTONS, int(rng.integers(1 << 30))), dermis=len(stack) - 2)
        flown = tally.at([x.mu_a for x in stack])
        assert _first_answers(load_table(_SECOND).worn(slab, air_mm, epidermis, dermis)) == _roughly(flown)


def test_the_table_says_how_many_photons_stand_behind_it():
    assert set(load_table().photons) == set(GRIDS)
    assert min(load_table().photons.values()) >= 10_000
    assert set(load_table(_SECOND).photons) == set(GRIDS)
