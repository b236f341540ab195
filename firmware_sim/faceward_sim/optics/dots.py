"""Projected dots: where each lands, whether the camera sees it, and the light it leaves in the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceward_sim.optics.diffusion import ENTRIES, SpreadTables
from faceward_sim.optics.geometry import Geometry, Pinhole
from faceward_sim.optics.kernel import kernel
from faceward_sim.optics.panes import Panes
from faceward_sim.optics.pattern import DotPattern
from faceward_sim.optics.rasterise import Rasteriser, project
from faceward_sim.optics.reflection import lobe, sample

_SPILL_MM = 2.0  # a hit this far behind what the camera sees at its pixel still counts as seen


class DotProjector:
    """Casts a unit's dots onto a scene and adds their light to an image.

    Args:
        pattern: the design's pattern.
        x_px, y_px: where this unit's dots truly go, (dots,) in the pattern's coordinates.
        brightness: each dot's power over the mean, (dots,).
        baseline_mm: the projector's place on the camera's x axis.
        blur_sigma_px: spot and lens together.
    """

    def __init__(
        self,
        pattern: DotPattern,
        x_px: NDArray[np.float64],
        y_px: NDArray[np.float64],
        brightness: NDArray[np.float64],
        baseline_mm: float,
        blur_sigma_px: float,
    ) -> None:
        self._pattern = pattern
        self._x_px, self._y_px = x_px.astype(np.float32), y_px.astype(np.float32)
        self._brightness = brightness.astype(np.float32)
        self._projector = Pinhole(0, 0, pattern.f_px, 0.0, 0.0, baseline_mm)
        self._profiles = SpreadTables(blur_sigma_px)
        self._blur = blur_sigma_px
        count = len(x_px)
        self._hit_triangle = np.zeros(count, np.int32)
        self._hit_inverse = np.zeros(count, np.float32)
        self._x = self._y = self._inverse = np.zeros(0, np.float32)
        self.spots = np.zeros((count, 8), np.float32)  # u, v, diffuse, specular, inverse z, tilt x, tilt y, squeeze
        self.spot_surface = np.zeros(count, np.int32)  # -1: not seen

    def add(
        self,
        geometry: Geometry,
        view: Rasteriser,
        dot_counts_at_1m: float,
        shift_px: float,
        speckle: NDArray[np.float32],
        out: NDArray[np.float32],
        panes: Panes | None = None,
    ) -> None:
        """Add every seen dot's light to `out` (rows, columns), in counts.

        Args:
            view: the camera's drawn view of `geometry`.
            dot_counts_at_1m: one dot's sum on a square Lambertian target of reflectance 1 at 1 m in this slot.
            shift_px: how far heat has turned the projector, in the pattern's coordinates.
            speckle: (dots, 3): a shift in x and y in pixels, and a factor on the light.
            panes: the clear sheets of `geometry`, drawn by the same camera.
        """
        lit = dot_counts_at_1m, shift_px, speckle
        self._strike(geometry, view, *lit, self.spots, self.spot_surface)
        behind = panes is not None and panes.there
        if behind:
            _dim(panes, self.spots)
        self._draw(self.spots, self._choose_tables(geometry, view.camera.f_px), out)
        if behind:
            for face in panes.faces:
                spots, sheet = np.zeros_like(self.spots), np.full_like(self.spot_surface, -1)
                self._strike(face.geometry, face.view, *lit, spots, sheet)
                mirrored = (sheet >= 0) & (spots[:, 3] > 0)
                mirrored[mirrored] = panes.passed[_pixel(spots[mirrored], panes.passed.shape)] < 1
                # A sheet returns no diffuse light, so that no spread is asked for.
                self._draw(spots, np.where(mirrored, 0, -1).astype(np.int32), out)

    def _strike(
        self,
        geometry: Geometry,
        view: Rasteriser,
        dot_counts_at_1m: float,
        shift_px: float,
        speckle: NDArray[np.float32],
        spots: NDArray[np.float32],
        spot_surface: NDArray[np.int32],
    ) -> None:
        """Find where each dot lands, and fill `spots` and `spot_surface`."""
        if len(self._x) != len(geometry.vertices_mm):
            self._x, self._y, self._inverse = (np.zeros(len(geometry.vertices_mm), np.float32) for _ in range(3))
        p = self._projector
        project(geometry.vertices_mm, p.f_px, -shift_px, 0.0, p.x_mm, self._x, self._y, self._inverse)
        pattern = self._pattern
        _cast(
            geometry.triangles,
            self._x,
            self._y,
            self._inverse,
            self._x_px,
            self._y_px,
            pattern.left_px,
            pattern.top_px,
            pattern.pitch_px,
            pattern.rows,
            pattern.columns,
            self._hit_triangle,
            self._hit_inverse,
        )
        camera = view.camera
        _light(
            geometry.triangles,
            geometry.vertices_mm,
            geometry.uv,
            geometry.normals,
            geometry.triangle_surface,
            geometry.texels,
            geometry.mips,
            geometry.lobes,
            view.inverse_depth,
            view.triangle,
            view.detail,
            self._x_px,
            self._y_px,
            self._brightness,
            speckle,
            self._hit_triangle,
            self._hit_inverse,
            p.f_px,
            shift_px,
            p.x_mm,
            camera.f_px,
            camera.cx_px,
            camera.cy_px,
            dot_counts_at_1m * 1e6,
            spots,
            spot_surface,
        )

    def _draw(self, spots: NDArray[np.float32], table: NDArray[np.int32], out: NDArray[np.float32]) -> None:
        profiles = self._profiles
        _splat(
            spots,
            table,
            profiles.tables,
            profiles.reach_px,
            profiles.half_px,
            profiles.mirror,
            np.float32(self._blur),
            out,
        )

    def _choose_tables(self, geometry: Geometry, f_px: float) -> NDArray[np.int32]:
        table = np.full(len(self.spots), -1, np.int32)
        for surface, material in enumerate(geometry.materials):
            mine = np.flatnonzero(self.spot_surface == surface)
            if not len(mine):
                continue
            inverse = self.spots[mine, 4]
            step = self._profiles.steps(f_px * inverse)
            low, high = int(step.min()), int(step.max())
            rows = np.array([self._profiles.row(material, s) for s in range(low, high + 1)], np.int32)
            table[mine] = rows[step - low]
        return table


def _pixel(spots: NDArray[np.float32], shape: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pixel nearest to each spot; the border's for what lies outside."""
    y, x = (np.rint(spots[:, k]).astype(np.int64) for k in (1, 0))
    return np.clip(y, 0, shape[0] - 1), np.clip(x, 0, shape[1] - 1)


