"""The order of a verification's steps: the record first, then life, then likeness."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from faceward.enrollment import enroll
from faceward.errors import (
    CaptureRejected,
    DeviceLost,
    LivenessInconclusive,
    NoMatch,
    NotLive,
    SubjectUnknown,
    VerificationError,
)
from faceward.model.liveness import Outcome
from faceward.verification import stored_record, verify

Desk = Any


@pytest.fixture
def enrolled(desk: Desk) -> Desk:
    desk.tell()
    enroll(desk.host, "alice")
    desk.steps.clear()
    desk.purposes.clear()
    return desk


def test_the_enrolled_face_is_accepted_with_its_score(enrolled: Desk) -> None:
    enrolled.tell()
    enrolled.extractor.score = 0.5

    accepted = verify(enrolled.host, "alice", "usb:1209:0001")

    assert (accepted.subject, accepted.score, accepted.threshold) == ("alice", 0.5, 0.5)
    assert accepted.record.record_id == stored_record(enrolled.host, "alice").record_id
    assert accepted.verdict.outcome is Outcome.LIVE
    assert enrolled.purposes == ["verify"]
    assert enrolled.steps == ["worker", "open usb:1209:0001", "capture", "sensor closed", "worker closed"]


@pytest.mark.parametrize("score", [0.4999, -1.0, math.nan])
def test_a_score_below_the_threshold_or_no_number_is_no_match(enrolled: Desk, score: float) -> None:
    enrolled.tell()
    enrolled.extractor.score = score
    with pytest.raises(NoMatch) as refused:
        verify(enrolled.host, "alice")
    assert refused.value.threshold == 0.5
    assert refused.value.score == score or math.isnan(score)


@pytest.mark.parametrize(("limit", "accepts"), [(0.7, False), (0.6, True), (0.0, True)])
def test_the_policy_s_threshold_counts_before_the_extractor_s(enrolled: Desk, limit: float, accepts: bool) -> None:
    enrolled.tell()
    enrolled.extractor.score = 0.65 if limit else 0.1
    host = replace(enrolled.host, policy=replace(enrolled.host.policy, match_threshold=limit))
    if accepts:
        assert verify(host, "alice").threshold == limit
    else:
        with pytest.raises(NoMatch):
            verify(host, "alice")


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({"outcome": Outcome.NOT_LIVE}, NotLive),
        ({"outcome": Outcome.INCONCLUSIVE}, LivenessInconclusive),
        ({"complete": False}, CaptureRejected),
        ({"covered": False}, LivenessInconclusive),
    ],
)
def test_a_mask_of_the_right_face_is_refused_before_anything_is_compared(
    enrolled: Desk, told: dict[str, Any], error: type[Exception]
) -> None:
    enrolled.tell(**{"outcome": Outcome.LIVE, **told})
    with pytest.raises(error):
        verify(enrolled.host, "alice")
    assert enrolled.extractor.compared == 0


def test_an_unknown_name_opens_no_sensor(enrolled: Desk) -> None:
    with pytest.raises(SubjectUnknown):
        verify(enrolled.host, "bob")
    assert enrolled.steps == []


def test_a_record_that_has_expired_opens_no_sensor(enrolled: Desk) -> None:
    late = replace(enrolled.host, clock=lambda: enrolled.host.clock() + 366 * 86_400)
    with pytest.raises(VerificationError) as refused:
        verify(late, "alice")
    assert refused.value.kind == "expired"
    assert enrolled.steps == []


def test_a_record_of_another_lock_group_opens_no_sensor(enrolled: Desk) -> None:
    policy = enrolled.host.policy
    moved = replace(enrolled.host, policy=replace(policy, records=replace(policy.records, lock_group="vault")))
    with pytest.raises(VerificationError):
        verify(moved, "alice")
    assert enrolled.steps == []


def test_a_record_that_stands_under_another_s_name_is_refused(enrolled: Desk) -> None:
    host = enrolled.host
    stored = host.templates.get("alice")
    host.templates.remove("alice")
    host.templates.add("bob", stored.envelope, record_id=stored.record_id, stored_at_s=stored.stored_at_s)
    with pytest.raises(VerificationError):
        verify(host, "bob")
    assert enrolled.steps == []


def test_sensor_and_gates_are_given_back_when_the_capture_breaks(enrolled: Desk) -> None:
    enrolled.captures = [DeviceLost("unplugged")]
    with pytest.raises(DeviceLost):
        verify(enrolled.host, "alice")
    assert enrolled.steps[-2:] == ["sensor closed", "worker closed"]
