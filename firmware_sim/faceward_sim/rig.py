"""A sensor with somebody before it: from names to a firmware."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from faceward_sim.faults import FaultyFirmware, inject, parse_fault
from faceward_sim.firmware.device import Firmware
from faceward_sim.firmware.imager import Exposure, Illumination, Imager, Prompt

if TYPE_CHECKING:
    from faceward_sim.world.environment import Environment

_Spec = TypeVar("_Spec")


class UnknownName(ValueError):
    """No such sensor, actor or fault; the message lists what there is."""


def build_firmware(
    sensor: str,
    actor: str,
    seed: int,
    *,
    distance_mm: float | None = None,
    tone: float | None = None,
    environment: Environment | None = None,
) -> Firmware:
    """A sensor of a kind, one unit of it by seed, with an actor in front.

    `environment` is indoor at 400 mm, straight ahead, if left out; `distance_mm` overrides its distance.

    Raises UnknownName.
    """
    # Worlds and optics compile code when they are imported; whoever only asks for help should not wait for it.
    from faceward_sim.optics.sensors import SENSORS
    from faceward_sim.world.actors import ACTORS

    sensor_spec = _named(SENSORS, sensor, "sensor")
    actor_spec = _named(ACTORS, actor, "actor")
    place = environment or named_environment("indoor")
    if distance_mm is not None:
        place = replace(place, distance_mm=distance_mm)
    person = actor_spec.build(seed, distance_mm=place.distance_mm, tone=tone)
    imager = sensor_spec.build(place.around(person, seed), seed)
    _warm_up(imager)
    return Firmware(imager)


def named_environment(light: str) -> Environment:
    """The usual place in a light of that name.

    Raises UnknownName.
    """
    from faceward_sim.world.environment import LIGHTS, Environment

    _named(LIGHTS, light, "light")
    return Environment(light)


def _warm_up(imager: Imager) -> None:
    """Take a slot of each light before the clock starts: on a new machine that compiles for longer than a host waits."""
    for light in (Illumination.OFF, *(lit for lit, _ in imager.identity.emitters)):
        imager.expose(Exposure(0, 0, light, 2_000, 1.0, Prompt.NONE))


def with_faults(firmware: Firmware, faults: Iterable[str]) -> Firmware | FaultyFirmware:
    """The firmware with the faults that are named as `NAME` or `NAME:SLOT`.

    Raises UnknownName.
    """
    try:
        parsed = [parse_fault(text) for text in faults]
    except ValueError as error:
        raise UnknownName(str(error)) from None
    return inject(firmware, *parsed) if parsed else firmware


def _named(specs: Mapping[str, _Spec], name: str, kind: str) -> _Spec:
    if name not in specs:
        raise UnknownName(f"no {kind} {name!r}; there are {', '.join(sorted(specs))}")
    return specs[name]
