"""What a capture will do: the gates' needs merged, the light of every slot, the stages that the person goes through.

The order of the light is drawn from the nonce (SHAKE-256), so that nobody who has not seen this capture's nonce can
have made its frames; what every whole second holds is fixed, so that gates get what they asked for.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from faceward.capture.digest import digest_schedule
from faceward.errors import ConfigError
from faceward.model.face import Pose
from faceward.model.frame import (
    Illumination,
    IlluminationSchedule,
    Prompt,
    SensorInfo,
    SensorKind,
    Stream,
    StreamProfile,
)
from faceward.model.liveness import Requirements

NONCE_BYTES_MIN = 8  # 64 bits (device.proto takes 8 to 32 bytes)
NONCE_BYTES_MAX = 32
DOTS_HZ = 10.0  # design: depth at about 10 Hz
OFF_HZ = 3.0
FLOOD_HZ = 17.0
FLOOD_HZ_MIN = 8.0  # the dialogue with the person needs a look every 1/8 s
DEPTH_GAP_S = 0.2  # a head turns at up to 200 degrees a second: 40 degrees without depth at most
STAGE_LIMIT_S = 6.0
FRONTAL_DWELL_S = 1.5  # at least, before the first turn; gates that ask for more get it
HELD_SLOTS = 6  # good flood slots in a pose before it counts as held: about 0.35 s at 17 a second
SEARCH_S = 4.0  # a capture without any face lasts this long, so that gates can judge what is shown instead of one
SLACK_S = 8.0  # for guidance that stops a stage's clock ("move closer")

_PROMPTS = {
    Pose.FRONTAL: Prompt.LOOK_STRAIGHT,
    Pose.LEFT: Prompt.TURN_LEFT,
    Pose.RIGHT: Prompt.TURN_RIGHT,
    Pose.UP: Prompt.LOOK_UP,
    Pose.DOWN: Prompt.LOOK_DOWN,
    Pose.SMILE: Prompt.SMILE,
}
_TURNS = (Pose.LEFT, Pose.RIGHT, Pose.UP, Pose.DOWN)

Purpose = Literal["enroll", "verify"]


class Asking(Protocol):
    """Whoever says what a capture must hold: every LivenessGate does."""

    name: str

    def requirements(self, sensor: SensorInfo) -> Requirements:
        """Needs on that sensor."""
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """One pose: what the person is told, how long it lasts at least, and when it is given up (device time)."""

    pose: Pose
    prompt: Prompt
    dwell_s: float
    limit_s: float = STAGE_LIMIT_S


@dataclass(frozen=True, slots=True)
class CapturePlan:
    """A capture's plan. `rates_hz` says how many slots of each light every whole second of the schedule holds."""

    schedule: IlluminationSchedule = field(repr=False)
    schedule_digest: bytes
    profile: StreamProfile
    stages: tuple[Stage, ...]
    rates_hz: Mapping[Illumination, int]
    search_s: float = SEARCH_S
    held_slots: int = HELD_SLOTS


