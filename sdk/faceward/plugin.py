"""The door for authors of gates, drivers, extractors and signers: everything a plugin may import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faceward.capture.digest import CaptureDigest, digest_schedule
from faceward.errors import (
    CaptureCancelled,
    CaptureRejected,
    ConfigError,
    DeviceBusy,
    DeviceDenied,
    DeviceError,
    DeviceFault,
    DeviceLost,
    DeviceNotAttested,
    DeviceNotFound,
    DeviceProtocolError,
    DeviceTimeout,
    FacewardError,
    PluginError,
    SigningError,
)
from faceward.extract.extractor import TemplateExtractor
from faceward.hal.sensor import EvidenceScheme, Sensor, SensorAddress, SensorDriver, UsbMatch
from faceward.liveness.admit import LiveCapture
from faceward.liveness.gate import GateContext, GateSession, LivenessGate
from faceward.liveness.hookspecs import GROUP, hookimpl
from faceward.model.capture import Capture, CaptureClaim, FaceTemplate, KeyFrame, SensorClaim, SensorEvidence
from faceward.model.face import FaceObservation, FaceSighting, HeadPose, Pose
from faceward.model.frame import (
    Calibration,
    Frame,
    FrameSet,
    Health,
    Illumination,
    IlluminationSchedule,
    Intrinsics,
    Prompt,
    SensorInfo,
    SensorKind,
    Slot,
    Stream,
    StreamProfile,
    digest_of,
)
from faceward.model.liveness import Evidence, Measure, Outcome, Requirements
from faceward.signing.signer import Signer

if TYPE_CHECKING:
    from faceward.hal.uvc import UvcDriver

__all__ = [
    "GROUP",
    "Calibration",
    "Capture",
    "CaptureCancelled",
    "CaptureClaim",
    "CaptureDigest",
    "CaptureRejected",
    "ConfigError",
    "DeviceBusy",
    "DeviceDenied",
    "DeviceError",
    "DeviceFault",
    "DeviceLost",
    "DeviceNotAttested",
    "DeviceNotFound",
    "DeviceProtocolError",
    "DeviceTimeout",
    "Evidence",
    "EvidenceScheme",
    "FaceObservation",
    "FaceSighting",
    "FaceTemplate",
    "FacewardError",
    "Frame",
    "FrameSet",
    "GateContext",
    "GateSession",
    "HeadPose",
    "Health",
    "Illumination",
    "IlluminationSchedule",
    "Intrinsics",
    "KeyFrame",
    "LiveCapture",
    "LivenessGate",
    "Measure",
    "Outcome",
    "PluginError",
    "Pose",
    "Prompt",
    "Requirements",
    "Sensor",
    "SensorAddress",
    "SensorClaim",
    "SensorDriver",
    "SensorEvidence",
    "SensorInfo",
    "SensorKind",
    "Signer",
    "SigningError",
    "Slot",
    "Stream",
    "StreamProfile",
    "TemplateExtractor",
    "UsbMatch",
    "UvcDriver",
    "digest_of",
    "digest_schedule",
    "hookimpl",
]


def __getattr__(name: str) -> object:
    # A gate's process has no business with USB, so the driver is fetched when a driver's author asks for it.
    if name != "UvcDriver":
        raise AttributeError(f"module 'faceward.plugin' has no attribute {name!r}")
    from faceward.hal.uvc import UvcDriver

    return UvcDriver
