"""The strict reader takes the canonical form of a message and nothing else."""

from __future__ import annotations

import struct

import pytest
from faceward_proto.reader import MAX_DEPTH, MalformedMessage, read_message
from faceward_proto.v1 import capture_pb2, device_pb2, envelope_pb2, grant_pb2, template_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

CAP = 1 << 20
KINDS = [
    device_pb2.DeviceRequest,
    device_pb2.DeviceReply,
    capture_pb2.RecordedFrame,
    capture_pb2.RecordedSensor,
    envelope_pb2.Envelope,
    grant_pb2.Grant,
    template_pb2.TemplateRecord,
]


def _every_type():
    """A message with a field of each scalar type, bare, repeated and optional, which no message of ours has."""
    file = descriptor_pb2.FileDescriptorProto(name="every_type.proto", package="faceward.test", syntax="proto3")
    message = file.message_type.add(name="EveryType")
    kinds = [number for number in range(1, 19) if number not in (10, 11, 14)]
    for at, kind in enumerate(kinds):
        message.field.add(name=f"bare_{at}", number=at + 1, type=kind, label=1)
        message.field.add(name=f"many_{at}", number=at + 101, type=kind, label=3)
        message.oneof_decl.add(name=f"_maybe_{at}")
        message.field.add(name=f"maybe_{at}", number=at + 201, type=kind, label=1, proto3_optional=True, oneof_index=at)
    message.field.add(name="inside", number=300, type=11, label=1, type_name=".faceward.test.EveryType")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("faceward.test.EveryType"))


