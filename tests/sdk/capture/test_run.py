from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from faceward.capture.digest import CaptureDigest
from faceward.capture.events import CaptureEnded, CaptureStarted, Guidance, Progress, StageDone, StageStarted
from faceward.capture.guidance import Reason
from faceward.capture.plan import CapturePlan, make_plan
from faceward.capture.run import run_capture
from faceward.errors import CaptureCancelled, DeviceError, DeviceLost, DeviceNotAttested, DeviceProtocolError
from faceward.model.capture import Capture, CaptureClaim, SensorClaim, SensorEvidence
from faceward.model.face import Pose
from faceward.model.frame import Illumination, Prompt, SensorInfo, Slot
from faceward.model.liveness import Requirements


class Stand:
    """A sensor, a person and a watcher, ready for one capture."""

    def __init__(self, script: Any, person: Callable[[int, Prompt], dict[str, object]] | None = None) -> None:
        self.sensor = script.Sensor()
        self.analysis = script.Analysis(self.sensor, person)
        self.watcher = script.Watcher()
        gate = script.Asked(needs=Requirements(seconds=2.0))
        self.plan: CapturePlan = make_plan([gate], script.INFO, nonce=bytes(range(16)))

    def run(self, **options: Any) -> Capture:
        return run_capture(
            self.sensor, self.plan, self.analysis, self.watcher, on_event=self.watcher.events.append,
            record=self.watcher, capture_id="c1", **options,
        )  # fmt: skip


def obey(script: Any, prompt: Prompt) -> dict[str, object]:
    return dict(script.POSES.get(prompt, {}))


def test_a_person_who_obeys_completes_every_stage_in_order(script: Any) -> None:
    stand = Stand(script)
    capture = stand.run()
    assert capture.complete and capture.rejection is None
    assert [key.pose for key in capture.key_frames] == list(Pose)
    assert [event.pose for event in stand.watcher.of(StageDone)] == list(Pose)
    assert [event.pose for event in stand.watcher.of(StageStarted)] == list(Pose)
    assert stand.watcher.events[0] == CaptureStarted("c1", tuple(Pose))
    assert stand.watcher.events[-1] == CaptureEnded("c1", True, None)
    assert stand.sensor.prompts[-1][1] is Prompt.DONE
    assert 3.0 < capture.seconds < 12.0


def test_the_frontal_stage_lasts_as_long_as_the_gates_asked(script: Any) -> None:
    stand = Stand(script)
    stand.run()
    left_at = next(slot for slot, prompt in stand.sensor.prompts if prompt is Prompt.TURN_LEFT)
    assert left_at >= 2.0 * 30


def test_every_slot_reaches_the_observer_once_and_in_order_with_depth_first_in_its_set(script: Any) -> None:
    stand = Stand(script)
    capture = stand.run()
    seen = [slot for frame_set, _ in stand.watcher.sets for slot in frame_set.slots]
    assert seen == stand.sensor.sent == stand.watcher.slots
    assert capture.slots == len(seen)
    assert [frame_set.index for frame_set, _ in stand.watcher.sets] == list(range(len(stand.watcher.sets)))
    for frame_set, _ in stand.watcher.sets:
        assert all(slot.depth is None for slot in frame_set.slots[1:])


def test_each_sets_observation_holds_the_sightings_of_its_own_flood_slots(script: Any) -> None:
    stand = Stand(script)
    stand.run()
    for frame_set, face in stand.watcher.sets:
        flood = [slot.infrared.slot for slot in frame_set.slots if slot.infrared.illumination is Illumination.FLOOD]
        assert [sighting.slot for sighting in face.sightings] == flood


def test_each_set_says_what_the_person_was_asked_for_when_it_began(script: Any) -> None:
    stand = Stand(script)
    stand.run()
    for frame_set, face in stand.watcher.sets:
        told = [prompt for slot, prompt in stand.sensor.prompts if slot <= frame_set.slots[0].infrared.slot]
        assert face.prompt is told[-1]


