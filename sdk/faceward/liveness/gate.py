"""The contract of a liveness gate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

from faceward.model.face import FaceObservation
from faceward.model.frame import FrameSet, IlluminationSchedule, SensorInfo
from faceward.model.liveness import Evidence, Requirements


@dataclass(frozen=True, slots=True)
class GateContext:
    """What a gate is told when a capture opens. `thresholds` are the policy's, for this gate alone."""

    sensor: SensorInfo
    schedule: IlluminationSchedule
    thresholds: Mapping[str, float] = field(default_factory=dict)


class GateSession(ABC):
    """A gate's work on one capture, in the gates' worker process."""

    @abstractmethod
    def observe(self, frame_set: FrameSet, face: FaceObservation) -> None:
        """See the next frame set, once. Frames' memory is the caller's again when this returns: copy what you keep."""

    @abstractmethod
    def conclude(self) -> Evidence:
        """Answer. Called once, after the last `observe`; `covered` names the digests of every frame that was judged."""


class LivenessGate(ABC):
    """A gate: it says what it needs and opens one GateSession for each capture.

    `name` is lower-case words joined by hyphens and is the entry point's name; `version` is the gate's own and goes into
    every record that it took part in.
    """

    name: str
    version: str

    @abstractmethod
    def requirements(self, sensor: SensorInfo) -> Requirements:
        """What this gate needs of a capture on that sensor."""

    @abstractmethod
    def thresholds(self) -> Mapping[str, float]:
        """Every threshold by name with its default; the policy may set these and no others."""

    @abstractmethod
    def open(self, context: GateContext) -> GateSession:
        """Begin to judge one capture. `context.thresholds` holds every name of `thresholds()`."""
