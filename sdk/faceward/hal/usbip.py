"""USB devices of another machine, over USB/IP, as a pyusb backend.

    backend = get_backend("192.0.2.7", 3240)                # every exported device
    backend = get_backend("192.0.2.7", 3240, busid="1-1.2") # that one alone
    device = usb.core.find(backend=backend)

What is raised here is pyusb's own (`USBError` with an errno, `USBTimeoutError`); `faceward.hal.usb` turns that into
Faceward's tree. The wire format is Documentation/usb/usbip_protocol.rst of Linux; where that leaves a choice, a field
holds what Linux's own client (vhci) sends. Isochronous transfers are not offered.

One connection imports one device. Threads submit under one lock and wait; a reader thread of the connection matches
replies by sequence number and receives straight into the caller's array. A transfer that misses its deadline is
unlinked, and the server's word decides what became of it: a RET_SUBMIT that came first is the transfer's result, and
otherwise the transfer never happened for the caller (USBTimeoutError).
"""

from __future__ import annotations

import array
import contextlib
import errno
import itertools
import math
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import usb.backend
from usb.core import USBError, USBTimeoutError

from faceward.hal.discovery import BUSID

DEFAULT_PORT = 3240
VERSION = 0x0111

_OP_REQ_IMPORT, _OP_REP_IMPORT = 0x8003, 0x0003
_OP_REQ_DEVLIST, _OP_REP_DEVLIST = 0x8005, 0x0005
_CMD_SUBMIT, _CMD_UNLINK, _RET_SUBMIT, _RET_UNLINK = 1, 2, 3, 4
_OUT, _IN = 0, 1

_OP = struct.Struct(">HHI")
_RECORD = struct.Struct(">256s32sIIIHHHBBBBBB")
_COUNT = struct.Struct(">I")
# seqnum, devid, direction, ep; then flags, length, start_frame, number_of_packets, interval, setup.
_SUBMIT = struct.Struct(">IIIII" + "IIiii" + "8s")
_UNLINK = struct.Struct(">IIIII" + "I24x")
# The same for both replies: status, then (RET_SUBMIT) actual_length, start_frame, number_of_packets, error_count.
_REPLY = struct.Struct(">IIIII" + "iiiii8x")

# usbip_protocol.rst, OP_REP_IMPORT's status as tools/usb/usbip names it.
_ST_NOT_AVAILABLE, _ST_BUSY, _ST_NO_DEVICE = 1, 2, 4
# URB_DIR_IN of include/linux/usb.h, which usb_submit_urb sets on vhci's URBs before they are sent.
_URB_DIR_IN = 0x0200
# Room for whatever there is, and little enough that a server that lies fills no memory.
_MAX_DEVICES = 128
_MAX_CONFIGURATIONS = 8  # USB_MAXCONFIG of Linux's drivers/usb/core/config.c
_MAX_CONFIGURATION_BYTES = 16 * 1024
# How long a server may take to answer an UNLINK before it counts as gone.
_UNLINK_GRACE_S = 1.0
_AGAIN = " (see that it runs and its sensor is plugged in, and begin again)"
# Linux resets a device when its importer leaves; until then an import finds it busy.
_RELEASE_S = 3.0
_CONNECT_S = 5.0
_CONTROL_MS = 2000

_LOW, _FULL, _HIGH, _SUPER, _SUPER_PLUS = 1, 2, 3, 5, 6
# enum usb_device_speed to libusb_speed.
_LIBUSB_SPEEDS = {_LOW: 1, _FULL: 2, _HIGH: 3, _SUPER: 4, _SUPER_PLUS: 5}

_DT_DEVICE, _DT_CONFIGURATION, _DT_INTERFACE, _DT_ENDPOINT = 1, 2, 4, 5
_CONTROL, _ISOCHRONOUS, _BULK, _INTERRUPT = 0, 1, 2, 3

_WAIT_ALL = getattr(socket, "MSG_WAITALL", 0)
_DONT_WAIT = getattr(socket, "MSG_DONTWAIT", 0)


def _error(number: int, text: str = "") -> USBError:
    kind = USBTimeoutError if number == errno.ETIMEDOUT else USBError
    return kind(text or os.strerror(number), -number, number)


class _NotExportedError(USBError):  # type: ignore[misc]
    """The server answers, and has no such device."""


def _gone(text: str) -> USBError:
    return _error(errno.ENODEV, text)


