"""An admitted capture, a signer and a grant."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from faceward.liveness.admit import admit
from faceward.model.capture import Capture, FaceTemplate, KeyFrame, SensorEvidence
from faceward.model.face import FaceSighting, Pose
from faceward.model.frame import (
    Calibration,
    Frame,
    Illumination,
    Intrinsics,
    SensorInfo,
    SensorKind,
    Stream,
    digest_of,
)
from faceward.model.liveness import Evidence, GateResult, LivenessVerdict, Measure, Outcome
from faceward.signing.file_key import FileKeySigner
from faceward_proto.attestation import CAPTURE_LABEL, DEVICE_LABEL, EVIDENCE_KIND, FIRMWARE_LABEL, MODEL_LABEL
from faceward_proto.v1 import attestation_pb2

NOW_S = 1_800_000_000


def _frame(stream: Stream, fill: int) -> Frame:
    data = bytes([fill, 0])
    return Frame(
        stream, 1, 1, data, 0, 0, 0, 100, 1.0, Illumination.FLOOD, 940, 30.0, bytes(8), digest_of(data)
    )  # fmt: skip


def _sighting() -> FaceSighting:
    return FaceSighting(0, 1, (0, 0, 1, 1), np.zeros((5, 2), np.float32), 0.9, None, 400.0, 100.0, 0.0, 1.0)


def _sensor() -> SensorInfo:
    intrinsics = Intrinsics(1, 1, 1.0, 1.0, 0.0, 0.0)
    return SensorInfo(
        address="usb:1209:0001",
        vendor="Ward",
        model="SL-940",
        serial="W-1",
        firmware_version="1.2.0",
        hardware_revision="B",
        kind=SensorKind.STRUCTURED_LIGHT,
        wavelengths_nm={Illumination.FLOOD: 940},
        slot_rate_hz=30.0,
        max_schedule_slots=4096,
        calibration=Calibration(intrinsics, intrinsics, *[1.0] * 14),
        profiles=(),
    )


def _key(label: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(label).digest(), "big"), ec.SECP256R1())


def _der(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _statement(message, label: bytes, key: ec.EllipticCurvePrivateKey) -> attestation_pb2.SignedStatement:
    data = message.SerializeToString(deterministic=True)
    r, s = decode_dss_signature(key.sign(label + data, ec.ECDSA(SHA256())))
    return attestation_pb2.SignedStatement(statement=data, signature=r.to_bytes(32, "big") + s.to_bytes(32, "big"))


@pytest.fixture
def attest():
    """What a sensor under the simulator's published root signs of `make_live`'s capture, for a grant's envelope."""

    def make(grant: bytes) -> SensorEvidence:
        root, model, device, signing = map(
            _key, (b"faceward simulated root, worth nothing", b"model", b"device", b"signing")
        )
        firmware = attestation_pb2.FirmwareStatement(
            version="1.2.0", security_version=1, firmware_hash=bytes(32), signing_key=_der(signing),
            agreement_key=_der(_key(b"agreement")),
        )  # fmt: skip
        chain = attestation_pb2.SensorChain(
            model=_statement(
                attestation_pb2.ModelStatement(vendor="Ward", model="SL-940", key=_der(model)), MODEL_LABEL, root
            ),
            device=_statement(attestation_pb2.DeviceStatement(serial="W-1", key=_der(device)), DEVICE_LABEL, model),
            firmware=_statement(firmware, FIRMWARE_LABEL, device),
        )
        capture = attestation_pb2.CaptureStatement(
            nonce=b"n" * 16,
            schedule_digest=b"y" * 32,
            capture_digest=b"x" * 32,
            slots=90,
            key_frames=[digest_of(bytes([fill, 0])) for fill in (1, 2, 3)],
            grant_digest=hashlib.sha256(grant).digest(),
        )
        evidence = attestation_pb2.SensorEvidence(
            chain=chain.SerializeToString(), capture=_statement(capture, CAPTURE_LABEL, signing)
        )
        return SensorEvidence(EVIDENCE_KIND, evidence.SerializeToString())

    return make


@pytest.fixture
def make_live():
    """A LiveCapture with key frames of the frontal pose (with depth) and the left one (without)."""

    def make(proof: SensorEvidence | None = None):
        frames = (
            KeyFrame(Pose.FRONTAL, _frame(Stream.INFRARED, 1), _frame(Stream.DEPTH, 2), _sighting()),
            KeyFrame(Pose.LEFT, _frame(Stream.INFRARED, 3), None, _sighting()),
        )
        covered = frozenset(digest_of(bytes([fill, 0])) for fill in (1, 2, 3))
        evidence = Evidence(Outcome.LIVE, "relief", "deep enough", (Measure("relief", 30.0, "mm"),), 1.0, covered)
        verdict = LivenessVerdict(
            Outcome.LIVE,
            tuple(GateResult(name, "1.0", "faceward-gates 0.1.0", evidence) for name in ("skin-optics", "flatness")),
            hashlib.sha256(b"policy").digest(),
        )
        capture = Capture(
            "c0ffee", _sensor(), b"n" * 16, b"y" * 32, b"x" * 32, 90, 3.0, frames, True, None, proof
        )  # fmt: skip
        return admit(capture, verdict)

    return make


@pytest.fixture
def template() -> FaceTemplate:
    return FaceTemplate(
        "sface", "1", (Pose.FRONTAL, Pose.LEFT), np.eye(2, 4, dtype=np.float32), np.array([0.5, -1.0], np.float32)
    )


@pytest.fixture
def signer(tmp_path) -> FileKeySigner:
    return FileKeySigner.create(tmp_path / "signer.pem")
