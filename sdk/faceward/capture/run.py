"""One capture: the sensor's slots to face analysis, to the gates and to the key frames, with guidance on the way.

Thread: everything happens in the caller's. `sensor.cancel()` from another one ends it with CaptureCancelled. Memory:
the open frame set (eight slots at most) and one key frame a pose.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Protocol

from faceward.capture.dialogue import Dialogue
from faceward.capture.digest import CaptureDigest
from faceward.capture.events import (
    CaptureEnded,
    CaptureEvent,
    CaptureStarted,
    EventHandler,
    Guidance,
    Progress,
    StageDone,
    StageStarted,
)
from faceward.capture.exposure import AutoExposure
from faceward.capture.plan import CapturePlan
from faceward.capture.sets import SetAssembler
from faceward.errors import DeviceError, DeviceNotAttested, DeviceProtocolError
from faceward.face.analysis import FaceAnalysis, Look
from faceward.hal.sensor import Sensor
from faceward.model.capture import Capture, CaptureClaim, KeyFrame, SensorEvidence
from faceward.model.face import FaceObservation, FaceSighting, Pose
from faceward.model.frame import Frame, FrameSet, Illumination, Prompt, Slot, Stream

__all__ = ["CaptureEvent", "Observer", "Recorder", "run_capture"]

READ_TIMEOUT_S = 2.0
DEADLINE_S = 120.0  # wall clock; a schedule is shorter, so this catches a sensor whose clock stands still
_PROGRESS_STEP = 0.02


class Observer(Protocol):
    """Whoever sees each frame set once: the gates' worker."""

    def observe(self, frame_set: FrameSet, face: FaceObservation) -> None:
        """See the next frame set."""
        ...


class Recorder(Protocol):
    """Whoever keeps what was streamed: a recording."""

    def write_slot(self, slot: Slot) -> None:
        """Keep a slot."""
        ...

    def write_prompt(self, prompt: Prompt, device_time_us: int) -> None:
        """Keep what the person was told after that moment."""
        ...


def run_capture(
    sensor: Sensor,
    plan: CapturePlan,
    analysis: FaceAnalysis,
    observer: Observer,
    *,
    on_event: EventHandler | None = None,
    record: Recorder | None = None,
    deadline_s: float = DEADLINE_S,
    wall_clock: Callable[[], float] = time.monotonic,
    capture_id: str | None = None,
    grant_digest: bytes = b"",
) -> Capture:
    """Run one capture and fix its key frames.

    1. The sensor gets the plan's schedule and streams.
    2. Every slot is checked against the schedule, chained into the digest and looked at, once and in order.
    3. Every frame set goes to `observer` exactly once, the last one too, however the capture ends.
    4. The best frame of each pose is kept; what is kept when the last stage ends is what the template comes from.
    5. The sensor has stopped when this returns or raises.
    6. An attested sensor signs what it saw: the digest over every slot that was taken, the key frames of a complete
       capture (flood and then depth of each, in their order) and `grant_digest`, the SHA-256 of the grant. A capture
       that it does not confirm raises; one of a sensor without attestation has no evidence.

    A capture that a person spoils (no face, two faces, a lost track, a pose not reached) returns with `complete` False
    and `rejection` set, so that what was seen can still be judged.

    Raises: DeviceError (DeviceNotAttested among them), CaptureCancelled, ConfigError (the sensor refuses the plan), and
    whatever `observer`, `record` or `on_event` raise.
    """
    run = _Run(sensor, plan, analysis, observer, on_event or _ignore, record, capture_id or uuid.uuid4().hex)
    stop_by = wall_clock() + deadline_s
    try:
        sensor.start(plan.profile, plan.schedule)
        run.open()
        while not run.dialogue.finished:
            left_s = stop_by - wall_clock()
            if left_s <= 0.0:
                run.dialogue.run_out("deadline")
            elif run.slots >= len(plan.schedule.slots):
                run.dialogue.run_out("schedule-over")
            else:
                run.take(sensor.read_slot(timeout_s=min(READ_TIMEOUT_S, left_s)))
        run.close()
    except BaseException:
        _stop_quietly(sensor)
        raise
    sensor.stop()
    # 6
    return run.result(grant_digest)


