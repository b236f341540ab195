"""One gate's curve, its thresholds and its histograms, by hand."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from faceward.pad.detection import (
    LIMITS,
    WORST,
    OperatingPoint,
    Point,
    curves,
    histogram,
    operating_points,
    threshold_for,
)
from faceward.pad.intervals import Rate
from hypothesis import given, settings
from hypothesis import strategies as st

scores = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=30)


def test_a_curve_by_hand() -> None:
    """Two species of four and two, five living. At and above the threshold a score passes."""
    found = curves({"mask": [1, 2, 3, 4], "print": [0, 2]}, [2, 3, 4, 5, 5])
    assert [(curve.species, curve.attacks, curve.living) for curve in found] == [
        (WORST, 6, 5),
        ("mask", 4, 5),
        ("print", 2, 5),
    ]
    above_all = math.nextafter(5.0, math.inf)
    assert found[1].points == (
        Point(0, 1.0, 0.0),
        Point(2, 0.75, 0.0),
        Point(3, 0.5, 0.2),
        Point(4, 0.25, 0.4),
        Point(5, 0.0, 0.6),
        Point(above_all, 0.0, 1.0),
    )
    assert found[2].points == (
        Point(0, 1.0, 0.0),
        Point(1, 0.5, 0.0),
        Point(3, 0.0, 0.2),
        Point(4, 0.0, 0.4),
        Point(5, 0.0, 0.6),
        Point(above_all, 0.0, 1.0),
    )
    assert [point.apcer for point in found[0].points] == [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]


def test_without_scores_on_both_sides_there_is_no_curve() -> None:
    assert curves({}, [1.0]) == ()
    assert curves({"mask": []}, [1.0]) == ()
    assert curves({"mask": [1.0]}, []) == ()
    assert operating_points({"mask": [1.0]}, [], split="test") == ()


@settings(deadline=None, max_examples=40)
@given(attacks=scores, living=scores)
def test_a_curve_falls_from_everything_to_nothing(attacks: list[float], living: list[float]) -> None:
    worst, _ = curves({"mask": attacks}, living)
    points = worst.points
    assert (points[0].apcer, points[0].bpcer) == (1.0, 0.0)
    assert (points[-1].apcer, points[-1].bpcer) == (0.0, 1.0)
    assert all(a.apcer >= b.apcer and a.bpcer <= b.bpcer for a, b in pairwise(points))
    for point in points:
        assert point.apcer == sum(score >= point.threshold for score in attacks) / len(attacks)
        assert point.bpcer == pytest.approx(sum(score < point.threshold for score in living) / len(living))


def test_a_long_curve_keeps_its_ends() -> None:
    worst, _ = curves({"mask": [float(x) for x in range(0, 2000, 2)]}, [float(x) for x in range(1, 2000, 2)])
    assert len(worst.points) == 100
    assert (worst.points[0].apcer, worst.points[-1].bpcer) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("limit", "passing", "resolved"),
    [(0.10, 2, True), (0.05, 1, True), (0.01, 0, False), (0.0, 0, False), (1.0, 20, True)],
)
def test_a_threshold_lets_no_more_pass_than_the_limit(limit: float, passing: int, resolved: bool) -> None:
    attacks = {"mask": [float(x) for x in range(20)]}
    threshold, known = threshold_for(attacks, limit)
    assert known is resolved
    assert (threshold is None) is (passing == 20)
    assert sum(threshold is None or score >= threshold for score in attacks["mask"]) == passing


def test_equal_scores_pass_together_or_not_at_all() -> None:
    threshold, _ = threshold_for({"mask": [1.0] * 19 + [0.0]}, 0.10)
    assert threshold == math.nextafter(1.0, math.inf)


def test_a_share_of_exactly_the_limit_keeps_it() -> None:
    """0.1 * 30 is 3.0000000000000004 and 0.05 * 20 is 1.0: three of thirty are 10 %."""
    threshold, _ = threshold_for({"mask": [float(x) for x in range(30)]}, 0.1)
    assert threshold == math.nextafter(26.0, math.inf)


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), scores, min_size=1), st.sampled_from(LIMITS))
def test_the_threshold_is_the_lowest_that_keeps_the_limit_for_every_species(
    attacks: dict[str, list[float]], limit: float
) -> None:
    def worst(threshold: float) -> float:
        return max(sum(score >= threshold for score in each) / len(each) for each in attacks.values())

    threshold, _ = threshold_for(attacks, limit)
    assert threshold is not None
    assert worst(threshold) <= limit
    assert worst(math.nextafter(threshold, -math.inf)) > limit


def test_an_operating_point_by_hand() -> None:
    """Chosen on dev, where one of ten masks stands above 9; on test two of ten masks and three of five living do."""
    dev = {"mask": [float(x) for x in range(1, 11)]}
    test = {"mask": [1, 2, 3, 4, 5, 6, 7, 8, 10, 11], "print": [0.0, 0.0]}
    point = operating_points(test, [5, 9, 10, 11, 12], split="test", chosen_on=("dev", dev))[0]
    # There is no print on dev, so the limit is not resolved for it.
    assert point == OperatingPoint(0.10, math.nextafter(9.0, math.inf), "dev", False, "mask", Rate(2, 10), Rate(2, 5))
    only = operating_points({"mask": test["mask"]}, [5, 9, 10, 11, 12], split="test", chosen_on=("dev", dev))[0]
    assert only.resolved and only.apcer == point.apcer


def test_an_operating_point_without_a_dev_split_says_where_its_threshold_is_from() -> None:
    points = operating_points({"mask": [float(x) for x in range(20)]}, [18.0, 19.0], split="test")
    assert [(point.limit, point.chosen_on, point.resolved, point.apcer) for point in points] == [
        (0.10, "test", True, Rate(2, 20)),
        (0.05, "test", True, Rate(1, 20)),
        (0.01, "test", False, Rate(0, 20)),
    ]
    assert [point.bpcer for point in points] == [Rate(0, 2), Rate(1, 2), Rate(2, 2)]
    empty = operating_points({"mask": [1.0]}, [1.0], split="test", chosen_on=("dev", {"mask": []}))
    assert {point.chosen_on for point in empty} == {"test"}


def test_a_histogram_counts_every_number_and_shows_its_limit() -> None:
    found = histogram(
        "optics", "spread", {(True, "mask"): [0.0, 1.0, 1.0], (False, "live"): [2.0]}, unit="mm", limits=[3.0, 3.0]
    )
    assert found is not None
    assert found.limits == (3.0,)
    assert found.edges[-1] == 3.0
    assert len(found.edges) == len(found.rows[0].counts) + 1
    assert [(row.species, row.attack, sum(row.counts)) for row in found.rows] == [("live", False, 1), ("mask", True, 3)]
    assert histogram("optics", "spread", {}) is None
    assert histogram("optics", "spread", {(True, "mask"): []}) is None


@settings(deadline=None, max_examples=40)
@given(scores)
def test_a_histogram_loses_no_number(numbers: list[float]) -> None:
    found = histogram("optics", "score", {(True, "mask"): numbers})
    assert found is not None
    assert sum(found.rows[0].counts) == len(numbers)
    assert all(low < high for low, high in pairwise(found.edges))
