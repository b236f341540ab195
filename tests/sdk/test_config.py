"""The policy file: every key is known, every value is of its kind, and what is wrong is named."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from faceward.config import AttemptLimits, Home, Policy, development_policy, load_policy
from faceward.errors import ConfigError, DeviceNotAttested
from faceward.model.frame import Calibration, Illumination, Intrinsics, SensorInfo, SensorKind
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TEXT = development_policy().decode()


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Policy]:
    """Loads the packaged policy with pieces of its text exchanged."""

    def run(*swaps: tuple[str, str], text: str = TEXT) -> Policy:
        for old, new in swaps:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "policy.toml"
        path.write_text(text)
        return load_policy(path)

    return run


@pytest.fixture
def sensor() -> SensorInfo:
    camera = Intrinsics(640, 480, 554.0, 554.0, 319.5, 239.5)
    calibration = Calibration(
        camera, camera, 100.0, 40.0, 200.0, 1000.0, 15.0, 0.7, 0.27, 5.5, 0.0, 20.0, 512.0, 51.0, 6.4, 65520.0
    )
    wavelengths = {Illumination.DOTS: 940, Illumination.FLOOD: 940}
    return SensorInfo(
        "usb:1209:0001", "V", "M", "S", "1", "A", SensorKind.STRUCTURED_LIGHT, wavelengths, 30.0, 4096, calibration, ()
    )


def test_the_packaged_policy_names_every_plugin(load):
    policy = load()
    assert [gate.name for gate in policy.gates] == ["challenge-echo", "continuity", "flatness", "skin-optics"]
    assert {gate.distribution for gate in policy.gates} == {"faceward-gates"}
    assert [driver.name for driver in policy.drivers] == ["uvc"]
    assert (policy.extractor.name, policy.signer.name, policy.key_provider.name) == ("sface", "file-key", "file-kek")
    assert policy.mode == "development"
    assert not policy.production
    assert not policy.allow_unattested
    assert policy.capture_transports == {"usb", "usbip"}
    assert policy.evaluate_transports == {"usb", "usbip", "replay"}
    assert policy.match_threshold is None
    assert policy.attempts == AttemptLimits()


def test_the_packaged_policy_is_of_this_version(load):
    import faceward

    policy = load()
    plugins = (*policy.gates, *policy.drivers, policy.extractor, policy.signer, policy.key_provider)
    assert {plugin.version for plugin in plugins} == {faceward.__version__}


def test_the_hash_is_that_of_the_files_bytes(load, tmp_path: Path):
    policy = load()
    assert policy.hash == hashlib.sha256((tmp_path / "policy.toml").read_bytes()).digest()
    assert load(("daily_per_sensor = 500", "daily_per_sensor = 501")).hash != policy.hash


def test_paths_in_options_are_taken_from_the_policys_folder(load, tmp_path: Path):
    policy = load()
    assert policy.signer.options["path"] == str((tmp_path / "keys/signer.pem").resolve())
    swapped = load(('path = "keys/signer.pem"', 'chain_path = "/etc/chain.pem", slot = "9a"'))
    assert swapped.signer.options == {"chain_path": "/etc/chain.pem", "slot": "9a"}


def test_gates_stand_in_name_order_whatever_the_files_order(load):
    policy = load(('name = "challenge-echo"', 'name = "zz-top"'))
    assert [gate.name for gate in policy.gates] == ["continuity", "flatness", "skin-optics", "zz-top"]


def test_thresholds_of_a_gate_are_read_as_numbers(load):
    policy = load(('name = "flatness"', 'name = "flatness"\nthresholds = { sets = 9, reach_mm = 800.5 }'))
    flatness = next(gate for gate in policy.gates if gate.name == "flatness")
    assert flatness.thresholds == {"sets": 9.0, "reach_mm": 800.5}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('mode = "development"', 'mod = "development"', r"mode is missing \(there is 'mod' instead\)"),
        ('mode = "development"', 'mode = "developement"', r"mode = 'developement'.*did you mean 'development'"),
        ('mode = "development"', "mode = 1", "mode must be a text"),
        ("version = 1\n", "version = 2\n", "version must be 1"),
        ("version = 1\n", "", "version must be 1"),
        ("allow_unattested", "allow_unatested", r"security.allow_unatested.*did you mean 'allow_unattested'"),
        ("allow_unattested = false", 'allow_unattested = "true"', "security.allow_unattested must be true or false"),
        ("allow_unattested = false", "allow_unattested = 1", "security.allow_unattested must be true or false"),
        ('level = "standard"', 'level = "hihg"', r"did you mean 'high'"),
        ("gate_timeout_s = 5.0", "gate_timeout_s = nan", "gate_timeout_s = nan must be between"),
        ("gate_timeout_s = 5.0", "gate_timeout_s = true", "gate_timeout_s must be a number"),
        ("gate_timeout_s = 5.0", "gate_timeout_s = 0", "gate_timeout_s = 0 must be between"),
        ('capture = ["usb", "usbip"]', "capture = []", "transports.capture must be a list that isn't empty"),
        ('capture = ["usb", "usbip"]', 'capture = "usb"', "transports.capture must be a list"),
        ('capture = ["usb", "usbip"]', 'capture = ["usb", "usb"]', "transports.capture names something twice"),
        ('capture = ["usb", "usbip"]', 'capture = ["usb", 3]', r"transports.capture\[1\] must be a text"),
        ('capture = ["usb", "usbip"]', 'capture = ["replay"]', "a recording never becomes a template"),
        ('evaluate = ["usb", "usbip", "replay"]', 'evaluate = ["replya"]', r"did you mean 'replay'"),
        ('name = "flatness"', 'nmae = "flatness"', r"gates\[2\].name is missing \(there is 'nmae' instead\)"),
        ('name = "flatness"', 'name = "Flat Ness"', r"gates\[2\].name = 'Flat Ness' does not have the right form"),
        ('name = "flatness"', 'name = "continuity"', "gates names 'continuity' twice"),
        ('name = "flatness"', 'name = "flatness"\nweight = 2', r"gates\[2\].weight is not a known key"),
        ('name = "flatness"', 'name = "flatness"\nthresholds = { sets = "9" }', r"thresholds.sets must be a number"),
        ('name = "flatness"', 'name = "flatness"\nthresholds = { sets = inf }', r"sets = inf must be"),
        ('name = "flatness"', 'name = "flatness"\nfiles_sha256 = "ABC"', "files_sha256 = 'ABC' does not have"),
        ('name = "sface"', "name = true", "extractor.name must be a text"),
        ("[extractor]", "[extractors]", r"extractor is missing \(there is 'extractors' instead\)"),
        ("[[drivers]]", "[[driver]]", r"drivers is missing \(there is 'driver' instead\)"),
        ('options = { path = "keys/signer.pem" }', "options = { path = 3 }", "signer.options.path must be a text"),
        ('options = { path = "keys/signer.pem" }', "options = 3", "signer.options must be a table"),
        ("captures_per_grant = 3", "captures_per_grant = 3.0", "captures_per_grant must be a whole number"),
        ("captures_per_grant = 3", "captures_per_grant = 0", "captures_per_grant = 0 must be between 1 and 10"),
        ("captures_per_grant = 3", "captures_per_grants = 3", r"did you mean 'captures_per_grant'"),
        ("[attempts]", "[match]\ntreshold = 0.4\n[attempts]", r"match.treshold.*did you mean 'threshold'"),
        ("[attempts]", "[match]\nthreshold = 1.4\n[attempts]", "match.threshold = 1.4 must be between -1 and 1"),
    ],
)
def test_a_wrong_key_or_value_is_named(load, old: str, new: str, words: str):
    with pytest.raises(ConfigError, match=words) as caught:
        load((old, new))
    assert "policy.toml" in str(caught.value)


def test_an_empty_gate_list_is_refused(load):
    head, _, rest = TEXT.partition("[[gates]]")
    rest = rest[rest.index("[[drivers]]") :]
    with pytest.raises(ConfigError, match="gates is missing"):
        load(text=head + rest)
    with pytest.raises(ConfigError, match="gates must be a list of tables"):
        load(text="gates = []\n" + head + rest)


def test_an_unreadable_policy_is_one_sentence(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"can't read the policy .*No such file"):
        load_policy(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="can't read the policy"):
        load_policy(tmp_path)


def test_what_is_no_toml_is_one_sentence(tmp_path: Path):
    path = tmp_path / "policy.toml"
    for data, words in ((b"mode = ", "is not TOML"), (b"\xff\xfe", "is not UTF-8"), (b"#" * 300_000, "larger than")):
        path.write_bytes(data)
        with pytest.raises(ConfigError, match=words):
            load_policy(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mangled_policy_is_read_or_refused_and_nothing_else(tmp_path: Path, data: st.DataObject):
    lines = TEXT.splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at] = data.draw(st.one_of(st.just(""), st.text(max_size=30), st.sampled_from(lines)))
    path = tmp_path / "policy.toml"
    path.write_bytes("\n".join(lines).encode("utf-8", "replace"))
    try:
        policy = load_policy(path)
    except ConfigError:
        return
    assert policy.gates


PRODUCTION = (
    ('mode = "development"', 'mode = "production"'),
    ("[attempts]", '[trust]\npath = "trust.fwt"\nroot = ["keys/root.pub.pem"]\n\n[attempts]'),
)
DIGESTED = TEXT.replace('version = "0.1.0"\n', f'version = "0.1.0"\nfiles_sha256 = "{"0" * 64}"\n')


def test_a_production_policy_has_a_trust_store_and_the_digest_of_every_plugin(load, tmp_path: Path):
    policy = load(*PRODUCTION, text=DIGESTED)
    assert policy.production
    assert not policy.self_permitting
    assert policy.gates[0].files_sha256 == "0" * 64
    assert policy.trust.path == tmp_path / "trust.fwt"
    assert (policy.trust.roots.need, policy.trust.roots.paths) == (1, (tmp_path / "keys/root.pub.pem",))


def test_a_production_policy_takes_no_unattested_sensor_and_is_not_without_a_trust_store(load):
    with pytest.raises(ConfigError, match="allow_unattested can't be true"):
        load(*PRODUCTION, ("allow_unattested = false", "allow_unattested = true"), text=DIGESTED)
    with pytest.raises(ConfigError, match=r"trust is missing.*faceward trust make"):
        load(PRODUCTION[0], text=DIGESTED)


@pytest.mark.parametrize("plugin", ["challenge-echo", "uvc", "sface", "file-key", "file-kek"])
def test_production_refuses_each_plugin_whose_files_have_no_digest(load, plugin: str):
    name = f'name = "{plugin}"\n'
    head, _, rest = DIGESTED.partition(name)
    with pytest.raises(ConfigError, match=f"'{plugin}' needs files_sha256"):
        load(*PRODUCTION, text=head + name + rest.replace(f'files_sha256 = "{"0" * 64}"\n', "", 1))


SECOND = """
[second_signer]
name = "file-key"
distribution = "faceward"
version = "0.1.0"
options = { path = "keys/second.pem", algorithm = "ml-dsa-65" }
"""


def test_a_second_signer_is_a_plugin_with_options_as_the_first(load, tmp_path: Path):
    assert load().second_signer is None
    second = load(text=TEXT + SECOND).second_signer
    assert second.options == {"path": str(tmp_path / "keys/second.pem"), "algorithm": "ml-dsa-65"}
    with pytest.raises(ConfigError, match="'file-key' needs files_sha256"):
        load(*PRODUCTION, text=DIGESTED + SECOND)


ADMINISTRATORS = '\n[administrators]\nneed = 2\nkeys = ["keys/a.pub.pem", "keys/b.pub.pem", "keys/c.pub.pem"]\n'


def test_administrators_are_files_and_how_many_of_them_must_sign(load, tmp_path: Path):
    assert load().administrators is None
    assert load().self_permitting
    policy = load(text=TEXT + ADMINISTRATORS)
    assert policy.administrators.need == 2
    assert policy.administrators.paths == tuple(tmp_path / f"keys/{name}.pub.pem" for name in "abc")
    assert not policy.self_permitting


def test_where_nothing_is_said_every_administrator_must_sign(load):
    assert load(text=TEXT + ADMINISTRATORS.replace("need = 2\n", "")).administrators.need == 3


@pytest.mark.parametrize(
    ("added", "words"),
    [
        ("[administrators]", "administrators.keys is missing"),
        ("[administrators]\nkeys = []", "administrators.keys must be a list that isn't empty"),
        ('[administrators]\nkeys = ["a", "a"]', "administrators.keys names something twice"),
        ('[administrators]\nkeys = ["a", "./a"]', "administrators.keys names a file twice"),
        (f"[administrators]\nkeys = {[str(n) for n in range(17)]}".replace("'", '"'), "or more than 16"),
        ('[administrators]\nkeys = ["a"]\nneed = 2', "administrators.need = 2, and administrators.keys names 1"),
        ('[administrators]\nkeys = ["a"]\nneed = 0', "administrators.need = 0 must be between 1 and 16"),
        ('[administrators]\nkeys = ["a"]\nneeed = 1', "administrators.neeed is not a known key"),
        ('[trust]\nroot = ["a"]', "trust.path is missing"),
        ('[trust]\npath = "t"', "trust.root is missing"),
        ('[trust]\npath = "t"\nroots = ["a"]', r"trust.root is missing \(there is 'roots' instead\)"),
        ('[trust]\npath = "t"\nroot = ["a"]\nneed = 2', "trust.need = 2, and trust.root names 1"),
        ('[trust]\npath = "t"\nroot = ["a"]\n[administrators]\nkeys = ["a"]', "can't stand beside trust"),
        ("[second_signer]", "second_signer.name is missing"),
    ],
)
def test_who_permits_and_who_is_believed_is_read_strictly(load, added: str, words: str):
    with pytest.raises(ConfigError, match=words):
        load(text=f"{TEXT}\n{added}\n")


def test_the_epoch_of_records_is_0_unless_the_policy_says_so(load):
    assert load().records.epoch == 0
    assert load(("valid_days = 365", "epoch = 7")).records.epoch == 7
    with pytest.raises(ConfigError, match=r"records.epoch = -1 must be between 0"):
        load(("valid_days = 365", "epoch = -1"))


@pytest.mark.parametrize("line", ["allow_unattested = false", ""])
def test_attestation_is_asked_for_unless_the_policy_says_otherwise(load, sensor, line):
    policy = load(("allow_unattested = false", line))
    assert not policy.allow_unattested
    with pytest.raises(DeviceNotAttested, match="because"):
        policy.check_sensor(sensor, attested=False, problem="because")
    policy.check_sensor(sensor, attested=True)
    load(("allow_unattested = false", "allow_unattested = true")).check_sensor(sensor, attested=False)


def test_a_sensor_behind_a_transport_that_is_not_allowed_is_refused(load, sensor):
    policy = load()
    policy.check_sensor(sensor, attested=True)
    with pytest.raises(ConfigError, match=r"transports.capture allows usb, usbip.*replay"):
        policy.check_sensor(replace(sensor, transport="replay"), attested=True)


def test_the_high_level_wants_two_bands_and_an_attested_sensor(load, sensor):
    policy = load(('level = "standard"', 'level = "high"'))
    two = replace(sensor, wavelengths_nm={**sensor.wavelengths_nm, Illumination.FLOOD_SECOND: 850})
    policy.check_sensor(two, attested=True)
    with pytest.raises(ConfigError, match="two infrared bands"):
        policy.check_sensor(sensor, attested=True)
    with pytest.raises(DeviceNotAttested):
        policy.check_sensor(two, attested=False)


@pytest.mark.parametrize(
    "wavelengths_nm",
    [
        {Illumination.DOTS: 850, Illumination.FLOOD: 940},
        {Illumination.DOTS: 850, Illumination.FLOOD: 940, Illumination.FLOOD_SECOND: 940},
        {Illumination.FLOOD: 940, Illumination.FLOOD_SECOND: 0},
    ],
)
def test_dots_of_another_colour_are_no_second_band(load, sensor, wavelengths_nm):
    policy = load(('level = "standard"', 'level = "high"'))
    with pytest.raises(ConfigError, match="two infrared bands"):
        policy.check_sensor(replace(sensor, wavelengths_nm=wavelengths_nm), attested=True)


def test_a_home_is_paths_below_one_folder(tmp_path: Path):
    home = Home(tmp_path)
    paths = (home.policy, home.keys, home.store, home.models, home.audit)
    assert len(set(paths)) == 5
    assert all(path.parent == tmp_path for path in paths)
    assert not list(tmp_path.iterdir())
    assert Home.default().folder.name == "faceward"
