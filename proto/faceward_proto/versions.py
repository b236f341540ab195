"""Versions that a floor can be held against: numbers with dots between them, such as 1.4.0."""

from __future__ import annotations

import re
from typing import Final

MAX_NUMBERS: Final = 8

# No sign, no leading zero, at most nine digits: a 32-bit number holds each.
_DOTTED: Final = re.compile(r"(?:0|[1-9][0-9]{0,8})(?:\.(?:0|[1-9][0-9]{0,8})){0,7}", re.ASCII)


def dotted(version: str) -> tuple[int, ...] | None:
    """The version's numbers, filled up with zeros to MAX_NUMBERS, so that 1 is 1.0; None for any other text."""
    if _DOTTED.fullmatch(version) is None:
        return None
    numbers = [int(number) for number in version.split(".")]
    return tuple(numbers + [0] * (MAX_NUMBERS - len(numbers)))


def reaches(version: str, minimum: str) -> bool:
    """Whether `version` is at least `minimum`, by numbers. False where either is no dotted version."""
    found, floor = dotted(version), dotted(minimum)
    return found is not None and floor is not None and found >= floor
