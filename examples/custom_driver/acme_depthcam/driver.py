"""The Acme depth camera: Faceward's protocol under a VID:PID of its own, with two habits to correct.

- Its voice was written by somebody who stood behind the sensor: it says "left" for the viewer's left. Faceward's prompts
  are the person's own, so left and right are exchanged on the way out.
- Its flood emitter loses power above 4 ms of exposure and recovers only over seconds, which looks like a changing skin.
  Longer exposures are asked for as 4 ms with more gain, up to the gain at which its converter is still linear.

Everything else is the UVC driver's. What it raises, this raises.
"""

from __future__ import annotations

from collections.abc import Sequence

from faceward.plugin import (
    CaptureClaim,
    Health,
    IlluminationSchedule,
    Prompt,
    Sensor,
    SensorAddress,
    SensorDriver,
    SensorEvidence,
    Slot,
    StreamProfile,
    UsbMatch,
    UvcDriver,
)

EXPOSURE_MAX_US = 4000
GAIN_MAX = 4.0
_VIEWERS = {Prompt.TURN_LEFT: Prompt.TURN_RIGHT, Prompt.TURN_RIGHT: Prompt.TURN_LEFT}


class AcmeDriver(SensorDriver):
    """Opens Acme depth cameras. 1209:0002 is one of the ids that pid.codes keeps for tests and prototypes."""

    name = "acme-depthcam"
    matches: Sequence[UsbMatch] = (UsbMatch(0x1209, 0x0002, "Acme depth camera"),)

    def open(self, device: object, address: SensorAddress, *, timeout_s: float = 5.0) -> Sensor:
        """Take the device, and put the corrections around it. Raises: DeviceError."""
        return AcmeSensor(UvcDriver().open(device, address, timeout_s=timeout_s))


class AcmeSensor(Sensor):
    """An open Acme depth camera."""

    def __init__(self, inner: Sensor) -> None:
        self._inner = inner
        self.info = inner.info
        self.claim = inner.claim

    def set_exposure(self, exposure_us: int, gain: float = 1.0, *, timeout_s: float = 1.0) -> None:
        """At most 4 ms; what is missing comes from gain, as far as that is linear."""
        if exposure_us > EXPOSURE_MAX_US:
            gain = max(gain, min(GAIN_MAX, gain * exposure_us / EXPOSURE_MAX_US))
            exposure_us = EXPOSURE_MAX_US
        self._inner.set_exposure(exposure_us, gain, timeout_s=timeout_s)

    def indicate(self, prompt: Prompt, *, timeout_s: float = 1.0) -> None:
        """Show the person a prompt, in the words of this camera."""
        self._inner.indicate(_VIEWERS.get(prompt, prompt), timeout_s=timeout_s)

    def start(self, profile: StreamProfile, schedule: IlluminationSchedule, *, timeout_s: float = 5.0) -> None:
        """Begin with slot 0."""
        self._inner.start(profile, schedule, timeout_s=timeout_s)

    def read_slot(self, *, timeout_s: float = 2.0) -> Slot:
        """The next slot, in order."""
        return self._inner.read_slot(timeout_s=timeout_s)

    def health(self, *, timeout_s: float = 1.0) -> Health:
        """The sensor's own report."""
        return self._inner.health(timeout_s=timeout_s)

    def stop(self, *, timeout_s: float = 2.0) -> None:
        """End streaming."""
        self._inner.stop(timeout_s=timeout_s)

    def attest(self, claim: CaptureClaim, *, timeout_s: float = 2.0) -> SensorEvidence | None:
        """What the camera signs of the capture: it is our protocol's, so the UVC driver has verified it."""
        return self._inner.attest(claim, timeout_s=timeout_s)

    def cancel(self) -> None:
        """From any thread: end every read."""
        self._inner.cancel()

    def close(self) -> None:
        """Give the sensor back."""
        self._inner.close()
