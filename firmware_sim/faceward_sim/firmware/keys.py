"""P-256 as the firmware has it: keys from secrets, ES256 signatures, and key agreement."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

POINT_BYTES = 65
# The order of the curve's base point (FIPS 186-5 and SP 800-186, P-256).
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def derive(secret: bytes, label: bytes, context: bytes) -> bytes:
    """A secret from another one: HMAC-SHA256 over label, NUL and context, 32 bytes."""
    return hmac.new(secret, label + b"\0" + context, hashlib.sha256).digest()


class KeyPair:
    """A private scalar with its public key. Raises ValueError for a scalar that is none."""

    def __init__(self, scalar: int) -> None:
        self._private = ec.derive_private_key(scalar, ec.SECP256R1())
        public = self._private.public_key()
        self.public_der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @classmethod
    def of(cls, secret: bytes) -> KeyPair:
        """The key pair of a 32-byte secret."""
        return cls(int.from_bytes(secret, "big") % (_ORDER - 1) + 1)

    def sign(self, label: bytes, statement: bytes) -> bytes:
        """ES256 over label, NUL and the statement: r || s. The nonce is derived (RFC 6979): no good randomness needed."""
        message = label + b"\0" + statement
        r, s = decode_dss_signature(self._private.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True)))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def agree(self, point: bytes) -> bytes:
        """ECDH with an uncompressed point: the x coordinate, 32 bytes. Raises ValueError for what is no such point."""
        if len(point) != POINT_BYTES:
            raise ValueError(f"a point has {POINT_BYTES} bytes, not {len(point)}")
        return self._private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point))
