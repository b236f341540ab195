"""What the factory and the boot ROM give a unit: the chain from a root to the firmware that runs, and its keys.

A simulator has no factory, so every key but the root's follows from the root's, the names of vendor and model, and the
serial number: two simulated units of one name are one unit. The firmware's own keys follow from the device's secret and
the hash of the image that is started, as in DICE (the Device Identifier Composition Engine of the Trusted Computing
Group): an image that was changed gets other keys, and the device's key says so by the hash that it signs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from faceward_sim.firmware.imager import FactoryIdentity
from faceward_sim.firmware.keys import KeyPair, derive
from faceward_sim.firmware.messages import CHAIN, DEVICE_STATEMENT, FIRMWARE_STATEMENT, MODEL_STATEMENT
from faceward_sim.firmware.protobuf import Table, encode

# Published, so that nobody can take what it signs for a sensor: docs/protocol.md.
SIMULATOR_ROOT = int.from_bytes(hashlib.sha256(b"faceward simulated root, worth nothing").digest(), "big")

MODEL_LABEL = b"faceward.sensor.model.v1"
DEVICE_LABEL = b"faceward.sensor.device.v1"
FIRMWARE_LABEL = b"faceward.sensor.firmware.v1"


@dataclass(frozen=True, slots=True)
class Provision:
    """How a unit is provisioned: whose root, and which firmware is started.

    `root` is the private scalar of the root that signs the model. `firmware_hash` is SHA-256 of the image; None stands
    for the genuine image of the identity's firmware version.
    """

    root: int = SIMULATOR_ROOT
    security_version: int = 1
    firmware_hash: bytes | None = None


GENUINE = Provision()


@dataclass(frozen=True, slots=True)
class StartedFirmware:
    """What runs after the boot ROM: a SensorChain's bytes and the two keys at its end."""

    chain: bytes
    signing: KeyPair
    agreement: KeyPair


def image_hash(version: str) -> bytes:
    """The hash of the genuine image of a version. There is no image in a simulator; its name stands for it."""
    return hashlib.sha256(b"faceward-sim firmware image\0" + version.encode()).digest()


def start(identity: FactoryIdentity, provision: Provision) -> StartedFirmware:
    """Sign the chain from the root downwards. Raises ValueError for a root that is no private scalar of P-256."""
    root = KeyPair(provision.root)
    model_name = f"{identity.vendor}\0{identity.model}".encode()
    model_secret = derive(provision.root.to_bytes(32, "big"), b"model", model_name)
    device_secret = derive(model_secret, b"device", identity.serial.encode())
    firmware_hash = image_hash(identity.firmware_version) if provision.firmware_hash is None else provision.firmware_hash
    compound = derive(device_secret, b"firmware", firmware_hash)
    model, device = KeyPair.of(model_secret), KeyPair.of(device_secret)
    signing = KeyPair.of(derive(compound, b"signing", b""))
    agreement = KeyPair.of(derive(compound, b"agreement", b""))
    chain = {
        "model": _signed(
            root, MODEL_LABEL, MODEL_STATEMENT,
            vendor=identity.vendor, model=identity.model, key=model.public_der,
        ),
        "device": _signed(model, DEVICE_LABEL, DEVICE_STATEMENT, serial=identity.serial, key=device.public_der),
        "firmware": _signed(
            device, FIRMWARE_LABEL, FIRMWARE_STATEMENT,
            version=identity.firmware_version, security_version=provision.security_version,
            firmware_hash=firmware_hash, signing_key=signing.public_der, agreement_key=agreement.public_der,
        ),
    }  # fmt: skip
    return StartedFirmware(encode(CHAIN, chain), signing, agreement)


def _signed(signer: KeyPair, label: bytes, table: Table, **fields: object) -> dict[str, bytes]:
    statement = encode(table, fields)
    return {"statement": statement, "signature": signer.sign(label, statement)}
