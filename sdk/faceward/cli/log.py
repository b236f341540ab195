"""Structured logs: JSON lines with a session id, made from an allow-list of fields that hold no biometrics."""

from __future__ import annotations

import logging
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
        if self._logger is not None:
            self._logger.info(event, **fields)

    def debug(self, event: str, **fields: Any) -> None:
        """Write what only -v asks for."""
        if self._logger is not None:
            self._logger.debug(event, **fields)

    def error(self, event: str, **fields: Any) -> None:
        """Write what ended the command."""
        if self._logger is not None:
            self._logger.error(event, **fields)

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            self._file.close()
            self._file = self._logger = None
