"""Another unit's calibration, on the cable or in the flash: relief and the spread of a dot are measured by it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from faceward.enrollment import enroll
from faceward.errors import DeviceError, FacewardError
from faceward.host import Host
from faceward_sim.faults import Fault, inject
from faceward_sim.firmware.setup import Setup
from faceward_sim.rig import build_firmware


class OnTheWay(Fault):
    """Changes one bit of the Nth reply that is longer than a capability, whatever it holds."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.changed = False

    def control(self, packet: Setup, answer: Callable[[], bytes]) -> bytes:
        data = answer()
        if packet.is_in and packet.type == 1 and len(data) > 48:
            self.left -= 1
            if self.left == 0:
                self.changed = True
                middle = len(data) // 2
                return bytes([*data[:middle], data[middle] ^ 1, *data[middle + 1 :]])
        return data


@pytest.mark.parametrize("number", range(1, 5))
def test_a_reply_that_is_changed_on_the_cable_opens_no_sensor(
    host_before: Callable[..., Host], keeps_the_promise: Callable[..., None], number: int
) -> None:
    meddler = OnTheWay(number)
    host = host_before(firmware=inject(build_firmware("sl-940", "live", 7), meddler))

    with pytest.raises(DeviceError):
        enroll(host, "mallory")

    assert meddler.changed
    keeps_the_promise(host, attempts=[])


@pytest.mark.e2e
def test_another_units_calibration_in_the_flash_makes_no_mask_alive(
    host_before: Callable[..., Host], seed: int, record_property: Callable[[str, object], None]
) -> None:
    host = host_before("mask-silicone", seed, faults=["swapped-calibration"])

    with pytest.raises(FacewardError) as refused:
        enroll(host, "mallory", retries=False)

    record_property("found", f"a silicone mask with another unit's calibration: {refused.value.code}")
    assert host.templates.list() == ()
