"""A key provider whose key is a file of 32 random bytes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from faceward.errors import SigningError
from faceward.signing import secret_file
from faceward.signing.key_provider import KeyProvider

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class FileKeyProvider(KeyProvider):
    """AES-256-GCM to wrap, HMAC-SHA256 to digest, each by a key of its own that HKDF makes of the file's.

    A wrapping takes a random 96-bit nonce: NIST SP 800-38D, 8.3 allows 2**32 of those by one key, far more than a
    store has subjects.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise SigningError(f"a key-encryption key has {KEY_BYTES} bytes")
        self._wrapping = AESGCM(_derive(key, b"wrap"))
        self._digesting = _derive(key, b"digest")
        self.key_id = _derive(key, b"id").hex()[:16]

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make a new key and its file. Raises: SigningError, where a file of that name is there already too."""
        key = secrets.token_bytes(KEY_BYTES)
        secret_file.create(path, key)
        return cls(key)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a key. Raises: SigningError: missing, readable by others, or not of 32 bytes."""
        content = secret_file.read(path, KEY_BYTES)
        if len(content) != KEY_BYTES:
            raise SigningError(f"the key file {path} does not have {KEY_BYTES} bytes")
        return cls(content)

    def wrap(self, key: bytes, associated: bytes) -> bytes:
        """Nonce (12 bytes), ciphertext, tag (16)."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._wrapping.encrypt(nonce, key, associated)

    def unwrap(self, wrapped: bytes, associated: bytes) -> bytes:
        """The key that `wrap` was given. Raises: SigningError."""
        try:
            return self._wrapping.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], associated)
        except (InvalidTag, ValueError):
            raise SigningError("a wrapped key does not open: it was changed, or wrapped by another key") from None

    def keyed_digest(self, purpose: str, message: bytes) -> bytes:
        """HMAC-SHA256 over the purpose, a NUL and the message."""
        return hmac.digest(self._digesting, purpose.encode() + b"\0" + message, hashlib.sha256)

    def __repr__(self) -> str:
        return f"FileKeyProvider(key_id={self.key_id!r})"


def _derive(key: bytes, label: bytes) -> bytes:
    return HKDFExpand(SHA256(), KEY_BYTES, b"faceward.kek.v1 " + label).derive(key)
