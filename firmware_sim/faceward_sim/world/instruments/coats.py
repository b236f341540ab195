"""What is painted or printed on an instrument, as diffuse reflectance at 940 nm."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

import numpy as np

from faceward_sim.world.anatomy import Floats
from faceward_sim.world.complexion import paint_skin
from faceward_sim.world.instruments.victims import Model
from faceward_sim.world.people import SKIN_TEXELS
from faceward_sim.world.skin_map import SkinMap, load_skin_map
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import Material

SEAM_MM = 78.0  # the plane over the ears in which two halves of a cast meet
_PLAIN = (0.2, 0.4)  # of skin, at which paint_skin cuts nothing off
_TONER = (0.04, 0.10)  # carbon black absorbs (sheet); depth of black assumed


class Coat(Enum):
    """How a face's features got onto the surface."""

    SKIN = "pigments in the material, as fine as skin's own"
    PAINT = "paints over the material, part of which the sensor's band does not see"
    PRINT = "a photograph in toner"
    BARE = "none: the material alone"


def lay_on(coat: Coat, model: Model, reflectance: float, material: Material, seed: int) -> Floats:
    """The instrument's texture over the anatomy's unwrapping, (SKIN_TEXELS, SKIN_TEXELS)."""
    skin_map = load_skin_map(SKIN_TEXELS)
    rng = stream(seed, "coat")
    drawn_by = model.complexion.generator
    law = drawn_by.texture.mottle
    if coat is Coat.BARE:
        grain = 1 + 0.012 * law(rng, SKIN_TEXELS, 60, 60) + 0.012 * law(rng, SKIN_TEXELS, 500, 500)
        return np.clip(reflectance * grain, 0.02, 0.95).astype(np.float32)
    if coat is Coat.SKIN:
        # A pigment covers a share of the material, so the paint is linear in it; paint_skin itself ends where skin does.
        dark, light = (_painted(model, skin_map, each, material) for each in _PLAIN)
        slope = (light - dark) / np.float32(_PLAIN[1] - _PLAIN[0])
        painted = dark + slope * np.float32(reflectance - _PLAIN[0])
        return np.clip(painted * _seam(rng, skin_map), 0.02, 0.95).astype(np.float32)
    # Features over plain skin, on a scale of their own: paint_skin keeps to what skin can return.
    shown = _painted(model, skin_map, _PLAIN[1], material) / np.float32(_PLAIN[1])
    if coat is Coat.PAINT:
        # Organic pigments are clear at 940 nm, carbon black and umber are not: a part of the contrast is left (assumed).
        contrast = rng.uniform(*drawn_by.beyond((0.35, 0.9), most=1.0))
        strokes = 1 + 0.02 * law(rng, SKIN_TEXELS, 120, 120)
        return np.clip(reflectance * (1 + contrast * (shown - 1)) * strokes, 0.02, 0.95).astype(np.float32)
    return print_on(rng, reflectance, np.clip(shown / np.float32(1.15), 0.0, 1.0), drawn_by.beyond(_TONER, least=0.02))


def _painted(model: Model, skin_map: SkinMap, reflectance: float, material: Material) -> Floats:
    complexion = replace(model.complexion, reflectance=reflectance, material=material)
    return paint_skin(model.seed, skin_map, complexion, model.traits)


def print_on(rng: np.random.Generator, paper: float, photo: Floats, toner: tuple[float, float] = _TONER) -> Floats:
    """A photograph (0 to 1) in black on paper of this reflectance."""
    black = float(rng.uniform(*toner))
    cover = 1.0 - photo ** float(rng.uniform(0.85, 1.15))
    grain = 1 + 0.02 * np.clip(rng.standard_normal(photo.shape).astype(np.float32), -3, 3)
    return np.clip(paper * (1 - cover * (1 - black / paper)) * grain, 0.02, 0.85).astype(np.float32)


def _seam(rng: np.random.Generator, skin_map: SkinMap) -> Floats:
    """Where the cast's halves meet, trimmed and glued: a line over the ears, a little darker or brighter."""
    off_mm = np.abs(skin_map.position_mm[..., 2] - SEAM_MM)
    return 1 + np.float32(rng.uniform(-0.12, 0.08)) * np.exp(-0.5 * (off_mm / 0.9) ** 2)
