"""The USB/IP server, at byte level over a loopback socket."""

from __future__ import annotations

import errno
import socket
import struct
import threading
import time
from collections.abc import Callable

import pytest
from faceward_sim.firmware.device import Firmware
from faceward_sim.firmware.setup import NoAnswer
from faceward_sim.ports.powered import PoweredSensor
from faceward_sim.ports.usbip import UsbipServer

RET_SUBMIT, RET_UNLINK = 3, 4


def _imported(connect, host_of):
    client = _import_when_free(connect)
    host = host_of(client.control)
    host.configure()
    return client, host


def _import_when_free(connect):
    """A connection that was closed a moment ago still holds the device for as long as its thread needs to notice."""
    while True:
        client = connect()
        status = client.import_device()
        if status != 2:
            assert status == 0
            return client
        client.close()


@pytest.fixture
def host_of(host) -> Callable:
    return type(host)


def test_the_device_list_says_high_speed_and_three_interfaces(connect):
    client = connect()
    client.socket.sendall(struct.pack(">HHI", 0x0111, 0x8005, 0))
    assert struct.unpack(">HHII", client.read(12)) == (0x0111, 5, 0, 1)
    record = client.read(312)
    busid = record[256:288].rstrip(b"\0")
    assert busid == b"1-1"
    assert struct.unpack_from(">III", record, 288) == (1, 1, 3)
    assert struct.unpack_from(">HHH", record, 300) == (0x1209, 0x0001, 0x0100)
    assert list(record[306:]) == [0xEF, 2, 1, 1, 1, 3]
    assert client.read(12) == bytes([0x0E, 1, 0, 0, 0x0E, 2, 0, 0, 0x0E, 2, 0, 0])


def test_a_listing_connection_can_go_on_to_import(connect):
    client = connect()
    client.socket.sendall(struct.pack(">HHI", 0x0111, 0x8005, 0))
    client.read(12 + 312 + 12)
    assert client.import_device() == 0
    assert client.record[256:288].rstrip(b"\0") == b"1-1"


def test_a_second_import_of_a_device_in_use_is_status_2(connect):
    assert connect().import_device() == 0
    assert connect().import_device() == 2


def test_an_unknown_bus_id_is_status_4(connect):
    assert connect().import_device("9-9") == 4


def test_another_version_of_the_protocol_closes_the_connection(connect):
    client = connect()
    client.socket.sendall(struct.pack(">HHI", 0x0100, 0x8005, 0))
    with pytest.raises(EOFError):
        client.read(1)


def test_a_descriptor_is_read_over_the_wire(connect, host_of, firmware):
    _, host = _imported(connect, host_of)
    assert host.get(0x80, 6, 0x0200, 0, 255) == firmware.descriptors.configuration[:255]


def test_a_stalled_control_transfer_is_minus_32(connect, host_of):
    _, host = _imported(connect, host_of)
    with pytest.raises(OSError) as refused:
        host.get(0x80, 6, 0x0F00, 0, 5)
    assert refused.value.errno == errno.EPIPE


def test_both_endpoints_stream_at_once_and_each_keeps_its_own_order(connect, host_of):
    client, host = _imported(connect, host_of)
    host.commit(2)
    host.commit(1)
    waiting = {}
    frames = {0x81: [], 0x82: []}
    for endpoint in (0x81, 0x82, 0x81, 0x82):
        waiting[client.submit(endpoint, 65_536)] = endpoint
    while len(frames[0x81]) < 7 or len(frames[0x82]) < 3:
        command, seqnum, status, data = client.reply()
        assert (command, status) == (RET_SUBMIT, 0)
        endpoint = waiting.pop(seqnum)
        if data[1] & 2:
            frames[endpoint].append(struct.unpack_from("<IIQ", data, 20))
        waiting[client.submit(endpoint, 65_536)] = endpoint
    assert [frame[0] for frame in frames[0x81]] == list(range(len(frames[0x81])))
    assert [frame[:2] for frame in frames[0x82]] == [(n, 3 * n) for n in range(len(frames[0x82]))]


