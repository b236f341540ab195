"""What light travels through: flat layers of endless width, from the lit side down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

ANISOTROPY = 0.85  # sensor-physics.md: g about .85
TISSUE_INDEX = 1.40  # sensor-physics.md
AIR_INDEX = 1.0

# A phase function that throws more light back at the same mean cosine: mostly Henyey and Greenstein's, tighter, and a share
# that goes as the cosine squared (Bevilacqua and Depeursinge 1999). Its gamma, (1 - g2) / (1 - g1), is 1.38 where the other
# has 1.85; of tissues both are known (assumed: which of them skin has is not).
MODIFIED_COSINE_SHARE = 0.06
MODIFIED_ANISOTROPY = ANISOTROPY / (1 - MODIFIED_COSINE_SHARE)
ENDLESS_MM = 1e9

EPIDERMIS_MM = 0.070  # sensor-physics.md
DERMIS_MM = 1.8  # sensor-physics.md
# The sheet leaves three coefficients open. They are fixed by its own figures for skin: that darker skin holds a dot
# tighter asks for an epidermis that scatters more than the dermis, and over-range at 850 and 940 nm, with its fall of
# at most .3 mm up to 300 MHz, for fat that absorbs six tenths of what the dermis does.
EPIDERMIS_SCATTERING = 1.6  # of the dermis's
SUBCUTIS_SCATTERING = 1.0
SUBCUTIS_ABSORPTION = 0.6

_TRUE_PHASE_MFP = 1.5  # transport lengths below the surface in which the phase function is kept


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer. `mu_a` and `mu_s_reduced` are per millimetre; neither scatters nor absorbs in a gap.

    Light is thrown by Henyey and Greenstein's function of this anisotropy, but for a share that goes as cosine squared.
    """

    thickness_mm: float
    mu_a: float
    mu_s_reduced: float
    index: float = TISSUE_INDEX
    anisotropy: float = ANISOTROPY
    cosine_share: float = 0.0

    def __post_init__(self) -> None:
        if not (self.thickness_mm > 0 and self.index >= 1 and 0 <= self.anisotropy < 1):
            raise ValueError(f"a layer has a thickness, an index of at least 1 and 0 <= g < 1: {self}")
        if not 0 <= self.cosine_share < 1:
            raise ValueError(f"a share lies from 0 to below 1: {self}")
        if not (0 <= self.mu_a < math.inf and 0 <= self.mu_s_reduced < math.inf):
            raise ValueError(f"coefficients are finite and not negative: {self}")

    @property
    def mean_cosine(self) -> float:
        """Of a scattering; mu_s' is mu_s times what it lacks of 1."""
        return (1 - self.cosine_share) * self.anisotropy


def modified(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The same stack, with the same mu_s', under the second phase function."""
    return tuple(
        replace(layer, anisotropy=MODIFIED_ANISOTROPY, cosine_share=MODIFIED_COSINE_SHARE)
        if layer.mu_s_reduced
        else layer
        for layer in layers
    )


def gap(thickness_mm: float) -> Layer:
    """Air between two layers.

    :raises ValueError: the thickness is not positive.
    """
    return Layer(thickness_mm, 0.0, 0.0, AIR_INDEX, 0.0)


def skin(epidermis_mu_a: float, dermis_mu_a: float, dermis_mu_s_reduced: float) -> tuple[Layer, Layer, Layer]:
    """Epidermis, dermis and endless subcutis of the sheet's composition, coefficients per millimetre.

    :raises ValueError: a coefficient is negative or not finite.
    """
    return (
        Layer(EPIDERMIS_MM, epidermis_mu_a, EPIDERMIS_SCATTERING * dermis_mu_s_reduced),
        Layer(DERMIS_MM, dermis_mu_a, dermis_mu_s_reduced),
        Layer(ENDLESS_MM, SUBCUTIS_ABSORPTION * dermis_mu_a, SUBCUTIS_SCATTERING * dermis_mu_s_reduced),
    )


def split(layers: Sequence[Layer]) -> tuple[tuple[Layer, ...], tuple[int, ...]]:
    """The same stack with isotropic scattering of the same mu_s' where light no longer knows where it came from.

    Returns the finer stack and, for each of its layers, the number of the layer that it came from. Below 1.5 transport
    lengths the similarity relation holds (Wyman, Patterson, Wilson 1989), and costs a seventh of the steps. A layer
    behind a gap keeps its phase function for 1.5 lengths again.
    """
    finer: list[Layer] = []
    origin: list[int] = []
    left = _TRUE_PHASE_MFP
    for number, layer in enumerate(layers):
        if layer.mu_s_reduced == 0.0:
            left = _TRUE_PHASE_MFP
            finer.append(layer)
            origin.append(number)
            continue
        kept_mm = left / layer.mu_s_reduced
        if kept_mm > 0.0:
            finer.append(replace(layer, thickness_mm=min(kept_mm, layer.thickness_mm)))
            origin.append(number)
        if layer.thickness_mm > kept_mm:
            finer.append(replace(layer, thickness_mm=layer.thickness_mm - kept_mm, anisotropy=0.0, cosine_share=0.0))
            origin.append(number)
        left = max(left - layer.thickness_mm * layer.mu_s_reduced, 0.0)
    return tuple(finer), tuple(origin)
