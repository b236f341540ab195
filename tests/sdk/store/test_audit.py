"""The audit log keeps its order, shows every change, and holds nothing of a face."""

from __future__ import annotations

import math

import pytest
from faceward.errors import StoreError
from faceward.signing.file_kek import FileKeyProvider
from faceward.store.audit import AuditEntry, AuditLog
from faceward.store.database import AUDIT, Database
from sqlalchemy import delete, insert, select, update


@pytest.fixture
def log(database, keys) -> AuditLog:
    return AuditLog(database, keys)


def _fill(log) -> None:
    log.append("enrolled", at_s=1.5, subject=b"s" * 32, details={"sensor": "W-1", "slots": 90, "simulated": True})
    log.append("refused", at_s=2.0, subject=b"t" * 32, details={"gate": "flatness", "score": 0.25})
    log.append("removed", at_s=3.0)


def test_what_was_written_is_read_in_order_after_a_restart(url, keys):
    with Database(url) as database:
        _fill(AuditLog(database, keys))
    with Database(url) as database:
        entries = AuditLog(database, keys).entries()
    assert entries == (
        AuditEntry(0, 1.5, "enrolled", b"s" * 32, {"sensor": "W-1", "slots": 90, "simulated": True}),
        AuditEntry(1, 2.0, "refused", b"t" * 32, {"gate": "flatness", "score": 0.25}),
        AuditEntry(2, 3.0, "removed", None, {}),
    )


def test_an_entry_comes_and_goes_with_what_it_tells_of(database, log):
    with pytest.raises(ValueError, match="no"), database.transaction():
        log.append("enrolled", at_s=1.0)
        raise ValueError("no")
    assert log.verify_chain() == 0


@pytest.mark.parametrize("sequence", [0, 1, 2])
@pytest.mark.parametrize("column", ["entry", "link"])
def test_a_changed_byte_is_found(database, log, sequence, column):
    _fill(log)
    with database.transaction() as connection:
        row = connection.execute(select(AUDIT).where(AUDIT.c.sequence == sequence)).one()
        value = bytearray(getattr(row, column))
        value[5] ^= 1
        connection.execute(update(AUDIT).where(AUDIT.c.sequence == sequence).values({column: bytes(value)}))
    with pytest.raises(StoreError, match=f"changed at entry {sequence}"):
        log.verify_chain()


@pytest.mark.parametrize("sequence", [0, 1])
def test_a_dropped_entry_is_found(database, log, sequence):
    _fill(log)
    with database.transaction() as connection:
        connection.execute(delete(AUDIT).where(AUDIT.c.sequence == sequence))
    with pytest.raises(StoreError, match=f"changed at entry {sequence}"):
        log.entries()


def test_an_entry_at_another_place_is_found(database, log):
    _fill(log)
    with database.transaction() as connection:
        rows = connection.execute(select(AUDIT).order_by(AUDIT.c.sequence)).all()
        connection.execute(delete(AUDIT))
        for sequence, row in enumerate([rows[1], rows[0], rows[2]]):
            connection.execute(insert(AUDIT).values(sequence=sequence, entry=row.entry, link=row.link))
    with pytest.raises(StoreError, match="entry 0"):
        log.head()


def test_a_renumbered_log_is_found(database, log):
    _fill(log)
    with database.transaction() as connection:
        connection.execute(update(AUDIT).where(AUDIT.c.sequence == 2).values(sequence=7))
    with pytest.raises(StoreError, match="entry 2"):
        log.verify_chain()


def test_a_forger_without_the_key_can_not_write_an_entry(database, log):
    _fill(log)
    AuditLog(database, FileKeyProvider(b"k" * 32)).append("enrolled", at_s=4.0)
    with pytest.raises(StoreError, match="entry 3"):
        log.verify_chain()


def test_the_head_tells_that_a_log_was_cut_short(database, log):
    assert log.head() == (0, bytes(32))
    _fill(log)
    before = log.head()
    assert before[0] == 3
    with database.transaction() as connection:
        connection.execute(delete(AUDIT).where(AUDIT.c.sequence == 2))
    assert log.verify_chain() == 2
    assert log.head() != before


@pytest.mark.parametrize(
    ("event", "at_s", "details"),
    [
        ("", 1.0, {}),
        ("Enrolled", 1.0, {}),
        ("a b", 1.0, {}),
        ("enrolled", math.nan, {}),
        ("enrolled", 1.0, {"embedding": [0.5, 0.5]}),
        ("enrolled", 1.0, {"face": b"bytes"}),
        ("enrolled", 1.0, {"text": "x" * 257}),
        ("enrolled", 1.0, {"score": math.inf}),
        ("enrolled", 1.0, {"a name": 1}),
        ("enrolled", 1.0, {f"d{index}": 1 for index in range(33)}),
    ],
)
def test_an_entry_holds_words_and_numbers_alone(log, event, at_s, details):
    with pytest.raises(ValueError, match="audit"):
        log.append(event, at_s=at_s, details=details)
    assert log.verify_chain() == 0
