"""Reads a message only if its bytes are the one way to write it.

protobuf's own parser is lenient: of a field sent twice it keeps the last, it keeps fields that it doesn't know, it
takes overlong numbers and lengths. Two parsers can so read two things in the same signed bytes. `read_message` walks
the bytes by the message's descriptor first and refuses everything but the canonical form:

1. at most `max_bytes` long, messages nested at most MAX_DEPTH deep;
2. every field known, of its own wire type, in rising order of field numbers, a singular one at most once, of a oneof at
   most one;
3. numbers in the fewest bytes and within the field's range; enum values known;
4. no default spelt out where the field has no presence; repeated numbers packed, in one piece, never empty;
5. strings are UTF-8; floating-point numbers are finite;
6. nothing left over.
"""

from __future__ import annotations

import math
import struct
from typing import Any, Final, TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

MAX_DEPTH: Final = 8

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_WIRE_TYPES: Final[dict[int, int]] = {
    FieldDescriptor.TYPE_DOUBLE: _FIXED64,
    FieldDescriptor.TYPE_FLOAT: _FIXED32,
    FieldDescriptor.TYPE_INT64: _VARINT,
    FieldDescriptor.TYPE_UINT64: _VARINT,
    FieldDescriptor.TYPE_INT32: _VARINT,
    FieldDescriptor.TYPE_FIXED64: _FIXED64,
    FieldDescriptor.TYPE_FIXED32: _FIXED32,
    FieldDescriptor.TYPE_BOOL: _VARINT,
    FieldDescriptor.TYPE_STRING: _LENGTH,
    FieldDescriptor.TYPE_MESSAGE: _LENGTH,
    FieldDescriptor.TYPE_BYTES: _LENGTH,
    FieldDescriptor.TYPE_UINT32: _VARINT,
    FieldDescriptor.TYPE_ENUM: _VARINT,
    FieldDescriptor.TYPE_SFIXED32: _FIXED32,
    FieldDescriptor.TYPE_SFIXED64: _FIXED64,
    FieldDescriptor.TYPE_SINT32: _VARINT,
    FieldDescriptor.TYPE_SINT64: _VARINT,
}
# What a varint may hold, as the unsigned 64-bit number that it is on the wire.
_UNSIGNED_LIMITS: Final[dict[int, int]] = {
    FieldDescriptor.TYPE_UINT32: 1 << 32,
    FieldDescriptor.TYPE_SINT32: 1 << 32,
    FieldDescriptor.TYPE_BOOL: 2,
}

M = TypeVar("M", bound=Message)


class MalformedMessage(ValueError):
    """These bytes are not the canonical form of that message; the text says where and why."""


def read_message(kind: type[M], data: bytes | bytearray | memoryview, *, max_bytes: int) -> M:
    """The message of type `kind` that `data` is the canonical form of.

    Raises: MalformedMessage.
    """
    view = memoryview(data).cast("B")
    if len(view) > max_bytes:
        raise MalformedMessage(f"{kind.DESCRIPTOR.name}: {len(view)} bytes, at most {max_bytes} are allowed")
    _walk(kind.DESCRIPTOR, view, kind.DESCRIPTOR.name, 1)
    message = kind()
    try:
        message.ParseFromString(bytes(view))
    except DecodeError as error:
        raise MalformedMessage(f"{kind.DESCRIPTOR.name}: {error}") from None
    return message


