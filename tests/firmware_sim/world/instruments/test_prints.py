"""Prints: paper of real size without relief, gloss as its stock has it, holes where eyes and mouth are."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from faceward_sim.world.instruments.prints import PRINTS, Form, Sheet, take_photo
from faceward_sim.world.instruments.sheets import flat_grid, grid_triangles
from faceward_sim.world.instruments.victims import draw_victim

SEED = 50
DESIGNS = {design.name: design for design in PRINTS}


@cache
def sheet(name: str, seed: int = SEED) -> Sheet:
    return Sheet(DESIGNS[name], seed)


def test_stocks_and_forms_make_nine_species_beside_the_loose_sheet():
    names = {f"print-{stock}-{form}" for stock in ("plain", "matte", "glossy") for form in ("flat", "bent", "cut")}
    assert set(DESIGNS) == names | {"print-a4"}
    assert len({design.species for design in PRINTS}) == len(PRINTS)


@pytest.mark.parametrize("name", ["print-plain-flat", "print-matte-bent", "print-glossy-flat", "print-a4"])
def test_a_print_has_no_relief_but_its_one_bend(name):
    grid = sheet(name).rest.reshape(30, 22, 3).astype(np.float64)
    row = grid[15]
    fitted = np.polyval(np.polyfit(row[:, 0], row[:, 2], 4), row[:, 0])
    assert np.abs(row[:, 2] - fitted).max() < 1.5
    columns_alike = grid[:, :, 2] - grid[:, 10:11, 2]
    assert np.ptp(columns_alike, axis=0).max() < 6


def test_a_flat_print_is_flat_and_a_bent_one_goes_round_as_a_face_does():
    for seed in (SEED, SEED + 1):
        assert np.ptp(sheet("print-plain-flat", seed).rest[:, 2]) < 6
        bent = sheet("print-plain-bent", seed).rest
        assert np.ptp(bent[:, 2]) > 30
        assert bent.reshape(30, 22, 3)[15, 0, 2] > bent.reshape(30, 22, 3)[15, 11, 2]


def test_gloss_goes_by_the_stock():
    plain, matte, glossy = (
        sheet(f"print-{stock}-flat").material for stock in ("plain", "matte", "glossy")
    )
    assert glossy.specular_share > 1.5 * matte.specular_share
    assert glossy.roughness < 0.15 < plain.roughness < 0.65
    assert matte.roughness >= 0.5


def test_dots_stay_sharp_on_every_stock():
    for stock in ("plain", "matte", "glossy"):
        assert sheet(f"print-{stock}-flat").material.dot_r50_mm < 0.15


def test_a_cut_prints_holes_lie_over_the_photographs_eyes_and_mouth():
    photo = take_photo(draw_victim(SEED))
    cut = sheet("print-plain-cut")
    assert cut.holes == (*photo.eyes, photo.mouth)
    left, right = photo.eyes
    assert 50 < left.x_mm - right.x_mm < 75
    assert photo.mouth.y_mm > left.y_mm + 40
    whole = len(grid_triangles(cut.columns, cut.rows))
    gone = (whole - len(cut.triangles)) * 0.5 * (210 / (cut.columns - 1)) * (297 / (cut.rows - 1))
    holes = sum(np.pi * hole.half_width_mm * hole.half_height_mm for hole in cut.holes)
    assert gone == pytest.approx(holes, rel=0.35)
    flat, _ = flat_grid(210, 297, cut.columns, cut.rows)
    assert len(flat) == len(cut.rest)


def test_the_photograph_is_of_somebody_and_differs_by_seed():
    one, other = sheet("print-plain-flat").reflectance, sheet("print-plain-flat", SEED + 1).reflectance
    assert np.ptp(one) > 0.4
    assert np.abs(one - other).mean() > 0.02
    assert np.array_equal(one, Sheet(DESIGNS["print-plain-flat"], SEED).reflectance)
    assert DESIGNS["print-plain-flat"].form is Form.FLAT
