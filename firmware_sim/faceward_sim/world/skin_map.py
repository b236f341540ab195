"""Where on the base head each texel of the skin lies, and which region it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from faceward_sim.world.anatomy import Anatomy, load_anatomy

Floats = NDArray[np.float32]
LEFT, RIGHT = 0, 1
_HOLLOW_POWER = 0.6


@dataclass(frozen=True, slots=True)
class SkinMap:
    """Per texel, (size, size): position on the base head in millimetres and shares of regions."""

    size: int
    position_mm: Floats  # (size, size, 3)
    openness: Floats  # of the hemisphere above, to the power that hollows darken by (assumed)
    upper_lip: Floats
    lower_lip: Floats
    ear: Floats
    lid_distance_mm: Floats  # to the nearest lid margin, 99 far from the eyes
    upper_lid: Floats  # 1 where that margin is an upper one
    seam_distance_mm: Floats  # to the line between the lips, 99 far from it

@njit(cache=True)
def _paint(uv, radius, values, triangles, size, out, depth):  # type: ignore[no-untyped-def]
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t]
        xa, ya = uv[a, 0] * size - 0.5, uv[a, 1] * size - 0.5
        xb, yb = uv[b, 0] * size - 0.5, uv[b, 1] * size - 0.5
        xc, yc = uv[c, 0] * size - 0.5, uv[c, 1] * size - 0.5
        area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
        if abs(area) < 1e-9:
            continue
        for y in range(max(0, int(np.floor(min(ya, yb, yc)))), min(size - 1, int(np.ceil(max(ya, yb, yc)))) + 1):
            for x in range(max(0, int(np.floor(min(xa, xb, xc)))), min(size - 1, int(np.ceil(max(xa, xb, xc)))) + 1):
                wa = ((xb - x) * (yc - y) - (xc - x) * (yb - y)) / area
                wb = ((xc - x) * (ya - y) - (xa - x) * (yc - y)) / area
                wc = 1.0 - wa - wb
                if wa < -0.02 or wb < -0.02 or wc < -0.02:
                    continue
                r = wa * radius[a] + wb * radius[b] + wc * radius[c]
                if r > depth[y, x]:
                    depth[y, x] = r
                    for k in range(values.shape[1]):
                        out[y, x, k] = wa * values[a, k] + wb * values[b, k] + wc * values[c, k]


def column_share(anatomy: Anatomy, *names: str) -> Floats:
    """Per vertex, how much the named shape targets move it, 1 for the most moved vertex of each."""
    share = np.zeros(len(anatomy.vertices_mm), np.float32)
    for name in names:
        column = anatomy.shapes[name]
        length = np.linalg.norm(column.deltas_mm, axis=1)
        np.maximum.at(share, column.vertices, (length / length.max()).astype(np.float32))
    return share


def rim_vertices(anatomy: Anatomy) -> NDArray[np.int32]:
    """Mesh vertices on the border between skin and a cavity: the lid margins and the line between the lips."""
    corners = anatomy.wedge_vertex[anatomy.triangles]
    return np.intersect1d(corners[anatomy.cavity], corners[~anatomy.cavity]).astype(np.int32)


def lid_margin(anatomy: Anatomy, side: int) -> NDArray[np.int32]:
    """One eye's margin vertices, in order around the eye."""
    rim = rim_vertices(anatomy)
    points = anatomy.vertices_mm[rim]
    chosen = rim[(points[:, 1] < 40) & ((points[:, 0] > 0) == (side == LEFT))]
    points = anatomy.vertices_mm[chosen]
    centre = points.mean(axis=0)
    return chosen[np.argsort(np.arctan2(points[:, 1] - centre[1], points[:, 0] - centre[0]))]


def _closed_curve(points: Floats, steps: int) -> Floats:
    following = np.roll(points, -1, axis=0)
    share = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[None, :, None]
    return (points[:, None] * (1 - share) + following[:, None] * share).reshape(-1, 3)


