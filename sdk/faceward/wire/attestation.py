"""What an attested sensor says of itself and signs, between protobuf and the model (docs/protocol.md, "Attestation").

Read strictly, sizes and texts included; no signature is looked at here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from faceward_proto.reader import MalformedMessage, read_message
from faceward_proto.v1 import attestation_pb2, device_pb2

from faceward.errors import ConfigError, DeviceNotAttested, DeviceProtocolError
from faceward.wire.device import MAX_MESSAGE_BYTES, UnsupportedRequest, printable, read_reply

RANDOM_BYTES: Final = 32
POINT_BYTES: Final = 65
KEY_BYTES: Final = 91  # a P-256 SubjectPublicKeyInfo with an uncompressed point
MAC_BYTES: Final = 32
DIGEST_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
MAX_KEY_FRAMES: Final = 64


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A statement's bytes as they were signed, and the signature over them."""

    statement: bytes = field(repr=False)
    signature: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SensorChain:
    """A SensorChain as it travelled (`data`), its three signed statements, and what they say. Keys are DER."""

    data: bytes = field(repr=False)
    signed_model: SignedStatement
    signed_device: SignedStatement
    signed_firmware: SignedStatement
    vendor: str
    model: str
    model_key: bytes = field(repr=False)
    serial: str
    device_key: bytes = field(repr=False)
    firmware_version: str
    security_version: int
    firmware_hash: bytes
    signing_key: bytes = field(repr=False)
    agreement_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CaptureStatement:
    """What the firmware signed of a capture (attestation.proto)."""

    nonce: bytes
    schedule_digest: bytes
    capture_digest: bytes
    slots: int
    key_frames: tuple[bytes, ...]
    grant_digest: bytes


@dataclass(frozen=True, slots=True)
class ConnectReply:
    """The sensor's half of a handshake."""

    device_random: bytes
    chain: bytes = field(repr=False)
    mac: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthenticatedReply:
    """A DeviceReply in `message`, with what shows whose it is and of which request."""

    counter: int
    message: bytes = field(repr=False)
    tag: bytes = field(repr=False)


def connect_request(host_random: bytes, host_key: bytes) -> bytes:
    """A DeviceRequest that begins a session."""
    connect = device_pb2.ConnectRequest(host_random=host_random, host_key=host_key)
    return device_pb2.DeviceRequest(connect=connect).SerializeToString(deterministic=True)


def read_connect(reply: bytes) -> ConnectReply | None:
    """The sensor's half of the handshake; None from a sensor without attestation.

    Raises: DeviceProtocolError, and what the reply's status says.
    """
    try:
        connect = read_reply(reply, "connect").connect
    except UnsupportedRequest:
        return None
    _sized("random", connect.device_random, RANDOM_BYTES)
    _sized("mac", connect.mac, MAC_BYTES)
    return ConnectReply(connect.device_random, connect.chain, connect.mac)


def authenticated_request(counter: int, message: bytes, tag: bytes) -> bytes:
    """A DeviceRequest around another one. Raises: ConfigError (longer than the control channel takes)."""
    sealed = device_pb2.AuthenticatedMessage(counter=counter, message=message, tag=tag)
    request = device_pb2.DeviceRequest(authenticated=sealed).SerializeToString(deterministic=True)
    if len(request) > MAX_MESSAGE_BYTES:
        raise ConfigError(f"a request of {len(request)} bytes is too long for the sensor's control channel")
    return request


def read_authenticated(reply: bytes) -> AuthenticatedReply:
    """The reply within a session; any other is a downgrade.

    Raises: DeviceNotAttested (a plain reply, whatever it says), DeviceProtocolError (no DeviceReply at all).
    """
    try:
        message = read_message(device_pb2.DeviceReply, reply, max_bytes=MAX_MESSAGE_BYTES)
    except MalformedMessage as error:
        raise DeviceProtocolError(f"the sensor's reply is malformed: {error}") from error
    if message.status != device_pb2.REPLY_STATUS_OK or message.WhichOneof("reply") != "authenticated":
        raise DeviceNotAttested(
            f"the sensor answered without authentication in an attested session (status {message.status}); "
            "unplug it and try again, and look at what is between it and this host"
        )
    sealed = message.authenticated
    _sized("tag", sealed.tag, MAC_BYTES)
    return AuthenticatedReply(sealed.counter, sealed.message, sealed.tag)


