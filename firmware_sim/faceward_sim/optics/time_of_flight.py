"""`tof-940`: indirect time of flight at 940 nm. The nominal sensor, one unit's draw around it, and its slots."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
from faceward_sim.optics.correlation import (
    RangeError,
    Ranging,
    add_phasors,
    convert,
    expose_samples,
    measure,
    radians_per_mm,
)
from faceward_sim.optics.flood import Daylight, Emitter, flood_signal
from faceward_sim.optics.geometry import Geometry, Pinhole
from faceward_sim.optics.manufacture import (
    CALIBRATION_C,
    TOLERANCE,
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
from faceward_sim.optics.panes import Panes
from faceward_sim.optics.pixels import PixelArray, quantiles
from faceward_sim.optics.rasterise import Rasteriser
from faceward_sim.optics.shadow import ShadowMap
from faceward_sim.world.surface import Actor

_MTF50_SIGMA = 0.18739  # a Gaussian blur of s px has contrast one half at .18739/s cycles per px
_DROP_MHZ = 300.0  # where a material's over-range has fallen by its drop
_LOST_IN_READING = 0.1  # of the read noise's variance: steady light below it is left out
_TAPS = (5, 5)  # of blurs of .8 px and less
_NOISE = Noise()
_STRAY_CELLS = 16  # stray light is taken in blocks of so many pixels
# 20 electrons of read noise, wells of 50 ke-; 12 bits, left-aligned (L).
_CHIP = ChipDesign(512.0, 26.0, 1.3, 65520.0, 16)


@dataclass(frozen=True, slots=True)
class TimeOfFlightDesign:
    """The data sheet. L values are the project's own choice for a lock module."""

    name: str
    description: str
    width_px: int = 640
    height_px: int = 480
    f_px: float = 554.0
    wavelength_nm: int = 940
    flood_x_mm: float = 0.0
    flood_y_mm: float = 12.0
    # Both wrap within a room: 1.50 and 1.87 m alone, 7.5 m together.
    frequencies_mhz: tuple[float, float] = (100.0, 80.0)
    contrast: tuple[float, float] = (0.80, 0.84)  # sensor-physics.md: .8 at 100 MHz
    # Skin of reflectance .38 at .4 m gives 20 ke- a sample in 2,000 us, as sensor-physics.md takes a pixel.
    electrons_per_us_at_1m: float = 4.21
    ambient_electrons_per_count: float = 0.31  # of `sl-940`'s counts, for a pixel of twice the light
    lens_mtf50_cy_per_px: float = 0.27
    smooth_px: float = 0.8  # the processor's own blur of phasors; 0 is none
    least_electrons: float = 150.0
    depth_unit_um: float = 100.0
    depth_min_mm: float = 200.0
    depth_max_mm: float = 1500.0
    chip: ChipDesign = _CHIP


TOF_940 = TimeOfFlightDesign(
    name="tof-940",
    description="Time of flight at 940 nm: amplitude and depth in every lit slot, 640 x 480, 30 slots/s",
)


@dataclass(frozen=True, slots=True)
class TimeOfFlightUnit:
    """One unit as it truly is. The host never learns these; the factory's estimate is in its calibration."""

    camera: Pinhole
    flood: Emitter
    electrons_per_us_at_1m: float
    contrast: tuple[float, float]
    lens_sigma_px: float
    pixels: PixelArray
    jitter: Jitter
    warmth: Warmth
    stray: float  # share of all light that the lens throws about
    error: RangeError
    range_mm_per_c: float  # by what heat changes the range, over what the processor takes off


