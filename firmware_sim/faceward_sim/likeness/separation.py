"""How far apart genuine and impostor comparisons lie: mean cosines, d', and the equal error rate with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 400
_LEVELS = 4001  # cosines are counted in steps of .0005

Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Separation:
    """Comparisons of every portrait with every other. `eer_low` and `eer_high` bound 95 % by resampling people."""

    people: int
    portraits: int
    genuine_mean: float
    genuine_sigma: float
    impostor_mean: float
    impostor_sigma: float
    impostor_highest: float
    d_prime: float
    eer: float
    eer_low: float
    eer_high: float
    threshold: float  # cosine at which both errors are alike


def separate(embeddings: NDArray[np.float32], person: NDArray[np.int64], *, seed: int = 0) -> Separation:
    """Compare every row with every other.

    Args:
        embeddings: (N, D), rows of unit length.
        person: (N,) whose portrait each row is.
        seed: of the resampling.

    :raises ValueError: fewer than two people, or nobody with two portraits.
    """
    names, whose = np.unique(person, return_inverse=True)
    if len(names) < 2:
        raise ValueError("a comparison takes two people at least")
    cosine = embeddings @ embeddings.T
    above = np.triu_indices(len(embeddings), 1)
    scores, a, b = cosine[above], whose[above[0]], whose[above[1]]
    same = a == b
    genuine, impostor = scores[same].astype(np.float64), scores[~same].astype(np.float64)
    if not len(genuine):
        raise ValueError("a genuine comparison takes somebody with two portraits")
    level = np.clip(np.rint((scores + 1) * (_LEVELS - 1) / 2), 0, _LEVELS - 1).astype(np.int64)
    rate, at = _equal_error(
        np.bincount(level[same], minlength=_LEVELS).astype(float),
        np.bincount(level[~same], minlength=_LEVELS).astype(float),
    )
    rng = np.random.default_rng(seed)
    rates = []
    while len(rates) < RESAMPLES:
        times = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        # A person drawn twice brings their genuine comparisons twice; two copies of one person are no impostors.
        genuine_counts = np.bincount(level[same], weights=times[a[same]], minlength=_LEVELS)
        weights = (times[a[~same]] * times[b[~same]]).astype(float)
        impostor_counts = np.bincount(level[~same], weights=weights, minlength=_LEVELS)
        if not (genuine_counts.any() and impostor_counts.any()):
            continue  # one person over and over compares with nobody
        rates.append(_equal_error(genuine_counts, impostor_counts)[0])
    low, high = np.percentile(rates, [2.5, 97.5])
    spread = np.sqrt((genuine.var() + impostor.var()) / 2)
    return Separation(
        people=len(names),
        portraits=len(embeddings),
        genuine_mean=float(genuine.mean()),
        genuine_sigma=float(genuine.std()),
        impostor_mean=float(impostor.mean()),
        impostor_sigma=float(impostor.std()),
        impostor_highest=float(impostor.max()),
        d_prime=float((genuine.mean() - impostor.mean()) / spread) if spread > 0 else float("inf"),
        eer=rate,
        eer_low=float(low),
        eer_high=float(high),
        threshold=at,
    )


def _equal_error(genuine: Counts, impostor: Counts) -> tuple[float, float]:
    """Where the share of genuine comparisons below a level meets that of impostors at or above it."""
    missed = np.concatenate([[0.0], np.cumsum(genuine)]) / max(genuine.sum(), 1e-12)
    passed = 1 - np.concatenate([[0.0], np.cumsum(impostor)]) / max(impostor.sum(), 1e-12)
    k = int(np.argmax(missed >= passed))
    return float((missed[k] + passed[k]) / 2), float(2 * k / (_LEVELS - 1) - 1)