@dataclass(slots=True)
class _Urb:
    """A transfer under way. `done` is held until the reader has filled in what became of it."""

    seqnum: int
    direction: int
    buffer: memoryview
    done: Any = field(default_factory=threading.Lock)
    status: int = -errno.ENODEV
    actual_length: int = 0
    unlinked: bool = False
    finished: bool = False

    def __post_init__(self) -> None:
        self.done.acquire()

    def finish(self) -> None:
        """Wake the submitter. Called once, under the connection's lock."""
        self.finished = True
        self.done.release()


@dataclass(frozen=True, slots=True)
class _Record:
    """What the server says of a device (struct usbip_usb_device)."""

    busid: str
    busnum: int
    devnum: int
    speed: int
    vid: int
    pid: int
    bcd_device: int
    device_class: tuple[int, int, int]
    configurations: int
    interfaces: int

    @classmethod
    def unpack(cls, data: bytes) -> _Record:
        _, name, busnum, devnum, speed, vid, pid, bcd_device, *classes, _, configurations, interfaces = _RECORD.unpack(
            data
        )
        busid = name.split(b"\0", 1)[0].decode("ascii", "replace")
        if not BUSID.fullmatch(busid):
            raise _error(errno.EBADMSG, f"the USB/IP server names a device {busid!r}, which is no bus id")
        return cls(busid, busnum, devnum, speed, vid, pid, bcd_device, tuple(classes), configurations, interfaces)


def _dial(host: str, port: int, timeout_s: float) -> socket.socket:
    try:
        sock = socket.create_connection((host, port), timeout=timeout_s)
    except TimeoutError:
        raise _error(errno.ETIMEDOUT, f"no answer from {host}:{port}") from None
    except OSError as error:
        raise _gone(
            f"no USB/IP server at {host}:{port}: {error.strerror or error} "
            f"(start one there, as `faceward-sim serve --port {port}` does, or correct the address)"
        ) from None
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return sock


def _receive(sock: socket.socket, size: int, deadline: float) -> bytes:
    """Exactly `size` bytes of a socket that nobody else reads yet."""
    data = bytearray(size)
    view = memoryview(data)
    got = 0
    while got < size:
        try:
            sock.settimeout(max(deadline - time.monotonic(), 0.001))
            count = sock.recv_into(view[got:])
        except TimeoutError:
            raise _error(errno.ETIMEDOUT, "the USB/IP server does not answer") from None
        except OSError as error:
            raise _gone(f"the USB/IP server closed the connection: {error}") from None
        if not count:
            raise _gone(f"the USB/IP server closed the connection{_AGAIN}")
        got += count
    return bytes(data)


def _operate(sock: socket.socket, request: int, reply: int, body: bytes, deadline: float) -> int:
    """Send one operation; the status of its answer."""
    try:
        sock.sendall(_OP.pack(VERSION, request, 0) + body)
    except OSError as error:
        raise _gone(f"the USB/IP server closed the connection: {error}") from None
    version, code, status = _OP.unpack(_receive(sock, _OP.size, deadline))
    if version != VERSION:
        raise _error(errno.EPROTONOSUPPORT, f"the server speaks USB/IP {version:#06x}, not {VERSION:#06x}")
    if code != reply:
        raise _error(errno.EBADMSG, f"the server answered {code:#06x} instead of {reply:#06x}")
    return status


def _list_devices(host: str, port: int, timeout_s: float) -> list[_Record]:
    deadline = time.monotonic() + timeout_s
    with _dial(host, port, timeout_s) as sock:
        if status := _operate(sock, _OP_REQ_DEVLIST, _OP_REP_DEVLIST, b"", deadline):
            raise _error(errno.EIO, f"the USB/IP server refused to list its devices (status {status})")
        (count,) = _COUNT.unpack(_receive(sock, _COUNT.size, deadline))
        if count > _MAX_DEVICES:
            raise _error(errno.EBADMSG, f"the USB/IP server claims to have {count} devices")
        records = []
        for _ in range(count):
            record = _Record.unpack(_receive(sock, _RECORD.size, deadline))
            _receive(sock, 4 * record.interfaces, deadline)
            records.append(record)
        return records


