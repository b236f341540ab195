"""Reads template records and grants: the canonical form, and within the bounds that every verifier may count on.

What is checked here needs no key, no clock and no context; whether a record may be trusted is trust.py's.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import Final

from faceward_proto.envelope import MAX_PAYLOAD_BYTES
from faceward_proto.reader import MalformedMessage, read_message
from faceward_proto.v1.grant_pb2 import GRANT_PURPOSE_CLEAR_LOCKOUT, GRANT_PURPOSE_UNSPECIFIED, Grant
from faceward_proto.v1.template_pb2 import ATTESTATION_NONE, GateResult, Measure, PoseTemplate, TemplateRecord

RECORD_VERSION: Final = 1
GRANT_VERSION: Final = 1

ID_BYTES: Final = 16
DIGEST_BYTES: Final = 32
CHALLENGE_BYTES: Final = 32
NONCE_BYTES: Final = range(8, 33)  # device.proto, IlluminationSchedule
MAX_POSES: Final = 8
MAX_EMBEDDING: Final = 1024
MAX_RELIEF: Final = 1024
MAX_GATES: Final = 16
MAX_MEASURES: Final = 32
MAX_TEXT: Final = 64
MAX_CUE: Final = 128
MAX_GRANT_BYTES: Final = 4096
MAX_GRANT_ENVELOPE_BYTES: Final = 16_384  # a grant with four signatures of 3.3 KB
MAX_SLOTS: Final = 65_536  # 36 minutes at 30 a second
MAX_EVIDENCE_BYTES: Final = 4096
MAX_ATTEMPTS: Final = 10
MAX_TIME_S: Final = 1 << 40  # past the year 36,000; keeps sums of times inside 64 bits
MAX_EPOCH: Final = 1 << 40
UNIT_LENGTH_TOLERANCE: Final = 1e-3  # of 1,024 float32 components, each rounded to 2**-24 of itself, a hundredfold

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}", re.ASCII)


def read_template(data: bytes) -> TemplateRecord:
    """The template record that `data` is the canonical form of, within bounds. Raises: MalformedMessage."""
    record = read_message(TemplateRecord, data, max_bytes=MAX_PAYLOAD_BYTES)
    check_template(record)
    return record


def read_grant(data: bytes) -> Grant:
    """The grant that `data` is the canonical form of, within bounds. Raises: MalformedMessage."""
    grant = read_message(Grant, data, max_bytes=MAX_GRANT_BYTES)
    check_grant(grant)
    return grant


def check_template(record: TemplateRecord) -> None:
    """Check every bound of a template record. Raises: MalformedMessage."""
    _require(record.version == RECORD_VERSION, f"version {record.version} is not {RECORD_VERSION}")
    _size("record_id", record.record_id, ID_BYTES)
    _size("subject", record.subject, DIGEST_BYTES)
    _identifier("tenant", record.tenant)
    _identifier("lock_group", record.lock_group)
    _identifier("sdk_version", record.sdk_version)
    _require(record.epoch < MAX_EPOCH, f"epoch is {record.epoch}")
    _times(record.issued_at_s, record.expires_at_s)
    _identifier("extractor.name", record.extractor.name)
    _identifier("extractor.version", record.extractor.version)
    _size("policy_hash", record.policy_hash, DIGEST_BYTES)
    _identifier("capture.capture_id", record.capture.capture_id)
    _size("capture.digest", record.capture.digest, DIGEST_BYTES)
    _require(len(record.capture.nonce) in NONCE_BYTES, f"capture.nonce has {len(record.capture.nonce)} bytes")
    _size("capture.schedule_digest", record.capture.schedule_digest, DIGEST_BYTES)
    _require(1 <= record.capture.slots <= MAX_SLOTS, f"capture.slots is {record.capture.slots}")
    _require(0 < len(record.grant) <= MAX_GRANT_ENVELOPE_BYTES, f"grant has {len(record.grant)} bytes")
    _require(record.outcome != 0, "outcome is unspecified")
    _sensor(record)
    _poses(list(record.poses))
    _require(len(record.relief) <= MAX_RELIEF, f"relief has {len(record.relief)} numbers")
    _gates(list(record.gates))


def check_grant(grant: Grant) -> None:
    """Check every bound of a grant. Raises: MalformedMessage."""
    _require(grant.version == GRANT_VERSION, f"version {grant.version} is not {GRANT_VERSION}")
    _size("grant_id", grant.grant_id, ID_BYTES)
    _size("challenge", grant.challenge, CHALLENGE_BYTES)
    _require(grant.purpose != GRANT_PURPOSE_UNSPECIFIED, "purpose is unspecified")
    _identifier("tenant", grant.tenant)
    _identifier("lock_group", grant.lock_group)
    if grant.host_key:
        _size("host_key", grant.host_key, DIGEST_BYTES)
    if grant.sensor_serial:
        _text("sensor_serial", grant.sensor_serial)
    if grant.sensor_key:
        _size("sensor_key", grant.sensor_key, DIGEST_BYTES)
    _times(grant.issued_at_s, grant.expires_at_s)
    if grant.purpose == GRANT_PURPOSE_CLEAR_LOCKOUT:
        _require(not grant.subject, "a grant that permits no enrollment names a subject")
        _require(grant.max_attempts == 0, "a grant that permits no enrollment has attempts")
        return
    _size("subject", grant.subject, DIGEST_BYTES)
    _require(1 <= grant.max_attempts <= MAX_ATTEMPTS, f"max_attempts is {grant.max_attempts}")


def _sensor(record: TemplateRecord) -> None:
    sensor = record.sensor
    for name in ("vendor", "model", "serial", "firmware_version"):
        _text(f"sensor.{name}", getattr(sensor, name))
    if sensor.hardware_revision:
        _text("sensor.hardware_revision", sensor.hardware_revision)
    _require(sensor.kind != 0, "sensor.kind is unspecified")
    _require(sensor.attestation != 0, "sensor.attestation is unspecified")
    _require(len(sensor.evidence) <= MAX_EVIDENCE_BYTES, f"sensor.evidence has {len(sensor.evidence)} bytes")
    _require(bool(sensor.evidence) == bool(sensor.evidence_kind), "sensor.evidence without its kind")
    if sensor.evidence:
        _identifier("sensor.evidence_kind", sensor.evidence_kind)
        _require(sensor.attestation != ATTESTATION_NONE, "sensor.evidence where there is no attestation")


def _poses(poses: list[PoseTemplate]) -> None:
    _require(1 <= len(poses) <= MAX_POSES, f"{len(poses)} poses")
    _require(len({pose.pose for pose in poses}) == len(poses), "one pose twice")
    length = len(poses[0].embedding)
    _require(1 <= length <= MAX_EMBEDDING, f"embedding has {length} numbers")
    for pose in poses:
        _require(pose.pose != 0, "pose is unspecified")
        _require(len(pose.embedding) == length, "embeddings differ in length")
        norm = math.sqrt(math.fsum(value * value for value in pose.embedding))
        _require(abs(norm - 1.0) <= UNIT_LENGTH_TOLERANCE, f"embedding is {norm:.4g} long")
        _size("flood_digest", pose.flood_digest, DIGEST_BYTES)
        if pose.depth_digest:
            _size("depth_digest", pose.depth_digest, DIGEST_BYTES)


def _gates(gates: list[GateResult]) -> None:
    _require(1 <= len(gates) <= MAX_GATES, f"{len(gates)} gates")
    names = [gate.name for gate in gates]
    _require(all(a < b for a, b in pairwise(names)), "gates are not in name order, each once")
    for gate in gates:
        _identifier("gate.name", gate.name)
        _identifier("gate.version", gate.version)
        _text("gate.distribution", gate.distribution)
        _require(gate.outcome != 0, f"gate {gate.name}: outcome is unspecified")
        if gate.cue:
            _text("gate.cue", gate.cue, MAX_CUE)
        _require(len(gate.measures) <= MAX_MEASURES, f"gate {gate.name}: {len(gate.measures)} measures")
        for measure in gate.measures:
            _measure(measure)


def _measure(measure: Measure) -> None:
    _text("measure.name", measure.name)
    if measure.unit:
        _text("measure.unit", measure.unit)
    _require(measure.HasField("limit") == (measure.sense != 0), f"measure {measure.name}: a limit without its sense")
    numbers = (measure.value, measure.limit)
    _require(all(map(math.isfinite, numbers)), f"measure {measure.name}: not finite")


def _times(issued_at_s: int, expires_at_s: int) -> None:
    _require(0 < issued_at_s < expires_at_s < MAX_TIME_S, f"issued at {issued_at_s}, expires at {expires_at_s}")


def _size(name: str, value: bytes, size: int) -> None:
    _require(len(value) == size, f"{name} has {len(value)} bytes and not {size}")


def _identifier(name: str, value: str) -> None:
    _require(_IDENTIFIER.fullmatch(value) is not None, f"{name} is no identifier")


def _text(name: str, value: str, limit: int = MAX_TEXT) -> None:
    plain = all(ord(character) >= 0x20 and not 0x7F <= ord(character) < 0xA0 for character in value)
    _require(0 < len(value.encode()) <= limit and plain, f"{name} is not text of 1 to {limit} bytes, free of controls")


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise MalformedMessage(what)
