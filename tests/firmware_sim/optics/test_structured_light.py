from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from faceward_sim.firmware.imager import Illumination
from faceward_sim.optics.sensors import SENSORS
from faceward_sim.world.surface import SceneState, Stranger, Sun


def _build(actor, seed):
    return SENSORS["sl-940"].build(actor, seed)


def test_the_sensor_says_what_it_is():
    assert SENSORS["sl-940"].name == "sl-940"
    assert "940 nm" in SENSORS["sl-940"].description


def test_skin_at_arms_length_fills_two_fifths_of_the_range_in_two_milliseconds(scenes):
    unit = _build(scenes.actor(scenes.plane(400)), 1)
    c = unit.calibration
    frame = unit.expose(scenes.slot(Illumination.FLOOD)).infrared[220:260, 300:340]
    share = (frame.mean() - c.black_level_counts) / (c.saturation_counts - c.black_level_counts)
    assert 0.33 < share < 0.47


def test_the_factorys_numbers_give_a_targets_reflectance_back(scenes, unit_seed):
    unit = _build(scenes.actor(scenes.plane(400, 0.5, width_mm=1200, height_mm=900)), unit_seed)
    c = unit.calibration
    x, y = round(c.infrared.cx_px), round(c.infrared.cy_px)
    flood = unit.expose(scenes.slot(Illumination.FLOOD)).infrared[y - 20 : y + 20, x - 20 : x + 20]
    albedo = (flood.mean() - c.black_level_counts) / (c.flood_counts_per_us_at_1m * 2000 / 0.16)
    assert albedo == pytest.approx(0.5, rel=0.2)
    dots = unit.expose(scenes.slot(Illumination.DOTS)).infrared[y - 100 : y + 100, x - 100 : x + 100]
    dots_there = 200**2 / (c.dot_pitch_mrad * 1e-3 * c.infrared.fx_px) ** 2
    one = (dots.astype(np.float64) - c.black_level_counts).sum() / dots_there
    assert one / (c.dot_counts_per_us_at_1m * 2000 / 0.16) == pytest.approx(0.5, rel=0.25)


def test_dots_stand_well_above_noise_and_below_saturation_on_skin(scenes, unit_seed):
    unit = _build(scenes.actor(scenes.plane(400, 0.38, scenes.skin)), unit_seed)
    frame = unit.expose(scenes.slot(Illumination.DOTS)).infrared
    peaks = np.sort(frame.ravel())[-3000]
    assert peaks > 6000
    assert np.count_nonzero(frame >= 65520) < 20


def test_the_factory_reports_an_estimate_and_not_the_draw(scenes):
    worst = 0.0
    for seed in range(30):
        unit = _build(scenes.actor(), seed)
        true, said = unit.unit, unit.calibration
        errors = [
            said.flood_counts_per_us_at_1m / true.flood_counts_per_us_at_1m - 1,
            said.dot_counts_per_us_at_1m / true.dot_counts_per_us_at_1m - 1,
            said.infrared.fx_px / true.camera.f_px - 1,
            said.baseline_mm / true.baseline_mm - 1,
        ]
        assert all(errors)
        worst = max(worst, *(abs(e) for e in errors[:2]))
        assert abs(errors[2]) < 0.006
    assert 0.03 < worst < 0.25


def test_units_differ_and_a_seed_makes_the_same_unit_and_the_same_frames(scenes, unit_seed):
    actor = scenes.actor(scenes.ball(450, 90, material=scenes.skin), ambient=0.01)
    a, b, other = (_build(actor, s) for s in (unit_seed, unit_seed, unit_seed + 1))
    assert asdict(a.calibration) == asdict(b.calibration) != asdict(other.calibration)
    for slot, illumination in enumerate((Illumination.DOTS, Illumination.FLOOD, Illumination.OFF)):
        x, y = (u.expose(scenes.slot(illumination, slot=slot)) for u in (a, b))
        assert np.array_equal(x.infrared, y.infrared)
        assert (x.depth is None) is (y.depth is None) is (illumination is not Illumination.DOTS)
        if x.depth is not None:
            assert np.array_equal(x.depth, y.depth)
        assert not np.array_equal(x.infrared, other.expose(scenes.slot(illumination, slot=slot)).infrared)


def test_two_slots_of_one_still_scene_differ_by_their_noise(scenes):
    unit = _build(scenes.actor(scenes.plane(400)), 5)
    a, b = (unit.expose(scenes.slot(Illumination.FLOOD, slot=s)).infrared.astype(np.float64) for s in (0, 1))
    centre = np.s_[200:280, 280:360]
    # 4 ke- a pixel: 1.6 % each
    assert (a - b)[centre].std() / np.sqrt(2) / (a[centre].mean() - 512) == pytest.approx(0.016, rel=0.2)


def test_frames_go_out_in_the_shape_the_firmware_wants(scenes):
    image = _build(scenes.actor(scenes.plane(400)), 2).expose(scenes.slot(Illumination.DOTS))
    for plane in (image.infrared, image.depth):
        assert plane.shape == (480, 640)
        assert plane.dtype == np.uint16
        assert plane.flags.c_contiguous


@pytest.mark.parametrize("illumination", [Illumination.OFF, Illumination.FLOOD_SECOND])
def test_a_slot_without_an_emitter_is_dark_but_for_the_room(scenes, unit_seed, illumination):
    plane = scenes.plane(400, 0.5)
    dark = _build(scenes.actor(plane), unit_seed).expose(scenes.slot(illumination))
    lit = _build(scenes.actor(plane, ambient=0.5), unit_seed).expose(scenes.slot(illumination))
    black = _build(scenes.actor(plane), unit_seed).calibration.black_level_counts
    assert dark.depth is None
    assert np.median(dark.infrared) == pytest.approx(black, abs=20)
    assert np.percentile(dark.infrared, 99.9) < black + 500
    assert np.median(lit.infrared) == pytest.approx(black + 500, abs=40)


