"""`sl-940`: structured light at 940 nm. The nominal sensor, one unit's draw around it, and its slots."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceward_sim.firmware.imager import (
    Exposure,
    FactoryCalibration,
    FactoryIdentity,
    FactoryIntrinsics,
    Illumination,
    SensorKind,
    SlotImage,
)
from faceward_sim.optics.dots import DotProjector
from faceward_sim.optics.flood import Emitter, flood_signal
from faceward_sim.optics.geometry import Geometry, Pinhole
from faceward_sim.optics.pattern import DotPattern, draw_pattern
from faceward_sim.optics.pixels import PixelArray, develop, quantiles
from faceward_sim.optics.rasterise import Rasteriser
from faceward_sim.optics.triangulation import DepthProcessor
from faceward_sim.world.surface import Actor

_MTF50_SIGMA = 0.18739  # a Gaussian blur of s px has contrast one half at .18739/s cycles per px: sqrt(ln 2 / (2 pi^2))
_SPOT_SIGMA = 0.84932  # a Gaussian spot holds half its light inside sigma / .84932: 1 / sqrt(2 ln 2)


@dataclass(frozen=True, slots=True)
class StructuredLightDesign:
    """The data sheet: what every unit is drawn around. L values are the project's own choice for a lock module."""

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
    black_level_counts: float = 512.0
    read_noise_counts: float = 51.0  # 8 electrons
    counts_per_electron: float = 6.4  # 40 % of the range is 4 ke-, as sensor-physics.md takes a pixel
    saturation_counts: float = 65520.0
    converter_step_counts: int = 16  # 12 bits, left-aligned


SL_940 = StructuredLightDesign(description="Structured light at 940 nm: dots, flood and depth, 640 x 480, 30 slots/s")


@dataclass(frozen=True, slots=True)
class StructuredLightUnit:
    """One unit as it truly is. The host never learns these; the factory's estimate is in its calibration."""

    camera: Pinhole
    baseline_mm: float
    flood: Emitter
    flood_counts_per_us_at_1m: float
    dot_counts_per_us_at_1m: float
    lens_sigma_px: float
    spot_sigma_px: float
    pixels: PixelArray
    power_jitter: float
    exposure_jitter: float
    power_per_c: float  # relative change of both emitters' power for each degree above calibration
    start_c: float
    warm_c: float
    warm_up_s: float
    dot_x_px: NDArray[np.float64]  # where the dots truly go, in the pattern's coordinates
    dot_y_px: NDArray[np.float64]
    dot_brightness: NDArray[np.float64]
    shift_px_per_c: float  # how heat turns the projector
    speckle_px: float  # speckle moves a dot's centre, anew for every frame
    speckle_contrast: float


_CALIBRATION_C = 35.0