def attest_request(slots: int, key_frames: Sequence[bytes], grant_digest: bytes) -> bytes:
    """A DeviceRequest for a signature over a capture. Raises: ConfigError (more than a sensor takes)."""
    if not 0 < slots < 1 << 32 or len(key_frames) > MAX_KEY_FRAMES:
        raise ConfigError(f"no sensor signs {slots} slots with {len(key_frames)} key frames")
    attest = device_pb2.AttestRequest(slots=slots, key_frames=key_frames, grant_digest=grant_digest)
    return device_pb2.DeviceRequest(attest=attest).SerializeToString(deterministic=True)


def read_attest(reply: bytes) -> SignedStatement:
    """The signed CaptureStatement in a DeviceReply. Raises: DeviceProtocolError, and what the reply's status says."""
    attest = read_reply(reply, "attest").attest
    _sized("signature", attest.signature, SIGNATURE_BYTES)
    return SignedStatement(attest.statement, attest.signature)


def read_chain(data: bytes) -> SensorChain:
    """A SensorChain and its statements. Raises: DeviceProtocolError."""
    chain = _read(attestation_pb2.SensorChain, data, "chain")
    signed = {}
    for name in ("model", "device", "firmware"):
        link = getattr(chain, name)
        _sized(f"{name} signature", link.signature, SIGNATURE_BYTES)
        signed[name] = SignedStatement(link.statement, link.signature)
    model = _read(attestation_pb2.ModelStatement, signed["model"].statement, "model statement")
    device = _read(attestation_pb2.DeviceStatement, signed["device"].statement, "device statement")
    firmware = _read(attestation_pb2.FirmwareStatement, signed["firmware"].statement, "firmware statement")
    for key in (model.key, device.key, firmware.signing_key, firmware.agreement_key):
        _sized("key", key, KEY_BYTES)
    _sized("firmware hash", firmware.firmware_hash, DIGEST_BYTES)
    return SensorChain(
        data=data,
        signed_model=signed["model"],
        signed_device=signed["device"],
        signed_firmware=signed["firmware"],
        vendor=printable(model.vendor, "vendor"),
        model=printable(model.model, "model"),
        model_key=model.key,
        serial=printable(device.serial, "serial number"),
        device_key=device.key,
        firmware_version=printable(firmware.version, "firmware version"),
        security_version=firmware.security_version,
        firmware_hash=firmware.firmware_hash,
        signing_key=firmware.signing_key,
        agreement_key=firmware.agreement_key,
    )


def read_capture_statement(data: bytes) -> CaptureStatement:
    """A CaptureStatement. Raises: DeviceProtocolError."""
    statement = _read(attestation_pb2.CaptureStatement, data, "capture statement")
    return CaptureStatement(
        statement.nonce,
        statement.schedule_digest,
        statement.capture_digest,
        statement.slots,
        tuple(statement.key_frames),
        statement.grant_digest,
    )


def evidence_bytes(chain: bytes, capture: SignedStatement) -> bytes:
    """The SensorEvidence that travels in a record."""
    signed = attestation_pb2.SignedStatement(statement=capture.statement, signature=capture.signature)
    return attestation_pb2.SensorEvidence(chain=chain, capture=signed).SerializeToString(deterministic=True)


def _read(kind: Any, data: bytes, what: str) -> Any:
    try:
        return read_message(kind, data, max_bytes=MAX_MESSAGE_BYTES)
    except MalformedMessage as error:
        raise DeviceProtocolError(f"the sensor's {what} is malformed: {error}") from error


def _sized(what: str, value: bytes, size: int) -> None:
    if len(value) != size:
        raise DeviceProtocolError(f"the sensor's {what} has {len(value)} bytes, not {size}")
