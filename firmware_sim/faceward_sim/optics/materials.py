"""What people and instruments are made of, from light transport: reflectance and spread at any band of the table.

Skin is a composition (melanin, blood, water, scattering) and an instrument a shell (a slab, the air behind it, and the
head in it or none). Both are drawn; what they do with light always comes from the table of transport.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from faceward_sim.optics.transport.layers import TISSUE_INDEX
from faceward_sim.optics.transport.response import Response
from faceward_sim.optics.transport.table import ASSET, Slab, load_table
from faceward_sim.optics.transport.tissue import CHROMOPHORES, COMPOSED, Skin, Tissue
from faceward_sim.world.surface import Material

DOTS_NM = 940  # the band of the sensors that there are

# Fresnel at normal incidence for n = 1.40. Over the diffuse reflectance of the sheet's tones it is its direct share of
# skin's reflectance: 5.5 % (I-II) to 11 % (VI).
SKIN_MIRRORS = ((TISSUE_INDEX - 1) / (TISSUE_INDEX + 1)) ** 2

TONES = (1.0, 2.0, 3.0, 4.0)  # Fitzpatrick I-II, III-IV, V, VI
MELANIN = (0.02, 0.10, 0.20, 0.35)  # the sheet's, by tone
LEAST_MELANIN, MOST_MELANIN = 0.01, 0.40

# What shines through a mask in the sheet's figures is a head of this melanin, which the sheet does not say.
HEAD = Skin(melanin=0.035)


@dataclass(frozen=True, slots=True)
class Shell:
    """A material as an instrument has it. Coefficients are the same at every band, but for its water's and the head's."""

    slab: Slab
    gap_mm: float = 0.0  # of air before the head; 0 is contact
    head: Skin | None = None  # None: air behind
    table: str = ASSET
    water: float = 0.0  # its share of the volume, whose absorption comes on top of the slab's

    def response(self, wavelength_nm: int = DOTS_NM) -> Response:
        """What it does with light.

        :raises ValueError: it lies outside the table, or there are no coefficients at that wavelength.
        """
        table = load_table(self.table)
        slab = self.slab
        if self.water:
            slab = replace(slab, mu_a=slab.mu_a + self.water * CHROMOPHORES[wavelength_nm].water)
        if self.head is None:
            return table.slab(slab)
        head = self.head
        response = table.worn(slab, self.gap_mm, head.epidermis_mu_a(wavelength_nm), head.dermis_mu_a(wavelength_nm))
        return response.with_blood(head.added_blood, head.tissue.at(wavelength_nm).blood)


@dataclass(frozen=True, slots=True)
class Range:
    """From what a property is drawn: lognormal about the middle, within the ends."""

    low: float
    middle: float
    high: float
    sigma: float

    def draw(self, rng: np.random.Generator) -> float:
        return float(np.clip(self.middle * np.exp(rng.normal(0.0, self.sigma)), self.low, self.high))


@dataclass(frozen=True, slots=True)
class Substance:
    """A family of instruments' material. `worn` ones have a head behind them, at a gap drawn from `gap_mm`."""

    description: str
    thickness_mm: Range
    mu_s_reduced: Range
    mu_a: Range
    index: float
    gap_mm: Range | None
    table: str = ASSET
    water: float = 0.0

    def draw(self, rng: np.random.Generator, head: Skin | None) -> Shell:
        """One instrument of it; `head` is who wears it, and counts only where the family is worn."""
        slab = Slab(self.thickness_mm.draw(rng), self.mu_a.draw(rng), self.mu_s_reduced.draw(rng), self.index)
        if self.gap_mm is None:
            return Shell(slab, table=self.table, water=self.water)
        gap_mm = self.gap_mm.draw(rng)
        return Shell(slab, gap_mm, HEAD if head is None else head, self.table, self.water)


