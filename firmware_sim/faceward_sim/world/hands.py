"""Hands that hold things: a palm, a thumb in front, fingers behind, a forearm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceward_sim.world.anatomy import Floats
from faceward_sim.world.complexion import Complexion
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import Surface

AROUND, ALONG = 12, 7

# Thumb, fingers, palm and forearm of a right hand that holds an edge at the origin: the held thing extends to -x, its
# front is at -z. Each limb is (from, to, radius from, radius to), millimetres, adult size.
_LIMBS = (
    ((26, 14, 8), (-2, -2, -10), 11.5, 10.0),
    ((-2, -2, -10), (-24, -10, -9), 10.0, 8.0),
    ((32, -22, 16), (-22, -26, 14), 9.5, 7.5),
    ((34, -4, 18), (-26, -8, 15), 10.0, 7.5),
    ((34, 14, 18), (-24, 10, 15), 10.0, 7.5),
    ((32, 30, 17), (-16, 27, 14), 9.0, 7.0),
    ((30, -16, 16), (36, 60, 30), 21.0, 25.0),
    ((36, 60, 30), (70, 260, 110), 25.0, 38.0),
)


class Hand:
    """One hand's mesh about the edge that it holds."""

    def __init__(self, seed: int, complexion: Complexion, *, right: bool) -> None:
        rng = stream(seed, "hand-right" if right else "hand-left")
        size = float(rng.uniform(0.9, 1.08))
        vertices: list[Floats] = []
        triangles: list[NDArray[np.int32]] = []
        uv: list[Floats] = []
        for start, end, from_radius, to_radius in _LIMBS:
            jitter = rng.normal(0, 1.0, (2, 3))
            v, t, c = _capsule(np.array(start) + jitter[0], np.array(end) + jitter[1], from_radius, to_radius)
            triangles.append(t + sum(len(part) for part in vertices))
            vertices.append(v * np.float32(size))
            uv.append(c)
        self._vertices = np.concatenate(vertices).astype(np.float32)
        self._triangles = np.concatenate(triangles).astype(np.int32)
        if not right:
            self._vertices[:, 0] *= -1
            self._triangles = np.ascontiguousarray(self._triangles[:, ::-1])
        self._uv = np.concatenate(uv).astype(np.float32)
        law = complexion.generator.texture.mottle
        skin = complexion.reflectance * (1 + 0.05 * law(rng, 128, 12, 12) + 0.04 * law(rng, 128, 60, 60))
        self._reflectance = np.clip(skin, 0.05, 0.8).astype(np.float32)
        self._material = complexion.material

    def surface(self, rotation: Floats, origin_mm: Floats) -> Surface:
        """The hand with its held edge at `origin_mm`, turned by `rotation`."""
        return Surface(
            self._vertices @ rotation.T + origin_mm, self._triangles, self._uv, self._reflectance, self._material
        )


def _capsule(
    start: NDArray[np.float64], end: NDArray[np.float64], from_radius: float, to_radius: float
) -> tuple[Floats, NDArray[np.int32], Floats]:
    """A closed rounded limb."""
    axis = end - start
    length = float(np.linalg.norm(axis))
    axis = axis / length
    aside = np.cross(axis, [0.0, 0.0, 1.0] if abs(axis[2]) < 0.9 else [1.0, 0.0, 0.0])
    aside /= np.linalg.norm(aside)
    across = np.cross(axis, aside)
    turns = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
    ring = np.cos(turns)[:, None] * aside + np.sin(turns)[:, None] * across
    profile = []
    for angle in (-1.2, -0.7, 0.0):
        profile.append((from_radius * np.sin(angle), from_radius * np.cos(angle)))
    for angle in (0.0, 0.7, 1.2):
        profile.append((length + to_radius * np.sin(angle), to_radius * np.cos(angle)))
    points = [start - axis * from_radius]
    for along, radius in profile:
        points.extend(start + axis * along + ring * radius)
    points.append(end + axis * to_radius)
    rows = len(profile)
    triangles = [(0, 1 + (k + 1) % AROUND, 1 + k) for k in range(AROUND)]
    for row in range(rows - 1):
        for k in range(AROUND):
            a, b = 1 + row * AROUND + k, 1 + row * AROUND + (k + 1) % AROUND
            triangles += [(a, b, a + AROUND), (b, b + AROUND, a + AROUND)]
    last = len(points) - 1
    triangles += [(last, last - AROUND + k, last - AROUND + (k + 1) % AROUND) for k in range(AROUND)]
    vertices = np.array(points, np.float32)
    rest = vertices - vertices.mean(axis=0)
    uv = np.stack([0.5 + rest[:, 0] / 320, 0.5 + rest[:, 1] / 320], axis=1)
    return vertices, np.array(triangles, np.int32), np.clip(uv, 0, 1).astype(np.float32)
