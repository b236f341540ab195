"""Lenses lie in their rims and before the eyes, as people wear them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from faceward_sim.firmware.imager import Prompt
from faceward_sim.world.actors import ACTORS
from faceward_sim.world.environment import Environment
from faceward_sim.world.glasses import RIM_POINTS, draw_frames
from faceward_sim.world.lenses import draw_lenses, fill_rim

SEEDS = range(10_080, 10_092)


@pytest.fixture(scope="module")
def worn(spectacled):
    return {seed: spectacled(seed) for seed in SEEDS}


def _rims(glasses):
    """Each rim's four corners about every point of its outline, (4, points, 3)."""
    size = 4 * RIM_POINTS
    return [glasses.vertices_mm[k * size : (k + 1) * size].reshape(4, RIM_POINTS, 3) for k in range(2)]


def test_a_lens_edge_lies_within_its_rim_all_round(worn):
    for seed, (_, glasses) in worn.items():
        for rim, pane in zip(_rims(glasses), glasses.panes, strict=True):
            edge = pane.front_mm[-RIM_POINTS:]
            assert np.abs(edge[:, :2] - rim[:, :, :2].mean(axis=0)).max() < 0.01, seed
            # Rims stand straight up and down where real ones follow the curve: a big lens is a little before its own.
            assert (edge[:, 2] > rim[:, :, 2].min(axis=0) - 0.6).all(), seed
            assert (edge[:, 2] < rim[:, :, 2].max(axis=0) + 0.6).all(), seed


def test_a_lens_fills_its_rim_and_stands_before_the_eye(worn):
    for seed, (build, glasses) in worn.items():
        for eye, pane in zip(build.eye_centres_mm, glasses.panes, strict=True):
            near = np.hypot(*(pane.front_mm[:, :2] - eye[:2]).T) < 6
            assert near.any(), seed
            assert pane.back_mm[near, 2].max() < eye[2] - build.eye_radius_mm - 1, seed
            assert (pane.back_mm[:, 2] > pane.front_mm[:, 2]).all(), seed


def test_a_front_is_a_sphere_of_its_base_curve_whose_normals_face_outwards(worn):
    for seed, (_, glasses) in worn.items():
        radius_mm = draw_lenses(seed).radius_mm
        for pane in glasses.panes:
            centres = pane.front_mm - radius_mm * pane.front_normals
            assert np.ptp(centres, axis=0).max() < 0.01, seed
            a, b, c = (pane.front_mm[pane.triangles[:, k]] for k in range(3))
            faces = np.cross(b - a, c - a)
            assert (np.einsum("ij,ij->i", faces, pane.front_normals[pane.triangles[:, 0]]) > 0).all(), seed
            assert (pane.back_normals[:, 2] < 0).all(), seed


def test_a_lens_without_power_mirrors_alike_before_and_behind_and_a_strong_one_does_not():
    turns = np.linspace(0, 2 * np.pi, RIM_POINTS, endpoint=False)
    rim = np.column_stack([32 + 25 * np.cos(turns), 18 * np.sin(turns), np.full(RIM_POINTS, -20.0)])
    drawn = draw_lenses(10_000)
    flat = fill_rim(replace(drawn, power_d=0.0), rim, np.array([32.0, 0.0]))
    assert np.allclose(flat.front_normals, flat.back_normals, atol=1e-5)
    minus, plus = (fill_rim(replace(drawn, power_d=power), rim, np.array([32.0, 0.0])) for power in (-4.0, 2.0))
    right = np.argmax(rim[:, 0]) - RIM_POINTS
    # The back of a lens for the short-sighted is the deeper bowl: through the front a stronger mirror.
    assert minus.back_normals[right, 0] > flat.back_normals[right, 0] + 0.1
    assert plus.back_normals[right, 0] < flat.back_normals[right, 0] - 0.05


def test_lenses_are_what_is_sold_and_clear_in_infrared():
    drawn = [draw_lenses(seed) for seed in range(10_000, 10_300)]
    assert all(4 <= lenses.base_d <= 8 and 66 <= lenses.radius_mm <= 133 for lenses in drawn)
    coated = np.array([lenses.coated for lenses in drawn])
    assert 0.5 < coated.mean() < 0.7
    for lenses in drawn:
        for band in (lenses.glazing.at_940, lenses.glazing.at_850, lenses.glazing.visible):
            inside = band.passes / (1 - band.back)
            assert band.passes + band.front + band.back * inside**2 <= 1.0
        at_940 = lenses.glazing.at_940
        assert at_940.passes > 0.75
        if lenses.coated:
            assert 0.02 <= at_940.front <= 0.12 and lenses.glazing.visible.front < 0.015
        else:
            assert 0.039 < at_940.front < 0.055 and at_940.passes > 0.87


def test_lenses_leave_the_draw_of_frames_as_it_was(monkeypatch):
    before = draw_frames(10_085)
    monkeypatch.setattr("faceward_sim.world.glasses.draw_lenses", lambda seed: draw_lenses(seed + 1))
    assert draw_frames(10_085) == before


def test_lenses_are_on_whoever_wears_glasses_and_turn_with_head_and_sensor():
    bare, glazed = ACTORS["live"].build(10_091), ACTORS["live-glasses"].build(10_091)
    assert bare.at(0, Prompt.NONE).clear == ()
    before = glazed.at(100_000, Prompt.TURN_LEFT)
    after = glazed.at(3_000_000, Prompt.TURN_LEFT)
    assert len(before.clear) == len(after.clear) == 2
    for scene in (before, after, Environment(yaw_deg=20).around(glazed, 10_091).at(3_100_000, Prompt.TURN_LEFT)):
        frame = next(s for s in scene.surfaces if s.panes).vertices_mm[: 8 * RIM_POINTS]
        edges = np.concatenate([pane.front_mm[-RIM_POINTS:] for pane in scene.clear])
        assert np.linalg.norm(edges[:, None] - frame[None], axis=2).min(axis=1).max() < 6
        assert all((np.einsum("ij,ij->i", p.front_normals, p.front_mm) < 0).mean() > 0.9 for p in scene.clear)
    assert np.abs(after.clear[0].front_mm - before.clear[0].front_mm).max() > 10
