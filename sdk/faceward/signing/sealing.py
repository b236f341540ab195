"""From an admitted capture to a signed template, and back."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from faceward_proto import trust as lock
from faceward_proto.envelope import TEMPLATE_TYPE, pre_authentication_encoding, write_envelope
from faceward_proto.keys import PublicKey, UnusableKey
from faceward_proto.reader import MalformedMessage
from faceward_proto.records import ID_BYTES

from faceward.errors import SigningError, VerificationError
from faceward.liveness.admit import LiveCapture
from faceward.model.capture import FaceTemplate
from faceward.model.liveness import GateResult
from faceward.model.template import (
    Attestation,
    PermittedGrant,
    RecordedCapture,
    RecordedGate,
    RecordedPose,
    RecordedSensor,
    TemplateRecordModel,
)
from faceward.signing.signer import Signer
from faceward.wire.record import decode_template, encode_template

_ATTESTATIONS = {None: Attestation.NONE, True: Attestation.SIMULATED, False: Attestation.VERIFIED}


@dataclass(frozen=True, slots=True)
class Validity:
    """From when to when a record counts, in Unix seconds, and in which epoch of its lock group."""

    issued_at_s: int
    expires_at_s: int
    epoch: int = 0


def make_record(
    live: LiveCapture, template: FaceTemplate, grant: PermittedGrant, validity: Validity, *, sdk_version: str
) -> TemplateRecordModel:
    """The record of an admitted capture, with a fresh id; subject, tenant and lock group are the grant's.

    Raises: VerificationError when the template's poses are not the capture's key frames.
    """
    if not isinstance(live, LiveCapture):
        raise TypeError("a record is made of a LiveCapture alone")
    capture, verdict, sensor = live.capture, live.verdict, live.capture.sensor
    key_frames = {key_frame.pose: key_frame for key_frame in capture.key_frames}
    if not set(template.poses) <= key_frames.keys():
        raise VerificationError("the template has a pose that the capture has no key frame of", "unsupported-record")
    poses = []
    for pose in template.poses:
        key_frame = key_frames[pose]
        depth = b"" if key_frame.depth is None else key_frame.depth.digest
        poses.append(RecordedPose(pose, key_frame.flood.digest, depth))
    return TemplateRecordModel(
        record_id=secrets.token_bytes(ID_BYTES),
        subject=grant.grant.subject,
        tenant=grant.grant.tenant,
        lock_group=grant.grant.lock_group,
        epoch=validity.epoch,
        issued_at_s=validity.issued_at_s,
        expires_at_s=validity.expires_at_s,
        sdk_version=sdk_version,
        template=template,
        poses=tuple(poses),
        outcome=verdict.outcome,
        gates=tuple(_recorded(result) for result in sorted(verdict.results, key=lambda result: result.gate)),
        policy_hash=verdict.policy_hash,
        capture=RecordedCapture(
            capture.capture_id, capture.digest, capture.nonce, capture.schedule_digest, capture.slots
        ),
        sensor=RecordedSensor(
            sensor.vendor,
            sensor.model,
            sensor.serial,
            sensor.firmware_version,
            sensor.hardware_revision,
            sensor.kind,
            _ATTESTATIONS[capture.simulated],
            "" if capture.evidence is None else capture.evidence.kind,
            b"" if capture.evidence is None else capture.evidence.data,
        ),
        grant=grant.envelope,
    )


def seal(record: TemplateRecordModel, signer: Signer) -> bytes:
    """The record's bytes in an envelope that the signer signed.

    The signature is checked before it leaves: a faulty signer must not cost a person a second enrollment.

    Raises: VerificationError (a record that breaks a bound), SigningError.
    """
    return seal_payload(encode_template(record), TEMPLATE_TYPE, signer)


def seal_payload(payload: bytes, payload_type: str, signer: Signer) -> bytes:
    """Any payload in an envelope that the signer signed, checked before it leaves. Raises: SigningError."""
    message = pre_authentication_encoding(payload_type, payload)
    signature = signer.sign(message)
    try:
        if not PublicKey(signer.public_key_der).verifies(signature, message):
            raise SigningError(f"signer {signer.key_id} made a signature that its own public key refuses")
        return write_envelope(payload, payload_type, [signature])
    except (UnusableKey, MalformedMessage) as error:
        raise SigningError(f"signer {signer.key_id} can't sign this: {error}") from None


def unseal(
    envelope: bytes, trust: lock.TrustStore, *, now_s: float, epoch: int | None = None, subject: bytes | None = None
) -> TemplateRecordModel:
    """Verify a signed template, as a lock does (faceward_proto.trust.verify_template), and read it.

    Raises: VerificationError, whose `kind` is the verifier's.
    """
    try:
        verified = lock.verify_template(envelope, trust, now_s=now_s, epoch=epoch, subject=subject)
    except lock.VerificationError as error:
        raise VerificationError(str(error), error.kind) from None
    return decode_template(verified.payload)


def host_trust(signer: Signer, tenant: str, lock_group: str, *, simulated: bool) -> lock.TrustStore:
    """What a development host believes of its own records: its signer's key, for records and grants alike.

    Takes keys in files, development grants and unattested sensors, and simulated ones when told; a lock's trust store
    takes none of these. Raises: SigningError for a signer whose key can't be used.
    """
    try:
        rule = lock.any_of([lock.TrustedKey(PublicKey(signer.public_key_der), signer.custody)])
    except UnusableKey as error:
        raise SigningError(f"signer {signer.key_id} has {error}") from None
    return lock.TrustStore(
        tenant=tenant,
        lock_group=lock_group,
        hosts=rule,
        administrators=rule,
        allow_development=True,
        allow_unattested=True,
        allow_simulated=simulated,
    )


def _recorded(result: GateResult) -> RecordedGate:
    evidence = result.evidence
    return RecordedGate(
        result.gate, result.version, result.distribution, evidence.outcome, evidence.cue, evidence.measures
    )
