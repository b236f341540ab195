"""Printed glasses: paper before the wearer's nose bridge, with holes before their eyes."""

from __future__ import annotations

import numpy as np
from faceward_sim.world.instruments.glasses import COLUMNS, GLASSES, ROWS, Glasses
from faceward_sim.world.people import draw_person

SEED = 50


def test_glasses_stand_before_the_eyes_and_leave_holes_to_see_through():
    wearer = draw_person(SEED)
    glasses = Glasses(GLASSES[0], SEED, wearer)
    front = glasses.rest[: COLUMNS * ROWS]
    used = np.unique(glasses.triangles)
    shown = glasses.rest[used[used < COLUMNS * ROWS]]
    for eye in wearer.build.eye_centres_mm:
        before = shown[np.abs(shown[:, 0] - eye[0]) < 20]
        assert before[:, 2].max() < eye[2] - 12
        centres = glasses.rest[glasses.triangles].mean(axis=1)
        assert np.linalg.norm((centres[:, :2] - eye[:2]) / (4.5, 2.5), axis=1).min() > 1
    assert 130 < np.ptp(front[:, 0]) < 152
    assert glasses.material.dot_r50_mm < 0.15
    assert np.ptp(glasses.reflectance) > 0.4


def test_glasses_have_arms_that_reach_to_the_ears():
    glasses = Glasses(GLASSES[0], SEED, draw_person(SEED))
    arms = glasses.rest[COLUMNS * ROWS :]
    assert np.ptp(arms[:, 2]) > 90
    assert (arms[:, 0] > 50).any() and (arms[:, 0] < -50).any()
