"""From names to a sensor with somebody before it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from faceward_sim.faults import FaultyFirmware
from faceward_sim.rig import UnknownName, build_firmware, with_faults


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