def design_pattern(design: StructuredLightDesign) -> DotPattern:
    """The pattern that every unit of a design projects."""
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
    design: StructuredLightDesign, pattern: DotPattern, seed: int
) -> tuple[StructuredLightUnit, FactoryCalibration]:
    """Draw a unit and the factory's estimate of it; the same seed draws the same pair."""
    rng = np.random.default_rng([seed, 0x940])
    rows, columns = design.height_px, design.width_px
    f_px = design.f_px * (1 + 0.005 * rng.uniform(-1, 1))
    camera = Pinhole(columns, rows, f_px, (columns - 1) / 2 + rng.normal(0, 2), (rows - 1) / 2 + rng.normal(0, 2))
    power = 1 + 0.1 * rng.uniform(-1, 1)
    mtf50 = design.lens_mtf50_cy_per_px * (1 + 0.08 * rng.uniform(-1, 1))
    spot_mrad = design.dot_spot_mrad * (1 + 0.1 * rng.uniform(-1, 1))
    response = (1 + 0.006 * rng.standard_normal((rows, columns), np.float32)).astype(np.float32)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    squared = ((x - camera.cx_px) ** 2 + (y - camera.cy_px) ** 2) / np.float32(f_px**2)
    response *= 1 - np.float32(rng.uniform(0, 0.1)) * squared  # what flat-fielding leaves of the lens's vignetting
    offset = (8 * rng.standard_normal((rows, columns), np.float32)).astype(np.float32)
    bad = rng.integers(0, (rows, columns), (int(rng.integers(10, 40)), 2))
    dead = len(bad) // 2
    response[bad[:dead, 0], bad[:dead, 1]] = 0
    offset[bad[dead:, 0], bad[dead:, 1]] = rng.uniform(500, 8000, len(bad) - dead)
    pixels = PixelArray(
        response=response,
        offset_counts=offset,
        black_level_counts=design.black_level_counts + rng.normal(0, 4),
        read_noise_counts=design.read_noise_counts * (1 + 0.1 * rng.uniform(-1, 1)),
        counts_per_electron=design.counts_per_electron * (1 + 0.05 * rng.uniform(-1, 1)),
        saturation_counts=design.saturation_counts,
        step_counts=design.converter_step_counts,
    )
    dots = len(pattern.x_px)
    unit = StructuredLightUnit(
        camera=camera,
        baseline_mm=design.baseline_mm + rng.normal(0, 0.1),
        flood=Emitter(design.flood_x_mm, design.flood_y_mm, float(rng.uniform(0.05, 0.25))),
        flood_counts_per_us_at_1m=design.flood_counts_per_us_at_1m * power,
        dot_counts_per_us_at_1m=design.dot_counts_per_us_at_1m * (1 + 0.1 * rng.uniform(-1, 1)),
        lens_sigma_px=_MTF50_SIGMA / mtf50,
        spot_sigma_px=spot_mrad * 1e-3 * f_px * _SPOT_SIGMA,
        pixels=pixels,
        # Frame-to-frame emitter power and exposure: .05-.5 % (sensor-physics.md, L).
        power_jitter=float(np.exp(rng.uniform(np.log(0.0005), np.log(0.005)))),
        exposure_jitter=float(np.exp(rng.uniform(np.log(0.0002), np.log(0.001)))),
        power_per_c=float(-rng.uniform(0.001, 0.003)),
        start_c=float(rng.uniform(22, 34)),
        warm_c=float(rng.uniform(36, 46)),
        warm_up_s=float(rng.uniform(300, 900)),
        # With speckle, centroid noise and the disparity step these make s = .08 px, the sheet's for a lock module.
        dot_x_px=pattern.x_px + rng.normal(0, 0.03, dots),
        dot_y_px=pattern.y_px + rng.normal(0, 0.03, dots),
        dot_brightness=1 + np.clip(rng.normal(0, 0.06, dots), -0.2, 0.2),
        shift_px_per_c=float(rng.normal(0, 0.006)),
        speckle_px=float(rng.uniform(0.045, 0.065)),
        speckle_contrast=float(rng.uniform(0.02, 0.06)),
    )
    intrinsics = FactoryIntrinsics(
        columns,
        rows,
        f_px * (1 + rng.normal(0, 0.001)),
        f_px * (1 + rng.normal(0, 0.001)),
        camera.cx_px + rng.normal(0, 0.1),
        camera.cy_px + rng.normal(0, 0.1),
    )
    calibration = FactoryCalibration(
        infrared=intrinsics,
        depth=intrinsics,
        depth_unit_um=design.depth_unit_um,
        baseline_mm=unit.baseline_mm + rng.normal(0, 0.03),
        depth_min_mm=design.depth_min_mm,
        depth_max_mm=design.depth_max_mm,
        dot_pitch_mrad=1e3 * design.dot_pitch_px / design.f_px,
        dot_spot_mrad=spot_mrad * (1 + rng.normal(0, 0.03)),
        lens_mtf50_cy_per_px=mtf50 * (1 + rng.normal(0, 0.02)),
        flood_counts_per_us_at_1m=unit.flood_counts_per_us_at_1m * (1 + rng.normal(0, 0.03)),
        flood_second_counts_per_us_at_1m=0.0,
        dot_counts_per_us_at_1m=unit.dot_counts_per_us_at_1m * (1 + rng.normal(0, 0.04)),
        black_level_counts=pixels.black_level_counts + rng.normal(0, 2),
        read_noise_counts=pixels.read_noise_counts * (1 + rng.normal(0, 0.03)),
        counts_per_electron=pixels.counts_per_electron * (1 + rng.normal(0, 0.02)),
        saturation_counts=design.saturation_counts,
    )
    return unit, calibration


