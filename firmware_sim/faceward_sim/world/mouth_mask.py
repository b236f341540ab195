"""Surgical masks: cloth that hangs over nose and chin, hiding what lies between. Its ear loops are left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from faceward_sim.optics.materials import to_material
from faceward_sim.world.anatomy import Anatomy, Floats
from faceward_sim.world.complexion import Complexion
from faceward_sim.world.shape import Build
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import Material
from faceward_sim.world.worn import Worn

CLEARANCE_MM = 2.5
_ACROSS, _DOWN = 45, 37
_NEAR_MM = 5.0  # as far as the face's vertices lie apart
_TEXELS = 128


def fit_mouth_mask(seed: int, anatomy: Anatomy, build: Build, complexion: Complexion) -> Worn:
    """The mask on a person's face: from the bridge of the nose to below the chin, from cheek to cheek."""
    rng = stream(seed, "mouth mask")
    scale = build.scale
    top_mm, wing_mm = float(rng.uniform(18, 28)) * scale, float(rng.uniform(14, 22)) * scale
    chin_mm, half_mm = 116.0 * scale, float(rng.uniform(58, 64)) * scale
    across = np.linspace(-1.0, 1.0, _ACROSS)
    down = np.linspace(0.0, 1.0, _DOWN)
    # Its upper edge is bent over the nose and falls to the cheeks; a chin is narrower than they are.
    upper = top_mm + wing_mm * (1 - np.exp(-((across / 0.3) ** 2)))
    lower = chin_mm - 0.16 * half_mm * across**2
    y = upper[None, :] + down[:, None] * (lower - upper)[None, :]
    x = across[None, :] * half_mm * (1 - 0.22 * down[:, None] ** 2)
    skin = build.vertices_mm[np.unique(anatomy.wedge_vertex[anatomy.triangles[~anatomy.cavity]])]
    face = _front(skin[skin[:, 2] < 90 * scale], x, y)
    hung = np.stack([_taut(row_x, row) for row_x, row in zip(x, face, strict=True)])
    hung = np.stack([_taut(column_y, column) for column_y, column in zip(y.T, hung.T, strict=True)], axis=1)
    z = hung - CLEARANCE_MM
    z[-1] += 9.0  # turned in under the chin
    points = np.stack([x, y, z], axis=2).reshape(-1, 3).astype(np.float32)
    reflectance, material = _nonwoven(rng, complexion)
    from_pleat = np.abs(np.linspace(0, 1, _TEXELS)[:, None] - np.array([0.3, 0.5, 0.7])).min(axis=1)
    lines = reflectance * (1 - 0.10 * np.exp(-((from_pleat / 0.012) ** 2)))
    texture = np.broadcast_to(lines[:, None], (_TEXELS, _TEXELS))
    uv = np.stack(np.meshgrid(np.linspace(0.01, 0.99, _ACROSS), np.linspace(0.01, 0.99, _DOWN)), axis=2).reshape(-1, 2)
    return Worn(
        points,
        _sheet(_DOWN, _ACROSS),
        uv.astype(np.float32),
        np.clip(texture, 0.02, 0.95).astype(np.float32),
        material,
    )


def _nonwoven(rng: np.random.Generator, complexion: Complexion) -> tuple[float, Material]:
    """Reflectance and material of one mask before its wearer's skin."""
    shell = complexion.generator.substances["nonwoven"].draw(rng, complexion.skin)
    response = shell.response()
    mirrors, roughness = float(rng.uniform(0.002, 0.006)), float(rng.uniform(0.5, 0.8))
    return response.reflectance, to_material("nonwoven", response, mirrors, roughness, shell.response(850))


def _front(skin: Floats, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far away the face is behind every point of the sheet."""
    places = np.stack([x.ravel(), y.ravel()], axis=1)
    apart = np.hypot(places[:, None, 0] - skin[None, :, 0], places[:, None, 1] - skin[None, :, 1])
    near = np.where(apart < _NEAR_MM, skin[None, :, 2], np.inf).min(axis=1)
    nearest = skin[apart.argmin(axis=1), 2]
    return np.where(np.isfinite(near), near, nearest).reshape(x.shape)


def _taut(along: Sequence[float] | NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
    """The line that a thread takes over a profile (nearest is lowest z) when it is pulled: the profile's lower hull."""
    kept: list[int] = []
    for k in range(len(z)):
        while len(kept) > 1:
            a, b = kept[-2], kept[-1]
            if (z[b] - z[a]) * (along[k] - along[a]) <= (z[k] - z[a]) * (along[b] - along[a]):
                break
            kept.pop()
        kept.append(k)
    return np.interp(along, [along[k] for k in kept], z[kept])


def _sheet(rows: int, columns: int) -> NDArray[np.int32]:
    """Triangles of a grid of vertices."""
    a = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)[None, :]).ravel()
    below = a + columns
    both = [np.stack([a, a + 1, below], axis=1), np.stack([a + 1, below + 1, below], axis=1)]
    return np.concatenate(both).astype(np.int32)
