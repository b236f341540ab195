"""Public keys in PEM files, and rules over them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from faceward_proto.keys import PublicKey, UnusableKey
from faceward_proto.trust import KeyRule, TrustedKey

from faceward.errors import ConfigError

_MAX_FILE_BYTES: Final = 8192  # an ML-DSA-65 key has 2.7 KB in PEM


def load_public_key(path: Path) -> PublicKey:
    """The key in a PEM file. Raises: ConfigError."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ConfigError(f"can't read the public key {path}: {getattr(error, 'strerror', None) or error}") from None
    try:
        return PublicKey.from_pem(content)
    except UnusableKey:
        raise ConfigError(
            f"{path} holds no P-256, Ed25519 or ML-DSA-65 public key in PEM (`faceward keys new` writes NAME.pub.pem)"
        ) from None


def load_rule(paths: Sequence[Path], need: int, *, custody: str = "file") -> KeyRule:
    """A rule over the keys in these files: so many different ones of them must have signed.

    Raises: ConfigError: a file that holds no key, one key in two files, more asked for than there are.
    """
    keys = [TrustedKey(load_public_key(path), custody) for path in paths]
    try:
        return KeyRule(tuple(keys), need)
    except ValueError as error:
        raise ConfigError(f"the keys in {', '.join(path.name for path in paths)}: {error}") from None