def draw_unit(
    design: TimeOfFlightDesign, seed: int, noise: Noise = _NOISE
) -> tuple[TimeOfFlightUnit, FactoryCalibration]:
    """Draw a unit and the factory's estimate of it; the same seed draws the same pair."""
    rng = np.random.default_rng([seed, 0x70F])
    rows, columns = design.height_px, design.width_px
    camera = draw_camera(rng, design.f_px, rows, columns)
    mtf50 = design.lens_mtf50_cy_per_px * (1 + 0.08 * rng.uniform(-1, 1))
    pixels = draw_pixels(rng, camera, design.chip)
    # Residual errors of calibrated modules are some millimetres (Toelgyessy 2021: bias by amplitude and temperature).
    fixed = spots(rng, rows, columns, noise.fixed_cells, noise.fixed_mm) + 0.3 * rng.standard_normal(
        (rows, columns), np.float32
    )
    error = RangeError(
        offset_mm=float(rng.normal(0, 1.0)),
        walk_mm=float(rng.normal(0, 0.5)),
        walk_electrons=20_000.0,
        cyclic_mm=float(abs(rng.normal(0, 0.8))),
        cyclic_rad=float(rng.uniform(0, 2 * np.pi)),
        fixed_mm=fixed.astype(np.float32),
    )
    # 40 to 50 minutes until the range stands still (sensor-physics.md) are about three time constants.
    warmth = replace(draw_warmth(rng, float(rng.normal(0, 1.5))), warm_up_s=float(rng.uniform(800, 1000)))
    unit = TimeOfFlightUnit(
        camera=camera,
        flood=draw_emitter(rng, design.flood_x_mm, design.flood_y_mm, float(rng.uniform(0.05, 0.25))),
        electrons_per_us_at_1m=design.electrons_per_us_at_1m * (1 + 0.1 * rng.uniform(-1, 1)),
        contrast=tuple(c * (1 + 0.03 * rng.uniform(-1, 1)) for c in design.contrast),  # type: ignore[arg-type]
        lens_sigma_px=_MTF50_SIGMA / mtf50,
        pixels=pixels,
        jitter=draw_jitter(rng),
        warmth=warmth,
        stray=float(rng.uniform(0.005, 0.03)),
        error=error,
        range_mm_per_c=float(rng.normal(0, 0.25)),
    )
    t = TOLERANCE
    intrinsics = estimate_intrinsics(rng, camera)
    counts_per_us = unit.electrons_per_us_at_1m * pixels.counts_per_electron
    calibration = FactoryCalibration(
        infrared=intrinsics,
        depth=intrinsics,
        depth_unit_um=design.depth_unit_um,
        baseline_mm=0.0,
        depth_min_mm=design.depth_min_mm,
        depth_max_mm=design.depth_max_mm,
        dot_pitch_mrad=0.0,
        dot_spot_mrad=0.0,
        lens_mtf50_cy_per_px=near(rng, mtf50, t.mtf50),
        flood_counts_per_us_at_1m=near(rng, counts_per_us, t.flood),
        flood_second_counts_per_us_at_1m=0.0,
        dot_counts_per_us_at_1m=0.0,
        black_level_counts=pixels.black_level_counts + rng.normal(0, t.black_counts),
        read_noise_counts=near(rng, pixels.read_noise_counts, t.read_noise),
        counts_per_electron=near(rng, pixels.counts_per_electron, t.electron),
        saturation_counts=design.chip.saturation_counts,
    )
    return unit, calibration


