"""Whose face an instrument shows, and how near a copy of it comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from faceward_sim.world.anatomy import Anatomy, Floats
from faceward_sim.world.complexion import Complexion, Traits, draw_complexion, draw_traits
from faceward_sim.world.generators import A, Generator
from faceward_sim.world.people import Person, draw_person
from faceward_sim.world.shape import draw_build
from faceward_sim.world.streams import stream


def victim_seed(seed: int) -> int:
    """Whose face an attacker of this seed shows: somebody else's."""
    return int(stream(seed, "victim").integers(1, 2**31)) + seed


@lru_cache(maxsize=4)
def draw_victim(seed: int, generator: Generator = A) -> Person:
    """The person whose face an attacker of this seed shows; nobody changes what this returns."""
    return draw_person(victim_seed(seed), generator=generator)


@dataclass(frozen=True, slots=True)
class Model:
    """The face that an instrument was made after, as its maker got it."""

    seed: int
    complexion: Complexion
    vertices_mm: Floats
    traits: Traits
    male: float
    age: float


Sculpt = Callable[[int, Anatomy, Person], Model]


def of_a_stranger(seed: int, anatomy: Anatomy, wearer: Person) -> Model:
    """Another face as it is: what is sold off the shelf was cast from somebody, or somebody's own head was scanned."""
    other = victim_seed(seed)
    complexion = draw_complexion(other, None, wearer.complexion.generator)
    build = draw_build(other, anatomy, complexion.tone)
    traits = draw_traits(other, male=build.male, age=build.age)
    return Model(other, complexion, build.vertices_mm, traits, build.male, build.age)


def at_likeness(low: float, high: float, depth: float = 1.0) -> Sculpt:
    """The victim's face, missed by 1 - likeness of the way to a third face, which stands for the sculptor's hand.

    A copy made from a photograph knows the depth less well: `depth` is what of the likeness is left along z. How press
    and makers count likeness is not known; this meaning of it is assumed.
    """

    def sculpt(seed: int, anatomy: Anatomy, wearer: Person) -> Model:
        model = of_a_stranger(seed, anatomy, wearer)
        rng = stream(seed, "sculptor")
        likeness = rng.uniform(low, high)
        third = draw_build(int(rng.integers(1, 2**31)), anatomy, model.complexion.tone).vertices_mm
        missed = np.array([1 - likeness, 1 - likeness, 1 - likeness * depth], np.float32)
        vertices = model.vertices_mm + missed * (third - model.vertices_mm)
        return Model(model.seed, model.complexion, vertices.astype(np.float32), model.traits, model.male, model.age)

    return sculpt


def of_the_wearer(seed: int, anatomy: Anatomy, wearer: Person) -> Model:
    """The wearer's shape under the victim's features: what lies so thin on skin has no shape of its own."""
    model = of_a_stranger(seed, anatomy, wearer)
    return Model(
        model.seed, model.complexion, wearer.build.vertices_mm, model.traits, wearer.build.male, wearer.build.age
    )
