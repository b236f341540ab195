"""A request for a grant has one form in bytes, and asks for nothing that a grant can't say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from faceward.errors import VerificationError
from faceward.model.template import GrantPurpose, GrantRequest
from faceward.wire.request import MAX_REQUEST_BYTES, decode_request, encode_request
from hypothesis import given
from hypothesis import strategies as st

REQUEST = GrantRequest(
    GrantPurpose.ENROLL, b"c" * 32, 1_800_000_000, "acme", "doors", b"h" * 32, b"s" * 32, "alice", "W-1", b"k" * 32
)
CLEARING = replace(
    REQUEST, purpose=GrantPurpose.CLEAR_LOCKOUT, subject=b"", subject_name="", sensor_serial="", sensor_key=b""
)

digests = st.binary(min_size=32, max_size=32)
names = st.text("abcXYZ019._-", min_size=1, max_size=63).map("a".__add__)
requests = st.builds(
    GrantRequest,
    purpose=st.just(GrantPurpose.ENROLL),
    challenge=digests,
    expires_at_s=st.integers(2, (1 << 40) - 1),
    tenant=names,
    lock_group=names,
    host_key=digests,
    subject=digests,
    subject_name=names,
    sensor_serial=st.one_of(st.just(""), names),
    sensor_key=st.one_of(st.just(b""), digests),
)


@given(requests)
def test_a_request_comes_back_as_it_was(request):
    assert decode_request(encode_request(request)) == request


def test_a_request_to_clear_a_lock_out_names_nobody():
    assert decode_request(encode_request(CLEARING)) == CLEARING


@pytest.mark.parametrize(
    "changes",
    [
        {"challenge": b"c" * 31},
        {"host_key": b""},
        {"host_key": b"h" * 31},
        {"subject": b""},
        {"subject_name": ""},
        {"subject_name": "al\x1b[2Jice"},
        {"subject_name": "é"},
        {"subject_name": "a" * 65},
        {"tenant": ""},
        {"tenant": "a b"},
        {"lock_group": "-"},
        {"expires_at_s": 0},
        {"expires_at_s": 1},
        {"expires_at_s": 1 << 40},
        {"expires_at_s": -1},
        {"expires_at_s": 1.5},
        {"sensor_key": b"k"},
        {"sensor_serial": "W\n1"},
        {"purpose": GrantPurpose.CLEAR_LOCKOUT},
        {"purpose": None},
    ],
    ids=str,
)
def test_what_no_grant_can_say_is_neither_asked_for(changes):
    with pytest.raises(VerificationError, match="can't be written") as caught:
        encode_request(replace(REQUEST, **changes))
    assert caught.value.kind == "unsupported-record"


def test_a_request_to_clear_a_lock_out_that_names_somebody_is_none():
    for changes in ({"subject": b"s" * 32}, {"subject_name": "alice"}):
        with pytest.raises(VerificationError):
            encode_request(replace(CLEARING, **changes))


@given(st.binary(max_size=300))
def test_junk_is_no_request(data):
    with pytest.raises(VerificationError) as caught:
        decode_request(data)
    assert caught.value.kind == "unsupported-record"


@given(st.data())
def test_a_changed_request_is_refused_or_another_one_in_its_one_form(data):
    good = bytearray(encode_request(REQUEST))
    at = data.draw(st.integers(0, len(good) - 1))
    good[at] ^= data.draw(st.integers(1, 255))
    try:
        read = decode_request(bytes(good))
    except VerificationError as error:
        assert error.kind == "unsupported-record"
    else:
        assert read != REQUEST
        assert encode_request(read) == bytes(good)


@pytest.mark.parametrize(
    "added", [b"\x78\x01", b"\x08\x01", b"\x10\x02", b"\xf8\x07\x01"], ids=["unknown", "version", "purpose", "far"]
)
def test_an_unknown_or_doubled_field_is_refused(added):
    with pytest.raises(VerificationError):
        decode_request(encode_request(REQUEST) + added)


def test_a_request_of_another_version_or_purpose_is_refused():
    good = encode_request(REQUEST)
    assert good.startswith(b"\x08\x01\x10\x01")
    for wrong in (b"\x08\x02\x10\x01", b"\x08\x01\x10\x07", b"\x08\x01"):
        with pytest.raises(VerificationError):
            decode_request(wrong + good[4:])


def test_a_request_that_is_too_long_is_refused():
    with pytest.raises(VerificationError):
        decode_request(bytes(MAX_REQUEST_BYTES + 1))