def test_reads_of_16_kilobytes_cut_a_payload_without_loss(connect, host_of):
    client, host = _imported(connect, host_of)
    host.commit(1, frame=2)
    sizes = []
    for _ in range(10):
        client.submit(0x81, 16_384)
        sizes.append(len(client.reply()[3]))
    assert sizes == [16_384] * 8 + [16_384, 22_792 - 16_384]


def test_halting_depth_does_not_stop_infrared(connect, host_of):
    client, host = _imported(connect, host_of)
    host.commit(2)
    host.commit(1)
    host.stop(0x82)
    slots = []
    while len(slots) < 6:
        client.submit(0x81, 65_536)
        data = client.reply()[3]
        if data[1] & 2:
            slots.append(struct.unpack_from("<I", data, 24)[0])
    assert slots == list(range(6))


def test_unlinking_a_pending_read_gives_minus_104_and_never_its_reply(connect, host_of):
    client, host = _imported(connect, host_of)
    read = client.submit(0x81, 65_536)
    unlink = client.unlink(read)
    assert client.reply()[:3] == (RET_UNLINK, unlink, -errno.ECONNRESET)
    host.commit(1)
    later = client.submit(0x81, 65_536)
    assert client.reply()[:3] == (RET_SUBMIT, later, 0)


def test_unlinking_on_one_endpoint_leaves_the_other_ones_read(connect, host_of):
    client, _ = _imported(connect, host_of)
    depth = client.submit(0x82, 65_536)
    infrared = client.submit(0x81, 65_536)
    unlink = client.unlink(infrared)
    assert client.reply()[:3] == (RET_UNLINK, unlink, -errno.ECONNRESET)
    unlink = client.unlink(depth)
    assert client.reply()[:3] == (RET_UNLINK, unlink, -errno.ECONNRESET)


def test_unlinking_a_read_that_is_done_gives_status_0(connect, host_of):
    client, host = _imported(connect, host_of)
    host.commit(1)
    read = client.submit(0x81, 65_536)
    assert client.reply()[:3] == (RET_SUBMIT, read, 0)
    unlink = client.unlink(read)
    assert client.reply()[:3] == (RET_UNLINK, unlink, 0)


def test_an_unlink_that_overtakes_its_submit_waits_for_it_and_takes_it_back(connect, host_of, firmware):
    client, _ = _imported(connect, host_of)
    late = client.seqnum + 1
    client.socket.sendall(client.unlink_bytes(late + 1, late))
    commit = struct.pack("<BBHHH", 0x21, 1, 0x0200, 1, 34)
    probe = struct.pack("<HBBI", 1, 1, 1, 333_333).ljust(34, b"\0")
    client.socket.sendall(client.submit_bytes(late, 0, 34, commit, probe))
    assert client.reply()[:3] == (RET_UNLINK, late + 1, -errno.ECONNRESET)
    client.seqnum = late + 1
    assert client.control(struct.pack("<BBHHH", 0x80, 8, 0, 0, 1)) == b"\x01"
    assert not firmware.streaming


def test_a_number_that_wraps_is_still_in_order(connect, host_of):
    client, _ = _imported(connect, host_of)
    status_of_device = bytes([0x80, 0, 0, 0, 0, 0, 2, 0])
    for seqnum in (0x7FFF_0000, 0xFFFF_FFFE):
        client.socket.sendall(client.submit_bytes(seqnum, 0, 2, status_of_device))
        assert client.reply()[:3] == (RET_SUBMIT, seqnum, 0)
    client.socket.sendall(client.unlink_bytes(3, 2) + client.submit_bytes(2, 1, 65_536))
    assert client.reply()[:3] == (RET_UNLINK, 3, -errno.ECONNRESET)


@pytest.mark.parametrize("turn", range(40))
def test_a_read_that_races_its_unlink_is_answered_once_and_in_order(connect, host_of, turn):
    client, host = _imported(connect, host_of)
    host.commit(1, frame=2)
    reads = [client.submit(0x81, 16_384) for _ in range(4)]
    time.sleep(turn % 5 * 2e-4)
    unlinks = {client.unlink(read): read for read in reads}
    answered, unlinked = set(), set()
    while len(unlinked) < len(unlinks):
        command, seqnum, status, data = client.reply()
        if command == RET_SUBMIT:
            assert seqnum not in unlinked
            assert status == 0 and data
            answered.add(seqnum)
        else:
            victim = unlinks[seqnum]
            unlinked.add(victim)
            assert status == (0 if victim in answered else -errno.ECONNRESET)
    assert client.control(struct.pack("<BBHHH", 0x80, 8, 0, 0, 1)) == b"\x01"


