"""Scenes as files: what is written is read back, and what is wrong is told by key."""

from __future__ import annotations

import pytest
from faceward_sim.faults import FAULTS
from faceward_sim.scene import (
    MOTIONS,
    PROMPTS,
    SEED_CAP,
    MeshLook,
    Motion,
    Scene,
    Script,
    SensorDraw,
    Swap,
    Who,
    load_scene,
    parse_scene,
    scene_text,
)
from faceward_sim.tables import TableError
from faceward_sim.world.actors import ACTORS
from faceward_sim.world.adaptive import BOUNDS, MASK_ADAPTIVE, AdaptiveDesign
from faceward_sim.world.environment import LIGHTS, Environment
from faceward_sim.world.generators import EVERY
from faceward_sim.world.meshes import MATERIALS
from hypothesis import given, settings
from hypothesis import strategies as st

seeds = st.integers(0, SEED_CAP)


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False)


eyes = st.tuples(*[numbers(-1000, 1000)] * 3)
axes = st.sampled_from([("+z", "+y"), ("-x", "+z"), ("+y", "-x")])


@st.composite
def mesh_looks(draw):
    given_axes = draw(st.none() | axes)
    given_eyes = draw(st.none() | st.tuples(eyes, eyes)) if given_axes else None
    return MeshLook(
        material=draw(st.sampled_from(sorted(MATERIALS))),
        species=draw(st.sampled_from(["live", "plaster-head"])),
        units=draw(st.sampled_from(["auto", "mm", "inch"])),
        forward=given_axes[0] if given_axes else None,
        up=given_axes[1] if given_axes else None,
        left_eye=given_eyes[0] if given_eyes else None,
        right_eye=given_eyes[1] if given_eyes else None,
    )


OF_BOTH = sorted(name for name, spec in ACTORS.items() if spec.generators == EVERY)
people = st.builds(
    Who, actor=st.sampled_from(OF_BOTH), tone=st.none() | numbers(1, 4), mesh=st.none()
) | st.builds(
    Who,
    actor=st.just(MASK_ADAPTIVE),
    tone=st.none() | numbers(1, 4),
    design=st.builds(AdaptiveDesign, **{name: numbers(bound.low, bound.high) for name, bound in BOUNDS.items()}),
)
meshes = st.builds(
    Who,
    actor=st.sampled_from(["mesh:head.obj", 'mesh:../käthe "2".ply', "mesh:\U0001f600.ply"]),
    tone=st.none() | numbers(1, 4),
    mesh=mesh_looks(),
)
scripts = st.builds(
    Script,
    obeys=st.none() | st.lists(st.sampled_from(sorted(PROMPTS)), unique=True).map(tuple),
    late_s=numbers(0, 60),
    motions=st.lists(
        st.builds(Motion, motion=st.sampled_from(MOTIONS), at_s=numbers(0, 99), lasts_s=numbers(0, 9)), max_size=3
    ).map(tuple),
    swap=st.none() | st.builds(Swap, actor=st.sampled_from(OF_BOTH), seed=seeds, at_s=numbers(0, 99)),
    faults=st.lists(st.sampled_from(sorted(FAULTS)), max_size=2).map(tuple),
)
environments = st.builds(
    Environment,
    distance_mm=numbers(100, 2000),
    yaw_deg=numbers(-60, 60),
    pitch_deg=numbers(-60, 60),
    light=st.sampled_from(sorted(LIGHTS)),
)
scenes = st.builds(
    Scene,
    seed=seeds,
    generator=st.sampled_from(EVERY),
    who=people,
    sensor=st.builds(SensorDraw, model=st.just("sl-940"), unit=seeds),
    environment=environments,
    script=scripts,
) | st.builds(
    Scene,
    seed=seeds,
    who=meshes,
    sensor=st.builds(SensorDraw, model=st.just("sl-940"), unit=seeds),
    environment=environments,
    script=scripts,
)


@settings(deadline=None)
@given(scenes)
def test_a_scene_is_read_as_it_was_written(scene):
    assert parse_scene(scene_text(scene)) == scene


@settings(deadline=None)
@given(st.text(max_size=120))
def test_whatever_a_text_holds_it_is_a_scene_or_a_table_error(text):
    try:
        scene = parse_scene(text)
    except TableError as error:
        assert str(error)
    else:
        assert scene.seed >= 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[who]\nactor = "head-wax"', "who.actor: generator A has no actor 'head-wax'; set generator = \"B\""),
        ('[sensor]\nmodel = "sl-wide-940"', "sensor.model: generator A has no sensor 'sl-wide-940'"),
        ('[script.swap]\nactor = "mask-fabric"\nseed = 1\nat_s = 1.0', "script.swap.actor: generator A has no actor"),
    ],
)
def test_what_only_generator_b_has_is_refused_in_a_and_read_in_b(text, told):
    for generator in ("", 'generator = "A"\n'):
        with pytest.raises(TableError, match=told):
            parse_scene(f"seed = 1\n{generator}{text}")
    assert parse_scene(f'seed = 1\ngenerator = "B"\n{text}').generator == "B"


