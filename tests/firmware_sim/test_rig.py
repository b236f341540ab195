"""From names to a sensor with somebody before it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from faceward_sim.faults import FaultyFirmware
from faceward_sim.rig import UnknownName, build_firmware, named_environment, with_faults
from faceward_sim.world.environment import Environment


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


def test_the_names_the_seed_the_distance_and_the_tone_reach_their_makers(monkeypatch, imager):
    made = []

    def build_actor(seed, *, distance_mm, tone):
        made.append((seed, distance_mm, tone))
        return "somebody"

    def build_sensor(actor, seed):
        made.append((actor, seed))
        return imager

    actor_spec = SimpleNamespace(description="", build=build_actor)
    sensor_spec = SimpleNamespace(description="", build=build_sensor)
    monkeypatch.setattr("faceward_sim.world.actors.ACTORS", {"test-actor": actor_spec})
    monkeypatch.setattr("faceward_sim.optics.sensors.SENSORS", {"test-sensor": sensor_spec})
    firmware = build_firmware("test-sensor", "test-actor", 11, distance_mm=350.0, tone=2.0)
    assert firmware.imager is imager
    assert made == [(11, 350.0, 2.0), ("somebody", 11)]


def test_faults_are_put_around_a_firmware_by_name(firmware):
    assert with_faults(firmware, []) is firmware
    assert isinstance(with_faults(firmware, ["silent:3", "busy"]), FaultyFirmware)
    with pytest.raises(UnknownName, match="no fault 'rain'"):
        with_faults(firmware, ["rain"])


def test_the_environment_stands_around_the_actor_and_a_distance_overrides_its_own(monkeypatch, imager):
    made = []
    actor_spec = SimpleNamespace(
        description="",
        build=lambda seed, *, distance_mm, tone: SimpleNamespace(name="a", species="live", distance_mm=distance_mm),
    )
    sensor_spec = SimpleNamespace(description="", build=lambda actor, seed: made.append(actor) or imager)
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
