"""Captures drawn by hand: a head, a sheet or nothing before a made-up sensor, without the simulator's world or optics.

What is drawn is exact and simple (Lambertian, no shadows, no motion), so that a contract's or a gate's test knows what is
in its frames. It is no person: nothing that is measured on it says anything about people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from faceward.plugin import (
    Calibration,
    FaceObservation,
    FaceSighting,
    Frame,
    FrameSet,
    HeadPose,
    Illumination,
    IlluminationSchedule,
    Intrinsics,
    Pose,
    Prompt,
    SensorInfo,
    SensorKind,
    Slot,
    Stream,
    StreamProfile,
    digest_of,
)
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Shown = tuple[FrameSet, FaceObservation]

_PERIOD_US = 33_333
_LENS_SIGMA = 0.18739  # a Gaussian blur of s px has contrast one half at .18739/s cycles a pixel
_SPOT_SIGMA = 0.84932  # a Gaussian spot holds half its light inside s / .84932
_OVER = 6  # dots are drawn on a grid this much finer
# A second of slots, dots first: ten dots, three dark.
_SECOND = bytes([1, 2, 2, 1, 2, 0, 1, 2, 2, 1, 2, 2, 1, 0, 2, 1, 2, 2, 1, 2, 2, 1, 2, 0, 1, 2, 2, 1, 2, 2])


def head_mm(x_mm: Floats, y_mm: Floats) -> Floats:
    """How far a head-like surface stands before the plane of its rim; NaN beside it. Eyes are 36 mm above the middle."""
    square = (x_mm / 78.0) ** 2 + (y_mm / 108.0) ** 2
    bulk = 75.0 * np.sqrt(np.clip(1.0 - square, 0.0, None))
    nose = 26.0 * np.exp(-0.5 * ((x_mm / 9.0) ** 2 + ((y_mm - 4.0) / 14.0) ** 2))
    eyes = sum(-7.0 * np.exp(-0.5 * (((x_mm - at) / 10.0) ** 2 + ((y_mm + 36.0) / 8.0) ** 2)) for at in (-31.5, 31.5))
    return np.where(square < 1.0, bulk + nose + eyes, np.nan)


def sheet_mm(x_mm: Floats, y_mm: Floats) -> Floats:
    """A sheet of A4 in the plane of a face, flat."""
    return np.where((np.abs(x_mm) < 105.0) & (np.abs(y_mm) < 148.0), 60.0, np.nan)


def bent_sheet_mm(x_mm: Floats, y_mm: Floats) -> Floats:
    """The same sheet bent over a cylinder of 140 mm radius."""
    return np.where(
        np.isnan(sheet_mm(x_mm, y_mm)), np.nan, 60.0 - (140.0 - np.sqrt(np.clip(140.0**2 - x_mm**2, 0, None)))
    )


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn. `relief` gives millimetres before a plane at `distance_mm` + 75; None: nobody there."""

    relief: Callable[[Floats, Floats], Floats] | None = head_mm
    distance_mm: float = 400.0
    albedo: float = 0.4
    r50_mm: float = 1.0  # of light that spreads as 1 - exp(-r / s)
    ambient: float = 0.0  # counts a microsecond on reflectance 1
    exposure_us: int = 2000
    width_px: int = 640
    seed: int = 0
    faces: int = 1
    identity: Sequence[float] = field(default=(1.0, 0.0, 0.0, 0.0))


