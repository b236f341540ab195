"""`tof-940`, from what its slots hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from faceward_sim.firmware.imager import Illumination, SensorKind
from faceward_sim.optics.sensors import SENSORS
from faceward_sim.optics.time_of_flight import TOF_940, TimeOfFlightImager
from faceward_sim.world.surface import SceneState, Sun

MIDDLE = np.s_[200:280, 280:360]


def _build(actor, seed):
    return SENSORS["tof-940"].build(actor, seed)


def _depth(unit, scenes, exposure_us=2000, slot=0):
    return unit.expose(scenes.slot(Illumination.FLOOD, exposure_us, slot)).depth * unit.calibration.depth_unit_um / 1000


def test_the_sensor_says_what_it_is(scenes):
    unit = _build(scenes.actor(), 1)
    assert unit.identity.kind is SensorKind.TIME_OF_FLIGHT
    assert unit.identity.emitters == ((Illumination.FLOOD, 940),)
    assert unit.calibration.dot_counts_per_us_at_1m == unit.calibration.baseline_mm == 0


@pytest.mark.parametrize("z_mm", [250.0, 400.0, 800.0])
def test_a_flat_target_is_measured_within_some_millimetres(scenes, unit_seed, z_mm):
    exposure_us = round(2000 * min((z_mm / 400) ** 2, 4))
    depth = _depth(
        _build(scenes.actor(scenes.plane(z_mm, width_mm=2000, height_mm=1500)), unit_seed), scenes, exposure_us
    )
    assert (depth[MIDDLE] > 0).mean() > 0.99
    assert np.median(depth[MIDDLE]) == pytest.approx(z_mm, abs=8)


def test_a_lit_slot_has_depth_and_a_dark_one_none(scenes, unit_seed):
    unit = _build(scenes.actor(scenes.plane(400), ambient=0.02), unit_seed)
    lit, dark = (unit.expose(scenes.slot(light)) for light in (Illumination.FLOOD, Illumination.OFF))
    assert lit.depth is not None and dark.depth is None
    black = unit.calibration.black_level_counts
    assert np.median(lit.infrared[MIDDLE]) > black + 10_000
    assert np.median(dark.infrared) < black + 100


def test_amplitude_gives_a_targets_reflectance_back(scenes, unit_seed):
    unit = _build(scenes.actor(scenes.plane(400, 0.3, width_mm=1200, height_mm=900)), unit_seed)
    c = unit.calibration
    counts = np.median(unit.expose(scenes.slot(Illumination.FLOOD)).infrared[MIDDLE]) - c.black_level_counts
    assert counts / (c.flood_counts_per_us_at_1m * 2000 / 0.16) == pytest.approx(0.3, rel=0.2)


def test_the_sun_adds_noise_and_no_amplitude(scenes, unit_seed):
    plane = scenes.plane(400, 0.3, width_mm=1200, height_mm=900)
    shade = scenes.actor(plane)
    sunny = replace(shade, scene=SceneState((plane,), 1.0, Sun((0.0, 0.0, -1.0), 30.0, 0.0, shadows=False)))
    found = []
    for actor in (shade, sunny):
        unit = _build(actor, unit_seed)
        images = [unit.expose(scenes.slot(Illumination.FLOOD, slot=s)) for s in (0, 1)]
        a, b = (image.depth[MIDDLE].astype(float) for image in images)
        found.append((np.median(images[0].infrared[MIDDLE]), (a - b).std()))
    (plain, quiet), (bright, noisy) = found
    assert bright == pytest.approx(plain, rel=0.03)
    assert noisy > 1.15 * quiet


def test_light_that_stays_in_the_surface_is_measured_too_far(scenes, unit_seed):
    flat = scenes.plane(400, 0.38, replace(scenes.matt_skin, over_range_mm=5.0, over_range_drop_mm=0.0))
    deep = _depth(_build(scenes.actor(flat), unit_seed), scenes)[MIDDLE]
    plain = _depth(_build(scenes.actor(scenes.plane(400, 0.38)), unit_seed), scenes)[MIDDLE]
    assert np.median(deep - plain) == pytest.approx(5.0, abs=0.3)


def test_at_an_edge_pixels_fly_between_near_and_far(scenes, unit_seed):
    near, far = scenes.plane(400, 0.4, width_mm=120), scenes.plane(700, 0.6, width_mm=2000, height_mm=1500)
    depth = _depth(_build(scenes.actor(near, far), unit_seed), scenes)[200:280]
    flying = (depth > 430) & (depth < 670)
    assert 0.5 < flying.sum() / 80 < 12  # a few for each of the two edges in each row


def test_stray_light_of_something_bright_pulls_a_dark_thing_nearer(scenes, unit_seed):
    dark, bright = scenes.plane(700, 0.05, width_mm=2000, height_mm=1500), scenes.plane(300, 0.6, width_mm=120)
    alone = _depth(_build(scenes.actor(dark), unit_seed), scenes)
    both = _depth(_build(scenes.actor(dark, bright), unit_seed), scenes)
    beside = np.s_[200:280, 120:180]
    assert np.median(both[beside]) < np.median(alone[beside]) - 5


def test_a_warm_unit_measures_otherwise_than_a_cold_one(scenes):
    unit = TimeOfFlightImager(TOF_940, scenes.actor(scenes.plane(400)), 10_003)
    cold, warm = (np.median(_depth(unit, scenes, slot=slot)[MIDDLE]) for slot in (0, 30 * 3600))
    warmth = unit.unit.warmth
    assert warm - cold == pytest.approx(unit.unit.range_mm_per_c * (warmth.warm_c - warmth.start_c), abs=0.8)


def test_the_same_seed_makes_the_same_frames_and_another_slot_other_noise(scenes, unit_seed):
    actor = scenes.actor(scenes.ball(450, 90))
    a, b = (_build(actor, unit_seed).expose(scenes.slot(Illumination.FLOOD)) for _ in range(2))
    other = _build(actor, unit_seed).expose(scenes.slot(Illumination.FLOOD, slot=1))
    assert np.array_equal(a.infrared, b.infrared) and np.array_equal(a.depth, b.depth)
    assert not np.array_equal(a.depth, other.depth)
