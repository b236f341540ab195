"""Glasses cut from a print: another's eyes and brows on a strip of card, worn before one's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faceward_sim.optics.materials import to_material
from faceward_sim.world.anatomy import Floats
from faceward_sim.world.body import Pose
from faceward_sim.world.instruments.coats import print_on
from faceward_sim.world.instruments.prints import A4_MM, take_photo
from faceward_sim.world.instruments.sheets import Hole, bent, cut, flat_grid, grid_triangles
from faceward_sim.world.instruments.victims import draw_victim
from faceward_sim.world.people import Person
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import Surface

COLUMNS, ROWS = 73, 31


@dataclass(frozen=True, slots=True)
class GlassesDesign:
    """A species of printed glasses; `width_mm` and `height_mm` of the front, drawn from evenly."""

    name: str
    species: str
    description: str
    width_mm: tuple[float, float]
    height_mm: tuple[float, float]


GLASSES = (
    GlassesDesign("part-glasses", "part-glasses", "glasses cut from a print of another's eyes, with holes to see through",
                  (132, 150), (44, 60)),
)  # fmt: skip


class Glasses:
    """One pair, fitted to its wearer: a bent front with a notch for the nose, and two arms to the ears."""

    def __init__(self, design: GlassesDesign, seed: int, wearer: Person) -> None:
        rng = stream(seed, "glasses")
        drawn_by = wearer.complexion.generator
        photo = take_photo(draw_victim(seed, drawn_by))
        response = drawn_by.substances["paper"].draw(rng, None).response()
        self.material = to_material(
            "paper-glasses", response, 0.03 * response.reflectance, float(rng.uniform(0.3, 0.6))
        )
        self.reflectance = print_on(rng, response.reflectance, photo.picture)
        width = float(rng.uniform(*drawn_by.beyond(design.width_mm)))
        height = float(rng.uniform(*drawn_by.beyond(design.height_mm)))
        flat, _ = flat_grid(width, height, COLUMNS, ROWS)
        triangles = grid_triangles(COLUMNS, ROWS)
        own = wearer.build.eye_centres_mm
        see = tuple(Hole(float(eye[0]), 0.0, float(rng.uniform(5.0, 9.0)), float(rng.uniform(3.0, 5.0))) for eye in own)
        bridge = Hole(0.0, height / 2, 11.0, height * 0.55)
        flat, triangles = cut(flat, triangles, (*see, bridge))
        # The photograph's eyes lie over the wearer's.
        middle = np.array(
            [(photo.eyes[0].x_mm + photo.eyes[1].x_mm) / 2, (photo.eyes[0].y_mm + photo.eyes[1].y_mm) / 2]
        )
        self.uv = np.clip((flat + middle) / A4_MM + 0.5, 0.0, 1.0).astype(np.float32)
        front = bent(flat, float(1.0 / rng.uniform(110.0, 200.0)))
        head = wearer.build.vertices_mm
        before = head[(np.abs(head[:, 0]) < width / 2) & (np.abs(head[:, 1]) < height / 2), 2].min()
        front[:, 2] += before - float(rng.uniform(0.5, 4.0))
        arms, arm_triangles = self._arms(front, len(front))
        self.rest = np.concatenate([front, arms]).astype(np.float32)
        self.triangles = np.concatenate([triangles, arm_triangles]).astype(np.int32)
        self.uv = np.concatenate([self.uv, np.full((len(arms), 2), 0.005, np.float32)])

    @staticmethod
    def _arms(front: Floats, first: int) -> tuple[Floats, np.ndarray]:
        """Two strips of 8 mm from the front's upper corners back to the ears."""
        points, triangles = [], []
        for column in (0, COLUMNS - 1):
            top = front[5 * COLUMNS + column]
            sign = -1.0 if column == 0 else 1.0
            start = first + len(points)
            for back in (0.0, 35.0, 70.0, 95.0):
                for down in (0.0, 8.0):
                    points.append(top + np.array([sign * 0.02 * back, down + 0.04 * back, back]))
            for k in range(3):
                a = start + 2 * k
                triangles += [(a, a + 1, a + 3), (a, a + 3, a + 2)]
        return np.array(points, np.float32), np.array(triangles, np.int32)

    def surface(self, pose: Pose) -> Surface:
        return Surface(pose.carry(self.rest), self.triangles, self.uv, self.reflectance, self.material)
