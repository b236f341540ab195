"""What a sensor's evidence proves: docs/protocol.md, "Attestation", as a verifier sees it.

Roots, floors and revocations are the trust store's. The simulator's root is known here by its digest, so that nobody can
take it for a vendor's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from faceward_proto.bounds import DIGEST_BYTES, require, size, text
from faceward_proto.errors import Revoked, UntrustedSensor
from faceward_proto.keys import PublicKey, UnusableKey
from faceward_proto.reader import M, MalformedMessage, read_message
from faceward_proto.records import MAX_EVIDENCE_BYTES, MAX_POSES, MAX_SLOTS, NONCE_BYTES
from faceward_proto.v1.attestation_pb2 import (
    CaptureStatement,
    DeviceStatement,
    FirmwareStatement,
    ModelStatement,
    SensorChain,
    SensorEvidence,
    SignedStatement,
)
from faceward_proto.v1.template_pb2 import TemplateRecord

EVIDENCE_KIND: Final = "faceward.sensor.v1"
MODEL_LABEL: Final = b"faceward.sensor.model.v1\0"
DEVICE_LABEL: Final = b"faceward.sensor.device.v1\0"
FIRMWARE_LABEL: Final = b"faceward.sensor.firmware.v1\0"
CAPTURE_LABEL: Final = b"faceward.sensor.capture.v1\0"

MAX_STATEMENT_BYTES: Final = 2048
MAX_KEY_FRAMES: Final = 2 * MAX_POSES

# SHA-256 of the published simulator root's SubjectPublicKeyInfo, and that. Its private half is public: worth nothing.
SIMULATOR_ROOT_DIGEST: Final = bytes.fromhex("286cb2c4862db15b220878e30b6a5a74b90741ff74b72728104a223bbfd3d7f9")
SIMULATOR_ROOT_DER: Final = bytes.fromhex(
    "3059301306072a8648ce3d020106082a8648ce3d030107034200046170d62c36325c3afe6f1fee9905ebb8446b301353353fc7052859a9ddd2"
    "2e420807d5d051e4b7f130c2d7d32a610917c967aed750d5b4fcc9f217e98058341e"
)


@dataclass(frozen=True, slots=True)
class SensorRoot:
    """A key that sensor models are certified by. `simulated`: what chains to it is a simulator.

    Raises: ValueError for a key that is not P-256.
    """

    key: PublicKey
    name: str
    simulated: bool = False

    def __post_init__(self) -> None:
        if self.key.algorithm != "ES256":
            raise ValueError(f"the sensor root {self.name} is not a P-256 key")

    @property
    def is_simulator(self) -> bool:
        """Whether what chains to it is a simulator: where it says so, or is the published one whatever it says."""
        return self.simulated or self.key.digest == SIMULATOR_ROOT_DIGEST


def simulator_root() -> SensorRoot:
    """The published simulator's root."""
    return SensorRoot(PublicKey(SIMULATOR_ROOT_DER), "simulator", simulated=True)


@dataclass(frozen=True, slots=True)
class FirmwareFloor:
    """The lowest security version that is taken of a model's firmware; a model without a floor may have any."""

    vendor: str
    model: str
    minimum_security_version: int


@dataclass(frozen=True, slots=True)
class ProvenSensor:
    """What a chain proves: which unit of which model runs which firmware, and the keys that speak for it."""

    vendor: str
    model: str
    serial: str
    firmware_version: str
    security_version: int
    firmware_hash: bytes
    device_key: PublicKey
    signing_key: PublicKey
    agreement_key: PublicKey | None  # of the handshake; a vendor's own evidence may have none
    simulated: bool


@dataclass(frozen=True, slots=True)
class CaptureClaim:
    """What a record says of its sensor and capture, for evidence to prove. Digests are SHA-256; `key_frames` are those of
    the poses in the record's order, flood and then depth (where there is one) of each."""

    vendor: str
    model: str
    serial: str
    firmware_version: str
    nonce: bytes
    schedule_digest: bytes
    capture_digest: bytes
    slots: int
    key_frames: tuple[bytes, ...]
    grant_digest: bytes


