from __future__ import annotations

import math

import numpy as np
import pytest
from faceward_sim.optics.profile import SHARES, Profile
from hypothesis import given
from hypothesis import strategies as st


@st.composite
def _radii(draw):
    first = draw(st.floats(0.01, 2.0))
    ratios = draw(st.lists(st.floats(1.05, 4.0), min_size=len(SHARES) - 1, max_size=len(SHARES) - 1))
    return [first * math.prod(ratios[:n]) for n in range(len(SHARES))]


@given(_radii())
def test_every_share_is_inside_its_radius(radii):
    profile = Profile(SHARES, radii)
    assert profile.inside(radii) == pytest.approx(SHARES, rel=1e-6)
    assert [profile.radius_mm(share) for share in SHARES] == pytest.approx(radii, rel=1e-6)


@given(_radii(), st.floats(0, 100), st.floats(0, 100))
def test_farther_out_is_never_less_light_and_never_more_than_all(radii, one, other):
    low, high = sorted((one, other))
    inside = Profile(SHARES, radii).inside([low, high])
    assert 0 <= inside[0] <= inside[1] <= 1


@given(st.floats(0.03, 6.0), st.floats(1.3, 6.0), st.floats(0.01, 30.0))
def test_two_radii_are_one_stretched_exponential(r50, ratio, radius):
    k = math.log(math.log(10) / math.log(2)) / math.log(ratio)
    expected = 1 - 0.5 ** ((radius / r50) ** k)
    assert float(Profile((0.5, 0.9), (r50, r50 * ratio)).inside(radius)) == pytest.approx(expected, abs=1e-9)


def test_radii_that_noise_made_equal_become_a_steep_profile():
    profile = Profile((0.25, 0.5, 0.75), (1.0, 1.0, 1.0))
    assert np.diff([profile.radius_mm(share) for share in (0.25, 0.5, 0.75)]).min() > 0


@pytest.mark.parametrize(
    ("shares", "radii"),
    [((0.5,), (1.0,)), ((0.5, 0.9), (1.0,)), ((0.9, 0.5), (1, 2)), ((0.0, 0.5), (1, 2)), ((0.5, 0.9), (2, 1)),
     ((0.5, 0.9), (0, 1))],
)  # fmt: skip
def test_a_profile_that_can_not_be_is_refused(shares, radii):
    with pytest.raises(ValueError, match="profile"):
        Profile(shares, radii)


@pytest.mark.parametrize("share", [0.0, 1.0, float("nan")])
def test_all_or_none_of_the_light_has_no_radius(share):
    with pytest.raises(ValueError, match="share"):
        Profile((0.5, 0.9), (1, 2)).radius_mm(share)
