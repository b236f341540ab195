"""The USB/IP client against a server that is written out here byte by byte, and against the simulator's."""

from __future__ import annotations

import array
import errno
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import usb.core
import usb.util
from faceward.hal import usbip
from hypothesis import given
from hypothesis import strategies as st

# A device that nobody at Faceward made: one interface with bulk IN and OUT and interrupt IN, and a second setting.
DEVICE = bytes.fromhex("12 01 00 02 ff 00 00 40 3412 7856 0102 01 02 03 01".replace(" ", ""))
CONFIGURATION = bytes.fromhex(
    (
        "09 02 4300 01 01 00 80 32"  # configuration 1, 100 mA
        "04 41 aa bb"  # class bytes behind the configuration
        "09 04 00 00 03 ff 01 02 00"  # interface 0, setting 0
        "05 24 01 02 03"  # class bytes behind the interface
        "07 05 81 02 0002 00"  # bulk IN, 512
        "07 05 02 02 0002 00"  # bulk OUT, 512
        "07 05 83 03 0800 04"  # interrupt IN, 8 bytes, every 2^3 microframes
        "03 25 77"  # class bytes behind the endpoint
        "09 04 00 01 01 ff 01 02 00"  # interface 0, setting 1
        "07 05 84 02 0002 00"
    ).replace(" ", "")
)
STRINGS = {0: b"\x04\x03\x09\x04", 3: b"\x0a\x03" + "S/N1".encode("utf-16-le")}
RECORD = struct.pack(
    ">256s32sIIIHHHBBBBBB", b"/sys/devices/x/1-1.2", b"1-1.2", 1, 7, 3, 0x1234, 0x5678, 0x0201, 0xFF, 0, 0, 1, 1, 1
)
DEVID = 1 << 16 | 7


class Peer:
    """One accepted connection, read and written in whole packets."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.seen: list[dict[str, Any]] = []

    def take(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.sock.recv(size - len(data))
            if not piece:
                raise ConnectionError
            data += piece
        return data

    def importing(self, status: int = 0, record: bytes = RECORD, version: int = 0x0111, code: int = 3) -> bytes:
        request = self.take(40)
        assert request[:8] == bytes.fromhex("0111800300000000")
        self.sock.sendall(struct.pack(">HHI", version, code, status) + (b"" if status else record))
        return request[8:]

    def command(self) -> dict[str, Any]:
        """The next CMD_SUBMIT or CMD_UNLINK, field by field."""
        raw = self.take(48)
        names = ["command", "seqnum", "devid", "direction", "ep"]
        found = dict(zip(names, struct.unpack(">IIIII", raw[:20]), strict=True))
        if found["command"] == 1:
            names = ["flags", "length", "start_frame", "packets", "interval"]
            found |= dict(zip(names, struct.unpack(">IIiii", raw[20:40]), strict=True))
            found["setup"] = raw[40:]
            found["data"] = self.take(found["length"]) if found["direction"] == 0 else b""
        else:
            assert found["command"] == 2
            found["victim"] = struct.unpack(">I", raw[20:24])[0]
            assert raw[24:] == bytes(24)
        self.seen.append(found)
        return found

    def result(self, seqnum: int, data: bytes = b"", status: int = 0, length: int | None = None) -> None:
        size = len(data) if length is None else length
        self.sock.sendall(struct.pack(">IIIIIiiiii8x", 3, seqnum, 0, 0, 0, status, size, 0, 0, 0) + data)

    def unlinked(self, seqnum: int, status: int) -> None:
        self.sock.sendall(struct.pack(">IIIIIi24x", 4, seqnum, 0, 0, 0, status))

    def standard(self, command: dict[str, Any]) -> bool:
        """Answer a standard request on endpoint 0; False for any other command."""
        if command["command"] != 1 or command["ep"]:
            return False
        kind, request, value, _, length = struct.unpack("<BBHHH", command["setup"])
        if (kind, request) == (0x80, 6):
            what, index = value >> 8, value & 0xFF
            data = {1: DEVICE, 2: CONFIGURATION}.get(what) or STRINGS.get(index, b"")
            self.result(command["seqnum"], data[:length])
        elif (kind, request) == (0x80, 8):
            self.result(command["seqnum"], b"\x01")
        else:
            self.result(command["seqnum"], length=len(command["data"]))
        return True

    def next_transfer(self) -> dict[str, Any]:
        """Answer standard requests until something else comes."""
        while self.standard(command := self.command()):
            pass
        return command


Serve = Callable[..., usb.core.Device]


class Scripted:
    """A listening socket whose connections are each served by a script; what a script raises fails the test."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.threads: list[threading.Thread] = []
        self.failures: list[BaseException] = []
        self.peers: list[Peer] = []
        self.backends: list[usbip.UsbipBackend] = []

    def run(self, *scripts: Callable[[Peer], None]) -> None:
        thread = threading.Thread(target=self._serve, args=(scripts,), daemon=True)
        self.threads.append(thread)
        thread.start()

    def _serve(self, scripts: tuple[Callable[[Peer], None], ...]) -> None:
        for script in scripts:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with sock:
                peer = Peer(sock)
                self.peers.append(peer)
                try:
                    script(peer)
                    while sock.recv(4096):
                        pass
                except OSError:
                    pass
                except BaseException as error:  # noqa: BLE001 - to the test's thread
                    self.failures.append(error)

    def backend(self, busid: str | None = "1-1.2", **options: Any) -> usbip.UsbipBackend:
        self.backends.append(usbip.get_backend("127.0.0.1", self.port, busid, **options))
        return self.backends[-1]

    def device(self, script: Callable[[Peer], None]) -> usb.core.Device:
        """A device whose import goes well and whose transfers the script answers."""

        def whole(peer: Peer) -> None:
            assert peer.importing() == b"1-1.2".ljust(32, b"\0")
            script(peer)

        self.run(whole)
        device = usb.core.find(backend=self.backend())
        assert device is not None
        return device

    def close(self) -> None:
        for backend in self.backends:
            backend.finalize()
        self.listener.close()
        for thread in self.threads:
            thread.join(5)
        if self.failures:
            raise self.failures[0]


