"""Attempts are spent before a capture, refusals lock enrollment, and nothing gives an attempt back."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from itertools import pairwise
from types import SimpleNamespace

import pytest
from faceward.config import AttemptLimits
from faceward.errors import LockedOut, PermissionRefused, StoreError
from faceward.model.template import GrantPurpose
from faceward.store.attempts import AttemptLedger, AttemptResult, Lockout
from faceward.store.database import Database, sqlite_url
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

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


@pytest.mark.parametrize("first", [AttemptResult.NOT_LIVE, AttemptResult.ENROLLED])
def test_of_two_captures_at_once_the_one_that_ends_the_grant_ends_it_for_the_other(ledger, make_grant, first):
    grant = make_grant(ledger.draw_challenge(SUBJECT))
    one, other = (ledger.begin_attempt(grant, sensor=sensor) for sensor in ("W-1", "W-2"))
    ledger.end_attempt(one, first)
    with pytest.raises(PermissionRefused, match="the grant is over"):
        ledger.end_attempt(other, AttemptResult.ENROLLED)
    assert ledger.end_attempt(other, AttemptResult.FAILED) == 0
    assert (ledger.enrolled(one), ledger.enrolled(other)) == (first is AttemptResult.ENROLLED, False)


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
    assert ledger.end_attempt(attempt, AttemptResult.INCONCLUSIVE) == 0
    with pytest.raises(PermissionRefused, match="ended already"):
        ledger.end_attempt(attempt, AttemptResult.ENROLLED)
    assert not ledger.enrolled(attempt)


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
    assert begin().left == 2


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


# Challenges


def test_a_challenge_is_for_its_subject_and_its_purpose_alone(ledger, make_grant):
    challenge = ledger.draw_challenge(SUBJECT)
    assert ledger.challenges(SUBJECT) == {challenge}
    assert ledger.challenges(b"z" * 32) == ledger.challenges(SUBJECT, purpose=GrantPurpose.CLEAR_LOCKOUT) == frozenset()
    for wrong in ({"subject": b"z" * 32}, {"purpose": GrantPurpose.CLEAR_LOCKOUT}):
        with pytest.raises(PermissionRefused):
            ledger.begin_attempt(make_grant(challenge, **wrong), sensor="W-1")
    assert ledger.challenges(SUBJECT) == {challenge}


def test_a_burned_challenge_is_answered_by_its_own_grant_while_that_has_attempts(ledger, make_grant):
    grant = make_grant(ledger.draw_challenge(SUBJECT), attempts=2)
    assert ledger.attempts_left(grant.grant.grant_id) == 0
    for left in (1, 0):
        ledger.begin_attempt(grant, sensor="W-1")
        assert ledger.attempts_left(grant.grant.grant_id) == left
        assert ledger.challenges(SUBJECT) == ({grant.grant.challenge} if left else frozenset())


def test_a_challenge_that_has_expired_is_offered_to_no_grant(ledger, clock):
    ledger.draw_challenge(SUBJECT, lifetime_s=60)
    clock.now_s += 60
    assert ledger.challenges(SUBJECT) == frozenset()


# Clearing a lock-out


@pytest.fixture
def clearing(ledger, make_grant):
    """A grant that clears a lock-out, over a challenge of this host's."""

    def make(**changes):
        challenge = ledger.draw_challenge(purpose=GrantPurpose.CLEAR_LOCKOUT)
        fields = {"subject": b"", "attempts": 0, "purpose": GrantPurpose.CLEAR_LOCKOUT, **changes}
        return make_grant(fields.pop("challenge", challenge), **fields)

    return make


def test_a_grant_ends_the_lock_out_that_holds_and_is_burned(ledger, begin, clearing, clock):
    _refuse(ledger, begin, 5)
    grant = clearing()
    assert ledger.clear_lockout(grant)
    ledger.check_lockout()
    begin()
    _refuse(ledger, begin, 4)
    with pytest.raises(PermissionRefused, match="used up"):
        ledger.clear_lockout(grant)
    with pytest.raises(LockedOut) as caught:
        ledger.check_lockout()
    assert caught.value.retry_after_s == 180  # still twice as long


