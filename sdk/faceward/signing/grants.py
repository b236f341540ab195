"""Permissions: asked for by a host, issued by administrators (or, for development, by the host), and verified."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from faceward_proto import trust as lock
from faceward_proto.bounds import ID_BYTES
from faceward_proto.envelope import GRANT_TYPE, read_envelope, signing_keys
from faceward_proto.keys import PublicKey
from faceward_proto.reader import MalformedMessage

from faceward.errors import PermissionRefused, VerificationError
from faceward.model.template import Grant, GrantPurpose, GrantRequest, PermittedGrant
from faceward.signing.sealing import countersign, seal_payload
from faceward.signing.signer import Signer
from faceward.wire.record import PURPOSES, decode_grant, encode_grant

GRANT_LIFETIME_S: Final = 3_600
ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a host is about to do, for a grant to permit: for whom, where, by which sensor.

    `challenges` are those that a grant may answer now (AttemptLedger.challenges); `subject` is a pseudonym, and empty
    where nobody is to be enrolled. `sensor_key` is SHA-256 of the key that the sensor proved (DER), empty where it
    proved none.
    """

    challenges: frozenset[bytes]
    subject: bytes
    tenant: str
    lock_group: str
    sensor_serial: str = ""
    sensor_key: bytes = b""
    purpose: GrantPurpose = GrantPurpose.ENROLL


def issue_grant(
    request: GrantRequest,
    *signers: Signer,
    now_s: float,
    lifetime_s: int = GRANT_LIFETIME_S,
    max_attempts: int = ATTEMPTS,
    development: bool = False,
) -> bytes:
    """A signed grant of what was asked for. It never outlives its request, whose challenge it has to answer in time.

    `development` is for a host that permits itself an enrollment: the grant says so, and a lock's trust store refuses
    it. `max_attempts` is not looked at where no enrollment is asked for.

    Raises: PermissionRefused (the request has expired), VerificationError (it breaks a bound), SigningError.
    """
    if not now_s < request.expires_at_s:
        raise PermissionRefused("the request has expired: the host asks again with `faceward grant request`")
    grant = Grant(
        grant_id=secrets.token_bytes(ID_BYTES),
        challenge=request.challenge,
        subject=request.subject,
        tenant=request.tenant,
        lock_group=request.lock_group,
        issued_at_s=int(now_s),
        expires_at_s=min(int(now_s) + lifetime_s, request.expires_at_s),
        max_attempts=max_attempts if request.purpose is GrantPurpose.ENROLL else 0,
        development=development,
        host_key=request.host_key,
        sensor_serial=request.sensor_serial,
        purpose=request.purpose,
        sensor_key=request.sensor_key,
    )
    return seal_payload(encode_grant(grant), GRANT_TYPE, *signers)


def permit(
    envelope: bytes, trust: lock.TrustStore, occasion: Occasion, *, host_key: bytes, now_s: float
) -> PermittedGrant:
    """Hold a signed grant against what is about to be done. How often it was used before, the AttemptLedger knows.

    1. to 4. as `verify_grant`.
    5. It is for this sensor, by the serial that it says and by the key that it proved, or for any.

    Raises: PermissionRefused.
    """
    # 1 to 4
    permitted = verify_grant(envelope, trust, occasion, host_key=host_key, now_s=now_s)
    grant = permitted.grant
    # 5
    if grant.sensor_serial and grant.sensor_serial != occasion.sensor_serial:
        raise PermissionRefused("the grant is for another sensor")
    if grant.sensor_key and not secrets.compare_digest(grant.sensor_key, occasion.sensor_key):
        raise PermissionRefused("the grant is for a sensor with another key, or this sensor proved none")
    return permitted


def verify_grant(
    envelope: bytes, trust: lock.TrustStore, occasion: Occasion, *, host_key: bytes, now_s: float
) -> PermittedGrant:
    """Hold a signed grant against all of an occasion but its sensor, before one is opened.

    1. It is signed, in time, and for this tenant, lock group and purpose (faceward_proto.trust.verify_grant).
    2. It is for this subject.
    3. It is for this host (SHA-256 of its public key's DER), or for any.
    4. It answers one of this occasion's challenges.

    Raises: PermissionRefused.
    """
    # 1
    try:
        verified = lock.verify_grant(envelope, trust, at_s=now_s, purpose=PURPOSES[occasion.purpose])
    except lock.VerificationError as error:
        raise PermissionRefused(f"the grant is not valid: {error}") from None
    found = decode_grant(verified.payload)
    # 2
    if found.subject != occasion.subject:
        raise PermissionRefused("the grant is for another subject")
    # 3
    if found.host_key and found.host_key != host_key:
        raise PermissionRefused("the grant is for another host")
    # 4
    if found.challenge not in occasion.challenges:
        raise PermissionRefused(
            "the grant answers no open challenge of this host: it is used up, too old, or another host asked for it; "
            "ask again with `faceward grant request`"
        )
    return PermittedGrant(found, envelope)


@dataclass(frozen=True, slots=True)
class SeenGrant:
    """What a grant says of itself, by how many signatures, and which of the keys at hand made one: nothing is trusted."""

    grant: Grant
    signatures: int
    signed_by: frozenset[PublicKey]


def look_at_grant(envelope: bytes, keys: Iterable[PublicKey] = ()) -> SeenGrant:
    """Read a signed grant for people. Raises: VerificationError ("unsupported-record")."""
    try:
        found = read_envelope(envelope, GRANT_TYPE)
    except MalformedMessage as error:
        raise VerificationError(f"not a signed grant: {error}", "unsupported-record") from None
    return SeenGrant(decode_grant(found.payload), len(found.signatures), signing_keys(found, keys))


def require_answer(grant: Grant, request: GrantRequest) -> None:
    """Hold a grant against the request that it should answer, for whoever signs it next. Raises: PermissionRefused."""
    for name in ("purpose", "challenge", "subject", "tenant", "lock_group", "host_key", "sensor_serial", "sensor_key"):
        if getattr(grant, name) != getattr(request, name):
            raise PermissionRefused(f"the grant does not answer this request: it has another {name}")


def countersign_grant(envelope: bytes, signer: Signer, *, now_s: float) -> bytes:
    """The same grant with one more signature, where k of n administrators are asked for.

    Raises: VerificationError (no grant of this version), PermissionRefused (it has expired), SigningError, where this key
    signed it before too.
    """
    if not now_s < look_at_grant(envelope).grant.expires_at_s:
        raise PermissionRefused("the grant has expired: the host asks again with `faceward grant request`")
    return countersign(envelope, GRANT_TYPE, signer)
