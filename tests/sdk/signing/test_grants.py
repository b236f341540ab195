"""A grant permits what it was issued for, at its time, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from faceward.errors import PermissionRefused, VerificationError
from faceward.signing.file_key import FileKeySigner
from faceward.signing.grants import Occasion, issue_development_grant, permit
from faceward.signing.sealing import host_trust

NOW_S = 1_800_000_000
OCCASION = Occasion(b"c" * 32, b"s" * 32, "acme", "doors", "W-1")


def _trust(signer):
    return host_trust(signer, "acme", "doors", simulated=False)


def test_a_development_grant_permits_its_occasion_and_says_what_it_is(signer):
    envelope = issue_development_grant(signer, OCCASION, now_s=NOW_S, max_attempts=3)
    permitted = permit(envelope, _trust(signer), OCCASION, host_key=b"h" * 32, now_s=NOW_S + 599)
    assert permitted.envelope == envelope
    grant = permitted.grant
    assert (grant.challenge, grant.subject, grant.sensor_serial) == (b"c" * 32, b"s" * 32, "W-1")
    assert (grant.max_attempts, grant.development) == (3, True)
    assert len(grant.grant_id) == 16


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"challenge": b"d" * 32}, "another challenge"),
        ({"subject": b"z" * 32}, "another subject"),
        ({"sensor_serial": "W-2"}, "another sensor"),
    ],
)
def test_a_grant_for_another_occasion_is_refused(signer, changes, why):
    envelope = issue_development_grant(signer, OCCASION, now_s=NOW_S)
    with pytest.raises(PermissionRefused, match=why):
        permit(envelope, _trust(signer), replace(OCCASION, **changes), host_key=b"", now_s=NOW_S)


@pytest.mark.parametrize("changes", [{"tenant": "other"}, {"lock_group": "other"}])
def test_a_grant_for_another_place_is_refused(signer, changes):
    envelope = issue_development_grant(signer, replace(OCCASION, **changes), now_s=NOW_S)
    with pytest.raises(PermissionRefused, match="is for"):
        permit(envelope, _trust(signer), OCCASION, host_key=b"", now_s=NOW_S)


@pytest.mark.parametrize("now_s", [NOW_S + 600, NOW_S - 121])
def test_a_grant_out_of_its_time_is_refused(signer, now_s):
    envelope = issue_development_grant(signer, OCCASION, now_s=NOW_S, lifetime_s=600)
    with pytest.raises(PermissionRefused, match="not valid"):
        permit(envelope, _trust(signer), OCCASION, host_key=b"", now_s=now_s)


def test_a_grant_without_a_sensor_is_for_any(signer):
    envelope = issue_development_grant(signer, replace(OCCASION, sensor_serial=""), now_s=NOW_S)
    assert permit(envelope, _trust(signer), OCCASION, host_key=b"", now_s=NOW_S).grant.sensor_serial == ""


def test_a_grant_for_another_host_is_refused(signer, monkeypatch):
    from faceward.signing import grants

    real = grants.Grant
    monkeypatch.setattr(grants, "Grant", lambda **fields: real(**fields, host_key=b"h" * 32))
    envelope = issue_development_grant(signer, OCCASION, now_s=NOW_S)
    assert permit(envelope, _trust(signer), OCCASION, host_key=b"h" * 32, now_s=NOW_S).grant.host_key == b"h" * 32
    with pytest.raises(PermissionRefused, match="another host"):
        permit(envelope, _trust(signer), OCCASION, host_key=b"i" * 32, now_s=NOW_S)


def test_a_grant_for_a_sensors_key_is_refused_where_no_sensor_proves_one(signer, monkeypatch):
    from faceward.signing import grants

    real = grants.Grant
    monkeypatch.setattr(grants, "Grant", lambda **fields: real(**fields, sensor_key=b"k" * 32))
    envelope = issue_development_grant(signer, OCCASION, now_s=NOW_S)
    with pytest.raises(PermissionRefused, match="proved none"):
        permit(envelope, _trust(signer), OCCASION, host_key=b"", now_s=NOW_S)


def test_no_byte_of_a_grant_can_be_flipped(signer):
    envelope = issue_development_grant(signer, OCCASION, now_s=NOW_S)
    for index in range(len(envelope)):
        changed = bytes([*envelope[:index], envelope[index] ^ 0x04, *envelope[index + 1 :]])
        with pytest.raises(PermissionRefused):
            permit(changed, _trust(signer), OCCASION, host_key=b"", now_s=NOW_S)


def test_a_grant_of_a_stranger_is_refused(signer, tmp_path):
    envelope = issue_development_grant(FileKeySigner.create(tmp_path / "other.pem"), OCCASION, now_s=NOW_S)
    with pytest.raises(PermissionRefused, match="0 of 1"):
        permit(envelope, _trust(signer), OCCASION, host_key=b"", now_s=NOW_S)


def test_a_trust_store_without_development_takes_no_development_grant(signer):
    envelope = issue_development_grant(signer, OCCASION, now_s=NOW_S)
    with pytest.raises(PermissionRefused):
        permit(envelope, replace(_trust(signer), allow_development=False), OCCASION, host_key=b"", now_s=NOW_S)


@pytest.mark.parametrize("changes", [{"max_attempts": 0}, {"max_attempts": 11}, {"lifetime_s": 0}])
def test_a_grant_out_of_bounds_is_not_issued(signer, changes):
    with pytest.raises(VerificationError, match="can't be written"):
        issue_development_grant(signer, OCCASION, now_s=NOW_S, **changes)
