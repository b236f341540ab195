"""How often may be tried: challenges, grants and attempts, counted in the database before a capture, not after it.

An attempt is spent when it begins, and nothing gives it back: one that was never ended (a crash, a power cut) counts as
a refusal. Time is the caller's wall clock; one that was set back never shortens a wait, one that was set forward does.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.engine import Connection

from faceward.config import AttemptLimits
from faceward.errors import LockedOut, PermissionRefused
from faceward.model.template import PermittedGrant
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


class AttemptLedger:
    """The counters. `clock` gives Unix seconds. Every method raises StoreError when the database fails it."""

    def __init__(self, database: Database, limits: AttemptLimits, clock: Callable[[], float]) -> None:
        self._database = database
        self._limits = limits
        self._clock = clock

    def draw_challenge(self) -> bytes:
        """32 random bytes for a grant to answer, once, within ten minutes. Durable when this returns."""
        now_s, challenge = self._clock(), secrets.token_bytes(CHALLENGE_BYTES)
        with self._database.durable_transaction() as connection:
            connection.execute(delete(CHALLENGES).where(CHALLENGES.c.expires_at_s <= now_s))
            connection.execute(
                insert(CHALLENGES).values(challenge=challenge, expires_at_s=now_s + CHALLENGE_LIFETIME_S)
            )
        return challenge

    def begin_attempt(self, permitted: PermittedGrant, *, sensor: str) -> Attempt:
        """Spend one attempt of a grant, before the first frame. Durable when this returns.

        1. Enrollment is not locked.
        2. Neither the subject nor the sensor has had its attempts of the day.
        3. The grant has not expired; at first use it answers a challenge that this host drew and that no other grant
           answered, and burns it; later it is, byte for byte, the one that did.
        4. The grant has an attempt left.

        Raises: LockedOut, PermissionRefused, StoreError.
        """
        grant, now_s = permitted.grant, self._clock()
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
        many locks enrollment.
        """
        now_s = self._clock()
        with self._database.transaction() as connection:
            ended = connection.execute(
                update(ATTEMPTS)
                .where(ATTEMPTS.c.attempt == attempt.number, ATTEMPTS.c.result.is_(None))
                .values(ended_at_s=now_s, result=result.value)
            )
            grant = GRANTS.c.grant_id == attempt.grant_id
            if ended.rowcount:
                if result in (AttemptResult.NOT_LIVE, AttemptResult.ENROLLED):
                    connection.execute(update(GRANTS).where(grant).values(attempts_left=0))
                elif result is AttemptResult.INCONCLUSIVE:
                    connection.execute(
                        update(GRANTS)
                        .where(grant, GRANTS.c.attempts_left > AFTER_INCONCLUSIVE)
                        .values(attempts_left=AFTER_INCONCLUSIVE)
                    )
                self._lock_out(connection, now_s)
            return int(connection.execute(select(GRANTS.c.attempts_left).where(grant)).scalar_one())

    def check_lockout(self) -> None:
        """Raises: LockedOut while enrollment is locked. Spends nothing."""
        with self._database.transaction() as connection:
            self._refuse_locked(connection, self._clock())

    def _lock_out(self, connection: Connection, now_s: float) -> None:
        """Begin a lockout when there were too many refusals since the last one, in the window up to now."""
        last = connection.execute(select(LOCKOUTS).order_by(LOCKOUTS.c.lockout.desc()).limit(1)).first()
        told_at_s = func.coalesce(ATTEMPTS.c.ended_at_s, ATTEMPTS.c.begun_at_s)
        refusals = connection.execute(
            select(func.count(), func.max(ATTEMPTS.c.attempt)).where(
                or_(ATTEMPTS.c.result.is_(None), ATTEMPTS.c.result != AttemptResult.ENROLLED.value),
                ATTEMPTS.c.attempt > (0 if last is None else last.after_attempt),
                told_at_s > now_s - self._limits.refusal_window_s,
            )
        ).one()
        if refusals[0] < self._limits.refusals_before_lockout:
            return
        level = 0 if last is None or now_s - last.until_s > DAY_S else last.level + 1
        seconds = min(self._limits.lockout_s * 2.0 ** min(level, 32), LONGEST_LOCKOUT_S)
        connection.execute(
            insert(LOCKOUTS).values(after_attempt=refusals[1], level=level, begun_at_s=now_s, until_s=now_s + seconds)
        )

    def _refuse_locked(self, connection: Connection, now_s: float) -> None:
        until_s = connection.execute(select(func.max(LOCKOUTS.c.until_s))).scalar_one()
        if until_s is not None and now_s < until_s:
            wait_s = until_s - now_s
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
        grant, digest = permitted.grant, hashlib.sha256(permitted.envelope).digest()
        if now_s >= grant.expires_at_s:
            raise PermissionRefused("the grant has expired")
        known = connection.execute(select(GRANTS).where(GRANTS.c.grant_id == grant.grant_id)).first()
        if known is None:
            drawn = connection.execute(
                delete(CHALLENGES).where(CHALLENGES.c.challenge == grant.challenge, CHALLENGES.c.expires_at_s > now_s)
            )
            if drawn.rowcount != 1:
                raise PermissionRefused("the grant answers no open challenge of this host")
            left = min(grant.max_attempts, self._limits.captures_per_grant)
            connection.execute(insert(GRANTS).values(grant_id=grant.grant_id, digest=digest, attempts_left=left))
        else:
            if known.digest != digest:
                raise PermissionRefused("another grant of this id was used before")
            left = known.attempts_left
        if left < 1:
            raise PermissionRefused("the grant is used up")
        connection.execute(update(GRANTS).where(GRANTS.c.grant_id == grant.grant_id).values(attempts_left=left - 1))
        return left - 1
