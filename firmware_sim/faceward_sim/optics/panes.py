"""Clear sheets before a camera: what they take of the light behind them, and the lamps that their faces mirror.

Light that falls on a face and comes back to the lens goes through a sheet twice, and so does the room's. Each face mirrors
every lamp as a small bright spot, the sun, and the room as an even veil. Of sheets one behind another, the nearest counts.

Left out: refraction's shift of what is seen through, the 1 mm by which 2 mm of plastic lengthen a path of time of flight,
light that goes to and fro between the faces, and what the back of a sheet mirrors of the face behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from faceward_sim.optics.flood import Daylight, Emitter, lamp_table, mirrored
from faceward_sim.optics.geometry import MIP_LEVELS, Geometry, Pinhole
from faceward_sim.optics.kernel import kernel
from faceward_sim.optics.rasterise import Rasteriser
from faceward_sim.world.surface import ClearBand, ClearSheet, Glazing

_ZERO, _ONE = np.float32(0), np.float32(1)
_LEAST = np.float32(1e-12)
_SMOOTHEST = 0.004  # an emitter 2 mm wide at 400 mm turns the half vector by so much; a pixel of 1/554 is no wider
_WINDOW = 0.25  # a window (`Sun.wrap` 1) is mirrored as a patch of light, not as a point (L)
_BEAM = 0.25  # of a dot: its half width on the sheet is half a pixel, squared
_NO_SHADE = np.ones((1, 1), np.uint8)

Band = Callable[[Glazing], ClearBand]


def at_940(glazing: Glazing) -> ClearBand:
    return glazing.at_940


def at_850(glazing: Glazing) -> ClearBand:
    return glazing.at_850


def visible(glazing: Glazing) -> ClearBand:
    return glazing.visible


class PaneFace:
    """The front faces of all sheets, or the back faces, drawn."""

    def __init__(self, camera: Pinhole) -> None:
        self.geometry = Geometry()
        self.view = Rasteriser(camera)

    def draw(
        self,
        vertices: list[NDArray[np.float32]],
        normals: list[NDArray[np.float32]],
        triangles: NDArray[np.int32],
        sheet: NDArray[np.uint8],
        mirrors: NDArray[np.float32],
        roughness: NDArray[np.float32],
    ) -> None:
        geometry = self.geometry
        geometry.vertices_mm = np.concatenate(vertices).astype(np.float32)
        geometry.normals = np.concatenate(normals).astype(np.float32)
        if geometry.triangles is not triangles:
            geometry.triangles, geometry.triangle_surface = triangles, sheet
            geometry.uv = np.zeros((len(geometry.vertices_mm), 2), np.float32)
            geometry.triangle_texels = np.zeros(len(triangles), np.float32)
            geometry.texels = np.zeros(1, np.float32)  # no diffuse light
            geometry.mips = np.zeros((len(mirrors), MIP_LEVELS, 3), np.int64)
            geometry.mips[:, :, 1:] = 1
        self.view.draw(geometry)
        detail = self.view.detail[:, 1]
        lobes = np.zeros((len(mirrors), 2), np.float32)
        for number in range(len(mirrors)):
            turns = detail[(sheet == number) & (detail > 0)]
            turn = float(np.median(turns)) if len(turns) else 0.0
            lobes[number] = mirrors[number], np.sqrt(roughness[number] ** 2 + _BEAM * turn)
        geometry.lobes = lobes  # as dots meet it

    def box(self) -> tuple[int, int, int, int] | None:
        """Left, top, right and bottom of what was drawn, ends left out; None if nothing was."""
        view = self.view
        drawn = view.inverse_z > 0
        rows, columns = view.inverse_depth.shape
        if not drawn.any():
            return None
        x, y = view.x_px[drawn], view.y_px[drawn]
        left, top = max(int(x.min()), 0), max(int(y.min()), 0)
        right, bottom = min(int(x.max()) + 2, columns), min(int(y.max()) + 2, rows)
        return (left, top, right, bottom) if left < right and top < bottom else None


class Panes:
    """The clear sheets of a scene before one camera; where there are none, everything here does nothing.

    After `draw`: `there`, and where it is true `passed` (rows, columns), the share of light from behind that is left after
    both passes (1 where no sheet is nearest), and `faces`, front and back.
    """

    def __init__(self, camera: Pinhole) -> None:
        self._camera = camera
        self.there = False
        self.faces: tuple[PaneFace, ...] = ()
        self.passed: NDArray[np.float32] = np.ones((0, 0), np.float32)
        self._parts: tuple[object, ...] = ()
        self._triangles = np.zeros((0, 3), np.int32)
        self._sheet = np.zeros(0, np.uint8)
        self._box = (0, 0, 0, 0)

    def draw(self, geometry: Geometry, view: Rasteriser, band: Band = at_940) -> None:
        """Draw the sheets of a loaded scene before what is opaque.

        Args:
            view: a drawn view of `geometry` by the same camera.
            band: which of a glazing's bands the light is of.
        """
        sheets = geometry.clear
        self.there = False
        if not sheets:
            return
        if not self.faces:
            self.faces = (PaneFace(self._camera), PaneFace(self._camera))
            self.passed = np.ones(view.inverse_depth.shape, np.float32)
        self._lay_out(sheets)
        bands = [band(sheet.glazing) for sheet in sheets]
        roughness = np.array([max(sheet.glazing.roughness, _SMOOTHEST) for sheet in sheets], np.float32)
        # What the back mirrors goes through the front and all that absorbs, twice.
        back = [b.back * (b.passes / max(1 - b.back, 1e-6)) ** 2 for b in bands]
        front_mm, front_normals = [s.front_mm for s in sheets], [s.front_normals for s in sheets]
        back_mm, back_normals = [s.back_mm for s in sheets], [s.back_normals for s in sheets]
        mirrors = np.array([b.front for b in bands], np.float32)
        self.faces[0].draw(front_mm, front_normals, self._triangles, self._sheet, mirrors, roughness)
        self.faces[1].draw(back_mm, back_normals, self._triangles, self._sheet, np.array(back, np.float32), roughness)
        self._rough2 = roughness**2
        self.passed[self._box[1] : self._box[3], self._box[0] : self._box[2]] = 1.0
        box = self.faces[0].box()
        if box is None:
            return
        self.there, self._box = True, box
        front, c = self.faces[0].view, self._camera
        _pass(
            front.inverse_depth, front.triangle, front.planes, view.inverse_depth, self._sheet,
            np.array([b.passes for b in bands], np.float32), np.float32(c.f_px), np.float32(c.cx_px),
            np.float32(c.cy_px), np.array(box, np.int64), self.passed,
        )  # fmt: skip

    @property
    def inverse_depth(self) -> NDArray[np.float32]:
        """Of the front faces, as a `Rasteriser` has it."""
        return self.faces[0].view.inverse_depth

    @property
    def triangle(self) -> NDArray[np.int32]:
        """Of the front faces, as a `Rasteriser` has it."""
        return self.faces[0].view.triangle

    @property
    def triangle_sheet(self) -> NDArray[np.uint8]:
        """Each triangle's sheet."""
        return self._sheet

    def shade(
        self,
        lamps: Sequence[tuple[Emitter, float]],
        ambient_counts: float,
        day: Daylight | None,
        out: NDArray[np.float32],
    ) -> None:
        """Let the sheets take their share of `out` (rows, columns), and add what they mirror, in counts."""
        self.dim(out)
        self.mirror(lamps, ambient_counts, day, out)

    def dim(self, out: NDArray[np.float32]) -> None:
        """Take what is lost in both passes from the light of everything behind."""
        if self.there:
            left, top, right, bottom = self._box
            out[top:bottom, left:right] *= self.passed[top:bottom, left:right]

    def mirror(
        self,
        lamps: Sequence[tuple[Emitter, float]],
        ambient_counts: float,
        day: Daylight | None,
        out: NDArray[np.float32],
    ) -> None:
        """Add what the faces mirror of lamps (with the counts of each on white at 1 m), room and sun to `out`."""
        if not self.there:
            return
        sun = np.zeros(5, np.float32)
        if day is not None:
            sun[:] = (*day.sun.towards, day.counts, day.sun.wrap)
        c, table = self._camera, lamp_table(lamps)
        for face in self.faces:
            view = face.view
            _mirror(
                view.inverse_depth, view.triangle, view.planes, view.detail, self.passed, self._sheet,
                np.ascontiguousarray(face.geometry.lobes[:, 0]), self._rough2, np.float32(c.f_px), np.float32(c.cx_px),
                np.float32(c.cy_px), np.array(self._box, np.int64), table, np.float32(ambient_counts), sun,
                _NO_SHADE if day is None or day.seen is None else day.seen, out,
            )  # fmt: skip

    def _lay_out(self, sheets: tuple[ClearSheet, ...]) -> None:
        parts = tuple((len(s.front_mm), s.triangles) for s in sheets)
        same = len(parts) == len(self._parts) and all(
            n == m and t is u for (n, t), (m, u) in zip(parts, self._parts, strict=True)
        )
        if same:
            return
        self._parts = parts
        starts = np.cumsum([0, *(count for count, _ in parts)])
        self._triangles = np.concatenate(
            [t + np.int32(start) for (_, t), start in zip(parts, starts, strict=False)]
        ).astype(np.int32)
        self._sheet = np.repeat(np.arange(len(parts), dtype=np.uint8), [len(t) for _, t in parts])


