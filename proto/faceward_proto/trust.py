"""Whether a signed template may be trusted here and now: the verifier that a lock runs, and its errors.

    VerificationError             catch this one and refuse
     +- UnsupportedRecord         not an envelope, record or grant of this version, or not in its canonical form
     +- SignatureInvalid          too few of the keys that the trust store asks for signed these bytes
     +- UntrustedKey              they did, but of a kind that the trust store does not take
     +- WrongContext              of another tenant, lock group or subject
     +- Expired                   not valid at this time
     +- Revoked                   its key, the record, the subject or its epoch was withdrawn
     +- NotShownLive              it does not say that every gate found a living face
     +- UntrustedSensor           simulated, or never proved what it is
     +- PermissionInvalid         its grant does not permit it

Nothing here opens a file, asks a clock or remembers anything: the caller brings all of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final

from faceward_proto.envelope import GRANT_TYPE, TEMPLATE_TYPE, read_envelope, signing_keys
from faceward_proto.keys import PublicKey
from faceward_proto.reader import MalformedMessage
from faceward_proto.records import read_grant, read_template
from faceward_proto.v1.envelope_pb2 import Envelope
from faceward_proto.v1.grant_pb2 import GRANT_PURPOSE_ENROLL, Grant
from faceward_proto.v1.template_pb2 import (
    ATTESTATION_NONE,
    ATTESTATION_SIMULATED,
    OUTCOME_LIVE,
    TemplateRecord,
)

DEVELOPMENT_CUSTODY: Final = frozenset({"file"})  # classes of places from which a key can be copied


class VerificationError(Exception):
    """A record that must not be trusted; `kind` is stable and meant for machines."""

    kind: ClassVar[str] = "verification"


class UnsupportedRecord(VerificationError):
    """Not an envelope, record or grant of this version, or not in its canonical form."""

    kind = "unsupported-record"


class SignatureInvalid(VerificationError):
    """Too few of the keys that the trust store asks for signed these bytes."""

    kind = "signature-invalid"


class UntrustedKey(VerificationError):
    """The signature is good and its key is of a kind that the trust store does not take."""

    kind = "untrusted-key"


class WrongContext(VerificationError):
    """Made for another tenant, lock group or subject."""

    kind = "wrong-context"


class Expired(VerificationError):
    """Not valid at this time."""

    kind = "expired"


class Revoked(VerificationError):
    """Its key, the record, the subject or its epoch was withdrawn."""

    kind = "revoked"


class NotShownLive(VerificationError):
    """The record does not say that every gate found a living face."""

    kind = "not-shown-live"


class UntrustedSensor(VerificationError):
    """The sensor was simulated, or never proved what it is."""

    kind = "untrusted-sensor"


class PermissionInvalid(VerificationError):
    """The grant in the record does not permit it."""

    kind = "permission-invalid"


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key and the class of place where its private half lives ("file", "pkcs11", "secure-element")."""

    key: PublicKey
    custody: str


@dataclass(frozen=True, slots=True)
class KeyRule:
    """How many of which keys must have signed; made by `any_of`, `all_of` or `at_least`, never guessed from a list.

    Raises: ValueError for a rule that asks for nothing, for more keys than it has, or names a key twice.
    """

    keys: tuple[TrustedKey, ...]
    need: int

    def __post_init__(self) -> None:
        if not 1 <= self.need <= len(self.keys):
            raise ValueError(f"a rule can't ask for {self.need} of {len(self.keys)} keys")
        if len({trusted.key for trusted in self.keys}) != len(self.keys):
            raise ValueError("a rule names one key twice")


def any_of(keys: Iterable[TrustedKey]) -> KeyRule:
    """One signature by any of these keys is enough."""
    return KeyRule(tuple(keys), 1)


def all_of(keys: Iterable[TrustedKey]) -> KeyRule:
    """Every one of these keys must have signed."""
    found = tuple(keys)
    return KeyRule(found, len(found))


def at_least(need: int, keys: Iterable[TrustedKey]) -> KeyRule:
    """So many different ones of these keys must have signed."""
    return KeyRule(tuple(keys), need)


