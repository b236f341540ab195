"""Messages in chunks over the extension unit (docs/protocol.md)."""

from __future__ import annotations

import struct

CHUNK_BYTES = 256
MAX_MESSAGE_BYTES = 8_192
_HEADER = struct.Struct("<BBHHH")
BODY_BYTES = CHUNK_BYTES - _HEADER.size
_FIRST, _LAST = 1, 2


class ChunkError(Exception):
    """A chunk that does not continue the one before it, or that is none at all."""


class CommandAssembler:
    """Puts the chunks of one request together."""

    def __init__(self) -> None:
        self._transaction = 0
        self._total = 0
        self._parts = bytearray()

    def reset(self) -> None:
        """Forget what came so far."""
        self._transaction = 0
        self._parts.clear()

    def feed(self, chunk: bytes) -> tuple[int, bytes] | None:
        """Take one chunk; the transaction and message once it is whole.

        Raises ChunkError, after which the host starts again.
        """
        try:
            return self._feed(bytes(chunk))
        except ChunkError:
            self.reset()
            raise

    def _feed(self, chunk: bytes) -> tuple[int, bytes] | None:
        if len(chunk) != CHUNK_BYTES:
            raise ChunkError(f"a chunk has {CHUNK_BYTES} bytes, not {len(chunk)}")
        transaction, flags, total, offset, length = _HEADER.unpack_from(chunk)
        if transaction == 0 or flags & ~(_FIRST | _LAST) or total > MAX_MESSAGE_BYTES or length > BODY_BYTES:
            raise ChunkError("a field is out of range")
        if any(chunk[_HEADER.size + length :]):
            raise ChunkError("the padding is not zero")
        if flags & _FIRST:
            self.reset()
            self._transaction, self._total = transaction, total
        if (transaction, total, offset) != (self._transaction, self._total, len(self._parts)):
            raise ChunkError("the chunk does not continue the one before it")
        end = offset + length
        if end > total or (end == total) != bool(flags & _LAST) or (length == 0 and total != 0):
            raise ChunkError("the length does not agree with the flags")
        self._parts += chunk[_HEADER.size : _HEADER.size + length]
        if end < total:
            return None
        message = bytes(self._parts)
        self.reset()
        return transaction, message


def split_reply(transaction: int, message: bytes) -> list[bytes]:
    """The chunks of a reply, in order.

    Raises ValueError for a message above 8,192 bytes.
    """
    if len(message) > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message has at most {MAX_MESSAGE_BYTES} bytes, not {len(message)}")
    chunks = []
    for offset in range(0, max(len(message), 1), BODY_BYTES):
        body = message[offset : offset + BODY_BYTES]
        flags = (_FIRST if offset == 0 else 0) | (_LAST if offset + len(body) == len(message) else 0)
        chunks.append((_HEADER.pack(transaction, flags, len(message), offset, len(body)) + body).ljust(256, b"\0"))
    return chunks
