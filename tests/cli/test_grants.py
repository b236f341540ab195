"""Permission from a shell: asked for, issued, signed, looked at, and refused wherever something does not fit."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from faceward.config import Home
from faceward.face.models import default_folder
from faceward.host import Host
from faceward.permission import occasion_of
from faceward.signing.grants import look_at_grant, verify_grant
from faceward.store.attempts import AttemptResult
from faceward.store.subjects import parse_subject
from faceward.wire.request import decode_request

ADMINISTRATORS = """
[administrators]
need = {need}
keys = ["keys/a.pub.pem", "keys/b.pub.pem"]
"""
NO_SENSOR = "usbip://127.0.0.1:1/1-1"  # nobody serves there: whatever ends earlier, ends before a sensor opens


class Desk:
    """A home that two administrators' keys, a and b, permit enrollments of; `folder` has keys and files."""

    def __init__(self, folder: Path, home: Path, faceward: Any, need: int) -> None:
        self.folder, self.home, self.faceward = folder, home, faceward
        for name, algorithm in (("a", "es256"), ("b", "ed25519"), ("stranger", "ml-dsa-65")):
            assert faceward("keys", "new", folder / f"{name}.pem", "--algorithm", algorithm).code == 0
            (home / "keys" / f"{name}.pub.pem").write_bytes((folder / f"{name}.pub.pem").read_bytes())
        self.require(need)

    def require(self, need: int) -> None:
        policy = self.home / "policy.toml"
        text = policy.read_text().partition("\n[administrators]")[0]
        policy.write_text(text + ADMINISTRATORS.format(need=need))

    def at_home(self, *arguments: object) -> Any:
        return self.faceward("--home", self.home, "--sensor", NO_SENSOR, "--json", *arguments)

    def asked(self, *options: object, name: str = "alice", file: str = "request") -> Path:
        out = self.folder / file
        ran = self.at_home("grant", "request", name, "--out", out, *options)
        assert ran.code == 0, ran.err
        return out

    def issued(self, *options: object, key: str = "a", request: Path | None = None, file: str = "grant") -> Path:
        out = self.folder / file
        request = request or self.asked()
        ran = self.faceward("grant", "issue", request, "--key", self.folder / f"{key}.pem", "--out", out, *options)
        assert ran.code == 0, ran.err
        return out

    def enroll(self, grant: Path, name: str = "alice") -> Any:
        return self.at_home("enroll", name, "--grant", grant)

    def host(self) -> Host:
        return Host.open(Home(self.home), models_folder=default_folder())

    def spend(self, grant: Path, result: AttemptResult) -> None:
        """Alice has had an attempt by this grant, and it came to this."""
        with self.host() as host:
            permitted = verify_grant(
                grant.read_bytes(), host.trust(), occasion_of(host, parse_subject("alice")),
                host_key=host.key_digest, now_s=host.clock(),
            )  # fmt: skip
            host.ledger.end_attempt(host.ledger.begin_attempt(permitted, sensor="W-1"), result)


@pytest.fixture
def desk(tmp_path: Path, home: Path, faceward: Any) -> Desk:
    return Desk(tmp_path, home, faceward, 1)


def assert_refused(ran: Any, code: int, words: str) -> None:
    assert ran.code == code, ran.err
    assert words in ran.err
    assert ran.err.count("\n") == 1


# What is asked for


def test_a_request_is_what_the_host_says_and_its_challenge_is_drawn(desk: Desk) -> None:
    ran = desk.at_home("grant", "request", "alice", "--out", desk.folder / "request", "--lifetime", "3600")
    asked = decode_request((desk.folder / "request").read_bytes())
    assert ran.json["subject_name"] == asked.subject_name == "alice"
    assert ran.json["subject"] == asked.subject.hex()
    assert ran.json["sensor_serial"] == asked.sensor_serial == ""
    assert 3590 <= asked.expires_at_s - time.time() <= 3600
    with desk.host() as host:
        assert asked.challenge in host.ledger.challenges(host.templates.pseudonym(parse_subject("alice")))
        assert asked.host_key == host.key_digest


def test_a_request_is_bound_to_the_sensor_that_is_there(desk: Desk, faceward_sim_server: Any) -> None:
    server = faceward_sim_server(actor="live", seed=10_001)
    sensor = f"usbip://127.0.0.1:{server.port}/1-1"
    ran = desk.faceward("--home", desk.home, "--sensor", sensor, "--json", "grant", "request", "alice",
                        "--this-sensor", "--out", desk.folder / "request")  # fmt: skip
    assert ran.code == 0, ran.err
    assert ran.json["sensor_serial"]
    assert len(bytes.fromhex(ran.json["sensor_key"])) == 32