class _Connection:
    """One imported device. `submit` may be called from any thread; `close` too, and it wakes everyone."""

    def __init__(self, sock: socket.socket, record: _Record) -> None:
        self.record = record
        self._sock = sock
        self._devid = record.busnum << 16 | record.devnum
        self._seqnums = itertools.count(1)
        self._pending: dict[int, _Urb] = {}
        self._unlinks: dict[int, _Urb] = {}
        self._lock = threading.Lock()
        self._send_lock = threading.Lock()
        self._end: str | None = None
        sock.settimeout(None)
        self._reader = threading.Thread(target=self._read_replies, name=f"usbip {record.busid}", daemon=True)
        self._reader.start()

    @property
    def alive(self) -> bool:
        return self._end is None

    def submit(
        self, endpoint: int, direction: int, buffer: memoryview, timeout_ms: int, *, setup: bytes = bytes(8),
        interval: int = 0,
    ) -> int:  # fmt: skip
        """One transfer; the bytes that moved. `timeout_ms` 0 waits for ever, as pyusb has it."""
        limit_s = timeout_ms / 1000 if timeout_ms > 0 else None
        deadline = None if limit_s is None else time.monotonic() + limit_s
        with self._lock:
            if self._end is not None:
                raise _gone(self._end)
            urb = _Urb(next(self._seqnums) & 0xFFFF_FFFF, direction, buffer)
            self._pending[urb.seqnum] = urb
        packet = _SUBMIT.pack(
            _CMD_SUBMIT, urb.seqnum, self._devid, direction, endpoint, _URB_DIR_IN if direction == _IN else 0,
            len(buffer), 0, 0, interval, setup,
        )  # fmt: skip
        try:
            if direction == _OUT and len(buffer):
                self._send((packet, buffer), deadline)
            else:
                self._send((packet,), deadline)
            if not urb.done.acquire(timeout=-1 if deadline is None else max(deadline - time.monotonic(), 0)):
                self._unlink(urb)
        except BaseException:
            # The buffer is the caller's again after this, so nothing may be on its way into it.
            with contextlib.suppress(USBError):
                self._unlink(urb)
            raise
        if urb.unlinked:
            raise _error(errno.ETIMEDOUT, "the device did not answer in time")
        if urb.status < 0:
            number = -urb.status if -urb.status in errno.errorcode else errno.EPROTO
            raise _error(number, self._end or "" if number == errno.ENODEV else "")
        return urb.actual_length

    def _unlink(self, urb: _Urb) -> None:
        """Take a transfer back and wait for the server's word on it."""
        with self._lock:
            if urb.finished:
                return
            wanted = next(self._seqnums) & 0xFFFF_FFFF
            self._unlinks[wanted] = urb
        packet = _UNLINK.pack(_CMD_UNLINK, wanted, self._devid, _OUT, 0, urb.seqnum)
        self._send((packet,), time.monotonic() + _UNLINK_GRACE_S)
        if not urb.done.acquire(timeout=_UNLINK_GRACE_S):
            self._fail("the USB/IP server does not answer any more")
            self._join()

    def _send(self, parts: tuple[bytes | memoryview, ...], deadline: float | None) -> None:
        # A packet that was begun must be finished, or the stream is of no use to anybody.
        with self._send_lock:
            for part in parts:
                view = memoryview(part)
                while len(view):
                    try:
                        view = view[self._sock.send(view, _DONT_WAIT) :]
                    except BlockingIOError:
                        left = None if deadline is None else max(deadline - time.monotonic(), 0)
                        if not select.select([], [self._sock], [], left)[1]:
                            self._fail("the USB/IP server takes no more requests")
                            raise _gone("the USB/IP server takes no more requests") from None
                    except (OSError, ValueError) as error:
                        self._fail(f"the connection to the USB/IP server broke: {error.strerror or error}{_AGAIN}")
                        raise _gone(self._end or "") from None

    def _read_replies(self) -> None:
        header = bytearray(_REPLY.size)
        try:
            while True:
                if not self._fill(memoryview(header)):
                    self._fail(f"the USB/IP server closed the connection{_AGAIN}")
                    return
                command, seqnum, _, _, _, status, length, *_ = _REPLY.unpack(header)
                if command == _RET_SUBMIT:
                    problem = self._take_result(seqnum, status, length)
                elif command == _RET_UNLINK:
                    problem = self._take_unlink(seqnum)
                else:
                    problem = f"the USB/IP server sent an unknown command {command:#x}"
                if problem:
                    if self._end is not None:
                        self._drain()
                    self._fail(problem)
                    return
        except (OSError, ValueError) as error:
            self._fail(f"the connection to the USB/IP server broke: {error.strerror or error}{_AGAIN}")

    def _fill(self, view: memoryview) -> bool:
        while len(view):
            count = self._sock.recv_into(view, 0, _WAIT_ALL)
            if not count:
                return False
            view = view[count:]
        return True

    def _take_result(self, seqnum: int, status: int, length: int) -> str | None:
        with self._lock:
            urb = self._pending.get(seqnum)
        if urb is None:
            return f"the USB/IP server answered transfer {seqnum}, which is not under way"
        if not 0 <= length <= len(urb.buffer):
            return f"the USB/IP server moved {length} bytes where {len(urb.buffer)} were asked for"
        if urb.direction == _IN and length and not self._fill(urb.buffer[:length]):
            return f"the USB/IP server closed the connection{_AGAIN}"
        with self._lock:
            if self._pending.pop(seqnum, None) is None:
                return None
            urb.status, urb.actual_length = status, length
            urb.finish()
        return None

    def _take_unlink(self, seqnum: int) -> str | None:
        with self._lock:
            urb = self._unlinks.pop(seqnum, None)
            if urb is None:
                return f"the USB/IP server answered unlink {seqnum}, which nobody asked for"
            # Where RET_SUBMIT came first, that transfer is done and this says no more.
            if self._pending.pop(urb.seqnum, None) is not None:
                urb.unlinked = True
                urb.finish()
        return None

    def _drain(self) -> None:
        while self._sock.recv(65_536):
            pass

    def _fail(self, reason: str, how: int = socket.SHUT_RDWR) -> None:
        with self._lock:
            if self._end is None:
                self._end = reason
            pending, self._pending = list(self._pending.values()), {}
            self._unlinks.clear()
            for urb in pending:
                urb.status = -errno.ENODEV
                urb.finish()
        with contextlib.suppress(OSError):
            self._sock.shutdown(how)

    def _join(self) -> None:
        if threading.current_thread() is not self._reader:
            self._reader.join(_UNLINK_GRACE_S)

    def close(self) -> None:
        """Give the device back to its server, and wait a moment for its word that it has it."""
        self._fail("the device was closed", socket.SHUT_WR)
        self._join()
        if self._reader.is_alive():
            self._fail("the device was closed")
            self._join()
        self._sock.close()


