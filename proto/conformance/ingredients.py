"""What the suite's vectors are made of: keys from labels; sensors, grants, records and trust stores that keep every rule;
raw protobuf to break them with.

ES256 signatures are deterministic (RFC 6979), so that a vector is made of the same bytes each time. ML-DSA-65 draws
randomness for every signature: `keep` takes those of vectors that are there, and one that still verifies is used again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from faceward_proto.attestation import (
    CAPTURE_LABEL,
    DEVICE_LABEL,
    EVIDENCE_KIND,
    FIRMWARE_LABEL,
    MODEL_LABEL,
    FirmwareFloor,
    SensorRoot,
    claim_of,
)
from faceward_proto.envelope import GRANT_TYPE, TEMPLATE_TYPE, TRUST_TYPE, pre_authentication_encoding
from faceward_proto.keys import SIGNATURE_BYTES, PublicKey
from faceward_proto.trust import ComponentFloor, TrustedKey, TrustStore, any_of
from faceward_proto.truststore import write_trust_statement
from faceward_proto.v1 import attestation_pb2, device_pb2, grant_pb2, template_pb2
from faceward_proto.v1.envelope_pb2 import Envelope, Signature
from google.protobuf.message import DecodeError, Message

NOW_S = 1_800_000_000
DAY_S = 86_400
EPOCH = 4
SEQUENCE = 300
# Of P-256: with s, n - s is a signature too.
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

_kept: set[bytes] = set()


def keep(envelopes: Iterable[bytes]) -> None:
    """Use the ML-DSA-65 signatures in these files again where they are good."""
    for data in envelopes:
        try:
            envelope = Envelope.FromString(data)
        except DecodeError:
            continue
        _kept.update(signature.sig for signature in envelope.signatures)
        try:
            grant = Envelope.FromString(template_pb2.TemplateRecord.FromString(envelope.payload).grant)
        except DecodeError:
            continue
        _kept.update(signature.sig for signature in grant.signatures)


@dataclass(frozen=True)
class Key:
    """A private key that its label makes; worth nothing, because anybody can make it."""

    label: str
    algorithm: str = "ES256"

    @property
    def public(self) -> PublicKey:
        return _public(self)

    def sign(self, message: bytes) -> bytes:
        private = _private(self)
        if isinstance(private, ec.EllipticCurvePrivateKey):
            r, s = decode_dss_signature(private.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True)))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        if isinstance(private, ed25519.Ed25519PrivateKey):
            return private.sign(message)
        wanted = SIGNATURE_BYTES[self.algorithm]
        known = (one for one in sorted(_kept) if len(one) == wanted and self.public.verifies(one, message))
        signature = next(known, None) or private.sign(message)
        _kept.add(signature)
        return signature

    def trusted(self, custody: str = "secure-element") -> TrustedKey:
        return TrustedKey(self.public, custody)


@cache
def _private(key: Key) -> ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | mldsa.MLDSA65PrivateKey:
    seed = hashlib.sha256(key.label.encode()).digest()
    if key.algorithm == "ES256":
        return ec.derive_private_key(int.from_bytes(seed, "big"), ec.SECP256R1())
    if key.algorithm == "Ed25519":
        return ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    return mldsa.MLDSA65PrivateKey.from_seed_bytes(seed)


@cache
def _public(key: Key) -> PublicKey:
    return PublicKey(_private(key).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def compressed(key: Key) -> bytes:
    """The SubjectPublicKeyInfo of a P-256 key with its point compressed: another spelling of the same key."""
    point = _private(key).public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)  # type: ignore[union-attr]
    return bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + point


def p384(label: str) -> bytes:
    """The SubjectPublicKeyInfo of a key on another curve."""
    seed = int.from_bytes(hashlib.sha384(label.encode()).digest(), "big") >> 8
    key = ec.derive_private_key(seed, ec.SECP384R1()).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


ROOT, SECOND_ROOT, STRANGER = Key("suite root"), Key("suite second root"), Key("suite stranger")
HOST, SECOND_HOST, THIRD_HOST = Key("suite host"), Key("suite second host"), Key("suite third host")
ED25519_HOST, ML_DSA_HOST = Key("suite host", "Ed25519"), Key("suite host", "ML-DSA-65")
ADMINISTRATOR, SECOND_ADMINISTRATOR = Key("suite administrator"), Key("suite second administrator")
THIRD_ADMINISTRATOR = Key("suite third administrator")
ED25519_ADMINISTRATOR = Key("suite administrator", "Ed25519")
ML_DSA_ADMINISTRATOR = Key("suite administrator", "ML-DSA-65")
VENDOR_ROOT, OTHER_VENDOR_ROOT = Key("suite sensor root"), Key("suite other sensor root")
SIMULATOR_ROOT = Key("faceward simulated root, worth nothing")


def signed(statement: Message | bytes, label: bytes, key: Key) -> attestation_pb2.SignedStatement:
    """A statement of a sensor's, signed over its label."""
    data = statement if isinstance(statement, bytes) else statement.SerializeToString(deterministic=True)
    return attestation_pb2.SignedStatement(statement=data, signature=key.sign(label + data))


