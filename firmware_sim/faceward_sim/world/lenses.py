"""Spectacle lenses: what somebody's are made of and how they are curved, and the sheets that fill a pair of rims.

The front is a piece of a sphere by its base curve, 530 mm over dioptres (tools and frames count curves for an index of
1.53), fitted to the rim; rims stand straight up and down, so that the edge of a big lens lies up to .6 mm before or behind
its own. The back follows from the power; its normals are those of the mirror that it is through the front:
a thin lens' back mirrors as a curve of c1 - n P / (n - 1), level with the front at the optical centre, before the pupil.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceward_sim.world.streams import stream
from faceward_sim.world.surface import ClearBand, ClearSheet, Glazing

RINGS = 12
_CURVE_MM = 530.0  # (n - 1) / D with the opticians' n = 1.53, in millimetres
_FIT_STEPS = 8

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lenses:
    """What a pair of lenses is."""

    index: float
    power_d: float  # dioptres; both eyes alike
    base_d: float  # the front's curve
    thickness_mm: float  # in the middle
    coated: bool  # against reflections of visible light
    glazing: Glazing

    @property
    def radius_mm(self) -> float:
        """Of the front."""
        return _CURVE_MM / self.base_d


def draw_lenses(seed: int) -> Lenses:
    """The lenses that a person would have, from a stream of their own: frames stay as they were without."""
    rng = stream(seed, "lenses")
    # CR-39, Trivex, polycarbonate, MR-8: data sheets.
    index = float(rng.choice([1.50, 1.53, 1.586, 1.60], p=[0.45, 0.1, 0.2, 0.25]))
    # Of people who wear glasses, most are short-sighted or need little; the spread is assumed (L).
    power_d = float(np.clip(rng.normal(-1.2, 2.2), -6.0, 4.0))
    # Vogel's rule: power + 6 for plus lenses, power / 2 + 6 for minus lenses; makers round, and like flat fronts.
    base_d = float(np.clip(power_d * (1.0 if power_d > 0 else 0.5) + 6.0 + rng.uniform(-1.0, 0.4), 4.0, 8.0))
    coated = bool(rng.random() < 0.6)  # assumed (L)
    clear = ((index - 1) / (index + 1)) ** 2  # Fresnel: .040 to .053 a face
    # Coatings are made for 400 to 700 nm; beyond, their layers reflect anything from less to more than the bare face (L).
    at_940 = float(rng.uniform(0.02, 0.12)) if coated else clear
    at_850 = float(at_940 * rng.uniform(0.6, 1.0)) if coated else clear
    seen = float(rng.uniform(0.003, 0.012)) if coated else clear  # data sheets say less than 1 % or so
    inside = float(rng.uniform(0.985, 1.0))  # of infrared, by 2 mm of plastic and what dirt is on it (L)
    # A slight tint, or what a photochromic lens keeps indoors, in one of seven (L); such dyes are clear in infrared.
    tint = float(rng.uniform(0.6, 0.92)) if rng.random() < 0.14 else 0.99
    glazing = Glazing(
        "coated lens" if coated else "lens",
        at_940=_band(at_940, inside),
        at_850=_band(at_850, inside),
        visible=_band(seen, tint),
        roughness=float(rng.uniform(0.003, 0.006)),  # polish, and what wiping leaves (L)
    )
    return Lenses(index, power_d, base_d, float(rng.uniform(1.5, 2.5)), coated, glazing)


def fill_rim(lenses: Lenses, rim_mm: Floats, pupil_mm: Floats) -> ClearSheet:
    """The lens in one rim.

    Args:
        rim_mm: (points, 3), once round, in the frame of a head that looks along -z.
        pupil_mm: (2,), what lies before the lens' optical centre.
    """
    radius = lenses.radius_mm
    centre = _fit_sphere(rim_mm, radius)
    middle = rim_mm[:, :2].mean(axis=0)
    shares = np.linspace(0.0, 1.0, RINGS + 1)[1:]
    rings = middle + shares[:, None, None] * (rim_mm[None, :, :2] - middle)
    flat = np.vstack([middle, rings.reshape(-1, 2)])
    front = np.column_stack([flat, _depth(flat, centre, radius)])
    outwards = (front - centre) / radius
    # Slopes dz/dx and dz/dy of the front, and of the mirror that the back is behind it.
    slopes = -outwards[:, :2] / outwards[:, 2:]
    more = -lenses.index * lenses.power_d * 1e-3 / (lenses.index - 1)
    bent = slopes + more * (flat - pupil_mm)
    behind = np.column_stack([bent, np.full(len(flat), -1.0)])
    behind /= np.linalg.norm(behind, axis=1, keepdims=True)
    back = front + np.array([0.0, 0.0, lenses.thickness_mm / lenses.index])  # as deep as it looks through the front
    return ClearSheet(
        front.astype(np.float32),
        outwards.astype(np.float32),
        back.astype(np.float32),
        behind.astype(np.float32),
        _fan(len(rim_mm), rim_mm),
        lenses.glazing,
    )


def _band(mirrored: float, inside: float) -> ClearBand:
    return ClearBand(passes=(1 - mirrored) ** 2 * inside, front=mirrored, back=mirrored)


def _depth(flat: Floats, centre: Floats, radius: float) -> Floats:
    """z of the near side of a sphere."""
    square = radius**2 - ((flat - centre[:2]) ** 2).sum(axis=1)
    return centre[2] - np.sqrt(np.maximum(square, (0.2 * radius) ** 2))


def _fit_sphere(rim: Floats, radius: float) -> Floats:
    """The centre of the sphere whose near side lies closest to a rim along z (Gauss and Newton)."""
    centre = rim.mean(axis=0) + np.array([0.0, 0.0, radius])
    for _ in range(_FIT_STEPS):
        depth = _depth(rim[:, :2], centre, radius)
        height = centre[2] - depth
        slope = np.column_stack([(centre[:2] - rim[:, :2]) / height[:, None], np.ones(len(rim))])
        centre = centre + np.linalg.lstsq(slope, rim[:, 2] - depth, rcond=None)[0]
    return centre


def _fan(points: int, rim: Floats) -> NDArray[np.int32]:
    """Triangles over a middle and rings about it, counter-clockwise seen from outside."""
    triangles = []
    for k in range(points):
        following = (k + 1) % points
        triangles.append((0, 1 + k, 1 + following))
        for ring in range(RINGS - 1):
            inner, outer = 1 + ring * points, 1 + (ring + 1) * points
            triangles += [
                (inner + k, outer + k, outer + following),
                (inner + k, outer + following, inner + following),
            ]
    x, y = rim[:, 0], rim[:, 1]
    turns = float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())
    # With y down, what runs to positive area turns clockwise seen from the camera.
    mesh = np.array(triangles, np.int32)
    return mesh[:, ::-1].copy() if turns > 0 else mesh
