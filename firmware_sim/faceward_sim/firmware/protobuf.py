"""A protobuf codec of the firmware's own: tables of fields, strict in what it reads.

Wire format: https://protobuf.dev/programming-guides/encoding/. The host has another codec; sharing one would let a bug
cancel out.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

_VARINT, _LENGTH, _FIXED32 = 0, 2, 5
_FLOAT = struct.Struct("<f")


class Malformed(Exception):
    """Bytes that are no message of this kind, or not in the form that a careful encoder gives it."""


class Kind(Enum):
    """A field's type in the .proto."""

    UINT32 = "uint32"
    UINT64 = "uint64"
    SINT32 = "sint32"
    ENUM = "enum"
    FLOAT = "float"
    STRING = "string"
    BYTES = "bytes"
    MESSAGE = "message"


_WIRE_TYPES = {
    Kind.UINT32: _VARINT,
    Kind.UINT64: _VARINT,
    Kind.SINT32: _VARINT,
    Kind.ENUM: _VARINT,
    Kind.FLOAT: _FIXED32,
    Kind.STRING: _LENGTH,
    Kind.BYTES: _LENGTH,
    Kind.MESSAGE: _LENGTH,
}


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a table: number, name and type; for a message, the table of its fields."""

    number: int
    name: str
    kind: Kind
    table: tuple[Field, ...] = ()
    repeated: bool = False

    @property
    def wire_type(self) -> int:
        """How the bytes are framed; repeated scalars are packed."""
        return _LENGTH if self.repeated else _WIRE_TYPES[self.kind]


Table = tuple[Field, ...]


def encode(table: Table, values: Mapping[str, Any]) -> bytes:
    """A message with its fields in the table's order; scalars at their zero are left out, as proto3 wants.

    A message's value is a mapping; None means absent. Raises ValueError for a name that the table has not, or a value
    that the type can't hold.
    """
    unknown = values.keys() - {field.name for field in table}
    if unknown:
        raise ValueError(f"no such fields: {sorted(unknown)}")
    return b"".join(_encode_field(field, values[field.name]) for field in table if values.get(field.name) is not None)


def _encode_field(field: Field, value: Any) -> bytes:
    tag = _varint(field.number << 3 | field.wire_type)
    if not field.repeated:
        body = _encode_value(field, value)
        if field.wire_type == _LENGTH:
            return tag + _sized(body) if body or field.kind is Kind.MESSAGE else b""
        return tag + body if any(body) else b""
    bodies = [_encode_value(field, item) for item in value]
    if _WIRE_TYPES[field.kind] == _LENGTH:
        return b"".join(tag + _sized(body) for body in bodies)
    return tag + _sized(b"".join(bodies)) if bodies else b""


def _encode_value(field: Field, value: Any) -> bytes:
    if field.kind is Kind.MESSAGE:
        return encode(field.table, value)
    if field.kind is Kind.STRING:
        return value.encode("utf-8")
    if field.kind is Kind.BYTES:
        return bytes(value)
    if field.kind is Kind.FLOAT:
        return _FLOAT.pack(value)
    if field.kind is Kind.SINT32:
        if not -(1 << 31) <= value < 1 << 31:
            raise ValueError(f"{field.name} is out of range: {value}")
        return _varint(value << 1 if value >= 0 else (-value << 1) - 1)
    bits = {Kind.UINT32: 32, Kind.UINT64: 64, Kind.ENUM: 31}[field.kind]
    if not 0 <= value < 1 << bits:
        raise ValueError(f"{field.name} is out of range: {value}")
    return _varint(int(value))


def _sized(body: bytes) -> bytes:
    return _varint(len(body)) + body


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode(table: Table, message: bytes) -> dict[str, Any]:
    """The fields that are there, by name; repeated fields are lists.

    Strict: ascending fields, each once, none unknown, shortest varints, numbers within their type, UTF-8 strings.
    Repeated scalars must be packed. Raises Malformed.
    """
    by_number = {field.number: field for field in table}
    values: dict[str, Any] = {}
    at = previous = 0
    while at < len(message):
        tag, at = _read_varint(message, at)
        number, wire_type = tag >> 3, tag & 7
        field = by_number.get(number)
        if field is None:
            raise Malformed(f"unknown field {number}")
        again = field.repeated and _WIRE_TYPES[field.kind] == _LENGTH and number == previous
        if number < previous or (number == previous and not again):
            raise Malformed(f"field {number} is out of order or there twice")
        if wire_type != field.wire_type:
            raise Malformed(f"field {number} has wire type {wire_type}")
        body, at = _read_body(message, at, wire_type)
        if not field.repeated:
            values[field.name] = _decode_value(field, body)
        elif _WIRE_TYPES[field.kind] == _LENGTH:
            values.setdefault(field.name, []).append(_decode_value(field, body))
        else:
            values[field.name] = _decode_packed(field, body)
        previous = number
    return values


def _read_body(message: bytes, at: int, wire_type: int) -> tuple[bytes, int]:
    if wire_type == _VARINT:
        _, end = _read_varint(message, at)
    elif wire_type == _FIXED32:
        end = at + 4
    else:
        length, at = _read_varint(message, at)
        end = at + length
    if end > len(message):
        raise Malformed("the message is cut short")
    return message[at:end], end


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise Malformed("the message is cut short")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >= 1 << 64 or (byte == 0 and shift):
                raise Malformed("a varint is longer than it need be")
            return value, at
    raise Malformed("a varint is longer than it need be")


def _decode_packed(field: Field, body: bytes) -> list[Any]:
    items = []
    at = 0
    if not body:
        raise Malformed(f"{field.name} is there but empty")
    while at < len(body):
        item, at = _read_body(body, at, _WIRE_TYPES[field.kind])
        items.append(_decode_value(field, item))
    return items


def _decode_value(field: Field, body: bytes) -> Any:
    return _DECODERS[field.kind](field, body)


def _decode_unsigned(bits: int) -> Callable[[Field, bytes], int]:
    def read(field: Field, body: bytes) -> int:
        value, _ = _read_varint(body, 0)
        if value >= 1 << bits:
            raise Malformed(f"{field.name} is out of range")
        return value

    return read


def _decode_sint32(field: Field, body: bytes) -> int:
    value = _DECODERS[Kind.UINT32](field, body)
    return value >> 1 if value & 1 == 0 else -(value + 1 >> 1)


def _decode_string(field: Field, body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed(f"{field.name} is no UTF-8") from None


_DECODERS: dict[Kind, Callable[[Field, bytes], Any]] = {
    Kind.UINT32: _decode_unsigned(32),
    Kind.UINT64: _decode_unsigned(64),
    Kind.ENUM: _decode_unsigned(31),
    Kind.SINT32: _decode_sint32,
    Kind.FLOAT: lambda field, body: _FLOAT.unpack(body)[0],
    Kind.STRING: _decode_string,
    Kind.BYTES: lambda field, body: bytes(body),
    Kind.MESSAGE: lambda field, body: decode(field.table, body),
}


def fields(*rows: tuple[int, str, Kind] | Field) -> Table:
    """A table from short rows."""
    return tuple(row if isinstance(row, Field) else Field(*row) for row in rows)
