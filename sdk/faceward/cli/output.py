"""What a command says: text for a person, or JSON for a program; errors on stderr either way."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console


def plain(value: Any) -> Any:
    """A value as JSON may hold it: bytes as hex, numbers that JSON lacks as None, keys as text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(entry) for entry in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)


def moment(seconds: float) -> str:
    """A time in Unix seconds as people read it."""
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(seconds)) + " UTC"


def printable(text: str) -> str:
    """Text without what drives a terminal: sensors, servers, gates and files of others have their words in it."""
    return text if text.isprintable() else "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)


class _Told:
    """A stream that may have no reader and no room any more: what can't be written is lost, and nothing else ends."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with self._bearing():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._bearing():
            self._stream.flush()

    @contextlib.contextmanager
    def _bearing(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            self.lost = True
            # What is still in its buffer must not fail when the process ends either.
            with contextlib.suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._stream.fileno())
                os.close(nowhere)


class Output:
    """Where a command's words go. With `as_json`, stdout carries JSON and nothing else."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out, self._err = _Told(sys.stdout), _Told(sys.stderr)
        self._console: Console | None = None

    @property
    def lost(self) -> bool:
        """Whether something that was said reached nobody."""
        return self._out.lost or self._err.lost

    @property
    def console(self) -> Console:
        """Stdout for people; plain lines of full length where it is no terminal."""
        if self._console is None:
            from faceward.cli.terminal import PlainConsole

            width = None if sys.stdout.isatty() else 200
            self._console = PlainConsole(file=self._out, highlight=False, emoji=False, width=width)
        return self._console

    @property
    def live(self) -> bool:
        """Whether a person watches a terminal that can be redrawn."""
        return not self.as_json and self.console.is_terminal

    def document(self, document: Mapping[str, Any], show: Callable[[Console], None]) -> None:
        """The answer of a command that has one."""
        if self.as_json:
            self._out.write(json.dumps(plain(document), indent=2) + "\n")
            self._out.flush()
        else:
            show(self.console)

    def line(self, document: Mapping[str, Any]) -> None:
        """One JSON line of a command that tells what goes on; nothing for people."""
        if self.as_json:
            self._out.write(json.dumps(plain(document)) + "\n")
            self._out.flush()

    def say(self, text: str) -> None:
        """A line for people; nothing in JSON. No markup is read in it."""
        if not self.as_json:
            self.console.print(text, markup=False, soft_wrap=True)

    def failure(self, code: str, message: str, exit_code: int, **more: Any) -> int:
        """One sentence on stderr and, with JSON, the stable code on stdout. Returns the exit code."""
        sentence = " ".join(message.split())
        if self.as_json:
            error = {"code": code, "message": sentence, "exit_code": exit_code, **more}
            self._out.write(json.dumps({"error": plain(error)}) + "\n")
            self._out.flush()
        self._err.write(f"faceward: {printable(sentence)}\n")
        self._err.flush()
        return exit_code
