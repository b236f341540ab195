"""Contracts to be subclassed by whoever writes a gate or a driver: `GateContract`, `DriverContract`.

They import `faceward.plugin` alone, as plugins do.
"""

from faceward_sim.conformance.driver import DriverContract
from faceward_sim.conformance.gate import GateContract

__all__ = ["DriverContract", "GateContract"]
