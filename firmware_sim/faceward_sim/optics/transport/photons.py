"""Photons through layers: Monte Carlo after Prahl 1989 and Wang, Jacques, Zheng 1995 (MCML), with paths instead of weights.

A photon is followed without absorption and reports the length it went in each layer. Whatever the layers absorb is put
in afterwards (response.Tally), exactly, as exp(-sum mu_a L): one flight serves every absorption (white Monte Carlo;
Alerstam 2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from faceward_sim.optics.transport.layers import Layer, split

LIGHT_MM_PER_NS = 299.792458

Floats = NDArray[np.float64]

_ODD = np.uint64(0xD1342543DE82EF95)  # spreads seeds apart
_LOST, _RETURNED, _THROUGH = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Flight:
    """What came back through the lit surface, before absorption."""

    launched: int
    specular: float  # what the surface mirrored; it is in nothing else here
    through: float  # share of the light sent that left at the far side, absorption of the far side's photons aside
    lost: float  # share that was given up, or absorbed where absorption was drawn
    radius_mm: Floats  # (n,) from where it went in, rising
    paths_mm: Floats  # (n, layers)
    indices: Floats  # (layers,)


def radians_per_mm(frequency_mhz: float) -> float:
    """How far modulation turns on a millimetre of optical path."""
    return 2 * np.pi * frequency_mhz * 1e-3 / LIGHT_MM_PER_NS


def fly(
    layers: Sequence[Layer],
    photons: int,
    seed: int,
    *,
    below_index: float = 1.0,
    least_mu_a: Sequence[float] | None = None,
    depth_limit: float = 8.0,
    similarity: bool = True,
    absorbed: bool = False,
) -> Flight:
    """Send a thin beam of photons straight down.

    Args:
        below_index: refractive index of what lies under the last layer.
        least_mu_a: the least absorption of each layer that will be asked about (default: the layers' own); a photon
            whose optical depth of absorption exceeds `depth_limit` at these is given up, at e^-8 by default.
        similarity: use isotropic scattering deep down; see `layers.split`.
        absorbed: draw where each photon is absorbed at `least_mu_a` instead (analogue Monte Carlo, the slow check).

    Raises:
        ValueError: no layers, no photons, or a number of absorptions that is not the layers'.
    """
    if not layers or photons < 1:
        raise ValueError("a flight needs layers and photons")
    least = [layer.mu_a for layer in layers] if least_mu_a is None else list(least_mu_a)
    if len(least) != len(layers):
        raise ValueError(f"{len(least)} absorptions for {len(layers)} layers")
    finer, origin = split(layers) if similarity else (tuple(layers), tuple(range(len(layers))))
    thickness, index, reduced, anisotropy, cosine_share, mean_cosine = (
        np.array([getattr(layer, name) for layer in finer])
        for name in ("thickness_mm", "index", "mu_s_reduced", "anisotropy", "cosine_share", "mean_cosine")
    )
    radius, paths, fate = np.zeros(photons), np.zeros((photons, len(finer))), np.zeros(photons, np.int8)
    kill = np.array([least[number] for number in origin])
    _trace(
        np.concatenate([[0.0], np.cumsum(thickness)]), index, reduced / (1 - mean_cosine), anisotropy, cosine_share,
        below_index, kill, depth_limit, absorbed, seed, radius, paths, fate,
    )  # fmt: skip
    back = np.flatnonzero(fate == _RETURNED)
    back = back[np.argsort(radius[back], kind="stable")]
    merged = np.zeros((len(back), len(layers)))
    for column, number in enumerate(origin):
        merged[:, number] += paths[back, column]
    specular = ((index[0] - 1) / (index[0] + 1)) ** 2
    return Flight(
        launched=photons,
        specular=float(specular),
        through=float((1 - specular) * np.mean(fate == _THROUGH)),
        lost=float((1 - specular) * np.mean(fate == _LOST)),
        radius_mm=radius[back],
        paths_mm=merged,
        indices=np.array([layer.index for layer in layers]),
    )


@njit(cache=True, nogil=True, inline="always")
def _random(state):
    """SplitMix64 (Steele, Lea, Flood 2014): the next state, and a number from 0 to below 1."""
    state += np.uint64(0x9E3779B97F4A7C15)
    bits = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits = bits ^ (bits >> np.uint64(31))
    return state, np.float64(np.int64(bits >> np.uint64(11))) * 1.1102230246251565e-16


@njit(cache=True, nogil=True, fastmath=True)
def _trace(edges, index, mu_s, anisotropy, cosine_share, below, kill, limit, absorbed, seed, radius, paths, fate):
    state = np.uint64(seed) * _ODD
    layers = len(index)
    for k in range(len(radius)):
        state, u = _random(state)
        left = -np.log(1.0 - u) if absorbed else limit
        x = y = z = ux = uy = 0.0
        uz = 1.0
        layer = 0
        state, u = _random(state)
        step = -np.log(1.0 - u)  # to the next scattering, in mean free paths
        while True:
            if uz > 0.0:
                wall = (edges[layer + 1] - z) / uz
            elif uz < 0.0:
                wall = (edges[layer] - z) / uz
            else:
                wall = 1e12
            leaves = mu_s[layer] * wall <= step
            s = wall if leaves else step / mu_s[layer]
            x += s * ux
            y += s * uy
            paths[k, layer] += s
            left -= kill[layer] * s
            if left < 0.0:
                fate[k] = 0
                break
            if not leaves:
                z += s * uz
                g = anisotropy[layer]
                squared = cosine_share[layer] > 0.0
                if squared:
                    state, xi = _random(state)
                    squared = xi < cosine_share[layer]
                state, xi = _random(state)
                if squared:
                    c = np.cbrt(2.0 * xi - 1.0)
                elif g == 0.0:
                    c = 2.0 * xi - 1.0
                else:  # Henyey and Greenstein 1941
                    f = (1.0 - g * g) / (1.0 - g + 2.0 * g * xi)
                    c = (1.0 + g * g - f * f) / (2.0 * g)
                across = np.sqrt(max(1.0 - c * c, 0.0))
                while True:  # a direction round the axis, from a point in the unit circle
                    state, a = _random(state)
                    state, b = _random(state)
                    a = 2.0 * a - 1.0
                    b = 2.0 * b - 1.0
                    q = a * a + b * b
                    if 1e-12 < q <= 1.0:
                        break
                q = across / np.sqrt(q)
                a *= q
                b *= q
                if abs(uz) > 0.99999:
                    ux, uy = a, b
                    uz = c if uz > 0.0 else -c
                else:
                    w = np.sqrt(1.0 - uz * uz)
                    nx = (ux * uz * a - uy * b) / w + ux * c
                    ny = (uy * uz * a + ux * b) / w + uy * c
                    uz = -a * w + uz * c
                    q = 1.0 / np.sqrt(nx * nx + ny * ny + uz * uz)
                    ux, uy, uz = nx * q, ny * q, uz * q
                state, u = _random(state)
                step = -np.log(1.0 - u)
                continue
            step -= mu_s[layer] * s
            down = uz > 0.0
            z = edges[layer + 1] if down else edges[layer]
            beyond = layer + 1 if down else layer - 1
            n1 = index[layer]
            n2 = 1.0 if beyond < 0 else (below if beyond >= layers else index[beyond])
            if n1 != n2:
                ratio = n1 / n2
                ci = abs(uz)
                st2 = ratio * ratio * (1.0 - ci * ci)
                if st2 >= 1.0:
                    uz = -uz
                    continue
                ct = np.sqrt(1.0 - st2)
                rs = (n1 * ci - n2 * ct) / (n1 * ci + n2 * ct)
                rp = (n1 * ct - n2 * ci) / (n1 * ct + n2 * ci)
                state, u = _random(state)
                if u < 0.5 * (rs * rs + rp * rp):
                    uz = -uz
                    continue
                ux *= ratio
                uy *= ratio
                uz = ct if down else -ct
            if beyond < 0 or beyond >= layers:
                fate[k] = 1 if beyond < 0 else 2
                radius[k] = np.sqrt(x * x + y * y)
                break
            layer = beyond
