"""What a command says: text for a person, or JSON for a program; errors on stderr either way."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

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


class Output:
    """Where a command's words go. With `as_json`, stdout carries JSON and nothing else."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._console: Console | None = None

    @property
    def console(self) -> Console:
        """Stdout for people; plain lines of full length where it is no terminal."""
        if self._console is None:
            from rich.console import Console

            terminal = sys.stdout.isatty()
            self._console = Console(file=sys.stdout, highlight=False, width=None if terminal else 200)
        return self._console

    @property
    def live(self) -> bool:
        """Whether a person watches a terminal that can be redrawn."""
        return not self.as_json and self.console.is_terminal

    def document(self, document: Mapping[str, Any], show: Callable[[Console], None]) -> None:
        """The answer of a command that has one."""
        if self.as_json:
            sys.stdout.write(json.dumps(plain(document), indent=2) + "\n")
            sys.stdout.flush()
        else:
            show(self.console)

    def line(self, document: Mapping[str, Any]) -> None:
        """One JSON line of a command that tells what goes on; nothing for people."""
        if self.as_json:
            sys.stdout.write(json.dumps(plain(document)) + "\n")
            sys.stdout.flush()

    def say(self, text: str) -> None:
        """A line for people; nothing in JSON. No markup is read in it."""
        if not self.as_json:
            self.console.print(text, markup=False)

    def failure(self, code: str, message: str, exit_code: int, **more: Any) -> int:
        """One sentence on stderr and, with JSON, the stable code on stdout. Returns the exit code."""
        sentence = " ".join(message.split())
        if self.as_json:
            error = {"code": code, "message": sentence, "exit_code": exit_code, **more}
            sys.stdout.write(json.dumps({"error": plain(error)}) + "\n")
            sys.stdout.flush()
        sys.stderr.write(f"faceward: {sentence}\n")
        sys.stderr.flush()
        return exit_code
