"""A folder of results: one line a presentation, in Parquet files and in the journal of a run that goes on.

    NAME-00001.parquet ...   finished parts, each whole or not there
    NAME.jsonl               the journal: lines that are not in a part yet
    about.json               what the folder says of itself (About)
    pictures/ID.png          pictures that lines name

A Parquet file without its footer can't be read at all, so a run that was killed would lose every row group of the file that
it was writing. Lines therefore go into a journal first, synced one by one, and only whole parts are made of it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.parquet as pq

from faceward.errors import ConfigError
from faceward.pad.presentation import CaptureOutcome, Presentation, as_row, from_row

SCHEMA_VERSION: Final = 1
VERSION_KEY: Final = b"faceward.pad.schema"
ABOUT: Final = "about.json"
_ABOUT_CAP_BYTES = 64 * 1024
_LINE_CAP_BYTES = 1024 * 1024

_MEASURE = pa.struct(
    [
        ("name", pa.string()),
        ("value", pa.float64()),
        ("unit", pa.string()),
        ("limit", pa.float64()),
        ("sense", pa.string()),
    ]
)
_GATE = pa.struct(
    [
        ("gate", pa.string()),
        ("version", pa.string()),
        ("outcome", pa.string()),
        ("cue", pa.string()),
        ("score", pa.float64()),
        ("measures", pa.list_(_MEASURE)),
    ]
)
SCHEMA: Final = pa.schema(
    [
        ("presentation_id", pa.string()),
        ("attack", pa.bool_()),
        ("species", pa.string()),
        ("person_id", pa.string()),
        ("instrument_id", pa.string()),
        ("target_id", pa.string()),
        ("tone", pa.string()),
        ("sensor_kind", pa.string()),
        ("sensor_unit", pa.string()),
        ("split", pa.string()),
        ("generator", pa.string()),
        ("simulated", pa.bool_()),
        ("seed", pa.int64()),
        ("replay", pa.string()),
        ("policy_sha256", pa.string()),
        ("purpose", pa.string()),
        ("grant_id", pa.string()),
        ("attempt", pa.int32()),
        ("outcome", pa.string()),
        ("rejection_reason", pa.string()),
        ("error_code", pa.string()),
        ("gates", pa.list_(_GATE)),
        ("decision_s", pa.float64()),
        ("match_tried", pa.bool_()),
        ("match_score", pa.float64()),
        ("match_threshold", pa.float64()),
        ("picture", pa.string()),
    ],
    metadata={VERSION_KEY: str(SCHEMA_VERSION).encode()},
)


@dataclass(frozen=True, slots=True)
class About:
    """What a folder says of itself. `test_openings` counts how often the test split was looked at, this time included."""

    title: str = ""
    notes: str = ""
    test_openings: int | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """Every line of a folder, in the order of their ids."""

    folder: Path
    presentations: tuple[Presentation, ...]
    about: About = field(default_factory=About)


def read_results(folder: Path) -> Results:
    """Every line of every file of a folder, checked one by one and together.

    The last line of a journal is left out when it was never finished.

    Raises: ConfigError: no such folder, no results in it, a file that can't be read, a version of the schema that is
    another's or another file's, a line that is none, one id twice, or lines that contradict each other (check_together).
    """
    if not folder.is_dir():
        raise ConfigError(f"there is no folder {folder}")
    parts, journals = sorted(folder.glob("*.parquet")), sorted(folder.glob("*.jsonl"))
    if not parts and not journals:
        raise ConfigError(f"no results in {folder}: it holds neither *.parquet nor *.jsonl")
    _check_versions(folder, parts, journals)
    found: dict[str, tuple[Presentation, Path]] = {}
    for path in (*parts, *journals):
        for line in _read_part(path) if path.suffix == ".parquet" else _read_journal(path)[0]:
            before = found.get(line.presentation_id)
            # A run that was killed between making a part and emptying the journal leaves the same line in both.
            if before is not None and not (path.suffix == ".jsonl" and before[0] == line):
                raise ConfigError(f"presentation {line.presentation_id!r} stands in {before[1].name} and in {path.name}")
            found[line.presentation_id] = (line, path)
    if not found:
        raise ConfigError(f"no results in {folder}: its files hold no line yet")
    presentations = tuple(found[name][0] for name in sorted(found))
    check_together(presentations)
    return Results(folder, presentations, read_about(folder))


def check_together(presentations: Sequence[Presentation]) -> None:
    """Refuse lines that can't be of one test.

    1. A species is one of attacks or of living people, and an instrument is of one species.
    2. Attempts of a grant are numbered from 1 without a gap and are of one person, instrument and sensor unit; in an
       enrollment none follows a live or a not-live one.
    3. A living person has one tone.
    4. Splits share no person, instrument or sensor unit.
    5. One policy and one version of each gate was tested.

    Raises: ConfigError.
    """
    # 1
    _one(presentations, lambda line: line.species, lambda line: line.attack, "species {} is said to be attack and living")
    attacks = [line for line in presentations if line.attack]
    _one(attacks, lambda line: line.instrument_id, lambda line: line.species, "instrument {} is of several species")
    # 2
    grants = defaultdict(list)
    for line in presentations:
        grants[line.grant_id].append(line)
    for name, lines in grants.items():
        _check_grant(name, sorted(lines, key=lambda line: line.attempt))
    # 3
    living = [line for line in presentations if not line.attack]
    _one(living, lambda line: line.person_id, lambda line: line.tone, "person {} is given several tones")
    # 4
    for name in ("person_id", "instrument_id", "sensor_unit"):
        known = [line for line in presentations if getattr(line, name) is not None]
        told = "{} " + f"is a {name} of several splits, and splits must be disjoint"
        _one(known, lambda line, name=name: getattr(line, name), lambda line: line.split, told)
    # 5
    policies = {line.policy_sha256 for line in presentations if line.policy_sha256 is not None}
    if len(policies) > 1:
        raise ConfigError(f"{len(policies)} policies were tested in one folder; keep a folder for each")
    versions = defaultdict(set)
    for line in presentations:
        for answer in line.gates:
            if answer.version:  # a gate that never loaded has none
                versions[answer.gate].add(answer.version)
    for gate, told in versions.items():
        if len(told) > 1:
            raise ConfigError(f"gate {gate} was tested in versions {', '.join(sorted(told))}; keep a folder for each")


def _one(lines: Iterable[Presentation], key: Any, value: Any, sentence: str) -> None:
    seen: dict[Any, Any] = {}
    for line in lines:
        if seen.setdefault(key(line), value(line)) != value(line):
            raise ConfigError(sentence.format(repr(key(line))))


def _check_grant(name: str, attempts: Sequence[Presentation]) -> None:
    if [line.attempt for line in attempts] != list(range(1, len(attempts) + 1)):
        numbers = ", ".join(str(line.attempt) for line in attempts)
        raise ConfigError(f"grant {name!r} has attempts {numbers}; they count from 1 without a gap")
    shared = ("attack", "species", "person_id", "instrument_id", "target_id", "sensor_kind", "sensor_unit", "split",
              "purpose", "simulated")  # fmt: skip
    for field_name in shared:
        if len({getattr(line, field_name) for line in attempts}) > 1:
            raise ConfigError(f"the attempts of grant {name!r} differ in {field_name}")
    ends = {CaptureOutcome.LIVE, CaptureOutcome.NOT_LIVE}
    if attempts[0].purpose == "enroll" and any(line.outcome in ends for line in attempts[:-1]):
        raise ConfigError(f"grant {name!r} goes on after a live or not-live attempt, which ends an enrollment's grant")


def _check_versions(folder: Path, parts: Sequence[Path], journals: Sequence[Path]) -> None:
    versions = {path.name: _version_of_part(path) for path in parts}
    for path in journals:
        for number in {version for _, version in _journal_objects(path)[0]}:
            versions[path.name if path.name not in versions else f"{path.name} too"] = number
    if len(set(versions.values())) > 1:
        told = ", ".join(f"{name} has {version}" for name, version in sorted(versions.items()))
        raise ConfigError(f"mixed schema versions in {folder}: {told}; keep a folder for each")
    for name, version in versions.items():
        if version != str(SCHEMA_VERSION):
            raise ConfigError(f"{name} has schema version {version}; this faceward reads {SCHEMA_VERSION}")


def _version_of_part(path: Path) -> str:
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (pa.ArrowException, OSError) as error:
        raise ConfigError(f"{path} can't be read as Parquet: {error}") from None
    return metadata.get(VERSION_KEY, b"none").decode("ascii", "replace")


def _read_part(path: Path) -> Iterator[Presentation]:
    try:
        table = pq.read_table(path, partitioning=None)
        if sorted(table.column_names) != sorted(SCHEMA.names):
            odd = sorted(set(table.column_names) ^ set(SCHEMA.names))
            raise ConfigError(f"{path} has other columns than schema {SCHEMA_VERSION}: {', '.join(odd) or 'one twice'}")
        rows = table.select(SCHEMA.names).cast(SCHEMA).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise ConfigError(f"{path} can't be read as results: {error}") from None
    for row in rows:
        yield _checked(row, path)


def _checked(row: Mapping[str, Any], path: Path) -> Presentation:
    try:
        return from_row(row)
    except ConfigError as error:
        raise ConfigError(f"{path.name}: {error}") from None


def _journal_objects(path: Path) -> tuple[list[tuple[dict[str, Any], str]], int]:
    """Each finished line with its schema version, and how many bytes they are."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror or error}") from None
    finished = content.rfind(b"\n") + 1
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


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _read_journal(path: Path) -> tuple[list[Presentation], int]:
    objects, finished = _journal_objects(path)
    for _, version in objects:
        if version != str(SCHEMA_VERSION):
            raise ConfigError(f"{path.name} has schema version {version}; this faceward reads {SCHEMA_VERSION}")
    return [_checked(row, path) for row, _ in objects], finished


