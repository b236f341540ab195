"""From an admitted capture to a signed template, and back."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from faceward_proto import trust as lock
from faceward_proto.attestation import CaptureClaim, simulator_root
from faceward_proto.bounds import ID_BYTES
from faceward_proto.envelope import (
    TEMPLATE_TYPE,
    pre_authentication_encoding,
    read_envelope,
    signing_keys,
    write_envelope,
)
from faceward_proto.keys import PublicKey, UnusableKey
from faceward_proto.reader import MalformedMessage

from faceward.errors import SigningError, VerificationError
from faceward.liveness.admit import LiveCapture
from faceward.model.capture import Capture, FaceTemplate
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


@dataclass(frozen=True, slots=True)
class Validity:
    """From when to when a record counts, in Unix seconds, and in which epoch of its lock group."""

    issued_at_s: int
    expires_at_s: int
    epoch: int = 0


def make_record(
    live: LiveCapture,
    template: FaceTemplate,
    grant: PermittedGrant,
    validity: Validity,
    trust: lock.TrustStore,
    *,
    sdk_version: str,
) -> TemplateRecordModel:
    """The record of an admitted capture, with a fresh id; subject, tenant and lock group are the grant's.

    What it says of the sensor is what the evidence proves under `trust`. Evidence that proves nothing there does not
    travel, and makes no record unless the trust store takes unattested sensors.

    Raises: VerificationError, where the evidence is not of this sensor, capture and grant, or where the template's poses
    are not exactly the capture's key frames, in their order.
    """
    if not isinstance(live, LiveCapture):
        raise TypeError("a record is made of a LiveCapture alone")
    capture, verdict, sensor = live.capture, live.verdict, live.capture.sensor
    # A verifier holds the poses against the key frames that the sensor signed, so none may be missing or elsewhere.
    if template.poses != tuple(key_frame.pose for key_frame in capture.key_frames):
        raise VerificationError("the template's poses are not the capture's key frames, in order", "unsupported-record")
    poses = tuple(
        RecordedPose(
            key_frame.pose, key_frame.flood.digest, b"" if key_frame.depth is None else key_frame.depth.digest
        )
        for key_frame in capture.key_frames
    )
    attestation = _attestation(capture, poses, grant, trust)
    evidence = None if attestation is Attestation.NONE else capture.evidence
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
        poses=poses,
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
            attestation,
            "" if evidence is None else evidence.kind,
            b"" if evidence is None else evidence.data,
        ),
        grant=grant.envelope,
    )


def _attestation(
    capture: Capture, poses: tuple[RecordedPose, ...], grant: PermittedGrant, trust: lock.TrustStore
) -> Attestation:
    if capture.evidence is None:
        return Attestation.NONE
    sensor = capture.sensor
    claim = CaptureClaim(
        vendor=sensor.vendor,
        model=sensor.model,
        serial=sensor.serial,
        firmware_version=sensor.firmware_version,
        nonce=capture.nonce,
        schedule_digest=capture.schedule_digest,
        capture_digest=capture.digest,
        slots=capture.slots,
        key_frames=tuple(
            digest for pose in poses for digest in (pose.flood_digest, pose.depth_digest) if digest
        ),
        grant_digest=hashlib.sha256(grant.envelope).digest(),
    )
    try:
        proven = lock.verify_evidence(capture.evidence.kind, capture.evidence.data, claim, trust)
    except lock.VerificationError as error:
        if trust.allow_unattested:
            return Attestation.NONE
        raise VerificationError(str(error), error.kind) from None
    return Attestation.SIMULATED if proven.simulated else Attestation.VERIFIED


def seal(record: TemplateRecordModel, *signers: Signer) -> bytes:
    """The record's bytes in an envelope that every signer signed.

    The signatures are checked before they leave: a faulty signer must not cost a person a second enrollment.

    Raises: VerificationError (a record that breaks a bound), SigningError.
    """
    return seal_payload(encode_template(record), TEMPLATE_TYPE, *signers)


def seal_payload(payload: bytes, payload_type: str, *signers: Signer) -> bytes:
    """Any payload in an envelope that every signer signed, each checked before it leaves. Raises: SigningError."""
    return _written(payload, payload_type, [_signature(payload, payload_type, signer) for signer in signers])


def countersign(envelope: bytes, payload_type: str, signer: Signer) -> bytes:
    """The same envelope, its payload byte for byte, with one more signature.

    Raises: VerificationError (not an envelope of this type), SigningError, where the signer has signed it before too.
    """
    try:
        found = read_envelope(envelope, payload_type)
    except MalformedMessage as error:
        raise VerificationError(f"this can't be signed: {error}", "unsupported-record") from None
    if signing_keys(found, [_public_key(signer)]):
        raise SigningError(f"key {signer.key_id} has signed this before, and counts once")
    signatures = [signature.sig for signature in found.signatures]
    return _written(found.payload, payload_type, [*signatures, _signature(found.payload, payload_type, signer)])


def _signature(payload: bytes, payload_type: str, signer: Signer) -> bytes:
    message = pre_authentication_encoding(payload_type, payload)
    signature = signer.sign(message)
    if not _public_key(signer).verifies(signature, message):
        raise SigningError(f"signer {signer.key_id} made a signature that its own public key refuses")
    return signature


def _public_key(signer: Signer) -> PublicKey:
    try:
        return PublicKey(signer.public_key_der)
    except UnusableKey as error:
        raise SigningError(f"signer {signer.key_id} can't sign this: {error}") from None


def _written(payload: bytes, payload_type: str, signatures: list[bytes]) -> bytes:
    try:
        return write_envelope(payload, payload_type, signatures)
    except MalformedMessage as error:
        raise SigningError(f"this can't be signed: {error}") from None


def unseal(
    envelope: bytes, trust: lock.TrustStore, *, now_s: float, epoch: int | None = None, subject: bytes | None = None
) -> TemplateRecordModel:
    """Verify a signed template, as a lock does (faceward_proto.trust.verify_template), and read it.

    Raises: VerificationError, whose `kind` is the verifier's.
    """
    try:
        # Which grants were taken is each lock's to keep; a host burns its own before the first frame.
        verified = lock.verify_template(envelope, trust, now_s=now_s, grant_seen=(), epoch=epoch, subject=subject)
    except lock.VerificationError as error:
        raise VerificationError(str(error), error.kind) from None
    return decode_template(verified.payload)


def host_trust(
    signer: Signer,
    tenant: str,
    lock_group: str,
    *,
    simulated: bool = False,
    unattested: bool = False,
    second_signer: Signer | None = None,
    administrators: lock.KeyRule | None = None,
) -> lock.TrustStore:
    """What a development host believes of its own records: its signers' keys, each of which must have signed, and grants
    of the administrators, or of its own key where there are none.

    Takes keys in files and development grants, and simulated and unattested sensors when told; a lock's trust store
    takes none of these. Raises: SigningError for a signer whose key can't be used.
    """
    rules = tuple(
        lock.any_of([lock.TrustedKey(_public_key(each), each.custody)])
        for each in (signer, second_signer)
        if each is not None
    )
    return lock.TrustStore(
        tenant=tenant,
        lock_group=lock_group,
        hosts=rules,
        administrators=rules[:1] if administrators is None else (administrators,),
        sensor_roots=(simulator_root(),),
        allow_development=True,
        allow_unattested=unattested,
        allow_simulated=simulated,
    )


def _recorded(result: GateResult) -> RecordedGate:
    evidence = result.evidence
    return RecordedGate(
        result.gate, result.version, result.distribution, evidence.outcome, evidence.cue, evidence.measures
    )