def test_where_nobody_waits_a_grant_is_not_spent(ledger, begin, clearing):
    grant = clearing()
    assert not ledger.clear_lockout(grant)
    _refuse(ledger, begin, 5)
    assert ledger.clear_lockout(grant)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"purpose": GrantPurpose.ENROLL, "subject": SUBJECT, "attempts": 3}, "another purpose"),
        ({"challenge": b"c" * 32}, "no open challenge"),
        ({"subject": SUBJECT}, "no open challenge"),
        ({"expires_at_s": 1_800_000_000}, "expired"),
    ],
    ids=["purpose", "challenge", "subject", "time"],
)
def test_a_grant_that_is_not_for_it_clears_nothing(ledger, begin, clearing, changes, words):
    _refuse(ledger, begin, 5)
    with pytest.raises(PermissionRefused, match=words):
        ledger.clear_lockout(clearing(**changes))
    with pytest.raises(LockedOut):
        ledger.check_lockout()


def test_daily_caps_stay_when_a_lock_out_is_cleared(database, clock, begin, make_grant, clearing):
    ledger = AttemptLedger(database, AttemptLimits(daily_per_subject=5), clock)
    _refuse(ledger, begin, 5)
    assert ledger.clear_lockout(clearing())
    with pytest.raises(LockedOut, match="attempts of the day"):
        ledger.begin_attempt(make_grant(ledger.draw_challenge(SUBJECT)), sensor="W-1")


def test_a_lock_out_that_crashed_attempts_began_is_cleared_too_and_does_not_come_back(ledger, begin, clearing):
    for _ in range(5):
        begin()
    with pytest.raises(LockedOut):
        begin()
    assert ledger.clear_lockout(clearing())
    begin()


def test_how_near_a_lock_out_is_can_be_seen_and_looking_changes_nothing(ledger, begin, clock):
    assert ledger.lockout() == Lockout(0.0, 0, 5, 300.0, 90.0)
    _refuse(ledger, begin, 4)
    assert ledger.lockout() == Lockout(0.0, 4, 5, 300.0, 90.0)
    assert not ledger.lockout().locked
    _refuse(ledger, begin, 1)
    assert ledger.lockout() == Lockout(90.0, 0, 5, 300.0, 180.0)
    assert ledger.lockout().locked
    clock.now_s += 400
    assert ledger.lockout() == Lockout(0.0, 0, 5, 300.0, 180.0)


@pytest.mark.parametrize("now_s", [float("nan"), float("inf")])
def test_a_clock_that_tells_no_time_lets_nothing_through(ledger, make_grant, clock, now_s):
    grant = make_grant(ledger.draw_challenge(SUBJECT))
    clock.now_s = now_s
    for call in (
        ledger.check_lockout,
        ledger.draw_challenge,
        ledger.lockout,
        lambda: ledger.begin_attempt(grant, sensor="W-1"),
    ):
        with pytest.raises(StoreError, match="clock"):
            call()


# Power cuts


class Cuts:
    """What the disk holds at each statement of an operation, as a power cut there leaves it; or the statement fails."""

    def __init__(self, database, path, folder):
        self._path, self._folder = path, folder
        self.copies = []
        self.fail_at = None
        event.listen(database._engine, "before_cursor_execute", self._statement)
        event.listen(database._engine, "commit", self._statement)

    def _statement(self, *told):
        if self.fail_at == len(self.copies):
            raise OperationalError("", None, sqlite3.OperationalError("the disk is full"))
        folder = self._folder / f"cut{len(self.copies)}"
        folder.mkdir()
        for name in (self._path.name, f"{self._path.name}-journal"):
            if (source := self._path.with_name(name)).exists():
                (folder / name).write_bytes(source.read_bytes())
        self.copies.append(folder / self._path.name)


