"""One gate's scores by themselves: what its threshold trades, and how its scores and measures are spread.

Gates are never weighed together, so there is one curve a gate and none for the verdict. A gate may decide by more than its
score; these curves show what the score alone separates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from faceward.pad.intervals import Rate

WORST: Final = "worst species"
LIMITS: Final = (0.10, 0.05, 0.01)
_MOST_POINTS = 100
_BINS = 30


@dataclass(frozen=True, slots=True)
class Point:
    """At and above `threshold` a score passes."""

    threshold: float
    apcer: float
    bpcer: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A DET curve of one species, or of whichever is worst at each threshold; thresholds rise."""

    species: str
    attacks: int
    living: int
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """BPCER where no species' APCER is above a limit.

    `chosen_on` names the split that the threshold comes from; `resolved` says whether each species that is reported has
    enough scores there for a share as small as the limit to be one error or more. Else the limit asks for no error at all,
    and for nothing of a species that is not there.
    """

    limit: float
    threshold: float | None
    chosen_on: str
    resolved: bool
    species: str  # the worst at this threshold, on the split that is reported
    apcer: Rate
    bpcer: Rate


def curves(attacks: Mapping[str, Sequence[float]], living: Sequence[float]) -> tuple[Curve, ...]:
    """The worst species at each threshold first, then each species. Empty where there are no scores on either side."""
    scored = {name: np.sort(np.asarray(scores, float)) for name, scores in sorted(attacks.items()) if len(scores)}
    alive = np.sort(np.asarray(living, float))
    if not scored or not len(alive):
        return ()
    shares = {}
    grid = np.unique(np.concatenate([*scored.values(), alive]))
    for name, scores in scored.items():
        shares[name] = _passing(scores, grid)
    worst = np.max(np.stack(list(shares.values())), axis=0)
    refused = np.append(np.searchsorted(alive, grid, side="left"), len(alive)) / len(alive)
    found = [_curve(WORST, sum(map(len, scored.values())), len(alive), grid, worst, refused)]
    found += [_curve(name, len(scored[name]), len(alive), grid, shares[name], refused) for name in shares]
    return tuple(found)


def _passing(ordered: NDArray[np.float64], thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of scores at or above each threshold, and above all of them at the end."""
    at_or_above = len(ordered) - np.searchsorted(ordered, thresholds, side="left")
    return np.append(at_or_above, 0) / len(ordered)


def _curve(
    name: str,
    attacks: int,
    living: int,
    grid: NDArray[np.float64],
    apcer: NDArray[np.float64],
    bpcer: NDArray[np.float64],
) -> Curve:
    thresholds = np.append(grid, math.nextafter(float(grid[-1]), math.inf))
    keep = np.arange(len(thresholds))
    # A threshold that changes neither share is no point of its own.
    changes = np.append(True, (np.diff(apcer) != 0) | (np.diff(bpcer) != 0))
    keep = keep[changes]
    if len(keep) > _MOST_POINTS:
        keep = keep[np.unique(np.linspace(0, len(keep) - 1, _MOST_POINTS).round().astype(int))]
    points = tuple(Point(float(thresholds[i]), float(apcer[i]), float(bpcer[i])) for i in keep)
    return Curve(name, attacks, living, points)


def threshold_for(attacks: Mapping[str, Sequence[float]], limit: float) -> tuple[float | None, bool]:
    """The lowest threshold at which no species' APCER is above the limit, and whether the limit is resolved.

    None for a threshold when everything may pass.
    """
    thresholds, resolved = [-math.inf], True
    for scores in attacks.values():
        if not len(scores):
            continue
        ordered = sorted(scores, reverse=True)
        # A share of exactly the limit keeps it; the products of decimal limits are not exact.
        allowed = math.floor(limit * len(ordered) + 1e-9)
        resolved = resolved and allowed >= 1
        if allowed < len(ordered):
            thresholds.append(math.nextafter(ordered[allowed], math.inf))
    highest = max(thresholds)
    return (None if highest == -math.inf else highest), resolved


def operating_points(
    attacks: Mapping[str, Sequence[float]],
    living: Sequence[float],
    *,
    split: str,
    chosen_on: tuple[str, Mapping[str, Sequence[float]]] | None = None,
) -> tuple[OperatingPoint, ...]:
    """BPCER at APCER 10, 5 and 1 %. The threshold is chosen on the split that `chosen_on` names with its attack scores.

    Without it, the threshold is read off the reported split itself, which flatters: the point says so.
    """
    scored = {name: scores for name, scores in sorted(attacks.items()) if len(scores)}
    if not scored or not len(living):
        return ()
    name, chooser = chosen_on if chosen_on is not None and any(map(len, chosen_on[1].values())) else (split, scored)
    found = []
    for limit in LIMITS:
        threshold, resolved = threshold_for(chooser, limit)
        # A species that the threshold never met may be above the limit.
        resolved = resolved and all(len(chooser.get(each, ())) for each in scored)
        cut = -math.inf if threshold is None else threshold
        rates = {each: Rate(sum(score >= cut for score in scores), len(scores)) for each, scores in scored.items()}
        worst = max(rates, key=lambda each: (rates[each].share, each))
        refused = Rate(sum(score < cut for score in living), len(living))
        found.append(OperatingPoint(limit, threshold, name, resolved, worst, rates[worst], refused))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Histogram:
    """How one number of one gate is spread, by species. `edges` are one more than each row of counts has.

    What lies outside the edges is counted in the outermost bins. `limits` are those that captures were held against.
    """

    gate: str
    quantity: str  # "score", or a measure's name
    unit: str
    sense: str
    limits: tuple[float, ...]
    edges: tuple[float, ...]
    rows: tuple[HistogramRow, ...]


@dataclass(frozen=True, slots=True)
class HistogramRow:
    """One species' counts."""

    species: str
    attack: bool
    counts: tuple[int, ...]


def histogram(
    gate: str,
    quantity: str,
    values: Mapping[tuple[bool, str], Sequence[float]],
    *,
    unit: str = "",
    sense: str = "",
    limits: Sequence[float] = (),
) -> Histogram | None:
    """The numbers by (attack, species), the living first; None where there are none.

    Edges lie between the 1st and 99th percentile of all numbers, so that a stray one does not press the rest together.
    """
    every = np.concatenate([np.asarray(each, float) for each in values.values()]) if values else np.empty(0)
    if not len(every):
        return None
    low, high = (float(edge) for edge in np.quantile(every, [0.01, 0.99]))
    for limit in limits:
        low, high = min(low, limit), max(high, limit)
    if not high > low:
        span = max(abs(low), 1.0) * 1e-3
        low, high = low - span, high + span
    edges = np.linspace(low, high, _BINS + 1)
    rows = []
    for (attack, species), numbers in sorted(values.items()):
        counts, _ = np.histogram(np.clip(numbers, low, high), edges)
        rows.append(HistogramRow(species, attack, tuple(int(count) for count in counts)))
    return Histogram(gate, quantity, unit, sense, tuple(sorted(set(limits))), tuple(map(float, edges)), tuple(rows))
