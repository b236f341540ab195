"""The depth of one face under the infrared of another: on the cable, or in a sensor that somebody built."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from faceward.enrollment import enroll
from faceward.errors import CaptureRejected, DeviceNotAttested, EnrollmentRefused, NotLive, VerificationError
from faceward.host import Host
from faceward.model.template import Attestation
from faceward.signing.sealing import host_trust, unseal
from faceward_sim.faults import Fault, inject
from faceward_sim.firmware.descriptors import DEPTH_ENDPOINT
from faceward_sim.firmware.device import Firmware
from faceward_sim.firmware.imager import Exposure, Imager, SlotImage
from faceward_sim.firmware.payload import HEADER_BYTES, WireFrame
from faceward_sim.rig import build_firmware


class OtherDepth(Fault):
    """On the cable: each depth frame's pixels are moved by a little, which is another face's relief as good as any."""

    def frames(self, slot: int, frames: tuple[WireFrame, ...]) -> tuple[WireFrame, ...]:
        for frame in frames:
            if frame.endpoint == DEPTH_ENDPOINT:
                for payload in frame.payloads:
                    body = bytes(payload[HEADER_BYTES:])
                    payload[HEADER_BYTES:] = body[2:] + body[:2]
        return frames


class Mixed:
    """In the sensor: infrared as one imager sees it, depth as the other does."""

    def __init__(self, infrared: Imager, depth: Imager) -> None:
        self.identity, self.calibration = infrared.identity, infrared.calibration
        self._infrared, self._depth = infrared, depth

    def expose(self, exposure: Exposure) -> SlotImage:
        seen = self._infrared.expose(exposure)
        other = self._depth.expose(exposure).depth
        return seen if seen.depth is None or other is None else replace(seen, depth=other)


def mixed(infrared: str, depth: str, seed: int) -> Firmware:
    """A sensor without attestation: whoever builds this has no vendor's certificate."""
    firmware = build_firmware("sl-940", infrared, seed, provision=None)
    firmware.imager = Mixed(firmware.imager, build_firmware("sl-940", depth, seed + 1).imager)
    return firmware


def test_on_the_cable_the_depth_frames_tag_is_wrong(
    host_before: Callable[..., Host], keeps_the_promise: Callable[..., None]
) -> None:
    host = host_before(firmware=inject(build_firmware("sl-940", "live", 7), OtherDepth()))
    with pytest.raises(DeviceNotAttested, match="the depth frame has a tag"):
        enroll(host, "mallory")
    keeps_the_promise(host, attempts=["failed"])


@pytest.mark.e2e
def test_a_prints_infrared_is_not_saved_by_a_living_depth(
    host_before: Callable[..., Host],
    takes_unattested: Callable[[Host], Host],
    keeps_the_promise: Callable[..., None],
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    host = takes_unattested(host_before(firmware=mixed("print-a4", "live", seed)))
    with pytest.raises((NotLive, CaptureRejected)) as refused:
        enroll(host, "mallory", retries=False)
    found = refused.value.code
    if refused.type is NotLive:
        found = ", ".join(f"{each.gate}: {each.evidence.cue}" for each in refused.value.verdict.deciding)
    record_property("found", f"a print under living depth: {found}")
    keeps_the_promise(host, attempts=["not-live" if refused.type is NotLive else "rejected"])


@pytest.mark.e2e
def test_two_living_faces_mixed_by_a_sensor_that_proves_nothing_are_trusted_by_no_lock(
    host_before: Callable[..., Host],
    takes_unattested: Callable[[Host], Host],
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    host = takes_unattested(host_before(firmware=mixed("live", "live", seed)))
    try:
        made = enroll(host, "mallory", retries=False)
    except (EnrollmentRefused, CaptureRejected) as refused:
        record_property("found", f"infrared of one living face, depth of another: {refused.code}")
        assert host.templates.list() == ()
        return
    record_property("miss", "infrared of one living face, depth of another: alive to every gate, trusted by no lock")
    assert made.record.sensor.attestation is Attestation.NONE
    with pytest.raises(VerificationError) as caught:
        unseal(made.envelope, host_trust(host.signer, "development", "workbench", simulated=True), now_s=time.time())
    assert caught.value.kind == "untrusted-sensor"
