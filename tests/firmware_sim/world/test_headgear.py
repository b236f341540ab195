"""Hats: where they sit, what they leave free, and that nothing else of their wearers changes."""

from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.firmware.imager import Prompt
from faceward_sim.world.actors import ACTORS
from faceward_sim.world.anatomy import load_anatomy
from faceward_sim.world.complexion import draw_traits
from faceward_sim.world.hair import draw_style, grow_hair
from faceward_sim.world.headgear import fit_hat, under_hat
from faceward_sim.world.shape import draw_build

SEEDS = range(10_200, 10_210)


@pytest.fixture(scope="module")
def worn():
    anatomy = load_anatomy()
    builds = {seed: draw_build(seed, anatomy, 2.0) for seed in SEEDS}
    return {seed: (build, fit_hat(seed, anatomy, build.vertices_mm)) for seed, build in builds.items()}


def test_a_hat_reaches_over_the_head_and_leaves_the_eyes_free(worn):
    for seed, (build, hat) in worn.items():
        assert hat.vertices_mm[:, 1].min() < build.vertices_mm[:, 1].min() - 5, seed
        front = hat.vertices_mm[np.abs(hat.vertices_mm[:, 0]) < 40]
        assert front[front[:, 2] < 60][:, 1].max() < -12, seed


def test_flattened_hair_stays_under_the_hat(worn):
    anatomy = load_anatomy()
    for seed, (build, hat) in worn.items():
        traits = draw_traits(seed, male=build.male, age=build.age)
        style = under_hat(draw_style(seed, male=build.male, age=build.age))
        hair = grow_hair(seed, anatomy, build.vertices_mm, traits, style)
        if hair is not None:
            assert hair.vertices_mm[:, 1].min() > hat.vertices_mm[:, 1].min(), seed


def test_both_kinds_are_worn_and_a_brim_stands_out_before_the_face(worn):
    kinds = {hat.material.name for _, hat in worn.values()}
    assert kinds == {"knitted", "cap"}
    for build, hat in worn.values():
        stands_out_mm = build.vertices_mm[:, 2].min() - hat.vertices_mm[:, 2].min()
        assert (stands_out_mm > 20) == (hat.material.name == "cap")


def test_somebody_with_a_hat_is_the_same_person_and_the_hat_turns_with_the_head():
    bare, hatted = (ACTORS[name].build(10_201) for name in ("live", "live-hat"))
    before, after = (hatted.at(t, Prompt.TURN_LEFT).surfaces for t in (100_000, 3_000_000))
    names = [surface.material.name for surface in before]
    (index,) = [k for k, name in enumerate(names) if name in ("knitted", "cap")]
    assert np.abs(after[index].vertices_mm - before[index].vertices_mm).max() > 10
    faces = [
        next(s for s in actor.at(200_000, Prompt.NONE).surfaces if s.material.name == "skin")
        for actor in (bare, ACTORS["live-hat"].build(10_201))
    ]
    assert np.array_equal(faces[0].vertices_mm, faces[1].vertices_mm)
    assert hatted.species == "live"
