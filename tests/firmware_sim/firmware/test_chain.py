"""What the factory and the boot ROM sign: one unit, one chain; another image, other keys."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from faceward.hal.attestation import is_simulated
from faceward.model.capture import SensorClaim
from faceward.wire.attestation import read_chain
from faceward_proto.attestation import SIMULATOR_ROOT_DER as KNOWN_ROOT
from faceward_proto.keys import PublicKey
from faceward_sim.firmware.chain import GENUINE, SIMULATOR_ROOT, Provision, image_hash, start
from faceward_sim.firmware.keys import KeyPair

VENDOR_ROOT = 0x1234_5678


def test_the_published_root_is_the_one_that_everybody_knows():
    root = KeyPair(SIMULATOR_ROOT).public_der
    assert root == KNOWN_ROOT
    assert hashlib.sha256(root).hexdigest() == "286cb2c4862db15b220878e30b6a5a74b90741ff74b72728104a223bbfd3d7f9"


def test_the_chain_says_what_the_unit_is(imager):
    identity = imager.identity
    chain = read_chain(start(identity, Provision(security_version=7)).chain)
    assert (chain.vendor, chain.model, chain.serial) == (identity.vendor, identity.model, identity.serial)
    assert (chain.firmware_version, chain.security_version) == (identity.firmware_version, 7)
    assert chain.firmware_hash == image_hash(identity.firmware_version)


def test_each_link_is_signed_by_the_key_above_it(imager):
    started = start(imager.identity, GENUINE)
    chain = read_chain(started.chain)
    for key, label, signed in (
        (KeyPair(SIMULATOR_ROOT).public_der, b"model", chain.signed_model),
        (chain.model_key, b"device", chain.signed_device),
        (chain.device_key, b"firmware", chain.signed_firmware),
    ):
        assert PublicKey(key).verifies(signed.signature, b"faceward.sensor." + label + b".v1\0" + signed.statement)
    assert (started.signing.public_der, started.agreement.public_der) == (chain.signing_key, chain.agreement_key)


def test_a_unit_has_one_chain(imager):
    assert start(imager.identity, GENUINE).chain == start(imager.identity, GENUINE).chain


def test_whatever_makes_another_unit_or_image_makes_other_keys(imager):
    identity = imager.identity
    made = [
        read_chain(start(*each).chain)
        for each in (
            (identity, GENUINE),
            (replace(identity, vendor="Other"), GENUINE),
            (replace(identity, model="sl-941"), GENUINE),
            (replace(identity, serial="TEST0002"), GENUINE),
            (replace(identity, firmware_version="1.0.1"), GENUINE),
            (identity, Provision(firmware_hash=image_hash("patched"))),
            (identity, Provision(root=VENDOR_ROOT)),
        )
    ]
    assert len({chain.signing_key for chain in made}) == len({chain.agreement_key for chain in made}) == len(made)
    assert all(chain.signing_key != chain.agreement_key for chain in made)
    # The same device under another image: that is what its key says.
    assert made[5].device_key == made[0].device_key
    assert made[5].firmware_hash == image_hash("patched")


def test_only_the_published_root_makes_a_simulator(imager):
    claims = [
        SensorClaim("faceward.sensor.v1", start(imager.identity, provision).chain)
        for provision in (GENUINE, Provision(root=VENDOR_ROOT))
    ]
    assert [is_simulated(claim) for claim in claims] == [True, False]


def test_a_root_that_is_no_private_key_is_refused(imager):
    with pytest.raises(ValueError):
        start(imager.identity, Provision(root=0))
