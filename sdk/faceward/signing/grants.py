"""Permissions to enroll: issued by this host to itself for development, and verified, whoever issued them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from faceward_proto import trust as lock
from faceward_proto.envelope import GRANT_TYPE
from faceward_proto.records import ID_BYTES

from faceward.errors import PermissionRefused
from faceward.model.template import Grant, PermittedGrant
from faceward.signing.sealing import seal_payload
from faceward.signing.signer import Signer
from faceward.wire.record import decode_grant, encode_grant


@dataclass(frozen=True, slots=True)
class Occasion:
    """What an enrollment is about to do, for a grant to permit: over which challenge, for whom, where, by which sensor.

    `challenge` is one that AttemptLedger.draw_challenge drew for this occasion; `subject` is a pseudonym.
    """

    challenge: bytes
    subject: bytes
    tenant: str
    lock_group: str
    sensor_serial: str


def issue_development_grant(
    signer: Signer, occasion: Occasion, *, now_s: int, lifetime_s: int = 600, max_attempts: int = 3
) -> bytes:
    """A signed grant by which a host permits itself one enrollment; it says so, and a lock's trust store refuses it.

    Raises: VerificationError (an occasion that breaks a bound), SigningError.
    """
    grant = Grant(
        grant_id=secrets.token_bytes(ID_BYTES),
        challenge=occasion.challenge,
        subject=occasion.subject,
        tenant=occasion.tenant,
        lock_group=occasion.lock_group,
        issued_at_s=now_s,
        expires_at_s=now_s + lifetime_s,
        max_attempts=max_attempts,
        development=True,
        sensor_serial=occasion.sensor_serial,
    )
    return seal_payload(encode_grant(grant), GRANT_TYPE, signer)


def permit(
    envelope: bytes, trust: lock.TrustStore, occasion: Occasion, *, host_key: bytes, now_s: float
) -> PermittedGrant:
    """Hold a signed grant against what is about to be done. Whether it was used before, the AttemptLedger knows.

    1. It is signed, in time and for this tenant and lock group (faceward_proto.trust.verify_grant).
    2. It answers this occasion's challenge.
    3. It is for this subject.
    4. It is for this sensor, or for any; no sensor proves a key in this version, so one that names a key is for none.
    5. It is for this host (SHA-256 of its public key's DER), or for any.

    Raises: PermissionRefused.
    """
    # 1
    try:
        verified = lock.verify_grant(envelope, trust, at_s=now_s)
    except lock.VerificationError as error:
        raise PermissionRefused(f"the grant is not valid: {error}") from None
    found = decode_grant(verified.payload)
    # 2
    if not secrets.compare_digest(found.challenge, occasion.challenge):
        raise PermissionRefused("the grant answers another challenge")
    # 3
    if found.subject != occasion.subject:
        raise PermissionRefused("the grant is for another subject")
    # 4
    if found.sensor_serial and found.sensor_serial != occasion.sensor_serial:
        raise PermissionRefused("the grant is for another sensor")
    if found.sensor_key:
        raise PermissionRefused("the grant is for a sensor with a key, and this sensor proved none")
    # 5
    if found.host_key and found.host_key != host_key:
        raise PermissionRefused("the grant is for another host")
    return PermittedGrant(found, envelope)
