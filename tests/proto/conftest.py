"""Keys, a valid record and the trust store that takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from faceward_proto import trust
from faceward_proto.attestation import (
    CAPTURE_LABEL,
    DEVICE_LABEL,
    EVIDENCE_KIND,
    FIRMWARE_LABEL,
    MODEL_LABEL,
    SensorRoot,
    claim_of,
)
from faceward_proto.envelope import GRANT_TYPE, TEMPLATE_TYPE, pre_authentication_encoding, write_envelope
from faceward_proto.keys import PublicKey
from faceward_proto.v1 import attestation_pb2, device_pb2, grant_pb2, template_pb2

NOW_S = 1_800_000_000


class Key:
    """A private key of a test, of any algorithm."""

    def __init__(self, algorithm: str = "ES256") -> None:
        self.private = _NEW[algorithm]()
        self.public = PublicKey(self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    def sign(self, message: bytes) -> bytes:
        if not isinstance(self.private, ec.EllipticCurvePrivateKey):
            return self.private.sign(message)
        r, s = decode_dss_signature(self.private.sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def trusted(self, custody: str = "pkcs11") -> trust.TrustedKey:
        return trust.TrustedKey(self.public, custody)


_NEW = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "ML-DSA-65": mldsa.MLDSA65PrivateKey.generate,
}


class Sensor:
    """A sensor of the model that `World.record` names, its keys, and all that it can sign."""

    def __init__(self, root: Key | None = None, **firmware: object) -> None:
        self.root = root or Key()
        self.model, self.device, self.signing, self.agreement = Key(), Key(), Key(), Key()
        self.model_statement = attestation_pb2.ModelStatement(vendor="Ward", model="SL-940", key=self.model.public.der)
        self.device_statement = attestation_pb2.DeviceStatement(serial="W-1", key=self.device.public.der)
        self.firmware_statement = attestation_pb2.FirmwareStatement(
            version="1.2.0",
            security_version=3,
            firmware_hash=b"i" * 32,
            signing_key=self.signing.public.der,
            agreement_key=self.agreement.public.der,
        )
        for name, value in firmware.items():
            setattr(self.firmware_statement, name, value)

    def chain(self) -> attestation_pb2.SensorChain:
        return attestation_pb2.SensorChain(
            model=signed(self.model_statement, MODEL_LABEL, self.root),
            device=signed(self.device_statement, DEVICE_LABEL, self.model),
            firmware=signed(self.firmware_statement, FIRMWARE_LABEL, self.device),
        )

    def statement(self, record: template_pb2.TemplateRecord) -> attestation_pb2.CaptureStatement:
        claim = claim_of(record)
        return attestation_pb2.CaptureStatement(
            nonce=claim.nonce,
            schedule_digest=claim.schedule_digest,
            capture_digest=claim.capture_digest,
            slots=claim.slots,
            key_frames=claim.key_frames,
            grant_digest=claim.grant_digest,
        )

    def evidence(self, statement: attestation_pb2.CaptureStatement) -> bytes:
        return attestation_pb2.SensorEvidence(
            chain=self.chain().SerializeToString(), capture=signed(statement, CAPTURE_LABEL, self.signing)
        ).SerializeToString()

    def attest(self, record: template_pb2.TemplateRecord, *, simulated: bool = False) -> template_pb2.TemplateRecord:
        """The record with this sensor's proof in it."""
        label = template_pb2.ATTESTATION_SIMULATED if simulated else template_pb2.ATTESTATION_VERIFIED
        record.sensor.attestation = label
        record.sensor.evidence_kind = EVIDENCE_KIND
        record.sensor.evidence = self.evidence(self.statement(record))
        return record

    def trusted(self, *, simulated: bool = False) -> SensorRoot:
        return SensorRoot(self.root.public, "Ward", simulated)


def signed(statement, label: bytes, key: Key) -> attestation_pb2.SignedStatement:
    data = statement.SerializeToString(deterministic=True)
    return attestation_pb2.SignedStatement(statement=data, signature=key.sign(label + data))


