"""A signer whose P-256 key lies in a file: for development. A lock's production trust store refuses what it signs."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from faceward_proto.keys import PublicKey

from faceward.errors import SigningError
from faceward.signing import secret_file
from faceward.signing.signer import Signer

_MAX_FILE_BYTES = 4096


class FileKeySigner(Signer):
    """Signs with ES256 by a key in PEM (PKCS#8, no passphrase); `create` makes the file, `load` reads it."""

    algorithm = "ES256"
    custody = "file"

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self._public_der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.key_id = PublicKey(self._public_der).key_id

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make a new key and its file. Raises: SigningError, where a file of that name is there already too."""
        key = ec.generate_private_key(ec.SECP256R1())
        secret_file.create(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return cls(key)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a key. Raises: SigningError: missing, readable by others, or not a P-256 key in plain PEM."""
        content = secret_file.read(path, _MAX_FILE_BYTES)
        try:
            key = load_pem_private_key(content, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise SigningError(f"the key file {path} holds no private key in PEM without a passphrase") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise SigningError(f"the key in {path} is not a P-256 key")
        return cls(key)

    def sign(self, message: bytes) -> bytes:
        """r || s, each 32 bytes big-endian, over SHA-256 of the message."""
        r, s = decode_dss_signature(self._key.sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    @property
    def public_key_der(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""
        return self._public_der

    def __repr__(self) -> str:
        return f"FileKeySigner(key_id={self.key_id!r})"
