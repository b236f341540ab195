"""Flat things where a face belongs: the dark glass of a screen, a sheet without a face on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from faceward.plugin import Calibration, Frame
from numpy.typing import NDArray

from faceward_gates.relief import Relief, lit, shape_of

DARK_ALBEDO = 0.12  # screens return .02-.04 at 940 nm, the darkest skin .15 and more (sensor-physics.md: VI is .22)
_DARK_AREA_MM2 = 1500.0  # a seventh of a phone: what of it has depth at all, for black glass returns few dots
_SHEET_AREA_MM2 = 12000.0  # a fifth of A4
_SHEET_SHORT_MM = 100.0  # a chest is flat over 60 mm, an arm over 30
_SHEET_GAP_MM = 1.6
_TRIES = 24
_POINTS_MIN = 24


@dataclass(frozen=True, slots=True)
class Panel:
    """A flat candidate: how far it is from flat, how much of it is seen, and whether it is dark glass or a sheet."""

    residual_mm: float
    area_mm2: float
    dark: bool


def find_panel(slab: Relief, flood: Frame | None, calibration: Calibration) -> Panel | None:
    """The flattest thing in the nearest slab of space: its dark part if that is large enough, else a plane through it."""
    if flood is not None:
        dark = _dark_part(slab, flood, calibration)
        shape = shape_of(dark.points_mm, least=_POINTS_MIN)
        if shape is not None and dark.area_mm2 >= _DARK_AREA_MM2:
            return Panel(shape.plane_mm, dark.area_mm2, True)
    return _sheet(slab)


def _dark_part(slab: Relief, flood: Frame, calibration: Calibration) -> Relief:
    counts = lit(flood, slab, calibration.black_level_counts)
    full = calibration.flood_counts_per_us_at_1m * flood.exposure_us * flood.gain
    albedo = counts * (slab.z_mm * 1e-3) ** 2 / max(full, 1e-9)
    return slab.within(albedo <= DARK_ALBEDO)


def _sheet(slab: Relief) -> Panel | None:
    """The plane with the most cells on it (RANSAC), where they make a sheet that ends within the view."""
    rows, columns = np.nonzero(slab.valid)
    points = np.column_stack([slab.x_mm[rows, columns], slab.y_mm[rows, columns], slab.z_mm[rows, columns]])
    if len(points) < 60:
        return None
    rng = np.random.default_rng(len(points))
    best: NDArray[np.bool_] | None = None
    for _ in range(_TRIES):
        a, b, c = points[rng.choice(len(points), 3, replace=False)].astype(np.float64)
        normal = np.cross(b - a, c - a)
        length = float(np.linalg.norm(normal))
        if length < 1.0:
            continue
        on = np.abs((points - a) @ (normal / length)) <= _SHEET_GAP_MM
        if best is None or np.count_nonzero(on) > np.count_nonzero(best):
            best = on
    if best is None or np.count_nonzero(best) < 60:
        return None
    keep = np.zeros_like(slab.valid)
    keep[rows[best], columns[best]] = True
    if _fills_view(keep):
        return None
    sheet = slab.within(keep)
    shape = shape_of(sheet.points_mm)
    if shape is None or sheet.area_mm2 < _SHEET_AREA_MM2 or shape.short_mm < _SHEET_SHORT_MM:
        return None
    return Panel(shape.plane_mm, sheet.area_mm2, False)


def _fills_view(keep: NDArray[np.bool_]) -> bool:
    """Whether it runs out of the view on opposite sides, as walls and doors do."""
    return bool((keep[:, 0].any() and keep[:, -1].any()) or (keep[0].any() and keep[-1].any()))
