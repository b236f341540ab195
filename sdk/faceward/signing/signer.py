"""The contract of a signer."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from typing import Final

ALGORITHMS: Final = ("ES256", "Ed25519", "ML-DSA-65")


class Signer(ABC):
    """Holds one private key and signs with it. Key ids are hints for humans; verifiers decide by the key itself."""

    algorithm: str  # one of ALGORITHMS
    key_id: str
    custody: str  # "file", "pkcs11", "secure-element": the class of place where the key lives

    @abstractmethod
    def sign(self, message: bytes) -> bytes:
        """A signature over the message (ES256: r || s, 64 bytes). Raises: SigningError."""

    @property
    @abstractmethod
    def public_key_der(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""


def key_id_of(public_key_der: bytes) -> str:
    """The key id that people see: SHA-256 of the SubjectPublicKeyInfo in hexadecimal."""
    return hashlib.sha256(public_key_der).hexdigest()