@dataclass
class World:
    """A host, an administrator, a sensor, and what a lock of theirs believes."""

    host: Key
    administrator: Key
    sensor: Sensor
    store: trust.TrustStore
    now_s: int = NOW_S

    def grant(self, **changes: object) -> grant_pb2.Grant:
        message = grant_pb2.Grant(
            version=1,
            grant_id=b"g" * 16,
            challenge=b"c" * 32,
            subject=b"s" * 32,
            tenant="acme",
            lock_group="doors",
            issued_at_s=NOW_S - 60,
            expires_at_s=NOW_S + 540,
            max_attempts=3,
            purpose=grant_pb2.GRANT_PURPOSE_ENROLL,
        )
        return _changed(message, changes)

    def sealed_grant(self, *keys: Key, **changes: object) -> bytes:
        return sealed(self.grant(**changes).SerializeToString(), GRANT_TYPE, *(keys or (self.administrator,)))

    def record(self, **changes: object) -> template_pb2.TemplateRecord:
        message = template_pb2.TemplateRecord(
            version=1,
            record_id=b"r" * 16,
            subject=b"s" * 32,
            tenant="acme",
            lock_group="doors",
            epoch=4,
            issued_at_s=NOW_S,
            expires_at_s=NOW_S + 86_400,
            sdk_version="0.1.0",
            extractor=template_pb2.Extractor(name="sface", version="1"),
            poses=[
                template_pb2.PoseTemplate(
                    pose=template_pb2.POSE_FRONTAL, embedding=[0.6, 0.8], flood_digest=b"f" * 32, depth_digest=b"d" * 32
                ),
                template_pb2.PoseTemplate(pose=template_pb2.POSE_LEFT, embedding=[1.0, 0.0], flood_digest=b"h" * 32),
            ],
            relief=[0.5, -0.25],
            outcome=template_pb2.OUTCOME_LIVE,
            gates=[
                template_pb2.GateResult(
                    name=name,
                    version="1.0",
                    distribution="faceward-gates 0.1.0",
                    outcome=template_pb2.OUTCOME_LIVE,
                    cue="relief",
                    measures=[
                        template_pb2.Measure(
                            name="relief", value=31.5, unit="mm", limit=12.0, sense=template_pb2.SENSE_AT_LEAST
                        )
                    ],
                )
                for name in ("flatness", "skin-optics")
            ],
            policy_hash=b"p" * 32,
            capture=template_pb2.CaptureRecord(
                capture_id="c0ffee", digest=b"x" * 32, nonce=b"n" * 16, schedule_digest=b"y" * 32, slots=300
            ),
            sensor=template_pb2.SensorRecord(
                vendor="Ward",
                model="SL-940",
                serial="W-1",
                firmware_version="1.2.0",
                kind=device_pb2.SENSOR_KIND_STRUCTURED_LIGHT,
                attestation=template_pb2.ATTESTATION_NONE,
            ),
        )
        message.grant = self.sealed_grant()
        return _changed(message, changes)

    def sealed_record(self, *keys: Key, **changes: object) -> bytes:
        return sealed(self.record(**changes).SerializeToString(), TEMPLATE_TYPE, *(keys or (self.host,)))

    def sealed(self, record: template_pb2.TemplateRecord, *keys: Key) -> bytes:
        return sealed(record.SerializeToString(), TEMPLATE_TYPE, *(keys or (self.host,)))

    def believing(self, **changes: object) -> trust.TrustStore:
        return replace(self.store, **changes)


def _changed(message, changes):
    for path, value in changes.items():
        *parents, name = path.split("__")
        owner = message
        for parent in parents:
            owner = getattr(owner, parent) if not parent.isdigit() else owner[int(parent)]
        if value is None:
            owner.ClearField(name)
        else:
            setattr(owner, name, value)
    return message


def sealed(payload: bytes, payload_type: str, *keys: Key) -> bytes:
    message = pre_authentication_encoding(payload_type, payload)
    return write_envelope(payload, payload_type, [key.sign(message) for key in keys])


@pytest.fixture(scope="session")
def new_key() -> Callable[..., Key]:
    return Key


@pytest.fixture(scope="session")
def new_sensor() -> Callable[..., Sensor]:
    return Sensor


@pytest.fixture(scope="session")
def sign_statement() -> Callable[..., attestation_pb2.SignedStatement]:
    return signed


@pytest.fixture(scope="session")
def seal() -> Callable[..., bytes]:
    return sealed


@pytest.fixture(scope="session")
def world() -> World:
    host, administrator, sensor = Key(), Key(), Sensor()
    store = trust.TrustStore(
        tenant="acme",
        lock_group="doors",
        hosts=(trust.any_of([host.trusted()]),),
        administrators=(trust.any_of([administrator.trusted()]),),
        sensor_roots=(sensor.trusted(),),
        allow_unattested=True,
    )
    return World(host, administrator, sensor, store)
