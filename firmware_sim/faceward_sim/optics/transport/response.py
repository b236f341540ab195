"""What a stack of layers does with light that comes down on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from faceward_sim.optics.profile import SHARES, Profile
from faceward_sim.optics.transport.photons import Flight, radians_per_mm

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

    def with_blood(self, added_blood: float, blood_mu_a: float) -> Response:
        """The same when a pulse adds blood of this absorption to the dermis (share of its volume).

        Light that saw the dermis fades by the length that it went there; the little that this does to the profile and
        to over-range is left out.
        """
        faded = float(np.exp(-added_blood * blood_mu_a * self.dermis_path_mm))
        return replace(self, reflectance=self.reflectance * faded)


class Tally:
    """Sums one flight up, as often as asked and at any absorption.

    Args:
        dermis: the number of that layer; None where there is none.
        drop_mhz: where the fall of over-range is taken, to be told for 300 MHz.
    """

    def __init__(self, flight: Flight, dermis: int | None = None, drop_mhz: float = DROP_MHZ) -> None:
        self._flight = flight
        self._dermis = -1 if dermis is None else dermis
        self._factor = (DROP_MHZ / drop_mhz) ** 2
        self._per_mm = radians_per_mm(drop_mhz)
        self._optical_mm = flight.paths_mm @ flight.indices
        self._sine, self._cosine = np.sin(self._per_mm * self._optical_mm), np.cos(self._per_mm * self._optical_mm)
        self._weight = np.zeros(len(self._optical_mm))
        self._radii_mm = np.zeros(len(SHARES))

    def at(self, mu_a: Sequence[float]) -> Response:
        """What the stack does with light when its layers absorb so much, per mm."""
        flight = self._flight
        total, mean, phase, path = _sum_up(
            flight.paths_mm, np.asarray(mu_a, np.float64), self._optical_mm, self._sine, self._cosine, self._dermis,
            flight.radius_mm, np.asarray(SHARES), self._weight, self._radii_mm,
        )  # fmt: skip
        return Response(
            (1 - flight.specular) * total / flight.launched,
            tuple(self._radii_mm.tolist()),
            mean / 2,
            (mean - phase / self._per_mm) / 2 * self._factor,
            path,
        )


@njit(cache=True, nogil=True, fastmath=True)
def _sum_up(paths, mu_a, optical, sine, cosine, dermis, radius, shares, weight, radii):
    """(sum of weights, mean optical path, phase, mean path in the dermis); fills `radii`."""
    total = mean = across = along = path = 0.0
    for n in range(paths.shape[0]):
        depth = 0.0
        for layer in range(paths.shape[1]):
            depth += mu_a[layer] * paths[n, layer]
        w = np.exp(-depth)
        weight[n] = w
        total += w
        mean += w * optical[n]
        across += w * sine[n]
        along += w * cosine[n]
        if dermis >= 0:
            path += w * paths[n, dermis]
    inside, n = 0.0, 0
    for k in range(len(shares)):
        wanted = shares[k] * total
        while n < len(weight) - 1 and inside + weight[n] < wanted:
            inside += weight[n]
            n += 1
        radii[k] = radius[n]
    return total, mean / total, np.arctan2(across, along), path / total
