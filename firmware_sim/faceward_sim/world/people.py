"""A person drawn from a seed: head, skin, eyes, hair, and what they put on, at rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from faceward_sim.world.anatomy import Anatomy, Column, Floats, load_anatomy
from faceward_sim.world.complexion import Complexion, Traits, draw_complexion, draw_traits, paint_skin
from faceward_sim.world.eyes import paint_eyes
from faceward_sim.world.generators import A, Generator
from faceward_sim.world.glasses import fit_glasses
from faceward_sim.world.hair import HairStyle, draw_style, grow_hair, paint_scalp
from faceward_sim.world.headgear import fit_hat, under_hat
from faceward_sim.world.makeup import draw_makeup
from faceward_sim.world.mouth_mask import fit_mouth_mask
from faceward_sim.world.pulse import Perfusion, draw_perfusion
from faceward_sim.world.shape import Build, draw_build
from faceward_sim.world.skin_map import load_skin_map
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import Material
from faceward_sim.world.textures import mottle
from faceward_sim.world.worn import Worn

SKIN_TEXELS = 1024
COLLAR_MM = 172.0  # below the eyes on the base mesh, in front; the shirt's neckline
COLLAR_SLOPE = 0.35  # the neckline rises towards the back


@dataclass(frozen=True, slots=True)
class Person:
    """Everything about somebody that does not move. Vertices have their origin between the eyes, camera axes."""

    seed: int
    anatomy: Anatomy
    build: Build
    complexion: Complexion
    traits: Traits
    style: HairStyle
    skin_reflectance: Floats
    eye_reflectance: Floats
    hair: Worn | None
    glasses: Worn | None
    hat: Worn | None
    mouth_mask: Worn | None
    perfusion: Perfusion
    units: Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Clothes:
    """The shirt: torso triangles over wedge indices, raised from the skin by `ease_mm`."""

    triangles: NDArray[np.int32]  # over `wedges`
    wedges: NDArray[np.int32]  # which render vertices of the anatomy it uses
    uv: Floats
    reflectance: Floats
    material: Material
    ease_mm: float


@lru_cache(maxsize=4)  # every capture of a grant meets them again; nobody changes what is drawn
def draw_person(
    seed: int,
    *,
    tone: float | None = None,
    glasses: bool = False,
    hat: bool = False,
    make_up: bool = False,
    mouth_mask: bool = False,
    generator: Generator = A,
) -> Person:
    """The person of a seed; the same seed is always the same person, whatever they wear or hold.

    :param glasses: put on the spectacles that this person would choose; likewise `hat`, `make_up` and `mouth_mask`.

    :raises ValueError: a tone outside 1 to 4 or a negative seed.
    """
    anatomy = load_anatomy()
    complexion = draw_complexion(seed, tone, generator)
    build = draw_build(seed, anatomy, complexion.tone)
    traits = draw_traits(seed, male=build.male, age=build.age)
    style = draw_style(seed, male=build.male, age=build.age)
    skin_map = load_skin_map(SKIN_TEXELS)
    if hat:
        style = under_hat(style)
    reflectance = paint_skin(seed, skin_map, complexion, traits, draw_makeup(seed) if make_up else None)
    paint_scalp(seed, reflectance, skin_map, traits, style)
    hair = grow_hair(seed, anatomy, build.vertices_mm, traits, style)
    units = {
        name: Column(column.vertices, column.deltas_mm * np.float32(build.scale))
        for name, column in anatomy.units.items()
    }
    return Person(
        seed=seed,
        anatomy=anatomy,
        build=build,
        complexion=complexion,
        traits=traits,
        style=style,
        skin_reflectance=reflectance,
        eye_reflectance=paint_eyes(seed),
        hair=hair,
        glasses=fit_glasses(seed, anatomy, build) if glasses else None,
        hat=fit_hat(seed, anatomy, build.vertices_mm) if hat else None,
        mouth_mask=fit_mouth_mask(seed, anatomy, build, complexion) if mouth_mask else None,
        perfusion=draw_perfusion(seed, anatomy),
        units=units,
    )


def skin_triangles(anatomy: Anatomy) -> NDArray[np.int32]:
    """Triangles of head, neck and cavities: everything above a little below the neckline."""
    return anatomy.triangles[_over_collar(anatomy, 25.0).any(axis=1)]


def _over_collar(anatomy: Anatomy, slack_mm: float) -> NDArray[np.bool_]:
    rest = anatomy.vertices_mm[anatomy.wedge_vertex]
    line = COLLAR_MM + slack_mm - COLLAR_SLOPE * np.clip(rest[:, 2] - 20, 0, 150)
    return (rest[:, 1] < line)[anatomy.triangles]


def draw_clothes(seed: int, anatomy: Anatomy) -> Clothes:
    """Cloth at 940 nm is bright whatever its colour in daylight, since most dyes do not absorb there (assumed)."""
    rng = stream(seed, "clothes")
    drop = float(rng.uniform(-14, 18))
    chosen = anatomy.triangles[~_over_collar(anatomy, drop).all(axis=1)]
    wedges, local = np.unique(chosen, return_inverse=True)
    rest = anatomy.vertices_mm[anatomy.wedge_vertex[wedges]]
    uv = np.stack([rest[:, 0] / 520 + 0.5, np.clip((rest[:, 1] - 100) / 240, 0, 1)], axis=1)
    size = 128
    texture = rng.uniform(0.12, 0.6) * (1 + 0.06 * mottle(rng, size, 24, 24) + 0.04 * mottle(rng, size, 100, 100))
    if rng.random() < 0.3:
        bands = np.sign(np.sin(np.arange(size) * rng.uniform(0.2, 0.8)))
        texture = texture * (1 + 0.25 * (bands[:, None] if rng.random() < 0.5 else bands[None, :]))
    material = Material("cloth", float(rng.uniform(0.2, 0.5)), float(rng.uniform(0.8, 1.8)), 0.02, 0.6)
    return Clothes(
        local.reshape(-1, 3).astype(np.int32),
        wedges.astype(np.int32),
        uv.astype(np.float32),
        np.clip(texture, 0.04, 0.8).astype(np.float32),
        material,
        float(rng.uniform(3, 7)),
    )
