"""Numbers known at the nodes of a grid, and between them by straight lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVELS = 4095  # 12 bits: steps of a thousandth or two, far below the photons' own noise


@dataclass(frozen=True, slots=True)
class Axis:
    """One quantity's nodes, rising. Between nodes it runs by its logarithm ("log"), root ("root") or itself ("line")."""

    name: str
    scale: str
    nodes: Floats

    def __post_init__(self) -> None:
        if self.scale not in _SCALES:
            raise ValueError(f"axis {self.name}: no scale {self.scale!r}")
        if len(self.nodes) < 2 or not (np.diff(self.nodes) > 0).all():
            raise ValueError(f"axis {self.name}: two or more rising nodes, not {self.nodes}")

    def place(self, value: float) -> tuple[int, float]:
        """The node below and the share of the way to the next.

        :raises ValueError: the value lies outside the nodes.
        """
        low, high = float(self.nodes[0]), float(self.nodes[-1])
        if not low * (1 - 1e-9) <= value <= high * (1 + 1e-9):
            raise ValueError(f"{self.name} is {value:g}; the table reaches from {low:g} to {high:g}")
        scaled = _SCALES[self.scale](self.nodes)
        at = float(np.clip(_SCALES[self.scale](value), scaled[0], scaled[-1]))
        below = min(int(np.searchsorted(scaled, at, side="right")) - 1, len(scaled) - 2)
        return below, float((at - scaled[below]) / (scaled[below + 1] - scaled[below]))


_SCALES = {"log": np.log, "root": np.sqrt, "line": lambda x: x * 1.0}


@dataclass(frozen=True, slots=True)
class Grid:
    """Positive quantities over axes.

    `levels` is (nodes of each axis..., quantities) uint16: each quantity's logarithm from `low` to `high` in LEVELS steps.
    """

    axes: tuple[Axis, ...]
    levels: NDArray[np.uint16]
    low: Floats
    high: Floats

    @classmethod
    def of(cls, axes: Sequence[Axis], values: Floats, least: float = 1e-6) -> Grid:
        """A grid of these values; what is below `least` becomes `least`.

        :raises ValueError: the values' shape is not that of the axes, or a value is not finite.
        """
        shape = tuple(len(axis.nodes) for axis in axes)
        if values.shape[:-1] != shape or not np.isfinite(values).all():
            raise ValueError(f"values of shape {values.shape} for axes of {shape}, all finite")
        logs = np.log(np.maximum(values, least))
        low, high = logs.reshape(-1, logs.shape[-1]).min(0), logs.reshape(-1, logs.shape[-1]).max(0)
        step = np.maximum(high - low, 1e-12) / LEVELS
        return cls(tuple(axes), np.rint((logs - low) / step).astype(np.uint16), low, high)

    def at(self, *point: float) -> Floats:
        """The quantities at a point.

        :raises ValueError: a coordinate outside its axis, or not one for each axis.
        """
        if len(point) != len(self.axes):
            raise ValueError(f"{len(point)} coordinates for {len(self.axes)} axes")
        places = [axis.place(value) for axis, value in zip(self.axes, point, strict=True)]
        total = np.zeros(self.levels.shape[-1])
        for corner in product((0, 1), repeat=len(places)):
            weight = 1.0
            for side, (_, share) in zip(corner, places, strict=True):
                weight *= share if side else 1.0 - share
            if weight:
                index = tuple(below + side for side, (below, _) in zip(corner, places, strict=True))
                total += weight * self.levels[index]
        return np.exp(self.low + total * np.maximum(self.high - self.low, 1e-12) / LEVELS)

    def arrays(self, name: str) -> dict[str, NDArray[np.generic]]:
        """What `read` needs, by keys that begin with the name."""
        found: dict[str, NDArray[np.generic]] = {
            f"{name}.levels": self.levels,
            f"{name}.low": self.low,
            f"{name}.high": self.high,
            f"{name}.axes": np.array([f"{axis.name} {axis.scale}" for axis in self.axes]),
        }
        return found | {f"{name}.axis{k}": axis.nodes for k, axis in enumerate(self.axes)}

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[np.generic]], name: str) -> Grid:
        """The grid that `arrays` wrote.

        :raises KeyError: it is not there.
        """
        axes = []
        for k, written in enumerate(arrays[f"{name}.axes"]):
            title, _, scale = str(written).rpartition(" ")
            axes.append(Axis(title, scale, np.asarray(arrays[f"{name}.axis{k}"], np.float64)))
        levels = np.asarray(arrays[f"{name}.levels"], np.uint16)
        return cls(tuple(axes), levels, np.asarray(arrays[f"{name}.low"]), np.asarray(arrays[f"{name}.high"]))
