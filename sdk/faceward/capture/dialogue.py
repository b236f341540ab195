"""The talk with the person: which pose is asked for, when it counts as reached, and when the capture is over.

Knows looks and device time, no sensor. One look is one flood slot.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceward.capture.guidance import PROMPTS, Hysteresis, Reason, reason_of
from faceward.capture.plan import SLACK_S, CapturePlan, Stage
from faceward.face.analysis import Look
from faceward.face.expression import mouth_change
from faceward.model.face import FaceSighting, HeadPose, Pose
from faceward.model.frame import Prompt

ACQUIRED_SLOTS = 3  # looks with one face before there is a track
LOST_S = 0.5  # without the face this long the track is lost: heads come back from a turn, people can't be swapped
TWO_FACES_SLOTS = 2  # looks in a row: one may be a pattern on the wall
JUMP_WIDTHS = 0.5  # of the face's width, from one look to the next: 1.3 m/s at 17 looks a second
JUMP_MM = 80.0  # in distance from one look to the next

FRONTAL_YAW_DEG = 12.0
# People look up or down at a lock on the wall, and faces slant by themselves: the pitch of simulated people who look
# straight scatters by 4.7 degrees from one to the next (seeds 0-23), and some lie beyond 16.
FRONTAL_PITCH_DEG = 22.0
FRONTAL_ROLL_DEG = 20.0
TURN_DEG = 11.0  # from the person's own frontal pose; SFace tells people apart through 30
NOD_DEG = 6.0  # from the same; people nod less than they turn, and one look is off by 5 (19 in 20)
SMILE_PITCH_DEG = 14.0  # from the same: a smile is looked at straight on
TURN_BEST_DEG = 18.0
NOD_BEST_DEG = 12.0
# Of the mouth's picture against the frontal stage's: simulated smiles .07-.30, the same mouth again .00-.07 (one look) and
# less against several (seeds 0-23).
SMILE_CHANGE = 0.05
_MOUTHS = 8  # patches kept of the frontal stage: blinks of the detector's points are covered
_MOUTH_EVERY = 3
STILL_DEG = 6.0  # between looks: 100 degrees a second

# Reasons that the person is told of in any pose; the others would only disturb a turn.
_ALWAYS = frozenset({Reason.TWO_FACES, Reason.TOO_FAR, Reason.TOO_CLOSE, Reason.COVERED})


@dataclass(frozen=True, slots=True)
class Step:
    """What one look changed. `rank` is how good a key frame it is for `stage`, None for none."""

    stage: Pose
    rank: float | None
    stage_done: bool
    guidance_changed: bool


class Dialogue:
    """The state of one capture's talk. Feed it every look; ask for `prompt`, `stage`, `finished`, `rejection`."""

    def __init__(self, plan: CapturePlan) -> None:
        self._plan = plan
        self._at = 0
        self._hysteresis = Hysteresis()
        self._start_us: int | None = None
        self._last_us = 0
        self._seen = 0  # looks with one face in a row until the track stands
        self._face_us = 0
        self._last: FaceSighting | None = None
        self._doubles = 0
        self._held = 0
        self._good_s = 0.0
        self._running_s = 0.0
        self._total_s = 0.0
        self._frontal: list[tuple[float, float]] = []
        self._base = (0.0, 0.0)
        self._mouths: deque[NDArray[np.float32]] = deque(maxlen=_MOUTHS)
        self.finished = False
        self.rejection: str | None = None

    @property
    def stage(self) -> Stage:
        """The stage that the person is in (the last one when all are done)."""
        return self._plan.stages[min(self._at, len(self._plan.stages) - 1)]

    @property
    def guidance(self) -> Reason | None:
        """What is shown to be mended."""
        return self._hysteresis.shown

    @property
    def prompt(self) -> Prompt:
        """What the indicator shows now."""
        reason = self.guidance
        if reason is not None and (reason in _ALWAYS or self.stage.pose is Pose.FRONTAL):
            return PROMPTS[reason]
        return self.stage.prompt

    @property
    def fraction(self) -> float:
        """Progress from 0 to 1."""
        stages = len(self._plan.stages)
        within = min(self._held / self._plan.held_slots, 1.0) if self._at < stages else 0.0
        if self._at < stages and self.stage.dwell_s > 0.0:
            within = min(within, self._good_s / self.stage.dwell_s)
        return min((self._at + within) / stages, 1.0)

    def see(self, look: Look) -> Step:
        """Take the next look. After `finished` nothing changes any more."""
        pose = self.stage.pose
        if self.finished:
            return Step(pose, None, False, False)
        now_us = look.device_time_us
        if self._start_us is None:
            self._start_us = self._last_us = now_us
        step_s = (now_us - self._last_us) / 1e6
        self._last_us = now_us
        turning = self._speed_deg(look)
        self._follow(look)
        before = self.guidance
        reason = reason_of(look)
        if reason is None and pose is Pose.FRONTAL:
            if not self._reached(look):
                reason = Reason.TURNED
            elif turning > STILL_DEG:
                reason = Reason.HOLD_STILL
        self._hysteresis.see(reason)
        changed = self.guidance is not before
        if self.finished or self._seen < ACQUIRED_SLOTS:
            return Step(pose, None, False, changed)
        rank = self._advance(look, step_s, turning)
        done = self._stage_is_done()
        if done:
            self._next_stage()
        elif self._is_over():
            self._end(str(self.guidance) if self.guidance not in (None, Reason.TURNED) else "pose-not-reached")
        return Step(pose, rank, done, changed)

    def run_out(self, why: str) -> None:
        """End the capture from outside: the schedule or the deadline is over."""
        if not self.finished:
            self._end(why)

    def _follow(self, look: Look) -> None:
        """Keep the track, or end the capture: no face, lost face, another face."""
        now_us, sighting = look.device_time_us, look.sighting
        self._doubles = self._doubles + 1 if look.faces > 1 else 0
        if self._doubles >= TWO_FACES_SLOTS:
            self._end(str(Reason.TWO_FACES))
        if sighting is None:
            if self._seen < ACQUIRED_SLOTS:
                self._seen = 0
                self._last = None
            elif now_us - self._face_us >= LOST_S * 1e6:
                self._end("track-lost")
        else:
            if self._seen >= ACQUIRED_SLOTS and self._last is not None and _jumped(self._last, sighting):
                self._end("track-lost")
            if look.faces == 1 and self._seen < ACQUIRED_SLOTS:
                self._seen += 1
            self._last, self._face_us = sighting, now_us
        if self._seen < ACQUIRED_SLOTS and now_us - (self._start_us or 0) >= self._plan.search_s * 1e6:
            self._end(str(Reason.NO_FACE))

    def _advance(self, look: Look, step_s: float, turning: float) -> float | None:
        """Count time and held slots of the stage; the rank of the look as a key frame."""
        self._total_s += step_s
        if self.guidance not in _ALWAYS:
            self._running_s += step_s
        sighting = look.sighting
        if sighting is not None and not self._reached(look):
            self._held = 0
            return None
        if sighting is None or sighting.pose is None or not look.good:
            return None
        self._held += 1
        self._good_s += step_s
        if self.stage.pose is Pose.FRONTAL:
            self._frontal.append((sighting.pose.yaw_deg, sighting.pose.pitch_deg))
            if look.mouth is not None and len(self._frontal) % _MOUTH_EVERY == 0:
                self._mouths.append(look.mouth)
        return self._rank(sighting, sighting.pose, turning)

    def _rank(self, sighting: FaceSighting, pose: HeadPose, turning: float) -> float:
        """Sure, sharp, still and near the pose's best angle. Only its order means anything."""
        yaw, pitch = self._relative(pose)
        wanted = {
            Pose.LEFT: (TURN_BEST_DEG, 0.0), Pose.RIGHT: (-TURN_BEST_DEG, 0.0),
            Pose.UP: (0.0, NOD_BEST_DEG), Pose.DOWN: (0.0, -NOD_BEST_DEG),
        }.get(self.stage.pose, (0.0, 0.0))  # fmt: skip
        off_deg = abs(yaw - wanted[0]) + abs(pitch - wanted[1])
        if self.stage.pose is Pose.FRONTAL:
            off_deg = abs(pose.yaw_deg) + 0.5 * abs(pose.pitch_deg)
        return sighting.score + min(sighting.sharpness / 0.15, 1.0) - off_deg / 30.0 - turning / 30.0

    def _relative(self, pose: HeadPose) -> tuple[float, float]:
        return pose.yaw_deg - self._base[0], pose.pitch_deg - self._base[1]

    def _reached(self, look: Look) -> bool:
        sighting = look.sighting
        if sighting is None or sighting.pose is None:
            return False
        pose = sighting.pose
        yaw, pitch = self._relative(pose)
        match self.stage.pose:
            case Pose.LEFT:
                return yaw >= TURN_DEG
            case Pose.RIGHT:
                return yaw <= -TURN_DEG
            case Pose.UP:
                return pitch >= NOD_DEG and abs(yaw) <= FRONTAL_YAW_DEG
            case Pose.DOWN:
                return pitch <= -NOD_DEG and abs(yaw) <= FRONTAL_YAW_DEG
            case Pose.SMILE:
                frontal = abs(yaw) <= FRONTAL_YAW_DEG and abs(pitch) <= SMILE_PITCH_DEG
                return frontal and look.mouth is not None and mouth_change(look.mouth, self._mouths) >= SMILE_CHANGE
            case _:
                return (
                    abs(pose.yaw_deg) <= FRONTAL_YAW_DEG
                    and abs(pose.pitch_deg) <= FRONTAL_PITCH_DEG
                    and abs(pose.roll_deg) <= FRONTAL_ROLL_DEG
                )

    def _speed_deg(self, look: Look) -> float:
        now, before = look.sighting, self._last
        if now is None or before is None or now.pose is None or before.pose is None:
            return 0.0
        return max(abs(now.pose.yaw_deg - before.pose.yaw_deg), abs(now.pose.pitch_deg - before.pose.pitch_deg))

    def _stage_is_done(self) -> bool:
        return self._held >= self._plan.held_slots and self._good_s >= self.stage.dwell_s

    def _is_over(self) -> bool:
        limit_s = self.stage.limit_s + self.stage.dwell_s
        return self._running_s >= limit_s or self._total_s >= limit_s + SLACK_S

    def _next_stage(self) -> None:
        if self.stage.pose is Pose.FRONTAL:
            yaw, pitch = np.median(np.array(self._frontal), axis=0)
            self._base = (float(yaw), float(pitch))
            self._frontal.clear()
        self._at += 1
        self._held, self._good_s, self._running_s, self._total_s = 0, 0.0, 0.0, 0.0
        self.finished = self._at == len(self._plan.stages)

    def _end(self, rejection: str) -> None:
        self.finished = True
        self.rejection = self.rejection or rejection


def _jumped(before: FaceSighting, now: FaceSighting) -> bool:
    (x0, y0, w0, h0), (x1, y1, w1, h1) = before.box_px, now.box_px
    apart = float(np.hypot(x1 + w1 / 2 - x0 - w0 / 2, y1 + h1 / 2 - y0 - h0 / 2))
    if apart > JUMP_WIDTHS * max(w0, w1):
        return True
    if before.distance_mm is None or now.distance_mm is None:
        return False
    return abs(now.distance_mm - before.distance_mm) > JUMP_MM
