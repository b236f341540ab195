"""Payloads that are well signed and not canonical."""

from __future__ import annotations

from collections.abc import Iterator

from faceward_proto.v1.envelope_pb2 import Envelope
from ingredients import (
    EPOCH,
    HOST,
    appended,
    doubled,
    field,
    pieces,
    record,
    resigned,
    substituted,
    swapped,
    trust,
    varint,
)

from cases.case import (
    Case,
    Change,
)


def payloads() -> Iterator[Case]:
    """Well signed, and not the canonical form: a host's key in the wrong hands must not open two readings."""

    def refused(name: str, why: str, change: Change) -> Case:
        return Case(f"payload/{name}", why, "unsupported-record", resigned(record(), change, HOST), trust())

    data = Envelope.FromString(record()).payload
    parts = dict(pieces(data))
    pose = next(raw for number, raw in pieces(data) if number == 11)
    yield refused("concatenated", "a second record follows in the same payload", lambda data: data + data)
    yield refused("subject-twice", "a singular field twice: the last would win", doubled(3))
    yield refused("sensor-twice", "a singular message twice: they would merge", doubled(17))
    yield refused("unknown-field", "a field that nobody knows", appended(field(99, b"x")))
    yield refused("reserved-field", "a reserved field", appended(field(19, b"x")))
    yield refused("unknown-group", "a group of a field that nobody knows", appended(b"\xa3\x06\xa4\x06"))
    yield refused("reordered", "two fields in each other's place", swapped(3, 4))
    yield refused(
        "overlong-number", "the epoch is written in more bytes than it needs", substituted(6, field(6, EPOCH, longer=2))
    )
    yield refused("eleven-byte-number", "no number is so long", substituted(6, varint(6 << 3) + b"\x80" * 10 + b"\1"))
    yield refused("number-out-of-range", "the version does not fit 32 bits", substituted(1, field(1, 1 << 32 | 1)))
    yield refused("zero-written-out", "a zero is written out", substituted(6, field(6, 0)))
    yield refused("empty-relief", "an empty list of numbers is written out", substituted(12, field(12, b"")))
    yield refused("relief-in-two", "a packed list in two pieces", doubled(12))
    yield refused(
        "relief-unpacked",
        "a list of numbers that is not packed",
        substituted(12, b"\x65\x00\x00\x00\x3f\x65\x00\x00\x80\xbe"),
    )
    yield refused(
        "relief-cut-off",
        "a list of numbers that ends in the middle of one",
        substituted(12, field(12, b"\x00\x00\x00\x3f\x00")),
    )
    yield refused("relief-not-finite", "infinity is no measure", substituted(12, field(12, b"\x00\x00\x80\x7f")))
    yield refused("embedding-not-finite", "NaN is no measure", _nested(pose, 2, field(2, b"\x00\x00\xc0\x7f" * 4)))
    yield refused("unknown-outcome", "an outcome that nobody knows", substituted(13, field(13, 9)))
    yield refused("tenant-not-utf-8", "a text that is not UTF-8", substituted(4, field(4, b"ac\xffme")))
    yield refused("tenant-with-surrogate", "a surrogate is not UTF-8", substituted(4, field(4, b"a\xed\xa0\x80")))
    yield refused(
        "length-past-the-end", "a field is longer than what is left", substituted(18, field(18, b"x" * 9)[:-4])
    )
    yield refused("trailing-zero", "a byte is left over", appended(b"\0"))
    yield refused("nested-field-twice", "a singular field twice, deeper", substituted(10, _grown(parts[10], 2)))
    yield refused(
        "nested-unknown-field",
        "a field that nobody knows, deeper",
        substituted(16, field(16, _body(parts[16]) + field(9, b"x"))),
    )
    yield refused("wrong-wire-type", "the epoch as bytes", substituted(6, field(6, b"\4")))


def _body(raw: bytes) -> bytes:
    """What is in a field with a length."""
    at = 1
    while raw[at - 1] & 0x80:
        at += 1
    while raw[at] & 0x80:
        at += 1
    return raw[at + 1 :]


def _grown(raw: bytes, number: int) -> bytes:
    """A field with a message in it, in which this field stands twice."""
    outer = pieces(raw)[0][0]
    return field(outer, doubled(number)(_body(raw)))


def _nested(pose: bytes, number: int, raw: bytes) -> Change:
    """A change: in the first pose, these bytes in the place of this field."""
    altered = field(11, substituted(number, raw)(_body(pose)))

    def change(data: bytes) -> bytes:
        done = False
        out = b""
        for found, whole in pieces(data):
            out += altered if found == 11 and not done else whole
            done = done or found == 11
        return out

    return change
