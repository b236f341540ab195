"""What a stack of layers does with light that comes down on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceward_sim.optics.profile import SHARES, Profile
from faceward_sim.optics.transport.photons import Flight

DROP_MHZ = 300.0  # where the fall of over-range with frequency is kept
QUANTITIES = 1 + len(SHARES) + 3


@dataclass(frozen=True, slots=True)
class Response:
    """Diffuse reflectance, the profile of a dot, over-range, and what light saw of the dermis in the stack."""

    reflectance: float
    radii_mm: tuple[float, ...]  # that hold SHARES of the returning light
    mean_over_range_mm: float
    over_range_drop_mm: float  # from 0 to 300 MHz
    dermis_path_mm: float  # mean length in the dermis, minus d ln R / d mu_a; 0 without one

    @classmethod
    def of(cls, flight: Flight, mu_a: Sequence[float], dermis: int | None, drop_mhz: float = DROP_MHZ) -> Response:
        """Sum a flight up at these absorptions.

        `dermis` is the number of that layer; the fall of over-range is taken at `drop_mhz` and told for 300 MHz.
        """
        weights = flight.weights(mu_a)
        mean = flight.over_range_mm(weights)
        return cls(
            flight.reflectance(weights),
            tuple(float(radius) for radius in flight.radii_mm(weights, SHARES)),
            mean,
            (mean - flight.over_range_mm(weights, drop_mhz)) * (DROP_MHZ / drop_mhz) ** 2,
            0.0 if dermis is None else float(flight.mean_paths_mm(weights)[dermis]),
        )

    @classmethod
    def from_values(cls, values: NDArray[np.float64]) -> Response:
        """The inverse of `values`."""
        r, radii, mean, drop, path = values[0], values[1:-3], values[-3], values[-2], values[-1]
        # Each radius was interpolated by itself; in order they stay in order.
        ordered = np.maximum.accumulate(radii)
        return cls(float(r), tuple(float(x) for x in ordered), float(mean), float(drop), float(path))

    def values(self) -> NDArray[np.float64]:
        """(QUANTITIES,) in the order of the fields."""
        rest = (self.mean_over_range_mm, self.over_range_drop_mm, self.dermis_path_mm)
        return np.array([self.reflectance, *self.radii_mm, *rest])

    @property
    def profile(self) -> Profile:
        """The share of a dot's light inside a radius."""
        return Profile(SHARES, self.radii_mm)

    @property
    def r50_mm(self) -> float:
        return self.radii_mm[SHARES.index(0.5)]

    @property
    def r90_mm(self) -> float:
        return self.radii_mm[SHARES.index(0.9)]

    def over_range_mm(self, frequency_mhz: float = 0.0) -> float:
        """What a time-of-flight sensor at this modulation frequency measures too far.

        It falls with the square of the frequency (the third cumulant of the path), which holds to .1 mm up to 300 MHz.
        """
        return self.mean_over_range_mm - self.over_range_drop_mm * (frequency_mhz / DROP_MHZ) ** 2

    def pulse(self, added_blood: float, blood_mu_a: float) -> float:
        """Relative change of reflectance when blood of this absorption is added to the dermis (share of its volume)."""
        return float(np.expm1(-added_blood * blood_mu_a * self.dermis_path_mm))