def sensor_of(width_px: int = 640) -> SensorInfo:
    """A sensor as good as it says: 640 x 480 at f = 554 px, or as much smaller as is asked for."""
    height_px = width_px * 3 // 4
    f_px = 554.0 * width_px / 640
    camera = Intrinsics(width_px, height_px, f_px, f_px, (width_px - 1) / 2, (height_px - 1) / 2)
    calibration = Calibration(
        infrared=camera, depth=camera, depth_unit_um=100.0, baseline_mm=40.0, depth_min_mm=200.0, depth_max_mm=1000.0,
        dot_pitch_mrad=15.0, dot_spot_mrad=0.7, lens_mtf50_cy_per_px=0.27, flood_counts_per_us_at_1m=5.5,
        flood_second_counts_per_us_at_1m=0.0, dot_counts_per_us_at_1m=20.0, black_level_counts=512.0,
        read_noise_counts=50.0, counts_per_electron=6.4, saturation_counts=65520.0,
    )  # fmt: skip
    return SensorInfo(
        address="usb:1209:0001:DRAWN", vendor="Faceward", model="drawn", serial="DRAWN", firmware_version="1",
        hardware_revision="1", kind=SensorKind.STRUCTURED_LIGHT,
        wavelengths_nm={Illumination.DOTS: 940, Illumination.FLOOD: 940}, slot_rate_hz=30.0, max_schedule_slots=4096,
        calibration=calibration, profiles=(StreamProfile(width_px, height_px, 30.0, 10.0),),
    )  # fmt: skip


def schedule_of(seconds: int = 4) -> IlluminationSchedule:
    """Ten dots, seventeen flood and three dark slots a second."""
    return IlluminationSchedule(bytes(range(16)), _SECOND * seconds)


def draw(scene: Scene, *, schedule: IlluminationSchedule | None = None, sets: int | None = None) -> list[Shown]:
    """Every frame set of a capture of `scene` with what face analysis would have seen in it."""
    order = (schedule or schedule_of()).slots
    picture = _Picture(scene)
    rng = np.random.default_rng([scene.seed, 0xD0])
    shown: list[Shown] = []
    pending: list[Slot] = []
    for number, light in enumerate(order):
        slot = picture.slot(number, Illumination(light), rng)
        if pending and slot.depth is not None:
            shown.append(_close(len(shown), pending, picture))
            pending = []
        pending.append(slot)
    shown.append(_close(len(shown), pending, picture))
    return shown[:sets]


def without_depth(shown: Sequence[Shown]) -> list[Shown]:
    """The same capture from a sensor that measures no depth."""
    return [(FrameSet(each.index, tuple(Slot(slot.infrared) for slot in each.slots)), face) for each, face in shown]


def without_infrared(shown: Sequence[Shown]) -> list[Shown]:
    """The same capture as a depth camera records it; nobody is detected in it."""
    sets = [tuple(Slot(None, slot.depth) for slot in each.slots if slot.depth is not None) for each, _ in shown]
    return [(FrameSet(index, slots), NOBODY) for index, slots in enumerate(sets) if slots]


def filled(shown: Sequence[Shown], fill: Callable[[NDArray[np.uint16], np.random.Generator], object]) -> list[Shown]:
    """The same capture with every frame's pixels changed in place by `fill`, and nobody detected in it."""
    rng = np.random.default_rng(7)

    def change(frame: Frame | None) -> Frame | None:
        if frame is None:
            return None
        pixels = frame.pixels.copy()
        fill(pixels, rng)
        data = pixels.tobytes()
        return replace(frame, data=data, digest=digest_of(data))

    return [
        (FrameSet(each.index, tuple(Slot(change(s.infrared), change(s.depth)) for s in each.slots)), NOBODY)
        for each, _ in shown
    ]


NOBODY = FaceObservation((), 0, Prompt.LOOK_STRAIGHT, Pose.FRONTAL)


