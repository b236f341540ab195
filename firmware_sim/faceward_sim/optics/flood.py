"""Flood, ambient and sun light: what every pixel would count without noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from faceward_sim.optics.geometry import Geometry
from faceward_sim.optics.rasterise import Rasteriser
from faceward_sim.optics.reflection import lobe, sample
from faceward_sim.world.surface import Sun

_NO_SHADE = np.ones((1, 1), np.uint8)


@dataclass(frozen=True, slots=True)
class Emitter:
    """A flood emitter beside the lens.

    `falloff` is the loss of its beam at tan(angle) = 1 to the beam's middle, which points at (`tilt_x`, `tilt_y`).
    """

    x_mm: float
    y_mm: float
    falloff: float
    tilt_x: float = 0.0
    tilt_y: float = 0.0


@dataclass(frozen=True, slots=True)
class Daylight:
    """The sun in one slot: its counts on a reflectance-1 target, and which pixels see it (1; all if `seen` is None)."""

    sun: Sun
    counts: float
    seen: NDArray[np.uint8] | None = None


def flood_signal(
    geometry: Geometry,
    view: Rasteriser,
    emitter: Emitter,
    flood_counts_at_1m: float,
    ambient_counts: float,
    out: NDArray[np.float32],
    *,
    lit: NDArray[np.float32] | None = None,
    room: NDArray[np.float32] | None = None,
    strangers: Sequence[tuple[Emitter, float]] = (),
    day: Daylight | None = None,
) -> NDArray[np.float32]:
    """Fill `out` (rows, columns) with counts over black, before lens and noise.

    Args:
        view: a drawn view of `geometry`.
        flood_counts_at_1m: what a square Lambertian target of reflectance 1 at 1 m would count in this slot; 0 is off.
        ambient_counts: what ambient light adds on reflectance 1.
        lit, room: for each surface, what it returns of emitters' light and of the room's over what it does at 940 nm.
        strangers: other units' emitters with their counts.
    """
    camera = view.camera
    lamps = [(emitter, flood_counts_at_1m), *strangers]
    table = np.array(
        [(e.x_mm, e.y_mm, e.falloff, e.tilt_x, e.tilt_y, counts * 1e6) for e, counts in lamps if counts > 0], np.float32
    ).reshape(-1, 6)
    sun = np.zeros(5, np.float32)
    if day is not None:
        sun[:] = (*day.sun.towards, day.counts, day.sun.wrap)
    same = np.ones(len(geometry.lobes), np.float32)
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
        table,
        np.float32(ambient_counts),
        same if lit is None else lit,
        same if room is None else room,
        sun,
        _NO_SHADE if day is None or day.seen is None else day.seen,
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
    lamps,
    ambient,
    lit,
    room,
    sun,
    seen,
    out,
):
    rows, columns = out.shape
    zero, one, least = np.float32(0), np.float32(1), np.float32(1e-12)
    scale = one / f_px
    u = v = nx_z = ny_z = nz_z = u_x = v_x = nx_x = ny_x = nz_x = f0 = rough = blood = zero
    offset, texture_rows, texture_columns = mips[0, 0, 0], mips[0, 0, 1], mips[0, 0, 2]
    of_lamps = of_room = one
    bright, shaded = sun[3] > zero, seen.shape[0] > 1
    wrapped = one / (one + sun[4])
    shining = len(lamps) > 0 or bright
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
                of_lamps, of_room = lit[s], room[s]
                f0 = lobes[s, 0]
                rough = lobes[s, 1] * lobes[s, 1] + detail[t, 1]
                if f0 < np.float32(0.02) * rough:
                    f0 = zero  # a lobe whose top is half a per cent
            z = one / inverse
            reflectance = blood * sample(texels, offset, texture_rows, texture_columns, u * z, v * z)
            counts = ambient * reflectance * of_room
            if shining:
                unit = one / np.sqrt(nx_z * nx_z + ny_z * ny_z + nz_z * nz_z + least * inverse * inverse)
                nx, ny, nz = nx_z * unit, ny_z * unit, nz_z * unit
                tan_x = (fx - cx_px) * scale
                vx = vy = vz = ndv = zero
                if f0 > zero:
                    unit = one / np.sqrt(tan_x * tan_x + tan_y * tan_y + one)
                    vx, vy, vz = -tan_x * unit, -tan_y * unit, -unit
                    ndv = nx * vx + ny * vy + nz * vz
                for k in range(len(lamps)):
                    lx, ly = lamps[k, 0] - tan_x * z, lamps[k, 1] - tan_y * z
                    square = lx * lx + ly * ly + z * z
                    unit = one / np.sqrt(square)
                    lx *= unit
                    ly *= unit
                    lz = -z * unit
                    ndl = nx * lx + ny * ly + nz * lz
                    if ndl > zero:
                        light = reflectance * of_lamps * ndl
                        if ndv > np.float32(0.02):
                            light += _mirrored(lx, ly, lz, vx, vy, vz, ndl, ndv, f0, rough)
                        away_x, away_y = tan_x - lamps[k, 3], tan_y - lamps[k, 4]
                        beam = max(one - lamps[k, 2] * (away_x * away_x + away_y * away_y), zero)
                        counts += lamps[k, 5] * light * beam / square
                if bright and (not shaded or seen[y, x] > 0):
                    ndl = nx * sun[0] + ny * sun[1] + nz * sun[2]
                    light = reflectance * of_room * max((ndl + sun[4]) * wrapped, zero)
                    if ndl > zero and ndv > np.float32(0.02):
                        light += _mirrored(sun[0], sun[1], sun[2], vx, vy, vz, ndl, ndv, f0, rough)
                    counts += sun[3] * light
            out[y, x] = counts


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def _mirrored(lx, ly, lz, vx, vy, vz, ndl, ndv, f0, rough):
    hx, hy, hz = lx + vx, ly + vy, lz + vz
    unit = np.float32(1) / np.sqrt(hx * hx + hy * hy + hz * hz)
    ndh = (ndl + ndv) * unit
    if ndh <= np.float32(0):
        return np.float32(0)
    vdh = (vx * hx + vy * hy + vz * hz) * unit
    return lobe(ndl, ndv, ndh, vdh, f0, rough)
