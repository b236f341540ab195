"""Plugins, exactly as the policy names them.

An entry point that the policy doesn't name is never imported. One that it names must come from the distribution and the
version that it names, and from nowhere else; its hook is called alone, so that every answer has an owner.

Gates are only found here. Their code runs in the worker process alone (faceward.liveness.worker), which calls
`load_gates`; drivers, extractor, signer, key provider and observers run in the caller's process.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pluggy

from faceward.errors import ConfigError, FacewardError, PluginError
from faceward.liveness import hookspecs
from faceward.liveness.gate import LivenessGate
from faceward.liveness.pinned import pin, unpin

if TYPE_CHECKING:
    from faceward.config import GateRef, PluginRef, Policy, ProviderRef
    from faceward.extract.extractor import TemplateExtractor
    from faceward.hal.sensor import SensorDriver
    from faceward.signing.signer import Signer

# What an installer writes beside a distribution's files; it differs from machine to machine.
_INSTALLER_FILES = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"})


@dataclass(frozen=True, slots=True)
class FoundPlugin:
    """A plugin whose distribution, version and files are what the policy says; nothing of it has been imported."""

    name: str
    distribution: str
    distribution_version: str
    entry_point: metadata.EntryPoint


@dataclass(frozen=True, slots=True)
class LoadedGate:
    """A gate, imported: `thresholds` holds all of its names, the policy's values over its defaults."""

    name: str
    version: str
    distribution: str
    gate: LivenessGate
    thresholds: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Plugins:
    """Every plugin of a policy: gates found, the rest imported."""

    policy: Policy
    gates: tuple[FoundPlugin, ...]
    drivers: tuple[SensorDriver, ...]
    _extractor: pluggy.PluginManager
    _signer: pluggy.PluginManager
    _second_signer: pluggy.PluginManager | None
    _key_provider: pluggy.PluginManager
    _observers: tuple[pluggy.PluginManager, ...]

    def extractor(self, models: Path) -> TemplateExtractor:
        """The policy's extractor, over the folder of model files. Raises: PluginError, ConfigError (no such model)."""
        from faceward.extract.extractor import TemplateExtractor

        made = _one(self._extractor, "faceward_extractor", self.policy.extractor.name, models=models)
        return _of_type(made, TemplateExtractor, self.policy.extractor.name, "an extractor")

    def signer(self) -> Signer:
        """The policy's signer, with the policy's options. Raises: PluginError, ConfigError, SigningError."""
        return _made_signer(self._signer, self.policy.signer)

    def second_signer(self) -> Signer | None:
        """The one that signs each record as well, where the policy has one. Raises as `signer`."""
        ref = self.policy.second_signer
        return None if ref is None or self._second_signer is None else _made_signer(self._second_signer, ref)

    def key_provider(self) -> object:
        """The provider of the store's key-encryption key. Raises: PluginError, SigningError."""
        ref = self.policy.key_provider
        return _one(self._key_provider, "faceward_key_provider", ref.name, options=ref.options)

    def notify(self, event: object) -> None:
        """Tell every observer. Whatever one of them does or raises changes nothing."""
        for observer in self._observers:
            try:
                observer.hook.faceward_enrollment_event(event=event)
            except Exception:  # noqa: BLE001, S112 - an observer has no say in the outcome
                continue


def load_plugins(policy: Policy, *, distributions: Iterable[metadata.Distribution] | None = None) -> Plugins:
    """Find every plugin that the policy names, and import all but the gates.

    Raises: PluginError: absent, of another distribution or version, changed files, provided twice, broken at import, an
    unknown hook, no or more than one answer, two drivers for one VID:PID.
    """
    installed = _Installed(distributions)
    gates = tuple(installed.find(ref) for ref in policy.gates)
    return Plugins(
        policy=policy,
        gates=gates,
        drivers=_drivers([(ref.name, _import(installed.find(ref))) for ref in policy.drivers]),
        _extractor=_import(installed.find(policy.extractor)),
        _signer=_import(installed.find(policy.signer)),
        _second_signer=None if policy.second_signer is None else _import(installed.find(policy.second_signer)),
        _key_provider=_import(installed.find(policy.key_provider)),
        _observers=tuple(_import(installed.find(ref)) for ref in policy.observers),
    )


def load_drivers(
    policy: Policy, *, distributions: Iterable[metadata.Distribution] | None = None
) -> tuple[SensorDriver, ...]:
    """The policy's drivers alone, for whoever only looks for sensors. Raises: PluginError."""
    installed = _Installed(distributions)
    return _drivers([(ref.name, _import(installed.find(ref))) for ref in policy.drivers])


def load_gates(
    refs: Sequence[GateRef], *, distributions: Iterable[metadata.Distribution] | None = None
) -> tuple[LoadedGate, ...]:
    """Import gates, in name order. For the worker process: a gate's code has no business beside keys.

    Raises: PluginError as `load_plugins`, ConfigError for a threshold that a gate hasn't.
    """
    installed = _Installed(distributions)
    found = [(ref, installed.find(ref)) for ref in sorted(refs, key=lambda ref: ref.name)]
    return tuple(_load_gate(ref, plugin) for ref, plugin in found)


