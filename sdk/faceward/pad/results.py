"""A folder of results: one line a presentation, in Parquet files and in the journal of a run that goes on.

    NAME-00001.parquet ...   finished parts, each whole or not there
    NAME.jsonl               the journal: lines that are not in a part yet
    about.json               what the folder says of itself (About)
    pictures/ID.png          pictures that lines name

A Parquet file without its footer can't be read at all, so a run that was killed would lose every row group of the file that
it was writing. Lines therefore go into a journal first, synced one by one, and only whole parts are made of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from faceward.errors import ConfigError
from faceward.pad.consistency import check_together
from faceward.pad.journal import checked_lines, journal_objects, replace_file
from faceward.pad.presentation import Presentation, is_text
from faceward.pad.schema import SCHEMA_VERSION, read_part, version_of_part

ABOUT: Final = "about.json"
_ABOUT_CAP_BYTES = 64 * 1024


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
    # Journals first: what a running campaign moves from its journal into a part meanwhile is then seen twice, not never.
    journals = {path: journal_objects(path)[0] for path in sorted(folder.glob("*.jsonl"))}
    parts = sorted(folder.glob("*.parquet"))
    if not parts and not journals:
        raise ConfigError(f"no results in {folder}: it holds neither *.parquet nor *.jsonl")
    versions = [(path.name, version_of_part(path)) for path in parts]
    versions += [(path.name, version) for path, objects in journals.items() for _, version in objects]
    _check_versions(folder, versions)
    found: dict[str, tuple[Presentation, Path]] = {}
    for path in parts:
        _add(found, path, read_part(path))
    for path, objects in journals.items():
        _add(found, path, checked_lines(objects, path))
    if not found:
        raise ConfigError(f"no results in {folder}: its files hold no line yet")
    presentations = tuple(found[name][0] for name in sorted(found))
    check_together(presentations)
    return Results(folder, presentations, read_about(folder))


def _add(found: dict[str, tuple[Presentation, Path]], path: Path, lines: Iterable[Presentation]) -> None:
    for line in lines:
        before = found.get(line.presentation_id)
        # A run that was killed between making a part and emptying the journal leaves the same line in both.
        moved = before is not None and before[0] == line and before[1].suffix == ".parquet" and path.suffix == ".jsonl"
        if before is not None and not moved:
            raise ConfigError(f"presentation {line.presentation_id!r} stands in {before[1].name} and in {path.name}")
        found[line.presentation_id] = (line, path)


def _check_versions(folder: Path, versions: list[tuple[str, str]]) -> None:
    if len({version for _, version in versions}) > 1:
        told = ", ".join(f"{name} has {version}" for name, version in sorted(set(versions)))
        raise ConfigError(f"mixed schema versions in {folder}: {told}; keep a folder for each")
    for name, version in versions:
        if version != str(SCHEMA_VERSION):
            raise ConfigError(f"{name} has schema version {version}; this faceward reads {SCHEMA_VERSION}")


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
    if not is_text(about.title, _ABOUT_CAP_BYTES) or not is_text(about.notes, _ABOUT_CAP_BYTES):
        raise ConfigError(f"{path}: title and notes are text")
    if openings is not None and (type(openings) is not int or openings < 0):
        raise ConfigError(f"{path}: test_openings counts from 0")
    return about


def write_about(folder: Path, about: About) -> None:
    """Say something of the folder; what it said before is replaced whole. Raises: ConfigError."""
    row = {"schema": SCHEMA_VERSION, "title": about.title, "notes": about.notes, "test_openings": about.test_openings}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(folder / ABOUT, json.dumps(row, indent=2).encode() + b"\n")
    except OSError as error:
        raise ConfigError(f"{folder / ABOUT} can't be written: {error.strerror or error}") from None
