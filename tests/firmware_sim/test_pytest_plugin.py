"""The fixtures, used as a lock maker uses them: in a test session of its own."""

from __future__ import annotations

pytest_plugins = ["pytester"]

LOCK_TEST = '''
import struct
import types

import pytest
import usb.core
from faceward_sim.firmware.device import Firmware


@pytest.fixture(autouse=True)
def small_world(monkeypatch):
    """The world is not what is tested here."""
    import faceward_sim.rig
    monkeypatch.syspath_prepend({tests!r})
    from conftest_of_simulator import RampImager
    monkeypatch.setattr(faceward_sim.rig, "build_firmware", lambda *names, **options: Firmware(RampImager()))


def test_a_device_over_pyusb(faceward_sim_device):
    backend = faceward_sim_device(actor="live", seed=10_001)
    device = usb.core.find(idVendor=0x1209, idProduct=0x0001, backend=backend)
    assert device.serial_number == "TEST0001"


def test_a_device_with_a_fault(faceward_sim_device):
    backend = faceward_sim_device(faults=["wrong-ids"])
    assert usb.core.find(idVendor=0x1209, idProduct=0x0001, backend=backend) is None


def test_two_servers(faceward_sim_server):
    import socket
    one, two = faceward_sim_server(), faceward_sim_server()
    assert one.port != two.port
    for server in (one, two):
        with socket.create_connection((server.host, server.port)) as client:
            client.sendall(struct.pack(">HHI", 0x0111, 0x8005, 0))
            assert client.recv(12, socket.MSG_WAITALL)[8:] == bytes([0, 0, 0, 1])
'''


def test_a_lock_makers_tests_get_devices_and_servers(pytester, request):
    conftest = request.path.parent / "conftest.py"
    pytester.path.joinpath("conftest_of_simulator.py").write_text(conftest.read_text())
    pytester.makepyfile(LOCK_TEST.replace("{tests!r}", repr(str(pytester.path))))
    result = pytester.runpytest_subprocess("-p", "faceward_sim.pytest_plugin", "-q", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=3)
