"""What face analysis saw in the frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from faceward.model.frame import Prompt


class Pose(StrEnum):
    """A pose that enrollment asks for, by the person's own left and right, and one expression."""

    FRONTAL = "frontal"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    SMILE = "smile"


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Degrees. Positive yaw: turned to the person's own left; positive pitch: looking up; positive roll: the head's top
    leans to the person's own left."""

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


@dataclass(frozen=True, slots=True, eq=False)
class FaceSighting:
    """The face in one flood slot.

    `landmarks_px` is (5, 2) float32 in infrared pixels: the person's right eye, left eye, nose tip, right and left corner
    of the mouth (YuNet's order). `box_px` is x, y, width, height. `faces` counts every face in the frame.
    """

    slot: int
    faces: int
    box_px: tuple[float, float, float, float]
    landmarks_px: NDArray[np.float32]
    score: float
    pose: HeadPose | None
    distance_mm: float | None
    mean_counts: float
    saturated_share: float
    sharpness: float


@dataclass(frozen=True, slots=True, eq=False)
class FaceObservation:
    """What face analysis saw in one FrameSet: a sighting for each flood slot with a face, and the state of the dialogue.

    `faces_max` is the largest number of faces in any analysed slot, 0 when none had one. `identity` is a unit-length
    float32 vector of one flood slot of the set, where the analysis computed one, and comparable within one capture only.
    """

    sightings: tuple[FaceSighting, ...]
    faces_max: int
    prompt: Prompt
    stage: Pose | None
    identity: NDArray[np.float32] | None = field(default=None)

    @property
    def best(self) -> FaceSighting | None:
        """The sighting with the highest detection score."""
        return max(self.sightings, key=lambda sighting: sighting.score, default=None)
