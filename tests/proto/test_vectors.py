"""Bytes that a third encoder made pin both codecs: protobuf's as the host uses it, and the simulated firmware's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from faceward.hal.payload import parse_header
from faceward.model.frame import Illumination, Stream
from faceward_proto.reader import MalformedMessage, read_message
from faceward_proto.v1 import attestation_pb2, capture_pb2, device_pb2, envelope_pb2, grant_pb2, template_pb2, trust_pb2
from faceward_sim.firmware import messages
from faceward_sim.firmware.payload import FrameMetadata, StreamId, pack_frame
from faceward_sim.firmware.protobuf import decode, encode
from google.protobuf import text_format

FOLDER = Path(__file__).parent / "vectors"
VECTORS = sorted(FOLDER.glob("*.textproto"))
MODULES = [attestation_pb2, device_pb2, capture_pb2, template_pb2, envelope_pb2, grant_pb2, trust_pb2]
KINDS = {name: getattr(module, name) for module in MODULES for name in module.DESCRIPTOR.message_types_by_name}


def _vector(text: Path):
    return KINDS[text.name.split(".")[0]], text.with_suffix(".bin").read_bytes()


@pytest.mark.parametrize("text", VECTORS, ids=lambda path: path.stem)
def test_protobuf_writes_and_the_strict_reader_reads_the_golden_bytes(text):
    kind, data = _vector(text)
    meant = text_format.Parse(text.read_text(encoding="utf-8"), kind())
    assert read_message(kind, data, max_bytes=len(data)) == meant
    assert meant.SerializeToString(deterministic=True) == data


@pytest.mark.parametrize(
    "text", [path for path in VECTORS if path.with_suffix(".bin").stat().st_size], ids=lambda path: path.stem
)
def test_no_golden_message_reads_the_same_with_a_byte_changed(text):
    kind, data = _vector(text)
    meant = kind.FromString(data)
    for index in range(len(data)):
        for flip in (0x01, 0x80, 0xFF):
            changed = bytes([*data[:index], data[index] ^ flip, *data[index + 1 :]])
            try:
                assert read_message(kind, changed, max_bytes=len(data)) != meant
            except MalformedMessage:
                continue


def test_every_message_type_has_golden_bytes():
    assert {path.name.split(".")[0] for path in VECTORS} == set(KINDS)


def test_every_vector_has_its_text_and_its_bytes():
    assert {path.stem for path in FOLDER.glob("*.bin")} == {path.stem for path in VECTORS}


@pytest.mark.parametrize(
    "name", [path.stem for path in VECTORS if path.stem.startswith("DeviceReply.")], ids=lambda name: name
)
def test_the_simulators_codec_reads_and_writes_the_golden_replies(name):
    data = (FOLDER / f"{name}.bin").read_bytes()
    fields = decode(messages.REPLY, data)
    assert encode(messages.REPLY, fields) == data
    assert fields == _plain(device_pb2.DeviceReply.FromString(data))


def _plain(message) -> dict:
    found = {}
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            found[field.name] = [_plain(one) for one in value] if field.is_repeated else _plain(value)
        else:
            found[field.name] = list(value) if field.is_repeated else value
    return found


def test_the_simulators_codec_reads_the_golden_requests():
    def request(variant):
        return messages.decode_request((FOLDER / f"DeviceRequest.{variant}.bin").read_bytes())

    for name in ("identity", "calibration", "health"):
        assert request(name) == messages.QueryRequest(name)
    schedule = request("schedule")
    whole = device_pb2.DeviceRequest.FromString((FOLDER / "DeviceRequest.schedule.bin").read_bytes()).schedule
    assert (schedule.nonce, schedule.slots) == (whole.nonce, whole.slots)
    assert schedule.raw == whole.SerializeToString()
    assert request("indicator").prompt == device_pb2.PROMPT_TURN_LEFT


def _payload() -> bytes:
    lines = (FOLDER / "uvc_payload.hex").read_text(encoding="utf-8").splitlines()
    return bytes.fromhex(" ".join(line.partition("#")[0] for line in lines))


def test_the_simulator_sends_the_golden_payload():
    metadata = FrameMetadata(
        stream=StreamId.DEPTH,
        illumination=1,
        wavelength_nm=940,
        sequence=0x01020305,
        slot=0x11223344,
        device_time_us=0x512345678,
        exposure_us=2500,
        gain=1.5,
        temperature_c=-12.5,
        config_hash=bytes(range(0xA0, 0xA8)),
    )
    image = np.array([[1, 32_768], [65_535, 1_027]], np.uint16)
    frame = pack_frame(0x82, image, metadata, 12_345_678)
    assert [bytes(payload) for payload in frame.payloads] == [_payload()]


def test_the_host_reads_the_golden_payload():
    header = parse_header(_payload())
    assert (header.fid, header.eof, header.pts) == (1, True, 0x12345678)
    assert (header.stream, header.illumination, header.wavelength_nm) == (Stream.DEPTH, Illumination.DOTS, 940)
    assert (header.sequence, header.slot, header.device_time_us) == (0x01020305, 0x11223344, 0x512345678)
    assert (header.exposure_us, header.gain_centi, header.temperature_centi_c) == (2500, 150, -1250)
    assert (header.frame_bytes, header.config_hash, header.tag) == (8, bytes(range(0xA0, 0xA8)), bytes(32))
