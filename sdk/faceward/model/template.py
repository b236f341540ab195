"""The record that an enrollment leaves, and the permission that it was made by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from faceward.model.capture import FaceTemplate
from faceward.model.face import Pose
from faceward.model.frame import SensorKind
from faceward.model.liveness import Measure, Outcome


class Attestation(StrEnum):
    """How the sensor proved what it is."""

    NONE = "none"  # it did not
    SIMULATED = "simulated"  # its evidence leads to a simulator's root
    VERIFIED = "verified"  # its evidence leads to a vendor's root


class GrantPurpose(StrEnum):
    """What a grant permits."""

    ENROLL = "enroll"
    CLEAR_LOCKOUT = "clear-lockout"


@dataclass(frozen=True, slots=True)
class RecordedGate:
    """What one gate answered, as far as a record tells it."""

    name: str
    version: str
    distribution: str
    outcome: Outcome
    cue: str
    measures: tuple[Measure, ...]


@dataclass(frozen=True, slots=True)
class RecordedPose:
    """The key frame that one pose's embedding comes from, by SHA-256 of its pixels; no depth, no `depth_digest`."""

    pose: Pose
    flood_digest: bytes
    depth_digest: bytes


@dataclass(frozen=True, slots=True)
class RecordedCapture:
    """The capture by which a record came to be (faceward.model.capture.Capture has the same names)."""

    capture_id: str
    digest: bytes
    nonce: bytes
    schedule_digest: bytes
    slots: int


@dataclass(frozen=True, slots=True)
class RecordedSensor:
    """What the sensor said of itself, and how it proved it: `evidence` of that kind, both empty for Attestation.NONE."""

    vendor: str
    model: str
    serial: str
    firmware_version: str
    hardware_revision: str
    kind: SensorKind
    attestation: Attestation
    evidence_kind: str = ""
    evidence: bytes = b""


@dataclass(frozen=True, slots=True, eq=False)
class TemplateRecordModel:
    """A template with the story of how it came to be; field meanings and sizes are template.proto's.

    `record_id` is 16 random bytes, `subject` a 32-byte pseudonym, times are Unix seconds, `gates` stand in name order,
    `poses` in the order of `template.poses`, and `grant` is the signed grant, byte for byte.
    """

    record_id: bytes
    subject: bytes
    tenant: str
    lock_group: str
    epoch: int
    issued_at_s: int
    expires_at_s: int
    sdk_version: str
    template: FaceTemplate
    poses: tuple[RecordedPose, ...]
    outcome: Outcome
    gates: tuple[RecordedGate, ...]
    policy_hash: bytes
    capture: RecordedCapture
    sensor: RecordedSensor
    grant: bytes

    @property
    def simulated(self) -> bool:
        """Whether the sensor was a simulator."""
        return self.sensor.attestation is Attestation.SIMULATED


@dataclass(frozen=True, slots=True)
class Grant:
    """An administrator's permission; field meanings are grant.proto's."""

    grant_id: bytes
    challenge: bytes
    subject: bytes
    tenant: str
    lock_group: str
    issued_at_s: int
    expires_at_s: int
    max_attempts: int
    development: bool
    host_key: bytes = b""
    sensor_serial: str = ""
    purpose: GrantPurpose = GrantPurpose.ENROLL
    sensor_key: bytes = b""


@dataclass(frozen=True, slots=True)
class GrantRequest:
    """What a host asks an administrator for; field meanings are grant.proto's. Nobody signed it, so nobody believes it."""

    purpose: GrantPurpose
    challenge: bytes
    expires_at_s: int
    tenant: str
    lock_group: str
    host_key: bytes
    subject: bytes = b""
    subject_name: str = ""
    sensor_serial: str = ""
    sensor_key: bytes = b""


@dataclass(frozen=True, slots=True)
class PermittedGrant:
    """A grant that was verified for this host, subject and sensor, with the signed bytes it came in."""

    grant: Grant
    envelope: bytes
