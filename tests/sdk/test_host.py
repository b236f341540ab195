"""The signing host: what it opens, in which order, and what it gives back."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from faceward.config import Home, KeyFiles, TrustRef
from faceward.enrollment import enroll
from faceward.errors import (
    ConfigError,
    DeviceNotAttested,
    PluginError,
    SigningError,
    StoreError,
    VerificationError,
)
from faceward.face.models import default_folder
from faceward.host import Host
from faceward.model.capture import SensorClaim
from faceward.model.template import Attestation
from faceward.signing.file_kek import FileKeyProvider
from faceward.signing.file_key import FileKeySigner
from faceward.signing.pkcs11 import Pkcs11Signer, TokenKey
from faceward.signing.sealing import unseal
from faceward.store.database import Database, sqlite_url
from faceward.store.watermarks import Watermark

Desk = Any


@pytest.fixture
def home(bench) -> Home:
    return bench.home()


def opened(home: Home, **options: Any) -> Host:
    return Host.open(home, **{"models_folder": default_folder(), **options})


def test_a_home_is_opened_as_its_policy_names_it(home: Home) -> None:
    with opened(home) as host:
        assert host.policy.path == home.policy
        assert {gate.name for gate in host.plugins.gates} == {gate.name for gate in host.policy.gates}
        assert host.extractor.name == "sface"
        assert host.key_digest == hashlib.sha256(host.signer.public_key_der).digest()
        assert host.templates.list() == ()
        assert home.store.exists()


def test_a_policy_and_a_store_elsewhere_are_taken_when_they_are_named(home: Home, tmp_path: Path) -> None:
    policy = home.folder / "strict.toml"
    policy.write_text(home.policy.read_text().replace("captures_per_grant = 3", "captures_per_grant = 1"))
    home.policy.unlink()
    elsewhere = tmp_path / "elsewhere.sqlite"
    with opened(home, policy_path=policy, store_url=sqlite_url(elsewhere)) as host:
        assert host.policy.attempts.captures_per_grant == 1
    assert elsewhere.exists()
    assert not home.store.exists()


@pytest.mark.parametrize(
    ("missing", "error"),
    [
        (lambda home: home.policy, ConfigError),
        (lambda home: home.keys / "signer.pem", SigningError),
        (lambda home: home.keys / "store.kek", SigningError),
    ],
    ids=["policy", "signing key", "store key"],
)
def test_a_home_that_lacks_something_is_not_opened_and_no_store_is_made(
    home: Home, missing: Any, error: type[Exception]
) -> None:
    missing(home).unlink()
    with pytest.raises(error):
        opened(home)
    assert not home.store.exists()


def test_missing_models_name_the_command_that_installs_them(home: Home, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="faceward models install"):
        opened(home, models_folder=tmp_path / "none")
    assert not home.store.exists()


def test_a_gate_that_is_not_installed_is_a_plugin_error(home: Home) -> None:
    home.policy.write_text(home.policy.read_text().replace('name = "flatness"', 'name = "roundness"'))
    with pytest.raises(PluginError, match="roundness"):
        opened(home)


def test_the_database_is_given_back_when_the_store_refuses_its_key(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(home).close()
    (home.keys / "store.kek").unlink()
    FileKeyProvider.create(home.keys / "store.kek")
    closed = []
    close = Database.close
    monkeypatch.setattr(Database, "close", lambda database: closed.append(close(database)))
    with pytest.raises(StoreError, match="another key"):
        opened(home)
    assert closed == [None]


def test_leaving_the_context_gives_the_store_back_after_an_error_too(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []
    close = Database.close
    monkeypatch.setattr(Database, "close", lambda database: closed.append(close(database)))
    with pytest.raises(RuntimeError), opened(home):
        raise RuntimeError
    assert closed == [None]


def test_what_is_no_key_provider_is_refused_before_the_store_opens(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from faceward.liveness.loader import Plugins

    monkeypatch.setattr(Plugins, "key_provider", lambda plugins: object())
    with pytest.raises(ConfigError, match="file-kek"):
        opened(home)
    assert not home.store.exists()


def test_a_sensor_is_opened_by_the_policy_s_transports_and_the_host_s_backend(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}

    def open_sensor(address: str, drivers: object, **options: Any) -> object:
        asked.update(options, address=address, drivers=drivers)
        return desk.open_sensor(address, drivers)

    monkeypatch.setattr("faceward.host.open_sensor", open_sensor)
    marker = object()
    host = replace(desk.host, backend=marker)
    with host.open_sensor("usb:1209:0001", timeout_s=1.5) as sensor:
        assert sensor.info.serial == "W-1"
    assert asked == {
        "address": "usb:1209:0001", "drivers": host.plugins.drivers, "transports": host.policy.capture_transports,
        "backend": marker, "timeout_s": 1.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("claim", "changes", "error"),
    [
        (None, {"level": "high", "allow_unattested": True}, DeviceNotAttested),
        (None, {}, DeviceNotAttested),
        (SensorClaim("told.v1", b"forged"), {}, DeviceNotAttested),
        (SensorClaim("unknown.v1", b"proof"), {}, DeviceNotAttested),
        (SensorClaim("told.v1", b"proof"), {"level": "high"}, ConfigError),
        (SensorClaim("told.v1", b"proof"), {"capture_transports": frozenset({"usbip"})}, ConfigError),
    ],
    ids=["level", "unattested", "forged", "unknown", "bands", "transport"],
)
def test_a_sensor_that_the_policy_refuses_is_closed_and_no_attempt_is_spent(
    desk: Desk, claim: SensorClaim | None, changes: dict[str, Any], error: type[Exception]
) -> None:
    desk.claim = claim
    host = replace(desk.host, policy=replace(desk.host.policy, **changes))
    with pytest.raises(error):
        enroll(host, "alice")
    assert desk.steps == ["worker", "open usb:", "sensor closed", "worker closed"]
    assert desk.attempts == []


def test_a_sensor_that_proves_nothing_makes_records_that_say_so_where_the_policy_takes_it(desk: Desk) -> None:
    desk.claim = None
    host = replace(desk.host, policy=replace(desk.host.policy, allow_unattested=True))
    with host.open_sensor("usb:") as sensor:
        assert host.provenance(sensor).attestation is Attestation.NONE
    assert host.trust().allow_unattested
    assert not desk.host.trust().allow_unattested


def test_a_production_host_does_not_believe_itself(desk: Desk) -> None:
    host = replace(desk.host, policy=replace(desk.host.policy, mode="production"))
    with pytest.raises(ConfigError, match="production"):
        host.trust()


def test_trust_without_simulated_sensors_refuses_what_one_made(desk: Desk) -> None:
    desk.tell()
    made = enroll(desk.host, "alice")
    now_s = desk.host.clock()
    assert unseal(made.envelope, desk.host.trust(), now_s=now_s).simulated
    with pytest.raises(VerificationError):
        unseal(made.envelope, desk.host.trust(simulated=False), now_s=now_s)


# Whose word counts


def test_a_host_without_administrators_is_its_own_in_development(desk: Desk) -> None:
    trust = desk.host.trust()
    assert [each.key.key_id for each in trust.administrators[0].keys] == [desk.host.signer.key_id]
    assert trust.allow_development


def test_a_policy_s_administrators_take_the_host_s_place(desk: Desk, make_keys: Any) -> None:
    folder = desk.host.policy.path.parent / "keys"
    signers = make_keys(folder, "a", "b", "c")
    named = KeyFiles(2, tuple(folder / f"{name}.pub.pem" for name in "abc"))
    host = replace(desk.host, policy=replace(desk.host.policy, administrators=named))
    (rule,) = host.trust().administrators
    assert (rule.need, {each.key.key_id for each in rule.keys}) == (2, {signer.key_id for signer in signers})


def test_an_administrator_s_key_that_is_missing_stops_the_host(desk: Desk, tmp_path: Path) -> None:
    named = KeyFiles(1, (tmp_path / "none.pem",))
    host = replace(desk.host, policy=replace(desk.host.policy, administrators=named))
    with pytest.raises(ConfigError, match=r"none\.pem"):
        host.trust()


def test_a_host_believes_its_signed_trust_store(believer: Any) -> None:
    believer.issue()
    trust = believer.host.trust()
    assert trust.sequence == 1
    assert trust.administrators[0].keys[0].key.key_id == believer.administrator.key_id
    assert trust.allow_simulated and trust.allow_development
    assert not believer.host.trust(simulated=False).allow_simulated


def test_what_a_trust_store_allows_a_production_host_does_not(believer: Any) -> None:
    believer.issue()
    policy = replace(believer.host.policy, mode="production")
    trust = replace(believer.host, policy=policy).trust()
    assert not (trust.allow_simulated or trust.allow_development or trust.allow_unattested)


def test_what_proves_nothing_is_taken_where_policy_and_trust_store_both_say_so(believer: Any) -> None:
    for sequence, (store, policy) in enumerate(product((False, True), repeat=2), 1):
        believer.issue(sequence, allow="unattested = true" if store else "")
        host = replace(believer.host, policy=replace(believer.host.policy, allow_unattested=policy))
        assert host.trust().allow_unattested is (store and policy)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"now_s": 1_000_000_000}, "expired"),
        ({"group": "vault"}, "wrong-context"),
        ({"signer": "administrator"}, "signature-invalid"),
    ],
    ids=["expired", "another lock group", "not by the root"],
)
def test_a_trust_store_that_does_not_count_is_not_believed(
    believer: Any, changes: dict[str, Any], kind: str
) -> None:
    if "signer" in changes:
        changes = {"signer": believer.administrator}
    believer.issue(**changes)
    with pytest.raises(VerificationError) as caught:
        believer.host.trust()
    assert caught.value.kind == kind
    assert believer.host.watermarks.highest(Watermark.TRUST) == 0


def test_a_trust_store_never_goes_back_not_even_over_a_restart(believer: Any) -> None:
    believer.issue(5)
    believer.host.trust()
    believer.host.trust()
    believer.issue(4)
    with pytest.raises(VerificationError) as caught:
        believer.host.trust()
    assert caught.value.kind == "rolled-back"
    with opened(Home(believer.folder.parent)) as again, pytest.raises(VerificationError):
        replace(again, policy=believer.host.policy).trust()
    believer.issue(6)
    assert believer.host.trust().sequence == 6


@pytest.mark.parametrize("content", [None, b"", b"junk", bytes(400_000)])
def test_a_trust_store_that_is_none_is_an_error_and_never_a_default(believer: Any, content: bytes | None) -> None:
    if content is not None:
        (believer.folder / "trust.fwtrust").write_bytes(content)
    with pytest.raises((ConfigError, VerificationError)):
        believer.host.trust()
    with pytest.raises((ConfigError, VerificationError)):
        enroll(believer.host, "alice")


def test_a_host_that_its_trust_store_would_refuse_opens_no_sensor(desk: Desk, believer: Any) -> None:
    believer.issue(epoch=1)
    with pytest.raises(ConfigError, match="epoch = 0 is over"):
        enroll(believer.host, "alice")
    assert desk.steps == []


# Production


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> None:
    """Policies that are read are production ones, whatever they say."""
    from faceward.config import load_policy

    trust = TrustRef(Path("none"), KeyFiles(1, (Path("none"),)))
    monkeypatch.setattr(
        "faceward.host.load_policy", lambda path: replace(load_policy(path), mode="production", trust=trust)
    )


def test_a_production_host_takes_no_key_out_of_a_file(home: Home, production: None) -> None:
    with pytest.raises(ConfigError, match=r"copied from \(file\).*pkcs11"):
        opened(home)
    assert not home.store.exists()


def test_a_production_host_takes_no_second_key_out_of_a_file_either(
    home: Home, production: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from faceward.liveness.loader import Plugins

    class OnToken(FileKeySigner):
        custody = "pkcs11"

    monkeypatch.setattr(Plugins, "signer", lambda plugins: OnToken.load(home.keys / "signer.pem"))
    opened(home).close()
    second = FileKeySigner.create(home.keys / "second.pem", "ML-DSA-65")
    monkeypatch.setattr(Plugins, "second_signer", lambda plugins: second)
    with pytest.raises(ConfigError, match=second.key_id[:16]):
        opened(home)


def test_a_production_host_signs_with_a_token(home: Home, production: None, softhsm: Path) -> None:
    pin = home.keys / "pin"
    pin.touch(mode=0o600)
    pin.write_text("76543210")
    where = TokenKey(softhsm, "lock", "production host", pin)
    made = Pkcs11Signer.create(where)
    text = home.policy.read_text()
    head, _, tail = text.partition('[signer]\nname = "file-key"')
    options = f'module_path = "{softhsm}", token = "lock", key = "production host", pin_path = "keys/pin"'
    home.policy.write_text(f'{head}[signer]\nname = "pkcs11"{tail}'.replace('path = "keys/signer.pem"', options))
    with opened(home) as host:
        assert (host.signer.custody, host.signer.key_id) == ("pkcs11", made.key_id)
        assert not host.policy.self_permitting


# Second signers and epochs


def with_second(home: Home, algorithm: str = "ml-dsa-65", path: str = "keys/second.pem") -> None:
    home.policy.write_text(
        home.policy.read_text() + '\n[second_signer]\nname = "file-key"\ndistribution = "faceward"\nversion = "0.1.0"\n'
        f'options = {{ path = "{path}", algorithm = "{algorithm}" }}\n'
    )


def test_a_second_signer_s_key_must_have_signed_every_record(home: Home) -> None:
    second = FileKeySigner.create(home.keys / "second.pem", "ML-DSA-65")
    with_second(home)
    with opened(home) as host:
        assert [signer.key_id for signer in host.signers] == [host.signer.key_id, second.key_id]
        rules = host.trust().hosts
        assert [(rule.need, rule.keys[0].key.key_id) for rule in rules] == [(1, host.signer.key_id), (1, second.key_id)]


def test_one_key_is_not_two_signers(home: Home) -> None:
    with_second(home, "es256", "keys/signer.pem")
    with pytest.raises(ConfigError, match="second_signer has the key of signer"):
        opened(home)


def test_a_second_signer_without_its_key_is_not_left_out(home: Home) -> None:
    with_second(home)
    with pytest.raises(SigningError, match=r"second\.pem"):
        opened(home)


def test_an_epoch_that_is_over_is_not_opened_again(home: Home) -> None:
    def in_epoch(epoch: int) -> None:
        text = home.policy.read_text().replace("valid_days = 365", f"epoch = {epoch}\nvalid_days = 365")
        home.policy.write_text(text)

    before = home.policy.read_text()
    in_epoch(4)
    with opened(home) as host:
        host.watermarks.reach(Watermark.EPOCH, 4)
    home.policy.write_text(before)
    in_epoch(3)
    with pytest.raises(ConfigError, match=r"records.epoch = 3 is below 4"):
        opened(home)
    home.policy.write_text(before)
    in_epoch(5)
    opened(home).close()
