"""Presentation attack instruments: the sheet, the screen and the masks themselves, apart from who shows them.

What their materials do with light comes from transport in a shell that each instrument draws for itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from faceward_sim.firmware.imager import Prompt
from faceward_sim.optics.flood import Emitter, flood_signal
from faceward_sim.optics.geometry import Geometry, Pinhole
from faceward_sim.optics.materials import SUBSTANCES, Shell, skin_colour, tinted, to_material
from faceward_sim.optics.rasterise import Rasteriser
from faceward_sim.world.anatomy import Anatomy, Floats, load_anatomy
from faceward_sim.world.body import FACE_CENTRE_MM, Body
from faceward_sim.world.complexion import Complexion, draw_complexion, draw_traits, mottle, paint_skin, smooth
from faceward_sim.world.hair import Hair, draw_style, grow_hair
from faceward_sim.world.motion import Mover
from faceward_sim.world.people import COLLAR_MM, Person, draw_person
from faceward_sim.world.shape import draw_build
from faceward_sim.world.skin_map import LEFT, RIGHT, lid_margin, load_skin_map
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import Material, SceneState, Surface

A4_MM = (210.0, 297.0)
PHOTO_PX = (700, 990)
PHOTO_DISTANCE_MM = 600.0


def victim_seed(seed: int) -> int:
    """Whose face an attacker of this seed shows: somebody else's."""
    return int(stream(seed, "victim").integers(1, 2**31)) + seed


def take_photo(person: Person) -> Floats:
    """A near-infrared photograph of somebody, PHOTO_PX, 0 to 1, life-size on A4; eyes open, no background."""
    mover = Mover(person.seed, PHOTO_DISTANCE_MM)
    posture = replace(mover.at(0.0, Prompt.NONE), units={})
    scene = SceneState(Body(person).surfaces(posture, np.array([0, -FACE_CENTRE_MM, PHOTO_DISTANCE_MM], np.float32)))
    width, height = PHOTO_PX
    f_px = width / A4_MM[0] * PHOTO_DISTANCE_MM
    geometry = Geometry()
    geometry.load(scene)
    view = Rasteriser(Pinhole(width, height, f_px, (width - 1) / 2, (height - 1) / 2))
    view.draw(geometry)
    picture = flood_signal(geometry, view, Emitter(0.0, 12.0, 0.1), 1.0, 0.0, np.zeros((height, width), np.float32))
    face = picture[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3]
    return np.clip(picture / (1.12 * np.percentile(face, 96)), 0.0, 1.0).astype(np.float32)


class Sheet:
    """A print: a bent grid whose toner holds a photograph. Its frame is the paper's middle, front towards -z."""

    def __init__(self, seed: int) -> None:
        rng = stream(seed, "sheet")
        photo = take_photo(draw_person(victim_seed(seed)))
        response = SUBSTANCES["paper"].draw(rng, None).response()
        paper = response.reflectance
        toner = float(rng.uniform(0.04, 0.10))  # carbon black absorbs (sheet); depth of black assumed
        gamma = float(rng.uniform(0.85, 1.15))
        cover = 1.0 - photo**gamma
        grain = 1 + 0.02 * np.clip(rng.standard_normal(photo.shape).astype(np.float32), -3, 3)
        self.reflectance = np.clip(paper * (1 - cover * (1 - toner / paper)) * grain, 0.02, 0.85).astype(np.float32)
        self.material = to_material("paper", response, 0.03 * paper, float(rng.uniform(0.35, 0.6)))
        columns, rows = 22, 30
        across, down = np.meshgrid(np.linspace(-0.5, 0.5, columns), np.linspace(-0.5, 0.5, rows))
        x, y = across * A4_MM[0], down * A4_MM[1]
        bend = 1.0 / rng.uniform(180.0, 1500.0) * rng.choice([-1.0, 1.0], p=[0.2, 0.8])
        turn = x * bend
        sag = rng.uniform(-6, 6) * (y / A4_MM[1] + 0.5) ** 2 + rng.normal(0, 1.2) * np.sin(across * 7 + down * 5)
        self.rest = np.stack([np.sin(turn) / bend, y, (1 - np.cos(turn)) / bend + sag], axis=2).reshape(-1, 3)
        self.rest = self.rest.astype(np.float32)
        self.uv = np.stack([across + 0.5, down + 0.5], axis=2).reshape(-1, 2).astype(np.float32)
        self.triangles = _grid(columns, rows)

    def surface(self, rotation: Floats, origin_mm: Floats) -> Surface:
        return Surface(self.rest @ rotation.T + origin_mm, self.triangles, self.uv, self.reflectance, self.material)

    def grip_mm(self, side: int) -> Floats:
        """Where a hand holds the sheet: the edge, below the middle; `side` -1 or +1 in x."""
        edge = self.rest.reshape(30, 22, 3)[21, 0 if side < 0 else -1]
        return edge.astype(np.float32)


