"""What was filmed before is shown again: verbatim, relabelled in the sensor, or sorted into this capture's schedule."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from faceward.enrollment import enroll
from faceward.errors import (
    DeviceNotAttested,
    DeviceProtocolError,
    EnrollmentRefused,
    NotLive,
    VerificationError,
)
from faceward.host import Host
from faceward.model.template import Attestation
from faceward.signing.sealing import host_trust, unseal
from faceward_sim.faults import inject
from faceward_sim.firmware.imager import Exposure, Illumination, Imager, SlotImage
from faceward_sim.rig import build_firmware

from tests.attacks.cable import Film, Sorted

_FILMED_SLOTS = 12


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
    film = Film(_FILMED_SLOTS)
    host = host_before(firmware=inject(build_firmware("sl-940", "live", seed), film))

    def until_filmed(event: object) -> None:
        if film.complete:
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


@pytest.mark.e2e
def test_a_film_that_is_sorted_into_the_schedule_has_not_the_sessions_tags(
    host_before: Callable[..., Host], keeps_the_promise: Callable[..., None], seed: int
) -> None:
    film = Sorted(30)
    host = host_before(firmware=inject(build_firmware("sl-940", "live", seed), film))

    def until_filmed(event: object) -> None:
        if film.complete:
            raise _Enough

    with pytest.raises(_Enough):
        enroll(host, "victim", on_event=until_filmed)
    film.show()

    with pytest.raises(DeviceNotAttested, match=r"slot 0: the (infrared|depth) frame has a tag that is not the session's"):
        enroll(host, "mallory")

    keeps_the_promise(host, attempts=["failed", "failed"], grants=2)


@pytest.mark.e2e
def test_what_a_sorted_film_gets_out_of_a_sensor_that_proves_nothing_is_trusted_by_no_lock(
    host_before: Callable[..., Host],
    takes_unattested: Callable[[Host], Host],
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    film = Sorted(400)
    firmware = inject(build_firmware("sl-940", "live", seed, provision=None), film)
    host = takes_unattested(host_before(firmware=firmware))
    enroll(host, "victim")
    film.show()

    try:
        made = enroll(host, "mallory", retries=False)
    except EnrollmentRefused as refused:
        record_property("found", f"sorted film without attestation: {refused.code}")
        assert [stored.subject for stored in host.templates.list()] == ["victim"]
        return
    record_property("miss", "sorted film without attestation: taken for alive by every gate, trusted by no lock")
    assert made.record.sensor.attestation is Attestation.NONE
    with pytest.raises(VerificationError) as caught:
        unseal(made.envelope, host_trust(host.signer, "development", "workbench", simulated=True), now_s=time.time())
    assert caught.value.kind == "untrusted-sensor"