def _kept(path):
    """Every row of every table, and SQLite's own word that the file is whole."""
    with contextlib.closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        tables = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {name: raw.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in tables}


OPERATIONS = {
    "drawing a challenge": lambda world: world.ledger.draw_challenge(SUBJECT),
    "the first attempt of a grant": lambda world: world.ledger.begin_attempt(world.fresh, sensor="W-1"),
    "the second attempt of a grant": lambda world: world.ledger.begin_attempt(world.used, sensor="W-1"),
    "a detection": lambda world: world.ledger.end_attempt(world.running, AttemptResult.NOT_LIVE),
    "no verdict": lambda world: world.ledger.end_attempt(world.running, AttemptResult.INCONCLUSIVE),
    "the refusal that locks": lambda world: world.ledger.end_attempt(world.running, AttemptResult.REJECTED),
    "clearing a lock-out": lambda world: world.ledger.clear_lockout(world.clearing),
}


@pytest.fixture
def world(database, ledger, begin, make_grant, clearing, tmp_path, request):
    """A ledger in the middle of things: a grant that is fresh, one in use with an attempt that runs, and one to clear."""
    used = make_grant(ledger.draw_challenge(SUBJECT), attempts=3)
    fresh = make_grant(ledger.draw_challenge(SUBJECT))
    clear = clearing()
    _refuse(ledger, begin, 3)
    running = ledger.begin_attempt(used, sensor="W-1")
    if request.node.callspec.params["name"] == "the refusal that locks":
        ledger.begin_attempt(used, sensor="W-1")
    if request.node.callspec.params["name"] == "clearing a lock-out":
        _refuse(ledger, begin, 1)
    made = SimpleNamespace(ledger=ledger, used=used, fresh=fresh, clearing=clear, running=running)
    made.cuts = Cuts(database, tmp_path / "store.sqlite", tmp_path)
    return made


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_power_cut_at_any_statement_leaves_the_old_state_or_the_new(world, tmp_path, name):
    path = tmp_path / "store.sqlite"
    before = _kept(path)
    OPERATIONS[name](world)
    after = _kept(path)
    assert before != after
    assert len(world.cuts.copies) >= 4
    assert all(_kept(copy) in (before, after) for copy in world.cuts.copies)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_write_that_fails_at_any_statement_changes_nothing_and_is_a_store_error(world, tmp_path, name):
    path = tmp_path / "store.sqlite"
    before = _kept(path)
    failed = 0
    while True:
        world.cuts.copies.clear()
        for folder in tmp_path.glob("cut*"):
            shutil.rmtree(folder)
        world.cuts.fail_at = failed
        try:
            OPERATIONS[name](world)
        except StoreError:
            assert _kept(path) == before
            failed += 1
            continue
        break
    assert failed >= 4
    assert _kept(path) != before


def test_whatever_is_cut_no_attempt_is_won_back(database, ledger, make_grant, tmp_path, clock):
    grant = make_grant(ledger.draw_challenge(SUBJECT), attempts=3)
    cuts = Cuts(database, tmp_path / "store.sqlite", tmp_path)
    marks = []
    for _ in range(3):
        attempt = ledger.begin_attempt(grant, sensor="W-1")
        marks.append(len(cuts.copies))
        ledger.end_attempt(attempt, AttemptResult.REJECTED)
    marks.append(len(cuts.copies))
    for used, (start, end) in enumerate(pairwise(marks), start=1):
        for copy in cuts.copies[start:end]:
            # What was spent when `begin_attempt` returned stays spent; another may be, which is a refusal.
            with Database(sqlite_url(copy)) as cut:
                again, captures = AttemptLedger(cut, AttemptLimits(refusals_before_lockout=20), clock), 0
                with contextlib.suppress(PermissionRefused):
                    while True:
                        again.begin_attempt(grant, sensor="W-1")
                        captures += 1
            assert captures <= 3 - used
