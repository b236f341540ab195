"""The spread of drawn dots, whose spread is known, through this sensor's blur."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from faceward.plugin import Illumination
from faceward_gates.dots import DotSpread
from faceward_sim.conformance.scene import Scene, draw, schedule_of, sensor_of, sheet_mm

CALIBRATION = sensor_of().calibration
PX_PER_MM = 554.0 / 415.0  # the sheet lies 415 mm away


def light_of(scene: Scene) -> np.ndarray:
    frame = draw(scene, schedule=schedule_of(1), sets=1)[0][0].infrared(Illumination.DOTS)[0]
    return frame.pixels[150:330, 220:420].astype(np.float32) - np.float32(CALIBRATION.black_level_counts)


@pytest.mark.parametrize("r50_mm", [0.05, 0.5, 0.85, 1.1, 1.6, 2.25, 3.0])
def test_the_spread_is_found_over_the_whole_range_of_skin_and_silicone(r50_mm: float):
    spread = DotSpread(CALIBRATION, 640)
    dots = spread.find(light_of(Scene(relief=sheet_mm, r50_mm=r50_mm)), 1.0)
    found_mm = float(np.median(spread.r50_px(dots.peak))) / PX_PER_MM
    assert found_mm == pytest.approx(r50_mm, rel=0.12, abs=0.1)


def test_nearly_every_dot_is_found_once():
    spread = DotSpread(CALIBRATION, 640)
    dots = spread.find(light_of(Scene(relief=sheet_mm, r50_mm=1.0)), 1.0)
    expected = 180 * 200 / spread.pitch_px**2
    assert len(dots.peak) == pytest.approx(expected, rel=0.12)


def test_neither_albedo_nor_exposure_matters():
    spread = DotSpread(CALIBRATION, 640)
    peaks = [
        float(np.median(spread.find(light_of(Scene(relief=sheet_mm, albedo=albedo, exposure_us=exposure)), 1.0).peak))
        for albedo, exposure in ((0.2, 2000), (0.6, 2000), (0.4, 1000))
    ]
    assert peaks == pytest.approx([peaks[0]] * 3, rel=0.03)


def test_noise_alone_has_no_dots():
    spread = DotSpread(CALIBRATION, 640)
    noise = 50.0 * np.random.default_rng(1).standard_normal((180, 200)).astype(np.float32)
    assert len(spread.find(noise, 1.0).peak) == 0
    assert len(spread.find(np.zeros((180, 200), np.float32), 1.0).peak) == 0


def test_a_sharper_peak_is_a_tighter_spread():
    spread = DotSpread(CALIBRATION, 640)
    found = spread.r50_px(np.linspace(1.0, 30.0, 200).astype(np.float32))
    assert (np.diff(found) <= 0).all()
    assert np.isfinite(found).all()


def test_blur_that_the_calibration_tells_is_taken_off():
    soft = replace(CALIBRATION, lens_mtf50_cy_per_px=0.15)
    peak = np.array([6.0], np.float32)
    assert DotSpread(soft, 640).r50_px(peak) < DotSpread(CALIBRATION, 640).r50_px(peak)
