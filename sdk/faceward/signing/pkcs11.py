"""A signer whose P-256 key lies on a PKCS#11 token (OASIS PKCS#11 v2.40) and never leaves it.

Every signature has a session of its own: a token that was pulled out is noticed, nobody stays logged in, and the PIN is
in memory only while it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from faceward.errors import SigningError
from faceward.signing import secret_file
from faceward.signing.signer import Signer, key_id_of

if TYPE_CHECKING:
    from pkcs11 import Session

SIGNATURE_BYTES: Final = 64
_POINT_BYTES: Final = 65
_MAX_PIN_BYTES: Final = 256
_MISSING: Final = "the package python-pkcs11 is missing: pip install 'faceward[pkcs11]'"


@dataclass(frozen=True, slots=True)
class TokenKey:
    """Where a key is: the token's PKCS#11 module, the token's and the key's labels, and the file that holds the PIN."""

    module: Path
    token: str
    key: str
    pin: Path


class Pkcs11Signer(Signer):
    """Signs with ES256 by a key on a token. `open` finds it; both halves of the pair have the key's label there."""

    algorithm = "ES256"
    custody = "pkcs11"

    def __init__(self, where: TokenKey, public_key_der: bytes) -> None:
        self._where = where
        self._public_der = public_key_der
        self.key_id = key_id_of(public_key_der)

    @classmethod
    def open(cls, where: TokenKey) -> Self:
        """Log in once and find the key.

        Raises: SigningError: the package or the module is missing, no such token, a PIN that is wrong, locked, missing
        or readable by others, no such key, one that is not P-256, or one that the token would give away.
        """
        with _session(where) as session:
            _require_kept(_private_key(session, where), where)
            return cls(where, _public_key(session, where))

    @classmethod
    def create(cls, where: TokenKey) -> Self:
        """Make a pair that never leaves the token. Raises: SigningError, where one of that label is there already too."""
        with _session(where, writable=True) as session:
            from pkcs11 import Attribute, KeyType
            from pkcs11.util.ec import encode_named_curve_parameters

            if any(session.get_objects({Attribute.LABEL: where.key})):
                raise SigningError(f"token {where.token!r} has a key {where.key!r} already, which is not written over")
            curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
            session.create_domain_parameters(KeyType.EC, curve, local=True).generate_keypair(
                label=where.key, store=True, private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
            )
        return cls.open(where)

    def sign(self, message: bytes) -> bytes:
        """r || s, each 32 bytes big-endian, over SHA-256 of the message. Raises: SigningError, as `open` does."""
        digest = Hash(SHA256())
        digest.update(message)
        with _session(self._where) as session:
            from pkcs11 import Mechanism

            signature = bytes(_private_key(session, self._where).sign(digest.finalize(), mechanism=Mechanism.ECDSA))
        if len(signature) != SIGNATURE_BYTES:
            raise SigningError(f"token {self._where.token!r} made a signature of {len(signature)} bytes")
        return signature

    @property
    def public_key_der(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""
        return self._public_der

    def __repr__(self) -> str:
        return f"Pkcs11Signer(key_id={self.key_id!r})"


@contextmanager
def _session(where: TokenKey, *, writable: bool = False) -> Iterator[Session]:
    """A session that is logged in. Whatever the token refuses, in it too, is a SigningError that says what to do."""
    try:
        import pkcs11
    except ImportError:
        raise SigningError(_MISSING) from None
    if not where.module.is_file():
        raise SigningError(f"there is no PKCS#11 module {where.module}: it comes with the token's software")
    pin = _pin(where.pin)
    try:
        # One module by two names would be started twice, which it refuses.
        token = pkcs11.lib(str(where.module.resolve())).get_token(token_label=where.token)
        with token.open(user_pin=pin, rw=writable) as session:
            yield session
    except (pkcs11.NoSuchToken, pkcs11.TokenNotPresent, pkcs11.TokenNotRecognised, pkcs11.DeviceRemoved):
        raise SigningError(f"there is no token {where.token!r} for the module {where.module}: plug it in") from None
    except pkcs11.MultipleTokensReturned:
        raise SigningError(f"more than one token is called {where.token!r}: give them different labels") from None
    except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange):
        raise SigningError(
            f"token {where.token!r} refuses the PIN in {where.pin}: mend it before you try again, "
            "because a token locks itself after a few wrong ones"
        ) from None
    except (pkcs11.PinLocked, pkcs11.PinExpired, pkcs11.UserPinNotInitialized):
        raise SigningError(f"the PIN of token {where.token!r} is locked, expired or not set: its owner must") from None
    except pkcs11.NoSuchKey:
        raise SigningError(f"token {where.token!r} has no key pair {where.key!r} for ECDSA") from None
    except pkcs11.MultipleObjectsReturned:
        raise SigningError(f"token {where.token!r} has more than one key {where.key!r}: give them other labels") from None
    except pkcs11.PKCS11Error as error:
        told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise SigningError(
            f"token {where.token!r} can't be used by the module {where.module} ({told}): is it still plugged in?"
        ) from None


def _pin(path: Path) -> str:
    content = secret_file.read(path, _MAX_PIN_BYTES, what="PIN", remedy="write the token's PIN into it, and chmod 600 it")
    try:
        pin = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SigningError(f"the PIN file {path} is not UTF-8") from None
    if not pin:
        raise SigningError(f"the PIN file {path} is empty")
    return pin


def _private_key(session: Session, where: TokenKey) -> Any:
    from pkcs11 import KeyType, ObjectClass

    return session.get_key(object_class=ObjectClass.PRIVATE_KEY, key_type=KeyType.EC, label=where.key)


def _require_kept(key: Any, where: TokenKey) -> None:
    from pkcs11 import Attribute

    if key[Attribute.EXTRACTABLE] is not False or key[Attribute.SENSITIVE] is not True:
        raise SigningError(
            f"token {where.token!r} would give the key {where.key!r} away: use one that is sensitive and not extractable "
            "(`faceward keys token FILE --new` makes one)"
        )


def _public_key(session: Session, where: TokenKey) -> bytes:
    """SubjectPublicKeyInfo of a point that is on P-256; a token gives it bare or as an OCTET STRING of 65 bytes."""
    from pkcs11 import Attribute, KeyType, ObjectClass

    found = session.get_key(object_class=ObjectClass.PUBLIC_KEY, key_type=KeyType.EC, label=where.key)
    point = bytes(found[Attribute.EC_POINT])
    if len(point) == 2 + _POINT_BYTES:
        point = point.removeprefix(b"\x04\x41")
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise SigningError(f"the key {where.key!r} on token {where.token!r} is not a P-256 key") from None
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
