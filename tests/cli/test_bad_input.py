"""Bad input from a shell: one clear sentence, its exit code, and nothing stored."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from faceward.config import development_policy
from faceward.face.models import ModelFiles, default_folder

NOBODY_THERE = "usbip://127.0.0.1:{port}/1-1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kept(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (b"", "version"),
        (b"\xff\xfe", "not UTF-8"),
        (b"version = ", "not TOML"),
        (development_policy().replace(b"[security]", b"[securty]"), "securty"),
        (development_policy().replace(b"gate_timeout_s", b"gate_timeout"), "did you mean 'gate_timeout_s'"),
        (development_policy().replace(b"[[gates]]", b"[[gatez]]"), "gatez"),
    ],
    ids=["empty", "bytes", "cut off", "misspelt table", "misspelt key", "no gates"],
)
def test_a_policy_that_is_not_one_is_named_with_its_key(home: Path, faceward: Any, policy: bytes, said: str) -> None:
    (home / "policy.toml").write_bytes(policy)
    before = kept(home)
    ran = faceward("--home", home, "enroll", "alice")
    assert ran.code == 3
    assert said in ran.err
    assert "policy.toml" in ran.err
    assert kept(home) == before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'name = "flatness"', b'name = "flattness"', "did the policy mean 'flatness'"),
        (b'distribution = "faceward-gates"', b'distribution = "other-gates"', "comes from faceward-gates"),
        (b'name = "uvc"', b'name = "no-such-driver"', "not installed"),
    ],
    ids=["a missing gate", "another distribution", "a missing driver"],
)
def test_a_plugin_that_is_not_as_the_policy_says_refuses_to_start(
    home: Path, faceward: Any, old: bytes, new: bytes, said: str
) -> None:
    (home / "policy.toml").write_bytes(development_policy().replace(old, new))
    ran = faceward("--home", home, "enroll", "alice", "--json")
    assert ran.code == 4
    assert ran.lines[-1]["error"]["code"] == "plugin"
    assert said in ran.err


@pytest.mark.parametrize("address", ["", "usb", "usb:xyz", "usb:12345:1", "usbip://", "http://127.0.0.1", "usb:1209:0001:"])
def test_an_address_that_is_none_is_said_with_the_forms_that_there_are(home: Path, faceward: Any, address: str) -> None:
    ran = faceward("--home", home, "--sensor", address, "enroll", "alice")
    assert ran.code == 3
    assert "usbip://HOST:PORT/BUSID" in ran.err


def test_a_recording_never_enrolls(home: Path, faceward: Any, tmp_path: Path) -> None:
    ran = faceward("--home", home, "--sensor", f"replay:{tmp_path}/any.mcap", "enroll", "alice")
    assert ran.code == 3
    assert "replay" in ran.err


def test_a_sensor_that_nobody_serves_is_a_device_error_in_bounded_time(home: Path, faceward: Any) -> None:
    ran = faceward("--home", home, "--sensor", NOBODY_THERE.format(port=free_port()), "enroll", "alice", "--json")
    assert 10 <= ran.code <= 18
    assert ran.lines[-1]["error"]["code"].startswith("device")
    assert faceward("--home", home, "list", "--json").json == {"subjects": []}


def test_wrong_ids_are_no_supported_sensor(home: Path, faceward: Any, faceward_sim_server: Any) -> None:
    server = faceward_sim_server(actor="live", seed=1, faults=["wrong-ids"])
    ran = faceward("--home", home, "--sensor", f"usbip://127.0.0.1:{server.port}/1-1", "enroll", "alice")
    assert ran.code == 11
    assert faceward("--usbip", f"127.0.0.1:{server.port}", "sensors").code == 11


def test_garbage_descriptors_are_a_protocol_error(home: Path, faceward: Any, faceward_sim_server: Any) -> None:
    server = faceward_sim_server(actor="live", seed=1, faults=["garbage-descriptors"])
    ran = faceward("--home", home, "--sensor", f"usbip://127.0.0.1:{server.port}/1-1", "enroll", "alice")
    assert ran.code == 16


@pytest.mark.parametrize("fault", ["unplug:3", "garbage-metadata:0", "silent:2"])
def test_a_sensor_that_fails_in_a_capture_stores_nothing(
    home: Path, faceward: Any, faceward_sim_server: Any, fault: str
) -> None:
    server = faceward_sim_server(actor="live", seed=1, faults=[fault])
    ran = faceward("--home", home, "--sensor", f"usbip://127.0.0.1:{server.port}/1-1", "enroll", "alice", "--json")
    assert 10 <= ran.code <= 18
    assert "enrolled" not in [line.get("event") for line in ran.lines]
    assert faceward("--home", home, "list", "--json").json == {"subjects": []}


@pytest.mark.parametrize("name", ["../alice", "a/b", "/etc/passwd", "", ".", "a..b", "a\0b", "é", "x" * 65, "-x"])
@pytest.mark.parametrize("command", ["enroll", "verify", "show", "remove"])
def test_a_name_with_a_path_in_it_is_no_name(home: Path, faceward: Any, command: str, name: str) -> None:
    before = kept(home).keys()
    ran = faceward("--home", home, command, "--json", "--", name)
    assert ran.code == 3, ran.err
    assert "name" in ran.err
    assert set(kept(home)) - before <= {"store.sqlite"}


@pytest.mark.parametrize("command", ["verify", "show", "remove"])
def test_somebody_who_is_not_enrolled_is_said_to_be_unknown(home: Path, faceward: Any, command: str) -> None:
    ran = faceward("--home", home, command, "nobody", "--json")
    assert ran.code == 41
    assert ran.lines[-1]["error"]["code"] == "subject-unknown"


def test_before_keys_init_the_message_names_it(tmp_path: Path, faceward: Any) -> None:
    ran = faceward("--home", tmp_path / "none", "enroll", "alice")
    assert ran.code == 3
    assert "faceward keys init" in ran.err
    assert not (tmp_path / "none").exists()


def test_without_models_the_message_names_the_command(home: Path, faceward: Any) -> None:
    (home / "models").mkdir()
    ran = faceward("--home", home, "enroll", "alice")
    assert ran.code == 3
    assert "faceward models install" in ran.err


def test_a_model_file_that_was_changed_is_refused(home: Path, faceward: Any) -> None:
    (home / "models").mkdir()
    ModelFiles.locate()
    for path in default_folder().glob("*.onnx"):
        data = bytearray(path.read_bytes())
        data[1000] ^= 1
        (home / "models" / path.name).write_bytes(data)
    ran = faceward("--home", home, "list")
    assert ran.code == 3
    assert "not the pinned model file" in ran.err


def test_keys_are_never_written_over(home: Path, faceward: Any) -> None:
    before = kept(home)
    ran = faceward("--home", home, "keys", "init")
    assert ran.code == 3
    assert "there already" in ran.err
    assert kept(home) == before


def test_a_set_up_that_fails_half_way_leaves_nothing(
    tmp_path: Path, faceward: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr("faceward.config.development_policy", fail)
    assert faceward("--home", tmp_path / "home", "keys", "init").code == 130
    assert kept(tmp_path / "home") == {}


def test_a_missing_signing_key_is_a_signing_error(home: Path, faceward: Any) -> None:
    (home / "keys" / "signer.pem").unlink()
    assert faceward("--home", home, "list").code == 42


def test_a_signing_key_that_others_may_read_is_refused(home: Path, faceward: Any) -> None:
    (home / "keys" / "signer.pem").chmod(0o644)
    ran = faceward("--home", home, "list")
    assert ran.code == 42
    assert "chmod 600" in ran.err


def test_a_store_that_is_no_database_is_a_store_error(home: Path, faceward: Any) -> None:
    (home / "store.sqlite").write_bytes(b"not a database, " * 100)
    ran = faceward("--home", home, "list", "--json")
    assert ran.code == 40
    assert ran.json["error"]["code"] == "store"


def test_a_store_of_another_key_is_refused(home: Path, faceward: Any, tmp_path: Path) -> None:
    assert faceward("--home", home, "list").code == 0
    other = tmp_path / "other"
    assert faceward("--home", other, "keys", "init").code == 0
    (home / "keys" / "store.kek").write_bytes((other / "keys" / "store.kek").read_bytes())
    ran = faceward("--home", home, "list")
    assert ran.code == 40
    assert "another key" in ran.err


@pytest.mark.parametrize("command", ["inspect", "evaluate"])
@pytest.mark.parametrize("content", [None, b"", b"\x89MCAP0\r\n", b"no recording at all " * 50])
def test_a_file_that_is_no_recording_is_named(
    faceward: Any, tmp_path: Path, command: str, content: bytes | None
) -> None:
    path = tmp_path / "some.mcap"
    if content is not None:
        path.write_bytes(content)
    ran = faceward("--home", tmp_path / "none", command, path, "--json")
    assert ran.code in (3, 16)
    assert "some.mcap" in ran.err
    assert ran.json["error"]["exit_code"] == ran.code


def test_a_log_file_that_can_not_be_written_ends_before_anything_begins(home: Path, faceward: Any) -> None:
    ran = faceward("--home", home, "--log-file", home / "no folder" / "log", "list")
    assert ran.code == 3
    assert "--log-file" in ran.err
