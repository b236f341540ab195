"""The contract of a key provider: who holds the key-encryption key of the template store."""

from __future__ import annotations

from abc import ABC, abstractmethod


class KeyProvider(ABC):
    """Wraps and unwraps subjects' keys, and computes keyed digests, by a key that never leaves it."""

    key_id: str  # tells two keys apart, tells nothing else of them

    @abstractmethod
    def wrap(self, key: bytes, associated: bytes) -> bytes:
        """Encrypt a 32-byte key, bound to `associated`. Raises: SigningError."""

    @abstractmethod
    def unwrap(self, wrapped: bytes, associated: bytes) -> bytes:
        """The key that `wrap` was given. Raises: SigningError for another key, other `associated` or changed bytes."""

    @abstractmethod
    def keyed_digest(self, purpose: str, message: bytes) -> bytes:
        """32 bytes that only this key makes of the message; different for each purpose. Raises: SigningError."""
