"""The host's side of an attested session: handshake, authenticated commands, tags of frames, the signed capture.

docs/protocol.md, "Attestation", is the specification. Whose root a sensor's chain leads to is not decided here: the links
below the root are verified, because the handshake needs their last key, and the rest is for whoever has roots.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFHMAC, CounterLocation, Mode
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from faceward_proto.attestation import (
    CAPTURE_LABEL,
    DEVICE_LABEL,
    EVIDENCE_KIND,
    FIRMWARE_LABEL,
    simulator_root,
    verify_chain,
)
from faceward_proto.errors import VerificationError
from faceward_proto.keys import PublicKey, UnusableKey

from faceward.errors import DeviceNotAttested
from faceward.model.capture import CaptureClaim, SensorClaim, SensorEvidence
from faceward.model.frame import Frame
from faceward.wire import attestation as wire
from faceward.wire.device import Identity
from faceward.wire.frames import frame_record

_KEY_BYTES = 32
_MAX_COUNTER = (1 << 32) - 1


class Session:
    """An attested session with a sensor whose chain holds together below its root. Made by `Handshake.finish`."""

    def __init__(self, session_id: bytes, keys: bytes, chain: wire.SensorChain) -> None:
        self.chain = chain
        self._id = session_id
        self._command_key, self._reply_key, self._frame_key = (keys[at : at + _KEY_BYTES] for at in (0, 32, 64))
        self._counter = 0

    @property
    def claim(self) -> SensorClaim:
        """What the sensor says it is, for whoever has roots to verify it by."""
        return SensorClaim(EVIDENCE_KIND, self.chain.data)

    def seal(self, request: bytes) -> bytes:
        """The next request of the session around a DeviceRequest. One thread at a time, each followed by its `open`.

        Raises: ConfigError (a request too long), DeviceNotAttested (the session's counter is used up).
        """
        if self._counter >= _MAX_COUNTER:
            raise DeviceNotAttested("the session's counter is used up: open the sensor anew")
        self._counter += 1
        tag = self._mac(self._command_key, b"command\0", struct.pack("<I", self._counter), request)
        return wire.authenticated_request(self._counter, request, tag)

    def open(self, reply: bytes) -> bytes:
        """The DeviceReply in the reply to the last request.

        1. It is an authenticated one: a plain reply is a downgrade.
        2. It has the last request's counter.
        3. Its tag is the session's.

        Raises: DeviceNotAttested, DeviceProtocolError.
        """
        # 1
        sealed = wire.read_authenticated(reply)
        # 2
        if sealed.counter != self._counter:
            raise DeviceNotAttested(f"the sensor answers request {sealed.counter}, not {self._counter}")
        # 3
        expected = self._mac(self._reply_key, b"reply\0", struct.pack("<I", sealed.counter), sealed.message)
        if not hmac.compare_digest(expected, sealed.tag):
            raise DeviceNotAttested("a reply does not come from the sensor that the session is with")
        return sealed.message

    def check_identity(self, identity: Identity) -> None:
        """What the sensor says of itself is what its chain says. Raises: DeviceNotAttested."""
        said = (identity.vendor, identity.model, identity.serial, identity.firmware_version)
        proven = (self.chain.vendor, self.chain.model, self.chain.serial, self.chain.firmware_version)
        if said != proven:
            raise DeviceNotAttested(f"the sensor says it is {' '.join(said)}, and its chain is of {' '.join(proven)}")

    def check_frame(self, frame: Frame) -> None:
        """The frame, hashed, has the session's tag. Raises: DeviceNotAttested, DeviceProtocolError."""
        expected = self._mac(self._frame_key, b"frame\0", frame_record(frame))
        if not hmac.compare_digest(expected, frame.tag):
            what = "a tag that is not the session's" if frame.tag else "no tag"
            raise DeviceNotAttested(f"slot {frame.slot}: the {frame.stream.name.lower()} frame has {what}")

    def check_capture(self, claim: CaptureClaim, signed: wire.SignedStatement) -> SensorEvidence:
        """The evidence of a capture.

        1. The statement is signed by the firmware's signing key.
        2. It says what the host has seen, in every field.

        Raises: DeviceNotAttested, DeviceProtocolError.
        """
        # 1
        _verify(self.chain.signing_key, CAPTURE_LABEL, signed, "capture")
        # 2
        said = wire.read_capture_statement(signed.statement)
        seen = wire.CaptureStatement(
            claim.nonce,
            claim.schedule_digest,
            claim.capture_digest,
            claim.slots,
            claim.key_frames,
            claim.grant_digest,
        )
        if said != seen:
            raise DeviceNotAttested("the sensor signed another capture than this host has seen")
        return SensorEvidence(EVIDENCE_KIND, wire.evidence_bytes(self.chain.data, signed))

    def _mac(self, key: bytes, label: bytes, *parts: bytes) -> bytes:
        return hmac.digest(key, label + self._id + b"".join(parts), "sha256")


class Handshake:
    """The host's half: send `request`, give the answer to `finish`. Random and key are fresh unless a test gives them."""

    def __init__(self, host_random: bytes | None = None, key: ec.EllipticCurvePrivateKey | None = None) -> None:
        self._random = secrets.token_bytes(wire.RANDOM_BYTES) if host_random is None else host_random
        self._key = ec.generate_private_key(ec.SECP256R1()) if key is None else key
        self._point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def request(self) -> bytes:
        """The DeviceRequest that begins the session."""
        return wire.connect_request(self._random, self._point)

    def finish(self, reply: wire.ConnectReply) -> Session:
        """The session, if the sensor's half is a sensor's.

        1. The chain is read strictly, and each link below the root is signed by the one above it.
        2. Both sides derive the same keys: the sensor has the private half of the agreement key that its chain names.
        3. The MAC over the session, which covers the whole exchange and the chain, is the sensor's.

        Raises: DeviceNotAttested, DeviceProtocolError.
        """
        # 1
        chain = wire.read_chain(reply.chain)
        _verify(chain.model_key, DEVICE_LABEL, chain.signed_device, "device")
        _verify(chain.device_key, FIRMWARE_LABEL, chain.signed_firmware, "firmware")
        _public_key(chain.signing_key)
        # 2
        agreement = _public_key(chain.agreement_key).der[-wire.POINT_BYTES :]
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), agreement)
        shared = self._key.exchange(ec.ECDH(), point)
        master = kdf(shared, b"faceward.master.v1", self._random + reply.device_random, 32)
        exchange = self._random + self._point + reply.device_random + hashlib.sha256(reply.chain).digest()
        session_id = hashlib.sha256(b"faceward.session.v1\0" + exchange).digest()
        keys = kdf(master, b"faceward.keys.v1", session_id, 3 * _KEY_BYTES)
        # 3
        expected = hmac.digest(keys[_KEY_BYTES : 2 * _KEY_BYTES], b"connect\0" + session_id, "sha256")
        if not hmac.compare_digest(expected, reply.mac):
            raise DeviceNotAttested("the sensor does not have the key that its chain names")
        return Session(session_id, keys, chain)


