"""A sensor with somebody before it: from names, or from a scene, to a firmware."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from faceward_sim.faults import FaultyFirmware, inject, parse_fault
from faceward_sim.firmware.chain import GENUINE, Provision
from faceward_sim.firmware.device import Firmware
from faceward_sim.firmware.imager import Exposure, Illumination, Imager, Prompt
from faceward_sim.scene import DEFAULT_GENERATOR, MESH_PREFIX, PROMPTS, MeshLook, Scene

if TYPE_CHECKING:
    from faceward_sim.world.adaptive import AdaptiveDesign
    from faceward_sim.world.environment import Environment
    from faceward_sim.world.generators import Generator
    from faceward_sim.world.surface import Actor

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
    generator: str = DEFAULT_GENERATOR,
    provision: Provision | None = GENUINE,
) -> Firmware:
    """A sensor of a kind, one unit of it by seed, with an actor in front; without `provision`, it can't attest.

    `environment` is indoor at 400 mm, straight ahead, if left out; `distance_mm` overrides its distance.

    Raises UnknownName, ValueError (a generator that lacks the sensor or the actor).
    """
    # Worlds and optics compile code when they are imported; whoever only asks for help should not wait for it.
    from faceward_sim.optics.sensors import SENSORS
    from faceward_sim.world.actors import ACTORS
    from faceward_sim.world.generators import GENERATORS, check_belongs

    drawn_by = _named(GENERATORS, generator, "generator")
    sensor_spec = _named(SENSORS, sensor, "sensor")
    actor_spec = _named(ACTORS, actor, "actor")
    check_belongs("sensor", sensor, sensor_spec.generators, drawn_by)
    place = environment or named_environment("indoor")
    if distance_mm is not None:
        place = replace(place, distance_mm=distance_mm)
    person = actor_spec.build(seed, distance_mm=place.distance_mm, tone=tone, generator=drawn_by)
    imager = sensor_spec.build(place.around(person, seed), seed, drawn_by.noise)
    _warm_up(imager)
    return Firmware(imager, provision)


def build_scene(scene: Scene, *, provision: Provision | None = GENUINE) -> Firmware | FaultyFirmware:
    """A scene's sensor with its faults, before what the scene says; without `provision`, it can't attest.

    Raises UnknownName, MeshError (a mesh that is no face), ValueError (a generator that lacks the sensor or an actor).
    """
    return with_faults(Firmware(scene_imager(scene), provision), scene.script.faults)


def scene_imager(scene: Scene) -> Imager:
    """A scene's sensor behind its firmware. Raises as build_scene."""
    from faceward_sim.optics.sensors import SENSORS
    from faceward_sim.world.generators import GENERATORS, check_belongs

    drawn_by = _named(GENERATORS, scene.generator, "generator")
    spec = _named(SENSORS, scene.sensor.model, "sensor")
    check_belongs("sensor", scene.sensor.model, spec.generators, drawn_by)
    imager = spec.build(scene_actor(scene), scene.sensor.unit, drawn_by.noise)
    _warm_up(imager)
    return imager


def scene_actor(scene: Scene) -> Actor:
    """Who or what stands in a scene, as the sensor sees them and as the script directs them. Raises as build_scene."""
    from faceward_sim.world.actors import ACTORS
    from faceward_sim.world.direction import Directed, Swapped, Unasked
    from faceward_sim.world.generators import GENERATORS

    drawn_by = _named(GENERATORS, scene.generator, "generator")
    script, place = scene.script, scene.environment
    if scene.who.mesh is not None:
        actor = _mesh_head(scene, scene.who.mesh)
    elif scene.who.design is not None:
        actor = _made_after(scene, scene.who.design, drawn_by)
    else:
        spec = _named(ACTORS, scene.who.actor, "actor")
        actor = spec.build(scene.seed, distance_mm=place.distance_mm, tone=scene.who.tone, generator=drawn_by)
    if script.swap is not None:
        spec = _named(ACTORS, script.swap.actor, "actor")
        second = spec.build(script.swap.seed, distance_mm=place.distance_mm, generator=drawn_by)
        actor = Swapped(actor, second, round(script.swap.at_s * 1e6))
    if script.obeys is not None or script.late_s or script.motions:
        actor = Directed(
            actor,
            obeys=None if script.obeys is None else frozenset(PROMPTS[name] for name in script.obeys),
            late_us=round(script.late_s * 1e6),
            motions=[
                Unasked(PROMPTS[each.motion], round(each.at_s * 1e6), round((each.at_s + each.lasts_s) * 1e6))
                for each in script.motions
            ],
        )
    return place.around(actor, scene.seed)


def _made_after(scene: Scene, design: AdaptiveDesign, drawn_by: Generator) -> Actor:
    from faceward_sim.world.instruments.castings import cast_after
    from faceward_sim.world.motion import Manner
    from faceward_sim.world.wearers import MaskWearer

    manner = Manner(design.late_s, design.sway_share, design.turn_share)
    place = scene.environment
    return MaskWearer(cast_after(design), scene.seed, place.distance_mm, scene.who.tone, drawn_by, manner=manner)


def _mesh_head(scene: Scene, look: MeshLook) -> Actor:
    from faceward_sim.world.meshes import MATERIALS, MeshHead, find_landmarks, load_mesh

    mesh = load_mesh(scene.folder / scene.who.actor.removeprefix(MESH_PREFIX))
    landmarks = find_landmarks(
        mesh,
        units=look.units,
        forward=look.forward,
        up=look.up,
        left_eye=look.left_eye,
        right_eye=look.right_eye,
    )
    material = _named(MATERIALS, look.material, "material")
    return MeshHead(mesh, landmarks, material, look.species, scene.seed, scene.environment.distance_mm, scene.who.tone)


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
