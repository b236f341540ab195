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
    from faceward.enroll import Enrollment, enroll
    from faceward.errors import FacewardError
    from faceward.hal.discovery import find_sensors, open_sensor
    from faceward.hal.recording import RecordingWriter, ReplaySensor
    from faceward.host import Host
    from faceward.verify import Verification, verify

__version__ = VERSION

_EXPORTS = {
    "CaptureEvent": "faceward.capture.run",
    "Enrollment": "faceward.enroll",
    "FacewardError": "faceward.errors",
    "Home": "faceward.config",
    "Host": "faceward.host",
    "Policy": "faceward.config",
    "RecordingWriter": "faceward.hal.recording",
    "ReplaySensor": "faceward.hal.recording",
    "Verification": "faceward.verify",
    "enroll": "faceward.enroll",
    "find_sensors": "faceward.hal.discovery",
    "load_policy": "faceward.config",
    "open_sensor": "faceward.hal.discovery",
    "verify": "faceward.verify",
}

__all__ = [
    "CaptureEvent",
    "Enrollment",
    "FacewardError",
    "Home",
    "Host",
    "Policy",
    "RecordingWriter",
    "ReplaySensor",
    "Verification",
    "__version__",
    "enroll",
    "find_sensors",
    "load_policy",
    "open_sensor",
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
