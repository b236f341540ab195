"""The firmware's codec against protobuf's own."""

from __future__ import annotations

import pytest
from faceward_proto.v1 import device_pb2
from faceward_sim.firmware.imager import Prompt
from faceward_sim.firmware.messages import (
    REPLY,
    AttestRequest,
    AuthenticatedRequest,
    ConfigurationRequest,
    ExposureRequest,
    IndicatorRequest,
    QueryRequest,
    ScheduleRequest,
    decode_request,
)
from faceward_sim.firmware.protobuf import Malformed, decode, encode
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

UINT32 = st.integers(0, 2**32 - 1)
FLOAT = st.floats(width=32, allow_nan=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)

INTRINSICS = st.fixed_dictionaries(
    {"width_px": UINT32, "height_px": UINT32} | dict.fromkeys(["fx_px", "fy_px", "cx_px", "cy_px"], FLOAT)
)
IDENTITY = st.fixed_dictionaries(
    dict.fromkeys(["vendor", "model", "serial", "firmware_version", "hardware_revision"], TEXT)
    | {
        "kind": st.integers(0, 3),
        "emitters": st.lists(
            st.fixed_dictionaries({"illumination": st.integers(0, 3), "wavelength_nm": UINT32}), max_size=4
        ),
        "slot_rate_mhz": UINT32,
        "max_schedule_slots": UINT32,
    }
)
CALIBRATION_FLOATS = [
    field.name for field in device_pb2.Calibration.DESCRIPTOR.fields if field.name not in ("infrared", "depth")
]
CALIBRATION = st.fixed_dictionaries(
    {"infrared": INTRINSICS, "depth": INTRINSICS} | dict.fromkeys(CALIBRATION_FLOATS, FLOAT)
)
HEALTH = st.fixed_dictionaries(
    {
        "temperature_centi_c": st.integers(-(2**31), 2**31 - 1),
        "uptime_us": st.integers(0, 2**64 - 1),
        "faults": st.lists(st.integers(1, 5), max_size=6),
        "dropped_frames": UINT32,
    }
)
REPLIES = st.one_of(
    st.fixed_dictionaries({"status": st.integers(0, 5)}),
    st.fixed_dictionaries({"status": st.just(1), "identity": IDENTITY}),
    st.fixed_dictionaries({"status": st.just(1), "calibration": CALIBRATION}),
    st.fixed_dictionaries({"status": st.just(1), "health": HEALTH}),
)


@given(REPLIES)
def test_a_reply_is_byte_for_byte_what_protobuf_would_write(values):
    assert encode(REPLY, values) == device_pb2.DeviceReply(**values).SerializeToString(deterministic=True)


@given(REPLIES)
def test_what_protobuf_writes_is_read_back_without_its_zeros(values):
    message = device_pb2.DeviceReply(**values).SerializeToString(deterministic=True)
    assert device_pb2.DeviceReply(**decode(REPLY, message)) == device_pb2.DeviceReply(**values)


@given(st.binary(min_size=8, max_size=32), st.binary(max_size=4200))
def test_a_schedule_keeps_its_bytes_as_received(nonce, slots):
    inner = device_pb2.IlluminationSchedule(nonce=nonce, slots=slots)
    request = decode_request(device_pb2.DeviceRequest(schedule=inner).SerializeToString())
    assert request == ScheduleRequest(inner.SerializeToString(), nonce, slots)


@pytest.mark.parametrize("prompt", list(Prompt))
def test_every_prompt_is_understood(prompt):
    message = device_pb2.DeviceRequest(indicator=device_pb2.Indicator(prompt=int(prompt))).SerializeToString()
    assert decode_request(message) == IndicatorRequest(prompt)


def test_an_unknown_prompt_is_none():
    message = device_pb2.DeviceRequest(indicator=device_pb2.Indicator(prompt=99)).SerializeToString()
    assert decode_request(message) == IndicatorRequest(None)


@pytest.mark.parametrize("name", ["identity", "calibration", "health"])
def test_queries_are_understood(name):
    message = device_pb2.DeviceRequest()
    getattr(message, name).SetInParent()
    assert decode_request(message.SerializeToString()) == QueryRequest(name)


@given(st.binary(max_size=60))
def test_whatever_is_accepted_protobuf_reads_in_the_same_way(message):
    try:
        request = decode_request(message)
    except Malformed:
        return
    read = device_pb2.DeviceRequest.FromString(message)
    name = read.WhichOneof("request")
    if isinstance(request, ScheduleRequest):
        assert (name, read.schedule.nonce, read.schedule.slots) == ("schedule", request.nonce, request.slots)
    elif isinstance(request, IndicatorRequest):
        assert name == "indicator"
        assert request.prompt is None or read.indicator.prompt == request.prompt
    elif isinstance(request, ConfigurationRequest):
        sizes = read.configuration
        assert request.infrared_px == (sizes.infrared_width_px, sizes.infrared_height_px)
        assert request.depth_px == (sizes.depth_width_px, sizes.depth_height_px)
    elif isinstance(request, ExposureRequest):
        assert (request.exposure_us, request.gain_centi) == (read.exposure.exposure_us, read.exposure.gain_centi)
    elif isinstance(request, AuthenticatedRequest):
        sealed = read.authenticated
        assert (request.counter, request.message, request.tag) == (sealed.counter, sealed.message, sealed.tag)
    elif isinstance(request, AttestRequest):
        asked = read.attest
        assert (request.slots, request.grant_digest) == (asked.slots, asked.grant_digest)
        assert request.key_frames == tuple(asked.key_frames)
    else:
        assert name == request.name


@given(REPLIES, st.data())
def test_a_cut_message_is_refused_by_both_or_ends_between_fields(values, data):
    message = encode(REPLY, values)
    cut = message[: data.draw(st.integers(0, len(message)))]
    try:
        ours = decode(REPLY, cut)
    except Malformed:
        return
    try:
        theirs = device_pb2.DeviceReply.FromString(cut)
    except DecodeError:
        pytest.fail("protobuf refuses what the firmware accepts")
    assert device_pb2.DeviceReply(**ours) == theirs


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (b"", "nothing"),
        (b"\x0a\x00\x12\x00", "two requests"),
        (b"\x0a\x00\x0a\x00", "one request twice"),
        (b"\x0a\x02\x08\x01", "content where there is none"),
        (b"\x4a\x00", "an unknown field"),
        (b"\x0a\x80\x00", "a length longer than it need be"),
        (b"\x8a\x00\x00", "a tag longer than it need be"),
        (b"\x0a\x01", "cut short"),
        (b"\x08\x00", "the wrong wire type"),
        (b"\x2a\x03\x08\x80\x00", "an overlong value"),
        (b"\x2a\x04\x08\x01\x08\x02", "the last of two would win"),
        (b"\x2a\x06\x08\x80\x80\x80\x80\x10", "an enum above its 32 bits"),
        (b"\x22\x09\x0a\x07" + bytes(7), "a nonce of seven bytes"),
        (b"\x22\x23\x0a\x21" + bytes(33), "a nonce of 33 bytes"),
        (b"\x22\x0e\x12\x02\x01\x02\x0a\x08" + bytes(8), "fields out of order"),
    ],
)
def test_a_careless_request_is_malformed(message, why):
    with pytest.raises(Malformed):
        decode_request(message)


@pytest.mark.parametrize("values", [{"status": -1}, {"status": 1 << 31}, {"nothing": 1}])
def test_what_can_not_be_written_is_a_value_error(values):
    with pytest.raises(ValueError):
        encode(REPLY, values)
