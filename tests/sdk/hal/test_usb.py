"""How pyusb's errors come out."""

from __future__ import annotations

import errno

import pytest
import usb.core
from faceward.errors import (
    DeviceBusy,
    DeviceDenied,
    DeviceError,
    DeviceLost,
    DeviceProtocolError,
    DeviceTimeout,
)
from faceward.hal.usb import Stalled, UsbLibraryMissing, milliseconds, time_left_s, translated


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.EACCES, DeviceDenied),
        (errno.EPERM, DeviceDenied),
        (errno.EBUSY, DeviceBusy),
        (errno.ENODEV, DeviceLost),
        (errno.ESHUTDOWN, DeviceLost),
        (errno.EPROTO, DeviceLost),
        (errno.EIO, DeviceLost),
        (errno.ECONNRESET, DeviceLost),
        (errno.ETIMEDOUT, DeviceTimeout),
        (errno.EPIPE, Stalled),
        (errno.EOVERFLOW, DeviceProtocolError),
        (errno.ENOENT, DeviceProtocolError),
        (errno.ENOMEM, DeviceError),
        (None, DeviceError),
    ],
)
def test_an_errno_has_its_place_in_the_tree(number: int | None, expected: type[DeviceError]) -> None:
    with pytest.raises(DeviceError, match="reading: why") as caught, translated("reading"):
        raise usb.core.USBError("why", -1, number)
    assert type(caught.value) is expected


def test_a_timeout_is_one_by_its_type() -> None:
    with pytest.raises(DeviceTimeout), translated("reading"):
        raise usb.core.USBTimeoutError("late")


@pytest.mark.parametrize("error", [ValueError("x"), IndexError("x"), AttributeError("x")])
def test_what_pyusb_stumbles_over_is_the_devices_fault(error: Exception) -> None:
    with pytest.raises(DeviceProtocolError, match="x"), translated("listing"):
        raise error


def test_a_missing_library_and_a_missing_function_have_words_of_their_own() -> None:
    with pytest.raises(UsbLibraryMissing, match=r"libusb-1\.0"), translated("listing"):
        raise usb.core.NoBackendError("none")
    with pytest.raises(DeviceError, match="cannot do that"), translated("detaching"):
        raise RuntimeError


def test_a_timeout_is_never_rounded_down_to_none_at_all() -> None:
    assert [milliseconds(seconds) for seconds in (0.0, 0.0001, 0.0011, 2.0)] == [1, 1, 2, 2000]


def test_no_time_left_is_a_timeout() -> None:
    with pytest.raises(DeviceTimeout, match="opening"):
        time_left_s(0.0, "opening")
