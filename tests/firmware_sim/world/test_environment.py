"""Where somebody stands, and in which light."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from faceward_sim.firmware.imager import Prompt
from faceward_sim.world.environment import LIGHTS, SLOT_US, Environment
from faceward_sim.world.surface import Material, SceneState, Surface

_SHEET = Surface(
    np.array([(-50, -50, 400), (50, -50, 400), (0, 50, 400)], np.float32),
    np.array([(0, 2, 1)], np.int32),
    np.zeros((3, 2), np.float32),
    np.full((2, 2), 0.4, np.float32),
    Material("sheet", 1.0, 3.0, 0.0, 0.3),
)


_SCENE = SceneState((_SHEET,), 0.01)


@dataclass
class _Still:
    scene: SceneState = _SCENE
    name: str = "still"
    species: str = "live"

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        return self.scene


def _at(light, seed=10_001, time_us=0, **place):
    return Environment(light, **place).around(_Still(), seed).at(time_us, Prompt.NONE)


def test_indoors_straight_ahead_nothing_changes():
    actor = _Still()
    assert Environment().around(actor, 1) is actor


def test_in_the_dark_the_rooms_light_is_gone_and_at_a_window_there_is_more():
    assert _at("dark").ambient == 0 and _at("dark").sun is None
    assert _at("window").ambient > 0.01


@pytest.mark.parametrize("light", ["window", "sun"])
def test_daylight_comes_from_above_on_the_sensors_side_and_each_seed_from_elsewhere(light):
    suns = [_at(light, seed).sun for seed in range(10_000, 10_020)]
    assert len({sun.towards for sun in suns}) == 20
    for sun in suns:
        assert np.linalg.norm(sun.towards) == pytest.approx(1)
        assert sun.towards[2] < 0 and sun.towards[1] <= 0
        assert LIGHTS[light].sun[0] <= sun.counts_per_us <= LIGHTS[light].sun[1]
        assert sun.shadows is (light == "sun")


def test_an_actor_keeps_its_name_and_species_in_any_light():
    actor = Environment("sun").around(_Still(), 1)
    assert (actor.name, actor.species) == ("still", "live")


def test_another_unit_shines_dots_flood_or_nothing_and_out_of_step():
    actor = Environment("second-emitter").around(_Still(), 10_002)
    strangers = [actor.at(slot * SLOT_US, Prompt.NONE).stranger for slot in range(300)]
    dots = np.array([s.dots_share for s in strangers])
    flood = np.array([s.flood_share for s in strangers])
    assert not np.any((dots > 0) & (flood > 0))
    assert 60 < np.count_nonzero(dots) < 140 and 120 < np.count_nonzero(flood) < 220
    assert len({s.unit_seed for s in strangers}) == len({s.x_mm for s in strangers}) == 1
    shining = (dots + flood)[(dots + flood) > 0]
    assert shining.max() <= 1 and shining.max() - shining.min() < 0.2
    assert 90 <= abs(strangers[0].x_mm) <= 250


def _turned(**place):
    """Where the middle of a face, its left cheek and the tip of its nose are seen."""
    points = np.array([(0, 0, 400), (60, 0, 400), (0, 0, 340)], np.float32)
    actor = _Still(replace(_SCENE, surfaces=(replace(_SHEET, vertices_mm=points),)))
    return Environment(**place).around(actor, 1).at(0, Prompt.NONE).surfaces[0].vertices_mm


def test_the_middle_of_the_face_stays_where_it_is():
    assert _turned(yaw_deg=23.0, pitch_deg=-11.0)[0] == pytest.approx((0.0, 0.0, 400.0), abs=1e-3)


def test_from_the_persons_left_their_left_cheek_is_nearer_and_the_nose_points_away():
    _, cheek, nose = _turned(yaw_deg=30.0)
    assert cheek[2] == pytest.approx(400 - 60 * np.sin(np.deg2rad(30)), abs=0.01)
    assert nose[0] < -20


def test_from_above_the_nose_points_down():
    assert _turned(pitch_deg=30.0)[2][1] > 20


def test_arrays_that_do_not_move_stay_the_same_objects():
    surface = _at("window", yaw_deg=10.0).surfaces[0]
    assert surface.triangles is _SHEET.triangles
    assert surface.reflectance is _SHEET.reflectance
    assert surface.material is _SHEET.material


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ({"light": "moon"}, "no light 'moon'; there are dark, indoor"),
        ({"distance_mm": 0.0}, "a distance is positive"),
        ({"distance_mm": float("nan")}, "a distance is positive"),
        ({"yaw_deg": 61.0}, "within 60 degrees"),
        ({"pitch_deg": float("nan")}, "within 60 degrees"),
    ],
)
def test_a_place_that_is_none_is_refused(place, words):
    with pytest.raises(ValueError, match=words):
        Environment(**place)
