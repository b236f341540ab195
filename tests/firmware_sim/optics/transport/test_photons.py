from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.optics.transport.layers import Layer, gap, modified, skin
from faceward_sim.optics.transport.photons import fly, radians_per_mm
from faceward_sim.optics.transport.response import Tally

_PHOTONS = 60_000


def _noise(share, photons=_PHOTONS):
    """Four standard deviations of a share that so many photons tell."""
    return 4 * np.sqrt(share * (1 - share) / photons)


def _chandrasekhar_h(albedo):
    """H(1) of isotropic scattering, by iterating Chandrasekhar's equation (Radiative Transfer, 1950)."""
    nodes, weights = np.polynomial.legendre.leggauss(64)
    mu, weights = (nodes + 1) / 2, weights / 2
    h = np.ones_like(mu)
    for _ in range(2000):
        h = 1 / (np.sqrt(1 - albedo) + albedo / 2 * (weights * mu * h / (mu[:, None] + mu)).sum(1))
    return 1 / (np.sqrt(1 - albedo) + albedo / 2 * (weights * mu * h / (1 + mu)).sum())


@pytest.mark.parametrize("albedo", [0.5, 0.9, 0.99])
def test_an_endless_matched_medium_returns_what_chandrasekhar_says(albedo, seed):
    layer = Layer(1e9, 1 - albedo, albedo, index=1.0, anisotropy=0.0)
    reflectance = Tally(fly([layer], _PHOTONS, seed)).at([layer.mu_a]).reflectance
    expected = 1 - _chandrasekhar_h(albedo) * np.sqrt(1 - albedo)
    assert reflectance == pytest.approx(expected, abs=_noise(expected) + 0.001)


def test_a_matched_slab_returns_and_passes_what_van_de_hulst_tabulates(seed):
    # mu_a 1, mu_s 9 per mm, g .75, .2 mm thick: van de Hulst 1980, as in Wang, Jacques, Zheng 1995.
    slab = Layer(0.2, 1.0, 9.0 * 0.25, index=1.0, anisotropy=0.75)
    flight = fly([slab], _PHOTONS, seed, absorbed=True, similarity=False)
    assert len(flight.radius_mm) / _PHOTONS == pytest.approx(0.09739, abs=_noise(0.09739))
    assert flight.through == pytest.approx(0.66096, abs=_noise(0.66096))
    white = Tally(fly([slab], _PHOTONS, seed + 1, similarity=False)).at([1.0])
    assert white.reflectance == pytest.approx(0.09739, abs=_noise(0.09739))


def test_an_endless_medium_with_a_mirroring_surface_returns_what_giovanelli_tabulates(seed):
    # n 1.5, mu_a 1, mu_s 9 per mm, isotropic: .2600 with what the surface mirrors (Giovanelli 1955).
    layer = Layer(1e9, 1.0, 9.0, index=1.5, anisotropy=0.0)
    flight = fly([layer], _PHOTONS, seed)
    assert flight.specular == pytest.approx(0.04)
    assert flight.specular + Tally(flight).at([1.0]).reflectance == pytest.approx(0.2600, abs=_noise(0.22))


@pytest.mark.parametrize("index", [1.0, 1.4])
def test_what_returns_what_passes_and_what_stays_are_all_the_light(index, seed):
    stack = (Layer(1.0, 0.05, 1.5, index), gap(0.5), Layer(0.5, 0.3, 3.0, index))
    returned = Tally(fly(stack, _PHOTONS, seed)).at([0.05, 0.0, 0.3]).reflectance
    drawn = fly(stack, _PHOTONS, seed + 1, absorbed=True)
    whole = drawn.specular + returned + drawn.through + drawn.lost
    assert whole == pytest.approx(1, abs=_noise(0.5))
    assert min(returned, drawn.through, drawn.lost) > 0.05


