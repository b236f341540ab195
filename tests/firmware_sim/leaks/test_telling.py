"""The classifier: it finds what is there, and does not call chance a finding."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from faceward_sim.leaks import telling
from faceward_sim.leaks.telling import KINDS, SPECIES, check_telling, cues, tell

ATTACK = np.arange(60) % 2 == 1


def rows(rng, told: float):
    made = []
    for attack in ATTACK:
        row = {kind: rng.standard_normal(6) for kind in KINDS}
        row["timing"][2] += told * attack
        made.append(row)
    return made


def test_chance_is_not_called_a_leak_and_a_cue_is_found_where_it_is(monkeypatch):
    monkeypatch.setattr(telling, "TREES", 40)
    monkeypatch.setattr(telling, "RESAMPLES", 200)
    leaky = {each.kind: each for each in tell(rows(np.random.default_rng(4), 3.0), ATTACK, 1)}
    assert set(leaky) == {*KINDS, "all together"}
    assert leaky["timing"].low > 0.7
    assert leaky["all together"].low > 0.5
    assert all(leaky[kind].low <= 0.5 <= leaky[kind].high for kind in ("background", "noise", "metadata"))
    clean = list(tell(rows(np.random.default_rng(5), 0.0), ATTACK, 1))
    assert all(each.low <= 0.5 for each in clean)
    assert all(each.low <= each.auc <= each.high for each in clean)


def test_cues_are_numbers_and_as_many_for_a_mask_as_for_somebody_alive():
    live, mask = (cues(name, 50, 400.0, 2.0) for name in ("live", SPECIES[0]))
    assert set(live) == set(mask) == set(KINDS)
    for kind in KINDS:
        assert live[kind].shape == mask[kind].shape
        assert np.isfinite(live[kind]).all() and np.isfinite(mask[kind]).all()


def test_a_mask_and_its_wearer_alone_have_the_same_background_metadata_and_timing():
    """The same seed before the same unit: what differs is under the mask."""
    live, mask = (cues(name, 51, 400.0, 2.0) for name in ("live", SPECIES[0]))
    assert np.array_equal(live["metadata"], mask["metadata"])
    assert np.allclose(live["timing"], mask["timing"])
    assert np.allclose(live["background"], mask["background"], atol=3.0)


def _heads(round_px, blur_px):
    """Bright ovals before a dark wall, whose sides turn away over `round_px`."""
    y, x = np.mgrid[0:480, 0:640].astype(np.float64)
    inside_px = (1 - np.hypot((x - 320) / 130, (y - 240) / 190)) * 130
    light = 9000.0 * np.clip(inside_px / round_px, 0, 1) ** 0.5 + 40
    return cv2.GaussianBlur(light, (0, 0), blur_px)


def test_an_outlines_sharpness_is_told_from_how_round_a_side_is():
    thin, thick, soft = (telling._edges(_heads(*how))[1] for how in ((10, 0.7), (20, 0.7), (10, 1.1)))
    assert soft - thin > 5 * abs(thick - thin)


def test_too_few_to_classify_is_refused():
    with pytest.raises(ValueError, match="10 of each side"):
        list(check_telling(1, 9, lambda name: None))
