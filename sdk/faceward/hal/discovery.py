"""Finding and opening sensors by address.

| address | means |
|---|---|
| `usb:` | the first supported sensor on this machine |
| `usb:VID:PID` | the first of these ids, four hex digits each |
| `usb:VID:PID:SERIAL` | that one; the serial number is as the device spells it |
| `usbip://HOST[:PORT][/BUSID]` | a sensor of a USB/IP server, port 3240 unless said; without bus id the first supported |
| `replay:FILE` | a recording, which can be looked at and evaluated but never becomes a template |
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from faceward.errors import ConfigError, DeviceBusy, DeviceError, DeviceNotFound, PluginError
from faceward.hal.sensor import Sensor, SensorAddress, SensorDriver

if TYPE_CHECKING:
    from usb.backend import IBackend

    from faceward.hal.usb import UsbSighting

USBIP_PORT = 3240
_HEX = re.compile(r"[0-9a-fA-F]{4}")
# A USB string descriptor holds at most 126 UTF-16 units (USB 2.0, 9.6.7).
_MAX_SERIAL = 126
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9])?")
_IPV6 = re.compile(r"\[[0-9A-Fa-f:.%A-Za-z_-]{2,64}\]")
_PORT = re.compile(r"[0-9]{1,5}")
# The USB/IP field holds 31 characters and a zero (usbip_protocol.rst).
BUSID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,30}")
_FORMS = "usb:, usb:VID:PID, usb:VID:PID:SERIAL, usbip://HOST:PORT/BUSID or replay:FILE"


@dataclass(frozen=True, slots=True)
class UsbAddress:
    """A sensor on this machine's bus; None matches any."""

    vid: int | None = None
    pid: int | None = None
    serial: str | None = None

    def __str__(self) -> str:
        if self.vid is None or self.pid is None:
            return "usb:"
        text = f"usb:{self.vid:04x}:{self.pid:04x}"
        return text if self.serial is None else f"{text}:{self.serial}"


@dataclass(frozen=True, slots=True)
class UsbipAddress:
    """A sensor of a USB/IP server; without bus id the first supported."""

    host: str  # IPv6 without brackets
    port: int = USBIP_PORT
    busid: str | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"usbip://{host}:{self.port}" + ("" if self.busid is None else f"/{self.busid}")


@dataclass(frozen=True, slots=True)
class ReplayAddress:
    """A recording."""

    path: Path

    def __str__(self) -> str:
        return f"replay:{self.path}"


Address = UsbAddress | UsbipAddress | ReplayAddress


def parse_address(text: str) -> Address:
    """Read an address; nothing is opened.

    Raises: ConfigError, with the forms that there are.
    """
    if text.startswith("usbip://"):
        return _usbip(text, text.removeprefix("usbip://"))
    if text.startswith("replay:"):
        path = text.removeprefix("replay:")
        if not path or "\0" in path:
            raise _wrong(text, "a recording's file is missing")
        return ReplayAddress(Path(path))
    if text.startswith("usb:"):
        return _usb(text, text.removeprefix("usb:"))
    raise _wrong(text, "it begins with none of usb:, usbip:// and replay:")


def transport_of(address: Address) -> str:
    """The policy's word for the way: usb, usbip or replay."""
    if isinstance(address, UsbAddress):
        return "usb"
    return "usbip" if isinstance(address, UsbipAddress) else "replay"


def _wrong(text: str, why: str) -> ConfigError:
    return ConfigError(f"{text!r} is no sensor address: {why}; write {_FORMS}")


def _usb(text: str, rest: str) -> UsbAddress:
    if not rest:
        return UsbAddress()
    vid, _, rest = rest.partition(":")
    pid, colon, serial = rest.partition(":")
    if not (_HEX.fullmatch(vid) and _HEX.fullmatch(pid)):
        raise _wrong(text, "VID and PID are four hex digits each")
    if colon and not (0 < len(serial) <= _MAX_SERIAL and serial.isprintable()):
        raise _wrong(text, "the serial number is empty or not printable")
    return UsbAddress(int(vid, 16), int(pid, 16), serial if colon else None)


def _usbip(text: str, rest: str) -> UsbipAddress:
    server, slash, busid = rest.partition("/")
    if slash and busid and not BUSID.fullmatch(busid):
        raise _wrong(text, "the bus id looks like 1-1.2")
    host, port = _server(text, server)
    return UsbipAddress(host, port, busid or None)


def _server(text: str, server: str) -> tuple[str, int]:
    bracketed = _IPV6.match(server)
    host, rest = (server[: bracketed.end()], server[bracketed.end() :]) if bracketed else (server, "")
    if not bracketed:
        host, colon, rest = server.partition(":")
        rest = colon + rest
    if not bracketed and not _NAME.fullmatch(host):
        raise _wrong(text, "the host is no name, and an IPv6 address stands in brackets")
    if not rest:
        return host.strip("[]"), USBIP_PORT
    port = rest.removeprefix(":")
    if not rest.startswith(":") or not _PORT.fullmatch(port) or not 0 < int(port) < 65_536:
        raise _wrong(text, "the port is a number from 1 to 65535")
    return host.strip("[]"), int(port)


