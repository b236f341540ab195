"""What stands between this machine and its sensors, each with what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from faceward.errors import (
    DeviceBusy,
    DeviceDenied,
    DeviceError,
    DeviceLost,
    DeviceProtocolError,
    DeviceTimeout,
)
from faceward.hal.discovery import UsbAddress, UsbipAddress, drivers_by_ids, parse_server
from faceward.hal.inspection import OVERHEAT_C
from faceward.hal.sensor import Sensor, SensorAddress, SensorDriver
from faceward.model.frame import SensorInfo

if TYPE_CHECKING:
    from faceward.hal.usb import UsbSighting

RULES: Final = Path(__file__).with_name("70-faceward.rules")
# Of a link's signalling rate, what bulk transfers carry: about 40 of USB 2.0's 60 MB/s.
_BULK_SHARE: Final = 2 / 3
_HIGH_SPEED = 3
_SPEED_NAMES: Final = {1: "low speed", 2: "full speed (12 Mbit/s)", 3: "USB 2 (480 Mbit/s)", 4: "USB 3", 5: "USB 3"}
_WARM_C: Final = 70.0
_FAULT_REMEDIES: Final = {
    "projector": "Send the sensor in for repair: its dot projector is dead.",
    "flood": "Send the sensor in for repair: its flood light is dead.",
    "overheat": "Let it cool down and give it air; keep it out of the sun.",
    "brownout": "Use a shorter cable, a powered hub or another port: the supply broke down, then power it off and on.",
    "clock": "Power it off and on; send it in for repair if this comes back.",
}


class Severity(Enum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `remedy` says what to do and is empty where nothing needs doing."""

    severity: Severity
    title: str
    detail: str
    remedy: str = ""


def _local_sightings(pairs: set[tuple[int, int]], server: UsbipAddress | None) -> list[UsbSighting]:
    from faceward.hal import usb, usbip

    backend = None if server is None else usbip.get_backend(server.host, server.port, server.busid)
    return usb.sightings(pairs, backend)


def _kernel_drivers(sighting: UsbSighting) -> dict[int, str]:
    """Which kernel driver holds which interface, from sysfs, which anybody may read."""
    device = sighting.device
    ports = ".".join(str(port) for port in device.port_numbers or ())
    found = {}
    for interface in sorted(Path("/sys/bus/usb/devices").glob(f"{device.bus}-{ports}:*")):
        driver = interface / "driver"
        if driver.is_symlink():
            found[int(interface.name.rpartition(".")[2])] = driver.readlink().name
    return {number: name for number, name in found.items() if name != "usbfs"}


def _release(sighting: UsbSighting) -> None:
    from faceward.hal import usb

    usb.release(sighting.device)


@dataclass(frozen=True, slots=True)
class Probes:
    """The ways in which `diagnose` looks at the machine; tests put in others."""

    sightings: Callable[[set[tuple[int, int]], UsbipAddress | None], Sequence[Any]] = _local_sightings
    kernel_drivers: Callable[[Any], Mapping[int, str]] = _kernel_drivers
    release: Callable[[Any], None] = _release
    timeout_s: float = field(default=5.0)


def diagnose(
    drivers: Sequence[SensorDriver], *, usbip_hosts: Sequence[str] = (), probes: Probes | None = None
) -> list[Finding]:
    """Look for every supported sensor, open each in turn and ask it how it is. Nothing is changed.

    Raises: ConfigError (a server that is none), PluginError (two drivers for one product); never a DeviceError.
    """
    used = probes or Probes()
    known = drivers_by_ids(drivers)
    findings: list[Finding] = []
    seen = 0
    places: list[UsbipAddress | None] = [None, *(parse_server(text) for text in usbip_hosts)]
    for place in places:
        try:
            found = used.sightings(set(known), place)
        except DeviceError as error:
            findings.append(_unreachable(error, place))
            continue
        for sighting in found:
            seen += 1
            findings += _examine(sighting, place, known[sighting.vid, sighting.pid], used)
    if not seen:
        ids = ", ".join(sorted(f"{vid:04x}:{pid:04x}" for vid, pid in known)) or "none at all"
        findings.append(
            Finding(
                Severity.ERROR,
                "No supported sensor",
                f"Looked for {ids} on " + ", ".join("this machine" if p is None else str(p) for p in places) + ".",
                "Check cable and power (lsusb lists what the machine sees), name a USB/IP server, or add the sensor's "
                "driver to the policy.",
            )
        )
    return findings


def _unreachable(error: DeviceError, place: UsbipAddress | None) -> Finding:
    from faceward.hal.usb import UsbLibraryMissing

    if isinstance(error, UsbLibraryMissing):
        return Finding(
            Severity.ERROR,
            "libusb is missing",
            "Without libusb-1.0 no sensor on this machine can be seen; sensors over usbip:// work without it.",
            "Install it: apt-get install libusb-1.0-0 (Debian, Ubuntu), dnf install libusb1 (Fedora), "
            "brew install libusb (macOS).",
        )
    where = "this machine's USB" if place is None else str(place)
    remedy = "" if place is None else "Check the server's name and port, and that its firewall lets TCP through."
    return Finding(Severity.ERROR, f"Can't list the devices of {where}", str(error), remedy or "See the system's log.")