@pytest.fixture
def server() -> Iterator[Scripted]:
    scripted = Scripted()
    yield scripted
    scripted.close()


def serve_standard(peer: Peer) -> None:
    while peer.standard(peer.command()):
        pass


def test_descriptors_and_strings_come_over_the_wire_with_every_extra(server: Scripted) -> None:
    device = server.device(serve_standard)
    assert (device.idVendor, device.idProduct, device.bcdUSB, device.bcdDevice) == (0x1234, 0x5678, 0x0200, 0x0201)
    assert (device.bus, device.address, device.port_numbers, device.speed) == (1, 7, (1, 2), usb.util.SPEED_HIGH)
    assert device.serial_number == "S/N1"
    configuration = device[0]
    assert bytes(configuration.extra_descriptors) == bytes.fromhex("0441aabb")
    first, second = configuration[(0, 0)], configuration[(0, 1)]
    assert bytes(first.extra_descriptors) == bytes.fromhex("0524010203")
    assert [endpoint.bEndpointAddress for endpoint in first] == [0x81, 0x02, 0x83]
    assert bytes(first[2].extra_descriptors) == bytes.fromhex("032577")
    assert (first[2].bInterval, first[2].wMaxPacketSize) == (4, 8)
    assert [endpoint.bEndpointAddress for endpoint in second] == [0x84]


def test_a_bulk_read_is_on_the_wire_as_linux_sends_it(server: Scripted) -> None:
    def script(peer: Peer) -> None:
        command = peer.next_transfer()
        peer.result(command["seqnum"], b"hello")

    device = server.device(script)
    assert bytes(device.read(0x81, 512)) == b"hello"
    (command,) = [seen for seen in server.peers[0].seen if seen["ep"]]
    del command["seqnum"]
    assert command == {
        "command": 1, "devid": DEVID, "direction": 1, "ep": 1, "flags": 0x200, "length": 512, "start_frame": 0,
        "packets": 0, "interval": 0, "setup": bytes(8), "data": b"",
    }  # fmt: skip


def test_a_bulk_write_carries_its_data_and_a_short_one_says_so(server: Scripted) -> None:
    def script(peer: Peer) -> None:
        command = peer.next_transfer()
        assert (command["direction"], command["ep"], command["flags"], command["data"]) == (0, 2, 0, b"x" * 100)
        peer.result(command["seqnum"], length=64)

    assert server.device(script).write(2, b"x" * 100) == 64


def test_an_interrupt_read_says_its_interval_in_microframes(server: Scripted) -> None:
    def script(peer: Peer) -> None:
        command = peer.next_transfer()
        assert (command["ep"], command["interval"], command["length"]) == (3, 8, 8)
        peer.result(command["seqnum"], b"\x01\x02")

    assert bytes(server.device(script).read(0x83, 8)) == b"\x01\x02"


