from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.firmware.imager import Illumination
from faceward_sim.optics.sensors import SENSORS
from faceward_sim.world.surface import Material

_DOTS = Illumination.DOTS


def _unit(scenes, seed, *surfaces):
    return SENSORS["sl-940"].build(scenes.actor(*surfaces), seed)


def _depth_mm(unit, exposure):
    image = unit.expose(exposure)
    depth = image.depth.astype(np.float64) * unit.calibration.depth_unit_um / 1000
    return np.where(image.depth > 0, depth, np.nan)


def _off_plane(depth):
    y, x = np.mgrid[0 : depth.shape[0], 0 : depth.shape[1]]
    seen = np.isfinite(depth)
    terms = np.stack([np.ones(depth.shape), x, y], -1)
    return depth - terms @ np.linalg.lstsq(terms[seen], depth[seen], rcond=None)[0]


@pytest.mark.parametrize(("z_mm", "exposure_us", "rms_mm"), [(250, 800, 0.23), (400, 2000, 0.58), (800, 8000, 2.3)])
@pytest.mark.parametrize("kind", ["skin", "silicone", "paper"])
def test_a_plane_is_found_at_its_depth_with_the_noise_of_triangulation(
    scenes, unit_seed, z_mm, exposure_us, rms_mm, kind
):
    unit = _unit(scenes, unit_seed, scenes.plane(z_mm, 0.38, getattr(scenes, kind), width_mm=1200, height_mm=900))
    depth = _depth_mm(unit, scenes.slot(_DOTS, exposure_us))[40:-40, 60:-60]
    assert np.isfinite(depth).mean() > 0.95
    # The factory's f and baseline leave .1 % each; its principal point and the heat of the day .13 px of disparity.
    assert abs(np.nanmedian(depth) - z_mm) < 0.004 * z_mm + z_mm**2 * 0.5 / (554 * 40)
    rest = _off_plane(depth)
    # z^2 s / (f B) with s = .08 px (sensor-physics sheet)
    assert 0.5 * rms_mm < np.nanstd(rest) < 1.6 * rms_mm
    assert np.nanmax(np.abs(rest)) < 12 * rms_mm


def test_noise_of_depth_is_alike_among_neighbours_and_comes_from_dots(scenes, unit_seed):
    unit = _unit(scenes, unit_seed, scenes.plane(400, width_mm=1200, height_mm=900))
    depth = _depth_mm(unit, scenes.slot(_DOTS))[100:380, 100:540]
    rest = _off_plane(depth)
    near = np.nanmean(rest[:, :-1] * rest[:, 1:]) / np.nanmean(rest**2)
    far = np.nanmean(rest[:, :-24] * rest[:, 24:]) / np.nanmean(rest**2)
    assert near > 0.9
    assert abs(far) < 0.3


def test_disparities_come_in_eighths_of_a_pixel(scenes, unit_seed):
    unit = _unit(scenes, unit_seed, scenes.plane(400))
    unit.expose(scenes.slot(_DOTS))
    disparity = unit.depth_processor.matched()[:, 0]
    found = disparity[disparity > 0]
    assert len(found) > 3000
    assert np.array_equal(found * 8, np.round(found * 8))


def test_a_ball_has_the_depth_of_a_ball(scenes, unit_seed):
    unit = _unit(scenes, unit_seed, scenes.ball(500, 100))
    depth = _depth_mm(unit, scenes.slot(_DOTS))
    camera = unit.unit.camera
    y, x = np.mgrid[0:480, 0:640]
    tan_x, tan_y = (x - camera.cx_px) / camera.f_px, (y - camera.cy_px) / camera.f_px
    square = tan_x**2 + tan_y**2 + 1
    inside = 500**2 - square * (500**2 - 100**2)
    truth = np.where(inside > 0, (500 - np.sqrt(np.maximum(inside, 0))) / square, np.nan)
    facing = inside > 100**2 * 0.3 * square
    error = (depth - truth)[facing & np.isfinite(depth)]
    assert np.isfinite(depth[facing]).mean() > 0.95
    assert np.abs(np.median(error)) < 3
    assert (error - np.median(error)).std() < 1.6
    assert not np.isfinite(depth[np.isnan(truth)]).any() or np.isfinite(depth[np.isnan(truth)]).mean() < 0.01