@dataclass(frozen=True, slots=True)
class TrustStore:
    """What a lock believes. Everything that loosens it is off unless it is switched on by name.

    `hosts` signs records, `administrators` signs grants. `policy_hashes` and `extractors` (name and version) pin what a
    record may name; None takes any. `allow_development` takes keys out of files and grants that a host gave itself;
    `allow_unattested` takes sensors that proved nothing, `allow_simulated` simulated ones. `revoked_keys` holds key
    digests, `revoked_records` record ids, `revoked_subjects` pseudonyms.
    """

    tenant: str
    lock_group: str
    hosts: KeyRule
    administrators: KeyRule
    required_gates: frozenset[str] = frozenset()
    policy_hashes: frozenset[bytes] | None = None
    extractors: frozenset[tuple[str, str]] | None = None
    minimum_epoch: int = 0
    allow_development: bool = False
    allow_unattested: bool = False
    allow_simulated: bool = False
    revoked_keys: frozenset[bytes] = frozenset()
    revoked_records: frozenset[bytes] = frozenset()
    revoked_subjects: frozenset[bytes] = frozenset()
    clock_skew_s: float = 120.0  # two unsynchronised quartz clocks (100 ppm) drift apart so far in a week


@dataclass(frozen=True, slots=True, eq=False)
class VerifiedTemplate:
    """A record that passed every step. `record` and `grant` were read from the bytes that were verified: `payload`
    is the record's."""

    payload: bytes
    record: TemplateRecord
    grant: Grant
    signed_by: frozenset[PublicKey]
    simulated: bool
    development: bool


@dataclass(frozen=True, slots=True, eq=False)
class VerifiedGrant:
    """A grant that passed every step; it was read from the bytes that were verified, `payload`."""

    payload: bytes
    grant: Grant
    signed_by: frozenset[PublicKey]


def verify_template(
    envelope_bytes: bytes,
    trust: TrustStore,
    *,
    now_s: float,
    epoch: int | None = None,
    subject: bytes | None = None,
) -> VerifiedTemplate:
    """Verify a signed template at Unix time `now_s`.

    `epoch` is the lowest that the lock still takes, where it keeps one; `subject` the pseudonym that the record must be
    of, where the caller knows it.

    1. The bytes are one envelope in its canonical form, of the template's payload type.
    2. Enough of the host keys, none of them revoked, signed exactly these bytes.
    3. Those keys are kept in places that the trust store takes.
    4. The bytes that were verified are one record in its canonical form, within bounds.
    5. It was made for this tenant, this lock group and this subject.
    6. It is valid now.
    7. Neither it nor its subject nor its epoch was withdrawn.
    8. Its outcome is LIVE, every gate's is, every required gate is there; policy and extractor are among the pinned.
    9. Its sensor is one that the trust store takes. This version verifies no evidence, so there may be none.
    10. The grant in it was signed by enough administrators and permits this record (see `verify_grant`).

    Raises: VerificationError, by kind.
    """
    if not math.isfinite(now_s):
        raise Expired("the time is not known")
    # 1
    try:
        envelope = read_envelope(envelope_bytes, TEMPLATE_TYPE)
    except MalformedMessage as error:
        raise UnsupportedRecord(f"not a signed template: {error}") from None
    # 2, 3
    signed_by = _signers(envelope, trust.hosts, trust, "record")
    # 4
    try:
        record = read_template(envelope.payload)
    except MalformedMessage as error:
        raise UnsupportedRecord(f"not a template record of version 1: {error}") from None
    # 5
    if (record.tenant, record.lock_group) != (trust.tenant, trust.lock_group):
        raise WrongContext(f"the record is for {record.tenant}/{record.lock_group}")
    if subject is not None and record.subject != subject:
        raise WrongContext("the record is of another subject")
    # 6
    _in_time(record.issued_at_s, record.expires_at_s, now_s, trust.clock_skew_s, "record")
    # 7
    if record.record_id in trust.revoked_records:
        raise Revoked("the record was revoked")
    if record.subject in trust.revoked_subjects:
        raise Revoked("the subject was revoked")
    if record.epoch < max(trust.minimum_epoch, epoch or 0):
        raise Revoked(f"epoch {record.epoch} is over")
    # 8
    _shown_live(record, trust)
    # 9
    if record.sensor.evidence:
        raise UntrustedSensor("the sensor's evidence is of a kind that nothing here verifies")
    if record.sensor.attestation == ATTESTATION_SIMULATED:
        if not trust.allow_simulated:
            raise UntrustedSensor("the sensor was simulated")
    elif record.sensor.attestation == ATTESTATION_NONE:
        if not trust.allow_unattested:
            raise UntrustedSensor("the sensor did not prove what it is")
    else:
        raise UntrustedSensor("the sensor's proof is of an unknown kind")
    # 10
    grant = verify_grant(record.grant, trust, at_s=record.issued_at_s).grant
    if grant.subject != record.subject:
        raise PermissionInvalid("the grant is for another subject")
    if grant.sensor_serial and grant.sensor_serial != record.sensor.serial:
        raise PermissionInvalid("the grant is for another sensor")
    if grant.sensor_key:
        raise PermissionInvalid("the grant is for a sensor with a key, and this one proved none")
    if grant.host_key and grant.host_key not in {key.digest for key in signed_by}:
        raise PermissionInvalid("the grant is for another host")
    return VerifiedTemplate(
        payload=envelope.payload,
        record=record,
        grant=grant,
        signed_by=signed_by,
        simulated=record.sensor.attestation == ATTESTATION_SIMULATED,
        development=grant.development or _any_development(signed_by, trust.hosts),
    )


