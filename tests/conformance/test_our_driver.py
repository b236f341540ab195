"""Our own driver keeps the contract that a third party's must, over both ways to a sensor."""

from __future__ import annotations

import pytest
import usb.core
from faceward.hal import usbip
from faceward.plugin import SensorAddress, UvcDriver
from faceward_sim.conformance import DriverContract

IDS = (0x1209, 0x0001)


class TestUvcInProcess(DriverContract):
    @pytest.fixture
    def connect(self, faceward_sim_device):
        def run(*faults: str):
            device = usb.core.find(backend=faceward_sim_device(actor="live", seed=10, faults=faults))
            return UvcDriver(), device, SensorAddress("usb:1209:0001", *IDS, "", "", "uvc")

        return run


class TestUvcOverUsbip(DriverContract):
    @pytest.fixture
    def connect(self, faceward_sim_server):
        backends = []

        def run(*faults: str):
            server = faceward_sim_server(actor="live", seed=10, faults=faults)
            backends.append(usbip.get_backend(server.host, server.port))
            address = SensorAddress(f"usbip://{server.host}:{server.port}/1-1", *IDS, "", "", "uvc")
            return UvcDriver(), usb.core.find(backend=backends[-1]), address

        yield run
        for backend in backends:
            backend.finalize()
