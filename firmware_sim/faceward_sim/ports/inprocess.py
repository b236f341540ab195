"""The sensor behind pyusb in this process: a backend for `usb.core.find(backend=...)`, with the errors of libusb."""

from __future__ import annotations

import array
import errno
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import usb.backend
import usb.core

from faceward_sim.firmware.setup import NoAnswer, Stall
from faceward_sim.ports.endpoint import Outcome, Transfer
from faceward_sim.ports.powered import DeviceLogic, Occupied, Pace, PoweredSensor, Unplugged

_BUS = 1
_HIGH_SPEED = 3  # LIBUSB_SPEED_HIGH
# LIBUSB_ERROR_*: io, access, no device, not found, busy, timeout, overflow, pipe.
_IO, _ACCESS, _NO_DEVICE, _NOT_FOUND, _BUSY, _TIMEOUT, _OVERFLOW, _PIPE = -1, -3, -4, -5, -6, -7, -8, -9
_GET_DESCRIPTOR = 6
_DEVICE, _CONFIGURATION, _INTERFACE, _ENDPOINT = 1, 2, 4, 5
_DEVICE_FIELDS = (
    "bLength",
    "bDescriptorType",
    "bcdUSB",
    "bDeviceClass",
    "bDeviceSubClass",
    "bDeviceProtocol",
    "bMaxPacketSize0",
    "idVendor",
    "idProduct",
    "bcdDevice",
    "iManufacturer",
    "iProduct",
    "iSerialNumber",
    "bNumConfigurations",
)
_CONFIGURATION_FIELDS = (
    "bLength",
    "bDescriptorType",
    "wTotalLength",
    "bNumInterfaces",
    "bConfigurationValue",
    "iConfiguration",
    "bmAttributes",
    "bMaxPower",
)
_INTERFACE_FIELDS = (
    "bLength",
    "bDescriptorType",
    "bInterfaceNumber",
    "bAlternateSetting",
    "bNumEndpoints",
    "bInterfaceClass",
    "bInterfaceSubClass",
    "bInterfaceProtocol",
    "iInterface",
)
_ENDPOINT_FIELDS = ("bLength", "bDescriptorType", "bEndpointAddress", "bmAttributes", "wMaxPacketSize", "bInterval")


def get_backend(
    *sensors: DeviceLogic | PoweredSensor,
    pace: Pace = Pace.LOCKSTEP,
    at_most_real_time: bool = False,
    patience_s: float = 0.5,
    kernel_driver: bool = False,
    denied: bool = False,
) -> InProcessBackend:
    """A bus with these sensors on it, in this order; firmwares are put under power here.

    `kernel_driver`: a driver of the system holds every interface until it is detached, as uvcvideo does. `denied`: this
    user may not open anything. Close the backend when done.
    """
    powered = [
        sensor
        if isinstance(sensor, PoweredSensor)
        else PoweredSensor(sensor, pace=pace, at_most_real_time=at_most_real_time, patience_s=patience_s)
        for sensor in sensors
    ]
    return InProcessBackend(powered, kernel_driver=kernel_driver, denied=denied)


@dataclass(slots=True)
class _BusDevice:
    """A device as it was found; after it has been away, the one that comes back is another."""

    sensor: PoweredSensor
    address: int
    generation: int
    drivers: set[int] = field(default_factory=set)
    claims: dict[int, _Handle] = field(default_factory=dict)

    @property
    def there(self) -> bool:
        return self.sensor.plugged and self.sensor.generation == self.generation


class _Handle:
    """An open device."""

    def __init__(self, device: _BusDevice) -> None:
        self.device = device


