"""Landmarks in space: pixels and registered depth to millimetres before the camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceward.model.frame import Calibration, Frame, Intrinsics

# An eyelid's height first: a wider window blurs the axis through the eyes on a turned head (yaw's slope over simulated
# heads falls from .95 at 3 mm to .85 at 11 mm). Wider ones only where the narrow one has too little depth.
_HALF_WINDOWS_MM = (3.0, 6.0, 12.0)


def locate(
    landmarks_px: NDArray[np.float32], infrared_size_px: tuple[int, int], depth: Frame, calibration: Calibration
) -> NDArray[np.float64] | None:
    """The landmarks in camera millimetres, (N, 3) float64 with NaN rows where depth is missing around one.

    `infrared_size_px` is width and height of the frame that the landmarks are in. A landmark's depth is the median of
    what was measured within 3 mm around it, or within 6 or 12 mm where that is too little. None when the depth frame
    shows nothing at any of them.
    """
    camera = calibration.infrared.scaled(*infrared_size_px)
    unit_mm = calibration.depth_unit_um / 1000.0
    sx, sy = depth.width_px / infrared_size_px[0], depth.height_px / infrared_size_px[1]
    pixels = depth.pixels
    points = np.full((len(landmarks_px), 3), np.nan)
    for row, (x_px, y_px) in enumerate(landmarks_px):
        column, line = (x_px + 0.5) * sx - 0.5, (y_px + 0.5) * sy - 0.5
        z_mm = _median_mm(pixels, column, line, calibration, unit_mm, camera.fx_px * sx)
        if z_mm is not None:
            points[row] = unproject(x_px, y_px, z_mm, camera)
    return None if np.isnan(points).all() else points


def unproject_frame(depth: Frame, calibration: Calibration) -> NDArray[np.float32]:
    """Every valid pixel of a depth frame in camera millimetres, (N, 3) float32."""
    camera = calibration.depth.scaled(depth.width_px, depth.height_px)
    unit_mm = calibration.depth_unit_um / 1000.0
    pixels = depth.pixels
    lines, columns = np.nonzero(
        (pixels >= calibration.depth_min_mm / unit_mm) & (pixels <= calibration.depth_max_mm / unit_mm)
    )
    z = pixels[lines, columns] * np.float32(unit_mm)
    x = (columns - np.float32(camera.cx_px)) * z / np.float32(camera.fx_px)
    y = (lines - np.float32(camera.cy_px)) * z / np.float32(camera.fy_px)
    return np.column_stack([x, y, z]).astype(np.float32)


def unproject(x_px: float, y_px: float, z_mm: float, camera: Intrinsics) -> tuple[float, float, float]:
    """A pixel at a depth, in camera millimetres."""
    return (x_px - camera.cx_px) * z_mm / camera.fx_px, (y_px - camera.cy_px) * z_mm / camera.fy_px, z_mm


def _median_mm(
    pixels: NDArray[np.uint16], column: float, line: float, calibration: Calibration, unit_mm: float, focal_px: float
) -> float | None:
    low, high = calibration.depth_min_mm / unit_mm, calibration.depth_max_mm / unit_mm
    for half_mm in _HALF_WINDOWS_MM:
        reach = max(1, round(half_mm * focal_px / 400.0))
        left, top = round(float(column)) - reach, round(float(line)) - reach
        patch = pixels[max(0, top) : max(0, top + 2 * reach + 1), max(0, left) : max(0, left + 2 * reach + 1)]
        valid = patch[(patch >= low) & (patch <= high)]
        if valid.size >= max(3, patch.size // 8):
            return float(np.median(valid)) * unit_mm
    return None
