"""Heads that nobody is in: rigid, of their substance, sawn off at the neck."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from faceward_sim.firmware.imager import Prompt
from faceward_sim.world.eyes import EYE
from faceward_sim.world.generators import GENERATORS
from faceward_sim.world.instruments.heads import HEADS, Head
from faceward_sim.world.motion import Mover

SEED = 50
PLACE = np.array([0, -32, 400], np.float32)
DESIGNS = {design.name: design for design in HEADS}


@cache
def head(name: str) -> Head:
    design = DESIGNS[name]
    return Head(design, SEED, GENERATORS[design.generators[0]])


def posed(name: str, time_s: float, prompt: Prompt = Prompt.NONE):
    return head(name).surfaces(Mover(SEED, 400.0).at(time_s, prompt), PLACE)


@pytest.mark.parametrize("name", DESIGNS)
def test_a_head_never_blinks_smiles_or_looks_around(name):
    mover = Mover(SEED, 400.0)
    shapes = []
    for slot in range(0, 240, 12):
        skin, eyes, *_ = head(name).surfaces(mover.at(slot / 30, Prompt.SMILE), PLACE)
        points = np.concatenate([skin.vertices_mm, eyes.vertices_mm]).astype(np.float64)
        chosen = points[:: len(points) // 60]
        shapes.append(np.linalg.norm(chosen[:, None] - chosen[None], axis=2))
    assert np.ptp(np.array(shapes), axis=0).max() < 0.01


def test_a_head_has_no_pulse_though_its_holder_has():
    assert all(surface.flush is None for surface in posed("head-plaster", 1.3))


@pytest.mark.parametrize(
    ("name", "reflectance", "r50_mm"),
    [
        ("head-plaster", (0.8, 0.95), (0.02, 0.12)),
        ("head-sandstone", (0.7, 0.95), (0.02, 0.12)),
        ("head-foam", (0.7, 0.95), (0.4, 20.0)),
        ("head-resin", (0.45, 0.85), (0.6, 1.6)),
        ("head-mannequin", (0.6, 0.92), (0.15, 0.45)),
    ],
)
def test_a_head_returns_and_spreads_light_as_its_substance(name, reflectance, r50_mm):
    skin = posed(name, 0.0)[0]
    shown = skin.reflectance[300:700, 300:700]
    assert reflectance[0] < np.quantile(shown, 0.9) <= reflectance[1]
    assert r50_mm[0] < skin.material.dot_r50_mm < r50_mm[1]


def test_only_a_mannequin_and_a_museums_head_have_glass_eyes():
    for name, design in DESIGNS.items():
        eyes = posed(name, 0.0)[1]
        assert (eyes.material is EYE) == design.glass_eyes == (name in ("head-mannequin", "head-wax"))
        assert (np.ptp(eyes.reflectance) < 0.2) == (design.coat.name == "BARE")


def test_a_head_ends_in_a_straight_cut_through_the_neck():
    skin = posed("head-plaster", 0.0)[0]
    lowest = np.sort(skin.vertices_mm[:, 1])[::-1]
    assert lowest[0] - PLACE[1] < 170
    assert (lowest > lowest[0] - 12).sum() > 20


def test_heads_are_their_seeds():
    design = DESIGNS["head-mannequin"]
    again, another = Head(design, SEED), Head(design, SEED + 1)
    mine = posed(design.name, 0.0)[0]
    posture = Mover(SEED, 400.0).at(0.0, Prompt.NONE)
    assert np.array_equal(again.surfaces(posture, PLACE)[0].vertices_mm, mine.vertices_mm)
    assert not np.array_equal(another.surfaces(posture, PLACE)[0].vertices_mm, mine.vertices_mm)