def test_control_transfers_have_the_setups_direction_unless_they_are_empty(server: Scripted) -> None:
    device = server.device(serve_standard)
    device.ctrl_transfer(0x80, 6, 0x0100, 0, 18)
    device.ctrl_transfer(0x80, 0x33, 0, 0, 0)
    device.ctrl_transfer(0x40, 0x34, 1, 2, b"abc")
    last = server.peers[0].seen[-3:]
    assert [(seen["direction"], seen["flags"], seen["length"]) for seen in last] == [
        (1, 0x200, 18),
        (0, 0, 0),
        (0, 0, 3),
    ]
    assert [seen["setup"].hex() for seen in last] == ["8006000100001200", "8033000000000000", "4034010002000300"]
    assert last[2]["data"] == b"abc"


def test_requests_of_the_standard_are_as_the_kernel_looks_for_them(server: Scripted) -> None:
    device = server.device(serve_standard)
    device.set_configuration(1)
    device.set_interface_altsetting(0, 1)
    device.clear_halt(0x84)
    device.reset()
    time.sleep(0)
    setups = [seen["setup"].hex() for seen in server.peers[0].seen]
    assert setups[-4:] == ["0009010000000000", "010b010000000000", "0201000084000000", "2303040000000000"]


def test_the_second_setting_has_its_own_endpoint(server: Scripted) -> None:
    def script(peer: Peer) -> None:
        command = peer.next_transfer()
        peer.result(command["seqnum"], b"z" * command["ep"])

    device = server.device(script)
    device.set_interface_altsetting(0, 1)
    assert bytes(device.read(0x84, 512)) == b"zzzz"


