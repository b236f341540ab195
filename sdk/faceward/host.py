"""The signing host: a policy with the plugins, keys and store that it names, opened together and closed together."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from faceward_proto.trust import PRODUCTION_CUSTODY, TrustStore

from faceward.config import Home, Policy, load_policy
from faceward.errors import ConfigError
from faceward.extract.extractor import TemplateExtractor
from faceward.face.models import ModelFiles
from faceward.hal.discovery import open_sensor
from faceward.hal.sensor import EvidenceScheme, Sensor
from faceward.liveness.loader import Plugins, load_plugins
from faceward.model.template import Attestation
from faceward.signing.key_provider import KeyProvider
from faceward.signing.provenance import Provenance, provenance_of
from faceward.signing.public_keys import load_rule
from faceward.signing.sealing import host_trust
from faceward.signing.signer import Signer
from faceward.signing.trust_file import MAX_FILE_BYTES, verify_trust
from faceward.store.attempts import AttemptLedger
from faceward.store.audit import AuditLog
from faceward.store.database import Database, sqlite_url
from faceward.store.templates import TemplateStore
from faceward.store.watermarks import Watermark, Watermarks


@dataclass(frozen=True, slots=True, eq=False)
class Host:
    """Everything an enrollment needs but a sensor. Use it as a context manager; one thread at a time.

    `backend` is a pyusb backend for `usb:` addresses (None: libusb); `clock` gives Unix seconds.
    """

    policy: Policy
    plugins: Plugins
    models: ModelFiles
    extractor: TemplateExtractor
    signer: Signer
    second_signer: Signer | None
    database: Database
    templates: TemplateStore
    ledger: AttemptLedger
    audit: AuditLog
    watermarks: Watermarks
    clock: Callable[[], float] = time.time
    backend: object | None = None

    @classmethod
    def open(
        cls,
        home: Home,
        *,
        policy_path: Path | None = None,
        models_folder: Path | None = None,
        store_url: str | None = None,
        clock: Callable[[], float] = time.time,
        backend: object | None = None,
    ) -> Self:
        """Open what the home's policy names, in the order in which a mistake is cheapest: no sensor is touched.

        Raises: ConfigError (policy, models, options, keys in files in production, an epoch that is over), PluginError,
        SigningError (keys), StoreError.
        """
        policy = load_policy(policy_path or home.policy)
        plugins = load_plugins(policy)
        folder = models_folder or home.models
        models = ModelFiles.locate(folder)
        extractor = plugins.extractor(folder)
        signer, second_signer = plugins.signer(), plugins.second_signer()
        _check_signers(policy, signer, second_signer)
        keys = plugins.key_provider()
        if not isinstance(keys, KeyProvider):
            raise ConfigError(f"key provider {policy.key_provider.name!r} gave no KeyProvider")
        database = Database(store_url or sqlite_url(home.store))
        try:
            watermarks = Watermarks(database, policy.records.tenant, policy.records.lock_group)
            _check_epoch(policy, watermarks)
            return cls(
                policy=policy,
                plugins=plugins,
                models=models,
                extractor=extractor,
                signer=signer,
                second_signer=second_signer,
                database=database,
                templates=TemplateStore(database, keys),
                ledger=AttemptLedger(database, policy.attempts, clock),
                audit=AuditLog(database, keys),
                watermarks=watermarks,
                clock=clock,
                backend=backend,
            )
        except BaseException:
            database.close()
            raise

    def trust(self, *, simulated: bool = True) -> TrustStore:
        """What this host believes of its own records and of grants: the policy's signed trust store, which production
        never is without, or a development one. Whatever a trust store allows, simulated sensors are refused in production
        or without `simulated`, keys in files in production, and what proves nothing wherever the policy refuses it.

        The signed one is read again each time, and its sequence never goes back.

        Raises: ConfigError (its file, a root's or an administrator's), VerificationError (not signed by the roots,
        expired, rolled back, for another lock group), StoreError.
        """
        policy = self.policy
        terms = policy.records
        if policy.trust is None:
            if policy.production:
                raise ConfigError('trust is missing: mode = "production" needs a signed trust store')
            who = policy.administrators
            found = host_trust(
                self.signer,
                terms.tenant,
                terms.lock_group,
                simulated=simulated,
                second_signer=self.second_signer,
                administrators=None if who is None else load_rule(who.paths, who.need),
                unattested=policy.allow_unattested,
            )
            return self._with_vendors(found)
        found = verify_trust(
            _content(policy.trust.path),
            load_rule(policy.trust.roots.paths, policy.trust.roots.need),
            now_s=self.clock(),
            minimum_sequence=self.watermarks.highest(Watermark.TRUST),
            tenant=terms.tenant,
            lock_group=terms.lock_group,
        )
        self.watermarks.reach(Watermark.TRUST, found.sequence)
        return self._with_vendors(
            replace(
                found,
                allow_simulated=found.allow_simulated and simulated and not policy.production,
                allow_development=found.allow_development and not policy.production,
                allow_unattested=found.allow_unattested and policy.allow_unattested,
            )
        )

    def _with_vendors(self, trust: TrustStore) -> TrustStore:
        """What drivers bring to verify their own kinds of evidence by."""
        return replace(trust, evidence_verifiers={kind: each.verify_capture for kind, each in self._schemes.items()})

    @property
    def signers(self) -> tuple[Signer, ...]:
        """All that sign a record."""
        return (self.signer,) if self.second_signer is None else (self.signer, self.second_signer)

    @property
    def key_digest(self) -> bytes:
        """SHA-256 of the host's public key (DER): what a grant that is for this host alone names."""
        return hashlib.sha256(self.signer.public_key_der).digest()

    def open_sensor(self, address: str, *, timeout_s: float = 5.0) -> Sensor:
        """Open a sensor that may make templates under the policy.

        Raises: ConfigError (address, transport, level), DeviceNotAttested, DeviceError.
        """
        sensor = open_sensor(
            address,
            self.plugins.drivers,
            transports=self.policy.capture_transports,
            backend=self.backend,
            timeout_s=timeout_s,
        )
        try:
            found = self.provenance(sensor)
            attested = found.attestation is not Attestation.NONE
            self.policy.check_sensor(sensor.info, attested=attested, problem=found.problem)
        except BaseException:
            sensor.close()
            raise
        return sensor

    def provenance(self, sensor: Sensor) -> Provenance:
        """What an open sensor proves to this host. Raises: as `trust`."""
        return provenance_of(sensor.claim, sensor.info, self.trust(), self._schemes)

    @property
    def _schemes(self) -> dict[str, EvidenceScheme]:
        return {scheme.kind: scheme for driver in self.plugins.drivers for scheme in driver.evidence}

    def close(self) -> None:
        """Give the store back. Idempotent."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _check_signers(policy: Policy, signer: Signer, second: Signer | None) -> None:
    for each in (signer, second):
        if each is not None and policy.production and each.custody not in PRODUCTION_CUSTODY:
            raise ConfigError(
                f'key {each.key_id[:16]} is kept in a place that it can be copied from ({each.custody}): where '
                'mode = "production", use the signer pkcs11, or another whose key never leaves its place'
            )
    if second is not None and second.public_key_der == signer.public_key_der:
        raise ConfigError("second_signer has the key of signer: a key counts once, however often it signs")


def _check_epoch(policy: Policy, watermarks: Watermarks) -> None:
    seen = watermarks.highest(Watermark.EPOCH)
    if policy.records.epoch < seen:
        raise ConfigError(
            f"records.epoch = {policy.records.epoch} is below {seen}, in which this store has enrolled: "
            "epochs never go back"
        )


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"can't read the trust store {path}: {error.strerror or error}") from None
