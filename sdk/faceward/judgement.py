"""One capture and its verdict; or the verdict over a recording, from which nothing can follow."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from faceward.capture.events import EventHandler
from faceward.capture.plan import Purpose, make_plan
from faceward.capture.run import Recorder, run_capture
from faceward.capture.sets import frame_sets
from faceward.config import Policy
from faceward.errors import CaptureRejected, ConfigError
from faceward.face.analysis import FaceAnalysis
from faceward.face.models import ModelFiles
from faceward.hal.sensor import Sensor
from faceward.liveness.evaluate import decide
from faceward.liveness.worker import GateWorker
from faceward.model.capture import Capture
from faceward.model.liveness import LivenessVerdict

if TYPE_CHECKING:
    from faceward.hal.recording import ReplaySensor


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A capture with the verdict of every gate over it."""

    capture: Capture
    verdict: LivenessVerdict


def judge(
    policy: Policy,
    models: ModelFiles,
    sensor: Sensor,
    worker: GateWorker,
    *,
    purpose: Purpose,
    nonce: bytes | None = None,
    on_event: EventHandler | None = None,
    record: Recorder | None = None,
    grant_digest: bytes = b"",
) -> Judged:
    """Run one capture on an open sensor and let every gate judge it, an incomplete one too.

    1. `worker`, started before the sensor opened, has loaded the gates; they say what they need.
    2. The plan is drawn from a fresh nonce. (Whoever gives one measures gates: a capture under a nonce that was known
       before proves nothing, so enrollment and verification give none.)
    3. The gates open with the schedule that the sensor gets.
    4. The capture fixes its key frames, and an attested sensor signs them with `grant_digest` (SHA-256 of the grant that
       permits the capture, empty where none is needed).
    5. Only then do the gates conclude, and the loop decides.

    Raises: PluginError, ConfigError, DeviceError, CaptureCancelled.
    """
    # 1
    gates = worker.gates
    # 2
    plan = make_plan(gates, sensor.info, nonce=nonce or secrets.token_bytes(16), purpose=purpose)
    # 3
    worker.open(sensor.info, plan.schedule)
    # 4
    analysis = FaceAnalysis(models, sensor.info)
    capture = run_capture(sensor, plan, analysis, worker, on_event=on_event, record=record, grant_digest=grant_digest)
    # 5
    verdict = decide(policy, gates, worker.conclude(), worker.seen_digests)
    return Judged(capture, verdict)


def judge_recording(policy: Policy, models: ModelFiles, replay: ReplaySensor) -> LivenessVerdict:
    """Let every gate judge a recording. No template can follow: there is no Capture in what this returns.

    Raises: ConfigError (a policy that evaluates no recordings), PluginError, DeviceError, CaptureRejected (no frames).
    """
    if "replay" not in policy.evaluate_transports:
        raise ConfigError("transports.evaluate does not allow 'replay'")
    with GateWorker(policy) as worker:
        worker.start()
        gates = worker.gates
        for gate in gates:
            gate.requirements(replay.info)
        worker.open(replay.info, replay.schedule)
        analysis = FaceAnalysis(models, replay.info)
        analysis.begin()
        shown = 0
        for frame_set in frame_sets(replay.slots()):
            worker.observe(frame_set, analysis.observe(frame_set))
            shown += 1
        if not shown:
            raise CaptureRejected("the recording holds no frames", "no-frames")
        return decide(policy, gates, worker.conclude(), worker.seen_digests)