def _dim(panes: Panes, spots: NDArray[np.float32]) -> None:
    """Take what a sheet takes from dots behind it: projector and lens are so near that they pass it twice."""
    at = _pixel(spots, panes.passed.shape)
    behind = panes.inverse_depth[at] > spots[:, 4]
    spots[:, 2:4] *= np.where(behind, panes.passed[at], 1.0).astype(np.float32)[:, None]


@kernel
def _cast(triangles, x, y, inverse, dot_x, dot_y, left, top, pitch, rows, columns, hit_triangle, hit_inverse):
    """The nearest triangle on every dot's ray: a dot lies in its own cell, so a triangle asks few of them."""
    for k in range(len(hit_triangle)):
        hit_triangle[k] = -1
        hit_inverse[k] = 0.0
    per = 1.0 / pitch
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ia, ib, ic = inverse[a], inverse[b], inverse[c]
        if ia <= 0.0 or ib <= 0.0 or ic <= 0.0:
            continue
        ax, bx, cx = x[a], x[b], x[c]
        ay, by, cy = y[a], y[b], y[c]
        first = (min(ax, bx, cx) - left) * per
        last = (max(ax, bx, cx) - left) * per
        upper = (min(ay, by, cy) - top) * per
        lower = (max(ay, by, cy) - top) * per
        if first >= columns or last < 0.0 or upper >= rows or lower < 0.0:
            continue
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if abs(area) < 1e-9:
            continue
        scale = 1.0 / area
        for row in range(max(int(upper), 0), min(int(lower), rows - 1) + 1):
            for column in range(max(int(first), 0), min(int(last), columns - 1) + 1):
                k = row * columns + column
                dx, dy = dot_x[k] - ax, dot_y[k] - ay
                wb = (dx * (cy - ay) - dy * (cx - ax)) * scale
                wc = (dy * (bx - ax) - dx * (by - ay)) * scale
                wa = 1.0 - wb - wc
                if wa >= -1e-6 and wb >= -1e-6 and wc >= -1e-6:
                    depth = wa * ia + wb * ib + wc * ic
                    if depth > hit_inverse[k]:
                        hit_inverse[k] = depth
                        hit_triangle[k] = t