def read_about(folder: Path) -> About:
    """What the folder says of itself; nothing where it has no about.json. Raises: ConfigError."""
    path = folder / ABOUT
    if not path.exists():
        return About()
    try:
        with path.open("rb") as file:
            content = file.read(_ABOUT_CAP_BYTES + 1)
        if len(content) > _ABOUT_CAP_BYTES:
            raise ConfigError(f"{path} is larger than {_ABOUT_CAP_BYTES} bytes")
        row = json.loads(content)
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} can't be read: {error}") from None
    if not isinstance(row, dict) or row.pop("schema", None) != SCHEMA_VERSION:
        raise ConfigError(f'{path} must be an object with "schema": {SCHEMA_VERSION}')
    unknown = sorted(set(row) - {"title", "notes", "test_openings"})
    if unknown:
        raise ConfigError(f"{path} has unknown {', '.join(unknown)}")
    about = About(**row)
    openings = about.test_openings
    if type(about.title) is not str or type(about.notes) is not str:
        raise ConfigError(f"{path}: title and notes are text")
    if openings is not None and (type(openings) is not int or openings < 0):
        raise ConfigError(f"{path}: test_openings counts from 0")
    return about


def write_about(folder: Path, about: About) -> None:
    """Say something of the folder; what it said before is replaced whole. Raises: ConfigError."""
    row = {"schema": SCHEMA_VERSION, "title": about.title, "notes": about.notes, "test_openings": about.test_openings}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(folder / ABOUT, json.dumps(row, indent=2).encode() + b"\n")
    except OSError as error:
        raise ConfigError(f"{folder / ABOUT} can't be written: {error.strerror or error}") from None


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.writing")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
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
            self._journal = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
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
        lines, finished = _read_journal(self._path)
        if os.fstat(self._journal).st_size != finished:
            os.ftruncate(self._journal, finished)
        stored: dict[str, Presentation] = {}
        for path in sorted(self.folder.glob("*.parquet")):
            if _version_of_part(path) != str(SCHEMA_VERSION):
                raise ConfigError(f"{path} is of another schema version than {SCHEMA_VERSION}; write into a new folder")
            stored.update((line.presentation_id, line) for line in _read_part(path))
        self._pending = [line for line in lines if stored.get(line.presentation_id) != line]
        doubled = [line.presentation_id for line in self._pending if line.presentation_id in stored]
        if doubled:
            raise ConfigError(f"presentation {doubled[0]!r} stands in {self._path.name} and, otherwise, in a part")
        others = [path for path in sorted(self.folder.glob("*.jsonl")) if path != self._path]
        elsewhere = [line.presentation_id for path in others for line in _read_journal(path)[0]]
        self._done = {*stored, *elsewhere, *(line.presentation_id for line in lines)}

    @property
    def done(self) -> frozenset[str]:
        """The ids of all presentations that have a line."""
        return frozenset(self._done)

    def write(self, line: Presentation) -> None:
        """Add a line; when this returns it is on the disk.

        Raises: ConfigError: an id that has a line, or the disk refuses; then nothing of the line stays.
        """
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
            os.ftruncate(self._journal, before)
            raise ConfigError(f"{self._path} can't be written: {error.strerror or error}") from None
        self._done.add(line.presentation_id)
        self._pending.append(line)
        if len(self._pending) >= self._lines_a_part:
            self.compact()

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
                temporary = self.folder / f".{self._name}.writing"
                with temporary.open("wb") as file:
                    pq.write_table(table, file, compression="zstd")
                    file.flush()
                    os.fsync(file.fileno())
                # 2
                number = 1
                while (part := self.folder / f"{self._name}-{number:05d}.parquet").exists():
                    number += 1
                temporary.rename(part)
                _sync_folder(self.folder)
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
