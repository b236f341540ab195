"""A sensor and a face analysis that follow a script, so that every branch of a capture can be walked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from faceward.face.analysis import Look
from faceward.face.quality import FaceQuality
from faceward.hal.sensor import Sensor
from faceward.model.face import FaceObservation, FaceSighting, HeadPose, Pose
from faceward.model.frame import (
    Calibration,
    Frame,
    FrameSet,
    Health,
    Illumination,
    IlluminationSchedule,
    Intrinsics,
    Prompt,
    SensorInfo,
    SensorKind,
    Slot,
    Stream,
    StreamProfile,
    digest_of,
)
from faceward.model.liveness import Requirements

SLOT_US = 33_333
GOOD = FaceQuality(20_000.0, 0.35, 0.0, 0.1, 0.3, 400.0, 0.0, 1.5)
CAMERA = Intrinsics(640, 480, 554.0, 554.0, 319.5, 239.5)
CALIBRATION = Calibration(
    CAMERA, CAMERA, 100.0, 40.0, 200.0, 1000.0, 10.0, 1.0, 0.3, 1.0, 0.0, 10.0, 1000.0, 20.0, 5.0, 60_000.0
)
INFO = SensorInfo(
    address="usb:1209:0001:S1",
    vendor="Faceward",
    model="scripted",
    serial="S1",
    firmware_version="1.0",
    hardware_revision="A",
    kind=SensorKind.STRUCTURED_LIGHT,
    wavelengths_nm={Illumination.DOTS: 940, Illumination.FLOOD: 940},
    slot_rate_hz=30.0,
    max_schedule_slots=4096,
    calibration=CALIBRATION,
    profiles=(StreamProfile(640, 480, 30.0, 10.0), StreamProfile(320, 240, 30.0, 10.0)),
)


@dataclass(frozen=True)
class Asked:
    """A gate as a plan sees it."""

    name: str = "gate"
    needs: Requirements = field(default_factory=Requirements)

    def requirements(self, sensor: SensorInfo) -> Requirements:
        return self.needs


def make_frame(slot: int, illumination: Illumination, stream: Stream = Stream.INFRARED, **changes: object) -> Frame:
    """A frame of 4 x 2 pixels that no other slot has."""
    data = np.full(8, slot * 2 + (stream is Stream.DEPTH), dtype="<u2").tobytes()
    frame = Frame(
        stream=stream,
        width_px=4,
        height_px=2,
        data=data,
        sequence=slot,
        slot=slot,
        device_time_us=slot * SLOT_US,
        exposure_us=2_000,
        gain=1.0,
        illumination=illumination,
        wavelength_nm=0 if illumination is Illumination.OFF else 940,
        temperature_c=35.0,
        config_hash=b"confhash",
        digest=digest_of(data),
    )
    return replace(frame, **changes)


def make_slot(slot: int, illumination: Illumination, **changes: object) -> Slot:
    """A structured-light slot: depth where there are dots."""
    has_depth = illumination is Illumination.DOTS
    depth = make_frame(slot, illumination, Stream.DEPTH) if has_depth else None
    return Slot(make_frame(slot, illumination, **changes), depth)


def make_look(
    slot: int,
    *,
    faces: int = 1,
    yaw: float = 0.0,
    pitch: float = 0.0,
    roll: float = 0.0,
    smile: float = 1.0,
    x: float = 250.0,
    quality: FaceQuality = GOOD,
    time_us: int | None = None,
) -> Look:
    """A look at one slot; `smile` above 1 bends the mouth and `x` is the box's left edge."""
    now_us = slot * SLOT_US if time_us is None else time_us
    if faces == 0:
        return Look(slot, now_us, 0, None, None)
    landmarks = np.array([[290, 200], [350, 200], [320, 235], [295, 270], [345, 270]], dtype=np.float32)
    sighting = FaceSighting(
        slot=slot, faces=faces, box_px=(x, 150.0, 140.0, 180.0), landmarks_px=landmarks, score=0.9,
        pose=HeadPose(yaw, pitch, roll), distance_mm=quality.distance_mm, mean_counts=quality.mean_counts,
        saturated_share=quality.saturated_share, sharpness=quality.sharpness,
    )  # fmt: skip
    return Look(slot, now_us, faces, sighting, quality, _mouth(smile))


def _mouth(smile: float) -> np.ndarray:
    """A dark bar on a bright ground, bent upwards at its ends by a smile."""
    lines, columns = np.mgrid[0:40, 0:64].astype(np.float32)
    bar = 20.0 - (smile - 1.0) * 0.1 * (columns - 32.0) ** 2
    return 100.0 - 80.0 * np.exp(-(((lines - bar) / 3.0) ** 2) - ((columns - 32.0) / 14.0) ** 4)


