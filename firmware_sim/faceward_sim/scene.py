"""A scene: who or what stands before which unit of which sensor, where, and what happens. A small TOML file with a seed.

    seed = 4711
    generator = "A"           # or "B", which no gate was tuned on

    [who]
    actor = "live"            # `faceward-sim actors`, or "mesh:FILE.obj", "mesh:FILE.ply" beside this file
    tone = 2.5                # of living skin, 1 (I-II) to 4 (VI); drawn from the seed if left out

    [who.design]              # of an actor "mask-adaptive" alone: what it differs in from the usual design
    mu_s_reduced_per_mm = 2.4 # `faceward_sim.world.adaptive` has every property, with its bounds

    [sensor]
    model = "sl-940"          # `faceward-sim sensors`
    unit = 12                 # which unit; the scene's seed if left out

    [environment]
    light = "indoor"          # `faceward-sim lights`; the seed draws where it comes from
    distance_mm = 400.0
    yaw_deg = 10.0            # the sensor looks from the person's left
    pitch_deg = -5.0          # and from below

    [script]
    obeys = ["turn-left"]     # which prompts are answered; every one if left out, or "none"
    late_s = 0.5              # beyond the person's own reaction
    faults = ["unplug:40"]    # `faceward-sim faults`

    [[script.motions]]        # what nobody asked for
    motion = "turn-right"
    at_s = 3.0                # since the sensor was powered
    lasts_s = 1.5

    [script.swap]             # somebody else takes the place
    actor = "live"
    seed = 4712
    at_s = 6.0

Everything but `seed` may be left out. The same file is always the same scene.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from faceward_sim.faults import parse_fault
from faceward_sim.firmware.imager import Prompt
from faceward_sim.tables import Table, TableError, parse_table, read_table, write_table
from faceward_sim.world.adaptive import BOUNDS, MASK_ADAPTIVE, AdaptiveDesign
from faceward_sim.world.environment import LIGHTS, Environment

SEED_CAP = 2**53
MESH_PREFIX = "mesh:"
DEFAULT_GENERATOR = "A"
UNITS = ("auto", "mm", "cm", "m", "inch")
AXES = ("+x", "-x", "+y", "-y", "+z", "-z")
PROMPTS = {prompt.name.lower().replace("_", "-"): prompt for prompt in Prompt if prompt is not Prompt.NONE}
MOTIONS = ("turn-left", "turn-right", "look-up", "look-down", "smile", "move-closer", "move-back", "hold-still")

_LONGEST_S = 3600.0
_EYE_REACH = 1e5


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshLook:
    """How a mesh from elsewhere is to be taken. Axes and eyes are in the file's own frame and units; None: found."""

    material: str
    species: str  # "live", or the attack species that it counts as
    units: str = "auto"
    forward: str | None = None  # where the face looks, one of AXES
    up: str | None = None
    left_eye: tuple[float, float, float] | None = None  # the person's own left
    right_eye: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Somebody or something by name; `mesh` says more where the name is a mesh's, `design` where it is MASK_ADAPTIVE."""

    actor: str = "live"
    tone: float | None = None
    mesh: MeshLook | None = None
    design: AdaptiveDesign | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorDraw:
    """One unit of a kind of sensor."""

    model: str = "sl-940"
    unit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """Something that is done unasked, in place of what the indicator shows."""

    motion: str
    at_s: float
    lasts_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Somebody else in the same place from a moment on."""

    actor: str
    seed: int
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What happens. `obeys` None: every prompt."""

    obeys: tuple[str, ...] | None = None
    late_s: float = 0.0
    motions: tuple[Motion, ...] = ()
    swap: Swap | None = None
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One scene, wholly fixed by its values. `folder` is where the names of meshes are looked up."""

    seed: int
    sensor: SensorDraw
    generator: str = DEFAULT_GENERATOR
    who: Who = field(default_factory=Who)
    environment: Environment = field(default_factory=Environment)
    script: Script = field(default_factory=Script)
    folder: Path = field(default=Path(), compare=False)


def load_scene(path: Path) -> Scene:
    """Read a scene's file. Raises TableError, naming file and key."""
    table = read_table(path)
    try:
        return replace(_scene(table), folder=path.parent)
    except TableError as error:
        raise TableError(f"{path}: {error}") from None


def parse_scene(text: str) -> Scene:
    """Read a scene. Raises TableError, naming the key."""
    return _scene(parse_table(text))


def scene_text(scene: Scene) -> str:
    """The scene as a file holds it: `parse_scene` gives the same back."""
    values: dict[str, Any] = asdict(scene)
    del values["folder"]
    # To obey nothing is a statement, unlike an empty list of anything else, which is not written.
    if scene.script.obeys == ():
        values["script"]["obeys"] = "none"
    return write_table(values)


def _scene(root: Table) -> Scene:
    # Worlds compile code when they are imported.
    from faceward_sim.world.generators import GENERATORS

    seed = root.whole("seed", low=0, high=SEED_CAP)
    generator = root.choice("generator", tuple(GENERATORS), DEFAULT_GENERATOR)
    sensor = _sensor(root.table("sensor"), seed, generator)
    who = _who(root.table("who"), generator)
    environment = _environment(root.table("environment"), who)
    script = _script(root.table("script"), generator)
    root.finish()
    return Scene(seed=seed, generator=generator, who=who, sensor=sensor, environment=environment, script=script)


