"""The pixels: light into counts, with the noise of electrons, of reading and of the chip."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from faceward_sim.optics.kernel import kernel


@dataclass(frozen=True, slots=True)
class PixelArray:
    """One chip. Maps are (rows, columns) float32."""

    response: NDArray[np.float32]  # relative to the nominal pixel; 0 is dead
    offset_counts: NDArray[np.float32]  # fixed pattern over black, hot pixels included
    black_level_counts: float
    read_noise_counts: float  # at gain 1, referred to the input
    counts_per_electron: float
    saturation_counts: float
    step_counts: int  # the converter's step in 16-bit counts


@cache
def quantiles() -> NDArray[np.float32]:
    """65,536 values of the standard normal at evenly spaced probabilities: a uniform 16-bit number picks one.

    One table for all of a process, and nobody's to change.
    """
    normal = NormalDist()
    coarse = np.array([normal.inv_cdf((i + 0.5) / 65536) for i in range(32768)], np.float64)
    table = np.concatenate([coarse, -coarse[::-1]])
    return (table / np.sqrt(np.mean(table**2))).astype(np.float32)


def develop(
    pixels: PixelArray,
    table: NDArray[np.float32],
    signal: NDArray[np.float32],
    gain: float,
    seed: int,
    out: NDArray[np.uint16],
    drift_counts: float = 0.0,
) -> None:
    """Turn counts over black at gain 1 (rows, columns) into what the converter gives.

    Args:
        table: `quantiles()`.
        seed: of this frame alone; the same seed gives the same noise.
        drift_counts: by how much the black level has moved.
    """
    _develop(
        signal,
        pixels.response,
        pixels.offset_counts,
        table,
        np.float32(gain),
        np.float32(pixels.black_level_counts + drift_counts),
        np.float32(pixels.read_noise_counts**2),
        np.float32(pixels.counts_per_electron),
        np.float32(pixels.saturation_counts),
        np.float32(pixels.step_counts),
        np.uint64(seed),
        out,
    )


@kernel
def _develop(signal, response, offset, table, gain, black, read2, per_electron, saturation, step, seed, out):
    rows, columns = out.shape
    full = saturation - black
    half = np.float32(0.5)
    per_step = np.float32(1.0) / step
    for y in range(rows):
        # SplitMix64 (Steele, Lea, Flood 2014), one stream a row: four 16-bit draws a step.
        state = seed + np.uint64(y + 1) * np.uint64(0xD1342543DE82EF95)
        bits = np.uint64(0)
        for x in range(columns):
            if x & 3 == 0:
                state += np.uint64(0x9E3779B97F4A7C15)
                bits = state
                bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
                bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
                bits = bits ^ (bits >> np.uint64(31))
            normal = table[int(bits & np.uint64(0xFFFF))]
            bits >>= np.uint64(16)
            light = signal[y, x] * response[y, x]
            light += normal * np.sqrt(light * per_electron + read2)
            light = min(light, full)  # the well is full before gain
            value = (black + gain * (light + offset[y, x])) * per_step
            value = np.floor(value + half) * step
            out[y, x] = np.uint16(min(max(value, np.float32(0.0)), saturation))
