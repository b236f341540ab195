"""Fly the photons behind the table of light transport, and write it.

    python tools/fly_photons.py --out faceward_sim/optics/transport/assets/transport.npz
    python tools/fly_photons.py --phase modified --photons 0.5 --out faceward_sim/optics/transport/assets/transport-b.npz

The first is generator A's table and the second is generator B's: another phase function, and axes that reach further.
Seeds are the numbers of the stacks, so the same code and machine write the same file. With the default counts it takes
ten minutes of one core. `--photons` scales every count, for a rough table.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import TypeVar

import numpy as np
from faceward_sim.optics.transport.grid import Axis, Grid
from faceward_sim.optics.transport.layers import SUBCUTIS_ABSORPTION, Layer, gap, modified, skin
from faceward_sim.optics.transport.photons import fly
from faceward_sim.optics.transport.response import DROP_MHZ, QUANTITIES, Tally
from faceward_sim.optics.transport.table import GRIDS
from numpy.typing import NDArray

SKIN_PHOTONS = 200_000
SLAB_PHOTONS = 40_000
WORN_PHOTONS = 30_000

DEEPEST = 60.0  # transport lengths; a slab before a head is flown no deeper, since not 2 % comes through
HEAD_MU_S_REDUCED = 1.96  # nominal dermis at 940 nm (sheet); behind a mask its spread is of little account
_Stack = TypeVar("_Stack")
_SLAB_MU_S_REDUCED = 1.0  # the slab grid is in units of 1 / mu_s'


def axis(name: str, scale: str, *nodes: float) -> Axis:
    return Axis(name, scale, np.array(nodes))


SKIN_AXES = (
    axis("mu_s' of the dermis", "log", 0.8, 1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0),
    axis("mu_a of the epidermis", "root", *np.linspace(0.2, 2.92, 13) ** 2),
    axis("mu_a of the dermis", "root", *np.linspace(0.09, 0.45, 13) ** 2),
)
SLAB_AXES = (
    axis("refractive index", "line", 1.0, 1.2, 1.4, 1.6),
    axis("thickness times mu_s'", "log", 0.3, 0.6, 1.0, 1.7, 3.0, 5.0, 9.0, 16.0, 30.0, 60.0, 120.0, 300.0),
    axis("mu_a over mu_s'", "root", 1e-5, 1e-4, 4e-4, 0.0012, 0.0036, 0.01, 0.025, 0.06, 0.15, 0.3),
)
_SHELL_AXES = (
    axis("refractive index", "line", 1.40, 1.55),
    axis("mu_s'", "log", 0.3, 0.5, 0.8, 1.15, 1.6, 2.3, 3.4, 5.0, 9.0, 20.0, 60.0),
    axis("thickness in mm", "log", 0.1, 0.3, 0.7, 1.2, 1.8, 2.5, 3.3, 4.4, 6.0),
)
_GAP_AXIS = axis("gap in mm", "line", 0.02, 5.0)
_SLAB_ABSORPTION = axis("mu_a of the slab", "root", 0.0005, 0.005, 0.025, 0.1, 0.4, 1.2)
_HEAD_EPIDERMIS = axis("mu_a of the head's epidermis", "root", 0.06, 0.4, 1.5, 4.9)
_ABSORPTION_AXES = (_SLAB_ABSORPTION, _HEAD_EPIDERMIS, axis("mu_a of the head's dermis", "root", 0.015, 0.04, 0.11))


@dataclass(frozen=True, slots=True)
class Axes:
    """The axes of a table."""

    skin: tuple[Axis, ...]
    slab: tuple[Axis, ...]
    shell: tuple[Axis, ...]
    gap: Axis
    absorption: tuple[Axis, ...]


AXES = {
    "henyey-greenstein": Axes(SKIN_AXES, SLAB_AXES, _SHELL_AXES, _GAP_AXIS, _ABSORPTION_AXES),
    # Gels refract less than silicone, dermis ex vivo absorbs up to .2 per mm, and gaps are wider.
    "modified": Axes(
        (*SKIN_AXES[:2], axis("mu_a of the dermis", "root", *np.linspace(0.09, 0.5, 13) ** 2)),
        SLAB_AXES,
        (axis("refractive index", "line", 1.34, 1.55), *_SHELL_AXES[1:]),
        axis("gap in mm", "line", 0.02, 8.0),
        (_SLAB_ABSORPTION, _HEAD_EPIDERMIS, axis("mu_a of the head's dermis", "root", 0.03, 0.08, 0.22)),
    ),
}


Phase = Callable[[Sequence[Layer]], Sequence[Layer]]
PHASES: Mapping[str, Phase] = {"henyey-greenstein": tuple, "modified": modified}


def skin_values(axes: Axes, phase: Phase, photons: int) -> NDArray[np.float64]:
    scattering, epidermis, dermis = (a.nodes for a in axes.skin)
    values = np.zeros((len(scattering), len(epidermis), len(dermis), QUANTITIES))
    for seed, (i, mu_s) in enumerate(_counted("skin", list(enumerate(scattering)))):
        tally = Tally(fly(phase(skin(epidermis[0], dermis[0], mu_s)), photons, seed), dermis=1)
        for j, k in np.ndindex(len(epidermis), len(dermis)):
            mu_a = (epidermis[j], dermis[k], SUBCUTIS_ABSORPTION * dermis[k])
            values[i, j, k] = tally.at(mu_a).values()
    return values


def slab_values(axes: Axes, phase: Phase, photons: int) -> NDArray[np.float64]:
    index, depth, absorption = (a.nodes for a in axes.slab)
    values = np.zeros((len(index), len(depth), len(absorption), QUANTITIES))
    stacks = list(product(range(len(index)), range(len(depth))))
    for seed, (i, j) in enumerate(_counted("slabs", stacks)):
        slab = Layer(depth[j], absorption[0], _SLAB_MU_S_REDUCED, index[i])
        flight = fly(phase((slab,)), photons, 1_000 + seed)
        tally = Tally(flight, drop_mhz=_likely_mhz(depth[j]))
        for k, mu_a in enumerate(absorption):
            values[i, j, k] = tally.at((mu_a,)).values()
    return values


def _likely_mhz(depth: float) -> float:
    """300 MHz in the units of a slab of this depth, taking it for some 4 mm: its paths are as much longer."""
    return DROP_MHZ * min(1.0, 4.0 / depth)


def shell_values(
    axes: Axes, phase: Phase, photons: int, gaps_mm: Sequence[float], first_seed: int
) -> NDArray[np.float64]:
    """Slabs before a head at these gaps (0 is contact), as (index, mu_s', thickness, gap, absorptions..., quantities)."""
    shells = [a.nodes for a in axes.shell]
    slab, epidermis, dermis = (a.nodes for a in axes.absorption)
    shape = [len(nodes) for nodes in shells] + [len(gaps_mm), len(slab), len(epidermis), len(dermis)]
    values = np.zeros((*shape, QUANTITIES))
    stacks = list(np.ndindex(*shape[:4]))
    for seed, at in enumerate(_counted("worn" if gaps_mm[0] else "contact", stacks)):
        index, mu_s, thickness = (nodes[n] for nodes, n in zip(shells, at[:3], strict=True))
        air = (gap(gaps_mm[at[3]]),) if gaps_mm[at[3]] else ()
        head = skin(epidermis[0], dermis[0], HEAD_MU_S_REDUCED)
        opaque = min(thickness, DEEPEST / mu_s)
        stack = (Layer(opaque, slab[0], mu_s, index), *air, *head)
        tally = Tally(fly(phase(stack), photons, first_seed + seed), dermis=len(stack) - 2)
        for i, j, k in np.ndindex(len(slab), len(epidermis), len(dermis)):
            absorbed = (epidermis[j], dermis[k], SUBCUTIS_ABSORPTION * dermis[k])
            mu_a = (slab[i], *(0.0 for _ in air), *absorbed)
            values[(*at, i, j, k)] = tally.at(mu_a).values()
    return values


def _counted(name: str, stacks: Sequence[_Stack]) -> Iterator[_Stack]:
    begun = time.monotonic()
    for number, stack in enumerate(stacks):
        if number % 8 == 0:
            print(f"{name}: {number} of {len(stacks)}, {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
        yield stack


def _grids(
    axes: Axes, phase: Phase
) -> Mapping[str, tuple[tuple[Axis, ...], int, Callable[[int], NDArray[np.float64]]]]:
    contact, worn = (*axes.shell, *axes.absorption), (*axes.shell, axes.gap, *axes.absorption)
    gaps_mm = tuple(axes.gap.nodes)
    return {
        "skin": (axes.skin, SKIN_PHOTONS, partial(skin_values, axes, phase)),
        "slab": (axes.slab, SLAB_PHOTONS, partial(slab_values, axes, phase)),
        "contact": (contact, WORN_PHOTONS, lambda n: shell_values(axes, phase, n, (0.0,), 10_000)[:, :, :, 0]),
        "worn": (worn, WORN_PHOTONS, lambda n: shell_values(axes, phase, n, gaps_mm, 20_000)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--photons", type=float, default=1.0, help="times the default counts")
    parser.add_argument("--phase", choices=PHASES, default="henyey-greenstein", help="how a scattering throws light")
    parser.add_argument("--grid", action="append", choices=GRIDS, help="only this one; the file's others stay")
    chosen = parser.parse_args()
    arrays: dict[str, NDArray[np.generic]] = {}
    if chosen.grid:
        with np.load(chosen.out) as there:
            arrays |= there
    grids = _grids(AXES[chosen.phase], PHASES[chosen.phase])
    for name in chosen.grid or GRIDS:
        axes, default, fill = grids[name]
        photons = max(int(chosen.photons * default), 500)
        arrays |= Grid.of(axes, fill(photons)).arrays(name)
        arrays[f"{name}.photons"] = np.array(photons)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(chosen.out, **arrays)
    print(f"{chosen.out}: {chosen.out.stat().st_size:,} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