_LOOSE = Range(0.3, 1.5, 5.0, 0.5)  # a mask that hangs from cheekbones and nose (assumed)
_TOUCHING = Range(0.0, 0.0, 0.0, 0.0)

# Middles are the sheet's instruments (coefficients assumed from phantom literature), widths are assumed. Indices: sheet
# (1.40) for silicone; its figures for the harder materials are met with their own index, 1.5 and a little more.
SUBSTANCES: Mapping[str, Substance] = MappingProxyType(
    {
        "silicone": Substance(
            "a typical silicone mask", Range(2.5, 3.0, 3.5, 0.08), Range(0.8, 1.0, 1.25, 0.1),
            Range(0.012, 0.02, 0.033, 0.2), TISSUE_INDEX, _LOOSE,
        ),
        "silicone-translucent": Substance(
            "silicone with next to no pigment", Range(2.0, 3.0, 5.0, 0.2), Range(0.5, 1.0, 1.6, 0.2),
            Range(0.001, 0.002, 0.006, 0.3), TISSUE_INDEX, _LOOSE,
        ),
        "silicone-skin-matched": Substance(
            "silicone that scatters as skin does", Range(2.5, 3.0, 3.5, 0.08), Range(1.5, 2.0, 2.6, 0.12),
            Range(0.015, 0.03, 0.06, 0.2), TISSUE_INDEX, _LOOSE,
        ),
        "silicone-thin": Substance(
            "thin silicone in contact with skin", Range(0.8, 1.5, 2.0, 0.2), Range(0.6, 1.0, 1.7, 0.2),
            Range(0.002, 0.005, 0.015, 0.4), TISSUE_INDEX, _TOUCHING,
        ),
        "silicone-opaque": Substance(
            "silicone with opaque pigment", Range(2.5, 3.0, 4.0, 0.1), Range(3.5, 5.0, 7.0, 0.2),
            Range(0.004, 0.01, 0.025, 0.3), TISSUE_INDEX, _LOOSE,
        ),
        "latex": Substance(
            "a latex mask", Range(0.6, 1.0, 1.6, 0.2), Range(2.8, 4.0, 5.5, 0.2), Range(0.01, 0.02, 0.04, 0.3), 1.52,
            _LOOSE,
        ),
        "resin": Substance(
            "a printed resin mask", Range(2.0, 3.0, 4.0, 0.15), Range(2.0, 3.0, 4.5, 0.2),
            Range(0.002, 0.005, 0.012, 0.3), 1.50, _LOOSE,
        ),
        "abs": Substance(
            "a printed ABS mask", Range(2.0, 3.0, 4.0, 0.15), Range(10.0, 15.0, 22.0, 0.2),
            Range(0.005, 0.01, 0.02, 0.3), 1.50, _LOOSE,
        ),
        "paper": Substance(
            "a sheet of paper in the hand", Range(0.10, 0.14, 0.20, 0.15), Range(40.0, 50.0, 60.0, 0.1),
            Range(0.012, 0.02, 0.035, 0.2), 1.50, None,
        ),
        # Three layers of polypropylene fibres (n 1.49) and air, .1 mm each, some millimetres off the skin (assumed).
        "nonwoven": Substance(
            "a surgical mask", Range(0.25, 0.35, 0.5, 0.15), Range(5.0, 9.0, 14.0, 0.25), Range(0.0006, 0.0012, 0.003, 0.3),
            1.45, Range(0.5, 2.5, 5.0, 0.4),
        ),
        "plaster": Substance(
            "a plaster head", Range(4.0, 6.0, 15.0, 0.3), Range(40.0, 60.0, 80.0, 0.2), Range(0.005, 0.01, 0.02, 0.3),
            1.50, None,
        ),
        # Polystyrene foam: cells of .1 mm, hardly any absorption, and hardly any surface to reflect inwards (assumed).
        "foam": Substance(
            "a polystyrene foam head", Range(15.0, 30.0, 60.0, 0.3), Range(1.5, 3.0, 5.0, 0.25),
            Range(0.0005, 0.001, 0.003, 0.3), 1.05, None,
        ),
    }
)  # fmt: skip


