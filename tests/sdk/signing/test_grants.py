"""A grant permits what it was issued for, at its time, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from faceward.errors import PermissionRefused, SigningError, VerificationError
from faceward.model.template import GrantPurpose, GrantRequest
from faceward.signing.file_key import FileKeySigner
from faceward.signing.grants import (
    Occasion,
    countersign_grant,
    issue_grant,
    look_at_grant,
    permit,
    require_answer,
    verify_grant,
)
from faceward.signing.sealing import host_trust
from faceward_proto.envelope import GRANT_TYPE, read_envelope
from faceward_proto.keys import PublicKey
from faceward_proto.trust import TrustedKey, at_least

NOW_S = 1_800_000_000
HOST = b"h" * 32
REQUEST = GrantRequest(GrantPurpose.ENROLL, b"c" * 32, NOW_S + 86_400, "acme", "doors", HOST, b"s" * 32, "alice")
CLEARING = replace(REQUEST, purpose=GrantPurpose.CLEAR_LOCKOUT, subject=b"", subject_name="")
OCCASION = Occasion(frozenset({b"c" * 32, b"e" * 32}), b"s" * 32, "acme", "doors", "W-1", b"k" * 32)


@pytest.fixture
def trust(signer):
    """One administrator, who is the host as well."""
    return host_trust(signer, "acme", "doors")


def held(envelope, trust, occasion=OCCASION, *, host_key=HOST, now_s=NOW_S):
    return permit(envelope, trust, occasion, host_key=host_key, now_s=now_s)


def test_a_grant_permits_what_was_asked_for_and_no_more(signer, trust):
    envelope = issue_grant(REQUEST, signer, now_s=NOW_S, max_attempts=2, lifetime_s=600)
    permitted = held(envelope, trust, now_s=NOW_S + 599)
    assert permitted.envelope == envelope
    grant = permitted.grant
    assert (grant.challenge, grant.subject, grant.host_key) == (REQUEST.challenge, REQUEST.subject, HOST)
    assert (grant.tenant, grant.lock_group, grant.purpose) == ("acme", "doors", GrantPurpose.ENROLL)
    assert (grant.issued_at_s, grant.expires_at_s) == (NOW_S, NOW_S + 600)
    assert (grant.max_attempts, grant.development) == (2, False)
    assert len(grant.grant_id) == 16


def test_no_two_grants_have_one_id(signer):
    ids = {look_at_grant(issue_grant(REQUEST, signer, now_s=NOW_S)).grant.grant_id for _ in range(3)}
    assert len(ids) == 3


def test_a_grant_never_outlives_its_request(signer):
    soon = replace(REQUEST, expires_at_s=NOW_S + 60)
    assert look_at_grant(issue_grant(soon, signer, now_s=NOW_S)).grant.expires_at_s == NOW_S + 60


@pytest.mark.parametrize("late_s", [0, 1, float("nan")])
def test_a_request_that_has_expired_is_not_granted(signer, late_s):
    with pytest.raises(PermissionRefused, match="grant request"):
        issue_grant(REQUEST, signer, now_s=REQUEST.expires_at_s + late_s)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"challenges": frozenset({b"d" * 32})}, "no open challenge"),
        ({"challenges": frozenset()}, "no open challenge"),
        ({"subject": b"z" * 32}, "another subject"),
        ({"purpose": GrantPurpose.CLEAR_LOCKOUT}, "another purpose"),
    ],
    ids=["challenge", "none", "subject", "purpose"],
)
def test_a_grant_for_another_occasion_is_refused(signer, trust, changes, why):
    envelope = issue_grant(REQUEST, signer, now_s=NOW_S)
    with pytest.raises(PermissionRefused, match=why):
        held(envelope, trust, replace(OCCASION, **changes))


@pytest.mark.parametrize("changes", [{"tenant": "other"}, {"lock_group": "other"}])
def test_a_grant_for_another_place_is_refused(signer, trust, changes):
    envelope = issue_grant(replace(REQUEST, **changes), signer, now_s=NOW_S)
    with pytest.raises(PermissionRefused, match="is for"):
        held(envelope, trust)


@pytest.mark.parametrize("now_s", [NOW_S + 600, NOW_S - 121, float("nan")])
def test_a_grant_out_of_its_time_is_refused(signer, trust, now_s):
    envelope = issue_grant(REQUEST, signer, now_s=NOW_S, lifetime_s=600)
    with pytest.raises(PermissionRefused, match="not valid"):
        held(envelope, trust, now_s=now_s)


def test_a_grant_for_another_host_is_refused(signer, trust):
    envelope = issue_grant(REQUEST, signer, now_s=NOW_S)
    with pytest.raises(PermissionRefused, match="another host"):
        held(envelope, trust, host_key=b"i" * 32)
    anywhere = issue_grant(replace(REQUEST, host_key=b""), signer, now_s=NOW_S)
    assert held(anywhere, trust, host_key=b"i" * 32).grant.host_key == b""


@pytest.mark.parametrize(
    ("asked", "sensor", "why"),
    [
        ({"sensor_serial": "W-2"}, {}, "another sensor"),
        ({"sensor_key": b"l" * 32}, {}, "another key"),
        ({"sensor_key": b"k" * 32}, {"sensor_key": b""}, "proved none"),
        ({"sensor_serial": "W-1", "sensor_key": b"l" * 32}, {}, "another key"),
    ],
    ids=["serial", "key", "no key", "the serial alone is right"],
)
def test_a_grant_for_another_sensor_is_refused_and_only_once_there_is_one(signer, trust, asked, sensor, why):
    envelope = issue_grant(replace(REQUEST, **asked), signer, now_s=NOW_S)
    with pytest.raises(PermissionRefused, match=why):
        held(envelope, trust, replace(OCCASION, **sensor))
    assert verify_grant(envelope, trust, OCCASION, host_key=HOST, now_s=NOW_S).envelope == envelope


def test_a_grant_for_this_sensor_and_one_for_any_are_taken(signer, trust):
    for asked in ({}, {"sensor_serial": "W-1"}, {"sensor_serial": "W-1", "sensor_key": b"k" * 32}):
        grant = held(issue_grant(replace(REQUEST, **asked), signer, now_s=NOW_S), trust).grant
        assert (grant.sensor_serial, grant.sensor_key) == (asked.get("sensor_serial", ""), asked.get("sensor_key", b""))


def test_a_grant_that_clears_a_lock_out_permits_no_attempt_and_no_enrollment(signer, trust):
    envelope = issue_grant(CLEARING, signer, now_s=NOW_S, max_attempts=5)
    clearing = Occasion(OCCASION.challenges, b"", "acme", "doors", purpose=GrantPurpose.CLEAR_LOCKOUT)
    grant = held(envelope, trust, clearing).grant
    assert (grant.subject, grant.max_attempts) == (b"", 0)
    with pytest.raises(PermissionRefused, match="another purpose"):
        held(envelope, trust)


def test_no_byte_of_a_grant_can_be_flipped(signer, trust):
    envelope = issue_grant(REQUEST, signer, now_s=NOW_S)
    for index in range(len(envelope)):
        changed = bytes([*envelope[:index], envelope[index] ^ 0x04, *envelope[index + 1 :]])
        with pytest.raises(PermissionRefused):
            held(changed, trust)


def test_a_grant_of_a_stranger_is_refused(trust, tmp_path):
    envelope = issue_grant(REQUEST, FileKeySigner.create(tmp_path / "other.pem"), now_s=NOW_S)
    with pytest.raises(PermissionRefused, match="0 of 1"):
        held(envelope, trust)


def test_a_development_grant_says_what_it_is_and_only_development_takes_it(signer, trust):
    envelope = issue_grant(REQUEST, signer, now_s=NOW_S, development=True)
    assert held(envelope, trust).grant.development
    with pytest.raises(PermissionRefused):
        held(envelope, replace(trust, allow_development=False))


@pytest.mark.parametrize("changes", [{"max_attempts": 0}, {"max_attempts": 11}, {"lifetime_s": 0}])
def test_a_grant_out_of_bounds_is_not_issued(signer, changes):
    with pytest.raises(VerificationError, match="can't be written"):
        issue_grant(REQUEST, signer, now_s=NOW_S, **changes)


@pytest.fixture
def administrators(tmp_path):
    """Three of them, each by another algorithm."""
    return [
        FileKeySigner.create(tmp_path / f"{index}.pem", algorithm)
        for index, algorithm in enumerate(("ES256", "Ed25519", "ML-DSA-65"))
    ]


def two_of(signers):
    return at_least(2, [TrustedKey(PublicKey(signer.public_key_der), "file") for signer in signers])


def test_two_of_three_administrators_are_enough_and_one_is_not(signer, administrators):
    trust = host_trust(signer, "acme", "doors", administrators=two_of(administrators))
    first = issue_grant(REQUEST, administrators[2], now_s=NOW_S)
    with pytest.raises(PermissionRefused, match="1 of 2"):
        held(first, trust)
    second = countersign_grant(first, administrators[0], now_s=NOW_S)
    assert held(second, trust).envelope == second
    assert held(countersign_grant(second, administrators[1], now_s=NOW_S), trust).grant == look_at_grant(first).grant


def test_a_key_signs_a_grant_once_however_often_it_is_asked(signer, administrators):
    trust = host_trust(signer, "acme", "doors", administrators=two_of(administrators))
    grant = issue_grant(REQUEST, administrators[0], now_s=NOW_S)
    with pytest.raises(SigningError, match="signed this before"):
        countersign_grant(grant, administrators[0], now_s=NOW_S)
    with pytest.raises(PermissionRefused, match="1 of 2"):
        held(countersign_grant(grant, signer, now_s=NOW_S), trust)  # a stranger beside one administrator


def test_a_host_that_has_administrators_does_not_count_as_one(signer, administrators):
    trust = host_trust(signer, "acme", "doors", administrators=two_of(administrators))
    with pytest.raises(PermissionRefused, match="0 of 2"):
        held(issue_grant(REQUEST, signer, now_s=NOW_S, development=True), trust)


def test_a_signature_is_added_and_not_a_byte_of_the_grant_changes(administrators):
    first = issue_grant(REQUEST, administrators[0], now_s=NOW_S)
    second = countersign_grant(first, administrators[1], now_s=NOW_S)
    before, after = (read_envelope(each, GRANT_TYPE) for each in (first, second))
    assert after.payload == before.payload
    assert list(after.signatures)[:1] == list(before.signatures)


def test_looking_at_a_grant_tells_who_signed_of_the_keys_at_hand(signer, administrators):
    grant = countersign_grant(issue_grant(REQUEST, administrators[0], now_s=NOW_S), signer, now_s=NOW_S)
    keys = [PublicKey(each.public_key_der) for each in administrators]
    seen = look_at_grant(grant, keys)
    assert (seen.signatures, seen.signed_by) == (2, {keys[0]})
    assert look_at_grant(grant).signed_by == frozenset()


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": GrantPurpose.CLEAR_LOCKOUT, "subject": b"", "subject_name": ""},
        {"challenge": b"d" * 32},
        {"subject": b"z" * 32},
        {"tenant": "other"},
        {"lock_group": "other"},
        {"host_key": b"i" * 32},
        {"sensor_serial": "W-2"},
        {"sensor_key": b"l" * 32},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_grant_that_answers_another_request_is_found_out_before_it_is_signed(signer, changes):
    grant = look_at_grant(issue_grant(REQUEST, signer, now_s=NOW_S)).grant
    require_answer(grant, REQUEST)
    with pytest.raises(PermissionRefused, match=next(iter(changes))):
        require_answer(grant, replace(REQUEST, **changes))


@pytest.mark.parametrize("late_s", [0, float("nan")])
def test_a_grant_that_has_expired_is_signed_no_more(signer, administrators, late_s):
    grant = issue_grant(REQUEST, administrators[0], now_s=NOW_S, lifetime_s=600)
    with pytest.raises(PermissionRefused, match="expired"):
        countersign_grant(grant, signer, now_s=NOW_S + 600 + late_s)


@pytest.mark.parametrize("junk", [b"", b"junk", b"\x0a\x00"])
def test_what_is_no_grant_is_neither_looked_at_nor_signed(signer, junk):
    for use in (look_at_grant, lambda envelope: countersign_grant(envelope, signer, now_s=NOW_S)):
        with pytest.raises(VerificationError) as caught:
            use(junk)
        assert caught.value.kind == "unsupported-record"
