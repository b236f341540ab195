"""Template records and grants between their bytes and the model.

Both ways go through the same bounds (faceward_proto.records): what can't be read is never written.
"""

from __future__ import annotations

import numpy as np
from faceward_proto.reader import MalformedMessage
from faceward_proto.records import check_grant, check_template, read_grant, read_template
from faceward_proto.v1 import device_pb2, grant_pb2, template_pb2
from google.protobuf.message import EncodeError

from faceward.errors import VerificationError
from faceward.model.capture import FaceTemplate
from faceward.model.face import Pose
from faceward.model.frame import SensorKind
from faceward.model.liveness import Measure, Outcome
from faceward.model.template import (
    Attestation,
    Grant,
    GrantPurpose,
    RecordedCapture,
    RecordedGate,
    RecordedPose,
    RecordedSensor,
    TemplateRecordModel,
)

_POSES = {
    Pose.FRONTAL: template_pb2.POSE_FRONTAL,
    Pose.LEFT: template_pb2.POSE_LEFT,
    Pose.RIGHT: template_pb2.POSE_RIGHT,
    Pose.UP: template_pb2.POSE_UP,
    Pose.DOWN: template_pb2.POSE_DOWN,
    Pose.SMILE: template_pb2.POSE_SMILE,
}
_OUTCOMES = {
    Outcome.LIVE: template_pb2.OUTCOME_LIVE,
    Outcome.NOT_LIVE: template_pb2.OUTCOME_NOT_LIVE,
    Outcome.INCONCLUSIVE: template_pb2.OUTCOME_INCONCLUSIVE,
    Outcome.NOT_EVALUATED: template_pb2.OUTCOME_NOT_EVALUATED,
}
_SENSES = {"<=": template_pb2.SENSE_AT_MOST, ">=": template_pb2.SENSE_AT_LEAST}
_ATTESTATIONS = {
    Attestation.NONE: template_pb2.ATTESTATION_NONE,
    Attestation.SIMULATED: template_pb2.ATTESTATION_SIMULATED,
    Attestation.VERIFIED: template_pb2.ATTESTATION_VERIFIED,
}
PURPOSES = {
    GrantPurpose.ENROLL: grant_pb2.GRANT_PURPOSE_ENROLL,
    GrantPurpose.CLEAR_LOCKOUT: grant_pb2.GRANT_PURPOSE_CLEAR_LOCKOUT,
}
_KINDS = {
    SensorKind.STRUCTURED_LIGHT: device_pb2.SENSOR_KIND_STRUCTURED_LIGHT,
    SensorKind.TIME_OF_FLIGHT: device_pb2.SENSOR_KIND_TIME_OF_FLIGHT,
    SensorKind.PASSIVE_STEREO: device_pb2.SENSOR_KIND_PASSIVE_STEREO,
}
_POSE_OF = {number: pose for pose, number in _POSES.items()}
_OUTCOME_OF = {number: outcome for outcome, number in _OUTCOMES.items()}
_SENSE_OF = {number: sense for sense, number in _SENSES.items()}
_ATTESTATION_OF = {number: attestation for attestation, number in _ATTESTATIONS.items()}
PURPOSE_OF = {number: purpose for purpose, number in PURPOSES.items()}
_KIND_OF = {number: kind for kind, number in _KINDS.items()}


def encode_template(record: TemplateRecordModel) -> bytes:
    """The record's one form in bytes.

    Raises: VerificationError for a record that breaks a bound: a wrong size, NaN, poses that don't fit the template.
    """
    template = record.template
    if template.poses != tuple(pose.pose for pose in record.poses) or len(template.poses) != len(template.embeddings):
        raise _unfit("its poses are not those of the template")
    try:
        message = template_pb2.TemplateRecord(
            version=1,
            record_id=record.record_id,
            subject=record.subject,
            tenant=record.tenant,
            lock_group=record.lock_group,
            epoch=record.epoch,
            issued_at_s=record.issued_at_s,
            expires_at_s=record.expires_at_s,
            sdk_version=record.sdk_version,
            extractor=template_pb2.Extractor(name=template.extractor, version=template.extractor_version),
            poses=[
                template_pb2.PoseTemplate(
                    pose=_POSES[pose.pose],
                    embedding=embedding.tolist(),
                    flood_digest=pose.flood_digest,
                    depth_digest=pose.depth_digest,
                )
                for pose, embedding in zip(record.poses, template.embeddings, strict=True)
            ],
            relief=template.relief.tolist(),
            outcome=_OUTCOMES[record.outcome],
            gates=[_gate(gate) for gate in record.gates],
            policy_hash=record.policy_hash,
            capture=template_pb2.CaptureRecord(
                capture_id=record.capture.capture_id,
                digest=record.capture.digest,
                nonce=record.capture.nonce,
                schedule_digest=record.capture.schedule_digest,
                slots=record.capture.slots,
            ),
            sensor=template_pb2.SensorRecord(
                vendor=record.sensor.vendor,
                model=record.sensor.model,
                serial=record.sensor.serial,
                firmware_version=record.sensor.firmware_version,
                hardware_revision=record.sensor.hardware_revision,
                kind=_KINDS[record.sensor.kind],
                attestation=_ATTESTATIONS[record.sensor.attestation],
                evidence_kind=record.sensor.evidence_kind,
                evidence=record.sensor.evidence,
            ),
            grant=record.grant,
        )
        check_template(message)
        data: bytes = message.SerializeToString(deterministic=True)
        # NaN in an embedding and the total size are seen by the reader alone.
        read_template(data)
    except MalformedMessage as error:
        raise _unfit(str(error)) from None
    except (TypeError, ValueError, KeyError, EncodeError) as error:
        raise _unfit(f"a value that its field can't hold ({error})") from None
    return data


