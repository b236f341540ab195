"""Whether a signed template may be trusted here and now: the verifier that a lock runs.

Nothing here opens a file, asks a clock or remembers anything: the caller brings all of it. What refuses is a
VerificationError (faceward_proto.errors); whatever else goes wrong on the way to an answer refuses as well.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType
from typing import Final

from faceward_proto.attestation import (
    EVIDENCE_KIND,
    CaptureClaim,
    FirmwareFloor,
    ProvenSensor,
    SensorRoot,
    check_firmware,
    check_identity,
    claim_of,
    verify_capture,
)
from faceward_proto.envelope import GRANT_TYPE, TEMPLATE_TYPE, read_envelope, signing_keys
from faceward_proto.errors import (
    Expired,
    GrantUsed,
    NotShownLive,
    PermissionInvalid,
    Revoked,
    RolledBack,
    SignatureInvalid,
    UnsupportedRecord,
    UntrustedKey,
    UntrustedSensor,
    VerificationError,
    WrongContext,
)
from faceward_proto.keys import PublicKey
from faceward_proto.reader import MalformedMessage
from faceward_proto.records import read_grant, read_template
from faceward_proto.v1.envelope_pb2 import Envelope
from faceward_proto.v1.grant_pb2 import GRANT_PURPOSE_ENROLL, Grant, GrantPurpose
from faceward_proto.v1.template_pb2 import (
    ATTESTATION_NONE,
    ATTESTATION_SIMULATED,
    OUTCOME_LIVE,
    TemplateRecord,
)
from faceward_proto.versions import dotted, reaches

__all__ = [
    "CaptureClaim",
    "ComponentFloor",
    "EvidenceVerifier",
    "Expired",
    "FirmwareFloor",
    "GrantSeen",
    "GrantUsed",
    "KeyRule",
    "NotShownLive",
    "PermissionInvalid",
    "ProvenSensor",
    "Revoked",
    "RolledBack",
    "SensorRoot",
    "SignatureInvalid",
    "TrustStore",
    "TrustedKey",
    "UnsupportedRecord",
    "UntrustedKey",
    "UntrustedSensor",
    "VerificationError",
    "VerifiedGrant",
    "VerifiedTemplate",
    "WrongContext",
    "all_of",
    "any_of",
    "at_least",
    "verify_evidence",
    "verify_grant",
    "verify_rules",
    "verify_template",
]

# Classes of places that no key leaves. Any other, "file" or one that nobody knows, is for development.
PRODUCTION_CUSTODY: Final = frozenset({"pkcs11", "secure-element"})
CLOCK_SKEW_S: Final = 120.0  # two unsynchronised quartz clocks (100 ppm) drift apart so far in a week

# A vendor's own evidence: (evidence, what the record claims) -> what it proves. Raises VerificationError to refuse.
EvidenceVerifier = Callable[[bytes, CaptureClaim], ProvenSensor]
# The ids of grants that the lock took, or what says of an id whether it is one of them.
GrantSeen = Collection[bytes] | Callable[[bytes], bool]


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
class ComponentFloor:
    """A gate or extractor, and the lowest version of it that is taken ("" takes any).

    A version is held against a floor by its numbers, dot by dot; one that is no dotted version is below every floor.
    Raises: ValueError for a minimum that is no dotted version.
    """

    name: str
    minimum_version: str = ""

    def __post_init__(self) -> None:
        if self.minimum_version and dotted(self.minimum_version) is None:
            raise ValueError(f"the minimum version of {self.name} is not made of numbers and dots: {self.minimum_version}")

    def takes(self, version: str) -> bool:
        """Whether this version is high enough."""
        return not self.minimum_version or reaches(version, self.minimum_version)


@dataclass(frozen=True, slots=True)
class TrustStore:
    """What a lock believes. Everything that loosens it is off unless it is switched on by name.

    `hosts` sign records, `administrators` grants: every one of these rules must be met. Sensors are certified by
    `sensor_roots` and hold the floors in `firmware`. Every gate in `gates` must have taken part. `extractors` and
    `policy_hashes` pin what a record may name; None takes any. `allow_development` takes keys out of files and grants
    that a host gave itself; `allow_unattested` takes sensors that proved nothing, `allow_simulated` simulated ones.
    `revoked_keys` holds key digests (of hosts, administrators, sensor roots, models, devices and firmware),
    `revoked_records` record ids, `revoked_subjects` pseudonyms. `sequence` and times are those of the signed file that it
    was read from (faceward_proto.truststore); one that never expires has None. `evidence_verifiers` judge vendors' own
    kinds of evidence; one of an unknown kind is refused.

    Raises: ValueError for a store without rules, that names a thing twice, or whose pins allow nothing.
    """

    tenant: str
    lock_group: str
    hosts: tuple[KeyRule, ...]
    administrators: tuple[KeyRule, ...]
    sensor_roots: tuple[SensorRoot, ...] = ()
    firmware: tuple[FirmwareFloor, ...] = ()
    gates: tuple[ComponentFloor, ...] = ()
    extractors: tuple[ComponentFloor, ...] | None = None
    policy_hashes: frozenset[bytes] | None = None
    minimum_epoch: int = 0
    revoked_keys: frozenset[bytes] = frozenset()
    revoked_records: frozenset[bytes] = frozenset()
    revoked_subjects: frozenset[bytes] = frozenset()
    allow_development: bool = False
    allow_unattested: bool = False
    allow_simulated: bool = False
    sequence: int = 0
    issued_at_s: int | None = None
    expires_at_s: int | None = None
    clock_skew_s: float = CLOCK_SKEW_S
    evidence_verifiers: Mapping[str, EvidenceVerifier] = field(
        default_factory=lambda: MappingProxyType({}), compare=False, repr=False
    )

    def __post_init__(self) -> None:
        if not self.hosts or not self.administrators:
            raise ValueError("a trust store needs a rule for hosts and one for administrators")
        if self.extractors is not None and not self.extractors:
            raise ValueError("a trust store that pins no extractor at all takes none: None takes any")
        if self.policy_hashes is not None and not self.policy_hashes:
            raise ValueError("a trust store that pins no policy at all takes none: None takes any")
        for what, names in (
            ("a sensor root", [root.key for root in self.sensor_roots]),
            ("a firmware floor", [(floor.vendor, floor.model) for floor in self.firmware]),
            ("a gate", [floor.name for floor in self.gates]),
            ("an extractor", [floor.name for floor in self.extractors or ()]),
        ):
            if len(set(names)) != len(names):
                raise ValueError(f"a trust store names {what} twice")
        if EVIDENCE_KIND in self.evidence_verifiers:
            raise ValueError(f"evidence of the kind {EVIDENCE_KIND} is verified by nothing else")


@dataclass(frozen=True, slots=True, eq=False)
class VerifiedTemplate:
    """A record that passed every step. `record` and `grant` were read from the bytes that were verified: `payload`
    is the record's. `sensor` is None for one that proved nothing. A lock keeps `grant.grant_id` and `digest` together."""

    payload: bytes
    record: TemplateRecord
    grant: Grant
    signed_by: frozenset[PublicKey]
    sensor: ProvenSensor | None
    simulated: bool
    development: bool

    @property
    def digest(self) -> bytes:
        """SHA-256 of `payload`, by which a lock knows the record again (`verify_template_again`)."""
        return hashlib.sha256(self.payload).digest()