def test_the_digest_chains_every_frame_that_was_sent(script: Any) -> None:
    stand = Stand(script)
    capture = stand.run()
    chain = CaptureDigest(script.INFO, stand.plan.schedule.nonce, stand.plan.schedule_digest)
    for slot in stand.sensor.sent:
        chain.add(slot)
    assert capture.digest == chain.close()
    assert capture.schedule_digest == stand.plan.schedule_digest


def test_key_frames_are_flood_frames_of_their_own_pose_with_the_depth_before_them(script: Any) -> None:
    stand = Stand(script)
    capture = stand.run()
    depth_of = dict(stand.analysis.depths)
    for key in capture.key_frames:
        assert key.flood.illumination is Illumination.FLOOD
        assert key.sighting.slot == key.flood.slot
        assert key.depth is depth_of[key.flood.slot] is not None
    yaw = {key.pose: key.sighting.pose.yaw_deg for key in capture.key_frames}
    assert yaw[Pose.LEFT] > 10.0 and yaw[Pose.RIGHT] < -10.0


def test_the_best_frame_of_a_pose_is_the_one_that_is_kept(script: Any) -> None:
    sharp = replace(script.GOOD, sharpness=0.12)
    dull = replace(script.GOOD, sharpness=0.08)
    seen: list[int] = []

    def person(slot: int, prompt: Prompt) -> dict[str, object]:
        if prompt is Prompt.LOOK_STRAIGHT:
            seen.append(slot)
        return {**obey(script, prompt), "quality": sharp if len(seen) == 9 else dull}

    stand = Stand(script, person)
    assert stand.run().key_frames[0].flood.slot == seen[8]


def test_nobody_there_ends_after_four_seconds_and_what_was_seen_is_handed_on(script: Any) -> None:
    stand = Stand(script, lambda slot, prompt: {"faces": 0})
    capture = stand.run()
    assert (capture.complete, capture.rejection, capture.key_frames) == (False, "no-face", ())
    assert 3.9 <= capture.seconds <= 4.4
    assert sum(len(frame_set.slots) for frame_set, _ in stand.watcher.sets) == capture.slots
    assert all(face.faces_max == 0 for _, face in stand.watcher.sets)
    assert Guidance(Reason.NO_FACE) in stand.watcher.events
    assert stand.sensor.prompts[-1][1] is Prompt.NONE


def test_a_face_that_flickers_never_counts_as_a_track(script: Any) -> None:
    flicker = count()
    stand = Stand(script, lambda slot, prompt: {"faces": 1 if next(flicker) % 3 else 0})
    assert stand.run().rejection == "no-face"


def test_a_face_that_goes_away_ends_the_capture_as_a_lost_track(script: Any) -> None:
    stand = Stand(script, lambda slot, prompt: {"faces": 0} if slot > 90 else obey(script, prompt))
    capture = stand.run()
    assert (capture.complete, capture.rejection) == (False, "track-lost")
    assert 0.4 <= capture.seconds - 3.0 <= 0.9


def test_a_face_missed_for_a_blink_is_no_lost_track(script: Any) -> None:
    stand = Stand(script, lambda slot, prompt: {"faces": 0} if slot % 40 < 5 else obey(script, prompt))
    assert stand.run().complete


def test_a_face_that_jumps_across_the_frame_is_another_one(script: Any) -> None:
    stand = Stand(script, lambda slot, prompt: {**obey(script, prompt), "x": 250.0 if slot < 90 else 400.0})
    assert stand.run().rejection == "track-lost"


def test_a_face_that_jumps_in_distance_is_another_one(script: Any) -> None:
    far = replace(script.GOOD, distance_mm=500.0)
    stand = Stand(script, lambda slot, prompt: {**obey(script, prompt), "quality": script.GOOD if slot < 90 else far})
    assert stand.run().rejection == "track-lost"


def test_a_second_face_ends_the_capture_at_any_time(script: Any) -> None:
    for start in (0, 100):
        stand = Stand(script, lambda slot, prompt, start=start: {**obey(script, prompt), "faces": 1 + (slot >= start)})
        capture = stand.run()
        assert (capture.complete, capture.rejection) == (False, "two-faces")
        assert capture.slots < start + 12


