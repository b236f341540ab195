"""The entry point: one hook, the drivers."""

from __future__ import annotations

from collections.abc import Sequence

from faceward.plugin import SensorDriver, hookimpl

from acme_depthcam.driver import AcmeDriver


@hookimpl
def faceward_sensor_drivers() -> Sequence[SensorDriver]:
    """The drivers of this package, as discovery asks for them."""
    return (AcmeDriver(),)