def test_there_is_no_third_generator_and_b_takes_no_mesh():
    with pytest.raises(TableError, match="generator: 'C' is none of A, B"):
        parse_scene('seed = 1\ngenerator = "C"')
    with pytest.raises(TableError, match=r"who\.actor: a mesh is drawn by generator A alone"):
        parse_scene('seed = 1\ngenerator = "B"\n[who]\nactor = "mesh:head.obj"')


def test_a_seed_alone_is_a_scene_whose_sensor_is_the_unit_of_that_seed():
    assert parse_scene("seed = 10012") == Scene(seed=10012, sensor=SensorDraw(unit=10012))


def test_where_to_stand_is_the_designs_unless_the_scene_says_otherwise():
    text = "seed = 10012\n[who]\nactor = 'mask-adaptive'\n"
    assert parse_scene(text).who.design == AdaptiveDesign()
    text += "[who.design]\ndistance_mm = 333.0\n"
    assert parse_scene(text).environment.distance_mm == 333.0
    assert parse_scene(text + "[environment]\ndistance_mm = 500.0").environment.distance_mm == 500.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "seed: is missing"),
        ("seed = -1", "seed: -1 is not between 0"),
        ("seed = 1\nsede = 2", "sede: no such key"),
        ("seed = 1\n[who]\nactor = 'nobody'", "who.actor: no actor 'nobody'; there are empty, head-foam"),
        ("seed = 1\n[who]\nactor = 'mesh:a.stl'", r"who.actor: 'mesh:a\.stl' is neither"),
        ("seed = 1\n[who.mesh]\nmaterial = 'skin'", "who.mesh: only an actor"),
        ("seed = 1\n[who]\nactor = 'mesh:a.obj'", "who.mesh.material: is missing"),
        ("seed = 1\n[who]\ntone = 5.0", "who.tone: 5 is not between 1 and 4"),
        ("seed = 1\n[sensor]\nmodel = 'sl-9400'", r"sensor.model: .* \(did you mean sl-940\?\)"),
        ("seed = 1\n[environment]\ndistance_mm = 50", "environment.distance_mm: 50 is not between 100 and 2000"),
        ("seed = 1\n[script]\nobeys = ['turn']", "script.obeys: 'turn' is none of"),
        ("seed = 1\n[script]\nfaults = ['rain']", "script.faults: no fault 'rain'"),
        ("seed = 1\n[[script.motions]]\nmotion = 'fly'", r"script.motions\[0\].motion: 'fly' is none of"),
        ("seed = 1\n[script.swap]\nactor = 'mesh:a.obj'\nseed = 1\nat_s = 1.0", "swap.actor: a mesh or a design can't"),
        ("seed = 1\n[script.swap]\nactor = 'mask-adaptive'\nseed = 1\nat_s = 1.0", "swap.actor: a mesh or a design"),
        ("seed = 1\n[who.design]\nwash = 1.0", 'who.design: only an actor "mask-adaptive" has it'),
        ("seed = 1\n[who]\nactor = 'mask-adaptive'\n[who.design]\nwash = 9.0", "who.design.wash: 9 is not between"),
    ],
)
def test_what_is_wrong_is_told_by_key(text, told):
    with pytest.raises(TableError, match=told):
        parse_scene(text)


@pytest.mark.parametrize(
    ("given_keys", "told"),
    [
        ("forward = '+z'", "forward and up are given together"),
        ("forward = '+z'\nup = '-z'", "lie on one axis"),
        ("forward = '+z'\nup = '+y'\nleft_eye = [1, 2, 3]", "both eyes are given"),
        ("left_eye = [1, 2, 3]\nright_eye = [1, 2, 4]", "together with forward and up"),
    ],
)
def test_half_an_orientation_is_refused(given_keys, told):
    text = "seed = 1\n[who]\nactor = 'mesh:a.obj'\n[who.mesh]\nmaterial = 'skin'\nspecies = 'live'\n"
    with pytest.raises(TableError, match=told):
        parse_scene(text + given_keys)


def test_a_file_is_named_in_its_errors_and_its_folder_is_where_meshes_are(tmp_path):
    path = tmp_path / "scene.toml"
    path.write_text("seed = 10001")
    assert load_scene(path).folder == tmp_path
    path.write_text("seed = 'x'")
    with pytest.raises(TableError, match=r"scene\.toml: seed: 'x' is not a whole number"):
        load_scene(path)
