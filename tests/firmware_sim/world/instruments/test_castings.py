"""Castings: each mask is after its design, misses it a little, and does with light what its material does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from faceward_sim.optics.materials import skin_response
from faceward_sim.world.adaptive import BOUNDS, AdaptiveDesign
from faceward_sim.world.complexion import draw_complexion
from faceward_sim.world.instruments.castings import SCATTER, cast_after, missed
from faceward_sim.world.people import draw_person
from faceward_sim.world.streams import stream
from faceward_sim.world.wearers import MaskWearer

USUAL = AdaptiveDesign()
CLEAR = replace(USUAL, wash=1.6)  # paint that darkens nothing
SEED = 10_050
BEHAVIOUR = ("late_s", "sway_share", "turn_share", "distance_mm")


def batch(design: AdaptiveDesign, seed: int = SEED):
    return cast_after(design).batch(seed, draw_complexion(seed, 2.0))


def test_a_design_is_missed_by_some_per_cent_and_behaviour_is_not():
    made = [missed(USUAL, stream(seed, "test")) for seed in range(SEED, SEED + 300)]
    for name, sigma in SCATTER.items():
        off = np.log([getattr(each, name) / getattr(USUAL, name) for each in made])
        assert 0.7 * sigma < np.std(off) < 1.2 * sigma and abs(np.mean(off)) < 0.2 * sigma
    assert all(getattr(each, name) == getattr(USUAL, name) for each in made for name in BEHAVIOUR)
    assert set(SCATTER) | set(BEHAVIOUR) == set(BOUNDS)


@pytest.mark.parametrize("end", ["low", "high"])
def test_designs_at_the_ends_of_what_can_be_cast_are_cast(end):
    design = AdaptiveDesign(**{name: getattr(bound, end) for name, bound in BOUNDS.items()})
    for seed in range(SEED, SEED + 20):
        for name in SCATTER:
            assert BOUNDS[name].low <= getattr(missed(design, stream(seed, "test")), name) <= BOUNDS[name].high
        assert 0 < batch(design, seed).reflectance < 1


def test_the_same_seed_casts_the_same_mask_and_another_one_another():
    assert batch(USUAL).responses[940] == batch(USUAL).responses[940]
    assert batch(USUAL).reflectance != batch(USUAL, SEED + 1).reflectance


def test_more_scattering_holds_dots_tighter_and_more_pigment_returns_less():
    tight = batch(replace(CLEAR, mu_s_reduced_per_mm=6.0))
    assert tight.material.dot_r50_mm < 0.6 * batch(CLEAR).material.dot_r50_mm
    assert batch(replace(CLEAR, mu_a_per_mm=0.2)).reflectance < 0.6 * batch(CLEAR).reflectance


def test_thin_silicone_on_the_skin_lets_the_pulse_through():
    worn = batch(replace(USUAL, thickness_mm=0.8, gap_mm=0.0, mu_a_per_mm=0.003))
    assert worn.pulse_share > 0.3 > batch(USUAL).pulse_share


def test_a_wash_darkens_to_its_share_of_the_wearers_skin_and_leaves_the_spread_alone():
    wearer = draw_complexion(SEED, 2.0)
    pale = replace(USUAL, mu_a_per_mm=0.002, wash=1.6)
    washed = batch(replace(pale, wash=0.5))
    assert washed.reflectance == pytest.approx(0.5 * wearer.reflectance, rel=0.12)
    at_850 = washed.responses[850].reflectance / skin_response(wearer.skin, 850).reflectance
    assert at_850 == pytest.approx(washed.reflectance / wearer.reflectance, rel=1e-6)
    assert washed.material.dot_r50_mm == batch(pale).material.dot_r50_mm
    dark = replace(USUAL, mu_a_per_mm=0.3)
    assert batch(replace(dark, wash=1.6)).reflectance == batch(replace(dark, wash=1.4)).reflectance


def test_pigment_that_leans_to_850_nm_darkens_that_band_alone():
    even, leaning = batch(CLEAR), batch(replace(CLEAR, mu_a_850_share=1.6))
    assert leaning.reflectance == even.reflectance
    assert leaning.material.share_850 < 0.95 * even.material.share_850


def test_holes_stretch_and_gloss_are_the_designs_within_the_casters_hand():
    design = cast_after(replace(USUAL, hole_mm=4.0, stretch=0.9))
    assert design.species == design.name == "mask-adaptive"
    assert design.hole_mm is not None and design.hole_mm[0] < 4.0 < design.hole_mm[1] < 5.0
    assert design.stretch[0] < 0.9 < design.stretch[1] <= BOUNDS["stretch"].high
    glossy, dull = batch(replace(USUAL, mirror_share=0.06, roughness=0.15)), batch(USUAL)
    assert glossy.material.specular_share > 1.5 * dull.material.specular_share
    assert glossy.material.roughness < dull.material.roughness


def test_somebody_wears_it():
    worn = MaskWearer(cast_after(USUAL), SEED, 400.0, 2.0)
    assert worn.species == "mask-adaptive"
    assert worn.mask.batch.wearer == draw_person(SEED, tone=2.0).complexion.skin
