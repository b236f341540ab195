"""`sl-940` and `sl-850-940`: structured light. The nominal sensors, one unit's draw around them, and its slots."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from faceward_sim.firmware.imager import (
    Exposure,
    FactoryCalibration,
    FactoryIdentity,
    Illumination,
    SensorKind,
    SlotImage,
)
from faceward_sim.optics.dots import DotProjector
from faceward_sim.optics.flood import Daylight, Emitter, flood_signal
from faceward_sim.optics.geometry import Geometry, Pinhole
from faceward_sim.optics.manufacture import (
    CALIBRATION_C,
    HELD_US,
    TOLERANCE,
    Banding,
    ChipDesign,
    Jitter,
    Noise,
    Warmth,
    draw_camera,
    draw_emitter,
    draw_jitter,
    draw_pixels,
    draw_warmth,
    estimate_intrinsics,
    near,
    spots,
)
from faceward_sim.optics.panes import Panes, at_850, at_940
from faceward_sim.optics.pattern import DotPattern, draw_pattern
from faceward_sim.optics.pixels import PixelArray, develop, quantiles
from faceward_sim.optics.rasterise import Rasteriser
from faceward_sim.optics.shadow import ShadowMap
from faceward_sim.optics.triangulation import DepthProcessor
from faceward_sim.world.surface import Actor, Stranger

_MTF50_SIGMA = 0.18739  # a Gaussian blur of s px has contrast one half at .18739/s cycles per px: sqrt(ln 2 / (2 pi^2))
_SPOT_SIGMA = 0.84932  # a Gaussian spot holds half its light inside sigma / .84932: 1 / sqrt(2 ln 2)
_NOISE = Noise()
# 8 electrons of read noise; 40 % of the range is 4 ke-, as sensor-physics.md takes a pixel; 12 bits, left-aligned.
_CHIP = ChipDesign(512.0, 51.0, 6.4, 65520.0, 16)


@dataclass(frozen=True, slots=True)
class StructuredLightDesign:
    """The data sheet: what every unit is drawn around. L values are the project's own choice for a lock module."""

    name: str
    description: str
    width_px: int = 640
    height_px: int = 480
    f_px: float = 554.0  # sensor-physics.md, lock module
    baseline_mm: float = 40.0  # sensor-physics.md, lock module
    wavelength_nm: int = 940
    flood_x_mm: float = 0.0
    flood_y_mm: float = 12.0
    depth_unit_um: float = 100.0
    depth_min_mm: float = 200.0
    depth_max_mm: float = 1000.0
    disparity_step_px: float = 0.125  # sensor-physics.md, Kinect v1 class
    dot_pitch_px: float = 8.3
    # The pattern's window from the projector's axis. It is turned towards -x so that dots fill the image from .2 m on.
    dots_left_px: float = -395.0
    dots_right_px: float = 325.0
    dots_top_px: float = -250.0
    dots_bottom_px: float = 250.0
    pattern_seed: int = 940
    dot_spot_mrad: float = 0.7
    lens_mtf50_cy_per_px: float = 0.27
    # Skin of reflectance .38 at .4 m fills 40 % of the range in 2,000 us.
    flood_counts_per_us_at_1m: float = 5.47
    dot_counts_per_us_at_1m: float = 20.0
    # A second flood band, where there is one (0: none).
    second_nm: int = 0
    second_counts_per_us_at_1m: float = 0.0
    second_x_mm: float = 0.0
    second_y_mm: float = -12.0
    chip: ChipDesign = _CHIP


