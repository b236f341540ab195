"""Make-up, as an infrared sensor sees it.

Most of what colours a face is clear at 940 nm, as organic dyes are. Carbon and iron black are not: eyeliner and mascara
stay dark. Titania in a foundation scatters and evens out what lies under it. How much of each is assumed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from faceward_sim.world.anatomy import Floats
from faceward_sim.world.complexion import Traits, smooth
from faceward_sim.world.skin_map import SkinMap
from faceward_sim.world.streams import stream

_BLACK = 0.06  # what a line of carbon black returns (assumed)
_EDGE_MM = 2.8  # as far from the margin of its mesh lies what is seen of a lid


@dataclass(frozen=True, slots=True)
class MakeUp:
    """What somebody has put on."""

    evenness: float  # share of the skin's own unevenness that the foundation hides
    brightness: float  # reflectance under it over that of bare skin
    liner_mm: float  # 0 for none
    below: float  # how much of the liner the lower lids get
    mascara: float
    brow: float
    shadow: float
    lips: float  # what lips return over what they did

    def on(self, traits: Traits) -> Traits:
        """A face's features as they look under it."""
        return replace(
            traits,
            lash=traits.lash + self.mascara,
            brow_density=min(traits.brow_density + self.brow, 1.15),
            lid_shadow=traits.lid_shadow + self.shadow,
            lip_upper=traits.lip_upper * self.lips,
            lip_lower=traits.lip_lower * self.lips,
        )

    def even_out(self, tint: Floats, skin: SkinMap) -> None:
        """Lay the foundation over a face's `tint`, which is 1 on plain skin, in place: from hairline to chin."""
        y, z = skin.position_mm[..., 1], skin.position_mm[..., 2]
        laid = smooth(z, 80.0, 55.0) * smooth(y, -85.0, -65.0) * smooth(y, 135.0, 112.0)
        laid *= smooth(skin.lid_distance_mm, 0.5, 2.5)
        covered = self.brightness * (1 + (tint - 1) * np.float32(1 - self.evenness))
        tint += laid * (covered - tint)

    def line_eyes(self, reflectance: Floats, skin: SkinMap) -> None:
        """Draw the liner along the lids, in place."""
        if not self.liner_mm:
            return
        end_mm = _EDGE_MM + self.liner_mm
        line = smooth(skin.lid_distance_mm, end_mm + 0.5, end_mm - 0.3)
        share = line * np.where(skin.upper_lid > 0.5, np.float32(0.9), np.float32(0.9 * self.below))
        reflectance += share * (_BLACK - reflectance)


def draw_makeup(seed: int) -> MakeUp:
    """What a person would put on."""
    rng = stream(seed, "make-up")
    lined = rng.random() < 0.7
    return MakeUp(
        evenness=float(rng.uniform(0.2, 0.65)),
        brightness=float(rng.uniform(0.96, 1.10)),
        liner_mm=float(rng.uniform(0.8, 2.5)) if lined else 0.0,
        below=float(rng.choice([0.0, 0.5, 1.0])),
        mascara=float(rng.uniform(0.2, 0.7)),
        brow=float(rng.uniform(0.0, 0.4)),
        shadow=float(rng.uniform(-0.1, 0.25)),
        lips=float(rng.uniform(0.85, 1.15)),
    )
