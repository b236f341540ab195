"""The database: SQLite in a file of our own, or PostgreSQL by URL. What goes wrong in it is a StoreError.

SQLite keeps a rollback journal (no write-ahead log, in which deleted keys would stay) and is told to reach the disk at
every commit (synchronous EXTRA: the folder too, sqlite.org/pragma.html#pragma_synchronous) and to overwrite what it
deletes. A power cut at any moment leaves the state before or after a transaction.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    create_engine,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.engine import URL, Connection, Dialect, Engine, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeEngine

from faceward.errors import ConfigError, StoreError

SCHEMA_VERSION: Final = 2
LOCK_WAIT_S: Final = 5.0


class _Kept(TypeDecorator[Any]):
    """A column type that takes from the database what it puts there: SQLite keeps any type in any column."""

    python: type

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """The value. Raises: StoreError for one of another type."""
        if value is not None and (not isinstance(value, self.python) or isinstance(value, bool)):
            raise StoreError("the store can't be read: a value in it has another type than was put there")
        return value


class _Bytes(_Kept):
    impl = LargeBinary
    cache_ok = True
    python = bytes


class _Whole(_Kept):
    impl = BigInteger
    cache_ok = True
    python = int

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """SQLite numbers rows by themselves where the type is called INTEGER, and nowhere else."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())


class _Seconds(_Kept):
    impl = Double
    cache_ok = True
    python = float


class _Text(_Kept):
    impl = String(64)
    cache_ok = True
    python = str


_METADATA: Final = MetaData()

ABOUT: Final = Table(
    "about",
    _METADATA,
    Column("one", _Whole, primary_key=True),
    Column("schema_version", _Whole, nullable=False),
    Column("key_id", _Text),  # of the key-encryption key, once there is one
)
TEMPLATES: Final = Table(
    "templates",
    _METADATA,
    Column("pseudonym", _Bytes, primary_key=True),
    Column("record_id", _Bytes, nullable=False, unique=True),
    Column("stored_at_s", _Whole, nullable=False),
    Column("wrapped_key", _Bytes, nullable=False),
    Column("sealed_name", _Bytes, nullable=False),
    Column("sealed_envelope", _Bytes, nullable=False),
)
AUDIT: Final = Table(
    "audit",
    _METADATA,
    Column("sequence", _Whole, primary_key=True, autoincrement=False),
    Column("entry", _Bytes, nullable=False),
    Column("link", _Bytes, nullable=False),
)
CHALLENGES: Final = Table(
    "challenges",
    _METADATA,
    Column("challenge", _Bytes, primary_key=True),
    Column("expires_at_s", _Seconds, nullable=False),
    Column("purpose", _Text, nullable=False),
    Column("subject", _Bytes, nullable=False),  # empty where no enrollment is asked for
)
GRANTS: Final = Table(
    "grants",
    _METADATA,
    Column("grant_id", _Bytes, primary_key=True),
    Column("digest", _Bytes, nullable=False),
    Column("attempts_left", _Whole, nullable=False),
    Column("challenge", _Bytes, nullable=False),  # the one that it burned
)
ATTEMPTS: Final = Table(
    "attempts",
    _METADATA,
    Column("attempt", _Whole, primary_key=True, autoincrement=True),
    Column("grant_id", _Bytes, nullable=False),
    Column("subject", _Bytes, nullable=False, index=True),
    Column("sensor", _Text, nullable=False, index=True),
    Column("begun_at_s", _Seconds, nullable=False, index=True),
    Column("ended_at_s", _Seconds),
    Column("result", _Text),
)
LOCKOUTS: Final = Table(
    "lockouts",
    _METADATA,
    Column("lockout", _Whole, primary_key=True, autoincrement=True),
    Column("after_attempt", _Whole, nullable=False),
    Column("level", _Whole, nullable=False),
    Column("begun_at_s", _Seconds, nullable=False),
    Column("until_s", _Seconds, nullable=False),
)
WATERMARKS: Final = Table(
    "watermarks",
    _METADATA,
    Column("mark", _Text, primary_key=True),
    Column("tenant", _Text, primary_key=True),
    Column("lock_group", _Text, primary_key=True),
    Column("highest", _Whole, nullable=False),
)


