"""A USB/IP client that speaks in bytes, so that a test can say what a kernel would say, in any order."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator

import pytest
from faceward_sim.firmware.device import Firmware
from faceward_sim.ports.powered import PoweredSensor
from faceward_sim.ports.usbip import UsbipServer


class RawClient:
    """One connection to a USB/IP server."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.seqnum = 0
        self.early: dict[int, tuple[int, bytes]] = {}

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def import_device(self, busid: str = "1-1") -> int:
        self.socket.sendall(struct.pack(">HHI", 0x0111, 0x8003, 0) + busid.encode().ljust(32, b"\0"))
        version, code, status = struct.unpack(">HHI", self.read(8))
        assert (version, code) == (0x0111, 3)
        if status == 0:
            self.record = self.read(312)
        return status

    def submit_bytes(
        self, seqnum: int, endpoint: int, length: int, setup: bytes = bytes(8), data: bytes | None = None
    ) -> bytes:
        is_in = data is None
        header = struct.pack(">IIIII", 1, seqnum, 0x10001, int(is_in), endpoint & 0x7F)
        header += struct.pack(">IiiiI8s", 0, length, 0, 0, 0, setup)
        return header + (data or b"")

    def unlink_bytes(self, seqnum: int, victim: int) -> bytes:
        return struct.pack(">IIIIII24x", 2, seqnum, 0x10001, 0, 0, victim)

    def submit(self, endpoint: int, length: int, setup: bytes = bytes(8), data: bytes | None = None) -> int:
        self.seqnum += 1
        self.socket.sendall(self.submit_bytes(self.seqnum, endpoint, length, setup, data))
        return self.seqnum

    def unlink(self, victim: int) -> int:
        self.seqnum += 1
        self.socket.sendall(self.unlink_bytes(self.seqnum, victim))
        return self.seqnum

    def reply(self, reads: Callable[[int], bool] = lambda seqnum: True) -> tuple[int, int, int, bytes]:
        """(command, seqnum, status, data) of the next reply; data follows when `reads` says that it was an IN."""
        header = self.read(48)
        command, seqnum, device, direction, endpoint, status, length = struct.unpack_from(">IIIIIii", header)
        assert (device, direction, endpoint) == (0, 0, 0)
        data = self.read(length) if command == 3 and reads(seqnum) else b""
        return command, seqnum, status, data

    def control(self, setup: bytes, data: bytes = b"") -> bytes:
        is_in = bool(setup[0] & 0x80)
        length = struct.unpack_from("<H", setup, 6)[0]
        seqnum = self.submit(0, length, setup, None if is_in else data)
        command, answered, status, answer = self.reply(lambda _: is_in)
        assert (command, answered) == (3, seqnum)
        if status:
            raise OSError(-status, "control transfer")
        return answer

    def close(self) -> None:
        self.socket.close()


@pytest.fixture
def server(firmware: Firmware) -> Iterator[UsbipServer]:
    running = UsbipServer([PoweredSensor(firmware)], port=0)
    yield running
    running.close()


@pytest.fixture
def connect(server: UsbipServer) -> Iterator[Callable[[], RawClient]]:
    clients: list[RawClient] = []

    def make() -> RawClient:
        clients.append(RawClient(server.port))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
