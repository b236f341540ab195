"""The committed tables of transport: skin, slabs in air, and slabs before a head, for any coefficients within its reach.

`tools/fly_photons.py` made them from the Monte Carlo in `photons`, each under a phase function of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from faceward_sim.optics.transport.grid import Grid
from faceward_sim.optics.transport.layers import TISSUE_INDEX
from faceward_sim.optics.transport.response import Response

ASSET = "transport.npz"
GRIDS = ("skin", "slab", "contact", "worn")


@dataclass(frozen=True, slots=True)
class Slab:
    """One layer of a material. Coefficients per millimetre."""

    thickness_mm: float
    mu_a: float
    mu_s_reduced: float
    index: float = TISSUE_INDEX


@dataclass(frozen=True, slots=True)
class Table:
    """Three grids. Every method raises ValueError where it is asked beyond its grid, and names the quantity."""

    skin_grid: Grid
    slab_grid: Grid
    contact_grid: Grid
    worn_grid: Grid
    photons: Mapping[str, int]  # behind each stack of a grid

    def skin(self, epidermis_mu_a: float, dermis_mu_a: float, mu_s_reduced: float) -> Response:
        """Bare skin, as `layers.skin`."""
        return Response.from_values(self.skin_grid.at(mu_s_reduced, epidermis_mu_a, dermis_mu_a))

    def slab(self, slab: Slab) -> Response:
        """A slab with air behind it. Lengths scale with 1 / mu_s'; past the deepest node it is as good as endless."""
        scale = 1.0 / slab.mu_s_reduced
        depth = min(slab.thickness_mm * slab.mu_s_reduced, float(self.slab_grid.axes[1].nodes[-1]))
        r, *radii, mean, drop, _ = self.slab_grid.at(slab.index, depth, slab.mu_a * scale)
        # A length scales once; the drop, which goes with frequency squared, three times.
        lengths = (np.maximum.accumulate(radii) * scale).tolist()
        return Response(float(r), tuple(lengths), float(mean * scale), float(drop * scale**3), 0.0)

    def worn(self, slab: Slab, gap_mm: float, epidermis_mu_a: float, dermis_mu_a: float) -> Response:
        """A slab before a head; a gap of 0 is contact without air. The head scatters as nominal skin at 940 nm."""
        if gap_mm == 0.0:
            values = self.contact_grid.at(
                slab.index, slab.mu_s_reduced, slab.thickness_mm, slab.mu_a, epidermis_mu_a, dermis_mu_a
            )
        else:
            values = self.worn_grid.at(
                slab.index, slab.mu_s_reduced, slab.thickness_mm, gap_mm, slab.mu_a, epidermis_mu_a, dermis_mu_a
            )
        return Response.from_values(values)


@cache
def load_table(asset: str = ASSET) -> Table:
    """A table that is installed with this package; `ASSET` is under Henyey and Greenstein's phase function."""
    with files(__package__).joinpath("assets").joinpath(asset).open("rb") as stream, np.load(stream) as arrays:
        grids = (Grid.read(arrays, name) for name in GRIDS)
        return Table(*grids, photons={name: int(arrays[f"{name}.photons"]) for name in GRIDS})
