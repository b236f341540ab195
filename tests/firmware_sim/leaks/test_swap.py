"""The swap: it holds for the masks that there are, and finds what a material must not change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from faceward_sim.leaks import swap
from faceward_sim.world.instruments import masks
from faceward_sim.world.instruments.batches import draw_matched_silicone
from faceward_sim.world.instruments.masks import MASKS
from faceward_sim.world.people import draw_person

SEED = 50


@pytest.fixture(scope="module")
def pair():
    wearer = draw_person(SEED).complexion
    mine = MASKS[0].batch(SEED, wearer)
    return mine, replace(draw_matched_silicone(SEED, wearer), thickness_mm=mine.thickness_mm)


def test_a_material_changes_the_optics_alone(pair):
    findings = list(swap.check_swap(MASKS[0], SEED, *pair, "a swap"))
    assert len(findings) == 5
    assert all(finding.holds for finding in findings), findings


def test_a_material_that_changes_the_shape_is_found(pair):
    mine, other = pair
    findings = list(swap.check_swap(MASKS[0], SEED, mine, replace(other, thickness_mm=mine.thickness_mm + 1), "thicker"))
    assert not findings[0].holds


def test_a_material_that_brings_a_texture_of_its_own_is_found(pair, monkeypatch):
    lay_on = masks.lay_on

    def patterned(coat, model, reflectance, material, seed):
        texture = lay_on(coat, model, reflectance, material, seed)
        if material.name == pair[1].material.name:
            texture = texture * (1 + 0.01 * np.sin(np.arange(texture.shape[1], dtype=np.float32)))
        return texture.astype(np.float32)

    monkeypatch.setattr(masks, "lay_on", patterned)
    findings = list(swap.check_swap(MASKS[0], SEED, *pair, "a pattern"))
    assert [finding.holds for finding in findings] == [True, True, False, True, True]
