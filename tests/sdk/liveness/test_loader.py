"""Plugins: only those that the policy names, only from where it says, and each answers for itself."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import sys
from importlib import metadata
from pathlib import Path

import pytest
from faceward.config import GateRef, PluginRef, ProviderRef
from faceward.errors import ConfigError, PluginError
from faceward.liveness import loader
from faceward.liveness.loader import digest_of_files, load_gates, load_plugins
from faceward.liveness.pinned import PinnedFinder

KIT = """
    from faceward.plugin import LivenessGate, hookimpl

    from toy_kit.helper import CUE

    class Gate(LivenessGate):
        name, version, cue = "toy-kit", "1", CUE
        def requirements(self, sensor): raise OSError
        def thresholds(self): return {}
        def open(self, context): raise OSError

    @hookimpl
    def faceward_gate():
        return Gate()
"""
DRIVER = """
    from faceward.plugin import SensorDriver, UsbMatch, hookimpl

    class Driver(SensorDriver):
        name = "{name}"
        matches = (UsbMatch(0x1209, {pid}, "toy"),)

        def open(self, device, address, *, timeout_s=5.0):
            raise OSError

    @hookimpl
    def faceward_sensor_drivers():
        return {answer}
"""
PARTS = """
    from faceward.plugin import FaceTemplate, Signer, TemplateExtractor, hookimpl

    class Extractor(TemplateExtractor):
        name, version, threshold = "parts", "1", 0.5
        def __init__(self, models): self.models = models
        def extract(self, live): raise OSError
        def compare(self, probe, reference): return 0.0

    class Key(Signer):
        algorithm, key_id, custody, public_key_der = "ES256", "k", "file", b""
        def __init__(self, options): self.options = options
        def sign(self, message): return b""

    @hookimpl
    def faceward_extractor(models):
        return Extractor(models)

    @hookimpl
    def faceward_signer(options):
        {signer}
        return Key(options)

    @hookimpl
    def faceward_key_provider(options):
        return dict(options)

    told = []

    @hookimpl
    def faceward_enrollment_event(event):
        told.append(event)
        raise RuntimeError("an observer that fails")
