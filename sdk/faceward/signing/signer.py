"""The contract of a signer."""

from __future__ import annotations

from abc import ABC, abstractmethod


class Signer(ABC):
    """Holds one private key and signs with it. Key ids are hints for humans; verifiers decide by the key itself."""

    algorithm: str  # "ES256"
    key_id: str
    custody: str  # "file", "pkcs11": the class of place where the key lives

    @abstractmethod
    def sign(self, message: bytes) -> bytes:
        """A signature over the message (ES256: r || s, 64 bytes). Raises: SigningError."""

    @property
    @abstractmethod
    def public_key_der(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""
