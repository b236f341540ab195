"""What a head's own targets can't say of a face: smooth displacements at three scales, mostly alike on both sides.

A Gaussian process over the base head, as morphable face models use one where examples end (Gerig et al. 2018, "Morphable
Face Models - An Open Framework": smooth kernels of several scales, symmetric about the middle plane). The process is
drawn by random Fourier features (Rahimi and Recht 2007). Amplitudes are chosen, not measured: see docs/people.md.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceward_sim.world.anatomy import Anatomy, Floats
from faceward_sim.world.complexion import smooth
from faceward_sim.world.streams import stream

SCALES_MM = ((35.0, 1.5), (20.0, 1.3), (12.0, 0.75))  # length of the kernel, sigma along each axis
ASYMMETRY = 0.25  # of the sigma, for what differs between left and right
WAVES = 96
_MIRROR = np.array([-1.0, 1.0, 1.0])


def draw_relief(seed: int, anatomy: Anatomy) -> Floats:
    """Displacements (V, 3) in millimetres of the base head; none at the eyes, at the neck and behind the ears."""
    rng = stream(seed, "relief")
    share = _share(anatomy)
    moved = np.flatnonzero(share > 0)
    points = anatomy.vertices_mm[moved].astype(np.float64)
    total = np.zeros_like(points)
    for length_mm, sigma_mm in SCALES_MM:
        here, there = _field(rng, length_mm, points, points * _MIRROR)
        there = there * _MIRROR
        total += sigma_mm * ((here + there) + ASYMMETRY * (here - there)) / np.sqrt(2)
    total -= _rigid(points, total, share[moved] * smooth(anatomy.vertices_mm[moved, 2], 60.0, 20.0))
    displaced = np.zeros(anatomy.vertices_mm.shape, np.float32)
    displaced[moved] = total * share[moved, None]
    return displaced


def _field(
    rng: np.random.Generator, length_mm: float, *places: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    """One draw of the process, three values of unit variance a point, at each of several sets of points."""
    waves = rng.normal(0, 1 / length_mm, (3, WAVES))
    phases = rng.uniform(0, 2 * np.pi, WAVES)
    weights = rng.normal(0, np.sqrt(2 / WAVES), (WAVES, 3))
    # Angles of some tens: single precision leaves 1e-6 mm, in a tenth of the time.
    return tuple(np.cos((points @ waves + phases).astype(np.float32)) @ weights for points in places)


def _rigid(
    points: NDArray[np.float64], moves: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The part of `moves` that shifts and turns the whole face: that is pose, and no shape."""
    x, y, z = points.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    # Columns: a shift along each axis, a small turn about each axis; rows: every point's x, then y, then z.
    basis = np.concatenate(
        [
            np.stack([one, zero, zero, zero, z, -y], axis=1),
            np.stack([zero, one, zero, -z, zero, x], axis=1),
            np.stack([zero, zero, one, y, -x, zero], axis=1),
        ]
    )
    root = np.tile(np.sqrt(weights), 3)
    found, *_ = np.linalg.lstsq(basis * root[:, None], moves.T.ravel() * root, rcond=None)
    return (basis @ found).reshape(3, -1).T


def _share(anatomy: Anatomy) -> Floats:
    """How much of the displacement a vertex takes: lids must stay on their eyes, and the neck on its shoulders."""
    points = anatomy.vertices_mm
    share = anatomy.follow * smooth(points[:, 1], 150.0, 100.0) * smooth(points[:, 2], 130.0, 80.0)
    for eye in anatomy.eye_vertices:
        distance = np.linalg.norm(points - points[eye].mean(axis=0), axis=1)
        share = share * smooth(distance, 11.0, 23.0)
    for eye in anatomy.eye_vertices:
        share[eye] = 0.0
    return share.astype(np.float32)
