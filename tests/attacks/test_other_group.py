"""A record, or a grant, at a lock that it was not made for."""

from __future__ import annotations

import pytest

from tests.attacks.records import Enrolled, grant_of, record_of


@pytest.mark.parametrize("change", [{"tenant": "rival"}, {"lock_group": "vault"}], ids=["tenant", "group"])
def test_a_record_of_another_tenant_or_group_is_refused(enrolled: Enrolled, change: dict[str, str]) -> None:
    assert enrolled.verdict(enrolled.alice.envelope, enrolled.trust(**change)) == "wrong-context"


def test_with_the_hosts_key_too_a_record_moves_to_no_other_group(enrolled: Enrolled) -> None:
    record = record_of(enrolled.alice.envelope)
    record.lock_group = "vault"
    assert enrolled.verdict(enrolled.sealed(record), enrolled.trust(lock_group="vault")) == "wrong-context"


def test_a_grant_is_taken_once_in_a_group_whose_locks_tell_each_other(enrolled: Enrolled) -> None:
    grant_id = grant_of(record_of(enrolled.alice.envelope)).grant_id
    taken_at_the_first: set[bytes] = set()
    assert enrolled.verdict(enrolled.alice.envelope, grant_seen=taken_at_the_first) == "taken"
    taken_at_the_first.add(grant_id)
    assert enrolled.verdict(enrolled.alice.envelope, grant_seen=taken_at_the_first) == "grant-used"
    assert enrolled.verdict(enrolled.bob.envelope, grant_seen=taken_at_the_first) == "taken"


def test_a_lock_that_can_not_tell_whether_a_grant_was_taken_refuses(enrolled: Enrolled) -> None:
    def broken(grant_id: bytes) -> bool:
        raise OSError("no answer")

    assert enrolled.verdict(enrolled.alice.envelope, grant_seen=broken) == "grant-used"
    assert enrolled.verdict(enrolled.alice.envelope, grant_seen=lambda grant_id: None) == "grant-used"
