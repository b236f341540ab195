"""How people move: breath, sway, heartbeat, blinks, glances, and the answer to a prompt after a human's delay.

Rates and amplitudes are the parameter sheet's where it has them: blinks 14.5 +- 3.3 a minute and 100-400 ms each,
heartbeat motion .05-.3 mm. The rest (sway of some millimetres, reaction .25-.9 s) is assumed and drawn by person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from faceward_sim.firmware.imager import Prompt
from faceward_sim.world.pulse import Heart
from faceward_sim.world.streams import stream

TURN_RAD = np.deg2rad(25.0)
NOD_RAD = np.deg2rad(15.0)
STEP_MM = 80.0
STEP_PAUSE_S = 1.4  # somebody who is still asked to move steps again after this
NEAREST_MM, FARTHEST_MM = 220.0, 1100.0
BLINKS_A_MINUTE = (14.5, 3.3, 8.0, 21.0)  # mean, sigma, 95 % limits
BLINK_S = (0.10, 0.40)
REACTION_S = (0.25, 0.90)
STEP_PROMPTS = frozenset({Prompt.MOVE_CLOSER, Prompt.MOVE_BACK})
POSE_PROMPTS = frozenset(
    {
        Prompt.NONE,
        Prompt.LOOK_STRAIGHT,
        Prompt.TURN_LEFT,
        Prompt.TURN_RIGHT,
        Prompt.LOOK_UP,
        Prompt.LOOK_DOWN,
        Prompt.SMILE,
        Prompt.DONE,
        Prompt.REFUSED,
    }
)


@dataclass(frozen=True, slots=True)
class Posture:
    """Where a body is at one moment, against its rest. Yaw is positive to the person's own left, pitch upwards."""

    shift_mm: tuple[float, float, float]
    yaw_rad: float
    pitch_rad: float
    roll_rad: float
    torso_yaw_rad: float
    gaze_yaw_rad: float
    gaze_pitch_rad: float
    units: Mapping[str, float]  # expression units, 0 to 1
    beats: float = 0.0  # of the heart so far, with their fraction
    heart_hz: float = 0.0


@dataclass(frozen=True, slots=True)
class _Path:
    """A minimum-jerk path from one value to another."""

    start: float = 0.0
    goal: float = 0.0
    from_s: float = 0.0
    lasts_s: float = 1.0

    def at(self, time_s: float) -> float:
        t = min(max((time_s - self.from_s) / self.lasts_s, 0.0), 1.0)
        return self.start + (self.goal - self.start) * t * t * t * (10 - 15 * t + 6 * t * t)


@dataclass(slots=True)
class _Glide:
    """One quantity on its way: the path it is on, and the one that takes over after the reaction time."""

    now: _Path = field(default_factory=_Path)
    then: _Path | None = None

    @property
    def goal(self) -> float:
        return (self.then or self.now).goal

    def at(self, time_s: float) -> float:
        if self.then is not None and time_s >= self.then.from_s:
            self.now, self.then = self.then, None
        return self.now.at(time_s)

    def aim(self, goal: float, from_s: float, lasts_s: float) -> None:
        self.then = _Path(self.now.at(from_s), goal, from_s, lasts_s)


@dataclass(slots=True)
class _Wobble:
    """Smooth noise of about unit amplitude: a fixed sum of slow sines, so it depends on time alone."""

    hertz: np.ndarray
    phase: np.ndarray
    share: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator, low_hz: float, high_hz: float, count: int = 7) -> _Wobble:
        hertz = np.exp(rng.uniform(np.log(low_hz), np.log(high_hz), count))
        share = hertz**-0.5
        return cls(hertz, rng.uniform(0, 2 * np.pi, count), share / np.sqrt((share**2).sum() / 2))

    def at(self, time_s: float) -> float:
        return float((self.share * np.sin(2 * np.pi * self.hertz * time_s + self.phase)).sum())


@dataclass(slots=True)
class BlinkTrain:
    """Blinks as a renewal process of a person's own rate; `closure` is asked with rising times."""

    rng: np.random.Generator
    a_minute: float
    starts_s: float = 0.0
    lasts_s: float = 0.2
    depth: float = 1.0
    count: int = 0

    @classmethod
    def draw(cls, rng: np.random.Generator) -> BlinkTrain:
        mean, sigma, low, high = BLINKS_A_MINUTE
        train = cls(rng, float(np.clip(rng.normal(mean, sigma), low, high)))
        train.starts_s = float(rng.uniform(0, 60.0 / train.a_minute))
        return train

    def closure(self, time_s: float) -> float:
        """How far the lids are shut, 0 to 1."""
        while time_s >= self.starts_s + self.lasts_s:
            # Gamma of shape 3 between onsets: spread as people have it, rarely two in one breath.
            gap_s = max(float(self.rng.gamma(3.0, 60.0 / self.a_minute / 3.0)), self.lasts_s + 0.15)
            self.starts_s += gap_s
            self.lasts_s = float(self.rng.uniform(*BLINK_S))
            self.depth = float(self.rng.uniform(0.92, 1.0))
            self.count += 1
        t = (time_s - self.starts_s) / self.lasts_s
        if t <= 0:
            return 0.0
        return self.depth * float(np.sin(np.pi * (t / 0.7 if t < 0.35 else 0.5 + (t - 0.35) / 1.3)) ** 2)


