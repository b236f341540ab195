"""Fixtures for lock makers' own tests: a simulated sensor behind pyusb, or behind USB/IP.

def test_our_lock_enrolls(faceward_sim_device):
    backend = faceward_sim_device(actor="live", seed=4711)
    device = usb.core.find(idVendor=0x1209, idProduct=0x0001, backend=backend)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from faceward_sim.ports.inprocess import InProcessBackend
    from faceward_sim.ports.powered import PoweredSensor
    from faceward_sim.ports.usbip import UsbipServer


def _powered(
    sensor: str,
    actor: str,
    seed: int,
    distance_mm: float,
    tone: float | None,
    faults: Sequence[str],
    attested: bool,
    power: dict[str, Any],
) -> PoweredSensor:
    # pytest loads this module in every run; the simulator only when a test asks for it.
    from faceward_sim.firmware.chain import Provision
    from faceward_sim.ports.powered import PoweredSensor
    from faceward_sim.rig import build_firmware, with_faults

    provision = Provision() if attested else None
    firmware = build_firmware(sensor, actor, seed, distance_mm=distance_mm, tone=tone, provision=provision)
    return PoweredSensor(with_faults(firmware, faults), **power)


@pytest.fixture
def faceward_sim_device() -> Iterator[Callable[..., InProcessBackend]]:
    """Makes pyusb backends, each with one sensor: `(sensor="sl-940", actor="live", seed=0, distance_mm=400.0,
    tone=None, faults=(), attested=True, **power)`; faults as in `faceward-sim faults`, `power` as PoweredSensor takes
    it."""
    made: list[InProcessBackend] = []

    def make(
        sensor: str = "sl-940",
        actor: str = "live",
        seed: int = 0,
        *,
        distance_mm: float = 400.0,
        tone: float | None = None,
        faults: Sequence[str] = (),
        attested: bool = True,
        **power: Any,
    ) -> InProcessBackend:
        from faceward_sim.ports.inprocess import get_backend

        made.append(get_backend(_powered(sensor, actor, seed, distance_mm, tone, faults, attested, power)))
        return made[-1]

    yield make
    for backend in made:
        backend.close()


@pytest.fixture
def faceward_sim_server() -> Iterator[Callable[..., UsbipServer]]:
    """Makes running USB/IP servers on free ports (`.host`, `.port`, bus id 1-1); arguments as `faceward_sim_device`."""
    made: list[UsbipServer] = []

    def make(
        sensor: str = "sl-940",
        actor: str = "live",
        seed: int = 0,
        *,
        distance_mm: float = 400.0,
        tone: float | None = None,
        faults: Sequence[str] = (),
        attested: bool = True,
        **power: Any,
    ) -> UsbipServer:
        from faceward_sim.ports.usbip import UsbipServer

        made.append(UsbipServer([_powered(sensor, actor, seed, distance_mm, tone, faults, attested, power)], port=0))
        return made[-1]

    yield make
    for server in made:
        server.close()
