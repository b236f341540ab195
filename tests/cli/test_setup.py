"""Keys from a shell: each file whole, for its owner alone, and never written over."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from faceward.signing.file_key import FileKeySigner
from faceward_proto.keys import PublicKey


@pytest.mark.parametrize(
    ("options", "algorithm"),
    [((), "ES256"), (("--algorithm", "ed25519"), "Ed25519"), (("--algorithm", "ml-dsa-65"), "ML-DSA-65")],
)
@pytest.mark.parametrize("name", ["admin.pem", "admin"])
def test_a_new_key_is_a_private_file_and_a_public_one(
    faceward: Any, tmp_path: Path, options: tuple[str, ...], algorithm: str, name: str
) -> None:
    ran = faceward("keys", "new", tmp_path / name, *options, "--json")
    assert ran.code == 0, ran.err
    private, public = Path(ran.json["private_key"]), Path(ran.json["public_key"])
    assert (private, public) == (tmp_path / name, tmp_path / "admin.pub.pem")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    signer = FileKeySigner.load(private, algorithm)
    key = PublicKey.from_pem(public.read_bytes())
    assert key.verifies(signer.sign(b"message"), b"message")
    assert (ran.json["key_id"], ran.json["algorithm"]) == (key.key_id, algorithm)


@pytest.mark.parametrize("there", ["admin.pem", "admin.pub.pem"])
def test_a_key_is_never_written_over(faceward: Any, tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("kept")
    ran = faceward("keys", "new", tmp_path / "admin.pem")
    assert ran.code in (3, 42)
    assert "is there already" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "kept"


def test_a_key_without_its_public_half_is_taken_back(
    faceward: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, content: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("faceward.cli.setup.write_new", fail)
    assert faceward("keys", "new", tmp_path / "admin.pem").code == 130
    assert list(tmp_path.iterdir()) == []


def test_an_algorithm_that_there_is_not_makes_no_key(faceward: Any, tmp_path: Path) -> None:
    ran = faceward("keys", "new", tmp_path / "admin.pem", "--algorithm", "rsa")
    assert ran.code == 3
    assert "es256, ed25519, ml-dsa-65" in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("added", "severity", "said"),
    [
        ("", "ok", "it permits enrollments itself (development)"),
        ('[administrators]\nneed = 1\nkeys = ["keys/signer.pub.pem"]\n', "ok", "1 of 1 administrators permit enrollments"),
        ('[administrators]\nkeys = ["keys/none.pem"]\n', "error", "none.pem"),
        ('[trust]\npath = "none.fwtrust"\nroot = ["keys/signer.pub.pem"]\n', "error", "none.fwtrust"),
    ],
    ids=["nobody", "administrators", "a key that is missing", "a trust store that is missing"],
)
def test_doctor_says_who_permits_and_what_is_missing_for_it(
    home: Path, faceward: Any, added: str, severity: str, said: str
) -> None:
    policy = home / "policy.toml"
    policy.write_text(f"{policy.read_text()}\n{added}")
    ran = faceward("--home", home, "doctor", "--json")
    finding = ran.json["findings"][0]
    assert finding["severity"] == severity
    assert ran.code == (3 if severity == "error" else 10)  # there is no sensor
    assert said in finding["detail"]


def test_what_somebody_else_made_meanwhile_is_not_taken_back(
    faceward: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = FileKeySigner.create

    def beaten(path: Path, *algorithm: str) -> FileKeySigner:
        if not path.exists():
            create(path, *algorithm)
        return create(path, *algorithm)

    monkeypatch.setattr(FileKeySigner, "create", beaten)
    ran = faceward("--home", tmp_path / "home", "keys", "init")
    assert ran.code == 42, ran.err
    assert [path.name for path in (tmp_path / "home" / "keys").iterdir()] == ["signer.pem"]


@pytest.mark.parametrize(
    ("version", "sockets", "severity", "said"),
    [
        (7, True, "ok", "Landlock 7 and a seccomp filter"),
        (0, True, "warning", "has no Landlock"),
        (7, False, "warning", "has no seccomp filters"),
    ],
)
def test_doctor_says_whether_gates_can_be_kept_from_keys_and_from_the_network(
    home: Path, faceward: Any, monkeypatch: pytest.MonkeyPatch, version: int, sockets: bool, severity: str, said: str
) -> None:
    monkeypatch.setattr("faceward.liveness.confinement.landlock_version", lambda: version)
    monkeypatch.setattr("faceward.liveness.confinement.can_refuse_sockets", lambda: sockets)
    findings = faceward("--home", home, "doctor", "--json").json["findings"]
    (kernel,) = [finding for finding in findings if said in finding["detail"]]
    assert kernel["severity"] == severity
