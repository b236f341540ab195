"""Meshes from elsewhere as heads: units, orientation and eyes found or given, a material, and a neck to move on.

What is found is found from shape alone, by laying the face of the base head onto the mesh: see `registration`. That is
done in each unit in which the mesh is as large as a face or head can be, and the unit is the one in which a face fits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from faceward_sim.firmware.imager import Prompt
from faceward_sim.world.anatomy import Floats
from faceward_sim.world.body import FACE_CENTRE_MM, Pose
from faceward_sim.world.complexion import draw_complexion
from faceward_sim.world.instruments import draw_matched_silicone, draw_typical_silicone
from faceward_sim.world.motion import Mover
from faceward_sim.world.registration import LARGEST_SCALE, SMALLEST_SCALE, Laid, lay_face
from faceward_sim.world.rooms import draw_room
from faceward_sim.world.streams import stream
from faceward_sim.world.surface import Material, SceneState, Surface
from faceward_sim.world.textures import mottle

UNITS_MM: Mapping[str, float] = MappingProxyType({"mm": 1.0, "cm": 10.0, "m": 1000.0, "inch": 25.4})
# A face without its head is hardly smaller than this, a bust with shoulders hardly larger.
SMALLEST_MM, LARGEST_MM = 110.0, 700.0
EYES_APART_MM = (45.0, 80.0)  # adults: 51 to 77 (ANSUR II), and some room
# Drawn faces and heads leave 4.0 to 6.5 mm, busts 5.7 to 8.0 (simulated); balls, boxes and backs of heads 10.3 and more.
MISFIT_MM = 9.0
NEARLY = 1.2  # a unit whose misfit is within so much of the best one's can't be told from it
FEWEST_TRIANGLES, MOST_TRIANGLES = 300, 200_000
FILE_CAP_BYTES = 64 << 20
_TEXELS = 256


class MeshError(ValueError):
    """A mesh that can't stand before a sensor; the message names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Landmarks:
    """What has to be known of a mesh, in the file's own frame: a unit's millimetres, rotation to camera axes, eyes."""

    unit_mm: float
    rotation: Floats  # (3, 3): camera axes from the file's
    left_eye: Floats  # (3,) the person's own left, in the file's units
    right_eye: Floats


@dataclass(frozen=True, slots=True)
class MeshFile:
    """The triangles of a file."""

    path: Path
    vertices: NDArray[np.float64]  # (V, 3) in the file's units
    triangles: NDArray[np.int32]  # (T, 3)


def load_mesh(path: Path) -> MeshFile:
    """Read an .obj or a .ply.

    Raises MeshError: trimesh is not installed, no such file, no triangles in it, too few or too many of them, a number
    that is none.
    """
    try:
        import trimesh
    except ModuleNotFoundError:
        raise MeshError("meshes need trimesh; install faceward-sim[mesh]") from None
    try:
        if path.stat().st_size > FILE_CAP_BYTES:
            raise MeshError(f"{path} is larger than {FILE_CAP_BYTES >> 20} MiB; simplify it")
        loaded = trimesh.load_mesh(path, process=False)
    except OSError as error:
        raise MeshError(f"{path} can't be read: {error.strerror or error}") from None
    except MeshError:
        raise
    except Exception as error:  # noqa: BLE001 - the parser raises whatever a broken file brings about
        raise MeshError(f"{path} can't be read as a mesh: {error}") from None
    triangles = np.asarray(getattr(loaded, "faces", ()), np.int64)
    vertices = np.asarray(getattr(loaded, "vertices", ()), np.float64)
    if triangles.ndim != 2 or len(triangles) < FEWEST_TRIANGLES:
        raise MeshError(
            f"{path} has {len(triangles)} triangles; a face needs {FEWEST_TRIANGLES} or more (no point cloud)"
        )
    if len(triangles) > MOST_TRIANGLES:
        raise MeshError(f"{path} has {len(triangles)} triangles; simplify it to {MOST_TRIANGLES} or fewer")
    used, triangles = np.unique(triangles, return_inverse=True)
    vertices = vertices[used]
    if not np.isfinite(vertices).all():
        raise MeshError(f"{path} has a vertex that is no number")
    return MeshFile(path, vertices, triangles.reshape(-1, 3).astype(np.int32))


def units_of(mesh: MeshFile, name: str) -> tuple[str, ...]:
    """Units in which the mesh is as large as a face or a head: the named one, or for "auto" all that would do.

    Raises MeshError: no unit does, or the named one does not.
    """
    extent = float(np.ptp(mesh.vertices, axis=0).max())
    fitting = tuple(each for each, mm in UNITS_MM.items() if SMALLEST_MM <= extent * mm <= LARGEST_MM)
    if name == "auto":
        if not fitting:
            raise MeshError(
                f"{mesh.path} measures {extent:.4g} along its longest side, and no unit makes that a face or a head "
                f"({SMALLEST_MM:.0f} to {LARGEST_MM:.0f} mm); scale it"
            )
        return fitting
    if name not in fitting:
        raise MeshError(
            f"{mesh.path} measures {extent * UNITS_MM[name]:.4g} mm along its longest side; "
            f"a face or a head has {SMALLEST_MM:.0f} to {LARGEST_MM:.0f} mm"
        )
    return (name,)


