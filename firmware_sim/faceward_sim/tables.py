"""Strict reading of TOML files: every key by name, and what nobody asked for is an error."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import tomli_w

FILE_CAP_BYTES = 256 * 1024

_Value = TypeVar("_Value")


class TableError(ValueError):
    """A file that is not what it should be; the message names the file, the key and what is allowed there."""


def read_bytes(path: Path) -> bytes:
    """A file's bytes. Raises TableError: unreadable, longer than FILE_CAP_BYTES."""
    try:
        with path.open("rb") as file:
            content = file.read(FILE_CAP_BYTES + 1)
    except OSError as error:
        raise TableError(f"{path} can't be read: {error.strerror or error}") from None
    if len(content) > FILE_CAP_BYTES:
        raise TableError(f"{path} is longer than {FILE_CAP_BYTES} bytes")
    return content


def read_table(path: Path, content: bytes | None = None) -> Table:
    """The table at the root of a file, or of the bytes that were read from it.

    Raises TableError: as read_bytes, or not TOML.
    """
    raw = read_bytes(path) if content is None else content
    try:
        return parse_table(raw.decode())
    except (TableError, UnicodeDecodeError) as error:
        raise TableError(f"{path}: {error}") from None


def parse_table(text: str) -> Table:
    """The table at the root of a text. Raises TableError: not TOML."""
    try:
        return Table(tomllib.loads(text), "")
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise TableError(f"not TOML: {error}") from None


def write_table(values: dict[str, Any]) -> str:
    """Nested plain values as TOML, without what is None and without empty tables and lists."""
    return tomli_w.dumps(_pruned(values))


def _pruned(values: dict[str, Any]) -> dict[str, Any]:
    kept = {}
    for key, value in values.items():
        if isinstance(value, dict):
            value = _pruned(value)
        elif isinstance(value, list | tuple):
            value = [_pruned(each) if isinstance(each, dict) else each for each in value]
        if value is not None and value != {} and value != []:
            kept[key] = value
    return kept


class Table:
    """One TOML table. Ask for every key that may be there, then `finish`."""

    def __init__(self, values: object, where: str) -> None:
        if not isinstance(values, dict):
            raise TableError(f"{where} is {_shown(values)}; a table is wanted")
        self._values = values
        self._where = where
        self._asked: list[str] = []

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._values

    def may(self, key: str) -> bool:
        """Whether a key that may be left out is there."""
        self._asked.append(key)
        return key in self._values

    def is_text(self, key: str, text: str) -> bool:
        """Whether the key holds just this text."""
        return self._values.get(key) == text

    def text(self, key: str, default: str | None = None, *, form: str | None = None) -> str:
        """A text, whole of the regular expression `form`. Raises TableError."""
        value = self._take(key, default, str, "a text")
        if form is not None and not re.fullmatch(form, value):
            raise self.error(key, f"{_shown(value)} is not of the form {form}")
        return value

    def choice(self, key: str, allowed: Iterable[str], default: str | None = None) -> str:
        """One of these texts. Raises TableError."""
        value, names = self._take(key, default, str, "a text"), sorted(allowed)
        if value not in names:
            raise self.error(key, f"{_shown(value)} is none of {', '.join(names)}{_nearest(value, names)}")
        return value

    def choices(self, key: str, allowed: Iterable[str], default: list[str] | None = None) -> tuple[str, ...]:
        """A list of these texts, none twice. Raises TableError."""
        values, names = self._take(key, default, list, "a list of texts"), sorted(allowed)
        for value in values:
            if value not in names:
                raise self.error(key, f"{_shown(value)} is none of {', '.join(names)}{_nearest(value, names)}")
        if len(set(values)) != len(values):
            raise self.error(key, "names one thing twice")
        return tuple(values)

    def texts(self, key: str, check: Callable[[str], object]) -> tuple[str, ...]:
        """A list of texts, empty where it is left out; `check` raises ValueError for one that is none.

        Raises TableError.
        """
        values = self._take(key, [], list, "a list of texts")
        for value in values:
            if not isinstance(value, str):
                raise self.error(key, f"{_shown(value)} is no text")
            try:
                check(value)
            except ValueError as error:
                raise self.error(key, str(error)) from None
        return tuple(values)

    def number(self, key: str, default: float | None = None, *, low: float, high: float) -> float:
        """A finite number within limits. Raises TableError."""
        value = self._take(key, default, float, "a number")
        if not math.isfinite(value) or not low <= value <= high:
            raise self.error(key, f"{value:g} is not between {low:g} and {high:g}")
        return float(value)

    def numbers(self, key: str, default: list[float], *, low: float, high: float) -> tuple[float, ...]:
        """A list of one finite number or more within limits. Raises TableError."""
        values = self._take(key, default, list, "a list of numbers")
        for value in values:
            if type(value) not in (int, float) or not low <= value <= high:
                raise self.error(key, f"{_shown(value)} is no number between {low:g} and {high:g}")
        if not values:
            raise self.error(key, "is empty")
        return tuple(float(value) for value in values)

    def whole(self, key: str, default: int | None = None, *, low: int, high: int) -> int:
        """A whole number within limits. Raises TableError."""
        value = self._take(key, default, int, "a whole number")
        if not low <= value <= high:
            raise self.error(key, f"{value} is not between {low} and {high}")
        return value

    def flag(self, key: str, default: bool | None = None) -> bool:
        """true or false. Raises TableError."""
        return self._take(key, default, bool, "true or false")

    def vector(self, key: str, *, reach: float) -> tuple[float, float, float]:
        """Three finite numbers within +-`reach`. Raises TableError."""
        values = self._take(key, None, list, "a list of three numbers")
        good = len(values) == 3 and all(type(value) in (int, float) and abs(value) <= reach for value in values)
        if not good:
            raise self.error(key, f"{_shown(values)} is no list of three numbers within +-{reach:g}")
        return (float(values[0]), float(values[1]), float(values[2]))

    def table(self, key: str) -> Table:
        """A table below this one, empty where it is left out. Raises TableError."""
        self._asked.append(key)
        return Table(self._values.get(key, {}), self._name(key))

    def tables(self, key: str) -> list[Table]:
        """A list of tables ([[key]]), empty where it is left out. Raises TableError."""
        values = self._take(key, [], list, "a list of tables")
        return [Table(value, f"{self._name(key)}[{number}]") for number, value in enumerate(values)]

    def keys(self) -> tuple[str, ...]:
        """All keys that are there, for a table whose keys are names."""
        return tuple(self._values)

    def finish(self) -> None:
        """Raises TableError for a key that nobody asked for."""
        for key in self._values:
            if key not in self._asked:
                allowed = list(dict.fromkeys(self._asked))
                raise TableError(
                    f"{self._name(key)}: no such key; there are {', '.join(allowed)}{_nearest(key, allowed)}"
                )

    def error(self, key: str, what: str) -> TableError:
        """An error about a key of this table."""
        return TableError(f"{self._name(key)}: {what}")

    def _name(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key

    def _take(self, key: str, default: _Value | None, kind: type[_Value], wanted: str) -> _Value:
        self._asked.append(key)
        if key not in self._values:
            if default is None:
                raise self.error(key, f"is missing; {wanted} is wanted")
            return default
        value = self._values[key]
        fits = type(value) in (int, float) if kind is float else type(value) is kind
        if not fits:
            raise self.error(key, f"{_shown(value)} is not {wanted}")
        return value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _nearest(name: object, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(names), 1) if isinstance(name, str) else []
    return f" (did you mean {close[0]}?)" if close else ""
