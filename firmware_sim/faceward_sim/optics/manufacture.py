"""What manufacture leaves open in every unit, and how well a factory measures it.

A unit is drawn from its seed. The factory's estimate of it carries an error drawn from `Tolerance`; the draw itself
never leaves the optics. Ranges without a source beside them are assumed (L).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceward_sim.firmware.imager import FactoryIntrinsics
from faceward_sim.optics.flood import Emitter
from faceward_sim.optics.geometry import Pinhole
from faceward_sim.optics.pixels import PixelArray

CALIBRATION_C = 35.0  # at what temperature the factory measures


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Standard deviations of the factory's estimates; shares of the value where no unit says otherwise."""

    focal: float = 0.001
    centre_px: float = 0.1
    baseline_mm: float = 0.03
    spot: float = 0.03
    mtf50: float = 0.02
    flood: float = 0.03
    dots: float = 0.04
    black_counts: float = 2.0
    read_noise: float = 0.03
    electron: float = 0.02


TOLERANCE = Tolerance()


@dataclass(frozen=True, slots=True)
class ChipDesign:
    """A chip as its data sheet has it."""

    black_level_counts: float
    read_noise_counts: float
    counts_per_electron: float
    saturation_counts: float
    step_counts: int


@dataclass(frozen=True, slots=True)
class Warmth:
    """How a unit warms up from power on, and what that does to it."""

    start_c: float
    warm_c: float
    warm_up_s: float
    power_per_c: float  # relative change of emitted power for each degree above calibration
    black_per_c: float  # counts of black level for each degree above calibration

    def at_c(self, time_us: int) -> float:
        """The temperature that long after power on."""
        return self.start_c + (self.warm_c - self.start_c) * float(1 - np.exp(-time_us / 1e6 / self.warm_up_s))


@dataclass(frozen=True, slots=True)
class Jitter:
    """Relative standard deviations from frame to frame."""

    power: float
    exposure: float


@dataclass(frozen=True, slots=True)
class Noise:
    """How what a sensor does wrong hangs together in space and time. The defaults are generator A's.

    What the factory's picture of the dots misses is a part that each dot has by itself and a bend that neighbours share.
    Both stand still, and for A make s = .08 px of the depth that comes out, the sheet's for a lock module: with speckle,
    centroid noise and the disparity step a flat board's residual keeps .8 of itself from one frame to the next and falls to
    1/e in 10 px (real boards, `validate sensors`).
    """

    dot_x_px: float = 0.055
    dot_y_px: float = 0.03
    bend_px: float = 0.06
    bend_pitch_px: float = 28.0  # how far apart the bends of a pattern lie
    speckle_px: tuple[float, float] = (0.035, 0.05)
    speckle_contrast: tuple[float, float] = (0.02, 0.06)
    held: float = 0.0  # share of speckle's variance that fades over HELD_US instead of being new in every slot
    row_counts: tuple[float, float] = (0.0, 0.0)  # noise that a row has in common, new in every slot
    column_counts: tuple[float, float] = (0.0, 0.0)  # a column's offset, which stands still
    fixed_cells: int = 5  # of a time-of-flight sensor's standing error, across the image
    fixed_mm: float = 0.6
    smooth_px: float | None = None  # of a time-of-flight processor; None: its design's


HELD_US = 250_000  # a head at rest moves by a speckle's width in about that time (assumed)


class Banding:
    """What rows and columns of one unit add to their pixels, in counts at gain 1."""

    def __init__(self, noise: Noise, seed: int, shape: tuple[int, int]) -> None:
        rng = np.random.default_rng([seed, 0xBA2D])
        self._row_counts = float(rng.uniform(*noise.row_counts))
        columns = float(rng.uniform(*noise.column_counts)) * rng.standard_normal(shape[1], np.float32)
        self._columns = np.clip(columns, -_MOST_COUNTS, _MOST_COUNTS).astype(np.float32)
        self._rows = shape[0]
        self.there = bool(noise.row_counts[1] or noise.column_counts[1])

    def add(self, signal: NDArray[np.float32], rng: np.random.Generator) -> None:
        """Add a slot's bands in place."""
        rows = np.float32(self._row_counts) * rng.standard_normal((self._rows, 1), np.float32)
        signal += np.clip(rows, -_MOST_COUNTS, _MOST_COUNTS)
        signal += self._columns


