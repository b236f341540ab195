"""The trust store as a file: read from TOML by whoever issues one, and, signed, by a host that believes it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from faceward_proto import trust as lock
from faceward_proto.attestation import simulator_root
from faceward_proto.envelope import TRUST_TYPE, read_envelope
from faceward_proto.reader import MalformedMessage
from faceward_proto.truststore import read_trust_statement, read_trust_store, write_trust_statement

from faceward.config import Policy, load_policy
from faceward.errors import ConfigError, VerificationError
from faceward.signing.public_keys import load_public_key
from faceward.signing.sealing import seal_payload
from faceward.signing.signer import Signer
from faceward.table import Table, read_document

MAX_FILE_BYTES: Final = 294_912  # docs/verify-in-your-lock.md: the whole envelope
DAY_S: Final = 86_400
CUSTODIES: Final = ("file", "pkcs11", "secure-element")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_ID: Final = re.compile(r"[0-9a-f]{32}")
_HIGHEST: Final = (1 << 40) - 1
_MAX_SECURITY_VERSION: Final = (1 << 32) - 1


def describe_trust(path: Path, *, now_s: float) -> lock.TrustStore:
    """The trust store that a TOML file describes, issued now. Paths in it are taken from its folder. A sensor root that is
    simulated and has no path is the published simulator's.

    Raises: ConfigError, naming the file and the key: unreadable, an unknown or missing key, a value of the wrong type or
    out of range, a file that holds no key, rules that can't be met.
    """
    document = read_document(path, "trust store")
    try:
        return _described(document.root, path.absolute().parent, int(now_s))
    except ConfigError as error:
        raise ConfigError(f"trust store {path}: {error}") from error


def sign_trust(store: lock.TrustStore, *signers: Signer) -> bytes:
    """The signed file. Raises: ConfigError (a store that breaks a bound), SigningError."""
    try:
        statement = write_trust_statement(store)
    except MalformedMessage as error:
        raise ConfigError(f"this trust store can't be written: {error}") from None
    return seal_payload(statement, TRUST_TYPE, *signers)


def look_at_trust(envelope: bytes) -> tuple[lock.TrustStore, int]:
    """What a signed file says, and by how many signatures: nothing is verified.

    Raises: VerificationError ("unsupported-record").
    """
    try:
        found = read_envelope(envelope, TRUST_TYPE)
        return read_trust_statement(found.payload), len(found.signatures)
    except MalformedMessage as error:
        raise VerificationError(f"not a signed trust store: {error}", "unsupported-record") from None


def verify_trust(
    envelope: bytes,
    root: lock.KeyRule,
    *,
    now_s: float,
    minimum_sequence: int = 0,
    tenant: str | None = None,
    lock_group: str | None = None,
) -> lock.TrustStore:
    """What a signed file says, once it was verified (faceward_proto.truststore.read_trust_store).

    Raises: VerificationError, whose `kind` is the verifier's.
    """
    try:
        return read_trust_store(
            envelope, root, now_s=now_s, minimum_sequence=minimum_sequence, tenant=tenant, lock_group=lock_group
        )
    except lock.VerificationError as error:
        raise VerificationError(f"the trust store can't be believed: {error}", error.kind) from None


def check_host(trust: lock.TrustStore, signers: tuple[Signer, ...], policy: Policy) -> None:
    """Refuse before a capture what the verifier would refuse of this host's record after it.

    1. The host's keys, none of them revoked, meet every rule for hosts, from places that the trust store takes.
    2. The policy's epoch is one that still counts.
    3. The policy is among the pinned, and names every gate that is asked for.

    Raises: ConfigError.
    """
    # 1
    keys = {signer.key_id for signer in signers}
    for rule in trust.hosts:
        own = [
            each
            for each in rule.keys
            if each.key.key_id in keys
            and each.key.digest not in trust.revoked_keys
            and (trust.allow_development or each.custody in lock.PRODUCTION_CUSTODY)
        ]
        if len(own) < rule.need:
            raise ConfigError(
                f"the trust store does not take records of this host: {rule.need} of its keys must sign, and "
                f"{len(own)} of this host's {len(keys)} count (revoked, kept in a file, or not named there)"
            )
    # 2
    if policy.records.epoch < trust.minimum_epoch:
        raise ConfigError(
            f"records.epoch = {policy.records.epoch} is over: the trust store asks for {trust.minimum_epoch}"
        )
    # 3
    if trust.policy_hashes is not None and policy.hash not in trust.policy_hashes:
        raise ConfigError(f"the trust store does not take this policy (its SHA-256 is {policy.hash.hex()})")
    missing = sorted({floor.name for floor in trust.gates} - {gate.name for gate in policy.gates})
    if missing:
        raise ConfigError(f"the trust store asks for gates that the policy does not name: {', '.join(missing)}")


def _described(root: Table, folder: Path, now_s: int) -> lock.TrustStore:
    if root.count("version", 0, low=0) != 1:
        raise ConfigError("version must be 1")
    if not root.has("sequence"):
        raise ConfigError("sequence is missing: one more than that of the store before, 1 for the first")
    sequence = root.count("sequence", 0, low=1, high=_HIGHEST)
    if not root.has("valid_days"):
        raise ConfigError("valid_days is missing: locks refuse a trust store that never ends")
    expires_at_s = now_s + root.count("valid_days", 0, low=1, high=3650) * DAY_S
    tenant, lock_group = root.text("tenant"), root.text("lock_group")
    hosts = tuple(_rule(table, folder) for table in root.tables("hosts", required=True))
    administrators = tuple(_rule(table, folder) for table in root.tables("administrators", required=True))
    roots = tuple(_sensor_root(table, folder) for table in root.tables("sensor_roots", required=False))
    firmware = tuple(_firmware(table) for table in root.tables("firmware", required=False))
    gates = tuple(_component(table) for table in root.tables("gates", required=False))
    extractors = tuple(_component(table) for table in root.tables("extractors", required=root.has("extractors"))) or None
    policy_hashes = _pinned(root, folder)
    minimum_epoch = root.count("minimum_epoch", 0, low=0, high=_HIGHEST)
    revoked = root.table("revoked", required=False)
    keys, records, subjects = (
        frozenset(bytes.fromhex(text) for text in revoked.texts(name, pattern=form, required=False))
        for name, form in (("keys", _DIGEST), ("records", _ID), ("subjects", _DIGEST))
    )
    files = revoked.texts("key_files", required=False)
    revoked.close()
    allow = root.table("allow", required=False)
    development, unattested, simulated = (
        allow.flag(name, default=False) for name in ("development", "unattested", "simulated")
    )
    allow.close()
    root.close()
    if not development:
        _check_custody("hosts", hosts)
        _check_custody("administrators", administrators)
    try:
        return lock.TrustStore(
            tenant=tenant,
            lock_group=lock_group,
            hosts=hosts,
            administrators=administrators,
            sensor_roots=roots,
            firmware=firmware,
            gates=gates,
            extractors=extractors,
            policy_hashes=policy_hashes,
            minimum_epoch=minimum_epoch,
            revoked_keys=keys | {load_public_key(folder / name).digest for name in files},
            revoked_records=records,
            revoked_subjects=subjects,
            allow_development=development,
            allow_unattested=unattested,
            allow_simulated=simulated,
            sequence=sequence,
            issued_at_s=now_s,
            expires_at_s=expires_at_s,
        )
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _rule(table: Table, folder: Path) -> lock.KeyRule:
    if not table.has("need"):
        raise ConfigError(f"{table.name('need')} is missing: how many different ones of the keys must sign")
    need = table.count("need", 0, low=1, high=16)
    keys = []
    for entry in table.tables("keys", required=True):
        keys.append(lock.TrustedKey(load_public_key(folder / entry.text("path")), entry.choice("custody", CUSTODIES)))
        entry.close()
    table.close()
    try:
        return lock.KeyRule(tuple(keys), need)
    except ValueError as error:
        raise ConfigError(f"{table.name('keys')}: {error}") from None


def _check_custody(name: str, rules: tuple[lock.KeyRule, ...]) -> None:
    for index, rule in enumerate(rules):
        kept = sum(trusted.custody in lock.PRODUCTION_CUSTODY for trusted in rule.keys)
        if kept < rule.need:
            raise ConfigError(
                f"{name}[{index}].need = {rule.need} can't be met: {kept} of its keys are kept where they can't be copied "
                "from, and allow.development is false"
            )


def _sensor_root(table: Table, folder: Path) -> lock.SensorRoot:
    name, simulated = table.text("name"), table.flag("simulated", default=False)
    if simulated and not table.has("path"):
        table.close()
        return replace(simulator_root(), name=name)
    key = load_public_key(folder / table.text("path"))
    table.close()
    try:
        return lock.SensorRoot(key, name, simulated)
    except ValueError as error:
        raise ConfigError(f"{table.name('path')}: {error}") from None


def _firmware(table: Table) -> lock.FirmwareFloor:
    vendor, model = table.text("vendor"), table.text("model")
    floor = table.count("minimum_security_version", 0, low=0, high=_MAX_SECURITY_VERSION)
    table.close()
    return lock.FirmwareFloor(vendor, model, floor)


def _component(table: Table) -> lock.ComponentFloor:
    name, version = table.text("name"), table.optional_text("minimum_version") or ""
    table.close()
    try:
        return lock.ComponentFloor(name, version)
    except ValueError as error:
        raise ConfigError(f"{table.name('minimum_version')}: {error}") from None


def _pinned(root: Table, folder: Path) -> frozenset[bytes] | None:
    # A list that is there and empty would take any policy, which is not what somebody who wrote it meant.
    texts = root.texts("policy_hashes", pattern=_DIGEST, required=root.has("policy_hashes"))
    names = root.texts("policies", required=root.has("policies"))
    hashes, files = {bytes.fromhex(text) for text in texts}, {load_policy(folder / name).hash for name in names}
    return frozenset(hashes | files) or None
