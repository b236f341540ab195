"""Records and grants come back from their bytes as they were, and what can't be read is never written."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import numpy as np
import pytest
from faceward.errors import VerificationError
from faceward.model.capture import FaceTemplate
from faceward.model.face import Pose
from faceward.model.frame import SensorKind
from faceward.model.liveness import Measure, Outcome
from faceward.model.template import (
    Attestation,
    Grant,
    RecordedCapture,
    RecordedGate,
    RecordedPose,
    RecordedSensor,
    TemplateRecordModel,
)
from faceward.wire.record import decode_grant, decode_template, encode_grant, encode_template
from hypothesis import given, settings
from hypothesis import strategies as st

DIGEST = st.binary(min_size=32, max_size=32)
WORD = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,20}", fullmatch=True)
TEXT = st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), min_size=1, max_size=20)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def templates(draw):
    poses = tuple(draw(st.lists(st.sampled_from(Pose), min_size=1, max_size=6, unique=True)))
    generator = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    embeddings = generator.normal(size=(len(poses), draw(st.integers(1, 128)))).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    relief = generator.normal(size=draw(st.integers(0, 40))).astype(np.float32)
    return FaceTemplate(draw(WORD), draw(WORD), poses, embeddings, relief)


def _measures():
    limited = st.builds(Measure, TEXT, NUMBER, TEXT | st.just(""), NUMBER, st.sampled_from(["<=", ">="]))
    return st.lists(limited | st.builds(Measure, TEXT, NUMBER, TEXT), max_size=4).map(tuple)


@st.composite
def records(draw):
    template = draw(templates())
    names = sorted(draw(st.lists(WORD, min_size=1, max_size=5, unique=True)))
    issued_at_s = draw(st.integers(1, 1 << 39))
    return TemplateRecordModel(
        record_id=draw(st.binary(min_size=16, max_size=16)),
        subject=draw(DIGEST),
        tenant=draw(WORD),
        lock_group=draw(WORD),
        epoch=draw(st.integers(0, 1 << 39)),
        issued_at_s=issued_at_s,
        expires_at_s=issued_at_s + draw(st.integers(1, 1 << 30)),
        sdk_version=draw(WORD),
        template=template,
        poses=tuple(RecordedPose(pose, draw(DIGEST), draw(DIGEST | st.just(b""))) for pose in template.poses),
        outcome=draw(st.sampled_from(Outcome)),
        gates=tuple(
            RecordedGate(
                name,
                draw(WORD),
                draw(TEXT),
                draw(st.sampled_from(Outcome)),
                draw(TEXT | st.just("")),
                draw(_measures()),
            )
            for name in names
        ),
        policy_hash=draw(DIGEST),
        capture=RecordedCapture(
            draw(WORD),
            draw(DIGEST),
            draw(st.binary(min_size=8, max_size=32)),
            draw(DIGEST),
            draw(st.integers(1, 65_536)),
        ),
        sensor=RecordedSensor(
            draw(TEXT),
            draw(TEXT),
            draw(TEXT),
            draw(TEXT),
            draw(TEXT | st.just("")),
            draw(st.sampled_from(SensorKind)),
            *draw(ATTESTED),
        ),
        grant=draw(st.binary(min_size=1, max_size=64)),
    )


GRANTS = st.integers(1, 1 << 39).flatmap(
    lambda issued_at_s: st.builds(
        Grant,
        grant_id=st.binary(min_size=16, max_size=16),
        challenge=DIGEST,
        subject=DIGEST,
        tenant=WORD,
        lock_group=WORD,
        issued_at_s=st.just(issued_at_s),
        expires_at_s=st.integers(issued_at_s + 1, (1 << 40) - 1),
        max_attempts=st.integers(1, 10),
        development=st.booleans(),
        host_key=DIGEST | st.just(b""),
        sensor_serial=TEXT | st.just(""),
        sensor_key=DIGEST | st.just(b""),
    )
)
ATTESTED = st.just((Attestation.NONE, "", b"")) | st.tuples(
    st.sampled_from([Attestation.SIMULATED, Attestation.VERIFIED]), WORD, st.binary(min_size=1, max_size=4096)
)


def _example() -> TemplateRecordModel:
    template = FaceTemplate(
        "sface", "1", (Pose.FRONTAL, Pose.LEFT), np.eye(2, dtype=np.float32), np.array([0.5], np.float32)
    )
    return TemplateRecordModel(
        record_id=b"r" * 16,
        subject=b"s" * 32,
        tenant="acme",
        lock_group="doors",
        epoch=1,
        issued_at_s=100,
        expires_at_s=200,
        sdk_version="0.1.0",
        template=template,
        poses=(RecordedPose(Pose.FRONTAL, b"f" * 32, b"d" * 32), RecordedPose(Pose.LEFT, b"l" * 32, b"")),
        outcome=Outcome.LIVE,
        gates=(RecordedGate("flatness", "1", "gates 1", Outcome.LIVE, "relief", (Measure("relief", 31.5, "mm"),)),),
        policy_hash=b"p" * 32,
        capture=RecordedCapture("c", b"x" * 32, b"n" * 16, b"y" * 32, 300),
        sensor=RecordedSensor("v", "m", "s", "f", "", SensorKind.TIME_OF_FLIGHT, Attestation.SIMULATED),
        grant=b"grant",
    )


def _assert_same(a: TemplateRecordModel, b: TemplateRecordModel) -> None:
    for field in fields(TemplateRecordModel):
        if field.name != "template":
            assert getattr(a, field.name) == getattr(b, field.name), field.name
    assert (a.template.extractor, a.template.extractor_version) == (b.template.extractor, b.template.extractor_version)
    assert a.template.poses == b.template.poses
    for name in ("embeddings", "relief"):
        one, other = getattr(a.template, name), getattr(b.template, name)
        assert one.dtype == other.dtype == np.float32
        assert np.array_equal(one, other)
        assert one.shape == other.shape


@settings(deadline=None, max_examples=150)
@given(records())
def test_a_record_comes_back_as_it_was_and_writes_the_same_bytes(record):
    data = encode_template(record)
    read = decode_template(data)
    _assert_same(read, record)
    assert encode_template(read) == data


@settings(deadline=None)
@given(GRANTS)
def test_a_grant_comes_back_as_it_was(grant):
    assert decode_grant(encode_grant(grant)) == grant


def test_a_read_templates_numbers_can_not_be_changed():
    template = decode_template(encode_template(_example())).template
    for numbers in (template.embeddings, template.relief):
        with pytest.raises(ValueError, match="read-only"):
            numbers[0] = 0.0


def test_whether_a_record_is_simulated_follows_from_its_attestation():
    record = _example()
    assert record.simulated
    assert not replace(record, sensor=replace(record.sensor, attestation=Attestation.NONE)).simulated


@pytest.mark.parametrize(
    "changes",
    [
        {"record_id": b"short"},
        {"epoch": -1},
        {"epoch": 1 << 64},
        {"tenant": "\ud800"},
        {"tenant": None},
        {"policy_hash": "text"},
        {"expires_at_s": 100},
        {"gates": ()},
        {"gates": (RecordedGate("g", "1", "d", Outcome.LIVE, "", (Measure("m", math.nan, ""),)),)},
        {"gates": (RecordedGate("g", "1", "d", Outcome.LIVE, "", (Measure("m", 1.0, "", 2.0, "<"),)),)},
        {"gates": (RecordedGate("g", "1", "d", "live?", "", ()),)},
        {"poses": ()},
        {"poses": (RecordedPose(Pose.LEFT, b"l" * 32, b""), RecordedPose(Pose.FRONTAL, b"f" * 32, b""))},
        {"grant": b""},
    ],
)
def test_a_record_that_could_not_be_read_is_not_written(changes):
    with pytest.raises(VerificationError, match="can't be written") as caught:
        encode_template(replace(_example(), **changes))
    assert caught.value.kind == "unsupported-record"


@pytest.mark.parametrize(
    "changes",
    [
        {"embeddings": np.array([[1, 0], [math.nan, 1]], np.float32)},
        {"embeddings": np.array([[2, 0], [0, 1]], np.float32)},
        {"embeddings": np.eye(3, dtype=np.float32)},
        {"relief": np.array([math.inf], np.float32)},
        {"poses": (Pose.FRONTAL,)},
    ],
)
def test_a_template_that_could_not_be_read_is_not_written(changes):
    record = _example()
    with pytest.raises(VerificationError, match="can't be written"):
        encode_template(replace(record, template=replace(record.template, **changes)))


@pytest.mark.parametrize("changes", [{"max_attempts": 0}, {"max_attempts": -1}, {"grant_id": b""}, {"tenant": None}])
def test_a_grant_that_could_not_be_read_is_not_written(changes):
    grant = Grant(b"g" * 16, b"c" * 32, b"s" * 32, "acme", "doors", 1, 2, 3, True)
    assert decode_grant(encode_grant(grant)) == grant
    with pytest.raises(VerificationError, match="can't be written"):
        encode_grant(replace(grant, **changes))


@pytest.mark.parametrize("decode", [decode_template, decode_grant])
@given(st.binary(max_size=80))
def test_junk_is_refused_with_the_sdks_own_error(decode, data):
    with pytest.raises(VerificationError) as caught:
        decode(data)
    assert caught.value.kind == "unsupported-record"
