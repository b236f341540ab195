"""Clear sheets: what is behind them loses light twice, and lamps are mirrored where geometry says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from faceward_sim.firmware.imager import Illumination
from faceward_sim.optics.dots import DotProjector
from faceward_sim.optics.flood import Daylight, Emitter, flood_signal
from faceward_sim.optics.geometry import Geometry
from faceward_sim.optics.panes import Panes, at_850, at_940, visible
from faceward_sim.optics.pattern import draw_pattern
from faceward_sim.optics.rasterise import Rasteriser
from faceward_sim.optics.sensors import SENSORS
from faceward_sim.world.surface import ClearBand, ClearSheet, Glazing, SceneState, Sun

_RADIUS_MM = 106.0  # a base curve of 5 dioptres
_EMITTER = Emitter(0.0, 12.0, 0.0)
_CLEAR = ClearBand(0.9, 0.0, 0.0)
_MIRROR = ClearBand(0.95, 0.04, 0.0)
_MIDDLE = (slice(215, 265), slice(295, 345))


def _glazing(band, roughness=0.0):
    return Glazing("glass", band, band, band, roughness)


def _cap(z_mm, band=_CLEAR, radius_mm=_RADIUS_MM, half_mm=25.0, roughness=0.0, n=31):
    """A piece of a sphere about the axis, or of a plane (`radius_mm` inf), its nearest point at `z_mm`."""
    x, y = (part.ravel() for part in np.meshgrid(*(np.linspace(-half_mm, half_mm, n),) * 2))
    flat = np.isinf(radius_mm)
    sag = 0 * x if flat else radius_mm - np.sqrt(radius_mm**2 - x**2 - y**2)
    points = np.stack([x, y, z_mm + sag], 1)
    normals = np.tile([0.0, 0.0, -1.0], (n * n, 1)) if flat else (points - [0, 0, z_mm + radius_mm]) / radius_mm
    i = np.arange(n * n).reshape(n, n)
    a, b, c, d = i[:-1, :-1].ravel(), i[:-1, 1:].ravel(), i[1:, :-1].ravel(), i[1:, 1:].ravel()
    triangles = np.concatenate([np.c_[a, c, b], np.c_[b, c, d]]).astype(np.int32)
    points, normals = points.astype(np.float32), normals.astype(np.float32)
    return ClearSheet(points, normals, points, normals, triangles, _glazing(band, roughness))


def _glazed(surface, *sheets):
    return replace(surface, panes=sheets)


def _panes(scenes, *surfaces, band=at_940):
    geometry, view, panes = Geometry(), Rasteriser(scenes.camera), Panes(scenes.camera)
    geometry.load(SceneState(surfaces))
    view.draw(geometry)
    panes.draw(geometry, view, band)
    return geometry, view, panes


def _dark():
    return np.zeros((480, 640), np.float32)


def _mirror(scenes, sheet, *, emitter=_EMITTER, counts=1.0, ambient=0.0, day=None):
    _, _, panes = _panes(scenes, _glazed(scenes.plane(420), sheet))
    out = _dark()
    panes.mirror([(emitter, counts)], ambient, day, out)
    return out


def _mirror_point(emitter, z_mm):
    """Where light takes the shortest way from the emitter over the sphere to the lens (Fermat), as the camera sees it."""
    at, step = np.zeros(2), 20.0
    while step > 1e-3:
        x, y = (part.ravel() for part in np.meshgrid(*(np.linspace(-step, step, 21),) * 2))
        x, y = x + at[0], y + at[1]
        points = np.stack([x, y, z_mm + _RADIUS_MM - np.sqrt(_RADIUS_MM**2 - x**2 - y**2)], 1)
        way = np.linalg.norm(points, axis=1) + np.linalg.norm(points - [emitter.x_mm, emitter.y_mm, 0], axis=1)
        best = points[np.argmin(way)]
        at, step = best[:2], step / 5
    return best[:2] / best[2] * 554 + (319.5, 239.5)


def _centroid(light):
    y, x = np.mgrid[: light.shape[0], : light.shape[1]]
    return np.array([(light * x).sum(), (light * y).sum()]) / light.sum()


def test_light_from_behind_a_sheet_is_left_with_the_square_of_one_pass(scenes):
    geometry, view, panes = _panes(scenes, _glazed(scenes.plane(400), _cap(380)))
    bare = flood_signal(geometry, view, _EMITTER, 1000.0, 5.0, _dark())
    seen = bare.copy()
    panes.shade([(_EMITTER, 1000.0)], 5.0, None, seen)
    assert np.allclose(seen[_MIDDLE] / bare[_MIDDLE], 0.81, rtol=1e-3)
    assert np.array_equal(seen[:, :270], bare[:, :270])


def test_towards_its_edge_a_leaning_sheet_lets_less_through(scenes):
    _, _, panes = _panes(scenes, _glazed(scenes.plane(600), _cap(380, radius_mm=30.0, half_mm=20.0)))
    row = panes.passed[239, 320:348]
    assert row[0] == pytest.approx(0.81, rel=1e-3)
    assert (np.diff(row) <= 0).all() and row[-1] < 0.808


def test_each_band_has_its_own_glass(scenes):
    sheet = _cap(380)
    bands = {at_940: 0.9, at_850: 0.8, visible: 0.5}
    tinted = Glazing("tinted", *(ClearBand(share, 0.0, 0.0) for share in bands.values()), 0.0)
    for band, share in bands.items():
        _, _, panes = _panes(scenes, _glazed(scenes.plane(400), replace(sheet, glazing=tinted)), band=band)
        assert panes.passed[240, 320] == pytest.approx(share**2, rel=1e-3)


@pytest.mark.parametrize("emitter", [_EMITTER, Emitter(-30.0, 12.0, 0.0), Emitter(60.0, -40.0, 0.0)])
def test_a_lamp_is_mirrored_where_its_light_takes_the_shortest_way(scenes, emitter):
    light = _mirror(scenes, _cap(385, _MIRROR), emitter=emitter)
    expected = _mirror_point(emitter, 385)
    assert np.hypot(*(_centroid(light) - expected)) < 0.3
    y, x = np.mgrid[:480, :640]
    near = np.hypot(x - expected[0], y - expected[1]) < 4
    assert light[near].sum() > 0.99 * light.sum()


def test_a_mirrored_lamp_is_as_bright_as_a_convex_mirror_makes_it(scenes):
    counts, away = 1.0, 385.0
    total = _mirror(scenes, _cap(away, _MIRROR), emitter=Emitter(0.0, 0.0, 0.0), counts=counts).sum()
    # The lamp's picture lies behind the face, smaller by m: its light is m^2 of the lamp's, from away + m away.
    m = _RADIUS_MM / 2 / (away + _RADIUS_MM / 2)
    white = counts / (away / 1000) ** 2  # what a pixel counts of a white target there
    assert total == pytest.approx(0.04 * white * np.pi * 554**2 * (m / (1 + m)) ** 2, rel=0.1)


def test_the_back_mirrors_what_the_front_and_the_tint_let_through_twice(scenes):
    away = Emitter(0.0, 0.0, 0.0)
    front = _mirror(scenes, _cap(385, ClearBand(0.5, 0.04, 0.0)), emitter=away).sum()
    back = _mirror(scenes, _cap(385, ClearBand(0.5, 0.0, 0.04)), emitter=away).sum()
    assert back / front == pytest.approx((0.5 / 0.96) ** 2, rel=0.01)


def test_nothing_behind_a_sheet_gains_light_but_where_a_lamp_is_mirrored(scenes):
    geometry, view, panes = _panes(scenes, _glazed(scenes.plane(400), _cap(380, ClearBand(0.9, 0.05, 0.05))))
    bare = flood_signal(geometry, view, _EMITTER, 1000.0, 0.0, _dark())
    seen = bare.copy()
    panes.shade([(_EMITTER, 1000.0)], 0.0, None, seen)
    y, x = np.mgrid[:480, :640]
    u, v = _mirror_point(_EMITTER, 380)
    apart = np.hypot(x - u, y - v) > 8
    assert (seen[apart] <= bare[apart]).all()
    assert seen[round(v), round(u)] > 10 * bare[round(v), round(u)]


def test_the_room_is_mirrored_as_an_even_veil(scenes):
    light = _mirror(scenes, _cap(385, ClearBand(0.9, 0.05, 0.0)), counts=0.0, ambient=20.0)
    assert np.allclose(light[_MIDDLE], 20.0 * 0.05, rtol=1e-4)


def test_the_sun_is_mirrored_as_a_point_and_a_window_as_a_patch(scenes):
    towards = np.array([0.15, 0.0, -1.0]) / np.hypot(0.15, 1)
    point, patch = (
        _mirror(scenes, _cap(385, _MIRROR), counts=0.0, day=Daylight(Sun(tuple(towards), 1.0, wrap, False), 10.0))
        for wrap in (0.0, 1.0)
    )
    # The front leans there by half the angle between the sun and the lens.
    x = (_centroid(point)[0] - 319.5) / 554 * 385
    assert x / _RADIUS_MM == pytest.approx((0.15 - x / 385) / 2, abs=0.005)
    bright = [int((light > 0.1 * light.max()).sum()) for light in (point, patch)]
    assert bright[0] < 40 and bright[1] > 1000
    assert _centroid(patch)[0] > 322


def test_a_sheet_behind_something_leaves_every_byte(scenes):
    plane = scenes.plane(400)
    for sensor in ("sl-940", "tof-940"):
        bare, glazed = (
            SENSORS[sensor].build(scenes.actor(surface, ambient=0.05), 10_300)
            for surface in (plane, _glazed(plane, _cap(410, ClearBand(0.9, 0.05, 0.05))))
        )
        for slot, (light, _) in enumerate(bare.identity.emitters):
            one, other = (unit.expose(scenes.slot(light, slot=slot)) for unit in (bare, glazed))
            assert one.infrared.tobytes() == other.infrared.tobytes()
            if one.depth is not None:
                assert one.depth.tobytes() == other.depth.tobytes()


def test_structured_light_sees_through_a_sheet_and_is_blind_where_a_lamp_is_mirrored(scenes, unit_seed):
    plane = scenes.plane(400, 0.3)
    bare, glazed = (
        SENSORS["sl-940"].build(scenes.actor(surface), unit_seed)
        for surface in (plane, _glazed(plane, _cap(385, ClearBand(0.9, 0.05, 0.0))))
    )
    flat, seen = (unit.expose(scenes.slot(Illumination.FLOOD)).infrared.astype(float) for unit in (bare, glazed))
    black = bare.calibration.black_level_counts
    ratio = (np.median(seen[225:255, 330:345]) - black) / (np.median(flat[225:255, 330:345]) - black)
    assert ratio == pytest.approx(0.81, rel=0.03)
    full = np.argwhere(seen >= bare.calibration.saturation_counts)
    assert 5 < len(full) < 200
    camera, emitter = bare.unit.camera, bare.unit.flood
    u, v = (_mirror_point(emitter, 385) - (319.5, 239.5)) / 554 * camera.f_px + (camera.cx_px, camera.cy_px)
    assert np.hypot(*(full.mean(axis=0) - (v, u))) < 1.5
    depth = glazed.expose(scenes.slot(Illumination.DOTS, slot=1)).depth[_MIDDLE] / 10
    assert np.median(depth[depth > 0]) == pytest.approx(400, abs=4)


def test_time_of_flight_mixes_the_sheets_own_return_in(scenes, unit_seed):
    plane = scenes.plane(400, 0.3)
    veiled = _cap(300, ClearBand(0.9, 0.3, 0.0), np.inf, roughness=0.5)
    clear = _cap(300, ClearBand(0.9, 0.0, 0.0), np.inf)
    depths = {}
    for name, surface in (("bare", plane), ("clear", _glazed(plane, clear)), ("veiled", _glazed(plane, veiled))):
        image = SENSORS["tof-940"].build(scenes.actor(surface), unit_seed).expose(scenes.slot(Illumination.FLOOD, 800))
        depths[name] = float(np.median(image.depth[_MIDDLE])) / 10
    assert depths["clear"] == pytest.approx(depths["bare"], abs=1)
    assert 310 < depths["veiled"] < depths["bare"] - 5


def _dots(scenes, *surfaces):
    pattern = draw_pattern(554.0, 8.3, -400, 400, -260, 260, 3)
    count = len(pattern.x_px)
    projector = DotProjector(pattern, pattern.x_px, pattern.y_px, np.ones(count), 40.0, 0.8)
    geometry, view, panes = _panes(scenes, *surfaces)
    out = _dark()
    projector.add(geometry, view, 1000.0, 0.0, np.tile(np.float32([0, 0, 1]), (count, 1)), out, panes)
    return out


def test_dots_behind_a_sheet_are_left_with_the_square_of_one_pass(scenes):
    plane = scenes.plane(400)
    bare, seen = _dots(scenes, plane), _dots(scenes, _glazed(plane, _cap(380)))
    assert seen[_MIDDLE].sum() / bare[_MIDDLE].sum() == pytest.approx(0.81, rel=1e-3)
    assert np.array_equal(seen[:, :260], bare[:, :260])


def test_a_sheet_mirrors_dots_where_it_leans_half_way_to_the_projector(scenes):
    plane = scenes.plane(400, 1e-6)
    light = _dots(scenes, _glazed(plane, _cap(380, ClearBand(0.9, 0.05, 0.0), np.inf, half_mm=60.0, roughness=0.02)))
    column, row = _centroid(light)
    assert column == pytest.approx(319.5 + 20 / 380 * 554, abs=6)
    assert row == pytest.approx(239.5, abs=6)


@pytest.mark.parametrize("part", ["front_normals", "back_mm", "back_normals", "triangles"])
def test_a_sheet_whose_arrays_do_not_fit_is_refused(scenes, part):
    sheet = _cap(380)
    broken = sheet.triangles + 10_000 if part == "triangles" else getattr(sheet, part)[1:]
    with pytest.raises(ValueError, match="clear sheet 0"):
        Geometry().load(SceneState((_glazed(scenes.plane(400), replace(sheet, **{part: broken})),)))