def test_no_depth_bridges_a_step_and_the_shadow_beside_it_is_a_hole(scenes, unit_seed):
    bar = scenes.plane(300, width_mm=60, height_mm=500)
    unit = _unit(scenes, unit_seed, bar, scenes.plane(400, width_mm=900))
    depth = _depth_mm(unit, scenes.slot(_DOTS, 1500))[120:360]
    on_bar, on_wall = np.abs(depth - 300) < 8, np.abs(depth - 400) < 10
    assert (np.isfinite(depth) & ~on_bar & ~on_wall).mean() < 0.002
    middle, f_px = unit.unit.camera.cx_px, unit.unit.camera.f_px
    hidden = middle - 30 / 300 * f_px  # the bar's left edge in the image
    shade = middle + (40 - 70 * 400 / 300) / 400 * f_px  # where its shadow on the wall ends
    hole = depth[:, round(shade) + 2 : round(hidden) - 2]
    assert hole.shape[1] > 10
    assert np.isfinite(hole).mean() < 0.05
    right = round(middle + 30 / 300 * f_px)
    assert np.isfinite(depth[:, right + 14 : right + 40]).mean() > 0.9


def test_there_is_no_depth_without_dots(scenes, unit_seed):
    unit = _unit(scenes, unit_seed, scenes.plane(400))
    for illumination in (Illumination.FLOOD, Illumination.OFF):
        image = unit.expose(scenes.slot(illumination))
        assert image.depth is None
        assert not unit.depth_processor.depth(image.infrared, 1.0).any()


def test_noise_alone_has_no_depth(scenes, unit_seed):
    unit = _unit(scenes, unit_seed, scenes.plane(400))
    rng = np.random.default_rng(unit_seed)
    for spread in (200, 5000):
        noise = np.clip(rng.normal(20_000, spread, (480, 640)), 0, 65535).astype(np.uint16)
        assert np.count_nonzero(unit.depth_processor.depth(noise, 1.0)) < 0.01 * noise.size


def test_dots_of_another_pattern_have_next_to_no_depth(scenes, unit_seed):
    """The same picture upside down has as many dots, in an order that is not ours."""
    unit = _unit(scenes, unit_seed, scenes.plane(400))
    image = unit.expose(scenes.slot(_DOTS))
    turned = np.ascontiguousarray(image.infrared[::-1, ::-1])
    assert np.count_nonzero(unit.depth_processor.depth(turned, 1.0)) < 0.02 * turned.size


def test_a_black_glossy_panel_drops_out(scenes, unit_seed):
    glass = Material("glass", 0.05, 0.15, 4.0, 0.02)
    panel = scenes.plane(400, 0.01, glass, width_mm=150, height_mm=100)
    depth = _depth_mm(_unit(scenes, unit_seed, panel), scenes.slot(_DOTS))
    paper = scenes.plane(400, 0.7, scenes.paper, width_mm=150, height_mm=100)
    print_depth = _depth_mm(_unit(scenes, unit_seed, paper), scenes.slot(_DOTS, 1000))
    assert np.isfinite(print_depth).sum() > 15_000
    assert np.isfinite(depth).sum() < 0.1 * np.isfinite(print_depth).sum()


def test_dots_that_saturate_have_no_depth(scenes, unit_seed):
    unit = _unit(scenes, unit_seed, scenes.plane(300, 0.38))
    depth = _depth_mm(unit, scenes.slot(_DOTS, 60_000))
    assert np.isfinite(depth).mean() < 0.1


def test_depth_stays_within_the_range_of_the_data_sheet(scenes, unit_seed):
    for z_mm in (150, 1400):
        depth = _depth_mm(_unit(scenes, unit_seed, scenes.plane(z_mm, width_mm=3000)), scenes.slot(_DOTS, z_mm * 8))
        assert np.isfinite(depth).mean() < 0.02
