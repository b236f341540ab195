"""What a capture leaves behind: its key frames, its digest, and - admitted - the only thing a template is made from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from faceward.model.face import FaceSighting, Pose
from faceward.model.frame import Frame, SensorInfo


@dataclass(frozen=True, slots=True, eq=False)
class KeyFrame:
    """The flood frame, with the nearest depth frame and the sighting in it, that one pose's template comes from."""

    pose: Pose
    flood: Frame
    depth: Frame | None
    sighting: FaceSighting


@dataclass(frozen=True, slots=True)
class SensorEvidence:
    """What a sensor proved of a capture, for whoever verifies the record: `data` is of a form that `kind` names."""

    kind: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Capture:
    """A finished capture. Its key frames were fixed, by digest, before any gate concluded.

    `digest` chains every frame's digest and metadata in slot order (see faceward.capture.digest). `complete` says whether
    every stage that the plan asked for was reached; an incomplete one can be judged but never admitted. `simulated` is
    None where nothing is known of it. This version's sensors prove nothing and have no `evidence`, and count as simulated.
    """

    capture_id: str
    sensor: SensorInfo
    nonce: bytes
    schedule_digest: bytes
    digest: bytes
    slots: int
    seconds: float
    key_frames: tuple[KeyFrame, ...]
    complete: bool
    rejection: str | None  # the guidance reason that ended an incomplete capture
    simulated: bool | None
    evidence: SensorEvidence | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FaceTemplate:
    """What an extractor makes of a LiveCapture: one embedding a pose and a descriptor of the face's relief.

    `embeddings` is (poses, D) float32, rows of unit length in the order of `poses`; `relief` is (K,) float32.
    """

    extractor: str
    extractor_version: str
    poses: tuple[Pose, ...]
    embeddings: NDArray[np.float32]
    relief: NDArray[np.float32]
