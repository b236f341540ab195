"""Every error that Faceward raises, and what a caller does about it.

    FacewardError
     +- ConfigError (ValueError)  nothing was opened; the message names the key or file to mend
     +- PluginError               a named plugin is missing, shadowed or broken: mend the installation
     +- DeviceError               the sensor; retry after what the message says
     |   +- DeviceNotFound, DeviceBusy, DeviceDenied, DeviceLost, DeviceTimeout,
     |   +- DeviceProtocolError, DeviceFault, DeviceNotAttested
     +- CaptureRejected           the person can mend it: show `reason`, try again
     +- CaptureCancelled          the caller or the person stopped it; an attempt is spent
     +- EnrollmentRefused         a decision, not an accident: do not retry by yourself
     |   +- NotLive, LivenessInconclusive, PermissionRefused, LockedOut, DuplicateSubject, NoMatch
     +- StoreError                the template store
     |   +- SubjectUnknown
     +- SigningError              a key or a signer
     +- VerificationError         a record; catch this one and refuse (the kinds are faceward_proto.trust's)

`code` is stable and meant for machines; `exit_code` is what the command line ends with (docs/exit-codes.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from faceward.model.liveness import LivenessVerdict


class FacewardError(Exception):
    """Whatever Faceward raises."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1


class ConfigError(FacewardError, ValueError):
    """Found before anything opens; the message names the key, option or file."""

    code = "config"
    exit_code = 3


class PluginError(FacewardError):
    """A plugin that the policy names is missing, shadowed, of another version or malformed."""

    code = "plugin"
    exit_code = 4


class DeviceError(FacewardError):
    """The sensor, or the way to it."""

    code = "device"
    exit_code = 10


class DeviceNotFound(DeviceError):
    """No supported sensor at that address."""

    code = "device-not-found"
    exit_code = 11


class DeviceBusy(DeviceError):
    """Somebody else owns the sensor: another process, or a kernel driver that won't let go."""

    code = "device-busy"
    exit_code = 12


class DeviceDenied(DeviceError):
    """This user may not open the sensor."""

    code = "device-denied"
    exit_code = 13


class DeviceLost(DeviceError):
    """The sensor went away while it was in use."""

    code = "device-lost"
    exit_code = 14


class DeviceTimeout(DeviceError):
    """The sensor did not answer within the deadline."""

    code = "device-timeout"
    exit_code = 15


class DeviceProtocolError(DeviceError):
    """The sensor said something that the protocol forbids."""

    code = "device-protocol"
    exit_code = 16


class DeviceFault(DeviceError):
    """The sensor reports, or shows, a fault of its own; `fault` names it."""

    code = "device-fault"
    exit_code = 17

    def __init__(self, message: str, fault: str = "unspecified") -> None:
        super().__init__(message)
        self.fault = fault


class DeviceNotAttested(DeviceError):
    """The policy wants an attested sensor and this one did not prove itself."""

    code = "device-not-attested"
    exit_code = 18


class CaptureRejected(FacewardError):
    """The capture was not good enough to judge; `reason` is what the person can mend."""

    code = "capture-rejected"
    exit_code = 20

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class CaptureCancelled(FacewardError):
    """Stopped from outside; the attempt is spent and nothing was stored."""

    code = "capture-cancelled"
    exit_code = 21


class EnrollmentRefused(FacewardError):
    """A decision. `verdict` is there when gates took part in it."""

    code = "refused"
    exit_code = 30

    def __init__(self, message: str, verdict: LivenessVerdict | None = None) -> None:
        super().__init__(message)
        self.verdict = verdict


class NotLive(EnrollmentRefused):
    """At least one gate found that this is no living face."""

    code = "not-live"
    exit_code = 31


class LivenessInconclusive(EnrollmentRefused):
    """No gate found an attack, but not every gate found a living face."""

    code = "liveness-inconclusive"
    exit_code = 32


class PermissionRefused(EnrollmentRefused):
    """No valid, unused grant for this enrollment."""

    code = "permission-refused"
    exit_code = 33


class LockedOut(EnrollmentRefused):
    """Too many refusals; `retry_after_s` says when to come back."""

    code = "locked-out"
    exit_code = 34

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DuplicateSubject(EnrollmentRefused):
    """This subject, or this face, is enrolled already."""

    code = "duplicate-subject"
    exit_code = 35


class NoMatch(EnrollmentRefused):
    """A live face, but not the enrolled one."""

    code = "no-match"
    exit_code = 36

    def __init__(self, message: str, score: float, threshold: float) -> None:
        super().__init__(message)
        self.score = score
        self.threshold = threshold


class StoreError(FacewardError):
    """The template store can't be read or written."""

    code = "store"
    exit_code = 40


class SubjectUnknown(StoreError):
    """Nobody of that name is enrolled."""

    code = "subject-unknown"
    exit_code = 41


class SigningError(FacewardError):
    """A key or a signer: missing, unreadable, of the wrong kind."""

    code = "signing"
    exit_code = 42


class VerificationError(FacewardError):
    """A record that must not be trusted; `kind` is the verifier's own word for it."""

    code = "verification"
    exit_code = 43

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind
