"""Prints: an A4 sheet that holds a photograph in black, loose, flat on a board, bent, or cut out and worn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

import numpy as np

from faceward_sim.firmware.imager import Prompt
from faceward_sim.optics.flood import Emitter, flood_signal
from faceward_sim.optics.geometry import Geometry, Pinhole
from faceward_sim.optics.materials import to_material
from faceward_sim.optics.rasterise import Rasteriser
from faceward_sim.world.anatomy import Floats
from faceward_sim.world.body import FACE_CENTRE_MM, Body, Pose
from faceward_sim.world.generators import A, Generator
from faceward_sim.world.instruments.coats import print_on
from faceward_sim.world.instruments.sheets import Hole, bent, cut, flat_grid, grid_triangles
from faceward_sim.world.instruments.victims import draw_victim
from faceward_sim.world.motion import Mover
from faceward_sim.world.people import Person
from faceward_sim.world.skin_map import LEFT, RIGHT, column_share, lid_margin
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import SceneState, Surface

A4_MM = (210.0, 297.0)
PHOTO_PX = (700, 990)
PHOTO_DISTANCE_MM = 600.0
COLUMNS, ROWS = 22, 30
CUT_COLUMNS, CUT_ROWS = 85, 119  # 2.5 mm: scissors follow an eye's outline


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture of somebody, PHOTO_PX, 0 to 1, life-size on A4, and where eyes and mouth lie on the sheet."""

    picture: Floats
    eyes: tuple[Hole, Hole]
    mouth: Hole


def take_photo(person: Person) -> Photo:
    """A near-infrared photograph of somebody, eyes open, no background."""
    mover = Mover(person.seed, PHOTO_DISTANCE_MM)
    posture = replace(mover.at(0.0, Prompt.NONE), units={})
    place = np.array([0, -FACE_CENTRE_MM, PHOTO_DISTANCE_MM], np.float32)
    scene = SceneState(Body(person).surfaces(posture, place))
    width, height = PHOTO_PX
    f_px = width / A4_MM[0] * PHOTO_DISTANCE_MM
    geometry = Geometry()
    geometry.load(scene)
    view = Rasteriser(Pinhole(width, height, f_px, (width - 1) / 2, (height - 1) / 2))
    view.draw(geometry)
    picture = flood_signal(geometry, view, Emitter(0.0, 12.0, 0.1), 1.0, 0.0, np.zeros((height, width), np.float32))
    face = picture[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3]
    shown = np.clip(picture / (1.12 * np.percentile(face, 96)), 0.0, 1.0).astype(np.float32)
    carried = Pose(posture, place, person.build.scale).carry(person.build.vertices_mm)
    flat = carried[:, :2] * (PHOTO_DISTANCE_MM / carried[:, 2:])
    anatomy = person.anatomy
    eyes = tuple(_around(flat[lid_margin(anatomy, side)], 0.8, 1.25) for side in (LEFT, RIGHT))
    lips = column_share(anatomy, "mouth-upperlip-volume-incr", "mouth-lowerlip-volume-incr") > 0.3
    return Photo(shown, (eyes[0], eyes[1]), _around(flat[lips], 1.0, 1.0))


def _around(points: Floats, wide: float, high: float) -> Hole:
    low, top = points.min(axis=0), points.max(axis=0)
    middle, half = (low + top) / 2, (top - low) / 2
    return Hole(float(middle[0]), float(middle[1]), float(half[0] * wide), float(half[1] * high))


@dataclass(frozen=True, slots=True)
class Stock:
    """A paper. Ranges are assumed: gloss of coated papers about n = 1.5's 4 %, uncoated ones scatter it away."""

    name: str
    mirrors: tuple[float, float] | None  # None: 3 % of what the paper returns
    roughness: tuple[float, float]
    toner: tuple[float, float]


STOCKS: Mapping[str, Stock] = MappingProxyType(
    {
        "plain": Stock("paper", None, (0.35, 0.6), (0.04, 0.10)),
        "matte": Stock("paper-matte", (0.008, 0.018), (0.5, 0.7), (0.06, 0.14)),
        "glossy": Stock("paper-glossy", (0.036, 0.044), (0.06, 0.14), (0.05, 0.12)),
    }
)


