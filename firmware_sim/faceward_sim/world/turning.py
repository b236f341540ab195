"""How heads, sensors and what is held turn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def turning(yaw_rad: float, pitch_rad: float, roll_rad: float = 0.0) -> NDArray[np.float32]:
    """Rotation (3, 3) for column vectors: yaw to the person's own left (+x), pitch upwards (-y), roll clockwise."""
    cy, sy = np.cos(-yaw_rad), np.sin(-yaw_rad)
    cp, sp = np.cos(-pitch_rad), np.sin(-pitch_rad)
    cr, sr = np.cos(roll_rad), np.sin(roll_rad)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (about_y @ about_x @ about_z).astype(np.float32)
