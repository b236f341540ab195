"""The signed envelope, after DSSE v1: bytes, what kind of bytes they are, and signatures over both.

Specification: github.com/secure-systems-lab/dsse (protocol.md, envelope.md). Nothing here trusts a key: it answers
which of the keys it was given signed. Key ids are never looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from faceward_proto.keys import SIGNATURE_BYTES, PublicKey
from faceward_proto.reader import MalformedMessage, read_message
from faceward_proto.v1.envelope_pb2 import Envelope, Signature

TEMPLATE_TYPE: Final = "application/vnd.faceward.template.v1+protobuf"
GRANT_TYPE: Final = "application/vnd.faceward.grant.v1+protobuf"
TRUST_TYPE: Final = "application/vnd.faceward.trust.v1+protobuf"

# Of each kind of payload: what a verifier needs room for.
MAX_PAYLOAD_BYTES: Final[Mapping[str, int]] = MappingProxyType(
    {TEMPLATE_TYPE: 65_536, GRANT_TYPE: 4096, TRUST_TYPE: 262_144}
)
MAX_SIGNATURES: Final = 8
MAX_SIGNATURES_BYTES: Final = 32_768  # eight of ML-DSA-65, the payload's type and key ids


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: DSSE's PAE of a type and a payload."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def write_envelope(payload: bytes, payload_type: str, signatures: Sequence[bytes]) -> bytes:
    """An envelope around signatures that were made over `pre_authentication_encoding(payload_type, payload)`.

    Raises: MalformedMessage for an envelope that `read_envelope` would refuse.
    """
    data = Envelope(
        payload=payload, payload_type=payload_type, signatures=[Signature(sig=signature) for signature in signatures]
    ).SerializeToString(deterministic=True)
    read_envelope(data, payload_type)
    return data


def read_envelope(data: bytes, payload_type: str) -> Envelope:
    """The envelope, if it is one, of this payload type (one in MAX_PAYLOAD_BYTES) and within bounds.

    Nothing is verified yet. Raises: MalformedMessage.
    """
    limit = MAX_PAYLOAD_BYTES[payload_type]
    envelope = read_message(Envelope, data, max_bytes=limit + MAX_SIGNATURES_BYTES)
    if envelope.payload_type != payload_type:
        raise MalformedMessage(f"Envelope.payload_type: not {payload_type}")
    if not 0 < len(envelope.payload) <= limit:
        raise MalformedMessage(f"Envelope.payload: {len(envelope.payload)} bytes")
    if not 0 < len(envelope.signatures) <= MAX_SIGNATURES:
        raise MalformedMessage(f"Envelope.signatures: {len(envelope.signatures)} of them")
    for signature in envelope.signatures:
        if len(signature.sig) not in SIGNATURE_BYTES.values():
            raise MalformedMessage(f"Signature.sig: {len(signature.sig)} bytes")
    return envelope


def signing_keys(envelope: Envelope, keys: Iterable[PublicKey]) -> frozenset[PublicKey]:
    """Those of `keys` that signed this envelope's payload and type; each counts once, however often it signed."""
    message = pre_authentication_encoding(envelope.payload_type, envelope.payload)
    return frozenset(
        key for key in frozenset(keys) if any(key.verifies(signature.sig, message) for signature in envelope.signatures)
    )
