"""What a head has on: hair, a hat, spectacles, a cloth over the mouth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceward_sim.world.anatomy import Floats
from faceward_sim.world.surface import ClearSheet, Material


@dataclass(frozen=True, slots=True)
class Worn:
    """A mesh at rest in the frame of the head that it was made for.

    `follow` is each vertex's share in the head's rotation (None: all of it), `panes` the clear sheets that it holds.
    """

    vertices_mm: Floats
    triangles: NDArray[np.int32]
    uv: Floats
    reflectance: Floats
    material: Material
    follow: Floats | None = None
    panes: tuple[ClearSheet, ...] = ()
