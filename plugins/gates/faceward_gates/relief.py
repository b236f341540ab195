"""The shape before the sensor, on a coarse grid: what depth says of a face, or of whatever stands in its place."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from faceward.plugin import Calibration, Frame, Intrinsics
from numpy.typing import NDArray

Box = tuple[float, float, float, float]

GRID_CELLS = 72  # across the longer side of a face: 2-3 mm a cell, where a nose is 30 mm wide
CELL_SUPPORT = 0.34  # share of a cell's pixels that must have depth
FACE_DEPTH_MM = 85.0  # from the middle of the face to nose tip or ears (head breadth and length: ISO/TR 7250-2)
HEAD_DEPTH_MM = 130.0  # from the nose tip back to the ears, the same source
NEAR_CELLS = 80


@dataclass(frozen=True, slots=True, eq=False)
class Relief:
    """Points in space on a grid of cells; camera axes in mm. Arrays are (rows, columns) float32, `valid` is bool.

    `left_px`, `top_px` and `step_px` say where the cells lie in the depth frame: the middle of cell (r, c) is at
    (left_px + (c + .5) step_px - .5, top_px + (r + .5) step_px - .5).
    """

    x_mm: NDArray[np.float32]
    y_mm: NDArray[np.float32]
    z_mm: NDArray[np.float32]
    valid: NDArray[np.bool_]
    left_px: int
    top_px: int
    step_px: int
    camera: Intrinsics

    @property
    def points_mm(self) -> NDArray[np.float32]:
        """(N, 3): the valid cells."""
        keep = self.valid
        return np.column_stack([self.x_mm[keep], self.y_mm[keep], self.z_mm[keep]])

    @property
    def area_mm2(self) -> float:
        """What the valid cells cover, seen from the sensor."""
        z_mm = self.z_mm[self.valid]
        return float((z_mm * z_mm).sum(dtype=np.float64) * self.step_px**2 / (self.camera.fx_px * self.camera.fy_px))

    def within(self, keep: NDArray[np.bool_]) -> Relief:
        """The same grid with fewer valid cells."""
        return Relief(
            self.x_mm, self.y_mm, self.z_mm, self.valid & keep, self.left_px, self.top_px, self.step_px, self.camera
        )

    def at(self, x_px: float, y_px: float) -> NDArray[np.float32] | None:
        """The point in space at a pixel of the depth frame: median over the cells around it, None where unknown."""
        column = int((x_px + 0.5 - self.left_px) // self.step_px)
        row = int((y_px + 0.5 - self.top_px) // self.step_px)
        if not (0 <= row < self.valid.shape[0] and 0 <= column < self.valid.shape[1]):
            return None
        for reach in (1, 3):  # an eye socket in the shadow of the projector: look at its rim
            around = np.s_[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1]
            valid = self.valid[around]
            if np.count_nonzero(valid) >= 3:
                break
        else:
            return None
        z_mm = float(np.median(self.z_mm[around][valid]))
        camera = self.camera
        return np.array(
            [(x_px - camera.cx_px) * z_mm / camera.fx_px, (y_px - camera.cy_px) * z_mm / camera.fy_px, z_mm], np.float32
        )


def face_relief(depth: Frame, calibration: Calibration, box_px: Box, frame_px: tuple[int, int]) -> Relief | None:
    """The relief inside a face's box, given in pixels of an infrared frame of `frame_px`; None without enough depth.

    Depth is registered to the infrared camera (device.proto), so boxes only need scaling.
    """
    sx, sy = depth.width_px / frame_px[0], depth.height_px / frame_px[1]
    x, y, w, h = box_px[0] * sx, box_px[1] * sy, box_px[2] * sx, box_px[3] * sy
    if not (np.isfinite([x, y, w, h]).all() and w >= 8 and h >= 8):
        return None
    relief = _grid(depth, calibration, (x, y, w, h), GRID_CELLS)
    if relief is None:
        return None
    rows, columns = relief.valid.shape
    middle = np.s_[rows // 4 : rows - rows // 4, columns // 4 : columns - columns // 4]
    inner = relief.z_mm[middle][relief.valid[middle]]
    if inner.size < 30:
        return None
    return relief.within(np.abs(relief.z_mm - np.median(inner)) <= FACE_DEPTH_MM)


def nearest_slab(depth: Frame, calibration: Calibration, reach_mm: float) -> Relief | None:
    """Whatever stands nearest within `reach_mm`, as far back as a head reaches; None where nothing is that near."""
    whole = _grid(depth, calibration, (0.0, 0.0, float(depth.width_px), float(depth.height_px)), NEAR_CELLS)
    if whole is None:
        return None
    near = whole.valid & (whole.z_mm <= reach_mm)
    if np.count_nonzero(near) < 20:
        return None
    front_mm = float(np.percentile(whole.z_mm[near], 3))
    return whole.within(near & (whole.z_mm <= front_mm + HEAD_DEPTH_MM))


def largest_blob(relief: Relief) -> Relief | None:
    """The largest connected piece, cut where a head would end."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(relief.valid.astype(np.uint8), connectivity=8)
    if count < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    top, width = int(stats[largest, cv2.CC_STAT_TOP]), int(stats[largest, cv2.CC_STAT_WIDTH])
    keep = labels == largest
    keep[top + round(1.4 * width) :] = False  # a head is at most 1.4 times as high as it is wide; below are shoulders
    return relief.within(keep)


