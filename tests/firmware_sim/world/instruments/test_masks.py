"""Masks: each covers what it says, stands over its wearer, has eyes behind its holes, and moves as its material lets it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from faceward_sim.world.anatomy import load_anatomy
from faceward_sim.world.instruments.batches import draw_matched_silicone
from faceward_sim.world.instruments.masks import MASKS, NULL, PARTS, Extent, Mask
from faceward_sim.world.instruments.victims import at_likeness, draw_victim, of_a_stranger
from faceward_sim.world.people import draw_person

SEED = 50
DESIGNS = {design.name: design for design in (*MASKS, *PARTS, NULL)}
SMILE = {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0, "eyeBlinkLeft": 1.0}


@cache
def wearer():
    return draw_person(SEED)


@cache
def mask(name: str) -> Mask:
    return Mask(DESIGNS[name], SEED, wearer())


def covered(worn: Mask) -> np.ndarray:
    """Base positions of the vertices that the shell shows."""
    return load_anatomy().vertices_mm[np.unique(worn.vertex[worn.triangles.ravel() % len(worn.vertex)])]


@pytest.mark.parametrize("name", DESIGNS)
def test_a_mask_lies_over_its_wearer_and_nowhere_far_from_them(name):
    worn = mask(name)
    head = wearer().build.vertices_mm
    apart = np.linalg.norm(worn.rest - head, axis=1)[np.unique(worn.vertex)]
    assert 0.05 < np.median(apart) < 22
    front = np.unique(worn.vertex[np.abs(load_anatomy().vertices_mm[worn.vertex, 0]) < 30])
    sunk = worn.rest[front, 2] - head[front, 2]
    assert np.quantile(sunk, 0.95) < 3


@pytest.mark.parametrize(
    ("extent", "low_mm", "high_mm"),
    [
        (Extent.HEAD, -110, 120),
        (Extent.FACE, -60, 85),
        (Extent.UPPER, -60, 45),
        (Extent.LOWER, 30, 85),
        (Extent.NOSE_AND_BROW, -14, 38),
    ],
)
def test_a_mask_covers_what_its_extent_says(extent, low_mm, high_mm):
    for design in DESIGNS.values():
        if design.extent is extent:
            rest = covered(mask(design.name))
            middle = rest[np.abs(rest[:, 0]) < 25]
            assert middle[:, 1].min() < low_mm and middle[:, 1].max() > high_mm
            if extent is Extent.UPPER:
                assert rest[:, 1].max() < 62
            if extent is Extent.LOWER:
                assert rest[:, 1].min() > 5
            if extent is not Extent.HEAD:
                assert rest[:, 2].max() < 80


def test_every_mask_but_the_null_instrument_leaves_its_wearers_eyes_free():
    centres = wearer().build.eye_centres_mm
    for design in DESIGNS.values():
        worn = mask(design.name)
        shell = worn.rest[np.unique(worn.vertex)]
        for centre in centres:
            gap = np.linalg.norm(shell[shell[:, 2] < centre[2] + 5][:, :2] - centre[:2], axis=1).min()
            assert (gap > 3) == (design.hole_mm is not None), design.name


def test_a_mask_without_holes_has_the_wearers_lids():
    worn = mask("null-instrument")
    closed, moved = worn.shell_mm(wearer(), {"eyeBlinkLeft": 1.0})
    assert np.abs(moved).max() > 3
    assert closed.shape == worn.rest.shape
    _, still = mask("mask-silicone").shell_mm(wearer(), {"eyeBlinkLeft": 1.0})
    assert not still.any()


def test_thin_silicone_follows_a_smile_typical_silicone_half_does_and_a_rigid_mask_does_not():
    moved = {
        name: float(np.abs(mask(name).shell_mm(wearer(), SMILE)[1]).max())
        for name in ("mask-silicone-thin", "mask-silicone", "mask-abs", "mask-paper")
    }
    assert moved["mask-silicone-thin"] > 1.3 * moved["mask-silicone"] > 1.0
    assert moved["mask-abs"] == moved["mask-paper"] == 0.0


def test_a_mask_of_folded_card_is_made_of_flat_pieces():
    def unevenness(worn: Mask) -> float:
        first = worn.triangles[: len(worn.triangles) // 2]
        p = worn.rest[worn.vertex]
        normal = np.cross(p[first[:, 1]] - p[first[:, 0]], p[first[:, 2]] - p[first[:, 0]])
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        bend = 1 - (normal[:-1] * normal[1:]).sum(axis=1)
        return float(np.mean(bend < 1e-4))

    assert unevenness(mask("mask-paper")) > unevenness(mask("mask-abs")) + 0.1


def test_glued_silicone_runs_out_to_the_skin_and_a_rigid_mask_ends_in_a_step():
    head = wearer().build.vertices_mm
    step = {
        name: float(np.median(np.linalg.norm((worn.rest - worn.trimmed_mm - head)[worn.rim_vertex], axis=1)))
        for name in ("part-nose-brow", "mask-resin")
        for worn in [mask(name)]
    }
    assert step["part-nose-brow"] < 1.0 < step["mask-resin"]


def test_a_scan_comes_nearer_to_its_victim_than_a_photograph_and_both_nearer_than_a_stranger():
    anatomy, victim = load_anatomy(), draw_victim(SEED).build.vertices_mm

    def missed_mm(sculpt) -> float:
        made = sculpt(SEED, anatomy, wearer()).vertices_mm
        return float(np.sqrt(((made - victim) ** 2).mean()))

    scan, photo = missed_mm(at_likeness(0.88, 0.88)), missed_mm(at_likeness(0.82, 0.82, depth=0.7))
    stranger = float(np.sqrt(((wearer().build.vertices_mm - victim) ** 2).mean()))
    assert scan < photo < stranger
    assert missed_mm(of_a_stranger) < 1e-3


def test_the_press_tests_three_get_nearer_with_the_price():
    ranges = [DESIGNS[f"mask-press-{price}"] for price in (3200, 6800, 15600)]
    assert [design.hair_share for design in ranges] == [0.0, 1.0, 1.0]
    assert all(f"{price:,} yuan" in design.description
               for price, design in zip((3200, 6800, 15600), ranges, strict=True))  # fmt: skip


def test_a_swapped_material_leaves_the_shape_alone():
    own = mask("mask-press-3200")
    other = replace(draw_matched_silicone(SEED, wearer().complexion), thickness_mm=own.batch.thickness_mm)
    swapped = Mask(DESIGNS["mask-press-3200"], SEED, wearer(), other)
    assert np.array_equal(swapped.rest, own.rest)
    assert np.array_equal(swapped.triangles, own.triangles)
    assert swapped.material != own.material


def test_a_mask_is_its_seeds_and_no_other():
    again = Mask(DESIGNS["mask-latex"], SEED, wearer())
    assert np.array_equal(again.rest, mask("mask-latex").rest)
    assert np.array_equal(again.reflectance, mask("mask-latex").reflectance)
    another = Mask(DESIGNS["mask-latex"], SEED + 1, wearer())
    assert not np.array_equal(another.rest, again.rest)
    assert not np.array_equal(another.reflectance, again.reflectance)
