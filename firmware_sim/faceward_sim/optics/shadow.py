"""Which pixels the sun reaches: the scene drawn once more, from the sun's side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceward_sim.optics.geometry import Geometry, Pinhole
from faceward_sim.optics.kernel import kernel
from faceward_sim.optics.rasterise import Rasteriser
from faceward_sim.world.surface import Sun

_AWAY_MM = 4000.0  # so far off that its rays are as good as parallel over a head
_WIDTH_PX, _WIDTH_MM = 512, 900.0
_SLACK_MM = 6.0  # a surface is never in its own shadow


class ShadowMap:
    """Reused arrays for one camera."""

    def __init__(self, camera: Pinhole) -> None:
        f_px = _WIDTH_PX / _WIDTH_MM * _AWAY_MM
        middle = (_WIDTH_PX - 1) / 2
        self._view = Rasteriser(Pinhole(_WIDTH_PX, _WIDTH_PX, f_px, middle, middle))
        self._turned = Geometry()
        self._seen = np.zeros((camera.height_px, camera.width_px), np.uint8)

    def cast(self, geometry: Geometry, view: Rasteriser, sun: Sun) -> NDArray[np.uint8]:
        """1 where the sun reaches what a pixel sees: (rows, columns), valid until the next call."""
        ahead = -np.asarray(sun.towards, np.float64)
        across = np.cross([0.0, 1.0, 0.0], ahead)
        across /= np.linalg.norm(across)
        turn = np.stack([across, np.cross(ahead, across), ahead]).astype(np.float32)
        target = _middle_of(view)
        shift = np.array([0.0, 0.0, _AWAY_MM], np.float32) - turn @ target
        turned = self._turned
        turned.vertices_mm = geometry.vertices_mm @ turn.T + shift
        turned.triangles, turned.normals = geometry.triangles, geometry.normals
        turned.triangle_texels = geometry.triangle_texels
        self._view.draw(turned)
        c, s = view.camera, self._view.camera
        _cast(
            view.inverse_depth, c.f_px, c.cx_px, c.cy_px, turn, shift, self._view.inverse_depth, s.f_px, s.cx_px,
            s.cy_px, _SLACK_MM, self._seen,
        )  # fmt: skip
        return self._seen


def _middle_of(view: Rasteriser) -> NDArray[np.float32]:
    """About where the nearest thing before the camera is."""
    inverse = view.inverse_depth[::8, ::8]
    z = 1.0 / max(float(np.percentile(inverse, 90)), 1e-3)
    return np.array([0.0, 0.0, z], np.float32)


@kernel
def _cast(inverse_depth, f_px, cx_px, cy_px, turn, shift, map_inverse, map_f, map_cx, map_cy, slack, seen):
    rows, columns = inverse_depth.shape
    high, wide = map_inverse.shape
    for y in range(rows):
        for x in range(columns):
            seen[y, x] = 1
            inverse = inverse_depth[y, x]
            if inverse <= 0.0:
                continue
            z = 1.0 / inverse
            px, py = (x - cx_px) / f_px * z, (y - cy_px) / f_px * z
            sx = turn[0, 0] * px + turn[0, 1] * py + turn[0, 2] * z + shift[0]
            sy = turn[1, 0] * px + turn[1, 1] * py + turn[1, 2] * z + shift[1]
            sz = turn[2, 0] * px + turn[2, 1] * py + turn[2, 2] * z + shift[2]
            if sz <= 1.0:
                continue
            u, v = int(sx / sz * map_f + map_cx + 0.5), int(sy / sz * map_f + map_cy + 0.5)
            if 0 <= u < wide and 0 <= v < high:
                nearest = map_inverse[v, u]
                if nearest > 0.0 and 1.0 / nearest < sz - slack:
                    seen[y, x] = 0
