"""The policy: one TOML file that names every plugin and every limit; and the home folder that everything is kept in.

Nothing here reads the environment, and a key that isn't known stops everything: a misspelt limit must never be a limit
that is silently not there.
"""

from __future__ import annotations

import difflib
import hashlib
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from faceward.errors import ConfigError, DeviceNotAttested

if TYPE_CHECKING:
    from faceward.model.frame import SensorInfo

MODES = ("development", "production")
LEVELS = ("standard", "high")
TRANSPORTS = ("usb", "usbip", "replay")
POLICY_CAP_BYTES = 256 * 1024

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
    """What every record of this host says of where and how long it counts."""

    tenant: str
    lock_group: str
    valid_days: int = 365


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy file as it was read. `hash` is the SHA-256 of its bytes; gates stand in name order."""

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
        bands = {wavelength for wavelength in sensor.wavelengths_nm.values() if wavelength}
        if self.level == "high" and len(bands) < 2:
            raise ConfigError('security.level "high" needs a sensor with two infrared bands; this one has fewer')


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
    missing, a value of the wrong type or out of range, no gate at all, a plugin named twice.
    """
    try:
        with path.open("rb") as file:
            data = file.read(POLICY_CAP_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"can't read the policy {path}: {error.strerror or error}") from error
    if len(data) > POLICY_CAP_BYTES:
        raise ConfigError(f"the policy {path} is larger than {POLICY_CAP_BYTES} bytes")
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"the policy {path} is not UTF-8") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"the policy {path} is not TOML: {error}") from error
    try:
        return _read_policy(document, path, hashlib.sha256(data).digest())
    except ConfigError as error:
        raise ConfigError(f"policy {path}: {error}") from error


