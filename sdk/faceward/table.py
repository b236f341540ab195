"""TOML files of ours, read key by key: a misspelt key must never be one that is silently not there."""

from __future__ import annotations

import difflib
import hashlib
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faceward.errors import ConfigError

FILE_CAP_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A TOML file as it was read: its tables, and SHA-256 of its bytes."""

    path: Path
    root: Table
    digest: bytes


def read_document(path: Path, what: str) -> Document:
    """Read a TOML file; `what` it is stands in every message.

    Raises: ConfigError: it can't be read, is too large, not UTF-8 or not TOML.
    """
    try:
        with path.open("rb") as file:
            data = file.read(FILE_CAP_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"can't read the {what} {path}: {reason}") from error
    if len(data) > FILE_CAP_BYTES:
        raise ConfigError(f"the {what} {path} is larger than {FILE_CAP_BYTES} bytes")
    try:
        values = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"the {what} {path} is not UTF-8") from error
    except (ValueError, RecursionError) as error:  # a TOMLDecodeError, or a number of thousands of digits
        raise ConfigError(f"the {what} {path} is not TOML: {error}") from error
    return Document(path, Table(values, ""), hashlib.sha256(data).digest())


class Table:
    """One TOML table, read key by key; what nobody asked for is an unknown key.

    Every method raises ConfigError, which names the key: it is missing, of the wrong type, or out of range.
    """

    def __init__(self, values: object, where: str) -> None:
        if not isinstance(values, dict):
            raise ConfigError(f"{where} must be a table")
        self._values: dict[str, Any] = values
        self._where = where
        self._known: list[str] = []

    def name(self, key: str) -> str:
        """The key with the tables around it, for messages."""
        return f"{self._where}.{key}" if self._where else key

    def _take(self, key: str) -> Any:
        self._known.append(key)
        return self._values.get(key)

    def text(self, key: str, *, pattern: re.Pattern[str] | None = None) -> str:
        """A text that must be there, and has this form."""
        value = self._take(key)
        if not isinstance(value, str) or not value:
            raise ConfigError(self._missing_or(key, value, "must be a text"))
        if pattern is not None and not pattern.fullmatch(value):
            raise ConfigError(f"{self.name(key)} = {value!r} does not have the right form")
        return value

    def optional_text(self, key: str, *, pattern: re.Pattern[str] | None = None) -> str | None:
        """The same, or None."""
        return self.text(key, pattern=pattern) if key in self._values else self._take(key)

    def choice(self, key: str, allowed: Iterable[str]) -> str:
        """One of these words, which must be there."""
        return one_of(self.text(key), tuple(allowed), self.name(key))

    def flag(self, key: str, default: bool) -> bool:
        """True, false, or the default."""
        value = self._take(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise ConfigError(f"{self.name(key)} must be true or false")
        return value

    def number(self, key: str, default: float, *, low: float, high: float) -> float:
        """A finite number within these bounds, or the default."""
        value = self.optional_number(key, low=low, high=high)
        return default if value is None else value

    def optional_number(self, key: str, *, low: float, high: float) -> float | None:
        """The same, or None."""
        value = self._take(key)
        return None if value is None else number_of(value, self.name(key), low, high)

    def count(self, key: str, default: int, *, low: int = 1, high: int = 1_000_000) -> int:
        """A whole number within these bounds, or the default."""
        value = self._take(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            raise ConfigError(f"{self.name(key)} must be a whole number")
        if not low <= value <= high:
            raise ConfigError(f"{self.name(key)} = {value} must be between {low} and {high}")
        return value

    def words(self, key: str, allowed: tuple[str, ...]) -> frozenset[str]:
        """A list of these words that isn't empty, each once."""
        value = self._take(key)
        if not isinstance(value, list) or not value:
            raise ConfigError(self._missing_or(key, value, "must be a list that isn't empty"))
        found = set()
        for index, word in enumerate(value):
            where = f"{self.name(key)}[{index}]"
            if not isinstance(word, str):
                raise ConfigError(f"{where} must be a text")
            found.add(one_of(word, allowed, where))
        if len(found) != len(value):
            raise ConfigError(f"{self.name(key)} names something twice")
        return frozenset(found)

    def texts(self, key: str, *, pattern: re.Pattern[str] | None = None, required: bool = True) -> tuple[str, ...]:
        """A list of texts of this form, none twice, empty only where it needn't be there."""
        value = self._take(key)
        if value is None and not required:
            return ()
        if not isinstance(value, list) or (required and not value):
            raise ConfigError(self._missing_or(key, value, "must be a list that isn't empty"))
        for index, text in enumerate(value):
            if not isinstance(text, str) or not text or (pattern is not None and not pattern.fullmatch(text)):
                raise ConfigError(f"{self.name(key)}[{index}] = {text!r} is no text of the right form")
        if len(set(value)) != len(value):
            raise ConfigError(f"{self.name(key)} names something twice")
        return tuple(value)

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._values

    def table(self, key: str, *, required: bool = True) -> Table:
        """A table; an empty one where it isn't there and needn't be."""
        value = self._take(key)
        if value is None:
            if required:
                raise ConfigError(self._missing_or(key, None, ""))
            value = {}
        return Table(value, self.name(key))

    def tables(self, key: str, *, required: bool) -> list[Table]:
        """A list of tables, empty only where it needn't be there."""
        value = self._take(key)
        if value is None and not required:
            return []
        if not isinstance(value, list) or (required and not value):
            raise ConfigError(self._missing_or(key, value, f"must be a list of tables, [[{key}]], that isn't empty"))
        return [Table(entry, f"{self.name(key)}[{index}]") for index, entry in enumerate(value)]

    def rest(self) -> Mapping[str, Any]:
        """Every key, for a table whose keys aren't ours to know."""
        self._known.extend(self._values)
        return self._values

    def close(self) -> None:
        """Say that everything was asked for. Raises: ConfigError for the first key that was not."""
        for key in self._values:
            if key not in self._known:
                raise ConfigError(f"{self.name(key)} is not a known key{_near(key, self._known)}")

    def _missing_or(self, key: str, value: object, message: str) -> str:
        if value is not None:
            return f"{self.name(key)} {message}"
        unknown = [name for name in self._values if name not in self._known]
        near = difflib.get_close_matches(key, unknown, n=1)
        return f"{self.name(key)} is missing" + (f" (there is {near[0]!r} instead)" if near else "")


def _near(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def one_of(value: str, allowed: tuple[str, ...], where: str) -> str:
    """The word, if it is one of these. Raises: ConfigError, which guesses what was meant."""
    if value not in allowed:
        hint = _near(value, allowed) or f" (one of: {', '.join(allowed)})"
        raise ConfigError(f"{where} = {value!r} is not known{hint}")
    return value


def number_of(value: object, where: str, low: float, high: float) -> float:
    """A finite number within these bounds. Raises: ConfigError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{where} must be a number")
    try:
        number = float(value)
    except OverflowError:  # an integer of hundreds of digits
        number = math.inf
    if not math.isfinite(number) or not low <= number <= high:
        raise ConfigError(f"{where} = {value} must be between {low:g} and {high:g}")
    return number