def test_a_sensor_that_is_not_there_is_asked_for_by_nobody(desk: Desk) -> None:
    ran = desk.at_home("grant", "request", "alice", "--this-sensor", "--out", desk.folder / "request")
    assert 10 <= ran.code <= 18
    assert not (desk.folder / "request").exists()


@pytest.mark.parametrize(("option", "value"), [("--lifetime", "59"), ("--lifetime", "604801")])
def test_a_request_that_lasts_too_short_or_too_long_is_refused(desk: Desk, option: str, value: str) -> None:
    ran = desk.at_home("grant", "request", "alice", "--out", desk.folder / "request", option, value)
    assert_refused(ran, 3, "60 to 604800 seconds")


# What is issued


def test_an_administrator_sees_what_they_permit_and_needs_no_home(desk: Desk, tmp_path: Path) -> None:
    request = desk.asked()
    ran = desk.faceward("--home", tmp_path / "none", "grant", "issue", request, "--key", desk.folder / "a.pem",
                        "--out", desk.folder / "grant", "--attempts", "2", "--lifetime", "600")  # fmt: skip
    assert ran.code == 0, ran.err
    for words in ("request to enroll alice", "development / workbench", "2 captures"):
        assert words in ran.out
    grant = look_at_grant((desk.folder / "grant").read_bytes()).grant
    assert (grant.max_attempts, grant.expires_at_s - grant.issued_at_s, grant.development) == (2, 600, False)
    assert not (tmp_path / "none").exists()


def test_a_grant_by_enough_administrators_permits(desk: Desk) -> None:
    ran = desk.enroll(desk.issued())
    assert 10 <= ran.code <= 18  # all that it lacks is a sensor


def test_a_request_that_has_expired_is_not_granted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    request, now = desk.asked(), time.time()
    monkeypatch.setattr("faceward.cli.grants.time.time", lambda: now + 86_401)
    ran = desk.faceward("grant", "issue", request, "--key", desk.folder / "a.pem", "--out", desk.folder / "grant")
    assert_refused(ran, 33, "expired")
    assert not (desk.folder / "grant").exists()


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ((), 3, "give --key FILE.pem, or --token FILE.toml"),
        (("--key", "a.pem", "--token", "a.toml"), 3, "token file"),
        (("--key", "a.pub.pem"), 42, "others may touch"),
        (("--key", "none.pem"), 42, "there is no key file"),
        (("--key", "a.pem", "--attempts", "0"), 2, "--attempts"),
        (("--key", "a.pem", "--attempts", "11"), 2, "--attempts"),
        (("--key", "a.pem", "--lifetime", "0"), 2, "--lifetime"),
    ],
)
def test_a_grant_that_can_not_be_issued_leaves_no_file(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], code: int, words: str
) -> None:
    request = desk.asked()
    monkeypatch.chdir(desk.folder)
    ran = desk.faceward("grant", "issue", request, "--out", "grant", *options)
    assert ran.code == code, ran.err
    assert words in ran.err
    assert not (desk.folder / "grant").exists()


def test_no_file_is_written_over(desk: Desk) -> None:
    request = desk.asked()
    before = request.read_bytes()
    assert_refused(desk.at_home("grant", "request", "bob", "--out", request), 3, "is there already")
    grant = desk.issued(request=request)
    issued = grant.read_bytes()
    assert_refused(desk.faceward("grant", "issue", request, "--key", desk.folder / "b.pem", "--out", grant), 3, "is there")
    assert_refused(desk.faceward("grant", "sign", grant, "--key", desk.folder / "b.pem", "--out", request), 3, "is there")
    assert (request.read_bytes(), grant.read_bytes()) == (before, issued)


@pytest.mark.parametrize("content", [None, b"", b"junk", b"\x08\x01" * 3000])
@pytest.mark.parametrize("command", ["issue", "sign", "show", "enroll", "lockout"])
def test_a_file_that_is_no_grant_is_named_or_refused(desk: Desk, command: str, content: bytes | None) -> None:
    path = desk.folder / "some.file"
    if content is not None:
        path.write_bytes(content)
    key = ("--key", desk.folder / "a.pem")
    ran = {
        "issue": lambda: desk.faceward("grant", "issue", path, *key, "--out", desk.folder / "grant", "--json"),
        "sign": lambda: desk.faceward("grant", "sign", path, *key, "--json"),
        "show": lambda: desk.faceward("grant", "show", path, "--json"),
        "enroll": lambda: desk.enroll(path),
        "lockout": lambda: desk.at_home("lockout", "clear", "--grant", path),
    }[command]()
    assert ran.code in (3, 33, 43)
    assert ran.lines[-1]["error"]["exit_code"] == ran.code
    assert "grant" in ran.err
    assert (path.read_bytes() if path.exists() else None) == content


