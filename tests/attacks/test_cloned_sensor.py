"""A camera with the VID, PID, serial number and words of a sensor that somebody trusts."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest
from faceward.enrollment import enroll
from faceward.errors import DeviceNotAttested
from faceward.host import Host
from faceward_sim.firmware.chain import GENUINE, Provision, StartedFirmware, start
from faceward_sim.firmware.device import Firmware
from faceward_sim.firmware.keys import KeyPair
from faceward_sim.rig import build_firmware


class Impostor(Firmware):
    """Shows a chain that it has seen on some bus; the keys at its end are its own."""

    @property
    def _started(self) -> StartedFirmware:
        seen = start(self.imager.identity, GENUINE)
        own = KeyPair(secrets.randbelow(1 << 255) + 1)
        return StartedFirmware(seen.chain, own, own)


def _without_proof(seed: int) -> Firmware:
    return build_firmware("sl-940", "live", seed, provision=None)


def _of_another_root(seed: int) -> Firmware:
    return build_firmware("sl-940", "live", seed, provision=Provision(root=secrets.randbelow(1 << 255) + 1))


def _with_a_chain_that_it_has_seen(seed: int) -> Firmware:
    return Impostor(build_firmware("sl-940", "live", seed).imager)


@pytest.mark.parametrize(
    ("clone", "words"),
    [
        (_without_proof, "claims nothing"),
        (_of_another_root, "certified by none of the trusted roots"),
        (_with_a_chain_that_it_has_seen, "does not have the key that its chain names"),
    ],
    ids=["without-proof", "another-root", "seen-chain"],
)
def test_a_clone_is_refused_before_an_attempt_is_spent(
    host_before: Callable[..., Host],
    keeps_the_promise: Callable[..., None],
    clone: Callable[[int], Firmware],
    words: str,
) -> None:
    real, cloned = build_firmware("sl-940", "live", 7), clone(7)
    assert cloned.imager.identity == real.imager.identity
    assert cloned.descriptors.device == real.descriptors.device
    host = host_before(firmware=cloned)

    with pytest.raises(DeviceNotAttested, match=words):
        enroll(host, "mallory")

    keeps_the_promise(host, attempts=[])
