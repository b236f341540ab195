"""One capture and its verdict: what comes before what; and a recording, which is judged the same and gives nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from faceward.capture.plan import CapturePlan, make_plan
from faceward.enrollment import enroll
from faceward.errors import CaptureRejected, ConfigError, DeviceLost
from faceward.face.models import ModelFiles
from faceward.hal.recording import RecordingWriter, ReplaySensor
from faceward.host import Host
from faceward.judgement import judge, judge_recording
from faceward.liveness.worker import GateAnswer, GateWorker
from faceward.model.frame import IlluminationSchedule, Prompt, SensorInfo, Slot
from faceward.model.liveness import Evidence, Outcome, Requirements

Desk = Any


class ToldGate:
    """A gate that needs nothing, as the caller's process knows it."""

    name, version, distribution = "told", "1", "told-gates 1.0"

    def requirements(self, sensor: object) -> Requirements:
        return Requirements()


class ToldWorker:
    """Notes what it is asked, in the order of `steps`."""

    def __init__(self, steps: list[Any]) -> None:
        self._steps = steps
        self.seen_digests = frozenset({bytes(32)})

    @property
    def gates(self) -> tuple[ToldGate, ...]:
        self._steps.append("gates")
        return (ToldGate(),)

    def open(self, info: object, schedule: object) -> None:
        self._steps.append(("open", schedule))

    def conclude(self) -> tuple[GateAnswer, ...]:
        self._steps.append("conclude")
        evidence = Evidence(Outcome.LIVE, "told", "it was told so", (), 1.0, self.seen_digests)
        return (GateAnswer("told", evidence),)


@pytest.fixture
def steps(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What `judge` does, with the capture told by the desk."""
    done: list[Any] = []

    def run_capture(sensor: Any, plan: Any, analysis: Any, observer: Any, **options: Any) -> Any:
        done.append(("capture", plan.schedule))
        told = desk.captures.pop(0)
        if isinstance(told, BaseException):
            raise told
        return told.capture

    monkeypatch.setattr("faceward.judgement.run_capture", run_capture)
    monkeypatch.setattr("faceward.judgement.FaceAnalysis", lambda models, info: None)
    return done


def judged(desk: Desk, steps: list[Any], nonce: bytes | None = None) -> Any:
    policy = replace(desk.host.policy, gates=(replace(desk.host.policy.gates[0], name="told"),))
    sensor = desk.open_sensor("usb:", ())
    return judge(policy, desk.host.models, sensor, ToldWorker(steps), purpose="enroll", nonce=nonce)


def test_gates_conclude_only_when_the_capture_is_over(desk: Desk, steps: list[Any]) -> None:
    desk.tell()
    told = desk.captures[0]

    found = judged(desk, steps)

    assert [step if isinstance(step, str) else step[0] for step in steps] == ["gates", "open", "capture", "conclude"]
    assert found.capture is told.capture
    assert found.verdict.outcome is Outcome.LIVE


def test_gates_are_told_the_schedule_that_the_sensor_gets_and_no_two_captures_have_one(
    desk: Desk, steps: list[Any]
) -> None:
    desk.tell(times=2)
    judged(desk, steps)
    judged(desk, steps)

    opened = [step[1] for step in steps if step[0] == "open"]
    captured = [step[1] for step in steps if step[0] == "capture"]
    assert [a is b for a, b in zip(opened, captured, strict=True)] == [True, True]
    assert len({schedule.nonce for schedule in captured}) == len({schedule.slots for schedule in captured}) == 2
    assert all(len(schedule.nonce) >= 16 for schedule in captured)


def test_a_nonce_that_is_given_is_taken_and_an_empty_one_is_none(desk: Desk, steps: list[Any]) -> None:
    desk.tell(times=2)
    judged(desk, steps, nonce=b"q" * 16)
    judged(desk, steps, nonce=b"")
    first, second = (step[1].nonce for step in steps if step[0] == "capture")
    assert first == b"q" * 16
    assert len(second) == 16 and second != first


def test_an_incomplete_capture_is_judged_too(desk: Desk, steps: list[Any]) -> None:
    desk.tell(complete=False)
    found = judged(desk, steps)
    assert not found.capture.complete
    assert steps[-1] == "conclude"


def test_a_capture_that_breaks_gets_no_verdict(desk: Desk, steps: list[Any]) -> None:
    desk.captures = [DeviceLost("unplugged")]
    with pytest.raises(DeviceLost):
        judged(desk, steps)
    assert steps[-1] != "conclude"


class Recording:
    """As much of a replay as is needed to judge one without frames."""

    def __init__(self, desk: Desk) -> None:
        self.info, self.schedule = desk.info, None

    def slots(self) -> Any:
        return iter(())


def test_a_policy_that_evaluates_no_recordings_starts_no_gate(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    monkeypatch.setattr("faceward.judgement.GateWorker", started.append)
    policy = replace(desk.host.policy, evaluate_transports=frozenset({"usb"}))
    with pytest.raises(ConfigError, match="replay"):
        judge_recording(policy, desk.host.models, Recording(desk))
    assert started == []


class LateRecorder:
    """Begins to write with the first slot: only then is there a plan, and with it the schedule to write."""

    def __init__(self, path: Path, info: SensorInfo, plans: list[CapturePlan]) -> None:
        self._path, self._info, self._plans = path, info, plans
        self.writer: RecordingWriter | None = None

    def _writer(self) -> RecordingWriter:
        if self.writer is None:
            self.writer = RecordingWriter(self._path, self._info, self._plans[-1].schedule, simulated=True)
        return self.writer

    def write_slot(self, slot: Slot) -> None:
        self._writer().write_slot(slot)

    def write_prompt(self, prompt: Prompt, device_time_us: int) -> None:
        self._writer().write_prompt(prompt, device_time_us)


@pytest.mark.e2e
def test_a_recording_is_judged_as_the_capture_was_and_never_enrolls(
    host_before: Callable[..., Host],
    models: ModelFiles,
    seed: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plans: list[CapturePlan] = []

    def keep_plan(*args: Any, **options: Any) -> CapturePlan:
        plans.append(make_plan(*args, **options))
        return plans[-1]

    monkeypatch.setattr("faceward.judgement.make_plan", keep_plan)
    host = host_before("live", seed)
    path = tmp_path / "one.mcap"
    with GateWorker(host.policy) as worker:
        worker.start()
        with host.open_sensor("usb:") as sensor:
            recorder = LateRecorder(path, sensor.info, plans)
            live = judge(host.policy, models, sensor, worker, purpose="verify", record=recorder)
    assert recorder.writer is not None
    recorder.writer.finish()

    with ReplaySensor(path) as replay:
        again = judge_recording(host.policy, models, replay)

    assert live.verdict.outcome is again.outcome is Outcome.LIVE
    cues = {(each.gate, each.evidence.cue) for each in live.verdict.results}
    assert {(each.gate, each.evidence.cue) for each in again.results} == cues
    with pytest.raises(ConfigError):
        enroll(host, "alice", f"replay:{path}")
    assert host.templates.list() == ()
    assert host.audit.entries() == ()


def test_a_recording_without_frames_is_rejected(desk: Desk, models: ModelFiles) -> None:
    camera = replace(desk.info.calibration, black_level_counts=64.0, saturation_counts=1023.0)
    recording = Recording(desk)
    recording.info = replace(desk.info, calibration=camera)
    recording.schedule = IlluminationSchedule(bytes(16), bytes([1, 2, 0] * 10))
    with pytest.raises(CaptureRejected) as refused:
        judge_recording(desk.host.policy, models, recording)
    assert refused.value.reason == "no-frames"