def test_a_second_face_in_one_single_slot_is_no_second_person(script: Any) -> None:
    floods = count()
    stand = Stand(script, lambda slot, prompt: {**obey(script, prompt), "faces": 2 if next(floods) % 10 == 9 else 1})
    assert stand.run().complete


def test_a_pose_that_is_never_reached_times_out_and_keeps_what_was_reached(script: Any) -> None:
    stand = Stand(script, lambda slot, prompt: {} if prompt is Prompt.LOOK_UP else obey(script, prompt))
    capture = stand.run()
    assert (capture.complete, capture.rejection) == (False, "pose-not-reached")
    assert [key.pose for key in capture.key_frames] == [Pose.FRONTAL, Pose.LEFT, Pose.RIGHT]


def test_a_pose_must_be_held_and_not_only_passed(script: Any) -> None:
    swing = count()

    def person(slot: int, prompt: Prompt) -> dict[str, object]:
        if prompt is Prompt.TURN_LEFT:
            return {"yaw": 18.0 if next(swing) % 5 else 0.0}
        return obey(script, prompt)

    assert Stand(script, person).run().rejection == "pose-not-reached"


@pytest.mark.parametrize(
    ("prompt", "wrong"),
    [
        (Prompt.TURN_LEFT, {"yaw": -18.0}),
        (Prompt.TURN_RIGHT, {"yaw": 18.0}),
        (Prompt.LOOK_UP, {"pitch": -14.0}),
        (Prompt.LOOK_DOWN, {"pitch": 14.0}),
        (Prompt.LOOK_UP, {"pitch": 14.0, "yaw": -18.0}),
        (Prompt.LOOK_DOWN, {"pitch": -14.0, "yaw": 18.0}),
        (Prompt.SMILE, {"smile": 1.5, "pitch": 18.0}),
        (Prompt.LOOK_STRAIGHT, {"pitch": 24.0}),
        (Prompt.SMILE, {"smile": 1.0}),
        (Prompt.LOOK_STRAIGHT, {"yaw": 15.0}),
    ],
)
def test_the_wrong_pose_never_counts(script: Any, prompt: Prompt, wrong: dict[str, object]) -> None:
    stand = Stand(script, lambda slot, now: wrong if now is prompt else obey(script, now))
    assert stand.run().rejection == "pose-not-reached"


@pytest.mark.parametrize(
    ("change", "reason", "prompt"),
    [
        ({"distance_mm": 900.0}, Reason.TOO_FAR, Prompt.MOVE_CLOSER),
        ({"distance_mm": 150.0}, Reason.TOO_CLOSE, Prompt.MOVE_BACK),
        ({"covered_share": 0.5}, Reason.COVERED, Prompt.UNCOVER_FACE),
        ({"exposure": 0.9}, Reason.TOO_BRIGHT, Prompt.HOLD_STILL),
        ({"exposure": 0.01}, Reason.TOO_DARK, Prompt.HOLD_STILL),
        ({"sharpness": 0.0}, Reason.BLURRED, Prompt.HOLD_STILL),
    ],
)
def test_what_a_person_can_mend_is_shown_and_named_when_it_is_not_mended(
    script: Any, change: dict[str, float], reason: Reason, prompt: Prompt
) -> None:
    stand = Stand(script, lambda slot, now: {"quality": replace(script.GOOD, **change)})
    capture = stand.run()
    assert (capture.complete, capture.rejection) == (False, str(reason))
    assert Guidance(reason) in stand.watcher.events
    assert prompt in [told for _, told in stand.sensor.prompts]


def test_guidance_that_is_followed_goes_away_and_the_stage_goes_on(script: Any) -> None:
    moved: list[int] = []

    def person(slot: int, prompt: Prompt) -> dict[str, object]:
        if prompt is Prompt.MOVE_CLOSER:
            moved.append(slot)
        distance = max(400.0, 650.0 - 20.0 * len(moved))
        return {**obey(script, prompt), "quality": replace(script.GOOD, distance_mm=distance)}

    stand = Stand(script, person)
    assert stand.run().complete
    assert [event.reason for event in stand.watcher.of(Guidance)] == [Reason.TOO_FAR, None]