def decode_template(data: bytes) -> TemplateRecordModel:
    """The record that these bytes are the one form of. Raises: VerificationError ("unsupported-record")."""
    try:
        message = read_template(data)
    except MalformedMessage as error:
        raise VerificationError(f"not a template record of version 1: {error}", "unsupported-record") from None
    embeddings = np.array([pose.embedding for pose in message.poses], dtype=np.float32)
    relief = np.array(message.relief, dtype=np.float32)
    embeddings.flags.writeable = False
    relief.flags.writeable = False
    return TemplateRecordModel(
        record_id=message.record_id,
        subject=message.subject,
        tenant=message.tenant,
        lock_group=message.lock_group,
        epoch=message.epoch,
        issued_at_s=message.issued_at_s,
        expires_at_s=message.expires_at_s,
        sdk_version=message.sdk_version,
        template=FaceTemplate(
            extractor=message.extractor.name,
            extractor_version=message.extractor.version,
            poses=tuple(_POSE_OF[pose.pose] for pose in message.poses),
            embeddings=embeddings,
            relief=relief,
        ),
        poses=tuple(RecordedPose(_POSE_OF[pose.pose], pose.flood_digest, pose.depth_digest) for pose in message.poses),
        outcome=_OUTCOME_OF[message.outcome],
        gates=tuple(
            RecordedGate(
                gate.name,
                gate.version,
                gate.distribution,
                _OUTCOME_OF[gate.outcome],
                gate.cue,
                tuple(_measure_of(measure) for measure in gate.measures),
            )
            for gate in message.gates
        ),
        policy_hash=message.policy_hash,
        capture=RecordedCapture(
            message.capture.capture_id,
            message.capture.digest,
            message.capture.nonce,
            message.capture.schedule_digest,
            message.capture.slots,
        ),
        sensor=RecordedSensor(
            message.sensor.vendor,
            message.sensor.model,
            message.sensor.serial,
            message.sensor.firmware_version,
            message.sensor.hardware_revision,
            _KIND_OF[message.sensor.kind],
            _ATTESTATION_OF[message.sensor.attestation],
            message.sensor.evidence_kind,
            message.sensor.evidence,
        ),
        grant=message.grant,
    )


def encode_grant(grant: Grant) -> bytes:
    """The grant's one form in bytes. Raises: VerificationError for a grant that breaks a bound."""
    try:
        message = grant_pb2.Grant(
            version=1,
            grant_id=grant.grant_id,
            challenge=grant.challenge,
            subject=grant.subject,
            tenant=grant.tenant,
            lock_group=grant.lock_group,
            host_key=grant.host_key,
            sensor_serial=grant.sensor_serial,
            issued_at_s=grant.issued_at_s,
            expires_at_s=grant.expires_at_s,
            max_attempts=grant.max_attempts,
            development=grant.development,
            purpose=PURPOSES[grant.purpose],
            sensor_key=grant.sensor_key,
        )
        check_grant(message)
        data: bytes = message.SerializeToString(deterministic=True)
    except MalformedMessage as error:
        raise VerificationError(f"this grant can't be written: {error}", "unsupported-record") from None
    except (TypeError, ValueError, KeyError, EncodeError) as error:
        raise VerificationError(
            f"this grant can't be written: a value that its field can't hold ({error})", "unsupported-record"
        ) from None
    return data


def decode_grant(data: bytes) -> Grant:
    """The grant that these bytes are the one form of. Raises: VerificationError ("unsupported-record")."""
    try:
        message = read_grant(data)
    except MalformedMessage as error:
        raise VerificationError(f"not a grant of version 1: {error}", "unsupported-record") from None
    return Grant(
        grant_id=message.grant_id,
        challenge=message.challenge,
        subject=message.subject,
        tenant=message.tenant,
        lock_group=message.lock_group,
        host_key=message.host_key,
        sensor_serial=message.sensor_serial,
        issued_at_s=message.issued_at_s,
        expires_at_s=message.expires_at_s,
        max_attempts=message.max_attempts,
        development=message.development,
        purpose=PURPOSE_OF[message.purpose],
        sensor_key=message.sensor_key,
    )


def _gate(gate: RecordedGate) -> template_pb2.GateResult:
    return template_pb2.GateResult(
        name=gate.name,
        version=gate.version,
        distribution=gate.distribution,
        outcome=_OUTCOMES[gate.outcome],
        cue=gate.cue,
        measures=[
            template_pb2.Measure(
                name=measure.name,
                value=measure.value,
                unit=measure.unit,
                limit=measure.limit,
                sense=template_pb2.SENSE_UNSPECIFIED if measure.limit is None else _SENSES[measure.sense],
            )
            for measure in gate.measures
        ],
    )


def _measure_of(measure: template_pb2.Measure) -> Measure:
    if not measure.HasField("limit"):
        return Measure(measure.name, measure.value, measure.unit)
    return Measure(measure.name, measure.value, measure.unit, measure.limit, _SENSE_OF[measure.sense])


def _unfit(why: str) -> VerificationError:
    return VerificationError(f"this record can't be written: {why}", "unsupported-record")
