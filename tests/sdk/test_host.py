"""The signing host: what it opens, in which order, and what it gives back."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from faceward.config import Home
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
from faceward.signing.sealing import unseal
from faceward.store.database import Database, sqlite_url

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
