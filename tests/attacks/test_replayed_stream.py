"""A device that shows what was filmed before: verbatim, or relabelled so that every number is this capture's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from faceward.enrollment import enroll
from faceward.errors import DeviceProtocolError, NotLive
from faceward.host import Host
from faceward_sim.faults import Fault, inject
from faceward_sim.firmware.device import Firmware
from faceward_sim.firmware.imager import Exposure, Illumination, Imager, SlotImage
from faceward_sim.firmware.payload import WireFrame
from faceward_sim.rig import build_firmware

_FILMED_SLOTS = 12


class Film(Fault):
    """Keeps the first slots of the sensor's first stream, and sends them in place of every later stream's."""

    def __init__(self) -> None:
        self._film: list[tuple[WireFrame, ...]] = []
        self.showing = False

    def attach(self, firmware: Firmware) -> None:
        self._firmware = firmware

    def frames(self, slot: int, frames: tuple[WireFrame, ...]) -> tuple[WireFrame, ...]:
        if not self.showing:
            if slot == len(self._film) < _FILMED_SLOTS:
                self._film.append(_copies(frames, runs=None))
            return frames
        return _copies(self._film[slot], runs=self._firmware.stream_run) if slot < len(self._film) else ()


def _copies(frames: tuple[WireFrame, ...], runs: Callable[[int], int] | None) -> tuple[WireFrame, ...]:
    """Frames with bytes of their own, in the stream that runs now."""
    return tuple(
        WireFrame(
            frame.endpoint,
            [memoryview(bytearray(payload)) for payload in frame.payloads],
            frame.run if runs is None else runs(frame.endpoint),
        )
        for frame in frames
    )


class Relabelled:
    """An imager whose pictures follow the light of an older schedule; what is said of them follows the host's."""

    def __init__(self, imager: Imager, older: bytes) -> None:
        self.identity, self.calibration = imager.identity, imager.calibration
        self._imager, self._older = imager, older

    def expose(self, exposure: Exposure) -> SlotImage:
        lit = Illumination(self._older[exposure.slot % len(self._older)])
        filmed = self._imager.expose(replace(exposure, illumination=lit))
        if exposure.illumination is not Illumination.DOTS:
            return replace(filmed, depth=None)
        # Depth is sent wherever the host expects it, good depth of that moment even.
        depth = self._imager.expose(exposure).depth if filmed.depth is None else filmed.depth
        return replace(filmed, depth=depth)


def an_older_schedule() -> bytes:
    """Another nonce's order of the same light."""
    from faceward.capture.plan import draw_slots
    from faceward.model.frame import Illumination as Light

    rates = {Light.DOTS: 10, Light.FLOOD: 17, Light.OFF: 3}
    return bytes(draw_slots(b"yesterday's nonce", rates, 1800, 30.0))


class _Enough(Exception):
    """The film is long enough."""


@pytest.mark.e2e
def test_a_film_of_an_older_capture_is_of_another_configuration(
    host_before: Callable[..., Host], seed: int
) -> None:
    film = Film()
    host = host_before(firmware=inject(build_firmware("sl-940", "live", seed), film))

    def until_filmed(event: object) -> None:
        if len(film._film) == _FILMED_SLOTS:
            raise _Enough

    with pytest.raises(_Enough):
        enroll(host, "victim", on_event=until_filmed)
    film.showing = True

    with pytest.raises(DeviceProtocolError, match="another configuration than the host's"):
        enroll(host, "mallory")

    assert host.templates.list() == ()
    assert [entry.details["result"] for entry in host.audit.entries()] == ["failed", "failed"]


@pytest.mark.e2e
def test_a_relabelled_stream_is_refused_because_its_light_is_not_as_ordered(
    host_before: Callable[..., Host],
    keeps_the_promise: Callable[..., None],
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    firmware = build_firmware("sl-940", "live", seed)
    firmware.imager = Relabelled(firmware.imager, an_older_schedule())
    host = host_before(firmware=firmware)

    with pytest.raises(NotLive) as refused:
        enroll(host, "mallory", retries=False)

    found = {(result.gate, result.evidence.cue) for result in refused.value.verdict.deciding}
    record_property("found", f"relabelled stream: {', '.join(map(': '.join, sorted(found)))}")
    assert ("challenge-echo", "light off schedule") in found
    keeps_the_promise(host, attempts=["not-live"])
