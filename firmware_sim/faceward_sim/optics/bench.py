"""A laboratory bench: flat patches before a sensor of ours, and what its frames say of them.

Nothing here reads a material's own numbers: a patch goes in as the renderer takes it, and what comes out was counted in
pixels, with noise, blur, shading and dead pixels as the unit has them. The bench differs from a lock's sensor in three
things that any laboratory changes: a lens of longer focus, so that a dot covers pixels enough; a projector with few
dots, half as wide in pixels as the sensor's own, so that their tails do not meet; and crossed polarisers where only diffuse
light is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from faceward_sim.firmware.imager import Exposure, Illumination, Prompt
from faceward_sim.optics.profile import Profile
from faceward_sim.optics.structured_light import SL_940, StructuredLightDesign, StructuredLightImager
from faceward_sim.world.surface import Material, SceneState, Surface

Floats = NDArray[np.float64]

DISTANCE_MM = 800.0
_WHITE = 0.99  # a white standard, as laboratories buy it
_SHARP = Material("metal standard", 1e-4, 2e-4, 0.0, 0.3)  # light leaves it where it came in
_TARGET_COUNTS = 32_000.0  # half of the range
_FIRST_EXPOSURE_US = 2_000
_PITCH_PX = 100.0
_WINDOW_PX = 34.0  # round a dot; the next dot's light begins farther out
_R90_PX = 11.0
_ZOOMS = 4
_FLOOD_FRAMES = 24
_DOTS_FRAMES = 6
_UNITS = 3
_BORDER_PX = 16  # left out on both sides of where two patches meet
_WHOLE_PX = 1000
_ONE_ANGLE_PX = 50  # from the middle, where the lens and the emitter see one angle
_MIRROR_TILTS_DEG = (0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 34, 38, 42)


@dataclass(frozen=True, slots=True)
class Patch:
    """What is measured: a flat piece of a material."""

    reflectance: float
    material: Material

    @property
    def polarised(self) -> Patch:
        """Seen through crossed polarisers: without what its surface mirrors."""
        return replace(self, material=replace(self.material, specular_share=0.0))


@dataclass(frozen=True, slots=True)
class DotSpread:
    """Radii that hold half and nine tenths of a dot's light, and the share inside .5 mm."""

    r50_mm: float
    r90_mm: float
    share_half_mm: float


@dataclass
class _Still:
    scene: SceneState
    name: str = "patch"
    species: str = "none"

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        return self.scene


