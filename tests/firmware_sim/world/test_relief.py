from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.world.anatomy import load_anatomy
from faceward_sim.world.relief import SCALES_MM, draw_relief

SEEDS = range(10_040, 10_064)


@pytest.fixture(scope="module")
def reliefs():
    return np.stack([draw_relief(seed, load_anatomy()) for seed in SEEDS])


def _face(anatomy):
    rest = anatomy.vertices_mm
    return (anatomy.follow > 0.95) & (rest[:, 2] < 30) & (np.abs(rest[:, 1] - 30) < 60)


def test_a_seed_has_one_relief_of_its_own(reliefs):
    assert np.array_equal(reliefs[0], draw_relief(SEEDS[0], load_anatomy()))
    assert np.abs(reliefs[0] - reliefs[1]).max() > 0.5


def test_relief_moves_a_face_by_a_millimetre_or_two(reliefs):
    rms = np.sqrt((reliefs[:, _face(load_anatomy())] ** 2).mean(axis=(0, 1)))
    full = np.sqrt(sum(sigma**2 for _, sigma in SCALES_MM))
    assert (rms > 0.4 * full).all() and (rms < 1.1 * full).all()


def test_eyeballs_lids_and_shoulders_stay_where_they_are(reliefs):
    anatomy = load_anatomy()
    for eye in anatomy.eye_vertices:
        assert not reliefs[:, eye].any()
    assert not reliefs[:, anatomy.follow == 0].any()


def test_left_and_right_are_mostly_alike(reliefs):
    anatomy = load_anatomy()
    rest = anatomy.vertices_mm
    face = np.flatnonzero(_face(anatomy) & (rest[:, 0] > 5))
    twin = [int(np.argmin(((rest - rest[v] * (-1, 1, 1)) ** 2).sum(axis=1))) for v in face]
    left, right = reliefs[:, face], reliefs[:, twin] * (-1, 1, 1)
    alike, apart = ((left + right) ** 2).mean(), ((left - right) ** 2).mean()
    assert 0.01 < apart / alike < 0.35


def test_relief_turns_and_shifts_no_face(reliefs):
    anatomy = load_anatomy()
    face = _face(anatomy) & (anatomy.vertices_mm[:, 2] < 20)
    points = anatomy.vertices_mm[face]
    slopes = [
        np.linalg.lstsq(np.column_stack([points[:, :2], np.ones(len(points))]), relief[face, 2], rcond=None)[0][:2]
        for relief in reliefs
    ]
    # Without taking the turn out it is 1.5 degrees and more.
    assert np.degrees(np.abs(slopes)).mean() < 0.8
