from __future__ import annotations

import numpy as np
from faceward_sim.optics.structured_light import SL_940, design_pattern


def test_the_pattern_has_as_many_dots_as_a_lock_module_and_each_lies_in_its_cell():
    pattern = design_pattern(SL_940)
    assert 5000 <= len(pattern.x_px) == pattern.rows * pattern.columns <= 6000
    column = np.floor((pattern.x_px - pattern.left_px) / pattern.pitch_px)
    row = np.floor((pattern.y_px - pattern.top_px) / pattern.pitch_px)
    assert np.array_equal(row * pattern.columns + column, np.arange(len(pattern.x_px)))


def test_no_two_dots_are_too_near_to_be_told_apart():
    pattern = design_pattern(SL_940)
    apart = np.hypot(pattern.x_px[:, None] - pattern.x_px, pattern.y_px[:, None] - pattern.y_px)
    np.fill_diagonal(apart, np.inf)
    assert apart.min() > 0.5 * pattern.pitch_px


def test_the_pattern_is_the_same_for_every_unit():
    assert np.array_equal(design_pattern(SL_940).x_px, design_pattern.__wrapped__(SL_940).x_px)