# More than one administrator


def test_two_administrators_sign_one_grant_and_neither_is_enough(desk: Desk) -> None:
    desk.require(2)
    request = desk.asked()
    grant = desk.issued(request=request)
    assert_refused(desk.enroll(grant), 33, "1 of 2")
    signed = desk.faceward("grant", "sign", grant, "--key", desk.folder / "b.pem", "--request", request, "--json")
    assert signed.code == 0, signed.err
    assert signed.json["signatures"] == 2
    assert 10 <= desk.enroll(grant).code <= 18


def test_a_second_signature_shows_what_it_permits_and_may_go_to_another_file(desk: Desk) -> None:
    request = desk.asked()
    grant = desk.issued(request=request)
    before = grant.read_bytes()
    ran = desk.faceward("grant", "sign", grant, "--key", desk.folder / "b.pem", "--request", request,
                        "--out", desk.folder / "both")  # fmt: skip
    assert ran.code == 0, ran.err
    assert "request to enroll alice" in ran.out
    assert "grant to enroll" in ran.out
    assert grant.read_bytes() == before
    assert look_at_grant((desk.folder / "both").read_bytes()).signatures == 2


def test_a_grant_that_answers_another_request_is_not_signed(desk: Desk) -> None:
    grant = desk.issued()
    other = desk.asked(name="mallory", file="other")
    before = grant.read_bytes()
    ran = desk.faceward("grant", "sign", grant, "--key", desk.folder / "b.pem", "--request", other)
    assert_refused(ran, 33, "does not answer this request")
    assert grant.read_bytes() == before


def test_one_administrator_can_not_sign_twice(desk: Desk) -> None:
    grant = desk.issued()
    assert_refused(desk.faceward("grant", "sign", grant, "--key", desk.folder / "a.pem"), 42, "signed this before")


def test_a_grant_that_has_expired_is_not_signed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    grant, now = desk.issued(), time.time()
    monkeypatch.setattr("faceward.cli.grants.time.time", lambda: now + 3601)
    assert_refused(desk.faceward("grant", "sign", grant, "--key", desk.folder / "b.pem"), 33, "expired")


# Looking


def test_what_is_shown_of_a_grant_is_verified_by_the_keys_that_are_named(desk: Desk) -> None:
    grant = desk.issued()
    blind = desk.faceward("grant", "show", grant)
    assert blind.code == 0
    assert "nothing here is verified" in blind.out
    assert desk.faceward("grant", "show", grant, "--json").json["verified"] is False

    seen = desk.faceward("grant", "show", grant, "--admin", desk.folder / "a.pub.pem", "--json")
    assert seen.code == 0
    assert (seen.json["verified"], seen.json["expired"], seen.json["not_signed_by"]) == (True, False, [])

    both = ("--admin", desk.folder / "a.pub.pem", "--admin", desk.folder / "b.pub.pem")
    lacking = desk.faceward("grant", "show", grant, *both, "--json")
    assert lacking.code == 43
    assert (lacking.json["verified"], len(lacking.json["signed_by"]), len(lacking.json["not_signed_by"])) == (False, 1, 1)
    assert f"NOT signed by {desk.folder / 'b.pub.pem'}" in desk.faceward("grant", "show", grant, *both).out


def test_a_grant_is_shown_as_expired_when_it_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    grant, now = desk.issued(), time.time()
    monkeypatch.setattr("faceward.cli.grants.time.time", lambda: now + 3601)
    assert "EXPIRED" in desk.faceward("grant", "show", grant).out
    assert desk.faceward("grant", "show", grant, "--json").json["expired"] is True


def test_a_request_is_shown_as_one_that_permits_nothing(desk: Desk) -> None:
    request = desk.asked()
    assert "permits nothing" in desk.faceward("grant", "show", request).out
    shown = desk.faceward("grant", "show", request, "--json").json
    assert (shown["kind"], shown["verified"], shown["subject_name"]) == ("request", False, "alice")
    assert desk.faceward("grant", "show", request, "--admin", desk.folder / "a.pub.pem").code == 43


