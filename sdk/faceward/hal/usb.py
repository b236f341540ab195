"""The one way to pyusb: an open device whose failures are Faceward's own.

| errno of USBError | becomes |
|---|---|
| EACCES, EPERM | DeviceDenied |
| EBUSY | DeviceBusy |
| ENODEV, ESHUTDOWN, ECONNRESET, EPROTO, EILSEQ, ETIME, EIO | DeviceLost |
| ETIMEDOUT, or USBTimeoutError | DeviceTimeout |
| EPIPE | Stalled, a DeviceProtocolError |
| EOVERFLOW, EBADMSG, EREMOTEIO, ENOENT, EINVAL | DeviceProtocolError |
| anything else | DeviceError |
"""

from __future__ import annotations

import array
import contextlib
import errno
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import usb.backend.libusb1
import usb.core
import usb.util

from faceward.errors import (
    DeviceBusy,
    DeviceDenied,
    DeviceError,
    DeviceLost,
    DeviceNotFound,
    DeviceProtocolError,
    DeviceTimeout,
)

if TYPE_CHECKING:
    from usb.backend import IBackend

_LOST = {
    errno.ENODEV, errno.ESHUTDOWN, errno.ECONNRESET, errno.EPROTO, errno.EILSEQ, errno.ETIME, errno.EIO,
}  # fmt: skip
_FORBIDDEN = {errno.EOVERFLOW, errno.EBADMSG, errno.EREMOTEIO, errno.ENOENT, errno.EINVAL, errno.EPROTONOSUPPORT}
# libusb_speed to bits a second on the wire (USB 2.0 chapter 7, USB 3.2 chapter 3).
LINK_BITS_PER_S = {1: 1_500_000, 2: 12_000_000, 3: 480_000_000, 4: 5_000_000_000, 5: 10_000_000_000}


class Stalled(DeviceProtocolError):
    """The device refused the request by a STALL."""


class UsbLibraryMissing(DeviceNotFound):
    """libusb-1.0 is not installed, so that no local device can be seen; usbip: addresses work without it."""


def _tree(what: str, error: usb.core.USBError) -> DeviceError:
    text = f"{what}: {error.strerror or error}"
    number = error.errno
    if isinstance(error, usb.core.USBTimeoutError) or number == errno.ETIMEDOUT:
        return DeviceTimeout(text)
    if number in (errno.EACCES, errno.EPERM):
        return DeviceDenied(f"{text} (faceward doctor says how to allow it)")
    if number == errno.EBUSY:
        return DeviceBusy(text)
    if number == errno.EPIPE:
        return Stalled(text)
    if number in _LOST:
        return DeviceLost(text)
    if number in _FORBIDDEN:
        return DeviceProtocolError(text)
    return DeviceError(text)


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Run pyusb; whatever it raises comes out as Faceward's error, beginning with `what`."""
    try:
        yield
    except usb.core.NoBackendError:
        raise UsbLibraryMissing(
            "libusb-1.0 is not installed on this machine: install it (Debian: apt-get install libusb-1.0-0), or name a "
            "sensor over USB/IP (usbip://HOST:PORT/BUSID)"
        ) from None
    except usb.core.USBError as error:
        raise _tree(what, error) from error
    except RuntimeError as error:
        # What a backend does not offer, pyusb says by a subclass of this.
        raise DeviceError(f"{what}: this system's USB library cannot do that") from error
    except (ValueError, IndexError, AttributeError, UnicodeDecodeError) as error:
        # pyusb walks the descriptors as the device sent them.
        raise DeviceProtocolError(f"{what}: {error}") from error


@dataclass(frozen=True, slots=True)
class UsbSighting:
    """A device on the bus, not opened yet; `device` is a usb.core.Device for a driver's `open`."""

    device: Any
    vid: int
    pid: int
    speed: int  # a key of LINK_BITS_PER_S, or 0
    busid: str = ""  # on its USB/IP server


def sightings(pairs: Iterable[tuple[int, int]], backend: IBackend | None = None) -> list[UsbSighting]:
    """The devices of these (vid, pid) on the bus, in the bus's order.

    Raises: UsbLibraryMissing, DeviceError.
    """
    wanted = set(pairs)
    found = []
    with translated("listing the USB devices"):
        if backend is None:
            backend = usb.backend.libusb1.get_backend()
        if backend is None:
            raise usb.core.NoBackendError("No backend available")
        for entry in backend.enumerate_devices():
            # A USB/IP server's list tells the ids before anything is imported.
            if getattr(entry, "ids", None) not in (None, *wanted):
                continue
            device = usb.core.Device(entry, backend)
            ids = (device.idVendor, device.idProduct)
            if ids in wanted:
                found.append(UsbSighting(device, *ids, device.speed or 0, getattr(entry, "busid", "")))
    return found


def speed_of(device: Any) -> int:
    """The link's speed as a key of LINK_BITS_PER_S, 0 where it is not known."""
    return int(getattr(device, "speed", None) or 0)


def texts(device: Any) -> tuple[str, str]:
    """Serial number and product name; empty where the device has none or this user may not ask."""
    found = []
    for name in ("serial_number", "product"):
        text = ""
        with contextlib.suppress(DeviceError), translated("reading a string"):
            text = getattr(device, name) or ""
        found.append("".join(letter for letter in text if letter.isprintable()))
    return found[0], found[1]