class Screen:
    """A phone: cover glass over a panel that emits and returns next to nothing at 940 nm, in a housing."""

    def __init__(self, seed: int) -> None:
        rng = stream(seed, "screen")
        self.width, self.height = float(rng.uniform(68, 79)), float(rng.uniform(145, 166))
        thickness = float(rng.uniform(7.5, 9.0))
        bezel = float(rng.uniform(1.5, 4.0))
        w, h, d = self.width / 2, self.height / 2, thickness
        panel = float(rng.uniform(0.02, 0.04))
        # Glass returns 4 % at normal incidence (n = 1.5) whatever lies below it; the share is relative to the panel.
        self._glass = Material("cover-glass", 0.05, 0.2, 0.04 / panel, float(rng.uniform(0.015, 0.03)))
        self._glass_texture = (panel * (1 + 0.02 * mottle(rng, 32, 4, 4))).astype(np.float32)
        self._case = Material("phone-case", 0.2, 0.6, 0.04, float(rng.uniform(0.2, 0.5)))
        self._case_texture = np.full((8, 8), rng.uniform(0.04, 0.4), np.float32)
        g = 7
        across, down = np.meshgrid(np.linspace(-1, 1, g), np.linspace(-1, 1, g))
        self._front = np.stack([across * (w - bezel), down * (h - bezel), np.full_like(across, -0.05)], axis=2)
        self._front = self._front.reshape(-1, 3).astype(np.float32)
        self._front_uv = np.stack([(across + 1) / 2, (down + 1) / 2], axis=2).reshape(-1, 2).astype(np.float32)
        self._front_triangles = _grid(g, g)
        sides = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
        corners = [(sx * w, sy * h, 0.0) for sx, sy in sides] + [(sx * w, sy * h, d) for sx, sy in sides]
        self._box = np.array(corners, np.float32)
        quads = [(0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)]
        self._box_triangles = np.array([t for a, b, c, e in quads for t in ((a, b, c), (a, c, e))], np.int32)
        self._box_uv = np.full((8, 2), 0.5, np.float32)

    def surfaces(self, rotation: Floats, origin_mm: Floats) -> tuple[Surface, ...]:
        return (
            Surface(
                self._front @ rotation.T + origin_mm,
                self._front_triangles,
                self._front_uv,
                self._glass_texture,
                self._glass,
            ),
            Surface(
                self._box @ rotation.T + origin_mm,
                self._box_triangles,
                self._box_uv,
                self._case_texture,
                self._case,
            ),
        )

    def grip_mm(self, side: int) -> Floats:
        return np.array([side * self.width / 2, self.height * 0.18, 4.0], np.float32)


def _grid(columns: int, rows: int) -> NDArray[np.int32]:
    """Triangles of a grid in row-major order that faces -z (rows down, columns right)."""
    triangles = []
    for r in range(rows - 1):
        for c in range(columns - 1):
            a = r * columns + c
            triangles += [(a, a + columns + 1, a + 1), (a, a + columns, a + columns + 1)]
    return np.array(triangles, np.int32)


def _over_opening(head: Floats, shell: Floats, anatomy: Anatomy, reach_mm: float) -> NDArray[np.bool_]:
    """Which shell vertices would hang before the wearer's open eyes, or nearer than `reach_mm` to them, from in front."""
    hangs = np.zeros(len(shell), bool)
    for side in (LEFT, RIGHT):
        margin = lid_margin(anatomy, side)
        opening = np.ascontiguousarray(head[margin][:, :2]).reshape(-1, 1, 2)
        low, high = opening.min(axis=(0, 1)) - reach_mm, opening.max(axis=(0, 1)) + reach_mm
        front = shell[:, 2] < head[margin, 2].max() + 30
        for index in np.flatnonzero(front & (shell[:, :2] > low).all(axis=1) & (shell[:, :2] < high).all(axis=1)):
            x, y = shell[index, :2]
            hangs[index] |= cv2.pointPolygonTest(opening, (float(x), float(y)), True) > -reach_mm
    return hangs


