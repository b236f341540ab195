"""The simulated sensors' noise held against the parameter sheet, and against flat boards before a real sensor.

Everything is counted in frames of units that a seed draws. What a real structured-light sensor says of a flat board is
read from a folder of depth images with their metadata; the boards are another maker's sensor, so that a factor of two
is all that can be asked of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceward_sim.firmware.imager import Exposure, Illumination, Imager, Prompt
from faceward_sim.optics.correlation import LIGHT_MM_PER_S
from faceward_sim.optics.materials import MELANIN, SKIN_MIRRORS, skin_response, to_material
from faceward_sim.optics.structured_light import SL_940, StructuredLightImager
from faceward_sim.optics.time_of_flight import TOF_940, TimeOfFlightDesign, TimeOfFlightImager
from faceward_sim.optics.transport.tissue import Skin
from faceward_sim.world.surface import Material, SceneState, Surface

Floats = NDArray[np.float64]

UNITS = 3
_FRAMES = 4
_LAW, _CLASS = (
    0.2,
    1.0,
)  # a law holds within 20 % (units differ by that much), another maker's sensor within a factor of 2
_LAGS_PX = (1, 2, 4, 6, 8, 12, 16, 24, 32, 48)
_SKIN_REFLECTANCE = 0.38
_MATT = Material("matt target", 0.05, 0.15, 0.0, 0.4)
_WINDOW = np.s_[160:320, 220:420]


class BoardsUnreadable(ValueError):
    """The folder does not hold boards as `truedepth_boards` does; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Law:
    """One quantity: what it should be (a value or a range), what frames say, and by what share it may be off."""

    sensor: str
    quantity: str
    unit: str
    low: float
    high: float
    measured: float
    tolerance: float
    source: str

    @property
    def ratio(self) -> float:
        """Measured over the value, or over the nearest end of the range."""
        return self.measured / min(max(self.measured, self.low), self.high)

    @property
    def holds(self) -> bool:
        """Off by at most the tolerance, up or down; nothing that is not a positive number holds."""
        ratio = self.ratio
        return bool(np.isfinite(ratio) and 1 / (1 + self.tolerance) <= ratio <= 1 + self.tolerance)


@dataclass(frozen=True, slots=True)
class Residual:
    """What is left of a flat board's depth after its plane, over frames (frames, rows, columns) in mm; nan: no depth."""

    distance_mm: float
    f_px: float
    gaps_mm: Floats

    @property
    def rms_mm(self) -> float:
        """Of single frames."""
        return float(np.sqrt(np.nanmean(self.gaps_mm**2)))

    @property
    def length_px(self) -> float:
        """Over how many pixels the correlation falls to 1/e, along rows and columns."""
        before_lag, before = 0.0, 1.0
        for lag in _LAGS_PX:
            now = self._correlation(lag)
            if now < np.exp(-1):
                return before_lag + (lag - before_lag) * (before - np.exp(-1)) / (before - now)
            before_lag, before = lag, now
        return float(_LAGS_PX[-1])

    @property
    def kept(self) -> float:
        """The correlation of one frame's residual with the next one's: 1 stands still, 0 is new each time."""
        if len(self.gaps_mm) < 2:
            return float("nan")
        return float(np.mean([_correlate(a, b) for a, b in zip(self.gaps_mm, self.gaps_mm[1:], strict=False)]))

    def _correlation(self, lag: int) -> float:
        g = self.gaps_mm
        pairs = ((g[:, :, :-lag], g[:, :, lag:]), (g[:, :-lag], g[:, lag:]))
        return float(np.mean([_correlate(a, b) for a, b in pairs]))


def _correlate(a: Floats, b: Floats) -> float:
    both = np.isfinite(a) & np.isfinite(b)
    x, y = a[both] - a[both].mean(), b[both] - b[both].mean()
    return float((x * y).mean() / max(np.sqrt((x * x).mean() * (y * y).mean()), 1e-12))