def digest_of_files(distribution: metadata.Distribution) -> str:
    """SHA-256, in hex, over names and contents of a distribution's installed files, installer's notes and caches apart.

    Raises: PluginError when the distribution doesn't say what it installed or a file of it is gone.
    """
    return _hashed(distribution)[0]


def _hashed(distribution: metadata.Distribution) -> tuple[str, dict[Path, bytes]]:
    """The same, and SHA-256 of each file by its resolved path."""
    name = distribution.metadata["Name"]
    digest, files = hashlib.sha256(), {}
    for relative in sorted(_own_files(distribution)):
        path = Path(str(distribution.locate_file(relative)))
        try:
            content = path.read_bytes()
        except OSError as error:
            raise PluginError(f"{name}: {relative} can't be read; install {name} again") from error
        for part in (relative.encode(), content):
            digest.update(len(part).to_bytes(8, "little") + part)
        files[path.resolve()] = hashlib.sha256(content).digest()
    return digest.hexdigest(), files


def _own_files(distribution: metadata.Distribution) -> list[str]:
    # Distribution.files leaves out what is gone, from Python 3.12 on.
    listed = distribution.read_text("RECORD")
    if not listed:
        raise PluginError(f"{distribution.metadata['Name']} doesn't list its files; install it again with pip")
    return [
        str(file)
        for file in (PurePosixPath(row[0]) for row in csv.reader(listed.splitlines()) if row)
        if ".." not in file.parts
        and file.suffix != ".pyc"
        and not (file.parts[0].endswith(".dist-info") and file.name in _INSTALLER_FILES)
    ]


class _Installed:
    """Who offers which entry point, read from metadata alone."""

    def __init__(self, distributions: Iterable[metadata.Distribution] | None) -> None:
        unpin()
        self._hashed: dict[tuple[str, Path], tuple[str, dict[Path, bytes]]] = {}
        self._offers: dict[str, list[tuple[metadata.Distribution, metadata.EntryPoint]]] = {}
        seen: set[tuple[str, Path]] = set()
        for distribution in metadata.distributions() if distributions is None else distributions:
            # Whoever offers nothing is left first: reading everybody's metadata takes longer than all the rest.
            offered = [each for each in distribution.entry_points if each.group == hookspecs.GROUP]
            if not offered or distribution.metadata["Name"] is None:
                continue
            where = _place(distribution)
            if where in seen:
                continue
            seen.add(where)
            for entry_point in offered:
                self._offers.setdefault(entry_point.name, []).append((distribution, entry_point))

    def find(self, ref: PluginRef) -> FoundPlugin:
        offers = self._offers.get(ref.name, [])
        wanted = f"{ref.distribution}=={ref.version}"
        if not offers:
            near = difflib.get_close_matches(ref.name, list(self._offers), n=1)
            hint = f", or did the policy mean {near[0]!r}?" if near else ""
            raise PluginError(f"plugin {ref.name!r} is not installed: install {wanted}{hint}")
        if len(offers) > 1:
            names = sorted(f"{offer.metadata['Name']} in {offer.locate_file('')}" for offer, _ in offers)
            raise PluginError(f"plugin {ref.name!r} is provided more than once: uninstall all but one of {names}")
        distribution, entry_point = offers[0]
        name, version = distribution.metadata["Name"], distribution.version
        if _canonical(name) != _canonical(ref.distribution):
            raise PluginError(f"plugin {ref.name!r} comes from {name}, and the policy names {wanted}")
        if version != ref.version:
            raise PluginError(f"plugin {ref.name!r} comes from {name} {version}, and the policy names {wanted}")
        if ref.files_sha256 is not None:
            self._check_files(ref, distribution, entry_point)
        return FoundPlugin(ref.name, name, version, entry_point)

    def _check_files(self, ref: PluginRef, distribution: metadata.Distribution, entry_point: metadata.EntryPoint) -> None:
        where = _place(distribution)
        known = where in self._hashed
        if not known:
            self._hashed[where] = _hashed(distribution)
        actual, files = self._hashed[where]
        if actual != ref.files_sha256:
            raise PluginError(
                f"plugin {ref.name!r}: the files of {ref.distribution} are not those of the policy "
                f"(their digest is {actual}); install {ref.distribution}=={ref.version} again"
            )
        origin = _origin(entry_point.module)
        if origin is None or origin.resolve() not in files:
            raise PluginError(
                f"plugin {ref.name!r}: Python would import {origin}, which is none of the files that {ref.distribution} "
                "installed; install it without --editable"
            )
        # What runs already, which this module is a part of, can't be taken back.
        if not known and Path(__file__).resolve() not in files:
            pin(ref.distribution, where[1], files)