def test_two_reads_at_once_get_each_its_own_answer(server: Scripted) -> None:
    def script(peer: Peer) -> None:
        first, second = peer.next_transfer(), peer.command()
        for command in (second, first):
            peer.result(command["seqnum"], bytes([command["ep"]]) * 8)

    device = server.device(script)
    device.read  # noqa: B018 - bound before the threads run
    usb.util.claim_interface(device, 0)
    found: dict[int, bytes] = {}
    threads = [
        threading.Thread(target=lambda ep=ep: found.update({ep: bytes(device.read(ep, 8))})) for ep in (0x81, 0x83)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == {0x81: b"\x01" * 8, 0x83: b"\x03" * 8}


def test_data_go_straight_into_the_callers_array(server: Scripted) -> None:
    def script(peer: Peer) -> None:
        peer.result(peer.next_transfer()["seqnum"], b"abcdef")

    device = server.device(script)
    buffer = array.array("B", b"." * 10)
    assert device.read(0x81, buffer) == 6
    assert buffer.tobytes() == b"abcdef...."


def test_a_read_that_nothing_answers_is_unlinked_and_times_out(server: Scripted) -> None:
    def script(peer: Peer) -> None:
        submit = peer.next_transfer()
        unlink = peer.command()
        assert (unlink["command"], unlink["victim"], unlink["devid"]) == (2, submit["seqnum"], DEVID)
        assert unlink["seqnum"] != submit["seqnum"]
        peer.unlinked(unlink["seqnum"], -errno.ECONNRESET)
        peer.result(peer.command()["seqnum"], b"later")

    device = server.device(script)
    with pytest.raises(usb.core.USBTimeoutError) as caught:
        device.read(0x81, 512, 50)
    assert caught.value.errno == errno.ETIMEDOUT
    assert bytes(device.read(0x81, 512)) == b"later"


def test_a_result_that_overtakes_the_unlink_is_the_reads_own(server: Scripted) -> None:
    def script(peer: Peer) -> None:
        submit = peer.next_transfer()
        unlink = peer.command()
        peer.result(submit["seqnum"], b"just in time")
        peer.unlinked(unlink["seqnum"], 0)
        peer.result(peer.command()["seqnum"], b"the next")

    device = server.device(script)
    assert bytes(device.read(0x81, 512, 50)) == b"just in time"
    assert bytes(device.read(0x81, 512)) == b"the next"


def test_a_late_answer_to_an_unlink_does_not_reach_the_next_read(server: Scripted) -> None:
    def script(peer: Peer) -> None:
        submit = peer.next_transfer()
        unlink = peer.command()
        peer.result(submit["seqnum"], b"first")
        second = peer.command()
        peer.unlinked(unlink["seqnum"], 0)
        peer.result(second["seqnum"], b"second")

    device = server.device(script)
    assert bytes(device.read(0x81, 512, 50)) == b"first"
    assert bytes(device.read(0x81, 512)) == b"second"


def test_an_unlink_that_ends_in_status_0_without_a_result_is_a_timeout(server: Scripted) -> None:
    # Linux's stub answers so when the transfer ended between its look-up and its unlink.
    def script(peer: Peer) -> None:
        peer.next_transfer()
        peer.unlinked(peer.command()["seqnum"], 0)

    with pytest.raises(usb.core.USBTimeoutError):
        server.device(script).read(0x81, 512, 50)


def test_a_server_that_never_answers_an_unlink_is_gone(server: Scripted) -> None:
    def script(peer: Peer) -> None:
        peer.next_transfer()
        peer.command()

    device = server.device(script)
    with pytest.raises(usb.core.USBError) as caught:
        device.read(0x81, 512, 50)
    assert caught.value.errno == errno.ENODEV
    with pytest.raises(usb.core.USBError) as caught:
        device.read(0x81, 512, 50)
    assert caught.value.errno == errno.ENODEV


@pytest.mark.parametrize(
    "status",
    [errno.EPIPE, errno.EOVERFLOW, errno.EPROTO, errno.ESHUTDOWN, errno.ENODEV, errno.EREMOTEIO, errno.ECONNRESET],
)
def test_a_transfers_status_is_its_errno(server: Scripted, status: int) -> None:
    device = server.device(lambda peer: peer.result(peer.next_transfer()["seqnum"], status=-status))
    with pytest.raises(usb.core.USBError) as caught:
        device.read(0x81, 512)
    assert caught.value.errno == status


@pytest.mark.parametrize("status", [-(2**31), -99_999])
def test_a_status_that_is_no_errno_is_a_broken_protocol(server: Scripted, status: int) -> None:
    device = server.device(lambda peer: peer.result(peer.next_transfer()["seqnum"], status=status))
    with pytest.raises(usb.core.USBError) as caught:
        device.read(0x81, 512)
    assert caught.value.errno == errno.EPROTO


def test_a_failed_read_with_data_leaves_the_stream_in_step(server: Scripted) -> None:
    def script(peer: Peer) -> None:
        peer.result(peer.next_transfer()["seqnum"], b"partial", status=-errno.EPIPE)
        peer.result(peer.command()["seqnum"], b"whole")

    device = server.device(script)
    with pytest.raises(usb.core.USBError):
        device.read(0x81, 512)
    assert bytes(device.read(0x81, 512)) == b"whole"


@pytest.mark.parametrize(
    "answer",
    [
        lambda peer, seqnum: peer.result(seqnum + 1000, b"x"),
        lambda peer, seqnum: peer.result(seqnum, length=513),
        lambda peer, seqnum: peer.result(seqnum, length=-1),
        lambda peer, seqnum: peer.unlinked(seqnum + 1000, 0),
        lambda peer, seqnum: peer.sock.sendall(bytes(48)),
        lambda peer, seqnum: peer.sock.sendall(bytes(20)) or peer.sock.shutdown(socket.SHUT_RDWR),
        lambda peer, seqnum: peer.sock.shutdown(socket.SHUT_RDWR),
    ],
    ids=["unknown seqnum", "too long", "negative", "unknown unlink", "no command", "cut in a header", "closed"],
)
def test_whatever_breaks_the_protocol_ends_the_connection(
    server: Scripted, answer: Callable[[Peer, int], None]
) -> None:
    device = server.device(lambda peer: answer(peer, peer.next_transfer()["seqnum"]))
    with pytest.raises(usb.core.USBError) as caught:
        device.read(0x81, 512, 5000)
    assert caught.value.errno == errno.ENODEV


def test_a_connection_that_breaks_inside_the_data_ends_the_read(server: Scripted) -> None:
    def script(peer: Peer) -> None:
        peer.result(peer.next_transfer()["seqnum"], b"half", length=8)
        peer.sock.shutdown(socket.SHUT_RDWR)

    with pytest.raises(usb.core.USBError, match="begin again") as caught:
        server.device(script).read(0x81, 512, 5000)
    assert caught.value.errno == errno.ENODEV


def test_closing_wakes_a_read_that_waits_for_ever(server: Scripted) -> None:
    device = server.device(lambda peer: peer.next_transfer() and None)
    errors: list[usb.core.USBError] = []

    def read() -> None:
        try:
            device.read(0x81, 512, 0)
        except usb.core.USBError as error:
            errors.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    while not any(seen["ep"] for peer in server.peers for seen in peer.seen):
        time.sleep(0.01)
    server.backends[0].finalize()
    thread.join(10)
    assert [error.errno for error in errors] == [errno.ENODEV]


@pytest.mark.parametrize(("status", "expected"), [(1, errno.EBUSY), (2, errno.EBUSY), (3, errno.EIO), (5, errno.EIO)])
def test_an_import_that_is_refused_says_why(server: Scripted, status: int, expected: int) -> None:
    server.run(lambda peer: peer.importing(status) and None)
    with pytest.raises(usb.core.USBError) as caught:
        usb.core.find(backend=server.backend())
    assert caught.value.errno == expected


def test_a_device_that_the_server_has_not_is_not_found(server: Scripted) -> None:
    server.run(lambda peer: peer.importing(4) and None)
    assert usb.core.find(backend=server.backend()) is None


def test_a_server_of_another_version_is_refused(server: Scripted) -> None:
    server.run(lambda peer: peer.importing(version=0x0106) and None)
    with pytest.raises(usb.core.USBError, match="0x0106"):
        usb.core.find(backend=server.backend())


def test_a_server_that_gives_another_device_is_refused(server: Scripted) -> None:
    server.run(lambda peer: peer.importing(record=RECORD.replace(b"1-1.2", b"1-1.3")) and None)
    with pytest.raises(usb.core.USBError, match=r"1-1\.3"):
        usb.core.find(backend=server.backend())


def test_a_server_that_says_nothing_times_out(server: Scripted) -> None:
    server.run(lambda peer: peer.take(40) and None)
    with pytest.raises(usb.core.USBTimeoutError):
        usb.core.find(backend=server.backend(timeout_s=0.2))


def test_a_port_where_nobody_listens_is_no_device() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(usb.core.USBError) as caught:
        list(usbip.get_backend("127.0.0.1", port).enumerate_devices())
    assert caught.value.errno == errno.ENODEV


def listing(peer: Peer, count: int = 1, status: int = 0) -> None:
    assert peer.take(8) == bytes.fromhex("0111800500000000")
    peer.sock.sendall(struct.pack(">HHII", 0x0111, 0x0005, status, count) + (RECORD + b"\xff\0\0\0") * min(count, 1))


def test_the_list_of_devices_is_read_and_each_is_imported_for_its_descriptors_only(server: Scripted) -> None:
    ended = threading.Event()

    def importing(peer: Peer) -> None:
        peer.importing()
        try:
            serve_standard(peer)
        except ConnectionError:
            ended.set()
            raise

    server.run(listing, importing)
    (device,) = usb.core.find(find_all=True, backend=server.backend(None))
    assert (device.idVendor, device.iSerialNumber) == (0x1234, 3)
    assert ended.wait(5)


def test_a_device_that_somebody_else_has_is_listed_with_what_the_list_says(server: Scripted) -> None:
    server.run(listing, lambda peer: peer.importing(2) and None)
    (device,) = usb.core.find(find_all=True, backend=server.backend(None))
    assert (device.idVendor, device.idProduct, device.iSerialNumber) == (0x1234, 0x5678, 0)


def described(device: bytes = DEVICE, configuration: bytes = CONFIGURATION, after_s: float = 0.0) -> Callable[[Peer], None]:
    """A script that imports well and then tells of a device that nobody built."""

    def script(peer: Peer) -> None:
        peer.importing()
        while True:
            command = peer.command()
            if command["command"] == 2:
                peer.unlinked(command["seqnum"], 0)
                continue
            time.sleep(after_s)
            _, _, value, _, length = struct.unpack("<BBHHH", command["setup"])
            peer.result(command["seqnum"], (device if value >> 8 == 1 else configuration)[:length])

    return script


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"device": DEVICE[:17] + b"\x09"}, "9 configurations"),
        ({"configuration": CONFIGURATION[:2] + b"\x01\x40" + CONFIGURATION[4:]}, "16385 bytes"),
    ],
)
def test_a_device_that_claims_more_than_any_has_is_refused(server: Scripted, told: dict[str, bytes], words: str) -> None:
    server.run(described(**told))
    with pytest.raises(usb.core.USBError, match=words):
        usb.core.find(backend=server.backend())