@dataclass(frozen=True, slots=True, eq=False)
class VerifiedGrant:
    """A grant that passed every step; it was read from the bytes that were verified, `payload`. `development` says
    that it is a development grant or was signed by a key that can be copied."""

    payload: bytes
    grant: Grant
    signed_by: frozenset[PublicKey]
    development: bool


def verify_template(
    envelope_bytes: bytes,
    trust: TrustStore,
    *,
    now_s: float,
    grant_seen: GrantSeen,
    epoch: int | None = None,
    subject: bytes | None = None,
) -> VerifiedTemplate:
    """Verify a signed template that the lock has not taken yet, at Unix time `now_s`.

    `grant_seen` has the ids of the grants that the lock took before; `epoch` is the lowest that it still takes, where it
    keeps one; `subject` the pseudonym that the record must be of, where the caller knows it.

    1. The bytes are one envelope in its canonical form, of the template's payload type.
    2. Enough of the host keys, none of them revoked, signed exactly these bytes, by every rule for hosts.
    3. Those keys are kept in places that the trust store takes.
    4. The bytes that were verified are one record in its canonical form, within bounds.
    5. It was made for this tenant, this lock group and this subject.
    6. It is valid now, and so is the trust store.
    7. Neither it nor its subject nor its epoch was withdrawn.
    8. Its outcome is LIVE, every gate's is; every gate that is asked for is there, and gates and extractor reach their
       floors; policy and extractor are among the pinned.
    9. Its sensor is one that the trust store takes, and proved what the record says of it and of its capture: no evidence
       says NONE; evidence verifies, by its kind; the record's label agrees with the root.
    10. The grant in it was signed by enough administrators, by every rule, and permits this record: enrollment, subject,
        sensor and host (see `verify_grant`).
    11. The lock did not take this grant before.

    Raises: VerificationError, by kind.
    """
    verified = _verified(envelope_bytes, trust, now_s, epoch, subject)
    # 11
    _unseen(verified.grant.grant_id, grant_seen)
    return verified


