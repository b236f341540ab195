"""Who can stand before the sensor, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from faceward_sim.firmware.imager import Prompt
from faceward_sim.world.body import FACE_CENTRE_MM, Body
from faceward_sim.world.motion import Mover
from faceward_sim.world.people import draw_person
from faceward_sim.world.rooms import draw_room
from faceward_sim.world.surface import Actor, SceneState

Builder = Callable[[int, float, float | None], Actor]


@dataclass(frozen=True, slots=True)
class ActorSpec:
    """A kind of actor. `species` is "live", "none" or the attack species."""

    name: str
    species: str
    description: str
    builder: Builder

    def build(self, seed: int, *, distance_mm: float = 400.0, tone: float | None = None) -> Actor:
        """One individual, wholly fixed by its arguments.

        :param distance_mm: from the sensor to the plane of the eyes, at rest.
        :param tone: 1 (Fitzpatrick I-II) to 4 (VI) of the living skin in the scene; None draws it from the seed.
        :raises ValueError: a negative seed, a distance that is not positive, a tone outside 1 to 4.
        """
        if not distance_mm > 0:
            raise ValueError(f"a distance is positive, not {distance_mm} mm")
        return self.builder(seed, float(distance_mm), tone)


class LivePerson:
    """Somebody who looks at the sensor and does what the indicator asks."""

    def __init__(self, seed: int, distance_mm: float, tone: float | None) -> None:
        self.name = "live"
        self.species = "live"
        self.body = Body(draw_person(seed, tone=tone))
        self.mover = Mover(seed, distance_mm)
        self._room = draw_room(seed)
        self._place = np.array([0.0, -FACE_CENTRE_MM, distance_mm], np.float32)

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        posture = self.mover.at(time_us / 1e6, prompt)
        return SceneState(self.body.surfaces(posture, self._place) + self._room.surfaces, self._room.ambient)


_SPECS = (ActorSpec("live", "live", "a living person who obeys the indicator", LivePerson),)

ACTORS: Mapping[str, ActorSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})