def test_all_descriptors_together_have_one_deadline(server: Scripted) -> None:
    server.run(described(DEVICE[:17] + b"\x08", after_s=0.2))
    with pytest.raises(usb.core.USBTimeoutError):
        usb.core.find(backend=server.backend(timeout_s=0.5))
    assert len(server.peers[0].seen) < 10  # of seventeen


@pytest.mark.parametrize("name", [b"1\x1b[2J", b"a b\0\0", b"\0" * 5, b"-1-1."])
def test_a_name_that_is_no_bus_id_is_refused(server: Scripted, name: bytes) -> None:
    def script(peer: Peer) -> None:
        assert peer.take(8) == bytes.fromhex("0111800500000000")
        record = RECORD.replace(b"1-1.2", name[:5].ljust(5, b"\0"))
        peer.sock.sendall(struct.pack(">HHII", 0x0111, 0x0005, 0, 1) + record + b"\xff\0\0\0")

    server.run(script)
    with pytest.raises(usb.core.USBError, match="no bus id"):
        list(server.backend(None).enumerate_devices())


@pytest.mark.parametrize(("count", "status"), [(100_000, 0), (129, 0), (0, 1)])
def test_a_list_that_makes_no_sense_is_refused(server: Scripted, count: int, status: int) -> None:
    server.run(lambda peer: listing(peer, count, status))
    with pytest.raises(usb.core.USBError):
        list(server.backend(None).enumerate_devices())


