"""The journal of a run that goes on, and the writer that makes parts of it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import pyarrow as pa
import pyarrow.parquet as pq

from faceward.errors import ConfigError
from faceward.pad.presentation import Presentation, as_row
from faceward.pad.schema import SCHEMA, SCHEMA_VERSION, checked_row, read_part, version_of_part

_LINE_CAP_BYTES: Final = 1024 * 1024


def journal_objects(path: Path) -> tuple[list[tuple[dict[str, Any], str]], int]:
    """Each whole line with its schema version, and how many bytes they are. Raises: ConfigError.

    A last line that lacks its end is whole where it is an object: tools leave the end out, and a kill leaves half a line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror or error}") from None
    finished = content.rfind(b"\n") + 1
    if _is_object(content[finished:]):
        finished = len(content)
    found = []
    for number, text in enumerate(content[:finished].splitlines(), 1):
        try:
            if len(text) > _LINE_CAP_BYTES:
                raise ValueError("longer than a line may be")
            row = json.loads(text, parse_constant=_no_number)
            version = row.pop("schema")
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
            raise ConfigError(f"{path.name}, line {number} is no line of results: {error}") from None
        found.append((row, str(version)))
    return found, finished


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def checked_lines(objects: Iterable[tuple[dict[str, Any], str]], path: Path) -> Iterator[Presentation]:
    """The presentations that a journal's objects are. Raises: ConfigError."""
    for row, version in objects:
        if version != str(SCHEMA_VERSION):
            raise ConfigError(f"{path.name} has schema version {version}; this faceward reads {SCHEMA_VERSION}")
        yield checked_row(row, path)


def read_journal(path: Path) -> tuple[list[Presentation], int]:
    """Each finished line, and how many bytes they are. Raises: ConfigError."""
    objects, finished = journal_objects(path)
    return list(checked_lines(objects, path)), finished


def replace_file(path: Path, content: bytes) -> None:
    """Put the content where the path is, whole or not at all. Raises: OSError."""
    with _written_beside(path, lambda file: file.write(content)) as temporary:
        temporary.replace(path)
    sync_folder(path.parent)