def test_in_a_turn_the_person_is_not_told_to_hold_still(script: Any) -> None:
    def person(slot: int, prompt: Prompt) -> dict[str, object]:
        blurred = {"quality": replace(script.GOOD, sharpness=0.0)} if slot % 60 < 20 else {}
        return {**obey(script, prompt), **(blurred if prompt is not Prompt.LOOK_STRAIGHT else {})}

    stand = Stand(script, person)
    assert stand.run().complete
    assert Prompt.HOLD_STILL not in [told for _, told in stand.sensor.prompts]


def test_progress_never_falls_and_ends_at_one(script: Any) -> None:
    stand = Stand(script)
    stand.run()
    told = [event.fraction for event in stand.watcher.of(Progress)]
    assert told == sorted(told) and told[-1] == 1.0 and len(told) > 10


def test_a_recording_gets_every_prompt_with_its_moment(script: Any) -> None:
    stand = Stand(script)
    stand.run()
    assert [prompt for prompt, _ in stand.watcher.prompts] == [prompt for _, prompt in stand.sensor.prompts]
    moments = [moment for _, moment in stand.watcher.prompts]
    assert moments == sorted(moments) and moments[-1] > 3_000_000


def test_a_schedule_that_runs_out_ends_the_capture_as_incomplete(script: Any) -> None:
    stand = Stand(script)
    short = replace(stand.plan.schedule, slots=stand.plan.schedule.slots[:45])
    stand.plan = replace(stand.plan, schedule=short)
    capture = stand.run()
    assert (capture.complete, capture.rejection, capture.slots) == (False, "schedule-over", 45)


def test_a_sensor_whose_clock_stands_still_is_ended_by_the_wall_clock(script: Any) -> None:
    stand = Stand(script, lambda slot, prompt: {"time_us": 0})
    clock = count(0, 0.05)
    capture = stand.run(deadline_s=3.0, wall_clock=lambda: next(clock))
    assert (capture.complete, capture.rejection) == (False, "deadline")


@pytest.mark.parametrize("error", [DeviceLost("gone"), CaptureCancelled("stopped"), KeyboardInterrupt()])
def test_whatever_ends_a_capture_the_sensor_has_stopped(script: Any, error: BaseException) -> None:
    stand = Stand(script)
    stand.sensor.fail_at[50] = error
    with pytest.raises(type(error)):
        stand.run()
    assert not stand.sensor.streaming and stand.sensor.stops == 1


def test_a_sensor_that_cannot_stop_any_more_does_not_hide_the_first_error(script: Any) -> None:
    stand = Stand(script)
    stand.sensor.fail_at[50] = CaptureCancelled("stopped")
    stand.sensor.stop_error = DeviceLost("gone")
    with pytest.raises(CaptureCancelled):
        stand.run()


def test_a_good_capture_on_a_sensor_that_will_not_stop_is_an_error(script: Any) -> None:
    stand = Stand(script)
    stand.sensor.stop_error = DeviceLost("gone")
    with pytest.raises(DeviceLost):
        stand.run()