def _smoothed(field: Floats, corners: NDArray[np.int32], rounds: int) -> Floats:
    """Average a per-vertex field (V, n) over mesh neighbours, a number of times."""
    count = np.zeros((len(field), 1), np.float32)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        np.add.at(count, corners[:, a], 1)
        np.add.at(count, corners[:, b], 1)
    for _ in range(rounds):
        total = np.zeros_like(field)
        for a, b in ((0, 1), (1, 2), (2, 0)):
            np.add.at(total, corners[:, a], field[corners[:, b]])
            np.add.at(total, corners[:, b], field[corners[:, a]])
        field = np.where(count > 0, 0.5 * field + 0.5 * total / np.maximum(count, 1), field)
    return field.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Silicone:
    """A batch: what the shell's material does at 940 nm."""

    shell: Shell
    reflectance: float
    material: Material


def draw_typical_silicone(seed: int, wearer: Complexion) -> Silicone:
    """About 3 mm, mu_s' 1.0, mu_a .02, loose on its wearer's head."""
    rng = stream(seed, "silicone")
    shell = SUBSTANCES["silicone"].draw(rng, wearer.skin)
    response = shell.response()
    mirrors = float(rng.uniform(0.023, 0.046))  # n 1.40 mirrors .028; talc and lacquer change it (assumed)
    return Silicone(
        shell,
        response.reflectance,
        to_material("silicone", response, mirrors, float(rng.uniform(0.2, 0.35)), shell.response(850)),
    )


def draw_matched_silicone(seed: int, wearer: Complexion) -> Silicone:
    """About 3 mm, mu_s' 2.0, tinted until it returns what the wearer's skin does, to 6 % or so."""
    rng = stream(seed, "silicone")
    shell = SUBSTANCES["silicone-skin-matched"].draw(rng, wearer.skin)
    shell = tinted(shell, wearer.reflectance * float(np.exp(rng.normal(0, 0.06))))
    response = shell.response()
    mirrors = wearer.material.specular_share * wearer.reflectance * float(rng.uniform(0.85, 1.15))
    return Silicone(
        shell,
        response.reflectance,
        to_material("silicone-matched", response, mirrors, float(rng.uniform(0.2, 0.35)), shell.response(850)),
    )


