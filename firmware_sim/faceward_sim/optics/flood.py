"""Flood and ambient light: what every pixel would count without noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from faceward_sim.optics.geometry import Geometry
from faceward_sim.optics.rasterise import Rasteriser
from faceward_sim.optics.reflection import lobe, sample


@dataclass(frozen=True, slots=True)
class Emitter:
    """A flood emitter beside the lens. `falloff` is the loss of its beam at tan(angle) = 1 to the axis."""

    x_mm: float
    y_mm: float
    falloff: float


def flood_signal(
    geometry: Geometry,
    view: Rasteriser,
    emitter: Emitter,
    flood_counts_at_1m: float,
    ambient_counts: float,
    out: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Fill `out` (rows, columns) with counts over black, before lens and noise.

    Args:
        view: a drawn view of `geometry`.
        flood_counts_at_1m: what a square Lambertian target of reflectance 1 at 1 m would count in this slot; 0 is off.
        ambient_counts: what ambient light adds on reflectance 1.
    """
    camera = view.camera
    _shade(
        geometry.triangles,
        geometry.uv,
        geometry.normals,
        geometry.triangle_surface,
        geometry.triangle_flush,
        geometry.texels,
        geometry.mips,
        geometry.lobes,
        view.x_px,
        view.y_px,
        view.inverse_z,
        view.inverse_depth,
        view.triangle,
        view.detail,
        np.float32(camera.f_px),
        np.float32(camera.cx_px),
        np.float32(camera.cy_px),
        np.float32(emitter.x_mm),
        np.float32(emitter.y_mm),
        np.float32(emitter.falloff),
        np.float32(flood_counts_at_1m * 1e6),
        np.float32(ambient_counts),
        out,
    )
    return out


@njit(cache=True, nogil=True, fastmath=True)
def _shade(
    triangles,
    uv,
    normals,
    surface,
    flush,
    texels,
    mips,
    lobes,
    x_px,
    y_px,
    inverse_z,
    inverse_depth,
    triangle,
    detail,
    f_px,
    cx_px,
    cy_px,
    emitter_x,
    emitter_y,
    falloff,
    flood,
    ambient,
    out,
):
    rows, columns = out.shape
    zero, one, least = np.float32(0), np.float32(1), np.float32(1e-12)
    scale = one / f_px
    u = v = nx_z = ny_z = nz_z = u_x = v_x = nx_x = ny_x = nz_x = f0 = rough = blood = zero
    offset, texture_rows, texture_columns = mips[0, 0, 0], mips[0, 0, 1], mips[0, 0, 2]
    for y in range(rows):
        fy = np.float32(y)
        tan_y = (fy - cy_px) * scale
        before = np.int32(-1)
        for x in range(columns):
            inverse = inverse_depth[y, x]
            if inverse <= zero:
                out[y, x] = zero
                before = np.int32(-1)
                continue
            fx = np.float32(x)
            t = triangle[y, x]
            if t == before:
                u += u_x
                v += v_x
                nx_z += nx_x
                ny_z += ny_x
                nz_z += nz_x
            else:
                # Along a row, uv / z and normal / z run straight within one triangle.
                before = t
                a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
                ax, ay = x_px[a] - fx, y_px[a] - fy
                bx, by = x_px[b] - fx, y_px[b] - fy
                cx, cy = x_px[c] - fx, y_px[c] - fy
                wa = bx * cy - cx * by
                wb = cx * ay - ax * cy
                wc = ax * by - bx * ay
                area = wa + wb + wc
                unit = one / area
                facing = -one if area > zero else one
                ia, ib, ic = inverse_z[a] * unit, inverse_z[b] * unit, inverse_z[c] * unit
                wa *= ia
                wb *= ib
                wc *= ic
                sa, sb, sc = (by - cy) * ia, (cy - ay) * ib, (ay - by) * ic
                u = wa * uv[a, 0] + wb * uv[b, 0] + wc * uv[c, 0]
                v = wa * uv[a, 1] + wb * uv[b, 1] + wc * uv[c, 1]
                u_x = sa * uv[a, 0] + sb * uv[b, 0] + sc * uv[c, 0]
                v_x = sa * uv[a, 1] + sb * uv[b, 1] + sc * uv[c, 1]
                nx_z = facing * (wa * normals[a, 0] + wb * normals[b, 0] + wc * normals[c, 0])
                ny_z = facing * (wa * normals[a, 1] + wb * normals[b, 1] + wc * normals[c, 1])
                nz_z = facing * (wa * normals[a, 2] + wb * normals[b, 2] + wc * normals[c, 2])
                nx_x = facing * (sa * normals[a, 0] + sb * normals[b, 0] + sc * normals[c, 0])
                ny_x = facing * (sa * normals[a, 1] + sb * normals[b, 1] + sc * normals[c, 1])
                nz_x = facing * (sa * normals[a, 2] + sb * normals[b, 2] + sc * normals[c, 2])
                s = surface[t]
                blood = flush[t]
                level = int(detail[t, 0])
                offset, texture_rows, texture_columns = mips[s, level, 0], mips[s, level, 1], mips[s, level, 2]
                f0 = lobes[s, 0]
                rough = lobes[s, 1] * lobes[s, 1] + detail[t, 1]
                if f0 < np.float32(0.02) * rough:
                    f0 = zero  # a lobe whose top is half a per cent
            z = one / inverse
            reflectance = blood * sample(texels, offset, texture_rows, texture_columns, u * z, v * z)
            counts = ambient * reflectance
            if flood > zero:
                unit = one / np.sqrt(nx_z * nx_z + ny_z * ny_z + nz_z * nz_z + least * inverse * inverse)
                nx, ny, nz = nx_z * unit, ny_z * unit, nz_z * unit
                tan_x = (fx - cx_px) * scale
                lx, ly = emitter_x - tan_x * z, emitter_y - tan_y * z
                square = lx * lx + ly * ly + z * z
                unit = one / np.sqrt(square)
                lx *= unit
                ly *= unit
                lz = -z * unit
                ndl = nx * lx + ny * ly + nz * lz
                if ndl > zero:
                    light = reflectance * ndl
                    off_axis = tan_x * tan_x + tan_y * tan_y
                    if f0 > zero:
                        unit = one / np.sqrt(off_axis + one)
                        vx, vy, vz = -tan_x * unit, -tan_y * unit, -unit
                        ndv = nx * vx + ny * vy + nz * vz
                        hx, hy, hz = lx + vx, ly + vy, lz + vz
                        unit = one / np.sqrt(hx * hx + hy * hy + hz * hz)
                        ndh = (ndl + ndv) * unit
                        if ndh > zero and ndv > np.float32(0.02):
                            vdh = (vx * hx + vy * hy + vz * hz) * unit
                            light += lobe(ndl, ndv, ndh, vdh, f0, rough)
                    beam = max(one - falloff * off_axis, zero)
                    counts += flood * light * beam / square
            out[y, x] = counts
