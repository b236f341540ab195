"""Masks that somebody wears: a shell over the head or a part of it, with holes, edges and a paint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from faceward_sim.optics.materials import skin_colour
from faceward_sim.world.anatomy import Anatomy, Floats, load_anatomy
from faceward_sim.world.complexion import smooth
from faceward_sim.world.generators import EVERY, B
from faceward_sim.world.hair import draw_style, grow_hair
from faceward_sim.world.instruments.batches import (
    Batch,
    DrawBatch,
    draw_card,
    draw_matched_in_both,
    draw_matched_silicone,
    draw_skin,
    draw_tinted_gel,
    draw_typical_silicone,
    of_substance,
)
from faceward_sim.world.instruments.coats import Coat, lay_on
from faceward_sim.world.instruments.victims import Model, Sculpt, at_likeness, of_a_stranger, of_the_wearer
from faceward_sim.world.people import COLLAR_MM, Person, skin_triangles
from faceward_sim.world.skin_map import LEFT, RIGHT, lid_margin
from faceward_sim.world.streams import stream
from faceward_sim.world.worn import Worn

_TRIMS = 5
_FOLD_MM = 6.0  # how far a facet is lifted off the face at most
_EDGE_MM = 18.0  # under a shell's edge, so far in, skin is drawn: it may look out


class Extent(Enum):
    """What of the head a mask covers."""

    HEAD = "head and neck"
    FACE = "forehead to chin, as far as the ears"
    UPPER = "forehead to upper lip"
    LOWER = "nose to chin"
    NOSE_AND_BROW = "nose and brow"


@dataclass(frozen=True, slots=True)
class MaskDesign:
    """A species of masks. Ranges are drawn from evenly."""

    name: str
    species: str
    description: str
    batch: DrawBatch
    coat: Coat = Coat.SKIN
    extent: Extent = Extent.HEAD
    sculpt: Sculpt = of_a_stranger
    ease: tuple[float, float] = (1.01, 1.05)  # how much larger than the head that it was cast from
    stretch: tuple[float, float] = (0.25, 0.5)  # what of an expression comes through (assumed)
    hole_mm: tuple[float, float] | None = (2.5, 6.0)  # from the lids to the hole's rim; None: it has lids of its own
    hair_share: float = 0.7  # how many have hair; 1 is implanted or a good wig
    facets: int = 0  # folded from so many flat pieces; 0 is smooth
    thins_out: bool = True  # runs out to the skin at its edge
    generators: tuple[str, ...] = EVERY


# Sheet, "Instruments at 940 nm", for the materials; likeness by price is the press test's, what it means is assumed.
MASKS = (
    MaskDesign("mask-silicone", "mask-silicone", "a typical 3 mm silicone mask off the shelf, of another face",
               draw_typical_silicone),
    MaskDesign("mask-silicone-matched", "mask-silicone-matched",
               "a silicone mask matched to the wearer's skin in colour and scattering in one band",
               draw_matched_silicone),
    MaskDesign("mask-silicone-matched-both", "mask-silicone-matched-both",
               "a silicone mask that returns what the wearer's skin does at 850 and at 940 nm, and spreads dots alike",
               draw_matched_in_both, hair_share=1.0),
    MaskDesign("mask-silicone-hair", "mask-silicone-hair",
               "a silicone mask off the shelf with implanted hair and next to no pigment",
               of_substance("silicone-translucent", name="silicone-translucent"), hair_share=1.0),
    MaskDesign("mask-silicone-opaque", "mask-silicone-opaque", "a silicone mask with opaque pigment",
               of_substance("silicone-opaque")),
    MaskDesign("mask-silicone-thin", "mask-silicone-thin",
               "thin silicone with another's features, in contact with skin and moving with it",
               of_substance("silicone-thin"), sculpt=of_the_wearer, ease=(1.0, 1.0), stretch=(0.75, 0.95),
               hole_mm=(1.5, 3.0), hair_share=1.0),
    MaskDesign("mask-press-3200", "mask-press-3200",
               "3,200 yuan: custom silicone from a photograph, 80 to 84 % likeness, painted hair",
               draw_typical_silicone, sculpt=at_likeness(0.80, 0.84, depth=0.7), ease=(1.01, 1.04), hair_share=0.0),
    MaskDesign("mask-press-6800", "mask-press-6800",
               "6,800 yuan: custom silicone from a photograph, 83 to 87 % likeness, implanted hair",
               draw_typical_silicone, sculpt=at_likeness(0.83, 0.87, depth=0.8), ease=(1.01, 1.03), hair_share=1.0,
               hole_mm=(2.0, 4.0)),
    MaskDesign("mask-press-15600", "mask-press-15600",
               "15,600 yuan: custom silicone from a 3D scan, 86 to 90 % likeness, implanted hair, tinted to skin",
               draw_matched_silicone, sculpt=at_likeness(0.86, 0.90), ease=(1.0, 1.02), stretch=(0.35, 0.6),
               hair_share=1.0, hole_mm=(1.5, 3.0)),
    MaskDesign("mask-latex", "mask-latex", "a latex mask of 1 mm, loose on its wearer's head",
               of_substance("latex", mirrors=(0.03, 0.05), roughness=(0.2, 0.4)), ease=(1.03, 1.07),
               stretch=(0.15, 0.4), hole_mm=(3.0, 7.0), hair_share=0.4),
    MaskDesign("mask-paper", "mask-paper", "a mask folded from printed card, of another face",
               draw_card, coat=Coat.PRINT, extent=Extent.FACE, ease=(1.02, 1.05), stretch=(0.0, 0.0),
               hole_mm=(2.0, 5.0), facets=70, thins_out=False),
    MaskDesign("mask-abs", "mask-abs", "a rigid mask printed in ABS and painted, of another face",
               of_substance("abs", mirrors=(0.035, 0.05), roughness=(0.25, 0.45)), coat=Coat.PAINT,
               extent=Extent.FACE, ease=(1.02, 1.05), stretch=(0.0, 0.0), thins_out=False),
    MaskDesign("mask-resin", "mask-resin", "a rigid mask printed in resin and painted, of another face",
               of_substance("resin", mirrors=(0.035, 0.05), roughness=(0.12, 0.3)), coat=Coat.PAINT,
               extent=Extent.FACE, ease=(1.02, 1.05), stretch=(0.0, 0.0), thins_out=False),
)  # fmt: skip

# Apart from MASKS, so that what is measured on generator A goes over the species that A has.
UNSEEN_MASKS = (
    MaskDesign("mask-gelatine", "mask-gelatine",
               "a cast of water-based gel stuck on skin and tinted to it: its water absorbs at 940 nm as skin's does",
               draw_tinted_gel, extent=Extent.FACE,
               sculpt=at_likeness(0.75, 0.9), ease=(1.0, 1.02), stretch=(0.5, 0.8), hole_mm=(1.5, 4.0),
               generators=(B.name,)),
    MaskDesign("mask-fabric", "mask-fabric",
               "a photograph printed on stretch fabric, drawn over the head, with holes for the eyes",
               of_substance("fabric", mirrors=(0.002, 0.008), roughness=(0.5, 0.8)), coat=Coat.PRINT,
               sculpt=of_the_wearer, ease=(1.0, 1.01), stretch=(0.8, 1.0), hole_mm=(2.0, 5.0), hair_share=0.0,
               generators=(B.name,)),
)  # fmt: skip

PARTS = (
    MaskDesign("part-nose-brow", "part-nose-brow", "a silicone nose and brow glued on skin",
               of_substance("silicone-thin", name="silicone-nose"), extent=Extent.NOSE_AND_BROW, ease=(1.0, 1.0),
               stretch=(0.6, 0.9), hole_mm=(4.0, 7.0)),
    MaskDesign("part-half-upper", "part-half-upper", "a silicone half mask from forehead to upper lip",
               draw_typical_silicone, extent=Extent.UPPER, ease=(1.0, 1.03)),
    MaskDesign("part-half-lower", "part-half-lower", "a silicone half mask from nose to chin",
               draw_typical_silicone, extent=Extent.LOWER, ease=(1.0, 1.03), stretch=(0.3, 0.6)),
)  # fmt: skip

# Not an attack: an instrument by its label alone, which the gates must take for somebody alive as often as anybody.
NULL = MaskDesign("null-instrument", "null", "somebody else's living skin, worn by label: what only a leak could tell",
                  draw_skin, ease=(1.0, 1.0), stretch=(1.0, 1.0), hole_mm=None, hair_share=1.0)  # fmt: skip


class Mask:
    """One mask, fitted over its wearer.

    `rest` are its vertices by the anatomy's numbers, (V, 3) in the wearer's rest frame; `bare_triangles` are the wearer's
    own skin that may be seen beside it.
    """

    def __init__(self, design: MaskDesign, seed: int, wearer: Person, batch: Batch | None = None) -> None:
        """`batch` takes the place of the drawn material and changes nothing else."""
        rng = stream(seed, "mask")
        anatomy = load_anatomy()
        self.design = design
        self.batch = batch or design.batch(seed, wearer.complexion)
        model = design.sculpt(seed, anatomy, wearer)
        head = wearer.build.vertices_mm
        drawn_by = wearer.complexion.generator
        # What does not give at all does not in any generator.
        ends = design.stretch
        self.stretch = float(rng.uniform(*(drawn_by.beyond(ends, most=1.0) if ends[1] else ends)))
        base = anatomy.vertices_mm
        margin = np.concatenate([lid_margin(anatomy, side) for side in (LEFT, RIGHT)])
        to_lid = np.sqrt(((base[:, None, :] - base[margin][None]) ** 2).sum(axis=2)).min(axis=1)
        ease = float(rng.uniform(*drawn_by.beyond(design.ease, least=1.0)))
        self.rest = self._fit(anatomy, head, model.vertices_mm, to_lid, ease)
        holes = (0.0, 0.0) if design.hole_mm is None else drawn_by.beyond(design.hole_mm, least=1.0)
        hole_mm = float(rng.uniform(*holes))
        worn = _covered(design.extent, base, rng)
        corners = anatomy.wedge_vertex[anatomy.triangles]
        to_edge = _inside_mm(base, worn, corners)
        if design.facets:
            self.rest = _folded(self.rest, head, self._outward, worn & (to_lid > 4.0), design.facets, rng)
        if design.thins_out:
            self._feather(head, smooth(to_edge, 0.0, 14.0 if design.extent is Extent.HEAD else 7.0))
        skin = np.isin(np.arange(len(anatomy.triangles)), _rows(anatomy, skin_triangles(anatomy)))
        mask = worn[corners].all(axis=1)
        if design.hole_mm is None:
            self.bare_triangles = anatomy.triangles[skin & ~mask]
        else:
            cut = (to_lid <= hole_mm) | _over_opening(head, self.rest, anatomy, 0.7 * hole_mm)
            mask &= ~anatomy.cavity & ~cut[corners].any(axis=1)
            hidden = (to_edge[corners] > _EDGE_MM).all(axis=1) & (to_lid[corners] >= 22).all(axis=1)
            self.bare_triangles = anatomy.triangles[skin & ~hidden]
        self.reflectance = lay_on(design.coat, model, self.batch.reflectance, self.batch.material, seed)
        # Painted to look in a room's light as the face does that it shows.
        red, green, blue = (part / self.batch.reflectance for part in skin_colour(model.complexion.skin))
        self.material = replace(self.batch.material, colour=(red, green, blue))
        self.hair = self._grow(anatomy, model, rng) if design.extent is Extent.HEAD else wearer.hair
        self._lay_out(anatomy, anatomy.triangles[mask])

    def _grow(self, anatomy: Anatomy, model: Model, rng: np.random.Generator) -> Worn | None:
        if rng.random() >= model.complexion.generator.share(self.design.hair_share):
            return None
        style = draw_style(model.seed, male=model.male, age=model.age)
        return grow_hair(model.seed, anatomy, self.rest, model.traits, style)

    def _fit(self, anatomy: Anatomy, head: Floats, face: Floats, to_lid_mm: Floats, ease: float) -> Floats:
        """The other face, a little larger, pushed out where the wearer would cut through; its holes over their eyes."""
        corners = anatomy.wedge_vertex[anatomy.triangles[~anatomy.cavity]]
        normals = np.zeros_like(head)
        faces = np.cross(head[corners[:, 1]] - head[corners[:, 0]], head[corners[:, 2]] - head[corners[:, 0]])
        for corner in range(3):
            np.add.at(normals, corners[:, corner], faces)
        normals = smoothed(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9), corners, 3)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        thickness_mm = np.float32(self.batch.thickness_mm)
        middle = np.array([0.0, 30.0, 80.0], np.float32)
        shell = (face - middle) * np.float32(ease) + middle
        near = smooth(to_lid_mm, 26.0, 8.0)[:, None]
        shell = shell + near * (head + thickness_mm * normals - shell)
        # Where the wearer stands out further than the other face, the shell can only lie on them: their shape shows.
        apart = shell - head
        out = (apart * normals).sum(axis=1)
        short = np.maximum(thickness_mm - out, 0.0)
        push = np.maximum(smoothed(short[:, None], corners, 2)[:, 0], short)
        kept = 3.0 / (3.0 + push)
        aside = (apart - out[:, None] * normals) * kept[:, None]
        fitted = head + aside + normals * (out + push)[:, None]
        lids = np.zeros(len(head), bool)
        lids[np.unique(anatomy.wedge_vertex[anatomy.triangles[anatomy.cavity]])] = True
        fitted[lids] = head[lids]  # sockets and mouth are the wearer's own
        fitted = smoothed(fitted, corners, 1)
        # Smoothing sinks ridges a little; nothing of the wearer may look through.
        sunk = np.maximum(0.6 * thickness_mm - ((fitted - head) * normals).sum(axis=1), 0.0)
        sunk[lids] = 0.0
        self._outward = normals.astype(np.float32)
        return (fitted + sunk[:, None] * normals).astype(np.float32)

    def _feather(self, head: Floats, share: Floats) -> None:
        """Let the shell run out to the skin at its edge."""
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
        self._trim(vertex[open_edges])
        # The wall has corners of its own, so that its light is not its neighbours'.
        outer, inner = np.full(len(wedges), -1), np.full(len(wedges), -1)
        outer[rim] = len(wedges) + np.arange(len(rim))
        inner[rim] = len(wedges) + len(rim) + np.arange(len(rim))
        a, b = open_edges[:, 0], open_edges[:, 1]
        walls = np.concatenate(
            [np.stack([outer[b], outer[a], inner[a]], axis=1), np.stack([outer[b], inner[a], inner[b]], axis=1)]
        ).astype(np.int32)
        self.triangles = np.concatenate([triangles, walls])
        self.vertex = np.concatenate([vertex, vertex[rim]])
        self.rim_vertex = vertex[rim]
        uv = anatomy.wedge_uv[wedges]
        self.uv = np.concatenate([uv, uv[rim], uv[rim]]).astype(np.float32)

    def _trim(self, edges: NDArray[np.int32]) -> None:
        """Even out the shell's edges, which follow the mesh, as a blade would."""
        before = self.rest.copy()
        for _ in range(_TRIMS):
            total, count = np.zeros_like(self.rest), np.zeros((len(self.rest), 1), np.float32)
            for a, b in ((0, 1), (1, 0)):
                np.add.at(total, edges[:, a], self.rest[edges[:, b]])
                np.add.at(count, edges[:, a], 1)
            self.rest = np.where(count > 0, 0.5 * self.rest + 0.5 * total / np.maximum(count, 1), self.rest)
        self.trimmed_mm = (self.rest - before).astype(np.float32)

    def shell_mm(self, wearer: Person, units: Mapping[str, float]) -> tuple[Floats, Floats]:
        """Outer vertices (V, 3) under an expression, and how far each moved. A mask without lids lets lids alone."""
        outer = self.rest.copy()
        for name, share in units.items():
            if self.stretch and (self.design.hole_mm is None or not name.startswith("eye")):
                column = wearer.units[name]
                outer[column.vertices] += np.float32(share * self.stretch) * column.deltas_mm
        return outer, outer - self.rest


