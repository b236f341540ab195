"""Which slots count: frozen limits over what the frame itself shows, using no gate's output.

A slot is good when none of its faults is set. The limits are the same for everybody and every policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from faceward.face.detect import Detection
from faceward.model.face import HeadPose
from faceward.model.frame import Calibration, Frame

DISTANCE_MIN_MM = 250.0  # nearer, a head with margins (220 mm) fills a lock camera's view (480 px at f = 554)
DISTANCE_MAX_MM = 600.0  # farther, the module's depth noise passes 1.3 mm (sensor-noise model: z^2 s / (f B))
FACE_WIDTH_MIN_SHARE = 0.14  # of the frame's width: 90 px of 640, SFace's 112 px crop without much upscaling
FACE_WIDTH_MAX_SHARE = 0.65  # beyond it chin or brow leaves the frame
EXPOSURE_MIN = 0.06  # share of the range: below, eight bits after the tone curve hold fewer than 60 levels
EXPOSURE_MAX = 0.75  # above, skin's highlights clip
SATURATED_MAX = 0.03  # share of the face's pixels: more than a glint on nose and brow
SHARPNESS_MIN = 0.045  # simulated faces have .08-.15, the same smeared by a Gaussian of 4 px .02-.04 (seeds 0-23)
COVERED_MAX = 0.12  # share of the face in front of the face: two fingers
BRIGHTNESS_RATIO_MAX = 4.0  # between mouth, eyes and cheeks; a beard of reflectance .15 on skin of .5 gives 3.3
BEHIND_MM = 120.0  # behind the middle of the face's depth: ears and hair still belong to the head
PROTRUSION_MM = 55.0  # before the cheeks (the 60th percentile of the face's depth); noses reach 45 mm
TURNED_DEG = 10.0
NOD_MAX_DEG = 20.0  # what a nod may add: more is no nod but something before the eyes or the mouth that passes for one

_PATCH_PX = 64


class Fault(StrEnum):
    """What is wrong with a slot, in the words of guidance."""

    TOO_FAR = "too-far"
    TOO_CLOSE = "too-close"
    TOO_BRIGHT = "too-bright"
    TOO_DARK = "too-dark"
    BLURRED = "blurred"
    COVERED = "covered"


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """Measures over one face in one flood slot.

    `exposure` is the mean as a share of the range from black to saturation, `saturated_share` the share of pixels at
    its end, `sharpness` the mean absolute Laplacian of the face scaled to 64 px, over its mean. `covered_share` is the
    share of the face's depth that stands before it (0 without depth), `brightness_ratio` the ratio of the brightest to
    the darkest of the nose's bridge and tip, mouth, chin and the cheeks that face the sensor.
    """

    mean_counts: float
    exposure: float
    saturated_share: float
    sharpness: float
    width_share: float
    distance_mm: float | None
    covered_share: float
    brightness_ratio: float

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Every fault, the most useful to mend first; empty for a good slot. NaN is a fault."""
        far = self.width_share < FACE_WIDTH_MIN_SHARE
        near = self.width_share > FACE_WIDTH_MAX_SHARE
        if self.distance_mm is not None:
            far = far or not self.distance_mm <= DISTANCE_MAX_MM
            near = near or not self.distance_mm >= DISTANCE_MIN_MM
        covered = not (self.covered_share <= COVERED_MAX and self.brightness_ratio <= BRIGHTNESS_RATIO_MAX)
        checks = (
            (Fault.TOO_CLOSE, near),
            (Fault.TOO_FAR, far),
            (Fault.TOO_BRIGHT, not (self.exposure <= EXPOSURE_MAX and self.saturated_share <= SATURATED_MAX)),
            (Fault.TOO_DARK, not self.exposure >= EXPOSURE_MIN),
            (Fault.COVERED, covered),
            (Fault.BLURRED, not self.sharpness >= SHARPNESS_MIN),
        )
        return tuple(fault for fault, found in checks if found)


def measure(
    face: Detection,
    flood: Frame,
    calibration: Calibration,
    depth: Frame | None,
    pose: HeadPose | None,
) -> FaceQuality:
    """Measure one face in one flood frame; `depth` is the latest depth frame, `pose` the head's as far as it is known."""
    inner = _inside(flood.pixels, face.box_px, 0.7)
    black, saturation = calibration.black_level_counts, calibration.saturation_counts
    patch = cv2.resize(inner, (_PATCH_PX, _PATCH_PX), interpolation=cv2.INTER_AREA).astype(np.float32) - black
    mean = float(patch.mean())
    level = max(mean, 1.0)
    sharpness = float(np.abs(cv2.Laplacian(patch, cv2.CV_32F)).mean()) / level
    return FaceQuality(
        mean_counts=mean + black,
        exposure=mean / (saturation - black),
        saturated_share=float(np.count_nonzero(inner[::2, ::2] >= 0.98 * saturation)) / max(inner[::2, ::2].size, 1),
        sharpness=sharpness,
        width_share=face.box_px[2] / flood.width_px,
        distance_mm=_distance_mm(face, flood, depth, calibration),
        covered_share=_covered(face, flood, depth, calibration, pose),
        brightness_ratio=_brightness_ratio(face, flood, black, pose),
    )


