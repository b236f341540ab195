"""Addresses, and what is found behind them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import usb.backend.libusb1
from faceward.errors import ConfigError, DeviceBusy, DeviceDenied, DeviceNotFound, PluginError
from faceward.hal.discovery import (
    ReplayAddress,
    UsbAddress,
    UsbipAddress,
    drivers_by_ids,
    find_sensors,
    open_sensor,
    parse_address,
    parse_server,
    transport_of,
)
from faceward.hal.sensor import SensorDriver, UsbMatch
from faceward.hal.usb import UsbLibraryMissing
from faceward.hal.uvc import UvcDriver
from hypothesis import given
from hypothesis import strategies as st

ALL = frozenset({"usb", "usbip", "replay"})
MakeRig = Callable[..., Any]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("usb:", UsbAddress()),
        ("usb:1209:0001", UsbAddress(0x1209, 1)),
        ("usb:1209:ABCD:S/N 1:2", UsbAddress(0x1209, 0xABCD, "S/N 1:2")),
        ("usbip://host", UsbipAddress("host")),
        ("usbip://host/", UsbipAddress("host")),
        ("usbip://host:1", UsbipAddress("host", 1)),
        ("usbip://192.0.2.7:65535/1-1.2", UsbipAddress("192.0.2.7", 65_535, "1-1.2")),
        ("usbip://[::1]:3241/1-1", UsbipAddress("::1", 3241, "1-1")),
        ("usbip://[fe80::1%eth0]/1-1", UsbipAddress("fe80::1%eth0", 3240, "1-1")),
        ("replay:a b/c.mcap", ReplayAddress(Path("a b/c.mcap"))),
    ],
)
def test_an_address_is_read(text: str, address: object) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "", "usb", "USB:", "usb:1209", "usb:1209:", "usb:1209:1", "usb:1209:00011", "usb:120g:0001", "usb:1209:0001:",
        "usb:1209:0001:a\nb", "usb:1209:0001:" + "x" * 127, "usb: 1209:0001", "usbip:host", "usbip://", "usbip:///1-1",
        "usbip://host:", "usbip://host:0", "usbip://host:65536", "usbip://host:x", "usbip://::1/1-1", "usbip://a b/1-1",
        "usbip://-host", "usbip://host:1:2", "usbip://[::1", "usbip://[::1]x", "usbip://host/../x", "usbip://host/a b",
        "usbip://host/" + "1" * 32, "replay:", "replay:a\0b", "file:x", "usbip://host:³",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(ConfigError, match="replay:FILE"):
        parse_address(text)


@given(st.text(max_size=60) | st.builds("usb:{}".format, st.text(max_size=40)))
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        address = parse_address(text)
    except ConfigError:
        return
    assert transport_of(address) in ALL


@given(
    st.builds(
        UsbAddress, st.integers(0, 0xFFFF), st.integers(0, 0xFFFF),
        st.none() | st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), min_size=1, max_size=126),
    )
    | st.builds(
        UsbipAddress, st.from_regex(r"[a-z][a-z0-9]{0,20}(\.[a-z]{2,5})?", fullmatch=True) | st.just("2001:db8::1"),
        st.integers(1, 65_535), st.none() | st.from_regex(r"[1-9]-[1-9](\.[1-9]){0,5}", fullmatch=True),
    )
)  # fmt: skip
def test_an_address_that_is_written_out_reads_back(address: UsbAddress | UsbipAddress) -> None:
    assert parse_address(str(address)) == address


def test_a_server_is_a_host_and_a_port() -> None:
    assert parse_server("host:99") == UsbipAddress("host", 99)
    assert parse_server("usbip://[::1]") == UsbipAddress("::1")
    with pytest.raises(ConfigError, match="one sensor"):
        parse_server("host/1-1")


class OtherDriver(SensorDriver):
    name = "other"
    matches = (UsbMatch(0x1209, 0x0001, "copy"),)

    def open(self, device: object, address: object, *, timeout_s: float = 5.0) -> Any:
        raise AssertionError("never opened")


def test_two_drivers_for_one_product_are_refused() -> None:
    with pytest.raises(PluginError, match="'uvc' and 'other' both open 1209:0001"):
        drivers_by_ids([UvcDriver(), OtherDriver()])


def test_a_sensor_is_found_with_its_address(make_rig: MakeRig, transport: str) -> None:
    rig = make_rig()
    if transport == "usb":
        (found,) = find_sensors([UvcDriver()], backend=rig.backend)
        assert found.address == "usb:1209:0001:TEST0001"
    else:
        port = rig.backend._port
        empty = make_rig("wrong-ids", way="usb").backend
        (found,) = find_sensors([UvcDriver()], usbip_hosts=[f"127.0.0.1:{port}"], backend=empty)
        assert found.address == f"usbip://127.0.0.1:{port}/1-1"
    assert (found.vid, found.pid, found.serial, found.driver) == (0x1209, 1, "TEST0001", "uvc")
    assert found.product == "Faceward sl-940"


def test_the_address_that_was_found_opens(make_rig: MakeRig, transport: str) -> None:
    rig = make_rig()
    address = "usb:1209:0001:TEST0001" if transport == "usb" else f"usbip://127.0.0.1:{rig.backend._port}/1-1"
    backend = rig.backend if transport == "usb" else None
    with open_sensor(address, [UvcDriver()], transports=ALL, backend=backend) as sensor:
        assert (sensor.info.address, sensor.info.transport) == (address, transport)


def test_the_first_supported_sensor_opens_without_a_name(make_rig: MakeRig, transport: str) -> None:
    rig = make_rig()
    address = "usb:" if transport == "usb" else f"usbip://127.0.0.1:{rig.backend._port}"
    backend = rig.backend if transport == "usb" else None
    with open_sensor(address, [UvcDriver()], transports=ALL, backend=backend) as sensor:
        assert sensor.info.serial == "TEST0001"
        assert sensor.info.address.startswith("usb:1209" if transport == "usb" else address + "/1-1")


@pytest.mark.parametrize("address", ["usb:1209:0001:OTHER", "usb:1209:0002", "usb:dead:beef"])
def test_a_sensor_that_is_not_there_is_not_found(make_rig: MakeRig, address: str) -> None:
    with pytest.raises(DeviceNotFound):
        open_sensor(address, [UvcDriver()], transports=ALL, backend=make_rig(way="usb").backend)


def test_another_products_ids_are_not_found(make_rig: MakeRig, transport: str) -> None:
    rig = make_rig("wrong-ids")
    address = "usb:" if transport == "usb" else f"usbip://127.0.0.1:{rig.backend._port}/1-1"
    with pytest.raises(DeviceNotFound):
        open_sensor(address, [UvcDriver()], transports=ALL, backend=rig.backend if transport == "usb" else None)


def test_a_busy_sensor_says_so_and_a_free_one_is_taken_instead(make_rig: MakeRig) -> None:
    with pytest.raises(DeviceBusy):
        open_sensor("usb:", [UvcDriver()], transports=ALL, backend=make_rig("busy", way="usb").backend)
    rig = make_rig("busy")
    if rig.transport == "usbip":
        with pytest.raises(DeviceBusy):
            open_sensor(f"usbip://127.0.0.1:{rig.backend._port}/1-1", [UvcDriver()], transports=ALL)


def test_a_user_without_permission_finds_the_sensor_but_not_its_serial_number(make_rig: MakeRig) -> None:
    backend = make_rig(way="usb", denied=True).backend
    (found,) = find_sensors([UvcDriver()], backend=backend)
    assert (found.address, found.serial) == ("usb:1209:0001", "")
    with pytest.raises(DeviceDenied):
        open_sensor("usb:", [UvcDriver()], transports=ALL, backend=backend)


@pytest.mark.parametrize("address", ["usb:", "usbip://127.0.0.1:1/1-1", "replay:nothing.mcap"])
def test_a_transport_that_the_policy_has_not_is_refused_before_anything_opens(address: str) -> None:
    others = ALL - {address.partition(":")[0]}
    with pytest.raises(ConfigError, match="policy allows"):
        open_sensor(address, [UvcDriver()], transports=others)


def test_without_libusb_a_machine_says_so_and_servers_still_work(
    make_rig: MakeRig, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usb.backend.libusb1, "get_backend", lambda: None)
    with pytest.raises(UsbLibraryMissing, match=r"libusb-1\.0 is not installed"):
        find_sensors([UvcDriver()])
    if transport == "usbip":
        found = find_sensors([UvcDriver()], usbip_hosts=[f"127.0.0.1:{make_rig().backend._port}"])
        assert [sensor.serial for sensor in found] == ["TEST0001"]