def make_plan(
    gates: Iterable[Asking],
    sensor: SensorInfo,
    *,
    nonce: bytes,
    purpose: Purpose = "enroll",
    profile: StreamProfile | None = None,
) -> CapturePlan:
    """Plan a capture that gives every gate at least what it asks for, where the sensor can.

    A light or stream that the sensor does not have is left out (the gate that needs it answers "not evaluated" and so
    refuses). `nonce` is fresh and secret until streaming starts: `secrets.token_bytes(16)`.

    Raises: ConfigError (rates beyond the slot rate, a schedule longer than the sensor takes, a bad nonce, no profile).
    """
    if not NONCE_BYTES_MIN <= len(nonce) <= NONCE_BYTES_MAX:
        raise ConfigError(f"the nonce must have {NONCE_BYTES_MIN} to {NONCE_BYTES_MAX} bytes, not {len(nonce)}")
    if purpose not in ("enroll", "verify"):
        raise ConfigError(f"a capture is for enroll or verify, not for {purpose!r}")
    if not sensor.profiles and profile is None:
        raise ConfigError(f"{sensor.address}: the sensor offers no stream profile")
    chosen = profile or max(sensor.profiles, key=lambda offered: offered.width_px * offered.height_px)
    needs = {gate.name: gate.requirements(sensor) for gate in gates}
    rates = slot_rates(needs, sensor)
    seconds = _longest(needs, lambda need: need.seconds)
    stages = _stages(purpose, nonce, seconds, any(need.expression for need in needs.values()))
    length_s = SEARCH_S + SLACK_S + sum(stage.dwell_s + stage.limit_s for stage in stages)
    slots = min(math.ceil(length_s * sensor.slot_rate_hz), sensor.max_schedule_slots)
    shortest_s = SEARCH_S + sum(stage.dwell_s for stage in stages) + len(stages) * 1.5
    if slots < shortest_s * sensor.slot_rate_hz:
        raise ConfigError(
            f"the gates ask for {seconds:g} s, and with every pose a capture takes {shortest_s:.0f} s at least; "
            f"the sensor's schedule holds {sensor.max_schedule_slots / sensor.slot_rate_hz:.0f} s"
        )
    schedule = IlluminationSchedule(nonce, bytes(draw_slots(nonce, rates, slots, sensor.slot_rate_hz)))
    return CapturePlan(schedule, digest_schedule(schedule), chosen, stages, rates)


def slot_rates(needs: Mapping[str, Requirements], sensor: SensorInfo) -> dict[Illumination, int]:
    """Slots of each light in a whole second: the largest rate that any gate asks for, the rest shared as by default.

    Raises: ConfigError when the gates together ask for more slots than a second has; it names them.
    """
    total = round(sensor.slot_rate_hz)
    if total < 1:
        raise ConfigError(f"{sensor.address}: {sensor.slot_rate_hz:g} slots a second are too few")
    for name, need in needs.items():
        asked = (need.dots_hz, need.flood_hz, need.flood_second_hz, need.off_hz, need.seconds)
        if not all(math.isfinite(value) and value >= 0.0 for value in asked):
            raise ConfigError(f"gate {name}: its requirements are no numbers that a capture can meet: {need}")
    has_dots = Illumination.DOTS in sensor.wavelengths_nm
    has_second = Illumination.FLOOD_SECOND in sensor.wavelengths_nm
    wants_depth = any(need.depth for need in needs.values()) and Stream.DEPTH in sensor.streams
    # A structured-light sensor measures depth in dots slots only.
    structured = sensor.kind is SensorKind.STRUCTURED_LIGHT
    dots_for_depth = 1.0 / DEPTH_GAP_S if wants_depth and structured else 0.0
    least = {
        Illumination.DOTS: _ceil(max(_longest(needs, lambda need: need.dots_hz), dots_for_depth)) if has_dots else 0,
        Illumination.FLOOD: _ceil(max(_longest(needs, lambda need: need.flood_hz), FLOOD_HZ_MIN * total / 30.0)),
        Illumination.FLOOD_SECOND: _ceil(_longest(needs, lambda need: need.flood_second_hz)) if has_second else 0,
        Illumination.OFF: _ceil(_longest(needs, lambda need: need.off_hz)),
    }
    if sum(least.values()) > total:
        asked_for = ", ".join(f"{count} {light.name.lower()}" for light, count in least.items() if count)
        raise ConfigError(
            f"gates {', '.join(sorted(needs)) or '(none)'} together ask for {sum(least.values())} slots a second "
            f"({asked_for}); the sensor has {total}"
        )
    share = total / 30.0
    rates = dict(least)
    for light, usual in ((Illumination.DOTS, DOTS_HZ if has_dots else 0.0), (Illumination.OFF, OFF_HZ)):
        spare = total - sum(rates.values())
        rates[light] += max(0, min(spare, math.floor(usual * share) - rates[light]))
    rates[Illumination.FLOOD] += total - sum(rates.values())
    return rates


