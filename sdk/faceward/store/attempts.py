"""How often may be tried: challenges, grants, attempts and lock-outs, in the database before a capture, not after it.

An attempt is spent when it begins, and nothing gives it back: one that was never ended (a crash, a power cut) counts as
a refusal. Time is the caller's wall clock; one that was set back never shortens a wait, one that was set forward does.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.engine import Connection

from faceward.config import AttemptLimits
from faceward.errors import LockedOut, PermissionRefused, StoreError
from faceward.model.template import GrantPurpose, PermittedGrant
from faceward.store.database import ATTEMPTS, CHALLENGES, GRANTS, LOCKOUTS, Database

CHALLENGE_BYTES: Final = 32
CHALLENGE_LIFETIME_S: Final = 600.0
AFTER_INCONCLUSIVE: Final = 2  # captures that are left on a grant
DAY_S: Final = 86_400.0
LONGEST_LOCKOUT_S: Final = DAY_S


class AttemptResult(StrEnum):
    """How an attempt ended. Any but ENROLLED is a refusal."""

    ENROLLED = "enrolled"
    NOT_LIVE = "not-live"
    INCONCLUSIVE = "inconclusive"
    REJECTED = "rejected"  # by quality, or by what the person did
    CANCELLED = "cancelled"
    FAILED = "failed"  # sensor, plugin or store


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that was begun and must be ended; `left` is how many more its grant has."""

    number: int
    grant_id: bytes
    left: int


@dataclass(frozen=True, slots=True)
class Lockout:
    """Whether enrollment is locked, and how near it is.

    `retry_after_s` is 0 where it isn't. `refusals` counts those of the last `window_s` that no lock-out has answered
    yet, `limit` of them lock for `next_s`.
    """

    retry_after_s: float
    refusals: int
    limit: int
    window_s: float
    next_s: float

    @property
    def locked(self) -> bool:
        """Whether nobody can be enrolled now."""
        return self.retry_after_s > 0.0