def _rows(anatomy: Anatomy, triangles: NDArray[np.int32]) -> NDArray[np.int64]:
    """Where some of the anatomy's triangles stand among all."""
    return np.flatnonzero(np.isin(_key(anatomy.triangles), _key(triangles)))


def _key(triangles: NDArray[np.int32]) -> NDArray[np.int64]:
    a, b, c = triangles.astype(np.int64).T
    return (a * 65536 + b) * 65536 + c


def _covered(extent: Extent, base: Floats, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Vertices under a mask, on the base head (eyes at 0, nose tip at y 38, lips at 67, chin at 112; all mm)."""
    side, y, z = np.abs(base[:, 0]), base[:, 1], base[:, 2]
    if extent is Extent.HEAD:
        return y < COLLAR_MM - float(rng.uniform(15, 45)) - 0.35 * np.clip(z - 20, 0, 150)
    back_mm, top_mm = float(rng.uniform(48, 66)), float(rng.uniform(60, 78))
    chin_mm = float(rng.uniform(104, 114))
    face = (z < back_mm) & (y > -top_mm - 0.1 * side) & (y < chin_mm - 0.45 * np.clip(z - 5, 0, 100))
    if extent is Extent.UPPER:
        return face & (y < float(rng.uniform(50, 58)) - 0.18 * side)
    if extent is Extent.LOWER:
        return face & (y > float(rng.uniform(10, 18)) + 0.45 * np.clip(side - 10, 0, 40))
    if extent is Extent.NOSE_AND_BROW:
        brow_mm, wing_mm = float(rng.uniform(28, 36)), float(rng.uniform(21, 25))
        nose = (side < np.interp(y, [-30, 0, 35, 52], [12, 12, wing_mm, wing_mm])) & (y < 52)
        brow = (side < 52) & (y < -12)
        return face & (y > -brow_mm) & (nose | brow)
    return face


def _inside_mm(base: Floats, worn: NDArray[np.bool_], corners: NDArray[np.int32]) -> Floats:
    """How far inside the covered part each vertex of the base head lies; 0 outside it."""
    mixed = corners[worn[corners].any(axis=1) & ~worn[corners].all(axis=1)]
    edge = base[np.unique(mixed[worn[mixed]])]
    inside = np.zeros(len(base), np.float32)
    points = base[worn]
    nearest = np.full(len(points), np.inf, np.float32)
    for part in np.array_split(edge, max(len(edge) // 64, 1)):
        nearest = np.minimum(nearest, ((points[:, None] - part[None]) ** 2).sum(axis=2).min(axis=1))
    inside[worn] = np.sqrt(nearest)
    return inside


def _folded(
    shell: Floats, head: Floats, outward: Floats, chosen: NDArray[np.bool_], count: int, rng: np.random.Generator
) -> Floats:
    """The chosen vertices, laid into as many planes, each about a place of its own and clear of the head."""
    rows = np.flatnonzero(chosen & (shell[:, 2] < 80))
    points = shell[rows]
    places = points[rng.choice(len(points), count, replace=False)]
    for _ in range(6):
        nearest = ((points[:, None] - places[None]) ** 2).sum(axis=2).argmin(axis=1)
        for k in range(count):
            if (nearest == k).any():
                places[k] = points[nearest == k].mean(axis=0)
    folded = shell.copy()
    for k in range(count):
        mine = rows[nearest == k]
        if len(mine) < 4:
            continue
        middle = shell[mine].mean(axis=0)
        normal = np.linalg.svd(shell[mine] - middle, full_matrices=False)[2][2]
        normal *= np.sign(normal @ outward[mine].mean(axis=0))
        flat = shell[mine] - ((shell[mine] - middle) @ normal)[:, None] * normal
        inside = np.maximum(0.5 - ((flat - head[mine]) * outward[mine]).sum(axis=1), 0.0)
        folded[mine] = flat + min(float(inside.max()), _FOLD_MM) * normal
    return folded


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


def smoothed(field: Floats, corners: NDArray[np.int32], rounds: int) -> Floats:
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