def kdf(key: bytes, label: bytes, context: bytes, length: int) -> bytes:
    """NIST SP 800-108 in counter mode with HMAC-SHA256; counter and length are 32 bits, the counter first."""
    return KBKDFHMAC(
        algorithm=SHA256(),
        mode=Mode.CounterMode,
        length=length,
        rlen=4,
        llen=4,
        location=CounterLocation.BeforeFixed,
        label=label,
        context=context,
        fixed=None,
    ).derive(key)


def is_simulated(claim: SensorClaim | None) -> bool:
    """Whether the claim's chain leads to the simulator's published root: a label for recordings, which prove nothing.

    What a sensor proves to a host, faceward.signing.provenance says.
    """
    if claim is None or claim.kind != EVIDENCE_KIND:
        return False
    try:
        return verify_chain(claim.proof, [simulator_root()]).simulated
    except VerificationError:
        return False


def _verify(key: bytes, label: bytes, signed: wire.SignedStatement, what: str) -> None:
    if not _public_key(key).verifies(signed.signature, label + signed.statement):
        raise DeviceNotAttested(f"the sensor's {what} statement is not signed by the key that must sign it")


def _public_key(der: bytes) -> PublicKey:
    try:
        key = PublicKey(der)
    except UnusableKey as error:
        raise DeviceNotAttested(f"a key of the sensor's chain is {error}") from None
    if key.algorithm != "ES256" or key.der != der:
        raise DeviceNotAttested("a key of the sensor's chain is no P-256 key in its usual form")
    return key
