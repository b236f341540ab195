"""Flat things where a face belongs: the dark glass of a screen, a sheet without a face on it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from faceward.plugin import Calibration, Frame
from numpy.typing import NDArray

from faceward_gates.relief import Relief, lit, shape_of

DARK_ALBEDO = 0.12  # screens return .02-.04 at 940 nm, the darkest skin .15 and more (sensor-physics.md: VI is .22)
_DARK_AREA_MM2 = 4000.0  # two fifths of a phone; a black-haired head is flat to 2 mm over half of that
_DARK_SHORT_MM = 40.0
_SHEET_AREA_MM2 = 12000.0  # a fifth of A4
_SHEET_SHORT_MM = 100.0  # a chest is flat over 60 mm, an arm over 30
_GAP_MM_AT_400 = 2.0  # depth noise grows with the square of the distance (triangulation)
_TRIES = 32
_POINTS_MIN = 40
_GLINT_PX = (60, 9000)
_GLINT_RING_SHARE = (
    0.25  # of saturation: what surrounds a mirror's highlight stays dark, what surrounds skin's does not
)


@dataclass(frozen=True, slots=True)
class Panel:
    """A flat candidate: how far it is from flat, how much of it is seen, and whether it is dark glass or a sheet."""

    residual_mm: float
    area_mm2: float
    dark: bool


def find_panel(slab: Relief, flood: Frame | None, calibration: Calibration) -> Panel | None:
    """The flat thing in the nearest slab of space: a plane through its dark part if that is large enough, else a sheet."""
    if flood is not None:
        counts = lit(flood, slab, calibration.black_level_counts)
        full = calibration.flood_counts_per_us_at_1m * flood.exposure_us * flood.gain
        albedo = counts * (slab.z_mm * 1e-3) ** 2 / max(full, 1e-9)
        glass = _plane(slab.within(albedo <= DARK_ALBEDO), _DARK_AREA_MM2, _DARK_SHORT_MM)
        if glass is not None:
            return Panel(*glass, True)
    sheet = _plane(slab, _SHEET_AREA_MM2, _SHEET_SHORT_MM)
    return None if sheet is None else Panel(*sheet, False)


def has_glint(flood: Frame, calibration: Calibration) -> bool:
    """Whether a mirror looks into the sensor: a saturated, compact spot in dark surroundings. Glass has it, skin hasn't."""
    black, top = calibration.black_level_counts, calibration.saturation_counts
    pixels = flood.pixels[::2, ::2]
    bright = (pixels >= black + 0.97 * (top - black)).astype(np.uint8)
    count, _, stats, middles = cv2.connectedComponentsWithStats(bright, connectivity=8)
    for index in range(1, min(count, 40)):
        area_px = 4 * int(stats[index, cv2.CC_STAT_AREA])
        if not _GLINT_PX[0] <= area_px <= _GLINT_PX[1]:
            continue
        width, height = int(stats[index, cv2.CC_STAT_WIDTH]), int(stats[index, cv2.CC_STAT_HEIGHT])
        if max(width, height) > 2.5 * min(width, height) or area_px < 4 * 0.4 * width * height:
            continue
        x, y = middles[index]
        reach = max(width, height)
        rows, columns = pixels.shape
        y0, y1 = max(int(y - reach), 0), min(int(y + reach) + 1, rows)
        x0, x1 = max(int(x - reach), 0), min(int(x + reach) + 1, columns)
        window = pixels[y0:y1, x0:x1]
        dy, dx = np.ogrid[y0:y1, x0:x1]
        ring = (dy - y) ** 2 + (dx - x) ** 2 >= (0.8 * reach) ** 2
        if np.median(window[ring]) <= black + _GLINT_RING_SHARE * (top - black):
            return True
    return False


def _plane(relief: Relief, least_mm2: float, short_mm: float) -> tuple[float, float] | None:
    """The plane with the most cells on it (RANSAC): residual in mm and area, where it is large and ends within the view."""
    rows, columns = np.nonzero(relief.valid)
    if len(rows) < _POINTS_MIN or relief.area_mm2 < least_mm2:
        return None
    points = np.column_stack([relief.x_mm[rows, columns], relief.y_mm[rows, columns], relief.z_mm[rows, columns]])
    points = points.astype(np.float64)
    gap_mm = _GAP_MM_AT_400 * max(float(np.median(points[:, 2])) / 400.0, 0.7) ** 2
    rng = np.random.default_rng(len(points))
    best: NDArray[np.bool_] | None = None
    most = 0
    for _ in range(_TRIES):
        a, b, c = points[rng.integers(0, len(points), 3)]
        normal = np.cross(b - a, c - a)
        length = float(np.linalg.norm(normal))
        if length < 1.0:
            continue
        on = np.abs((points - a) @ (normal / length)) <= gap_mm
        if (count := int(np.count_nonzero(on))) > most:
            best, most = on, count
    if best is None or most < _POINTS_MIN:
        return None
    keep = np.zeros_like(relief.valid)
    keep[rows[best], columns[best]] = True
    flat = relief.within(keep)
    shape = shape_of(flat.points_mm, least=_POINTS_MIN)
    if shape is None or flat.area_mm2 < least_mm2 or shape.short_mm < short_mm or _fills_view(keep):
        return None
    return shape.plane_mm, flat.area_mm2


def _fills_view(keep: NDArray[np.bool_]) -> bool:
    """Whether it runs out of the view on opposite sides, as walls and doors do."""
    return bool((keep[:, 0].any() and keep[:, -1].any()) or (keep[0].any() and keep[-1].any()))
