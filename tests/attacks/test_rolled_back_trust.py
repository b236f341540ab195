"""An older trust store, in which a stolen key or an old firmware is still good."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from faceward.signing.sealing import seal_payload
from faceward_proto.envelope import TRUST_TYPE
from faceward_proto.errors import Expired, RolledBack, SignatureInvalid
from faceward_proto.keys import PublicKey
from faceward_proto.trust import TrustedKey, any_of
from faceward_proto.truststore import read_trust_store, write_trust_statement

from tests.attacks.records import Enrolled
from tests.sdk.conftest import make_key_files


def signed(enrolled: Enrolled, sequence: int, **changes: object) -> bytes:
    now_s = int(time.time())
    store = replace(enrolled.trust(), sequence=sequence, issued_at_s=now_s, expires_at_s=now_s + 3600, **changes)
    return seal_payload(write_trust_statement(store), TRUST_TYPE, enrolled.host.signer)


def test_a_lock_takes_no_trust_store_before_the_one_that_it_took(enrolled: Enrolled) -> None:
    root, now_s = enrolled.trust().hosts[0], time.time()
    revoking = frozenset({enrolled.alice.record_id})
    old, new = signed(enrolled, 1), signed(enrolled, 2, revoked_records=revoking)
    before = read_trust_store(old, root, now_s=now_s, minimum_sequence=0)
    after = read_trust_store(new, root, now_s=now_s, minimum_sequence=before.sequence)
    assert enrolled.verdict(enrolled.alice.envelope, before) == "taken"
    assert enrolled.verdict(enrolled.alice.envelope, after) == "revoked"
    with pytest.raises(RolledBack):
        read_trust_store(old, root, now_s=now_s, minimum_sequence=after.sequence)


def test_a_trust_store_that_nobody_renews_ends(enrolled: Enrolled) -> None:
    root, data = enrolled.trust().hosts[0], signed(enrolled, 1)
    taken = read_trust_store(data, root, now_s=time.time(), minimum_sequence=0)
    with pytest.raises(Expired):
        read_trust_store(data, root, now_s=time.time() + 7200, minimum_sequence=0)
    assert enrolled.verdict(enrolled.alice.envelope, taken, now_s=time.time() + 7200) == "expired"


def test_a_higher_sequence_of_ones_own_is_not_the_roots(enrolled: Enrolled, tmp_path: Path) -> None:
    (other,) = make_key_files(tmp_path, "other")
    pinned = any_of([TrustedKey(PublicKey(other.public_key_der), "file")])
    with pytest.raises(SignatureInvalid):
        read_trust_store(signed(enrolled, 9), pinned, now_s=time.time(), minimum_sequence=1)
