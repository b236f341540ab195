"""Files that commands are given and files that they leave: read within a limit, and never written over."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from faceward.errors import ConfigError


def read_file(path: Path, limit_bytes: int, what: str) -> bytes:
    """The content of a file; `what` it should be stands in the message. Raises: ConfigError."""
    try:
        with path.open("rb") as file:
            content = file.read(limit_bytes + 1)
    except (OSError, ValueError) as error:
        raise ConfigError(f"can't read the {what} {path}: {getattr(error, 'strerror', None) or error}") from error
    if len(content) > limit_bytes:
        raise ConfigError(f"{path} is no {what}: it is larger than {limit_bytes} bytes")
    return content


def write_new(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Write a file that must not be there yet. Raises: ConfigError."""
    try:
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            try:
                file.write(content)
                file.flush()
            except BaseException:
                path.unlink(missing_ok=True)
                raise
    except FileExistsError:
        raise ConfigError(f"{path} is there already, and nothing is written over") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"can't write {path}: {getattr(error, 'strerror', None) or error}") from error


def write_instead(path: Path, content: bytes) -> None:
    """Put a new content in a file's place, whole: after a crash it has the old or the new one. Raises: ConfigError."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"can't write {path}: {error.strerror or error}") from error
