"""The face of the base head laid onto a shape: turned, shifted, scaled, then bent until it is that shape's own face.

Three steps, coarse to fine. From each way in which axes can be named, closest points are matched until the fit stands
still. The best of those are matched again by place and normal together, which tells a nose from a cheek. Last the face
bends: the displacements that are left over are smoothed by a Gaussian process (as in Luethi et al. 2018, "Gaussian
Process Morphable Models"), nearly alike on both sides, and carry the eyes along, so that eyes are where this face has
them and not where the base head would.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import permutations, product

import cv2
import numpy as np
from numpy.typing import NDArray

from faceward_sim.world.anatomy import Anatomy, Floats, eye_centre, load_anatomy

SAMPLES = 12_000  # on the shape: about one every 3 mm of a head
NORMAL_MM = 20.0  # normals that are opposite count as 40 mm of distance
SMALLEST_SCALE, LARGEST_SCALE = 0.8, 1.25  # adults' heads over the base head's
# Length of the kernel and sigma along each axis: how people's faces differ from the base head's. Chosen, not measured.
BENDS_MM = ((60.0, 5.0), (25.0, 2.5))
ALIKE = 0.9  # correlation between what happens left and right
LOOSEST_MM, TIGHTEST_MM = 6.0, 2.0  # sigma of a match, as it goes on
SLIPS_MM = (-12.0, 0.0, 12.0)  # down the face
_COARSE_POINTS, _FINE_POINTS = 100, 350
_COARSE_ROUNDS, _FINE_ROUNDS, _BENDING_ROUNDS = 10, 12, 10
_TRIED_FINELY, _BENT = 20, 2


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """How the base head's face lies on a shape."""

    misfit_mm: float  # mean distance after bending, normals counted in
    scale: float  # of the shape's face over the base head's, bending counted in
    rotation: Floats  # (3, 3): camera axes from the shape's
    eyes_mm: Floats  # (2, 3) in the shape's frame: the person's left, right

    @property
    def sized(self) -> bool:
        """Whether the face is as large as an adult's."""
        return SMALLEST_SCALE <= self.scale <= LARGEST_SCALE