def kernel_driver_interfaces(device: Any, interfaces: Iterable[int]) -> tuple[int, ...]:
    """Those interfaces that a driver of the kernel holds.

    Raises: DeviceError.
    """
    held = []
    for number in interfaces:
        with translated(f"asking who has interface {number}"):
            try:
                if device.is_kernel_driver_active(number):
                    held.append(number)
            except RuntimeError:
                return ()
    return tuple(held)


def release(device: Any) -> None:
    """Close whatever pyusb has opened of a device, whether or not it is still there."""
    with contextlib.suppress(DeviceError), translated("closing the device"):
        usb.util.dispose_resources(device)


def milliseconds(timeout_s: float) -> int:
    """A timeout as pyusb wants it: whole, and never 0, which would be none at all."""
    return max(1, math.ceil(timeout_s * 1000))


def time_left_s(deadline: float, what: str) -> float:
    """Seconds until `deadline` (time.monotonic()).

    Raises: DeviceTimeout when there are none.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise DeviceTimeout(f"{what}: the time is up")
    return left


class UsbDevice:
    """An open device with claimed interfaces. Control transfers and reads may come from several threads."""

    def __init__(self, device: Any) -> None:
        self._device = device
        self._claimed: list[int] = []
        self._detached: list[int] = []

    @property
    def speed(self) -> int:
        """The link's speed as a key of LINK_BITS_PER_S, 0 where it is not known."""
        return speed_of(self._device)

    def configuration_bytes(self, *, timeout_s: float) -> bytes:
        """The first configuration descriptor with all that belongs to it.

        Raises: DeviceError.
        """
        deadline = time.monotonic() + timeout_s
        head = self.control_in(0x80, 6, 0x0200, 0, 9, timeout_s=timeout_s)
        if len(head) < 9 or head[1] != 2:
            raise DeviceProtocolError("the device sent no configuration descriptor")
        total = int.from_bytes(head[2:4], "little")
        left_s = time_left_s(deadline, "reading the descriptors")
        whole = self.control_in(0x80, 6, 0x0200, 0, total, timeout_s=left_s)
        if len(whole) != total:
            raise DeviceProtocolError(f"the configuration descriptor has {len(whole)} bytes of {total}")
        return whole

    def configure(self, value: int) -> None:
        """Make sure that this configuration is active.

        Raises: DeviceError.
        """
        with translated("configuring the device"):
            try:
                active = self._device.get_active_configuration().bConfigurationValue
            except usb.core.USBError as error:
                if error.errno is not None:
                    raise
                active = 0  # pyusb's way to say "not configured"
            if active != value:
                self._device.set_configuration(value)

    def claim(self, interfaces: Iterable[int]) -> None:
        """Take interfaces, away from a kernel driver where one has them.

        Raises: DeviceBusy, DeviceError.
        """
        wanted = list(interfaces)
        for number in kernel_driver_interfaces(self._device, wanted):
            with translated(f"taking interface {number} from the kernel's driver"):
                try:
                    self._device.detach_kernel_driver(number)
                except usb.core.USBError as error:
                    # uvcvideo lets go of all its interfaces together.
                    if error.errno not in (errno.ENOENT, errno.ENODATA):
                        raise
            self._detached.append(number)
        for number in wanted:
            with translated(f"claiming interface {number}"):
                usb.util.claim_interface(self._device, number)
            self._claimed.append(number)

    def control_in(
        self, request_type: int, request: int, value: int, index: int, length: int, *, timeout_s: float
    ) -> bytes:
        """A control transfer from the device; what it sent.

        Raises: Stalled, DeviceError.
        """
        with translated(f"control request {request:#04x}"):
            data = self._device.ctrl_transfer(request_type, request, value, index, length, milliseconds(timeout_s))
        return bytes(data)

    def control_out(
        self, request_type: int, request: int, value: int, index: int, data: bytes, *, timeout_s: float
    ) -> None:
        """A control transfer to the device.

        Raises: Stalled, DeviceError.
        """
        with translated(f"control request {request:#04x}"):
            sent = self._device.ctrl_transfer(request_type, request, value, index, data, milliseconds(timeout_s))
        if sent != len(data):
            raise DeviceProtocolError(f"control request {request:#04x}: the device took {sent} bytes of {len(data)}")

    def read_into(self, endpoint: int, buffer: array.array[int], *, timeout_s: float) -> int:
        """One bulk read into `buffer` (typecode B); the bytes that came.

        Raises: Stalled, DeviceError.
        """
        what = f"reading endpoint {endpoint:#04x}"
        try:
            return int(self._device.read(endpoint, buffer, milliseconds(timeout_s)))
        except usb.core.USBError as error:
            raise _tree(what, error) from error
        except (ValueError, IndexError) as error:
            # pyusb looks the endpoint up at the first read and takes a device that is gone for one without endpoints.
            self.control_in(0x80, 0, 0, 0, 2, timeout_s=timeout_s)
            raise DeviceProtocolError(f"{what}: {error}") from error

    def clear_halt(self, endpoint: int) -> None:
        """CLEAR_FEATURE(ENDPOINT_HALT).

        Raises: DeviceError.
        """
        with translated(f"stopping endpoint {endpoint:#04x}"):
            self._device.clear_halt(endpoint)

    def close(self) -> None:
        """Give interfaces back, to the kernel's driver too; never raises for a device that is gone."""
        for number in self._claimed:
            with contextlib.suppress(DeviceError), translated("releasing an interface"):
                usb.util.release_interface(self._device, number)
        for number in self._detached:
            with contextlib.suppress(DeviceError), translated("giving an interface back"):
                self._device.attach_kernel_driver(number)
        self._claimed, self._detached = [], []
        release(self._device)
