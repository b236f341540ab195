"""Intervals against published and hand-made numbers."""

from __future__ import annotations

import math

import pytest
from faceward.pad.intervals import (
    Rate,
    bootstrap,
    clopper_pearson,
    joint_upper_bound,
    trials_without_error,
    upper_bound,
)
from hypothesis import given, settings
from hypothesis import strategies as st

counts = st.integers(1, 400).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


@pytest.mark.parametrize(
    ("share", "trials"),
    # The zero-error table of the project's reporting rules; 59 for 5 % is also in MIL-STD and IEC sampling tables.
    [(0.07, 42), (0.01, 299), (0.001, 2995), (0.05, 59), (0.02, 149)],
)
def test_so_many_presentations_without_error_bound_a_share(share: float, trials: int) -> None:
    assert trials_without_error(share) == trials
    assert upper_bound(0, trials) <= share < upper_bound(0, trials - 1)


def test_86_each_without_error_bound_25_species_at_once_by_7_percent() -> None:
    assert joint_upper_bound([Rate(0, 86)] * 25) <= 0.07 < joint_upper_bound([Rate(0, 85)] * 25)
    assert joint_upper_bound([Rate(0, 42)]) == upper_bound(0, 42)
    assert joint_upper_bound([]) == 1.0


def test_the_worst_species_makes_the_joint_bound() -> None:
    assert joint_upper_bound([Rate(0, 300), Rate(3, 50)]) == upper_bound(3, 50, 0.975)


@pytest.mark.parametrize(
    ("errors", "trials", "low", "high"),
    # 0 of 20 and 20 of 20 by 1 - .025^(1/20); 4 of 10: Clopper and Pearson's chart, tabled as .1216 to .7376;
    # 15 of 148: Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 5: .0578 to .1617;
    # 81 of 263: .2527 to .3676.
    [
        (0, 20, 0.0, 1 - 0.025 ** (1 / 20)),
        (20, 20, 0.025 ** (1 / 20), 1.0),
        (4, 10, 0.1216, 0.7376),
        (15, 148, 0.0578, 0.1617),
        (81, 263, 0.2527, 0.3676),
    ],
)
def test_the_exact_interval_is_the_published_one(errors: int, trials: int, low: float, high: float) -> None:
    assert clopper_pearson(errors, trials) == pytest.approx((low, high), abs=5e-5)


def test_without_trials_nothing_is_known() -> None:
    nothing = Rate(0, 0)
    assert nothing.share is None
    assert (nothing.low, nothing.high, nothing.upper) == (0.0, 1.0, 1.0)


@settings(deadline=None, max_examples=100)
@given(counts)
def test_an_interval_contains_its_estimate(counted: tuple[int, int]) -> None:
    rate = Rate(*counted)
    assert rate.share is not None
    assert 0.0 <= rate.low <= rate.share <= rate.upper <= rate.high <= 1.0


@settings(deadline=None, max_examples=100)
@given(counts)
def test_more_errors_never_lower_an_interval(counted: tuple[int, int]) -> None:
    errors, trials = counted
    fewer, more = Rate(errors, trials), Rate(min(errors + 1, trials), trials)
    assert fewer.low <= more.low
    assert fewer.high <= more.high
    assert fewer.upper <= more.upper


@settings(deadline=None, max_examples=100)
@given(counts)
def test_the_bound_is_where_so_few_errors_become_unlikely(counted: tuple[int, int]) -> None:
    """Straight from the definition: at the one-sided bound, so few errors or fewer have a chance of 5 %."""
    errors, trials = counted
    bound = upper_bound(errors, trials)
    if errors == trials:
        assert bound == 1.0
        return
    chance = math.fsum(math.comb(trials, k) * bound**k * (1 - bound) ** (trials - k) for k in range(errors + 1))
    assert chance == pytest.approx(0.05, rel=1e-6)


def test_a_bootstrap_redraws_whole_clusters() -> None:
    """Ten masks, one of which always passes: 100 presentations say less than 100 independent ones would."""
    masks = {f"mask-{number}": Rate(10 if number == 0 else 0, 10) for number in range(10)}
    drawn = bootstrap(masks, "masks")
    assert drawn is not None
    exact = Rate(10, 100)
    assert drawn.clusters == 10
    assert drawn.low == 0.0
    # The number of draws of the bad mask is binomial(10, .1): 97.5 % are at or below 3.
    assert drawn.high == pytest.approx(0.3)
    assert drawn.upper == pytest.approx(0.3)
    assert exact.high < drawn.high


def test_a_bootstrap_of_single_presentations_agrees_with_the_binomial() -> None:
    drawn = bootstrap({str(number): Rate(number < 20, 1) for number in range(100)}, "singles")
    assert drawn is not None
    assert drawn.low == pytest.approx(0.2 - 1.96 * 0.04, abs=0.015)
    assert drawn.high == pytest.approx(0.2 + 1.96 * 0.04, abs=0.015)


@settings(deadline=None, max_examples=100)
@given(st.permutations([("a", Rate(1, 3)), ("b", Rate(0, 2)), ("c", Rate(2, 2)), ("d", Rate(0, 5))]))
def test_a_bootstrap_does_not_depend_on_the_order_of_clusters(clusters: list[tuple[str, Rate]]) -> None:
    assert bootstrap(dict(clusters), "x") == bootstrap(dict(sorted(clusters)), "x")


def test_one_cluster_has_no_bootstrap() -> None:
    assert bootstrap({"a": Rate(1, 5)}, "x") is None
