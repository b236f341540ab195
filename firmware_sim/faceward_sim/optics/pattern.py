"""The projector's pattern: dots on a jittered grid, the same for every unit of a design."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class DotPattern:
    """Dots row by row, one in each cell of a grid, as a projector of focal length `f_px` would see them.

    `x_px` and `y_px` are (dots,) float64 from the optical axis; cell (row, column) begins at
    (`left_px` + column * `pitch_px`, `top_px` + row * `pitch_px`) and holds dot row * `columns` + column.
    """

    f_px: float
    pitch_px: float
    rows: int
    columns: int
    left_px: float
    top_px: float
    x_px: NDArray[np.float64]
    y_px: NDArray[np.float64]


def draw_pattern(
    f_px: float, pitch_px: float, left_px: float, right_px: float, top_px: float, bottom_px: float, seed: int
) -> DotPattern:
    """Draw a pattern in which no two dots come nearer than .6 of the pitch, so that each can be told from the next."""
    rng = np.random.default_rng(seed)
    columns, rows = int((right_px - left_px) / pitch_px), int((bottom_px - top_px) / pitch_px)
    place = np.full((rows + 1, columns + 2, 2), np.inf)
    for row in range(rows):
        for column in range(columns):
            # Each dot keeps clear of the four that are already there.
            before = [place[row, column], *place[row - 1, column : column + 3]] if row else [place[row, column]]
            for _ in range(200):
                x = left_px + (column + rng.uniform(0.08, 0.92)) * pitch_px
                y = top_px + (row + rng.uniform(0.04, 0.96)) * pitch_px
                if min(np.hypot(x - p[0], y - p[1]) for p in before) > 0.6 * pitch_px:
                    break
            else:
                x, y = left_px + (column + 0.5) * pitch_px, top_px + (row + 0.75) * pitch_px
            place[row, column + 1] = x, y
    dots = place[:rows, 1 : columns + 1].reshape(-1, 2)
    return DotPattern(f_px, pitch_px, rows, columns, left_px, top_px, dots[:, 0].copy(), dots[:, 1].copy())