class Form(Enum):
    """What is done with the sheet."""

    LOOSE = "in the hands as it comes"
    FLAT = "on a board"
    BENT = "bent as a face is"
    CUT = "bent, with eyes and mouth cut out, before the holder's own"


@dataclass(frozen=True, slots=True)
class PrintDesign:
    """A species of prints."""

    name: str
    species: str
    description: str
    stock: str
    form: Form


def _of(stock: str, form: Form) -> PrintDesign:
    name = f"print-{stock}-{form.name.lower()}"
    return PrintDesign(name, name, f"an A4 print on {stock} paper, {form.value}", stock, form)


PRINTS = (
    PrintDesign("print-a4", "print", "an A4 print of another person's near-infrared photograph, held up", "plain",
                Form.LOOSE),
    *(_of(stock, form) for stock in STOCKS for form in (Form.FLAT, Form.BENT, Form.CUT)),
)  # fmt: skip


class Sheet:
    """A print: a bent grid whose toner holds a photograph. Its frame is the paper's middle, front towards -z."""

    def __init__(self, design: PrintDesign, seed: int, generator: Generator = A) -> None:
        rng = stream(seed, "sheet")
        photo = take_photo(draw_victim(seed, generator))
        stock = STOCKS[design.stock]
        response = generator.substances["paper"].draw(rng, None).response()
        paper = response.reflectance
        self.reflectance = print_on(rng, paper, photo.picture, generator.beyond(stock.toner, least=0.02))
        mirrors = 0.03 * paper if stock.mirrors is None else float(rng.uniform(*generator.beyond(stock.mirrors, 0.002)))
        roughness = float(rng.uniform(*generator.beyond(stock.roughness, least=0.04, most=0.8)))
        self.material = to_material(stock.name, response, mirrors, roughness)
        self.holes: tuple[Hole, ...] = ()
        self.columns, self.rows = (CUT_COLUMNS, CUT_ROWS) if design.form is Form.CUT else (COLUMNS, ROWS)
        flat, self.uv = flat_grid(*A4_MM, self.columns, self.rows)
        self.triangles = grid_triangles(self.columns, self.rows)
        if design.form is Form.CUT:
            self.holes = (*photo.eyes, photo.mouth)
            flat, self.triangles = cut(flat, self.triangles, self.holes)
            self.uv = (flat / A4_MM + 0.5).astype(np.float32)
        curvature = _curvature(design.form, rng, generator)
        self.rest = bent(flat, curvature)
        across, down = flat[:, 0] / A4_MM[0], flat[:, 1] / A4_MM[1]
        slack = {Form.FLAT: 0.1, Form.LOOSE: 1.0}.get(design.form, 0.5)
        sag = rng.uniform(-6, 6) * (down + 0.5) ** 2 + rng.normal(0, 1.2) * np.sin(across * 7 + down * 5)
        self.rest[:, 2] += (slack * sag).astype(np.float32)

    def surface(self, rotation: Floats, origin_mm: Floats) -> Surface:
        return Surface(self.rest @ rotation.T + origin_mm, self.triangles, self.uv, self.reflectance, self.material)

    def grip_mm(self, side: int) -> Floats:
        """Where a hand holds the sheet: the edge, below the middle; `side` -1 or +1 in x."""
        row = round(0.72 * (self.rows - 1))
        edge = self.rest.reshape(self.rows, self.columns, 3)[row, 0 if side < 0 else -1]
        return edge.astype(np.float32)


def _curvature(form: Form, rng: np.random.Generator, generator: Generator) -> float:
    """Per mm."""
    if form is Form.LOOSE:
        return float(1.0 / rng.uniform(180.0, 1500.0) * rng.choice([-1.0, 1.0], p=[0.2, 0.8]))
    if form is Form.FLAT:
        return float(rng.normal(0.0, 1 / 8000.0))
    return float(1.0 / rng.uniform(*generator.beyond((75.0, 130.0), least=65.0)))
