"""Attempts are spent before a capture, refusals lock enrollment, and nothing gives an attempt back."""

from __future__ import annotations

import sqlite3

import pytest
from faceward.config import AttemptLimits
from faceward.errors import LockedOut, PermissionRefused, StoreError
from faceward.store.attempts import AttemptLedger, AttemptResult
from faceward.store.database import Database
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SUBJECT = b"s" * 32
REFUSALS = [result for result in AttemptResult if result is not AttemptResult.ENROLLED]


@pytest.fixture
def ledger(database, clock) -> AttemptLedger:
    return AttemptLedger(database, AttemptLimits(), clock)


@pytest.fixture
def begin(ledger, make_grant):
    """Begin an attempt on a fresh grant."""

    def begin(*, sensor="W-1", **grant):
        challenge = ledger.draw_challenge(grant.get("subject", SUBJECT))
        return ledger.begin_attempt(make_grant(challenge, **grant), sensor=sensor)

    return begin


def _refuse(ledger, begin, times, **arguments):
    for _ in range(times):
        ledger.end_attempt(begin(**arguments), AttemptResult.CANCELLED)


# Grants


def test_a_grant_is_taken_once_it_answers_a_challenge_and_never_by_another_id(ledger, make_grant):
    challenge = ledger.draw_challenge(SUBJECT)
    assert ledger.begin_attempt(make_grant(challenge), sensor="W-1").left == 2
    with pytest.raises(PermissionRefused, match="no open challenge"):
        ledger.begin_attempt(make_grant(challenge), sensor="W-1")


def test_a_challenge_that_this_host_did_not_draw_is_refused(ledger, make_grant):
    with pytest.raises(PermissionRefused, match="no open challenge"):
        ledger.begin_attempt(make_grant(b"c" * 32), sensor="W-1")


def test_challenges_differ_and_expire(ledger, make_grant, clock):
    first, second = ledger.draw_challenge(SUBJECT), ledger.draw_challenge(SUBJECT)
    assert first != second
    grant = make_grant(first, expires_at_s=int(clock.now_s) + 10_000)
    clock.now_s += 600
    with pytest.raises(PermissionRefused, match="no open challenge"):
        ledger.begin_attempt(grant, sensor="W-1")


def test_an_expired_grant_is_refused_even_when_it_has_attempts_left(ledger, make_grant, clock):
    grant = make_grant(ledger.draw_challenge(SUBJECT))
    ledger.begin_attempt(grant, sensor="W-1")
    clock.now_s += 600
    with pytest.raises(PermissionRefused, match="expired"):
        ledger.begin_attempt(grant, sensor="W-1")


def test_another_grant_under_a_used_id_is_refused(ledger, make_grant):
    grant = make_grant(ledger.draw_challenge(SUBJECT))
    ledger.begin_attempt(grant, sensor="W-1")
    other = make_grant(ledger.draw_challenge(SUBJECT), grant_id=grant.grant.grant_id)
    forged = type(other)(other.grant, b"another envelope")
    with pytest.raises(PermissionRefused, match="another grant"):
        ledger.begin_attempt(forged, sensor="W-1")


@pytest.mark.parametrize("result", [AttemptResult.NOT_LIVE, AttemptResult.ENROLLED])
def test_a_detection_and_a_success_end_the_grant(ledger, make_grant, result):
    grant = make_grant(ledger.draw_challenge(SUBJECT))
    assert ledger.end_attempt(ledger.begin_attempt(grant, sensor="W-1"), result) == 0
    with pytest.raises(PermissionRefused, match="used up"):
        ledger.begin_attempt(grant, sensor="W-1")


def test_an_inconclusive_capture_leaves_two_more(ledger, make_grant, database, clock):
    generous = AttemptLedger(database, AttemptLimits(captures_per_grant=10), clock)
    grant = make_grant(generous.draw_challenge(SUBJECT), attempts=8)
    left = [
        generous.end_attempt(generous.begin_attempt(grant, sensor="W-1"), AttemptResult.INCONCLUSIVE) for _ in range(3)
    ]
    assert left == [2, 1, 0]
    with pytest.raises(PermissionRefused, match="used up"):
        generous.begin_attempt(grant, sensor="W-1")


@pytest.mark.parametrize("result", [AttemptResult.REJECTED, AttemptResult.CANCELLED, AttemptResult.FAILED])
def test_cancel_failure_and_rejection_give_nothing_back(ledger, make_grant, result):
    grant = make_grant(ledger.draw_challenge(SUBJECT), attempts=2)
    for left in (1, 0):
        assert ledger.end_attempt(ledger.begin_attempt(grant, sensor="W-1"), result) == left
    with pytest.raises(PermissionRefused, match="used up"):
        ledger.begin_attempt(grant, sensor="W-1")


