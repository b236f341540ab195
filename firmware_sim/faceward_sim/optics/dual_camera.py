"""`dual-camera`: two passive colour cameras side by side, as attendance machines have them.

It throws no light, so it sees what a room's lamps show: colour, and depth only where one picture finds itself in the
other. It is no Faceward sensor and speaks nothing of the protocol; examples hold it beside one. Visible colours of
materials are assumed (L); a screen, which shines in visible light, stays dark here.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceward_sim.firmware.imager import Prompt
from faceward_sim.optics.flood import Daylight, Emitter, flood_signal
from faceward_sim.optics.geometry import Geometry, Pinhole
from faceward_sim.optics.manufacture import ChipDesign, draw_camera, draw_pixels, estimate_intrinsics
from faceward_sim.optics.panes import Panes, visible
from faceward_sim.optics.pixels import PixelArray, develop, quantiles
from faceward_sim.optics.rasterise import Rasteriser
from faceward_sim.world.surface import Actor, Sun

_MTF50_SIGMA = 0.18739  # a Gaussian blur of s px has contrast one half at .18739/s cycles per px
_CHIP = ChipDesign(512.0, 26.0, 6.4, 65520.0, 16)
_NO_EMITTER = Emitter(0.0, 0.0, 0.0)
_MOST_DISPARITY_PX = 144
_BLOCK_PX = 7


@dataclass(frozen=True, slots=True)
class DualCameraDesign:
    """The data sheet; every value is assumed after common attendance machines."""

    name: str = "dual-camera"
    description: str = "Two passive colour cameras with stereo, 640 x 480: an attendance machine's, no Faceward sensor"
    width_px: int = 640
    height_px: int = 480
    f_px: float = 554.0
    baseline_mm: float = 60.0
    lens_mtf50_cy_per_px: float = 0.25
    lamp_counts: float = 52_000.0  # on white paper, from a lamp above
    room_counts: float = 14_000.0  # and from everywhere
    balance: tuple[float, float, float] = (1.0, 0.95, 0.85)  # what white balance leaves of the lamp's colour


DUAL_CAMERA = DualCameraDesign()


@dataclass(frozen=True, slots=True)
class StereoPicture:
    """Both cameras' pictures and the depth that they give, registered to the left one.

    `left` and `right` are (rows, columns, 3) uint8, blue first; `depth_mm` is (rows, columns) float32, 0 for none.
    """

    left: NDArray[np.uint8]
    right: NDArray[np.uint8]
    depth_mm: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Eye:
    view: Rasteriser
    panes: Panes
    pixels: PixelArray
    blur_px: float


class DualCamera:
    """One unit before one actor; the same seed makes the same unit and the same noise."""

    def __init__(self, actor: Actor, seed: int, design: DualCameraDesign = DUAL_CAMERA) -> None:
        rng = np.random.default_rng([seed, 0xD0A1])
        self._actor, self._seed, self._design = actor, seed, design
        first = draw_camera(rng, design.f_px, design.height_px, design.width_px)
        baseline_mm = design.baseline_mm + rng.normal(0, 0.1)
        # Rectified in the factory: what is left is a tenth of a pixel between the rows.
        second = Pinhole(
            first.width_px, first.height_px, first.f_px, first.cx_px, first.cy_px + rng.normal(0, 0.1), baseline_mm
        )
        self._eyes = tuple(
            _Eye(
                Rasteriser(camera),
                Panes(camera),
                draw_pixels(rng, camera, _CHIP),
                _MTF50_SIGMA / (design.lens_mtf50_cy_per_px * (1 + 0.08 * rng.uniform(-1, 1))),
            )
            for camera in (first, second)
        )
        said = estimate_intrinsics(rng, first)
        self.constant = said.fx_px * (
            baseline_mm + rng.normal(0, 0.05)
        )  # focal length by baseline, as the factory has it
        azimuth, elevation = rng.uniform(-0.6, 0.6), rng.uniform(0.5, 1.0)
        towards = (
            float(np.sin(azimuth) * np.cos(elevation)),
            float(-np.sin(elevation)),
            float(-np.cos(azimuth) * np.cos(elevation)),
        )
        self._lamp = Daylight(Sun(towards, 1.0, 0.6, shadows=False), design.lamp_counts)
        self._geometry = Geometry()
        self._normal = quantiles()
        self._matcher = cv2.StereoSGBM.create(
            minDisparity=0,
            numDisparities=_MOST_DISPARITY_PX,
            blockSize=_BLOCK_PX,
            P1=8 * _BLOCK_PX**2,
            P2=32 * _BLOCK_PX**2,
            disp12MaxDiff=1,
            uniquenessRatio=8,
            speckleWindowSize=80,
            speckleRange=2,
        )

    def look(self, time_us: int, prompt: Prompt = Prompt.NONE) -> StereoPicture:
        """Take both pictures at a moment.

        Raises:
            ValueError: the scene's surfaces do not fit (a fault of the actor).
        """
        self._geometry.load(self._actor.at(time_us, prompt))
        rng = np.random.default_rng([self._seed, time_us, 0xD0])
        left, right = (self._picture(eye, rng) for eye in self._eyes)
        grey = [cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) for picture in (left, right)]
        disparity = self._matcher.compute(grey[0], grey[1]).astype(np.float32) / 16
        found = disparity > 1.0
        depth_mm = np.where(found, self.constant / np.where(found, disparity, 1.0), 0.0).astype(np.float32)
        return StereoPicture(left, right, depth_mm)

    def _picture(self, eye: _Eye, rng: np.random.Generator) -> NDArray[np.uint8]:
        geometry, design = self._geometry, self._design
        eye.view.draw(geometry)
        eye.panes.draw(geometry, eye.view, visible)
        shape = (design.height_px, design.width_px)
        signal, raw = np.zeros(shape, np.float32), np.empty(shape, np.uint16)
        picture = np.empty((*shape, 3), np.uint8)
        for channel in range(3):
            colour = np.ascontiguousarray(geometry.colours[:, channel]) * np.float32(design.balance[channel])
            flood_signal(geometry, eye.view, _NO_EMITTER, 0.0, design.room_counts, signal, room=colour, day=self._lamp)
            eye.panes.shade((), design.room_counts, self._lamp, signal)
            blurred = cv2.GaussianBlur(signal, (0, 0), eye.blur_px)
            develop(eye.pixels, self._normal, blurred, 1.0, int(rng.integers(1 << 63)), raw)
            light = np.clip((raw.astype(np.float32) - eye.pixels.black_level_counts) / 65_000, 0, 1)
            picture[:, :, 2 - channel] = np.rint(255 * light ** (1 / 2.2))
        return picture
