"""A silicone mask that was matched to skin: one band can't tell it, and nothing here claims that it can."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from faceward.enrollment import enroll
from faceward.errors import CaptureRejected, LivenessInconclusive, NotLive
from faceward.host import Host

COUNT = 3


@pytest.mark.e2e
def test_a_matched_mask_ends_in_a_decision_and_what_it_gets_says_simulated(
    host_before: Callable[..., Host],
    keeps_the_promise: Callable[..., None],
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    accepted = taken_for_alive = 0
    for number in range(COUNT):
        host = host_before("mask-silicone-matched", seed + number, distance_mm=(300.0, 400.0, 500.0)[number % 3])
        try:
            enrollment = enroll(host, "mallory", retries=False)
        except (NotLive, LivenessInconclusive, CaptureRejected) as error:
            result = {NotLive: "not-live", LivenessInconclusive: "inconclusive", CaptureRejected: "rejected"}
            keeps_the_promise(host, attempts=[result[type(error)]])
        else:
            accepted += 1
            assert enrollment.record.simulated
            assert host.templates.get(enrollment.subject).record_id == enrollment.record.record_id
        (entry,) = host.audit.entries()
        assert entry.details["attestation"] == "simulated"
        taken_for_alive += entry.details["verdict"] == "live"
    record_property(
        "miss",
        f"matched silicone masks: {taken_for_alive} of {COUNT} alive to every gate, {accepted} enrolled (simulated)",
    )