class _Picture:
    """The scene's light without noise, once for each kind of slot."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.sensor = sensor_of(scene.width_px)
        calibration = self.sensor.calibration
        camera = calibration.infrared
        shape = (camera.height_px, camera.width_px)
        rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float64)
        self._rays = (columns - camera.cx_px) / camera.fx_px, (rows - camera.cy_px) / camera.fy_px
        z_mm = np.full(shape, np.nan)
        if scene.relief is not None:
            rim_mm = scene.distance_mm + 75.0
            z_mm[:] = scene.distance_mm
            for _ in range(4):  # where a ray meets the relief, by iteration
                x_mm, y_mm = (
                    self._rays[0] * np.nan_to_num(z_mm, nan=rim_mm),
                    self._rays[1] * np.nan_to_num(z_mm, nan=rim_mm),
                )
                z_mm = rim_mm - scene.relief(x_mm, y_mm)
        self.z_mm = z_mm
        facing = self._facing()
        seen = np.nan_to_num(1e6 * facing / (z_mm**2 * (1 + self._rays[0] ** 2 + self._rays[1] ** 2)))
        ambient = scene.ambient * scene.exposure_us * scene.albedo * ~np.isnan(z_mm)
        flood = calibration.flood_counts_per_us_at_1m * scene.exposure_us * scene.albedo * seen + ambient
        dots = self._dots(calibration, scene.albedo * seen) + ambient
        light = {Illumination.OFF: ambient, Illumination.FLOOD: flood, Illumination.DOTS: dots}
        self._light = {lit: (calibration.black_level_counts + counts).astype(np.float32) for lit, counts in light.items()}
        # Shot noise, electron by electron, and the converter's own.
        self._noise = {
            lit: np.sqrt(
                calibration.counts_per_electron * np.maximum(counts, 0) + calibration.read_noise_counts**2
            ).astype(np.float32)
            for lit, counts in light.items()
        }
        self.landmarks_px = self._landmarks()

    def _facing(self) -> Floats:
        slope_y, slope_x = np.gradient(self.z_mm)
        camera = self.sensor.calibration.infrared
        nx, ny = camera.fx_px * slope_x, camera.fy_px * slope_y
        nz = -(self.z_mm + nx * self._rays[0] + ny * self._rays[1])
        length = np.sqrt(nx**2 + ny**2 + nz**2) * np.sqrt(self._rays[0] ** 2 + self._rays[1] ** 2 + 1)
        return np.clip(np.nan_to_num(-(nx * self._rays[0] + ny * self._rays[1] + nz) / length), 0, 1)

    def _dots(self, calibration: Calibration, seen: Floats) -> Floats:
        camera = calibration.infrared
        out = np.zeros_like(seen)
        pitch_px = calibration.dot_pitch_mrad * 1e-3 * camera.fx_px
        scale = camera.width_px / 640
        blur_px = np.hypot(
            _LENS_SIGMA / calibration.lens_mtf50_cy_per_px * scale,
            calibration.dot_spot_mrad * 1e-3 * camera.fx_px * _SPOT_SIGMA,
        )
        s_px = self.scene.r50_mm / np.log(2) * camera.fx_px / self.scene.distance_mm
        reach = int(np.ceil(6 * s_px + 4 * blur_px)) + 1
        kernels = _kernels(s_px, blur_px, reach)
        rng = np.random.default_rng(self.scene.seed)
        power = calibration.dot_counts_per_us_at_1m * self.scene.exposure_us
        for row in np.arange(pitch_px / 2, camera.height_px, pitch_px):
            for column in np.arange(pitch_px / 2, camera.width_px, pitch_px):
                x, y = column + rng.uniform(-0.2, 0.2) * pitch_px, row + rng.uniform(-0.2, 0.2) * pitch_px
                left, top = round(x) - reach, round(y) - reach
                if left < 0 or top < 0 or left + 2 * reach >= camera.width_px or top + 2 * reach >= camera.height_px:
                    continue
                light = power * seen[round(y), round(x)]
                if light > 0:
                    phase = tuple(round((at - round(at)) * _OVER) for at in (y, x))
                    out[top : top + 2 * reach + 1, left : left + 2 * reach + 1] += light * kernels[phase]
        return out

    def _landmarks(self) -> NDArray[np.float32]:
        camera = self.sensor.calibration.infrared
        places = ((-31.5, -36.0), (31.5, -36.0), (0.0, 4.0), (-25.0, 34.0), (25.0, 34.0))
        found = []
        for x_mm, y_mm in places:
            z_mm = self.scene.distance_mm
            if self.scene.relief is not None:
                z_mm += 75.0 - float(self.scene.relief(np.array([x_mm]), np.array([y_mm]))[0])
            found.append((camera.cx_px + camera.fx_px * x_mm / z_mm, camera.cy_px + camera.fy_px * y_mm / z_mm))
        return np.array(found, np.float32)

    def slot(self, number: int, light: Illumination, rng: np.random.Generator) -> Slot:
        calibration = self.sensor.calibration
        noise = rng.standard_normal(self.z_mm.shape, np.float32)
        counts = self._light[light] + self._noise[light] * noise
        infrared = np.clip(np.rint(counts), 0, calibration.saturation_counts).astype("<u2")
        depth = None
        if light is Illumination.DOTS:
            noisy = self.z_mm + 0.4 * rng.standard_normal(self.z_mm.shape, np.float32)
            depth = np.nan_to_num(np.rint(noisy * 1e3 / calibration.depth_unit_um)).astype("<u2")
        return Slot(
            self._frame(Stream.INFRARED, infrared, number, light),
            None if depth is None else self._frame(Stream.DEPTH, depth, number, light),
        )

    def _frame(self, stream: Stream, pixels: NDArray[np.uint16], number: int, light: Illumination) -> Frame:
        data = pixels.tobytes()
        return Frame(
            stream=stream, width_px=pixels.shape[1], height_px=pixels.shape[0], data=data, sequence=number, slot=number,
            device_time_us=number * _PERIOD_US, exposure_us=self.scene.exposure_us, gain=1.0, illumination=light,
            wavelength_nm=0 if light is Illumination.OFF else 940, temperature_c=35.0, config_hash=bytes(8),
            digest=digest_of(data),
        )  # fmt: skip


def _close(index: int, slots: Sequence[Slot], picture: _Picture) -> Shown:
    frame_set = FrameSet(index, tuple(slots))
    scene, marks = picture.scene, picture.landmarks_px
    if scene.relief is None or scene.faces == 0:
        return frame_set, NOBODY
    scale = picture.sensor.calibration.infrared.fx_px / scene.distance_mm
    x, y = marks[2] - np.array([70.0, 100.0]) * scale
    box_px = (float(x), float(y), 140.0 * scale, 190.0 * scale)
    sightings = tuple(
        FaceSighting(
            slot=frame.slot, faces=scene.faces, box_px=box_px, landmarks_px=marks, score=0.95,
            pose=HeadPose(0.0, 0.0, 0.0), distance_mm=scene.distance_mm, mean_counts=15000.0, saturated_share=0.0,
            sharpness=0.1,
        )
        for frame in frame_set.infrared(Illumination.FLOOD)
    )  # fmt: skip
    identity = np.array(scene.identity, np.float32) / np.linalg.norm(scene.identity)
    face = FaceObservation(
        sightings, scene.faces if sightings else 0, Prompt.LOOK_STRAIGHT, Pose.FRONTAL, identity if sightings else None
    )
    return frame_set, face


def _kernels(s_px: float, blur_px: float, reach: int) -> dict[tuple[int, int], Floats]:
    """A dot's light on pixels for each place within a pixel; each sums to the share inside its patch."""
    fine = np.arange(-(reach + 1) * _OVER, (reach + 1) * _OVER + 1) / _OVER
    x, y = np.meshgrid(fine, fine)
    radius = np.hypot(x, y)
    inside = 1.0 - np.exp(-np.arange(0, radius.max() + 1, 0.02) / max(s_px, 1e-6))
    rings = np.interp(radius + 0.5 / _OVER, np.arange(len(inside)) * 0.02, inside)
    rings -= np.interp(np.maximum(radius - 0.5 / _OVER, 0), np.arange(len(inside)) * 0.02, inside)
    spread = rings / np.maximum(2 * np.pi * radius / _OVER, np.pi * (0.5 / _OVER) ** 2)
    spread /= spread.sum()
    taps = np.exp(-0.5 * (np.arange(-4 * blur_px, 4 * blur_px + 1e-9, 1 / _OVER) / blur_px) ** 2)
    taps /= taps.sum()
    for axis in (0, 1):
        spread = np.apply_along_axis(lambda line: np.convolve(line, taps, "same"), axis, spread)
    kernels = {}
    middle = (reach + 1) * _OVER
    steps = np.arange(-reach, reach + 1) * _OVER + middle
    for dy in range(-_OVER, _OVER + 1):
        for dx in range(-_OVER, _OVER + 1):
            if abs(dy) <= _OVER // 2 and abs(dx) <= _OVER // 2:
                kernels[dy, dx] = spread[np.ix_(steps - dy, steps - dx)] * _OVER**2
    return kernels