def _who(table: Table, generator: str) -> Who:
    actor = table.text("actor", "live")
    _check_actor(table, "actor", actor, generator)
    tone = table.number("tone", low=1.0, high=4.0) if table.may("tone") else None
    mesh = None
    if actor.startswith(MESH_PREFIX):
        mesh = _mesh(table.table("mesh"))
    elif table.has("mesh"):
        raise table.error("mesh", f'only an actor "{MESH_PREFIX}FILE" has it')
    design = None
    if actor == MASK_ADAPTIVE:
        design = read_design(table.table("design"))
    elif table.has("design"):
        raise table.error("design", f'only an actor "{MASK_ADAPTIVE}" has it')
    table.finish()
    return Who(actor=actor, tone=tone, mesh=mesh, design=design)


def read_design(table: Table) -> AdaptiveDesign:
    """A design; what is left out is as usual. Raises TableError."""
    usual = AdaptiveDesign()
    values = {
        name: table.number(name, getattr(usual, name), low=bound.low, high=bound.high) for name, bound in BOUNDS.items()
    }
    table.finish()
    return AdaptiveDesign(**values)


def _check_actor(table: Table, key: str, actor: str, generator: str) -> None:
    # Worlds compile code when they are imported.
    from faceward_sim.world.actors import ACTORS

    if actor.startswith(MESH_PREFIX):
        if Path(actor).suffix.lower() not in (".obj", ".ply"):
            raise table.error(key, f"{actor!r} is neither an .obj nor a .ply")
        if generator != DEFAULT_GENERATOR:
            raise table.error(key, f"a mesh is drawn by generator {DEFAULT_GENERATOR} alone; leave generator out")
    elif actor not in (*ACTORS, MASK_ADAPTIVE):
        names = ", ".join(sorted((*ACTORS, MASK_ADAPTIVE)))
        raise table.error(key, f'no actor {actor!r}; there are {names}, and "{MESH_PREFIX}FILE"')
    elif actor != MASK_ADAPTIVE:
        check_drawn(table, key, "actor", actor, ACTORS[actor].generators, generator)


def check_drawn(table: Table, key: str, what: str, name: str, generators: tuple[str, ...], generator: str) -> None:
    """Refuse what a generator lacks. Raises TableError, naming the key."""
    from faceward_sim.world.generators import GENERATORS, check_belongs

    try:
        check_belongs(what, name, generators, GENERATORS[generator])
    except ValueError as error:
        raise table.error(key, str(error)) from None


def _mesh(table: Table) -> MeshLook:
    from faceward_sim.world.meshes import MATERIALS

    look = MeshLook(
        material=table.choice("material", MATERIALS),
        species=table.text("species", form=r"[a-z0-9]+(-[a-z0-9]+)*"),
        units=table.choice("units", UNITS, "auto"),
        **{key: table.choice(key, AXES) for key in ("forward", "up") if table.may(key)},
        **{key: table.vector(key, reach=_EYE_REACH) for key in ("left_eye", "right_eye") if table.may(key)},
    )
    if (look.forward is None) != (look.up is None):
        raise table.error("forward", "forward and up are given together, or found together")
    if look.forward is not None and look.up is not None and look.forward[1] == look.up[1]:
        raise table.error("up", "forward and up lie on one axis")
    if (look.left_eye is None) != (look.right_eye is None):
        raise table.error("left_eye", "both eyes are given, or both are found")
    if look.left_eye is not None and look.forward is None:
        raise table.error("left_eye", "eyes are given together with forward and up")
    table.finish()
    return look


def _sensor(table: Table, seed: int, generator: str) -> SensorDraw:
    from faceward_sim.optics.sensors import SENSORS

    drawn = SensorDraw(
        model=table.choice("model", SENSORS, "sl-940"), unit=table.whole("unit", seed, low=0, high=SEED_CAP)
    )
    check_drawn(table, "model", "sensor", drawn.model, SENSORS[drawn.model].generators, generator)
    table.finish()
    return drawn


def _environment(table: Table, who: Who) -> Environment:
    # Where to stand is part of a design; a scene that names another distance has its way.
    usual_mm = 400.0 if who.design is None else who.design.distance_mm
    environment = Environment(
        light=table.choice("light", LIGHTS, "indoor"),
        distance_mm=table.number("distance_mm", usual_mm, low=100.0, high=2000.0),
        yaw_deg=table.number("yaw_deg", 0.0, low=-60.0, high=60.0),
        pitch_deg=table.number("pitch_deg", 0.0, low=-60.0, high=60.0),
    )
    table.finish()
    return environment


def _script(table: Table, generator: str) -> Script:
    obeys: tuple[str, ...] | None = None
    if table.may("obeys"):
        obeys = () if table.is_text("obeys", "none") else table.choices("obeys", PROMPTS)
    swap = _swap(table.table("swap"), generator) if table.may("swap") else None
    script = Script(
        obeys=obeys,
        late_s=table.number("late_s", 0.0, low=0.0, high=60.0),
        motions=tuple(_motion(each) for each in table.tables("motions")),
        swap=swap,
        faults=table.texts("faults", parse_fault),
    )
    table.finish()
    return script


def _motion(table: Table) -> Motion:
    motion = Motion(
        motion=table.choice("motion", MOTIONS),
        at_s=table.number("at_s", low=0.0, high=_LONGEST_S),
        lasts_s=table.number("lasts_s", low=0.0, high=_LONGEST_S),
    )
    table.finish()
    return motion


def _swap(table: Table, generator: str) -> Swap:
    actor = table.text("actor")
    _check_actor(table, "actor", actor, generator)
    if actor.startswith(MESH_PREFIX) or actor == MASK_ADAPTIVE:
        raise table.error("actor", "a mesh or a design can't take another's place; name an actor")
    swap = Swap(
        actor=actor,
        seed=table.whole("seed", low=0, high=SEED_CAP),
        at_s=table.number("at_s", low=0.0, high=_LONGEST_S),
    )
    table.finish()
    return swap
