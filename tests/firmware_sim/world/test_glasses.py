from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.firmware.imager import Prompt
from faceward_sim.world.actors import ACTORS
from faceward_sim.world.glasses import draw_frames

SEEDS = range(10_080, 10_092)


@pytest.fixture(scope="module")
def worn(spectacled):
    return {seed: spectacled(seed) for seed in SEEDS}


def test_rims_stand_before_the_eyes_within_a_few_centimetres(worn):
    for seed, (build, glasses) in worn.items():
        front = glasses.vertices_mm[:, 2].min()
        cornea = build.eye_centres_mm[:, 2].min() - build.eye_radius_mm
        assert cornea - 35 < front < cornea - 2, seed


def test_each_lens_is_round_its_eye(worn):
    for seed, (build, glasses) in worn.items():
        near = glasses.vertices_mm[glasses.vertices_mm[:, 2] < glasses.vertices_mm[:, 2].min() + 15]
        for eye in build.eye_centres_mm:
            assert (near[:, 0] < eye[0] - 10).any() and (near[:, 0] > eye[0] + 10).any(), seed
            assert (near[:, 1] < eye[1] - 8).any() and (near[:, 1] > eye[1] + 8).any(), seed
            # Nothing but air before the pupil.
            assert (np.hypot(near[:, 0] - eye[0], near[:, 1] - eye[1]) > 5).all(), seed


def test_temples_reach_the_ears_on_both_sides(worn):
    for _, glasses in worn.values():
        back = glasses.vertices_mm[glasses.vertices_mm[:, 2] > 85]
        assert (back[:, 0] > 50).any() and (back[:, 0] < -50).any()


def test_frames_are_drawn_from_sizes_that_are_sold():
    drawn = [draw_frames(seed) for seed in range(10_000, 10_200)]
    assert all(44 <= frames.lens_width <= 58 and 1 <= frames.top_width <= 6.5 for frames in drawn)
    assert len({round(frames.reflectance, 1) for frames in drawn}) >= 4


def test_glasses_are_on_the_actor_that_wears_them_and_turn_with_the_head():
    bare, glazed = ACTORS["live"].build(10_091), ACTORS["live-glasses"].build(10_091)
    names = [surface.material.name for surface in bare.at(0, Prompt.NONE).surfaces]
    with_frames = [surface.material.name for surface in glazed.at(0, Prompt.NONE).surfaces]
    assert "spectacle frame" not in names
    assert sorted([*names, "spectacle frame"]) == sorted(with_frames)
    index = with_frames.index("spectacle frame")
    before = glazed.at(100_000, Prompt.TURN_LEFT).surfaces[index].vertices_mm
    after = glazed.at(3_000_000, Prompt.TURN_LEFT).surfaces[index].vertices_mm
    assert np.abs(after - before).max() > 10