class StructuredLightImager:
    """One unit before one actor (the firmware's `Imager`)."""

    def __init__(self, design: StructuredLightDesign, actor: Actor, seed: int) -> None:
        pattern = design_pattern(design)
        self.unit, self.calibration = draw_unit(design, pattern, seed)
        unit = self.unit
        self.identity = FactoryIdentity(
            vendor="Faceward",
            model="sl-940",
            serial=f"S{seed:08d}",
            firmware_version="1.0.0",
            hardware_revision="A",
            kind=SensorKind.STRUCTURED_LIGHT,
            emitters=((Illumination.DOTS, design.wavelength_nm), (Illumination.FLOOD, design.wavelength_nm)),
        )
        self._actor = actor
        self._seed = seed
        self._geometry = Geometry()
        self._view = Rasteriser(self.unit.camera)
        shape = (design.height_px, design.width_px)
        self._signal = np.zeros(shape, np.float32)
        self._blurred = np.zeros(shape, np.float32)
        self._normal = quantiles()
        self._dots = DotProjector(
            pattern,
            unit.dot_x_px,
            unit.dot_y_px,
            unit.dot_brightness,
            unit.baseline_mm,
            float(np.hypot(unit.lens_sigma_px, unit.spot_sigma_px)),
        )
        tangents = np.stack([pattern.x_px, pattern.y_px], 1) / pattern.f_px
        self.depth_processor = DepthProcessor(pattern, tangents, self.calibration, design.disparity_step_px)

    def expose(self, exposure: Exposure) -> SlotImage:
        """Take one slot.

        Raises:
            ValueError: the scene's surfaces do not fit (a fault of the actor).
        """
        unit = self.unit
        rng = np.random.default_rng([self._seed, exposure.slot, exposure.device_time_us, 0x51])
        power = 1 + unit.power_jitter * rng.standard_normal()
        exposure_us = exposure.exposure_us * (1 + unit.exposure_jitter * rng.standard_normal())
        warm = 1 - np.exp(-exposure.device_time_us / 1e6 / unit.warm_up_s)
        temperature_c = unit.start_c + (unit.warm_c - unit.start_c) * warm
        power *= 1 + unit.power_per_c * (temperature_c - _CALIBRATION_C)
        self._geometry.load(self._actor.at(exposure.device_time_us, exposure.prompt))
        self._view.draw(self._geometry)
        flood = exposure.illumination is Illumination.FLOOD
        flood_signal(
            self._geometry,
            self._view,
            unit.flood,
            unit.flood_counts_per_us_at_1m * exposure_us * power if flood else 0.0,
            self._geometry.ambient * exposure_us,
            self._signal,
        )
        cv2.GaussianBlur(self._signal, (0, 0), unit.lens_sigma_px, dst=self._blurred, borderType=cv2.BORDER_REPLICATE)
        dots = exposure.illumination is Illumination.DOTS
        if dots:
            speckle = rng.standard_normal((len(unit.dot_x_px), 3), np.float32)
            speckle *= np.array([unit.speckle_px, unit.speckle_px, unit.speckle_contrast], np.float32)
            speckle[:, 2] += 1
            self._dots.add(
                self._geometry,
                self._view,
                unit.dot_counts_per_us_at_1m * exposure_us * power,
                unit.shift_px_per_c * (temperature_c - _CALIBRATION_C),
                speckle,
                self._blurred,
            )
        infrared: NDArray[np.uint16] = np.empty(self._signal.shape, np.uint16)
        develop(unit.pixels, self._normal, self._blurred, exposure.gain, int(rng.integers(1 << 63)), infrared)
        depth = self.depth_processor.depth(infrared, exposure.gain) if dots else None
        return SlotImage(
            infrared=infrared, depth=depth, temperature_c=round(float(temperature_c + rng.normal(0, 0.05)), 2)
        )


def build_unit(actor: Actor, seed: int) -> StructuredLightImager:
    """A unit of `sl-940` before an actor."""
    return StructuredLightImager(SL_940, actor, seed)
