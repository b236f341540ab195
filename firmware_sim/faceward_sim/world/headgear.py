"""Hats: knitted ones and caps with a brim, fitted to a head over its flattened hair.

Sizes are those of hats as they are sold; what wool and cotton return at 940 nm is assumed: bright whatever their colour
in daylight, since most dyes do not absorb there.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from faceward_sim.world.anatomy import Anatomy, Floats
from faceward_sim.world.complexion import smooth
from faceward_sim.world.hair import HairStyle, hull, outward
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import Material
from faceward_sim.world.textures import mottle
from faceward_sim.world.worn import Worn

TEXELS = 256
FLATTENED_MM = 5.0  # what a hat leaves of hair under it (assumed)
_CROWN_TEXTURE = 0.8  # the crown's share of the texture's height; a brim has the rest
_MIDDLE_Z_MM = 75.0
_ACROSS, _OUTWARDS = 25, 6


def under_hat(style: HairStyle) -> HairStyle:
    """The hair of somebody who has put a hat on it."""
    return replace(
        style,
        thickness=min(style.thickness, FLATTENED_MM),
        lump=min(style.lump, 0.5),
        fringe=min(style.fringe, 10.0),
    )


def fit_hat(seed: int, anatomy: Anatomy, head_mm: Floats) -> Worn:
    """The hat that a person would wear, on a head whose vertices are `head_mm`."""
    rng = stream(seed, "hat")
    kind = "knitted" if rng.random() < 0.5 else "cap"
    front_mm = float(rng.uniform(36, 58))
    side_mm = float(rng.uniform(22, 34))
    back_mm = float(rng.uniform(-30, 15))
    thick_mm = float(rng.uniform(10, 14))
    fold_mm = float(rng.uniform(2, 5)) if kind == "knitted" and rng.random() < 0.6 else 0.0

    def inside_mm(points: Floats) -> Floats:
        angle = np.abs(np.arctan2(points[..., 0], _MIDDLE_Z_MM - points[..., 2]))
        edge = np.interp(angle, [0.0, 0.7, 1.45, 2.0, np.pi], [-front_mm, -front_mm, -side_mm, -side_mm, -back_mm])
        return (edge - points[..., 1]).astype(np.float32)

    base, rest, triangles, uv, follow = hull(anatomy, head_mm, inside_mm)
    depth = inside_mm(base)
    cuff = fold_mm * smooth(depth, 26.0, 22.0)
    raised = np.where(depth > 0, (thick_mm + cuff) * smooth(depth, -6.0, 4.0), -1.0 - 0.6 * np.minimum(-depth, 10))
    crown = rest + outward(rest, triangles) * raised[:, None].astype(np.float32)
    parts = [(crown, triangles, uv * np.array([1.0, _CROWN_TEXTURE], np.float32), follow)]
    if kind == "cap":
        parts.append(_brim(rng, crown, front_mm))
    starts = np.cumsum([0, *(len(part[0]) for part in parts)])
    return Worn(
        np.concatenate([part[0] for part in parts]).astype(np.float32),
        np.concatenate([part[1] + start for part, start in zip(parts, starts, strict=False)]).astype(np.int32),
        np.concatenate([part[2] for part in parts]).astype(np.float32),
        _woven(rng, kind),
        Material(kind, float(rng.uniform(0.3, 0.7)), float(rng.uniform(1.0, 2.2)), 0.015, 0.6),
        np.concatenate([part[3] for part in parts]).astype(np.float32),
    )


def _brim(rng: np.random.Generator, crown: Floats, front_mm: float) -> tuple[Floats, NDArray[np.int32], Floats, Floats]:
    """A curved sheet from the crown's edge forwards, seen from both sides."""
    long_mm, droop_mm, bend_mm = float(rng.uniform(55, 75)), float(rng.uniform(4, 18)), float(rng.uniform(6, 18))
    ring = crown[np.abs(crown[:, 1] + front_mm + 4.0) < 6.0]
    turn = np.arctan2(ring[:, 0], _MIDDLE_Z_MM - ring[:, 2])
    order = np.argsort(turn)
    across = np.linspace(-1.0, 1.0, _ACROSS)
    angle = across * 0.85
    radius = np.interp(angle, turn[order], np.hypot(ring[:, 0], _MIDDLE_Z_MM - ring[:, 2])[order]) - 1.0
    x, z = radius * np.sin(angle), _MIDDLE_Z_MM - radius * np.cos(angle)
    rows = []
    for out in np.linspace(0.0, 1.0, _OUTWARDS):
        reach = long_mm * out * np.sqrt(np.maximum(1.0 - 0.85 * across**2, 0.0))
        height = -front_mm - 2.0 + droop_mm * out + bend_mm * across**2
        rows.append(np.stack([x * (1.0 - 0.08 * out), height, z - reach], axis=1))
    points = np.concatenate(rows)
    triangles = []
    for row in range(_OUTWARDS - 1):
        for k in range(_ACROSS - 1):
            a, below = row * _ACROSS + k, (row + 1) * _ACROSS + k
            triangles += [(a, a + 1, below), (a + 1, below + 1, below)]
    share = np.linspace(0.02, 0.98, _ACROSS)
    uv = np.stack(
        [np.tile(share, _OUTWARDS), np.repeat(np.linspace(_CROWN_TEXTURE + 0.03, 0.98, _OUTWARDS), _ACROSS)], axis=1
    )
    return points, np.array(triangles, np.int32), uv, np.ones(len(points))


def _woven(rng: np.random.Generator, kind: str) -> Floats:
    texture = 1 + 0.05 * mottle(rng, TEXELS, 40, 40)
    if kind == "knitted":
        texture += 0.12 * np.sin(np.linspace(0, 2 * np.pi * rng.uniform(60, 110), TEXELS, dtype=np.float32))[None, :]
    return np.clip(np.float32(rng.uniform(0.15, 0.6)) * texture, 0.04, 0.8).astype(np.float32)