def test_the_emitters_power_drifts_with_heat_and_jitters_from_frame_to_frame(scenes):
    unit = _build(scenes.actor(scenes.plane(400)), 11)
    means, warmth = [], []
    for slot in (*range(12), 30 * 1800):
        image = unit.expose(scenes.slot(Illumination.FLOOD, slot=slot))
        means.append(image.infrared[200:280, 280:360].mean())
        warmth.append(image.temperature_c)
    assert 0.0003 < np.std(means[:12]) / np.mean(means[:12]) < 0.012
    assert warmth[-1] > warmth[0] + 1
    assert means[-1] < np.mean(means[:12])


def test_a_step_in_the_lens_is_blurred_as_its_mtf_says(scenes):
    """The edge's derivative is the line spread: its transform at mtf50 is one half."""
    near = scenes.plane(399, 0.6, width_mm=400, x_mm=-200.0 + 7.3)
    unit = _build(scenes.actor(near), 21)
    rows = np.mean(
        [unit.expose(scenes.slot(Illumination.FLOOD, slot=s)).infrared[150:330] for s in range(8)], axis=(0, 1)
    )
    edge = int(np.argmax(-np.diff(rows)))
    spread = -np.diff(rows)[edge - 8 : edge + 9]
    spread[np.abs(spread) < 0.004 * spread.max()] = 0
    mtf50 = unit.calibration.lens_mtf50_cy_per_px
    turn = np.exp(-2j * np.pi * mtf50 * np.arange(len(spread)))
    assert abs((spread * turn).sum() / spread.sum()) == pytest.approx(0.5, abs=0.12)


def test_the_second_band_sees_each_material_by_its_share(scenes, unit_seed):
    found = []
    for share in (0.8, 1.25):
        plane = scenes.plane(400, 0.4, replace(scenes.matt_skin, share_850=share), width_mm=1200, height_mm=900)
        unit = SENSORS["sl-850-940"].build(scenes.actor(plane), unit_seed)
        c = unit.calibration
        albedo = [
            (np.median(unit.expose(scenes.slot(light)).infrared[200:280, 280:360]) - c.black_level_counts) / power
            for light, power in (
                (Illumination.FLOOD, c.flood_counts_per_us_at_1m),
                (Illumination.FLOOD_SECOND, c.flood_second_counts_per_us_at_1m),
            )
        ]
        found.append(albedo[1] / albedo[0])
    assert found[1] / found[0] == pytest.approx(1.25 / 0.8, rel=0.03)
    assert np.sqrt(found[0] * found[1]) == pytest.approx(1.0, rel=0.2)


def test_two_bands_say_so_and_have_depth_in_dots_slots_only(scenes):
    unit = SENSORS["sl-850-940"].build(scenes.actor(scenes.plane(400)), 10_001)
    lights = {Illumination.DOTS: 940, Illumination.FLOOD: 940, Illumination.FLOOD_SECOND: 850}
    assert dict(unit.identity.emitters) == lights
    assert [light for light in lights if unit.expose(scenes.slot(light)).depth is not None] == [Illumination.DOTS]


def test_in_the_sun_a_dark_slot_is_bright_and_dots_drown(scenes, unit_seed):
    plane = scenes.plane(700, 0.5, scenes.skin, width_mm=2000, height_mm=1500)
    shade = scenes.actor(plane)
    sunny = replace(shade, scene=SceneState((plane,), 2.0, Sun((0.0, 0.0, -1.0), 40.0, 0.0, shadows=False)))
    found = []
    for actor in (shade, sunny):
        unit = _build(actor, unit_seed)
        dark = np.median(unit.expose(scenes.slot(Illumination.OFF)).infrared)
        found.append((dark, (unit.expose(scenes.slot(Illumination.DOTS, 2500)).depth > 0).mean()))
    (black, seen), (bright, drowned) = found
    assert bright > black + 20_000
    assert drowned < 0.6 * seen


def test_another_units_dots_cost_depth_and_its_flood_shows_in_a_dark_slot(scenes, unit_seed):
    plane = scenes.plane(400, 0.38, scenes.skin, width_mm=1200, height_mm=900)
    alone = _build(scenes.actor(plane), unit_seed)
    depth = (alone.expose(scenes.slot(Illumination.DOTS)).depth > 0).mean()
    dots = replace(scenes.actor(plane), scene=SceneState((plane,), 0.0, None, Stranger(10_005, -150.0, 0.0, 1.0)))
    flood = replace(scenes.actor(plane), scene=SceneState((plane,), 0.0, None, Stranger(10_005, -150.0, 1.0, 0.0)))
    assert (_build(dots, unit_seed).expose(scenes.slot(Illumination.DOTS)).depth > 0).mean() < 0.9 * depth
    dark = _build(flood, unit_seed).expose(scenes.slot(Illumination.OFF)).infrared
    assert np.median(dark) > 5_000


def test_what_the_factory_misses_of_the_dots_stands_still(scenes, unit_seed):
    """The residual of a flat board keeps most of itself from frame to frame, as real boards do."""
    unit = _build(scenes.actor(scenes.plane(400, 0.38, width_mm=1200, height_mm=900)), unit_seed)
    a, b = (
        unit.expose(scenes.slot(Illumination.DOTS, 3000, slot)).depth[160:320, 220:420].astype(float) for slot in (0, 1)
    )
    seen = (a > 0) & (b > 0)
    x, y = a[seen] - np.median(a[seen]), b[seen] - np.median(b[seen])
    assert 0.5 < np.corrcoef(x, y)[0, 1] < 0.95