def board_residual(frames: Sequence[Floats], f_px: float, cx_px: float, cy_px: float) -> Residual:
    """Fit a plane to each frame (rows, columns) of depth in mm, 0 where there is none.

    The window is the middle half of the image. Where the board's plane is left by more than five residuals, something
    stands before it: left out.

    Raises BoardsUnreadable where a frame has hardly any depth there.
    """
    gaps, distances = [], []
    for frame in frames:
        rows, columns = frame.shape
        window = np.s_[rows // 4 : 3 * rows // 4, columns // 4 : 3 * columns // 4]
        z = frame[window]
        y, x = np.mgrid[window].astype(np.float64)
        keep = z > 0
        if keep.mean() < 0.5:
            raise BoardsUnreadable("a frame has depth on less than half of its middle: no board there")
        across, down = (x - cx_px) / f_px * z, (y - cy_px) / f_px * z
        for _ in range(4):
            columns_ = np.stack([np.ones(keep.sum()), across[keep], down[keep]], 1)
            plane, *_ = np.linalg.lstsq(columns_, z[keep], rcond=None)
            gap = z - (plane[0] + plane[1] * across + plane[2] * down)
            keep = (z > 0) & (np.abs(gap) <= 5 * np.sqrt(np.mean(gap[keep] ** 2)))
        gaps.append(np.where(keep, gap, np.nan))
        distances.append(np.median(z[keep]))
    return Residual(float(np.median(distances)), f_px, np.stack(gaps))


def read_boards(folder: Path) -> Residual:
    """The boards of a folder: depth_*.png in steps of .1 mm, and DepthMetadata.json with the camera.

    Raises BoardsUnreadable.
    """
    paths = sorted(folder.glob("depth_*.png"))
    try:
        text = json.loads((folder / "DepthMetadata.json").read_text(encoding="utf-8"))[0]
        rows = [[float(part) for part in text[f"IntrinsicMatrix.{k}"].strip("()").split(",")] for k in range(2)]
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise BoardsUnreadable(f"{folder}: no DepthMetadata.json with an IntrinsicMatrix ({error})") from None
    images = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in paths]
    if len(images) < 2 or any(image is None or image.ndim != 2 for image in images):
        raise BoardsUnreadable(f"{folder}: two depth_*.png at least, each with one channel of 16 bits")
    return board_residual([image * 0.1 for image in images if image is not None], rows[0][0], rows[0][2], rows[1][2])


def measure(seed: int, boards: Path | None = None, told: Callable[[str], None] = lambda name: None) -> Iterator[Law]:
    """Every law, with units of this seed.

    Args:
        boards: a folder for `read_boards`.
        told: called with the name of each part before it is measured.

    Raises BoardsUnreadable.
    """
    real = None if boards is None else read_boards(boards)
    told("structured light")
    yield from _structured_light(seed)
    told("time of flight")
    yield from _time_of_flight(seed)
    if real is not None:
        told("boards")
        yield from _boards(seed, real)


def _structured_light(seed: int) -> Iterator[Law]:
    near = float(np.median([_sl_board(unit, 400.0, 3_000).rms_mm for unit in _units(seed)]))
    far = float(np.median([_sl_board(unit, 800.0, 12_000).rms_mm for unit in _units(seed)]))
    law = "sheet: z^2 s / (f B)"
    yield Law("sl-940", "depth noise at .4 m", "mm", 0.58, 0.58, near, _LAW, law)
    yield Law("sl-940", "depth noise at .8 m", "mm", 2.3, 2.3, far, _LAW, law)
    yield Law("sl-940", "depth noise at .8 m over .4 m", "", 4.0, 4.0, far / near, _LAW, law)
    yield Law("sl-940", "step of disparity", "px", 0.125, 0.125, _disparity_step(seed), 0.02, "sheet: 1/8 px")
    regions, jitters = zip(*(_flood_noise(unit) for unit in _units(seed)), strict=True)
    region = float(np.median(regions))
    yield Law("sl-940", "noise of 100 x 100 px at 4 ke-", "%", 0.016, 0.016, region, _LAW, "sheet: shot noise, H")
    for number, jitter in enumerate(jitters):
        yield Law("sl-940", f"power and exposure jitter, unit {number + 1}", "%", 0.05, 0.5, jitter, _LAW, "sheet: L")


