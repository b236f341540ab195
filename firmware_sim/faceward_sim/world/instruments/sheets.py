"""Grids of triangles, flat or bent, with holes cut out: what paper and panels are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceward_sim.world.anatomy import Floats


@dataclass(frozen=True, slots=True)
class Hole:
    """An ellipse cut out of a sheet: middle and half axes in millimetres, on the flat sheet."""

    x_mm: float
    y_mm: float
    half_width_mm: float
    half_height_mm: float

    def reach(self, points_mm: Floats) -> Floats:
        """1 on the cut, less inside. `points_mm` is (..., 2)."""
        across = (points_mm[..., 0] - self.x_mm) / self.half_width_mm
        down = (points_mm[..., 1] - self.y_mm) / self.half_height_mm
        return np.hypot(across, down)


def grid_triangles(columns: int, rows: int) -> NDArray[np.int32]:
    """Triangles of a grid in row-major order that faces -z (rows down, columns right)."""
    triangles = []
    for r in range(rows - 1):
        for c in range(columns - 1):
            a = r * columns + c
            triangles += [(a, a + columns + 1, a + 1), (a, a + columns, a + columns + 1)]
    return np.array(triangles, np.int32)


def flat_grid(width_mm: float, height_mm: float, columns: int, rows: int) -> tuple[Floats, Floats]:
    """Points (rows * columns, 2) about the middle, and their uv."""
    across, down = np.meshgrid(np.linspace(-0.5, 0.5, columns), np.linspace(-0.5, 0.5, rows))
    shares = np.stack([across, down], axis=2).reshape(-1, 2)
    return (shares * (width_mm, height_mm)).astype(np.float32), (shares + 0.5).astype(np.float32)


def cut(points_mm: Floats, triangles: NDArray[np.int32], holes: tuple[Hole, ...]) -> tuple[Floats, NDArray[np.int32]]:
    """The grid without what lies in the holes, its points beside a cut drawn onto the cut."""
    points = points_mm.copy()
    kept = triangles
    for hole in holes:
        whole = (hole.reach(points[kept]) >= 1.0 - 1e-4).all(axis=1)
        left = kept[whole]
        beside = np.intersect1d(kept[~whole], left)
        middle = np.array([hole.x_mm, hole.y_mm], np.float32)
        points[beside] = middle + (points[beside] - middle) / hole.reach(points[beside])[:, None]
        kept = left
    return points, np.ascontiguousarray(kept)


def bent(points_mm: Floats, curvature_per_mm: float) -> Floats:
    """Flat points (N, 2) rolled about the vertical axis, (N, 3); positive curvature turns the sides away."""
    x, y = points_mm[:, 0].astype(np.float64), points_mm[:, 1].astype(np.float64)
    if abs(curvature_per_mm) < 1e-7:
        return np.stack([x, y, np.zeros_like(x)], axis=1).astype(np.float32)
    turn = x * curvature_per_mm
    return np.stack(
        [np.sin(turn) / curvature_per_mm, y, (1 - np.cos(turn)) / curvature_per_mm], axis=1
    ).astype(np.float32)
