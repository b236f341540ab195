"""The policy: one TOML file that names every plugin and every limit; and the home folder that everything is kept in.

Nothing here reads the environment, and a key that isn't known stops everything: a misspelt limit must never be a limit
that is silently not there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from faceward.errors import ConfigError, DeviceNotAttested
from faceward.table import Table, number_of, read_document

if TYPE_CHECKING:
    from faceward.model.frame import SensorInfo

MODES = ("development", "production")
LEVELS = ("standard", "high")
MAX_KEYS = 16
MAX_EPOCH = (1 << 40) - 1  # faceward_proto.records
TRANSPORTS = ("usb", "usbip", "replay")

_PLUGIN_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SCOPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class PluginRef:
    """A plugin by entry point, with the distribution and the exact version that must provide it.

    `files_sha256` is the digest of the distribution's installed files (faceward.liveness.loader.digest_of_files), or
    None.
    """

    name: str
    distribution: str
    version: str
    files_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class GateRef(PluginRef):
    """A gate, with the thresholds that the policy sets; all others keep the gate's defaults."""

    thresholds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProviderRef(PluginRef):
    """A signer or key provider with its options; `path` and `*_path` are absolute, taken from the policy's folder."""

    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Public keys in PEM files (absolute paths), and how many different ones of them must have signed."""

    need: int
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class TrustRef:
    """The file of the trust store that decides what this host believes, and the root keys that must have signed it."""

    path: Path
    roots: KeyFiles


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """How often may be tried before waiting or asking again. Defaults: design.md, GA 374-2019."""

    captures_per_grant: int = 3
    refusals_before_lockout: int = 5
    refusal_window_s: float = 300.0
    lockout_s: float = 90.0
    daily_per_subject: int = 50
    daily_per_sensor: int = 500


@dataclass(frozen=True, slots=True)
class RecordTerms:
    """What every record of this host says of where and how long it counts; the epoch never goes back."""

    tenant: str
    lock_group: str
    valid_days: int = 365
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy file as it was read. `hash` is the SHA-256 of its bytes; gates stand in name order.

    `administrators` and `trust` are never both there: a trust store names its administrators itself. Where neither is,
    which is in development alone, the host permits its own enrollments.
    """

    path: Path
    hash: bytes
    mode: str
    level: str
    allow_unattested: bool
    gate_timeout_s: float
    capture_transports: frozenset[str]
    evaluate_transports: frozenset[str]
    gates: tuple[GateRef, ...]
    drivers: tuple[PluginRef, ...]
    extractor: PluginRef
    signer: ProviderRef
    key_provider: ProviderRef
    observers: tuple[PluginRef, ...]
    match_threshold: float | None
    attempts: AttemptLimits
    records: RecordTerms
    second_signer: ProviderRef | None = None
    administrators: KeyFiles | None = None
    trust: TrustRef | None = None

    @property
    def self_permitting(self) -> bool:
        """Whether the host may issue a development grant to itself."""
        return not self.production and self.administrators is None and self.trust is None

    @property
    def production(self) -> bool:
        """Whether nothing simulated or unattested may become a template."""
        return self.mode == "production"

    def check_sensor(self, sensor: SensorInfo, *, attested: bool, problem: str = "") -> None:
        """Refuse a sensor that may not make templates under this policy. `problem` is why it is not attested.

        Raises: ConfigError (transport, or one band where the level asks for two), DeviceNotAttested.
        """
        if sensor.transport not in self.capture_transports:
            allowed = ", ".join(sorted(self.capture_transports))
            raise ConfigError(f"transports.capture allows {allowed}, and this sensor is reached by {sensor.transport}")
        why = f": {problem}" if problem else ""
        if not attested and not self.allow_unattested:
            raise DeviceNotAttested(f"the policy wants an attested sensor (security.allow_unattested is false){why}")
        if not attested and self.level == "high":
            raise DeviceNotAttested(f'the policy wants an attested sensor (security.level is "high"){why}')
        if self.level == "high" and len(sensor.flood_bands_nm) < 2:
            raise ConfigError('security.level "high" needs a sensor that floods in two infrared bands; this one does not')


