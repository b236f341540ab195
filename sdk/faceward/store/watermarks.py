"""Numbers that never go back: the epoch of a lock group's records, the sequence of its trust store."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import insert, select, update

from faceward.errors import StoreError
from faceward.store.database import WATERMARKS, Database


class Watermark(StrEnum):
    """What a mark is of."""

    EPOCH = "epoch"
    TRUST = "trust-sequence"


class Watermarks:
    """The highest numbers that a tenant's lock group has seen here. Every method raises StoreError when the database
    fails it."""

    def __init__(self, database: Database, tenant: str, lock_group: str) -> None:
        self._database = database
        self._scope = (WATERMARKS.c.tenant == tenant, WATERMARKS.c.lock_group == lock_group)
        self._names = {"tenant": tenant, "lock_group": lock_group}

    def highest(self, mark: Watermark) -> int:
        """The highest number seen, 0 before the first."""
        with self._database.transaction() as connection:
            found = connection.execute(
                select(WATERMARKS.c.highest).where(WATERMARKS.c.mark == mark.value, *self._scope)
            ).scalar_one_or_none()
        return 0 if found is None else int(found)

    def reach(self, mark: Watermark, number: int) -> None:
        """Raise a mark to a number that was seen; part of the transaction around it.

        Raises: StoreError for a number below the highest.
        """
        with self._database.transaction() as connection:
            highest = self.highest(mark)
            if number < highest:
                raise StoreError(f"{mark.value} {number} is below {highest}, which was seen before: it never goes back")
            if number == highest:
                return
            raised = connection.execute(
                update(WATERMARKS).where(WATERMARKS.c.mark == mark.value, *self._scope).values(highest=number)
            )
            if not raised.rowcount:
                connection.execute(insert(WATERMARKS).values(mark=mark.value, highest=number, **self._names))
