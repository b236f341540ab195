"""`skin-optics`: how far light spreads in the surface, and how much of it comes back.

Dots tell the spread, flood light with depth tells the absolute diffuse albedo. Paper and plaster hardly let light in,
silicone lets it far, skin lies between, and its darker tones are both darker and tighter, so the two numbers are judged
together. Each region of the face is judged in each pose by itself and the worst decides: a silicone nose can't average
out.

With one band this gate can't tell silicone that is matched to skin from skin, and says so: Monte Carlo transport gives a
miss rate of 96 % for such silicone at 1 % false refusals. Where there are two bands, the ratio of both albedos must be one
that skin of some tone has. Which side of 1 it lies on depends on tone and on the tissue model (sensor-physics.md), so the
limits hold both and only bound it; matched silicone stays within them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
from faceward.plugin import (
    Evidence,
    FaceObservation,
    FaceSighting,
    Frame,
    FrameSet,
    GateContext,
    GateSession,
    Illumination,
    LivenessGate,
    Measure,
    Outcome,
    Pose,
    Requirements,
    SensorInfo,
    Stream,
    hookimpl,
)
from numpy.typing import NDArray

from faceward_gates.dots import DotSpread
from faceward_gates.relief import Relief, face_relief, facing
from faceward_gates.sightings import flood_frames, nearest_sighting

_NEAR_US = 250_000
_PAIR_US = 150_000
_PAIRS_MIN = 3
_FACING_MIN = 0.6  # beyond 53 degrees a dot is too squeezed, and a little error of the normal too large a one of albedo
_BUCKET = 4096  # dots kept for each region and pose; later ones are left out, so memory is bounded

# Along the line between the eyes (to the person's left) and from eyes to mouth, in units of both, from between the eyes.
_REGIONS: Mapping[str, tuple[float, float, float, float]] = {
    "forehead": (-0.55, 0.55, -0.80, -0.42),
    "nose": (-0.24, 0.24, 0.15, 0.66),
    "right cheek": (-0.78, -0.32, 0.30, 0.85),
    "left cheek": (0.32, 0.78, 0.30, 0.85),
    "chin": (-0.38, 0.38, 1.18, 1.52),
}


# Slope of the spread over albedo, from the sheet's skin by tone: 1.10 mm at .482 down to .85 mm at .221.
_SPREAD_BY_ALBEDO_MM = 0.96


@dataclass(frozen=True, slots=True)
class _Patch:
    """One region in one pose, measured."""

    region: str
    pose: Pose | None
    spread_mm: float
    albedo: float
    band_ratio: float | None  # first band's albedo over the second's; None without a second


@dataclass(slots=True)
class _Bucket:
    """What one region showed in one pose."""

    spreads: list[NDArray[np.float32]]
    albedos: list[float]
    band_ratios: list[float]
    count: int = 0


class SkinOpticsGate(LivenessGate):
    """Light in skin against light in masks and sheets."""

    name = "skin-optics"
    version = "1.1.0"

    def requirements(self, sensor: SensorInfo) -> Requirements:
        """Dots, flood (in both bands, where there are two) and depth together; dark slots to take ambient light off."""
        dots_hz = 8.0 if Illumination.DOTS in sensor.wavelengths_nm else 0.0
        second_hz = 4.0 if Illumination.FLOOD_SECOND in sensor.wavelengths_nm else 0.0
        return Requirements(
            depth=True, dots_hz=dots_hz, flood_hz=8.0, flood_second_hz=second_hz, off_hz=2.0, seconds=2.0
        )

    def thresholds(self) -> Mapping[str, float]:
        """Chosen on development seeds of the simulator; see README."""
        return {
            "spread_max_mm": 1.75,
            "spread_min_mm": 0.36,
            "albedo_min": 0.03,
            "albedo_max": 0.75,
            "dots_each": 80.0,
            # Skin: .87 to 1.15 by tone, 1.09 fair skin in the other tissue model; the factory's powers are known to 4 %.
            "band_ratio_min": 0.7,
            "band_ratio_max": 1.4,
        }

    def open(self, context: GateContext) -> GateSession:
        """Begin."""
        return _Session(context)


class _Session(GateSession):
    def __init__(self, context: GateContext) -> None:
        self._sensor = context.sensor
        self._limits = context.thresholds
        self._buckets: dict[tuple[str, Pose | None], _Bucket] = {}
        self._spread: DotSpread | None = None
        self._dark: NDArray[np.float32] | None = None
        self._relief: Relief | None = None
        self._facing: NDArray[np.float32] | None = None
        self._relief_us = 0
        self._first_band: dict[str, tuple[int, float]] = {}
        self._covered: set[bytes] = set()

    def observe(self, frame_set: FrameSet, face: FaceObservation) -> None:
        """Measure dots and albedo of every region that can be seen."""
        for frame in frame_set.infrared(Illumination.OFF):
            self._take_dark(frame)
        first = frame_set.slots[0]
        sighting = nearest_sighting(first.number, face)
        if frame_set.depth is not None:
            self._relief = None
            if sighting is not None and first.infrared is not None:
                self._take_relief(frame_set.depth, sighting, first.infrared)
        if self._relief is None or sighting is None:
            return
        lit = frame_set.infrared(Illumination.DOTS)
        if frame_set.depth is not None and lit and lit[0] is first.infrared:
            self._take_dots(lit[0], sighting, face.stage)
            self._covered.update((lit[0].digest, frame_set.depth.digest))
        for frame, seen in flood_frames(frame_set, face):
            if frame.device_time_us - self._relief_us <= _NEAR_US:
                self._take_flood(frame, seen, face.stage)
                self._covered.add(frame.digest)
        for frame in frame_set.infrared(Illumination.FLOOD_SECOND):
            beside = nearest_sighting(frame.slot, face)
            if beside is not None and frame.device_time_us - self._relief_us <= _NEAR_US:
                self._take_flood(frame, beside, face.stage)
                self._covered.add(frame.digest)

    def _take_dark(self, frame: Frame) -> None:
        """Ambient light, coarsely: it is smooth, and the face has moved since."""
        small = cv2.resize(
            frame.pixels, (frame.width_px // 8, frame.height_px // 8), interpolation=cv2.INTER_AREA
        ).astype(np.float32)
        small -= self._sensor.calibration.black_level_counts
        self._dark = cv2.GaussianBlur(small, (0, 0), 1.5) / max(frame.exposure_us * frame.gain, 1e-9)

    def _light(self, frame: Frame, left: int, top: int, width: int, height: int) -> NDArray[np.float32]:
        """Counts above black and ambient in a window of the frame."""
        light = frame.pixels[top : top + height, left : left + width].astype(np.float32)
        light -= self._sensor.calibration.black_level_counts
        if self._dark is not None:
            window = self._dark[top // 8 : (top + height) // 8 + 1, left // 8 : (left + width) // 8 + 1]
            ambient = cv2.resize(window, (width, height), interpolation=cv2.INTER_LINEAR)
            light -= ambient * (frame.exposure_us * frame.gain)
        return light

    def _take_relief(self, depth: Frame, sighting: FaceSighting, infrared: Frame) -> None:
        relief = face_relief(depth, self._sensor.calibration, sighting.box_px, (infrared.width_px, infrared.height_px))
        if relief is not None:
            self._relief, self._facing, self._relief_us = relief, facing(relief), depth.device_time_us

    def _take_dots(self, frame: Frame, sighting: FaceSighting, stage: Pose | None) -> None:
        relief = self._relief
        assert relief is not None and self._facing is not None
        if self._spread is None:
            self._spread = DotSpread(self._sensor.calibration, frame.width_px)
        scale = frame.width_px / relief.camera.width_px
        rows, columns = relief.valid.shape
        left, top = int(relief.left_px * scale), int(relief.top_px * scale)
        width, height = int(columns * relief.step_px * scale), int(rows * relief.step_px * scale)
        width, height = min(width, frame.width_px - left), min(height, frame.height_px - top)
        if width < 32 or height < 32:
            return
        dots = self._spread.find(self._light(frame, left, top, width, height), frame.gain)
        if not len(dots.peak):
            return
        column = np.clip(((dots.x_px + 0.5) / (relief.step_px * scale)).astype(np.int64), 0, columns - 1)
        row = np.clip(((dots.y_px + 0.5) / (relief.step_px * scale)).astype(np.int64), 0, rows - 1)
        cosine = self._facing[row, column]
        px_per_mm = relief.camera.fx_px * scale / np.maximum(relief.z_mm[row, column], 1.0)
        r50_mm = self._spread.r50_px(dots.peak) / (px_per_mm * np.sqrt(np.maximum(cosine, 0.05)))
        usable = cosine >= _FACING_MIN
        across, along = _face_axes(dots.x_px + left, dots.y_px + top, sighting)
        for region, (u0, u1, v0, v1) in _REGIONS.items():
            inside = usable & (across >= u0) & (across <= u1) & (along >= v0) & (along <= v1)
            count = int(np.count_nonzero(inside))
            bucket = self._bucket(region, stage)
            if count and bucket.count < _BUCKET:
                bucket.spreads.append(r50_mm[inside].astype(np.float32))
                bucket.count += count

    def _take_flood(self, frame: Frame, sighting: FaceSighting, stage: Pose | None) -> None:
        relief = self._relief
        assert relief is not None and self._facing is not None
        calibration = self._sensor.calibration
        second = frame.illumination is Illumination.FLOOD_SECOND
        power = calibration.flood_second_counts_per_us_at_1m if second else calibration.flood_counts_per_us_at_1m
        if power <= 0 or frame.exposure_us <= 0:
            return
        scale = frame.width_px / relief.camera.width_px
        rows, columns = relief.valid.shape
        step = relief.step_px * scale
        left, top = relief.left_px * scale, relief.top_px * scale
        centre_x = left + (np.arange(columns) + 0.5) * step - 0.5
        centre_y = top + (np.arange(rows) + 0.5) * step - 0.5
        across, along = _face_axes(centre_x[None, :], centre_y[:, None], sighting)
        width, height = (
            min(int(columns * step), frame.width_px - int(left)),
            min(int(rows * step), frame.height_px - int(top)),
        )
        light = cv2.resize(
            self._light(frame, int(left), int(top), width, height), (columns, rows), interpolation=cv2.INTER_AREA
        )
        square_m2 = (relief.x_mm**2 + relief.y_mm**2 + relief.z_mm**2) * 1e-6
        albedo = light * square_m2 / (power * frame.exposure_us * frame.gain * np.maximum(self._facing, 0.05))
        usable = self._facing >= _FACING_MIN
        for region, (u0, u1, v0, v1) in _REGIONS.items():
            inside = usable & (across >= u0) & (across <= u1) & (along >= v0) & (along <= v1)
            if np.count_nonzero(inside) >= 12:
                self._take_albedo(region, stage, float(np.median(albedo[inside])), frame.device_time_us, second)

    def _take_albedo(self, region: str, stage: Pose | None, albedo: float, time_us: int, second: bool) -> None:
        """The bands' ratio is of two looks close together, so that turning and ambient light are out of it."""
        bucket = self._bucket(region, stage)
        if not second:
            bucket.albedos.append(albedo)
            self._first_band[region] = (time_us, albedo)
            return
        near_us, first = self._first_band.get(region, (0, 0.0))
        if first > 0 and albedo > 0 and abs(time_us - near_us) < _PAIR_US:
            bucket.band_ratios.append(first / albedo)

    def _bucket(self, region: str, stage: Pose | None) -> _Bucket:
        return self._buckets.setdefault((region, stage), _Bucket([], [], []))

    def conclude(self) -> Evidence:
        """The worst region in the worst pose decides."""
        if not {Stream.INFRARED, Stream.DEPTH} <= self._sensor.streams:
            reason = "spread and albedo need dots, flood and depth together; a stream is missing"
            return Evidence(Outcome.NOT_EVALUATED, "streams", reason)
        if Illumination.DOTS not in self._sensor.wavelengths_nm:
            return Evidence(Outcome.NOT_EVALUATED, "dots", "this sensor projects no dots")
        patches = self._patches()
        covered = frozenset(self._covered)
        missing = sorted(set(_REGIONS) - {patch.region for patch in patches})
        if not patches:
            return Evidence(
                Outcome.INCONCLUSIVE, "too few dots", "no region of a face was measured", (), math.nan, covered
            )
        verdict = self._judge(patches)
        if verdict.outcome is not Outcome.NOT_LIVE and not missing and self._lacks_second(patches):
            reason = "the second band was not measured on every region of the face"
            return Evidence(Outcome.INCONCLUSIVE, "second band", reason, verdict.measures, math.nan, covered)
        if verdict.outcome is Outcome.NOT_LIVE or not missing:
            return replace(verdict, covered=covered)
        reason = f"too few dots, or too little light, on {', '.join(missing)}"
        return Evidence(Outcome.INCONCLUSIVE, "too few dots", reason, verdict.measures, math.nan, covered)

    def _lacks_second(self, patches: list[_Patch]) -> bool:
        if Illumination.FLOOD_SECOND not in self._sensor.wavelengths_nm:
            return False
        return {patch.region for patch in patches if patch.band_ratio is not None} != set(_REGIONS)

    def _patches(self) -> list[_Patch]:
        found = []
        for (region, pose), bucket in self._buckets.items():
            if bucket.count < self._limits["dots_each"] or not bucket.albedos:
                continue
            spread_mm = float(np.median(np.concatenate(bucket.spreads)))
            enough = len(bucket.band_ratios) >= _PAIRS_MIN
            ratio = float(np.median(bucket.band_ratios)) if enough else None
            found.append(_Patch(region, pose, spread_mm, float(np.median(bucket.albedos)), ratio))
        return found

    def _judge(self, patches: list[_Patch]) -> Evidence:
        limits = self._limits

        def excess_mm(patch: _Patch) -> float:
            """Over what skin of that albedo spreads: lighter skin lets light farther (sensor-physics.md)."""
            return patch.spread_mm - _SPREAD_BY_ALBEDO_MM * (min(patch.albedo, 0.5) - 0.5)

        widest = max(patches, key=excess_mm)
        tightest = min(patches, key=lambda patch: patch.spread_mm)
        brightest = max(patches, key=lambda patch: patch.albedo)
        darkest = min(patches, key=lambda patch: patch.albedo)
        checks = [
            (widest, "dot spread", "dots spread as in silicone",
             Measure("dot spread for its albedo, widest region", excess_mm(widest), "mm", limits["spread_max_mm"])),
            (tightest, "dots too sharp", "dots stay sharp as on paper",
             Measure("dot spread, tightest region", tightest.spread_mm, "mm", limits["spread_min_mm"], ">=")),
            (brightest, "albedo too high", "more light comes back than from skin",
             Measure("albedo, brightest region", brightest.albedo, "", limits["albedo_max"])),
            (darkest, "albedo too low", "less light comes back than from skin or beard",
             Measure("albedo, darkest region", darkest.albedo, "", limits["albedo_min"], ">=")),
        ]  # fmt: skip
        ratios = [(patch.band_ratio, patch) for patch in patches if patch.band_ratio is not None]
        if ratios:
            (most, steep), (least, shallow) = max(ratios, key=_first), min(ratios, key=_first)
            words = "the two bands return as from no skin"
            checks += [
                (steep, "band ratio", words, Measure("band ratio, highest", most, "", limits["band_ratio_max"])),
                (
                    shallow,
                    "band ratio",
                    words,
                    Measure("band ratio, lowest", least, "", limits["band_ratio_min"], ">="),
                ),
            ]
        measures = tuple(measure for _, _, _, measure in checks)
        score = min(limits["spread_max_mm"] - excess_mm(widest), tightest.spread_mm - limits["spread_min_mm"])
        for patch, cue, words, measure in checks:
            if not measure.passes:
                pose = patch.pose.value if patch.pose is not None else "any"
                reason = (
                    f"{words}: half of a dot's light lies within {patch.spread_mm:.2f} mm at albedo {patch.albedo:.2f} "
                    f"({patch.region}, pose {pose})"
                )
                return Evidence(Outcome.NOT_LIVE, cue, reason, measures, score)
        claim = "; silicone matched to skin can't be told from it this way"
        reason = f"dots spread and light returns as in skin, in every region and pose{claim}"
        return Evidence(Outcome.LIVE, "skin optics", reason, measures, score)


def _first(pair: tuple[float, _Patch]) -> float:
    return pair[0]


def _face_axes(
    x_px: NDArray[np.floating], y_px: NDArray[np.floating], sighting: FaceSighting
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Place on the face: along the line between the eyes and from eyes to mouth, in units of both."""
    right_eye, left_eye, _, right_mouth, left_mouth = sighting.landmarks_px.astype(np.float64)
    origin = (right_eye + left_eye) / 2
    across, along = left_eye - right_eye, (right_mouth + left_mouth) / 2 - origin
    determinant = across[0] * along[1] - across[1] * along[0]
    if abs(determinant) < 16.0:
        nowhere = np.full(np.broadcast(x_px, y_px).shape, np.inf)
        return nowhere, nowhere
    x, y = x_px - origin[0], y_px - origin[1]
    return (x * along[1] - y * along[0]) / determinant, (y * across[0] - x * across[1]) / determinant


@hookimpl
def faceward_gate() -> LivenessGate:
    """The plugin's one gate."""
    return SkinOpticsGate()