def claim_of(record: TemplateRecord) -> CaptureClaim:
    """What a record that was read (`faceward_proto.records`) claims."""
    key_frames: list[bytes] = []
    for pose in record.poses:
        key_frames.append(pose.flood_digest)
        if pose.depth_digest:
            key_frames.append(pose.depth_digest)
    return CaptureClaim(
        vendor=record.sensor.vendor,
        model=record.sensor.model,
        serial=record.sensor.serial,
        firmware_version=record.sensor.firmware_version,
        nonce=record.capture.nonce,
        schedule_digest=record.capture.schedule_digest,
        capture_digest=record.capture.digest,
        slots=record.capture.slots,
        key_frames=tuple(key_frames),
        grant_digest=hashlib.sha256(record.grant).digest(),
    )


def verify_chain(
    chain: bytes,
    roots: Iterable[SensorRoot],
    *,
    floors: Iterable[FirmwareFloor] = (),
    revoked_keys: frozenset[bytes] = frozenset(),
) -> ProvenSensor:
    """Verify a SensorChain's bytes. `revoked_keys` holds key digests (SHA-256 of the SubjectPublicKeyInfo).

    1. The bytes are one chain in its canonical form.
    2. The model's statement is signed by a root that is not revoked, and is canonical.
    3. The device's statement is signed by the model's key, and is canonical.
    4. The firmware's statement is signed by the device's key, and is canonical.
    5. Every key is P-256, written in the one way, and none of them is revoked.
    6. The firmware's security version is at least the floor of this vendor and model.
    7. The sensor is simulated if a root that signed its model is a simulator's.

    Raises: UntrustedSensor, Revoked.
    """
    try:
        # 1
        links = read_message(SensorChain, chain, max_bytes=MAX_EVIDENCE_BYTES)
        # 2
        signed_by = [root for root in roots if _signed(root.key, MODEL_LABEL, links.model)]
        if not signed_by:
            raise UntrustedSensor("the sensor's model is certified by none of the trusted roots")
        signed_by = [root for root in signed_by if root.key.digest not in revoked_keys]
        if not signed_by:
            raise Revoked("the root that certified the sensor's model was revoked")
        model = _statement(ModelStatement, links.model)
        text("model.vendor", model.vendor)
        text("model.model", model.model)
        model_key = _key("model", model.key)
        # 3
        if not _signed(model_key, DEVICE_LABEL, links.device):
            raise UntrustedSensor("the sensor's model did not certify this device")
        device = _statement(DeviceStatement, links.device)
        text("device.serial", device.serial)
        device_key = _key("device", device.key)
        # 4
        if not _signed(device_key, FIRMWARE_LABEL, links.firmware):
            raise UntrustedSensor("the device did not certify this firmware")
        firmware = _statement(FirmwareStatement, links.firmware)
        text("firmware.version", firmware.version)
        size("firmware.firmware_hash", firmware.firmware_hash, DIGEST_BYTES)
        signing_key = _key("firmware's signing", firmware.signing_key)
        agreement_key = _key("firmware's agreement", firmware.agreement_key)
    except MalformedMessage as error:
        raise UntrustedSensor(f"the sensor's chain is none: {error}") from None
    # 5
    for name, key in (
        ("model", model_key),
        ("device", device_key),
        ("firmware's signing", signing_key),
        ("firmware's agreement", agreement_key),
    ):
        if key.digest in revoked_keys:
            raise Revoked(f"the {name} key was revoked")
    # 6
    sensor = ProvenSensor(
        vendor=model.vendor,
        model=model.model,
        serial=device.serial,
        firmware_version=firmware.version,
        security_version=firmware.security_version,
        firmware_hash=firmware.firmware_hash,
        device_key=device_key,
        signing_key=signing_key,
        agreement_key=agreement_key,
        # 7
        simulated=any(root.is_simulator for root in signed_by),
    )
    check_firmware(sensor, floors)
    return sensor


