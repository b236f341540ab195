"""The sensor as pyusb sees it."""

from __future__ import annotations

import array
import errno
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import usb.core
import usb.util
from faceward_sim.firmware.device import Firmware
from faceward_sim.firmware.setup import NoAnswer
from faceward_sim.ports.inprocess import InProcessBackend, get_backend
from faceward_sim.ports.powered import PoweredSensor


@pytest.fixture
def power(firmware) -> Iterator[Callable[..., InProcessBackend]]:
    made = []

    def make(*sensors, **options) -> InProcessBackend:
        made.append(get_backend(*(sensors or (firmware,)), **options))
        return made[-1]

    yield make
    for backend in made:
        backend.close()


def find(backend) -> usb.core.Device:
    device = usb.core.find(idVendor=0x1209, idProduct=0x0001, backend=backend)
    assert device is not None
    return device


@pytest.fixture
def device(power) -> usb.core.Device:
    device = find(power())
    device.set_configuration()
    return device


@pytest.fixture
def talk(host) -> Callable:
    """Makes the conftest's Host over a pyusb device."""

    def make(device):
        def control(setup: bytes, data: bytes) -> bytes:
            kind, request, value, index, length = struct.unpack("<BBHHH", setup)
            answer = device.ctrl_transfer(kind, request, value, index, length if kind & 0x80 else data)
            return bytes(answer) if kind & 0x80 else b""

        return type(host)(control)

    return make


def read_frame(device, endpoint: int, buffer: array.array) -> bytes:
    """One frame's payloads, one after the other."""
    frame = b""
    while True:
        count = device.read(endpoint, buffer, 10_000)
        frame += buffer[:count].tobytes()
        if buffer[1] & 2:
            return frame


def slot_of(frame: bytes) -> int:
    return struct.unpack_from("<I", frame, 24)[0]


def test_pyusb_reads_descriptors_and_strings(device):
    assert (device.idVendor, device.idProduct, device.bcdUSB) == (0x1209, 0x0001, 0x0200)
    assert (device.bDeviceClass, device.bDeviceSubClass, device.bDeviceProtocol) == (0xEF, 2, 1)
    assert (device.manufacturer, device.product, device.serial_number) == ("Faceward", "Faceward sl-940", "TEST0001")
    assert device.speed == usb.util.SPEED_HIGH
    configuration = device.get_active_configuration()
    assert bytes(configuration.extra_descriptors) == bytes.fromhex("080b00030e030004")
    control, infrared, depth = configuration
    assert bytes(control.extra_descriptors[:3]) == b"\x0e\x24\x01" and len(control.extra_descriptors) == 88
    for interface, address in ((infrared, 0x81), (depth, 0x82)):
        (endpoint,) = interface
        assert (interface.bInterfaceClass, interface.bInterfaceSubClass) == (0x0E, 2)
        assert (endpoint.bEndpointAddress, endpoint.bmAttributes, endpoint.wMaxPacketSize) == (address, 2, 512)
        assert len(interface.extra_descriptors) == 107


def test_the_system_has_configured_the_device_already(power):
    device = find(power())
    assert device.get_active_configuration().bConfigurationValue == 1


def test_two_threads_read_both_streams_each_in_order(device, talk):
    host = talk(device)
    host.commit(2)
    host.commit(1)

    def slots(endpoint: int, count: int) -> list[int]:
        buffer = array.array("B", bytes(65_536))
        return [slot_of(read_frame(device, endpoint, buffer)) for _ in range(count)]

    with ThreadPoolExecutor(2) as threads:
        infrared = threads.submit(slots, 0x81, 31)
        depth = threads.submit(slots, 0x82, 10)
        assert infrared.result() == list(range(31))
        assert depth.result() == [0, 3, 6, 12, 15, 18, 21, 24, 27, 30]


def test_a_read_goes_into_the_callers_array(device, talk):
    talk(device).commit(1)
    buffer = array.array("B", bytes(65_536))
    assert device.read(0x81, buffer) == 65_536
    assert buffer[0] == 88 and buffer[12:16].tobytes() == b"FWM1"


def test_a_read_without_a_stream_times_out_and_the_next_one_works(device, talk):
    with pytest.raises(usb.core.USBTimeoutError) as late:
        device.read(0x81, 512, 10)
    assert late.value.errno == errno.ETIMEDOUT
    talk(device).commit(1)
    assert len(device.read(0x81, 65_536)) == 65_536


def test_a_stall_is_a_pipe_error(device):
    with pytest.raises(usb.core.USBError) as stalled:
        device.ctrl_transfer(0x80, 6, 0x0F00, 0, 5)
    assert stalled.value.errno == errno.EPIPE


def test_a_halted_endpoint_is_a_pipe_error_until_it_is_cleared(device, talk):
    host = talk(device)
    host.put(0x02, 3, 0, 0x81)
    with pytest.raises(usb.core.USBError) as stalled:
        device.read(0x81, 512, 1000)
    assert stalled.value.errno == errno.EPIPE
    device.clear_halt(0x81)
    with pytest.raises(usb.core.USBTimeoutError):
        device.read(0x81, 512, 10)


def test_a_request_without_answer_times_out(device, firmware, monkeypatch):
    def silent(setup: bytes, data: bytes = b"") -> bytes:
        raise NoAnswer

    monkeypatch.setattr(firmware, "control", silent)
    with pytest.raises(usb.core.USBTimeoutError):
        device.ctrl_transfer(0x80, 0, 0, 0, 2, timeout=20)
    monkeypatch.undo()


