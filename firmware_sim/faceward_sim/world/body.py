"""A person as surfaces at one moment: expression, rotation about the neck, gaze, clothes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from faceward_sim.world.anatomy import Floats
from faceward_sim.world.eyes import EYE, eye_mesh, with_cornea
from faceward_sim.world.motion import Posture
from faceward_sim.world.people import Person, draw_clothes, skin_triangles
from faceward_sim.world.surface import Surface
from faceward_sim.world.turning import turning
from faceward_sim.world.worn import Worn

# About the upper cervical joints, below and behind the middle of the eyes on the base head (between the mastoids, M).
NECK_MM = np.array([0.0, 75.0, 88.0], np.float32)
RETRACTION_MM = 1.5  # the globe draws back 1-2 mm in a blink (L)
FACE_CENTRE_MM = 32.0  # the middle of the face lies this far below the eyes


class Pose:
    """A posture's rigid parts, to carry points of the rest frame to the camera frame, and the heart's phase."""

    def __init__(self, posture: Posture, place_mm: Floats, scale: float) -> None:
        self.head = turning(posture.yaw_rad, posture.pitch_rad, posture.roll_rad)
        self.torso = turning(posture.torso_yaw_rad, 0.0)
        self.pivot = NECK_MM * np.float32(scale)
        self.shift = place_mm + np.asarray(posture.shift_mm, np.float32)
        self.beats, self.heart_hz = posture.beats, posture.heart_hz

    def carry(self, points_mm: Floats, follow: Floats | None = None) -> Floats:
        """Rest to camera frame; `follow` is each point's share in the head's rotation (None: all of it)."""
        arms = points_mm - self.pivot
        head = arms @ self.head.T
        if follow is not None:
            torso = arms @ self.torso.T
            head = torso + follow[:, None] * (head - torso)
        return head + (self.pivot + self.shift)

    def wear(self, worn: Worn) -> Surface:
        """What the head has on, carried along."""
        panes = tuple(pane.moved(self.head, self.pivot, self.pivot + self.shift) for pane in worn.panes)
        points = self.carry(worn.vertices_mm, worn.follow)
        return Surface(points, worn.triangles, worn.uv, worn.reflectance, worn.material, panes=panes)


class Body:
    """One person's surfaces. Arrays that do not move are made once and handed out again and again."""

    def __init__(self, person: Person, *, skin: NDArray[np.int32] | None = None) -> None:
        """`skin` are the anatomy's triangles that show; by default all of head, neck and cavities."""
        self.person = person
        anatomy = person.anatomy
        shown = skin_triangles(anatomy) if skin is None else skin
        self._skin_vertex, self._skin_triangles, self._skin_uv = self._render_part(shown)
        self._clothes = draw_clothes(person.seed, anatomy)
        self._clothes_vertex = anatomy.wedge_vertex[self._clothes.wedges]
        self._clothes_ease = self._ease(person.build.vertices_mm)
        directions, self._eye_triangles, self._eye_uv = eye_mesh()
        self._eye_points = with_cornea(directions, person.build.eye_radius_mm)
        self.skin_material = person.complexion.material
        self.skin_reflectance = person.skin_reflectance

    def _render_part(self, triangles: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32], Floats]:
        anatomy = self.person.anatomy
        wedges, local = np.unique(triangles, return_inverse=True)
        return (
            anatomy.wedge_vertex[wedges],
            np.ascontiguousarray(local.reshape(-1, 3), np.int32),
            np.ascontiguousarray(anatomy.wedge_uv[wedges]),
        )

    def _ease(self, vertices: Floats) -> Floats:
        triangles = self._clothes_vertex[self._clothes.triangles]
        faces = np.cross(
            vertices[triangles[:, 1]] - vertices[triangles[:, 0]], vertices[triangles[:, 2]] - vertices[triangles[:, 0]]
        )
        normals = np.zeros_like(vertices)
        for corner in range(3):
            np.add.at(normals, triangles[:, corner], faces)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        return (normals[self._clothes_vertex] * np.float32(self._clothes.ease_mm)).astype(np.float32)

    def expressed(self, units: Mapping[str, float]) -> Floats:
        """Rest vertices with an expression on them, still in the rest frame."""
        vertices = self.person.build.vertices_mm.copy()
        for name, share in units.items():
            column = self.person.units[name]
            vertices[column.vertices] += np.float32(share) * column.deltas_mm
        return vertices

    def skin(self, vertices: Floats, pose: Pose) -> Surface:
        carried = pose.carry(vertices, self.person.anatomy.follow)
        return Surface(
            carried[self._skin_vertex],
            self._skin_triangles,
            self._skin_uv,
            self.skin_reflectance,
            self.skin_material,
            self._flush(pose),
        )

    def _flush(self, pose: Pose) -> Floats:
        return self.person.perfusion.flush(pose.beats, pose.heart_hz)[self._skin_vertex]

    def clothes(self, pose: Pose) -> Surface:
        rest = self.person.build.vertices_mm[self._clothes_vertex] + self._clothes_ease
        follow = self.person.anatomy.follow[self._clothes_vertex]
        cloth = self._clothes
        return Surface(pose.carry(rest, follow), cloth.triangles, cloth.uv, cloth.reflectance, cloth.material)

    def eyes(self, posture: Posture, pose: Pose) -> Surface:
        gaze = turning(posture.gaze_yaw_rad, posture.gaze_pitch_rad)
        turned = self._eye_points @ gaze.T
        half = len(turned) // 2
        centres = self.person.build.eye_centres_mm
        back = np.array([0.0, 0.0, RETRACTION_MM * posture.units.get("eyeBlinkLeft", 0.0)], np.float32)
        points = np.concatenate([turned[:half] + centres[0], turned[half:] + centres[1]]) + back
        return Surface(pose.carry(points), self._eye_triangles, self._eye_uv, self.person.eye_reflectance, EYE)

    def surfaces(self, posture: Posture, place_mm: Floats) -> tuple[Surface, ...]:
        """The whole living person. `place_mm` is where the middle between the eyes rests in the camera frame."""
        pose = Pose(posture, place_mm, self.person.build.scale)
        person = self.person
        worn = (person.hair, person.glasses, person.hat, person.mouth_mask)
        return (
            self.skin(self.expressed(posture.units), pose),
            self.eyes(posture, pose),
            *(pose.wear(each) for each in worn if each is not None),
            self.clothes(pose),
        )
