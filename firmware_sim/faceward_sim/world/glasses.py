"""Spectacles: two rims, a bridge and temples, fitted to a head, and a lens in each rim.

Sizes are those that frames are stamped with (ISO 8624 boxes: lens 44-58 mm wide, bridge 14-24 mm); what plastics
and metals return at 940 nm is assumed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceward_sim.world.anatomy import Anatomy, Floats
from faceward_sim.world.lenses import draw_lenses, fill_rim
from faceward_sim.world.shape import Build
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import Material
from faceward_sim.world.worn import Worn

RIM_POINTS = 40
CLEARANCE_MM = 1.5


@dataclass(frozen=True, slots=True)
class Frames:
    """What a pair of spectacles is; lengths in millimetres."""

    lens_width: float
    lens_height: float
    squareness: float  # exponent of the outline: 2 is an ellipse
    taper: float  # how much narrower the lower half is
    top_width: float  # of the rim, seen from the front
    lower_width: float
    bridge_height: float
    drop: float  # how far the lenses' middle lies below the eyes
    reflectance: float
    shine: float
    roughness: float


def draw_frames(seed: int) -> Frames:
    """The spectacles that a person would choose."""
    rng = stream(seed, "glasses")
    kind = str(rng.choice(["plastic", "clear", "metal", "half-rim"], p=[0.5, 0.12, 0.25, 0.13]))
    top = {"plastic": (2.5, 6.5), "clear": (2.5, 5.0), "metal": (1.2, 2.2), "half-rim": (1.8, 4.5)}[kind]
    top_width = float(rng.uniform(*top))
    # Carbon black makes dark plastic dark in infrared too; many dyes are clear there, so dark frames may be bright.
    returned = {"plastic": (0.03, 0.12), "clear": (0.25, 0.5), "metal": (0.15, 0.45), "half-rim": (0.04, 0.4)}[kind]
    lower_share = {"half-rim": 0.25, "metal": 1.0}.get(kind, float(rng.uniform(0.55, 1.0)))
    width = float(rng.uniform(44, 57))
    return Frames(
        lens_width=width,
        lens_height=float(width * rng.uniform(0.58, 0.95)),
        squareness=float(rng.uniform(2.0, 5.0)),
        taper=float(rng.uniform(0.0, 0.28)),
        top_width=top_width,
        lower_width=top_width * lower_share,
        bridge_height=float(rng.uniform(0.05, 0.35)),
        drop=float(rng.uniform(1.0, 6.0)),
        reflectance=float(rng.uniform(*returned)),
        shine=float(rng.uniform(0.3, 1.2) if kind == "metal" else rng.uniform(0.1, 0.5)),
        roughness=float(rng.uniform(0.15, 0.4)),
    )


def fit_glasses(seed: int, anatomy: Anatomy, build: Build) -> Worn:
    """The person's spectacles on the person's head."""
    frames = draw_frames(seed)
    skin = build.vertices_mm[np.unique(anatomy.wedge_vertex[anatomy.triangles[~anatomy.cavity]])]
    apart = float(build.eye_centres_mm[0, 0] - build.eye_centres_mm[1, 0])
    # Opticians keep the lens' middle at the eye or a little inside; a narrow face gets narrow lenses.
    half_apart = max(apart / 2 + 0.5, frames.lens_width / 2 + 7.0 + frames.top_width / 2)
    meshes: list[tuple[Floats, NDArray[np.int32]]] = []
    rims = {}
    for side in (1.0, -1.0):
        middle = np.array([side * half_apart, frames.drop])
        turns = np.linspace(0, 2 * np.pi, RIM_POINTS, endpoint=False)
        across, down = _superellipse(turns, frames.squareness)
        across = across * (1 - frames.taper * np.clip(down, 0, 1))
        # Outlines rise to the temples a little, as most frames do.
        x = middle[0] + side * across * frames.lens_width / 2
        y = middle[1] + down * frames.lens_height / 2 - 0.04 * across * frames.lens_width
        rims[side] = np.stack([x, y], axis=1)
    outline = np.concatenate(list(rims.values()))
    front_mm = _front(skin, outline)
    lenses = draw_lenses(seed)
    panes = []
    for rim, eye in zip(rims.values(), build.eye_centres_mm, strict=True):
        middle_xy = rim.mean(axis=0)
        width = np.interp(rim[:, 1] - middle_xy[1], [-2.0, 4.0], [frames.top_width, frames.lower_width])
        points = np.column_stack([rim, front_mm + _wrap(rim[:, 0])])
        meshes.append(_tube(points, width, 2.2, closed=True))
        panes.append(fill_rim(lenses, points, np.asarray(eye[:2], np.float64)))
    level = frames.drop - frames.bridge_height * frames.lens_height
    inner = half_apart - frames.lens_width / 2 * 0.96
    x = np.linspace(-inner, inner, 7)
    arch = 1.5 * (1 - (x / inner) ** 2)
    meshes.append(
        _tube(
            np.column_stack([x, level - arch, np.full(7, front_mm - 0.5)]),
            np.full(7, max(frames.top_width * 0.9, 1.4)),
            2.4,
            closed=False,
        )
    )
    for side in (1.0, -1.0):
        meshes.append(_temple(skin, side, half_apart + frames.lens_width / 2, level, front_mm, frames.top_width))
    offset = 0
    vertices, triangles = [], []
    for points, faces in meshes:
        vertices.append(points)
        triangles.append(faces + offset)
        offset += len(points)
    mesh = np.concatenate(vertices).astype(np.float32)
    return Worn(
        mesh,
        np.concatenate(triangles).astype(np.int32),
        np.full((len(mesh), 2), 0.5, np.float32),
        np.full((4, 4), frames.reflectance, np.float32),
        Material("spectacle frame", 0.1, 0.4, frames.shine, frames.roughness),
        panes=tuple(panes),
    )


def _superellipse(turns: NDArray[np.float64], power: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    cosine, sine = np.cos(turns), np.sin(turns)
    return (
        np.sign(cosine) * np.abs(cosine) ** (2 / power),
        np.sign(sine) * np.abs(sine) ** (2 / power),
    )


def _wrap(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far a frame bends back beside its middle: a base curve of about 160 mm."""
    return x * x / 320.0


