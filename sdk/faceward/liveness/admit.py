"""The one door from a judged capture to a template."""

from __future__ import annotations

from dataclasses import dataclass

from faceward.errors import CaptureRejected, LivenessInconclusive, NotLive
from faceward.model.capture import Capture
from faceward.model.frame import digest_of
from faceward.model.liveness import LivenessVerdict, Outcome

_DOOR = object()


@dataclass(frozen=True, slots=True, eq=False, init=False)
class LiveCapture:
    """A capture that every gate found alive. Only `admit` makes one, and only this can be extracted."""

    capture: Capture
    verdict: LivenessVerdict

    def __init__(self, capture: Capture, verdict: LivenessVerdict, door: object) -> None:
        if door is not _DOOR:
            raise TypeError("a LiveCapture comes from faceward.liveness.admit.admit() alone")
        object.__setattr__(self, "capture", capture)
        object.__setattr__(self, "verdict", verdict)


def admit(capture: Capture, verdict: LivenessVerdict) -> LiveCapture:
    """Let a capture through, or raise.

    1. One gate that answered NOT_LIVE refuses, however far the capture came.
    2. An incomplete capture, or one without key frames, refuses.
    3. A verdict without results, or in which any gate answered other than LIVE, refuses (whatever `outcome` says).
    4. Every key frame's flood and depth must be among the digests that each gate says it covered.
    5. Their pixels still are those that were digested.

    Raises: NotLive, LivenessInconclusive, CaptureRejected.
    """
    if any(result.evidence.outcome is Outcome.NOT_LIVE for result in verdict.results):
        raise NotLive("this is not a living face", verdict)
    if not capture.complete or not capture.key_frames:
        raise CaptureRejected("the capture did not reach every pose", capture.rejection or "incomplete")
    if not verdict.results or verdict.outcome is not Outcome.LIVE:
        raise LivenessInconclusive("no gate's answer, or not every gate's, says that this is a living face", verdict)
    for result in verdict.results:
        if result.evidence.outcome is not Outcome.LIVE:
            raise LivenessInconclusive(f"gate {result.gate} did not find a living face", verdict)
    for key_frame in capture.key_frames:
        frames = [frame for frame in (key_frame.flood, key_frame.depth) if frame is not None]
        needed = {frame.digest for frame in frames}
        for result in verdict.results:
            if not needed <= result.evidence.covered:
                raise LivenessInconclusive(
                    f"gate {result.gate} did not judge the key frame of pose {key_frame.pose}", verdict
                )
        if any(digest_of(frame.data) != frame.digest for frame in frames):
            raise LivenessInconclusive(f"the key frame of pose {key_frame.pose} is not what was judged", verdict)
    return LiveCapture(capture, verdict, _DOOR)