@dataclass(slots=True)
class _Glances:
    """Fixations and saccades about where the person looks."""

    rng: np.random.Generator
    until_s: float = 0.0
    yaw_rad: float = 0.0
    pitch_rad: float = 0.0

    def at(self, time_s: float) -> tuple[float, float]:
        while time_s >= self.until_s:
            self.until_s += float(self.rng.uniform(0.25, 1.6))
            self.yaw_rad = float(self.rng.normal(0, np.deg2rad(1.8)))
            self.pitch_rad = float(self.rng.normal(0, np.deg2rad(1.2)))
        return self.yaw_rad, self.pitch_rad


@dataclass(frozen=True, slots=True)
class Manner:
    """What somebody makes of their own movement on purpose; the usual one is nothing."""

    late_s: float = 0.0  # beyond their own reaction
    sway_share: float = 1.0
    turn_share: float = 1.0


@dataclass(slots=True)
class Mover:
    """One body's movement. Call `at` with rising times and the prompt that is shown then.

    Everything involuntary is a function of seed and time; what prompts set going also depends on when they changed.
    """

    seed: int
    distance_mm: float
    manner: Manner = field(default_factory=Manner)
    _prompt: Prompt = field(default=Prompt.NONE, init=False)
    _shown_s: float = field(default=0.0, init=False)
    _answered: int = field(default=0, init=False)
    _steps: int = field(default=0, init=False)
    _yaw: _Glide = field(default_factory=_Glide, init=False)
    _pitch: _Glide = field(default_factory=_Glide, init=False)
    _smile: _Glide = field(default_factory=_Glide, init=False)
    _away: _Glide = field(default_factory=_Glide, init=False)
    _calm: _Glide = field(default_factory=lambda: _Glide(_Path(1.0, 1.0)), init=False)
    _wobbles: tuple[_Wobble, ...] = field(default=(), init=False)
    _traits: dict[str, float] = field(default_factory=dict, init=False)
    _heart: Heart = field(init=False)
    _blinks: BlinkTrain = field(init=False)
    _glances: _Glances = field(init=False)

    def __post_init__(self) -> None:
        rng = stream(self.seed, "sway")
        self._wobbles = (*(_Wobble.draw(rng, 0.06, 0.9) for _ in range(6)), _Wobble.draw(rng, 2.0, 9.0))
        self._traits = {
            "sway_mm": float(rng.uniform(1.2, 3.2)),
            "turn_rad": float(np.deg2rad(rng.uniform(0.5, 1.3))),
            "tremor_mm": float(rng.uniform(0.02, 0.08)),
            "breath_hz": float(rng.uniform(0.2, 0.32)),
            "breath_mm": float(rng.uniform(0.4, 1.4)),
            "heart_hz": float(rng.uniform(52, 96) / 60),
            "heart_mm": float(rng.uniform(0.05, 0.30)),
            "beat_phase": float(rng.uniform(0, 1)),
            "yaw_rad": float(np.deg2rad(rng.normal(0, 1.2))),
            "pitch_rad": float(np.deg2rad(rng.normal(0, 2.0))),
            "roll_rad": float(np.deg2rad(rng.normal(0, 1.5))),
            "x_mm": float(rng.normal(0, 6)),
            "y_mm": float(rng.normal(0, 6)),
        }
        t = self._traits
        self._heart = Heart.draw(self.seed, t["heart_hz"], t["beat_phase"], t["breath_hz"])
        self._blinks = BlinkTrain.draw(stream(self.seed, "blinks"))
        self._glances = _Glances(stream(self.seed, "glances"))

    @property
    def blink_rate(self) -> float:
        """This person's own blinks a minute."""
        return self._blinks.a_minute

    def at(self, time_s: float, prompt: Prompt) -> Posture:
        self._listen(time_s, prompt)
        w = [wobble.at(time_s) for wobble in self._wobbles]
        t = self._traits
        calm = self._calm.at(time_s)
        restless = calm * self.manner.sway_share
        sway, turn = t["sway_mm"] * restless, t["turn_rad"] * restless
        breath = float(np.sin(2 * np.pi * t["breath_hz"] * time_s + t["beat_phase"] * 6.0))
        beats = self._heart.beats(time_s)
        beat = beats % 1.0
        recoil = np.exp(-0.5 * ((beat - 0.18) / 0.07) ** 2) - 0.45 * np.exp(-0.5 * ((beat - 0.42) / 0.1) ** 2)
        pulse = t["heart_mm"] * float(recoil)
        yaw = self._yaw.at(time_s)
        pitch = self._pitch.at(time_s)
        smile = self._smile.at(time_s)
        glance_yaw, glance_pitch = self._glances.at(time_s)
        shut = self._blinks.closure(time_s)
        units = {}
        if shut > 0:
            units.update(eyeBlinkLeft=shut, eyeBlinkRight=shut)
        if smile > 0:
            units.update(
                mouthSmileLeft=smile,
                mouthSmileRight=smile * 0.94,
                cheekSquintLeft=0.7 * smile,
                cheekSquintRight=0.7 * smile,
                mouthDimpleLeft=0.25 * smile,
                mouthDimpleRight=0.25 * smile,
            )
        return Posture(
            shift_mm=(
                t["x_mm"] + sway * w[0] + t["tremor_mm"] * w[6],
                t["y_mm"] + 0.5 * sway * w[1] - t["breath_mm"] * breath - pulse,
                self._away.at(time_s) + sway * w[2] + 0.6 * t["breath_mm"] * breath,
            ),
            yaw_rad=t["yaw_rad"] + yaw + turn * w[3],
            pitch_rad=t["pitch_rad"] + pitch + 0.8 * turn * w[4],
            roll_rad=t["roll_rad"] + 0.6 * turn * w[5] + 0.05 * yaw,
            torso_yaw_rad=0.12 * yaw,
            gaze_yaw_rad=glance_yaw - 0.55 * yaw,
            gaze_pitch_rad=glance_pitch - 0.5 * pitch,
            units=units,
            beats=beats,
            heart_hz=t["heart_hz"],
        )

    def _listen(self, time_s: float, prompt: Prompt) -> None:
        if prompt != self._prompt:
            self._prompt, self._shown_s, self._steps = prompt, time_s, 0
            self._answer(time_s)
        elif prompt in STEP_PROMPTS and time_s - self._shown_s > STEP_PAUSE_S * self._steps:
            self._answer(time_s)

    def _answer(self, time_s: float) -> None:
        """Draw how and when this body answers the prompt; each change of prompt has random numbers of its own."""
        rng = stream(self.seed, f"answer-{self._answered}")
        self._answered += 1
        self._steps += 1
        from_s = time_s + float(np.clip(0.25 + rng.gamma(2.5, 0.09), *REACTION_S)) + self.manner.late_s
        lasts_s = float(rng.uniform(0.55, 0.95))
        effort = float(rng.uniform(0.82, 1.15))
        overshoot = float(np.deg2rad(rng.normal(0, 1.5)))
        prompt = self._prompt
        if prompt in POSE_PROMPTS:
            far = effort * self.manner.turn_share
            yaw = {Prompt.TURN_LEFT: TURN_RAD, Prompt.TURN_RIGHT: -TURN_RAD}.get(prompt, 0.0) * far
            pitch = {Prompt.LOOK_UP: NOD_RAD, Prompt.LOOK_DOWN: -NOD_RAD}.get(prompt, 0.0) * far
            self._yaw.aim(yaw + overshoot * (yaw != 0), from_s, lasts_s)
            self._pitch.aim(pitch + overshoot * (pitch != 0), from_s, lasts_s)
            smile = float(np.clip(effort * 0.92, 0, 1)) if prompt == Prompt.SMILE else 0.0
            if smile or self._smile.goal:
                self._smile.aim(smile, from_s, float(rng.uniform(0.3, 0.6)))
        elif prompt in STEP_PROMPTS:
            step = STEP_MM * float(rng.uniform(0.75, 1.25)) * (-1 if prompt == Prompt.MOVE_CLOSER else 1)
            goal = np.clip(self.distance_mm + self._away.goal + step, NEAREST_MM, FARTHEST_MM) - self.distance_mm
            self._away.aim(float(goal), from_s, float(rng.uniform(0.6, 1.1)))
            for glide in (self._yaw, self._pitch, self._smile):
                if glide.goal:
                    glide.aim(0.0, from_s, lasts_s)
        self._calm.aim(0.35 if prompt == Prompt.HOLD_STILL else 1.0, from_s, 0.4)
