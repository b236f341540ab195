"""The entry point: one hook, one gate."""

from __future__ import annotations

from faceward.plugin import LivenessGate, hookimpl

from acme_ambient_light.gate import AmbientLight


@hookimpl
def faceward_gate() -> LivenessGate:
    """The gate, as the loader asks for it once before a sensor opens."""
    return AmbientLight()