@dataclass(frozen=True)
class Sensor:
    """A sensor with all the keys that stand behind it."""

    root: Key = VENDOR_ROOT
    vendor: str = "Ward Optics"
    model: str = "SL-940"
    serial: str = "W-0001"
    firmware_version: str = "1.2.0"
    security_version: int = 3

    @property
    def model_key(self) -> Key:
        return Key(f"suite model {self.vendor} {self.model}")

    @property
    def device_key(self) -> Key:
        return Key(f"suite device {self.serial}")

    @property
    def signing_key(self) -> Key:
        return Key(f"suite signing {self.serial} {self.firmware_version}")

    @property
    def agreement_key(self) -> Key:
        return Key(f"suite agreement {self.serial} {self.firmware_version}")

    def model_statement(self) -> attestation_pb2.ModelStatement:
        return attestation_pb2.ModelStatement(vendor=self.vendor, model=self.model, key=self.model_key.public.der)

    def device_statement(self) -> attestation_pb2.DeviceStatement:
        return attestation_pb2.DeviceStatement(serial=self.serial, key=self.device_key.public.der)

    def firmware_statement(self) -> attestation_pb2.FirmwareStatement:
        return attestation_pb2.FirmwareStatement(
            version=self.firmware_version,
            security_version=self.security_version,
            firmware_hash=hashlib.sha256(self.firmware_version.encode()).digest(),
            signing_key=self.signing_key.public.der,
            agreement_key=self.agreement_key.public.der,
        )

    def chain(self) -> attestation_pb2.SensorChain:
        return attestation_pb2.SensorChain(
            model=signed(self.model_statement(), MODEL_LABEL, self.root),
            device=signed(self.device_statement(), DEVICE_LABEL, self.model_key),
            firmware=signed(self.firmware_statement(), FIRMWARE_LABEL, self.device_key),
        )

    def capture(self, record: template_pb2.TemplateRecord) -> attestation_pb2.CaptureStatement:
        claim = claim_of(record)
        return attestation_pb2.CaptureStatement(
            nonce=claim.nonce,
            schedule_digest=claim.schedule_digest,
            capture_digest=claim.capture_digest,
            slots=claim.slots,
            key_frames=claim.key_frames,
            grant_digest=claim.grant_digest,
        )


SENSOR = Sensor()
SECOND_SENSOR = Sensor(serial="W-0002")
OTHER_MODEL = Sensor(model="TF-850", serial="T-0001")
SIMULATOR = Sensor(root=SIMULATOR_ROOT, vendor="Faceward", model="Simulator", serial="SIM-1")


def evidence(
    sensor: Sensor,
    statement: attestation_pb2.CaptureStatement | bytes,
    *,
    chain: attestation_pb2.SensorChain | bytes | None = None,
    by: Key | None = None,
    label: bytes = CAPTURE_LABEL,
) -> bytes:
    """A SensorEvidence; by default all that this sensor would sign."""
    links = sensor.chain() if chain is None else chain
    return attestation_pb2.SensorEvidence(
        chain=links if isinstance(links, bytes) else links.SerializeToString(deterministic=True),
        capture=signed(statement, label, by or sensor.signing_key),
    ).SerializeToString(deterministic=True)


def grant_message(**changes: object) -> grant_pb2.Grant:
    """A grant that keeps every rule, with some fields changed."""
    message = grant_pb2.Grant(
        version=1,
        grant_id=_bytes("grant id", 16),
        challenge=_bytes("challenge"),
        subject=_bytes("subject"),
        tenant="acme",
        lock_group="doors.north",
        issued_at_s=NOW_S - 60,
        expires_at_s=NOW_S + 540,
        max_attempts=3,
        purpose=grant_pb2.GRANT_PURPOSE_ENROLL,
    )
    return changed(message, changes)