def _examine(sighting: Any, place: UsbipAddress | None, driver: SensorDriver, probes: Probes) -> list[Finding]:
    local = UsbAddress(sighting.vid, sighting.pid)
    shown = str(local) if place is None else str(UsbipAddress(place.host, place.port, sighting.busid))
    address = SensorAddress(shown, sighting.vid, sighting.pid, "", "", driver.name)
    held = probes.kernel_drivers(sighting) if place is None else {}
    try:
        sensor = driver.open(sighting.device, address, timeout_s=probes.timeout_s)
    except DeviceError as error:
        probes.release(sighting)
        return [_not_opened(error, shown, held)]
    try:
        return _ask(sensor, sighting, held)
    finally:
        sensor.close()


def _not_opened(error: DeviceError, address: str, held: Mapping[int, str]) -> Finding:
    if isinstance(error, DeviceDenied):
        return Finding(
            Severity.ERROR,
            f"No permission for {address}",
            str(error),
            f"Install the udev rule: sudo cp {RULES} /etc/udev/rules.d/ && sudo udevadm control --reload && "
            "sudo udevadm trigger; or join the group video and log in again.",
        )
    if isinstance(error, DeviceBusy):
        names = ", ".join(f"{name} (interface {number})" for number, name in sorted(held.items()))
        return Finding(
            Severity.ERROR,
            f"{address} is in use",
            f"The kernel's driver {names} holds it and does not let go." if names else str(error),
            "Unload it: sudo modprobe -r " + sorted(set(held.values()))[0]
            if names
            else "End the other program (fuser -v /dev/bus/usb/*/* names it); one process owns a sensor.",
        )
    if isinstance(error, DeviceProtocolError):
        return Finding(
            Severity.ERROR,
            f"The firmware of {address} can't be read",
            str(error),
            "Power it off and on; if this comes back, its firmware is damaged or not a version this driver knows.",
        )
    if isinstance(error, DeviceTimeout | DeviceLost):
        return Finding(
            Severity.ERROR,
            f"{address} does not answer",
            str(error),
            "Power it off and on, and try another cable and port.",
        )
    return Finding(Severity.ERROR, f"{address} can't be opened", str(error), "Power it off and on.")


def _ask(sensor: Sensor, sighting: Any, held: Mapping[int, str]) -> list[Finding]:
    info = sensor.info
    name = f"{info.vendor} {info.model} {info.serial}"
    findings = [*_link(info, sighting, name)]
    for number, driver in sorted(held.items()):
        findings.append(
            Finding(Severity.OK, f"The kernel's {driver} had interface {number} of {name}", "It let go when asked.")
        )
    if not info.firmware_version:
        findings.append(
            Finding(
                Severity.WARNING,
                f"{name} does not say which firmware it runs",
                "The version goes into every record.",
                "Update the sensor's firmware.",
            )
        )
    try:
        health = sensor.health()
    except DeviceError as error:
        return [
            *findings,
            Finding(Severity.ERROR, f"{name} does not say how it is", str(error), "Power it off and on."),
        ]
    for fault in health.faults:
        remedy = _FAULT_REMEDIES.get(fault, "Power it off and on; send it in for repair if this comes back.")
        findings.append(Finding(Severity.ERROR, f"{name} reports a fault: {fault}", "Its own report.", remedy))
    if health.temperature_c >= _WARM_C:
        severity = Severity.ERROR if health.temperature_c >= OVERHEAT_C else Severity.WARNING
        findings.append(
            Finding(
                severity, f"{name} is hot", f"{health.temperature_c:.0f} °C; above {OVERHEAT_C:.0f} a capture ends.",
                _FAULT_REMEDIES["overheat"],
            )
        )  # fmt: skip
    if all(finding.severity is Severity.OK for finding in findings):
        findings.insert(
            0,
            Finding(
                Severity.OK,
                f"{name} is ready",
                f"{info.address}, firmware {info.firmware_version}, {health.temperature_c:.0f} °C",
            ),
        )
    return findings


def _link(info: SensorInfo, sighting: Any, name: str) -> list[Finding]:
    from faceward.hal.usb import LINK_BITS_PER_S

    speed = sighting.speed
    rate = LINK_BITS_PER_S.get(speed)
    if rate is None:
        return []
    usable_mb = rate / 8 * _BULK_SHARE / 1e6
    needs = {f"{p.width_px} x {p.height_px}": p.bandwidth_bytes_per_s / 1e6 for p in info.profiles}
    too_large = {size: need for size, need in needs.items() if need > usable_mb}
    if too_large:
        listed = ", ".join(f"{size} needs {need:.1f} MB/s" for size, need in too_large.items())
        fits = len(too_large) < len(needs)
        return [
            Finding(
                Severity.WARNING if fits else Severity.ERROR,
                f"{name} is on a slow link",
                f"{_SPEED_NAMES[speed]} carries about {usable_mb:.1f} MB/s; {listed}.",
                "Plug it in directly, without an old hub or a charging cable"
                + (", or use the smaller profile." if fits else "."),
            )
        ]
    # A device that can do more says so by a version above 2.00 even on a USB 2 link (USB 3.2, 9.2.6.6).
    if speed <= _HIGH_SPEED and int(getattr(sighting.device, "bcdUSB", 0) or 0) > 0x0200:
        return [
            Finding(
                Severity.WARNING,
                f"{name} fell back to USB 2",
                "It is a USB 3 device; its streams fit, but with little to spare beside other devices.",
                "Use a USB 3 port and cable.",
            )
        ]
    return []
