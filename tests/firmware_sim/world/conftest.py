from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from faceward_sim.world.people import Person, draw_person


@cache
def _person(seed: int, tone: float | None) -> Person:
    return draw_person(seed, tone=tone)


@pytest.fixture(scope="session")
def person_of() -> Callable[..., Person]:
    """People by seed, drawn once for the whole run: painting one takes a good second."""
    return lambda seed, tone=None: _person(seed, tone)
