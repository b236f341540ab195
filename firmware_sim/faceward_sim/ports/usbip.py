"""A USB/IP server (protocol 1.1.1) that exports powered sensors to Linux's vhci and to clients in user space.

Layouts: https://docs.kernel.org/usb/usbip_protocol.html.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import struct
import threading
from collections.abc import Sequence

from faceward_sim.firmware.descriptors import STREAMS
from faceward_sim.firmware.setup import NoAnswer, Stall
from faceward_sim.ports.endpoint import Outcome, Transfer
from faceward_sim.ports.powered import Occupied, PoweredSensor, Unplugged

_log = logging.getLogger(__name__)

_VERSION = 0x0111
_OP = struct.Struct(">HHI")
_REQ_DEVLIST, _REP_DEVLIST, _REQ_IMPORT, _REP_IMPORT = 0x8005, 0x0005, 0x8003, 0x0003
_OP_OK, _OP_BUSY, _OP_NO_DEVICE = 0, 2, 4
_BUSID_BYTES = 32
_RECORD = struct.Struct(">256s32sIIIHHHBBBBBB")
_HIGH_SPEED = 3
_INTERFACES = (bytes([0x0E, 1, 0, 0]), bytes([0x0E, 2, 0, 0]), bytes([0x0E, 2, 0, 0]))

_HEADER_BYTES = 48
_BASIC = struct.Struct(">IIIII")
_SUBMIT = struct.Struct(">IiiiI8s")
_CMD_SUBMIT, _CMD_UNLINK, _RET_SUBMIT, _RET_UNLINK = 1, 2, 3, 4
_RET_SUBMIT_LAYOUT = struct.Struct(">IIIIIiIIII8x")
_RET_UNLINK_LAYOUT = struct.Struct(">IIIIIi24x")
_DIRECTION_IN = 1
# The largest wLength is 65,535; a bulk read of more than this is nothing that a host's controller would build.
_MAX_OUT_BYTES = 65_536
_MAX_READ_BYTES = 16 * 1024 * 1024
_MAX_PENDING = 4_096
# What one sendmsg may take.
_IOV_MAX = os.sysconf("SC_IOV_MAX")
_STATUS = {
    Outcome.DONE: 0,
    Outcome.STALL: -errno.EPIPE,
    Outcome.OVERFLOW: -errno.EOVERFLOW,
    Outcome.GONE: -errno.ESHUTDOWN,
}


class _ClientError(Exception):
    """The client has closed the connection or said something that is no USB/IP."""


class UsbipServer:
    """Serves sensors as bus ids 1-1, 1-2, ... until `close`. The socket listens when the constructor returns.

    Raises OSError when the address is in use or not this machine's.
    """

    def __init__(self, sensors: Sequence[PoweredSensor], host: str = "127.0.0.1", port: int = 3240) -> None:
        self.sensors = {f"1-{number}": sensor for number, sensor in enumerate(sensors, start=1)}
        self._listener = socket.create_server((host, port))
        self.host, self.port = self._listener.getsockname()[:2]
        self._lock = threading.Lock()
        self._clients: dict[_Client, threading.Thread] = {}
        self._closed = False
        self._thread = threading.Thread(target=self._accept, name="faceward-sim usbip", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening, drop all clients and switch the sensors off. Raises what a sensor's imager raised."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            clients = dict(self._clients)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for client in clients:
            client.drop()
        self._thread.join()
        for thread in clients.values():
            thread.join()
        for sensor in self.sensors.values():
            sensor.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            client = _Client(connection, self.sensors)
            thread = threading.Thread(target=self._serve, args=(client,), name="faceward-sim client", daemon=True)
            with self._lock:
                if self._closed:
                    client.drop()
                    return
                self._clients[client] = thread
                thread.start()

    def _serve(self, client: _Client) -> None:
        try:
            client.run()
        finally:
            with self._lock:
                self._clients.pop(client, None)


class _Client:
    """One connection: the operations that list and import, then the transfers of the imported device."""

    def __init__(self, connection: socket.socket, sensors: dict[str, PoweredSensor]) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._sensors = sensors
        self._read_buffer = memoryview(bytearray(_HEADER_BYTES))
        self._out_buffer = memoryview(bytearray(_MAX_OUT_BYTES))
        # One lock for the order of replies and for the books of what was answered.
        self._lock = threading.Lock()
        self._pending: dict[int, tuple[int, Transfer | None]] = {}  # seqnum -> endpoint, read (None: control)
        self._unlinks_behind: dict[int, int] = {}  # seqnum of a read that is ending -> seqnum of its UNLINK
        self._early_unlinks: dict[int, int] = {}  # seqnum of a SUBMIT still to come -> seqnum of its UNLINK
        self._last_submit: int | None = None

    def drop(self) -> None:
        """End the connection from any thread; whoever reads or writes wakes up."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def run(self) -> None:
        """Serve until either side ends it."""
        try:
            while True:
                sensor = self._operation()
                if sensor is not None:
                    self._transfers(sensor)
                    return
        except (_ClientError, OSError) as error:
            _log.debug("a client is gone: %s", error)
        finally:
            self.drop()
            self._socket.close()

    # Operations

    def _operation(self) -> PoweredSensor | None:
        version, code, _ = _OP.unpack(self._receive(_OP.size))
        if version != _VERSION or code not in (_REQ_DEVLIST, _REQ_IMPORT):
            raise _ClientError(f"no operation: version {version:#06x}, code {code:#06x}")
        if code == _REQ_DEVLIST:
            self._list()
            return None
        busid = bytes(self._receive(_BUSID_BYTES)).split(b"\0")[0].decode("ascii", "replace")
        sensor = self._sensors.get(busid)
        status, record = _OP_NO_DEVICE, b""
        if sensor is not None:
            try:
                sensor.acquire(self, self.drop)
                status, record = _OP_OK, _device_record(busid, sensor)
            except Occupied:
                status = _OP_BUSY
            except Unplugged:
                status = _OP_NO_DEVICE
        self._send([_OP.pack(_VERSION, _REP_IMPORT, status) + record])
        if status != _OP_OK:
            raise _ClientError(f"import of {busid} ended with status {status}")
        return sensor

    def _list(self) -> None:
        there = [(busid, sensor) for busid, sensor in self._sensors.items() if sensor.plugged]
        reply = _OP.pack(_VERSION, _REP_DEVLIST, _OP_OK) + struct.pack(">I", len(there))
        for busid, sensor in there:
            reply += _device_record(busid, sensor) + b"".join(_INTERFACES)
        self._send([reply])

    # Transfers

    def _transfers(self, sensor: PoweredSensor) -> None:
        generation = sensor.generation
        try:
            while True:
                header = self._receive(_HEADER_BYTES)
                if sensor.generation != generation:
                    raise _ClientError("the device was gone meanwhile")
                command, seqnum, _, direction, endpoint = _BASIC.unpack_from(header)
                if command == _CMD_SUBMIT:
                    _, length, _, _, _, setup = _SUBMIT.unpack_from(header, _BASIC.size)
                    self._submit(sensor, seqnum, direction, endpoint, length, setup)
                elif command == _CMD_UNLINK:
                    (victim,) = struct.unpack_from(">I", header, _BASIC.size)
                    self._unlink(sensor, seqnum, victim)
                else:
                    raise _ClientError(f"no command: {command}")
        finally:
            self._cancel_all(sensor)
            sensor.release(self)

    def _submit(
        self, sensor: PoweredSensor, seqnum: int, direction: int, endpoint: int, length: int, setup: bytes
    ) -> None:
        is_out = direction != _DIRECTION_IN
        if not 0 <= length <= (_MAX_OUT_BYTES if is_out else _MAX_READ_BYTES):
            raise _ClientError(f"a transfer of {length} bytes")
        data = self._receive_out(length) if is_out else b""
        with self._lock:
            self._last_submit = seqnum
            unlink = self._early_unlinks.pop(seqnum, None)
            if unlink is not None:
                self._send_unlink(unlink, -errno.ECONNRESET)
                return
            if len(self._pending) >= _MAX_PENDING or seqnum in self._pending:
                raise _ClientError("too many transfers at once, or two of one number")
        if endpoint == 0:
            self._control(sensor, seqnum, setup, bytes(data), None if is_out else length)
        elif is_out:
            self._reply(seqnum, -errno.EPIPE, [])
        else:
            self._read(sensor, seqnum, endpoint | 0x80, length)

    def _control(self, sensor: PoweredSensor, seqnum: int, setup: bytes, data: bytes, room: int | None) -> None:
        try:
            answer = sensor.control(setup, data)
        except Stall:
            self._reply(seqnum, -errno.EPIPE, [])
        except Unplugged:
            raise _ClientError("the device is gone") from None
        except NoAnswer:
            # It stays pending until the host takes it back.
            with self._lock:
                self._pending[seqnum] = (0, None)
        else:
            answer = answer[:room]
            self._reply(seqnum, 0, [memoryview(answer)], len(data) if room is None else len(answer))

    def _read(self, sensor: PoweredSensor, seqnum: int, endpoint: int, length: int) -> None:
        transfer = Transfer(length, lambda ended: self._read_ended(seqnum, ended))
        with self._lock:
            self._pending[seqnum] = (endpoint, transfer)
        try:
            sensor.submit(endpoint, transfer)
        except KeyError:
            self._reply(seqnum, -errno.EPIPE, [])
        except Unplugged:
            raise _ClientError("the device is gone") from None

    def _read_ended(self, seqnum: int, transfer: Transfer) -> None:
        if transfer.outcome is Outcome.GONE:
            self._reply(seqnum, _STATUS[transfer.outcome], [])
            return
        self._reply(seqnum, _STATUS[transfer.outcome], transfer.pieces, transfer.filled)

    def _reply(self, seqnum: int, status: int, pieces: list[memoryview], length: int = 0) -> None:
        """RET_SUBMIT, and the RET_UNLINK that has waited behind it."""
        header = _RET_SUBMIT_LAYOUT.pack(_RET_SUBMIT, seqnum, 0, 0, 0, status, length, 0, 0, 0)
        with self._lock:
            self._pending.pop(seqnum, None)
            try:
                self._send([header, *pieces])
                unlink = self._unlinks_behind.pop(seqnum, None)
                if unlink is not None:
                    self._send_unlink(unlink, 0)
            except OSError as error:
                # The thread that reads the socket tidies up; a clock thread that got here must live on.
                _log.debug("a reply could not be sent: %s", error)
                self.drop()

    def _unlink(self, sensor: PoweredSensor, seqnum: int, victim: int) -> None:
        with self._lock:
            pending = self._pending.get(victim)
            if pending is None:
                if self._is_to_come(victim):
                    if len(self._early_unlinks) >= _MAX_PENDING:
                        raise _ClientError("too many UNLINKs without their SUBMIT")
                    self._early_unlinks[victim] = seqnum
                    return
                self._send_unlink(seqnum, 0)
                return
        endpoint, transfer = pending
        taken_back = transfer is None or sensor.cancel(endpoint, transfer)
        with self._lock:
            if taken_back:
                self._pending.pop(victim, None)
                self._send_unlink(seqnum, -errno.ECONNRESET)
            elif victim in self._pending:
                self._unlinks_behind[victim] = seqnum
            else:
                self._send_unlink(seqnum, 0)

    def _is_to_come(self, seqnum: int) -> bool:
        """Numbers of SUBMITs rise; 32 bits wrap."""
        return self._last_submit is None or 0 < (seqnum - self._last_submit) & 0xFFFF_FFFF < 1 << 31

    def _send_unlink(self, seqnum: int, status: int) -> None:
        self._send([_RET_UNLINK_LAYOUT.pack(_RET_UNLINK, seqnum, 0, 0, 0, status)])

    def _cancel_all(self, sensor: PoweredSensor) -> None:
        with self._lock:
            pending, self._pending = self._pending, {}
        for endpoint, transfer in pending.values():
            if transfer is not None:
                sensor.cancel(endpoint, transfer)

    # Bytes

    def _receive(self, size: int) -> memoryview:
        return self._receive_into(self._read_buffer[:size])

    def _receive_out(self, size: int) -> memoryview:
        return self._receive_into(self._out_buffer[:size])

    def _receive_into(self, target: memoryview) -> memoryview:
        at = 0
        while at < len(target):
            count = self._socket.recv_into(target[at:])
            if count == 0:
                raise _ClientError("the client has closed the connection")
            at += count
        return target

    def _send(self, parts: list[bytes | memoryview]) -> None:
        """All of it, without joining the parts first."""
        left = [memoryview(part) for part in parts if len(part)]
        while left:
            sent = self._socket.sendmsg(left[:_IOV_MAX])
            while left and sent >= len(left[0]):
                sent -= len(left.pop(0))
            if sent:
                left[0] = left[0][sent:]


def _device_record(busid: str, sensor: PoweredSensor) -> bytes:
    descriptors = sensor.firmware.descriptors
    number = int(busid.split("-")[1])
    return _RECORD.pack(
        f"/sys/devices/platform/faceward/usb1/{busid}".encode(),
        busid.encode(),
        1,
        number,
        _HIGH_SPEED,
        descriptors.vid,
        descriptors.pid,
        0x0100,
        0xEF,
        2,
        1,
        1,
        1,
        1 + len(STREAMS),
    )