def test_a_stack_twice_as_large_that_scatters_half_as_much_is_the_same_stack(seed):
    small = (Layer(1.0, 0.04, 2.0), gap(0.5), Layer(2.0, 0.1, 1.0))
    large = (Layer(2.0, 0.02, 1.0), gap(1.0), Layer(4.0, 0.05, 0.5))
    a, b = (Tally(fly(s, _PHOTONS, seed + n)).at([x.mu_a for x in s]) for n, s in enumerate((small, large)))
    assert b.reflectance == pytest.approx(a.reflectance, abs=2 * _noise(0.5))
    assert b.r50_mm == pytest.approx(2 * a.r50_mm, rel=0.06)
    assert b.mean_over_range_mm == pytest.approx(2 * a.mean_over_range_mm, rel=0.05)


def test_isotropic_scattering_deep_down_changes_nothing_that_is_seen(seed):
    stack = skin(0.8, 0.04, 2.0)
    mu_a = [layer.mu_a for layer in stack]
    short, full = (Tally(fly(stack, _PHOTONS, seed + n, similarity=not n), 1).at(mu_a) for n in range(2))
    assert short.reflectance == pytest.approx(full.reflectance, abs=2 * _noise(0.4))
    assert short.r50_mm == pytest.approx(full.r50_mm, rel=0.06)
    assert short.mean_over_range_mm == pytest.approx(full.mean_over_range_mm, rel=0.05)


def test_light_in_a_clear_sheet_goes_straight_and_so_long(seed):
    flight = fly((Layer(2.0, 0.0, 0.0, 1.5), Layer(1.0, 0.0, 1e3, 1.5, 0.0)), 2_000, seed)
    # Down through the sheet and back: half the optical path is n times the thickness, or a little more for slanting light.
    optical_mm = flight.paths_mm @ flight.indices
    assert optical_mm.min() / 2 >= 1.5 * 2.0 * (1 - 1e-9)
    assert flight.paths_mm[:, 0].min() >= 4.0 * (1 - 1e-9)


def test_the_same_seed_flies_the_same_photons():
    one, other, third = (fly(skin(0.5, 0.04, 2.0), 500, seed) for seed in (10_001, 10_001, 10_002))
    assert np.array_equal(one.paths_mm, other.paths_mm) and np.array_equal(one.radius_mm, other.radius_mm)
    assert not np.array_equal(one.radius_mm[:50], third.radius_mm[:50])


def test_modulation_turns_once_on_a_wavelength():
    assert radians_per_mm(100.0) * 2997.92458 == pytest.approx(2 * np.pi)


@pytest.mark.parametrize(
    ("layers", "photons", "least"), [((), 10, None), ((Layer(1, 0, 1),), 0, None), ((Layer(1, 0, 1),), 10, [0.1, 0.2])]
)
def test_a_flight_without_layers_photons_or_fitting_absorptions_is_refused(layers, photons, least):
    with pytest.raises(ValueError):
        fly(layers, photons, 10_000, least_mu_a=least)


def test_the_second_phase_function_returns_a_dot_nearer_to_where_it_went_in_and_as_much_light_in_all(seed):
    stack = skin(0.5, 0.04, 2.0)
    one, other = (
        Tally(fly(flown, _PHOTONS, seed + n)).at([layer.mu_a for layer in flown])
        for n, flown in enumerate((stack, modified(stack)))
    )
    assert other.reflectance == pytest.approx(one.reflectance, rel=0.06)
    assert 0.75 * one.r50_mm < other.r50_mm < 0.97 * one.r50_mm
    assert other.r90_mm == pytest.approx(one.r90_mm, rel=0.08)


def test_a_share_that_goes_as_the_cosine_squared_does(seed):
    # Scattered once at depth z, light comes out at z tan(theta) after z + z / cos(theta): their ratio is tan(theta / 2).
    thin = Layer(0.01, 0.0, 0.5, index=1.0, anisotropy=0.0, cosine_share=0.999)
    flight = fly([thin], 10 * _PHOTONS, seed, similarity=False)
    assert len(flight.radius_mm) / (10 * _PHOTONS) == pytest.approx((1 - np.exp(-0.005)) / 2, rel=0.1)
    squared = (flight.radius_mm / flight.paths_mm[:, 0]) ** 2
    cosine = (1 - squared) / (1 + squared)
    assert np.mean(cosine**2) == pytest.approx(3 / 5, rel=0.06)  # of isotropic light 1/3
