"""Head pose from YuNet's five points, with depth where there is any.

Camera axes: x to the image's right (the person's own left), y down, z away from the sensor. With depth, the mean face
is laid onto the measured points by the rotation of least squares (Kabsch 1976); without, the scaled orthographic camera
of least squares is found (DeMenthon and Davis 1995, first step) and turned by the line of sight.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceward.model.face import HeadPose
from faceward.model.frame import Intrinsics

# The person's right eye, left eye, nose tip, right and left corner of the mouth, in mm on a frontal head, camera axes.
# Widths: distance of the pupils 63 mm (Dodgson 2004), width of the mouth 50 mm (Farkas 1994). Heights and depths: means
# over the development heads of the simulator, where YuNet puts its points at pitch 0.
MEAN_FACE_MM = np.array(
    [[-31.5, -36.0, 0.0], [31.5, -36.0, 0.0], [0.0, 3.0, -32.0], [-25.0, 34.0, -8.0], [25.0, 34.0, -8.0]]
)
_OUTLIER_MM = 14.0  # a point that lies this far off the laid-on face has somebody else's depth (edge, hair, dropout)


def pose_from_points(points_mm: NDArray[np.float64]) -> HeadPose | None:
    """Pose of (5, 3) camera points with NaN rows for unknown ones; None with fewer than four, or collapsed ones."""
    known = ~np.isnan(points_mm).any(axis=1)
    if known.sum() < 4:
        return None
    rotation, residuals = _kabsch(MEAN_FACE_MM[known], points_mm[known])
    if known.sum() == 5 and residuals.max() > _OUTLIER_MM:
        known[int(residuals.argmax())] = False
        rotation, residuals = _kabsch(MEAN_FACE_MM[known], points_mm[known])
    if residuals.max() > 2.0 * _OUTLIER_MM:
        return None
    return _angles(rotation)


def pose_from_pixels(landmarks_px: NDArray[np.float32], camera: Intrinsics) -> HeadPose | None:
    """Pose of (5, 2) landmarks alone; None when they collapse into a line."""
    rays = (landmarks_px - (camera.cx_px, camera.cy_px)) / (camera.fx_px, camera.fy_px)
    middle = rays.mean(axis=0)
    sight = _rotation_to(np.array([middle[0], middle[1], 1.0]))
    seen = np.column_stack([rays, np.ones(5)]) @ sight  # as a camera that looks straight at the face would see them
    seen = seen[:, :2] / seen[:, 2:]
    model = MEAN_FACE_MM - MEAN_FACE_MM.mean(axis=0)
    rows, *_ = np.linalg.lstsq(model, seen - seen.mean(axis=0), rcond=None)
    rows = rows.T
    left, _, right = np.linalg.svd(rows)
    if np.linalg.norm(rows, axis=1).min() <= 1e-12:
        return None
    plane = left @ right[:2]
    rotation = np.vstack([plane, np.cross(plane[0], plane[1])])
    return _angles(sight @ rotation)


def _kabsch(
    model: NDArray[np.float64], points: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    model_mid, points_mid = model.mean(axis=0), points.mean(axis=0)
    a, b = model - model_mid, points - points_mid
    left, _, right = np.linalg.svd(a.T @ b)
    turn = np.diag([1.0, 1.0, np.sign(np.linalg.det(right.T @ left.T)) or 1.0])
    rotation = right.T @ turn @ left.T
    return rotation, np.linalg.norm(b - a @ rotation.T, axis=1)


def _rotation_to(direction: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rotation that takes the optical axis to a direction without rolling."""
    z = direction / np.linalg.norm(direction)
    x = np.cross([0.0, 1.0, 0.0], z)
    x /= np.linalg.norm(x)
    return np.column_stack([x, np.cross(z, x), z])


def _angles(rotation: NDArray[np.float64]) -> HeadPose:
    forward = -rotation[:, 2]  # the frontal face looks along -z
    yaw = np.arctan2(forward[0], -forward[2])
    pitch = np.arcsin(np.clip(-forward[1], -1.0, 1.0))
    # Roll is what is left of the head's left axis when yaw and pitch are taken back.
    level = np.array([np.cos(yaw), 0.0, np.sin(yaw)])
    down = np.cross(-forward, level)
    across = rotation[:, 0]
    roll = np.arctan2(across @ down, across @ level)
    yaw_deg, pitch_deg, roll_deg = np.degrees([yaw, pitch, roll])
    return HeadPose(float(yaw_deg), float(pitch_deg), float(roll_deg))
