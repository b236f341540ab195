"""Masks that are cast after a design: each misses it by what a caster's hand and scale do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import numpy as np

from faceward_sim.optics.materials import DOTS_NM, Shell, skin_response, to_material
from faceward_sim.optics.transport.table import Slab
from faceward_sim.world.adaptive import BOUNDS, MASK_ADAPTIVE, AdaptiveDesign
from faceward_sim.world.complexion import Complexion
from faceward_sim.world.instruments.batches import Batch
from faceward_sim.world.instruments.masks import MaskDesign
from faceward_sim.world.streams import stream

# Sigma of the logarithm, all assumed: pigment is weighed, thickness follows two moulds, paint is judged by eye.
SCATTER: Mapping[str, float] = MappingProxyType(
    {
        "mu_s_reduced_per_mm": 0.05,
        "mu_a_per_mm": 0.08,
        "mu_a_850_share": 0.03,
        "thickness_mm": 0.06,
        "gap_mm": 0.2,
        "wash": 0.04,
        "mirror_share": 0.1,
        "roughness": 0.1,
        "hole_mm": 0.1,
        "stretch": 0.06,
    }
)
_CONTACT_MM = 0.02  # air that is thinner than this is not in the table of transport


def cast_after(design: AdaptiveDesign) -> MaskDesign:
    """The species of masks that are made after a design: another's face in it, with implanted hair."""
    return MaskDesign(
        MASK_ADAPTIVE,
        MASK_ADAPTIVE,
        "a silicone mask whose material and wearer's behaviour were searched against the gates",
        partial(_draw, design),
        stretch=_about(design, "stretch"),
        hole_mm=_about(design, "hole_mm"),
        hair_share=1.0,
    )


def _about(design: AdaptiveDesign, name: str) -> tuple[float, float]:
    """An even range of the scatter's width, within the bound."""
    middle, bound, wide = getattr(design, name), BOUNDS[name], SCATTER[name] * np.sqrt(3.0)
    return max(middle * (1 - wide), bound.low), min(middle * (1 + wide), bound.high)


def missed(design: AdaptiveDesign, rng: np.random.Generator) -> AdaptiveDesign:
    """What one instrument becomes; behaviour is as designed."""
    made = {}
    for name, sigma in SCATTER.items():
        bound = BOUNDS[name]
        off = float(np.exp(sigma * np.clip(rng.standard_normal(), -2.5, 2.5)))
        made[name] = min(max(getattr(design, name) * off, bound.low), bound.high)
    return replace(design, **made)


def _draw(design: AdaptiveDesign, seed: int, wearer: Complexion) -> Batch:
    made = missed(design, stream(seed, "silicone"))
    gap_mm = made.gap_mm if made.gap_mm >= _CONTACT_MM else 0.0
    responses = {}
    for band, share in ((850, made.mu_a_850_share), (DOTS_NM, 1.0)):
        slab = Slab(made.thickness_mm, made.mu_a_per_mm * share, made.mu_s_reduced_per_mm)
        response = Shell(slab, gap_mm, wearer.skin, wearer.generator.tissue.table).response(band)
        # A wash lies on the light's way in and out and leaves its spread alone.
        skin = wearer.reflectance if band == DOTS_NM else skin_response(wearer.skin, band).reflectance
        responses[band] = replace(response, reflectance=min(response.reflectance, made.wash * skin))
    near, far = responses[850], responses[DOTS_NM]
    material = to_material(MASK_ADAPTIVE, far, made.mirror_share, made.roughness, near)
    return Batch(MappingProxyType(responses), far.reflectance, material, made.thickness_mm, wearer.skin)