SL_940 = StructuredLightDesign(
    name="sl-940", description="Structured light at 940 nm: dots, flood and depth, 640 x 480, 30 slots/s"
)
# Silicon sees half as much again at 850 nm (L), for as much power.
SL_850_940 = StructuredLightDesign(
    name="sl-850-940",
    description="Structured light at 940 nm with a second flood band at 850 nm, 640 x 480, 30 slots/s",
    second_nm=850,
    second_counts_per_us_at_1m=8.2,
)
# Another maker's: a wider lens and base, fewer and broader dots, another pattern, a 10-bit chip that reads noisier (all L).
SL_WIDE_940 = StructuredLightDesign(
    name="sl-wide-940",
    description="Structured light at 940 nm by another design: wider lens, fewer dots, 10 bits, 640 x 480, 30 slots/s",
    f_px=500.0,
    baseline_mm=46.0,
    flood_y_mm=-15.0,
    disparity_step_px=0.0625,
    dot_pitch_px=8.9,
    dots_left_px=-395.0,
    dots_right_px=345.0,
    pattern_seed=1940,
    dot_spot_mrad=0.85,
    lens_mtf50_cy_per_px=0.24,
    flood_counts_per_us_at_1m=4.9,
    dot_counts_per_us_at_1m=24.0,
    chip=ChipDesign(640.0, 66.0, 7.5, 65472.0, 64),
)
# Of the sun at 850 nm against 940 nm, where water in the air absorbs: .9 against .4 W/m2/nm (ASTM G173), seen by silicon.
_DAYLIGHT_850 = 3.3


@dataclass(frozen=True, slots=True)
class StructuredLightUnit:
    """One unit as it truly is. The host never learns these; the factory's estimate is in its calibration."""

    camera: Pinhole
    baseline_mm: float
    flood: Emitter
    flood_counts_per_us_at_1m: float
    second: Emitter
    second_counts_per_us_at_1m: float  # 0 where the design has no second band
    dot_counts_per_us_at_1m: float
    lens_sigma_px: float
    spot_sigma_px: float
    pixels: PixelArray
    jitter: Jitter
    warmth: Warmth
    dot_x_px: NDArray[np.float64]  # where the dots truly go, in the pattern's coordinates
    dot_y_px: NDArray[np.float64]
    dot_brightness: NDArray[np.float64]
    shift_px_per_c: float  # how heat turns the projector
    speckle_px: float  # speckle moves a dot's centre, anew for every frame
    speckle_contrast: float


@cache
def design_pattern(design: StructuredLightDesign) -> DotPattern:
    """The pattern that every unit of a design projects; one for all of a process, and nobody's to change."""
    return draw_pattern(
        design.f_px,
        design.dot_pitch_px,
        design.dots_left_px,
        design.dots_right_px,
        design.dots_top_px,
        design.dots_bottom_px,
        design.pattern_seed,
    )


