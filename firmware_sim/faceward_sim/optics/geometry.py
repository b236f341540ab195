"""A scene laid out for the kernels: every surface in one set of arrays, built once for each set of meshes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from faceward_sim.world.surface import ClearSheet, Material, SceneState, Stranger, Sun, Surface

MIP_LEVELS = 4
NEAR_MM = 40.0  # nothing closer is drawn: inside the housing
_WELD_COS = 0.5  # vertices split for uv share a normal below 60 degrees; sharper is taken for an edge that was meant


@dataclass(frozen=True, slots=True)
class Pinhole:
    """A camera, or a projector taken as one: pixel centres at whole coordinates, looking along +z from `x_mm`."""

    width_px: int
    height_px: int
    f_px: float
    cx_px: float
    cy_px: float
    x_mm: float = 0.0


class Geometry:
    """Vertices, triangles, textures and materials of a scene in flat arrays.

    `load` copies the vertices; triangles, uv and textures are laid out anew only when an actor hands in other objects
    than last time. Kernels see these arrays only, so whatever layout or flags an actor's arrays have costs no compile.
    """

    def __init__(self) -> None:
        self._sources: list[tuple[int, object, object, object, object]] = []
        self.vertices_mm = np.zeros((0, 3), np.float32)
        self.normals = np.zeros((0, 3), np.float32)
        self.triangles = np.zeros((0, 3), np.int32)
        self.uv = np.zeros((0, 2), np.float32)
        self.weld = np.zeros(0, np.int32)
        self.triangle_surface = np.zeros(0, np.uint8)
        self.triangle_flush = np.zeros(0, np.float32)  # reflectance now over reflectance at rest
        self.triangle_texels = np.zeros(0, np.float32)  # texture area of each triangle, in texels
        self.texels = np.zeros(1, np.float32)
        self.mips = np.zeros((1, MIP_LEVELS, 3), np.int64)  # offset, rows, columns
        self.lobes = np.zeros((1, 2), np.float32)  # specular reflectance at normal incidence, roughness
        self.share_850 = np.ones(1, np.float32)  # of each surface's reflectance at 940 nm
        self.colours = np.ones((1, 3), np.float32)  # reflectance to red, green and blue, the same way
        self.over_range_mm = np.zeros((1, 2), np.float32)  # at low frequencies, and its drop at 300 MHz
        self.materials: tuple[Material, ...] = ()
        self.ambient = 0.0
        self.sun: Sun | None = None
        self.stranger: Stranger | None = None
        self.clear: tuple[ClearSheet, ...] = ()

    def load(self, scene: SceneState) -> None:
        """Take a scene in.

        Raises:
            ValueError: a surface, or a clear sheet, whose arrays do not fit each other.
        """
        self.clear = scene.clear
        _check(self.clear)
        if len(scene.surfaces) != len(self._sources) or any(
            len(s.vertices_mm) != n
            or s.triangles is not t
            or s.uv is not uv
            or s.reflectance is not r
            or s.material is not m
            for s, (n, t, uv, r, m) in zip(scene.surfaces, self._sources, strict=True)
        ):
            self._lay_out(scene.surfaces)
        first = face = 0
        for surface in scene.surfaces:
            last, end = first + len(surface.vertices_mm), face + len(surface.triangles)
            self.vertices_mm[first:last] = surface.vertices_mm
            # One value a triangle will do: blood changes by thousandths, and over centimetres.
            flush = self.triangle_flush[face:end]
            flush[:] = 1.0 if surface.flush is None else surface.flush[surface.triangles[:, 0]]
            first, face = last, end
        self.ambient = float(scene.ambient)
        self.sun, self.stranger = scene.sun, scene.stranger
        _vertex_normals(self.vertices_mm, self.triangles, self.weld, self.normals)

    def _lay_out(self, surfaces: tuple[Surface, ...]) -> None:
        self._sources = []
        if len(surfaces) > 255:
            raise ValueError(f"a scene of {len(surfaces)} surfaces: 255 at most")
        for number, s in enumerate(surfaces):
            count = len(s.vertices_mm)
            fits = s.vertices_mm.shape == (count, 3) and s.uv.shape == (count, 2) and s.triangles.ndim == 2
            fits = fits and (s.flush is None or s.flush.shape == (count,))
            if not fits or s.triangles.shape[1] != 3 or s.reflectance.ndim != 2 or not s.reflectance.size:
                raise ValueError(f"surface {number} ({s.material.name}): arrays do not fit each other")
            if s.triangles.size and not (s.triangles.min() >= 0 and s.triangles.max() < count):
                raise ValueError(f"surface {number} ({s.material.name}): a triangle names a vertex that is not there")
        starts = np.cumsum([0, *(len(s.vertices_mm) for s in surfaces)])
        vertices, faces = int(starts[-1]), sum(len(s.triangles) for s in surfaces)
        self.vertices_mm = np.zeros((vertices, 3), np.float32)
        self.normals = np.zeros((vertices, 3), np.float32)
        self.uv = np.zeros((vertices, 2), np.float32)
        self.weld = np.arange(vertices, dtype=np.int32)
        self.triangles = np.zeros((faces, 3), np.int32)
        self.triangle_surface = np.zeros(faces, np.uint8)
        self.triangle_flush = np.ones(faces, np.float32)
        self.triangle_texels = np.zeros(faces, np.float32)
        self.mips = np.zeros((max(len(surfaces), 1), MIP_LEVELS, 3), np.int64)
        self.lobes = np.zeros((max(len(surfaces), 1), 2), np.float32)
        self.materials = tuple(s.material for s in surfaces)
        self.share_850 = np.array([m.share_850 for m in self.materials] or [1.0], np.float32)
        self.colours = np.array([m.colour for m in self.materials] or [(1.0, 1.0, 1.0)], np.float32)
        over = [(m.over_range_mm, m.over_range_drop_mm) for m in self.materials]
        self.over_range_mm = np.array(over or [(0.0, 0.0)], np.float32)
        layers: list[NDArray[np.float32]] = []
        filled = face = 0
        for number, s in enumerate(surfaces):
            a, b = int(starts[number]), int(starts[number + 1])
            self.vertices_mm[a:b] = s.vertices_mm
            self.uv[a:b] = s.uv
            end = face + len(s.triangles)
            self.triangles[face:end] = s.triangles
            self.triangles[face:end] += a
            self.triangle_surface[face:end] = number
            texture = np.ascontiguousarray(s.reflectance, np.float32)
            rows, columns = texture.shape
            p = s.uv[s.triangles].astype(np.float64) * (columns, rows)
            e, g = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
            self.triangle_texels[face:end] = 0.5 * np.abs(e[:, 0] * g[:, 1] - e[:, 1] * g[:, 0])
            self.lobes[number] = (s.material.specular_share * _nominal(texture, s.uv), max(s.material.roughness, 0.02))
            for level in range(MIP_LEVELS):
                if level and min(texture.shape) > 1:
                    size = (max(texture.shape[1] // 2, 1), max(texture.shape[0] // 2, 1))
                    texture = cv2.resize(texture, size, interpolation=cv2.INTER_AREA)
                    layers.append(texture.ravel())
                elif not level:
                    layers.append(texture.ravel())
                else:
                    self.mips[number, level] = self.mips[number, level - 1]
                    continue
                self.mips[number, level] = (filled, *texture.shape)
                filled += texture.size
            face = end
        self.texels = np.concatenate(layers) if layers else np.zeros(1, np.float32)
        self._weld_seams(starts)
        self._sources = [(len(s.vertices_mm), s.triangles, s.uv, s.reflectance, s.material) for s in surfaces]

    def _weld_seams(self, starts: NDArray[np.int64]) -> None:
        """Let vertices that were split for uv share one normal, so that no seam shows in the shading."""
        _vertex_normals(self.vertices_mm, self.triangles, self.weld, self.normals)
        for a, b in pairwise(starts):
            _, group = np.unique(self.vertices_mm[a:b], axis=0, return_inverse=True)
            group = group.ravel()
            order = np.argsort(group, kind="stable")
            representative = -1
            for i in order:
                if representative >= 0 and group[i] == group[representative]:
                    if float(self.normals[a + i] @ self.normals[a + representative]) > _WELD_COS:
                        self.weld[a + i] = a + representative
                else:
                    representative = int(i)


def _check(sheets: tuple[ClearSheet, ...]) -> None:
    for number, sheet in enumerate(sheets):
        shape = (len(sheet.front_mm), 3)
        parts = (sheet.front_mm, sheet.front_normals, sheet.back_mm, sheet.back_normals)
        if any(part.shape != shape for part in parts) or sheet.triangles.ndim != 2 or sheet.triangles.shape[1] != 3:
            raise ValueError(f"clear sheet {number} ({sheet.glazing.name}): arrays do not fit each other")
        if sheet.triangles.size and not (sheet.triangles.min() >= 0 and sheet.triangles.max() < shape[0]):
            raise ValueError(
                f"clear sheet {number} ({sheet.glazing.name}): a triangle names a vertex that is not there"
            )


def _nominal(texture: NDArray[np.float32], uv: NDArray[np.float32]) -> float:
    """The reflectance that `specular_share` is a share of: the median at the vertices."""
    rows, columns = texture.shape
    if not len(uv):
        return 0.0
    x = np.clip((uv[:, 0] * columns).astype(np.int64), 0, columns - 1)
    y = np.clip((uv[:, 1] * rows).astype(np.int64), 0, rows - 1)
    return float(np.median(texture[y, x]))


@njit(cache=True, nogil=True)
def _vertex_normals(vertices, triangles, weld, normals):
    """Area-weighted unit normals; welded vertices share theirs."""
    for v in range(normals.shape[0]):
        normals[v, 0] = normals[v, 1] = normals[v, 2] = 0.0
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux = vertices[b, 0] - vertices[a, 0]
        uy = vertices[b, 1] - vertices[a, 1]
        uz = vertices[b, 2] - vertices[a, 2]
        vx = vertices[c, 0] - vertices[a, 0]
        vy = vertices[c, 1] - vertices[a, 1]
        vz = vertices[c, 2] - vertices[a, 2]
        nx = uy * vz - uz * vy
        ny = uz * vx - ux * vz
        nz = ux * vy - uy * vx
        for k in range(3):
            w = weld[triangles[t, k]]
            normals[w, 0] += nx
            normals[w, 1] += ny
            normals[w, 2] += nz
    for v in range(normals.shape[0]):
        w = weld[v]
        if w == v:
            size = np.sqrt(normals[v, 0] ** 2 + normals[v, 1] ** 2 + normals[v, 2] ** 2)
            if size > 0.0:
                normals[v, 0] /= size
                normals[v, 1] /= size
                normals[v, 2] /= size
    for v in range(normals.shape[0]):
        w = weld[v]
        if w != v:
            normals[v, 0], normals[v, 1], normals[v, 2] = normals[w, 0], normals[w, 1], normals[w, 2]
