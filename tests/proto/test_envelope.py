"""The envelope: what is signed, who signed it, and what is no envelope."""

from __future__ import annotations

import pytest
from faceward_proto.envelope import (
    GRANT_TYPE,
    MAX_PAYLOAD_BYTES,
    MAX_SIGNATURES,
    MAX_SIGNATURES_BYTES,
    TEMPLATE_TYPE,
    pre_authentication_encoding,
    read_envelope,
    signing_keys,
    write_envelope,
)
from faceward_proto.reader import MalformedMessage
from faceward_proto.v1.envelope_pb2 import Envelope, Signature
from hypothesis import given
from hypothesis import strategies as st


def test_what_is_signed_agrees_with_the_example_of_the_specification():
    # github.com/secure-systems-lab/dsse, protocol.md, "Test Vectors".
    assert pre_authentication_encoding("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


@given(st.text(max_size=20), st.binary(max_size=20), st.text(max_size=20), st.binary(max_size=20))
def test_no_two_contents_are_signed_as_the_same_bytes(type_a, payload_a, type_b, payload_b):
    try:
        same = pre_authentication_encoding(type_a, payload_a) == pre_authentication_encoding(type_b, payload_b)
    except UnicodeEncodeError:
        return
    assert same == ((type_a, payload_a) == (type_b, payload_b))


@given(st.binary(min_size=1, max_size=200), st.lists(st.binary(min_size=64, max_size=64), min_size=1, max_size=8))
def test_an_envelope_is_read_back_as_it_was_written(payload, signatures):
    envelope = read_envelope(write_envelope(payload, GRANT_TYPE, signatures), GRANT_TYPE)
    assert (envelope.payload, [signature.sig for signature in envelope.signatures]) == (payload, signatures)


def test_an_envelope_of_another_type_is_refused():
    with pytest.raises(MalformedMessage, match="payload_type"):
        read_envelope(write_envelope(b"x", GRANT_TYPE, [bytes(64)]), TEMPLATE_TYPE)


@pytest.mark.parametrize(
    ("payload", "signatures", "what"),
    [
        (b"", [bytes(64)], "payload"),
        (bytes(MAX_PAYLOAD_BYTES[GRANT_TYPE] + 1), [bytes(64)], "payload"),
        (b"x", [], "signatures"),
        (b"x", [bytes(64)] * (MAX_SIGNATURES + 1), "signatures"),
        (b"x", [bytes(63)], "sig: 63"),
        (b"x", [b"\x01" * 65], "sig: 65"),
        (b"x", [b""], "sig: 0"),
        (b"x", [bytes(3308)], "sig: 3308"),
        (b"x", [bytes(3310)], "sig: 3310"),
    ],
)
def test_an_envelope_out_of_bounds_is_neither_written_nor_read(payload, signatures, what):
    with pytest.raises(MalformedMessage, match=what):
        write_envelope(payload, GRANT_TYPE, signatures)
    raw = Envelope(payload=payload, payload_type=GRANT_TYPE, signatures=[Signature(sig=sig) for sig in signatures])
    with pytest.raises(MalformedMessage, match=what):
        read_envelope(raw.SerializeToString(), GRANT_TYPE)


@pytest.mark.parametrize("payload_type", MAX_PAYLOAD_BYTES)
def test_the_largest_envelope_fits_its_bound(payload_type):
    largest = MAX_PAYLOAD_BYTES[payload_type]
    data = write_envelope(bytes(largest), payload_type, [b"s" * 3309] * MAX_SIGNATURES)
    assert len(data) <= largest + MAX_SIGNATURES_BYTES
    with pytest.raises(MalformedMessage, match="at most"):
        read_envelope(data + bytes(MAX_SIGNATURES_BYTES), payload_type)


def test_a_key_that_signed_twice_counts_once(new_key, seal):
    one, other, stranger = new_key(), new_key("Ed25519"), new_key()
    envelope = read_envelope(seal(b"x", GRANT_TYPE, one, one, other, one), GRANT_TYPE)
    assert signing_keys(envelope, [one.public, one.public, other.public, stranger.public]) == {one.public, other.public}
    assert signing_keys(envelope, [stranger.public]) == frozenset()


def test_key_ids_decide_nothing(new_key, seal):
    key, stranger = new_key(), new_key()
    envelope = read_envelope(seal(b"x", GRANT_TYPE, key), GRANT_TYPE)
    assert envelope.signatures[0].keyid == ""
    envelope.signatures[0].keyid = stranger.public.key_id
    assert signing_keys(envelope, [key.public]) == {key.public}
    assert signing_keys(envelope, [stranger.public]) == frozenset()


def test_a_signature_over_another_type_does_not_count(new_key, seal):
    key = new_key()
    envelope = read_envelope(seal(b"x", GRANT_TYPE, key), GRANT_TYPE)
    envelope.payload_type = TEMPLATE_TYPE
    assert signing_keys(envelope, [key.public]) == frozenset()
