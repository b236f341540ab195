"""Reads template records and grants: the canonical form, and within the bounds that every verifier may count on.

What is checked here needs no key, no clock and no context; whether a record may be trusted is trust.py's.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Final

from faceward_proto.bounds import DIGEST_BYTES, ID_BYTES, MAX_EPOCH, identifier, require, size, text, times
from faceward_proto.envelope import GRANT_TYPE, MAX_PAYLOAD_BYTES, TEMPLATE_TYPE
from faceward_proto.reader import read_message
from faceward_proto.v1.grant_pb2 import GRANT_PURPOSE_CLEAR_LOCKOUT, GRANT_PURPOSE_UNSPECIFIED, Grant
from faceward_proto.v1.template_pb2 import ATTESTATION_NONE, GateResult, Measure, PoseTemplate, TemplateRecord

RECORD_VERSION: Final = 1
GRANT_VERSION: Final = 1

CHALLENGE_BYTES: Final = 32
NONCE_BYTES: Final = range(8, 33)  # device.proto, IlluminationSchedule
MAX_POSES: Final = 8
MAX_EMBEDDING: Final = 1024
MAX_RELIEF: Final = 1024
MAX_GATES: Final = 16
MAX_MEASURES: Final = 32
MAX_CUE: Final = 128
MAX_GRANT_ENVELOPE_BYTES: Final = 16_384  # a grant with four signatures of 3.3 KB
MAX_SLOTS: Final = 65_536  # 36 minutes at 30 a second
MAX_EVIDENCE_BYTES: Final = 4096
MAX_ATTEMPTS: Final = 10
UNIT_LENGTH_TOLERANCE: Final = 1e-3  # of 1,024 float32 components, each rounded to 2**-24 of itself, a hundredfold


def read_template(data: bytes) -> TemplateRecord:
    """The template record that `data` is the canonical form of, within bounds. Raises: MalformedMessage."""
    record = read_message(TemplateRecord, data, max_bytes=MAX_PAYLOAD_BYTES[TEMPLATE_TYPE])
    check_template(record)
    return record


def read_grant(data: bytes) -> Grant:
    """The grant that `data` is the canonical form of, within bounds. Raises: MalformedMessage."""
    grant = read_message(Grant, data, max_bytes=MAX_PAYLOAD_BYTES[GRANT_TYPE])
    check_grant(grant)
    return grant


def check_template(record: TemplateRecord) -> None:
    """Check every bound of a template record. Raises: MalformedMessage."""
    require(record.version == RECORD_VERSION, f"version {record.version} is not {RECORD_VERSION}")
    size("record_id", record.record_id, ID_BYTES)
    size("subject", record.subject, DIGEST_BYTES)
    identifier("tenant", record.tenant)
    identifier("lock_group", record.lock_group)
    identifier("sdk_version", record.sdk_version)
    require(record.epoch < MAX_EPOCH, f"epoch is {record.epoch}")
    times(record.issued_at_s, record.expires_at_s)
    identifier("extractor.name", record.extractor.name)
    identifier("extractor.version", record.extractor.version)
    size("policy_hash", record.policy_hash, DIGEST_BYTES)
    identifier("capture.capture_id", record.capture.capture_id)
    size("capture.digest", record.capture.digest, DIGEST_BYTES)
    require(len(record.capture.nonce) in NONCE_BYTES, f"capture.nonce has {len(record.capture.nonce)} bytes")
    size("capture.schedule_digest", record.capture.schedule_digest, DIGEST_BYTES)
    require(1 <= record.capture.slots <= MAX_SLOTS, f"capture.slots is {record.capture.slots}")
    require(0 < len(record.grant) <= MAX_GRANT_ENVELOPE_BYTES, f"grant has {len(record.grant)} bytes")
    require(record.outcome != 0, "outcome is unspecified")
    _sensor(record)
    _poses(list(record.poses))
    require(len(record.relief) <= MAX_RELIEF, f"relief has {len(record.relief)} numbers")
    _gates(list(record.gates))


def check_grant(grant: Grant) -> None:
    """Check every bound of a grant. Raises: MalformedMessage."""
    require(grant.version == GRANT_VERSION, f"version {grant.version} is not {GRANT_VERSION}")
    size("grant_id", grant.grant_id, ID_BYTES)
    size("challenge", grant.challenge, CHALLENGE_BYTES)
    require(grant.purpose != GRANT_PURPOSE_UNSPECIFIED, "purpose is unspecified")
    identifier("tenant", grant.tenant)
    identifier("lock_group", grant.lock_group)
    if grant.host_key:
        size("host_key", grant.host_key, DIGEST_BYTES)
    if grant.sensor_serial:
        text("sensor_serial", grant.sensor_serial)
    if grant.sensor_key:
        size("sensor_key", grant.sensor_key, DIGEST_BYTES)
    times(grant.issued_at_s, grant.expires_at_s)
    if grant.purpose == GRANT_PURPOSE_CLEAR_LOCKOUT:
        require(not grant.subject, "a grant that permits no enrollment names a subject")
        require(grant.max_attempts == 0, "a grant that permits no enrollment has attempts")
        return
    size("subject", grant.subject, DIGEST_BYTES)
    require(1 <= grant.max_attempts <= MAX_ATTEMPTS, f"max_attempts is {grant.max_attempts}")


def _sensor(record: TemplateRecord) -> None:
    sensor = record.sensor
    for name in ("vendor", "model", "serial", "firmware_version"):
        text(f"sensor.{name}", getattr(sensor, name))
    if sensor.hardware_revision:
        text("sensor.hardware_revision", sensor.hardware_revision)
    require(sensor.kind != 0, "sensor.kind is unspecified")
    require(sensor.attestation != 0, "sensor.attestation is unspecified")
    require(len(sensor.evidence) <= MAX_EVIDENCE_BYTES, f"sensor.evidence has {len(sensor.evidence)} bytes")
    attested = sensor.attestation != ATTESTATION_NONE
    require(bool(sensor.evidence) == attested, "sensor.evidence is there exactly where there is an attestation")
    require(bool(sensor.evidence_kind) == attested, "sensor.evidence without its kind")
    if attested:
        identifier("sensor.evidence_kind", sensor.evidence_kind)


def _poses(poses: list[PoseTemplate]) -> None:
    require(1 <= len(poses) <= MAX_POSES, f"{len(poses)} poses")
    require(len({pose.pose for pose in poses}) == len(poses), "one pose twice")
    length = len(poses[0].embedding)
    require(1 <= length <= MAX_EMBEDDING, f"embedding has {length} numbers")
    for pose in poses:
        require(pose.pose != 0, "pose is unspecified")
        require(len(pose.embedding) == length, "embeddings differ in length")
        square = 0.0
        for value in pose.embedding:  # in order and in double precision, so that every verifier finds the same sum
            square += value * value
        norm = math.sqrt(square)
        require(abs(norm - 1.0) <= UNIT_LENGTH_TOLERANCE, f"embedding is {norm:.4g} long")
        size("flood_digest", pose.flood_digest, DIGEST_BYTES)
        if pose.depth_digest:
            size("depth_digest", pose.depth_digest, DIGEST_BYTES)


def _gates(gates: list[GateResult]) -> None:
    require(1 <= len(gates) <= MAX_GATES, f"{len(gates)} gates")
    names = [gate.name for gate in gates]
    require(all(a < b for a, b in pairwise(names)), "gates are not in name order, each once")
    for gate in gates:
        identifier("gate.name", gate.name)
        identifier("gate.version", gate.version)
        text("gate.distribution", gate.distribution)
        require(gate.outcome != 0, f"gate {gate.name}: outcome is unspecified")
        if gate.cue:
            text("gate.cue", gate.cue, MAX_CUE)
        require(len(gate.measures) <= MAX_MEASURES, f"gate {gate.name}: {len(gate.measures)} measures")
        for measure in gate.measures:
            _measure(measure)


def _measure(measure: Measure) -> None:
    text("measure.name", measure.name)
    if measure.unit:
        text("measure.unit", measure.unit)
    require(measure.HasField("limit") == (measure.sense != 0), f"measure {measure.name}: a limit without its sense")
    numbers = (measure.value, measure.limit)
    require(all(map(math.isfinite, numbers)), f"measure {measure.name}: not finite")
