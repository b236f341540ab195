"""Who can stand before the sensor, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import numpy as np

from faceward_sim.firmware.imager import Prompt
from faceward_sim.world.anatomy import Floats
from faceward_sim.world.body import FACE_CENTRE_MM, Body, Pose, turning
from faceward_sim.world.hands import Hand
from faceward_sim.world.instruments import (
    Mask,
    Screen,
    Sheet,
    draw_matched_silicone,
    draw_typical_silicone,
    victim_seed,
)
from faceward_sim.world.motion import Mover, Posture
from faceward_sim.world.people import draw_person
from faceward_sim.world.rooms import draw_room
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import Actor, SceneState, Surface

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

    def __init__(self, seed: int, distance_mm: float, tone: float | None, *, glasses: bool = False) -> None:
        self.name = "live-glasses" if glasses else "live"
        self.species = "live"
        self.body = Body(draw_person(seed, tone=tone, glasses=glasses))
        self.mover = Mover(seed, distance_mm)
        self._room = draw_room(seed)
        self._place = np.array([0.0, -FACE_CENTRE_MM, distance_mm], np.float32)

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        posture = self.mover.at(time_us / 1e6, prompt)
        return SceneState(self.body.surfaces(posture, self._place) + self._room.surfaces, self._room.ambient)


class Nobody:
    """An empty room."""

    def __init__(self, seed: int, distance_mm: float, tone: float | None) -> None:
        self.name = "empty"
        self.species = "none"
        self._scene = SceneState(draw_room(seed).surfaces, draw_room(seed).ambient)

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        return self._scene


class TwoPeople:
    """A living person, and a second one who looks over their shoulder."""

    def __init__(self, seed: int, distance_mm: float, tone: float | None) -> None:
        self.name = "two-people"
        self.species = "live"
        self._first = LivePerson(seed, distance_mm, tone)
        other = victim_seed(seed)
        rng = stream(seed, "companion")
        side = float(rng.choice([-1.0, 1.0]))
        away = distance_mm + float(rng.uniform(90, 160))
        self._body = Body(draw_person(other))
        self._mover = Mover(other, away)
        self._place = np.array([side * 0.36 * away, -FACE_CENTRE_MM + rng.uniform(-20, 20), away], np.float32)

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        scene = self._first.at(time_us, prompt)
        posture = self._mover.at(time_us / 1e6, Prompt.NONE)
        return SceneState(scene.surfaces + self._body.surfaces(posture, self._place), scene.ambient)


class _Holder:
    """Somebody behind what they hold with both hands, who turns it as the indicator asks a face to turn."""

    def __init__(self, seed: int, distance_mm: float, tone: float | None, behind_mm: float) -> None:
        person = draw_person(seed, tone=tone)
        self._body = Body(person)
        self._mover = Mover(seed, distance_mm)
        self._hands = {side: Hand(seed, person.complexion, right=side > 0) for side in (-1, 1)}
        self._room = draw_room(seed)
        self._middle = np.array([0.0, 0.0, distance_mm], np.float32)
        self._place = np.array([0.0, -FACE_CENTRE_MM + 40.0, distance_mm + behind_mm], np.float32)

    def posture_at(self, time_us: int, prompt: Prompt) -> tuple[Posture, Floats, Floats]:
        """The holder's posture, and rotation and place of the held thing. Hands shake more than a head sways."""
        posture = self._mover.at(time_us / 1e6, prompt)
        rotation = turning(posture.yaw_rad, posture.pitch_rad, posture.roll_rad)
        return posture, rotation, self._middle + np.asarray(posture.shift_mm, np.float32)

    def people(self, posture: Posture) -> tuple[Surface, ...]:
        """The holder's own body, facing the sensor behind the held thing."""
        straight = replace(posture, yaw_rad=0.2 * posture.yaw_rad, pitch_rad=0.2 * posture.pitch_rad)
        return self._body.surfaces(straight, self._place)

    def scene(self, *parts: tuple[Surface, ...]) -> SceneState:
        return SceneState(tuple(s for part in (*parts, self._room.surfaces) for s in part), self._room.ambient)


