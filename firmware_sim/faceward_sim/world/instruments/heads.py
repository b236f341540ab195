"""Heads that nobody is in: cast, cut, printed, or a shop's mannequin, held at the neck."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from faceward_sim.optics.materials import to_material
from faceward_sim.world.anatomy import Floats, load_anatomy
from faceward_sim.world.body import Body, Pose
from faceward_sim.world.complexion import smooth
from faceward_sim.world.eyes import EYE
from faceward_sim.world.generators import EVERY, A, B, Generator
from faceward_sim.world.instruments.coats import Coat, lay_on
from faceward_sim.world.instruments.masks import smoothed
from faceward_sim.world.instruments.victims import Model, draw_victim
from faceward_sim.world.motion import Posture
from faceward_sim.world.people import COLLAR_MM
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import Surface
from faceward_sim.world.textures import mottle


@dataclass(frozen=True, slots=True)
class HeadDesign:
    """A species of heads. `detail_rounds` of smoothing are what the making loses of a face."""

    name: str
    species: str
    description: str
    substance: str
    coat: Coat
    mirrors: tuple[float, float]
    roughness: tuple[float, float]
    hair_share: float = 0.0
    detail_rounds: tuple[int, int] = (0, 1)
    glass_eyes: bool = False
    generators: tuple[str, ...] = EVERY


_NECK_MM, _NECK_RADIUS_MM = 75.0, 60.0  # the neck's middle lies so far behind the eyes

# Substances are the sheet's; gloss of plaster and foam is next to none, of paints about n 1.5's (assumed).
HEADS = (
    HeadDesign("head-plaster", "head-plaster", "a plaster cast of another's head", "plaster", Coat.BARE,
               (0.004, 0.012), (0.5, 0.7)),
    HeadDesign("head-sandstone", "head-sandstone", "another's head printed in coloured gypsum (full-colour sandstone)",
               "plaster", Coat.PAINT, (0.004, 0.012), (0.5, 0.7)),
    HeadDesign("head-foam", "head-foam", "a head cut from polystyrene foam", "foam", Coat.BARE, (0.001, 0.004),
               (0.6, 0.8), hair_share=0.3, detail_rounds=(3, 7)),
    HeadDesign("head-resin", "head-resin", "another's head printed in resin and painted", "resin", Coat.PAINT,
               (0.035, 0.05), (0.12, 0.3)),
    HeadDesign("head-mannequin", "head-mannequin", "a shop's mannequin: hard plastic, paint, glass eyes and a wig",
               "abs", Coat.PAINT, (0.03, 0.05), (0.15, 0.4), hair_share=0.8, detail_rounds=(1, 3), glass_eyes=True),
    HeadDesign("head-wax", "head-wax", "a museum's head: wax tinted to skin, implanted hair and glass eyes", "wax",
               Coat.SKIN, (0.02, 0.04), (0.2, 0.4), hair_share=1.0, glass_eyes=True, generators=(B.name,)),
)  # fmt: skip


class Head:
    """One head, in the frame of the head that it was made after; it ends at the neck."""

    def __init__(self, design: HeadDesign, seed: int, generator: Generator = A) -> None:
        rng = stream(seed, "head")
        anatomy = load_anatomy()
        person = draw_victim(seed, generator)
        slab = replace(generator.substances[design.substance], gap_mm=None).draw(rng, None)
        response = slab.response()
        mirrors = float(rng.uniform(*generator.beyond(design.mirrors, least=0.25 * design.mirrors[0])))
        roughness = float(rng.uniform(*generator.beyond(design.roughness, least=0.05, most=0.9)))
        self.material = to_material(design.substance, response, mirrors, roughness)
        rounds = int(rng.integers(*design.detail_rounds, endpoint=True))
        vertices = smoothed(person.build.vertices_mm, anatomy.wedge_vertex[anatomy.triangles], rounds)
        model = Model(person.seed, person.complexion, vertices, person.traits, person.build.male, person.build.age)
        texture = lay_on(design.coat, model, response.reflectance, self.material, seed)
        grain = 1 + 0.02 * mottle(rng, 64, 8, 8)
        blank = np.clip(response.reflectance * np.concatenate([grain, grain], axis=1), 0.02, 0.95).astype(np.float32)
        self._eye_material = EYE if design.glass_eyes else self.material
        # Painted eyes are as the paint shows them; glass ones, as eyes are.
        eyes = person.eye_reflectance if design.glass_eyes or design.coat is Coat.PAINT else blank
        neck_mm = COLLAR_MM - float(rng.uniform(10, 35))
        rest = anatomy.vertices_mm[anatomy.wedge_vertex]
        shown = (rest[:, 1] < neck_mm)[anatomy.triangles].any(axis=1)
        # The neck is sawn through: what hangs below is drawn up to the cut, and no wider than a neck.
        middle = np.array([0.0, 0.0, _NECK_MM], np.float32)
        away = (vertices - middle)[:, [0, 2]]
        wide = np.maximum(np.linalg.norm(away, axis=1), 1.0)
        low = smooth(vertices[:, 1], neck_mm - 45.0, neck_mm - 5.0)
        kept = 1.0 - low * np.maximum(1.0 - _NECK_RADIUS_MM / wide, 0.0)
        sawn = vertices.copy()
        sawn[:, [0, 2]] = middle[[0, 2]] + away * kept[:, None]
        sawn[:, 1] = np.minimum(sawn[:, 1], neck_mm)
        vertices = sawn.astype(np.float32)
        hair = person.hair if rng.random() < generator.share(design.hair_share) else None
        made = replace(
            person,
            build=replace(person.build, vertices_mm=vertices),
            skin_reflectance=texture,
            eye_reflectance=eyes,
            hair=hair,
        )
        self._body = Body(made, skin=anatomy.triangles[shown])
        self._body.skin_material = self.material
        self.neck_mm = np.array([0.0, neck_mm - 25.0, 60.0], np.float32)
        self.scale = person.build.scale

    def surfaces(self, posture: Posture, place_mm: Floats) -> tuple[Surface, ...]:
        """The head, rigid: nothing of the posture's expression, gaze or heart."""
        still = replace(posture, units={}, gaze_yaw_rad=0.0, gaze_pitch_rad=0.0, torso_yaw_rad=posture.yaw_rad)
        pose = Pose(still, place_mm, self.scale)
        pose.torso = pose.head  # a bust turns as one
        person = self._body.person
        return (
            replace(self._body.skin(person.build.vertices_mm, pose), flush=None),
            replace(self._body.eyes(still, pose), material=self._eye_material),
            *(() if person.hair is None else (pose.wear(person.hair),)),
        )
