"""An attested session as the sensor holds it: handshake, message authentication, frame tags (docs/protocol.md)."""

from __future__ import annotations

import hashlib
import hmac
import struct

from faceward_sim.firmware.chain import StartedFirmware
from faceward_sim.firmware.messages import AuthenticatedRequest, ConnectRequest

RANDOM_BYTES = 32


class BadPoint(Exception):
    """The host's key is no point of the curve."""


def kdf(key: bytes, label: bytes, context: bytes, size: int) -> bytes:
    """NIST SP 800-108r1, 4.1: counter mode over HMAC-SHA256, counter and length as 32 bits."""
    out = b""
    counter = 0
    while len(out) < size:
        counter += 1
        block = struct.pack(">I", counter) + label + b"\0" + context + struct.pack(">I", 8 * size)
        out += hmac.new(key, block, hashlib.sha256).digest()
    return out[:size]


class Session:
    """One session, from the host's `connect` on. Raises BadPoint."""

    def __init__(self, request: ConnectRequest, device_random: bytes, started: StartedFirmware) -> None:
        try:
            shared = started.agreement.agree(request.host_key)
        except ValueError:
            raise BadPoint from None
        master = kdf(shared, b"faceward.master.v1", request.host_random + device_random, 32)
        chain_digest = hashlib.sha256(started.chain).digest()
        transcript = request.host_random + request.host_key + device_random + chain_digest
        self.id = hashlib.sha256(b"faceward.session.v1\0" + transcript).digest()
        keys = kdf(master, b"faceward.keys.v1", self.id, 96)
        self._command_key, self._reply_key, self._frame_key = keys[:32], keys[32:64], keys[64:]
        self._counter = 0
        self.reply = {
            "device_random": device_random,
            "chain": started.chain,
            "mac": self._mac(self._reply_key, b"connect\0"),
        }

    def open(self, request: AuthenticatedRequest) -> bytes | None:
        """The message of a request that is the host's and new; None for any other, which changes nothing."""
        counter = struct.pack("<I", request.counter)
        expected = self._mac(self._command_key, b"command\0", counter, request.message)
        if not hmac.compare_digest(expected, request.tag) or request.counter <= self._counter:
            return None
        self._counter = request.counter
        return request.message

    def seal(self, counter: int, message: bytes) -> dict[str, object]:
        """The AuthenticatedMessage's fields of a reply to the request of that counter."""
        tag = self._mac(self._reply_key, b"reply\0", struct.pack("<I", counter), message)
        return {"counter": counter, "message": message, "tag": tag}

    def tag(self, record: bytes) -> bytes:
        """The tag of a frame whose record is this."""
        return self._mac(self._frame_key, b"frame\0", record)

    def _mac(self, key: bytes, label: bytes, *parts: bytes) -> bytes:
        return hmac.new(key, label + self.id + b"".join(parts), hashlib.sha256).digest()
