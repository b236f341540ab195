"""Screens: cover glass over a panel that emits and returns next to nothing at 940 nm, in a housing.

A photograph and a video look alike to the sensor, that is not at all; what differs is what the holder does: a photograph
is turned by turning the screen, a video turns by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faceward_sim.world.anatomy import Floats
from faceward_sim.world.generators import A, Generator
from faceward_sim.world.instruments.sheets import flat_grid, grid_triangles
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import Material, Surface
from faceward_sim.world.textures import mottle

_SIDES = ((-1, -1), (1, -1), (1, 1), (-1, 1))
_QUADS = ((0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7))
_BOX = np.array([t for a, b, c, e in _QUADS for t in ((a, b, c), (a, c, e))], np.int32)


@dataclass(frozen=True, slots=True)
class Device:
    """A kind of device; millimetres, drawn from evenly."""

    name: str
    width: tuple[float, float]
    height: tuple[float, float]
    thickness: tuple[float, float]
    bezel: tuple[float, float]
    roughness: tuple[float, float]  # of the glass
    deck: tuple[float, float] = (0.0, 0.0)  # of a keyboard before the screen
    hands: int = 1


PHONE = Device("phone", (68, 79), (145, 166), (7.5, 9.0), (1.5, 4.0), (0.015, 0.03))
TABLET = Device("tablet", (165, 215), (235, 285), (6.0, 8.0), (6.0, 16.0), (0.015, 0.03), hands=2)
# Matte laptop panels scatter the glint; glossy ones are as glass (assumed).
LAPTOP = Device("laptop", (300, 360), (205, 245), (4.5, 7.0), (5.0, 12.0), (0.02, 0.25), (205, 250), hands=2)


@dataclass(frozen=True, slots=True)
class ScreenDesign:
    """A species of screens. A video is held still; a photograph is turned as the indicator asks a face to turn."""

    name: str
    species: str
    description: str
    device: Device
    video: bool


def _of(device: Device, video: bool) -> ScreenDesign:
    name = f"{device.name}-video" if video else f"{device.name}-screen"
    shown = "plays a video of a face and is held still" if video else "shows a photograph of a face"
    return ScreenDesign(name, f"screen-{name}", f"a {device.name} that {shown}: dark at 940 nm", device, video)


SCREENS = (
    ScreenDesign("phone-screen", "screen", "a phone that shows a face: dark at 940 nm but for its glass", PHONE, False),
    _of(PHONE, True),
    *(_of(device, video) for device in (TABLET, LAPTOP) for video in (False, True)),
)


class Screen:
    """A device. Its frame is the middle of its front, which looks to -z."""

    def __init__(self, design: ScreenDesign, seed: int, generator: Generator = A) -> None:
        rng = stream(seed, "screen")
        device = design.device
        self.device = device
        self.width, self.height = float(rng.uniform(*device.width)), float(rng.uniform(*device.height))
        thickness, bezel = float(rng.uniform(*device.thickness)), float(rng.uniform(*device.bezel))
        panel = float(rng.uniform(*generator.beyond((0.02, 0.04))))
        # Glass returns 4 % at normal incidence (n = 1.5) whatever lies below it; the share is relative to the panel.
        roughness = float(rng.uniform(*generator.beyond(device.roughness, least=0.01)))
        self._glass = Material("cover-glass", 0.05, 0.2, 0.04 / panel, roughness)
        self._glass_texture = (panel * (1 + 0.02 * mottle(rng, 32, 4, 4))).astype(np.float32)
        self._case = Material(f"{device.name}-case", 0.2, 0.6, 0.04, float(rng.uniform(0.2, 0.5)))
        self._case_texture = np.full((8, 8), rng.uniform(*generator.beyond((0.04, 0.4), least=0.03)), np.float32)
        flat, self._front_uv = flat_grid(self.width - 2 * bezel, self.height - 2 * bezel, 7, 7)
        self._front = np.column_stack([flat, np.full(len(flat), -0.05)]).astype(np.float32)
        self._front_triangles = grid_triangles(7, 7)
        self._box = _box((-self.width / 2, -self.height / 2, 0), (self.width / 2, self.height / 2, thickness))
        self._box_triangles = _BOX
        deck = float(rng.uniform(*device.deck))
        if deck:
            # Opened to 95 to 115 degrees: the deck comes towards the sensor, below the screen.
            lean = np.deg2rad(rng.uniform(5, 25))
            slab = _box((-self.width / 2, 0.0, -deck), (self.width / 2, 12.0, 0.0))
            turn = np.array([[1, 0, 0], [0, np.cos(lean), -np.sin(lean)], [0, np.sin(lean), np.cos(lean)]])
            slab = (slab @ turn.T + (0, self.height / 2, 0)).astype(np.float32)
            self._box_triangles = np.concatenate([_BOX, _BOX + len(self._box)])
            self._box = np.concatenate([self._box, slab])
        self._box_uv = np.full((len(self._box), 2), 0.5, np.float32)

    def surfaces(self, rotation: Floats, origin_mm: Floats) -> tuple[Surface, ...]:
        return (
            Surface(
                self._front @ rotation.T + origin_mm,
                self._front_triangles,
                self._front_uv,
                self._glass_texture,
                self._glass,
            ),
            Surface(
                self._box @ rotation.T + origin_mm,
                self._box_triangles,
                self._box_uv,
                self._case_texture,
                self._case,
            ),
        )

    def grip_mm(self, side: int) -> Floats:
        return np.array([side * self.width / 2, self.height * 0.18, 4.0], np.float32)


def _box(low: tuple[float, float, float], high: tuple[float, float, float]) -> Floats:
    """Corners of a box, front first."""
    ends = (low, high)
    return np.array([(ends[sx > 0][0], ends[sy > 0][1], z) for z in (low[2], high[2]) for sx, sy in _SIDES], np.float32)
