"""The camera's two habits are corrected, on the wire, and nothing else is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import usb.core
from acme_depthcam.driver import EXPOSURE_MAX_US, GAIN_MAX, AcmeDriver, AcmeSensor
from faceward.plugin import Illumination, IlluminationSchedule, Prompt, Sensor, SensorAddress, Slot

ADDRESS = SensorAddress("usb:1209:0002", 0x1209, 0x0002, "", "Acme depth camera", "acme-depthcam")
SLOTS = bytes([Illumination.FLOOD] * 40)


@pytest.fixture
def sensor(faceward_sim_device: Callable[..., Any]) -> Iterator[Sensor]:
    """A simulated sensor with the camera's ids, opened by its driver."""
    backend = faceward_sim_device(actor="live", seed=1, faults=["wrong-ids"])
    device = usb.core.find(idVendor=0x1209, idProduct=0x0002, backend=backend)
    with AcmeDriver().open(device, ADDRESS) as opened:
        yield opened


def slots(sensor: Sensor, count: int) -> list[Slot]:
    smallest = min(sensor.info.profiles, key=lambda profile: profile.width_px)
    sensor.start(smallest, IlluminationSchedule(bytes(8), SLOTS))
    found = [sensor.read_slot() for _ in range(count)]
    sensor.stop()
    return found


def test_long_exposures_become_short_ones_with_gain(sensor: Sensor) -> None:
    sensor.set_exposure(2 * EXPOSURE_MAX_US)
    last = slots(sensor, 4)[-1].infrared
    assert last.exposure_us == EXPOSURE_MAX_US
    assert last.gain == pytest.approx(2.0)


def test_gain_stays_where_the_converter_is_linear(sensor: Sensor) -> None:
    sensor.set_exposure(100 * EXPOSURE_MAX_US)
    last = slots(sensor, 4)[-1].infrared
    assert last.exposure_us == EXPOSURE_MAX_US
    assert last.gain == pytest.approx(GAIN_MAX)


def test_short_exposures_are_left_as_they_are(sensor: Sensor) -> None:
    sensor.set_exposure(1500, 1.5)
    last = slots(sensor, 4)[-1].infrared
    assert last.exposure_us == 1500
    assert last.gain == pytest.approx(1.5)


class Listening(AcmeSensor):
    """What the camera is told, in place of the camera."""

    def __init__(self, opened: Sensor) -> None:
        super().__init__(opened)
        self.heard: list[Prompt] = []

    def indicate(self, prompt: Prompt, *, timeout_s: float = 1.0) -> None:
        self.heard.append(prompt)


def test_left_and_right_are_exchanged_and_no_other_prompt_is(sensor: Sensor) -> None:
    camera = Listening(sensor)
    for prompt in Prompt:
        AcmeSensor(camera).indicate(prompt)
    exchanged = {Prompt.TURN_LEFT: Prompt.TURN_RIGHT, Prompt.TURN_RIGHT: Prompt.TURN_LEFT}
    assert camera.heard == [exchanged.get(prompt, prompt) for prompt in Prompt]


def test_the_sensor_says_who_opened_it(sensor: Sensor) -> None:
    assert sensor.info.driver == "acme-depthcam"
    assert sensor.health().faults == ()
