"""An old firmware, a changed one, an old policy, an old epoch: what was good once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from faceward.enrollment import enroll
from faceward.errors import DeviceNotAttested
from faceward.host import Host
from faceward_proto.attestation import FirmwareFloor, simulator_root, verify_chain
from faceward_proto.errors import Revoked
from faceward_proto.trust import TrustStore
from faceward_sim.firmware.chain import Provision, start
from faceward_sim.rig import build_firmware

from tests.attacks.records import Enrolled, record_of


def floor_of(record: object, minimum: int) -> FirmwareFloor:
    return FirmwareFloor(record.sensor.vendor, record.sensor.model, minimum)


def test_a_lock_refuses_firmware_below_its_floor(enrolled: Enrolled) -> None:
    record = record_of(enrolled.alice.envelope)
    for minimum, verdict in ((1, "taken"), (2, "untrusted-sensor")):
        trust = enrolled.trust(firmware=(floor_of(record, minimum),))
        assert enrolled.verdict(enrolled.alice.envelope, trust) == verdict


def test_a_host_refuses_it_before_an_attempt_is_spent(
    host_before: Callable[..., Host], keeps_the_promise: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    firmware = build_firmware("sl-940", "live", 7, provision=Provision(security_version=1))
    identity = firmware.imager.identity
    host = host_before(firmware=firmware)
    believed = host.trust()

    def trust(self: Host, **options: object) -> TrustStore:
        return replace(believed, firmware=(FirmwareFloor(identity.vendor, identity.model, 2),))

    monkeypatch.setattr(Host, "trust", trust)
    with pytest.raises(DeviceNotAttested, match="security version 1, and 2 is the lowest"):
        enroll(host, "mallory")
    keeps_the_promise(host, attempts=[])


def test_a_changed_firmware_has_other_keys_and_says_so_under_the_devices_signature() -> None:
    identity = build_firmware("sl-940", "live", 7).imager.identity
    changed = hashlib.sha256(b"a patched image").digest()
    genuine, patched = (start(identity, Provision(firmware_hash=image)) for image in (None, changed))
    roots = [simulator_root()]
    proven = [verify_chain(started.chain, roots) for started in (genuine, patched)]
    assert proven[0].device_key == proven[1].device_key
    assert proven[0].signing_key != proven[1].signing_key
    assert proven[1].firmware_hash == changed
    # Who learns of it revokes the key that the changed image signs with, and no other.
    revoked = frozenset({proven[1].signing_key.digest})
    assert verify_chain(genuine.chain, roots, revoked_keys=revoked).serial == identity.serial
    with pytest.raises(Revoked):
        verify_chain(patched.chain, roots, revoked_keys=revoked)


def test_a_lock_refuses_a_policy_or_an_epoch_that_is_over(enrolled: Enrolled) -> None:
    record = record_of(enrolled.alice.envelope)
    pinned = enrolled.trust(policy_hashes=frozenset({record.policy_hash}))
    assert enrolled.verdict(enrolled.alice.envelope, pinned) == "taken"
    newer = enrolled.trust(policy_hashes=frozenset({hashlib.sha256(b"a stricter policy").digest()}))
    assert enrolled.verdict(enrolled.alice.envelope, newer) == "not-shown-live"
    assert enrolled.verdict(enrolled.alice.envelope, epoch=record.epoch) == "taken"
    assert enrolled.verdict(enrolled.alice.envelope, epoch=record.epoch + 1) == "revoked"

