"""What stands behind somebody: a wall beyond a lock sensor's range, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faceward_sim.world.complexion import mottle
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import Material, Surface

HALF_WIDTH_MM = 2600.0


@dataclass(frozen=True, slots=True)
class Room:
    """The still part of a scene."""

    surfaces: tuple[Surface, ...]
    ambient: float


def draw_room(seed: int) -> Room:
    """A wall 1.1 to 2.2 m away (three rooms in four) and some ambient light at the sensor's band."""
    rng = stream(seed, "room")
    ambient = float(rng.uniform(0.0, 0.02))
    if rng.random() < 0.25:
        return Room((), ambient)
    away = float(rng.uniform(1100, 2200))
    lean = float(rng.uniform(-0.15, 0.15))
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float32)
    vertices = np.empty((4, 3), np.float32)
    vertices[:, :2] = corners * HALF_WIDTH_MM
    vertices[:, 2] = away + lean * vertices[:, 0]
    paint = rng.uniform(0.3, 0.75) * (1 + 0.03 * mottle(rng, 128, 12, 12) + 0.02 * mottle(rng, 128, 64, 64))
    wall = Surface(
        vertices,
        np.array([(0, 2, 1), (0, 3, 2)], np.int32),
        ((corners + 1) / 2).astype(np.float32),
        np.clip(paint, 0.05, 0.9).astype(np.float32),
        Material("wall", 0.1, 0.4, 0.01, 0.6),
    )
    return Room((wall,), ambient)
