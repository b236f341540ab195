"""Flood, ambient and sun light: what every pixel would count without noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceward_sim.optics.geometry import Geometry
from faceward_sim.optics.kernel import inlined, kernel
from faceward_sim.optics.rasterise import Rasteriser
from faceward_sim.optics.reflection import lobe, sample
from faceward_sim.world.surface import Sun

_NO_SHADE = np.ones((1, 1), np.uint8)
_ZERO, _ONE = np.float32(0), np.float32(1)
_LEAST = np.float32(1e-12)
_GRAZING = np.float32(0.02)  # cosine between view and surface below which no lobe is taken
_FAINT = np.float32(0.02)  # of the roughness squared: a lobe whose top is half a per cent is left out
_SMALL = np.float32(1e-3)


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
    table = lamp_table([(emitter, flood_counts_at_1m), *strangers])
    sun = np.zeros(5, np.float32)
    if day is not None:
        sun[:] = (*day.sun.towards, day.counts, day.sun.wrap)
    same = np.ones(len(geometry.lobes), np.float32)
    _shade(
        geometry.triangle_surface,
        geometry.triangle_flush,
        geometry.texels,
        geometry.mips,
        geometry.lobes,
        view.inverse_depth,
        view.triangle,
        view.detail,
        view.planes,
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


def lamp_table(lamps: Sequence[tuple[Emitter, float]]) -> NDArray[np.float32]:
    """Emitters that are lit, with their counts on white at 1 m, as the kernels take them: (lamps, 6)."""
    return np.array(
        [(e.x_mm, e.y_mm, e.falloff, e.tilt_x, e.tilt_y, counts * 1e6) for e, counts in lamps if counts > 0], np.float32
    ).reshape(-1, 6)


@kernel
def _shade(
    surface,
    flush,
    texels,
    mips,
    lobes,
    inverse_depth,
    triangle,
    detail,
    planes,
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
    """Row by row: what is at each pixel, one after the other, and then its light, many pixels at a time."""
    rows, columns = out.shape
    scale = _ONE / f_px
    tan_x = np.empty(columns, np.float32)
    for x in range(columns):
        tan_x[x] = (np.float32(x) - cx_px) * scale
    # Of one row: 1 / z, reflectance, the share of it that lamps and the room get, normal / z, lobe.
    row = np.empty((9, columns), np.float32)
    shines, shaded = sun[3] > _ZERO, seen.shape[0] > 1
    everywhere = np.ones(columns, np.uint8)
    for y in range(rows):
        _gather(y, surface, flush, texels, mips, lobes, inverse_depth, triangle, detail, planes, lit, room, row)
        line = out[y]
        for x in range(columns):
            line[x] = ambient * row[1, x] * row[3, x]
        tan_y = (np.float32(y) - cy_px) * scale
        for k in range(len(lamps)):
            _add_lamp(lamps[k], tan_x, tan_y, row[0], row[1], row[2], row[4], row[5], row[6], row[7], row[8], line)
        if shines:
            lies = seen[y] if shaded else everywhere
            _add_sun(sun, lies, tan_x, tan_y, row[0], row[1], row[3], row[4], row[5], row[6], row[7], row[8], line)


@kernel
def _gather(y, surface, flush, texels, mips, lobes, inverse_depth, triangle, detail, planes, lit, room, row):
    fy = np.float32(y)
    u = v = nx = ny = nz = u_x = v_x = nx_x = ny_x = nz_x = f0 = rough = blood = _ZERO
    offset, texture_rows, texture_columns = mips[0, 0, 0], mips[0, 0, 1], mips[0, 0, 2]
    of_lamps = of_room = _ONE
    before = np.int32(-1)
    for x in range(row.shape[1]):
        inverse = inverse_depth[y, x]
        if inverse <= _ZERO:
            # Something that returns no light, so that nothing has to ask whether there is anything.
            row[0, x], row[1, x], row[2, x], row[3, x] = _ONE, _ZERO, _ZERO, _ZERO
            row[4, x], row[5, x], row[6, x], row[7, x], row[8, x] = _ZERO, _ZERO, _ONE, _ZERO, _ONE
            before = np.int32(-1)
            continue
        t = triangle[y, x]
        if t == before:
            u += u_x
            v += v_x
            nx += nx_x
            ny += ny_x
            nz += nz_x
        else:
            # Along a row, uv / z and normal / z run straight within one triangle.
            before = t
            plane = planes[t]
            dx, dy = np.float32(x) - plane[0], fy - plane[1]
            u_x, v_x, nx_x, ny_x, nz_x = plane[3], plane[6], plane[9], plane[12], plane[15]
            u = plane[2] + u_x * dx + plane[4] * dy
            v = plane[5] + v_x * dx + plane[7] * dy
            nx = plane[8] + nx_x * dx + plane[10] * dy
            ny = plane[11] + ny_x * dx + plane[13] * dy
            nz = plane[14] + nz_x * dx + plane[16] * dy
            s = surface[t]
            blood = flush[t]
            level = int(detail[t, 0])
            offset, texture_rows, texture_columns = mips[s, level, 0], mips[s, level, 1], mips[s, level, 2]
            of_lamps, of_room = lit[s], room[s]
            f0 = lobes[s, 0]
            rough = lobes[s, 1] * lobes[s, 1] + detail[t, 1]
            if f0 < _FAINT * rough:
                f0 = _ZERO
        z = _ONE / inverse
        row[0, x] = inverse
        row[1, x] = blood * sample(texels, offset, texture_rows, texture_columns, u * z, v * z)
        row[2, x], row[3, x] = of_lamps, of_room
        row[4, x], row[5, x], row[6, x], row[7, x], row[8, x] = nx, ny, nz, f0, rough


@kernel
def _add_lamp(lamp, tan_x, tan_y, inverse, reflectance, share, nx_z, ny_z, nz_z, lobes, roughness, out):
    from_x, from_y, falloff, tilt_x, tilt_y, power = lamp[0], lamp[1], lamp[2], lamp[3], lamp[4], lamp[5]
    for x in range(len(out)):
        i, f0 = inverse[x], lobes[x]
        nx, ny, nz = nx_z[x], ny_z[x], nz_z[x]
        z = _ONE / i
        unit = _ONE / np.sqrt(nx * nx + ny * ny + nz * nz + _LEAST * i * i)
        nx, ny, nz = nx * unit, ny * unit, nz * unit
        tan = tan_x[x]
        unit = _ONE / np.sqrt(tan * tan + tan_y * tan_y + _ONE)
        vx, vy, vz = -tan * unit, -tan_y * unit, -unit
        ndv = nx * vx + ny * vy + nz * vz
        lx, ly = from_x - tan * z, from_y - tan_y * z
        square = lx * lx + ly * ly + z * z
        unit = _ONE / np.sqrt(square)
        lx, ly, lz = lx * unit, ly * unit, -z * unit
        ndl = nx * lx + ny * ly + nz * lz
        gloss = mirrored(lx, ly, lz, vx, vy, vz, ndl, ndv, f0, roughness[x])
        light = reflectance[x] * share[x] * ndl + gloss
        away_x, away_y = tan - tilt_x, tan_y - tilt_y
        beam = max(_ONE - falloff * (away_x * away_x + away_y * away_y), _ZERO)
        out[x] += power * beam / square * (light if ndl > _ZERO else _ZERO)


@kernel
def _add_sun(sun, lies, tan_x, tan_y, inverse, reflectance, share, nx_z, ny_z, nz_z, lobes, roughness, out):
    lx, ly, lz, counts, wrap = sun[0], sun[1], sun[2], sun[3], sun[4]
    wrapped = _ONE / (_ONE + wrap)
    for x in range(len(out)):
        i, f0 = inverse[x], lobes[x]
        nx, ny, nz = nx_z[x], ny_z[x], nz_z[x]
        unit = _ONE / np.sqrt(nx * nx + ny * ny + nz * nz + _LEAST * i * i)
        nx, ny, nz = nx * unit, ny * unit, nz * unit
        tan = tan_x[x]
        unit = _ONE / np.sqrt(tan * tan + tan_y * tan_y + _ONE)
        vx, vy, vz = -tan * unit, -tan_y * unit, -unit
        ndv = nx * vx + ny * vy + nz * vz
        ndl = nx * lx + ny * ly + nz * lz
        gloss = mirrored(lx, ly, lz, vx, vy, vz, ndl, ndv, f0, roughness[x])
        light = reflectance[x] * share[x] * max((ndl + wrap) * wrapped, _ZERO)
        light += gloss if ndl > _ZERO else _ZERO
        out[x] += counts * (light if lies[x] > 0 else _ZERO)


@inlined
def mirrored(lx, ly, lz, vx, vy, vz, ndl, ndv, f0, rough):
    """The lobe towards the camera of light that comes from l; 0 where there is none."""
    hx, hy, hz = lx + vx, ly + vy, lz + vz
    unit = _ONE / np.sqrt(hx * hx + hy * hy + hz * hz + _LEAST)
    ndh, vdh = (ndl + ndv) * unit, (vx * hx + vy * hy + vz * hz) * unit
    light = lobe(max(ndl, _SMALL), max(ndv, _GRAZING), max(ndh, _SMALL), max(vdh, _SMALL), f0, rough)
    return light if f0 > _ZERO and ndv > _GRAZING and ndh > _ZERO else _ZERO
