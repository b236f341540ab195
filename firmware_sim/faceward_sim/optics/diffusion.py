"""How a dot's light spreads inside a material, and what the lens makes of it."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from faceward_sim.optics.profile import Profile
from faceward_sim.world.surface import Material

ENTRIES = 2048
_KEPT = 0.985  # of a dot's light lies inside its patch; the rest is folded back in
_LARGEST_PX = 28.0
_SCALE_STEP = math.log(1.04)


class SpreadTables:
    """Blurred radial profiles by material and scale, made when first needed.

    `tables` is (n, ENTRIES + 1) float32: light per pixel area at ENTRIES steps of r squared from 0 to `reach_px`[n]
    squared, 1 in sum over the plane; the last one is 0.
    """

    def __init__(self, blur_sigma_px: float) -> None:
        self._blur = blur_sigma_px
        self._index: dict[tuple[Material, int], int] = {}
        self.tables = np.zeros((0, ENTRIES + 1), np.float32)
        self.reach_px = np.zeros(0, np.float32)
        self.half_px = np.zeros(0, np.float32)  # r50 without the blur
        self.mirror = self._add(None, 0.0)

    @staticmethod
    def steps(px_per_mm: NDArray[np.float32]) -> NDArray[np.int64]:
        """The step of the scale that serves best (to 2 %)."""
        return np.rint(np.log(px_per_mm) / _SCALE_STEP).astype(np.int64)

    def row(self, material: Material, step: int) -> int:
        """Which row of `tables` serves this material at this step of the scale."""
        key = (material, step)
        if key not in self._index:
            self._index[key] = self._add(material.profile, math.exp(step * _SCALE_STEP))
        return self._index[key]

    def _add(self, profile: Profile | None, px_per_mm: float) -> int:
        """A row for a profile at a scale; None is light that leaves where it came in."""
        tail = profile.radius_mm(_KEPT) * px_per_mm if profile else 0.0
        reach = min(tail + 3.5 * self._blur, _LARGEST_PX)
        radius = np.arange(0, reach + 0.1, 0.1)
        rings = np.arange(0, max(reach, 0.2), 0.1)
        share = np.diff(profile.inside(rings / px_per_mm)) if profile else np.eye(1, len(rings) - 1).ravel()
        middle = rings[:-1] + 0.05 if profile else np.zeros(len(rings) - 1)
        blurred = np.zeros(len(radius))
        _blur_rings(middle, share, self._blur, radius, blurred)
        squared = np.linspace(0, reach**2, ENTRIES)
        table = np.interp(np.sqrt(squared), radius, blurred)
        table[-1] = 0
        table /= np.pi * np.trapezoid(table, squared)
        self.tables = np.ascontiguousarray(np.vstack([self.tables, np.append(table, 0).astype(np.float32)]))
        self.reach_px = np.append(self.reach_px, np.float32(reach))
        self.half_px = np.append(self.half_px, np.float32(profile.radius_mm(0.5) * px_per_mm if profile else 0.0))
        return len(self.tables) - 1


@njit(cache=True, nogil=True)
def _blur_rings(rings: NDArray[np.float64], share: NDArray[np.float64], sigma, radius, out) -> None:
    """Thin rings through a Gaussian blur: share * exp(-(r - rho)^2 / 2 s^2) * I0e(r rho / s^2) / (2 pi s^2)."""
    inverse = 1.0 / (sigma * sigma)
    for i in range(len(radius)):
        total = 0.0
        for j in range(len(rings)):
            apart = radius[i] - rings[j]
            exponent = 0.5 * apart * apart * inverse
            if exponent > 18.0:
                continue
            x = radius[i] * rings[j] * inverse
            # Abramowitz and Stegun 9.8.1 and 9.8.2.
            if x < 3.75:
                t = (x / 3.75) ** 2
                series = 0.2659732 + t * (0.0360768 + t * 0.0045813)
                bessel = 1 + t * (3.5156229 + t * (3.0899424 + t * (1.2067492 + t * series)))
                bessel *= np.exp(-x)
            else:
                t = 3.75 / x
                series = -0.02057706 + t * (0.02635537 + t * (-0.01647633 + t * 0.00392377))
                bessel = 0.39894228 + t * (
                    0.01328592 + t * (0.00225319 + t * (-0.00157565 + t * (0.00916281 + t * series)))
                )
                bessel /= np.sqrt(x)
            total += share[j] * np.exp(-exponent) * bessel
        out[i] = total * inverse / (2 * np.pi)
