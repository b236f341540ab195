"""Trust stores from a shell: described, signed, shown, and believed by a host."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

STORE = """
version = 1
sequence = 4
valid_days = 30
tenant = "development"
lock_group = "workbench"
policies = ["home/policy.toml"]
hosts = [{ need = 1, keys = [{ path = "home/keys/signer.pub.pem", custody = "file" }] }]
administrators = [{ need = 1, keys = [{ path = "admin.pub.pem", custody = "file" }] }]
sensor_roots = [{ name = "bench", simulated = true }]
firmware = [{ vendor = "Ward", model = "SL-940", minimum_security_version = 2 }]
gates = [{ name = "flatness", minimum_version = "0.1" }, { name = "skin-optics" }]
[allow]
development = true
simulated = true
"""


class Issuer:
    """A folder with a home, roots one and two, an administrator, and a store that is described but not signed."""

    def __init__(self, folder: Path, faceward: Any) -> None:
        self.folder, self.faceward = folder, faceward
        for name in ("one", "two", "admin"):
            assert faceward("keys", "new", folder / f"{name}.pem").code == 0
        (folder / "store.toml").write_text(STORE)

    def make(self, *keys: str, out: str = "trust", text: str | None = None) -> Any:
        if text is not None:
            (self.folder / "store.toml").write_text(text)
        given = [word for key in keys for word in ("--key", self.folder / f"{key}.pem")]
        return self.faceward("trust", "make", self.folder / "store.toml", *given, "--out", self.folder / out, "--json")

    def show(self, *options: object) -> Any:
        return self.faceward("trust", "show", self.folder / "trust", *options, "--json")

    def roots(self, *names: str) -> list[object]:
        return [word for name in names for word in ("--root", self.folder / f"{name}.pub.pem")]


@pytest.fixture
def issuer(tmp_path: Path, home: Path, faceward: Any) -> Issuer:
    return Issuer(tmp_path, faceward)


def test_a_store_is_signed_and_shown_as_it_was_described(issuer: Issuer) -> None:
    made = issuer.make("one")
    assert made.code == 0, made.err
    shown = issuer.show(*issuer.roots("one"))
    assert shown.code == 0, shown.err
    assert shown.json["verified"] is True
    for name in ("sequence", "tenant", "lock_group", "hosts", "administrators", "sensor_roots", "policy_hashes", "gates"):
        assert shown.json[name] == made.json[name]
    assert shown.json["sequence"] == 4
    assert shown.json["allow"] == {"development": True, "unattested": False, "simulated": True}
    assert shown.json["sensor_roots"][0]["simulated"] is True
    assert len(shown.json["policy_hashes"]) == 1
    assert (issuer.folder / "trust").stat().st_size == made.json["bytes"]


def test_people_are_told_what_is_allowed_and_that_nothing_was_verified(issuer: Issuer) -> None:
    assert issuer.make("one").code == 0
    shown = issuer.faceward("trust", "show", issuer.folder / "trust")
    assert shown.code == 0
    for words in (
        "trust store 4 of development / workbench",
        "1 of ",
        "(file)",
        "bench, ",
        "SIMULATED",
        "Ward SL-940, security version 2 or later",
        "flatness 0.1 or later",
        "skin-optics, any version",
        "ALLOWS          development, simulated",
        "nothing here is verified",
    ):
        assert words in shown.out
    assert issuer.show().json["verified"] is False


@pytest.mark.parametrize(
    ("signed", "asked", "code"),
    [
        (("one", "two"), ("one", "two"), 0),
        (("one",), ("one", "two"), 43),
        (("two",), ("one",), 43),
        (("one",), ("one", "two", "--need", "1"), 0),
    ],
)
def test_roots_must_all_have_signed_unless_fewer_are_asked_for(
    issuer: Issuer, signed: tuple[str, ...], asked: tuple[str, ...], code: int
) -> None:
    assert issuer.make(*signed).code == 0
    names = [name for name in asked if name in ("one", "two")]
    ran = issuer.show(*issuer.roots(*names), *asked[len(names) :])
    assert ran.code == code
    if code:
        assert "1 of 2" in ran.err or "0 of 1" in ran.err


def test_a_store_that_has_expired_is_shown_and_not_believed(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert issuer.make("one").code == 0
    now = time.time()
    monkeypatch.setattr("faceward.cli.trust.time.time", lambda: now + 31 * 86_400)
    assert "EXPIRED" in issuer.faceward("trust", "show", issuer.folder / "trust").out
    ran = issuer.show(*issuer.roots("one"))
    assert ran.code == 43
    assert "expired" in ran.err


def test_what_can_not_be_signed_leaves_no_file(issuer: Issuer) -> None:
    for ran, code, words in (
        (issuer.make(), 3, "nothing to sign with"),
        (issuer.make("none"), 42, "there is no key file"),
        (issuer.make("one", text=STORE.replace("sequence = 4", "")), 3, "sequence is missing"),
        (issuer.make("one", text=STORE.replace("development = true", "")), 3, "can't be met"),
        (issuer.make("one", text=STORE.replace("admin.pub.pem", "admin.pem")), 3, "admin.pem holds no"),
        (issuer.make("one", text="version ="), 3, "not TOML"),
    ):
        assert ran.code == code, ran.err
        assert words in ran.err
    assert not (issuer.folder / "trust").exists()


def test_a_store_is_never_written_over(issuer: Issuer) -> None:
    assert issuer.make("one").code == 0
    before = (issuer.folder / "trust").read_bytes()
    ran = issuer.make("one")
    assert ran.code == 3
    assert "is there already" in ran.err
    assert (issuer.folder / "trust").read_bytes() == before


@pytest.mark.parametrize("content", [None, b"", b"junk", bytes(300_000)])
def test_a_file_that_is_no_store_is_named(issuer: Issuer, content: bytes | None) -> None:
    if content is not None:
        (issuer.folder / "trust").write_bytes(content)
    for options in ((), issuer.roots("one")):
        ran = issuer.show(*options)
        assert ran.code in (3, 43)
        assert "trust" in ran.err


def test_a_count_without_roots_is_asked_back(issuer: Issuer) -> None:
    assert issuer.make("one").code == 0
    assert issuer.show("--need", "1").code == 3
    assert issuer.show("--need", "0").code == 2


def test_a_host_believes_the_store_that_its_policy_names(issuer: Issuer, home: Path) -> None:
    policy = home / "policy.toml"
    policy.write_text(policy.read_text() + '\n[trust]\npath = "../trust"\nroot = ["../one.pub.pem"]\n')
    away = ("--home", home, "--sensor", "usbip://127.0.0.1:1/1-1", "--json")
    assert issuer.faceward(*away, "enroll", "alice").code == 3  # there is no such file yet

    assert issuer.make("one").code == 0
    alone = issuer.faceward(*away, "enroll", "alice")
    assert alone.code == 33
    assert "faceward grant request" in alone.err

    request, grant = issuer.folder / "request", issuer.folder / "grant"
    assert issuer.faceward(*away, "grant", "request", "alice", "--out", request).code == 0
    assert issuer.faceward("grant", "issue", request, "--key", issuer.folder / "admin.pem", "--out", grant).code == 0
    assert 10 <= issuer.faceward(*away, "enroll", "alice", "--grant", grant).code <= 18  # all it lacks is a sensor

    older = STORE.replace("sequence = 4", "sequence = 3")
    (issuer.folder / "trust").unlink()
    assert issuer.make("one", text=older).code == 0
    back = issuer.faceward(*away, "enroll", "alice", "--grant", grant)
    assert back.code == 43
    assert "sequence 3, and 4 was taken before" in back.err


def test_a_policy_that_the_store_does_not_pin_enrolls_nobody(issuer: Issuer, home: Path) -> None:
    policy = home / "policy.toml"
    text = policy.read_text() + '\n[trust]\npath = "../trust"\nroot = ["../one.pub.pem"]\n'
    policy.write_text(text)
    assert issuer.make("one").code == 0
    policy.write_text(text.replace("captures_per_grant = 3", "captures_per_grant = 4"))
    ran = issuer.faceward("--home", home, "enroll", "alice")
    assert ran.code == 3
    assert "does not take this policy" in ran.err
