"""One face for the gates, another for the template: key frames exchanged once the verdict is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from faceward import enrollment
from faceward.enrollment import enroll
from faceward.errors import CaptureRejected, LivenessInconclusive
from faceward.host import Host
from faceward.judgement import Judged
from faceward.judgement import judge as real_judge
from faceward.model.frame import digest_of

from tests.attacks.records import Enrolled, record_of


def _painted(capture: Any) -> Any:
    """The capture with other pixels in its first key frame, and the digest that these have."""
    key = capture.key_frames[0]
    data = memoryview(np.zeros(len(key.flood.data) // 2, np.uint16).tobytes())
    flood = replace(key.flood, data=data, digest=digest_of(data))
    return replace(capture, key_frames=(replace(key, flood=flood), *capture.key_frames[1:]))


def _painted_over(capture: Any) -> Any:
    """The same with the digest of the frame that was judged."""
    key = capture.key_frames[0]
    flood = replace(key.flood, data=memoryview(bytes(len(key.flood.data))))
    return replace(capture, key_frames=(replace(key, flood=flood), *capture.key_frames[1:]))


@pytest.mark.e2e
def test_a_key_frame_that_no_gate_judged_makes_no_template(
    host_before: Callable[..., Host], keeps_the_promise: Callable[..., None], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the digest of what it shows, or under the one that was judged: after one and the same capture."""
    captured: list[Judged] = []
    exchanges = {_painted: "did not judge the key frame", _painted_over: "not what was judged"}

    def judge(exchange: Callable[[Any], Any], *args: Any, **options: Any) -> Judged:
        if not captured or not captured[-1].capture.complete:
            captured.append(real_judge(*args, **options))
        judged = captured[-1]
        return replace(judged, capture=exchange(judged.capture)) if judged.capture.complete else judged

    host = host_before("live", seed)
    rejected = []
    for exchange, words in exchanges.items():
        monkeypatch.setattr(enrollment, "judge", partial(judge, exchange))
        with pytest.raises(LivenessInconclusive, match=words):
            try:
                enroll(host, "mallory", retries=False)
            except CaptureRejected:  # about one living capture in 170 (simulated) is over before there is one to exchange
                rejected = ["rejected"]
                enroll(host, "mallory", retries=False)
    keeps_the_promise(host, attempts=[*rejected, "inconclusive", "inconclusive"], grants=2 + len(rejected))


def test_with_the_hosts_key_too_a_record_names_no_frame_that_the_sensor_did_not_sign(enrolled: Enrolled) -> None:
    record = record_of(enrolled.alice.envelope)
    record.poses[0].flood_digest = digest_of(b"a painted frame")
    assert enrolled.verdict(enrolled.sealed(record)) == "untrusted-sensor"
