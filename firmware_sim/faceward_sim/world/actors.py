"""Who can stand before the sensor, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Protocol

import numpy as np

from faceward_sim.firmware.imager import Prompt
from faceward_sim.world.body import FACE_CENTRE_MM, Body
from faceward_sim.world.generators import EVERY, GENERATORS, Generator, check_belongs
from faceward_sim.world.holders import CutPrintWearer, HeadHolder, PrintHolder, ScreenHolder
from faceward_sim.world.instruments.glasses import GLASSES
from faceward_sim.world.instruments.heads import HEADS
from faceward_sim.world.instruments.masks import MASKS, NULL, PARTS, UNSEEN_MASKS
from faceward_sim.world.instruments.prints import PRINTS, Form, PrintDesign
from faceward_sim.world.instruments.screens import SCREENS
from faceward_sim.world.instruments.victims import victim_seed
from faceward_sim.world.motion import Mover
from faceward_sim.world.people import draw_person
from faceward_sim.world.rooms import draw_room
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import Actor, SceneState
from faceward_sim.world.wearers import GlassesWearer, MaskWearer

Builder = Callable[[int, float, float | None, Generator], Actor]


class Design(Protocol):
    """What every species of instruments says of itself."""

    @property
    def name(self) -> str: ...

    @property
    def species(self) -> str: ...

    @property
    def description(self) -> str: ...


@dataclass(frozen=True, slots=True)
class ActorSpec:
    """A kind of actor. `species` is "live", "none" or the attack species."""

    name: str
    species: str
    description: str
    builder: Builder
    generators: tuple[str, ...] = EVERY  # which of them draw it

    def build(
        self, seed: int, *, distance_mm: float = 400.0, tone: float | None = None, generator: Generator | None = None
    ) -> Actor:
        """One individual, wholly fixed by its arguments.

        :param distance_mm: from the sensor to the plane of the eyes, at rest.
        :param tone: 1 (Fitzpatrick I-II) to 4 (VI) of the living skin in the scene; None draws it from the seed.
        :param generator: what draws it; the first of its own if left out.
        :raises ValueError: a negative seed, a distance that is not positive, a tone outside 1 to 4, or a
            generator that lacks it.
        """
        drawn_by = GENERATORS[self.generators[0]] if generator is None else generator
        check_belongs("actor", self.name, self.generators, drawn_by)
        if not distance_mm > 0:
            raise ValueError(f"a distance is positive, not {distance_mm} mm")
        return self.builder(seed, float(distance_mm), tone, drawn_by)


class LivePerson:
    """Somebody who looks at the sensor and does what the indicator asks."""

    def __init__(
        self,
        seed: int,
        distance_mm: float,
        tone: float | None,
        generator: Generator,
        *,
        glasses: bool = False,
        hat: bool = False,
        make_up: bool = False,
        mouth_mask: bool = False,
    ) -> None:
        worn = {"glasses": glasses, "hat": hat, "make-up": make_up, "mouth-mask": mouth_mask}
        self.name = "-".join(["live", *(what for what, on in worn.items() if on)])
        self.species = "live"
        self.body = Body(
            draw_person(
                seed, tone=tone, glasses=glasses, hat=hat, make_up=make_up, mouth_mask=mouth_mask, generator=generator
            )
        )
        self.mover = Mover(seed, distance_mm)
        self._room = draw_room(seed, generator)
        self._place = np.array([0.0, -FACE_CENTRE_MM, distance_mm], np.float32)

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        posture = self.mover.at(time_us / 1e6, prompt)
        return SceneState(self.body.surfaces(posture, self._place) + self._room.surfaces, self._room.ambient)


class Nobody:
    """An empty room."""

    def __init__(self, seed: int, distance_mm: float, tone: float | None, generator: Generator) -> None:
        self.name = "empty"
        self.species = "none"
        room = draw_room(seed, generator)
        self._scene = SceneState(room.surfaces, room.ambient)

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        return self._scene


class TwoPeople:
    """A living person, and a second one who looks over their shoulder."""

    def __init__(self, seed: int, distance_mm: float, tone: float | None, generator: Generator) -> None:
        self.name = "two-people"
        self.species = "live"
        self._first = LivePerson(seed, distance_mm, tone, generator)
        other = victim_seed(seed)
        rng = stream(seed, "companion")
        side = float(rng.choice([-1.0, 1.0]))
        away = distance_mm + float(rng.uniform(90, 160))
        self._body = Body(draw_person(other, generator=generator))
        self._mover = Mover(other, away)
        self._place = np.array([side * 0.36 * away, -FACE_CENTRE_MM + rng.uniform(-20, 20), away], np.float32)

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        scene = self._first.at(time_us, prompt)
        posture = self._mover.at(time_us / 1e6, Prompt.NONE)
        return SceneState(scene.surfaces + self._body.surfaces(posture, self._place), scene.ambient)


def _entry(design: Design, builder: Callable[..., Actor]) -> ActorSpec:
    return ActorSpec(
        design.name, design.species, design.description, partial(builder, design), getattr(design, "generators", EVERY)
    )


def _printed(design: PrintDesign, seed: int, distance_mm: float, tone: float | None, generator: Generator) -> Actor:
    builder = CutPrintWearer if design.form is Form.CUT else PrintHolder
    return builder(design, seed, distance_mm, tone, generator)


_SPECS = (
    ActorSpec("live", "live", "a living person who obeys the indicator", LivePerson),
    ActorSpec("live-glasses", "live", "the same person in spectacles", partial(LivePerson, glasses=True)),
    ActorSpec("live-hat", "live", "the same person in a knitted hat or a cap", partial(LivePerson, hat=True)),
    ActorSpec("live-make-up", "live", "the same person made up", partial(LivePerson, make_up=True)),
    ActorSpec(
        "live-mouth-mask",
        "live",
        "the same person in a surgical mask, to be asked to take it off",
        partial(LivePerson, mouth_mask=True),
    ),
    *(_entry(design, _printed) for design in PRINTS),
    *(_entry(design, ScreenHolder) for design in SCREENS),
    *(_entry(design, MaskWearer) for design in (*MASKS, *UNSEEN_MASKS)),
    *(_entry(design, HeadHolder) for design in HEADS),
    *(_entry(design, GlassesWearer) for design in GLASSES),
    *(_entry(design, MaskWearer) for design in PARTS),
    _entry(NULL, MaskWearer),
    ActorSpec("two-people", "live", "a living person with a second face beside", TwoPeople),
    ActorSpec("empty", "none", "nobody: the room alone", Nobody),
)

ACTORS: Mapping[str, ActorSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})

NO_ATTACKS = frozenset({"live", "none", "null"})  # the species that no gate need stop


def attacks() -> tuple[ActorSpec, ...]:
    """The attack species, one actor each."""
    return tuple(spec for spec in _SPECS if spec.species not in NO_ATTACKS)