"""


def _gate(name: str = "toy-a", version: str = "1.0", distribution: str = "toys", **fields) -> GateRef:
    return GateRef(name, distribution, version, **fields)


@pytest.fixture
def whole(site, gate_source, policy_of):
    """Installs everything a policy needs; returns that policy."""

    def install(*, signer: str = "pass", drivers: dict[str, tuple[int, str]] | None = None, **changes):
        site.install("toys", {"toy_a": gate_source("toy-a")}, {"toy-a": "toy_a"})
        drivers = drivers or {"drv": (1, "(Driver(),)")}
        modules = {name: DRIVER.format(name=name, pid=pid, answer=answer) for name, (pid, answer) in drivers.items()}
        site.install("drives", modules, {name: name for name in drivers})
        site.install("parts", {"parts_all": PARTS.format(signer=signer)}, {"part": "parts_all"})
        refs = tuple(PluginRef(name, "drives", "1.0") for name in drivers)
        provider = ProviderRef("part", "parts", "1.0", options={"path": "/k"})
        return policy_of(_gate(), drivers=refs, signer=provider, **changes)

    yield install
    for module in ("parts_all", "drv", "drw", "toy_a"):
        sys.modules.pop(module, None)


def test_every_plugin_of_the_policy_is_found_and_gates_are_not_imported(whole, tmp_path: Path):
    plugins = load_plugins(whole())
    assert [(gate.name, gate.distribution, gate.distribution_version) for gate in plugins.gates] == [
        ("toy-a", "toys", "1.0")
    ]
    assert "toy_a" not in sys.modules
    assert [driver.name for driver in plugins.drivers] == ["drv"]
    assert plugins.extractor(tmp_path).models == tmp_path
    assert plugins.signer().options == {"path": "/k"}
    assert plugins.key_provider() == {}


def test_observers_are_told_and_can_not_object(whole):
    plugins = load_plugins(whole(observers=(PluginRef("part", "parts", "1.0"),)))
    plugins.notify("started")
    assert sys.modules["parts_all"].told == ["started"]


def test_nobody_is_told_whom_the_policy_does_not_name(whole):
    load_plugins(whole()).notify("started")
    assert sys.modules["parts_all"].told == []


def test_what_the_policy_does_not_name_is_never_imported(site, gate_source):
    site.install("toys", {"toy_a": gate_source("toy-a")}, {"toy-a": "toy_a"})
    site.install("bombs", {"bomb": "raise SystemExit('imported')"}, {"bomb": "bomb"})
    (gate,) = load_gates([_gate()])
    assert (gate.name, gate.version, gate.distribution) == ("toy-a", "7", "toys 1.0")
    assert gate.thresholds == {"limit": 0.5}
    assert "bomb" not in sys.modules


def test_the_policys_threshold_goes_over_the_gates(site, gate_source):
    site.install("toys", {"toy_b": gate_source("toy-b")}, {"toy-b": "toy_b"})
    (gate,) = load_gates([_gate("toy-b", thresholds={"limit": 2.0})])
    assert gate.thresholds == {"limit": 2.0}
    with pytest.raises(ConfigError, match=r"'toy-b' has no threshold 'limits'.*did you mean 'limit'"):
        load_gates([_gate("toy-b", thresholds={"limits": 2.0})])


def test_an_absent_plugin_is_named_with_what_to_install(site, gate_source):
    with pytest.raises(PluginError, match=r"'toy-c' is not installed: install toys==1\.0"):
        load_gates([_gate("toy-c")])
    site.install("toys", {"toy_c2": gate_source("toy-cc")}, {"toy-cc": "toy_c2"})
    with pytest.raises(PluginError, match="did the policy mean 'toy-cc'"):
        load_gates([_gate("toy-c")])


def test_a_plugin_of_another_group_is_absent(site, gate_source):
    site.install("toys", {"toy_d": gate_source("toy-d")}, {"toy-d": "toy_d"}, group="faceward.plugins.v2")
    with pytest.raises(PluginError, match="not installed"):
        load_gates([_gate("toy-d")])


@pytest.mark.parametrize(
    ("ref", "words"),
    [
        (_gate(version="1.1"), r"comes from toys 1\.0, and the policy names toys==1\.1"),
        (_gate(distribution="others"), r"comes from toys, and the policy names others==1\.0"),
    ],
)
def test_another_version_or_distribution_is_refused_before_import(site, ref: GateRef, words: str):
    site.install("toys", {"toy_never": "raise SystemExit"}, {"toy-a": "toy_never"})
    with pytest.raises(PluginError, match=words):
        load_gates([ref])


def test_names_of_distributions_are_compared_as_installers_do(site, gate_source):
    site.install("Toys_Box", {"toy_e": gate_source("toy-e")}, {"toy-e": "toy_e"})
    assert load_gates([_gate("toy-e", distribution="toys-box")])


def test_a_plugin_from_two_distributions_is_refused(site, gate_source):
    for name in ("toys", "toys-evil"):
        site.install(name, {"toy_f": gate_source("toy-f")}, {"toy-f": "toy_f"})
    with pytest.raises(PluginError, match="provided more than once"):
        load_gates([_gate("toy-f")])


def test_one_distribution_in_two_places_is_refused(site, gate_source):
    for _ in range(2):
        site.install("toys", {"toy_f": gate_source("toy-f")}, {"toy-f": "toy_f"})
    with pytest.raises(PluginError, match="provided more than once"):
        load_gates([_gate("toy-f")])


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("raise ValueError('at import')", r"can't be imported \(ValueError: at import\)"),
        ("raise SystemExit(3)", "can't be imported"),
        ("x = 1", "gave 0 answers"),
        ("from faceward.plugin import hookimpl\n@hookimpl\ndef faceward_gate(): return None", "gave 0 answers"),
        ("from faceward.plugin import hookimpl\n@hookimpl\ndef faceward_gate(): return 3", "gave a int, and not"),
        ("from faceward.plugin import hookimpl\n@hookimpl\ndef faceward_gate(): 1 / 0", "faceward_gate failed"),
        ("from faceward.plugin import hookimpl\n@hookimpl\ndef faceward_gates(): return 3", "malformed hook"),
        ("from faceward.plugin import hookimpl\n@hookimpl\ndef faceward_gate(sensor): return 3", "malformed hook"),
    ],
)
def test_a_broken_plugin_is_named(site, source: str, words: str, request: pytest.FixtureRequest):
    module = f"toy_broken_{abs(hash(request.node.name))}"
    site.install("toys", {module: source}, {"toy-a": module})
    with pytest.raises(PluginError, match=words) as caught:
        load_gates([_gate()])
    assert "'toy-a'" in str(caught.value)


@pytest.mark.parametrize(
    ("swap", "words"),
    [
        (('name = "toy-g"', 'name = "toy-x"'), "calls itself 'toy-x'"),
        (('version = "7"', "version = None"), "has no version"),
        (('{"limit": 0.5}', '{"limit": float("nan")}'), "threshold that is no number"),
        (('{"limit": 0.5}', '{"limit": "0.5"}'), "threshold that is no number"),
        (('{"limit": 0.5}', "1 / 0"), r"thresholds\(\) failed"),
    ],
)
def test_a_gate_that_does_not_say_who_it_is_is_refused(site, gate_source, swap, words, request):
    source = gate_source("toy-g")
    assert swap[0] in source
    module = f"toy_g_{abs(hash(request.node.name))}"
    site.install("toys", {module: source.replace(*swap)}, {"toy-g": module})
    with pytest.raises(PluginError, match=words):
        load_gates([_gate("toy-g")])


def test_two_drivers_for_one_product_are_refused(whole):
    policy = whole(drivers={"drv": (1, "(Driver(),)"), "drw": (1, "(Driver(),)")})
    with pytest.raises(PluginError, match="two drivers for 1209:0001"):
        load_plugins(policy)


def test_two_drivers_for_two_products_are_fine(whole):
    assert len(load_plugins(whole(drivers={"drv": (1, "(Driver(),)"), "drw": (2, "(Driver(),)")})).drivers) == 2


SCHEMES = """(Driver(),)
    from faceward.plugin import EvidenceScheme

    class Scheme(EvidenceScheme):
        kind = {kind!r}

        def verify_claim(self, proof):
            raise OSError

        def verify_capture(self, evidence, claim):
            raise OSError

    Driver.evidence = ({scheme},)
