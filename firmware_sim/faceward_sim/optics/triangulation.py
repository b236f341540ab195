"""Depth from a dots image, as the sensor's own processor computes it: detect, match, triangulate, fill.

Nothing here knows the scene. What the camera cannot tell from its picture and the factory's numbers has no depth.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceward_sim.firmware.imager import FactoryCalibration
from faceward_sim.optics.kernel import kernel
from faceward_sim.optics.pattern import DotPattern

_CANDIDATES = 8
_LOST = -1.0
_OFF_ROW_PX = 0.8  # how far from its row a dot may be found
_SMOOTH_PX = 1.0
# A peak must rise by 1.2 % of the range, as such processors demand before they trust a dot (L): black glass returns
# less and stays empty.
_LEAST_SHARE = 0.012
_AROUND = [(r, c) for r in range(-2, 3) for c in range(-2, 3) if (r, c) != (0, 0)]


class DepthProcessor:
    """Finds depth in dots images.

    Args:
        pattern: gives the order of the dots (who neighbours whom).
        tangents: (dots, 2) float64, each dot's direction from the projector as the factory measured it.
        calibration: the factory's.
        disparity_step_px: to what disparities are rounded.
    """

    def __init__(
        self,
        pattern: DotPattern,
        tangents: NDArray[np.float64],
        calibration: FactoryCalibration,
        disparity_step_px: float,
    ) -> None:
        camera = calibration.infrared
        self._calibration = calibration
        self._step = disparity_step_px
        self._grid = (pattern.rows, pattern.columns)
        self._pitch = camera.fx_px * pattern.pitch_px / pattern.f_px
        self._reference = (tangents * (camera.fx_px, camera.fy_px) + (camera.cx_px, camera.cy_px)).astype(np.float32)
        self._buckets, self._bucket_of = _by_row(self._reference[:, 1], camera.height_px)
        count = len(tangents)
        self._neighbours = _neighbours(*self._grid)
        between = np.abs(self._reference[self._neighbours] - self._reference[:, None]).sum(2)
        self._allowed = (0.4 + 0.1 * between).astype(np.float32)  # how far neighbours' disparities may lie apart
        most = camera.width_px * camera.height_px // 16
        self._found = np.zeros((most, 2), np.float32)
        self._candidate = np.zeros((count, _CANDIDATES), np.float32)
        self._source = np.zeros((count, _CANDIDATES), np.int32)
        self._candidates = np.zeros(count, np.int32)
        self._owner = np.zeros(most, np.int32)
        self._matched = np.zeros((count, 3), np.float32)  # disparity (-1: none), x, y
        shape = (camera.height_px, camera.width_px)
        self._light, self._smooth, self._mean = (np.zeros(shape, np.float32) for _ in range(3))
        self._disparity = np.zeros(shape, np.float32)

    def depth(self, infrared: NDArray[np.uint16], gain: float) -> NDArray[np.uint16]:
        """Depth in depth units (rows, columns), registered to the infrared image; 0 where there is none."""
        c = self._calibration
        np.subtract(infrared, np.float32(c.black_level_counts), out=self._light)
        cv2.GaussianBlur(self._light, (0, 0), _SMOOTH_PX, dst=self._smooth)
        cv2.blur(self._light, (15, 15), dst=self._mean)
        noise = c.read_noise_counts * gain
        found = _detect(
            infrared,
            self._smooth,
            self._mean,
            np.float32(noise * noise),
            np.float32(c.counts_per_electron * gain),
            np.float32(c.saturation_counts),
            np.float32(_LEAST_SHARE * (c.saturation_counts - c.black_level_counts)),
            self._found,
        )
        constant = c.baseline_mm * c.infrared.fx_px
        _match(
            self._found[:found],
            self._reference,
            self._buckets,
            self._bucket_of,
            self._neighbours,
            self._allowed,
            constant / c.depth_max_mm,
            constant / c.depth_min_mm,
            self._step,
            self._candidate,
            self._source,
            self._candidates,
            self._owner,
            self._matched,
        )
        self._disparity.fill(0.0)
        out = np.empty(infrared.shape, np.uint16)
        _fill(
            self._matched,
            self._grid[0],
            self._grid[1],
            constant,
            c.infrared.fx_px,
            self._pitch,
            1000.0 / c.depth_unit_um,
            self._disparity,
            out,
        )
        return out

    def matched(self) -> NDArray[np.float32]:
        """For tests and pictures: of the last image, (dots, 3) disparity (-1: not found), x and y in pixels."""
        return self._matched


def _by_row(y_px: NDArray[np.float32], rows: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """(first place of each image row in the second array, dots in order of their row)."""
    row = np.floor(y_px).astype(np.int64)
    order = np.argsort(row, kind="stable")
    starts = np.searchsorted(row[order], np.arange(-1, rows + 2))
    return starts.astype(np.int32), order.astype(np.int32)


def _neighbours(rows: int, columns: int) -> NDArray[np.int32]:
    table = np.full((rows, columns, len(_AROUND)), -1, np.int32)
    for n, (dr, dc) in enumerate(_AROUND):
        r, c = np.mgrid[0:rows, 0:columns]
        inside = (r + dr >= 0) & (r + dr < rows) & (c + dc >= 0) & (c + dc < columns)
        table[..., n] = np.where(inside, (r + dr) * columns + c + dc, -1)
    return table.reshape(rows * columns, len(_AROUND))


@kernel
def _detect(raw, smooth, mean, read2, per_electron, saturation, least, found):
    """Peaks that stand out of their surroundings, to a fraction of a pixel. Returns how many."""
    rows, columns = smooth.shape
    count = 0
    for y in range(2, rows - 2):
        for x in range(2, columns - 2):
            peak = smooth[y, x]
            over = peak - mean[y, x]
            around = max(mean[y, x], np.float32(0.0))
            if over < least or over < np.float32(0.2) * around:
                continue
            # Smoothing by 1 px leaves .28 of white noise; five times that.
            if over * over < np.float32(25 * 0.28 * 0.28) * (read2 + around * per_electron):
                continue
            a, b, c = smooth[y - 1, x - 1], smooth[y - 1, x], smooth[y - 1, x + 1]
            d, f = smooth[y, x - 1], smooth[y, x + 1]
            g, h, i = smooth[y + 1, x - 1], smooth[y + 1, x], smooth[y + 1, x + 1]
            if not (peak > a and peak > b and peak > c and peak > d):
                continue
            if not (peak >= f and peak >= g and peak >= h and peak >= i):
                continue
            clipped = 0
            for yy in range(y - 1, y + 2):
                for xx in range(x - 1, x + 2):
                    if raw[yy, xx] >= saturation:
                        clipped += 1
            if clipped > 4:
                continue
            # The paraboloid through the nine, by least squares.
            gx = ((c + f + i) - (a + d + g)) / 6.0
            gy = ((g + h + i) - (a + b + c)) / 6.0
            xx2 = ((a + d + g + c + f + i) - 2.0 * (b + peak + h)) / 3.0
            yy2 = ((a + b + c + g + h + i) - 2.0 * (d + peak + f)) / 3.0
            xy = (a - c - g + i) / 4.0
            unit = xx2 * yy2 - xy * xy
            if unit <= 0.0 or xx2 >= 0.0:
                continue
            sx = (xy * gy - yy2 * gx) / unit
            sy = (xy * gx - xx2 * gy) / unit
            if abs(sx) > 1.0 or abs(sy) > 1.0:
                continue
            if count < found.shape[0]:
                found[count, 0] = x + sx
                found[count, 1] = y + sy
                count += 1
    return count


@kernel
def _match(
    found,
    reference,
    buckets,
    bucket_of,
    neighbours,
    allowed,
    least,
    most,
    step,
    candidate,
    source,
    candidates,
    owner,
    matched,
):
    """Give each dot of the pattern the peak on its row whose disparity its neighbours share."""
    count = reference.shape[0]
    last_row = len(buckets) - 3
    for k in range(count):
        candidates[k] = 0
        matched[k, 0] = _LOST
    for i in range(found.shape[0]):
        owner[i] = -1
        x, y = found[i, 0], found[i, 1]
        row = int(y)
        for r in range(max(row - 1, 0), min(row + 1, last_row - 1) + 1):
            for place in range(buckets[r + 1], buckets[r + 2]):
                k = bucket_of[place]
                disparity = x - reference[k, 0]
                if disparity < least or disparity > most or abs(y - reference[k, 1]) > _OFF_ROW_PX:
                    continue
                n = candidates[k]
                if n < _CANDIDATES:
                    candidate[k, n] = disparity
                    source[k, n] = i
                    candidates[k] = n + 1
    around = neighbours.shape[1]
    for k in range(count):
        best, best_support = -1, 5
        for n in range(candidates[k]):
            mine = candidate[k, n]
            support = 0
            for m in range(around):
                other = neighbours[k, m]
                if other < 0:
                    continue
                for o in range(candidates[other]):
                    if abs(candidate[other, o] - mine) < allowed[k, m]:
                        support += 1
                        break
            if support > best_support:
                best, best_support = n, support
        if best < 0:
            continue
        i = source[k, best]
        # One peak serves one dot: the better supported.
        if owner[i] >= 0:
            if matched[owner[i], 1] >= best_support:
                continue
            matched[owner[i], 0] = _LOST
        owner[i] = k
        matched[k, 0] = candidate[k, best]
        matched[k, 1] = best_support
        matched[k, 2] = i
    # What was chosen must agree with what was chosen around it.
    for k in range(count):
        if matched[k, 0] < 0.0:
            continue
        agree = against = 0
        for m in range(around):
            other = neighbours[k, m]
            if other < 0 or matched[other, 0] < 0.0:
                continue
            if abs(matched[other, 0] - matched[k, 0]) < allowed[k, m]:
                agree += 1
            else:
                against += 1
        if agree < 4 or agree < against:
            # Struck out below, so that this pass's order does not matter.
            matched[k, 1] = -1.0
    for k in range(count):
        if matched[k, 0] < 0.0:
            continue
        if matched[k, 1] < 0.0:
            matched[k, 0] = _LOST
            continue
        i = int(matched[k, 2])
        matched[k, 0] = np.floor(matched[k, 0] / step + 0.5) * step
        matched[k, 1] = found[i, 0]
        matched[k, 2] = found[i, 1]


@kernel
def _fill(matched, grid_rows, grid_columns, constant, f_px, pitch, units_per_mm, disparity, out):
    """Disparity is a plane over each triangle of neighbouring dots; none is drawn across a jump."""
    rows, columns = disparity.shape
    corner = np.zeros(3, np.int64)
    for r in range(grid_rows - 1):
        for c in range(grid_columns - 1):
            k = r * grid_columns + c
            p, q, s, t = k, k + 1, k + grid_columns, k + grid_columns + 1
            have_p, have_q = matched[p, 0] > 0.0, matched[q, 0] > 0.0
            have_s, have_t = matched[s, 0] > 0.0, matched[t, 0] > 0.0
            if have_p + have_q + have_s + have_t < 3:
                continue
            # Two triangles on the shorter diagonal, or the one that is there.
            across = True  # along q-s
            if have_p and have_t:
                if have_q and have_s:
                    pt = (matched[p, 1] - matched[t, 1]) ** 2 + (matched[p, 2] - matched[t, 2]) ** 2
                    qs = (matched[q, 1] - matched[s, 1]) ** 2 + (matched[q, 2] - matched[s, 2]) ** 2
                    across = qs <= pt
                else:
                    across = False
            for half in range(2):
                if across:
                    corner[0] = p if half == 0 else t
                    corner[1] = q if half == 0 else s
                    corner[2] = s if half == 0 else q
                else:
                    corner[0] = p
                    corner[1] = q if half == 0 else t
                    corner[2] = t if half == 0 else s
                da, db, dc = matched[corner[0], 0], matched[corner[1], 0], matched[corner[2], 0]
                if da <= 0.0 or db <= 0.0 or dc <= 0.0:
                    continue
                ax, ay = matched[corner[0], 1], matched[corner[0], 2]
                bx, by = matched[corner[1], 1], matched[corner[1], 2]
                cx, cy = matched[corner[2], 1], matched[corner[2], 2]
                longest = max((ax - bx) ** 2 + (ay - by) ** 2, (bx - cx) ** 2 + (by - cy) ** 2)
                longest = max(longest, (cx - ax) ** 2 + (cy - ay) ** 2)
                if longest > (3.0 * pitch) ** 2:
                    continue
                nearest = constant / max(da, db, dc)
                step = constant / min(da, db, dc) - nearest
                # Steeper than 70 degrees and more than 3 mm is a jump.
                if step > 3.0 + 2.75 * np.sqrt(longest) * nearest / f_px:
                    continue
                area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
                if area <= 0.5:  # turned over: something stands before something
                    continue
                scale = 1.0 / area
                wb_x, wb_y = (cy - ay) * scale, -(cx - ax) * scale
                wc_x, wc_y = -(by - ay) * scale, (bx - ax) * scale
                left, right = max(int(np.ceil(min(ax, bx, cx))), 0), min(int(max(ax, bx, cx)), columns - 1)
                top, bottom = max(int(np.ceil(min(ay, by, cy))), 0), min(int(max(ay, by, cy)), rows - 1)
                for y in range(top, bottom + 1):
                    for x in range(left, right + 1):
                        wb = wb_x * (x - ax) + wb_y * (y - ay)
                        wc = wc_x * (x - ax) + wc_y * (y - ay)
                        if wb >= -1e-5 and wc >= -1e-5 and wb + wc <= 1.00001:
                            value = da + wb * (db - da) + wc * (dc - da)
                            if value > disparity[y, x]:
                                disparity[y, x] = value
    to_units = constant * units_per_mm
    for y in range(rows):
        for x in range(columns):
            value = disparity[y, x]
            out[y, x] = np.uint16(min(to_units / value + 0.5, 65535.0)) if value > 0.0 else np.uint16(0)
