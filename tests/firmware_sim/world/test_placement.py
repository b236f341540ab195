"""The sensor turned about the face."""

from __future__ import annotations

import math

import numpy as np
import pytest
from faceward_sim.firmware.imager import Prompt
from faceward_sim.world.placement import Placed
from faceward_sim.world.surface import Material, SceneState, Surface

MIDDLE = (0.0, 0.0, 400.0)
LEFT_CHEEK, NOSE = (60.0, 0.0, 400.0), (0.0, 0.0, 340.0)


class Points:
    """Three points of a face."""

    name, species = "points", "live"

    def __init__(self) -> None:
        triangles, uv = np.array([(0, 1, 2)], np.int32), np.zeros((3, 2), np.float32)
        self.surface = Surface(
            np.array([MIDDLE, LEFT_CHEEK, NOSE], np.float32), triangles, uv, np.ones((2, 2), np.float32),
            Material("none", 1.0, 3.0, 0.0, 0.5),
        )  # fmt: skip

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        return SceneState((self.surface,), 0.015)


def seen(**turned: float | None) -> tuple[np.ndarray, SceneState, Points]:
    options = {"yaw_rad": 0.0, "pitch_rad": 0.0, "ambient": None, **turned}
    actor = Points()
    scene = Placed(actor, 400.0, **options).at(0, Prompt.NONE)
    return scene.surfaces[0].vertices_mm, scene, actor


def test_the_middle_of_the_face_stays_where_it_is():
    points, _, _ = seen(yaw_rad=0.4, pitch_rad=-0.2)
    assert points[0] == pytest.approx(MIDDLE, abs=1e-3)


def test_from_the_persons_left_their_left_cheek_is_nearer_and_the_nose_points_away():
    points, _, _ = seen(yaw_rad=math.radians(30))
    assert points[1][2] == pytest.approx(400 - 60 * math.sin(math.radians(30)), abs=0.01)
    assert points[2][0] < -20


def test_from_above_the_nose_points_down():
    points, _, _ = seen(pitch_rad=math.radians(30))
    assert points[2][1] > 20


def test_arrays_that_do_not_move_stay_the_same_objects():
    _, scene, actor = seen(yaw_rad=0.1)
    surface = scene.surfaces[0]
    assert surface.triangles is actor.surface.triangles
    assert surface.reflectance is actor.surface.reflectance
    assert surface.material is actor.surface.material


def test_ambient_light_is_the_rooms_unless_it_is_said():
    assert seen()[1].ambient == 0.015
    assert seen(ambient=0.5)[1].ambient == 0.5