class InProcessBackend(usb.backend.IBackend):
    """pyusb's backend contract over powered sensors. Any number of threads may read and control at once."""

    def __init__(self, sensors: list[PoweredSensor], *, kernel_driver: bool = False, denied: bool = False) -> None:
        super().__init__()
        self._sensors = sensors
        self._kernel_driver = kernel_driver
        self._denied = denied
        self._lock = threading.Lock()
        self._devices: dict[int, _BusDevice] = {}
        self._next_address = 1

    @property
    def sensors(self) -> tuple[PoweredSensor, ...]:
        """The sensors on this bus, plugged or not."""
        return tuple(self._sensors)

    def close(self) -> None:
        """Switch all sensors off. Raises what a sensor's imager raised."""
        for sensor in self._sensors:
            sensor.close()

    def enumerate_devices(self) -> Iterator[_BusDevice]:
        """The devices on the bus now."""
        with self._lock:
            for index, sensor in enumerate(self._sensors):
                known = self._devices.get(index)
                if not sensor.plugged:
                    self._devices.pop(index, None)
                elif known is None or known.generation != sensor.generation:
                    device = _BusDevice(sensor, self._next_address, sensor.generation)
                    if self._kernel_driver:
                        device.drivers = {0, 1, 2}
                    self._devices[index] = device
                    self._next_address += 1
            found = [self._devices[index] for index in sorted(self._devices)]
        return iter(found)

    def get_parent(self, dev: _BusDevice) -> None:
        """There is no hub."""
        return

    def get_device_descriptor(self, dev: _BusDevice) -> Any:
        """The device descriptor, with its place on the bus."""
        raw = _descriptor(dev, _DEVICE, 18)
        found = _named(_DEVICE_FIELDS, "<BBHBBBBHHHBBBB", raw)
        found.bus, found.address, found.speed = _BUS, dev.address, _HIGH_SPEED
        found.port_number, found.port_numbers = dev.address, (dev.address,)
        return found

    def get_configuration_descriptor(self, dev: _BusDevice, config: int) -> Any:
        """The configuration's header and the descriptors between it and the first interface."""
        return _configuration(dev, config)

    def get_interface_descriptor(self, dev: _BusDevice, intf: int, alt: int, config: int) -> Any:
        """The interface at an index, with its class-specific descriptors."""
        configuration = _configuration(dev, config)
        if intf >= len(configuration.interfaces):
            raise IndexError(f"no interface at index {intf}")
        settings = list(configuration.interfaces.values())[intf]
        if alt >= len(settings):
            raise IndexError(f"no alternate setting {alt}")
        return settings[alt]

    def get_endpoint_descriptor(self, dev: _BusDevice, ep: int, intf: int, alt: int, config: int) -> Any:
        """The endpoint at an index of an interface."""
        endpoints = self.get_interface_descriptor(dev, intf, alt, config).endpoints
        if ep >= len(endpoints):
            raise IndexError(f"no endpoint at index {ep}")
        return endpoints[ep]

    def open_device(self, dev: _BusDevice) -> _Handle:
        """Open it; several handles may be open, interfaces are what is exclusive."""
        _check_there(dev)
        if self._denied:
            raise _error("Access denied (insufficient permissions)", _ACCESS, errno.EACCES)
        return _Handle(dev)

    def close_device(self, dev_handle: _Handle) -> None:
        """Close it, with whatever it has claimed."""
        with self._lock:
            claims = dev_handle.device.claims
            for number in [n for n, owner in claims.items() if owner is dev_handle]:
                del claims[number]
            is_last = not claims
        if is_last and dev_handle.device.there:
            dev_handle.device.sensor.release(dev_handle.device)

    def set_configuration(self, dev_handle: _Handle, config_value: int) -> None:
        """SET_CONFIGURATION."""
        self._control(dev_handle, 0x00, 9, config_value, 0, b"", 1000)

    def get_configuration(self, dev_handle: _Handle) -> int:
        """GET_CONFIGURATION."""
        return self._control(dev_handle, 0x80, 8, 0, 0, 1, 1000)[0]

    def set_interface_altsetting(self, dev_handle: _Handle, intf: int, altsetting: int) -> None:
        """SET_INTERFACE."""
        self._require_claim(dev_handle, intf)
        self._control(dev_handle, 0x01, 11, altsetting, intf, b"", 1000)

    def claim_interface(self, dev_handle: _Handle, intf: int) -> None:
        """Take one interface for this handle."""
        device = dev_handle.device
        _check_there(device)
        with self._lock:
            if intf in device.drivers or device.claims.get(intf, dev_handle) is not dev_handle:
                raise _error("Resource busy", _BUSY, errno.EBUSY)
            try:
                device.sensor.acquire(device)
            except Occupied:
                raise _error("Resource busy", _BUSY, errno.EBUSY) from None
            except Unplugged:
                raise _gone() from None
            device.claims[intf] = dev_handle

    def release_interface(self, dev_handle: _Handle, intf: int) -> None:
        """Give one interface back."""
        with self._lock:
            if dev_handle.device.claims.get(intf) is not dev_handle:
                raise _error("Entity not found", _NOT_FOUND, errno.ENOENT)
            del dev_handle.device.claims[intf]

    def bulk_read(self, dev_handle: _Handle, ep: int, intf: int, buff: array.array, timeout: int) -> int:
        """Read into the caller's array; bytes read."""
        device = dev_handle.device
        self._require_claim(dev_handle, intf)
        _check_there(device)
        target = memoryview(buff).cast("B")
        ended = threading.Event()
        transfer = Transfer(len(target), lambda transfer: ended.set())
        try:
            device.sensor.submit(ep, transfer)
        except KeyError:
            raise _error("Entity not found", _NOT_FOUND, errno.ENOENT) from None
        except Unplugged:
            raise _gone() from None
        if not ended.wait(timeout / 1000 if timeout else None) and not device.sensor.cancel(ep, transfer):
            ended.wait()
        return _finish(transfer, target)

    def intr_read(self, dev_handle: _Handle, ep: int, intf: int, buff: array.array, timeout: int) -> int:
        """There is no interrupt endpoint."""
        raise _error("Entity not found", _NOT_FOUND, errno.ENOENT)

    def bulk_write(self, dev_handle: _Handle, ep: int, intf: int, data: array.array, timeout: int) -> int:
        """There is no OUT endpoint."""
        raise _error("Entity not found", _NOT_FOUND, errno.ENOENT)

    intr_write = bulk_write

    def ctrl_transfer(
        self,
        dev_handle: _Handle,
        bmRequestType: int,
        bRequest: int,
        wValue: int,
        wIndex: int,
        data: array.array,
        timeout: int,
    ) -> int:
        """A control transfer; bytes moved."""
        view = memoryview(data).cast("B")
        if not bmRequestType & 0x80:
            self._control(dev_handle, bmRequestType, bRequest, wValue, wIndex, bytes(view), timeout)
            return len(view)
        answer = self._control(dev_handle, bmRequestType, bRequest, wValue, wIndex, len(view), timeout)
        view[: len(answer)] = answer
        return len(answer)

    def clear_halt(self, dev_handle: _Handle, ep: int) -> None:
        """CLEAR_FEATURE(ENDPOINT_HALT)."""
        self._control(dev_handle, 0x02, 1, 0, ep, b"", 1000)

    def reset_device(self, dev_handle: _Handle) -> None:
        """A bus reset."""
        _check_there(dev_handle.device)
        dev_handle.device.sensor.reset()

    def is_kernel_driver_active(self, dev_handle: _Handle, intf: int) -> bool:
        """True while a driver of the system holds the interface."""
        _check_there(dev_handle.device)
        return intf in dev_handle.device.drivers

    def detach_kernel_driver(self, dev_handle: _Handle, intf: int) -> None:
        """Take the interface away from the system's driver."""
        with self._lock:
            if intf not in dev_handle.device.drivers:
                raise _error("Entity not found", _NOT_FOUND, errno.ENOENT)
            dev_handle.device.drivers.remove(intf)

    def attach_kernel_driver(self, dev_handle: _Handle, intf: int) -> None:
        """Give the interface back to the system's driver."""
        with self._lock:
            if intf in dev_handle.device.claims:
                raise _error("Resource busy", _BUSY, errno.EBUSY)
            if self._kernel_driver:
                dev_handle.device.drivers.add(intf)

    def _require_claim(self, dev_handle: _Handle, intf: int) -> None:
        if dev_handle.device.claims.get(intf) is not dev_handle:
            self.claim_interface(dev_handle, intf)

    def _control(
        self, handle: _Handle, kind: int, request: int, value: int, index: int, data: bytes | int, timeout_ms: int
    ) -> bytes:
        device = handle.device
        _check_there(device)
        length = data if isinstance(data, int) else len(data)
        setup = struct.pack("<BBHHH", kind, request, value, index, length)
        started_s = time.monotonic()
        try:
            return device.sensor.control(setup, data if isinstance(data, bytes) else b"")
        except Stall:
            raise _error("Pipe error", _PIPE, errno.EPIPE) from None
        except Unplugged:
            raise _gone() from None
        except NoAnswer:
            left_s = timeout_ms / 1000 - (time.monotonic() - started_s) if timeout_ms else None
            if device.sensor.wait_unplugged(left_s):
                raise _gone() from None
            raise _timed_out() from None


