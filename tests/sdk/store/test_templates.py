"""Templates are kept whole, encrypted and bound to their subject; removing one destroys its key."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import textwrap

import pytest
from faceward.errors import ConfigError, DuplicateSubject, StoreError, SubjectUnknown
from faceward.signing.file_kek import FileKeyProvider
from faceward.store.database import TEMPLATES, Database
from faceward.store.subjects import parse_subject
from faceward.store.templates import StoredSubject, StoredTemplate, TemplateStore
from sqlalchemy import select, update

ALICE, BOB = parse_subject("alice"), parse_subject("bob")
ENVELOPE = b"a signed template of alice" * 20


@pytest.fixture
def store(database, keys) -> TemplateStore:
    return TemplateStore(database, keys)


def _add(store, subject=ALICE, envelope=ENVELOPE, record_id=b"r" * 16):
    store.add(subject, envelope, record_id=record_id, stored_at_s=100)


def test_a_template_comes_back_after_a_restart(url, keys):
    with Database(url) as database:
        _add(TemplateStore(database, keys))
    with Database(url) as database:
        assert TemplateStore(database, keys).get(ALICE) == StoredTemplate(ALICE, b"r" * 16, 100, ENVELOPE)


def test_everybody_is_listed_by_name(store):
    assert store.list() == ()
    _add(store, BOB, record_id=b"b" * 16)
    _add(store, ALICE, record_id=b"a" * 16)
    assert store.list() == (StoredSubject(ALICE, b"a" * 16, 100), StoredSubject(BOB, b"b" * 16, 100))


def test_a_second_enrollment_of_one_subject_is_refused_and_changes_nothing(store):
    _add(store)
    with pytest.raises(DuplicateSubject, match="alice"):
        _add(store, envelope=b"other", record_id=b"o" * 16)
    assert store.get(ALICE).envelope == ENVELOPE


def test_one_record_is_not_stored_for_two(store):
    _add(store)
    with pytest.raises(StoreError):
        _add(store, BOB)
    assert [entry.subject for entry in store.list()] == [ALICE]


def test_nobody_is_a_typed_error(store):
    for call in (store.get, store.remove):
        with pytest.raises(SubjectUnknown, match="alice"):
            call(ALICE)


def test_a_removed_subject_is_gone_and_can_come_back(store):
    _add(store)
    store.remove(ALICE)
    with pytest.raises(SubjectUnknown):
        store.get(ALICE)
    _add(store)
    assert store.get(ALICE).envelope == ENVELOPE


def test_nothing_in_the_files_is_readable_without_the_key(store, tmp_path):
    _add(store)
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in (b"alice", ENVELOPE[:26]):
        assert secret not in content


def test_removing_destroys_the_subjects_key_in_the_file(store, database, tmp_path):
    _add(store)
    with database.transaction() as connection:
        row = connection.execute(select(TEMPLATES)).one()
    assert row.wrapped_key in (tmp_path / "store.sqlite").read_bytes()
    store.remove(ALICE)
    left = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(left) == {"store.sqlite"}
    for part in (row.wrapped_key, row.sealed_envelope, row.sealed_name):
        assert part not in left["store.sqlite"]


def test_another_key_encryption_key_is_one_clear_error(database, store):
    _add(store)
    with pytest.raises(StoreError, match="another key-encryption key"):
        TemplateStore(database, FileKeyProvider(b"k" * 32))


def test_what_is_no_key_provider_is_a_config_error(database):
    with pytest.raises(ConfigError, match="KeyProvider"):
        TemplateStore(database, object())


@pytest.mark.parametrize("column", ["wrapped_key", "sealed_name", "sealed_envelope", "record_id"])
def test_a_changed_byte_is_one_clear_error(store, database, column):
    _add(store)
    with database.transaction() as connection:
        value = bytearray(getattr(connection.execute(select(TEMPLATES)).one(), column))
        value[-1] ^= 1
        connection.execute(update(TEMPLATES).values({column: bytes(value)}))
    with pytest.raises(StoreError, match="can't be read"):
        store.get(ALICE)
    if column != "sealed_envelope":
        with pytest.raises(StoreError, match="can't be read"):
            store.list()
    store.remove(ALICE)
    assert store.list() == ()


def test_two_subjects_rows_can_not_be_swapped(store, database):
    _add(store, ALICE, record_id=b"a" * 16)
    _add(store, BOB, b"a signed template of bob", record_id=b"b" * 16)
    with database.transaction() as connection:
        for who, other in ((ALICE, b"1" * 32), (BOB, store.pseudonym(ALICE)), (None, store.pseudonym(BOB))):
            key = b"1" * 32 if who is None else store.pseudonym(who)
            connection.execute(update(TEMPLATES).where(TEMPLATES.c.pseudonym == key).values(pseudonym=other))
    for subject in (ALICE, BOB):
        with pytest.raises(StoreError, match="can't be read"):
            store.get(subject)


def test_parts_of_two_rows_can_not_be_mixed(store, database):
    _add(store, ALICE, record_id=b"a" * 16)
    _add(store, BOB, b"a signed template of bob", record_id=b"b" * 16)
    with database.transaction() as connection:
        rows = {row.record_id: row for row in connection.execute(select(TEMPLATES))}
        bob = rows[b"b" * 16]
        connection.execute(
            update(TEMPLATES)
            .where(TEMPLATES.c.record_id == b"a" * 16)
            .values(sealed_envelope=bob.sealed_envelope, wrapped_key=bob.wrapped_key)
        )
    with pytest.raises(StoreError, match="can't be read"):
        store.get(ALICE)


def test_a_row_whose_columns_hold_another_type_is_one_clear_error(store, database, tmp_path):
    _add(store)
    with sqlite3.connect(tmp_path / "store.sqlite") as raw:
        raw.execute("UPDATE templates SET sealed_name = 'text'")
    raw.close()
    with pytest.raises(StoreError):
        store.get(ALICE)


_CHILD = """
    import os, signal, sys
    from sqlalchemy import event
    from faceward.signing.file_kek import FileKeyProvider
    from faceward.store.database import Database
    from faceward.store.subjects import parse_subject
    from faceward.store.templates import TemplateStore

    database = Database(sys.argv[1])
    store = TemplateStore(database, FileKeyProvider(bytes(range(32))))
    steps = int(sys.argv[2])

    def die(*_):
        global steps
        steps -= 1
        if steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(database._engine, name, die)
    getattr(store, sys.argv[3])(parse_subject("alice"), *(
        [] if sys.argv[3] == "remove" else [b"envelope"]), **(
        {} if sys.argv[3] == "remove" else {"record_id": b"r" * 16, "stored_at_s": 1}))
    die.__globals__["steps"] = 1
    print("done", flush=True)
    die()
"""


@pytest.mark.parametrize("what", ["add", "remove"])
def test_a_process_killed_at_any_step_leaves_the_old_state_or_the_new(url, keys, what):
    """A step is a statement's begin or end, or the commit; the last kill comes after all of them."""
    finished = False
    for step in range(1, 20):
        with Database(url) as database:
            store = TemplateStore(database, keys)
            if what == "remove" and not store.list():
                store.add(ALICE, b"envelope", record_id=b"r" * 16, stored_at_s=1)
        child = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(_CHILD), url, str(step), what],
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert child.returncode == -signal.SIGKILL, child.stderr
        finished = b"done" in child.stdout
        with Database(url) as database:
            store = TemplateStore(database, keys)
            enrolled = [entry.subject for entry in store.list()]
            assert enrolled == ([ALICE] if finished == (what == "add") else [])
            if enrolled:
                assert store.get(ALICE).envelope == b"envelope"
        if finished:
            break
    assert finished
    assert step > 3
