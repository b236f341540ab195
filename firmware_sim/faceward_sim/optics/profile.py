"""How far from where it went in a dot's light comes out: the share inside every radius."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

SHARES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.97, 0.99)  # of a dot's light, whose radii light transport gives
_LEAST_RATIO = 1.02  # between neighbouring radii: a steeper profile is steeper than any pixel shows


class Profile:
    """The share of a dot's light inside a radius, from the radii that hold a few shares of it.

    Between two of them it is a stretched exponential, F(r) = 1 - exp(-(r / s)^k), so two radii are one such function
    and more follow any shape. Beyond the outermost the outermost goes on.

    Args:
        shares: rising, between 0 and 1, two or more.
        radii_mm: as many, positive, not falling.

    Raises:
        ValueError: the arguments are not so.
    """

    def __init__(self, shares: Sequence[float], radii_mm: Sequence[float]) -> None:
        share, radius = np.asarray(shares, np.float64), np.asarray(radii_mm, np.float64)
        rising = len(share) > 1 and bool((np.diff(share) > 0).all()) and share[0] > 0 and share[-1] < 1
        if not rising or len(share) != len(radius) or not (radius[0] > 0 and (np.diff(radius) >= 0).all()):
            raise ValueError(f"a profile needs two or more rising shares and their radii, not {shares} at {radii_mm}")
        self._depth = np.log(-np.log1p(-share))
        self._log_radius = np.log(radius)
        least = self._log_radius[0] + math.log(_LEAST_RATIO) * np.arange(len(radius))
        self._log_radius = np.maximum.accumulate(np.maximum(self._log_radius, least))
        step = np.maximum(np.diff(self._log_radius), math.log(_LEAST_RATIO))
        self._log_radius[1:] = self._log_radius[0] + np.cumsum(step)

    def inside(self, radius_mm: ArrayLike) -> Floats:
        """The share inside each radius."""
        radius = np.asarray(radius_mm, np.float64)
        depth = _line(np.log(np.maximum(radius, 1e-30)), self._log_radius, self._depth)
        return np.where(radius > 0, -np.expm1(-np.exp(np.minimum(depth, 50.0))), 0.0)

    def radius_mm(self, share: float) -> float:
        """The radius that holds a share of the light.

        :raises ValueError: the share is not between 0 and 1.
        """
        if not 0 < share < 1:
            raise ValueError(f"a share lies between 0 and 1, not at {share}")
        depth = np.float64(math.log(-math.log1p(-share)))
        return float(np.exp(_line(depth, self._depth, self._log_radius)))


def _line(at: ArrayLike, x: Floats, y: Floats) -> Floats:
    """y at these places on the broken line through x and y, whose ends go on."""
    place = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    return y[place] + (at - x[place]) * (y[place + 1] - y[place]) / (x[place + 1] - x[place])