def _grid(depth: Frame, calibration: Calibration, box: Box, cells: int) -> Relief | None:
    left, top = max(int(box[0]), 0), max(int(box[1]), 0)
    right = min(int(np.ceil(box[0] + box[2])), depth.width_px)
    bottom = min(int(np.ceil(box[1] + box[3])), depth.height_px)
    step = max(1, round(max(right - left, bottom - top) / cells))
    columns, rows = (right - left) // step, (bottom - top) // step
    if columns < 6 or rows < 6:
        return None
    patch = depth.pixels[top : top + rows * step, left : left + columns * step]
    unit_mm = calibration.depth_unit_um / 1000.0
    low, high = calibration.depth_min_mm / unit_mm, calibration.depth_max_mm / unit_mm
    known = cv2.inRange(patch, max(low, 1.0), high) if high > 0 else (patch > 0).astype(np.uint8)
    known = (known > 0).astype(np.float32)
    share = cv2.resize(known, (columns, rows), interpolation=cv2.INTER_AREA)
    total = cv2.resize(patch.astype(np.float32) * known, (columns, rows), interpolation=cv2.INTER_AREA)
    valid = share >= CELL_SUPPORT
    z_mm = np.where(valid, total / np.maximum(share, 1e-6) * unit_mm, 0.0).astype(np.float32)
    camera = calibration.depth.scaled(depth.width_px, depth.height_px)
    x_px = left + (np.arange(columns, dtype=np.float32) + 0.5) * step - 0.5
    y_px = top + (np.arange(rows, dtype=np.float32) + 0.5) * step - 0.5
    x_mm = (x_px[None, :] - camera.cx_px) / camera.fx_px * z_mm
    y_mm = (y_px[:, None] - camera.cy_px) / camera.fy_px * z_mm
    return Relief(x_mm.astype(np.float32), y_mm.astype(np.float32), z_mm, valid, left, top, step, camera)


@dataclass(frozen=True, slots=True)
class Shape:
    """How far points lie off a plane and off a smooth bend of one (root mean square, mm); their extents."""

    plane_mm: float
    bend_mm: float
    span_mm: float
    short_mm: float


def shape_of(points_mm: NDArray[np.float32], least: int = 60) -> Shape | None:
    """Fit a plane, then a quadric over it, each refitted once without its farthest 4 %; None with too few points.

    A sheet of paper, held flat or bent to a cylinder or a cone, is a quadric to first order wherever it is held; a face
    is not, because of its nose, sockets, lips and chin.
    """
    if len(points_mm) < least:
        return None
    middle = points_mm.mean(axis=0, dtype=np.float64)
    centred = points_mm.astype(np.float64) - middle
    _, axes = np.linalg.eigh(centred.T @ centred)
    local = centred @ axes[:, ::-1]  # widest first, across the sheet last
    u, v, w = local.T
    span_mm, short_mm = float(np.ptp(u)), float(np.ptp(v))
    scale = max(span_mm / 2.0, 1.0)
    u, v = u / scale, v / scale
    plane = np.column_stack([u, v, np.ones_like(u)])
    bend = np.column_stack([u, v, np.ones_like(u), u * u, u * v, v * v])
    return Shape(_residual(plane, w), _residual(bend, w), span_mm, short_mm)


def _residual(columns: NDArray[np.float64], target: NDArray[np.float64]) -> float:
    gaps = target - columns @ _solve(columns, target)
    keep = np.abs(gaps) <= np.quantile(np.abs(gaps), 0.96)
    columns, target = columns[keep], target[keep]
    gaps = target - columns @ _solve(columns, target)
    return float(np.sqrt(np.mean(gaps * gaps)))


def _solve(columns: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least squares by normal equations; a touch of ridge keeps a degenerate sheet solvable."""
    matrix = columns.T @ columns
    matrix[np.diag_indices_from(matrix)] += 1e-9 * len(target)
    return np.linalg.solve(matrix, columns.T @ target)


def lit(frame: Frame, relief: Relief, black_counts: float) -> NDArray[np.float32]:
    """Mean counts over black of an infrared frame in each cell of a whole-frame grid: (rows, columns) float32."""
    rows, columns = relief.valid.shape
    scale = frame.width_px / relief.camera.width_px
    height, width = int(rows * relief.step_px * scale), int(columns * relief.step_px * scale)
    left, top = int(relief.left_px * scale), int(relief.top_px * scale)
    window = frame.pixels[top : top + height, left : left + width]
    cells = cv2.resize(window, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    return cells - np.float32(black_counts)


def facing(relief: Relief) -> NDArray[np.float32]:
    """Cosine between the surface and the line of sight for each cell, 0 where unknown: (rows, columns) float32."""
    weight = relief.valid.astype(np.float32)
    share = cv2.GaussianBlur(weight, (0, 0), 1.2)
    smooth = cv2.GaussianBlur(relief.z_mm * weight, (0, 0), 1.2) / np.maximum(share, 1e-3)
    camera, step = relief.camera, relief.step_px
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3, scale=0.125 / step)  # mm of depth for each pixel
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3, scale=0.125 / step)
    safe = np.maximum(smooth, 1.0)
    ray_x, ray_y = relief.x_mm / safe, relief.y_mm / safe
    # z(u, v) as a surface in space has the normal (fx z_u, fy z_v, -(z + x' ...)): the pinhole's chain rule.
    nx, ny = camera.fx_px * across, camera.fy_px * down
    nz = -(safe + nx * ray_x + ny * ray_y)
    along = (nx * ray_x + ny * ray_y + nz) / (
        np.sqrt(nx * nx + ny * ny + nz * nz) * np.sqrt(ray_x * ray_x + ray_y * ray_y + 1.0)
    )
    return np.where(relief.valid & (share > 0.75), np.clip(-along, 0.0, 1.0), 0.0).astype(np.float32)