def _import(host: str, port: int, busid: str, timeout_s: float) -> _Connection:
    deadline = time.monotonic() + timeout_s
    raw = busid.encode("ascii", "replace")
    if not 0 < len(raw) < 32:
        raise _error(errno.EINVAL, f"{busid!r} is no USB/IP bus id")
    sock = _dial(host, port, timeout_s)
    try:
        status = _operate(sock, _OP_REQ_IMPORT, _OP_REP_IMPORT, raw.ljust(32, b"\0"), deadline)
        if status == _ST_NO_DEVICE:
            raise _NotExportedError(f"{host}:{port} does not export {busid}", -errno.ENODEV, errno.ENODEV)
        if status in (_ST_BUSY, _ST_NOT_AVAILABLE):
            raise _error(errno.EBUSY, f"{busid} of {host}:{port} is in use or not exported")
        if status:
            raise _error(errno.EIO, f"{host}:{port} did not give {busid} (status {status})")
        record = _Record.unpack(_receive(sock, _RECORD.size, deadline))
        if record.busid != busid:
            raise _error(errno.EBADMSG, f"{host}:{port} gave {record.busid!r} instead of {busid!r}")
        return _Connection(sock, record)
    except BaseException:
        sock.close()
        raise


@dataclass(slots=True)
class _Interface:
    descriptor: SimpleNamespace
    endpoints: list[SimpleNamespace] = field(default_factory=list)


@dataclass(slots=True)
class _Configuration:
    descriptor: SimpleNamespace
    interfaces: list[list[_Interface]] = field(default_factory=list)  # by interface, then by alternate setting


def _fields(data: bytes, layout: str, names: str) -> SimpleNamespace:
    size = struct.calcsize(layout)
    values = struct.unpack(layout, data[:size].ljust(size, b"\0"))
    return SimpleNamespace(**dict(zip(names.split(), values, strict=True)), extra_descriptors=[])


