"""Names of subjects, and the pseudonyms that stand for them outside the store."""

from __future__ import annotations

import re
from typing import Final, NewType

from faceward.errors import ConfigError
from faceward.signing.key_provider import KeyProvider

Subject = NewType("Subject", str)

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", re.ASCII)


def parse_subject(text: str) -> Subject:
    """A subject's name: letters, digits and . _ @ - alone, 1 to 64 of them, beginning with a letter or digit, no "..".

    Raises: ConfigError.
    """
    if _NAME.fullmatch(text) is None or ".." in text:
        raise ConfigError(
            f"{text[:80]!r} is no name for a subject: 1 to 64 letters, digits and . _ @ - are, "
            "the first a letter or digit, without two dots in a row"
        )
    return Subject(text)


def pseudonym(subject: Subject, keys: KeyProvider) -> bytes:
    """32 bytes that stand for the subject in records and logs; only the key provider can tell whose they are.

    Raises: SigningError.
    """
    return keys.keyed_digest("subject", subject.encode("ascii"))