def _time_of_flight(seed: int) -> Iterator[Law]:
    noise = float(np.median([_tof_noise(unit) for unit in _units(seed)]))
    yield Law("tof-940", "depth noise, A 20 ke-, B 10 ke-, 100 MHz", "mm", 1.8, 1.8, noise, _LAW, "sheet: Lange")
    wrap = LIGHT_MM_PER_S / 2 / 100e6
    yield Law("tof-940", "wraps after, 100 MHz alone", "mm", wrap, wrap, _tof_wrap(seed), 0.01, "sheet: c / 2f")
    for tone, melanin, sheet in zip(("I-II", "III-IV", "V", "VI"), MELANIN, (5.6, 5.1, 4.8, 4.4), strict=True):
        response = skin_response(Skin(melanin))
        patch = to_material("patch", response, SKIN_MIRRORS, 0.27)
        measured = _tof_over_range(seed, patch, response.reflectance)
        yield Law("tof-940", f"over-range in skin {tone}", "mm", sheet, sheet, measured, 0.1, "sheet: transport, M")


def _boards(seed: int, real: Residual) -> Iterator[Law]:
    distance_mm = max(real.distance_mm, SL_940.depth_min_mm + 5.0)
    simulated = [_sl_board(unit, distance_mm, 1_000) for unit in _units(seed)]
    # Triangulation: noise goes with z^2 / f. The boards' baseline is not known and stays in the ratio.
    scale = (real.distance_mm / distance_mm) ** 2 / real.f_px
    level = float(np.median([s.rms_mm * s.f_px for s in simulated])) * scale
    length, kept = (
        float(np.median(values)) for values in zip(*((s.length_px, s.kept) for s in simulated), strict=True)
    )
    source = f"boards at {real.distance_mm:.0f} mm, real"
    name = "plane residual, carried to the boards' distance and focal length"
    yield Law("sl-940", name, "mm", real.rms_mm, real.rms_mm, level, _CLASS, source)
    yield Law("sl-940", "its correlation falls to 1/e in", "px", real.length_px, real.length_px, length, _CLASS, source)
    yield Law("sl-940", "its correlation with the next frame", "", real.kept, real.kept, kept, _CLASS, source)


def _units(seed: int) -> range:
    return range(seed, seed + UNITS)


@dataclass
class _Target:
    """A flat target across the axis."""

    distance_mm: float
    reflectance: float
    material: Material = _MATT
    ambient: float = 0.0
    name: str = "target"
    species: str = "none"

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        z = self.distance_mm
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float32)
        vertices = np.concatenate([corners * np.float32(1.5 * z), np.full((4, 1), z, np.float32)], axis=1)
        texture = np.full((8, 8), self.reflectance, np.float32)
        triangles = np.array([(0, 2, 1), (0, 3, 2)], np.int32)
        surface = Surface(vertices, triangles, (corners + 1) / 2, texture, self.material)
        return SceneState((surface,), self.ambient)


def _depths_mm(imager: Imager, light: Illumination, exposure_us: int, frames: int, first: int = 0) -> Floats:
    unit_mm = imager.calibration.depth_unit_um / 1000
    found = []
    for slot in range(first, first + frames):
        depth = imager.expose(Exposure(slot, slot * 33_333, light, exposure_us, 1.0, Prompt.NONE)).depth
        assert depth is not None
        found.append(depth * unit_mm)
    return np.stack(found)


def _sl_board(seed: int, distance_mm: float, exposure_us: int) -> Residual:
    imager = StructuredLightImager(SL_940, _Target(distance_mm, _SKIN_REFLECTANCE), seed)
    frames = _depths_mm(imager, Illumination.DOTS, exposure_us, _FRAMES)
    camera = imager.calibration.infrared
    return board_residual(list(frames), camera.fx_px, camera.cx_px, camera.cy_px)


