"""Bounds that any message of Faceward's is held to once it was read. What breaks one is a MalformedMessage."""

from __future__ import annotations

import re
from typing import Final

from faceward_proto.reader import MalformedMessage

ID_BYTES: Final = 16
DIGEST_BYTES: Final = 32
MAX_TEXT: Final = 64
MAX_TIME_S: Final = 1 << 40  # past the year 36,000; keeps sums of times inside 64 bits
MAX_EPOCH: Final = 1 << 40

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}", re.ASCII)


def require(condition: bool, what: str) -> None:
    """Raises: MalformedMessage, saying `what`, unless the condition holds."""
    if not condition:
        raise MalformedMessage(what)


def times(issued_at_s: int, expires_at_s: int) -> None:
    """Unix times, both told, in this order. Raises: MalformedMessage."""
    require(0 < issued_at_s < expires_at_s < MAX_TIME_S, f"issued at {issued_at_s}, expires at {expires_at_s}")


def size(name: str, value: bytes, wanted: int) -> None:
    """Exactly so many bytes. Raises: MalformedMessage."""
    require(len(value) == wanted, f"{name} has {len(value)} bytes and not {wanted}")


def identifier(name: str, value: str) -> None:
    """1 to 64 of A-Z a-z 0-9 . _ + - with a letter or digit first. Raises: MalformedMessage."""
    require(_IDENTIFIER.fullmatch(value) is not None, f"{name} is no identifier")


def text(name: str, value: str, limit: int = MAX_TEXT) -> None:
    """Text of 1 to `limit` bytes in UTF-8 without control characters. Raises: MalformedMessage."""
    plain = all(ord(character) >= 0x20 and not 0x7F <= ord(character) < 0xA0 for character in value)
    require(0 < len(value.encode()) <= limit and plain, f"{name} is not text of 1 to {limit} bytes, free of controls")
