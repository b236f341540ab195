"""Portraits of drawn people through the sensor's own pixels and the SDK's networks."""

from __future__ import annotations

import json
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from faceward.face.models import default_folder, install_models
from faceward_sim.cli import app
from faceward_sim.likeness.gallery import TILE_PX, contact_sheet, hang
from faceward_sim.likeness.recogniser import Recogniser
from faceward_sim.likeness.sitting import FARTHEST_MM, NEAREST_MM, take_portrait
from faceward_sim.world.body import Body
from faceward_sim.world.people import draw_person
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def first_seed(draw_seed: Callable[[str], int]) -> int:
    return draw_seed("gallery")


@pytest.fixture(scope="module", autouse=True)
def models():
    if not default_folder().exists():
        install_models()


@pytest.fixture(scope="module")
def body(first_seed):
    return Body(draw_person(first_seed))


def test_a_portrait_is_reproducible_and_the_next_one_is_another(body):
    first, again, other = take_portrait(body, 0), take_portrait(body, 0), take_portrait(body, 1)
    assert np.array_equal(first.counts, again.counts)
    assert first.distance_mm != other.distance_mm
    assert NEAREST_MM <= first.distance_mm <= FARTHEST_MM
    assert first.counts.dtype == np.uint16 and first.counts.shape == (480, 640)


def test_a_portrait_is_exposed_as_the_sdk_would_have_it(body):
    recogniser = Recogniser()
    for number in range(3):
        portrait = take_portrait(body, number)
        face = recogniser.find(portrait)
        assert face is not None, number
        x, y = face.landmarks_px.mean(axis=0).astype(int)
        calibration = portrait.calibration
        level = portrait.counts[y - 20 : y + 20, x - 15 : x + 15].mean() - calibration.black_level_counts
        assert 0.12 < level / (calibration.saturation_counts - calibration.black_level_counts) < 0.75, number


def test_the_same_person_looks_more_alike_than_two_people_do(first_seed):
    gallery = hang([first_seed, first_seed + 1, first_seed + 2], 3)
    assert gallery.missed <= 1
    assert gallery.separation.people == 3
    assert gallery.separation.genuine_mean > gallery.separation.impostor_mean + 0.2
    assert len(gallery.faces) == 3
    assert all(face.shape == (TILE_PX, TILE_PX) and face.std() > 5 for face in gallery.faces)


def test_a_sheet_has_rows_of_eight():
    faces = [np.full((TILE_PX, TILE_PX), shade, np.uint8) for shade in range(1, 10)]
    sheet = contact_sheet(faces, "nine")
    assert sheet.shape == (24 + 2 * TILE_PX, 8 * TILE_PX)
    assert sheet[-1, 0] == 9 and sheet[-1, -1] == 0


@pytest.mark.parametrize(("seeds", "captures"), [([5], 3), ([5, 6], 1)])
def test_a_gallery_of_one_is_refused(seeds, captures):
    with pytest.raises(ValueError, match="two"):
        hang(seeds, captures)


def test_the_command_prints_what_it_measured_and_says_that_it_is_simulated(tmp_path, first_seed):
    sheet = tmp_path / "sheet.png"
    arguments = ["--count", "2", "--captures", "2", "--first-seed", str(first_seed), "--sheet", str(sheet), "--json"]
    done = CliRunner().invoke(app, ["validate", "people", *arguments])
    report = json.loads(done.stdout)
    assert report["simulated"] is True
    assert (report["people"], report["first_seed"], report["captures"]) == (2, first_seed, 2)
    good = report["impostor_mean"] <= report["impostor_mean_max"] and report["eer"] <= report["eer_max"]
    assert report["holds"] is good
    assert done.exit_code == (0 if good else 1)
    assert cv2.imread(str(sheet)).shape[1] == 8 * TILE_PX


def test_a_folder_without_models_ends_in_one_sentence(tmp_path):
    done = CliRunner().invoke(app, ["validate", "people", "--count", "2", "--models", str(tmp_path)])
    assert done.exit_code == 3
    assert done.stderr.startswith("faceward-sim: ") and "faceward models install" in done.stderr