def _walk(descriptor: Descriptor, data: memoryview, where: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise MalformedMessage(f"{where}: nested more than {MAX_DEPTH} deep")
    fields: Any = descriptor.fields_by_number
    at, last, oneofs = 0, 0, set()
    while at < len(data):
        tag, at = _varint(data, at, where)
        number, wire_type = tag >> 3, tag & 7
        field = fields.get(number)
        if field is None:
            raise MalformedMessage(f"{where}: unknown field {number}")
        inside = f"{where}.{field.name}"
        if number < last:
            raise MalformedMessage(f"{inside}: out of order")
        packed = field.is_repeated and field.is_packed
        if number == last and (packed or not field.is_repeated):
            raise MalformedMessage(f"{inside}: twice")
        last = number
        if field.containing_oneof is not None:
            if field.containing_oneof.name in oneofs:
                raise MalformedMessage(f"{inside}: a second member of {field.containing_oneof.name}")
            oneofs.add(field.containing_oneof.name)
        expected = _LENGTH if packed else _WIRE_TYPES.get(field.type)
        if wire_type != expected:
            raise MalformedMessage(f"{inside}: wire type {wire_type}")
        bare = not (field.is_repeated or field.has_presence)
        if expected == _LENGTH:
            length, at = _varint(data, at, inside)
            if length > len(data) - at:
                raise MalformedMessage(f"{inside}: longer than what is left")
            body = data[at : at + length]
            at += length
            if packed:
                _packed(field, body, inside)
            elif field.type == FieldDescriptor.TYPE_MESSAGE:
                _walk(field.message_type, body, inside, depth + 1)
            else:
                _text_or_bytes(field, body, inside, bare)
        else:
            at = _number(field, data, at, inside, bare)


def _packed(field: FieldDescriptor, body: memoryview, where: str) -> None:
    if not len(body):
        raise MalformedMessage(f"{where}: empty but written")
    wire_type = _WIRE_TYPES[field.type]
    if field.type in (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE):
        width, code = (4, "f") if wire_type == _FIXED32 else (8, "d")
        if len(body) % width:
            raise MalformedMessage(f"{where}: cut off")
        if not all(map(math.isfinite, struct.unpack(f"<{len(body) // width}{code}", body))):
            raise MalformedMessage(f"{where}: not finite")
        return
    at = 0
    while at < len(body):
        at = _number(field, body, at, where, False)


def _text_or_bytes(field: FieldDescriptor, body: memoryview, where: str, bare: bool) -> None:
    if bare and not len(body):
        raise MalformedMessage(f"{where}: empty but written")
    if field.type == FieldDescriptor.TYPE_STRING:
        try:
            str(body, "utf-8")
        except UnicodeDecodeError:
            raise MalformedMessage(f"{where}: not UTF-8") from None


def _number(field: FieldDescriptor, data: memoryview, at: int, where: str, bare: bool) -> int:
    wire_type = _WIRE_TYPES[field.type]
    if wire_type == _VARINT:
        value, at = _varint(data, at, where)
        if value >= _UNSIGNED_LIMITS.get(field.type, 1 << 64):
            raise MalformedMessage(f"{where}: out of range")
        if field.type in (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_ENUM):
            value -= (value >> 63) << 64
            if not -(1 << 31) <= value < 1 << 31:
                raise MalformedMessage(f"{where}: out of range")
        if field.type == FieldDescriptor.TYPE_ENUM and value not in field.enum_type.values_by_number:
            raise MalformedMessage(f"{where}: unknown value {value}")
        zero = value == 0
    else:
        width = 4 if wire_type == _FIXED32 else 8
        raw = bytes(data[at : at + width])
        if len(raw) != width:
            raise MalformedMessage(f"{where}: cut off")
        at += width
        if field.type in (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE) and not math.isfinite(
            struct.unpack("<f" if width == 4 else "<d", raw)[0]
        ):
            raise MalformedMessage(f"{where}: not finite")
        zero = not any(raw)
    if bare and zero:
        raise MalformedMessage(f"{where}: zero but written")
    return at


def _varint(data: memoryview, at: int, where: str) -> tuple[int, int]:
    value = 0
    for index in range(10):
        if at >= len(data):
            raise MalformedMessage(f"{where}: cut off")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if index and not byte:
                raise MalformedMessage(f"{where}: a number in more bytes than it needs")
            if value >> 64:
                raise MalformedMessage(f"{where}: out of range")
            return value, at
    raise MalformedMessage(f"{where}: a number in more bytes than it needs")