def verify_capture(
    evidence: bytes,
    claim: CaptureClaim,
    roots: Iterable[SensorRoot],
    *,
    floors: Iterable[FirmwareFloor] = (),
    revoked_keys: frozenset[bytes] = frozenset(),
) -> ProvenSensor:
    """Verify a SensorEvidence's bytes against what a record claims.

    1. The bytes are one evidence in its canonical form, and its chain verifies (see `verify_chain`).
    2. The capture's statement is signed by the firmware's signing key, and is canonical.
    3. Nonce, schedule digest, capture digest and slots are the claim's.
    4. The key frames are the claim's, in its order.
    5. The grant digest is the claim's.
    6. Vendor, model, serial and firmware version are the claim's.

    Raises: UntrustedSensor, Revoked.
    """
    try:
        # 1
        message = read_message(SensorEvidence, evidence, max_bytes=MAX_EVIDENCE_BYTES)
        sensor = verify_chain(message.chain, roots, floors=floors, revoked_keys=revoked_keys)
        # 2
        if not _signed(sensor.signing_key, CAPTURE_LABEL, message.capture):
            raise UntrustedSensor("the sensor's firmware did not sign this capture")
        capture = _statement(CaptureStatement, message.capture)
        _bounded(capture)
    except MalformedMessage as error:
        raise UntrustedSensor(f"the sensor's evidence is none: {error}") from None
    # 3
    if (capture.nonce, capture.schedule_digest, capture.capture_digest, capture.slots) != (
        claim.nonce,
        claim.schedule_digest,
        claim.capture_digest,
        claim.slots,
    ):
        raise UntrustedSensor("the sensor's evidence is of another capture")
    # 4
    if tuple(capture.key_frames) != claim.key_frames:
        raise UntrustedSensor("the template's key frames are not those that the sensor attested")
    # 5
    if capture.grant_digest != claim.grant_digest:
        raise UntrustedSensor("the sensor attested this capture for another grant")
    # 6
    check_identity(sensor, claim)
    return sensor


def check_firmware(sensor: ProvenSensor, floors: Iterable[FirmwareFloor]) -> None:
    """Hold a sensor against the floors of its vendor and model. Raises: UntrustedSensor."""
    for floor in floors:
        if (floor.vendor, floor.model) != (sensor.vendor, sensor.model):
            continue
        if sensor.security_version < floor.minimum_security_version:
            raise UntrustedSensor(
                f"the sensor's firmware has security version {sensor.security_version}, "
                f"and {floor.minimum_security_version} is the lowest that is trusted"
            )


def check_identity(sensor: ProvenSensor, claim: CaptureClaim) -> None:
    """Hold what a sensor proved of itself against what the record says of it. Raises: UntrustedSensor."""
    proven = (sensor.vendor, sensor.model, sensor.serial, sensor.firmware_version)
    if proven != (claim.vendor, claim.model, claim.serial, claim.firmware_version):
        raise UntrustedSensor("the record names another sensor than the one that proved itself")


def _signed(key: PublicKey, label: bytes, statement: SignedStatement) -> bool:
    return key.verifies(statement.signature, label + statement.statement)


def _statement(kind: type[M], signed: SignedStatement) -> M:
    return read_message(kind, signed.statement, max_bytes=MAX_STATEMENT_BYTES)


def _key(name: str, der: bytes) -> PublicKey:
    try:
        key = PublicKey(der)
    except UnusableKey as error:
        raise MalformedMessage(f"the {name} key is {error}") from None
    require(key.algorithm == "ES256" and key.der == der, f"the {name} key is not P-256 in its usual form")
    return key


def _bounded(capture: CaptureStatement) -> None:
    require(len(capture.nonce) in NONCE_BYTES, f"capture.nonce has {len(capture.nonce)} bytes")
    size("capture.schedule_digest", capture.schedule_digest, DIGEST_BYTES)
    size("capture.capture_digest", capture.capture_digest, DIGEST_BYTES)
    require(1 <= capture.slots <= MAX_SLOTS, f"capture.slots is {capture.slots}")
    require(len(capture.key_frames) <= MAX_KEY_FRAMES, f"{len(capture.key_frames)} key frames")
    for digest in capture.key_frames:
        size("capture.key_frames", digest, DIGEST_BYTES)
    if capture.grant_digest:
        size("capture.grant_digest", capture.grant_digest, DIGEST_BYTES)