def draw_unit(
    design: StructuredLightDesign, pattern: DotPattern, seed: int, noise: Noise = _NOISE
) -> tuple[StructuredLightUnit, FactoryCalibration]:
    """Draw a unit and the factory's estimate of it; the same seed draws the same pair."""
    rng = np.random.default_rng([seed, 0x940])
    more = np.random.default_rng([seed, 0x940, 1])
    rows, columns = design.height_px, design.width_px
    camera = draw_camera(rng, design.f_px, rows, columns)
    power = 1 + 0.1 * rng.uniform(-1, 1)
    mtf50 = design.lens_mtf50_cy_per_px * (1 + 0.08 * rng.uniform(-1, 1))
    spot_mrad = design.dot_spot_mrad * (1 + 0.1 * rng.uniform(-1, 1))
    pixels = draw_pixels(rng, camera, design.chip)
    dots = len(pattern.x_px)
    second = design.second_counts_per_us_at_1m * (1 + 0.1 * more.uniform(-1, 1))
    unit = StructuredLightUnit(
        camera=camera,
        baseline_mm=design.baseline_mm + rng.normal(0, 0.1),
        flood=draw_emitter(more, design.flood_x_mm, design.flood_y_mm, float(rng.uniform(0.05, 0.25))),
        flood_counts_per_us_at_1m=design.flood_counts_per_us_at_1m * power,
        second=draw_emitter(more, design.second_x_mm, design.second_y_mm, float(more.uniform(0.05, 0.25))),
        second_counts_per_us_at_1m=second,
        dot_counts_per_us_at_1m=design.dot_counts_per_us_at_1m * (1 + 0.1 * rng.uniform(-1, 1)),
        lens_sigma_px=_MTF50_SIGMA / mtf50,
        spot_sigma_px=spot_mrad * 1e-3 * camera.f_px * _SPOT_SIGMA,
        pixels=pixels,
        jitter=draw_jitter(rng),
        warmth=draw_warmth(rng, float(more.normal(0, 1.5))),
        dot_x_px=pattern.x_px + rng.normal(0, noise.dot_x_px, dots) + _bent(more, pattern, noise),
        dot_y_px=pattern.y_px + rng.normal(0, noise.dot_y_px, dots),
        dot_brightness=1 + np.clip(rng.normal(0, 0.06, dots), -0.2, 0.2),
        shift_px_per_c=float(rng.normal(0, 0.006)),
        speckle_px=float(rng.uniform(*noise.speckle_px)),
        speckle_contrast=float(rng.uniform(*noise.speckle_contrast)),
    )
    t = TOLERANCE
    intrinsics = estimate_intrinsics(rng, camera)
    calibration = FactoryCalibration(
        infrared=intrinsics,
        depth=intrinsics,
        depth_unit_um=design.depth_unit_um,
        baseline_mm=unit.baseline_mm + rng.normal(0, t.baseline_mm),
        depth_min_mm=design.depth_min_mm,
        depth_max_mm=design.depth_max_mm,
        dot_pitch_mrad=1e3 * design.dot_pitch_px / design.f_px,
        dot_spot_mrad=near(rng, spot_mrad, t.spot),
        lens_mtf50_cy_per_px=near(rng, mtf50, t.mtf50),
        flood_counts_per_us_at_1m=near(rng, unit.flood_counts_per_us_at_1m, t.flood),
        flood_second_counts_per_us_at_1m=near(more, unit.second_counts_per_us_at_1m, t.flood),
        dot_counts_per_us_at_1m=near(rng, unit.dot_counts_per_us_at_1m, t.dots),
        black_level_counts=pixels.black_level_counts + rng.normal(0, t.black_counts),
        read_noise_counts=near(rng, pixels.read_noise_counts, t.read_noise),
        counts_per_electron=near(rng, pixels.counts_per_electron, t.electron),
        saturation_counts=design.chip.saturation_counts,
    )
    return unit, calibration


def _bent(rng: np.random.Generator, pattern: DotPattern, noise: Noise) -> NDArray[np.float64]:
    """How far the projector's optics bend the pattern from the factory's picture of it, smoothly: (dots,) in pixels."""
    cells = max(2, round(pattern.columns * pattern.pitch_px / noise.bend_pitch_px))
    return spots(rng, pattern.rows, pattern.columns, cells, noise.bend_px).ravel().astype(np.float64)


