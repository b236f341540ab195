"""A signer whose key lies in a file: for development. A lock's production trust store refuses what it signs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from faceward.errors import SigningError
from faceward.signing import secret_file
from faceward.signing.signer import Signer, key_id_of

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | mldsa.MLDSA65PrivateKey

_MAX_FILE_BYTES: Final = 16_384  # PKCS#8 of an ML-DSA-65 key is 5.6 KB in PEM where the expanded key is in it as well
_GENERATE: Final[Mapping[str, Callable[[], PrivateKey]]] = MappingProxyType(
    {
        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "Ed25519": ed25519.Ed25519PrivateKey.generate,
        "ML-DSA-65": mldsa.MLDSA65PrivateKey.generate,
    }
)


class FileKeySigner(Signer):
    """Signs by a key in PEM (PKCS#8, no passphrase); `create` makes the file, `load` reads it.

    Raises: SigningError for a key that is none of P-256, Ed25519 and ML-DSA-65.
    """

    custody = "file"

    def __init__(self, key: PrivateKey) -> None:
        self.algorithm = _algorithm_of(key)
        self._key = key
        self._public_der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.key_id = key_id_of(self._public_der)

    @classmethod
    def create(cls, path: Path, algorithm: str = "ES256") -> Self:
        """Make a new key and its file.

        Raises: SigningError: no such algorithm, or a file of that name is there already.
        """
        if algorithm not in _GENERATE:
            raise SigningError(f"there is no algorithm {algorithm!r} for keys: {', '.join(_GENERATE)} are known")
        signer = cls(_GENERATE[algorithm]())
        secret_file.create(path, signer._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return signer

    @classmethod
    def load(cls, path: Path, algorithm: str | None = "ES256") -> Self:
        """Read a key, which must be of the algorithm; None takes any of the three.

        Raises: SigningError: missing, readable by others, not plain PEM, or a key of another algorithm.
        """
        content = secret_file.read(path, _MAX_FILE_BYTES)
        try:
            key = load_pem_private_key(content, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise SigningError(f"the key file {path} holds no private key in PEM without a passphrase") from None
        try:
            signer = cls(key)  # type: ignore[arg-type]
        except SigningError as error:
            raise SigningError(f"the key file {path} holds {error}") from None
        if algorithm not in (None, signer.algorithm):
            raise SigningError(f"the key in {path} is one of {signer.algorithm}, and {algorithm} is asked for")
        return signer

    def sign(self, message: bytes) -> bytes:
        """ES256: r || s, each 32 bytes big-endian, over SHA-256 of the message; Ed25519 and ML-DSA-65 as they are."""
        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            r, s = decode_dss_signature(self._key.sign(message, ec.ECDSA(SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return self._key.sign(message)

    @property
    def public_key_der(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""
        return self._public_der

    def __repr__(self) -> str:
        return f"FileKeySigner(key_id={self.key_id!r})"


def _algorithm_of(key: object) -> str:
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return "ES256"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "Ed25519"
    if isinstance(key, mldsa.MLDSA65PrivateKey):
        return "ML-DSA-65"
    raise SigningError("a key that is none of P-256, Ed25519 and ML-DSA-65 (`faceward keys new` makes one that is)")