def test_what_is_no_public_key_is_named(desk: Desk) -> None:
    grant = desk.issued()
    ran = desk.faceward("grant", "show", grant, "--admin", desk.folder / "a.pem")
    assert_refused(ran, 3, "a.pem holds no P-256")


# What a grant does not permit


def test_without_a_grant_a_host_with_administrators_enrolls_nobody_and_names_the_command(desk: Desk) -> None:
    ran = desk.at_home("enroll", "alice")
    assert_refused(ran, 33, "faceward grant request NAME --out FILE")
    assert ran.lines[-1]["error"]["code"] == "permission-refused"


def test_a_host_that_has_administrators_can_not_permit_itself(desk: Desk) -> None:
    request = desk.asked()
    ran = desk.faceward("grant", "issue", request, "--key", desk.home / "keys/signer.pem", "--out", desk.folder / "own")
    assert ran.code == 0
    assert_refused(desk.enroll(desk.folder / "own"), 33, "0 of 1")


def test_a_grant_of_a_stranger_permits_nothing(desk: Desk) -> None:
    assert_refused(desk.enroll(desk.issued(key="stranger")), 33, "0 of 1")


def test_a_grant_for_somebody_else_permits_nothing(desk: Desk) -> None:
    assert_refused(desk.enroll(desk.issued(), name="mallory"), 33, "another subject")


def test_a_flipped_byte_permits_nothing(desk: Desk) -> None:
    good = desk.issued()
    changed = desk.folder / "changed"
    for at in range(0, good.stat().st_size, 23):
        data = bytearray(good.read_bytes())
        data[at] ^= 1
        changed.write_bytes(data)
        with desk.host() as host, pytest.raises(Exception, match="the grant"):
            from faceward.permission import occasion_of

            verify_grant(
                bytes(data), host.trust(), occasion_of(host, parse_subject("alice")),
                host_key=host.key_digest, now_s=host.clock(),
            )  # fmt: skip
    assert_refused(desk.enroll(changed), 33, "the grant is not valid")


def test_a_grant_that_has_expired_permits_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    grant, now = desk.issued("--lifetime", "60"), time.time()
    from faceward import host as module

    opened = module.Host.open
    monkeypatch.setattr(module.Host, "open", lambda *given, **named: opened(*given, **named, clock=lambda: now + 61))
    assert_refused(desk.enroll(grant), 33, "expired")


@pytest.mark.parametrize(("old", "new"), [("development", "other"), ("workbench", "vault")])
def test_a_grant_for_another_tenant_or_lock_group_permits_nothing(desk: Desk, old: str, new: str) -> None:
    grant = desk.issued()
    policy = desk.home / "policy.toml"
    policy.write_text(policy.read_text().replace(f' = "{old}"\nlock', f' = "{new}"\nlock').replace(
        f'lock_group = "{old}"', f'lock_group = "{new}"'))  # fmt: skip
    assert_refused(desk.enroll(grant), 33, "the grant is for development/workbench")


def test_a_grant_of_another_host_permits_nothing(desk: Desk, tmp_path: Path) -> None:
    grant = desk.issued()
    home = tmp_path / "second"
    assert desk.faceward("--home", home, "keys", "init").code == 0
    # The same subjects and administrators, so that all that differs is the host.
    (home / "keys/store.kek").write_bytes((desk.home / "keys/store.kek").read_bytes())
    (home / "policy.toml").write_bytes((desk.home / "policy.toml").read_bytes())
    for name in ("a", "b"):
        (home / f"keys/{name}.pub.pem").write_bytes((desk.home / f"keys/{name}.pub.pem").read_bytes())
    desk.home = home
    assert_refused(desk.enroll(grant), 33, "another host")


def test_a_grant_is_used_up_by_what_it_permitted(desk: Desk) -> None:
    grant = desk.issued()
    desk.spend(grant, AttemptResult.ENROLLED)
    assert_refused(desk.enroll(grant), 33, "used up")


def test_two_grants_over_one_request_are_one_permission(desk: Desk) -> None:
    request = desk.asked()
    first, second = desk.issued(request=request), desk.issued(request=request, key="b", file="second")
    desk.spend(first, AttemptResult.NOT_LIVE)
    assert_refused(desk.enroll(second), 33, "used up")


def test_a_grant_that_clears_a_lock_out_enrolls_nobody(desk: Desk) -> None:
    request = desk.folder / "clearing"
    assert desk.at_home("lockout", "request", "--out", request).code == 0
    assert_refused(desk.enroll(desk.issued(request=request)), 33, "another purpose")
