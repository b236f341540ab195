"""The hooks of entry-point group `faceward.plugins.v1`. pluggy collects what they return; Faceward's own loop decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from faceward.extract.extractor import TemplateExtractor
    from faceward.hal.sensor import SensorDriver
    from faceward.liveness.gate import LivenessGate
    from faceward.signing.signer import Signer

GROUP = "faceward.plugins.v1"
hookspec = pluggy.HookspecMarker("faceward")
hookimpl = pluggy.HookimplMarker("faceward")


@hookspec
def faceward_gate() -> LivenessGate:  # type: ignore[empty-body]
    """Exactly one gate; called once, before a sensor opens."""


@hookspec
def faceward_sensor_drivers() -> Sequence[SensorDriver]:  # type: ignore[empty-body]
    """Drivers for sensors. Two drivers for one VID:PID are a PluginError."""


@hookspec
def faceward_extractor(models: Path) -> TemplateExtractor:  # type: ignore[empty-body]
    """Exactly one template extractor; `models` is the folder of installed model files."""


@hookspec
def faceward_signer(options: Mapping[str, str]) -> Signer:  # type: ignore[empty-body]
    """Exactly one signer, made from the policy's options for it."""


@hookspec
def faceward_key_provider(options: Mapping[str, str]) -> object:  # type: ignore[empty-body]
    """Exactly one provider of the store's key-encryption key."""


@hookspec
def faceward_enrollment_event(event: object) -> None:
    """After each change of state. Nothing that it does or raises changes the outcome; no biometrics are in it."""