def parse_configuration(data: bytes) -> _Configuration:
    """A configuration descriptor with all that follows it; class descriptors become their neighbour's extras.

    Raises: USBError (EIO) for bytes that are none.
    """
    if len(data) < 9 or data[1] != _DT_CONFIGURATION:
        raise _error(errno.EIO, "the device sent no configuration descriptor")
    configuration: _Configuration | None = None
    by_number: dict[int, list[_Interface]] = {}
    current: list[_Interface] = []
    extras: list[int] = []
    at = 0
    while len(data) - at >= 2:
        length, kind = data[at], data[at + 1]
        if length < 2:
            raise _error(errno.EIO, f"a descriptor of {length} bytes")
        if at + length > len(data):
            break  # libusb, too, takes what came before a cut
        body = data[at : at + length]
        at += length
        if configuration is None:
            descriptor = _fields(
                body,
                "<BBHBBBBB",
                "bLength bDescriptorType wTotalLength bNumInterfaces bConfigurationValue iConfiguration bmAttributes "
                "bMaxPower",
            )
            configuration = _Configuration(descriptor)
            extras = descriptor.extra_descriptors
        elif kind == _DT_INTERFACE and length >= 9:
            descriptor = _fields(
                body,
                "<9B",
                "bLength bDescriptorType bInterfaceNumber bAlternateSetting bNumEndpoints bInterfaceClass "
                "bInterfaceSubClass bInterfaceProtocol iInterface",
            )
            interface = _Interface(descriptor)
            if descriptor.bInterfaceNumber not in by_number:
                by_number[descriptor.bInterfaceNumber] = []
                configuration.interfaces.append(by_number[descriptor.bInterfaceNumber])
            by_number[descriptor.bInterfaceNumber].append(interface)
            current = [interface]
            extras = descriptor.extra_descriptors
        elif kind == _DT_ENDPOINT and length >= 7 and current:
            descriptor = _fields(
                body,
                "<BBBBHBBB",
                "bLength bDescriptorType bEndpointAddress bmAttributes wMaxPacketSize bInterval bRefresh bSynchAddress",
            )
            if length < 9:
                descriptor.bRefresh = descriptor.bSynchAddress = 0
            current[0].endpoints.append(descriptor)
            extras = descriptor.extra_descriptors
        else:
            extras.extend(body)
    if configuration is None:
        raise _error(errno.EIO, "the configuration descriptor is cut short")
    for settings in configuration.interfaces:
        for interface in settings:
            # pyusb counts by this number and must not run past the end.
            interface.descriptor.bNumEndpoints = min(interface.descriptor.bNumEndpoints, len(interface.endpoints))
    return configuration


class _Device:
    """One device of a server, as pyusb's opaque device id. Descriptors are read once, under an import."""

    def __init__(self, record: _Record) -> None:
        self.record = record
        self.connection: _Connection | None = None
        self.parked = False  # imported, and waiting for open_device
        self.device_descriptor = b""
        self.configurations: list[_Configuration] = []

    @property
    def busid(self) -> str:
        """The server's name for it."""
        return self.record.busid

    @property
    def ids(self) -> tuple[int, int]:
        """(vid, pid), known before the device is imported."""
        return self.record.vid, self.record.pid


class _Handle:
    """An open device: its connection, claimed interfaces and alternate settings."""

    def __init__(self, device: _Device, connection: _Connection) -> None:
        self.device = device
        self.connection = connection
        self.configuration: int | None = None
        self.claimed: set[int] = set()
        self.settings: dict[int, int] = {}

    def control(
        self, request_type: int, request: int, value: int, index: int, buffer: memoryview, timeout_ms: int
    ) -> int:
        setup = struct.pack("<BBHHH", request_type, request, value, index, len(buffer))
        direction = _IN if request_type & 0x80 and len(buffer) else _OUT
        return self.connection.submit(0, direction, buffer, timeout_ms, setup=setup)

    def read_control(self, request: int, value: int, index: int, size: int, deadline: float = math.inf) -> bytes:
        data = bytearray(size)
        left_ms = min(1000 * (deadline - time.monotonic()), _CONTROL_MS)
        if left_ms <= 0:
            raise _error(errno.ETIMEDOUT, "the device did not answer in time")
        count = self.control(0x80, request, value, index, memoryview(data), max(1, int(left_ms)))
        return bytes(data[:count])

    def active(self) -> _Configuration:
        if self.configuration is None:
            answer = self.read_control(8, 0, 0, 1)
            self.configuration = answer[0] if answer else 0
        for configuration in self.device.configurations:
            if configuration.descriptor.bConfigurationValue == self.configuration:
                return configuration
        raise _error(errno.ENOENT, "the device is not configured")

    def interface(self, number: int) -> list[_Interface]:
        for settings in self.active().interfaces:
            if settings[0].descriptor.bInterfaceNumber == number:
                return settings
        raise _error(errno.ENOENT, f"there is no interface {number}")

    def endpoint(self, address: int, number: int) -> SimpleNamespace:
        setting = self.settings.get(number, 0)
        for interface in self.interface(number):
            if interface.descriptor.bAlternateSetting == setting:
                for endpoint in interface.endpoints:
                    if endpoint.bEndpointAddress == address:
                        return endpoint
        raise _error(errno.ENOENT, f"there is no endpoint {address:#04x} in interface {number}")


