from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from faceward_sim.world.anatomy import load_anatomy
from faceward_sim.world.glasses import fit_glasses
from faceward_sim.world.people import Person, draw_person
from faceward_sim.world.shape import Build, draw_build
from faceward_sim.world.worn import Worn


@cache
def _person(seed: int, tone: float | None) -> Person:
    return draw_person(seed, tone=tone)


@pytest.fixture(scope="session")
def person_of() -> Callable[..., Person]:
    """People by seed, drawn once for the whole run: painting one takes a good second."""
    return lambda seed, tone=None: _person(seed, tone)


@cache
def _spectacled(seed: int) -> tuple[Build, Worn]:
    anatomy = load_anatomy()
    build = draw_build(seed, anatomy, 2.0)
    return build, fit_glasses(seed, anatomy, build)


@pytest.fixture(scope="session")
def spectacled() -> Callable[[int], tuple[Build, Worn]]:
    """Heads by seed, and the glasses that are on them."""
    return _spectacled
