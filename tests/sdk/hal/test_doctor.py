"""What the doctor finds, and what it tells to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from faceward.errors import (
    ConfigError,
    DeviceBusy,
    DeviceDenied,
    DeviceError,
    DeviceLost,
    DeviceProtocolError,
    DeviceTimeout,
)
from faceward.hal.doctor import RULES, Finding, Probes, Severity, diagnose
from faceward.hal.sensor import SensorAddress, SensorDriver, UsbMatch
from faceward.hal.usb import UsbLibraryMissing, UsbSighting, sightings
from faceward.hal.uvc import MATCHES, UvcDriver
from faceward.model.frame import Health, SensorInfo


@dataclass
class Patient:
    """A sensor that is as a test wants it."""

    info: SensorInfo
    report: Health | DeviceError = field(default_factory=lambda: Health(40.0, 1, (), 0))
    closed: bool = False

    def health(self) -> Health:
        if isinstance(self.report, DeviceError):
            raise self.report
        return self.report

    def close(self) -> None:
        self.closed = True


class Driver(SensorDriver):
    name = "fake"
    matches = (UsbMatch(0x1209, 0x0001, "sl-940"),)

    def __init__(self, result: Patient | DeviceError) -> None:
        self.result = result

    def open(self, device: object, address: SensorAddress, *, timeout_s: float = 5.0) -> Any:
        if isinstance(self.result, DeviceError):
            raise self.result
        return self.result


@pytest.fixture
def transport() -> str:
    return "usb"


@pytest.fixture
def info(make_rig: Callable[..., Any]) -> SensorInfo:
    with make_rig(way="usb").open() as sensor:
        return sensor.info


def look(
    result: Patient | DeviceError, *, speed: int = 3, bcd_usb: int = 0x0200, held: dict[int, str] | None = None
) -> list[Finding]:
    sighting = UsbSighting(SimpleNamespace(bcdUSB=bcd_usb), 0x1209, 0x0001, speed)
    probes = Probes(lambda pairs, place: [sighting], lambda seen: held or {}, lambda seen: None)
    return diagnose([Driver(result)], probes=probes)


def test_a_healthy_sensor_is_ready(info: SensorInfo) -> None:
    patient = Patient(info)
    (finding,) = look(patient)
    assert finding.severity is Severity.OK
    assert "is ready" in finding.title
    assert finding.remedy == ""
    assert patient.closed


def test_without_libusb_the_remedy_is_a_package(info: SensorInfo) -> None:
    def missing(pairs: object, place: object) -> list[Any]:
        raise UsbLibraryMissing("libusb")

    findings = diagnose([UvcDriver()], probes=Probes(missing))
    assert findings[0].severity is Severity.ERROR
    assert "apt-get install libusb-1.0-0" in findings[0].remedy


def test_no_sensor_is_named_with_the_ids_that_were_looked_for() -> None:
    (finding,) = diagnose([UvcDriver()], usbip_hosts=["host:99"], probes=Probes(lambda pairs, place: []))
    assert finding.severity is Severity.ERROR
    assert "1209:0001" in finding.detail
    assert "usbip://host:99" in finding.detail


def test_a_server_that_is_not_there_is_named() -> None:
    def probe(pairs: object, place: object) -> list[Any]:
        if place is None:
            return []
        raise DeviceLost("no USB/IP server at host:99")

    findings = diagnose([UvcDriver()], usbip_hosts=["host:99"], probes=Probes(probe))
    assert "usbip://host:99" in findings[0].title
    assert "firewall" in findings[0].remedy
    with pytest.raises(ConfigError):
        diagnose([UvcDriver()], usbip_hosts=["a b"], probes=Probes(probe))


def test_a_missing_permission_is_mended_by_the_rule_that_is_packaged() -> None:
    (finding,) = look(DeviceDenied("access denied"))
    assert finding.severity is Severity.ERROR
    assert f"sudo cp {RULES} /etc/udev/rules.d/" in finding.remedy
    assert "udevadm control --reload" in finding.remedy


def test_the_rule_covers_every_product_that_the_driver_opens() -> None:
    rules = [line for line in RULES.read_text().splitlines() if line and not line.startswith("#")]
    pairs = [re.search(r'idVendor}=="(\w{4})".*idProduct}=="(\w{4})".*TAG\+="uaccess"', line) for line in rules]
    found = {(int(pair[1], 16), int(pair[2], 16)) for pair in pairs if pair}
    assert found == {(match.vid, match.pid) for match in MATCHES}
    assert RULES.name < "73"


def test_a_kernel_driver_that_holds_on_is_named_with_the_command() -> None:
    (finding,) = look(DeviceBusy("busy"), held={0: "uvcvideo", 1: "uvcvideo"})
    assert "uvcvideo (interface 0)" in finding.detail
    assert finding.remedy == "Unload it: sudo modprobe -r uvcvideo"


def test_a_kernel_driver_that_let_go_is_only_told(info: SensorInfo) -> None:
    ready, told = look(Patient(info), held={1: "uvcvideo"})
    assert (ready.severity, told.severity) == (Severity.OK, Severity.OK)
    assert "uvcvideo" in told.title


def test_another_program_is_named_as_the_owner() -> None:
    (finding,) = look(DeviceBusy("busy"))
    assert "one process owns a sensor" in finding.remedy


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DeviceProtocolError("garbage"), "firmware"),
        (DeviceTimeout("late"), "does not answer"),
        (DeviceLost("gone"), "does not answer"),
        (DeviceError("odd"), "can't be opened"),
    ],
)
def test_a_sensor_that_does_not_open_has_a_finding_and_a_remedy(error: DeviceError, words: str) -> None:
    (finding,) = look(error)
    assert finding.severity is Severity.ERROR
    assert words in finding.title
    assert finding.detail == str(error)
    assert finding.remedy


@pytest.mark.parametrize(
    ("speed", "severity", "words"),
    [(1, Severity.ERROR, "low speed"), (2, Severity.ERROR, "full speed")],
)
def test_a_link_that_is_too_slow_is_named_with_its_figures(
    info: SensorInfo, speed: int, severity: Severity, words: str
) -> None:
    (finding,) = look(Patient(info), speed=speed)
    assert finding.severity is severity
    assert words in finding.detail
    assert "640 x 480 needs 24.6 MB/s" in finding.detail


def test_a_link_on_which_the_smaller_profile_fits_is_a_warning(info: SensorInfo) -> None:
    fast = replace(info, profiles=(replace(info.profiles[0], infrared_rate_hz=120.0), info.profiles[1]))
    (finding,) = look(Patient(fast))
    assert finding.severity is Severity.WARNING
    assert "use the smaller profile" in finding.remedy


def test_a_fallback_to_usb_2_is_a_warning(info: SensorInfo) -> None:
    (finding,) = look(Patient(info), bcd_usb=0x0210)
    assert finding.severity is Severity.WARNING
    assert "USB 2" in finding.title
    assert look(Patient(info), speed=4, bcd_usb=0x0320)[0].severity is Severity.OK
    assert look(Patient(info), speed=0)[0].severity is Severity.OK


@pytest.mark.parametrize("fault", ["projector", "flood", "overheat", "brownout", "clock", "unspecified"])
def test_every_fault_that_a_sensor_reports_has_a_remedy(info: SensorInfo, fault: str) -> None:
    (finding,) = look(Patient(info, Health(40.0, 1, (fault,), 0)))
    assert finding.severity is Severity.ERROR
    assert fault in finding.title
    assert finding.remedy


@pytest.mark.parametrize(
    ("temperature_c", "severity"), [(69.9, Severity.OK), (70.0, Severity.WARNING), (85.0, Severity.ERROR)]
)
def test_a_hot_sensor_is_found(info: SensorInfo, temperature_c: float, severity: Severity) -> None:
    assert look(Patient(info, Health(temperature_c, 1, (), 0)))[0].severity is severity


def test_firmware_without_a_version_is_a_warning(info: SensorInfo) -> None:
    (finding,) = look(Patient(replace(info, firmware_version="")))
    assert finding.severity is Severity.WARNING


def test_a_sensor_that_does_not_say_how_it_is_is_an_error(info: SensorInfo) -> None:
    (finding,) = look(Patient(info, DeviceTimeout("late")))
    assert finding.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("options", "faults", "words"),
    [
        ({}, (), "is ready"),
        ({"denied": True}, (), "No permission"),
        ({"kernel_driver": True}, (), "is ready"),
        ({}, ("busy",), "is in use"),
        ({}, ("garbage-descriptors",), "firmware"),
    ],
)
def test_real_drivers_and_simulated_sensors_lead_to_the_same_findings(
    make_rig: Callable[..., Any], options: dict[str, Any], faults: tuple[str, ...], words: str
) -> None:
    backend = make_rig(*faults, way="usb", **options).backend
    probes = Probes(lambda pairs, place: sightings(pairs, backend), lambda seen: {})
    assert words in diagnose([UvcDriver()], probes=probes)[0].title
