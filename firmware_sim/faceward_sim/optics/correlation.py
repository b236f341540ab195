"""What a time-of-flight pixel correlates, and how its processor makes depth and amplitude of that.

A scene's light at a pixel is a phasor for each modulation frequency: its length is the light that keeps the modulation,
its angle the way there and back. Phasors add, so light from two distances in one pixel, in the lens's blur or astray in
the lens gives a distance between them, or none of them: flying pixels and multipath need no term of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceward_sim.optics.kernel import kernel

LIGHT_MM_PER_S = 2.99792458e11
# Four samples a quarter turn apart: the phasor's halves are differences of two of them (Lange 2000).
_WRAPS = 5  # how many turns of the higher frequency are tried


def radians_per_mm(frequency_mhz: float) -> float:
    """Phase for each millimetre of distance, there and back."""
    return 4 * np.pi * frequency_mhz * 1e6 / LIGHT_MM_PER_S


@dataclass(frozen=True, slots=True)
class Ranging:
    """What the processor knows: two frequencies, their contrasts, the factory's camera and emitter, and its limits."""

    per_mm: tuple[float, float]
    contrast: tuple[float, float]
    f_px: float
    cx_px: float
    cy_px: float
    emitter_x_mm: float
    emitter_y_mm: float
    least_electrons: float
    depth_min_mm: float
    depth_max_mm: float
    units_per_mm: float


@dataclass(frozen=True, slots=True)
class RangeError:
    """What the factory's compensation leaves in one unit.

    `walk_mm` comes with every halving of the amplitude below `walk_electrons`; `cyclic_mm` swings four times a turn of
    the higher frequency; `fixed_mm` is (rows, columns).
    """

    offset_mm: float
    walk_mm: float
    walk_electrons: float
    cyclic_mm: float
    cyclic_rad: float
    fixed_mm: NDArray[np.float32]


@kernel
def add_phasors(
    light, inverse_depth, triangle, surface, over_mm, f_px, cx_px, cy_px, emitter_x, emitter_y, per_mm, turn, out
):
    """Add the phasors of `light` (rows, columns) from an emitter to `out` (rows, columns, 4: re, im of each frequency).

    `over_mm` is (surfaces, 2): how much longer light stays in each surface, by frequency; `per_mm` and `turn` are (2,).
    """
    rows, columns = light.shape
    one, half = np.float32(1), np.float32(0.5)
    scale = one / f_px
    for y in range(rows):
        tan_y = (np.float32(y) - cy_px) * scale
        for x in range(columns):
            inverse = inverse_depth[y, x]
            electrons = light[y, x]
            if inverse <= np.float32(0) or electrons <= np.float32(0):
                continue
            z = one / inverse
            px, py = (np.float32(x) - cx_px) * scale * z, tan_y * z
            dx, dy = px - emitter_x, py - emitter_y
            back = np.sqrt(px * px + py * py + z * z)
            there = np.sqrt(dx * dx + dy * dy + z * z)
            away = half * (there + back)
            s = surface[triangle[y, x]]
            for k in range(2):
                phase = (away + over_mm[s, k]) * per_mm[k] + turn[k]
                out[y, x, 2 * k] += electrons * np.cos(phase)
                out[y, x, 2 * k + 1] += electrons * np.sin(phase)


@kernel
def expose_samples(phasors, total, response, contrast, read2, well, table, seed, full):
    """Put noise of electrons and reading into the phasors (in place); `full` (rows, columns) is 1 where a well is full.

    `total` is the mean electrons of a sample, all light; `contrast` (2,) is the share of modulated light that stays.
    """
    rows, columns = total.shape
    half = np.float32(0.5)
    for y in range(rows):
        # SplitMix64 (Steele, Lea, Flood 2014), one stream a row: four 16-bit draws a step.
        state = seed + np.uint64(y + 1) * np.uint64(0xD1342543DE82EF95)
        for x in range(columns):
            state += np.uint64(0x9E3779B97F4A7C15)
            bits = state
            bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            bits = bits ^ (bits >> np.uint64(31))
            gain = response[y, x]
            mean = total[y, x] * gain
            spread = np.sqrt(half * (mean + read2))
            highest = np.float32(0)
            for k in range(2):
                scale = gain * contrast[k]
                re, im = phasors[y, x, 2 * k] * scale, phasors[y, x, 2 * k + 1] * scale
                highest = max(highest, re * re + im * im)
                re += spread * table[int(bits & np.uint64(0xFFFF))]
                bits >>= np.uint64(16)
                im += spread * table[int(bits & np.uint64(0xFFFF))]
                bits >>= np.uint64(16)
                phasors[y, x, 2 * k], phasors[y, x, 2 * k + 1] = re, im
            full[y, x] = 1 if mean + np.sqrt(highest) > well else 0


