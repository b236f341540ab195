"""Shares with what is known of them: exact intervals over presentations, a bootstrap over people or instruments beside."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from statsmodels.stats.proportion import proportion_confint

CONFIDENCE: Final = 0.95
RESAMPLES: Final = 2000
# Any fixed number will do; it stands in the report, so that its intervals can be drawn again.
BOOTSTRAP_SEED: Final = 30107


@dataclass(frozen=True, slots=True)
class Rate:
    """So many errors in so many trials. Without trials there is no share, and every share is possible."""

    errors: int
    trials: int

    @property
    def share(self) -> float | None:
        return self.errors / self.trials if self.trials else None

    @property
    def low(self) -> float:
        """Lower end of the two-sided 95 % interval."""
        return clopper_pearson(self.errors, self.trials)[0]

    @property
    def high(self) -> float:
        """Upper end of the two-sided 95 % interval."""
        return clopper_pearson(self.errors, self.trials)[1]

    @property
    def upper(self) -> float:
        """The one-sided 95 % bound: with a larger share, so few errors would happen in fewer than 5 % of such tests."""
        return upper_bound(self.errors, self.trials)


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """The 95 % percentile interval of a share over tests redrawn from these clusters (people, instruments).

    Without a single error every redrawn test has none, so [0, 0] says nothing: the exact bound does.
    """

    clusters: int
    low: float
    high: float
    upper: float  # one-sided


def clopper_pearson(errors: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact two-sided interval (Clopper and Pearson 1934; ISO/IEC 19795-1 annex on intervals)."""
    if not trials:
        return 0.0, 1.0
    low, high = proportion_confint(errors, trials, alpha=1.0 - confidence, method="beta")
    return float(low), float(high)


def upper_bound(errors: int, trials: int, confidence: float = CONFIDENCE) -> float:
    """The exact one-sided upper bound."""
    return clopper_pearson(errors, trials, 1.0 - 2.0 * (1.0 - confidence))[1]


def joint_upper_bound(rates: Sequence[Rate], confidence: float = CONFIDENCE) -> float:
    """What all these shares are below at once (Bonferroni: each is bounded with its part of what may go wrong).

    86 presentations without error of each of 25 species bound all of them by 7 %; 42 of each do so one by one only.
    """
    if not rates:
        return 1.0
    each = 1.0 - (1.0 - confidence) / len(rates)
    return max(upper_bound(rate.errors, rate.trials, each) for rate in rates)


def trials_without_error(share: float, confidence: float = CONFIDENCE) -> int:
    """How many presentations without any error it takes to bound a share one-sidedly: 42 for 7 %, 299 for 1 %.

    The bound after n of them is 1 - (1 - confidence)^(1/n), so n = log(1 - confidence) / log(1 - share), rounded up.
    """
    return math.ceil(math.log(1.0 - confidence) / math.log1p(-share))


def bootstrap(clusters: Mapping[str, Rate], label: str, seed: int = BOOTSTRAP_SEED) -> Bootstrap | None:
    """Redraw whole clusters, so that repeats of one person or instrument are not taken for independent.

    The draw depends on `seed`, on `label` and on the clusters, not on their order. None for fewer than two clusters.
    """
    if len(clusters) < 2:
        return None
    ordered = [clusters[name] for name in sorted(clusters)]
    errors = np.array([rate.errors for rate in ordered])
    trials = np.array([rate.trials for rate in ordered])
    rng = np.random.default_rng([seed, zlib.crc32(label.encode())])
    drawn = rng.integers(0, len(ordered), (RESAMPLES, len(ordered)))
    shares = errors[drawn].sum(axis=1) / trials[drawn].sum(axis=1)
    low, high, upper = np.quantile(shares, [0.025, 0.975, 0.95])
    return Bootstrap(len(ordered), float(low), float(high), float(upper))