class _Table:
    """One TOML table, read key by key; what nobody asked for is an unknown key."""

    def __init__(self, values: object, where: str) -> None:
        if not isinstance(values, dict):
            raise ConfigError(f"{where} must be a table")
        self._values: dict[str, Any] = values
        self._where = where
        self._known: list[str] = []

    def name(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key

    def _take(self, key: str) -> Any:
        self._known.append(key)
        return self._values.get(key)

    def text(self, key: str, *, pattern: re.Pattern[str] | None = None) -> str:
        value = self._take(key)
        if not isinstance(value, str) or not value:
            raise ConfigError(self._missing_or(key, value, "must be a text"))
        if pattern is not None and not pattern.fullmatch(value):
            raise ConfigError(f"{self.name(key)} = {value!r} does not have the right form")
        return value

    def optional_text(self, key: str, *, pattern: re.Pattern[str] | None = None) -> str | None:
        return self.text(key, pattern=pattern) if key in self._values else self._take(key)

    def choice(self, key: str, allowed: Iterable[str]) -> str:
        return _one_of(self.text(key), tuple(allowed), self.name(key))

    def flag(self, key: str, default: bool) -> bool:
        value = self._take(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise ConfigError(f"{self.name(key)} must be true or false")
        return value

    def number(self, key: str, default: float, *, low: float, high: float) -> float:
        value = self.optional_number(key, low=low, high=high)
        return default if value is None else value

    def optional_number(self, key: str, *, low: float, high: float) -> float | None:
        value = self._take(key)
        return None if value is None else _number(value, self.name(key), low, high)

    def count(self, key: str, default: int, *, low: int = 1, high: int = 1_000_000) -> int:
        value = self._take(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            raise ConfigError(f"{self.name(key)} must be a whole number")
        if not low <= value <= high:
            raise ConfigError(f"{self.name(key)} = {value} must be between {low} and {high}")
        return value

    def words(self, key: str, allowed: tuple[str, ...]) -> frozenset[str]:
        value = self._take(key)
        if not isinstance(value, list) or not value:
            raise ConfigError(self._missing_or(key, value, "must be a list that isn't empty"))
        found = set()
        for index, word in enumerate(value):
            where = f"{self.name(key)}[{index}]"
            if not isinstance(word, str):
                raise ConfigError(f"{where} must be a text")
            found.add(_one_of(word, allowed, where))
        if len(found) != len(value):
            raise ConfigError(f"{self.name(key)} names something twice")
        return frozenset(found)

    def table(self, key: str, *, required: bool = True) -> _Table:
        value = self._take(key)
        if value is None:
            if required:
                raise ConfigError(self._missing_or(key, None, ""))
            value = {}
        return _Table(value, self.name(key))

    def tables(self, key: str, *, required: bool) -> list[_Table]:
        value = self._take(key)
        if value is None and not required:
            return []
        if not isinstance(value, list) or (required and not value):
            raise ConfigError(self._missing_or(key, value, f"must be a list of tables, [[{key}]], that isn't empty"))
        return [_Table(entry, f"{self.name(key)}[{index}]") for index, entry in enumerate(value)]

    def rest(self) -> Mapping[str, Any]:
        """Every key, for a table whose keys aren't ours to know."""
        self._known.extend(self._values)
        return self._values

    def close(self) -> None:
        for key in self._values:
            if key not in self._known:
                raise ConfigError(f"{self.name(key)} is not a known key{_near(key, self._known)}")

    def _missing_or(self, key: str, value: object, message: str) -> str:
        if value is not None:
            return f"{self.name(key)} {message}"
        unknown = [name for name in self._values if name not in self._known]
        near = difflib.get_close_matches(key, unknown, n=1)
        return f"{self.name(key)} is missing" + (f" (there is {near[0]!r} instead)" if near else "")


def _near(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _one_of(value: str, allowed: tuple[str, ...], where: str) -> str:
    if value not in allowed:
        hint = _near(value, allowed) or f" (one of: {', '.join(allowed)})"
        raise ConfigError(f"{where} = {value!r} is not known{hint}")
    return value


def _number(value: object, where: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{where} must be a number")
    if not math.isfinite(value) or not low <= value <= high:
        raise ConfigError(f"{where} = {value} must be between {low:g} and {high:g}")
    return float(value)


def _plugin(table: _Table) -> dict[str, Any]:
    return {
        "name": table.text("name", pattern=_PLUGIN_NAME),
        "distribution": table.text("distribution"),
        "version": table.text("version"),
        "files_sha256": table.optional_text("files_sha256", pattern=_DIGEST),
    }


def _plain(table: _Table) -> PluginRef:
    ref = PluginRef(**_plugin(table))
    table.close()
    return ref


def _gate(table: _Table) -> GateRef:
    fields = _plugin(table)
    thresholds = table.table("thresholds", required=False)
    limits = {
        name: _number(value, thresholds.name(name), -math.inf, math.inf) for name, value in thresholds.rest().items()
    }
    table.close()
    return GateRef(**fields, thresholds=MappingProxyType(limits))


def _provider(table: _Table, folder: Path) -> ProviderRef:
    fields = _plugin(table)
    options = table.table("options", required=False)
    given: dict[str, str] = {}
    for name, value in options.rest().items():
        if not isinstance(value, str):
            raise ConfigError(f"{options.name(name)} must be a text")
        given[name] = str((folder / value).resolve()) if name == "path" or name.endswith("_path") else value
    table.close()
    return ProviderRef(**fields, options=MappingProxyType(given))


def _read_policy(document: dict[str, Any], path: Path, digest: bytes) -> Policy:
    root = _Table(document, "")
    if root.count("version", 0, low=0) != 1:
        raise ConfigError("version must be 1")
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
    match = root.table("match", required=False)
    threshold = match.optional_number("threshold", low=-1.0, high=1.0)
    match.close()
    terms = root.table("records")
    records = RecordTerms(
        tenant=terms.text("tenant", pattern=_SCOPE),
        lock_group=terms.text("lock_group", pattern=_SCOPE),
        valid_days=terms.count("valid_days", 365, high=3650),
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
        _check_production(allow_unattested, (*gates, *drivers, *observers, extractor, signer, key_provider))
    return Policy(
        path=path, hash=digest, mode=mode, level=level, allow_unattested=allow_unattested,
        gate_timeout_s=gate_timeout_s, capture_transports=capture, evaluate_transports=evaluate,
        gates=gates, drivers=drivers, extractor=extractor, signer=signer, key_provider=key_provider,
        observers=observers, match_threshold=threshold, attempts=attempts, records=records,
    )  # fmt: skip


def _check_production(allow_unattested: bool, refs: tuple[PluginRef, ...]) -> None:
    if allow_unattested:
        raise ConfigError('security.allow_unattested can\'t be true where mode = "production"')
    for ref in refs:
        if ref.files_sha256 is None:
            raise ConfigError(f'plugin {ref.name!r} needs files_sha256 where mode = "production"')
