"""What a capture tells while it runs. No biometrics: no picture, no landmark, no score of a face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from faceward.capture.guidance import Reason
from faceward.model.face import Pose
from faceward.model.frame import Prompt


@dataclass(frozen=True, slots=True)
class CaptureStarted:
    """The sensor streams."""

    capture_id: str
    poses: tuple[Pose, ...]


@dataclass(frozen=True, slots=True)
class StageStarted:
    """The person was asked for a pose."""

    pose: Pose
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class StageDone:
    """A pose was reached and held."""

    pose: Pose


@dataclass(frozen=True, slots=True)
class Guidance:
    """What the person can mend now; None when it is mended."""

    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of the capture is done, from 0 to 1; never falls."""

    fraction: float


@dataclass(frozen=True, slots=True)
class CaptureEnded:
    """The sensor has stopped. `rejection` says why an incomplete capture ended."""

    capture_id: str
    complete: bool
    rejection: str | None


CaptureEvent = CaptureStarted | StageStarted | StageDone | Guidance | Progress | CaptureEnded
EventHandler = Callable[[CaptureEvent], None]