def _disparity_step(seed: int) -> float:
    """The widest step whose multiples the dots' disparities fall on, over boards at several distances."""
    found = []
    for distance_mm in (370.0, 390.0, 410.0, 430.0):
        imager = StructuredLightImager(SL_940, _Target(distance_mm, _SKIN_REFLECTANCE), seed)
        _depths_mm(imager, Illumination.DOTS, 3_000, 1)
        disparity = imager.depth_processor.matched()[:, 0].astype(np.float64)
        found.append(disparity[disparity > 0])
    steps = np.linspace(0.06, 0.3, 2401)
    values = np.concatenate(found)
    sharp = np.array([np.abs(np.exp(2j * np.pi * values / step).mean()) for step in steps])
    return float(steps[sharp > 0.99].max()) if (sharp > 0.99).any() else float("nan")


def _flood_noise(seed: int) -> tuple[float, float]:
    """Per cent: noise of a region of 100 x 100 px, from its halves so that jitter is out of it; jitter itself."""
    imager = StructuredLightImager(SL_940, _Target(400.0, _SKIN_REFLECTANCE), seed)
    black = imager.calibration.black_level_counts
    halves = []
    for slot in range(40):
        frame = imager.expose(Exposure(slot, slot * 33_333, Illumination.FLOOD, 2_000, 1.0, Prompt.NONE)).infrared
        region = frame[190:290, 270:370].astype(np.float64) - black
        halves.append((region[:, :50].mean(), region[:, 50:].mean()))
    log = np.log(np.array(halves))
    electrons = np.exp(log).mean() / imager.calibration.counts_per_electron
    apart = float(np.std(log[:, 0] - log[:, 1], ddof=1)) / 2
    # As it would be at 4 ke- exactly: units differ in power.
    return 100 * apart * float(np.sqrt(electrons / 4_000)), 100 * float(np.std(log.mean(axis=1), ddof=1))


_ONE_FREQUENCY: TimeOfFlightDesign = replace(
    TOF_940, frequencies_mhz=(100.0, 100.0), contrast=(0.8, 0.8), smooth_px=0.0
)


def _tof_noise(seed: int) -> float:
    """At one frequency, of one measurement: frames' difference, so that what stands still is out of it."""
    target = _Target(400.0, _SKIN_REFLECTANCE)
    imager = TimeOfFlightImager(_ONE_FREQUENCY, target, seed)
    c, unit = imager.calibration, imager.unit
    first = imager.expose(Exposure(0, 0, Illumination.FLOOD, 2_000, 1.0, Prompt.NONE)).infrared[_WINDOW]
    electrons = (float(np.median(first)) - c.black_level_counts) / c.counts_per_electron
    electrons *= _ONE_FREQUENCY.contrast[0] / unit.contrast[0]
    exposure_us = round(2_000 * 20_000 / electrons)
    target.ambient = 10_000 / (_SKIN_REFLECTANCE * _ONE_FREQUENCY.ambient_electrons_per_count * exposure_us)
    a, b = _depths_mm(imager, Illumination.FLOOD, exposure_us, 2, first=1)
    apart = (a - b)[_WINDOW]
    # Two measurements at the same frequency are averaged in each frame, and two frames subtracted.
    return float(apart[(a[_WINDOW] > 0) & (b[_WINDOW] > 0)].std())


def _tof_wrap(seed: int) -> float:
    far_mm = 1_900.0
    imager = TimeOfFlightImager(_ONE_FREQUENCY, _Target(far_mm, 0.9), seed)
    depth = _depths_mm(imager, Illumination.FLOOD, 12_000, 1)[0][200:280, 280:360]
    return far_mm - float(np.median(depth[depth > 0])) if (depth > 0).any() else float("nan")


def _tof_over_range(seed: int, material: Material, reflectance: float) -> float:
    """Against a target as bright that lets no light in, at the same place before the same unit."""
    deep = TimeOfFlightImager(TOF_940, _Target(400.0, reflectance, material), seed)
    shallow = TimeOfFlightImager(
        TOF_940, _Target(400.0, reflectance, replace(material, over_range_mm=0.0, over_range_drop_mm=0.0)), seed
    )
    a, b = (_depths_mm(imager, Illumination.FLOOD, 1_400, _FRAMES)[:, 200:280, 280:360] for imager in (deep, shallow))
    return float(a[a > 0].mean() - b[b > 0].mean())
