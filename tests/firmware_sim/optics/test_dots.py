from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.optics.dots import DotProjector
from faceward_sim.optics.geometry import Geometry
from faceward_sim.optics.pattern import draw_pattern
from faceward_sim.optics.rasterise import Rasteriser
from faceward_sim.world.surface import Material, SceneState

_POWER = 1000.0


def _project(scenes, *surfaces, pitch_px=90.0, blur_px=0.8, baseline_mm=40.0, moved_px=0.0):
    """Wide-apart dots, so that one can be looked at by itself."""
    pattern = draw_pattern(554.0, pitch_px, -400, 400, -260, 260, 3)
    count = len(pattern.x_px)
    projector = DotProjector(pattern, pattern.x_px, pattern.y_px, np.ones(count), baseline_mm, blur_px)
    geometry, view = Geometry(), Rasteriser(scenes.camera)
    geometry.load(SceneState(surfaces))
    view.draw(geometry)
    speckle = np.tile(np.float32([0, 0, 1]), (count, 1))
    out = np.zeros((480, 640), np.float32)
    projector.add(geometry, view, _POWER, moved_px, speckle, out)
    return out, projector.spots[projector.spot_surface >= 0], pattern


def _alone(spots, margin_px=29):
    """The spots whose whole light is in the image and apart from every other."""
    apart = np.hypot(spots[:, None, 0] - spots[:, 0], spots[:, None, 1] - spots[:, 1])
    np.fill_diagonal(apart, np.inf)
    inside = (spots[:, 0] > margin_px) & (spots[:, 0] < 639 - margin_px)
    inside &= (spots[:, 1] > margin_px) & (spots[:, 1] < 479 - margin_px)
    return spots[inside & (apart.min(1) > 2 * margin_px)]


def _patch(out, spot, reach=29):
    u, v = round(float(spot[0])), round(float(spot[1]))
    y, x = np.mgrid[v - reach : v + reach + 1, u - reach : u + reach + 1]
    return out[v - reach : v + reach + 1, u - reach : u + reach + 1], np.hypot(x - spot[0], y - spot[1])


@pytest.mark.parametrize("z_mm", [250.0, 400.0, 800.0])
def test_a_dots_sum_on_a_square_target_falls_with_the_square_of_distance_anywhere_in_the_image(scenes, z_mm):
    out, spots, _ = _project(scenes, scenes.plane(z_mm, 0.38, width_mm=2 * z_mm, height_mm=2 * z_mm))
    lone = _alone(spots)
    assert len(lone) >= 5
    for spot in lone:
        assert _patch(out, spot)[0].sum() == pytest.approx(_POWER * 0.38 / (z_mm / 1000) ** 2, rel=0.02)


@pytest.mark.parametrize("degrees", [30, 60])
def test_a_dots_sum_on_a_leaning_target_follows_the_cosine_to_the_camera(scenes, degrees):
    lean = np.tan(np.radians(degrees))
    out, spots, _ = _project(scenes, scenes.plane(400, 0.38, lean=lean, width_mm=300))
    lone = _alone(spots)
    assert len(lone) >= 3
    for spot in lone:
        z = 1 / spot[4]
        ray = np.array([(spot[0] - 319.5) / 554, (spot[1] - 239.5) / 554, 1])
        far = np.linalg.norm(ray)
        cosine = abs(ray @ [lean, 0, -1]) / np.hypot(1, lean) / far
        expected = _POWER * 0.38 * cosine * far / (z / 1000) ** 2  # 1 / cos(field) is left of flat-fielding
        assert _patch(out, spot)[0].sum() == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(
    "material", [Material("skin", 1.0, 3.35, 0.0, 0.3), Material("silicone", 2.25, 7.0, 0.0, 0.3)], ids=lambda m: m.name
)
def test_the_radii_of_a_dot_in_the_frame_are_the_materials(scenes, material):
    out, spots, _ = _project(scenes, scenes.plane(300, 0.5, material), blur_px=0.45)
    r50, r90 = [], []
    for spot in _alone(spots):
        light, radius = _patch(out, spot)
        order = np.argsort(radius.ravel())
        inside = np.cumsum(light.ravel()[order])
        for share, into in ((0.5, r50), (0.9, r90)):
            into.append(radius.ravel()[order][np.searchsorted(inside, share * inside[-1])] * 300 / 554)
    assert np.mean(r50) == pytest.approx(material.dot_r50_mm, rel=0.1)
    assert np.mean(r90) == pytest.approx(material.dot_r90_mm, rel=0.1)


