"""Scenes of known shape, so that what a frame says can be held against what is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from faceward_sim.firmware.imager import Exposure, Illumination, Prompt
from faceward_sim.optics.geometry import Pinhole
from faceward_sim.world.surface import Material, SceneState, Surface
from numpy.typing import NDArray

CAMERA = Pinhole(640, 480, 554.0, 319.5, 239.5)
SKIN = Material("skin", 1.0, 3.35, 0.07, 0.3)
MATT_SKIN = Material("matt skin", 1.0, 3.35, 0.0, 0.3)
PAPER = Material("paper", 0.05, 0.15, 0.0, 0.4)
SILICONE = Material("silicone", 2.25, 7.0, 0.05, 0.3)


@dataclass
class Still:
    """An actor that stays as it is."""

    scene: SceneState
    name: str = "still"
    species: str = "live"

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        return self.scene


Shape = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


def sheet(shape: Shape, reflectance: float | NDArray[np.float32], material: Material, n: int = 40) -> Surface:
    """A surface over (u, v) in [0, 1], outside towards the sensor where u runs to the right and v down."""
    u, v = np.meshgrid(np.linspace(0, 1, n), np.linspace(0, 1, n))
    i = np.arange(n * n).reshape(n, n)
    a, b, c, d = i[:-1, :-1].ravel(), i[:-1, 1:].ravel(), i[1:, :-1].ravel(), i[1:, 1:].ravel()
    texture = reflectance if isinstance(reflectance, np.ndarray) else np.full((16, 16), reflectance, np.float32)
    return Surface(
        vertices_mm=shape(u, v).reshape(-1, 3).astype(np.float32),
        triangles=np.concatenate([np.c_[a, c, b], np.c_[b, c, d]]).astype(np.int32),
        uv=np.c_[u.ravel(), v.ravel()].astype(np.float32),
        reflectance=texture,
        material=material,
    )


@dataclass(frozen=True)
class Scenes:
    """Makers of surfaces; distances in mm."""

    skin: Material = SKIN
    matt_skin: Material = MATT_SKIN
    paper: Material = PAPER
    silicone: Material = SILICONE
    camera: Pinhole = CAMERA

    def plane(
        self,
        z_mm: float,
        reflectance: float | NDArray[np.float32] = 0.38,
        material: Material = MATT_SKIN,
        width_mm: float = 800.0,
        x_mm: float = 0.0,
        lean: float = 0.0,
        height_mm: float = 600.0,
    ) -> Surface:
        """A plane across the axis; `lean` is its slope dz/dx."""

        def shape(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
            x = x_mm + (u - 0.5) * width_mm
            return np.stack([x, (v - 0.5) * height_mm, z_mm + lean * (x - x_mm)], -1)

        return sheet(shape, reflectance, material)

    def ball(self, z_mm: float, radius_mm: float, reflectance: float = 0.38, material: Material = MATT_SKIN) -> Surface:
        """The half of a sphere that faces the sensor, its centre at `z_mm`."""

        def shape(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
            a, b = np.pi * (u - 0.5), np.pi * (v - 0.5)
            x, y, z = np.sin(a) * np.cos(b), np.sin(b), -np.cos(a) * np.cos(b)
            return np.stack([x, y, z], -1) * radius_mm + (0, 0, z_mm)

        return sheet(shape, reflectance, material, n=80)

    def actor(self, *surfaces: Surface, ambient: float = 0.0) -> Still:
        return Still(SceneState(surfaces, ambient))

    def slot(self, illumination: Illumination, exposure_us: int = 2000, slot: int = 0, gain: float = 1.0) -> Exposure:
        return Exposure(slot, slot * 33_333, illumination, exposure_us, gain, Prompt.NONE)


@pytest.fixture(scope="session")
def scenes() -> Scenes:
    return Scenes()


@pytest.fixture
def unit_seed(seed: int) -> int:
    """A unit that nobody tuned on."""
    return seed
