"""Patterns on skin and walls: how patches, pores and spots are laid out, by one law or by another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mottle = Callable[[np.random.Generator, int, int, int], Floats]

_FINER = 4  # nodes a cell of `grained`
_SKEW = 0.6


def mottle(rng: np.random.Generator, size: int, cells_down: int, cells_across: int) -> Floats:
    """Smooth noise of about unit variance with that many cells, over a square of `size` texels."""
    grid = rng.standard_normal((cells_down, cells_across)).astype(np.float32)
    field = cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)
    return field / max(float(field.std()), 1e-6)


def grained(rng: np.random.Generator, size: int, cells_down: int, cells_across: int) -> Floats:
    """As `mottle`, by another law: spots of one size as the difference of two blurs leaves them, more bright than dark."""
    shape = [min(size, _FINER * max(cells, 2)) for cells in (cells_down, cells_across)]
    white = rng.standard_normal(shape).astype(np.float32)
    fine, broad = (cv2.GaussianBlur(white, (0, 0), sigma) for sigma in (1.2, 2.6))
    field = fine - 0.8 * broad
    field = np.exp(_SKEW * field / max(float(field.std()), 1e-6))
    field = cv2.resize(field, (size, size), interpolation=cv2.INTER_CUBIC)
    return ((field - field.mean()) / max(float(field.std()), 1e-6)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Texture:
    """The sources of what skin and walls show. Cells are over the face's unwrapping, about a head's circumference."""

    mottle: Mottle
    blotches: tuple[tuple[int, float], ...]  # cells, and their share in a person's own contrast
    pore_cells: int
    freckle_cells: int
    blemishes: float  # scars and spots on a face, on average, beyond moles
    panelled: float  # share of walls with joints


PATCHED = Texture(mottle, ((6, 0.8), (14, 1.0), (40, 0.6), (110, 0.4)), 420, 260, blemishes=0.0, panelled=0.0)
GRAINED = Texture(grained, ((9, 1.1), (24, 0.8), (70, 0.7), (180, 0.5)), 340, 190, blemishes=4.0, panelled=0.5)
