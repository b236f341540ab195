"""Batches of material: what one instrument's substance does with light, drawn from transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from faceward_sim.optics.materials import (
    DOTS_NM,
    Range,
    Shell,
    skin_response,
    tinted,
    to_material,
)
from faceward_sim.optics.transport.response import Response
from faceward_sim.optics.transport.tissue import Skin
from faceward_sim.world.anatomy import Floats
from faceward_sim.world.complexion import Complexion, draw_complexion
from faceward_sim.world.instruments.victims import victim_seed
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import Material

BANDS_NM = (850, DOTS_NM)


@dataclass(frozen=True, slots=True)
class Batch:
    """One instrument's material. `reflectance` and `material` are at 940 nm; `responses` has both bands."""

    responses: Mapping[int, Response]
    reflectance: float
    material: Material
    thickness_mm: float
    wearer: Skin | None  # whose blood shines through; None where no head is behind

    @property
    def pulse_share(self) -> float:
        """What of bare skin's pulse, as a change of its own light, comes through at 940 nm."""
        if self.wearer is None:
            return 0.0
        return self.responses[DOTS_NM].dermis_path_mm / skin_response(self.wearer).dermis_path_mm

    def flush(self, bare: Floats) -> Floats:
        """Reflectance now over reflectance at rest, where the skin behind has `bare` of its own."""
        return (1 - np.float32(self.pulse_share) * (1 - bare)).astype(np.float32)


DrawBatch = Callable[[int, Complexion], Batch]


def of_substance(
    substance: str,
    *,
    mirrors: tuple[float, float] = (0.023, 0.046),  # n 1.40 mirrors .028; talc and lacquer change it (assumed)
    roughness: tuple[float, float] = (0.2, 0.35),
    name: str | None = None,
) -> DrawBatch:
    """Draws of one substance's ranges, worn by somebody or not as the substance is."""

    def draw(seed: int, wearer: Complexion) -> Batch:
        rng = stream(seed, "silicone")
        drawn_by = wearer.generator
        shell = drawn_by.substances[substance].draw(rng, wearer.skin)
        mirror = float(rng.uniform(*drawn_by.beyond(mirrors, least=0.25 * mirrors[0])))
        rough = float(rng.uniform(*drawn_by.beyond(roughness, least=0.05)))
        return _flat_batch(name or substance, shell, mirror, rough)

    return draw


def draw_card(seed: int, wearer: Complexion) -> Batch:
    """Printed card on somebody's face: two to four sheets' worth of paper, some millimetres before the skin (assumed)."""
    rng = stream(seed, "silicone")
    slab = replace(
        wearer.generator.substances["paper"].draw(rng, None).slab, thickness_mm=float(rng.uniform(0.25, 0.5))
    )
    shell = Shell(slab, Range(2.0, 3.5, 5.0, 0.3).draw(rng), wearer.skin, wearer.skin.tissue.table)
    return _flat_batch("card", shell, float(rng.uniform(0.015, 0.03)), float(rng.uniform(0.35, 0.6)))


draw_typical_silicone = of_substance("silicone")  # about 3 mm, mu_s' 1.0, mu_a .02, loose on its wearer's head


def draw_matched_silicone(seed: int, wearer: Complexion) -> Batch:
    """About 3 mm, mu_s' 2.0, tinted until it returns what the wearer's skin does at 940 nm, to 6 % or so."""
    rng = stream(seed, "silicone")
    shell = wearer.generator.substances["silicone-skin-matched"].draw(rng, wearer.skin)
    shell = tinted(shell, wearer.reflectance * float(np.exp(rng.normal(0, 0.06))))
    mirrors = wearer.material.specular_share * wearer.reflectance * float(rng.uniform(0.85, 1.15))
    return _flat_batch("silicone-matched", shell, mirrors, float(rng.uniform(0.2, 0.35)))


def draw_tinted_gel(seed: int, wearer: Complexion) -> Batch:
    """Gel on skin, tinted as a make-up artist does so that its edges vanish: to the wearer's 940 nm, to 12 % or so."""
    rng = stream(seed, "silicone")
    shell = wearer.generator.substances["gelatine"].draw(rng, wearer.skin)
    shell = tinted(shell, wearer.reflectance * float(np.exp(rng.normal(0, 0.12))))
    return _flat_batch("gelatine", shell, float(rng.uniform(0.02, 0.04)), float(rng.uniform(0.15, 0.3)))


def draw_matched_in_both(seed: int, wearer: Complexion) -> Batch:
    """Scattering chosen for the wearer's own spread at 940 nm, pigment for their reflectance at 850 and at 940 nm.

    Its maker has measured the wearer, or the victim, with a lock's sensor; both fits are left 3 to 4 % off (assumed).
    """
    rng = stream(seed, "silicone")
    drawn = wearer.generator.substances["silicone-skin-matched"].draw(rng, wearer.skin)
    off = {band: float(np.exp(rng.normal(0, 0.03))) for band in BANDS_NM}
    wanted_mm = wearer.material.dot_r50_mm * float(np.exp(rng.normal(0, 0.04)))
    goal = wearer.reflectance * off[DOTS_NM]
    tried = [_scattering(drawn, mu_s, goal, DOTS_NM) for mu_s in np.geomspace(1.2, 4.0, 13)]
    far = min(tried, key=lambda shell: abs(shell.response().r50_mm - wanted_mm))
    steeper = wearer.skin.dermis_mu_s_reduced(850) / wearer.skin.dermis_mu_s_reduced(DOTS_NM)
    goal = skin_response(wearer.skin, 850).reflectance * off[850]
    near = _scattering(drawn, far.slab.mu_s_reduced * steeper, goal, 850)
    mirrors = wearer.material.specular_share * wearer.reflectance * float(rng.uniform(0.95, 1.05))
    responses = {850: near.response(850), DOTS_NM: far.response()}
    return _batch("silicone-matched-both", responses, mirrors, wearer.material.roughness, far)


def draw_skin(seed: int, wearer: Complexion) -> Batch:
    """Somebody else's skin, for an instrument that is one by its label alone."""
    other = draw_complexion(victim_seed(seed), wearer.tone, wearer.generator)
    responses = {band: skin_response(other.skin, band) for band in BANDS_NM}
    return Batch(MappingProxyType(responses), other.reflectance, other.material, 0.0, wearer.skin)


def _scattering(shell: Shell, mu_s_reduced: float, reflectance: float, wavelength_nm: int) -> Shell:
    scattered = replace(shell, slab=replace(shell.slab, mu_s_reduced=float(mu_s_reduced)))
    return tinted(scattered, reflectance, wavelength_nm)


def _flat_batch(name: str, shell: Shell, mirrors: float, roughness: float) -> Batch:
    """A batch whose coefficients are the same at every band, as pigments without a band of their own have them."""
    return _batch(name, {band: shell.response(band) for band in BANDS_NM}, mirrors, roughness, shell)


def _batch(name: str, responses: Mapping[int, Response], mirrors: float, roughness: float, shell: Shell) -> Batch:
    response = responses[DOTS_NM]
    material = to_material(name, response, mirrors, roughness, responses[850])
    return Batch(MappingProxyType(dict(responses)), response.reflectance, material, shell.slab.thickness_mm, shell.head)
