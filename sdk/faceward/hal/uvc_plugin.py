"""The entry point `uvc`: Faceward's own driver, loaded as any other."""

from __future__ import annotations

from collections.abc import Sequence

from faceward.hal.sensor import SensorDriver
from faceward.hal.uvc import UvcDriver
from faceward.liveness.hookspecs import hookimpl


@hookimpl
def faceward_sensor_drivers() -> Sequence[SensorDriver]:
    """The UVC class driver."""
    return (UvcDriver(),)
