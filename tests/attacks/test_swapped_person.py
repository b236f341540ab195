"""Somebody else takes the place between two poses: one face for the gates, another for the template."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from faceward.enrollment import enroll
from faceward.errors import CaptureRejected, LivenessInconclusive, NotLive
from faceward.host import Host
from faceward.model.liveness import Outcome
from faceward_sim.firmware.device import Firmware
from faceward_sim.firmware.imager import Prompt
from faceward_sim.optics.sensors import SENSORS
from faceward_sim.world.actors import ACTORS
from faceward_sim.world.instruments import victim_seed
from faceward_sim.world.surface import SceneState


class Swap:
    """One living person until a prompt is shown for the first time, and from then on another at the same place."""

    name = "swap"
    species = "live"

    def __init__(self, seed: int, at_prompt: Prompt, distance_mm: float) -> None:
        self._first = ACTORS["live"].build(seed, distance_mm=distance_mm)
        self._second = ACTORS["live"].build(victim_seed(seed), distance_mm=distance_mm)
        self._at_prompt = at_prompt
        self.swapped = False

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        self.swapped |= prompt is self._at_prompt
        # Both live through the same time and prompts, so that the second is in the pose that the first would be in.
        scenes = self._first.at(time_us, prompt), self._second.at(time_us, prompt)
        return scenes[self.swapped]


# Late in the capture, when few looks at the second person are left.
AT_PROMPT = Prompt.LOOK_DOWN


@pytest.mark.e2e
def test_a_person_who_is_swapped_between_poses_is_refused(
    host_before: Callable[..., Host],
    keeps_the_promise: Callable[..., None],
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    actor = Swap(seed, AT_PROMPT, 400.0)
    host = host_before(firmware=Firmware(SENSORS["sl-940"].build(actor, seed)))

    with pytest.raises((NotLive, LivenessInconclusive, CaptureRejected)) as refused:
        enroll(host, "mallory", retries=False)

    assert actor.swapped
    results = {NotLive: "not-live", LivenessInconclusive: "inconclusive", CaptureRejected: "rejected"}
    keeps_the_promise(host, attempts=[results[refused.type]])
    entry = host.audit.entries()[-1]
    record_property("found", f"swap at {AT_PROMPT.name.lower()}: {refused.value.code}, {entry.details['cues']}")
    if refused.type is CaptureRejected:
        assert refused.value.reason == "track-lost"
    else:
        continuity = next(each for each in refused.value.verdict.results if each.gate == "continuity")
        assert continuity.evidence.outcome is not Outcome.LIVE
        assert continuity.evidence.cue in {"identity changed", "track jumped", "track lost"}
