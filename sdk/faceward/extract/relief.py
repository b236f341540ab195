"""The relief of a face: how far its surface stands before the plane of eyes and mouth, on a grid of its own.

The grid lies in the face's axes (eyes level, middle of eyes and mouth as origin), so that distance and a turned head
change nothing; heights are in millimetres.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceward.face.points import locate, unproject_frame
from faceward.model.capture import KeyFrame
from faceward.model.frame import Calibration

CELLS = 12
HALF_WIDTH_MM = 60.0
HALF_HEIGHT_MM = 66.0
HEIGHT_MAX_MM = 60.0  # a nose with depth noise; beyond it something else stands there
CELLS_KNOWN_MIN = 0.6  # of the grid: a turned or half-covered face has less


def measure_relief(key_frame: KeyFrame, calibration: Calibration) -> NDArray[np.float32] | None:
    """(144,) float32 heights in mm, row by row, with unknown cells filled from their neighbours.

    The plane of least squares is taken out, so that a slanted plane fit of eyes and mouth does no harm. None without
    depth at eyes or mouth, or with less than 60 % of the grid known.
    """
    flood, depth, landmarks_px = key_frame.flood, key_frame.depth, key_frame.sighting.landmarks_px
    if depth is None:
        return None
    points = locate(landmarks_px, (flood.width_px, flood.height_px), depth, calibration)
    if points is None or np.isnan(points[[0, 1, 3, 4]]).any():
        return None
    right_eye, left_eye, _, right_mouth, left_mouth = points
    across = (left_eye - right_eye) + (left_mouth - right_mouth)
    down = (right_mouth + left_mouth - right_eye - left_eye) / 2
    if np.linalg.norm(across) < 20.0 or np.linalg.norm(down) < 20.0:
        return None
    across /= np.linalg.norm(across)
    down -= (down @ across) * across
    down /= np.linalg.norm(down)
    before = -np.cross(across, down)  # towards the sensor
    origin = (right_eye + left_eye + right_mouth + left_mouth) / 4
    cloud = unproject_frame(depth, calibration) - origin
    u, v, w = cloud @ across, cloud @ down, cloud @ before
    inside = (np.abs(u) < HALF_WIDTH_MM) & (np.abs(v) < HALF_HEIGHT_MM) & (np.abs(w) < HEIGHT_MAX_MM)
    column = ((u[inside] + HALF_WIDTH_MM) / (2 * HALF_WIDTH_MM) * CELLS).astype(int)
    row = ((v[inside] + HALF_HEIGHT_MM) / (2 * HALF_HEIGHT_MM) * CELLS).astype(int)
    cell = row * CELLS + column
    counts = np.bincount(cell, minlength=CELLS * CELLS)
    heights = np.bincount(cell, weights=w[inside], minlength=CELLS * CELLS)
    known = counts >= 3
    if known.mean() < CELLS_KNOWN_MIN:
        return None
    grid = np.where(known, heights / np.maximum(counts, 1), np.nan)
    return _flatten(_filled(grid.reshape(CELLS, CELLS)), known.reshape(CELLS, CELLS)).astype(np.float32).ravel()


def relief_distance_mm(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Root mean square height difference of two reliefs over the ellipse of the face, in mm."""
    axis = (np.arange(CELLS) + 0.5) / CELLS * 2 - 1
    face = (axis[:, None] ** 2 + axis[None, :] ** 2 <= 0.9).ravel()
    return float(np.sqrt(np.mean((a[face].astype(np.float64) - b[face]) ** 2)))


def _filled(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unknown cells take the mean of the known ones around them, outwards until all are known."""
    while np.isnan(grid).any():
        padded = np.pad(grid, 1, constant_values=np.nan)
        around = np.stack([
            padded[1 + dy : 1 + dy + CELLS, 1 + dx : 1 + dx + CELLS] for dy in (-1, 0, 1) for dx in (-1, 0, 1)
        ])  # fmt: skip
        known = ~np.isnan(around)
        mean = np.where(known, around, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        grid = np.where(np.isnan(grid) & known.any(axis=0), mean, grid)
    return grid


def _flatten(grid: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    lines, columns = np.mgrid[0:CELLS, 0:CELLS]
    design = np.column_stack([lines.ravel(), columns.ravel(), np.ones(CELLS * CELLS)])
    plane, *_ = np.linalg.lstsq(design[known.ravel()], grid.ravel()[known.ravel()], rcond=None)
    return grid - (design @ plane).reshape(CELLS, CELLS)
