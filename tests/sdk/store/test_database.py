"""A database opens or says in a sentence why not; a transaction happens whole or not at all."""

from __future__ import annotations

import sqlite3
import stat
import threading

import pytest
from faceward.config import AttemptLimits
from faceward.errors import ConfigError, LockedOut, StoreError
from faceward.store import database as module
from faceward.store.attempts import AttemptLedger
from faceward.store.database import ATTEMPTS, CHALLENGES, GRANTS, Database, sqlite_url
from sqlalchemy import insert, select


def _put(connection, byte: bytes) -> None:
    connection.execute(insert(CHALLENGES).values(challenge=byte * 32, expires_at_s=1.0, purpose="enroll", subject=b""))


def _found(database) -> list[bytes]:
    with database.transaction() as connection:
        return sorted(row.challenge[:1] for row in connection.execute(select(CHALLENGES)))


def test_a_new_database_is_for_its_owner_alone(tmp_path):
    Database(sqlite_url(tmp_path / "home" / "store.sqlite")).close()
    assert stat.S_IMODE((tmp_path / "home" / "store.sqlite").stat().st_mode) == 0o600


def test_sqlite_is_told_to_reach_the_disk_and_to_overwrite_what_it_deletes(database):
    with database.transaction() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "secure_delete")
        }
    assert settings == {"journal_mode": "delete", "synchronous": 3, "secure_delete": 1}


def test_what_a_transaction_wrote_is_there_for_the_next_process(url):
    with Database(url) as first, first.transaction() as connection:
        _put(connection, b"a")
    with Database(url) as second:
        assert _found(second) == [b"a"]


def test_after_any_exception_nothing_was_written(database):
    for error in (LockedOut("no", 1.0), KeyboardInterrupt(), ValueError("no")):
        with pytest.raises(type(error)), database.transaction() as connection:
            _put(connection, b"a")
            raise error
    assert _found(database) == []


def test_a_transaction_inside_another_ends_with_it(database):
    with pytest.raises(ValueError, match="no"), database.transaction() as outer:
        _put(outer, b"a")
        with database.transaction() as inner:
            _put(inner, b"b")
        assert inner is outer
        raise ValueError("no")
    assert _found(database) == []
    with database.transaction() as outer, database.transaction() as inner:
        _put(inner, b"c")
    assert _found(database) == [b"c"]


def test_a_durable_transaction_inside_another_is_refused(database):
    with pytest.raises(StoreError, match="durable"), database.transaction(), database.durable_transaction():
        raise AssertionError("entered")
    with database.durable_transaction() as connection:
        _put(connection, b"a")
    assert _found(database) == [b"a"]


def test_each_thread_has_transactions_of_its_own(database):
    found = []

    def other():
        with database.transaction() as connection:
            _put(connection, b"b")
            found.append(connection)

    with database.transaction() as connection:
        mine = connection
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert found[0] is not mine
    assert _found(database) == [b"b"]


def test_a_database_that_somebody_else_holds_is_one_clear_error(url, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "LOCK_WAIT_S", 0.05)
    with Database(url) as database:
        holder = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        try:
            with pytest.raises(StoreError, match="locked"), database.transaction():
                raise AssertionError("entered")
        finally:
            holder.close()


def test_two_of_the_same_are_one_clear_error(database):
    with pytest.raises(StoreError, match="try again"), database.transaction() as connection:
        _put(connection, b"a")
        _put(connection, b"a")


@pytest.mark.parametrize("content", [b"junk" * 1000, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_database_is_one_clear_error(tmp_path, content):
    (tmp_path / "store.sqlite").write_bytes(content)
    with pytest.raises(StoreError, match=r"store\.sqlite"):
        Database(sqlite_url(tmp_path / "store.sqlite"))
    assert (tmp_path / "store.sqlite").read_bytes() == content


def test_a_place_that_can_not_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "store.sqlite", tmp_path / "folder"):
        with pytest.raises(StoreError, match="can't open the store"):
            Database(sqlite_url(path))


def test_a_store_of_another_version_is_refused(url, database, tmp_path):
    database.close()
    with sqlite3.connect(tmp_path / "store.sqlite") as raw:
        raw.execute("UPDATE about SET schema_version = 3")
    raw.close()
    with pytest.raises(StoreError, match="version 3"):
        Database(url)


def test_a_store_of_version_1_keeps_its_attempts_and_forgets_its_grants(url, tmp_path, clock):
    with sqlite3.connect(tmp_path / "store.sqlite") as raw:
        raw.executescript("""
            CREATE TABLE about (one INTEGER PRIMARY KEY, schema_version INTEGER NOT NULL, key_id VARCHAR(64));
            INSERT INTO about VALUES (1, 1, NULL);
            CREATE TABLE challenges (challenge BLOB PRIMARY KEY, expires_at_s DOUBLE NOT NULL);
            INSERT INTO challenges VALUES (x'63', 1900000000.0);
            CREATE TABLE grants (grant_id BLOB PRIMARY KEY, digest BLOB NOT NULL, attempts_left INTEGER NOT NULL);
            INSERT INTO grants VALUES (x'67', x'64', 2);
            CREATE TABLE attempts (
                attempt INTEGER PRIMARY KEY, grant_id BLOB NOT NULL, subject BLOB NOT NULL, sensor VARCHAR(64) NOT NULL,
                begun_at_s DOUBLE NOT NULL, ended_at_s DOUBLE, result VARCHAR(64));
            INSERT INTO attempts VALUES (1, x'67', x'73', 'W-1', 1800000000.0, NULL, NULL);
        """)
    raw.close()
    with Database(url) as database:
        assert _found(database) == []
        with database.transaction() as connection:
            assert connection.execute(select(GRANTS)).all() == []
            assert len(connection.execute(select(ATTEMPTS)).all()) == 1
            _put(connection, b"a")
        assert AttemptLedger(database, AttemptLimits(), clock).lockout().refusals == 1
    with Database(url) as again:
        assert _found(again) == [b"a"]


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://host/db", "sqlite://", "sqlite:///:memory:", "postgresql+nodriver://host/db"]
)
def test_a_url_that_no_store_can_be_kept_at_is_a_config_error(url):
    with pytest.raises(ConfigError):
        Database(url)


def test_a_password_is_not_in_what_is_said():
    with pytest.raises(ConfigError) as caught:
        Database("postgresql+nodriver://user:hunter2@host/db")
    assert "hunter2" not in str(caught.value)
