"""Where the sensor is hung: the same scene from another side, and in other light."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from faceward_sim.firmware.imager import Prompt
from faceward_sim.world.body import turning
from faceward_sim.world.surface import Actor, SceneState


class Placed:
    """An actor as a sensor sees them that is turned about the face, at the same distance from it.

    :param yaw_rad: the sensor stands to the person's own left.
    :param pitch_rad: the sensor hangs above.
    :param ambient: counts per microsecond on a reflectance-1 target; None for the actor's own room.
    """

    def __init__(
        self, actor: Actor, distance_mm: float, *, yaw_rad: float, pitch_rad: float, ambient: float | None
    ) -> None:
        self.name = actor.name
        self.species = actor.species
        self._actor = actor
        self._ambient = ambient
        # A sensor that goes to the person's left sees them turned to their right.
        self._turned = turning(-yaw_rad, -pitch_rad)
        self._middle_mm = np.array([0.0, 0.0, distance_mm], np.float32)

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        scene = self._actor.at(time_us, prompt)
        surfaces = tuple(
            replace(each, vertices_mm=(each.vertices_mm - self._middle_mm) @ self._turned.T + self._middle_mm)
            for each in scene.surfaces
        )
        return SceneState(surfaces, scene.ambient if self._ambient is None else self._ambient)