class ScriptedSensor(Sensor):
    """Streams the schedule it was given and remembers what it was told."""

    def __init__(self, alter: Callable[[Slot], Slot] = lambda slot: slot) -> None:
        self.info = INFO
        self.alter = alter
        self.streaming = False
        self.prompts: list[tuple[int, Prompt]] = []
        self.exposures: list[int] = []
        self.sent: list[Slot] = []
        self.stops = 0
        self.schedule = IlluminationSchedule(b"", b"")
        self.fail_at: dict[int, BaseException] = {}
        self.stop_error: BaseException | None = None

    @property
    def prompt(self) -> Prompt:
        return self.prompts[-1][1] if self.prompts else Prompt.NONE

    def start(self, profile: StreamProfile, schedule: IlluminationSchedule, *, timeout_s: float = 5.0) -> None:
        self.schedule, self.streaming = schedule, True

    def read_slot(self, *, timeout_s: float = 2.0) -> Slot:
        assert self.streaming and timeout_s > 0.0
        at = len(self.sent)
        if at in self.fail_at:
            raise self.fail_at[at]
        slot = self.alter(make_slot(at, Illumination(self.schedule.slots[at])))
        self.sent.append(slot)
        return slot

    def set_exposure(self, exposure_us: int, gain: float = 1.0, *, timeout_s: float = 1.0) -> None:
        self.exposures.append(exposure_us)

    def indicate(self, prompt: Prompt, *, timeout_s: float = 1.0) -> None:
        self.prompts.append((len(self.sent), prompt))

    def health(self, *, timeout_s: float = 1.0) -> Health:
        return Health(35.0, 0, (), 0)

    def stop(self, *, timeout_s: float = 2.0) -> None:
        self.stops += 1
        self.streaming = False
        if self.stop_error is not None:
            raise self.stop_error

    def cancel(self) -> None:
        raise AssertionError("nobody cancels here")

    def close(self) -> None:
        self.stop()


POSES = {
    Prompt.TURN_LEFT: {"yaw": 18.0},
    Prompt.TURN_RIGHT: {"yaw": -18.0},
    Prompt.LOOK_UP: {"pitch": 14.0},
    Prompt.LOOK_DOWN: {"pitch": -14.0},
    Prompt.SMILE: {"smile": 1.5},
}


class ScriptedAnalysis:
    """Sees whatever `person` says a slot shows: by default somebody who obeys at once."""

    def __init__(
        self, sensor: ScriptedSensor, person: Callable[[int, Prompt], dict[str, object]] | None = None
    ) -> None:
        self.sensor = sensor
        self.person = person or (lambda slot, prompt: dict(POSES.get(prompt, {})))
        self.begun = 0
        self.depths: list[tuple[int, Frame | None]] = []

    def begin(self) -> None:
        self.begun += 1

    def look(self, slot: Slot, depth: Frame | None) -> Look | None:
        flood = slot.infrared
        if flood.illumination is not Illumination.FLOOD:
            return None
        self.depths.append((flood.slot, depth))
        return make_look(flood.slot, **self.person(flood.slot, self.sensor.prompt))

    def assemble(
        self, frame_set: FrameSet, looks: tuple[Look, ...], prompt: Prompt, stage: Pose | None
    ) -> FaceObservation:
        sightings = tuple(look.sighting for look in looks if look.sighting is not None)
        return FaceObservation(sightings, max((look.faces for look in looks), default=0), prompt, stage)


class Watcher:
    """An observer, a recorder and a listener in one: keeps all that it is given."""

    def __init__(self) -> None:
        self.sets: list[tuple[FrameSet, FaceObservation]] = []
        self.slots: list[Slot] = []
        self.prompts: list[tuple[Prompt, int]] = []
        self.events: list[object] = []

    def observe(self, frame_set: FrameSet, face: FaceObservation) -> None:
        self.sets.append((frame_set, face))

    def write_slot(self, slot: Slot) -> None:
        self.slots.append(slot)

    def write_prompt(self, prompt: Prompt, device_time_us: int) -> None:
        self.prompts.append((prompt, device_time_us))

    def of(self, kind: type) -> list[object]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def script() -> object:
    """The script's vocabulary, for tests that need it by name."""
    import types

    return types.SimpleNamespace(
        Asked=Asked, GOOD=GOOD, INFO=INFO, CALIBRATION=CALIBRATION, SLOT_US=SLOT_US, POSES=POSES,
        look=make_look, slot=make_slot, frame=make_frame,
        Sensor=ScriptedSensor, Analysis=ScriptedAnalysis, Watcher=Watcher,
    )  # fmt: skip