@kernel
def _light(
    triangles,
    vertices,
    uv,
    normals,
    surface,
    texels,
    mips,
    lobes,
    inverse_depth,
    triangle,
    detail,
    dot_x,
    dot_y,
    brightness,
    speckle,
    hit_triangle,
    hit_inverse,
    projector_f,
    shift,
    baseline,
    f_px,
    cx_px,
    cy_px,
    power,
    spots,
    spot_surface,
):
    rows, columns = inverse_depth.shape
    for k in range(len(hit_triangle)):
        spot_surface[k] = -1
        t = hit_triangle[k]
        if t < 0:
            continue
        z = 1.0 / hit_inverse[k]
        ray_x, ray_y = (dot_x[k] + shift) / projector_f, dot_y[k] / projector_f
        px, py = baseline + ray_x * z, ray_y * z
        u, v = px / z * f_px + cx_px, py / z * f_px + cy_px
        if u < -20.0 or v < -20.0 or u > columns + 19.0 or v > rows + 19.0:
            continue
        if u >= 0.0 and v >= 0.0 and u < columns - 1 and v < rows - 1:
            seen = False
            x0, y0 = int(u), int(v)
            for y in range(y0, y0 + 2):
                for x in range(x0, x0 + 2):
                    at = inverse_depth[y, x]
                    if at <= 0.0 or triangle[y, x] == t or z < 1.0 / at + _SPILL_MM:
                        seen = True
            if not seen:
                continue
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        # Weights of the hit in its triangle, from areas in space.
        e1x, e1y, e1z = (
            vertices[b, 0] - vertices[a, 0],
            vertices[b, 1] - vertices[a, 1],
            vertices[b, 2] - vertices[a, 2],
        )
        e2x, e2y, e2z = (
            vertices[c, 0] - vertices[a, 0],
            vertices[c, 1] - vertices[a, 1],
            vertices[c, 2] - vertices[a, 2],
        )
        qx, qy, qz = px - vertices[a, 0], py - vertices[a, 1], z - vertices[a, 2]
        d11 = e1x * e1x + e1y * e1y + e1z * e1z
        d12 = e1x * e2x + e1y * e2y + e1z * e2z
        d22 = e2x * e2x + e2y * e2y + e2z * e2z
        q1 = qx * e1x + qy * e1y + qz * e1z
        q2 = qx * e2x + qy * e2y + qz * e2z
        unit = d11 * d22 - d12 * d12
        if unit <= 0.0:
            continue
        wb = (d22 * q1 - d12 * q2) / unit
        wc = (d11 * q2 - d12 * q1) / unit
        wa = 1.0 - wb - wc
        nx = wa * normals[a, 0] + wb * normals[b, 0] + wc * normals[c, 0]
        ny = wa * normals[a, 1] + wb * normals[b, 1] + wc * normals[c, 1]
        nz = wa * normals[a, 2] + wb * normals[b, 2] + wc * normals[c, 2]
        flat_x, flat_y, flat_z = e1y * e2z - e1z * e2y, e1z * e2x - e1x * e2z, e1x * e2y - e1y * e2x
        # Turned towards the camera, whichever side of the sheet that is; lit from the same side, or not at all.
        to_camera = -(flat_x * px + flat_y * py + flat_z * z)
        to_projector = -(flat_x * (px - baseline) + flat_y * py + flat_z * z)
        if to_camera * to_projector <= 0.0:
            continue
        unit = (1.0 if to_camera > 0.0 else -1.0) / np.sqrt(nx * nx + ny * ny + nz * nz + 1e-12)
        nx *= unit
        ny *= unit
        nz *= unit
        far = np.sqrt(px * px + py * py + z * z)
        vx, vy, vz = -px / far, -py / far, -z / far
        ndv = nx * vx + ny * vy + nz * vz
        if ndv <= 0.02:
            continue
        s = surface[t]
        level = int(detail[t, 0])
        reflectance = sample(
            texels,
            mips[s, level, 0],
            mips[s, level, 1],
            mips[s, level, 2],
            np.float32(wa * uv[a, 0] + wb * uv[b, 0] + wc * uv[c, 0]),
            np.float32(wa * uv[a, 1] + wb * uv[b, 1] + wc * uv[c, 1]),
        )
        # The whole beam lands, however the surface leans; what reaches the lens goes by the camera's cosine alone.
        # The chip is flat-fielded, which leaves 1 / cos(field angle) on the sum over a small spot.
        energy = power * brightness[k] * speckle[k, 2] * far / (z * z * z)
        mirror = 0.0
        f0 = lobes[s, 0]
        if f0 > 0.0:
            lx, ly, lz = baseline - px, -py, -z
            unit = 1.0 / np.sqrt(lx * lx + ly * ly + lz * lz)
            lx *= unit
            ly *= unit
            lz *= unit
            ndl = nx * lx + ny * ly + nz * lz
            hx, hy, hz = lx + vx, ly + vy, lz + vz
            unit = 1.0 / np.sqrt(hx * hx + hy * hy + hz * hz)
            ndh = (nx * hx + ny * hy + nz * hz) * unit
            vdh = (vx * hx + vy * hy + vz * hz) * unit
            if ndl > 0.02 and ndh > 0.0:
                mirror = lobe(
                    np.float32(ndl),
                    np.float32(ndv),
                    np.float32(ndh),
                    np.float32(vdh),
                    f0,
                    lobes[s, 1] * lobes[s, 1],
                )
                mirror *= ndv / ndl
        spots[k, 0] = u + speckle[k, 0]
        spots[k, 1] = v + speckle[k, 1]
        spots[k, 2] = energy * reflectance * ndv
        spots[k, 3] = energy * mirror
        spots[k, 4] = hit_inverse[k]
        lean = np.sqrt(nx * nx + ny * ny)
        spots[k, 5] = nx / lean if lean > 1e-6 else 1.0
        spots[k, 6] = ny / lean if lean > 1e-6 else 0.0
        spots[k, 7] = ndv
        spot_surface[k] = s