def grant(*keys: Key, **changes: object) -> bytes:
    """A signed grant."""
    return seal(grant_message(**changes), GRANT_TYPE, *(keys or (ADMINISTRATOR,)))


def record_message(permission: bytes | None = None, **changes: object) -> template_pb2.TemplateRecord:
    """A record that keeps every rule, of a sensor that proved nothing yet, with some fields changed."""
    message = template_pb2.TemplateRecord(
        version=1,
        record_id=_bytes("record id", 16),
        subject=_bytes("subject"),
        tenant="acme",
        lock_group="doors.north",
        epoch=EPOCH,
        issued_at_s=NOW_S,
        expires_at_s=NOW_S + 30 * DAY_S,
        sdk_version="0.1.0",
        extractor=template_pb2.Extractor(name="sface", version="1"),
        poses=[
            template_pb2.PoseTemplate(
                pose=template_pb2.POSE_FRONTAL,
                embedding=[0.5, 0.5, -0.5, 0.5],
                flood_digest=_bytes("frontal flood"),
                depth_digest=_bytes("frontal depth"),
            ),
            template_pb2.PoseTemplate(
                pose=template_pb2.POSE_LEFT, embedding=[0.0, 1.0, 0.0, 0.0], flood_digest=_bytes("left flood")
            ),
        ],
        relief=[0.5, -0.25],
        outcome=template_pb2.OUTCOME_LIVE,
        gates=[_gate("flatness", "relief"), _gate("skin-optics", "skin")],
        policy_hash=_bytes("policy"),
        capture=template_pb2.CaptureRecord(
            capture_id="c0ffee",
            digest=_bytes("capture"),
            nonce=_bytes("nonce", 16),
            schedule_digest=_bytes("schedule"),
            slots=300,
        ),
        sensor=template_pb2.SensorRecord(
            vendor=SENSOR.vendor,
            model=SENSOR.model,
            serial=SENSOR.serial,
            firmware_version=SENSOR.firmware_version,
            hardware_revision="B",
            kind=device_pb2.SENSOR_KIND_STRUCTURED_LIGHT,
            attestation=template_pb2.ATTESTATION_NONE,
        ),
        grant=grant() if permission is None else permission,
    )
    return changed(message, changes)


def attested(
    record: template_pb2.TemplateRecord,
    sensor: Sensor = SENSOR,
    *,
    proof: bytes | None = None,
    simulated: bool = False,
    kind: str = EVIDENCE_KIND,
) -> template_pb2.TemplateRecord:
    """The record with a sensor's proof in it."""
    names = {"vendor": sensor.vendor, "model": sensor.model, "serial": sensor.serial}
    for name, value in {**names, "firmware_version": sensor.firmware_version}.items():
        setattr(record.sensor, name, value)
    record.sensor.attestation = template_pb2.ATTESTATION_SIMULATED if simulated else template_pb2.ATTESTATION_VERIFIED
    record.sensor.evidence_kind = kind
    record.sensor.evidence = evidence(sensor, sensor.capture(record)) if proof is None else proof
    return record


def record(*keys: Key, permission: bytes | None = None, **changes: object) -> bytes:
    """A signed record of an attested sensor; the changes are made before the sensor signs."""
    return seal(attested(record_message(permission, **changes)), TEMPLATE_TYPE, *(keys or (HOST,)))


STORE = TrustStore(
    tenant="acme",
    lock_group="doors.north",
    hosts=(any_of([HOST.trusted()]),),
    administrators=(any_of([ADMINISTRATOR.trusted("pkcs11")]),),
    sensor_roots=(SensorRoot(VENDOR_ROOT.public, "Ward Optics"),),
    firmware=(FirmwareFloor("Ward Optics", "SL-940", 3),),
    gates=(ComponentFloor("flatness", "1.0"), ComponentFloor("skin-optics", "1.0")),
    extractors=(ComponentFloor("sface", "1"),),
    policy_hashes=frozenset({hashlib.sha256(b"policy").digest()}),
    minimum_epoch=EPOCH,
    sequence=SEQUENCE,
    issued_at_s=NOW_S - DAY_S,
    expires_at_s=NOW_S + 365 * DAY_S,
)


