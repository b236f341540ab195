"""Messages in chunks of 256 bytes over the extension unit (docs/protocol.md)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from faceward.errors import DeviceProtocolError

CHUNK_BYTES: Final = 256
MAX_MESSAGE_BYTES: Final = 8_192
_HEADER = struct.Struct("<BBHHH")  # transaction, flags, total, offset, length
BODY_BYTES: Final = CHUNK_BYTES - _HEADER.size
_FIRST, _LAST = 1, 2


def split(transaction: int, message: bytes) -> Iterator[bytes]:
    """The chunks of a message, in order; `transaction` is 1 to 255.

    Raises: ValueError for a message or a transaction that no chunk can hold.
    """
    if not 1 <= transaction <= 255 or len(message) > MAX_MESSAGE_BYTES:
        raise ValueError(f"transaction {transaction}, {len(message)} bytes")
    for offset in range(0, max(len(message), 1), BODY_BYTES):
        body = message[offset : offset + BODY_BYTES]
        flags = (_FIRST if offset == 0 else 0) | (_LAST if offset + len(body) == len(message) else 0)
        header = _HEADER.pack(transaction, flags, len(message), offset, len(body))
        yield (header + body).ljust(CHUNK_BYTES, b"\0")


class ReplyAssembler:
    """Puts the chunks of one reply together; every field of every chunk must be as the protocol has it."""

    def __init__(self, transaction: int) -> None:
        self._transaction = transaction
        self._total = 0
        self._parts = bytearray()

    def feed(self, chunk: bytes) -> bytes | None:
        """Take the next chunk; the message once it is whole.

        Raises: DeviceProtocolError.
        """
        if len(chunk) != CHUNK_BYTES:
            raise DeviceProtocolError(f"the sensor sent a chunk of {len(chunk)} bytes")
        transaction, flags, total, offset, length = _HEADER.unpack_from(chunk)
        is_first = not self._parts
        if transaction != self._transaction:
            raise DeviceProtocolError(f"the sensor answers transaction {transaction}, not {self._transaction}")
        if is_first:
            self._total = total
        end = offset + length
        if (
            flags != (_FIRST if is_first else 0) | (_LAST if end == total else 0)
            or total != self._total
            or total > MAX_MESSAGE_BYTES
            or offset != len(self._parts)
            or end > total
            or length > BODY_BYTES
            or (length == 0 and total != 0)
            or any(chunk[_HEADER.size + length :])
        ):
            raise DeviceProtocolError("the sensor's chunk does not continue the one before it")
        self._parts += chunk[_HEADER.size : _HEADER.size + length]
        return bytes(self._parts) if end == total else None