def test_unplugging_wakes_a_waiting_read_and_everything_after_is_enodev(power):
    backend = power()
    device = find(backend)
    device.set_configuration()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(device.read, 0x81, 512, 60_000)
        while not backend.sensors[0]._endpoints[0x81].has_reader:
            time.sleep(1e-3)
        backend.sensors[0].unplug()
        with pytest.raises(usb.core.USBError) as gone:
            waiting.result()
    assert gone.value.errno == errno.ENODEV
    for call in (lambda: device.read(0x81, 512), lambda: device.ctrl_transfer(0x80, 0, 0, 0, 2)):
        with pytest.raises(usb.core.USBError) as gone:
            call()
        assert gone.value.errno == errno.ENODEV
    assert usb.core.find(idVendor=0x1209, backend=backend) is None


def test_a_device_that_comes_back_is_another_one(power):
    backend = power()
    before = find(backend)
    before.set_configuration()
    backend.sensors[0].unplug(comes_back=True)
    after = find(backend)
    assert after.address != before.address
    assert after.serial_number == "TEST0001"
    with pytest.raises(usb.core.USBError) as gone:
        before.ctrl_transfer(0x80, 0, 0, 0, 2)
    assert gone.value.errno == errno.ENODEV


def test_an_interface_is_claimed_once(power):
    backend = power()
    one, other = find(backend), find(backend)
    usb.util.claim_interface(one, 1)
    with pytest.raises(usb.core.USBError) as busy:
        usb.util.claim_interface(other, 1)
    assert busy.value.errno == errno.EBUSY
    usb.util.dispose_resources(one)
    usb.util.claim_interface(other, 1)
    usb.util.release_interface(other, 1)


def test_closing_the_device_leaves_it_fresh(power, talk, firmware):
    backend = power()
    device = find(backend)
    device.set_configuration()
    usb.util.claim_interface(device, 1)
    talk(device).commit(1)
    usb.util.dispose_resources(device)
    assert not firmware.streaming


def test_a_kernel_driver_must_be_detached_first(power):
    device = find(power(kernel_driver=True))
    assert device.is_kernel_driver_active(0) and device.is_kernel_driver_active(2)
    with pytest.raises(usb.core.USBError) as busy:
        usb.util.claim_interface(device, 0)
    assert busy.value.errno == errno.EBUSY
    device.detach_kernel_driver(0)
    assert not device.is_kernel_driver_active(0)
    usb.util.claim_interface(device, 0)
    usb.util.release_interface(device, 0)
    device.attach_kernel_driver(0)
    assert device.is_kernel_driver_active(0)


def test_who_may_not_open_it_is_denied(power):
    device = find(power(denied=True))
    with pytest.raises(usb.core.USBError) as denied:
        device.set_configuration()
    assert denied.value.errno == errno.EACCES


@pytest.mark.parametrize("call", ["write", "missing"])
def test_other_endpoints_do_not_exist(device, call):
    backend, handle = device.backend, device.backend.open_device(next(device.backend.enumerate_devices()))
    with pytest.raises(usb.core.USBError) as missing:
        if call == "write":
            backend.bulk_write(handle, 0x01, 1, array.array("B", b"x"), 100)
        else:
            backend.bulk_read(handle, 0x83, 1, array.array("B", b"x"), 100)
    assert missing.value.errno == errno.ENOENT


def test_several_sensors_share_a_bus(power, imager):
    other = type(imager)("TEST0002")
    backend = power(Firmware(imager), Firmware(other))
    found = list(usb.core.find(find_all=True, idVendor=0x1209, backend=backend))
    assert [device.serial_number for device in found] == ["TEST0001", "TEST0002"]
    assert len({device.address for device in found}) == 2


def test_a_reset_stops_the_stream_and_keeps_the_device(device, talk, firmware):
    talk(device).commit(1)
    device.reset()
    assert not firmware.streaming
    assert device.ctrl_transfer(0x80, 8, 0, 0, 1)[0] == 1


def test_lockstep_takes_no_slot_that_the_host_has_no_room_for(power, talk, imager):
    backend = power(patience_s=1e6)
    device = find(backend)
    talk(device).commit(1)
    buffer = array.array("B", bytes(65_536))
    for expected in range(5):
        assert slot_of(read_frame(device, 0x81, buffer)) == expected
    # Two wait in the queue, one may be in the making.
    assert len(imager.exposures) <= 5 + 3


def test_a_stream_that_nobody_reads_loses_whole_frames_and_does_not_hold_up_the_other(power, talk):
    backend = power(patience_s=0.02)
    device = find(backend)
    host = talk(device)
    host.commit(2)
    host.commit(1)
    buffer = array.array("B", bytes(65_536))
    assert [slot_of(read_frame(device, 0x81, buffer)) for _ in range(13)] == list(range(13))
    first = slot_of(read_frame(device, 0x82, buffer))
    assert first > 0 and first % 3 == 0
    assert backend.sensors[0].firmware.dropped_frames > 0


def test_an_imager_that_fails_unplugs_the_device_and_says_so_at_the_end(imager, talk):
    class Broken(type(imager)):
        def expose(self, exposure):
            raise ArithmeticError("no light")

    backend = get_backend(Firmware(Broken()))
    device = find(backend)
    device.set_configuration()
    talk(device).commit(1)
    with pytest.raises(usb.core.USBError) as gone:
        device.read(0x81, 512, 60_000)
    assert gone.value.errno == errno.ENODEV
    with pytest.raises(ArithmeticError, match="no light"):
        backend.close()


def test_closing_ends_every_thread(firmware):
    before = set(threading.enumerate())
    backend = get_backend(PoweredSensor(firmware))
    backend.close()
    assert set(threading.enumerate()) <= before
