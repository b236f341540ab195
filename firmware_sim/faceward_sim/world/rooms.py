"""What stands behind somebody: a wall beyond a lock sensor's range, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceward_sim.world.generators import A, Generator
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import Material, Surface

HALF_WIDTH_MM = 2600.0


@dataclass(frozen=True, slots=True)
class Room:
    """The still part of a scene."""

    surfaces: tuple[Surface, ...]
    ambient: float


def draw_room(seed: int, generator: Generator = A) -> Room:
    """A wall 1.1 to 2.2 m away (three rooms in four; further beyond in B) and some ambient light at the sensor's band."""
    rng = stream(seed, "room")
    ambient = float(rng.uniform(*generator.beyond((0.0, 0.02))))
    if rng.random() < generator.share(0.25):
        return Room((), ambient)
    away = float(rng.uniform(*generator.beyond((1100.0, 2200.0), least=1000.0)))
    lean = float(rng.uniform(-0.15, 0.15))
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float32)
    vertices = np.empty((4, 3), np.float32)
    vertices[:, :2] = corners * HALF_WIDTH_MM
    vertices[:, 2] = away + lean * vertices[:, 0]
    law = generator.texture
    paint = rng.uniform(*generator.beyond((0.3, 0.75), most=0.85)) * (
        1 + 0.03 * law.mottle(rng, 128, 12, 12) + 0.02 * law.mottle(rng, 128, 64, 64)
    )
    if law.panelled and rng.random() < law.panelled:
        paint *= _joints(rng, len(paint))
    wall = Surface(
        vertices,
        np.array([(0, 2, 1), (0, 3, 2)], np.int32),
        ((corners + 1) / 2).astype(np.float32),
        np.clip(paint, 0.05, 0.9).astype(np.float32),
        Material("wall", 0.1, 0.4, 0.01, 0.6),
    )
    return Room((wall,), ambient)


def _joints(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Boards or tiles: darker joints, and each piece a little other than the next."""
    pieces = int(rng.integers(4, 16))
    rows = pieces if rng.random() < 0.5 else 1
    shades = 1 + 0.05 * rng.standard_normal((rows, pieces))
    at = np.arange(size) * pieces // size
    shown = shades[(at if rows > 1 else 0 * at)[:, None], at[None, :]]
    joint = np.diff(at, prepend=0) > 0
    dark = float(rng.uniform(0.6, 0.9))
    shown[:, joint] *= dark
    if rows > 1:
        shown[joint] *= dark
    return shown.astype(np.float32)
