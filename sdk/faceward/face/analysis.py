"""Face analysis: what is in each flood slot, and what a frame set shows of the face."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceward.face import quality
from faceward.face.detect import Detection, FaceDetector, ToneCurve
from faceward.face.embedding import FaceEmbedder
from faceward.face.expression import mouth_patch
from faceward.face.models import ModelFiles
from faceward.face.points import locate
from faceward.face.pose import pose_from_pixels, pose_from_points
from faceward.face.quality import FaceQuality
from faceward.model.face import FaceObservation, FaceSighting, Pose
from faceward.model.frame import Frame, FrameSet, Illumination, Prompt, SensorInfo, Slot

# A second face counts from here: large enough to be a person before the sensor, and surely a face.
SECOND_FACE_SCORE_MIN = 0.75
SECOND_FACE_AREA_SHARE_MIN = 0.08  # of the first one's area: a face at three and a half times the distance
IDENTITY_INTERVAL_US = 200_000  # an embedding costs as much as five detections; nobody is swapped within 0.2 s unseen


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One flood slot: how many faces it has, and the nearest one with its quality.

    `mouth` is the lower face in a size of its own (faceward.face.expression).
    """

    slot: int
    device_time_us: int
    faces: int
    sighting: FaceSighting | None
    quality: FaceQuality | None
    mouth: NDArray[np.float32] | None = None

    @property
    def good(self) -> bool:
        """Exactly one face, and nothing wrong with it."""
        return self.faces == 1 and self.quality is not None and not self.quality.faults


class FaceAnalysis:
    """Detection, pose and quality for each flood slot, identity a few times a second. For one capture at a time.

    Making one sets OpenCV to a single thread for the whole process: with these small networks two threads are slower.
    """

    def __init__(self, models: ModelFiles, sensor: SensorInfo) -> None:
        """Raises: ConfigError (models or calibration that can't be used)."""
        cv2.setNumThreads(1)
        self._calibration = sensor.calibration
        tone = ToneCurve(sensor.calibration.black_level_counts, sensor.calibration.saturation_counts)
        self._detector = FaceDetector(models.detector, tone)
        self._embedder = FaceEmbedder(models.recogniser, tone)
        self._identity_after_us = 0

    def begin(self) -> None:
        """Forget the capture before."""
        self._identity_after_us = 0

    def look(self, slot: Slot, depth: Frame | None) -> Look | None:
        """What a slot shows; None unless it is a flood slot. `depth` is the latest depth frame."""
        flood = slot.infrared
        if flood is None or flood.illumination is not Illumination.FLOOD:
            return None
        found = self._detector.find(flood)
        if not found:
            return Look(flood.slot, flood.device_time_us, 0, None, None)
        first, faces = found[0], count_faces(found)
        size_px = (flood.width_px, flood.height_px)
        points_mm = None if depth is None else locate(first.landmarks_px, size_px, depth, self._calibration)
        pose = None if points_mm is None else pose_from_points(points_mm)
        if pose is None:
            pose = pose_from_pixels(first.landmarks_px, self._calibration.infrared.scaled(*size_px))
        measured = quality.measure(first, flood, self._calibration, depth, pose)
        sighting = FaceSighting(
            slot=flood.slot,
            faces=faces,
            box_px=first.box_px,
            landmarks_px=first.landmarks_px,
            score=first.score,
            pose=pose,
            distance_mm=measured.distance_mm,
            mean_counts=measured.mean_counts,
            saturated_share=measured.saturated_share,
            sharpness=measured.sharpness,
        )
        mouth = mouth_patch(flood, first.landmarks_px)
        return Look(flood.slot, flood.device_time_us, faces, sighting, measured, mouth)

    def assemble(
        self, frame_set: FrameSet, looks: tuple[Look, ...], prompt: Prompt, stage: Pose | None
    ) -> FaceObservation:
        """The observation of a frame set from the looks at its slots, with an identity every 0.2 s of device time."""
        sightings = tuple(look.sighting for look in looks if look.sighting is not None)
        observation = FaceObservation(
            sightings, max((look.faces for look in looks), default=0), prompt=prompt, stage=stage
        )
        best = observation.best
        now_us = frame_set.slots[0].device_time_us
        if best is None or now_us < self._identity_after_us:
            return observation
        flood = next(frame for frame in frame_set.infrared(Illumination.FLOOD) if frame.slot == best.slot)
        identity = self._embedder.embed(flood, best.landmarks_px)
        self._identity_after_us = now_us + IDENTITY_INTERVAL_US
        return FaceObservation(sightings, observation.faces_max, prompt, stage, identity)

    def observe(
        self, frame_set: FrameSet, prompt: Prompt = Prompt.NONE, stage: Pose | None = None
    ) -> FaceObservation:
        """Look at every slot of a set and assemble: for recordings, where nobody is guided."""
        looks = (self.look(slot, frame_set.depth) for slot in frame_set.slots)
        return self.assemble(frame_set, tuple(look for look in looks if look is not None), prompt, stage)


def count_faces(found: list[Detection]) -> int:
    """How many people are in a frame: the largest face, and others that are large, sure and not a part of it."""
    if not found:
        return 0
    first = found[0]
    others = [
        face for face in found[1:]
        if face.score >= SECOND_FACE_SCORE_MIN
        and face.area_px >= SECOND_FACE_AREA_SHARE_MIN * first.area_px
        and not _centre_inside(face, first)
    ]  # fmt: skip
    return 1 + len(others)


def _centre_inside(face: Detection, other: Detection) -> bool:
    x, y, w, h = face.box_px
    left, top, width, height = other.box_px
    return left <= x + w / 2 <= left + width and top <= y + h / 2 <= top + height