@pytest.mark.parametrize("busid", ["", "x" * 32])
def test_a_bus_id_that_no_field_holds_is_refused(busid: str) -> None:
    with pytest.raises(usb.core.USBError) as caught:
        list(usbip.get_backend("127.0.0.1", 1, busid).enumerate_devices())
    assert caught.value.errno == errno.EINVAL


def test_no_kernel_driver_is_in_the_way(server: Scripted) -> None:
    device = server.device(serve_standard)
    assert device.is_kernel_driver_active(0) is False
    for call in (device.detach_kernel_driver, device.attach_kernel_driver):
        with pytest.raises(usb.core.USBError) as caught:
            call(0)
        assert caught.value.errno == errno.ENOENT


def test_an_endpoint_or_setting_that_is_not_there_never_reaches_the_server(server: Scripted) -> None:
    device = server.device(serve_standard)
    handle = device._ctx.managed_open()
    backend = server.backends[0]
    buffer = array.array("B", bytes(8))
    for call in (
        lambda: backend.bulk_read(handle, 0x85, 0, buffer, 100),
        lambda: backend.bulk_read(handle, 0x81, 4, buffer, 100),
        lambda: backend.set_interface_altsetting(handle, 0, 2),
        lambda: backend.claim_interface(handle, 1),
        lambda: backend.release_interface(handle, 0),
    ):
        with pytest.raises(usb.core.USBError) as caught:
            call()
        assert caught.value.errno == errno.ENOENT
    with pytest.raises(usb.core.USBError) as caught:
        backend.bulk_read(handle, 0x83, 0, buffer, 100)
    assert caught.value.errno == errno.EINVAL
    for iso in (backend.iso_read, backend.iso_write):
        with pytest.raises(usb.core.USBError) as caught:
            iso(handle, 0x81, 0, buffer, 100)
        assert caught.value.errno == errno.ENOTSUP
    assert all(seen["ep"] == 0 for seen in server.peers[0].seen)


def test_a_device_that_was_given_back_is_imported_again(server: Scripted) -> None:
    def importing(peer: Peer) -> None:
        peer.importing()
        serve_standard(peer)

    # The server still holds it for a moment, as Linux does while it resets a device that came back.
    server.run(importing, lambda peer: peer.importing(2) and None, importing)
    device = usb.core.find(backend=server.backend())
    device.set_configuration(1)
    usb.util.dispose_resources(device)
    device.set_configuration(1)
    assert len(server.peers) == 3


@given(st.binary(max_size=80))
def test_no_bytes_break_the_parser_of_configurations(data: bytes) -> None:
    try:
        parsed = usbip.parse_configuration(data)
    except usb.core.USBError as error:
        assert error.errno == errno.EIO
    else:
        assert parsed.descriptor.bDescriptorType == 2


@given(st.integers(0, len(CONFIGURATION) - 1), st.integers(0, 255))
def test_a_configuration_with_one_byte_changed_is_parsed_or_refused(at: int, value: int) -> None:
    data = bytearray(CONFIGURATION)
    data[at] = value
    try:
        parsed = usbip.parse_configuration(bytes(data))
    except usb.core.USBError as error:
        assert error.errno == errno.EIO
        return
    for settings in parsed.interfaces:
        for interface in settings:
            assert len(interface.endpoints) >= interface.descriptor.bNumEndpoints