def trust(*keys: Key, **changes: object) -> bytes:
    """A signed trust store, with some fields changed."""
    return seal(write_trust_statement(replace(STORE, **changes)), TRUST_TYPE, *(keys or (ROOT,)))


def seal(payload: Message | bytes, payload_type: str, *keys: Key) -> bytes:
    """An envelope, whatever is in it."""
    data = payload if isinstance(payload, bytes) else payload.SerializeToString(deterministic=True)
    message = pre_authentication_encoding(payload_type, data)
    envelope = Envelope(payload=data, payload_type=payload_type)
    envelope.signatures.extend(Signature(sig=key.sign(message)) for key in keys)
    return envelope.SerializeToString(deterministic=True)


def resigned(data: bytes, change: Callable[[bytes], bytes], key: Key) -> bytes:
    """The envelope with its payload changed, signed again: what a host, administrator or root of bad faith can do."""
    envelope = Envelope.FromString(data)
    return seal(change(envelope.payload), envelope.payload_type, key)


def changed(message: Message, changes: dict[str, object]) -> Message:
    """The message with fields set by their path (`sensor__serial`, `gates__0__version`); None clears one."""
    for path, value in changes.items():
        *parents, name = path.split("__")
        owner = message
        for parent in parents:
            owner = owner[int(parent)] if parent.isdigit() else getattr(owner, parent)  # type: ignore[index]
        if value is None:
            owner.ClearField(name)
        elif isinstance(value, list):
            owner.ClearField(name)
            getattr(owner, name).extend(value)
        else:
            setattr(owner, name, value)
    return message


def _gate(name: str, cue: str) -> template_pb2.GateResult:
    measure = template_pb2.Measure(name="m", value=31.5, unit="mm", limit=12.0, sense=template_pb2.SENSE_AT_LEAST)
    return template_pb2.GateResult(
        name=name,
        version="1.0.0",
        distribution="faceward-gates 0.1.0",
        outcome=template_pb2.OUTCOME_LIVE,
        cue=cue,
        measures=[measure],
    )


def _bytes(label: str, size: int = 32) -> bytes:
    return hashlib.sha256(label.encode()).digest()[:size]


# Raw protobuf, to write what no encoder writes.


def varint(value: int, *, longer: int = 0) -> bytes:
    """A number; with `longer` more bytes than it needs."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    for _ in range(longer):
        out[-1] |= 0x80
        out.append(0)
    return bytes(out)


def field(number: int, body: bytes | int, *, longer: int = 0) -> bytes:
    """A field with a length, or a varint field; with `longer`, its length or number written too long."""
    if isinstance(body, int):
        return varint(number << 3) + varint(body, longer=longer)
    return varint(number << 3 | 2) + varint(len(body), longer=longer) + body


def pieces(data: bytes) -> list[tuple[int, bytes]]:
    """The top-level fields of a message: number, and all its bytes with the tag."""
    return list(_pieces(data))


def _pieces(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        start = at
        tag, at = _read_varint(data, at)
        if tag & 7 == 0:
            _, at = _read_varint(data, at)
        elif tag & 7 == 2:
            length, at = _read_varint(data, at)
            at += length
        else:
            at += 8 if tag & 7 == 1 else 4
        yield tag >> 3, data[start:at]


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def doubled(number: int) -> Callable[[bytes], bytes]:
    """A change: this field twice."""
    return lambda data: b"".join(raw * (1 + (found == number)) for found, raw in pieces(data))


def swapped(first: int, second: int) -> Callable[[bytes], bytes]:
    """A change: these two singular fields in each other's place."""

    def change(data: bytes) -> bytes:
        found = dict(pieces(data))
        other = {first: second, second: first}
        return b"".join(found[other[number]] if number in other else raw for number, raw in pieces(data))

    return change


def substituted(number: int, raw: bytes) -> Callable[[bytes], bytes]:
    """A change: these bytes in the place of this field."""
    return lambda data: b"".join(raw if found == number else whole for found, whole in pieces(data))


def appended(raw: bytes) -> Callable[[bytes], bytes]:
    """A change: these bytes at the end."""
    return lambda data: data + raw


def flipped(data: bytes, index: int) -> bytes:
    """One bit of one byte turned over."""
    return bytes([*data[:index], data[index] ^ 1, *data[index + 1 :]])
