"""A silicone mask that was matched to skin: one band can't tell it, and nothing here claims that it can."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from faceward.enrollment import enroll
from faceward.errors import CaptureRejected, LivenessInconclusive, NotLive
from faceward.host import Host


@pytest.mark.e2e
def test_a_matched_mask_ends_in_a_decision_and_what_it_gets_says_simulated(
    host_before: Callable[..., Host],
    keeps_the_promise: Callable[..., None],
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    host = host_before("mask-silicone-matched", seed, distance_mm=400.0)
    enrolled = False
    try:
        enrollment = enroll(host, "mallory", retries=False)
    except (NotLive, LivenessInconclusive, CaptureRejected) as error:
        result = {NotLive: "not-live", LivenessInconclusive: "inconclusive", CaptureRejected: "rejected"}
        keeps_the_promise(host, attempts=[result[type(error)]])
    else:
        enrolled = True
        assert enrollment.record.simulated
        assert host.templates.get(enrollment.subject).record_id == enrollment.record.record_id
    (entry,) = host.audit.entries()
    assert entry.details["attestation"] == "simulated"
    alive = entry.details["verdict"] == "live"
    record_property(
        "miss", f"a matched silicone mask: {'alive to every gate' if alive else 'not alive'}, {enrolled=} (simulated)"
    )
