"""Faceward, for integrators: enroll a living face, refuse what is not one, verify later.

Importing this costs next to nothing: every name below is fetched when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from faceward.version import VERSION

if TYPE_CHECKING:
    from faceward.capture.run import CaptureEvent
    from faceward.config import Home, Policy, load_policy
    from faceward.enrollment import Enrollment, enroll
    from faceward.errors import (
        CaptureRejected,
        ConfigError,
        DeviceError,
        DuplicateSubject,
        EnrollmentRefused,
        FacewardError,
        LivenessInconclusive,
        LockedOut,
        NoMatch,
        NotLive,
        PermissionRefused,
        PluginError,
        SigningError,
        StoreError,
        VerificationError,
    )
    from faceward.hal.discovery import find_sensors, open_sensor
    from faceward.hal.recording import RecordingWriter, ReplaySensor
    from faceward.host import Host
    from faceward.permission import clear_lockout, request_clearing, request_enrollment
    from faceward.signing.grants import countersign_grant, issue_grant
    from faceward.verification import Verification, verify
    from faceward.wire.request import decode_request, encode_request

__version__ = VERSION

_EXPORTS = {
    "CaptureEvent": "faceward.capture.run",
    "CaptureRejected": "faceward.errors",
    "ConfigError": "faceward.errors",
    "DeviceError": "faceward.errors",
    "DuplicateSubject": "faceward.errors",
    "Enrollment": "faceward.enrollment",
    "EnrollmentRefused": "faceward.errors",
    "FacewardError": "faceward.errors",
    "Home": "faceward.config",
    "Host": "faceward.host",
    "LivenessInconclusive": "faceward.errors",
    "LockedOut": "faceward.errors",
    "NoMatch": "faceward.errors",
    "NotLive": "faceward.errors",
    "PermissionRefused": "faceward.errors",
    "PluginError": "faceward.errors",
    "Policy": "faceward.config",
    "RecordingWriter": "faceward.hal.recording",
    "ReplaySensor": "faceward.hal.recording",
    "SigningError": "faceward.errors",
    "StoreError": "faceward.errors",
    "Verification": "faceward.verification",
    "VerificationError": "faceward.errors",
    "clear_lockout": "faceward.permission",
    "countersign_grant": "faceward.signing.grants",
    "decode_request": "faceward.wire.request",
    "encode_request": "faceward.wire.request",
    "enroll": "faceward.enrollment",
    "find_sensors": "faceward.hal.discovery",
    "issue_grant": "faceward.signing.grants",
    "load_policy": "faceward.config",
    "open_sensor": "faceward.hal.discovery",
    "request_clearing": "faceward.permission",
    "request_enrollment": "faceward.permission",
    "verify": "faceward.verification",
}

__all__ = [
    "CaptureEvent",
    "CaptureRejected",
    "ConfigError",
    "DeviceError",
    "DuplicateSubject",
    "Enrollment",
    "EnrollmentRefused",
    "FacewardError",
    "Home",
    "Host",
    "LivenessInconclusive",
    "LockedOut",
    "NoMatch",
    "NotLive",
    "PermissionRefused",
    "PluginError",
    "Policy",
    "RecordingWriter",
    "ReplaySensor",
    "SigningError",
    "StoreError",
    "Verification",
    "VerificationError",
    "__version__",
    "clear_lockout",
    "countersign_grant",
    "decode_request",
    "encode_request",
    "enroll",
    "find_sensors",
    "issue_grant",
    "load_policy",
    "open_sensor",
    "request_clearing",
    "request_enrollment",
    "verify",
]


def __getattr__(name: str) -> object:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'faceward' has no attribute {name!r}")
    value = getattr(import_module(_EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *_EXPORTS]
