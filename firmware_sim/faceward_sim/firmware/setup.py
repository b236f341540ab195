"""A control transfer's setup packet, and the ways in which a device does not answer it (USB 2.0, 9.3 and 8.4.5)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_SETUP = struct.Struct("<BBHHH")


class Stall(Exception):
    """The device refuses the request: a STALL handshake."""


class NoAnswer(Exception):
    """The device answers NAK for as long as the host cares to ask."""


class PowerLost(Exception):
    """The device falls off the bus; `comes_back` when it starts anew a moment later."""

    def __init__(self, reason: str, *, comes_back: bool = False) -> None:
        super().__init__(reason)
        self.comes_back = comes_back


@dataclass(frozen=True, slots=True)
class Setup:
    """The eight bytes of a setup packet."""

    request_type: int
    request: int
    value: int
    index: int
    length: int

    @classmethod
    def parse(cls, packet: bytes) -> Setup:
        """Raises ValueError unless the packet is exactly eight bytes long."""
        if len(packet) != _SETUP.size:
            raise ValueError(f"a setup packet has 8 bytes, not {len(packet)}")
        return cls(*_SETUP.unpack(packet))

    @property
    def is_in(self) -> bool:
        """True when the device sends the data."""
        return bool(self.request_type & 0x80)

    @property
    def type(self) -> int:
        """0 standard, 1 class, 2 vendor."""
        return (self.request_type >> 5) & 3

    @property
    def recipient(self) -> int:
        """0 device, 1 interface, 2 endpoint."""
        return self.request_type & 0x1F
