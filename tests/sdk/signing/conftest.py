"""An admitted capture, a signer and a grant."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
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


@pytest.fixture
def make_live():
    """A LiveCapture with key frames of the frontal pose (with depth) and the left one (without)."""

    def make(*, simulated: bool | None = None, proof: SensorEvidence | None = None):
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
            "c0ffee", _sensor(), b"n" * 16, b"y" * 32, b"x" * 32, 90, 3.0, frames, True, None, simulated, proof
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