class Bench:
    """Measures patches with units drawn from a seed; the same seed measures the same."""

    def __init__(self, seed: int, design: StructuredLightDesign = SL_940) -> None:
        self._seed = seed
        self._design = design
        self._references: dict[float, Floats] = {}

    def reflectance(self, patch: Patch) -> float:
        """Diffuse reflectance: the flood image over that of a white standard, polarisers crossed."""
        light = self._flood([patch.polarised, Patch(_WHITE, _SHARP)])
        return float(_WHITE * light[0] / light[1])

    def ratio(self, patch: Patch, reference: Patch) -> float:
        """How much more light the first returns than the second, to .01 %: side by side in one frame, and swapped."""
        return self._ratio(patch.polarised, reference.polarised, _FLOOD_FRAMES, 0.0, _WHOLE_PX)

    def direct_share(self, patch: Patch) -> float:
        """What the surface mirrors, of all that comes back at normal incidence.

        The lens stands beside the emitter, so a patch leaning by an angle shows the facets that lean by it. Summed over
        all angles they are the whole surface: the integral of 4 q cos^2(t) / G is the mirrored share of the light, where
        q is the gain over the polarised image, as a reflectance, and G the microfacets' shadow.
        """
        reflectance = self.reflectance(patch)
        tilt = np.deg2rad(_MIRROR_TILTS_DEG)
        more = np.array([self._ratio(patch, patch.polarised, _FLOOD_FRAMES // 4, t, _ONE_ANGLE_PX) for t in tilt])
        gain = (more - 1) * reflectance * np.cos(tilt)
        shadow = np.minimum(1.0, 2 * np.cos(tilt) ** 2)
        facets = 4 * gain * np.cos(tilt) / shadow * np.cos(tilt) * 2 * np.sin(tilt)
        mirrored = float(np.trapezoid(facets, tilt))
        return mirrored / (mirrored + reflectance)

    def spread(self, patch: Patch, first_r90_mm: float = 3.0) -> DotSpread:
        """The profile of a dot, blur of lens and projector taken out.

        Args:
            first_r90_mm: with what the lens is chosen at first; it is changed until the spread fills it.
        """
        px_per_mm = _R90_PX / first_r90_mm
        for _ in range(_ZOOMS):
            profile = self._profile_px(patch.polarised, px_per_mm)
            r90_px = profile.radius_mm(0.9)
            if 0.8 < r90_px / _R90_PX < 1.25:
                break
            px_per_mm *= _R90_PX / max(r90_px, 1.0)
        r50, r90 = (profile.radius_mm(share) / px_per_mm for share in (0.5, 0.9))
        return DotSpread(r50, r90, float(profile.inside(0.5 * px_per_mm)))

    def _flood(self, patches: Sequence[Patch]) -> Floats:
        """Mean light per microsecond in the middle of the image of each patch."""
        found = []
        for patch in patches:
            scene = (_plane(patch, self._design.f_px, 0.0),)
            light, exposure_us = self._frames(self._design, scene, Illumination.FLOOD, _FLOOD_FRAMES)
            rows, columns = light.shape
            middle = light[rows // 2 - 40 : rows // 2 + 40, columns // 2 - 40 : columns // 2 + 40]
            found.append(float(np.median(middle)) / exposure_us)
        return np.array(found)

    def _ratio(self, one: Patch, other: Patch, frames: int, tilt_rad: float, reach_px: int) -> float:
        """Light of one over the other's, side by side in one frame (so no jitter counts), and swapped (nor any shading)."""
        forward = self._beside(one, other, frames, tilt_rad, reach_px)
        return float(np.sqrt(forward / self._beside(other, one, frames, tilt_rad, reach_px)))

    def _beside(self, left: Patch, right: Patch, frames: int, tilt_rad: float, reach_px: int) -> float:
        f_px = self._design.f_px
        halves = (_plane(left, f_px, tilt_rad, side=-1), _plane(right, f_px, tilt_rad, side=1))
        light, _ = self._frames(self._design, halves, Illumination.FLOOD, frames)
        row, column = (size // 2 for size in light.shape)
        seen = light[max(row - reach_px, 0) : row + reach_px]
        before = seen[:, max(column - reach_px, 0) : column - _BORDER_PX]
        return float(before.mean() / seen[:, column + _BORDER_PX : column + reach_px].mean())

    def _profile_px(self, patch: Patch, px_per_mm: float) -> Profile:
        design = self._close_up(px_per_mm)
        if px_per_mm not in self._references:
            self._references[px_per_mm] = self._rings(design, Patch(0.5, _SHARP))
        return _unblurred(self._rings(design, patch), self._references[px_per_mm])

    def _close_up(self, px_per_mm: float) -> StructuredLightDesign:
        f_px = px_per_mm * DISTANCE_MM
        design = self._design
        return replace(
            design,
            f_px=f_px,
            baseline_mm=1.0,
            dot_pitch_px=_PITCH_PX,
            dot_spot_mrad=0.5 * design.dot_spot_mrad * design.f_px / f_px,
            dots_left_px=-450.0 - f_px / DISTANCE_MM,
            dots_right_px=450.0,
            dots_top_px=-350.0,
            dots_bottom_px=350.0,
        )

    def _rings(self, design: StructuredLightDesign, patch: Patch) -> Floats:
        """Light of the mean dot in rings a quarter pixel wide, over several units."""
        total = np.zeros(int(4 * _WINDOW_PX))
        for unit in range(_UNITS):
            light, _ = self._frames(
                design, (_plane(patch, design.f_px, 0.0),), Illumination.DOTS, _DOTS_FRAMES, unit, _brightest
            )
            total += _mean_rings(light)
        return total / total.sum()

    def _frames(
        self,
        design: StructuredLightDesign,
        surfaces: tuple[Surface, ...],
        illumination: Illumination,
        count: int,
        unit: int = 0,
        level: Callable[[Floats], float] = np.median,
    ) -> tuple[Floats, int]:
        """Mean of frames less as many dark ones, in counts, at an exposure that fills half of the range."""
        imager = StructuredLightImager(design, _Still(SceneState(surfaces)), self._seed + unit)

        def take(slot: int, light: Illumination, exposure_us: int) -> Floats:
            exposure = Exposure(slot, slot * 33_333, light, exposure_us, 1.0, Prompt.NONE)
            return imager.expose(exposure).infrared.astype(np.float64)

        exposure_us = _FIRST_EXPOSURE_US
        for slot in range(3):
            got = level(take(slot, illumination, exposure_us) - imager.calibration.black_level_counts)
            exposure_us = max(round(exposure_us * min(_TARGET_COUNTS / max(got, 50.0), 16.0)), 1)
        total = np.zeros((design.height_px, design.width_px))
        for slot in range(3, 3 + count):
            total += take(2 * slot, illumination, exposure_us) - take(2 * slot + 1, Illumination.OFF, exposure_us)
        return total / count, exposure_us


def _brightest(light: Floats) -> float:
    return float(np.quantile(light, 0.99995))


def _plane(patch: Patch, f_px: float, tilt_rad: float, side: int = 0) -> Surface:
    """A plane that fills the image, or its left (-1) or right (+1) half, leaning about the vertical axis."""
    half = 1.5 * 400.0 * DISTANCE_MM / f_px
    left, right = (-half if side <= 0 else 0.0), (half if side >= 0 else 0.0)
    corners = np.array([(left, -half, 0), (right, -half, 0), (right, half, 0), (left, half, 0)])
    lean = np.array([np.cos(tilt_rad), 1.0, 0.0])
    vertices = corners * lean
    vertices[:, 2] = DISTANCE_MM + corners[:, 0] * np.sin(tilt_rad)
    return Surface(
        vertices.astype(np.float32),
        np.array([(0, 2, 1), (0, 3, 2)], np.int32),
        np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32),
        np.full((4, 4), patch.reflectance, np.float32),
        patch.material,
    )


def _mean_rings(light: Floats) -> Floats:
    """Light in rings of a quarter pixel about every dot that lies whole in the image, summed."""
    rows, columns = light.shape
    reach = int(_WINDOW_PX) + 2
    left = light.copy()
    brightest = _brightest(light)
    total, area = np.zeros(int(4 * _WINDOW_PX)), np.zeros(int(4 * _WINDOW_PX))
    while True:
        y, x = np.unravel_index(int(np.argmax(left)), left.shape)
        if left[y, x] < 0.25 * brightest:
            break
        left[max(y - reach, 0) : y + reach, max(x - reach, 0) : x + reach] = -np.inf
        if not (reach <= y < rows - reach and reach <= x < columns - reach):
            continue
        window = light[y - reach : y + reach + 1, x - reach : x + reach + 1]
        dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
        near = np.hypot(dx, dy) < 8
        for _ in range(4):  # the centroid of what lies near it
            cy, cx = (float((window * d)[near].sum() / window[near].sum()) for d in (dy, dx))
            near = np.hypot(dx - cx, dy - cy) < 8
        ring = (4 * np.hypot(dx - cx, dy - cy)).astype(np.int64)
        kept = ring < len(total)
        total += np.bincount(ring[kept], window[kept], len(total))
        area += np.bincount(ring[kept], minlength=len(total))
    # Mean light of each ring times its true area: pixels fall into thin rings unevenly.
    edges = np.arange(len(total) + 1) / 4
    outer = area[-12:] > 0
    floor = float(total[-12:][outer].sum() / area[-12:][outer].sum())
    return (total / np.maximum(area, 1) - floor) * np.pi * np.diff(edges**2)


def _unblurred(rings: Floats, reference: Floats) -> Profile:
    """The profile, in pixels, that gives these rings when it is blurred as the reference is.

    Gauss and Newton's fit of its radii in the Hankel domain, where blur is a factor: as the image weighs it, no frequency
    is divided by the little that the blur leaves.
    """
    blur = _waves(_MIDDLE_PX) @ reference
    wanted = _waves(_MIDDLE_PX) @ rings
    fine = np.linspace(0.0, _WINDOW_PX, 681)
    waves = _waves((fine[1:] + fine[:-1]) / 2)

    def blurred(log_radii: Floats) -> Floats:
        inside = Profile(_FITTED_SHARES, np.exp(np.maximum.accumulate(log_radii)).tolist()).inside(fine)
        return blur * (waves @ np.diff(inside)) / inside[-1]

    raw = np.cumsum(np.maximum(rings, 0.0))
    log_radii = np.log(np.maximum(np.interp(_FITTED_SHARES, raw / raw[-1], _MIDDLE_PX), 0.1))
    for _ in range(12):
        now = blurred(log_radii)
        slope = np.stack([(blurred(log_radii + 0.01 * side) - now) / 0.01 for side in np.eye(len(log_radii))], axis=1)
        left = np.append(wanted - now, -_SMOOTHING * (_BEND @ log_radii))
        step = np.linalg.lstsq(np.vstack([slope, _SMOOTHING * _BEND]), left, rcond=None)[0]
        log_radii = np.maximum.accumulate(log_radii + np.clip(step, -0.3, 0.3))
    return Profile(_FITTED_SHARES, np.exp(log_radii).tolist())


def _bend(shares: Sequence[float]) -> Floats:
    """What turns log radii into changes of their slope: 0 for one stretched exponential."""
    depth = np.log(-np.log1p(-np.asarray(shares)))
    slope = np.diff(np.eye(len(shares)), axis=0) / np.diff(depth)[:, None]
    return np.diff(slope, axis=0)


_FITTED_SHARES = (0.2, 0.35, 0.5, 0.7, 0.9, 0.96)
_BEND = _bend(_FITTED_SHARES)
_SMOOTHING = 0.003  # of the order of the noise in the transform
_MIDDLE_PX = (np.arange(int(4 * _WINDOW_PX)) + 0.5) / 4
_CYCLES_PER_PX = np.linspace(0.0, 0.6, 121)
_ANGLES = (np.arange(128) + 0.5) / 128 * np.pi


def _waves(radius_px: Floats) -> Floats:
    """J0(2 pi q r), (frequencies, radii): the Hankel transform of thin rings."""
    turns = 2 * np.pi * np.outer(_CYCLES_PER_PX, radius_px)
    return np.mean(np.cos(turns[..., None] * np.sin(_ANGLES)), axis=-1)
