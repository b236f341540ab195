"""The head that people are made of: base mesh, shape targets and expression units from the baked asset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
ASSET = "heads.npz"


@dataclass(frozen=True, slots=True)
class Column:
    """One sparse displacement field."""

    vertices: NDArray[np.uint16]  # (n,)
    deltas_mm: Floats  # (n, 3)


@dataclass(frozen=True, slots=True)
class Anatomy:
    """MakeHuman's head, neck and shoulders in camera axes, millimetres; see assets/NOTICE.

    `wedge_vertex` maps the W render vertices (split at texture seams) to the V mesh vertices; triangles index wedges.
    """

    vertices_mm: Floats  # (V, 3), the origin is the middle of the two eye centres
    wedge_vertex: NDArray[np.int32]  # (W,)
    wedge_uv: Floats  # (W, 2)
    triangles: NDArray[np.int32]  # (T, 3)
    cavity: NDArray[np.bool_]  # (T,) inside of the mouth and of the eye sockets
    follow: Floats  # (V,) how far a vertex follows the head's rotation: 1 head, 0 torso
    openness: Floats  # (V,) share of the hemisphere within 25 mm that is open
    eye_vertices: tuple[NDArray[np.int32], NDArray[np.int32]]  # the person's left eye (+x), then the right
    shapes: Mapping[str, Column]
    macros: Mapping[str, Column]
    units: Mapping[str, Column]

    def displaced(self, columns: Mapping[str, Column], weights: Mapping[str, float]) -> Floats:
        """Base vertices plus a weighted sum of columns.

        :raises KeyError: a weight names a column that the asset does not have.
        """
        vertices = self.vertices_mm.copy()
        for name, weight in weights.items():
            if weight:
                column = columns[name]
                vertices[column.vertices] += np.float32(weight) * column.deltas_mm
        return vertices


@cache
def load_anatomy() -> Anatomy:
    """The one copy in this process; arrays are read-only."""
    with resources.files(__package__).joinpath("assets", ASSET).open("rb") as stream, np.load(stream) as asset:
        vertices = asset["vertices_mm"].astype(np.float32)
        eyes = (asset["left_eye"].astype(np.int32), asset["right_eye"].astype(np.int32))
        middle = (eye_centre(vertices[eyes[0]]) + eye_centre(vertices[eyes[1]])) / 2
        vertices -= middle.astype(np.float32)
        deltas = asset["column_deltas"].astype(np.float32) * asset["quantum_mm"]
        indices, offsets = asset["column_vertices"], asset["column_offsets"]
        columns: dict[str, dict[str, Column]] = {"shape": {}, "macro": {}, "unit": {}}
        for name, first, last in zip(asset["column_names"].tolist(), offsets, offsets[1:], strict=False):
            kind, stem = name.split("/")
            columns[kind][stem] = Column(indices[first:last], deltas[first:last])
        anatomy = Anatomy(
            vertices_mm=vertices,
            wedge_vertex=asset["wedge_vertex"].astype(np.int32),
            wedge_uv=asset["wedge_uv"].astype(np.float32),
            triangles=asset["triangles"].astype(np.int32),
            cavity=asset["cavity"],
            follow=asset["follow"],
            openness=asset["openness"].astype(np.float32) / np.float32(255),
            eye_vertices=eyes,
            shapes=columns["shape"],
            macros=columns["macro"],
            units=columns["unit"],
        )
    for array in (anatomy.vertices_mm, anatomy.wedge_vertex, anatomy.wedge_uv, anatomy.triangles, deltas):
        array.flags.writeable = False
    return anatomy


def eye_centre(eye_vertices_mm: Floats) -> Floats:
    """Middle of an eyeball's bounding box across, and behind its front by its radius (the cornea bulges)."""
    low, high = eye_vertices_mm.min(axis=0), eye_vertices_mm.max(axis=0)
    centre = (low + high) / 2
    centre[2] = high[2] - (high[0] - low[0]) / 2
    return centre


def eye_radius_mm(eye_vertices_mm: Floats) -> float:
    """Half the width of an eyeball."""
    return float(np.ptp(eye_vertices_mm[:, 0]) / 2)
