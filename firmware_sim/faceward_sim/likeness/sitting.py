"""Pictures of a person: one flood frame for each drawn distance, pose, expression, light and unit of the sensor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from faceward_sim.firmware.imager import Exposure, FactoryCalibration, Illumination, Prompt
from faceward_sim.optics.structured_light import StructuredLightImager, build_sl_940
from faceward_sim.world.body import FACE_CENTRE_MM, Body
from faceward_sim.world.motion import Mover
from faceward_sim.world.rooms import draw_room
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import SceneState

UNITS = 24
NEAREST_MM, FARTHEST_MM = 280.0, 600.0
POSE_SIGMA_DEG = (6.0, 5.0, 4.0)  # yaw, pitch, roll; the SDK takes frontal key frames within 12 degrees or so
POSE_LIMIT_DEG = 13.0
AMBIENT_SHARE = (0.001, 0.3)  # of the flood's light on the face: a dark room to a window
TARGET = 0.35  # where the SDK's own exposure control brings a face, give or take its dead band
TARGET_SPREAD = 0.3
_FACE_SHARE = 0.8  # of its square-on brightness, what a face has on average


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """One flood frame: counts (rows, columns) uint16, and the calibration that its unit reports."""

    counts: NDArray[np.uint16]
    calibration: FactoryCalibration
    exposure_us: int
    distance_mm: float


class _Chair:
    """An actor that holds whatever scene was put there."""

    name = "portrait"
    species = "live"

    def __init__(self) -> None:
        self.scene = SceneState(())

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        return self.scene


@cache
def _unit(number: int) -> tuple[StructuredLightImager, _Chair]:
    chair = _Chair()
    return build_sl_940(chair, number), chair


def take_portrait(body: Body, number: int) -> Portrait:
    """The person's portrait of that number; the same pair gives the same frame."""
    person = body.person
    rng = stream(person.seed, f"portrait-{number}")
    distance_mm = float(rng.uniform(NEAREST_MM, FARTHEST_MM))
    imager, chair = _unit(int(rng.integers(UNITS)))
    mover = Mover(int(rng.integers(1 << 31)), distance_mm)
    posture = mover.at(float(rng.uniform(0, 20)), Prompt.NONE)
    yaw, pitch, roll = np.deg2rad(np.clip(rng.normal(0, POSE_SIGMA_DEG), -POSE_LIMIT_DEG, POSE_LIMIT_DEG))
    units = {name: share for name, share in posture.units.items() if not name.startswith("eyeBlink")}
    units |= _expression(rng)
    posture = replace(
        posture,
        yaw_rad=posture.yaw_rad + float(yaw),
        pitch_rad=posture.pitch_rad + float(pitch),
        roll_rad=posture.roll_rad + float(roll),
        gaze_yaw_rad=posture.gaze_yaw_rad - 0.8 * float(yaw),
        gaze_pitch_rad=posture.gaze_pitch_rad - 0.8 * float(pitch),
        units=units,
    )
    room = draw_room(int(rng.integers(1 << 31)))
    per_us = imager.calibration.flood_counts_per_us_at_1m / (distance_mm / 1000.0) ** 2
    ambient = per_us * float(np.exp(rng.uniform(*np.log(AMBIENT_SHARE))))
    place = np.array([0.0, -FACE_CENTRE_MM, distance_mm], np.float32)
    chair.scene = SceneState(body.surfaces(posture, place) + room.surfaces, ambient)
    range_counts = imager.calibration.saturation_counts - imager.calibration.black_level_counts
    light_per_us = (per_us * _FACE_SHARE + ambient) * person.complexion.reflectance
    wanted = TARGET * (1 + TARGET_SPREAD * rng.uniform(-1, 1)) * range_counts / light_per_us
    exposure_us = int(np.clip(wanted, 100, 25_000))
    image = imager.expose(Exposure(number, 1_000_000, Illumination.FLOOD, exposure_us, 1.0, Prompt.NONE))
    return Portrait(image.infrared.copy(), imager.calibration, exposure_us, distance_mm)


def _expression(rng: np.random.Generator) -> dict[str, float]:
    """A face that rests, more or less: a smile in every third picture, lids, brows and lips never quite the same."""
    units: dict[str, float] = {}
    smile = float(rng.uniform(0.1, 0.8)) if rng.random() < 0.33 else 0.0
    for side in ("Left", "Right"):
        units[f"mouthSmile{side}"] = smile * float(rng.uniform(0.9, 1.0))
        units[f"cheekSquint{side}"] = 0.6 * smile
    squint, blink, brows = rng.uniform(0, 0.25), rng.uniform(0, 0.15), rng.uniform(0, 0.2)
    for side in ("Left", "Right"):
        units[f"eyeSquint{side}"] = float(squint)
        units[f"eyeBlink{side}"] = float(blink)
    units["browInnerUp"] = float(brows)
    units["jawOpen"] = float(rng.uniform(0, 0.06))
    units["mouthPressLeft"] = units["mouthPressRight"] = float(rng.uniform(0, 0.25))
    return units
