"""What is drawn for each unit, and what the factory says of it."""

from __future__ import annotations

from dataclasses import asdict, fields

import numpy as np
import pytest
from faceward_sim.firmware.imager import FactoryCalibration
from faceward_sim.optics import structured_light, time_of_flight
from faceward_sim.optics.manufacture import TOLERANCE, Warmth, draw_jitter, spots
from faceward_sim.optics.structured_light import SL_850_940, design_pattern
from faceward_sim.optics.time_of_flight import TOF_940

UNITS = 12
# The data sheet's own: the same for every unit of a design.
_DESIGNED = {"depth_unit_um", "depth_min_mm", "depth_max_mm", "dot_pitch_mrad", "saturation_counts"}


@pytest.fixture(scope="module")
def structured():
    pattern = design_pattern(SL_850_940)
    return [structured_light.draw_unit(SL_850_940, pattern, 10_000 + k) for k in range(UNITS)]


@pytest.fixture(scope="module")
def timed():
    return [time_of_flight.draw_unit(TOF_940, 10_000 + k) for k in range(UNITS)]


def test_every_unit_has_its_own_camera_emitters_chip_and_warmth(structured, timed):
    for unit, other in ((structured[0][0], structured[1][0]), (timed[0][0], timed[1][0])):
        for name in ("camera", "flood", "jitter", "warmth", "lens_sigma_px"):
            assert getattr(unit, name) != getattr(other, name), name
        for name in ("response", "offset_counts"):
            assert not np.array_equal(getattr(unit.pixels, name), getattr(other.pixels, name)), name
        for name in ("black_level_counts", "read_noise_counts", "counts_per_electron"):
            assert getattr(unit.pixels, name) != getattr(other.pixels, name), name
    one, two = structured[0][0], structured[1][0]
    assert one.baseline_mm != two.baseline_mm
    assert (one.second, one.second_counts_per_us_at_1m) != (two.second, two.second_counts_per_us_at_1m)
    assert not np.array_equal(one.dot_x_px, two.dot_x_px)
    assert timed[0][0].error != timed[1][0].error
    assert timed[0][0].range_mm_per_c != timed[1][0].range_mm_per_c


def test_the_same_seed_draws_the_same_unit():
    pattern = design_pattern(SL_850_940)
    (a, said), (b, again) = (structured_light.draw_unit(SL_850_940, pattern, 10_077) for _ in range(2))
    assert said == again
    assert np.array_equal(a.dot_x_px, b.dot_x_px) and np.array_equal(a.pixels.response, b.pixels.response)


def test_some_pixels_are_dead_and_some_hot(structured):
    for unit, _ in structured:
        assert 4 < np.count_nonzero(unit.pixels.response == 0) < 25
        assert 4 < np.count_nonzero(unit.pixels.offset_counts > 400) < 25


def _true(unit, counts_per_electron_in_flood):
    pixels = unit.pixels
    flood = getattr(unit, "flood_counts_per_us_at_1m", None)
    return {
        "flood_counts_per_us_at_1m": flood or unit.electrons_per_us_at_1m * counts_per_electron_in_flood,
        "flood_second_counts_per_us_at_1m": getattr(unit, "second_counts_per_us_at_1m", None),
        "dot_counts_per_us_at_1m": getattr(unit, "dot_counts_per_us_at_1m", None),
        "baseline_mm": getattr(unit, "baseline_mm", None),
        "read_noise_counts": pixels.read_noise_counts,
        "counts_per_electron": pixels.counts_per_electron,
        "black_level_counts": pixels.black_level_counts,
    }


@pytest.mark.parametrize("kind", ["structured", "timed"])
def test_the_factory_says_an_estimate_within_its_tolerance_and_never_the_draw(kind, request):
    shares = {
        "flood_counts_per_us_at_1m": TOLERANCE.flood,
        "flood_second_counts_per_us_at_1m": TOLERANCE.flood,
        "dot_counts_per_us_at_1m": TOLERANCE.dots,
        "read_noise_counts": TOLERANCE.read_noise,
        "counts_per_electron": TOLERANCE.electron,
    }
    units = request.getfixturevalue(kind)
    errors: dict[str, list[float]] = {}
    for unit, said in units:
        for name, true in _true(unit, unit.pixels.counts_per_electron).items():
            if true is None:
                continue
            error = getattr(said, name) - true
            assert error != 0, name
            sigma = shares[name] * true if name in shares else {
                "baseline_mm": TOLERANCE.baseline_mm, "black_level_counts": TOLERANCE.black_counts
            }[name]  # fmt: skip
            errors.setdefault(name, []).append(error / sigma)
        for name, sigma in (("fx_px", TOLERANCE.focal * unit.camera.f_px), ("cx_px", TOLERANCE.centre_px)):
            true = unit.camera.f_px if name == "fx_px" else unit.camera.cx_px
            errors.setdefault(name, []).append((getattr(said.infrared, name) - true) / sigma)
    for name, found in errors.items():
        assert max(map(abs, found)) < 5, name
        assert 0.3 < np.sqrt(np.mean(np.square(found))) < 2, name


def test_every_number_of_the_calibration_differs_between_units_but_the_designs_own(structured):
    one, two = (asdict(said) for _, said in structured[:2])
    same = {field.name for field in fields(FactoryCalibration) if one[field.name] == two[field.name]}
    assert same == _DESIGNED


def test_a_unit_warms_up_towards_its_end():
    warmth = Warmth(25.0, 40.0, 600.0, -0.002, 1.0)
    assert warmth.at_c(0) == 25.0
    assert warmth.at_c(600_000_000) == pytest.approx(25 + 15 * (1 - np.exp(-1)))
    assert warmth.at_c(10**11) == pytest.approx(40.0)


def test_jitter_is_drawn_within_the_sheets_range():
    drawn = [draw_jitter(np.random.default_rng(k)) for k in range(200)]
    assert all(0.0005 <= jitter.power <= 0.005 for jitter in drawn)
    assert max(j.power for j in drawn) > 5 * min(j.power for j in drawn)


def test_spots_are_smooth_and_have_the_spread_asked_for():
    field = spots(np.random.default_rng(1), 120, 160, 6, 0.5)
    assert field.shape == (120, 160) and field.std() == pytest.approx(0.5, rel=1e-3)
    assert np.abs(np.diff(field, axis=1)).max() < 0.2
