"""Sensors for the hardware layer's tests: simulated firmware over a small imager, behind pyusb or behind USB/IP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import usb.core
from faceward.hal import usbip
from faceward.hal.sensor import SensorAddress
from faceward.hal.uvc import UvcDriver, UvcSensor
from faceward.model.frame import IlluminationSchedule
from faceward_sim.faults import FAULTS, inject
from faceward_sim.firmware.device import Firmware
from faceward_sim.firmware.imager import (
    Exposure,
    FactoryCalibration,
    FactoryIdentity,
    FactoryIntrinsics,
    Illumination,
    SensorKind,
    SlotImage,
)
from faceward_sim.ports.inprocess import get_backend
from faceward_sim.ports.powered import PoweredSensor
from faceward_sim.ports.usbip import UsbipServer

WIDTH_PX, HEIGHT_PX = 640, 480
IDS = (0x1209, 0x0001)
# Dots, flood and dark in no order; the last slots are dots for the tests that begin late.
SLOTS = bytes([1, 2, 2, 0, 1, 2, 1, 2, 2, 2, 0, 1, 2, 2, 1, 2] * 8)


class GradientImager:
    """Infrared is a ramp that moves on by one a slot, brighter under light; depth is a plane that moves too."""

    def __init__(self, serial: str = "TEST0001") -> None:
        self.identity = FactoryIdentity(
            vendor="Faceward",
            model="sl-940",
            serial=serial,
            firmware_version="1.0.0",
            hardware_revision="A",
            kind=SensorKind.STRUCTURED_LIGHT,
            emitters=((Illumination.DOTS, 940), (Illumination.FLOOD, 940)),
        )
        camera = FactoryIntrinsics(WIDTH_PX, HEIGHT_PX, 554.0, 555.0, 319.5, 239.5)
        self.calibration = FactoryCalibration(
            camera, camera, 125.0, 40.0, 200.0, 1200.0, 11.0, 0.9, 0.25, 0.2, 0.0, 5.0, 64.0, 2.5, 0.1, 1023.0
        )
        self.exposures: list[Exposure] = []
        self._ramp = np.arange(WIDTH_PX * HEIGHT_PX, dtype=np.uint32).reshape(HEIGHT_PX, WIDTH_PX) % 1000

    def expose(self, exposure: Exposure) -> SlotImage:
        self.exposures.append(exposure)
        return self.picture(exposure)

    def picture(self, exposure: Exposure) -> SlotImage:
        """What a slot looks like, without taking it."""
        depth = None
        if exposure.illumination is Illumination.DOTS:
            depth = np.full((HEIGHT_PX, WIDTH_PX), 3200 + exposure.slot, np.uint16)
        infrared = self._ramp + exposure.slot + 100 * exposure.illumination
        return SlotImage(infrared.astype(np.uint16), depth, 36.5)


@dataclass
class Rig:
    """A powered sensor, the imager in it, and pyusb's way to it."""

    powered: PoweredSensor
    imager: GradientImager
    backend: Any
    transport: str

    def device(self) -> usb.core.Device:
        device = usb.core.find(backend=self.backend)
        assert device is not None
        return device

    def open(self, timeout_s: float = 5.0) -> UvcSensor:
        address = "usb:1209:0001:TEST0001" if self.transport == "usb" else "usbip://127.0.0.1:3240/1-1"
        sensor = UvcDriver().open(self.device(), SensorAddress(address, *IDS, "", "", "uvc"), timeout_s=timeout_s)
        assert isinstance(sensor, UvcSensor)
        return sensor


@pytest.fixture
def schedule() -> IlluminationSchedule:
    return IlluminationSchedule(b"nonce of 16 byte", SLOTS)


@pytest.fixture(params=["usb", "usbip"])
def transport(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def make_rig(transport: str) -> Iterator[Callable[..., Rig]]:
    """Makes a rig: `make_rig(*faults, way="usb", **power)`; faults as `NAME` or `NAME:SLOT`."""
    closers: list[Callable[[], None]] = []

    def make(
        *faults: str, serial: str = "TEST0001", way: str = transport, kernel_driver: bool = False, denied: bool = False,
        **power: Any,
    ) -> Rig:  # fmt: skip
        imager = GradientImager(serial)
        built = []
        for fault in faults:
            name, _, slot = fault.partition(":")
            built.append(FAULTS[name].build(int(slot) if slot else None))
        power.setdefault("patience_s", 10.0)  # a busy machine may read late
        powered = PoweredSensor(inject(Firmware(imager), *built), **power)
        if way == "usb":
            backend = get_backend(powered, kernel_driver=kernel_driver, denied=denied)
            closers.append(backend.close)
        else:
            server = UsbipServer([powered], port=0)
            backend = usbip.get_backend(server.host, server.port)
            closers.extend([server.close, backend.finalize])
        return Rig(powered, imager, backend, way)

    yield make
    for close in reversed(closers):
        close()