@dataclass(frozen=True, slots=True)
class Home:
    """Where Faceward keeps things: paths only, nothing is made or read here."""

    folder: Path

    @classmethod
    def default(cls) -> Home:
        """The user's own data folder, as the platform names it."""
        from platformdirs import user_data_path

        return cls(user_data_path("faceward", appauthor=False))

    @property
    def policy(self) -> Path:
        """The policy file."""
        return self.folder / "policy.toml"

    @property
    def keys(self) -> Path:
        """The folder of key files."""
        return self.folder / "keys"

    @property
    def store(self) -> Path:
        """The template store's database."""
        return self.folder / "store.sqlite"

    @property
    def models(self) -> Path:
        """The folder of face models."""
        return self.folder / "models"

    @property
    def audit(self) -> Path:
        """The audit log."""
        return self.folder / "audit.log"


def development_policy() -> bytes:
    """The packaged policy for development, to be written into a home."""
    return (Path(__file__).parent / "policies" / "development.toml").read_bytes()


def load_policy(path: Path) -> Policy:
    """Read a policy.

    Raises: ConfigError, naming the file and the key: an unreadable file, TOML that isn't, a key that isn't known or is
    missing, a value of the wrong type or out of range, no gate at all, a plugin named twice, a production policy without
    a trust store or with something that only development may have.
    """
    document = read_document(path, "policy")
    try:
        return _read_policy(document.root, path, document.digest)
    except ConfigError as error:
        raise ConfigError(f"policy {path}: {error}") from error


def _plugin(table: Table) -> dict[str, Any]:
    return {
        "name": table.text("name", pattern=_PLUGIN_NAME),
        "distribution": table.text("distribution"),
        "version": table.text("version"),
        "files_sha256": table.optional_text("files_sha256", pattern=_DIGEST),
    }


def _plain(table: Table) -> PluginRef:
    ref = PluginRef(**_plugin(table))
    table.close()
    return ref


def _gate(table: Table) -> GateRef:
    fields = _plugin(table)
    thresholds = table.table("thresholds", required=False)
    limits = {
        name: number_of(value, thresholds.name(name), -math.inf, math.inf) for name, value in thresholds.rest().items()
    }
    table.close()
    return GateRef(**fields, thresholds=MappingProxyType(limits))


def _provider(table: Table, folder: Path) -> ProviderRef:
    fields = _plugin(table)
    options = table.table("options", required=False)
    given: dict[str, str] = {}
    for name, value in options.rest().items():
        if not isinstance(value, str):
            raise ConfigError(f"{options.name(name)} must be a text")
        given[name] = str((folder / value).resolve()) if name == "path" or name.endswith("_path") else value
    table.close()
    return ProviderRef(**fields, options=MappingProxyType(given))


def _key_files(table: Table, key: str, folder: Path) -> KeyFiles:
    paths = tuple((folder / name).resolve() for name in table.texts(key))
    need = table.count("need", len(paths), high=MAX_KEYS)
    table.close()
    if len(paths) > MAX_KEYS or len(set(paths)) != len(paths):
        raise ConfigError(f"{table.name(key)} names a file twice, or more than {MAX_KEYS}")
    if need > len(paths):
        raise ConfigError(f"{table.name('need')} = {need}, and {table.name(key)} names {len(paths)}")
    return KeyFiles(need, paths)


def _trust(table: Table, folder: Path) -> TrustRef:
    path = (folder / table.text("path")).resolve()
    return TrustRef(path, _key_files(table, "root", folder))


