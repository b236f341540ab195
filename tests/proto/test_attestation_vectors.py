"""Bytes that a script of hashlib and hmac made pin both halves of an attested session."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from types import SimpleNamespace

import pytest
from faceward.capture.digest import digest_schedule
from faceward.hal import attestation as host
from faceward.model.frame import Frame, Illumination, IlluminationSchedule, Stream, digest_of
from faceward.wire.frames import frame_record
from faceward_sim.firmware import capture as sent
from faceward_sim.firmware import session as device
from faceward_sim.firmware.messages import AuthenticatedRequest, ConnectRequest

VECTORS = {
    name: bytes.fromhex(value)
    for name, value in json.loads(
        (Path(__file__).parent / "vectors/attestation/vectors.json").read_text(encoding="utf-8")
    ).items()
}
V = SimpleNamespace(**VECTORS)
COUNTER = struct.unpack("<I", V.counter)[0]


def sensors_session() -> device.Session:
    agreement = SimpleNamespace(agree=lambda point: V.shared)
    started = SimpleNamespace(chain=V.chain, agreement=agreement)
    return device.Session(ConnectRequest(V.host_random, V.host_key), V.device_random, started)


@pytest.mark.parametrize("kdf", [host.kdf, device.kdf], ids=["host", "sensor"])
def test_both_sides_derive_the_golden_keys(kdf) -> None:
    assert kdf(V.shared, b"faceward.master.v1", V.host_random + V.device_random, 32) == V.master
    assert kdf(V.master, b"faceward.keys.v1", V.session_id, 96) == V.keys


def test_the_sensor_makes_the_golden_session_and_tags() -> None:
    session = sensors_session()
    assert session.id == V.session_id
    assert session.reply["mac"] == V.mac
    assert session.open(AuthenticatedRequest(COUNTER, V.message, V.request_tag)) == V.message
    assert session.seal(COUNTER, V.message)["tag"] == V.reply_tag
    assert session.tag(V.frame_record) == V.frame_tag


def test_the_host_makes_the_golden_tags_and_takes_the_golden_frame() -> None:
    session = host.Session(V.session_id, V.keys, SimpleNamespace(data=V.chain))
    session._counter = COUNTER - 1
    assert V.request_tag in session.seal(V.message)
    frame = Frame(
        Stream.INFRARED, 4, 2, V.pixels, 5, 5, 2_166_666, 2_500, 1.5, Illumination.FLOOD, 940, 35.12, b"confhash",
        digest_of(V.pixels), V.frame_tag,
    )  # fmt: skip
    assert frame_record(frame) == V.frame_record
    session.check_frame(frame)


def test_both_sides_chain_the_golden_capture() -> None:
    assert digest_schedule(IlluminationSchedule(V.nonce, V.slots)) == V.schedule_digest
    chained = hashlib.sha256(V.chain_before + V.frame_record).digest()
    assert hashlib.sha256(chained + struct.pack("<I", 1)).digest() == V.capture_digest
    capture = object.__new__(sent.SentCapture)
    capture.__dict__.update(_scheduled=4, _slots=0, _frames=0, _chain=V.chain_before, _slot_of={}, _closed=[])
    capture.add(V.frame_record)
    capture.end_slot()
    assert capture._closed == [(1, V.capture_digest)]
