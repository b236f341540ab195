"""Public keys, and the signatures that they check: ES256 (P-256, SHA-256, r || s), Ed25519 and ML-DSA-65 (FIPS 204)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

SIGNATURE_BYTES: Final[Mapping[str, int]] = MappingProxyType({"ES256": 64, "Ed25519": 64, "ML-DSA-65": 3309})
MAX_KEY_BYTES: Final = 4096

# RFC 8032, 5.1: the field's prime, and d of the curve -x^2 + y^2 = 1 + d x^2 y^2.
_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P


class UnusableKey(ValueError):
    """Not a P-256, Ed25519 or ML-DSA-65 public key."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key, known by the SHA-256 of its SubjectPublicKeyInfo.

    `der` may be given in any spelling of SubjectPublicKeyInfo and is brought to the usual one, so that one key can't
    count as two. An Ed25519 key that is no point in its one encoding, or one of the eight of small order, by which anybody
    can sign, verifies nothing: OpenSSL would take either. Raises: UnusableKey.
    """

    der: bytes
    algorithm: str = field(init=False, compare=False)  # a name in SIGNATURE_BYTES
    _key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | mldsa.MLDSA65PublicKey = field(
        init=False, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        try:
            key = load_der_public_key(self.der[: MAX_KEY_BYTES + 1])
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise UnusableKey("not a public key in DER") from None
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
            algorithm = "ES256"
        elif isinstance(key, ed25519.Ed25519PublicKey):
            algorithm = "Ed25519"
        elif isinstance(key, mldsa.MLDSA65PublicKey):
            algorithm = "ML-DSA-65"
        else:
            raise UnusableKey("neither a P-256 nor an Ed25519 nor an ML-DSA-65 public key")
        object.__setattr__(self, "der", key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
        object.__setattr__(self, "algorithm", algorithm)
        object.__setattr__(self, "_key", key)

    @classmethod
    def from_pem(cls, pem: bytes) -> PublicKey:
        """From a PEM "PUBLIC KEY". Raises: UnusableKey."""
        try:
            key = load_pem_public_key(pem[: MAX_KEY_BYTES + 1])
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise UnusableKey("not a public key in PEM") from None
        return cls(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    @property
    def digest(self) -> bytes:
        """SHA-256 of the SubjectPublicKeyInfo, 32 bytes."""
        return hashlib.sha256(self.der).digest()

    @property
    def key_id(self) -> str:
        """The digest in hexadecimal, for people."""
        return self.digest.hex()

    def to_pem(self) -> bytes:
        """The key as a PEM "PUBLIC KEY"."""
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether this key made that signature over that message. Anything but a good signature is False."""
        if len(signature) != SIGNATURE_BYTES[self.algorithm]:
            return False
        try:
            if isinstance(self._key, ec.EllipticCurvePublicKey):
                r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
                self._key.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
            else:
                self._key.verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        # Last, since it takes longer than most signatures deserve.
        return not isinstance(self._key, ed25519.Ed25519PublicKey) or _is_sound_point(self._key.public_bytes_raw())


def _is_sound_point(encoded: bytes) -> bool:
    """Whether 32 bytes are the one encoding of a point of edwards25519 whose order is not small (RFC 8032, 5.1.3)."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= _P:
        return False
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    if square == 0 and sign:
        return False
    if square and pow(square, (_P - 1) // 2, _P) != 1:
        return False
    # Eight times the point is the neutral one exactly where its order divides eight: doubled three times by its y alone.
    for _ in range(3):
        x_squared = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
        y = (y * y + x_squared) * pow(1 - _D * x_squared * y * y, -1, _P) % _P
    return y != 1