@njit(cache=True)
def _distance(texels, curve, distance, nearest):  # type: ignore[no-untyped-def]
    for t in range(texels.shape[0]):
        least = np.float32(np.inf)
        for c in range(curve.shape[0]):
            x, y, z = texels[t, 0] - curve[c, 0], texels[t, 1] - curve[c, 1], texels[t, 2] - curve[c, 2]
            squared = x * x + y * y + z * z
            if squared < least:
                least = squared
                nearest[t] = c
        distance[t] = np.sqrt(least)


def _distance_to(position: Floats, curve: Floats, reach_mm: float) -> tuple[NDArray[np.intp], Floats, NDArray[np.int32]]:
    """The texels about a curve, of all in a row: which they are, how far from it, and from which of its points."""
    low, high = curve.min(axis=0) - reach_mm, curve.max(axis=0) + reach_mm
    inside = [(position[..., k] > low[k]) & (position[..., k] < high[k]) for k in range(3)]
    near = np.flatnonzero(inside[0] & inside[1] & inside[2])
    distance, nearest = np.empty(len(near), np.float32), np.zeros(len(near), np.int32)
    _distance(position.reshape(-1, 3)[near], curve.astype(np.float32), distance, nearest)
    return near, distance, nearest


@cache
def load_skin_map(size: int) -> SkinMap:
    """The texel map of the unwrapping at one size; computed once a process."""
    anatomy = load_anatomy()
    vertices = anatomy.vertices_mm
    wedges = anatomy.wedge_vertex
    columns = np.stack(
        [
            anatomy.openness,
            column_share(anatomy, "mouth-upperlip-volume-incr"),
            column_share(anatomy, "mouth-lowerlip-volume-incr"),
            column_share(anatomy, "l-ear-scale-incr", "r-ear-scale-incr"),
        ],
        axis=1,
    )
    values = np.concatenate([vertices, columns], axis=1)[wedges].astype(np.float32)
    radius = np.hypot(vertices[:, 0], vertices[:, 2] - 75.0)[wedges].astype(np.float32)
    radius[columns[wedges, 3] > 0.2] -= 60.0  # the side of the head, not the ear before it, owns the shared texels
    out = np.zeros((size, size, values.shape[1]), np.float32)
    out[..., 1] = 400.0
    depth = np.full((size, size), -1e9, np.float32)
    _paint(anatomy.wedge_uv, radius, values, anatomy.triangles[~anatomy.cavity], size, out, depth)

    position = np.ascontiguousarray(out[..., :3])
    lid_distance = np.full((size, size), 99.0, np.float32)
    upper = np.zeros((size, size), np.float32)
    for side in (LEFT, RIGHT):
        margin = vertices[lid_margin(anatomy, side)]
        curve = _closed_curve(margin, 6)
        near, distance, nearest = _distance_to(position, curve, 14)
        lid_distance.reshape(-1)[near] = np.minimum(lid_distance.reshape(-1)[near], distance)
        corner_y = np.interp(curve[nearest, 0], *_canthi(margin))
        upper.reshape(-1)[near] = curve[nearest, 1] < corner_y
    rim = rim_vertices(anatomy)
    seam = vertices[rim]
    seam = seam[(seam[:, 1] > 40) & (seam[:, 2] < 20)]
    seam = seam[np.argsort(seam[:, 0])]
    near, distance, _ = _distance_to(position, _closed_curve(seam, 4), 10)
    seam_distance = np.full((size, size), 99.0, np.float32)
    seam_distance.reshape(-1)[near] = distance
    # Laid out axis by axis: whoever paints takes one axis at a time.
    position = np.moveaxis(np.ascontiguousarray(np.moveaxis(position, 2, 0)), 0, 2)
    openness, *regions = (np.ascontiguousarray(out[..., 3 + k]) for k in range(4))
    openness = np.clip(openness, 0, 1) ** np.float32(_HOLLOW_POWER)
    found = SkinMap(size, position, openness, *regions, lid_distance, upper, seam_distance)
    for array in (found.position_mm, found.openness, found.lid_distance_mm, found.seam_distance_mm):
        array.flags.writeable = False
    return found


def _canthi(margin: Floats) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    ends = margin[[margin[:, 0].argmin(), margin[:, 0].argmax()]]
    return ends[:, 0], ends[:, 1]