def _inside(pixels: NDArray[np.uint16], box_px: tuple[float, float, float, float], share: float) -> NDArray[np.uint16]:
    """The middle of a box, at least one pixel wherever the box lies."""
    height, width = pixels.shape
    x, y, w, h = box_px
    left = min(max(int(x + w * (1 - share) / 2), 0), width - 1)
    top = min(max(int(y + h * (1 - share) / 2), 0), height - 1)
    right = min(max(int(x + w * (1 + share) / 2), left + 1), width)
    bottom = min(max(int(y + h * (1 + share) / 2), top + 1), height)
    return pixels[top:bottom, left:right]


def _depth_inside(
    face: Detection, flood: Frame, depth: Frame, share: float, step: int
) -> tuple[NDArray[np.uint16], float, float]:
    sx, sy = depth.width_px / flood.width_px, depth.height_px / flood.height_px
    x, y, w, h = face.box_px
    return _inside(depth.pixels, (x * sx, y * sy, w * sx, h * sy), share)[::step, ::step], sx, sy


def _distance_mm(face: Detection, flood: Frame, depth: Frame | None, calibration: Calibration) -> float | None:
    if depth is None:
        return None
    inner, _, _ = _depth_inside(face, flood, depth, 0.6, 3)
    unit_mm = calibration.depth_unit_um / 1000.0
    valid = inner[(inner >= calibration.depth_min_mm / unit_mm) & (inner <= calibration.depth_max_mm / unit_mm)]
    return float(np.median(valid)) * unit_mm if valid.size >= inner.size // 4 and valid.size else None


def _covered(
    face: Detection,
    flood: Frame,
    depth: Frame | None,
    calibration: Calibration,
    pose: HeadPose | None,
) -> float:
    """The share of the face's depth that stands before its cheeks by more than a nose."""
    if depth is None:
        return 0.0
    inner, _, _ = _depth_inside(face, flood, depth, 0.9, 4)
    unit_mm = calibration.depth_unit_um / 1000.0
    valid = inner[(inner >= calibration.depth_min_mm / unit_mm) & (inner <= calibration.depth_max_mm / unit_mm)]
    if not valid.size:
        return 0.0
    # A turned face spreads in z by itself: half of 150 mm times the sine of the turn.
    valid = valid[valid <= np.median(valid) + BEHIND_MM / unit_mm]  # the wall beside a turned face is not the face
    yaw_deg, pitch_deg = (pose.yaw_deg, pose.pitch_deg) if pose is not None else (0.0, 0.0)
    nod_deg = min(abs(pitch_deg), NOD_MAX_DEG)
    turn_mm = 75.0 * (abs(np.sin(np.radians(yaw_deg))) + np.sin(np.radians(nod_deg)))
    front_mm = float(np.percentile(valid, 60.0)) * unit_mm - PROTRUSION_MM - float(turn_mm)
    return float(np.count_nonzero(valid * unit_mm < front_mm)) / valid.size


def _brightness_ratio(face: Detection, flood: Frame, black: float, pose: HeadPose | None) -> float:
    right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks_px
    eyes_px = max(float(np.linalg.norm(left_eye - right_eye)), 8.0)
    eyes, mouth = (right_eye + left_eye) / 2, (right_mouth + left_mouth) / 2
    chin = mouth + 0.35 * (mouth - eyes)  # where a scarf lies that pushes the detector's mouth up to its edge
    spots = [eyes, mouth, chin, nose]
    # A turned head's far cheek lies in its own shade, and its middle may be the wall's.
    yaw_deg = 0.0 if pose is None else pose.yaw_deg
    if yaw_deg <= TURNED_DEG:
        spots.append((left_eye + left_mouth) / 2)
    if yaw_deg >= -TURNED_DEG:
        spots.append((right_eye + right_mouth) / 2)
    half = eyes_px * 0.14
    levels = []
    for x, y in spots:
        box = (float(x) - half, float(y) - half, 2 * half, 2 * half)
        levels.append(float(_inside(flood.pixels, box, 1.0)[::2, ::2].mean()) - black)
    low, high = min(levels), max(levels)
    return high / low if low > 0.0 else float("inf")
