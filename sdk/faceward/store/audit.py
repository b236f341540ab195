"""What happened, in an order that can't be changed afterwards: a keyed digest chains each entry to the one before.

Whoever lacks the key provider can neither alter, insert nor drop an entry unseen, but for the last ones: a log that was
cut short is a shorter log. `head` is what to keep elsewhere against that. No biometrics: an entry takes no bytes but a
pseudonym, no lists, and short texts.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import insert, select

from faceward.errors import StoreError
from faceward.signing.key_provider import KeyProvider
from faceward.store.database import AUDIT, Database

MAX_TEXT: Final = 256
MAX_DETAILS: Final = 32
GENESIS: Final = bytes(32)

Detail = str | int | float | bool
_WORD: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that happened: when (Unix seconds), to whom (a pseudonym), and details by name."""

    sequence: int
    at_s: float
    event: str
    subject: bytes | None = None
    details: Mapping[str, Detail] = field(default_factory=dict)


class AuditLog:
    """The log. Every method raises StoreError when the database fails it; inside `Database.transaction` an entry is
    kept together with what it tells of, or not at all."""

    def __init__(self, database: Database, keys: KeyProvider) -> None:
        self._database = database
        self._keys = keys

    def append(
        self, event: str, *, at_s: float, subject: bytes | None = None, details: Mapping[str, Detail] | None = None
    ) -> AuditEntry:
        """Write an entry. Raises: ValueError for an entry that a log may not hold, StoreError."""
        with self._database.transaction() as connection:
            last = connection.execute(
                select(AUDIT.c.sequence, AUDIT.c.link).order_by(AUDIT.c.sequence.desc()).limit(1)
            ).first()
            sequence, previous = (0, GENESIS) if last is None else (last.sequence + 1, last.link)
            entry = AuditEntry(sequence, at_s, event, subject, dict(details or {}))
            written = _write(entry)
            link = self._link(previous, written)
            connection.execute(insert(AUDIT).values(sequence=sequence, entry=written, link=link))
        return entry

    def entries(self) -> tuple[AuditEntry, ...]:
        """Every entry, oldest first, its chain verified. Raises: StoreError."""
        return self._verified()[0]

    def verify_chain(self) -> int:
        """How many entries there are, all as they were written. Raises: StoreError, naming the first that isn't."""
        return len(self._verified()[0])

    def head(self) -> tuple[int, bytes]:
        """Number of entries and the last link: kept elsewhere, they tell whether the log was cut short."""
        entries, link = self._verified()
        return len(entries), link

    def _verified(self) -> tuple[tuple[AuditEntry, ...], bytes]:
        with self._database.transaction() as connection:
            rows = connection.execute(select(AUDIT).order_by(AUDIT.c.sequence)).all()
        link, found = GENESIS, []
        for index, row in enumerate(rows):
            link = self._link(link, row.entry)
            entry = _read(row.entry) if link == row.link else None
            if entry is None or not index == row.sequence == entry.sequence:
                raise StoreError(f"the audit log was changed at entry {index}")
            found.append(entry)
        return tuple(found), link

    def _link(self, previous: bytes, written: bytes) -> bytes:
        return self._keys.keyed_digest("audit", previous + written)


def _write(entry: AuditEntry) -> bytes:
    if not math.isfinite(entry.at_s):
        raise ValueError("an audit entry has a time")
    if len(entry.details) > MAX_DETAILS:
        raise ValueError(f"an audit entry has at most {MAX_DETAILS} details")
    for word in (entry.event, *entry.details):
        if not _WORD.fullmatch(word):
            raise ValueError(f"{word!r} is no name for an audit event or detail")
    for name, value in entry.details.items():
        if not isinstance(value, str | int | float) or (isinstance(value, str) and len(value) > MAX_TEXT):
            raise ValueError(f"an audit entry can't hold {name}: a number or a text of at most {MAX_TEXT} characters")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"an audit entry can't hold {name}: it is not finite")
    subject = None if entry.subject is None else entry.subject.hex()
    return json.dumps(
        {
            "sequence": entry.sequence,
            "at_s": entry.at_s,
            "event": entry.event,
            "subject": subject,
            "details": dict(entry.details),
        },
        sort_keys=True,
        separators=(",", ":"),
        allow_nan=False,
    ).encode()


def _read(written: bytes) -> AuditEntry:
    fields = json.loads(written)
    subject = None if fields["subject"] is None else bytes.fromhex(fields["subject"])
    return AuditEntry(fields["sequence"], fields["at_s"], fields["event"], subject, fields["details"])
