"""Batches: what an instrument's material does with light is its substance's, and never outside it."""

from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.optics.materials import skin_response
from faceward_sim.world.complexion import Complexion, draw_complexion
from faceward_sim.world.instruments.batches import (
    BANDS_NM,
    draw_card,
    draw_matched_in_both,
    draw_matched_silicone,
    draw_skin,
    draw_typical_silicone,
    of_substance,
)

SEEDS = range(70, 90)


@pytest.fixture(scope="module")
def wearers() -> dict[int, Complexion]:
    return {seed: draw_complexion(seed, None) for seed in SEEDS}


@pytest.fixture(scope="module")
def matched(wearers):
    """Batches by how they were matched, for each wearer: to find the pigment that matches takes a third of a second."""
    return {
        draw: {seed: draw(seed, wearer) for seed, wearer in wearers.items()}
        for draw in (draw_matched_silicone, draw_matched_in_both)
    }


def medians(draw, wearers, of):
    return float(np.median([of(draw(seed, wearer), wearer) for seed, wearer in wearers.items()]))


# Sheet, "Instruments at 940 nm": dot r50 in mm, and what of bare skin's pulse comes through, each with room for draws.
@pytest.mark.parametrize(
    ("draw", "r50_mm", "pulse"),
    [
        (draw_typical_silicone, (1.8, 2.6), (0.05, 0.15)),
        (of_substance("silicone-translucent"), (2.2, 3.1), (0.10, 0.22)),
        (of_substance("silicone-thin"), (1.5, 2.3), (0.3, 0.6)),
        (of_substance("silicone-opaque"), (0.5, 0.8), (0.0, 0.03)),
        (of_substance("latex"), (0.6, 0.95), (0.05, 0.18)),
        (of_substance("resin"), (0.85, 1.4), (0.02, 0.08)),
        (of_substance("abs"), (0.2, 0.35), (0.0, 0.01)),
        (draw_card, (0.02, 0.12), (0.0, 0.02)),
    ],
    ids=["silicone", "translucent", "thin", "opaque", "latex", "resin", "abs", "card"],
)
def test_a_batch_spreads_dots_and_leaks_pulse_as_the_sheet_says_of_its_substance(draw, r50_mm, pulse, wearers):
    assert r50_mm[0] < medians(draw, wearers, lambda batch, _: batch.material.dot_r50_mm) < r50_mm[1]
    assert pulse[0] <= medians(draw, wearers, lambda batch, _: batch.pulse_share) < pulse[1]


def test_silicone_matched_in_one_band_misses_the_other_and_silicone_matched_in_both_does_not(wearers, matched):
    def off(draw, band):
        """For each wearer, the batch's distance from their skin, in logarithms of reflectance."""
        return [
            abs(np.log(batch.responses[band].reflectance / skin_response(wearers[seed].skin, band).reflectance))
            for seed, batch in matched[draw].items()
        ]

    assert np.median(off(draw_matched_silicone, 940)) < 0.1
    assert np.median(off(draw_matched_silicone, 850)) > 1.5 * np.median(off(draw_matched_in_both, 850))
    for band in BANDS_NM:
        assert max(off(draw_matched_in_both, band)) < 0.12


def test_silicone_matched_in_both_bands_spreads_dots_as_far_as_its_wearers_skin(wearers, matched):
    ratios = [
        batch.material.dot_r50_mm / wearers[seed].material.dot_r50_mm
        for seed, batch in matched[draw_matched_in_both].items()
    ]
    assert 0.92 < np.median(ratios) < 1.08
    assert max(abs(np.log(ratios))) < 0.25


def test_a_null_instrument_is_of_somebody_elses_skin(wearers):
    for seed, wearer in wearers.items():
        batch = draw_skin(seed, wearer)
        assert batch.material.name == "skin"
        assert batch.thickness_mm == 0.0
        assert batch.reflectance != wearer.reflectance


def test_batches_of_a_seed_are_alike_and_of_two_seeds_are_not(wearers):
    wearer = wearers[70]
    assert draw_typical_silicone(70, wearer).material == draw_typical_silicone(70, wearer).material
    spreads = {draw_typical_silicone(seed, wearer).material.dot_r50_mm for seed in SEEDS}
    assert len(spreads) == len(SEEDS)