@contextlib.contextmanager
def _written_beside(path: Path, write: Callable[[BinaryIO], object]) -> Iterator[Path]:
    """A file of its own beside the path, written and synced; it is gone afterwards, unless it was renamed."""
    # Nobody can have put a link there: the name is drawn, and a file that is there is not opened.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.writing")
    try:
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a file's new name last. Raises: OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class ResultsWriter:
    """Writes lines into a folder, one at a time. A run that is killed loses at most the line that it was writing.

    Opening a folder that has lines goes on where they end: `done` has their ids, whoever wrote them. Two writers may share
    a folder under different names; a name belongs to one writer at a time. Use it as a context manager.
    """

    def __init__(self, folder: Path, *, name: str = "results", lines_a_part: int = 1000) -> None:
        """Open or make the folder, mend what a kill left, and read which presentations are there.

        Raises: ConfigError: the folder can't be written, its lines can't be read, or another writer has the name.
        """
        if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
            raise ConfigError(f"a results file can't be named {name!r}: letters, digits, - and _")
        self.folder = folder
        self._name = name
        self._lines_a_part = lines_a_part
        self._path = folder / f"{name}.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            self._journal = os.open(self._path, flags, 0o644)
        except OSError as error:
            raise ConfigError(f"{self._path} can't be written: {error.strerror or error}") from None
        try:
            self._begin()
        except BaseException:
            os.close(self._journal)
            raise

    def _begin(self) -> None:
        try:
            fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(f"another run writes {self._path}; wait for it, or give this one another name") from None
        lines, finished = read_journal(self._path)
        if os.fstat(self._journal).st_size != finished:
            os.ftruncate(self._journal, finished)
        if finished and os.pread(self._journal, 1, finished - 1) != b"\n":
            os.write(self._journal, b"\n")
        for left in self.folder.glob(f".{self._name}-*.writing"):
            left.unlink(missing_ok=True)
        others = [path for path in sorted(self.folder.glob("*.jsonl")) if path != self._path]
        elsewhere = [line.presentation_id for path in others for line in read_journal(path)[0]]
        stored: dict[str, Presentation] = {}
        for path in sorted(self.folder.glob("*.parquet")):
            if version_of_part(path) != str(SCHEMA_VERSION):
                raise ConfigError(f"{path} is of another schema version than {SCHEMA_VERSION}; write into a new folder")
            stored.update((line.presentation_id, line) for line in read_part(path))
        self._pending = [line for line in lines if stored.get(line.presentation_id) != line]
        doubled = [line.presentation_id for line in self._pending if line.presentation_id in stored]
        if doubled:
            raise ConfigError(f"presentation {doubled[0]!r} stands in {self._path.name} and, otherwise, in a part")
        self._done = {*stored, *elsewhere, *(line.presentation_id for line in lines)}

    @property
    def done(self) -> frozenset[str]:
        """The ids of all presentations that have a line."""
        return frozenset(self._done)

    def write(self, line: Presentation) -> None:
        """Add a line; when this returns it is on the disk.

        Raises: ConfigError: an id that has a line, a closed writer, or the disk refuses; then nothing of the line stays.
        Or the part that was due can't be made (`compact`); then the line is in the journal.
        """
        if self._journal < 0:
            raise ConfigError(f"{self._path} is closed; open another ResultsWriter")
        if line.presentation_id in self._done:
            raise ConfigError(f"presentation {line.presentation_id!r} has its line already")
        text = json.dumps({"schema": SCHEMA_VERSION, **as_row(line)}, allow_nan=False, separators=(",", ":"))
        content = text.encode() + b"\n"
        if len(content) > _LINE_CAP_BYTES:
            raise ConfigError(f"presentation {line.presentation_id!r} is longer than a line may be")
        before = os.fstat(self._journal).st_size
        try:
            written = os.write(self._journal, content)
            if written != len(content):
                raise OSError("the disk is full")
            os.fsync(self._journal)
        except OSError as error:
            self._take_back(before)
            raise ConfigError(f"{self._path} can't be written: {error.strerror or error}") from None
        self._done.add(line.presentation_id)
        self._pending.append(line)
        if len(self._pending) >= self._lines_a_part:
            self.compact()

    def _take_back(self, size: int) -> None:
        try:
            os.ftruncate(self._journal, size)
        except OSError:
            # Half a line stays, which readers leave out as long as nothing follows it: so nothing may.
            os.close(self._journal)
            self._journal = -1

    def compact(self) -> None:
        """Make a part of what is in the journal, and empty it. Raises: ConfigError; then the journal keeps its lines.

        1. The part is written and synced under a name that no reader looks for.
        2. It gets its own name, whole.
        3. Only then is the journal emptied. A kill before that leaves lines twice, and readers know them as the same.
        """
        try:
            if self._pending:
                # 1
                table = pa.Table.from_pylist([as_row(line) for line in self._pending], schema=SCHEMA)
                number = 1
                while (part := self.folder / f"{self._name}-{number:05d}.parquet").exists():
                    number += 1
                with _written_beside(part, lambda file: pq.write_table(table, file, compression="zstd")) as temporary:
                    # 2
                    temporary.rename(part)
                sync_folder(self.folder)
            # 3
            os.ftruncate(self._journal, 0)
            os.fsync(self._journal)
        except (pa.ArrowException, OSError) as error:
            raise ConfigError(f"no part can be written into {self.folder}: {error}") from None
        self._pending = []

    def close(self) -> None:
        """Compact, and give the name back. Raises: ConfigError."""
        if self._journal < 0:
            return
        try:
            self.compact()
        finally:
            os.close(self._journal)
            self._journal = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