@kernel
def _pass(inverse_depth, triangle, planes, opaque, sheet, passes, f_px, cx_px, cy_px, box, passed):
    """What both passes leave: Fresnel's loss grows towards grazing as Schlick has it, at both faces."""
    for y in range(box[1], box[3]):
        tan_y = (np.float32(y) - cy_px) / f_px
        for x in range(box[0], box[2]):
            inverse = inverse_depth[y, x]
            if inverse <= _ZERO or inverse <= opaque[y, x]:
                continue
            t = triangle[y, x]
            plane = planes[t]
            dx, dy = np.float32(x) - plane[0], np.float32(y) - plane[1]
            nx = plane[8] + plane[9] * dx + plane[10] * dy
            ny = plane[11] + plane[12] * dx + plane[13] * dy
            nz = plane[14] + plane[15] * dx + plane[16] * dy
            tan_x = (np.float32(x) - cx_px) / f_px
            size = (nx * nx + ny * ny + nz * nz + _LEAST * inverse * inverse) * (tan_x * tan_x + tan_y * tan_y + _ONE)
            cosine = -(nx * tan_x + ny * tan_y + nz) / np.sqrt(size)
            left = min(max(_ONE - cosine, _ZERO), _ONE)
            grazing = _ONE - left * left * left * left * left
            once = passes[sheet[t]] * grazing * grazing
            passed[y, x] = once * once


