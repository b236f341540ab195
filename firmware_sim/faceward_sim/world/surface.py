"""What light meets: surfaces with a material, as they stand at one moment.

Camera frame, millimetres: x to the image's right, y down, z away from the sensor. The person faces the sensor, so the
person's own left is at positive x.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from faceward_sim.firmware.imager import Prompt
from faceward_sim.optics.profile import SHARES, Profile


@dataclass(frozen=True, slots=True)
class Material:
    """How a surface returns near-infrared light at one band.

    A dot's diffuse light spreads by the radii that hold 50 % and 90 % of it; where transport gave more of its profile,
    `dot_radii_mm` are the radii that hold SHARES of it. The specular lobe is Fresnel-like with `specular_share` of the
    nominal diffuse reflectance at normal incidence and Beckmann-like `roughness` (0 is a mirror).
    """

    name: str
    dot_r50_mm: float
    dot_r90_mm: float
    specular_share: float
    roughness: float
    dot_radii_mm: tuple[float, ...] = ()
    share_850: float = 1.0  # diffuse reflectance at 850 nm over that at 940 nm
    over_range_mm: float = 0.0  # what time of flight measures too far at 940 nm, at low modulation frequencies
    over_range_drop_mm: float = 0.0  # less of it at 300 MHz
    colour: tuple[float, float, float] = (0.8, 0.8, 0.8)  # reflectance to red, green and blue over that at 940 nm

    @property
    def profile(self) -> Profile:
        """The share of a dot's diffuse light inside a radius."""
        if self.dot_radii_mm:
            return Profile(SHARES, self.dot_radii_mm)
        return Profile((0.5, 0.9), (self.dot_r50_mm, self.dot_r90_mm))


@dataclass(frozen=True, slots=True)
class ClearBand:
    """What a clear sheet does with light of one band that falls on it squarely.

    `passes` is what one pass lets through, both faces and all between them; `front` and `back` are the shares that either
    face mirrors.
    """

    passes: float
    front: float
    back: float


@dataclass(frozen=True, slots=True)
class Glazing:
    """What a clear sheet is made of. `roughness` is of the same kind as `Material`'s; polished glass is near 0."""

    name: str
    at_940: ClearBand
    at_850: ClearBand
    visible: ClearBand
    roughness: float


@dataclass(frozen=True, slots=True)
class ClearSheet:
    """Glass, or clear plastic: what is behind it is seen through it, and its two faces mirror lamps.

    Both faces share `triangles`. A face's normals are those of the mirror that it is from outside, so those of the back
    face are what refraction at the front makes of them; refraction does not move what is seen through the sheet.
    """

    front_mm: NDArray[np.float32]  # (V, 3)
    front_normals: NDArray[np.float32]  # (V, 3), unit, outwards
    back_mm: NDArray[np.float32]  # (V, 3)
    back_normals: NDArray[np.float32]  # (V, 3), unit, outwards as those of the front
    triangles: NDArray[np.int32]  # (T, 3), counter-clockwise seen from outside
    glazing: Glazing

    def moved(self, turn: NDArray[np.float32], pivot_mm: NDArray[np.float32], to_mm: NDArray[np.float32]) -> ClearSheet:
        """The sheet turned about a point, and that point carried to another."""
        return replace(
            self,
            front_mm=(self.front_mm - pivot_mm) @ turn.T + to_mm,
            front_normals=self.front_normals @ turn.T,
            back_mm=(self.back_mm - pivot_mm) @ turn.T + to_mm,
            back_normals=self.back_normals @ turn.T,
        )


@dataclass(frozen=True, slots=True)
class Surface:
    """One mesh. `triangles`, `uv` and `reflectance` stay the same objects while an actor moves, so they can be cached."""

    vertices_mm: NDArray[np.float32]  # (V, 3)
    triangles: NDArray[np.int32]  # (T, 3), counter-clockwise seen from outside
    uv: NDArray[np.float32]  # (V, 2), in [0, 1], v downwards as image rows
    reflectance: NDArray[np.float32]  # (H, W) diffuse reflectance at the sensor's band, absolute
    material: Material
    flush: NDArray[np.float32] | None = None  # (V,) reflectance now over reflectance at rest: the pulse; None is 1
    panes: tuple[ClearSheet, ...] = ()  # clear sheets that it holds

    def turned(self, turn: NDArray[np.float32], pivot_mm: NDArray[np.float32]) -> Surface:
        """The surface, with what it holds, turned about a point."""
        panes = tuple(pane.moved(turn, pivot_mm, pivot_mm) for pane in self.panes)
        return replace(self, vertices_mm=(self.vertices_mm - pivot_mm) @ turn.T + pivot_mm, panes=panes)


@dataclass(frozen=True, slots=True)
class Sun:
    """Light from one side: the sun, or a window.

    `towards` is the unit vector to it in the camera frame. `counts_per_us` is what a reflectance-1 target that faces it
    returns. `wrap` is 0 for a point and 1 for light that reaches as far as the shaded side.
    """

    towards: tuple[float, float, float]
    counts_per_us: float
    wrap: float
    shadows: bool


@dataclass(frozen=True, slots=True)
class Stranger:
    """Another unit of the same sensor beside this one, as far as it shines into this slot.

    Shares are of this slot's exposure, from 0 to 1; `unit_seed` draws the unit.
    """

    unit_seed: int
    x_mm: float
    flood_share: float
    dots_share: float


@dataclass(frozen=True, slots=True)
class SceneState:
    """Everything in front of the sensor at one moment.

    `ambient` is counts per microsecond on a reflectance-1 target, in `sl-940`'s counts and band.
    """

    surfaces: tuple[Surface, ...]
    ambient: float = 0.0
    sun: Sun | None = None
    stranger: Stranger | None = None

    @property
    def clear(self) -> tuple[ClearSheet, ...]:
        """The clear sheets that surfaces hold."""
        return tuple(pane for surface in self.surfaces for pane in surface.panes)


class Actor(Protocol):
    """Somebody, or something held or worn by somebody, before the sensor."""

    name: str
    species: str  # "live", or the attack species

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        """The scene at a moment; called with rising times, with the prompt that is shown at that moment."""
        ...
