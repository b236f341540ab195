"""The heart: when it beats, and how much less light the skin returns where the blood has come.

The size at 850-940 nm is the parameter sheet's (median .1 % peak to peak, .03-.3 %, L). All else is assumed and drawn by
person: the rate at rest follows the breath (respiratory sinus arrhythmia) and wanders by some per cent; the wave rises
steeply to a quarter of the beat and has a dicrotic wave after it; regions differ in size, and the wave comes up to 40 ms
later to the forehead than to the neck.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceward_sim.world.anatomy import Anatomy, Floats
from faceward_sim.world.complexion import bump, smooth
from faceward_sim.world.streams import stream

PEAK_TO_PEAK = (0.0003, 0.001, 0.003)  # least, median, most, of the light from the best region
DELAY_S = (0.005, 0.040)  # from the neck to the hairline
_KNOTS = np.linspace(0, 1, 257)


@dataclass(frozen=True, slots=True)
class Heart:
    """A rhythm: a function of time alone."""

    hertz: float
    phase: float
    breath_hz: float
    breath_share: float  # how far the rate follows the breath
    wander: tuple[tuple[float, float, float], ...]  # (hertz, phase, share of the rate)

    @classmethod
    def draw(cls, seed: int, hertz: float, phase: float, breath_hz: float) -> Heart:
        """The variability of a seed's heart, about a rate that is given."""
        rng = stream(seed, "heart")
        share = float(rng.uniform(0.01, 0.06))
        slow = tuple(
            (float(rng.uniform(0.03, 0.12)), float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0.005, 0.02)))
            for _ in range(3)
        )
        return cls(hertz, phase, breath_hz, share, slow)

    def beats(self, time_s: float) -> float:
        """Beats since the beginning, with their fraction: the integral of the rate."""
        count = self.hertz * time_s + self.phase
        for hertz, phase, share in ((self.breath_hz, 0.0, self.breath_share), *self.wander):
            turn = 2 * np.pi * hertz
            count += self.hertz * share / turn * float(np.sin(turn * time_s + phase) - np.sin(phase))
        return float(count)


@dataclass(frozen=True, slots=True, eq=False)
class Perfusion:
    """How the wave shows in one person's skin, vertex by vertex."""

    share: Floats  # (V,) peak to peak, of the light that comes back
    delay_s: Floats  # (V,)
    wave: NDArray[np.float64]  # one beat from its foot on, 0 to 1

    def flush(self, beats: float, hertz: float) -> Floats:
        """Reflectance now over reflectance between beats, (V,)."""
        here = (beats - self.delay_s * np.float32(hertz)) % 1.0
        return (1 - self.share * np.interp(here, _KNOTS, self.wave)).astype(np.float32)


def draw_perfusion(seed: int, anatomy: Anatomy) -> Perfusion:
    """A person's blood volume pulse."""
    rng = stream(seed, "perfusion")
    least, median, most = PEAK_TO_PEAK
    size = float(np.clip(median * np.exp(rng.normal(0, 0.5)), least, most))
    x, y, z = anatomy.vertices_mm.T
    side, front = np.abs(x), smooth(z, 90.0, 30.0)
    regions = (
        (bump(side, 0, 30) * bump(y, -45, 20), 1.0),  # forehead
        (bump(side, 38, 16) * bump(y, 35, 20), 1.0),  # cheeks
        (bump(side, 0, 10) * bump(y, 28, 16), 0.7),  # nose
        (bump(side, 0, 22) * bump(y, 85, 16), 0.7),  # chin
    )
    share = np.full(len(x), 0.35, np.float32)
    for where, level in regions:
        level = float(np.clip(level * np.exp(rng.normal(0, 0.25)), 0.3, 1.0))
        share = share + (level - 0.35) * (where * front)
    share = size * np.clip(share, 0.2, 1.0)
    height = np.clip((120.0 - y) / 200.0, 0, 1)
    slant = float(rng.normal(0, 0.1))
    delay = rng.uniform(*DELAY_S) * np.clip(height + slant * x / 75.0, 0, 1.2)
    peak, notch = float(rng.uniform(0.2, 0.3)), float(rng.uniform(0.15, 0.45))
    # Fast up, slow down, and a second wave where the valve has closed.
    rise = smooth(_KNOTS, 0.0, peak)
    fall = np.exp(-np.clip(_KNOTS - peak, 0, 1) / 0.22)
    wave = rise * fall + notch * bump(_KNOTS, peak + 0.28, 0.09) * smooth(_KNOTS, 1.0, 0.8)
    wave -= np.linspace(wave[0], wave[-1], len(wave))
    return Perfusion(
        share.astype(np.float32), delay.astype(np.float32), (wave - wave.min()) / (wave.max() - wave.min())
    )