def test_an_observer_that_raises_stops_the_sensor(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stand = Stand(script)

    def fail(frame_set: object, face: object) -> None:
        raise RuntimeError("worker died")

    monkeypatch.setattr(stand.watcher, "observe", fail)
    with pytest.raises(RuntimeError, match="worker died"):
        stand.run()
    assert not stand.sensor.streaming


def test_a_slot_with_another_light_than_planned_is_refused(script: Any) -> None:
    stand = Stand(script)

    def alter(slot: Slot) -> Slot:
        if slot.infrared.slot != 40:
            return slot
        lit = Illumination.FLOOD if slot.infrared.illumination is Illumination.OFF else Illumination.OFF
        return Slot(replace(slot.infrared, illumination=lit), slot.depth)

    stand.sensor.alter = alter
    with pytest.raises(DeviceProtocolError, match="slot 40 was lit with"):
        stand.run()


def test_a_slot_out_of_order_is_refused(script: Any) -> None:
    stand = Stand(script)
    stand.sensor.alter = lambda slot: Slot(replace(slot.infrared, slot=max(slot.infrared.slot, 0) + 1), slot.depth)
    with pytest.raises(DeviceProtocolError, match="slot 1 came where slot 0 was due"):
        stand.run()


def test_a_sensor_that_claims_nothing_is_not_asked_for_evidence(script: Any) -> None:
    assert Stand(script).run(grant_digest=bytes(32)).evidence is None


class Signing:
    """Makes a script's sensor one that claims something and signs whatever it is asked to."""

    def __init__(self, stand: Stand, answer: SensorEvidence | DeviceError | None, kind: str = "acme.v1") -> None:
        self.stand, self.answer = stand, answer
        self.asked: list[CaptureClaim] = []
        stand.sensor.claim = SensorClaim(kind, b"proof")
        stand.sensor.attest = self

    def __call__(self, claim: CaptureClaim) -> SensorEvidence | None:
        assert not self.stand.sensor.streaming
        assert not self.stand.watcher.of(CaptureEnded)
        self.asked.append(claim)
        if isinstance(self.answer, DeviceError):
            raise self.answer
        return self.answer


def test_a_sensor_signs_a_complete_capture_with_its_key_frames_and_the_grant_after_it_stopped(script: Any) -> None:
    stand = Stand(script)
    evidence = SensorEvidence("acme.v1", b"signed")
    signing = Signing(stand, evidence)
    capture = stand.run(grant_digest=b"g" * 32)
    (claim,) = signing.asked
    frames = [frame.digest for key in capture.key_frames for frame in (key.flood, key.depth)]
    assert claim.key_frames == tuple(frames)
    assert (claim.nonce, claim.schedule_digest) == (stand.plan.schedule.nonce, stand.plan.schedule_digest)
    assert (claim.capture_digest, claim.slots, claim.grant_digest) == (capture.digest, capture.slots, b"g" * 32)
    assert capture.evidence is evidence


def test_an_incomplete_capture_is_signed_without_key_frames(script: Any) -> None:
    stand = Stand(script, lambda slot, prompt: {"faces": 0} if slot > 120 else obey(script, prompt))
    signing = Signing(stand, SensorEvidence("acme.v1", b"signed"))
    capture = stand.run()
    assert not capture.complete
    assert capture.key_frames
    (claim,) = signing.asked
    assert (claim.key_frames, claim.slots) == ((), capture.slots)


def test_a_capture_without_a_slot_is_not_signed(script: Any) -> None:
    stand = Stand(script)
    signing = Signing(stand, SensorEvidence("acme.v1", b"signed"))
    assert stand.run(deadline_s=-1.0).evidence is None
    assert not signing.asked


@pytest.mark.parametrize("answer", [None, DeviceNotAttested("another capture")])
def test_a_claim_without_a_signature_makes_no_capture(script: Any, answer: DeviceError | None) -> None:
    stand = Stand(script)
    Signing(stand, answer)
    with pytest.raises(DeviceNotAttested):
        stand.run()
    assert not stand.sensor.streaming
    assert not stand.watcher.of(CaptureEnded)


def test_a_dark_face_gets_more_light_and_a_bright_one_less(script: Any) -> None:
    for level, sense in ((0.10, 1), (0.70, -1)):
        quality = replace(script.GOOD, exposure=level)
        stand = Stand(script, lambda slot, prompt, quality=quality: {**obey(script, prompt), "quality": quality})
        stand.run()
        assert (stand.sensor.exposures[1] - 2_000) * sense > 0  # the script's frames are all taken with 2,000 us


def test_the_analysis_forgets_the_capture_before(script: Any) -> None:
    stand = Stand(script)
    stand.run()
    assert stand.analysis.begun == 1


def test_a_capture_without_listeners_runs_the_same(script: Any, caplog: pytest.LogCaptureFixture) -> None:
    stand = Stand(script)
    capture = run_capture(stand.sensor, stand.plan, stand.analysis, stand.watcher)
    assert capture.complete and len(capture.capture_id) == 32
    info: SensorInfo = capture.sensor
    assert info is script.INFO
