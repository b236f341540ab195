"""A lock-out from a shell: seen, asked about, and ended by an administrator's grant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from faceward.config import Home
from faceward.face.models import default_folder
from faceward.host import Host
from faceward.permission import occasion_of, request_enrollment
from faceward.signing.grants import issue_grant, permit
from faceward.store.attempts import AttemptResult
from faceward.store.subjects import parse_subject


def lock(home: Path) -> None:
    """Five refusals, spread over grants as they come."""
    with Host.open(Home(home), models_folder=default_folder()) as host:
        for _ in range(5):
            grant = issue_grant(request_enrollment(host, "alice"), host.signer, now_s=host.clock())
            occasion = occasion_of(host, parse_subject("alice"))
            permitted = permit(grant, host.trust(), occasion, host_key=host.key_digest, now_s=host.clock())
            host.ledger.end_attempt(host.ledger.begin_attempt(permitted, sensor="W-1"), AttemptResult.NOT_LIVE)


@pytest.fixture
def clearing(home: Path, faceward: Any, tmp_path: Path) -> Path:
    """A grant of the host's own key, which counts as its administrator in development."""
    request, grant = tmp_path / "request", tmp_path / "grant"
    asked = faceward("--home", home, "lockout", "request", "--out", request, "--json")
    assert asked.code == 0, asked.err
    assert (asked.json["purpose"], asked.json["subject"]) == ("clear-lockout", "")
    issued = faceward("grant", "issue", request, "--key", home / "keys/signer.pem", "--out", grant)
    assert issued.code == 0, issued.err
    assert "request to clear-lockout" in issued.out
    return grant


def test_a_host_says_how_near_a_lock_out_is(home: Path, faceward: Any) -> None:
    shown = faceward("--home", home, "lockout", "show", "--json").json
    assert shown == {
        "locked": False, "retry_after_s": 0.0, "refusals": 0, "limit": 5, "window_s": 300.0, "next_s": 90.0
    }  # fmt: skip
    assert "not locked" in faceward("--home", home, "lockout", "show").out


def test_a_grant_ends_a_lock_out_once(home: Path, faceward: Any, clearing: Path) -> None:
    lock(home)
    shown = faceward("--home", home, "lockout", "show", "--json").json
    assert shown["locked"]
    assert 0 < shown["retry_after_s"] <= 90
    assert "locked for" in faceward("--home", home, "lockout", "show").out
    assert faceward("--home", home, "enroll", "bob").code == 34

    cleared = faceward("--home", home, "lockout", "clear", "--grant", clearing, "--json")
    assert cleared.code == 0, cleared.err
    assert cleared.json == {"cleared": True}
    assert not faceward("--home", home, "lockout", "show", "--json").json["locked"]
    with Host.open(Home(home), models_folder=default_folder()) as host:
        assert host.audit.entries()[-1].event == "lockout-cleared"

    lock(home)
    again = faceward("--home", home, "lockout", "clear", "--grant", clearing, "--json")
    assert again.code == 33
    assert "used up" in again.err
    assert faceward("--home", home, "lockout", "show", "--json").json["retry_after_s"] > 90


def test_where_nobody_is_locked_out_the_grant_stays_good(home: Path, faceward: Any, clearing: Path) -> None:
    early = faceward("--home", home, "lockout", "clear", "--grant", clearing)
    assert early.code == 0
    assert "not locked" in early.out
    lock(home)
    assert faceward("--home", home, "lockout", "clear", "--grant", clearing, "--json").json == {"cleared": True}


def test_a_stranger_s_grant_and_one_to_enroll_end_nothing(home: Path, faceward: Any, tmp_path: Path) -> None:
    lock(home)
    assert faceward("keys", "new", tmp_path / "stranger.pem").code == 0
    signer = home / "keys/signer.pem"
    for ask, key, words in (
        (("lockout", "request"), tmp_path / "stranger.pem", "0 of 1"),
        (("grant", "request", "alice"), signer, "another purpose"),
    ):
        request, grant = tmp_path / f"{ask[0]}.request", tmp_path / f"{ask[0]}.grant"
        assert faceward("--home", home, *ask, "--out", request).code == 0
        assert faceward("grant", "issue", request, "--key", key, "--out", grant).code == 0
        ran = faceward("--home", home, "lockout", "clear", "--grant", grant)
        assert ran.code == 33
        assert words in ran.err
    assert faceward("--home", home, "lockout", "show", "--json").json["locked"]


def test_clearing_needs_a_grant(home: Path, faceward: Any) -> None:
    assert faceward("--home", home, "lockout", "clear").code == 2
