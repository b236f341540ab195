"""Living people under what they wear: real eyes in the holes, real sway, obedient to prompts."""

from __future__ import annotations

import numpy as np

from faceward_sim.firmware.imager import Prompt
from faceward_sim.world.body import FACE_CENTRE_MM, Body, Pose
from faceward_sim.world.generators import A, Generator
from faceward_sim.world.instruments.batches import Batch
from faceward_sim.world.instruments.glasses import Glasses, GlassesDesign
from faceward_sim.world.instruments.masks import Mask, MaskDesign
from faceward_sim.world.motion import Manner, Mover
from faceward_sim.world.people import draw_person
from faceward_sim.world.rooms import draw_room
from faceward_sim.world.surface import SceneState, Surface


class MaskWearer:
    """A living person under a mask. `batch` takes the place of the drawn material and changes nothing else."""

    def __init__(
        self,
        design: MaskDesign,
        seed: int,
        distance_mm: float,
        tone: float | None,
        generator: Generator = A,
        *,
        batch: Batch | None = None,
        manner: Manner | None = None,
    ) -> None:
        self.name = design.name
        self.species = design.species
        wearer = draw_person(seed, tone=tone, generator=generator)
        self.mask = Mask(design, seed, wearer, batch)
        self._body = Body(wearer, skin=self.mask.bare_triangles)
        self._mover = Mover(seed, distance_mm, manner or Manner())
        self._room = draw_room(seed, generator)
        self._place = np.array([0.0, -FACE_CENTRE_MM, distance_mm], np.float32)

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        posture = self._mover.at(time_us / 1e6, prompt)
        person, mask = self._body.person, self.mask
        pose = Pose(posture, self._place, person.build.scale)
        head = self._body.expressed(posture.units)
        outer, moved = mask.shell_mm(person, posture.units)
        inner = (person.build.vertices_mm + mask.trimmed_mm + moved)[mask.rim_vertex]
        follow = person.anatomy.follow
        shell = np.concatenate(
            [
                pose.carry(outer[mask.vertex], follow[mask.vertex]),
                pose.carry(inner, follow[mask.rim_vertex]),
            ]
        )
        bare = person.perfusion.flush(pose.beats, pose.heart_hz)
        flush = mask.batch.flush(np.concatenate([bare[mask.vertex], bare[mask.rim_vertex]]))
        surfaces = [
            Surface(shell, mask.triangles, mask.uv, mask.reflectance, mask.material, flush),
            self._body.skin(head, pose),
            self._body.eyes(posture, pose),
            self._body.clothes(pose),
        ]
        if mask.hair is not None:
            surfaces.append(pose.wear(mask.hair))
        return SceneState((*surfaces, *self._room.surfaces), self._room.ambient)


class GlassesWearer:
    """A living person behind printed glasses."""

    def __init__(
        self, design: GlassesDesign, seed: int, distance_mm: float, tone: float | None, generator: Generator = A
    ) -> None:
        self.name = design.name
        self.species = design.species
        wearer = draw_person(seed, tone=tone, generator=generator)
        self.glasses = Glasses(design, seed, wearer)
        self._body = Body(wearer)
        self._mover = Mover(seed, distance_mm)
        self._room = draw_room(seed, generator)
        self._place = np.array([0.0, -FACE_CENTRE_MM, distance_mm], np.float32)

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        posture = self._mover.at(time_us / 1e6, prompt)
        pose = Pose(posture, self._place, self._body.person.build.scale)
        surfaces = (self.glasses.surface(pose), *self._body.surfaces(posture, self._place), *self._room.surfaces)
        return SceneState(surfaces, self._room.ambient)