def parse_server(text: str) -> UsbipAddress:
    """A USB/IP server as `HOST`, `HOST:PORT` or `usbip://HOST:PORT`.

    Raises: ConfigError.
    """
    address = parse_address(text if text.startswith("usbip://") else f"usbip://{text}")
    assert isinstance(address, UsbipAddress)
    if address.busid is not None:
        raise ConfigError(f"{text!r} names one sensor; a server is HOST or HOST:PORT")
    return address


def drivers_by_ids(drivers: Iterable[SensorDriver]) -> dict[tuple[int, int], SensorDriver]:
    """Which driver opens which (vid, pid).

    Raises: PluginError for two drivers that claim one product.
    """
    found: dict[tuple[int, int], SensorDriver] = {}
    for driver in drivers:
        for match in driver.matches:
            other = found.setdefault((match.vid, match.pid), driver)
            if other is not driver:
                raise PluginError(
                    f"the drivers {other.name!r} and {driver.name!r} both open {match.vid:04x}:{match.pid:04x}"
                )
    return found


def find_sensors(
    drivers: Sequence[SensorDriver], *, usbip_hosts: Sequence[str] = (), backend: IBackend | None = None,
    timeout_s: float = 5.0,
) -> list[SensorAddress]:  # fmt: skip
    """The supported sensors of this machine, then those of each USB/IP server (`HOST` or `HOST:PORT`).

    Nothing is claimed; over USB/IP a device that is free is imported for as long as its strings take. Without libusb a
    machine has no local sensors, which is an error only where no server was named.

    Raises: ConfigError, PluginError, DeviceError.
    """
    from faceward.hal import usb

    known = drivers_by_ids(drivers)
    servers = [parse_server(text) for text in usbip_hosts]
    found: list[SensorAddress] = []
    try:
        for sighting in usb.sightings(known, backend):
            found.append(_describe(sighting, None, known))
            usb.release(sighting.device)
    except usb.UsbLibraryMissing:
        if not servers:
            raise
    for server in servers:
        for sighting in usb.sightings(known, _usbip_backend(server, timeout_s)):
            found.append(_describe(sighting, server, known))
            usb.release(sighting.device)
    return found


def _usbip_backend(server: UsbipAddress, timeout_s: float) -> IBackend:
    from faceward.hal import usbip

    return usbip.get_backend(server.host, server.port, server.busid, timeout_s=timeout_s)


def _describe(
    sighting: UsbSighting, server: UsbipAddress | None, known: dict[tuple[int, int], SensorDriver]
) -> SensorAddress:
    from faceward.hal import usb

    serial, product = usb.texts(sighting.device)
    address: Address = UsbAddress(sighting.vid, sighting.pid, serial or None)
    if server is not None:
        address = UsbipAddress(server.host, server.port, sighting.busid)
    driver = known[sighting.vid, sighting.pid]
    return SensorAddress(str(address), sighting.vid, sighting.pid, serial, product, driver.name)


def open_sensor(
    address: str, drivers: Sequence[SensorDriver], *, transports: frozenset[str], backend: IBackend | None = None,
    timeout_s: float = 5.0,
) -> Sensor:  # fmt: skip
    """Open the sensor at an address. `transports` are those that the policy allows; `backend` is pyusb's, for `usb:`.

    Raises: ConfigError (no address, a transport that isn't allowed, no recording), PluginError (two drivers for one
    product), DeviceNotFound, DeviceBusy, DeviceDenied, DeviceError.
    """
    parsed = parse_address(address)
    transport = transport_of(parsed)
    if transport not in transports:
        allowed = ", ".join(sorted(transports))
        raise ConfigError(f"the policy allows sensors over {allowed or 'nothing'}, and {address!r} is {transport}")
    if isinstance(parsed, ReplayAddress):
        from faceward.hal.recording import ReplaySensor

        return ReplaySensor(parsed.path)
    return _open_usb(parsed, drivers, backend, time.monotonic() + timeout_s)


def _open_usb(
    address: UsbAddress | UsbipAddress, drivers: Sequence[SensorDriver], backend: IBackend | None, deadline: float
) -> Sensor:
    from faceward.hal import usb

    known = drivers_by_ids(drivers)
    pairs = set(known)
    server: UsbipAddress | None = None
    if isinstance(address, UsbipAddress):
        server = address
        backend = _usbip_backend(address, usb.time_left_s(deadline, f"opening {address}"))
    elif address.vid is not None and address.pid is not None:
        pairs &= {(address.vid, address.pid)}
        if not pairs:
            raise DeviceNotFound(f"no driver opens {address.vid:04x}:{address.pid:04x}")
    busy: DeviceBusy | None = None
    for sighting in usb.sightings(pairs, backend):
        found = _describe(sighting, server, known)
        if isinstance(address, UsbAddress) and address.serial not in (None, found.serial):
            usb.release(sighting.device)
            continue
        try:
            left_s = usb.time_left_s(deadline, f"opening {address}")
            return known[sighting.vid, sighting.pid].open(sighting.device, found, timeout_s=left_s)
        except DeviceBusy as error:
            # The first supported sensor that is free will do where none was named.
            usb.release(sighting.device)
            busy = busy or error
        except DeviceError:
            usb.release(sighting.device)
            raise
    if busy is not None:
        raise busy
    raise DeviceNotFound(
        f"no supported sensor at {address} (`faceward sensors` lists what there is, `faceward doctor` finds what is amiss)"
    )