def draw_slots(
    nonce: bytes, rates: Mapping[Illumination, int], slots: int, slot_rate_hz: float
) -> Iterator[Illumination]:
    """The light of each slot, the same for the same nonce.

    Each whole second is a random order of what `rates` says. Where there is dots light at all, two dots slots are never
    farther apart than 0.2 s, or than twice their mean distance where that is more; so is flood light.
    """
    draw = _Draws(nonce)
    per_second = sum(rates.values())
    usual_gap = max(2, math.floor(DEPTH_GAP_S * slot_rate_hz))
    bounded = {
        light: max(usual_gap, math.ceil(2 * per_second / rates[light]))
        for light in (Illumination.DOTS, Illumination.FLOOD)
        if rates.get(light, 0)
    }
    since = dict.fromkeys(bounded, 0)
    left: dict[Illumination, int] = {}
    for slot in range(slots):
        if slot % per_second == 0:
            left = {light: count for light, count in sorted(rates.items()) if count}
        due = [light for light in bounded if left.get(light) and _is_due(light, left, since, bounded[light])]
        if due:
            chosen = max(due, key=lambda light: since[light] / bounded[light])
        else:
            open_now = {light: n for light, n in left.items() if not _is_early(light, left, bounded)} or left
            at = draw.below(sum(open_now.values()))
            for light, count in open_now.items():
                at -= count
                if at < 0:
                    chosen = light
                    break
        left[chosen] -= 1
        if not left[chosen]:
            del left[chosen]
        for light in since:
            since[light] = 0 if light is chosen else since[light] + 1
        yield chosen


def _is_due(light: Illumination, left: Mapping[Illumination, int], since: Mapping[Illumination, int], gap: int) -> bool:
    """Whether the light must come now: its gap is full, or what is left of it only just covers the second's rest."""
    others = sum(left.values()) - left[light]
    if since[light] >= gap - 1:
        return True
    # After one more slot of another light, the remaining ones must still be able to break up what follows.
    return others - 1 > (gap - 1 - since[light] - 1) + left[light] * (gap - 1)


def _is_early(light: Illumination, left: Mapping[Illumination, int], bounded: Mapping[Illumination, int]) -> bool:
    """Whether too few of the light would be left, used now, to break up the rest of the second."""
    return light in bounded and sum(left.values()) - left[light] > left[light] * (bounded[light] - 1)


class _Draws:
    """Uniform numbers from SHAKE-256 over the nonce, by rejection."""

    _BLOCK = 4096

    def __init__(self, nonce: bytes) -> None:
        self._seed = b"faceward.schedule.v1\0" + nonce
        self._block = 0
        self._words: Iterator[int] = iter(())

    def below(self, limit: int) -> int:
        ceiling = (1 << 32) // limit * limit
        while True:
            word = next(self._words, None)
            if word is None:
                data = hashlib.shake_256(self._seed + struct.pack("<I", self._block)).digest(self._BLOCK)
                self._block += 1
                self._words = iter(struct.unpack(f"<{self._BLOCK // 4}I", data))
            elif word < ceiling:
                return word % limit


def _stages(purpose: Purpose, nonce: bytes, seconds: float, expression: bool) -> tuple[Stage, ...]:
    if purpose == "enroll":
        poses = [Pose.FRONTAL, *_TURNS, Pose.SMILE]
    else:
        turn = _TURNS[hashlib.sha256(b"faceward.turn.v1\0" + nonce).digest()[0] % len(_TURNS)]
        poses = [Pose.FRONTAL, turn, *([Pose.SMILE] if expression else [])]
    dwell_s = {Pose.FRONTAL: max(seconds, FRONTAL_DWELL_S), Pose.SMILE: 1.0}
    return tuple(Stage(pose, _PROMPTS[pose], dwell_s.get(pose, 0.0)) for pose in poses)


def _longest(needs: Mapping[str, Requirements], of: Callable[[Requirements], float]) -> float:
    return max((of(need) for need in needs.values()), default=0.0)


def _ceil(rate_hz: float) -> int:
    return math.ceil(rate_hz - 1e-9)