def _read_policy(root: Table, path: Path, digest: bytes) -> Policy:
    if root.count("version", 0, low=0) != 1:
        raise ConfigError("version must be 1 (`faceward --home NEW keys init` writes a policy to begin with)")
    mode = root.choice("mode", MODES)
    security = root.table("security")
    level = security.choice("level", LEVELS)
    allow_unattested = security.flag("allow_unattested", default=False)
    gate_timeout_s = security.number("gate_timeout_s", 5.0, low=0.1, high=120.0)
    security.close()
    transports = root.table("transports")
    capture = transports.words("capture", TRANSPORTS)
    evaluate = transports.words("evaluate", TRANSPORTS)
    transports.close()
    if "replay" in capture:
        raise ConfigError("transports.capture can't have 'replay': a recording never becomes a template")
    gates = tuple(sorted((_gate(table) for table in root.tables("gates", required=True)), key=lambda gate: gate.name))
    drivers = tuple(_plain(table) for table in root.tables("drivers", required=True))
    observers = tuple(_plain(table) for table in root.tables("observers", required=False))
    folder = path.absolute().parent
    extractor = _plain(root.table("extractor"))
    signer = _provider(root.table("signer"), folder)
    key_provider = _provider(root.table("key_provider"), folder)
    second_signer = _provider(root.table("second_signer"), folder) if root.has("second_signer") else None
    administrators = _key_files(root.table("administrators"), "keys", folder) if root.has("administrators") else None
    trust = _trust(root.table("trust"), folder) if root.has("trust") else None
    if administrators is not None and trust is not None:
        raise ConfigError("administrators can't stand beside trust: the trust store names the administrators")
    match = root.table("match", required=False)
    threshold = match.optional_number("threshold", low=-1.0, high=1.0)
    match.close()
    terms = root.table("records")
    records = RecordTerms(
        tenant=terms.text("tenant", pattern=_SCOPE),
        lock_group=terms.text("lock_group", pattern=_SCOPE),
        valid_days=terms.count("valid_days", 365, high=3650),
        epoch=terms.count("epoch", 0, low=0, high=MAX_EPOCH),
    )
    terms.close()
    limits = root.table("attempts", required=False)
    usual = AttemptLimits()
    attempts = AttemptLimits(
        captures_per_grant=limits.count("captures_per_grant", usual.captures_per_grant, high=10),
        refusals_before_lockout=limits.count("refusals_before_lockout", usual.refusals_before_lockout, high=20),
        refusal_window_s=limits.number("refusal_window_s", usual.refusal_window_s, low=1.0, high=86_400.0),
        lockout_s=limits.number("lockout_s", usual.lockout_s, low=1.0, high=86_400.0),
        daily_per_subject=limits.count("daily_per_subject", usual.daily_per_subject),
        daily_per_sensor=limits.count("daily_per_sensor", usual.daily_per_sensor),
    )
    limits.close()
    root.close()
    for kind, refs in (("gates", gates), ("drivers", drivers), ("observers", observers)):
        names = [ref.name for ref in refs]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError(f"{kind} names {name!r} twice")
    if mode == "production":
        signers = (signer,) if second_signer is None else (signer, second_signer)
        _check_production(allow_unattested, trust, (*gates, *drivers, *observers, extractor, *signers, key_provider))
    return Policy(
        path=path, hash=digest, mode=mode, level=level, allow_unattested=allow_unattested,
        gate_timeout_s=gate_timeout_s, capture_transports=capture, evaluate_transports=evaluate,
        gates=gates, drivers=drivers, extractor=extractor, signer=signer, key_provider=key_provider,
        observers=observers, match_threshold=threshold, attempts=attempts, records=records,
        second_signer=second_signer, administrators=administrators, trust=trust,
    )  # fmt: skip


def _check_production(allow_unattested: bool, trust: TrustRef | None, refs: tuple[PluginRef, ...]) -> None:
    if allow_unattested:
        raise ConfigError('security.allow_unattested can\'t be true where mode = "production"')
    if trust is None:
        raise ConfigError('trust is missing: mode = "production" needs a signed trust store (faceward trust make)')
    for ref in refs:
        if ref.files_sha256 is None:
            raise ConfigError(f'plugin {ref.name!r} needs files_sha256 where mode = "production"')
