"""Phasors in, distances out: the processor against phases that are known."""

from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.optics.correlation import LIGHT_MM_PER_S, RangeError, Ranging, measure, radians_per_mm
from hypothesis import given, settings
from hypothesis import strategies as st

_PER_MM = (radians_per_mm(100.0), radians_per_mm(80.0))
_RANGING = Ranging(_PER_MM, (0.8, 0.84), 554.0, 1.5, 1.5, 0.0, 12.0, 150.0, 200.0, 7000.0, 10.0)
_SHAPE = (4, 4)
_NO_ERROR = RangeError(0.0, 0.0, 20_000.0, 0.0, 0.0, np.zeros(_SHAPE, np.float32))


def _phasors(distance_mm, electrons=20_000.0, per_mm=_PER_MM, contrast=(0.8, 0.84)):
    """As a target at that z before the middle of the camera gives them, emitter at (0, 12) mm."""
    y, x = np.mgrid[0:4, 0:4]
    across, down = (x - 1.5) / 554.0 * distance_mm, (y - 1.5) / 554.0 * distance_mm
    back = np.sqrt(across**2 + down**2 + distance_mm**2)
    there = np.sqrt(across**2 + (down - 12.0) ** 2 + distance_mm**2)
    out = np.zeros((*_SHAPE, 4), np.float32)
    for k in range(2):
        phase = (there + back) / 2 * per_mm[k]
        out[..., 2 * k] = electrons * contrast[k] * np.cos(phase)
        out[..., 2 * k + 1] = electrons * contrast[k] * np.sin(phase)
    return out


def _measured(phasors, error=_NO_ERROR, full=None, ranging=_RANGING):
    amplitude, depth = np.zeros(_SHAPE, np.float32), np.zeros(_SHAPE, np.uint16)
    measure(phasors, np.zeros(_SHAPE, np.uint8) if full is None else full, ranging, error, amplitude, depth)
    return amplitude, depth / 10.0


@settings(deadline=None)
@given(st.floats(201.0, 6_500.0))
def test_two_frequencies_tell_any_distance_within_their_common_wrap(distance_mm):
    amplitude, depth = _measured(_phasors(distance_mm))
    assert depth == pytest.approx(np.full(_SHAPE, distance_mm), abs=0.15)
    assert amplitude == pytest.approx(np.full(_SHAPE, 20_000.0), rel=1e-4)


@pytest.mark.parametrize("distance_mm", [1_700.0, 2_600.0])
def test_one_frequency_alone_wraps_after_half_its_wavelength(distance_mm):
    one = (_PER_MM[0], _PER_MM[0])
    ranging = Ranging(one, (0.8, 0.8), *[getattr(_RANGING, n) for n in (
        "f_px", "cx_px", "cy_px", "emitter_x_mm", "emitter_y_mm", "least_electrons", "depth_min_mm", "depth_max_mm",
        "units_per_mm")])  # fmt: skip
    _, depth = _measured(_phasors(distance_mm, per_mm=one, contrast=(0.8, 0.8)), ranging=ranging)
    assert depth[1, 1] == pytest.approx(distance_mm - LIGHT_MM_PER_S / 2 / 100e6, abs=0.5)


def test_light_from_two_distances_gives_a_third(scenes):
    _, depth = _measured(_phasors(400.0, 10_000.0) + _phasors(600.0, 10_000.0))
    assert 450 < depth[1, 1] < 550


def test_too_little_light_and_a_full_well_have_no_depth():
    _, dim = _measured(_phasors(400.0, 100.0))
    assert not dim.any()
    full = np.zeros(_SHAPE, np.uint8)
    full[1, 2] = 1
    amplitude, depth = _measured(_phasors(400.0), full=full)
    assert depth[1, 2] == 0 and depth[1, 1] > 0
    assert amplitude[1, 2] > 1e6


@pytest.mark.parametrize("distance_mm", [150.0, 7_100.0])
def test_outside_its_range_there_is_no_depth(distance_mm):
    _, depth = _measured(_phasors(distance_mm))
    assert not depth.any()


def test_each_error_moves_the_range_as_it_says():
    def moved(**change):
        given = {"offset_mm": 0.0, "walk_mm": 0.0, "walk_electrons": 20_000.0, "cyclic_mm": 0.0, "cyclic_rad": 0.0}
        error = RangeError(**{**given, **change}, fixed_mm=change.pop("fixed", np.zeros(_SHAPE, np.float32)))
        return _measured(_phasors(400.0, 5_000.0), error)[1][1, 1] - 400.0

    assert moved(offset_mm=3.0) == pytest.approx(3.0, abs=0.15)
    assert moved(walk_mm=1.5) == pytest.approx(3.0, abs=0.15)  # two halvings below 20,000
    phase = 4 * 400.0 * _PER_MM[0]
    assert moved(cyclic_mm=2.0, cyclic_rad=np.pi / 2 - phase) == pytest.approx(2.0, abs=0.2)
