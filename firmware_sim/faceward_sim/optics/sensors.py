"""The sensors that there are, and each unit's own draw of what manufacture leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from faceward_sim.firmware.imager import Imager
from faceward_sim.optics.manufacture import Noise
from faceward_sim.optics.structured_light import (
    SL_850_940,
    SL_940,
    SL_WIDE_940,
    build_sl_850_940,
    build_sl_940,
    build_sl_wide_940,
)
from faceward_sim.optics.time_of_flight import TOF_940, build_tof_940
from faceward_sim.world.surface import Actor


class Build(Protocol):
    """Makes one unit of a sensor, looking at an actor. The same seed makes the same unit and the same noise of a kind."""

    def __call__(self, actor: Actor, seed: int, noise: Noise = ...) -> Imager: ...


@dataclass(frozen=True, slots=True)
class SensorSpec:
    """A kind of sensor."""

    name: str
    description: str
    build: Build
    generators: tuple[str, ...] = ("A", "B")  # in whose worlds it stands


SENSORS: dict[str, SensorSpec] = {
    design.name: SensorSpec(name=design.name, description=design.description, build=build)
    for design, build in ((SL_940, build_sl_940), (SL_850_940, build_sl_850_940), (TOF_940, build_tof_940))
}
# No gate was tuned before one: generator A has none.
SENSORS[SL_WIDE_940.name] = SensorSpec(SL_WIDE_940.name, SL_WIDE_940.description, build_sl_wide_940, ("B",))
