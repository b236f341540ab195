"""The sensors that there are, and each unit's own draw of what manufacture leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from faceward_sim.firmware.imager import Imager
from faceward_sim.optics.structured_light import SL_940, build_unit
from faceward_sim.world.surface import Actor


class Build(Protocol):
    """Makes one unit of a sensor, looking at an actor. The same seed makes the same unit and the same noise."""

    def __call__(self, actor: Actor, seed: int) -> Imager: ...


@dataclass(frozen=True, slots=True)
class SensorSpec:
    """A kind of sensor."""

    name: str
    description: str
    build: Build


SENSORS: dict[str, SensorSpec] = {
    "sl-940": SensorSpec(name="sl-940", description=SL_940.description, build=build_unit),
}