def sqlite_url(path: Path) -> str:
    """The URL of a database in a file."""
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


class Database:
    """Opens a database and makes its tables. Any thread may use it; each has transactions of its own.

    Raises: ConfigError for a URL that isn't one of SQLite or PostgreSQL or whose driver is missing; StoreError when it
    can't be opened, is no database of ours, or is of another version.
    """

    def __init__(self, url: str) -> None:
        parsed = _parse(url)
        self._where = parsed.render_as_string(hide_password=True)
        self._local = threading.local()
        try:
            if parsed.get_backend_name() == "sqlite":
                self._engine = _sqlite(parsed)
            else:
                self._engine = create_engine(parsed, isolation_level="SERIALIZABLE")
        except (ModuleNotFoundError, ArgumentError) as error:
            raise ConfigError(f"no driver for the store {self._where}: {error}") from None
        with self._answering(), self._engine.begin() as connection:
            _METADATA.create_all(connection)
            found = connection.execute(select(ABOUT.c.schema_version)).scalar_one_or_none()
            if found is None:
                connection.execute(insert(ABOUT).values(one=1, schema_version=SCHEMA_VERSION))
            elif found == 1:
                _from_version_1(connection)
            elif found != SCHEMA_VERSION:
                raise StoreError(f"the store {self._where} is of version {found}, and this is for {SCHEMA_VERSION}")

    @contextmanager
    def durable_transaction(self) -> Iterator[Connection]:
        """A transaction that is on the disk when it ends, which one inside another could not promise.

        Raises: StoreError.
        """
        if getattr(self._local, "connection", None) is not None:
            raise StoreError("what must be durable at once can't be part of another transaction")
        with self.transaction() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction: all of what happens in it is kept, or, after any exception, nothing.

        Inside another one of this thread it is part of that one. Raises: StoreError.
        """
        running: Connection | None = getattr(self._local, "connection", None)
        if running is not None:
            yield running
            return
        with self._answering(), self._engine.begin() as connection:
            self._local.connection = connection
            try:
                yield connection
            finally:
                self._local.connection = None

    def close(self) -> None:
        """Give every connection back. Idempotent."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise StoreError(f"the store {self._where} was changed by somebody else meanwhile: try again") from None
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise StoreError(f"can't read or write the store {self._where}: {reason}") from None


def _from_version_1(connection: Connection) -> None:
    # Nothing is won back by forgetting these: a grant's challenge went when it was first used, and without an open one
    # no grant is taken. Attempts and lock-outs stay.
    for table in (CHALLENGES, GRANTS):
        table.drop(connection)
        table.create(connection)
    connection.execute(update(ABOUT).values(schema_version=SCHEMA_VERSION))


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError("the store's URL is not one") from None
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise ConfigError(f"a store can't be kept in {parsed.get_backend_name()}: sqlite and postgresql are known")
    if parsed.get_backend_name() == "sqlite" and (not parsed.database or parsed.database == ":memory:"):
        raise ConfigError("the store's URL names no file")
    return parsed


def _sqlite(url: URL) -> Engine:
    path = Path(url.database or "")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(f"can't open the store {path}: {error.strerror or error}") from None
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": LOCK_WAIT_S})

    @event.listens_for(engine, "connect")
    def configure(connection: object, record: object) -> None:
        # The driver's own transactions begin late and end early; ours are begun below.
        connection.isolation_level = None  # type: ignore[attr-defined]
        for pragma in ("journal_mode=DELETE", "synchronous=EXTRA", "secure_delete=ON", "trusted_schema=OFF"):
            connection.execute(f"PRAGMA {pragma}").close()  # type: ignore[attr-defined]

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # The write lock is taken at once: two that read and then write can't both pass a limit.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