@kernel
def _splat(spots, table, tables, reach, half, mirror, blur, out):
    """Add every spot's profile. Leaning surfaces squeeze the spread, not the blur, along the lean."""
    rows, columns = out.shape
    last = np.float32(ENTRIES - 1)
    zero, one, two = np.float32(0), np.float32(1), np.float32(2)
    row = np.zeros(128, np.float32)
    for k in range(spots.shape[0]):
        n = table[k]
        if n < 0:
            continue
        u, v = spots[k, 0], spots[k, 1]
        tx, ty = spots[k, 5], spots[k, 6]
        for part in range(2):
            light = spots[k, 2 + part]
            if light <= zero:
                continue
            if part == 1:
                n = mirror
            radius = reach[n]
            # The blurred spread's variance scale along the lean against across it.
            wide = half[n] * half[n]
            soft = np.float32(1.386) * blur * blur
            squeeze = max((wide * spots[k, 7] * spots[k, 7] + soft) / (wide + soft), np.float32(0.1))
            lean = one / squeeze - one
            light = light / np.sqrt(squeeze)
            step = last / (radius * radius)
            profile = tables[n]
            top, bottom = max(int(np.ceil(v - radius)), 0), min(int(np.floor(v + radius)), rows - 1)
            for y in range(top, bottom + 1):
                dy = np.float32(y) - v
                chord = radius * radius - dy * dy
                if chord <= zero:
                    continue
                chord = np.sqrt(chord)
                left = max(int(np.ceil(u - chord)), 0)
                width = min(int(np.floor(u + chord)), columns - 1) + 1 - left
                # r squared, lean included, is a quadratic along the row.
                begin = np.float32(left) - u
                square = (one + lean * tx * tx) * step
                linear = two * lean * tx * ty * dy * step
                constant = (one + lean * ty * ty) * dy * dy * step
                for x in range(width):
                    dx = begin + np.float32(x)
                    at = min((square * dx + linear) * dx + constant, last)
                    i = np.int32(at)
                    share = at - np.float32(i)
                    row[x] = profile[i] + share * (profile[i + 1] - profile[i])
                line = out[y]
                for x in range(width):
                    line[left + x] += light * row[x]