def axes(forward: str, up: str) -> Floats:
    """The rotation from a file's frame to camera axes: forward goes to -z, up to -y."""
    toward, above = _axis(forward), _axis(up)
    rows = [np.cross(above, toward), -above, -toward]
    return np.array(rows, np.float32)


def _axis(name: str) -> NDArray[np.float64]:
    axis = np.zeros(3)
    axis["xyz".index(name[1])] = 1.0 if name[0] == "+" else -1.0
    return axis


def find_landmarks(
    mesh: MeshFile,
    *,
    units: str = "auto",
    forward: str | None = None,
    up: str | None = None,
    left_eye: tuple[float, float, float] | None = None,
    right_eye: tuple[float, float, float] | None = None,
) -> Landmarks:
    """Take what is given and find the rest.

    Raises MeshError: no unit fits or two do, no face is found in the shape, eyes that are not a person's.
    """
    fitting = units_of(mesh, units)
    given = None if forward is None or up is None else axes(forward, up)
    if given is not None and left_eye is not None and right_eye is not None:
        eyes = np.array([left_eye, right_eye], np.float32)
        human = [each for each in fitting if _why_not_human(given, eyes * UNITS_MM[each]) is None]
        unit = human[0] if human else fitting[0]
        return _of_a_person(mesh, Landmarks(UNITS_MM[unit], given, eyes[0], eyes[1]))
    laid = {each: lay_face(mesh.vertices * UNITS_MM[each], mesh.triangles, given) for each in fitting}
    unit = _unit_that_fits(mesh, laid)
    left, right = (laid[unit].eyes_mm / UNITS_MM[unit]).astype(np.float32)
    return _of_a_person(mesh, Landmarks(UNITS_MM[unit], laid[unit].rotation, left, right))


def _unit_that_fits(mesh: MeshFile, laid: Mapping[str, Laid]) -> str:
    """The one unit in which a face lies on the mesh, no dwarf's and no giant's."""
    sized = {each: fit.misfit_mm for each, fit in laid.items() if fit.sized}
    least_mm = min(sized.values(), default=None)
    if least_mm is None:
        scales = " and ".join(f"{100 * fit.scale:.0f} % in {each}" for each, fit in laid.items())
        raise MeshError(
            f"{mesh.path}: no face is found in its shape (what looks most like one has {scales} of a usual face's "
            f"size, {100 * SMALLEST_SCALE:.0f} to {100 * LARGEST_SCALE:.0f} % are allowed); give units, forward, up, "
            "left_eye and right_eye"
        )
    if least_mm > MISFIT_MM:
        raise MeshError(
            f"{mesh.path}: no face is found in its shape (a head lies on it with {least_mm:.1f} mm left over, "
            f"{MISFIT_MM:.0f} are allowed); give forward, up, left_eye and right_eye"
        )
    fitting = [each for each, misfit_mm in sized.items() if misfit_mm <= min(MISFIT_MM, NEARLY * least_mm)]
    if len(fitting) > 1:
        told = " and ".join(f"in {each} with {laid[each].misfit_mm:.1f} mm left over" for each in fitting)
        raise MeshError(
            f"{mesh.path}: a face lies on it {told}; say which it is in the "
            f"scene's [who.mesh], as units = '{fitting[0]}'"
        )
    return fitting[0]


def _why_not_human(rotation: Floats, eyes_mm: Floats) -> str | None:
    """What is wrong with eyes at these places, if anything."""
    apart_mm = eyes_mm[0] - eyes_mm[1]
    along_mm = float((rotation @ apart_mm)[0])
    if EYES_APART_MM[0] <= along_mm <= EYES_APART_MM[1] and along_mm >= 0.8 * float(np.linalg.norm(apart_mm)):
        return None
    return (
        f"the eyes are {along_mm:.0f} mm apart from the person's right to left; people have "
        f"{EYES_APART_MM[0]:.0f} to {EYES_APART_MM[1]:.0f} mm"
    )


def _of_a_person(mesh: MeshFile, found: Landmarks) -> Landmarks:
    wrong = _why_not_human(found.rotation, np.stack([found.left_eye, found.right_eye]) * found.unit_mm)
    if wrong is not None:
        raise MeshError(f"{mesh.path}: {wrong}. Check units, forward, up and the eyes")
    return found


@dataclass(frozen=True, slots=True)
class MeshMaterial:
    """What a mesh is made of: `draw` gives reflectance and material for a seed and a tone."""

    name: str
    description: str
    draw: Callable[[int, float | None], tuple[float, Material]]


