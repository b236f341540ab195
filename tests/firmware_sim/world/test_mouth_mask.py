"""Surgical masks: they hang over nose and chin, before the face and clear of the eyes."""

from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.firmware.imager import Prompt
from faceward_sim.world.actors import ACTORS
from faceward_sim.world.anatomy import load_anatomy
from faceward_sim.world.complexion import draw_complexion
from faceward_sim.world.generators import A, B
from faceward_sim.world.mouth_mask import fit_mouth_mask
from faceward_sim.world.shape import draw_build
from hypothesis import given
from hypothesis import strategies as st

SEEDS = range(10_220, 10_226)


@pytest.fixture(scope="module")
def worn():
    anatomy = load_anatomy()
    found = {}
    for seed in SEEDS:
        build = draw_build(seed, anatomy, 2.0)
        found[seed] = (build, fit_mouth_mask(seed, anatomy, build, draw_complexion(seed, 2.0)))
    return found


def test_mouth_and_tip_of_the_nose_lie_behind_it_and_the_eyes_above_it(worn):
    anatomy = load_anatomy()
    for seed, (build, mask) in worn.items():
        points = mask.vertices_mm
        assert points[:, 1].min() > build.eye_centres_mm[:, 1].max() + 8, seed
        face = build.vertices_mm[np.unique(anatomy.wedge_vertex[anatomy.triangles[~anatomy.cavity]])]
        middle = face[(np.abs(face[:, 0]) < 25) & (face[:, 1] > 45) & (face[:, 1] < 90) & (face[:, 2] < 60)]
        for point in middle:
            near = points[np.hypot(points[:, 0] - point[0], points[:, 1] - point[1]) < 4]
            assert len(near) and near[:, 2].min() < point[2], seed


def test_cloth_spans_what_lies_between_nose_and_chin(worn):
    for _, mask in worn.values():
        middle = mask.vertices_mm[np.abs(mask.vertices_mm[:, 0]) < 0.5]
        middle = middle[np.argsort(middle[:, 1])][:-2]
        straight = np.interp(middle[:, 1], middle[[0, -1], 1], middle[[0, -1], 2])
        # A hull bulges towards the sensor and is never dented by the mouth.
        assert (middle[:, 2] <= straight + 0.1).all()
        bends = np.diff(np.diff(middle[:, 2]) / np.diff(middle[:, 1]))
        assert bends.min() > -0.35


@given(st.integers(10_000, 1 << 40), st.sampled_from([A, B]))
def test_every_mask_is_bright_and_within_its_table(seed, generator):
    complexion = draw_complexion(seed, None, generator)
    shell = generator.substances["nonwoven"].draw(np.random.default_rng(seed), complexion.skin)
    assert 0.3 < shell.response().reflectance < 0.95


def test_its_wearer_is_alive_and_the_same_person():
    bare, masked = (ACTORS[name].build(10_221) for name in ("live", "live-mouth-mask"))
    assert masked.species == "live"
    names = [surface.material.name for surface in masked.at(0, Prompt.NONE).surfaces]
    assert names.count("nonwoven") == 1
    faces = [
        next(s for s in actor.at(0, Prompt.NONE).surfaces if s.material.name == "skin") for actor in (bare, masked)
    ]
    assert np.array_equal(faces[0].vertices_mm, faces[1].vertices_mm)
    assert np.array_equal(faces[0].reflectance, faces[1].reflectance)
