"""The real model files, and rendered people to look at."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from faceward.errors import ConfigError
from faceward.face.models import ModelFiles, install_models
from faceward.model.frame import (
    Calibration,
    Frame,
    Illumination,
    Intrinsics,
    Prompt,
    SensorInfo,
    SensorKind,
    Slot,
    Stream,
    StreamProfile,
    digest_of,
)

SLOT_US = 33_333


@pytest.fixture(scope="session")
def models() -> ModelFiles:
    try:
        return ModelFiles.locate()
    except ConfigError:
        return install_models()


@dataclass(frozen=True)
class Scene:
    """One look at somebody: a flood slot, the depth before it, and how the head truly stood."""

    info: SensorInfo
    flood: Frame
    depth: Frame
    yaw_deg: float
    pitch_deg: float

    @property
    def slot(self) -> Slot:
        return Slot(self.flood)

    def with_pixels(self, flood: np.ndarray) -> Slot:
        data = flood.astype("<u2").tobytes()
        height, width = flood.shape
        return Slot(replace(self.flood, data=data, width_px=width, height_px=height, digest=digest_of(data)))


class People:
    """Renders people of the simulator, straight from its imager: no USB in between."""

    def __init__(self) -> None:
        seed = random.SystemRandom().randrange(10_000, 10_000_000)
        self.seeds = [seed + n for n in range(8)]
        self._kept: dict[tuple[object, ...], Scene] = {}

    def look(
        self, seed: int, prompt: Prompt = Prompt.LOOK_STRAIGHT, *, distance_mm: float = 400.0, tone: float | None = None,
        unit: int = 5, exposure_us: int = 2_500, after_s: float = 2.0,
    ) -> Scene:  # fmt: skip
        key = (seed, prompt, distance_mm, tone, unit, exposure_us, after_s)
        if key not in self._kept:
            self._kept[key] = self._render(seed, prompt, distance_mm, tone, unit, exposure_us, after_s)
        return self._kept[key]

    def _render(
        self, seed: int, prompt: Prompt, distance_mm: float, tone: float | None, unit: int, exposure_us: int,
        after_s: float,
    ) -> Scene:  # fmt: skip
        from faceward_sim.firmware.imager import Exposure
        from faceward_sim.firmware.imager import Illumination as Light
        from faceward_sim.firmware.imager import Prompt as Shown
        from faceward_sim.optics.sensors import SENSORS
        from faceward_sim.world.actors import ACTORS

        actor = ACTORS["live"].build(seed, distance_mm=distance_mm, tone=tone)
        imager = SENSORS["sl-940"].build(actor, unit)
        info = _info(imager)
        slots = int(after_s * 30)
        for slot in range(slots):
            actor.at(slot * SLOT_US, Shown(prompt))
        frames = {}
        for slot, light in ((slots, Light.DOTS), (slots + 1, Light.FLOOD)):
            image = imager.expose(Exposure(slot, slot * SLOT_US, light, exposure_us, 1.0, Shown(prompt)))
            pixels = image.depth if light is Light.DOTS else image.infrared
            stream = Stream.DEPTH if light is Light.DOTS else Stream.INFRARED
            data = pixels.tobytes()
            frames[light] = Frame(
                stream, pixels.shape[1], pixels.shape[0], data, slot, slot, slot * SLOT_US, exposure_us, 1.0,
                Illumination(int(light)), 940, image.temperature_c, b"confhash", digest_of(data),
            )  # fmt: skip
        posture = actor.mover.at((slots + 1) * SLOT_US / 1e6, Shown(prompt))
        return Scene(
            info, frames[Light.FLOOD], frames[Light.DOTS],
            float(np.degrees(posture.yaw_rad)), float(np.degrees(posture.pitch_rad)),
        )  # fmt: skip


def _info(imager: object) -> SensorInfo:
    identity, factory = imager.identity, imager.calibration
    numbers = {name: getattr(factory, name) for name in Calibration.__dataclass_fields__}
    for name in ("infrared", "depth"):
        camera = numbers[name]
        numbers[name] = Intrinsics(*(getattr(camera, part) for part in Intrinsics.__dataclass_fields__))
    return SensorInfo(
        "direct", identity.vendor, identity.model, identity.serial, identity.firmware_version,
        identity.hardware_revision, SensorKind(int(identity.kind)),
        {Illumination(int(light)): nm for light, nm in identity.emitters}, identity.slot_rate_mhz / 1000,
        identity.max_schedule_slots, Calibration(**numbers), (StreamProfile(640, 480, 30.0, 10.0),),
    )  # fmt: skip


@pytest.fixture(scope="session")
def people() -> People:
    return People()


@pytest.fixture(scope="session")
def analysis_of(models: ModelFiles) -> Callable[[Scene], object]:
    from faceward.face.analysis import FaceAnalysis

    return lambda scene: FaceAnalysis(models, scene.info)