def _finish(transfer: Transfer, target: memoryview) -> int:
    at = 0
    for piece in transfer.pieces:
        target[at : at + len(piece)] = piece
        at += len(piece)
    if transfer.outcome is Outcome.STALL:
        raise _error("Pipe error", _PIPE, errno.EPIPE)
    if transfer.outcome is Outcome.OVERFLOW:
        raise _error("Overflow", _OVERFLOW, errno.EOVERFLOW)
    if transfer.outcome is Outcome.GONE:
        raise _gone()
    # libusb hands over what came before a timeout.
    if transfer.outcome is Outcome.CANCELLED and at == 0:
        raise _timed_out()
    return at


def _check_there(device: _BusDevice) -> None:
    if not device.there:
        raise _gone()


def _error(text: str, code: int, number: int) -> usb.core.USBError:
    return usb.core.USBError(text, code, number)


def _gone() -> usb.core.USBError:
    return _error("No such device (it may have been disconnected)", _NO_DEVICE, errno.ENODEV)


def _timed_out() -> usb.core.USBTimeoutError:
    return usb.core.USBTimeoutError("Operation timed out", _TIMEOUT, errno.ETIMEDOUT)


def _descriptor(device: _BusDevice, kind: int, length: int) -> bytes:
    setup = struct.pack("<BBHHH", 0x80, _GET_DESCRIPTOR, kind << 8, 0, length)
    try:
        return device.sensor.control(setup)
    except Unplugged:
        raise _gone() from None
    except (Stall, NoAnswer):
        raise _error("Input/Output Error", _IO, errno.EIO) from None


