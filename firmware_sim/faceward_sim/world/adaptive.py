"""The design of a silicone mask and its wearer's behaviour, as a value: what an attacker can choose, and how far.

What can be cast and what people do bound every property. A design is a wish: each instrument that is made after it misses
it by some per cent (`faceward_sim.world.instruments.castings`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

MASK_ADAPTIVE = "mask-adaptive"


@dataclass(frozen=True, slots=True)
class Bound:
    """How far a property can be chosen. `scale` says how it is searched: "log" by ratio, "line" by difference.

    `second_band` marks what a sensor with one band can't see.
    """

    low: float
    high: float
    scale: str
    source: str
    second_band: bool = False

    def at(self, share: float) -> float:
        """The value at a share of the way from low to high, to six digits; shares beyond 0 and 1 are those."""
        share = min(max(share, 0.0), 1.0)
        if self.scale == "log":
            value = self.low * (self.high / self.low) ** share
        else:
            value = self.low + (self.high - self.low) * share
        return min(max(float(f"{value:.6g}"), self.low), self.high)

    def share(self, value: float) -> float:
        """The inverse of `at`."""
        if self.scale == "log":
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


BOUNDS: Mapping[str, Bound] = MappingProxyType(
    {
        "mu_s_reduced_per_mm": Bound(0.5, 7.0, "log", "sheet: from clear to opaque silicone"),
        "mu_a_per_mm": Bound(0.001, 0.3, "log", "sheet: next to no pigment; five times the darkest matched one"),
        "mu_a_850_share": Bound(0.6, 1.7, "log", "pigments that lean to one band (assumed)", second_band=True),
        "thickness_mm": Bound(0.8, 4.0, "log", "what can be cast over a whole head and worn (assumed)"),
        "gap_mm": Bound(0.0, 4.0, "line", "glued to the skin, to hanging from cheekbones and nose (assumed)"),
        "wash": Bound(0.4, 1.6, "log", "thin paint over silicone, which can only darken"),
        "mirror_share": Bound(0.015, 0.06, "log", "n 1.40 mirrors .028; powder and lacquer change it (assumed)"),
        "roughness": Bound(0.15, 0.6, "log", "from polished to powdered (assumed)"),
        "hole_mm": Bound(1.5, 7.0, "line", "masks seen; a nearer rim touches lids that blink (assumed)"),
        "stretch": Bound(0.2, 0.95, "line", "3 mm silicone to thin silicone that is glued (assumed)"),
        "late_s": Bound(0.0, 1.2, "line", "beyond the wearer's own reaction, well within what a prompt waits for"),
        "sway_share": Bound(0.3, 2.0, "log", "of the wearer's own: leaning on something, to restless (assumed)"),
        "turn_share": Bound(0.75, 1.3, "log", "of what they would turn: 19 to 33 degrees before effort is drawn"),
        "distance_mm": Bound(280.0, 600.0, "line", "the working range"),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptiveDesign:
    """One design. Coefficients are the silicone's at 940 nm, per millimetre. BOUNDS holds.

    The usual one is silicone that scatters as skin does, tinted to its wearer, worn as people stand before a lock.

    Raises ValueError: a property beyond its bound.
    """

    mu_s_reduced_per_mm: float = 2.0
    mu_a_per_mm: float = 0.03
    mu_a_850_share: float = 1.0  # of mu_a at 940 nm
    thickness_mm: float = 3.0
    gap_mm: float = 1.5  # of air before the skin; below .02 it is contact
    wash: float = 1.0  # the reflectance that paint brings it down to, over the wearer's skin's
    mirror_share: float = 0.03  # mirrored at normal incidence
    roughness: float = 0.3
    hole_mm: float = 3.0  # from the lids to the hole's rim
    stretch: float = 0.4  # what of an expression comes through
    late_s: float = 0.0
    sway_share: float = 1.0
    turn_share: float = 1.0
    distance_mm: float = 400.0

    def __post_init__(self) -> None:
        for name, bound in BOUNDS.items():
            value = getattr(self, name)
            if not bound.low <= value <= bound.high:
                raise ValueError(f"{name} is {value:g} and not between {bound.low:g} and {bound.high:g}")


NAMES = tuple(field.name for field in fields(AdaptiveDesign))
