"""Head pose from YuNet's five points, with depth where there is any.

Camera axes: x to the image's right (the person's own left), y down, z away from the sensor. With depth, yaw and roll follow
the axis through both eyes, and pitch the plane through eyes and mouth: the nose is left out, since a detector's nose tip
lags behind a turning head. Without depth, the scaled orthographic camera of least squares is found over a mean face
(DeMenthon and Davis 1995, first step) and turned by the line of sight; its pitch is drawn towards 0 by a factor of about
five, so that a nod is never taken for reached on it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceward.model.face import HeadPose
from faceward.model.frame import Intrinsics

# The person's right eye, left eye, nose tip, right and left corner of the mouth, in mm on a frontal head, camera axes:
# where YuNet puts its points on the surface of the simulator's development heads 0 to 23, medians, made symmetric.
MEAN_FACE_MM = np.array(
    [[-29.4, -29.5, 9.3], [29.4, -29.5, 9.3], [0.0, 1.8, -16.3], [-23.7, 28.5, -0.6], [23.7, 28.5, -0.6]]
)
_SLANT_RAD = float(np.arctan2(9.9, 58.0))  # of the plane from eyes to mouth on that face: the mouth stands before the eyes
_MOUTH_HALF_MM = 23.7
_EYES_APART_MM = (35.0, 95.0)  # 4.5 sigma around 63 mm (Dodgson 2004), and the detector's scatter
_MOUTH_BELOW_MM = (30.0, 105.0)
_PITCH_MAX_DEG = 50.0  # necks bend about 60, and YuNet finds no face there; a hand before the eyes looks like 70


def pose_from_points(points_mm: NDArray[np.float64]) -> HeadPose | None:
    """Pose of (5, 3) camera points, NaN rows for unknown ones.

    None without both eyes and a corner of the mouth, or where these are no face's distances apart or on a plane that no
    face seen from the front has (a depth that belongs to something else).
    """
    right_eye, left_eye, _, right_mouth, left_mouth = points_mm
    across = left_eye - right_eye
    eyes_apart = float(np.linalg.norm(across))
    if not _EYES_APART_MM[0] <= eyes_apart <= _EYES_APART_MM[1]:
        return None
    across = across / eyes_apart
    corners = [right_mouth + _MOUTH_HALF_MM * across, left_mouth - _MOUTH_HALF_MM * across]
    known = [corner for corner in corners if not np.isnan(corner).any()]
    if not known:
        return None
    mouth = (right_mouth + left_mouth) / 2 if len(known) == 2 else known[0]
    down = mouth - (right_eye + left_eye) / 2
    down = down - (down @ across) * across
    below = float(np.linalg.norm(down))
    if not _MOUTH_BELOW_MM[0] <= below <= _MOUTH_BELOW_MM[1]:
        return None
    down /= below
    away = np.cross(across, down)
    turned = np.cos(_SLANT_RAD) * away - np.sin(_SLANT_RAD) * down
    pose = _angles(np.column_stack([across, np.cross(turned, across), turned]))
    return pose if abs(pose.pitch_deg) <= _PITCH_MAX_DEG else None


def pose_from_pixels(landmarks_px: NDArray[np.float32], camera: Intrinsics) -> HeadPose | None:
    """Pose of (5, 2) landmarks alone; None when they collapse into a line."""
    rays = (landmarks_px - (camera.cx_px, camera.cy_px)) / (camera.fx_px, camera.fy_px)
    middle = rays.mean(axis=0)
    sight = _rotation_to(np.array([middle[0], middle[1], 1.0]))
    seen = np.column_stack([rays, np.ones(5)]) @ sight  # as a camera that looks straight at the face would see them
    seen = seen[:, :2] / seen[:, 2:]
    model = MEAN_FACE_MM - MEAN_FACE_MM.mean(axis=0)
    rows, *_ = np.linalg.lstsq(model, seen - seen.mean(axis=0), rcond=None)
    left, sizes, right = np.linalg.svd(rows.T)
    if not sizes[1] > 1e-3 * sizes[0] > 0.0:
        return None
    plane = left @ right[:2]
    return _angles(sight @ np.vstack([plane, np.cross(plane[0], plane[1])]))


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
    below = np.cross(-forward, level)
    across = rotation[:, 0]
    roll = np.arctan2(across @ below, across @ level)
    yaw_deg, pitch_deg, roll_deg = np.degrees([yaw, pitch, roll])
    return HeadPose(float(yaw_deg), float(pitch_deg), float(roll_deg))