def verify_template_again(
    envelope_bytes: bytes,
    trust: TrustStore,
    *,
    now_s: float,
    taken: bytes,
    epoch: int | None = None,
    subject: bytes | None = None,
) -> VerifiedTemplate:
    """Verify a template that the lock took before, by another trust store or at another time: steps 1 to 10.

    `taken` is the `digest` that the record had when it was taken: another record under the same grant is none that was.

    Raises: VerificationError, by kind.
    """
    verified = _verified(envelope_bytes, trust, now_s, epoch, subject)
    if verified.digest != taken:
        raise GrantUsed("another record was taken by this grant")
    return verified


def _verified(
    envelope_bytes: bytes, trust: TrustStore, now_s: float, epoch: int | None, subject: bytes | None
) -> VerifiedTemplate:
    """Steps 1 to 10 of `verify_template`."""
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
    if trust.expires_at_s is not None and now_s >= trust.expires_at_s:
        raise Expired("the trust store has expired")
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
    sensor = _proven_sensor(record, trust)
    # 10
    permission = verify_grant(record.grant, trust, at_s=record.issued_at_s, purpose=GRANT_PURPOSE_ENROLL)
    grant = permission.grant
    if grant.subject != record.subject:
        raise PermissionInvalid("the grant is for another subject")
    if grant.sensor_serial and grant.sensor_serial != record.sensor.serial:
        raise PermissionInvalid("the grant is for another sensor")
    if grant.sensor_key and (sensor is None or grant.sensor_key != sensor.device_key.digest):
        raise PermissionInvalid("the grant is for a sensor with another key")
    if grant.host_key and grant.host_key not in {key.digest for key in signed_by}:
        raise PermissionInvalid("the grant is for another host")
    return VerifiedTemplate(
        payload=envelope.payload,
        record=record,
        grant=grant,
        signed_by=signed_by,
        sensor=sensor,
        simulated=sensor is not None and sensor.simulated,
        development=permission.development or _any_development(signed_by, trust.hosts),
    )


def verify_evidence(kind: str, evidence: bytes, claim: CaptureClaim, trust: TrustStore) -> ProvenSensor:
    """The sensor that evidence of one kind proves, for a capture of which a record claims this.

    1. Evidence of the sensor protocol is verified here (faceward_proto.attestation.verify_capture).
    2. A vendor's own kind is verified by the trust store's verifier of that kind; an unknown kind is refused.
    3. Whatever the kind: the sensor is the one that is claimed, reaches its floor, and none of its keys was revoked.

    Whether a simulated sensor is taken is the caller's to ask. Raises: UntrustedSensor, Revoked.
    """
    # 1
    if kind == EVIDENCE_KIND:
        return verify_capture(
            evidence, claim, trust.sensor_roots, floors=trust.firmware, revoked_keys=trust.revoked_keys
        )
    # 2, 3
    return _by_vendor(kind, evidence, claim, trust)