class _Run:
    """The state of one capture."""

    def __init__(
        self,
        sensor: Sensor,
        plan: CapturePlan,
        analysis: FaceAnalysis,
        observer: Observer,
        tell: EventHandler,
        record: Recorder | None,
        capture_id: str,
    ) -> None:
        self.dialogue = Dialogue(plan)
        self.slots = 0
        self._sensor, self._plan, self._analysis, self._observer = sensor, plan, analysis, observer
        self._tell, self._record, self._capture_id = tell, record, capture_id
        self._digest = CaptureDigest(sensor.info, plan.schedule.nonce, plan.schedule_digest)
        self._exposure = AutoExposure(sensor.info.calibration)
        self._sets = SetAssembler()
        self._looks: list[Look] = []
        self._set_prompt, self._set_stage = Prompt.NONE, plan.stages[0].pose
        self._shown = Prompt.NONE
        self._depth: Frame | None = None
        self._best: dict[Pose, tuple[float, KeyFrame]] = {}
        self._told = 0.0
        self._first_us = self._last_us = 0

    def open(self) -> None:
        """Begin: exposure, the first prompt, the first events."""
        self._analysis.begin()
        self._sensor.set_exposure(self._exposure.start_us)
        self._tell(CaptureStarted(self._capture_id, tuple(stage.pose for stage in self._plan.stages)))
        self._tell(StageStarted(self.dialogue.stage.pose, self.dialogue.stage.prompt))
        self._show(self.dialogue.prompt)
        self._set_prompt = self._shown

    def take(self, slot: Slot) -> None:
        """One slot, from the check to the guidance."""
        infrared = self._checked(slot)
        self._digest.add(slot)
        if self._record is not None:
            self._record.write_slot(slot)
        if self.slots == 0:
            self._first_us = infrared.device_time_us
        self.slots += 1
        self._last_us = infrared.device_time_us
        self._emit(self._sets.add(slot))
        if slot.depth is not None:
            self._depth = slot.depth
        look = self._analysis.look(slot, self._depth)
        if look is None:
            return
        self._looks.append(look)
        self._guide(look, infrared)

    def close(self) -> None:
        """The last set, the last prompt."""
        self._emit(self._sets.close())
        self._show(Prompt.DONE if self.dialogue.rejection is None else Prompt.NONE)

    def result(self, grant_digest: bytes) -> Capture:
        """The finished capture, with the sensor's evidence of it."""
        key_frames = tuple(self._best[stage.pose][1] for stage in self._plan.stages if stage.pose in self._best)
        rejection = self.dialogue.rejection
        complete = rejection is None and len(key_frames) == len(self._plan.stages)
        digest = self._digest.close()
        evidence = self._attest(digest, key_frames if complete else (), grant_digest)
        self._tell(CaptureEnded(self._capture_id, complete, rejection))
        return Capture(
            capture_id=self._capture_id,
            sensor=self._sensor.info,
            nonce=self._plan.schedule.nonce,
            schedule_digest=self._plan.schedule_digest,
            digest=digest,
            slots=self.slots,
            seconds=(self._last_us - self._first_us) / 1e6,
            key_frames=key_frames,
            complete=complete,
            rejection=rejection,
            evidence=evidence,
        )

    def _attest(self, digest: bytes, key_frames: tuple[KeyFrame, ...], grant_digest: bytes) -> SensorEvidence | None:
        if self._sensor.claim is None or not self.slots:
            return None
        frames = [frame for key_frame in key_frames for frame in (key_frame.flood, key_frame.depth)]
        claim = CaptureClaim(
            nonce=self._plan.schedule.nonce,
            schedule_digest=self._plan.schedule_digest,
            capture_digest=digest,
            slots=self.slots,
            key_frames=tuple(frame.digest for frame in frames if frame is not None),
            grant_digest=grant_digest,
        )
        evidence = self._sensor.attest(claim)
        if evidence is None:
            raise DeviceNotAttested("the sensor claims to be attested and signs no capture")
        return evidence

    def _checked(self, slot: Slot) -> Frame:
        infrared = slot.infrared
        if infrared is None:
            raise DeviceProtocolError(f"slot {slot.number} came without infrared")
        if infrared.slot != self.slots:
            raise DeviceProtocolError(f"slot {infrared.slot} came where slot {self.slots} was due")
        planned = Illumination(self._plan.schedule.slots[self.slots])
        if infrared.illumination is not planned:
            raise DeviceProtocolError(
                f"slot {self.slots} was lit with {infrared.illumination.name.lower()} instead of {planned.name.lower()}"
            )
        return infrared

    def _guide(self, look: Look, flood: Frame) -> None:
        stage_before = self.dialogue.stage
        step = self.dialogue.see(look)
        if step.rank is not None and look.sighting is not None:
            self._keep(step.stage, step.rank, flood, look.sighting)
        if step.guidance_changed:
            self._tell(Guidance(self.dialogue.guidance))
        if step.stage_done:
            self._tell(StageDone(stage_before.pose))
        fraction = self.dialogue.fraction
        if fraction >= self._told + _PROGRESS_STEP or (fraction >= 1.0 > self._told):
            self._told = fraction
            self._tell(Progress(fraction))
        if self.dialogue.finished:
            return
        if step.stage_done:
            self._tell(StageStarted(self.dialogue.stage.pose, self.dialogue.stage.prompt))
        self._show(self.dialogue.prompt)
        exposure_us = self._exposure.see(flood.slot, flood.exposure_us, look.quality)
        if exposure_us is not None:
            self._sensor.set_exposure(exposure_us)

    def _keep(self, pose: Pose, rank: float, flood: Frame, sighting: FaceSighting) -> None:
        if self._depth is None and Stream.DEPTH in self._sensor.info.streams:
            return  # no gate that needs depth could have judged it
        best = self._best.get(pose)
        if best is None or rank > best[0]:
            self._best[pose] = (rank, KeyFrame(pose, flood, self._depth, sighting))

    def _emit(self, frame_set: FrameSet | None) -> None:
        if frame_set is None:
            return
        looks = tuple(self._looks)
        self._looks.clear()
        face = self._analysis.assemble(frame_set, looks, self._set_prompt, self._set_stage)
        self._set_prompt, self._set_stage = self._shown, self.dialogue.stage.pose
        self._observer.observe(frame_set, face)

    def _show(self, prompt: Prompt) -> None:
        if prompt is self._shown:
            return
        self._sensor.indicate(prompt)
        self._shown = prompt
        if self._record is not None:
            self._record.write_prompt(prompt, self._last_us)


def _ignore(event: CaptureEvent) -> None:
    """Nobody listens."""


def _stop_quietly(sensor: Sensor) -> None:
    """Stop on the way out of an error; a sensor that is gone can't, and the first error is the one to tell."""
    try:
        sensor.stop()
    except DeviceError:
        return
