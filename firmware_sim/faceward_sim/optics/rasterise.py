"""What a camera sees of a scene: for every pixel the nearest triangle and its depth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceward_sim.optics.geometry import MIP_LEVELS, NEAR_MM, Geometry, Pinhole
from faceward_sim.optics.kernel import kernel

_EDGE = -1e-6  # a weight from which a pixel is within: none may fall between two triangles


class Rasteriser:
    """A z-buffer over reused arrays.

    After `draw`: `inverse_depth` (rows, columns) float32 in 1/mm (0: nothing there), `triangle` (rows, columns) int32,
    and for each vertex its place in the image `x_px`, `y_px` and `inverse_z`. Triangles are seen from both sides: a
    sheet has two, and what is turned away loses to what is before it anyway.

    `planes` (triangles, 17) float32 holds, for each triangle that was drawn, how uv / z and the normal over z, turned to
    the camera, run over the image: a place (x, y), and u, v, nx, ny, nz there, each with its rise along x and along y.
    """

    def __init__(self, camera: Pinhole) -> None:
        self.camera = camera
        shape = (camera.height_px, camera.width_px)
        self.inverse_depth = np.zeros(shape, np.float32)
        self.triangle = np.zeros(shape, np.int32)
        self.x_px = self.y_px = self.inverse_z = np.zeros(0, np.float32)
        self.planes = np.zeros((0, 17), np.float32)
        self.detail = np.zeros((0, 2), np.float32)  # for each triangle: mip level, normal's change in one pixel squared

    def draw(self, geometry: Geometry) -> None:
        """Draw a scene, losing the one before."""
        if len(self.x_px) != len(geometry.vertices_mm):
            self.x_px, self.y_px, self.inverse_z = (np.zeros(len(geometry.vertices_mm), np.float32) for _ in range(3))
        if len(self.detail) != len(geometry.triangles):
            self.detail = np.zeros((len(geometry.triangles), 2), np.float32)
            self.planes = np.zeros((len(geometry.triangles), 17), np.float32)
        c = self.camera
        project(geometry.vertices_mm, c.f_px, c.cx_px, c.cy_px, c.x_mm, self.x_px, self.y_px, self.inverse_z)
        self.inverse_depth.fill(0.0)
        _rasterise(
            geometry.triangles,
            geometry.uv,
            geometry.normals,
            geometry.triangle_texels,
            self.x_px,
            self.y_px,
            self.inverse_z,
            self.inverse_depth,
            self.triangle,
            self.detail,
            self.planes,
        )

    def depth_mm(self) -> NDArray[np.float32]:
        """The true depth, (rows, columns), 0 where nothing is. For tests and pictures: no sensor has it."""
        drawn = self.inverse_depth > 0
        return np.where(drawn, 1.0 / np.where(drawn, self.inverse_depth, 1.0), 0.0).astype(np.float32)


@kernel
def project(vertices, f_px, cx_px, cy_px, x_mm, x_px, y_px, inverse_z):
    """Each vertex's place in an image; inverse_z is 0 for what is behind the lens or in the housing."""
    for v in range(vertices.shape[0]):
        z = vertices[v, 2]
        if z > NEAR_MM:
            inverse = 1.0 / z
            inverse_z[v] = inverse
            x_px[v] = (vertices[v, 0] - x_mm) * inverse * f_px + cx_px
            y_px[v] = vertices[v, 1] * inverse * f_px + cy_px
        else:
            inverse_z[v] = 0.0