def _front(skin: Floats, outline: NDArray[np.float64]) -> float:
    """The plane that keeps every point of the rims before the skin behind it."""
    distance = np.hypot(skin[:, None, 0] - outline[None, :, 0], skin[:, None, 1] - outline[None, :, 1])
    near = distance.min(axis=0) + 4.0
    nearest = np.where(distance < near[None, :], skin[:, None, 2], np.inf).min(axis=0)
    # The nose is let through: pads rest on its flanks.
    fitted = nearest - _wrap(outline[:, 0])
    return float(np.percentile(fitted, 10)) - CLEARANCE_MM - 1.1


def _tube(
    points: NDArray[np.float64], width: NDArray[np.float64], depth: float, *, closed: bool
) -> tuple[Floats, NDArray[np.int32]]:
    """A bar of rectangular section along points: `width` across as the camera sees it, `depth` along z."""
    along = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    if not closed:
        along[0], along[-1] = points[1] - points[0], points[-1] - points[-2]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    corners = []
    for out, back in ((1, -1), (1, 1), (-1, 1), (-1, -1)):
        shifted = points.copy()
        shifted[:, :2] += across * (out * width / 2)[:, None]
        shifted[:, 2] += back * depth / 2
        corners.append(shifted)
    return _skin_of(corners, closed)


def _temple(
    skin: Floats, side: float, outer: float, level: float, front_mm: float, width: float
) -> tuple[Floats, NDArray[np.int32]]:
    """From the rim's corner to behind the ear's root, outside of the head all the way."""
    start = front_mm + float(_wrap(np.array([outer]))[0])
    z = np.linspace(start, 95.0, 7)
    x = np.empty(7)
    for k, depth in enumerate(z):
        ring = (np.abs(skin[:, 2] - depth) < 9) & (np.abs(skin[:, 1] - level) < 7) & (skin[:, 0] * side > 0)
        wide = float((skin[ring, 0] * side).max()) if ring.any() else 0.0
        x[k] = max(min(wide + CLEARANCE_MM, outer + 14.0), outer - 2.0)
    x[0] = outer - 1.0
    points = np.column_stack([side * x, np.linspace(level, level + 3.0, 7), z])
    corners = []
    tall = max(width, 2.0)
    for out, up in ((1, -1), (1, 1), (-1, 1), (-1, -1)):
        corners.append(points + np.array([out * 0.8, up * tall / 2, 0.0]))
    return _skin_of(corners, closed=False)


def _skin_of(corners: list[NDArray[np.float64]], closed: bool) -> tuple[Floats, NDArray[np.int32]]:
    count = len(corners[0])
    vertices = np.concatenate(corners).astype(np.float32)
    triangles = []
    for k in range(count if closed else count - 1):
        following = (k + 1) % count
        for corner in range(4):
            a, b = corner * count, (corner + 1) % 4 * count
            triangles += [(a + k, b + k, b + following), (a + k, b + following, a + following)]
    return vertices, np.array(triangles, np.int32)