"""


def test_a_driver_brings_how_its_evidence_is_verified(whole):
    (driver,) = load_plugins(whole(drivers={"drv": (1, SCHEMES.format(kind="acme.v1", scheme="Scheme()"))})).drivers
    assert [scheme.kind for scheme in driver.evidence] == ["acme.v1"]


@pytest.mark.parametrize(
    ("kinds", "scheme", "words"),
    [
        (["acme.v1", "acme.v1"], "Scheme()", "'drw' verifies evidence of the kind acme.v1, as 'drv' does"),
        (["faceward.sensor.v1"], "Scheme()", "'drv' verifies evidence of the kind faceward.sensor.v1, as 'faceward'"),
        (["acme.v1"], "print", "not a scheme of evidence"),
    ],
)
def test_a_kind_of_evidence_is_verified_in_one_way(whole, kinds, scheme, words):
    drivers = {
        name: (pid, SCHEMES.format(kind=kind, scheme=scheme))
        for pid, (name, kind) in enumerate(zip(("drv", "drw"), kinds, strict=False), 1)
    }
    with pytest.raises(PluginError, match=words):
        load_plugins(whole(drivers=drivers))


@pytest.mark.parametrize("answer", ["()", "3", "('uvc',)"])
def test_a_driver_plugin_without_drivers_is_refused(whole, answer: str):
    with pytest.raises(PluginError, match="'drv'"):
        load_plugins(whole(drivers={"drv": (1, answer)}))


def test_a_signer_that_fails_for_a_reason_of_ours_says_so_itself(whole):
    from faceward.errors import SigningError

    plugins = load_plugins(whole(signer="from faceward.plugin import SigningError; raise SigningError('no key')"))
    with pytest.raises(SigningError, match="no key"):
        plugins.signer()


def test_a_signer_that_fails_otherwise_is_a_plugin_error(whole):
    with pytest.raises(PluginError, match="'part': faceward_signer failed"):
        load_plugins(whole(signer="raise OSError('disk')")).signer()


def _distribution(folder: Path) -> metadata.Distribution:
    return next(iter(metadata.distributions(path=[str(folder)])))


def test_files_are_checked_before_import_when_the_policy_has_their_digest(site, gate_source):
    folder = site.install("toys", {"toy_h": gate_source("toy-h")}, {"toy-h": "toy_h"})
    digest = digest_of_files(_distribution(folder))
    assert load_gates([_gate("toy-h", files_sha256=digest)])
    (folder / "toy_h.py").write_text("raise SystemExit\n")
    with pytest.raises(PluginError, match="are not those of the policy"):
        load_gates([_gate("toy-h", files_sha256=digest)])


def test_the_digest_follows_names_and_contents_and_not_what_installers_note(site):
    one = site.install("toys", {"toy_i": "x = 1"}, {"toy-i": "toy_i"})
    two = site.install("toys", {"toy_i": "x = 1"}, {"toy-i": "toy_i"})
    (two / "toys-1.0.dist-info" / "INSTALLER").write_text("pip\n")
    record = two / "toys-1.0.dist-info" / "RECORD"
    record.write_text(record.read_text() + "toys-1.0.dist-info/INSTALLER,,\n__pycache__/toy_i.cpython-311.pyc,,\n")
    three = site.install("toys", {"toy_i": "x = 2"}, {"toy-i": "toy_i"})
    digests = [digest_of_files(_distribution(folder)) for folder in (one, two, three)]
    assert digests[0] == digests[1] != digests[2]


def test_a_module_outside_of_the_hashed_files_is_refused(site, gate_source, tmp_path: Path, monkeypatch):
    folder = site.install("toys", {"toy_j": gate_source("toy-j")}, {"toy-j": "toy_j"})
    digest = digest_of_files(_distribution(folder))
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "toy_j.py").write_text("raise SystemExit\n")
    monkeypatch.syspath_prepend(str(tmp_path / "before"))
    with pytest.raises(PluginError, match=r"none of the files.*--editable"):
        load_gates([_gate("toy-j", files_sha256=digest)])


def _kit(site) -> tuple[Path, str]:
    """A gate that has its cue from a module beside it, and the digest of both."""
    files = {"toy_kit/__init__": "", "toy_kit/helper": "CUE = 'honest'", "toy_kit/gate": KIT}
    folder = site.install("toys", files, {"toy-kit": "toy_kit.gate"})
    return folder, digest_of_files(_distribution(folder))


def _cue_of(digest: str) -> str:
    for name in [name for name in sys.modules if name.partition(".")[0] == "toy_kit"]:
        del sys.modules[name]
    importlib.invalidate_caches()
    (loaded,) = load_gates([_gate("toy-kit", files_sha256=digest)])
    return str(loaded.gate.cue)


def test_a_cache_beside_hashed_files_is_not_what_runs(site, tmp_path: Path):
    folder, digest = _kit(site)
    source = folder / "toy_kit" / "helper.py"
    before = source.stat()
    other = tmp_path / "helper.py"
    other.write_text("CUE = 'EVIL!!'".ljust(before.st_size))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    cache = importlib.util.cache_from_source(str(source))
    py_compile.compile(str(other), cfile=cache, dfile=str(source), doraise=True)
    assert _cue_of(digest) == "honest"


def test_a_package_that_nobody_hashed_does_not_stand_before_a_module_that_was(site):
    folder, digest = _kit(site)
    assert _cue_of(digest) == "honest"
    (folder / "toy_kit" / "helper").mkdir()
    (folder / "toy_kit" / "helper" / "__init__.py").write_text("CUE = 'EVIL'")
    with pytest.raises(PluginError, match="none of the files of toys that were checked"):
        _cue_of(digest)


def test_a_file_that_is_changed_after_it_was_hashed_is_not_imported(site, monkeypatch):
    folder, digest = _kit(site)
    hashed = loader._hashed

    def changed(distribution: metadata.Distribution) -> object:
        found = hashed(distribution)
        (folder / "toy_kit" / "helper.py").write_text("CUE = 'late'")
        return found

    monkeypatch.setattr(loader, "_hashed", changed)
    with pytest.raises(PluginError, match="is not the file that was checked"):
        _cue_of(digest)


def test_a_distribution_is_hashed_and_pinned_once_however_many_of_its_gates_are_named(site, gate_source, monkeypatch):
    names = ("toy-one", "toy-two", "toy-three")
    files = {name.replace("-", "_"): gate_source(name) for name in names}
    folder = site.install("toys", files, {name: name.replace("-", "_") for name in names})
    digest = digest_of_files(_distribution(folder))
    seen = []
    hashed = loader._hashed
    monkeypatch.setattr(loader, "_hashed", lambda distribution: seen.append(distribution) or hashed(distribution))
    assert len(load_gates([_gate(name, files_sha256=digest) for name in names])) == 3
    assert len(seen) == 1
    assert len([finder for finder in sys.meta_path if isinstance(finder, PinnedFinder)]) == 1


def test_pins_end_with_the_policy_that_made_them(site):
    folder, digest = _kit(site)
    assert _cue_of(digest) == "honest"
    (folder / "toy_kit" / "helper.py").write_text("CUE = 'mended'")
    del sys.modules["toy_kit.helper"], sys.modules["toy_kit.gate"]
    assert [loaded.gate.cue for loaded in load_gates([_gate("toy-kit")])] == ["mended"]


class Forgetful(metadata.PathDistribution):
    """As Python 3.12 has it: what is gone is not among the files."""

    @property
    def files(self):
        return [file for file in super().files if file.locate().exists()]


@pytest.mark.parametrize("kind", [metadata.PathDistribution, Forgetful])
def test_files_that_are_gone_are_named(site, gate_source, kind):
    folder = site.install("toys", {"toy_k": gate_source("toy-k")}, {"toy-k": "toy_k"})
    (folder / "toy_k.py").unlink()
    with pytest.raises(PluginError, match=r"toy_k\.py can't be read"):
        digest_of_files(kind(folder / "toys-1.0.dist-info"))


def test_a_distribution_that_lists_nothing_is_refused(site, gate_source):
    folder = site.install("toys", {"toy_l": gate_source("toy-l")}, {"toy-l": "toy_l"})
    (folder / "toys-1.0.dist-info/RECORD").unlink()
    with pytest.raises(PluginError, match="doesn't list its files"):
        digest_of_files(_distribution(folder))