class StructuredLightImager:
    """One unit before one actor (the firmware's `Imager`)."""

    def __init__(self, design: StructuredLightDesign, actor: Actor, seed: int, noise: Noise = _NOISE) -> None:
        pattern = design_pattern(design)
        self.unit, self.calibration = draw_unit(design, pattern, seed, noise)
        unit = self.unit
        emitters = [(Illumination.DOTS, design.wavelength_nm), (Illumination.FLOOD, design.wavelength_nm)]
        if design.second_nm:
            emitters.append((Illumination.FLOOD_SECOND, design.second_nm))
        self.identity = FactoryIdentity(
            vendor="Faceward",
            model=design.name,
            serial=f"S{seed:08d}",
            firmware_version="1.0.0",
            hardware_revision="A",
            kind=SensorKind.STRUCTURED_LIGHT,
            emitters=tuple(emitters),
        )
        self._design = design
        self._actor = actor
        self._seed = seed
        self._noise = noise
        self._geometry = Geometry()
        self._view = Rasteriser(self.unit.camera)
        self._panes = Panes(self.unit.camera)
        self._shadows = ShadowMap(self.unit.camera)
        shape = (design.height_px, design.width_px)
        self._signal = np.zeros(shape, np.float32)
        self._blurred = np.zeros(shape, np.float32)
        self._banding = Banding(noise, seed, shape)
        self._normal = quantiles()
        self._pattern = pattern
        self._dots = _projector(pattern, unit, unit.baseline_mm, unit)
        self._other: tuple[Stranger, StructuredLightUnit, DotProjector] | None = None
        tangents = np.stack([pattern.x_px, pattern.y_px], 1) / pattern.f_px
        self.depth_processor = DepthProcessor(pattern, tangents, self.calibration, design.disparity_step_px)

    def expose(self, exposure: Exposure) -> SlotImage:
        """Take one slot.

        Raises:
            ValueError: the scene's surfaces do not fit (a fault of the actor).
        """
        unit = self.unit
        rng = np.random.default_rng([self._seed, exposure.slot, exposure.device_time_us, 0x51])
        power = 1 + unit.jitter.power * rng.standard_normal()
        exposure_us = exposure.exposure_us * (1 + unit.jitter.exposure * rng.standard_normal())
        temperature_c = unit.warmth.at_c(exposure.device_time_us)
        above_c = temperature_c - CALIBRATION_C
        power *= 1 + unit.warmth.power_per_c * above_c
        self._geometry.load(self._actor.at(exposure.device_time_us, exposure.prompt))
        self._view.draw(self._geometry)
        # A second band's slot has its own; the room, which comes in by both windows, is taken as one with the emitter.
        second = exposure.illumination is Illumination.FLOOD_SECOND
        self._panes.draw(self._geometry, self._view, at_850 if second else at_940)
        self._flood(exposure.illumination, exposure_us, power)
        cv2.GaussianBlur(self._signal, (0, 0), unit.lens_sigma_px, dst=self._blurred, borderType=cv2.BORDER_REPLICATE)
        dots = exposure.illumination is Illumination.DOTS
        if dots:
            self._add_dots(self._dots, unit, exposure_us * power, above_c, rng, exposure.device_time_us)
        stranger = self._geometry.stranger
        if stranger is not None and stranger.dots_share > 0:
            other, projector = self._stranger(stranger)
            self._add_dots(projector, other, exposure_us * stranger.dots_share, 0.0, rng, exposure.device_time_us)
        if self._banding.there:
            self._banding.add(self._blurred, rng)
        infrared: NDArray[np.uint16] = np.empty(self._signal.shape, np.uint16)
        black = unit.warmth.black_per_c * above_c
        develop(unit.pixels, self._normal, self._blurred, exposure.gain, int(rng.integers(1 << 63)), infrared, black)
        depth = self.depth_processor.depth(infrared, exposure.gain) if dots else None
        return SlotImage(
            infrared=infrared, depth=depth, temperature_c=round(float(temperature_c + rng.normal(0, 0.05)), 2)
        )

    def _flood(self, light: Illumination, exposure_us: float, power: float) -> None:
        """Fill the signal with all light but dots."""
        unit, geometry = self.unit, self._geometry
        emitter, counts, lit = unit.flood, 0.0, None
        if light is Illumination.FLOOD:
            counts = unit.flood_counts_per_us_at_1m
        elif light is Illumination.FLOOD_SECOND:
            emitter, counts, lit = unit.second, unit.second_counts_per_us_at_1m, geometry.share_850
        # A filter with two windows lets the room in through both, whichever emitter is on.
        room = 1 + _DAYLIGHT_850 * geometry.share_850 if self._design.second_nm else None
        day = None
        if geometry.sun is not None:
            seen = self._shadows.cast(geometry, self._view, geometry.sun) if geometry.sun.shadows else None
            day = Daylight(geometry.sun, geometry.sun.counts_per_us * exposure_us, seen)
        strangers = []
        if geometry.stranger is not None and geometry.stranger.flood_share > 0:
            other, _ = self._stranger(geometry.stranger)
            beside = replace(other.flood, x_mm=other.flood.x_mm + geometry.stranger.x_mm)
            strangers = [(beside, other.flood_counts_per_us_at_1m * exposure_us * geometry.stranger.flood_share)]
        flood_signal(
            geometry,
            self._view,
            emitter,
            counts * exposure_us * power,
            geometry.ambient * exposure_us,
            self._signal,
            lit=lit,
            room=room,
            strangers=strangers,
            day=day,
        )
        if self._panes.there:
            lamps = [(emitter, counts * exposure_us * power), *strangers]
            self._panes.shade(lamps, geometry.ambient * exposure_us, day, self._signal)

    def _add_dots(
        self,
        projector: DotProjector,
        unit: StructuredLightUnit,
        lit_us: float,
        above_c: float,
        rng: np.random.Generator,
        time_us: int,
    ) -> None:
        speckle = rng.standard_normal((len(unit.dot_x_px), 3), np.float32)
        if self._noise.held:
            speckle *= np.float32(np.sqrt(1 - self._noise.held))
            speckle += np.float32(np.sqrt(self._noise.held)) * self._held(len(speckle), time_us)
        speckle *= np.array([unit.speckle_px, unit.speckle_px, unit.speckle_contrast], np.float32)
        speckle[:, 2] += 1
        counts = unit.dot_counts_per_us_at_1m * lit_us
        shift_px = unit.shift_px_per_c * above_c
        projector.add(self._geometry, self._view, counts, shift_px, speckle, self._blurred, self._panes)

    def _held(self, dots: int, time_us: int) -> NDArray[np.float32]:
        """What of the speckle fades slowly: from one draw to the next, of unit variance all the way."""
        number, away = divmod(time_us, HELD_US)
        before, after = (
            np.random.default_rng([self._seed, number + later, 0x5BEC]).standard_normal((dots, 3), np.float32)
            for later in (0, 1)
        )
        turn = np.pi / 2 * away / HELD_US
        return np.float32(np.cos(turn)) * before + np.float32(np.sin(turn)) * after

    def _stranger(self, stranger: Stranger) -> tuple[StructuredLightUnit, DotProjector]:
        """The other unit, drawn when it is first met, as this unit's camera sees its light."""
        if self._other is None or self._other[0].unit_seed != stranger.unit_seed:
            other, _ = draw_unit(self._design, self._pattern, stranger.unit_seed, self._noise)
            projector = _projector(self._pattern, other, stranger.x_mm + other.baseline_mm, self.unit)
            self._other = (stranger, other, projector)
        return self._other[1], self._other[2]


def _projector(pattern: DotPattern, lit: StructuredLightUnit, x_mm: float, camera: StructuredLightUnit) -> DotProjector:
    """One unit's projector, seen by another's camera or by its own."""
    blur_px = float(np.hypot(camera.lens_sigma_px, lit.spot_sigma_px))
    return DotProjector(pattern, lit.dot_x_px, lit.dot_y_px, lit.dot_brightness, x_mm, blur_px)


def build_sl_940(actor: Actor, seed: int, noise: Noise = _NOISE) -> StructuredLightImager:
    """A unit of `sl-940` before an actor."""
    return StructuredLightImager(SL_940, actor, seed, noise)


def build_sl_850_940(actor: Actor, seed: int, noise: Noise = _NOISE) -> StructuredLightImager:
    """A unit of `sl-850-940` before an actor."""
    return StructuredLightImager(SL_850_940, actor, seed, noise)


def build_sl_wide_940(actor: Actor, seed: int, noise: Noise = _NOISE) -> StructuredLightImager:
    """A unit of `sl-wide-940` before an actor."""
    return StructuredLightImager(SL_WIDE_940, actor, seed, noise)
