"""Random numbers by purpose, so that one more draw for hair never changes how somebody blinks."""

from __future__ import annotations

import zlib

import numpy as np


def stream(seed: int, purpose: str) -> np.random.Generator:
    """The generator of one seed and one purpose; the same pair always starts alike.

    :raises ValueError: the seed is negative.
    """
    if seed < 0:
        raise ValueError(f"a seed is at least 0, not {seed}")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(purpose.encode())])))