def measure(
    phasors: NDArray[np.float32],
    full: NDArray[np.uint8],
    ranging: Ranging,
    error: RangeError,
    amplitude: NDArray[np.float32],
    depth: NDArray[np.uint16] | None,
) -> None:
    """Fill amplitude (electrons, both frequencies' mean) and, where asked for, depth (depth units; 0: none).

    Args:
        phasors: (rows, columns, 4) with noise.
        full: 1 where a well was full: no depth there, and the brightest amplitude.
        error: what this unit adds that its processor does not know of.
    """
    r = ranging
    _measure(
        phasors,
        full,
        np.array(r.per_mm, np.float32),
        np.array(r.contrast, np.float32),
        np.float32(r.f_px),
        np.float32(r.cx_px),
        np.float32(r.cy_px),
        np.float32(r.emitter_x_mm),
        np.float32(r.emitter_y_mm),
        np.float32(r.least_electrons),
        np.float32(r.depth_min_mm),
        np.float32(r.depth_max_mm),
        np.float32(r.units_per_mm),
        np.float32(error.offset_mm),
        np.float32(error.walk_mm),
        np.float32(error.walk_electrons),
        np.float32(error.cyclic_mm),
        np.float32(error.cyclic_rad),
        error.fixed_mm,
        amplitude,
        np.zeros((1, 1), np.uint16) if depth is None else depth,
    )


@kernel
def _measure(
    phasors,
    full,
    per_mm,
    contrast,
    f_px,
    cx_px,
    cy_px,
    ex,
    ey,
    least,
    nearest,
    farthest,
    units,
    offset,
    walk,
    walk_electrons,
    cyclic,
    cyclic_rad,
    fixed,
    amplitude,
    depth,
):
    rows, columns = full.shape
    wants = depth.shape[0] == rows
    turn = np.float32(2 * np.pi)
    zero, one, half, two, four = np.float32(0), np.float32(1), np.float32(0.5), np.float32(2), np.float32(4)
    span1, span2 = turn / per_mm[0], turn / per_mm[1]
    # Each frequency's distance is worth the square of its slope and contrast.
    w1, w2 = (per_mm[0] * contrast[0]) ** 2, (per_mm[1] * contrast[1]) ** 2
    w1, w2 = w1 / (w1 + w2), w2 / (w1 + w2)
    scale = one / f_px
    for y in range(rows):
        tan_y = (np.float32(y) - cy_px) * scale
        for x in range(columns):
            re1, im1, re2, im2 = phasors[y, x, 0], phasors[y, x, 1], phasors[y, x, 2], phasors[y, x, 3]
            light = half * (np.sqrt(re1 * re1 + im1 * im1) / contrast[0] + np.sqrt(re2 * re2 + im2 * im2) / contrast[1])
            amplitude[y, x] = np.float32(1e9) if full[y, x] else light
            if not wants:
                continue
            depth[y, x] = np.uint16(0)
            if full[y, x] or light < least:
                continue
            phase1, phase2 = np.arctan2(im1, re1), np.arctan2(im2, re2)
            if phase1 < zero:
                phase1 += turn
            if phase2 < zero:
                phase2 += turn
            d1, d2 = phase1 / per_mm[0], phase2 / per_mm[1]
            # The number of whole turns for which both frequencies say the same.
            best, found1, found2 = np.float32(1e9), d1, d2
            for n in range(_WRAPS):
                far = d1 + np.float32(n) * span1
                other = d2 + np.floor((far - d2) / span2 + half) * span2
                apart = abs(far - other)
                if apart < best:
                    best, found1, found2 = apart, far, other
            away = w1 * found1 + w2 * found2 + offset + fixed[y, x] + cyclic * np.sin(four * phase1 + cyclic_rad)
            if light < walk_electrons:
                away += walk * np.log2(walk_electrons / light)
            tan_x = (np.float32(x) - cx_px) * scale
            cosine = one / np.sqrt(one + tan_x * tan_x + tan_y * tan_y)
            beside = (ex * tan_x + ey * tan_y) * cosine
            z = (four * away * away - ex * ex - ey * ey) / (four * away - two * beside) * cosine
            if nearest <= z <= farthest:
                depth[y, x] = np.uint16(z * units + half)


@kernel
def convert(amplitude, offset, counts_per_electron, gain, black, saturation, step, out):
    """Amplitude in electrons to the converter's counts, (rows, columns) uint16."""
    rows, columns = out.shape
    half, per_step = np.float32(0.5), np.float32(1) / step
    for y in range(rows):
        for x in range(columns):
            counts = black + gain * offset[y, x] + counts_per_electron * amplitude[y, x]
            counts = np.floor(counts * per_step + half) * step
            out[y, x] = np.uint16(min(max(counts, np.float32(0)), saturation))