class UsbipBackend(usb.backend.IBackend):  # type: ignore[misc]
    """pyusb's backend interface over USB/IP. Make it with `get_backend`."""

    def __init__(self, host: str, port: int, busid: str | None, timeout_s: float) -> None:
        super().__init__()
        self._host = host
        self._port = port
        self._busid = busid
        self._timeout_s = timeout_s
        self._only: _Device | None = None
        self._lock = threading.Lock()
        self._open: set[_Connection] = set()
        self._released: dict[str, float] = {}

    def _finalize_object(self) -> None:
        for connection in list(getattr(self, "_open", ())):
            connection.close()

    def _attach(self, busid: str) -> _Connection:
        """Import; patient with a device that this backend itself gave back a moment ago."""
        while True:
            try:
                connection = _import(self._host, self._port, busid, self._timeout_s)
            except USBError as error:
                if error.errno != errno.EBUSY or time.monotonic() - self._released.get(busid, -_RELEASE_S) > _RELEASE_S:
                    raise
                time.sleep(0.05)
                continue
            self._open.add(connection)
            return connection

    def _detach(self, connection: _Connection) -> None:
        connection.close()
        self._open.discard(connection)
        self._released[connection.record.busid] = time.monotonic()

    def enumerate_devices(self) -> Iterator[_Device]:
        """The exported devices; with a bus id that one alone, imported at once and kept until it is closed."""
        if self._busid is None:
            records = _list_devices(self._host, self._port, self._timeout_s)
            return iter([_Device(record) for record in records])
        with self._lock:
            known = self._only
            if known is None or known.connection is None or not known.connection.alive:
                try:
                    known = self._only = self._imported(self._busid)
                except _NotExportedError:
                    return iter(())
            return iter((known,))

    def _imported(self, busid: str) -> _Device:
        connection = self._attach(busid)
        device = _Device(connection.record)
        try:
            self._describe(device, connection)
        except BaseException:
            self._detach(connection)
            raise
        device.connection, device.parked = connection, True
        return device

    def _describe(self, device: _Device, connection: _Connection) -> None:
        """Read the device's descriptors, all of them within the time that an import may take."""
        handle = _Handle(device, connection)
        deadline = time.monotonic() + self._timeout_s
        descriptor = handle.read_control(6, _DT_DEVICE << 8, 0, 18, deadline)
        if len(descriptor) != 18 or descriptor[1] != _DT_DEVICE:
            raise _error(errno.EIO, "the device sent no device descriptor")
        if descriptor[17] > _MAX_CONFIGURATIONS:
            raise _error(errno.EBADMSG, f"the device claims to have {descriptor[17]} configurations")
        configurations = []
        for index in range(descriptor[17]):
            head = handle.read_control(6, _DT_CONFIGURATION << 8 | index, 0, 9, deadline)
            total = int.from_bytes(head[2:4], "little")
            if total > _MAX_CONFIGURATION_BYTES:
                raise _error(errno.EBADMSG, f"the device claims to have a configuration of {total} bytes")
            whole = b""
            if len(head) == 9:
                whole = handle.read_control(6, _DT_CONFIGURATION << 8 | index, 0, total, deadline)
            configurations.append(parse_configuration(whole))
        device.record = connection.record
        device.device_descriptor, device.configurations = descriptor, configurations

    def _learn(self, device: _Device) -> None:
        """Import a listed device for as long as its descriptors take."""
        if device.device_descriptor:
            return
        connection = self._attach(device.record.busid)
        try:
            self._describe(device, connection)
        finally:
            self._detach(connection)

    def get_parent(self, dev: _Device) -> None:
        """None: a server says nothing of hubs."""
        return

    def get_device_descriptor(self, dev: _Device) -> SimpleNamespace:
        """The descriptor; of a device that somebody else has imported, only what the server's list says."""
        try:
            self._learn(dev)
        except USBError as error:
            if error.errno != errno.EBUSY:
                raise
        record = dev.record
        usual = struct.pack(
            "<BBHBBBBHHHBBBB", 18, _DT_DEVICE, 0x0200, *record.device_class, 64, record.vid, record.pid,
            record.bcd_device, 0, 0, 0, record.configurations,
        )  # fmt: skip
        found = _fields(
            dev.device_descriptor or usual,
            "<BBHBBBBHHHBBBB",
            "bLength bDescriptorType bcdUSB bDeviceClass bDeviceSubClass bDeviceProtocol bMaxPacketSize0 idVendor "
            "idProduct bcdDevice iManufacturer iProduct iSerialNumber bNumConfigurations",
        )
        ports = [int(port) for port in record.busid.partition("-")[2].split(".") if port.isdigit()]
        found.bus, found.address = record.busnum, record.devnum
        found.port_number = ports[-1] if ports else None
        found.port_numbers = tuple(ports) or None
        found.speed = _LIBUSB_SPEEDS.get(record.speed, 0)
        return found

    def _configuration(self, dev: _Device, config: int) -> _Configuration:
        self._learn(dev)
        if config >= len(dev.configurations):
            raise IndexError(f"there is no configuration {config}")
        return dev.configurations[config]

    def get_configuration_descriptor(self, dev: _Device, config: int) -> SimpleNamespace:
        """The descriptor by logical index, with `extra_descriptors`."""
        return self._configuration(dev, config).descriptor

    def _interface(self, dev: _Device, intf: int, alt: int, config: int) -> _Interface:
        # IndexError is how pyusb finds the end of the list.
        return self._configuration(dev, config).interfaces[intf][alt]

    def get_interface_descriptor(self, dev: _Device, intf: int, alt: int, config: int) -> SimpleNamespace:
        """The descriptor by logical indices, with `extra_descriptors`."""
        return self._interface(dev, intf, alt, config).descriptor

    def get_endpoint_descriptor(self, dev: _Device, ep: int, intf: int, alt: int, config: int) -> SimpleNamespace:
        """The descriptor by logical indices, with `extra_descriptors`."""
        return self._interface(dev, intf, alt, config).endpoints[ep]

    def open_device(self, dev: _Device) -> _Handle:
        """Import the device. EBUSY when somebody else has it."""
        connection = dev.connection
        parked, dev.parked = dev.parked, False
        if connection is None or not parked or not connection.alive:
            if connection is not None and parked:
                self._detach(connection)
            connection = self._attach(dev.record.busid)
        try:
            if (connection.record.vid, connection.record.pid) != (dev.record.vid, dev.record.pid):
                raise _gone(f"another device has taken the place of {dev.record.busid}")
            if not dev.device_descriptor:
                self._describe(dev, connection)
        except BaseException:
            self._detach(connection)
            raise
        dev.record, dev.connection = connection.record, connection
        return _Handle(dev, connection)

    def close_device(self, dev_handle: _Handle) -> None:
        """Give the device back to its server."""
        self._detach(dev_handle.connection)

    def set_configuration(self, dev_handle: _Handle, config_value: int) -> None:
        """SET_CONFIGURATION."""
        dev_handle.control(0x00, 9, config_value, 0, memoryview(b""), _CONTROL_MS)
        dev_handle.configuration = config_value
        dev_handle.settings.clear()
        dev_handle.claimed.clear()

    def get_configuration(self, dev_handle: _Handle) -> int:
        """The value of the active configuration, 0 for none."""
        try:
            dev_handle.active()
        except USBError as error:
            if error.errno != errno.ENOENT:
                raise
        return dev_handle.configuration or 0

    def set_interface_altsetting(self, dev_handle: _Handle, intf: int, altsetting: int) -> None:
        """SET_INTERFACE."""
        known = {setting.descriptor.bAlternateSetting for setting in dev_handle.interface(intf)}
        if altsetting not in known:
            raise _error(errno.ENOENT, f"interface {intf} has no alternate setting {altsetting}")
        dev_handle.control(0x01, 11, altsetting, intf, memoryview(b""), _CONTROL_MS)
        dev_handle.settings[intf] = altsetting

    def claim_interface(self, dev_handle: _Handle, intf: int) -> None:
        """Note that the interface is in use; an imported device has no other user."""
        dev_handle.interface(intf)
        dev_handle.claimed.add(intf)

    def release_interface(self, dev_handle: _Handle, intf: int) -> None:
        """The reverse of claim_interface."""
        if intf not in dev_handle.claimed:
            raise _error(errno.ENOENT, f"interface {intf} was not claimed")
        dev_handle.claimed.discard(intf)

    def _transfer(self, handle: _Handle, ep: int, intf: int, data: array.array[int], timeout: int, kind: int) -> int:
        endpoint = handle.endpoint(ep, intf)
        if endpoint.bmAttributes & 3 != kind:
            raise _error(errno.EINVAL, f"endpoint {ep:#04x} is of another transfer type")
        interval = 0
        if kind == _INTERRUPT:
            # include/linux/usb.h, usb_fill_int_urb: frames at low and full speed, microframes as a power of two above.
            interval = endpoint.bInterval
            if handle.connection.record.speed in (_HIGH, _SUPER, _SUPER_PLUS):
                interval = 1 << (min(max(endpoint.bInterval, 1), 16) - 1)
        return handle.connection.submit(ep & 0x0F, ep >> 7, memoryview(data).cast("B"), timeout, interval=interval)

    def bulk_write(self, dev_handle: _Handle, ep: int, intf: int, data: array.array[int], timeout: int) -> int:
        """Bytes written; timeout in ms, 0 for none."""
        return self._transfer(dev_handle, ep, intf, data, timeout, _BULK)

    def bulk_read(self, dev_handle: _Handle, ep: int, intf: int, buff: array.array[int], timeout: int) -> int:
        """Bytes read into `buff`; timeout in ms, 0 for none."""
        return self._transfer(dev_handle, ep, intf, buff, timeout, _BULK)

    def intr_write(self, dev_handle: _Handle, ep: int, intf: int, data: array.array[int], timeout: int) -> int:
        """Bytes written; timeout in ms, 0 for none."""
        return self._transfer(dev_handle, ep, intf, data, timeout, _INTERRUPT)

    def intr_read(self, dev_handle: _Handle, ep: int, intf: int, buff: array.array[int], timeout: int) -> int:
        """Bytes read into `buff`; timeout in ms, 0 for none."""
        return self._transfer(dev_handle, ep, intf, buff, timeout, _INTERRUPT)

    def iso_write(self, dev_handle: _Handle, ep: int, intf: int, data: array.array[int], timeout: int) -> int:
        """Refused: ENOTSUP."""
        raise _error(errno.ENOTSUP, "isochronous transfers are not offered over USB/IP")

    def iso_read(self, dev_handle: _Handle, ep: int, intf: int, buff: array.array[int], timeout: int) -> int:
        """Refused: ENOTSUP."""
        raise _error(errno.ENOTSUP, "isochronous transfers are not offered over USB/IP")

    def ctrl_transfer(
        self, dev_handle: _Handle, bmRequestType: int, bRequest: int, wValue: int, wIndex: int,
        data: array.array[int], timeout: int,
    ) -> int:  # fmt: skip
        """Bytes moved; timeout in ms, 0 for none."""
        buffer = memoryview(data).cast("B")
        count = dev_handle.control(bmRequestType, bRequest, wValue, wIndex, buffer, timeout)
        if bmRequestType == 0x00 and bRequest == 9:
            dev_handle.configuration = wValue
            dev_handle.settings.clear()
        elif bmRequestType == 0x01 and bRequest == 11:
            dev_handle.settings[wIndex] = wValue
        return count

    def clear_halt(self, dev_handle: _Handle, ep: int) -> None:
        """CLEAR_FEATURE(ENDPOINT_HALT)."""
        dev_handle.control(0x02, 1, 0, ep, memoryview(b""), _CONTROL_MS)

    def reset_device(self, dev_handle: _Handle) -> None:
        """Ask the server for a port reset, as Linux's stub driver understands it; elsewhere configure again."""
        configuration = dev_handle.configuration
        try:
            dev_handle.control(0x23, 3, 4, 0, memoryview(b""), _CONTROL_MS)
        except USBError as error:
            if error.errno != errno.EPIPE:
                raise
            if configuration:
                self.set_configuration(dev_handle, configuration)
        dev_handle.settings.clear()

    def is_kernel_driver_active(self, dev_handle: _Handle, intf: int) -> bool:
        """False: no kernel driver of this machine sees an imported device."""
        return False

    def detach_kernel_driver(self, dev_handle: _Handle, intf: int) -> None:
        """ENOENT, as libusb has it where there is none."""
        raise _error(errno.ENOENT, "no kernel driver is active")

    def attach_kernel_driver(self, dev_handle: _Handle, intf: int) -> None:
        """ENOENT, as libusb has it where there is none."""
        raise _error(errno.ENOENT, "no kernel driver is there to attach")


def get_backend(
    host: str, port: int = DEFAULT_PORT, busid: str | None = None, *, timeout_s: float = _CONNECT_S
) -> UsbipBackend:
    """A pyusb backend for the devices that `host` exports; with `busid` for that one, kept from first sight to close.

    Nothing is opened here. `timeout_s` limits connecting, listing and importing.
    """
    return UsbipBackend(host, port, busid, timeout_s)