def draw_skin(rng: np.random.Generator, tone: float, tissue: Tissue = COMPOSED) -> Skin:
    """Somebody's skin about a tone, 1 to 4: melanin, blood, water and scattering, each their own.

    :raises ValueError: the tone is outside 1 to 4.
    """
    if not TONES[0] <= tone <= TONES[-1]:
        raise ValueError(f"a tone lies between 1 and 4, not at {tone}")
    melanin = np.exp(np.interp(tone, TONES, np.log(MELANIN)) + 0.15 * _within(rng, 2.0))
    return Skin(
        melanin=float(np.clip(melanin, LEAST_MELANIN, MOST_MELANIN)),
        blood=0.02 * float(np.exp(tissue.blood_sigma * _within(rng, 2.0))),
        water=0.65 + 0.04 * _within(rng, 2.0),
        scattering=float(np.exp(tissue.scattering_sigma * _within(rng, 2.2))),  # sheet: lognormal, sigma .2-.3
        tissue=tissue,
    )


def _within(rng: np.random.Generator, most: float) -> float:
    """A normal draw of unit width, drawn again beyond `most` of it."""
    while True:
        drawn = float(rng.standard_normal())
        if abs(drawn) <= most:
            return drawn


def skin_response(skin: Skin, wavelength_nm: int = DOTS_NM) -> Response:
    """What bare skin does with light.

    :raises ValueError: it lies outside the table, or there are no coefficients at that wavelength.
    """
    response = load_table(skin.tissue.table).skin(
        skin.epidermis_mu_a(wavelength_nm), skin.dermis_mu_a(wavelength_nm), skin.dermis_mu_s_reduced(wavelength_nm)
    )
    return response.with_blood(skin.added_blood, skin.tissue.at(wavelength_nm).blood)


def skin_colour(skin: Skin) -> tuple[float, float, float]:
    """What skin returns of red, green and blue light: by melanin alone, after photographs of faces (L)."""
    melanin = np.log(np.clip(skin.melanin, MELANIN[0], MELANIN[-1]))
    red, green, blue = (float(np.exp(np.interp(melanin, np.log(MELANIN), np.log(by_tone)))) for by_tone in _COLOURS)
    return red, green, blue


_COLOURS = ((0.55, 0.40, 0.24, 0.12), (0.34, 0.22, 0.12, 0.06), (0.27, 0.15, 0.075, 0.04))


def tinted(shell: Shell, reflectance: float, wavelength_nm: int = DOTS_NM) -> Shell:
    """The same shell with as much pigment as brings it to a reflectance at this band; the nearest that there is.

    :raises ValueError: it lies outside the table, or there are no coefficients at that wavelength.
    """
    low, high = TINT_MU_A
    for _ in range(40):
        middle = float(np.sqrt(low * high))
        tried = replace(shell, slab=replace(shell.slab, mu_a=middle))
        if tried.response(wavelength_nm).reflectance > reflectance:
            low = middle
        else:
            high = middle
    return replace(shell, slab=replace(shell.slab, mu_a=float(np.sqrt(low * high))))


TINT_MU_A = (0.0005, 1.2)  # per mm: from clear silicone to what darkens past any skin


def to_material(
    name: str, response: Response, mirrors: float, roughness: float, response_850: Response | None = None
) -> Material:
    """What the renderer takes.

    Args:
        response: at 940 nm.
        mirrors: the specular reflectance at normal incidence.
        response_850: at 850 nm; None is for what returns both bands alike.
    """
    return Material(
        name,
        response.r50_mm,
        response.r90_mm,
        mirrors / response.reflectance,
        roughness,
        response.radii_mm,
        1.0 if response_850 is None else response_850.reflectance / response.reflectance,
        response.mean_over_range_mm,
        response.over_range_drop_mm,
    )