# Pixels take a root of what they hold: no band may outweigh the read noise.
_MOST_COUNTS = 50.0


def draw_camera(rng: np.random.Generator, f_px: float, rows: int, columns: int) -> Pinhole:
    """Focal length within .5 %, the axis 2 px off the middle."""
    f_px = f_px * (1 + 0.005 * rng.uniform(-1, 1))
    return Pinhole(columns, rows, f_px, (columns - 1) / 2 + rng.normal(0, 2), (rows - 1) / 2 + rng.normal(0, 2))


def draw_pixels(rng: np.random.Generator, camera: Pinhole, chip: ChipDesign) -> PixelArray:
    """Response, shading, fixed pattern, dead and hot pixels, and the chip's levels."""
    rows, columns = camera.height_px, camera.width_px
    response = (1 + 0.006 * rng.standard_normal((rows, columns), np.float32)).astype(np.float32)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    squared = ((x - camera.cx_px) ** 2 + (y - camera.cy_px) ** 2) / np.float32(camera.f_px**2)
    response *= 1 - np.float32(rng.uniform(0, 0.1)) * squared  # what flat-fielding leaves of the lens's vignetting
    offset = (8 * rng.standard_normal((rows, columns), np.float32)).astype(np.float32)
    bad = rng.integers(0, (rows, columns), (int(rng.integers(10, 40)), 2))
    dead = len(bad) // 2
    response[bad[:dead, 0], bad[:dead, 1]] = 0
    offset[bad[dead:, 0], bad[dead:, 1]] = rng.uniform(500, 8000, len(bad) - dead)
    return PixelArray(
        response=response,
        offset_counts=offset,
        black_level_counts=chip.black_level_counts + rng.normal(0, 4),
        read_noise_counts=chip.read_noise_counts * (1 + 0.1 * rng.uniform(-1, 1)),
        counts_per_electron=chip.counts_per_electron * (1 + 0.05 * rng.uniform(-1, 1)),
        saturation_counts=chip.saturation_counts,
        step_counts=chip.step_counts,
    )


def draw_emitter(rng: np.random.Generator, x_mm: float, y_mm: float, falloff: float) -> Emitter:
    """An emitter in its place, its beam's middle off the axis by some degrees."""
    tilt = rng.normal(0, 0.04, 2)
    return Emitter(x_mm, y_mm, falloff, float(tilt[0]), float(tilt[1]))


def draw_jitter(rng: np.random.Generator) -> Jitter:
    """Frame-to-frame emitter power and exposure: .05-.5 % (sensor-physics.md, L)."""
    return Jitter(
        power=float(np.exp(rng.uniform(np.log(0.0005), np.log(0.005)))),
        exposure=float(np.exp(rng.uniform(np.log(0.0002), np.log(0.001)))),
    )


def draw_warmth(rng: np.random.Generator, black_per_c: float) -> Warmth:
    """Lasers fade by .1-.3 % a degree."""
    power_per_c = float(-rng.uniform(0.001, 0.003))
    start_c, warm_c = float(rng.uniform(22, 34)), float(rng.uniform(36, 46))
    return Warmth(start_c, warm_c, float(rng.uniform(300, 900)), power_per_c, black_per_c)


def estimate_intrinsics(rng: np.random.Generator, camera: Pinhole) -> FactoryIntrinsics:
    """The factory's estimate of a camera."""
    return FactoryIntrinsics(
        camera.width_px,
        camera.height_px,
        near(rng, camera.f_px, TOLERANCE.focal),
        near(rng, camera.f_px, TOLERANCE.focal),
        camera.cx_px + rng.normal(0, TOLERANCE.centre_px),
        camera.cy_px + rng.normal(0, TOLERANCE.centre_px),
    )


def near(rng: np.random.Generator, true: float, share: float) -> float:
    """An estimate whose error is that share of the value (standard deviation)."""
    return float(true * (1 + rng.normal(0, share)))


def spots(rng: np.random.Generator, rows: int, columns: int, cells: int, sigma: float) -> NDArray[np.float32]:
    """A smooth map about zero with that many cells across, of that standard deviation: (rows, columns) float32."""
    grid = rng.standard_normal((cells, cells)).astype(np.float32)
    field = cv2.resize(grid, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return (field * np.float32(sigma / max(float(field.std()), 1e-6))).astype(np.float32)