def test_silicone_spreads_a_dot_wider_than_skin_and_paper_hardly_at_all(scenes):
    peak = {}
    for material in (scenes.paper, scenes.matt_skin, Material("silicone", 2.25, 7.0, 0.0, 0.3)):
        out, spots, _ = _project(scenes, scenes.plane(400, 0.5, material))
        light = _patch(out, _alone(spots)[0])[0]
        peak[material.name] = light.max() / light.sum()
    assert peak["paper"] > 2 * peak["matt skin"] > 2 * 1.4 * peak["silicone"]


def test_a_dot_on_a_leaning_surface_is_squeezed_along_the_lean(scenes):
    out, spots, _ = _project(scenes, scenes.plane(300, 0.5, lean=np.tan(np.radians(60)), width_mm=300))
    light, _ = _patch(out, _alone(spots)[0], reach=12)
    y, x = np.mgrid[-12:13, -12:13]
    width = np.sqrt((light * x**2).sum() / light.sum())
    height = np.sqrt((light * y**2).sum() / light.sum())
    assert 0.4 < width / height < 0.85


def test_dots_land_where_two_pinholes_say(scenes):
    _, spots, pattern = _project(scenes, scenes.plane(400), pitch_px=8.3)
    expected = pattern.x_px + 319.5 + 554 * 40 / 400
    order = [int(np.argmin(np.hypot(expected - s[0], pattern.y_px + 239.5 - s[1]))) for s in spots]
    assert np.abs(expected[order] - spots[:, 0]).max() < 0.01
    assert np.abs(pattern.y_px[order] + 239.5 - spots[:, 1]).max() < 0.01
    assert len(set(order)) == len(order)


def test_heat_that_turns_the_projector_moves_its_dots(scenes):
    _, before, _ = _project(scenes, scenes.plane(400))
    _, after, _ = _project(scenes, scenes.plane(400), moved_px=0.5)
    both = min(len(before), len(after))
    assert np.median(after[:both, 0] - before[:both, 0]) == pytest.approx(0.5, abs=0.01)


def test_a_step_throws_a_shadow_away_from_the_projector_and_none_towards_it(scenes):
    bar = scenes.plane(300, width_mm=20, height_mm=500)
    _, spots, _ = _project(scenes, bar, scenes.plane(400), pitch_px=8.3)
    wall = spots[np.abs(1 / spots[:, 4] - 400) < 1]
    wall = wall[np.abs(wall[:, 1] - 240) < 150]
    # The bar's left edge shades the wall from x = -26.7 to where it hides the wall itself, x = -13.3.
    shade, seen = 319.5 - 26.7 * 554 / 400, 319.5 - 13.3 * 554 / 400
    assert not ((wall[:, 0] > shade + 1.5) & (wall[:, 0] < seen - 1.5)).any()
    assert ((wall[:, 0] > shade - 20) & (wall[:, 0] < shade)).sum() > 20
    right = 319.5 + 13.3 * 554 / 400
    assert ((wall[:, 0] > right) & (wall[:, 0] < right + 17)).sum() > 20


def test_black_glass_returns_next_to_nothing_except_where_it_mirrors(scenes):
    glass = Material("glass", 0.05, 0.15, 4.0, 0.02)
    out, spots, _ = _project(scenes, scenes.plane(400, 0.01, glass), pitch_px=8.3)
    skin, _, _ = _project(scenes, scenes.plane(400, 0.38), pitch_px=8.3)
    assert np.median(spots[:, 2]) < 0.03 * _POWER * 0.38 / 0.16
    mirrored = spots[spots[:, 3] > spots[:, 2]]
    # The mirror of the lens in the plane lies half a baseline away.
    assert 1 <= len(mirrored) < 0.05 * len(spots)
    assert abs(mirrored[:, 0].mean() - (319.5 + 20 * 554 / 400)) < 5
    assert np.percentile(out, 95) < 0.2 * np.percentile(skin, 95)


def test_the_back_of_a_sheet_that_only_the_projector_sees_sends_the_camera_nothing(scenes):
    edge_on = scenes.plane(400, lean=-20, width_mm=8)  # its plane runs between lens and projector
    out, spots, _ = _project(scenes, edge_on, pitch_px=8.3)
    assert len(spots) == 0
    assert not out.any()
