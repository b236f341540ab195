from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.likeness.separation import separate
from hypothesis import given, settings
from hypothesis import strategies as st


def _rows(*degrees):
    turn = np.deg2rad(degrees)
    return np.stack([np.cos(turn), np.sin(turn)], axis=1).astype(np.float32)


def test_people_far_apart_are_never_mistaken():
    found = separate(_rows(0, 10, 90, 100), np.array([5, 5, 9, 9]))
    assert (found.people, found.portraits) == (2, 4)
    assert found.genuine_mean == pytest.approx(np.cos(np.deg2rad(10)), abs=1e-5)
    assert found.impostor_mean == pytest.approx(np.cos(np.deg2rad([90, 100, 80, 90])).mean(), abs=1e-5)
    assert found.impostor_highest == pytest.approx(np.cos(np.deg2rad(80)), abs=1e-5)
    assert found.eer == found.eer_low == found.eer_high == 0.0
    assert found.impostor_highest < found.threshold <= found.genuine_mean


def test_people_who_swap_looks_are_always_mistaken():
    found = separate(_rows(0, 90, 1, 91), np.array([1, 1, 2, 2]))
    assert found.eer == pytest.approx(0.75, abs=0.26)
    assert found.d_prime < 0


def test_one_bad_comparison_in_four_is_an_error_rate_between_none_and_a_quarter():
    # Genuine 2, 2, 2 and 60 degrees; impostors are 30 degrees apart and more.
    found = separate(_rows(0, 2, 90, 92, 180, 182, 270, 330), np.array([1, 1, 2, 2, 3, 3, 4, 4]))
    # 330 and 0 are 30 degrees apart, 330 and 2 32: two of 24 impostors lie above the bad genuine one.
    assert 1 / 12 <= found.eer <= 1 / 4
    assert found.eer_low <= found.eer <= found.eer_high


def test_d_prime_is_the_distance_in_units_of_the_mean_spread():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 128))
    rows = np.repeat(rows, 2, axis=0) + 0.3 * rng.normal(size=(120, 128))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = separate(rows.astype(np.float32), np.repeat(np.arange(60), 2))
    spread = np.sqrt((found.genuine_sigma**2 + found.impostor_sigma**2) / 2)
    assert found.d_prime == pytest.approx((found.genuine_mean - found.impostor_mean) / spread)
    assert abs(found.impostor_mean) < 0.02


@pytest.mark.parametrize("person", [[3, 3, 3], [1, 2, 3]])
def test_too_few_people_or_portraits_are_refused(person):
    with pytest.raises(ValueError, match=r"a .* comparison|a comparison"):
        separate(_rows(0, 10, 20), np.array(person))


@given(st.lists(st.floats(0, 359), min_size=4, max_size=12), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_rates_stay_shares_and_the_interval_is_in_order(degrees, seed):
    person = np.arange(len(degrees)) // 2
    found = separate(_rows(*degrees), person, seed=seed)
    assert 0 <= found.eer_low <= found.eer_high <= 1
    assert 0 <= found.eer <= 1
    assert -1.001 <= found.threshold <= 1.001


def test_the_order_of_portraits_changes_nothing():
    rows, person = _rows(0, 40, 60, 90, 130, 200), np.array([1, 1, 2, 2, 3, 3])
    order = np.array([4, 0, 3, 5, 2, 1])
    one, other = separate(rows, person), separate(rows[order], person[order])
    assert one.eer == other.eer
    assert one.genuine_mean == pytest.approx(other.genuine_mean)