class PrintHolder(_Holder):
    """An A4 print of somebody else, held before the holder's face."""

    def __init__(self, seed: int, distance_mm: float, tone: float | None) -> None:
        super().__init__(seed, distance_mm, tone, 260.0)
        self.name = "print-a4"
        self.species = "print"
        self._sheet = Sheet(seed)

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        posture, rotation, middle = self.posture_at(time_us, prompt)
        hands = tuple(
            hand.surface(rotation, middle + rotation @ self._sheet.grip_mm(side)) for side, hand in self._hands.items()
        )
        return self.scene((self._sheet.surface(rotation, middle),), hands, self.people(posture))


class ScreenHolder(_Holder):
    """A phone that shows somebody else's face, in light that the sensor does not see."""

    def __init__(self, seed: int, distance_mm: float, tone: float | None) -> None:
        super().__init__(seed, distance_mm, tone, 320.0)
        self.name = "phone-screen"
        self.species = "screen"
        self._screen = Screen(seed)
        # The phone is smaller than a head: its holder stands aside with an arm stretched out.
        side = float(stream(seed, "stand").choice([-1.0, 1.0]))
        self._place += np.array([side * (0.75 * distance_mm + 260.0), 60.0, 0.0], np.float32)
        self._side = int(side)

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        posture, rotation, middle = self.posture_at(time_us, prompt)
        hand = self._hands[self._side]
        held = hand.surface(rotation, middle + rotation @ self._screen.grip_mm(self._side))
        return self.scene(self._screen.surfaces(rotation, middle), (held,), self.people(posture))


class MaskWearer:
    """A living person under a silicone mask: real eyes in the holes, real sway, obedient to prompts."""

    def __init__(self, name: str, seed: int, distance_mm: float, tone: float | None, *, matched: bool) -> None:
        self.name = name
        self.species = "mask-silicone-matched" if matched else "mask-silicone"
        wearer = draw_person(seed, tone=tone)
        silicone = (draw_matched_silicone if matched else draw_typical_silicone)(seed, wearer.complexion)
        self.mask = Mask(seed, wearer, silicone)
        self._body = Body(wearer, skin=self.mask.bare_triangles)
        self._mover = Mover(seed, distance_mm)
        self._room = draw_room(seed)
        self._place = np.array([0.0, -FACE_CENTRE_MM, distance_mm], np.float32)

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        posture = self._mover.at(time_us / 1e6, prompt)
        person, mask = self._body.person, self.mask
        pose = Pose(posture, self._place, person.build.scale)
        head = self._body.expressed(posture.units)
        outer, moved = mask.shell_mm(person, posture.units)
        inner = person.build.vertices_mm[mask.rim_vertex] + moved[mask.rim_vertex]
        follow = person.anatomy.follow
        shell = np.concatenate(
            [
                pose.carry(outer[mask.vertex], follow[mask.vertex]),
                pose.carry(inner, follow[mask.rim_vertex]),
            ]
        )
        surfaces = [
            Surface(shell, mask.triangles, mask.uv, mask.reflectance, mask.material),
            self._body.skin(head, pose),
            self._body.eyes(posture, pose),
            self._body.clothes(pose),
        ]
        if mask.hair is not None:
            hair = mask.hair
            points = pose.carry(hair.vertices_mm, hair.follow)
            surfaces.append(Surface(points, hair.triangles, hair.uv, hair.reflectance, hair.material))
        return SceneState((*surfaces, *self._room.surfaces), self._room.ambient)


_SPECS = (
    ActorSpec("live", "live", "a living person who obeys the indicator", LivePerson),
    ActorSpec("live-glasses", "live", "the same person in spectacle frames", partial(LivePerson, glasses=True)),
    ActorSpec("print-a4", "print", "an A4 print of another person's near-infrared photograph, held up", PrintHolder),
    ActorSpec("phone-screen", "screen", "a phone that shows a face: dark at 940 nm but for its glass", ScreenHolder),
    ActorSpec(
        "mask-silicone",
        "mask-silicone",
        "a typical 3 mm silicone mask of another face on a living head",
        partial(MaskWearer, "mask-silicone", matched=False),
    ),
    ActorSpec(
        "mask-silicone-matched",
        "mask-silicone-matched",
        "a silicone mask matched to the wearer's skin in colour and scattering",
        partial(MaskWearer, "mask-silicone-matched", matched=True),
    ),
    ActorSpec("two-people", "live", "a living person with a second face beside", TwoPeople),
    ActorSpec("empty", "none", "nobody: the room alone", Nobody),
)

ACTORS: Mapping[str, ActorSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})