@dataclass(frozen=True, slots=True, eq=False)
class _Face:
    """Points of the base head's face, in camera axes, and what bending it takes."""

    points: Floats  # (N, 3)
    normals: Floats  # (N, 3) outward
    eyes: Floats  # (2, 3)
    # (N + 2, N) for x, and for y and z; the last two rows are the eyes'
    covariance: tuple[tuple[slice, NDArray[np.float64]], ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Similarity:
    """From the face's frame to the shape's: turned by `rotation` transposed, scaled, shifted."""

    rotation: Floats
    shift: Floats
    scale: float

    def carry(self, points: Floats) -> Floats:
        return np.ascontiguousarray((self.scale * points) @ self.rotation + self.shift, np.float32)

    def back(self, points: Floats) -> Floats:
        return (points - self.shift) @ self.rotation.T / np.float32(self.scale)


def lay_face(vertices_mm: NDArray[np.float64], triangles: NDArray[np.int32], rotation: Floats | None) -> Laid:
    """Lay the face onto a shape, from one rotation to camera axes or from all that name axes.

    What it returns may lie badly: look at `misfit_mm` and `sized`.
    """
    face = _base_face()
    points, normals = _sampled(vertices_mm, triangles)
    near = cv2.flann_Index(points, {"algorithm": 4})
    alike = cv2.flann_Index(np.hstack([points, NORMAL_MM * normals]).astype(np.float32), {"algorithm": 4})
    coarse = face.points[:: len(face.points) // _COARSE_POINTS]
    starts = [
        _Similarity(way, place, 1.0)
        for way in ([rotation] if rotation is not None else _ways())
        for place in _fronts(points, way)
    ]
    tried = sorted((_settle(coarse, points, near, start) for start in starts), key=lambda fit: fit[0])
    finely = sorted(
        (_match(face, points, normals, near, alike, start) for _, start in tried[:_TRIED_FINELY]),
        key=lambda fit: fit[0],
    )
    # A match may have slipped along the face, brow onto eyes; where it then lies less well tells.
    laid = [
        _bend(face, points, alike, _Similarity(fit.rotation, fit.shift + slip_mm * fit.rotation[1], fit.scale), side)
        for _, fit, side in finely[:_BENT]
        for slip_mm in SLIPS_MM
    ]
    return min(laid, key=lambda each: (not each.sized, each.misfit_mm))


@cache
def _base_face() -> _Face:
    """From brow to chin and to before the ears."""
    anatomy = load_anatomy()
    rest = anatomy.vertices_mm
    skin = anatomy.wedge_vertex[anatomy.triangles[~anatomy.cavity]]
    corners = np.unique(skin)
    shown = corners[(rest[corners, 2] < 50) & (rest[corners, 1] > -45) & (rest[corners, 1] < 105)]
    shown = shown[anatomy.follow[shown] > 0.9]
    chosen = shown[:: max(1, len(shown) // _FINE_POINTS)]
    points = rest[chosen].astype(np.float32)
    eyes = np.stack([eye_centre(rest[side]) for side in anatomy.eye_vertices]).astype(np.float32)
    return _Face(points, _vertex_normals(anatomy, skin)[chosen], eyes, _covariance(np.vstack([points, eyes]), points))


def _vertex_normals(anatomy: Anatomy, skin: NDArray[np.int32]) -> Floats:
    a, b, c = (anatomy.vertices_mm[skin[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    normals = np.zeros_like(anatomy.vertices_mm)
    for corner in range(3):
        np.add.at(normals, skin[:, corner], across)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)


def _covariance(places: Floats, points: Floats) -> tuple[tuple[slice, NDArray[np.float64]], ...]:
    """Between displacements at places and at points: what happens left happens mirrored on the right."""
    here, there = _kernel(places, points), _kernel(places, points * np.float32([-1, 1, 1]))
    return (slice(0, 1), here - ALIKE * there), (slice(1, 3), here + ALIKE * there)


def _kernel(places: Floats, points: Floats) -> NDArray[np.float64]:
    squared = ((places[:, None, :].astype(np.float64) - points[None, :, :]) ** 2).sum(axis=2)
    return sum((sigma**2 * np.exp(-squared / (2 * length**2)) for length, sigma in BENDS_MM), np.zeros_like(squared))


def _sampled(vertices_mm: NDArray[np.float64], triangles: NDArray[np.int32]) -> tuple[Floats, Floats]:
    """Points and normals spread evenly over the shape, however its triangles are."""
    a, b, c = (vertices_mm[triangles[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    area = np.linalg.norm(across, axis=1)
    rng = np.random.default_rng(0)
    drawn = np.searchsorted(np.cumsum(area), rng.random(SAMPLES) * area.sum()).clip(0, len(area) - 1)
    first, second = np.sqrt(rng.random((SAMPLES, 1))), rng.random((SAMPLES, 1))
    points = (1 - first) * a[drawn] + first * (1 - second) * b[drawn] + first * second * c[drawn]
    normals = across[drawn] / np.maximum(area[drawn, None], 1e-12)
    return np.ascontiguousarray(points, np.float32), normals.astype(np.float32)


def _ways() -> list[Floats]:
    """The 24 ways to name axes."""
    found = []
    for order in permutations(range(3)):
        for signs in product((1.0, -1.0), repeat=3):
            rotation = np.zeros((3, 3), np.float32)
            for row, (column, sign) in enumerate(zip(order, signs, strict=True)):
                rotation[row, column] = sign
            if np.linalg.det(rotation) > 0:
                found.append(rotation)
    return found


def _fronts(points: Floats, rotation: Floats) -> list[Floats]:
    """Where the middle between the eyes may be, in the shape's frame: behind the foremost points, at four heights."""
    turned = points @ rotation.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    places = []
    for share in (0.2, 0.3, 0.45, 0.6):
        height = low[1] + share * (high[1] - low[1])
        band = turned[np.abs(turned[:, 1] - height) < 40]
        front = band[:, 2].min() if len(band) else low[2]
        places.append(rotation.T @ np.array([(low[0] + high[0]) / 2, height, front + 25.0], np.float32))
    return places


def _settle(face: Floats, points: Floats, near: cv2.flann_Index, start: _Similarity) -> tuple[float, _Similarity]:
    """Iterated closest points with a scale: the mean distance, and where the face came to lie."""
    fit = start
    distance = np.full(len(face), np.inf, np.float32)
    for _ in range(_COARSE_ROUNDS):
        nearest, squared = near.knnSearch(fit.carry(face), 1)
        distance = np.sqrt(squared[:, 0])
        # The farthest fifth does not pull: ears, hair, holes.
        kept = distance <= np.quantile(distance, 0.8)
        fit = _similar(face[kept], points[nearest[kept, 0]])
    return float(distance.mean()), fit


def _similar(source: Floats, target: Floats) -> _Similarity:
    """The rotation, shift and scale that bring source points to target points best (Umeyama 1991)."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    u, spread, vt = np.linalg.svd(b.T @ a)
    sign = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = float(np.clip((spread * np.diag(sign)).sum() / (a * a).sum(), SMALLEST_SCALE, LARGEST_SCALE))
    rotation = (u @ sign @ vt).T.astype(np.float32)
    return _Similarity(
        rotation, (target.mean(axis=0) - scale * source.mean(axis=0) @ rotation).astype(np.float32), scale
    )


def _match(
    face: _Face,
    points: Floats,
    normals: Floats,
    near: cv2.flann_Index,
    alike: cv2.flann_Index,
    start: _Similarity,
) -> tuple[float, _Similarity, float]:
    """Match by place and normal: the mean distance, where the face came to lie, and which side its normals are on."""
    nearest, _ = near.knnSearch(start.carry(face.points), 1)
    # A file's triangles may all be inside out.
    side = float(np.sign(((face.normals @ start.rotation) * normals[nearest[:, 0]]).sum()) or 1.0)
    fit = start
    distance = np.full(len(face.points), np.inf, np.float32)
    for _ in range(_FINE_ROUNDS):
        nearest, distance = _nearest(face, face.points, alike, fit, side)
        kept = distance <= np.quantile(distance, 0.8)
        fit = _similar(face.points[kept], points[nearest[kept]])
    return float(distance.mean()), fit, side


def _nearest(
    face: _Face, bent: Floats, alike: cv2.flann_Index, fit: _Similarity, side: float
) -> tuple[NDArray[np.int32], Floats]:
    turned = np.float32(NORMAL_MM * side) * (face.normals @ fit.rotation)
    nearest, squared = alike.knnSearch(np.ascontiguousarray(np.hstack([fit.carry(bent), turned]), np.float32), 1)
    return nearest[:, 0], np.sqrt(squared[:, 0])


def _bend(face: _Face, points: Floats, alike: cv2.flann_Index, fit: _Similarity, side: float) -> Laid:
    """Bend from a rigid match on: what is left over is smoothed, ever less, and matched anew."""
    moves = np.zeros((len(face.points) + 2, 3), np.float32)
    for noise_mm in np.geomspace(LOOSEST_MM, TIGHTEST_MM, _BENDING_ROUNDS):
        bent = face.points + moves[:-2]
        nearest, distance = _nearest(face, bent, alike, fit, side)
        kept = distance <= np.quantile(distance, 0.9)
        target = points[nearest[kept]]
        fit = _similar(bent[kept], target)
        wanted = fit.back(target) - face.points[kept]
        for axes, covariance in face.covariance:
            inner = covariance[:-2][np.ix_(kept, kept)]
            inner[np.diag_indices_from(inner)] += noise_mm**2
            moves[:, axes] = covariance[:, kept] @ np.linalg.solve(inner, wanted[:, axes])
    bent = face.points + moves[:-2]
    _, distance = _nearest(face, bent, alike, fit, side)
    lying = fit.carry(bent)
    scale = float(np.linalg.norm(lying - lying.mean(axis=0)) / np.linalg.norm(face.points - face.points.mean(axis=0)))
    rotation = _similar(face.points, lying).rotation
    return Laid(float(distance.mean()), scale, rotation, fit.carry(face.eyes + moves[-2:]))