EVERY_TYPE = _every_type()
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_SCALARS = {
    FieldDescriptor.TYPE_DOUBLE: st.floats(allow_nan=False, allow_infinity=False),
    FieldDescriptor.TYPE_FLOAT: st.floats(allow_nan=False, allow_infinity=False, width=32),
    FieldDescriptor.TYPE_INT64: st.integers(-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.TYPE_SINT64: st.integers(-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.TYPE_SFIXED64: st.integers(-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.TYPE_UINT64: st.integers(0, (1 << 64) - 1),
    FieldDescriptor.TYPE_FIXED64: st.integers(0, (1 << 64) - 1),
    FieldDescriptor.TYPE_INT32: st.integers(-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.TYPE_SINT32: st.integers(-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.TYPE_SFIXED32: st.integers(-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.TYPE_UINT32: st.integers(0, (1 << 32) - 1),
    FieldDescriptor.TYPE_FIXED32: st.integers(0, (1 << 32) - 1),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_STRING: _TEXT,
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=12),
}


def _value(field, depth):
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return _filled(field.message_type, depth + 1)
    if field.type == FieldDescriptor.TYPE_ENUM:
        return st.sampled_from(sorted(field.enum_type.values_by_number))
    return _SCALARS[field.type]


@st.composite
def _filled(draw, descriptor, depth=1):
    message = message_factory.GetMessageClass(descriptor)()
    oneofs = set()
    for field in descriptor.fields:
        oneof = field.containing_oneof and field.containing_oneof.name
        if oneof in oneofs or (field.type == FieldDescriptor.TYPE_MESSAGE and depth > 2) or not draw(st.booleans()):
            continue
        if field.is_repeated:
            values = draw(st.lists(_value(field, depth), max_size=3))
            getattr(message, field.name).extend(values)
            continue
        if oneof:
            oneofs.add(oneof)
        value = draw(_value(field, depth))
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            getattr(message, field.name).CopyFrom(value)
        else:
            setattr(message, field.name, value)
    return message


def _messages():
    return st.sampled_from([*KINDS, EVERY_TYPE]).flatmap(lambda kind: _filled(kind.DESCRIPTOR))


def _write(message) -> bytes:
    return message.SerializeToString(deterministic=True)


def _refuses(kind, data) -> str:
    with pytest.raises(MalformedMessage) as caught:
        read_message(kind, data, max_bytes=CAP)
    return str(caught.value)


@settings(deadline=None, max_examples=300)
@given(_messages())
def test_every_message_that_protobuf_writes_is_read_back_as_it_was(message):
    data = _write(message)
    assert read_message(type(message), data, max_bytes=len(data)) == message


@settings(deadline=None, max_examples=600)
@given(_messages(), st.data())
def test_whatever_is_read_writes_back_the_same_bytes(message, data):
    raw = bytearray(_write(message))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw)))
        piece = data.draw(st.sampled_from([b"", b"\x00", b"\x80\x00", bytes(raw[at : at + 9]), bytes(raw)]))
        drop = data.draw(st.integers(0, 3))
        raw[at : at + drop] = piece or data.draw(st.binary(max_size=3))
    try:
        read = read_message(type(message), bytes(raw), max_bytes=CAP)
    except MalformedMessage:
        return
    assert _write(read) == bytes(raw)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from([*KINDS, EVERY_TYPE]), st.binary(max_size=64))
def test_arbitrary_bytes_are_refused_or_are_canonical(kind, raw):
    try:
        read = read_message(kind, raw, max_bytes=CAP)
    except MalformedMessage:
        return
    assert _write(read) == raw


@settings(deadline=None, max_examples=200)
@given(_messages())
def test_a_message_followed_by_itself_is_refused(message):
    data = _write(message)
    repeats_only = all(field.is_repeated and not field.is_packed for field, _ in message.ListFields())
    if data and not (repeats_only and len(message.ListFields()) == 1):
        assert _refuses(type(message), data + data)  # with words


@settings(deadline=None, max_examples=200)
@given(_messages(), st.integers(1, 1 << 28), st.binary(max_size=8))
def test_an_unknown_field_is_refused(message, number, value):
    kind = type(message)
    if number in kind.DESCRIPTOR.fields_by_number or number < 400:
        return
    extra = _varint(number << 3 | 2) + _varint(len(value)) + value
    assert f"unknown field {number}" in _refuses(kind, _write(message) + extra)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def test_more_bytes_than_allowed_are_refused():
    data = _write(device_pb2.Identity(vendor="x"))
    assert read_message(device_pb2.Identity, data, max_bytes=3).vendor == "x"
    with pytest.raises(MalformedMessage, match="at most 2"):
        read_message(device_pb2.Identity, data, max_bytes=2)


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        (device_pb2.Identity, b"\x0a\x01a\x0a\x01b", "Identity.vendor: twice"),
        (device_pb2.Identity, b"\x12\x01a\x0a\x01b", "vendor: out of order"),
        (device_pb2.Identity, b"\x0a\x00", "vendor: empty but written"),
        (device_pb2.Identity, b"\x0a\x81\x00a", "more bytes than it needs"),
        (device_pb2.Identity, b"\x8a\x00\x01a", "more bytes than it needs"),
        (device_pb2.Identity, b"\x0a\x02a", "longer than what is left"),
        (device_pb2.Identity, b"\x0a", "cut off"),
        (device_pb2.Identity, b"\x0a\x01\xff", "not UTF-8"),
        (device_pb2.Identity, b"\x0a\x03\xed\xa0\x80", "not UTF-8"),
        (device_pb2.Identity, b"\x08\x01", "vendor: wire type 0"),
        (device_pb2.Identity, b"\x0b\x0c", "vendor: wire type 3"),
        (device_pb2.Identity, b"\x30\x00", "kind: zero but written"),
        (device_pb2.Identity, b"\x30\x09", "kind: unknown value 9"),
        (device_pb2.Identity, b"\x40\x80\x80\x80\x80\x10", "slot_rate_mhz: out of range"),
        (device_pb2.Identity, b"\x40" + b"\xff" * 9 + b"\x02", "out of range"),
        (device_pb2.Identity, b"\x40" + b"\xff" * 10 + b"\x01", "more bytes than it needs"),
        (device_pb2.Identity, b"\x82\x01\x00", "unknown field 16"),
        (device_pb2.Identity, b"\x00\x00", "unknown field 0"),
        (device_pb2.Health, b"\x1a\x00", "faults: empty but written"),
        (device_pb2.Health, b"\x1a\x01\x01\x1a\x01\x02", "faults: twice"),
        (device_pb2.Health, b"\x18\x01", "faults: wire type 0"),
        (device_pb2.Health, b"\x1a\x01\x80", "faults: cut off"),
        (device_pb2.Health, b"\x1a\x01\x07", "faults: unknown value 7"),
        (device_pb2.DeviceRequest, b"\x0a\x00\x12\x00", "a second member of request"),
        (device_pb2.Calibration, b"\x1d\x00\x00\x80\x3f\x00", "unknown field 0"),
        (device_pb2.Calibration, b"\x1d\x00\x00\x80", "depth_unit_um: cut off"),
        (device_pb2.Calibration, b"\x1d" + struct.pack("<f", float("nan")), "not finite"),
        (device_pb2.Calibration, b"\x1d" + struct.pack("<f", float("-inf")), "not finite"),
        (device_pb2.Calibration, b"\x1d" + bytes(4), "zero but written"),
        (capture_pb2.RecordedSensor, b"\x30\x02", "simulated: out of range"),
        (template_pb2.PoseTemplate, b"\x12\x03\x00\x00\x80", "embedding: cut off"),
        (template_pb2.PoseTemplate, b"\x12\x08" + struct.pack("<2f", 1, float("inf")), "embedding: not finite"),
        (template_pb2.PoseTemplate, b"\x12\x00", "embedding: empty but written"),
        (template_pb2.PoseTemplate, b"\x15\x00\x00\x80\x3f", "embedding: wire type 5"),
        (template_pb2.Measure, b"\x11" + struct.pack("<d", float("nan")), "value: not finite"),
    ],
)
def test_what_is_not_canonical_is_refused_with_its_place(kind, data, why):
    assert why in _refuses(kind, data)


def test_protobuf_itself_takes_most_of_what_is_refused():
    assert device_pb2.Identity.FromString(b"\x0a\x01a\x0a\x81\x00b").vendor == "b"


def test_a_zero_with_presence_may_be_written():
    data = b"\x21" + bytes(8)
    assert read_message(template_pb2.Measure, data, max_bytes=CAP).HasField("limit")


def test_an_empty_message_inside_another_may_be_written():
    assert read_message(device_pb2.DeviceRequest, b"\x0a\x00", max_bytes=CAP).WhichOneof("request") == "identity"


def test_messages_nested_too_deep_are_refused_without_recursion():
    data = b""
    for _ in range(MAX_DEPTH - 1):
        data = b"\xe2\x12" + _varint(len(data)) + data
    assert read_message(EVERY_TYPE, data, max_bytes=CAP)
    assert "deep" in _refuses(EVERY_TYPE, b"\xe2\x12" + _varint(len(data)) + data)


def test_protobufs_own_refusal_becomes_a_malformed_message(monkeypatch):
    def refuse(self, data):
        raise DecodeError("no")

    kind = type("Identity", (), {"DESCRIPTOR": device_pb2.Identity.DESCRIPTOR, "ParseFromString": refuse})
    assert "Identity: no" in _refuses(kind, b"")