class AttemptLedger:
    """The counters. `clock` gives Unix seconds. Every method raises StoreError when the database fails it."""

    def __init__(self, database: Database, limits: AttemptLimits, clock: Callable[[], float]) -> None:
        self._database = database
        self._limits = limits
        self._clock = clock

    def draw_challenge(
        self,
        subject: bytes = b"",
        *,
        purpose: GrantPurpose = GrantPurpose.ENROLL,
        lifetime_s: float = CHALLENGE_LIFETIME_S,
    ) -> bytes:
        """32 random bytes for one grant to answer, once, for this subject and purpose alone, within its lifetime.

        Durable when this returns.
        """
        now_s, challenge = self._now_s(), secrets.token_bytes(CHALLENGE_BYTES)
        with self._database.durable_transaction() as connection:
            connection.execute(delete(CHALLENGES).where(CHALLENGES.c.expires_at_s <= now_s))
            connection.execute(
                insert(CHALLENGES).values(
                    challenge=challenge, expires_at_s=now_s + lifetime_s, purpose=purpose.value, subject=subject
                )
            )
        return challenge

    def challenges(self, subject: bytes = b"", *, purpose: GrantPurpose = GrantPurpose.ENROLL) -> frozenset[bytes]:
        """What a grant for this subject and purpose may answer: challenges that are open, and those that grants with
        attempts left have burned."""
        with self._database.transaction() as connection:
            still_open = connection.execute(
                select(CHALLENGES.c.challenge).where(
                    CHALLENGES.c.purpose == purpose.value,
                    CHALLENGES.c.subject == subject,
                    CHALLENGES.c.expires_at_s > self._now_s(),
                )
            ).scalars()
            in_use = connection.execute(select(GRANTS.c.challenge).where(GRANTS.c.attempts_left > 0)).scalars()
            return frozenset(still_open) | frozenset(in_use)

    def attempts_left(self, grant_id: bytes) -> int:
        """How many attempts a grant has that was used before; 0 for one that was not."""
        with self._database.transaction() as connection:
            left = connection.execute(select(GRANTS.c.attempts_left).where(GRANTS.c.grant_id == grant_id))
            return int(left.scalar_one_or_none() or 0)

    def begin_attempt(self, permitted: PermittedGrant, *, sensor: str) -> Attempt:
        """Spend one attempt of a grant, before the first frame. Durable when this returns.

        1. Enrollment is not locked.
        2. Neither the subject nor the sensor has had its attempts of the day.
        3. The grant permits an enrollment and has not expired; at first use it answers a challenge that this host drew
           for its subject and that no other grant answered, and burns it; later it is, byte for byte, the one that did.
        4. The grant has an attempt left.

        Raises: LockedOut, PermissionRefused, StoreError.
        """
        grant, now_s = permitted.grant, self._now_s()
        with self._database.durable_transaction() as connection:
            # A lockout that begins here must outlast the refusal.
            self._lock_out(connection, now_s)
        with self._database.durable_transaction() as connection:
            # 1
            self._refuse_locked(connection, now_s)
            # 2
            self._refuse_daily(connection, now_s, grant.subject, sensor)
            # 3, 4
            left = self._spend(connection, permitted, now_s)
            begun = insert(ATTEMPTS).values(
                grant_id=grant.grant_id, subject=grant.subject, sensor=sensor, begun_at_s=now_s
            )
            number = connection.execute(begun.returning(ATTEMPTS.c.attempt)).scalar_one()
            return Attempt(number, grant.grant_id, left)

    def end_attempt(self, attempt: Attempt, result: AttemptResult) -> int:
        """Say how an attempt ended; the first word counts. Returns how many more attempts its grant has.

        NOT_LIVE and ENROLLED end the grant, INCONCLUSIVE leaves it two more captures at most. A refusal that is one too
        many locks enrollment. Two captures of a grant may run at a time, on two sensors: what ends it, ends it for both.

        Raises: PermissionRefused for ENROLLED where the attempt had ended, or another capture has ended the grant;
        nothing is changed.
        """
        now_s = self._now_s()
        with self._database.transaction() as connection:
            ended = connection.execute(
                update(ATTEMPTS)
                .where(ATTEMPTS.c.attempt == attempt.number, ATTEMPTS.c.result.is_(None))
                .values(ended_at_s=now_s, result=result.value)
            )
            grant = GRANTS.c.grant_id == attempt.grant_id
            if not ended.rowcount and result is AttemptResult.ENROLLED:
                raise PermissionRefused("the attempt has ended already")
            if ended.rowcount:
                if result in (AttemptResult.NOT_LIVE, AttemptResult.ENROLLED):
                    # The grant's row is held from here on, so that of two captures the second sees how the first ended.
                    connection.execute(update(GRANTS).where(grant).values(attempts_left=0))
                    if result is AttemptResult.ENROLLED:
                        _refuse_ended(connection, attempt)
                elif result is AttemptResult.INCONCLUSIVE:
                    connection.execute(
                        update(GRANTS)
                        .where(grant, GRANTS.c.attempts_left > AFTER_INCONCLUSIVE)
                        .values(attempts_left=AFTER_INCONCLUSIVE)
                    )
                self._lock_out(connection, now_s)
            return int(connection.execute(select(GRANTS.c.attempts_left).where(grant)).scalar_one())

    def enrolled(self, attempt: Attempt) -> bool:
        """Whether an attempt ended with a template that is stored."""
        with self._database.transaction() as connection:
            told = connection.execute(select(ATTEMPTS.c.result).where(ATTEMPTS.c.attempt == attempt.number)).scalar_one()
            return bool(told == AttemptResult.ENROLLED.value)

    def check_lockout(self) -> None:
        """Raises: LockedOut while enrollment is locked. Spends nothing."""
        with self._database.transaction() as connection:
            self._refuse_locked(connection, self._now_s())

    def lockout(self) -> Lockout:
        """Whether enrollment is locked, and how near it is. Changes nothing."""
        now_s, limits = self._now_s(), self._limits
        with self._database.transaction() as connection:
            refusals, _, last = self._refusals(connection, now_s)
            wait_s = self._wait_s(connection, now_s)
        _, next_s = self._next_lockout(last, now_s)
        return Lockout(wait_s, refusals, limits.refusals_before_lockout, limits.refusal_window_s, next_s)

    def clear_lockout(self, permitted: PermittedGrant) -> bool:
        """End the lock-out that holds now; False, and the grant is as it was, where none does.

        The next one is still twice as long, and the daily caps stay. Part of the transaction around it, which has to be
        durable before anybody is told.

        1. The grant permits just this and has not expired.
        2. It answers a challenge that this host drew for this and that no other grant answered, and burns it.
        3. Nobody waits any more.

        Raises: PermissionRefused, StoreError.
        """
        grant, now_s = permitted.grant, self._now_s()
        with self._database.transaction() as connection:
            # Refusals of attempts that were never ended begin their lock-out here, not behind the clearing's back.
            self._lock_out(connection, now_s)
            if not self._wait_s(connection, now_s):
                return False
            # 1
            _refuse_unfit(permitted, GrantPurpose.CLEAR_LOCKOUT, now_s)
            # 2
            used = connection.execute(select(GRANTS.c.grant_id).where(GRANTS.c.grant_id == grant.grant_id)).first()
            if used is not None:
                raise PermissionRefused("the grant is used up")
            self._burn(connection, permitted, now_s, attempts_left=0)
            # 3
            connection.execute(update(LOCKOUTS).where(LOCKOUTS.c.until_s > now_s).values(until_s=now_s))
        return True

    def _now_s(self) -> float:
        # Every comparison with a time that is no number would come out as if there were no wait.
        now_s = self._clock()
        if not math.isfinite(now_s):
            raise StoreError("the time is not known, so that attempts can't be counted: mend the host's clock")
        return now_s

    def _refusals(self, connection: Connection, now_s: float) -> tuple[int, int | None, Any]:
        """Refusals since the last lock-out, in the window up to now; the last attempt among them; that lock-out."""
        last = connection.execute(select(LOCKOUTS).order_by(LOCKOUTS.c.lockout.desc()).limit(1)).first()
        told_at_s = func.coalesce(ATTEMPTS.c.ended_at_s, ATTEMPTS.c.begun_at_s)
        refusals = connection.execute(
            select(func.count(), func.max(ATTEMPTS.c.attempt)).where(
                or_(ATTEMPTS.c.result.is_(None), ATTEMPTS.c.result != AttemptResult.ENROLLED.value),
                ATTEMPTS.c.attempt > (0 if last is None else last.after_attempt),
                told_at_s > now_s - self._limits.refusal_window_s,
            )
        ).one()
        return refusals[0], refusals[1], last

    def _next_lockout(self, last: Any, now_s: float) -> tuple[int, float]:
        """Level and seconds of the lock-out that follows this one."""
        level = 0 if last is None or now_s - last.until_s > DAY_S else last.level + 1
        return level, min(self._limits.lockout_s * 2.0 ** min(level, 32), LONGEST_LOCKOUT_S)

    def _lock_out(self, connection: Connection, now_s: float) -> None:
        """Begin a lockout when there were too many refusals since the last one, in the window up to now."""
        refusals, last_attempt, last = self._refusals(connection, now_s)
        if refusals < self._limits.refusals_before_lockout:
            return
        level, seconds = self._next_lockout(last, now_s)
        connection.execute(
            insert(LOCKOUTS).values(after_attempt=last_attempt, level=level, begun_at_s=now_s, until_s=now_s + seconds)
        )

    def _wait_s(self, connection: Connection, now_s: float) -> float:
        until_s = connection.execute(select(func.max(LOCKOUTS.c.until_s))).scalar_one()
        return 0.0 if until_s is None else max(0.0, until_s - now_s)

    def _refuse_locked(self, connection: Connection, now_s: float) -> None:
        wait_s = self._wait_s(connection, now_s)
        if wait_s > 0.0:
            raise LockedOut(f"too many refusals: enrollment is locked for {wait_s:.0f} s", wait_s)

    def _refuse_daily(self, connection: Connection, now_s: float, subject: bytes, sensor: str) -> None:
        for whose, limit, what in (
            (ATTEMPTS.c.subject == subject, self._limits.daily_per_subject, "subject"),
            (ATTEMPTS.c.sensor == sensor, self._limits.daily_per_sensor, "sensor"),
        ):
            recent = connection.execute(
                select(ATTEMPTS.c.begun_at_s)
                .where(whose, ATTEMPTS.c.begun_at_s > now_s - DAY_S)
                .order_by(ATTEMPTS.c.begun_at_s.desc())
                .limit(limit)
            ).all()
            if len(recent) >= limit:
                wait_s = recent[-1].begun_at_s + DAY_S - now_s
                raise LockedOut(f"this {what} has had its {limit} attempts of the day", wait_s)

    def _spend(self, connection: Connection, permitted: PermittedGrant, now_s: float) -> int:
        grant = permitted.grant
        _refuse_unfit(permitted, GrantPurpose.ENROLL, now_s)
        known = connection.execute(select(GRANTS).where(GRANTS.c.grant_id == grant.grant_id)).first()
        if known is None:
            left = min(grant.max_attempts, self._limits.captures_per_grant)
            self._burn(connection, permitted, now_s, attempts_left=left)
        else:
            if known.digest != _digest(permitted):
                raise PermissionRefused("another grant of this id was used before")
            left = known.attempts_left
        if left < 1:
            raise PermissionRefused("the grant is used up")
        connection.execute(update(GRANTS).where(GRANTS.c.grant_id == grant.grant_id).values(attempts_left=left - 1))
        return left - 1

    def _burn(self, connection: Connection, permitted: PermittedGrant, now_s: float, *, attempts_left: int) -> None:
        grant = permitted.grant
        drawn = connection.execute(
            delete(CHALLENGES).where(
                CHALLENGES.c.challenge == grant.challenge,
                CHALLENGES.c.purpose == grant.purpose.value,
                CHALLENGES.c.subject == grant.subject,
                CHALLENGES.c.expires_at_s > now_s,
            )
        )
        if drawn.rowcount != 1:
            raise PermissionRefused("the grant answers no open challenge of this host")
        connection.execute(
            insert(GRANTS).values(
                grant_id=grant.grant_id,
                digest=_digest(permitted),
                attempts_left=attempts_left,
                challenge=grant.challenge,
            )
        )


def _digest(permitted: PermittedGrant) -> bytes:
    return hashlib.sha256(permitted.envelope).digest()


def _refuse_ended(connection: Connection, attempt: Attempt) -> None:
    others = select(ATTEMPTS.c.result).where(
        ATTEMPTS.c.grant_id == attempt.grant_id,
        ATTEMPTS.c.attempt != attempt.number,
        ATTEMPTS.c.result.in_((AttemptResult.NOT_LIVE.value, AttemptResult.ENROLLED.value)),
    )
    if (ended := connection.execute(others).scalars().first()) is not None:
        raise PermissionRefused(f"the grant is over: another capture of it ended meanwhile ({ended})")


def _refuse_unfit(permitted: PermittedGrant, purpose: GrantPurpose, now_s: float) -> None:
    if permitted.grant.purpose is not purpose:
        raise PermissionRefused(f"the grant is for another purpose: {permitted.grant.purpose.value}")
    if now_s >= permitted.grant.expires_at_s:
        raise PermissionRefused("the grant has expired")
