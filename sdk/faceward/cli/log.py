"""Structured logs: JSON lines with a session id, made from an allow-list of fields that hold no biometrics."""

from __future__ import annotations

import contextlib
import logging
import sys
import uuid
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from faceward.errors import ConfigError

if TYPE_CHECKING:
    import structlog

# Fields that may be written. Embeddings, landmarks, frames, scores of a match and subjects' names are not among them.
ALLOWED = frozenset(
    {
        "event", "timestamp", "level", "session", "command", "version", "code", "exit_code", "seconds", "address",
        "transport", "vendor", "model", "firmware", "kind", "prompt", "stage", "reason", "slot", "gate", "gate_version",
        "outcome", "cue", "capture", "policy", "simulated", "crash", "trace", "done", "total",
    }
)  # fmt: skip


def _only_allowed(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in event.items() if name in ALLOWED}


class Log:
    """A session's log; without a file nothing is written and structlog is not even imported."""

    def __init__(self, path: Path | None, *, verbose: bool = False) -> None:
        """Open the log for appending. Raises: ConfigError when it can't be written."""
        self.session = uuid.uuid4().hex
        self.path = path
        self._file: TextIO | None = None
        self._logger: structlog.BoundLogger | None = None
        if path is None:
            return
        import structlog

        try:
            self._file = path.open("a", encoding="utf-8", buffering=1)
        except OSError as error:
            raise ConfigError(f"--log-file {path} can't be written: {error.strerror or error}") from error
        self._logger = structlog.wrap_logger(
            structlog.PrintLogger(self._file),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _only_allowed,
                structlog.processors.JSONRenderer(default=str),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        ).bind(session=self.session)

    def info(self, event: str, **fields: Any) -> None:
        """Write what happened."""
        self._write("info", event, fields)

    def debug(self, event: str, **fields: Any) -> None:
        """Write what only -v asks for."""
        self._write("debug", event, fields)

    def error(self, event: str, **fields: Any) -> None:
        """Write what ended the command."""
        self._write("error", event, fields)

    def _write(self, level: str, event: str, fields: Mapping[str, Any]) -> None:
        if self._logger is None:
            return
        try:
            getattr(self._logger, level)(event, **fields)
        except OSError as error:
            # A full disk must not decide how a command ends; it is said once.
            self.close()
            with contextlib.suppress(OSError):
                sys.stderr.write(f"faceward: --log-file {self.path}: {error.strerror or error}; nothing more is logged\n")

    def close(self) -> None:
        """Give the file back."""
        file, self._file, self._logger = self._file, None, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()