@kernel
def _rasterise(triangles, uv, normals, texels, x_px, y_px, inverse_z, inverse_depth, triangle, detail, planes):
    rows, columns = inverse_depth.shape
    begins, ends, level_at = np.empty((3, 2)), np.empty((3, 2)), np.empty((3, 2))
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ia, ib, ic = inverse_z[a], inverse_z[b], inverse_z[c]
        if ia <= 0.0 or ib <= 0.0 or ic <= 0.0:
            continue
        ax, bx, cx = np.float64(x_px[a]), np.float64(x_px[b]), np.float64(x_px[c])
        ay, by, cy = np.float64(y_px[a]), np.float64(y_px[b]), np.float64(y_px[c])
        left = max(int(np.ceil(max(min(ax, bx, cx), 0.0))), 0)
        right = min(int(np.floor(min(max(ax, bx, cx), columns - 1.0))), columns - 1)
        top = max(int(np.ceil(max(min(ay, by, cy), 0.0))), 0)
        bottom = min(int(np.floor(min(max(ay, by, cy), rows - 1.0))), rows - 1)
        if left > right or top > bottom:
            continue
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if abs(area) < 1e-9:
            continue
        scale = 1.0 / area
        # Weights of a, b and c are planes over the image; so is 1/z.
        wb_x, wb_y = (cy - ay) * scale, -(cx - ax) * scale
        wc_x, wc_y = -(by - ay) * scale, (bx - ax) * scale
        wa_x = -wb_x - wc_x
        depth_x = wa_x * ia + wb_x * ib + wc_x * ic
        # Each weight is at least 0 on one side of a line: where it crosses a row moves evenly from row to row.
        lower = upper = wide = 0
        for weight, rise, fall in ((1.0, wa_x, -wb_y - wc_y), (0.0, wb_x, wb_y), (0.0, wc_x, wc_y)):
            if rise > 1e-12:
                begins[lower, 0], begins[lower, 1] = ax - (weight - _EDGE) / rise, -fall / rise
                lower += 1
            elif rise < -1e-12:
                ends[upper, 0], ends[upper, 1] = ax - (weight - _EDGE) / rise, -fall / rise
                upper += 1
            else:
                level_at[wide, 0], level_at[wide, 1] = weight - _EDGE, fall
                wide += 1
        slope = np.float32(depth_x)
        depth_y = (-wb_y - wc_y) * ia + wb_y * ib + wc_y * ic
        shown = False
        for y in range(top, bottom + 1):
            dy = y - ay
            begin, end = float(left), float(right)
            for k in range(lower):
                begin = max(begin, begins[k, 0] + begins[k, 1] * dy)
            for k in range(upper):
                end = min(end, ends[k, 0] + ends[k, 1] * dy)
            for k in range(wide):
                if level_at[k, 0] + level_at[k, 1] * dy < 0.0:
                    end = -1.0
            if begin > end:
                continue
            first = int(np.ceil(begin))
            width = int(np.floor(end)) + 1 - first
            if width <= 0:
                continue
            depth = np.float32(ia + depth_y * dy + depth_x * (first - ax))
            nearest = inverse_depth[y, first : first + width]
            owner = triangle[y, first : first + width]
            for x in range(width):
                here = depth + slope * np.float32(x)
                if here > nearest[x]:
                    nearest[x] = here
                    owner[x] = t
                    shown = True
        if shown:
            ratio = texels[t] / (0.5 * abs(area))
            level = 0
            while ratio > 2.0 and level < MIP_LEVELS - 1:
                ratio *= 0.25
                level += 1
            detail[t, 0] = level
            # How fast the normal turns from pixel to pixel: a lobe narrower than that would be sampled past.
            turn = 0.0
            for k in range(3):
                ab = normals[a, k] - normals[b, k]
                bc = normals[b, k] - normals[c, k]
                ca = normals[c, k] - normals[a, k]
                turn += ab * ab + bc * bc + ca * ca
            length = (ax - bx) ** 2 + (ay - by) ** 2 + (bx - cx) ** 2 + (by - cy) ** 2 + (cx - ax) ** 2 + (cy - ay) ** 2
            detail[t, 1] = turn / length
            plane = planes[t]
            plane[0], plane[1] = ax, ay
            facing = -1.0 if area > 0.0 else 1.0
            ba_x, ba_y, ca_x, ca_y = bx - ax, by - ay, cx - ax, cy - ay
            for k in range(5):
                if k < 2:
                    at_a, at_b, at_c = uv[a, k] * ia, uv[b, k] * ib, uv[c, k] * ic
                else:
                    at_a, at_b, at_c = normals[a, k - 2] * ia, normals[b, k - 2] * ib, normals[c, k - 2] * ic
                    at_a, at_b, at_c = facing * at_a, facing * at_b, facing * at_c
                to_b, to_c = at_b - at_a, at_c - at_a
                plane[2 + 3 * k] = at_a
                plane[3 + 3 * k] = (to_b * ca_y - to_c * ba_y) * scale
                plane[4 + 3 * k] = (to_c * ba_x - to_b * ca_x) * scale