def verify_grant(
    envelope_bytes: bytes, trust: TrustStore, *, at_s: float, purpose: GrantPurpose = GRANT_PURPOSE_ENROLL
) -> VerifiedGrant:
    """Verify a signed grant as of Unix time `at_s`.

    1. The bytes are one envelope in its canonical form, of the grant's payload type.
    2. Enough of the administrators' keys, none of them revoked, signed exactly these bytes, by every rule.
    3. Those keys are kept in places that the trust store takes.
    4. The bytes that were verified are one grant in its canonical form, within bounds.
    5. It was made for this tenant and this lock group.
    6. It is valid at that time.
    7. It is for this purpose.
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
    if grant.purpose != purpose:
        raise PermissionInvalid(f"the grant is for another purpose: {GrantPurpose.Name(grant.purpose)}")
    # 8
    if grant.development and not trust.allow_development:
        raise PermissionInvalid("the grant is a development grant: no administrator stands behind it")
    if grant.subject in trust.revoked_subjects:
        raise Revoked("the subject was revoked")
    development = grant.development or _any_development(signed_by, trust.administrators)
    return VerifiedGrant(envelope.payload, grant, signed_by, development)


def verify_rules(
    envelope: Envelope, rules: Iterable[KeyRule], *, revoked_keys: frozenset[bytes] = frozenset(), what: str
) -> frozenset[PublicKey]:
    """Those keys of the rules that signed the envelope, none of them revoked: enough for every rule.

    Custody is not looked at. Raises: SignatureInvalid, Revoked; ValueError where there is no rule to meet.
    """
    found: frozenset[PublicKey] = frozenset()
    asked = tuple(rules)
    if not asked:
        raise ValueError("signatures that no rule asks for prove nothing")
    for rule in asked:
        signed = signing_keys(envelope, (trusted.key for trusted in rule.keys))
        good = frozenset(key for key in signed if key.digest not in revoked_keys)
        if len(good) < rule.need:
            if len(signed) >= rule.need:
                raise Revoked(f"a key that signed the {what} was revoked")
            raise SignatureInvalid(f"{len(good)} of {rule.need} trusted signatures over this {what} are good")
        found |= good
    return found


def _signers(envelope: Envelope, rules: tuple[KeyRule, ...], trust: TrustStore, what: str) -> frozenset[PublicKey]:
    good = verify_rules(envelope, rules, revoked_keys=trust.revoked_keys, what=what)
    if trust.allow_development:
        return good
    kept: frozenset[PublicKey] = frozenset()
    for rule in rules:
        safe = good & {trusted.key for trusted in rule.keys if trusted.custody in PRODUCTION_CUSTODY}
        if len(safe) < rule.need:
            raise UntrustedKey(f"a key that signed the {what} is kept in a place that it can be copied from")
        kept |= safe
    return kept


def _any_development(signed_by: frozenset[PublicKey], rules: tuple[KeyRule, ...]) -> bool:
    keys = chain.from_iterable(rule.keys for rule in rules)
    return any(trusted.custody not in PRODUCTION_CUSTODY and trusted.key in signed_by for trusted in keys)


def _in_time(issued_at_s: int, expires_at_s: int, now_s: float, skew_s: float, what: str) -> None:
    if now_s < issued_at_s - skew_s:
        raise Expired(f"the {what} is not valid yet")
    if now_s >= expires_at_s:
        raise Expired(f"the {what} has expired")


def _shown_live(record: TemplateRecord, trust: TrustStore) -> None:
    if record.outcome != OUTCOME_LIVE:
        raise NotShownLive("the record's verdict is not LIVE")
    versions = {}
    for gate in record.gates:
        if gate.outcome != OUTCOME_LIVE:
            raise NotShownLive(f"gate {gate.name} did not answer LIVE")
        versions[gate.name] = gate.version
    missing = [floor.name for floor in trust.gates if floor.name not in versions]
    if missing:
        raise NotShownLive(f"gates are missing: {', '.join(sorted(missing))}")
    for floor in trust.gates:
        if not floor.takes(versions[floor.name]):
            raise NotShownLive(f"gate {floor.name} {versions[floor.name]} is below {floor.minimum_version}")
    if trust.policy_hashes is not None and record.policy_hash not in trust.policy_hashes:
        raise NotShownLive("it was judged under a policy that is not pinned")
    extractor = record.extractor
    if trust.extractors is not None and not any(
        floor.name == extractor.name and floor.takes(extractor.version) for floor in trust.extractors
    ):
        raise UnsupportedRecord("its extractor is not among the pinned ones, or below its floor")


def _proven_sensor(record: TemplateRecord, trust: TrustStore) -> ProvenSensor | None:
    """The sensor that the record's evidence proves; None where there is no evidence and none is asked for."""
    claimed = record.sensor
    if claimed.attestation == ATTESTATION_NONE:
        if not trust.allow_unattested:
            raise UntrustedSensor("the sensor did not prove what it is")
        return None
    sensor = verify_evidence(claimed.evidence_kind, claimed.evidence, claim_of(record), trust)
    if sensor.simulated != (claimed.attestation == ATTESTATION_SIMULATED):
        raise UntrustedSensor("the record's label of its sensor is not what the sensor's root says")
    if sensor.simulated and not trust.allow_simulated:
        raise UntrustedSensor("the sensor was simulated")
    return sensor


def _by_vendor(kind: str, evidence: bytes, claim: CaptureClaim, trust: TrustStore) -> ProvenSensor:
    verifier = trust.evidence_verifiers.get(kind)
    if verifier is None:
        raise UntrustedSensor(f"nothing here verifies evidence of the kind {kind}")
    try:
        sensor = verifier(evidence, claim)
    except VerificationError:
        raise
    except Exception as error:
        raise UntrustedSensor(f"the verifier of {kind} failed: {type(error).__name__}") from error
    # What every kind is held to is not left to a vendor's code.
    if not isinstance(sensor, ProvenSensor) or type(sensor.simulated) is not bool:
        raise UntrustedSensor(f"the verifier of {kind} gave no sensor")
    check_identity(sensor, claim)
    check_firmware(sensor, trust.firmware)
    keys = (sensor.device_key, sensor.signing_key, sensor.agreement_key)
    if trust.revoked_keys & {key.digest for key in keys if key is not None}:
        raise Revoked("a key of the sensor was revoked")
    return sensor


def _unseen(grant_id: bytes, grant_seen: GrantSeen) -> None:
    try:
        seen = grant_seen(grant_id) if callable(grant_seen) else grant_id in grant_seen
    except Exception as error:
        raise GrantUsed(f"it can't be told whether the grant was taken before: {type(error).__name__}") from error
    if seen is not False:
        raise GrantUsed("the grant was taken before")