def test_the_policy_bounds_what_a_grant_allows(ledger, make_grant):
    assert ledger.begin_attempt(make_grant(ledger.draw_challenge(SUBJECT), attempts=10), sensor="W-1").left == 2


def test_the_first_word_on_an_attempt_counts(ledger, make_grant):
    grant = make_grant(ledger.draw_challenge(SUBJECT))
    attempt = ledger.begin_attempt(grant, sensor="W-1")
    ledger.end_attempt(attempt, AttemptResult.NOT_LIVE)
    assert ledger.end_attempt(attempt, AttemptResult.ENROLLED) == 0
    assert ledger.end_attempt(attempt, AttemptResult.INCONCLUSIVE) == 0


def test_a_refused_grant_spends_nothing(ledger, begin, make_grant):
    for _ in range(10):
        with pytest.raises(PermissionRefused):
            ledger.begin_attempt(make_grant(b"c" * 32), sensor="W-1")
    begin()


# Durability


def test_an_attempt_is_on_the_disk_before_begin_returns(url, clock, make_grant):
    with Database(url) as database:
        ledger = AttemptLedger(database, AttemptLimits(), clock)
        grant = make_grant(ledger.draw_challenge(SUBJECT), attempts=1)
        ledger.begin_attempt(grant, sensor="W-1")
        with Database(url) as other, pytest.raises(PermissionRefused, match="used up"):
            AttemptLedger(other, AttemptLimits(), clock).begin_attempt(grant, sensor="W-1")


def test_an_attempt_can_not_begin_inside_a_transaction_that_may_not_happen(ledger, database, make_grant):
    grant = make_grant(ledger.draw_challenge(SUBJECT))
    with pytest.raises(StoreError, match="durable"), database.transaction():
        ledger.begin_attempt(grant, sensor="W-1")
    with pytest.raises(StoreError, match="durable"), database.transaction():
        ledger.draw_challenge(SUBJECT)


def test_ending_goes_with_the_transaction_around_it(ledger, database, begin):
    attempt = begin()
    with pytest.raises(ValueError, match="no"), database.transaction():
        ledger.end_attempt(attempt, AttemptResult.ENROLLED)
        raise ValueError("no")
    assert ledger.end_attempt(attempt, AttemptResult.INCONCLUSIVE) == 2


def test_a_counter_that_was_changed_to_another_type_refuses(database, ledger, begin, make_grant, tmp_path):
    grant = make_grant(ledger.draw_challenge(SUBJECT))
    ledger.begin_attempt(grant, sensor="W-1")
    with sqlite3.connect(tmp_path / "store.sqlite") as raw:
        raw.execute("UPDATE grants SET attempts_left = 'many'")
        raw.execute("INSERT INTO lockouts VALUES (1, 0, 0, 0, 'never')")
    raw.close()
    for call in (lambda: ledger.begin_attempt(grant, sensor="W-1"), ledger.check_lockout):
        with pytest.raises(StoreError, match="another type"):
            call()


# Lockout


@pytest.mark.parametrize("result", REFUSALS)
def test_five_refusals_in_five_minutes_lock_for_ninety_seconds(ledger, begin, clock, result):
    for count in range(5):
        ledger.check_lockout()
        attempt = begin(subject=bytes([count]) * 32, sensor=f"W-{count}")
        clock.now_s += 59
        ledger.end_attempt(attempt, result)
    with pytest.raises(LockedOut) as caught:
        begin(subject=b"n" * 32, sensor="new")
    assert caught.value.retry_after_s == 90
    clock.now_s += 89.5
    with pytest.raises(LockedOut):
        ledger.check_lockout()
    clock.now_s += 0.5
    ledger.check_lockout()
    begin()


def test_refusals_that_are_further_apart_do_not_lock(ledger, begin, clock):
    for _ in range(12):
        _refuse(ledger, begin, 1)
        clock.now_s += 75
    begin()


def test_success_is_no_refusal_and_takes_none_back(ledger, begin):
    _refuse(ledger, begin, 4)
    for _ in range(6):
        ledger.end_attempt(begin(), AttemptResult.ENROLLED)
    _refuse(ledger, begin, 1)
    with pytest.raises(LockedOut):
        begin()


