"""Envelopes that are none, and signatures over something else."""

from __future__ import annotations

from collections.abc import Iterator

from faceward_proto.envelope import GRANT_TYPE, MAX_PAYLOAD_BYTES, TEMPLATE_TYPE
from faceward_proto.v1.envelope_pb2 import Envelope, Signature
from ingredients import (
    HOST,
    P256_ORDER,
    field,
    flipped,
    grant,
    pieces,
    record,
    seal,
    trust,
    varint,
)

from cases.case import (
    Case,
)


def envelopes() -> Iterator[Case]:
    """The record's envelope: anything but the one canonical form is refused."""

    def refused(name: str, why: str, data: bytes, kind: str = "unsupported-record", **more: object) -> Case:
        return Case(f"envelope/{name}", why, kind, data, more.pop("store", None) or trust(), **more)  # type: ignore[arg-type]

    data = record()
    parts = dict(pieces(data))
    payload, kind, signature = parts[1], parts[2], parts[3]
    envelope = Envelope.FromString(data)
    message = envelope.payload
    yield refused("empty", "no bytes are no envelope", b"")
    yield refused("cut-off", "the last byte is missing", data[:-1])
    yield refused("trailing-zero", "a byte is left over", data + b"\0")
    yield refused("trailing-empty-signature", "an empty signature follows", data + field(3, b""))
    yield refused("concatenated", "two envelopes are none", data + data)
    yield refused("two-payloads", "which one was signed?", field(1, b"x") + data)
    yield refused("two-types", "which one was signed?", payload + field(2, GRANT_TYPE.encode()) + kind + signature)
    yield refused("unknown-field", "a field that nobody knows", data + field(15, b"x"))
    yield refused(
        "unknown-field-in-signature",
        "a field that nobody knows, deeper",
        payload + kind + field(3, field(1, envelope.signatures[0].sig) + field(7, 1)),
    )
    yield refused("reordered", "the type stands before the payload", kind + payload + signature)
    yield refused("signature-first", "the signature stands before the payload", signature + payload + kind)
    yield refused(
        "key-id-before-signature",
        "fields out of order, deeper",
        payload + kind + field(3, field(2, b"k") + field(1, envelope.signatures[0].sig)),
    )
    yield refused(
        "overlong-length",
        "the payload's length is written in more bytes than it needs",
        field(1, message, longer=1) + kind + signature,
    )
    yield refused(
        "overlong-tag",
        "a tag is written in more bytes than it needs",
        varint(1 << 3 | 2, longer=1) + payload[1:] + kind + signature,
    )
    yield refused(
        "empty-key-id",
        "an empty key id is written out",
        payload + kind + field(3, field(1, envelope.signatures[0].sig) + field(2, b"")),
    )
    yield refused("wrong-wire-type", "the payload is a number", field(1, 5) + kind + signature)
    yield refused("type-not-utf-8", "the payload's type is not UTF-8", payload + field(2, b"\xff\xfe") + signature)
    yield refused("no-payload", "there is nothing to sign", seal(b"", TEMPLATE_TYPE, HOST))
    yield refused("no-type", "without a type nobody knows what was signed", payload + signature)
    yield refused("no-signatures", "nobody signed", payload + kind)
    yield refused("nine-signatures", "more signatures than a verifier must have room for", record(*[HOST] * 9))
    yield refused(
        "oversize",
        "the payload is a byte too long",
        seal(message + bytes(MAX_PAYLOAD_BYTES[TEMPLATE_TYPE] + 1 - len(message)), TEMPLATE_TYPE, HOST),
    )
    short = Envelope(
        payload=message, payload_type=TEMPLATE_TYPE, signatures=[Signature(sig=envelope.signatures[0].sig[:-1])]
    )
    yield refused("short-signature", "63 bytes are no signature", short.SerializeToString())
    der = Envelope(
        payload=message, payload_type=TEMPLATE_TYPE, signatures=[Signature(sig=_der(envelope.signatures[0].sig))]
    )
    yield refused("der-signature", "an ES256 signature is r and s, not DER", der.SerializeToString())
    yield refused("wrong-type", "it says that it is something else", seal(message, "application/octet-stream", HOST))
    yield refused("grant-as-record", "a grant is no template, whoever signed it", grant(HOST))
    yield refused("trust-store-as-record", "a trust store is no template", trust(HOST))
    relabelled = Envelope.FromString(seal(message, GRANT_TYPE, HOST))
    relabelled.payload_type = TEMPLATE_TYPE
    yield refused(
        "relabelled",
        "it was signed as a grant and then called a template",
        relabelled.SerializeToString(),
        "signature-invalid",
    )
    bare = Envelope(payload=message, payload_type=TEMPLATE_TYPE, signatures=[Signature(sig=HOST.sign(message))])
    yield refused(
        "payload-signed-alone", "the payload was signed without its type", bare.SerializeToString(), "signature-invalid"
    )
    yield refused("payload-flipped", "a bit of the payload is turned over", flipped(data, 40), "signature-invalid")
    yield refused(
        "embedding-flipped",
        "a bit of an embedding is turned over",
        flipped(data, data.index(bytes.fromhex("0000003f0000003f"))),
        "signature-invalid",
    )
    yield refused(
        "signature-flipped", "a bit of the signature is turned over", flipped(data, len(data) - 1), "signature-invalid"
    )
    for name, sig, why in (
        ("zero-signature", bytes(64), "r and s are zero"),
        (
            "padded-signature",
            envelope.signatures[0].sig[:32] + bytes(3309 - 64) + envelope.signatures[0].sig[32:],
            "r and s with zeros between them, as long as an ML-DSA-65 signature",
        ),
        ("r-is-zero", bytes(32) + envelope.signatures[0].sig[32:], "r is zero"),
        ("s-is-the-order", envelope.signatures[0].sig[:32] + P256_ORDER.to_bytes(32, "big"), "s is out of range"),
        ("s-and-the-order", _plus_order(envelope.signatures[0].sig), "s + n is out of range"),
    ):
        forged = Envelope(payload=message, payload_type=TEMPLATE_TYPE, signatures=[Signature(sig=sig)])
        yield refused(name, why, forged.SerializeToString(), "signature-invalid")


def _plus_order(sig: bytes) -> bytes:
    # Only 256 bits are there: s + n wraps for most s, and is then a wrong s in any case.
    return sig[:32] + ((int.from_bytes(sig[32:], "big") + P256_ORDER) % (1 << 256)).to_bytes(32, "big")


def _der(sig: bytes) -> bytes:
    def integer(value: bytes) -> bytes:
        body = value.lstrip(b"\0")
        body = (b"\0" if body[0] & 0x80 else b"") + body
        return b"\x02" + bytes([len(body)]) + body

    body = integer(sig[:32]) + integer(sig[32:])
    return b"\x30" + bytes([len(body)]) + body
