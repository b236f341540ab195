"""Hair with a volume of its own: a cap raised from the scalp and, for long hair, what falls beside the face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceward_sim.world.anatomy import Anatomy, Floats
from faceward_sim.world.complexion import Traits, smooth
from faceward_sim.world.skin_map import SkinMap, column_share
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import Material
from faceward_sim.world.textures import mottle
from faceward_sim.world.worn import Worn

TEXELS = 512
CAP_TEXTURE = 0.75  # the cap's share of the texture's height; falling hair has the rest
FALL_POINTS, FALL_ROWS = 40, 9
# How far each kind of hair stands off the scalp, in millimetres (assumed).
KINDS = {
    "bald": (0.0, 0.0),
    "cropped": (2.0, 4.0),
    "short": (7.0, 20.0),
    "curly": (18.0, 42.0),
    "long": (8.0, 18.0),
    "tied": (3.0, 7.0),
    "afro": (26.0, 55.0),
}


@dataclass(frozen=True, slots=True)
class HairStyle:
    """Lengths in millimetres, on the base head."""

    kind: str  # one of KINDS
    thickness: float
    front: float  # height of the hairline above the eyes
    temples: float  # how far it recedes beside the middle
    tuft: float
    sideburn: float
    lump: float
    parting: float
    fall: float  # length below the ears, 0 for none
    reveal: float  # angle beside the face where falling hair starts, radians
    stubble: float
    fringe: float  # how far hair falls over the forehead
    fringe_lean: float


def draw_style(seed: int, *, male: float, age: float) -> HairStyle:
    rng = stream(seed, "hair")
    men = (0.12 + 0.30 * age, 0.24, 0.32, 0.12, 0.08, 0.04, 0.08)
    women = (0.01, 0.05, 0.17, 0.16, 0.36, 0.20, 0.05)
    share = np.array(men if male > 0.5 else women)
    kind = str(rng.choice(list(KINDS), p=share / share.sum()))
    low, high = KINDS[kind]
    fringed = kind in ("short", "curly", "long") and rng.random() < 0.5
    return HairStyle(
        kind=kind,
        thickness=float(rng.uniform(low, high)),
        front=float(rng.uniform(46, 68) + 14 * age * male),
        temples=float(rng.uniform(0, 10) + 22 * age * male * rng.random()),
        tuft=float(rng.uniform(-4, 6)),
        sideburn=float(rng.uniform(-10, 22)),
        lump=float({"curly": 3.5, "afro": 2.5, "tied": 0.4}.get(kind, 1.0) * rng.uniform(0.5, 1.5)),
        parting=float(rng.uniform(-1, 1)),
        fall=float(rng.uniform(20, 135)) if kind == "long" else 0.0,
        reveal=float(rng.uniform(0.75, 1.40)),
        stubble=float(rng.uniform(0.3, 0.75)) if kind != "bald" else float(rng.uniform(0.0, 0.25)),
        fringe=float(rng.uniform(8, 40)) if fringed else 0.0,
        fringe_lean=float(rng.uniform(-0.8, 0.8)),
    )


def inside_hairline_mm(style: HairStyle, position_mm: Floats) -> Floats:
    """How far inside the hairline points of the base head lie (negative: outside), about, in millimetres."""
    x, y, z = position_mm[..., 0], position_mm[..., 1], position_mm[..., 2]
    angle = np.abs(np.arctan2(x, 75.0 - z))
    signed = np.arctan2(x, 75.0 - z)
    knots = np.array([0.0, 0.35, 0.65, 0.95, 1.18, 1.42, 1.55, 1.85, 2.1, 2.5, np.pi])
    front = -style.front
    heights = np.array(
        [
            front + style.tuft,
            front - 0.15 * style.temples,
            front + 6 - style.temples,
            -26.0 - 0.5 * style.temples,
            -12.0,
            style.sideburn - 6,
            -22.0,
            -16.0,
            34.0,
            58.0,
            66.0,
        ]
    )
    line = np.interp(angle, knots, heights) + 2.0 * style.parting * np.sin(3 * signed)
    fall = style.fringe * smooth(angle, 0.85, 0.45) * (1 + style.fringe_lean * np.clip(signed, -0.6, 0.6))
    return (np.minimum(line + fall, np.where(fall > 0, np.maximum(line, -24.0), line)) - y).astype(np.float32)


def paint_scalp(seed: int, reflectance: Floats, skin: SkinMap, traits: Traits, style: HairStyle) -> None:
    """Darken the skin where hair grows out of it, softly at the hairline, in place."""
    rng = stream(seed, "scalp")
    ragged = 2.2 * mottle(rng, skin.size, 160, 160) + 2.0 * mottle(rng, skin.size, 40, 40)
    depth = (inside_hairline_mm(style, skin.position_mm) + ragged).reshape(-1)
    near = np.flatnonzero(depth > -3)
    hairs = 0.8 + 0.2 * np.clip(mottle(rng, skin.size, 330, 330).reshape(-1)[near], -2, 2)
    share = 0.3 + 0.7 * style.stubble if style.kind != "bald" else style.stubble
    crown = smooth(skin.position_mm[..., 1].reshape(-1)[near], -70, -40) if style.kind == "bald" else 1.0
    amount = np.clip(share * hairs * smooth(depth[near], -3, 6) * crown, 0, 0.95)
    amount *= 1 - smooth(skin.ear.reshape(-1)[near], 0.25, 0.5)
    flat = reflectance.reshape(-1)
    flat[near] += amount * (traits.hair_reflectance - flat[near])


def grow_hair(seed: int, anatomy: Anatomy, head_mm: Floats, traits: Traits, style: HairStyle) -> Worn | None:
    """The hair of a head whose vertices are `head_mm`; None for a bald one."""
    if style.kind == "bald":
        return None
    rng = stream(seed, "hair-volume")
    base, rest, triangles, uv, follow = hull(anatomy, head_mm, lambda points: inside_hairline_mm(style, points))
    normals = outward(rest, triangles)
    depth = inside_hairline_mm(style, base)
    angle = np.arctan2(base[:, 0], 75.0 - base[:, 2])
    top = smooth(-base[:, 1], 20, 95)
    lumps = style.lump * (
        np.sin(base[:, 0] * rng.uniform(0.10, 0.2) + rng.uniform(0, 6))
        + np.sin(base[:, 1] * rng.uniform(0.10, 0.2) + rng.uniform(0, 6))
        + np.sin(base[:, 2] * rng.uniform(0.10, 0.2) + rng.uniform(0, 6))
    )
    thickness = style.thickness * (0.55 + 0.45 * top) * (1 + 0.18 * style.parting * np.sin(angle))
    raised = np.where(depth > 0, (thickness + lumps) * smooth(depth, 0, 14) + 0.6, -1.0 - 0.6 * np.minimum(-depth, 10))
    vertices = rest + normals * raised[:, None].astype(np.float32)

    texture = _strands(rng, traits)
    cap_uv = uv * np.array([1.0, CAP_TEXTURE], np.float32)
    parts = [(vertices, triangles, cap_uv, follow)]
    if style.fall:
        parts.append(_falling(rng, head_mm, anatomy, style))
    offset = 0
    meshes = []
    for part_vertices, part_triangles, part_uv, part_follow in parts:
        meshes.append((part_vertices, part_triangles + offset, part_uv, part_follow))
        offset += len(part_vertices)
    # Hair fibres scatter light many times: spread like skin's without its long tail, a broad sheen (assumed).
    material = Material("hair", float(rng.uniform(0.5, 0.9)), float(rng.uniform(1.6, 2.6)), 0.10, 0.45)
    return Worn(
        np.concatenate([m[0] for m in meshes]).astype(np.float32),
        np.concatenate([m[1] for m in meshes]).astype(np.int32),
        np.concatenate([m[2] for m in meshes]).astype(np.float32),
        texture,
        material,
        np.concatenate([m[3] for m in meshes]).astype(np.float32),
    )


def hull(
    anatomy: Anatomy, head_mm: Floats, inside_mm: Callable[[Floats], Floats]
) -> tuple[Floats, Floats, NDArray[np.int32], Floats, Floats]:
    """The head's triangles inside a line, split once: base positions, this head's positions, triangles, uv, follow.

    `inside_mm` tells how far inside the line points of the base head lie; a margin of 14 mm outside comes along.
    """
    ear = column_share(anatomy, "l-ear-scale-incr", "r-ear-scale-incr")
    wedge = anatomy.wedge_vertex
    depth = inside_mm(anatomy.vertices_mm)
    wanted = (depth > -14) & (ear < 0.25) & (anatomy.vertices_mm[:, 1] < 90) & (anatomy.openness > 0.3)
    chosen = anatomy.triangles[~anatomy.cavity & wanted[wedge[anatomy.triangles]].all(axis=1)]
    used, local = np.unique(chosen, return_inverse=True)
    triangles = local.reshape(-1, 3).astype(np.int32)
    fields = np.concatenate(
        [
            anatomy.vertices_mm[wedge[used]],
            head_mm[wedge[used]],
            anatomy.wedge_uv[used],
            anatomy.follow[wedge[used], None],
        ],
        axis=1,
    )
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    unique, where = np.unique(edges, axis=0, return_inverse=True)
    middle = (where.ravel() + len(fields)).reshape(3, -1)
    fields = np.concatenate([fields, fields[unique].mean(axis=1)])
    a, b, c = triangles.T
    ab, bc, ca = middle
    split = np.concatenate([np.stack(t, axis=1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]).astype(
        np.int32
    )
    fields = fields.astype(np.float32)
    return fields[:, :3], fields[:, 3:6], split, fields[:, 6:8], fields[:, 8]


def outward(vertices_mm: Floats, triangles: NDArray[np.int32]) -> Floats:
    """Unit normals (V, 3) of a mesh; vertices at one place share theirs."""
    faces = np.cross(
        vertices_mm[triangles[:, 1]] - vertices_mm[triangles[:, 0]],
        vertices_mm[triangles[:, 2]] - vertices_mm[triangles[:, 0]],
    )
    _, group = np.unique(np.round(vertices_mm, 3), axis=0, return_inverse=True)
    sums = np.zeros((group.max() + 1, 3))
    for corner in range(3):
        np.add.at(sums, group.ravel()[triangles[:, corner]], faces)
    normals = sums[group.ravel()]
    return (normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)).astype(np.float32)


def _strands(rng: np.random.Generator, traits: Traits) -> Floats:
    fine, broad = mottle(rng, TEXELS, 18, 400), mottle(rng, TEXELS, 10, 90)
    texture = traits.hair_reflectance * np.clip(1 + 0.14 * fine + 0.08 * broad, 0.35, 1.8)
    return np.clip(texture, 0.03, 0.65).astype(np.float32)


def _falling(
    rng: np.random.Generator, head_mm: Floats, anatomy: Anatomy, style: HairStyle
) -> tuple[Floats, NDArray[np.int32], Floats, Floats]:
    """A closed band from one side of the face round the back to the other, hanging from above the ears."""
    level = np.abs(anatomy.vertices_mm[:, 1]) < 40
    sides = head_mm[level & (anatomy.follow > 0.95)]
    half_width = float(np.abs(sides[:, 0]).max()) + 3.0
    back = float(head_mm[anatomy.follow > 0.95][:, 2].max()) + 0.6 * style.thickness
    middle_z = 82.0
    outer_turns = np.linspace(style.reveal, 2 * np.pi - style.reveal, FALL_POINTS)
    inner_turns = outer_turns[::-1]
    depth = float(rng.uniform(12, 22))
    ripples = rng.uniform(0, 6, 3)
    rows = []
    for row in range(FALL_ROWS):
        t = row / (FALL_ROWS - 1)
        y = -62.0 + t * (62.0 + 25.0 + style.fall)
        swell = np.sin(min(t * 2.2, 1.0) * np.pi / 2)
        points = []
        for turns, inset in ((outer_turns, 0.0), (inner_turns, depth)):
            ripple = 2.0 * np.sin(turns * 9 + ripples[0] + t * 2) + 1.2 * np.sin(turns * 17 + ripples[1])
            across = half_width * (0.80 + 0.20 * swell) + style.thickness * 0.5 - inset + ripple
            along = (back - middle_z) * (0.86 + 0.14 * swell) - inset + ripple
            forward = 72.0 - inset * 0.4
            z = np.where(np.cos(turns) > 0, -forward * np.cos(turns), -along * np.cos(turns))
            points.append(np.stack([across * np.sin(turns), np.full_like(turns, y), middle_z + z], axis=1))
        rows.append(np.concatenate(points))
    vertices = np.stack(rows).reshape(-1, 3)
    count = 2 * FALL_POINTS
    triangles = []
    for row in range(FALL_ROWS - 1):
        for k in range(count):
            a, b = row * count + k, row * count + (k + 1) % count
            triangles += [(a, b, a + count), (b, b + count, a + count)]
    array = np.array(triangles, np.int32)
    share = (np.arange(len(vertices)) % count) / count
    height = (np.arange(len(vertices)) // count) / (FALL_ROWS - 1)
    uv = np.stack([0.01 + 0.98 * share, CAP_TEXTURE + 0.02 + 0.22 * height], axis=1)
    outside = outward(vertices.astype(np.float32), array)[:FALL_POINTS]
    radial = vertices[:FALL_POINTS] - np.array([0.0, vertices[0, 1], middle_z])
    if (outside * radial).sum() < 0:
        array = array[:, ::-1].copy()
    follow = 1.0 - 0.75 * smooth(vertices[:, 1].astype(np.float32), 40, 160)
    return vertices.astype(np.float32), array, uv.astype(np.float32), follow.astype(np.float32)
