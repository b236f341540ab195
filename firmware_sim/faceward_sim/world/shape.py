"""A person's bones and flesh: which targets of the base head are drawn, and how far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceward_sim.world.anatomy import Anatomy, Floats, eye_centre, eye_radius_mm
from faceward_sim.world.relief import draw_relief
from faceward_sim.world.streams import stream

OPPOSITES = (
    ("-incr", "-decr"),
    ("-up", "-down"),
    ("-out", "-in"),
    ("-forward", "-backward"),
    ("-convex", "-concave"),
    ("-compress", "-uncompress"),
)
HEAD_OUTLINES = ("diamond", "invertedtriangular", "oval", "rectangular", "round", "square", "triangular")
# Spread (sigma, in units of a target's full travel) by what a name starts with; the first match holds. Chosen so that
# IPD and head size fall in the adult ranges (ANSUR II: IPD 63 +- 3.6 mm, menton to crown 223 +- 10 mm), faces stay
# plausible and embeddings differ.
SPREADS: tuple[tuple[str, float], ...] = (
    ("head-trans", 0.0),
    ("head-age", 0.0),
    ("head-angle", 0.09),
    ("head-scale-vert", 0.06),
    ("head-scale", 0.13),
    ("head-fat", 0.24),
    ("head-back", 0.13),
    ("neck-trans", 0.0),
    ("neck-double", 0.17),
    ("neck", 0.09),
    ("measure", 0.07),
    ("mouth-trans-out", 0.04),
    ("nose-trans-out", 0.04),
    ("mouth-trans", 0.21),
    ("nose-trans", 0.18),
    ("eye-trans", 0.38),
    ("eye-scale", 0.22),
    ("eye-push", 0.07),
    ("eye", 0.45),
    ("ear", 0.33),
    ("chin-height", 0.16),
    ("chin-jaw-drop", 0.16),
    ("chin", 0.31),
    ("forehead-scale", 0.16),
    ("forehead-nubian", 0.13),
    ("forehead", 0.23),
    ("nose-compression", 0.16),
    ("nose-point-width", 0.21),
    ("nose", 0.29),
    ("mouth-laugh", 0.2),
    ("mouth-dimples", 0.2),
    ("mouth", 0.26),
    ("cheek", 0.31),
    ("eyebrows", 0.5),
    ("asym", 0.1),
)
NARROWEST_IPD_MM, WIDEST_IPD_MM = 57.0, 68.0
OVER_SOCKET = 1.06  # nearest skin to an eye's middle, by the radius of the socket's wall
SIDE_SIGMA = 0.05  # how far left and right differ
PURITY = 0.5  # below 1, heads lie nearer to the corners between ancestries than to their middle


@dataclass(frozen=True, slots=True)
class Build:
    """A drawn head at rest."""

    vertices_mm: Floats  # (V, 3), the origin is the middle between the eyes
    male: float
    age: float
    scale: float  # of the drawn head over MakeHuman's; expressions are scaled alike
    eye_centres_mm: Floats  # (2, 3): the person's left, right
    eye_radius_mm: float


def _spread(stem: str) -> float:
    return next((sigma for start, sigma in SPREADS if stem.startswith(start)), 0.0)


def _axes(shapes: Mapping[str, object]) -> dict[str, list[str]]:
    """Targets by the axis they move along: the positive name first, then the negative one if there is one."""
    axes: dict[str, list[str]] = {}
    for name in sorted(shapes):
        for plus, minus in OPPOSITES:
            if name.endswith(plus):
                axes.setdefault(name, []).insert(0, name)
                break
            if name.endswith(minus) and not (minus == "-compress" and name.endswith("-uncompress")):
                axes.setdefault(name.removesuffix(minus) + plus, []).append(name)
                break
        else:
            axes.setdefault(name, []).append(name)
    return axes


def draw_weights(seed: int, anatomy: Anatomy) -> dict[str, float]:
    """Weights of the shape targets for one person."""
    rng = stream(seed, "shape")
    outline = rng.choice(HEAD_OUTLINES)
    weights = {f"head-{outline}": float(rng.uniform(0.0, 0.4))}
    shared: dict[str, float] = {}
    for axis, names in sorted(_axes(anatomy.shapes).items()):
        side = axis[:2] if axis.startswith(("l-", "r-")) else ""
        stem = axis.removeprefix(side)
        if stem.removeprefix("head-") in HEAD_OUTLINES:
            continue
        sigma = _spread(stem)
        if stem not in shared:
            shared[stem] = float(np.clip(rng.normal(0, sigma), -2.2 * sigma, 2.2 * sigma)) if sigma else 0.0
        value = shared[stem]
        if side and sigma:
            value += float(rng.normal(0, SIDE_SIGMA))
        if len(names) == 1:
            value = abs(value) * 0.6
        chosen = names[0] if value >= 0 else names[-1]
        if abs(value) > 0.01:
            weights[chosen] = min(abs(value), 1.0)
    return weights


def draw_build(seed: int, anatomy: Anatomy, tone: float) -> Build:
    """Draw sex, age, ancestry and shape, and scale the head to a real size. `tone` leans the ancestry, no more."""
    rng = stream(seed, "build")
    male = float(np.clip(rng.choice([0.06, 0.94]) + rng.normal(0, 0.1), 0, 1))
    age = float(np.clip(rng.beta(1.1, 1.7) * 0.95, 0, 0.9))
    lean = (tone - 1.0) / 3.0
    ancestry = rng.dirichlet(PURITY * np.array([0.15 + 1.1 * lean, 0.5, 0.25 + 0.8 * (1 - lean)]))
    weight = float(np.clip(rng.normal(0, 0.55), -1.0, 1.0))
    macros: dict[str, float] = {}
    for sex, sex_share in (("female", 1 - male), ("male", male)):
        for years, age_share in (("young", 1 - age), ("old", age)):
            for people, share in zip(("african", "asian", "caucasian"), ancestry, strict=True):
                macros[f"{people}-{sex}-{years}"] = float(share * sex_share * age_share)
            name = f"{sex}-{years}-{'maxweight' if weight > 0 else 'minweight'}"
            macros[name] = abs(weight) * sex_share * age_share
    vertices = anatomy.displaced(anatomy.macros, macros)
    for name, share in draw_weights(seed, anatomy).items():
        column = anatomy.shapes[name]
        vertices[column.vertices] += np.float32(share) * column.deltas_mm
    vertices += draw_relief(seed, anatomy)
    _cover_sockets(vertices, anatomy)
    left, right = anatomy.eye_vertices
    # A drawn interpupillary distance and a drawn head height each ask for a scale; the head gets the middle of the two.
    natural_mm = float(eye_centre(vertices[left])[0] - eye_centre(vertices[right])[0])
    wanted_mm = rng.normal(62.4 + 1.6 * male, 2.2)
    height_mm = rng.normal(214.0 + 11.0 * male, 7.0)
    scale = float(np.sqrt(wanted_mm / natural_mm * height_mm / head_height_mm(anatomy, vertices)))
    scale = float(np.clip(scale, NARROWEST_IPD_MM / natural_mm, WIDEST_IPD_MM / natural_mm))
    vertices *= np.float32(scale)
    centres = np.stack([eye_centre(vertices[left]), eye_centre(vertices[right])])
    middle = centres.mean(axis=0)
    radius = (eye_radius_mm(vertices[left]) + eye_radius_mm(vertices[right])) / 2
    return Build(
        (vertices - middle).astype(np.float32), male, age, scale, (centres - middle).astype(np.float32), radius
    )


def _cover_sockets(vertices_mm: Floats, anatomy: Anatomy) -> None:
    """Move skin around an eye that was drawn into its socket out over the wall, or the wall shows on the cheek."""
    corners = anatomy.wedge_vertex[anatomy.triangles]
    inside, outside = corners[anatomy.cavity], corners[~anatomy.cavity]
    walls, skin = np.setdiff1d(inside, outside), np.setdiff1d(outside, inside)
    for eye in anatomy.eye_vertices:
        before, after = (_from_eye(vertices, eye) for vertices in (anatomy.vertices_mm, vertices_mm))
        wall = walls[before[walls] < 20.0]  # the mouth's is 35 mm away
        least = OVER_SOCKET * after[wall].max()
        # Lids are nearer on the base head too: they lie on the eye, and before the wall.
        around = skin[before[skin] > OVER_SOCKET * before[wall].max()]
        sunk = around[after[around] < least]
        middle = eye_centre(vertices_mm[eye])
        vertices_mm[sunk] = middle + (vertices_mm[sunk] - middle) * (least / after[sunk])[:, None]


def _from_eye(vertices_mm: Floats, eye: NDArray[np.intp]) -> Floats:
    return np.linalg.norm(vertices_mm - eye_centre(vertices_mm[eye]), axis=1)


def head_height_mm(anatomy: Anatomy, vertices_mm: Floats) -> float:
    """Crown to the lowest point of the chin, on the middle plane."""
    rest = anatomy.vertices_mm
    middle = (np.abs(rest[:, 0]) < 0.5) & (anatomy.follow > 0.95) & (rest[:, 2] < 80) & (rest[:, 1] < 118)
    chin = middle & (rest[:, 2] < 10)
    return float(vertices_mm[chin, 1].max() - vertices_mm[middle, 1].min())
