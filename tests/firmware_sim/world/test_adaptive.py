"""Designs: every property within what can be cast and what people do."""

from __future__ import annotations

from pathlib import Path

import pytest
from faceward_sim.world.adaptive import BOUNDS, NAMES, AdaptiveDesign
from hypothesis import given
from hypothesis import strategies as st

names = st.sampled_from(sorted(BOUNDS))


def test_every_property_has_its_bound_and_the_usual_design_lies_within():
    assert set(NAMES) == set(BOUNDS)
    assert AdaptiveDesign().distance_mm == 400.0


@given(names, st.floats(0.0, 1.0))
def test_a_share_of_a_bound_is_a_value_of_it_and_comes_back(name, share):
    bound = BOUNDS[name]
    value = bound.at(share)
    assert bound.low <= value <= bound.high
    assert bound.share(value) == pytest.approx(share, abs=1e-4)


@given(names, st.floats(1.0, 50.0))
def test_beyond_its_ends_a_bound_stays_at_them(name, beyond):
    assert (BOUNDS[name].at(-beyond), BOUNDS[name].at(beyond)) == (BOUNDS[name].low, BOUNDS[name].high)


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_what_nobody_can_cast_or_do_is_no_design(name):
    for value in (BOUNDS[name].high * 1.01, BOUNDS[name].low - 0.01, float("nan")):
        with pytest.raises(ValueError, match=f"{name} is .* not between"):
            AdaptiveDesign(**{name: value})


def test_masks_are_cast_from_eight_tenths_to_four_millimetres():
    assert (BOUNDS["thickness_mm"].low, BOUNDS["thickness_mm"].high) == (0.8, 4.0)


def test_the_document_has_every_bound_as_it_is():
    text = (Path(__file__).resolve().parents[3] / "docs/campaigns.md").read_text(encoding="utf-8")
    for name, bound in BOUNDS.items():
        assert f"| `{name}` | {bound.low:g} | {bound.high:g} | {bound.source} |" in text
