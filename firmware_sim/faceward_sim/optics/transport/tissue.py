"""What skin is made of, and what that absorbs and scatters: the composition of the parameter sheet.

Sources: water Segelstein 1981, whole blood Bosschaart 2014, bloodless baseline and melanosomes Jacques 2013, scattering
of dermis Salomatina 2006. All coefficients are per millimetre.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

OXYGENATED = 0.7  # of the blood in skin (sheet)
EPIDERMIS_WATER = 0.3  # sheet
NOMINAL_BLOOD, NOMINAL_WATER = 0.02, 0.65  # sheet
TISSUE_BASELINE = 0.5  # share of the bloodless baseline (sheet)


@dataclass(frozen=True, slots=True)
class Chromophores:
    """What each part absorbs at one wavelength, and how dermis scatters there."""

    oxygenated_blood: float
    deoxygenated_blood: float
    water: float
    melanosome: float
    baseline: float
    dermis_mu_s_reduced: float

    @property
    def blood(self) -> float:
        return OXYGENATED * self.oxygenated_blood + (1 - OXYGENATED) * self.deoxygenated_blood


def _baseline(wavelength_nm: float) -> float:
    return 0.0244 + 8.53 * math.exp(-(wavelength_nm - 154) / 66.2)  # sheet


CHROMOPHORES: Mapping[int, Chromophores] = MappingProxyType(
    {
        850: Chromophores(0.49, 0.42, 0.0044, 11.6, _baseline(850), 2.10),
        905: Chromophores(0.57, 0.47, 0.0071, 9.4, _baseline(905), 2.00),
        940: Chromophores(0.65, 0.43, 0.029, 8.3, _baseline(940), 1.96),
        970: Chromophores(0.69, 0.32, 0.045, 7.5, _baseline(970), 1.90),
        1050: Chromophores(0.49, 0.22, 0.017, 5.7, _baseline(1050), 1.81),
    }
)
"""By wavelength in nm; the sheet's table where it has blood, confidence H (melanosome and scattering M)."""


@dataclass(frozen=True, slots=True)
class Tissue:
    """One account of skin: what its parts absorb and scatter, how people differ, and the table of transport for it.

    `dermis_mu_a`, where it is given, is measured dermis as a whole, by wavelength: blood and water are in it, and only what
    somebody's own blood and water differ by from the nominal is added.
    """

    chromophores: Mapping[int, Chromophores]
    table: str  # an asset of `transport.table`
    scattering_sigma: float
    blood_sigma: float
    dermis_mu_a: Mapping[int, float] | None = None

    def at(self, wavelength_nm: int) -> Chromophores:
        """The coefficients at a wavelength.

        :raises ValueError: there are none at that wavelength.
        """
        if wavelength_nm not in self.chromophores:
            known = ", ".join(str(known) for known in self.chromophores)
            raise ValueError(f"no coefficients at {wavelength_nm} nm; there are some at {known} nm")
        return self.chromophores[wavelength_nm]


COMPOSED = Tissue(CHROMOPHORES, "transport.npz", scattering_sigma=0.2, blood_sigma=0.25)
"""The sheet's nominal skin: the dermis is what its parts add up to."""

# Salomatina 2006, whole dermis ex vivo: it absorbs four and two times what its parts add up to, so that fair skin returns
# .37 and .40, and the ratio of the bands is 1.09 (sheet). Melanosomes vary tenfold in the literature (sheet, M): a quarter
# less.
MEASURED = Tissue(
    MappingProxyType(
        {
            850: replace(CHROMOPHORES[850], melanosome=8.7, dermis_mu_s_reduced=2.10),
            940: replace(CHROMOPHORES[940], melanosome=6.2, dermis_mu_s_reduced=1.96),
        }
    ),
    "transport-b.npz",
    scattering_sigma=0.28,  # sheet: .2-.3
    blood_sigma=0.35,
    dermis_mu_a=MappingProxyType({850: 0.103, 940: 0.078}),
)
"""The sheet's second parametrisation of skin, under the second phase function."""


@dataclass(frozen=True, slots=True)
class Skin:
    """One person's skin. The defaults are the sheet's nominal composition.

    `melanin` is the volume share of melanosomes in the epidermis; `scattering` multiplies the nominal mu_s'. A pulse
    adds `added_blood` to the dermis, a share of its volume as `blood` is; coefficients are without it.
    """

    melanin: float
    blood: float = NOMINAL_BLOOD
    water: float = NOMINAL_WATER
    scattering: float = 1.0
    added_blood: float = 0.0
    tissue: Tissue = COMPOSED

    def __post_init__(self) -> None:
        if not (0 <= self.melanin <= 1 and 0 <= self.blood <= 1 and 0 <= self.water <= 1 and self.scattering > 0):
            raise ValueError(f"shares lie between 0 and 1, and scattering is positive: {self}")

    def epidermis_mu_a(self, wavelength_nm: int) -> float:
        """:raises ValueError: no coefficients at that wavelength."""
        c = self.tissue.at(wavelength_nm)
        return (
            self.melanin * c.melanosome + (1 - self.melanin) * TISSUE_BASELINE * c.baseline + EPIDERMIS_WATER * c.water
        )

    def dermis_mu_a(self, wavelength_nm: int) -> float:
        """:raises ValueError: no coefficients at that wavelength."""
        composed = self._composed(self.blood, self.water, wavelength_nm)
        if self.tissue.dermis_mu_a is None:
            return composed
        nominal = self._composed(NOMINAL_BLOOD, NOMINAL_WATER, wavelength_nm)
        return self.tissue.dermis_mu_a[wavelength_nm] + composed - nominal

    def _composed(self, blood: float, water: float, wavelength_nm: int) -> float:
        c = self.tissue.at(wavelength_nm)
        rest = water * c.water + TISSUE_BASELINE * c.baseline
        return blood * c.blood + (1 - blood) * rest

    def dermis_mu_s_reduced(self, wavelength_nm: int) -> float:
        """:raises ValueError: no coefficients at that wavelength."""
        return self.scattering * self.tissue.at(wavelength_nm).dermis_mu_s_reduced
