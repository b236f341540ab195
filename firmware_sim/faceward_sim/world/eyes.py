"""Eyeballs: two spheres with a cornea, one mesh, turned by the gaze."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceward_sim.world.complexion import smooth
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import Material
from faceward_sim.world.textures import mottle

Floats = NDArray[np.float32]

RINGS, SPOKES = 14, 24
OPEN_TO = 2.0  # radians from the gaze: the sphere's back is never seen
TEXELS = 160
# The tear film is a mirror: Fresnel 2 % at n = 1.34, over a diffuse reflectance near .4 (assumed).
EYE = Material("eye", 0.8, 3.0, 0.05, 0.06)
IRIS_MM, CORNEA_MM = 5.9, 2.3  # half the iris' width (11.8 mm across) and the cornea's bulge over a 12 mm eyeball
EYEBALL_MM = 12.0


def eye_mesh() -> tuple[Floats, NDArray[np.int32], Floats]:
    """Unit directions (2 N, 3) of both eyeballs looking along -z, triangles and uv; the left eye's come first."""
    polar = np.concatenate([[0.0], OPEN_TO * np.linspace(0, 1, RINGS)[1:] ** 1.0])
    around = np.linspace(0, 2 * np.pi, SPOKES, endpoint=False)
    directions = [(0.0, 0.0, -1.0)]
    uv = [(0.5, 0.5)]
    for angle in polar[1:]:
        for turn in around:
            directions.append((np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn), -np.cos(angle)))
            reach = 0.48 * angle / OPEN_TO
            uv.append((0.5 + reach * np.cos(turn), 0.5 + reach * np.sin(turn)))
    triangles = [(0, 1 + (k + 1) % SPOKES, 1 + k) for k in range(SPOKES)]
    for ring in range(RINGS - 2):
        first = 1 + ring * SPOKES
        for k in range(SPOKES):
            following = (k + 1) % SPOKES
            a, b = first + k, first + following
            triangles += [(a, b, b + SPOKES), (a, b + SPOKES, a + SPOKES)]
    one = np.array(directions, np.float32)
    triangle_array = np.array(triangles, np.int32)
    a, b, c = one[triangle_array.T]
    outward = np.cross(b - a, c - a)
    inverted = (outward * one[triangle_array].mean(axis=1)).sum(axis=1) < 0
    triangle_array[inverted] = triangle_array[inverted][:, ::-1]
    both = np.concatenate([triangle_array, triangle_array + len(one)])
    half = np.array([0.5, 0.0])
    left_uv = np.array(uv) * (0.5, 1.0)
    return np.concatenate([one, one]), both, np.concatenate([left_uv, left_uv + half]).astype(np.float32)


def with_cornea(directions: Floats, radius_mm: float) -> Floats:
    """Eyeball points for unit directions: a sphere with the cornea standing out in the middle."""
    off_axis = np.arccos(np.clip(-directions[:, 2], -1, 1))
    edge = np.arcsin(min(IRIS_MM / EYEBALL_MM, 1.0))
    bulge = CORNEA_MM / EYEBALL_MM * 0.5 * np.clip(1 - (off_axis / edge) ** 2, 0, 1)
    return (directions * (radius_mm * (1 + bulge))[:, None]).astype(np.float32)


def paint_eyes(seed: int) -> Floats:
    """Reflectance of sclera, iris and pupil, (TEXELS, 2 TEXELS): the left eye's half first.

    Melanin hardly absorbs at 940 nm, so even dark irides are mid-grey; the pupil is dark because the emitter is not on
    the camera's axis. Values are assumed.
    """
    rng = stream(seed, "eyes")
    iris_share = rng.uniform(0.12, 0.42)
    pupil_mm = rng.uniform(1.5, 3.2)
    sclera_share = rng.uniform(0.32, 0.5)
    limbus_share = rng.uniform(0.45, 0.8)
    grid = (np.arange(TEXELS) + 0.5) / TEXELS - 0.5
    across, down = np.meshgrid(grid, grid)
    angle = np.hypot(across, down) / 0.48 * OPEN_TO
    from_axis_mm = (EYEBALL_MM * np.sin(np.minimum(angle, np.pi / 2))).astype(np.float32)
    spoke = np.arctan2(down, across)
    eyes = []
    for _ in range(2):
        fibres = 1 + 0.12 * np.sin(spoke * rng.integers(24, 44) + 3 * mottle(rng, TEXELS, 9, 9))
        iris = iris_share * fibres * (1 + 0.08 * mottle(rng, TEXELS, 14, 14))
        iris *= 1 - (1 - limbus_share) * smooth(from_axis_mm, 4.6, 5.8)
        sclera = sclera_share * (1 + 0.04 * mottle(rng, TEXELS, 10, 10)) * (1 - 0.25 * smooth(from_axis_mm, 8.0, 12.0))
        value = np.where(from_axis_mm < IRIS_MM, iris, sclera)
        value = value * smooth(from_axis_mm, pupil_mm - 0.2, pupil_mm + 0.2) + 0.03 * smooth(
            from_axis_mm, pupil_mm + 0.2, pupil_mm - 0.2
        )
        eyes.append(np.clip(value, 0.02, 0.7))
    return np.ascontiguousarray(np.concatenate(eyes, axis=1), np.float32)
