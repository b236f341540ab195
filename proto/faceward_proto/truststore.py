"""Trust stores as signed files: what `faceward_proto.trust.TrustStore` is read from, and written to.

A lock pins the keys that sign them, remembers the highest sequence that it took, and is told everything else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from faceward_proto.attestation import FirmwareFloor, SensorRoot
from faceward_proto.bounds import DIGEST_BYTES, ID_BYTES, MAX_EPOCH, identifier, require, size, text, times
from faceward_proto.envelope import MAX_PAYLOAD_BYTES, TRUST_TYPE, read_envelope
from faceward_proto.errors import Expired, RolledBack, UnsupportedRecord, WrongContext
from faceward_proto.keys import PublicKey, UnusableKey
from faceward_proto.reader import MalformedMessage, read_message
from faceward_proto.trust import CLOCK_SKEW_S, ComponentFloor, KeyRule, TrustedKey, TrustStore, verify_rules
from faceward_proto.v1 import trust_pb2
from faceward_proto.v1.trust_pb2 import TrustStatement

STATEMENT_VERSION: Final = 1
MAX_RULES: Final = 4
MAX_KEYS: Final = 16  # of a rule
MAX_ROOTS: Final = 16
MAX_FLOORS: Final = 64  # of firmware
MAX_COMPONENTS: Final = 16  # gates, and extractors
MAX_POLICIES: Final = 64
MAX_REVOCATIONS: Final = 4096  # of each kind; the payload's size bounds them together
MAX_SEQUENCE: Final = 1 << 40


def read_trust_store(
    envelope_bytes: bytes,
    root: KeyRule | Iterable[KeyRule],
    *,
    now_s: float,
    minimum_sequence: int,
    tenant: str | None = None,
    lock_group: str | None = None,
) -> TrustStore:
    """The trust store in a signed file, at Unix time `now_s`.

    `root` is what the lock pins: one rule, or several that must all be met. Where their keys are kept is not looked at,
    because nothing stands above them that could say so. `minimum_sequence` is the highest sequence that the lock took.
    `tenant` and `lock_group` are the lock's own, where it knows them.

    1. The bytes are one envelope in its canonical form, of the trust store's payload type.
    2. Enough of the root keys signed exactly these bytes.
    3. The bytes that were verified are one trust statement in its canonical form.
    4. It is within bounds: rules that can be met, keys in their usual form, lists in order and each entry once.
    5. It was made for this tenant and this lock group.
    6. It is valid now.
    7. It is not older than the one that the lock took last.

    Raises: VerificationError, by kind.
    """
    if not math.isfinite(now_s):
        raise Expired("the time is not known")
    # 1
    try:
        envelope = read_envelope(envelope_bytes, TRUST_TYPE)
    except MalformedMessage as error:
        raise UnsupportedRecord(f"not a signed trust store: {error}") from None
    # 2
    verify_rules(envelope, (root,) if isinstance(root, KeyRule) else root, what="trust store")
    # 3, 4
    try:
        store = read_trust_statement(envelope.payload)
    except MalformedMessage as error:
        raise UnsupportedRecord(f"not a trust store of version 1: {error}") from None
    # 5
    if tenant is not None and store.tenant != tenant:
        raise WrongContext(f"the trust store is for the tenant {store.tenant}")
    if lock_group is not None and store.lock_group != lock_group:
        raise WrongContext(f"the trust store is for the lock group {store.lock_group}")
    # 6
    if store.issued_at_s is None or now_s < store.issued_at_s - CLOCK_SKEW_S:
        raise Expired("the trust store is not valid yet")
    if store.expires_at_s is None or now_s >= store.expires_at_s:
        raise Expired("the trust store has expired")
    # 7
    if store.sequence < minimum_sequence:
        raise RolledBack(f"the trust store has sequence {store.sequence}, and {minimum_sequence} was taken before")
    return store


def read_trust_statement(data: bytes) -> TrustStore:
    """The trust store that these bytes are the one form of. Nothing is verified. Raises: MalformedMessage."""
    statement = read_message(TrustStatement, data, max_bytes=MAX_PAYLOAD_BYTES[TRUST_TYPE])
    _bounded(statement)
    try:
        return TrustStore(
            tenant=statement.tenant,
            lock_group=statement.lock_group,
            hosts=tuple(map(_rule, statement.hosts)),
            administrators=tuple(map(_rule, statement.administrators)),
            sensor_roots=tuple(SensorRoot(_key(root.key), root.name, root.simulated) for root in statement.sensor_roots),
            firmware=tuple(
                FirmwareFloor(floor.vendor, floor.model, floor.minimum_security_version) for floor in statement.firmware
            ),
            gates=tuple(map(_component, statement.gates)),
            extractors=tuple(map(_component, statement.extractors)) or None,
            policy_hashes=frozenset(statement.policy_hashes) or None,
            minimum_epoch=statement.minimum_epoch,
            revoked_keys=frozenset(statement.revoked_keys),
            revoked_records=frozenset(statement.revoked_records),
            revoked_subjects=frozenset(statement.revoked_subjects),
            allow_development=statement.allow_development,
            allow_unattested=statement.allow_unattested,
            allow_simulated=statement.allow_simulated,
            sequence=statement.sequence,
            issued_at_s=statement.issued_at_s,
            expires_at_s=statement.expires_at_s,
        )
    except MalformedMessage:
        raise
    except ValueError as error:
        raise MalformedMessage(str(error)) from None


def write_trust_statement(store: TrustStore) -> bytes:
    """The bytes to be signed, in an envelope of the type TRUST_TYPE, by the keys that locks pin.

    `clock_skew_s` and `evidence_verifiers` are the lock's own and not written.

    Raises: MalformedMessage for a store that breaks a bound or has no sequence or times.
    """
    try:
        statement = TrustStatement(
            version=STATEMENT_VERSION,
            sequence=store.sequence,
            issued_at_s=store.issued_at_s or 0,
            expires_at_s=store.expires_at_s or 0,
            tenant=store.tenant,
            lock_group=store.lock_group,
            hosts=map(_written_rule, store.hosts),
            administrators=map(_written_rule, store.administrators),
            sensor_roots=[
                trust_pb2.SensorRoot(key=root.key.der, name=root.name, simulated=root.simulated)
                for root in store.sensor_roots
            ],
            firmware=[
                trust_pb2.FirmwareFloor(
                    vendor=floor.vendor, model=floor.model, minimum_security_version=floor.minimum_security_version
                )
                for floor in sorted(store.firmware, key=lambda floor: (floor.vendor, floor.model))
            ],
            gates=map(_written_component, sorted(store.gates, key=lambda floor: floor.name)),
            extractors=map(_written_component, sorted(store.extractors or (), key=lambda floor: floor.name)),
            policy_hashes=sorted(store.policy_hashes or ()),
            minimum_epoch=store.minimum_epoch,
            revoked_keys=sorted(store.revoked_keys),
            revoked_records=sorted(store.revoked_records),
            revoked_subjects=sorted(store.revoked_subjects),
            allow_development=store.allow_development,
            allow_unattested=store.allow_unattested,
            allow_simulated=store.allow_simulated,
        )
        data: bytes = statement.SerializeToString(deterministic=True)
    except (TypeError, ValueError, AttributeError) as error:
        raise MalformedMessage(f"a value that its field can't hold ({error})") from None
    # What can't be read is never written.
    read_trust_statement(data)
    return data


def _bounded(statement: TrustStatement) -> None:
    require(statement.version == STATEMENT_VERSION, f"version {statement.version} is not {STATEMENT_VERSION}")
    require(0 < statement.sequence < MAX_SEQUENCE, f"sequence is {statement.sequence}")
    times(statement.issued_at_s, statement.expires_at_s)
    identifier("tenant", statement.tenant)
    identifier("lock_group", statement.lock_group)
    for name, rules in (("hosts", statement.hosts), ("administrators", statement.administrators)):
        require(len(rules) <= MAX_RULES, f"{len(rules)} rules for {name}")
        for rule in rules:
            require(len(rule.keys) <= MAX_KEYS, f"a rule for {name} has {len(rule.keys)} keys")
            for trusted in rule.keys:
                identifier("custody", trusted.custody)
    require(len(statement.sensor_roots) <= MAX_ROOTS, f"{len(statement.sensor_roots)} sensor roots")
    for root in statement.sensor_roots:
        text("sensor_root.name", root.name)
    require(len(statement.firmware) <= MAX_FLOORS, f"{len(statement.firmware)} firmware floors")
    for floor in statement.firmware:
        text("firmware.vendor", floor.vendor)
        text("firmware.model", floor.model)
    _rising("firmware", [(floor.vendor, floor.model) for floor in statement.firmware])
    for name, components in (("gates", statement.gates), ("extractors", statement.extractors)):
        require(len(components) <= MAX_COMPONENTS, f"{len(components)} {name}")
        for component in components:
            identifier(f"{name}.name", component.name)
        _rising(name, [component.name for component in components])
    require(statement.minimum_epoch < MAX_EPOCH, f"minimum_epoch is {statement.minimum_epoch}")
    for name, entries, wanted, limit in (
        ("policy_hashes", statement.policy_hashes, DIGEST_BYTES, MAX_POLICIES),
        ("revoked_keys", statement.revoked_keys, DIGEST_BYTES, MAX_REVOCATIONS),
        ("revoked_records", statement.revoked_records, ID_BYTES, MAX_REVOCATIONS),
        ("revoked_subjects", statement.revoked_subjects, DIGEST_BYTES, MAX_REVOCATIONS),
    ):
        require(len(entries) <= limit, f"{len(entries)} {name}")
        for entry in entries:
            size(name, entry, wanted)
        _rising(name, entries)


def _rising(name: str, entries: Sequence[object]) -> None:
    # In order, so that a lock finds a doubled entry, and looks one up, without memory.
    require(all(a < b for a, b in pairwise(entries)), f"{name} are not in rising order, each once")  # type: ignore[operator]


def _rule(rule: trust_pb2.KeyRule) -> KeyRule:
    return KeyRule(tuple(TrustedKey(_key(trusted.key), trusted.custody) for trusted in rule.keys), rule.need)


def _key(der: bytes) -> PublicKey:
    try:
        key = PublicKey(der)
    except UnusableKey as error:
        raise MalformedMessage(f"a key is {error}") from None
    require(key.der == der, "a key is not in its usual form")
    return key


def _component(component: trust_pb2.ComponentFloor) -> ComponentFloor:
    return ComponentFloor(component.name, component.minimum_version)


def _written_rule(rule: KeyRule) -> trust_pb2.KeyRule:
    keys = [trust_pb2.TrustedKey(key=trusted.key.der, custody=trusted.custody) for trusted in rule.keys]
    return trust_pb2.KeyRule(need=rule.need, keys=keys)


def _written_component(floor: ComponentFloor) -> trust_pb2.ComponentFloor:
    return trust_pb2.ComponentFloor(name=floor.name, minimum_version=floor.minimum_version)