class Mask:
    """A silicone shell with another face, over the head and part of the neck of the person who wears it."""

    thickness_mm = 3.0

    def __init__(self, seed: int, wearer: Person, silicone: Silicone) -> None:
        rng = stream(seed, "mask")
        anatomy = load_anatomy()
        other = victim_seed(seed)
        other_skin = draw_complexion(other, None)
        face = draw_build(other, anatomy, other_skin.tone)
        traits = draw_traits(other, male=face.male, age=face.age)
        self.stretch = float(rng.uniform(0.25, 0.5))  # what of an expression comes through 3 mm of silicone (assumed)
        # Painted to look in a room's light as the face does that it shows.
        red, green, blue = (part / silicone.reflectance for part in skin_colour(other_skin.skin))
        self.material = replace(silicone.material, colour=(red, green, blue))
        base = anatomy.vertices_mm
        margin = np.concatenate([lid_margin(anatomy, side) for side in (LEFT, RIGHT)])
        to_lid = np.sqrt(((base[:, None, :] - base[margin][None]) ** 2).sum(axis=2)).min(axis=1)
        ease = float(rng.uniform(1.01, 1.05))
        self.rest = self._fit(anatomy, wearer.build.vertices_mm, face.vertices_mm, to_lid, ease)

        skin_map = load_skin_map(1024)
        self.reflectance = paint_skin(
            other, skin_map, replace(other_skin, reflectance=silicone.reflectance, material=silicone.material), traits
        )
        style = draw_style(other, male=face.male, age=face.age)
        self.hair: Hair | None = grow_hair(other, anatomy, self.rest, traits, style) if rng.random() < 0.7 else None

        hole_mm = float(rng.uniform(2.5, 6.0))  # how far the hole's rim stands off the lids
        edge = COLLAR_MM - float(rng.uniform(15, 45)) - 0.35 * np.clip(base[:, 2] - 20, 0, 150)
        over_edge = base[:, 1] < edge
        self._feather(wearer.build.vertices_mm, smooth(edge - base[:, 1], 0.0, 14.0))
        corners = anatomy.wedge_vertex[anatomy.triangles]
        cut = (to_lid <= hole_mm) | _over_opening(wearer.build.vertices_mm, self.rest, anatomy, 0.7 * hole_mm)
        mask = ~anatomy.cavity & over_edge[corners].all(axis=1) & ~cut[corners].any(axis=1)
        bare = (to_lid[corners] < 22).any(axis=1) | (base[corners, 1] > edge[corners] - 18).any(axis=1)
        self.bare_triangles = anatomy.triangles[bare & (base[corners, 1] < COLLAR_MM + 25).any(axis=1)]
        self._lay_out(anatomy, anatomy.triangles[mask])

    def _fit(self, anatomy: Anatomy, head: Floats, face: Floats, to_lid_mm: Floats, ease: float) -> Floats:
        """The other face, a little larger, pushed out where the wearer would cut through; its holes over their eyes."""
        corners = anatomy.wedge_vertex[anatomy.triangles[~anatomy.cavity]]
        normals = np.zeros_like(head)
        faces = np.cross(head[corners[:, 1]] - head[corners[:, 0]], head[corners[:, 2]] - head[corners[:, 0]])
        for corner in range(3):
            np.add.at(normals, corners[:, corner], faces)
        normals = _smoothed(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9), corners, 3)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        middle = np.array([0.0, 30.0, 80.0], np.float32)
        shell = (face - middle) * np.float32(ease) + middle
        near = smooth(to_lid_mm, 26.0, 8.0)[:, None]
        shell = shell + near * (head + self.thickness_mm * normals - shell)
        # Where the wearer stands out further than the other face, silicone can only lie on them: their shape shows.
        apart = shell - head
        out = (apart * normals).sum(axis=1)
        short = np.maximum(self.thickness_mm - out, 0.0)
        push = np.maximum(_smoothed(short[:, None], corners, 2)[:, 0], short)
        kept = 3.0 / (3.0 + push)
        aside = (apart - out[:, None] * normals) * kept[:, None]
        return _smoothed(head + aside + normals * (out + push)[:, None], corners, 1).astype(np.float32)

    def _feather(self, head: Floats, share: Floats) -> None:
        """Let the shell run out to the skin at the neck's edge."""
        self.rest = (head + (self.rest - head) * np.maximum(share, 0.12)[:, None]).astype(np.float32)

    def _lay_out(self, anatomy: Anatomy, triangles: NDArray[np.int32]) -> None:
        """Render arrays, with a wall round every open edge so that the shell shows its thickness."""
        wedges, local = np.unique(triangles, return_inverse=True)
        triangles = local.reshape(-1, 3).astype(np.int32)
        vertex = anatomy.wedge_vertex[wedges]
        edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
        ends = vertex[edges]
        key = ends[:, 0].astype(np.int64) * 65536 + ends[:, 1]
        back = ends[:, 1].astype(np.int64) * 65536 + ends[:, 0]
        open_edges = edges[~np.isin(key, back)]
        rim = np.unique(open_edges)
        number = np.full(len(wedges), -1)
        number[rim] = len(wedges) + np.arange(len(rim))
        a, b = open_edges[:, 0], open_edges[:, 1]
        walls = np.concatenate(
            [np.stack([b, a, number[a]], axis=1), np.stack([b, number[a], number[b]], axis=1)]
        ).astype(np.int32)
        self.triangles = np.concatenate([triangles, walls])
        self.vertex = vertex
        self.rim_vertex = vertex[rim]
        uv = anatomy.wedge_uv[wedges]
        self.uv = np.concatenate([uv, uv[rim]]).astype(np.float32)

    def shell_mm(self, wearer: Person, units: Mapping[str, float]) -> tuple[Floats, Floats]:
        """Outer vertices (V, 3) under an expression, and how far each moved. Lids and gaze do not move silicone."""
        outer = self.rest.copy()
        for name, share in units.items():
            if not name.startswith("eye"):
                column = wearer.units[name]
                outer[column.vertices] += np.float32(share * self.stretch) * column.deltas_mm
        return outer, outer - self.rest
