"""Time, place, person, and what was withdrawn."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from ingredients import (
    DAY_S,
    EPOCH,
    NOW_S,
    grant,
    record,
    record_message,
    trust,
)

from cases.case import (
    SUBJECT,
    Case,
)


def contexts() -> Iterator[Case]:
    """Time, place, person, and what was withdrawn."""

    def refused(
        name: str, why: str, kind: str, *, data: bytes | None = None, store: bytes | None = None, **more: object
    ) -> Case:
        return Case(
            f"context/{name}",
            why,
            kind,
            record() if data is None else data,
            trust() if store is None else store,
            **more,
        )  # type: ignore[arg-type]

    elsewhere = {"tenant": "other", "lock_group": "doors.south"}
    yield refused("tenant", "a record of another tenant", "wrong-context", data=record(tenant="other"))
    yield refused("lock-group", "a record for another group", "wrong-context", data=record(lock_group="doors.south"))
    yield refused("tenant-prefix", "a tenant whose name begins alike", "wrong-context", data=record(tenant="acm"))
    yield refused(
        "group-case", "names are compared as they are written", "wrong-context", data=record(lock_group="Doors.north")
    )
    yield refused(
        "elsewhere",
        "a whole record from elsewhere, with its grant",
        "wrong-context",
        data=record(permission=grant(**elsewhere), **elsewhere),
    )
    yield refused("subject", "a record of another person than the lock asked for", "wrong-context", subject=bytes(32))
    yield refused(
        "store-of-another-tenant",
        "a trust store for another tenant than the lock's",
        "wrong-context",
        tenant="other",
        lock_group="doors.north",
    )
    yield refused(
        "store-of-another-group",
        "a trust store for another group than the lock's",
        "wrong-context",
        tenant="acme",
        lock_group="doors.south",
    )
    yield refused("not-yet", "issued more than 120 s from now", "expired", now_s=NOW_S - 121)
    yield refused("expired", "expired this second", "expired", now_s=NOW_S + 30 * DAY_S)
    yield refused("long-expired", "expired long ago", "expired", now_s=NOW_S + 90 * DAY_S)
    yield refused("clock-at-zero", "a lock whose clock was never set knows no time", "expired", now_s=0)
    yield refused(
        "record-revoked",
        "this record was revoked",
        "revoked",
        store=trust(revoked_records=frozenset({b"\0" * 16, record_message().record_id})),
    )
    yield refused(
        "subject-revoked",
        "this person was revoked",
        "revoked",
        store=trust(revoked_subjects=frozenset({SUBJECT, b"\xff" * 32})),
    )
    yield refused("epoch-of-the-store", "the store's epoch is higher", "revoked", store=trust(minimum_epoch=EPOCH + 1))
    yield refused("epoch-of-the-lock", "the lock's epoch is higher than the store's", "revoked", epoch=EPOCH + 1)
    yield refused("epoch-zero", "a record without an epoch", "revoked", data=record(epoch=None))
    many = frozenset(hashlib.sha256(b"%d" % number).digest() for number in range(300)) | {SUBJECT}
    yield refused("revoked-among-many", "this person, among 300 others", "revoked", store=trust(revoked_subjects=many))