def test_attempts_that_were_never_ended_are_refusals(ledger, begin):
    for _ in range(5):
        begin()
    with pytest.raises(LockedOut) as caught:
        begin()
    assert caught.value.retry_after_s == 90


def test_a_lockout_survives_a_restart(url, database, ledger, begin, clock):
    _refuse(ledger, begin, 5)
    database.close()
    with Database(url) as again, pytest.raises(LockedOut):
        AttemptLedger(again, AttemptLimits(), clock).check_lockout()


def test_each_further_lockout_is_twice_as_long_until_a_day_without_one(ledger, begin, clock):
    for seconds in (90, 180, 360, 720):
        _refuse(ledger, begin, 5)
        with pytest.raises(LockedOut) as caught:
            ledger.check_lockout()
        assert caught.value.retry_after_s == seconds
        clock.now_s += seconds
    clock.now_s += 86_401
    _refuse(ledger, begin, 5)
    with pytest.raises(LockedOut) as caught:
        ledger.check_lockout()
    assert caught.value.retry_after_s == 90


def test_no_lockout_is_longer_than_a_day(ledger, begin, clock):
    for count in range(14):
        _refuse(ledger, begin, 5, subject=bytes([count]) * 32)
        with pytest.raises(LockedOut) as caught:
            ledger.check_lockout()
        assert caught.value.retry_after_s <= 86_400
        clock.now_s += caught.value.retry_after_s
    assert caught.value.retry_after_s == 86_400


def test_a_clock_that_was_set_back_shortens_nothing(ledger, begin, clock):
    _refuse(ledger, begin, 4)
    clock.now_s -= 100_000
    _refuse(ledger, begin, 1)
    with pytest.raises(LockedOut):
        ledger.check_lockout()
    clock.now_s -= 100_000
    with pytest.raises(LockedOut) as caught:
        ledger.check_lockout()
    assert caught.value.retry_after_s > 90


# Daily caps


@pytest.mark.parametrize("who", ["subject", "sensor"])
def test_a_subject_and_a_sensor_have_so_many_attempts_a_day(database, clock, make_grant, who):
    limits = AttemptLimits(refusals_before_lockout=20, daily_per_subject=3, daily_per_sensor=3)
    ledger = AttemptLedger(database, limits, clock)

    def begin(index):
        subject = b"s" * 32 if who == "subject" else bytes([index]) * 32
        sensor = "W-1" if who == "sensor" else f"W-{index}"
        grant = make_grant(ledger.draw_challenge(subject), subject=subject)
        ledger.end_attempt(ledger.begin_attempt(grant, sensor=sensor), AttemptResult.ENROLLED)

    for index in range(3):
        begin(index)
        clock.now_s += 3600
    with pytest.raises(LockedOut, match=who) as caught:
        begin(3)
    assert caught.value.retry_after_s == 86_400 - 3 * 3600
    clock.now_s += caught.value.retry_after_s
    begin(4)
    with pytest.raises(LockedOut):
        begin(5)


# The promise, at random


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from([*AttemptResult, None]), st.floats(0.0, 200.0)), min_size=1, max_size=25))
def test_no_order_of_events_gives_more_captures_than_the_limits(tmp_path_factory, make_grant, clock, events):
    from faceward.store.database import sqlite_url

    limits = AttemptLimits()
    with Database(sqlite_url(tmp_path_factory.mktemp("ledger") / "store.sqlite")) as database:
        ledger = AttemptLedger(database, limits, clock)
        refusals: list[float] = []
        grant, captures = None, 0
        for result, wait_s in events:
            clock.now_s += wait_s
            if grant is None:
                grant, captures = make_grant(ledger.draw_challenge(SUBJECT)), 0
            try:
                attempt = ledger.begin_attempt(grant, sensor="W-1")
            except LockedOut as error:
                assert error.retry_after_s > 0
                continue
            except PermissionRefused:
                grant = None
                continue
            captures += 1
            assert captures <= 3
            # Five in the window lock: a sixth can only begin after the wait.
            recent = [at_s for at_s in refusals if at_s > clock.now_s - 90]
            assert len(recent) < limits.refusals_before_lockout
            if result is not AttemptResult.ENROLLED:
                refusals.append(clock.now_s)
            if result is not None:
                ledger.end_attempt(attempt, result)
                if result in (AttemptResult.NOT_LIVE, AttemptResult.ENROLLED):
                    with pytest.raises((PermissionRefused, LockedOut)):
                        ledger.begin_attempt(grant, sensor="W-1")
                    grant = None