@kernel
def _mirror(
    inverse_depth, triangle, planes, detail, passed, sheet, mirrors, rough2, f_px, cx_px, cy_px, box, lamps, ambient, sun,
    seen, out,
):  # fmt: skip
    shaded = seen.shape[0] > 1
    wide2 = np.float32(_WINDOW * _WINDOW) * sun[4] * sun[4]
    for y in range(box[1], box[3]):
        tan_y = (np.float32(y) - cy_px) / f_px
        for x in range(box[0], box[2]):
            inverse = inverse_depth[y, x]
            if inverse <= _ZERO or passed[y, x] >= _ONE:
                continue
            t = triangle[y, x]
            s = sheet[t]
            f0 = mirrors[s]
            rough = rough2[s] + detail[t, 1]
            plane = planes[t]
            dx, dy = np.float32(x) - plane[0], np.float32(y) - plane[1]
            nx = plane[8] + plane[9] * dx + plane[10] * dy
            ny = plane[11] + plane[12] * dx + plane[13] * dy
            nz = plane[14] + plane[15] * dx + plane[16] * dy
            unit = _ONE / np.sqrt(nx * nx + ny * ny + nz * nz + _LEAST * inverse * inverse)
            nx, ny, nz = nx * unit, ny * unit, nz * unit
            tan_x = (np.float32(x) - cx_px) / f_px
            unit = _ONE / np.sqrt(tan_x * tan_x + tan_y * tan_y + _ONE)
            vx, vy, vz = -tan_x * unit, -tan_y * unit, -unit
            ndv = nx * vx + ny * vy + nz * vz
            z = _ONE / inverse
            light = ambient * f0
            for k in range(len(lamps)):
                lx, ly = lamps[k, 0] - tan_x * z, lamps[k, 1] - tan_y * z
                square = lx * lx + ly * ly + z * z
                unit = _ONE / np.sqrt(square)
                lx, ly, lz = lx * unit, ly * unit, -z * unit
                ndl = nx * lx + ny * ly + nz * lz
                away_x, away_y = tan_x - lamps[k, 3], tan_y - lamps[k, 4]
                beam = max(_ONE - lamps[k, 2] * (away_x * away_x + away_y * away_y), _ZERO)
                gloss = mirrored(lx, ly, lz, vx, vy, vz, ndl, ndv, f0, rough)
                light += lamps[k, 5] * beam / square * (gloss if ndl > _ZERO else _ZERO)
            if sun[3] > _ZERO and not (shaded and seen[y, x] == 0):
                ndl = nx * sun[0] + ny * sun[1] + nz * sun[2]
                gloss = mirrored(sun[0], sun[1], sun[2], vx, vy, vz, ndl, ndv, f0, rough + wide2)
                light += sun[3] * (gloss if ndl > _ZERO else _ZERO)
            out[y, x] += light
