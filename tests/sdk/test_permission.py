"""What a host asks for, what it holds a grant against, and how a lock-out ends."""

from __future__ import annotations

from typing import Any

import pytest
from faceward.enrollment import enroll
from faceward.errors import CaptureRejected, ConfigError, LockedOut, PermissionRefused, StoreError
from faceward.model.template import GrantPurpose
from faceward.permission import clear_lockout, occasion_of, request_clearing, request_enrollment
from faceward.signing.grants import issue_grant
from faceward.store.attempts import AttemptLedger
from faceward.store.audit import AuditLog
from faceward.store.subjects import parse_subject

Desk = Any


def test_a_request_says_whom_where_and_for_which_host(desk: Desk) -> None:
    host = desk.host
    asked = request_enrollment(host, "alice", sensor_serial="W-1", sensor_key=b"k" * 32, lifetime_s=3600)
    alice = host.templates.pseudonym(parse_subject("alice"))
    assert (asked.purpose, asked.subject, asked.subject_name) == (GrantPurpose.ENROLL, alice, "alice")
    assert (asked.tenant, asked.lock_group) == ("development", "workbench")
    assert (asked.host_key, asked.sensor_serial, asked.sensor_key) == (host.key_digest, "W-1", b"k" * 32)
    assert 3598 <= asked.expires_at_s - host.clock() <= 3600


def test_a_request_s_challenge_is_open_for_its_subject_when_it_is_made(desk: Desk) -> None:
    host = desk.host
    asked = request_enrollment(host, "alice")
    assert asked.challenge in occasion_of(host, parse_subject("alice")).challenges
    assert asked.challenge not in occasion_of(host, parse_subject("bob")).challenges
    cleared = request_clearing(host)
    assert (cleared.subject, cleared.subject_name) == (b"", "")
    assert host.ledger.challenges(purpose=GrantPurpose.CLEAR_LOCKOUT) == {cleared.challenge}


@pytest.mark.parametrize("lifetime_s", [0, 59, 7 * 86_400 + 1, -1])
def test_a_request_for_a_time_that_is_none_draws_no_challenge(desk: Desk, lifetime_s: int) -> None:
    for ask in (lambda: request_enrollment(desk.host, "alice", lifetime_s=lifetime_s),
                lambda: request_clearing(desk.host, lifetime_s=lifetime_s)):  # fmt: skip
        with pytest.raises(ConfigError, match="seconds"):
            ask()
    assert occasion_of(desk.host, parse_subject("alice")).challenges == frozenset()


def test_a_name_that_is_none_draws_no_challenge(desk: Desk) -> None:
    with pytest.raises(ConfigError, match="name"):
        request_enrollment(desk.host, "../alice")


# Clearing a lock-out


@pytest.fixture
def locked(desk: Desk) -> Desk:
    desk.tell(complete=False, times=9)
    for _ in range(2):
        with pytest.raises((CaptureRejected, LockedOut)):
            enroll(desk.host, "alice")
    with pytest.raises(LockedOut):
        desk.host.ledger.check_lockout()
    return desk


def permission(host: Any) -> bytes:
    return issue_grant(request_clearing(host), host.signer, now_s=host.clock())


def test_an_administrator_s_grant_ends_a_lock_out_and_the_audit_tells_of_it(locked: Desk) -> None:
    host = locked.host
    assert clear_lockout(host, permission(host))
    host.ledger.check_lockout()
    last = host.audit.entries()[-1]
    assert (last.event, last.subject) == ("lockout-cleared", None)
    assert last.details["development_grant"] is False


def test_a_grant_clears_one_lock_out(locked: Desk) -> None:
    grant = permission(locked.host)
    assert clear_lockout(locked.host, grant)
    with pytest.raises(PermissionRefused, match="no open challenge"):
        clear_lockout(locked.host, grant)


def test_a_grant_to_enroll_clears_nothing_and_one_that_clears_enrolls_nobody(locked: Desk) -> None:
    host = locked.host
    enrolling = issue_grant(request_enrollment(host, "alice"), host.signer, now_s=host.clock())
    clearing = permission(host)
    with pytest.raises(PermissionRefused, match="another purpose"):
        clear_lockout(host, enrolling)
    assert clear_lockout(host, clearing)
    with pytest.raises(PermissionRefused, match="another purpose"):
        enroll(host, "alice", grant=permission(host))


def test_where_nobody_is_locked_out_the_grant_stays_good_and_the_audit_silent(desk: Desk) -> None:
    assert not clear_lockout(desk.host, permission(desk.host))
    assert desk.host.audit.entries() == ()


def test_an_audit_log_that_fails_leaves_the_lock_out_as_it_was(
    locked: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(log: AuditLog, event: str, **fields: Any) -> Any:
        raise StoreError("the disk is full")

    grant = permission(locked.host)
    with monkeypatch.context() as patched:
        patched.setattr(AuditLog, "append", failing)
        with pytest.raises(StoreError):
            clear_lockout(locked.host, grant)
    with pytest.raises(LockedOut):
        locked.host.ledger.check_lockout()
    assert clear_lockout(locked.host, grant)


def test_another_host_s_grant_clears_nothing(locked: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    grant = permission(locked.host)
    monkeypatch.setattr(AttemptLedger, "challenges", lambda ledger, *given, **named: frozenset())
    with pytest.raises(PermissionRefused, match="no open challenge"):
        clear_lockout(locked.host, grant)
