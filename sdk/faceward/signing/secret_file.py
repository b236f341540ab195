"""Files that hold a secret: made whole or not at all, never over another, and read only where nobody else can."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from faceward.errors import SigningError

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def create(path: Path, content: bytes) -> None:
    """Write a new file of mode 0600. After a crash at any moment it is there whole, or it isn't there.

    Raises: SigningError when a file of that name is there already, or the folder can't be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            # A link, unlike a rename, fails where the name is taken.
            try:
                os.link(temporary, path)
            except FileExistsError:
                raise SigningError(f"{path} is there already, and keys are never written over") from None
        finally:
            temporary.unlink()
        sync_folder(path.parent)
    except OSError as error:
        raise SigningError(f"can't write the key file {path}: {error.strerror or error}") from None


def read(
    path: Path, limit_bytes: int, *, what: str = "key", remedy: str = "faceward keys init, or keys new, makes one"
) -> bytes:
    """The content of a regular file that belongs to this user, or root, and that nobody else may touch.

    `what` is in the file, and `remedy` says where one comes from. Raises: SigningError.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise SigningError(f"the {what} file {path} is not a regular file")
            if status.st_mode & _OTHERS:
                raise SigningError(f"others may touch the {what} file {path}: chmod 600 it")
            if status.st_uid not in (0, os.geteuid()):
                raise SigningError(f"the {what} file {path} belongs to another user")
            content = file.read(limit_bytes + 1)
    except FileNotFoundError:
        raise SigningError(f"there is no {what} file {path}: {remedy}") from None
    except OSError as error:
        raise SigningError(f"can't read the {what} file {path}: {error.strerror or error}") from None
    if len(content) > limit_bytes:
        raise SigningError(f"the {what} file {path} is too long to be one")
    return content


def sync_folder(folder: Path) -> None:
    """Make a new name in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