def _named(names: tuple[str, ...], layout: str, raw: bytes) -> Any:
    size = struct.calcsize(layout)
    if len(raw) < size:
        raise _error("Input/Output Error", _IO, errno.EIO)
    return SimpleNamespace(**dict(zip(names, struct.unpack_from(layout, raw), strict=True)), extra_descriptors=[])


def _configuration(device: _BusDevice, index: int) -> Any:
    """The configuration with its interfaces by number, each a list of alternate settings with their endpoints."""
    if index != 0:
        raise IndexError(f"no configuration at index {index}")
    raw = _descriptor(device, _CONFIGURATION, 0xFFFF)
    found = _named(_CONFIGURATION_FIELDS, "<BBHBBBBB", raw)
    found.interfaces = {}
    last = found
    setting = None
    at = raw[0]
    while at + 2 <= len(raw):
        length, kind = raw[at], raw[at + 1]
        part = raw[at : at + length]
        if length < 2 or len(part) < length:
            raise _error("Input/Output Error", _IO, errno.EIO)
        if kind == _INTERFACE:
            last = setting = _named(_INTERFACE_FIELDS, "<9B", part)
            setting.endpoints = []
            found.interfaces.setdefault(setting.bInterfaceNumber, []).append(setting)
        elif kind == _ENDPOINT and setting is not None:
            last = _named(_ENDPOINT_FIELDS, "<BBBBHB", part)
            last.bRefresh = last.bSynchAddress = 0
            setting.endpoints.append(last)
        else:
            last.extra_descriptors.extend(part)
        at += length
    return found
