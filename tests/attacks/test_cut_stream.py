"""The stream is made black, loses one of its halves, or is lit otherwise than was ordered."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from faceward.enrollment import enroll
from faceward.errors import CaptureRejected, DeviceError, DeviceNotAttested, DeviceProtocolError, DeviceTimeout, NotLive
from faceward.host import Host
from faceward_sim.faults import inject
from faceward_sim.firmware.payload import WireFrame
from faceward_sim.rig import build_firmware

from tests.attacks.cable import Meddling, black

# In a payload's header (docs/protocol.md).
_LIGHT_AT, _EXPOSURE_AT = 17, 36


def _relit(frame: WireFrame) -> None:
    """Says dots where it was flood, and flood where it was anything else: no slot keeps its light."""
    for payload in frame.payloads:
        payload[_LIGHT_AT] = 2 if payload[_LIGHT_AT] == 1 else 1


def _longer(frame: WireFrame) -> None:
    """Says that it was exposed for longer, as if the face were darker."""
    for payload in frame.payloads:
        payload[_EXPOSURE_AT] ^= 1


@pytest.mark.parametrize("slot", [0, 7])
@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (black, DeviceNotAttested, "has a tag that is not the session's"),
        (_longer, DeviceNotAttested, "has a tag that is not the session's"),
        (_relit, DeviceProtocolError, "the schedule says"),
    ],
    ids=["black", "exposure", "relit"],
)
def test_a_frame_that_is_changed_on_the_cable_is_no_frame(
    host_before: Callable[..., Host],
    keeps_the_promise: Callable[..., None],
    change: Callable[[WireFrame], None],
    error: type[DeviceError],
    words: str,
    slot: int,
) -> None:
    host = host_before(firmware=inject(build_firmware("sl-940", "live", 7), Meddling(slot, change)))

    with pytest.raises(error, match=rf"slot {slot}: the (infrared|depth) frame .*{words}"):
        enroll(host, "mallory")

    keeps_the_promise(host, attempts=["failed"])


@pytest.mark.parametrize("fault", ["silent:6", "silent-depth:6"])
def test_a_stream_that_ends_is_a_timeout(
    host_before: Callable[..., Host], keeps_the_promise: Callable[..., None], fault: str
) -> None:
    host = host_before("live", 7, faults=[fault])

    with pytest.raises(DeviceTimeout):
        enroll(host, "mallory")

    keeps_the_promise(host, attempts=["failed"])


@pytest.mark.e2e
@pytest.mark.parametrize("provision", ["attested", "unattested"])
def test_light_that_does_not_follow_the_schedule_never_makes_a_template(
    host_before: Callable[..., Host],
    takes_unattested: Callable[[Host], Host],
    keeps_the_promise: Callable[..., None],
    seed: int,
    provision: str,
    record_property: Callable[[str, object], None],
) -> None:
    options = {"provision": None} if provision == "unattested" else {}
    firmware = build_firmware("sl-940", "live", seed, **options)
    host = takes_unattested(host_before(firmware=firmware, faults=["alternation-slip:0"]))

    # With the light wrong, the face may also be lost before there is anything to judge.
    with pytest.raises((NotLive, CaptureRejected, DeviceError)) as refused:
        enroll(host, "mallory", retries=False)

    found = refused.value.code
    if refused.type is NotLive:
        cues = {(each.gate, each.evidence.cue) for each in refused.value.verdict.deciding}
        assert ("challenge-echo", "light off schedule") in cues
        found = ", ".join(map(": ".join, sorted(cues)))
    record_property("found", f"light off schedule, {provision}: {found}")
    ended = {NotLive: "not-live", CaptureRejected: "rejected"}.get(refused.type, "failed")
    keeps_the_promise(host, attempts=[ended])