def verify_grant(envelope_bytes: bytes, trust: TrustStore, *, at_s: float) -> VerifiedGrant:
    """Verify a signed grant as of Unix time `at_s`.

    1. The bytes are one envelope in its canonical form, of the grant's payload type.
    2. Enough of the administrators' keys, none of them revoked, signed exactly these bytes.
    3. Those keys are kept in places that the trust store takes.
    4. The bytes that were verified are one grant in its canonical form, within bounds.
    5. It was made for this tenant and this lock group.
    6. It is valid at that time.
    7. It permits an enrollment.
    8. Neither is it a development grant, unless the trust store takes them, nor was its subject revoked.

    Subject, sensor, host and challenge are the caller's to compare. Raises: VerificationError, by kind.
    """
    if not math.isfinite(at_s):
        raise Expired("the time is not known")
    # 1
    try:
        envelope = read_envelope(envelope_bytes, GRANT_TYPE)
    except MalformedMessage as error:
        raise UnsupportedRecord(f"not a signed grant: {error}") from None
    # 2, 3
    signed_by = _signers(envelope, trust.administrators, trust, "grant")
    # 4
    try:
        grant = read_grant(envelope.payload)
    except MalformedMessage as error:
        raise UnsupportedRecord(f"not a grant of version 1: {error}") from None
    # 5
    if (grant.tenant, grant.lock_group) != (trust.tenant, trust.lock_group):
        raise WrongContext(f"the grant is for {grant.tenant}/{grant.lock_group}")
    # 6
    _in_time(grant.issued_at_s, grant.expires_at_s, at_s, trust.clock_skew_s, "grant")
    # 7
    if grant.purpose != GRANT_PURPOSE_ENROLL:
        raise PermissionInvalid("the grant is for another purpose than an enrollment")
    # 8
    if grant.development and not trust.allow_development:
        raise PermissionInvalid("the grant is a development grant: no administrator stands behind it")
    if grant.subject in trust.revoked_subjects:
        raise Revoked("the subject was revoked")
    return VerifiedGrant(envelope.payload, grant, signed_by)


def _signers(envelope: Envelope, rule: KeyRule, trust: TrustStore, what: str) -> frozenset[PublicKey]:
    signed = signing_keys(envelope, (trusted.key for trusted in rule.keys))
    good = frozenset(key for key in signed if key.digest not in trust.revoked_keys)
    if len(good) < rule.need:
        if len(signed) >= rule.need:
            raise Revoked(f"a key that signed the {what} was revoked")
        raise SignatureInvalid(f"{len(good)} of {rule.need} trusted signatures over this {what} are good")
    if not trust.allow_development:
        kept = good - {trusted.key for trusted in rule.keys if trusted.custody in DEVELOPMENT_CUSTODY}
        if len(kept) < rule.need:
            raise UntrustedKey(f"a key that signed the {what} is kept in a file")
        return kept
    return good


def _any_development(signed_by: frozenset[PublicKey], rule: KeyRule) -> bool:
    return any(trusted.custody in DEVELOPMENT_CUSTODY and trusted.key in signed_by for trusted in rule.keys)


def _in_time(issued_at_s: int, expires_at_s: int, now_s: float, skew_s: float, what: str) -> None:
    if now_s < issued_at_s - skew_s:
        raise Expired(f"the {what} is not valid yet")
    if now_s >= expires_at_s:
        raise Expired(f"the {what} has expired")


def _shown_live(record: TemplateRecord, trust: TrustStore) -> None:
    if record.outcome != OUTCOME_LIVE:
        raise NotShownLive("the record's verdict is not LIVE")
    for gate in record.gates:
        if gate.outcome != OUTCOME_LIVE:
            raise NotShownLive(f"gate {gate.name} did not answer LIVE")
    missing = trust.required_gates - {gate.name for gate in record.gates}
    if missing:
        raise NotShownLive(f"gates are missing: {', '.join(sorted(missing))}")
    if trust.policy_hashes is not None and record.policy_hash not in trust.policy_hashes:
        raise NotShownLive("it was judged under a policy that is not pinned")
    if trust.extractors is not None and (record.extractor.name, record.extractor.version) not in trust.extractors:
        raise UnsupportedRecord("its extractor is not among the pinned ones")
