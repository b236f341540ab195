"""From names to a sensor with somebody before it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from faceward_sim.faults import FaultyFirmware
from faceward_sim.firmware.imager import Prompt
from faceward_sim.rig import UnknownName, build_firmware, build_scene, named_environment, scene_actor, with_faults
from faceward_sim.scene import Motion, Scene, Script, SensorDraw, Swap, Who
from faceward_sim.world.adaptive import AdaptiveDesign
from faceward_sim.world.environment import Environment
from faceward_sim.world.generators import EVERY, A, B
from faceward_sim.world.motion import Manner
from faceward_sim.world.surface import SceneState


@pytest.mark.parametrize(
    ("sensor", "actor", "message"),
    [
        ("sl-000", "live", r"no sensor 'sl-000'; there are .*sl-940"),
        ("sl-940", "nobody", r"no actor 'nobody'; there are .*live"),
    ],
)
def test_an_unknown_name_is_answered_with_those_that_there_are(sensor, actor, message):
    with pytest.raises(UnknownName, match=message):
        build_firmware(sensor, actor, 1)


@pytest.mark.parametrize("generator", [A, B])
def test_the_names_the_seed_the_distance_the_tone_and_the_generator_reach_their_makers(monkeypatch, imager, generator):
    made = []

    def build_actor(seed, *, distance_mm, tone, generator):
        made.append((seed, distance_mm, tone, generator))
        return "somebody"

    def build_sensor(actor, seed, noise):
        made.append((actor, seed, noise))
        return imager

    actor_spec = SimpleNamespace(description="", build=build_actor)
    sensor_spec = SimpleNamespace(description="", build=build_sensor, generators=EVERY)
    monkeypatch.setattr("faceward_sim.world.actors.ACTORS", {"test-actor": actor_spec})
    monkeypatch.setattr("faceward_sim.optics.sensors.SENSORS", {"test-sensor": sensor_spec})
    firmware = build_firmware("test-sensor", "test-actor", 11, distance_mm=350.0, tone=2.0, generator=generator.name)
    assert firmware.imager is imager
    assert made == [(11, 350.0, 2.0, generator), ("somebody", 11, generator.noise)]


def test_what_a_generator_lacks_is_refused_with_where_it_is_to_be_had():
    with pytest.raises(ValueError, match="generator A has no sensor 'sl-wide-940'; set generator = \"B\""):
        build_firmware("sl-wide-940", "live", 11)
    with pytest.raises(ValueError, match="generator A has no actor 'head-wax'; set generator = \"B\""):
        build_firmware("sl-940", "head-wax", 11)
    with pytest.raises(UnknownName, match="no generator 'C'; there are A, B"):
        build_firmware("sl-940", "live", 11, generator="C")


def test_faults_are_put_around_a_firmware_by_name(firmware):
    assert with_faults(firmware, []) is firmware
    assert isinstance(with_faults(firmware, ["silent:3", "busy"]), FaultyFirmware)
    with pytest.raises(UnknownName, match="no fault 'rain'"):
        with_faults(firmware, ["rain"])


@pytest.fixture
def made(monkeypatch, imager):
    """Actors and sensors that note with what they were made; actors also what they are told."""
    noted = []

    class Told:
        name, species = "told", "live"

        def __init__(self, seed, distance_mm, tone, generator):
            noted.append((seed, distance_mm, tone, generator.name))
            self.seed = seed

        def at(self, time_us, prompt):
            noted.append((self.seed, time_us, prompt))
            return SceneState((), 0.01)

    def build(seed, *, distance_mm=400.0, tone=None, generator):
        return Told(seed, distance_mm, tone, generator)

    def build_sensor(actor, unit, noise):
        noted.append((type(actor).__name__, unit, noise))
        return imager

    monkeypatch.setattr("faceward_sim.world.actors.ACTORS", {"told": SimpleNamespace(build=build)})
    monkeypatch.setattr(
        "faceward_sim.optics.sensors.SENSORS", {"test": SimpleNamespace(build=build_sensor, generators=EVERY)}
    )
    return noted


def scene(**parts):
    return Scene(
        **{"seed": 11, "who": Who(actor="told", tone=2.0), "sensor": SensorDraw(model="test", unit=5), **parts}
    )


def test_a_plain_scene_is_the_actor_and_the_unit_that_it_names(made, imager):
    firmware = build_scene(scene(environment=Environment(distance_mm=350.0), generator="B"))
    assert firmware.imager is imager
    assert made[:2] == [(11, 350.0, 2.0, "B"), ("Told", 5, B.noise)]


def test_a_scene_with_faults_has_them_around_its_firmware(made):
    assert isinstance(build_scene(scene(script=Script(faults=("silent:3",)))), FaultyFirmware)


def test_a_swap_happens_before_directions_and_the_place_holds_for_both(made):
    script = Script(
        obeys=("smile",),
        motions=(Motion(motion="turn-left", at_s=2.0, lasts_s=1.0),),
        swap=Swap(actor="told", seed=12, at_s=1.5),
    )
    actor = scene_actor(scene(script=script, environment=Environment("dark", yaw_deg=10.0), generator="B"))
    assert actor.at(0, Prompt.TURN_RIGHT).ambient == 0
    actor.at(2_000_000, Prompt.TURN_RIGHT)
    assert made == [
        (11, 400.0, 2.0, "B"), (12, 400.0, None, "B"), (11, 0, Prompt.NONE), (12, 0, Prompt.NONE),
        (11, 2_000_000, Prompt.TURN_LEFT), (12, 2_000_000, Prompt.TURN_LEFT),
    ]  # fmt: skip


def test_a_design_is_worn_in_the_manner_that_it_says(monkeypatch):
    worn = []
    monkeypatch.setattr("faceward_sim.world.wearers.MaskWearer", lambda *given, **named: worn.append((given, named)))
    design = AdaptiveDesign(late_s=0.4, sway_share=0.5, turn_share=0.9, hole_mm=5.0)
    who = Who(actor="mask-adaptive", tone=2.0, design=design)
    scene_actor(scene(who=who, environment=Environment(distance_mm=350.0)))
    (mask, *given), named = worn[0]
    assert [mask.species, *given] == ["mask-adaptive", 11, 350.0, 2.0, A]
    assert mask.hole_mm[0] < 5.0 < mask.hole_mm[1]
    assert named == {"manner": Manner(0.4, 0.5, 0.9)}


def test_a_scene_that_names_what_is_not_there_says_what_is(made):
    with pytest.raises(UnknownName, match="no sensor 'sl-000'; there are test"):
        build_scene(scene(sensor=SensorDraw(model="sl-000", unit=1)))


def test_the_environment_stands_around_the_actor_and_a_distance_overrides_its_own(monkeypatch, imager):
    made = []
    actor_spec = SimpleNamespace(
        description="",
        build=lambda seed, *, distance_mm, tone, generator: SimpleNamespace(
            name="a", species="live", distance_mm=distance_mm
        ),
    )
    sensor_spec = SimpleNamespace(
        description="", build=lambda actor, *unit: made.append(actor) or imager, generators=EVERY
    )
    monkeypatch.setattr("faceward_sim.world.actors.ACTORS", {"test-actor": actor_spec})
    monkeypatch.setattr("faceward_sim.optics.sensors.SENSORS", {"test-sensor": sensor_spec})
    build_firmware("test-sensor", "test-actor", 11)
    build_firmware("test-sensor", "test-actor", 11, environment=Environment(distance_mm=300.0))
    build_firmware("test-sensor", "test-actor", 11, distance_mm=350.0, environment=Environment(distance_mm=300.0))
    assert [actor.distance_mm for actor in made] == [400.0, 300.0, 350.0]
    build_firmware("test-sensor", "test-actor", 11, environment=Environment("sun"))
    assert not hasattr(made[-1], "distance_mm") and made[-1].species == "live"


def test_a_light_is_found_by_its_name():
    assert named_environment("window") == Environment("window")
    with pytest.raises(UnknownName, match="no light 'moon'; there are dark"):
        named_environment("moon")