def _skin(seed: int, tone: float | None) -> tuple[float, Material]:
    complexion = draw_complexion(seed, tone)
    return complexion.reflectance, complexion.material


def _silicone(seed: int, tone: float | None) -> tuple[float, Material]:
    silicone = draw_typical_silicone(seed, draw_complexion(seed, tone))
    return silicone.reflectance, silicone.material


def _matched(seed: int, tone: float | None) -> tuple[float, Material]:
    silicone = draw_matched_silicone(seed, draw_complexion(seed, tone))
    return silicone.reflectance, silicone.material


def _solid(
    name: str, reflectance: float, over_range_mm: float, r50_mm: float, r90_mm: float, specular: float, roughness: float
) -> MeshMaterial:
    """A material of the parameter sheet's instrument table; r90, gloss and the draw of 15 % around them are assumed."""

    def draw(seed: int, tone: float | None) -> tuple[float, Material]:
        rng = stream(seed, f"mesh-{name}")
        wide = float(rng.uniform(0.85, 1.15))
        shown = float(np.clip(reflectance * rng.uniform(0.85, 1.15), 0.02, 0.92))
        rough = roughness * float(rng.uniform(0.8, 1.2))
        return shown, Material(
            name, r50_mm * wide, r90_mm * wide, specular, rough, over_range_mm=over_range_mm * wide
        )

    return MeshMaterial(name, f"{name}, reflectance about {reflectance:g} at 940 nm", draw)


MATERIALS: Mapping[str, MeshMaterial] = MappingProxyType(
    {
        each.name: each
        for each in (
            MeshMaterial("skin", "skin of a tone", _skin),
            MeshMaterial("silicone", "typical silicone, 3 mm", _silicone),
            MeshMaterial("silicone-matched", "silicone matched to skin of a tone", _matched),
            _solid("latex", 0.60, 5.4, 0.75, 2.4, 0.04, 0.35),
            _solid("resin", 0.71, 10.3, 1.10, 3.4, 0.05, 0.20),
            _solid("abs", 0.83, 5.0, 0.25, 0.9, 0.05, 0.25),
            _solid("paper", 0.70, 1.3, 0.05, 0.2, 0.03, 0.50),
            _solid("plaster", 0.89, 2.8, 0.05, 0.2, 0.02, 0.70),
        )
    }
)


class MeshHead:
    """A mesh that moves as a head does on a neck: who wears it, or holds it up, obeys the indicator. It is rigid."""

    def __init__(
        self,
        mesh: MeshFile,
        landmarks: Landmarks,
        material: MeshMaterial,
        species: str,
        seed: int,
        distance_mm: float,
        tone: float | None,
    ) -> None:
        self.name = f"mesh:{mesh.path.name}"
        self.species = species
        middle = (landmarks.left_eye + landmarks.right_eye) / 2
        self._rest = ((mesh.vertices - middle) * landmarks.unit_mm @ landmarks.rotation.T).astype(np.float32)
        self._triangles = _outward(self._rest, mesh.triangles)
        self._uv = self._unwrapped()
        reflectance, self._material = material.draw(seed, tone)
        rng = stream(seed, "mesh")
        texture = reflectance * (1 + 0.03 * mottle(rng, _TEXELS, 16, 16) + 0.02 * mottle(rng, _TEXELS, 96, 96))
        self._reflectance = np.clip(texture, 0.02, 0.95).astype(np.float32)
        self._mover = Mover(seed, distance_mm)
        self._room = draw_room(seed)
        self._place = np.array([0.0, -FACE_CENTRE_MM, distance_mm], np.float32)

    def _unwrapped(self) -> Floats:
        """Texture about the vertical axis: what a mesh brings along says nothing of infrared, so it is not taken."""
        turn = np.arctan2(self._rest[:, 0], 80.0 - self._rest[:, 2])
        height = (self._rest[:, 1] - self._rest[:, 1].min()) / max(float(np.ptp(self._rest[:, 1])), 1.0)
        return np.stack([turn / (2 * np.pi) + 0.5, height], axis=1).astype(np.float32)

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        pose = Pose(self._mover.at(time_us / 1e6, prompt), self._place, 1.0)
        surface = Surface(pose.carry(self._rest), self._triangles, self._uv, self._reflectance, self._material)
        return SceneState((surface, *self._room.surfaces), self._room.ambient)


def _outward(vertices: Floats, triangles: NDArray[np.int32]) -> NDArray[np.int32]:
    """Triangles that are counter-clockwise seen from outside: most of a face's front looks at the sensor (-z)."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    front = (a[:, 2] + b[:, 2] + c[:, 2]) / 3 < np.quantile(vertices[:, 2], 0.3)
    towards = float(normals[front, 2].sum())
    return np.ascontiguousarray(triangles if towards < 0 else triangles[:, ::-1])