def test_a_control_transfer_without_answer_is_taken_back_by_its_unlink(connect, host_of, firmware, monkeypatch):
    client, _ = _imported(connect, host_of)
    answering = firmware.control

    def stubborn(setup: bytes, data: bytes = b"") -> bytes:
        if setup[0] == 0x02:
            raise NoAnswer
        return answering(setup, data)

    monkeypatch.setattr(firmware, "control", stubborn)
    stop = client.submit(0, 0, struct.pack("<BBHHH", 0x02, 1, 0, 0x81, 0), b"")
    assert client.control(struct.pack("<BBHHH", 0x80, 8, 0, 0, 1)) == b"\x01"
    unlink = client.unlink(stop)
    assert client.reply()[:3] == (RET_UNLINK, unlink, -errno.ECONNRESET)


def test_a_write_to_an_endpoint_that_is_not_there_is_stalled(connect, host_of):
    client, _ = _imported(connect, host_of)
    write = client.submit(3, 4, data=b"abcd")
    assert client.reply(lambda _: False)[:3] == (RET_SUBMIT, write, -errno.EPIPE)
    read = client.submit(5, 512)
    assert client.reply()[:3] == (RET_SUBMIT, read, -errno.EPIPE)


@pytest.mark.parametrize(
    "garbage",
    [b"\xff" * 48, struct.pack(">IIIIIIi", 1, 1, 0, 0, 0, 0, -1).ljust(48, b"\0")],
    ids=["no command", "a negative length"],
)
def test_garbage_ends_the_connection_and_the_device_is_free_again(connect, host_of, garbage):
    client, _ = _imported(connect, host_of)
    client.socket.sendall(garbage)
    with pytest.raises(EOFError):
        client.read(1)
    _import_when_free(connect)


def test_unplugging_closes_the_connection_and_empties_the_list(connect, host_of, server):
    client, _ = _imported(connect, host_of)
    client.submit(0x81, 512)
    server.sensors["1-1"].unplug()
    with pytest.raises(EOFError):
        while True:
            client.reply()
    lister = connect()
    lister.socket.sendall(struct.pack(">HHI", 0x0111, 0x8005, 0))
    assert struct.unpack(">HHII", lister.read(12)) == (0x0111, 5, 0, 0)
    assert connect().import_device() == 4


def test_the_next_connection_finds_a_fresh_device_whose_clock_went_on(connect, host_of, imager):
    for _ in range(2):
        client, host = _imported(connect, host_of)
        host.commit(1)
        client.submit(0x81, 65_536)
        client.reply()
        client.close()
    starts = [exposure for exposure in imager.exposures if exposure.slot == 0]
    assert len(starts) == 2
    times = [exposure.device_time_us for exposure in imager.exposures]
    assert times == sorted(times) and len(set(times)) == len(times)


def test_a_port_in_use_is_refused(server, firmware):
    with pytest.raises(OSError) as refused:
        UsbipServer([], port=server.port)
    assert refused.value.errno == errno.EADDRINUSE


def test_closing_while_a_client_streams_and_does_not_read_ends_all_threads(imager):
    before = set(threading.enumerate())
    server = UsbipServer([PoweredSensor(Firmware(imager))], port=0)
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(struct.pack(">HHI", 0x0111, 0x8003, 0) + b"1-1".ljust(32, b"\0"))
        probe = struct.pack("<HBBI", 1, 1, 1, 333_333).ljust(34, b"\0")
        setup = struct.pack("<BBHHH", 0x21, 1, 0x0200, 1, 34)
        client.sendall(struct.pack(">IIIIIIiiiI8s", 1, 1, 0, 0, 0, 0, 34, 0, 0, 0, setup) + probe)
        for seqnum in range(2, 400):
            client.sendall(struct.pack(">IIIIIIiiiI8s", 1, seqnum, 0, 1, 1, 0, 65_536, 0, 0, 0, bytes(8)))
        server.close()
    assert set(threading.enumerate()) <= before