class TimeOfFlightImager:
    """One unit before one actor (the firmware's `Imager`).

    Its infrared frames are amplitudes: the light that keeps the emitter's modulation. Steady light is in them as noise
    alone, so that a dark slot is dark in the sun too.
    """

    def __init__(self, design: TimeOfFlightDesign, actor: Actor, seed: int, noise: Noise = _NOISE) -> None:
        self.unit, self.calibration = draw_unit(design, seed, noise)
        unit, said = self.unit, self.calibration
        self.identity = FactoryIdentity(
            vendor="Faceward",
            model=design.name,
            serial=f"T{seed:08d}",
            firmware_version="1.0.0",
            hardware_revision="A",
            kind=SensorKind.TIME_OF_FLIGHT,
            emitters=((Illumination.FLOOD, design.wavelength_nm),),
        )
        self._design, self._actor, self._seed = design, actor, seed
        self._smooth_px = design.smooth_px if noise.smooth_px is None else noise.smooth_px
        self._per_mm = tuple(radians_per_mm(f) for f in design.frequencies_mhz)
        self.ranging = Ranging(
            (self._per_mm[0], self._per_mm[1]),
            design.contrast,
            said.infrared.fx_px,
            said.infrared.cx_px,
            said.infrared.cy_px,
            design.flood_x_mm,
            design.flood_y_mm,
            design.least_electrons,
            design.depth_min_mm,
            design.depth_max_mm,
            1000.0 / design.depth_unit_um,
        )
        self._geometry = Geometry()
        self._view = Rasteriser(unit.camera)
        self._panes = Panes(unit.camera)
        self._shadows = ShadowMap(unit.camera)
        shape = (design.height_px, design.width_px)
        self._lit, self._total, self._amplitude = (np.zeros(shape, np.float32) for _ in range(3))
        self._phasors = np.zeros((*shape, 4), np.float32)
        self._full = np.zeros(shape, np.uint8)
        self._lit_up = False
        self._normal = quantiles()

    def expose(self, exposure: Exposure) -> SlotImage:
        """Take one slot.

        Raises:
            ValueError: the scene's surfaces do not fit (a fault of the actor).
        """
        unit, geometry = self.unit, self._geometry
        rng = np.random.default_rng([self._seed, exposure.slot, exposure.device_time_us, 0x51])
        power = 1 + unit.jitter.power * rng.standard_normal()
        exposure_us = exposure.exposure_us * (1 + unit.jitter.exposure * rng.standard_normal())
        temperature_c = unit.warmth.at_c(exposure.device_time_us)
        above_c = temperature_c - CALIBRATION_C
        power *= 1 + unit.warmth.power_per_c * above_c
        geometry.load(self._actor.at(exposure.device_time_us, exposure.prompt))
        self._view.draw(geometry)
        self._panes.draw(geometry, self._view)
        lit = exposure.illumination is Illumination.FLOOD
        self._phasors.fill(0.0)
        self._lit_up = False
        self._steady(exposure_us)
        if lit:
            self._modulated(unit.flood, unit.electrons_per_us_at_1m * exposure_us * power, (0.0, 0.0))
        stranger = geometry.stranger
        if stranger is not None and stranger.flood_share > 0:
            # The other unit's clock is its own: its phase is any.
            beside = replace(unit.flood, x_mm=unit.flood.x_mm + stranger.x_mm)
            turn = rng.uniform(0, 2 * np.pi, 2)
            power = unit.electrons_per_us_at_1m * exposure_us * stranger.flood_share
            self._modulated(beside, power, (float(turn[0]), float(turn[1])))
        self._through_lens(self._total)
        if self._lit_up:
            self._through_lens(self._phasors)
        chip = unit.pixels
        expose_samples(
            self._phasors,
            self._total,
            chip.response,
            np.array(unit.contrast, np.float32),
            np.float32((chip.read_noise_counts / chip.counts_per_electron) ** 2),
            np.float32((chip.saturation_counts - chip.black_level_counts) / chip.counts_per_electron),
            self._normal,
            np.uint64(rng.integers(1 << 63)),
            self._full,
        )
        if self._smooth_px:
            cv2.GaussianBlur(self._phasors, _taps(self._smooth_px), self._smooth_px, dst=self._phasors)
        depth = np.empty(self._full.shape, np.uint16) if lit else None
        error = replace(unit.error, offset_mm=unit.error.offset_mm + unit.range_mm_per_c * above_c)
        measure(self._phasors, self._full, self.ranging, error, self._amplitude, depth)
        infrared = self._convert(exposure.gain, unit.warmth.black_per_c * above_c)
        temperature_c = round(float(temperature_c + rng.normal(0, 0.05)), 2)
        return SlotImage(infrared=infrared, depth=depth, temperature_c=temperature_c)

    def _steady(self, exposure_us: float) -> None:
        """Fill the mean electrons of a sample with what the room and the sun give."""
        geometry = self._geometry
        electrons = self._design.ambient_electrons_per_count * exposure_us
        day = None
        if geometry.sun is not None:
            seen = self._shadows.cast(geometry, self._view, geometry.sun) if geometry.sun.shadows else None
            day = Daylight(geometry.sun, geometry.sun.counts_per_us * electrons, seen)
        chip = self.unit.pixels
        read2 = (chip.read_noise_counts / chip.counts_per_electron) ** 2
        if day is None and geometry.ambient * electrons < _LOST_IN_READING * read2:
            self._total.fill(0.0)
            return
        flood_signal(geometry, self._view, self.unit.flood, 0.0, geometry.ambient * electrons, self._total, day=day)
        self._panes.shade((), geometry.ambient * electrons, day, self._total)

    def _modulated(self, emitter: Emitter, electrons_at_1m: float, turn: tuple[float, float]) -> None:
        """Add an emitter's light and its phasors."""
        self._lit_up = True
        geometry, view = self._geometry, self._view
        flood_signal(geometry, view, emitter, electrons_at_1m, 0.0, self._lit)
        panes = self._panes
        panes.dim(self._lit)
        low, drop = geometry.over_range_mm[:, :1], geometry.over_range_mm[:, 1:]
        over_mm = low - drop * (np.array(self._design.frequencies_mhz, np.float32) / _DROP_MHZ) ** 2
        self._add(
            emitter,
            turn,
            view.inverse_depth,
            view.triangle,
            geometry.triangle_surface,
            np.ascontiguousarray(over_mm, np.float32),
        )
        if panes.there:
            # What a sheet mirrors comes back from the sheet, before the light of what is behind it.
            self._lit.fill(0.0)
            panes.mirror(((emitter, electrons_at_1m),), 0.0, None, self._lit)
            none = np.zeros((len(geometry.clear), 2), np.float32)
            self._add(emitter, turn, panes.inverse_depth, panes.triangle, panes.triangle_sheet, none)

    def _add(
        self,
        emitter: Emitter,
        turn: tuple[float, float],
        inverse_depth: NDArray[np.float32],
        triangle: NDArray[np.int32],
        surface: NDArray[np.uint8],
        over_mm: NDArray[np.float32],
    ) -> None:
        """Add the light that is in `_lit`, with its phasors, as it comes from what is drawn."""
        self._total += self._lit
        camera = self._view.camera
        add_phasors(
            self._lit,
            inverse_depth,
            triangle,
            surface,
            over_mm,
            np.float32(camera.f_px),
            np.float32(camera.cx_px),
            np.float32(camera.cy_px),
            np.float32(emitter.x_mm),
            np.float32(emitter.y_mm),
            np.array(self._per_mm, np.float32),
            np.array(turn, np.float32),
            self._phasors,
        )

    def _through_lens(self, plane: NDArray[np.float32]) -> None:
        """Blur light or its phasors, and spread what strays, in place."""
        cv2.GaussianBlur(plane, _TAPS, self.unit.lens_sigma_px, dst=plane, borderType=cv2.BORDER_REPLICATE)
        rows, columns = plane.shape[:2]
        small = cv2.resize(plane, (columns // _STRAY_CELLS, rows // _STRAY_CELLS), interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), 6.0, borderType=cv2.BORDER_CONSTANT)
        astray = cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR)
        cv2.scaleAdd(astray, self.unit.stray, plane, dst=plane)

    def _convert(self, gain: float, drift_counts: float) -> NDArray[np.uint16]:
        chip = self.unit.pixels
        out = np.empty(self._amplitude.shape, np.uint16)
        convert(
            self._amplitude,
            chip.offset_counts,
            np.float32(gain * chip.counts_per_electron),
            np.float32(gain),
            np.float32(chip.black_level_counts + drift_counts),
            np.float32(chip.saturation_counts),
            np.float32(chip.step_counts),
            out,
        )
        return out


def _taps(sigma_px: float) -> tuple[int, int]:
    return _TAPS if sigma_px <= 0.8 else (9, 9)


def build_tof_940(actor: Actor, seed: int, noise: Noise = _NOISE) -> TimeOfFlightImager:
    """A unit of `tof-940` before an actor."""
    return TimeOfFlightImager(TOF_940, actor, seed, noise)
