"""What draws a world: generator A, on which gates were tuned, and generator B, which they have never met.

A generator is a value that goes down to whoever draws. B differs in what no gate may rely on: the account of skin, the
phase function of its transport, the law of textures, how sensors' noise hangs together, how far assumed ranges reach.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from types import MappingProxyType

from faceward_sim.optics.manufacture import Noise
from faceward_sim.optics.materials import SUBSTANCES, Range, Substance
from faceward_sim.optics.transport.tissue import COMPOSED, MEASURED, Tissue
from faceward_sim.world.textures import GRAINED, PATCHED, Texture


# Compared by identity: there is one value of each.
@dataclass(frozen=True, slots=True, eq=False)
class Generator:
    """One generator.

    `reach` is by what share of its width an assumed range goes on at either end, and `levelling` how far shares of a
    population are drawn towards one half.
    """

    name: str
    description: str
    tissue: Tissue
    substances: Mapping[str, Substance]
    texture: Texture
    noise: Noise
    reach: float
    levelling: float

    def beyond(self, ends: tuple[float, float], least: float = 0.0, most: float = inf) -> tuple[float, float]:
        """An assumed range as this generator has it, not past `least` and `most`."""
        if not self.reach:
            return ends
        low, high = ends
        more = self.reach * (high - low)
        return max(low - more, least), min(high + more, most)

    def share(self, share: float) -> float:
        """How many of a population do something, as this generator has it; all and none stay what they are."""
        return share if share in (0.0, 1.0) else share + self.levelling * (0.5 - share)


REACH = 0.5  # generator B's ranges are twice as wide as A's
_WIDER = 1.25  # lognormal ranges: ends of B over ends of A, up and down
_SPREAD = 1.5  # and their sigmas
# What the table of a shell before a head reaches.
_THICKNESS_MM, _MU_S, _MU_A, _GAP_MM = (0.1, 6.0), (0.3, 60.0), (0.0005, 1.2), (0.02, 8.0)


def _moved(drawn: Range, reach: tuple[float, float]) -> Range:
    low, high = max(drawn.low / _WIDER, reach[0]), min(drawn.high * _WIDER, reach[1])
    return Range(low, drawn.middle, high, drawn.sigma * _SPREAD)


def _beyond(substance: Substance) -> Substance:
    worn = substance.gap_mm is not None
    free = (0.0, inf)
    gap_mm = substance.gap_mm
    return replace(
        substance,
        thickness_mm=_moved(substance.thickness_mm, _THICKNESS_MM if worn else free),
        mu_s_reduced=_moved(substance.mu_s_reduced, _MU_S if worn or substance is SUBSTANCES["paper"] else free),
        mu_a=_moved(substance.mu_a, _MU_A if worn else free),
        # What touches still touches.
        gap_mm=_moved(gap_mm, _GAP_MM) if gap_mm is not None and gap_mm.high else gap_mm,
        table=MEASURED.table,
    )


_ADDED = {
    # Gelatine, glycerine and water, as casters of wounds and ears mix it, with flour or titania (shares assumed). Its index
    # is between water's 1.33 and glycerine's 1.47.
    "gelatine": Substance(
        "water-based gel on the skin", Range(1.5, 2.5, 4.0, 0.25), Range(0.8, 1.6, 2.8, 0.3),
        Range(0.002, 0.012, 0.05, 0.5), 1.38, Range(0.0, 0.0, 0.0, 0.0), MEASURED.table, water=0.5,
    ),
    # Polyester and elastane jersey: fibres of n 1.6 with air between them (coefficients assumed, between paper and latex).
    "fabric": Substance(
        "printed stretch fabric", Range(0.35, 0.55, 0.9, 0.2), Range(4.0, 8.0, 16.0, 0.35), Range(0.004, 0.012, 0.04, 0.4),
        1.45, Range(0.02, 0.2, 1.5, 0.6), MEASURED.table,
    ),
    # Paraffin and beeswax, clear but for their crystals, tinted to skin (coefficients assumed; n 1.44).
    "wax": Substance(
        "a cast of wax", Range(5.0, 10.0, 20.0, 0.3), Range(0.8, 1.5, 3.0, 0.3), Range(0.004, 0.015, 0.06, 0.5), 1.44, None,
        MEASURED.table,
    ),
}  # fmt: skip

A = Generator(
    "A",
    "composed skin, Henyey and Greenstein's phase function; train and dev",
    COMPOSED,
    SUBSTANCES,
    PATCHED,
    Noise(),
    reach=0.0,
    levelling=0.0,
)
B = Generator(
    "B",
    "measured skin, another phase function, other textures and noise, wider ranges; test",
    MEASURED,
    MappingProxyType({name: _beyond(each) for name, each in SUBSTANCES.items()} | _ADDED),
    GRAINED,
    Noise(
        dot_x_px=0.04,
        dot_y_px=0.04,
        bend_px=0.075,
        bend_pitch_px=15.0,
        speckle_px=(0.03, 0.055),
        speckle_contrast=(0.02, 0.09),
        held=0.5,
        row_counts=(2.0, 8.0),
        column_counts=(4.0, 14.0),
        fixed_cells=11,
        fixed_mm=0.75,
        smooth_px=1.3,
    ),
    reach=REACH,
    levelling=0.4,
)

GENERATORS: Mapping[str, Generator] = MappingProxyType({each.name: each for each in (A, B)})
EVERY = tuple(GENERATORS)


def check_belongs(what: str, name: str, belongs_to: tuple[str, ...], generator: Generator) -> None:
    """Refuse what a generator lacks.

    Raises ValueError, naming it and where it is to be had.
    """
    if generator.name not in belongs_to:
        raise ValueError(f'generator {generator.name} has no {what} {name!r}; set generator = "{belongs_to[0]}"')