def _origin(module: str) -> Path | None:
    """The file that an import would execute, without importing anything."""
    path: Sequence[str] | None = None
    spec = None
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:count]), path)
        if spec is None:
            return None
        path = spec.submodule_search_locations
    return Path(spec.origin) if spec is not None and spec.origin else None


def _place(distribution: metadata.Distribution) -> tuple[str, Path]:
    """Which distribution it is, and the folder on the search path that it was installed in."""
    return _canonical(distribution.metadata["Name"]), Path(str(distribution.locate_file(""))).resolve()


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _import(plugin: FoundPlugin) -> pluggy.PluginManager:
    """Import one plugin into a manager of its own: what its hooks answer is its answer."""
    manager = pluggy.PluginManager("faceward")
    manager.add_hookspecs(hookspecs)
    try:
        loaded = plugin.entry_point.load()
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"plugin {plugin.name!r} of {plugin.distribution} can't be imported "
            f"({type(error).__name__}: {error}); install {plugin.distribution}=={plugin.distribution_version} again"
        ) from error
    try:
        manager.register(loaded, name=plugin.name)
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        raise PluginError(f"plugin {plugin.name!r} of {plugin.distribution} has a malformed hook: {error}") from error
    return manager


def _one(manager: pluggy.PluginManager, hook: str, name: str, **arguments: object) -> Any:
    try:
        answers = getattr(manager.hook, hook)(**arguments)
    except FacewardError:
        raise
    except Exception as error:
        raise PluginError(f"plugin {name!r}: {hook} failed ({type(error).__name__}: {error})") from error
    if len(answers) != 1:
        raise PluginError(f"plugin {name!r}: {hook} gave {len(answers)} answers, and it must give one")
    return answers[0]


def _made_signer(manager: pluggy.PluginManager, ref: ProviderRef) -> Signer:
    from faceward.signing.signer import Signer

    made = _one(manager, "faceward_signer", ref.name, options=ref.options)
    return _of_type(made, Signer, ref.name, "a signer")


def _of_type(made: Any, kind: type, name: str, what: str) -> Any:
    if not isinstance(made, kind):
        raise PluginError(f"plugin {name!r} gave a {type(made).__name__}, and not {what}")
    return made


def _drivers(managers: Sequence[tuple[str, pluggy.PluginManager]]) -> tuple[SensorDriver, ...]:
    from faceward_proto.attestation import EVIDENCE_KIND

    from faceward.hal.sensor import EvidenceScheme, SensorDriver

    drivers: list[SensorDriver] = []
    kinds: dict[str, str] = {EVIDENCE_KIND: "faceward"}
    owners: dict[tuple[int, int], str] = {}
    for name, manager in managers:
        made = _one(manager, "faceward_sensor_drivers", name)
        if not isinstance(made, Sequence) or not made:
            raise PluginError(f"plugin {name!r} gave no sequence of drivers")
        for driver in made:
            _of_type(driver, SensorDriver, name, "a sensor driver")
            for match in driver.matches:
                if (other := owners.get((match.vid, match.pid))) is not None:
                    raise PluginError(
                        f"two drivers for {match.vid:04x}:{match.pid:04x}, of plugins {other!r} and {name!r}: "
                        "take one of them out of the policy"
                    )
                owners[match.vid, match.pid] = name
            for scheme in driver.evidence:
                _of_type(scheme, EvidenceScheme, name, "a scheme of evidence")
                if (other := kinds.setdefault(scheme.kind, name)) != name:
                    raise PluginError(f"plugin {name!r} verifies evidence of the kind {scheme.kind}, as {other!r} does")
            drivers.append(driver)
    return tuple(drivers)


def _load_gate(ref: GateRef, plugin: FoundPlugin) -> LoadedGate:
    gate = _of_type(_one(_import(plugin), "faceward_gate", ref.name), LivenessGate, ref.name, "a liveness gate")
    if getattr(gate, "name", None) != ref.name:
        raise PluginError(
            f"plugin {ref.name!r} gave a gate that calls itself {getattr(gate, 'name', None)!r}: "
            "gate and entry point must have one name"
        )
    if not isinstance(getattr(gate, "version", None), str) or not gate.version:
        raise PluginError(f"gate {ref.name!r} has no version")
    try:
        thresholds = dict(gate.thresholds())
    except Exception as error:
        raise PluginError(f"gate {ref.name!r}: thresholds() failed ({type(error).__name__}: {error})") from error
    for name, value in thresholds.items():
        if not isinstance(name, str) or not isinstance(value, int | float) or not math.isfinite(value):
            raise PluginError(f"gate {ref.name!r} has a threshold that is no number: {name!r}")
    for name, value in ref.thresholds.items():
        if name not in thresholds:
            near = difflib.get_close_matches(name, list(thresholds), n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise ConfigError(f"gate {ref.name!r} has no threshold {name!r}{hint}")
        thresholds[name] = value
    return LoadedGate(
        ref.name, gate.version, f"{plugin.distribution} {plugin.distribution_version}", gate, thresholds
    )  # fmt: skip
