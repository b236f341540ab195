"""The verifier takes a record that keeps every rule, and each broken rule by itself refuses."""

from __future__ import annotations

import math
import random

import pytest
from faceward_proto import trust
from faceward_proto.envelope import GRANT_TYPE, TEMPLATE_TYPE
from faceward_proto.v1 import grant_pb2, template_pb2
from faceward_proto.v1.envelope_pb2 import Envelope


def _refused(world, data, store=None, **arguments):
    with pytest.raises(trust.VerificationError) as caught:
        trust.verify_template(data, store or world.store, **{"now_s": world.now_s, **arguments})
    return caught.value


def test_a_good_record_verifies_and_tells_who_signed_it(world):
    verified = trust.verify_template(world.sealed_record(), world.store, now_s=world.now_s, epoch=4, subject=b"s" * 32)
    assert verified.record == world.record(grant=verified.record.grant)
    assert verified.payload == verified.record.SerializeToString(deterministic=True)
    assert verified.grant == world.grant()
    assert verified.signed_by == {world.host.public}
    assert (verified.simulated, verified.development) == (False, False)


def test_ed25519_signs_as_well(world, new_key):
    key = new_key("Ed25519")
    store = world.believing(hosts=trust.any_of([key.trusted()]))
    assert trust.verify_template(world.sealed_record(key), store, now_s=world.now_s).signed_by == {key.public}


# 1, 2: envelope and signature


def test_no_byte_of_a_signed_template_can_be_flipped(world):
    data = world.sealed_record()
    draw = random.Random(1)
    for index in range(len(data)):
        changed = bytearray(data)
        changed[index] ^= draw.randrange(1, 256)
        _refused(world, bytes(changed))


def test_no_signed_template_can_be_cut_or_lengthened(world):
    data = world.sealed_record()
    for length in range(0, len(data), 7):
        assert isinstance(_refused(world, data[:length]), trust.UnsupportedRecord)
    for tail in (b"\0", b"\x0a\x00", data):
        assert isinstance(_refused(world, data + tail), trust.UnsupportedRecord)


def test_a_strangers_signature_is_refused(world, new_key):
    assert isinstance(_refused(world, world.sealed_record(new_key())), trust.SignatureInvalid)


def test_an_administrator_is_no_host_and_a_host_no_administrator(world):
    assert isinstance(_refused(world, world.sealed_record(world.administrator)), trust.SignatureInvalid)
    data = world.sealed_record(grant=world.sealed_grant(world.host))
    assert isinstance(_refused(world, data), trust.SignatureInvalid)


def test_a_grant_is_no_template(world, seal):
    assert isinstance(_refused(world, world.sealed_grant(world.host)), trust.UnsupportedRecord)
    as_template = seal(world.grant().SerializeToString(), TEMPLATE_TYPE, world.host)
    assert isinstance(_refused(world, as_template), trust.UnsupportedRecord)


def test_a_relabelled_grant_signature_does_not_carry_a_record(world, seal):
    envelope = Envelope.FromString(seal(world.record().SerializeToString(), GRANT_TYPE, world.host))
    envelope.payload_type = TEMPLATE_TYPE
    assert isinstance(_refused(world, envelope.SerializeToString()), trust.SignatureInvalid)


@pytest.mark.parametrize(
    ("make", "enough"), [(trust.any_of, 1), (trust.all_of, 3), (lambda k: trust.at_least(2, k), 2)]
)
def test_a_rule_counts_different_keys(world, new_key, make, enough):
    keys = [new_key(), new_key("Ed25519"), new_key()]
    store = world.believing(hosts=make([key.trusted() for key in keys]))
    for count in (1, 2, 3):
        data = world.sealed_record(*keys[:count], keys[0], keys[0])
        if count >= enough:
            trust.verify_template(data, store, now_s=world.now_s)
        else:
            assert isinstance(_refused(world, data, store), trust.SignatureInvalid)


def test_a_rule_that_asks_for_nothing_or_too_much_can_not_be_made(new_key):
    key = new_key().trusted()
    for make in (
        lambda: trust.any_of([]),
        lambda: trust.all_of([]),
        lambda: trust.at_least(0, [key]),
        lambda: trust.at_least(2, [key]),
        lambda: trust.all_of([key, key]),
        lambda: trust.at_least(2, [key, trust.TrustedKey(key.key, "file")]),
    ):
        with pytest.raises(ValueError, match="rule"):
            make()


# 3: keys


def test_a_revoked_key_is_refused(world):
    store = world.believing(revoked_keys=frozenset({world.host.public.digest}))
    assert isinstance(_refused(world, world.sealed_record(), store), trust.Revoked)


def test_a_revoked_key_does_not_count_beside_a_good_one(world, new_key):
    second = new_key()
    keys = [world.host.trusted(), second.trusted()]
    revoked = frozenset({world.host.public.digest})
    data = world.sealed_record(world.host, second)
    any_of = world.believing(hosts=trust.any_of(keys), revoked_keys=revoked)
    assert trust.verify_template(data, any_of, now_s=world.now_s).signed_by == {second.public}
    assert isinstance(
        _refused(world, data, world.believing(hosts=trust.all_of(keys), revoked_keys=revoked)), trust.Revoked
    )


def test_a_revoked_administrator_is_refused(world):
    store = world.believing(revoked_keys=frozenset({world.administrator.public.digest}))
    assert isinstance(_refused(world, world.sealed_record(), store), trust.Revoked)


@pytest.mark.parametrize("role", ["hosts", "administrators"])
def test_a_key_in_a_file_is_refused_unless_development_is_allowed(world, role):
    key = world.host if role == "hosts" else world.administrator
    store = world.believing(**{role: trust.any_of([key.trusted("file")])})
    assert isinstance(_refused(world, world.sealed_record(), store), trust.UntrustedKey)
    allowed = world.believing(**{role: trust.any_of([key.trusted("file")]), "allow_development": True})
    verified = trust.verify_template(world.sealed_record(), allowed, now_s=world.now_s)
    assert verified.development == (role == "hosts")


# 4: the record's own bytes


def test_a_well_signed_record_that_is_not_canonical_is_refused(world, seal):
    payload = world.record().SerializeToString()
    for changed in (payload + payload, payload + b"\xfa\x07\x00", b"\x08\x81\x00" + payload[2:], payload[:-1]):
        assert isinstance(_refused(world, seal(changed, TEMPLATE_TYPE, world.host)), trust.UnsupportedRecord)


def test_a_well_signed_record_out_of_bounds_is_refused(world):
    assert isinstance(_refused(world, world.sealed_record(version=2)), trust.UnsupportedRecord)


# 5: context


@pytest.mark.parametrize("field", ["tenant", "lock_group"])
def test_a_record_or_grant_from_elsewhere_is_refused(world, field):
    assert isinstance(_refused(world, world.sealed_record(**{field: "other"})), trust.WrongContext)
    data = world.sealed_record(grant=world.sealed_grant(**{field: "other"}))
    assert isinstance(_refused(world, data), trust.WrongContext)


def test_a_record_of_another_subject_than_asked_for_is_refused(world):
    assert isinstance(_refused(world, world.sealed_record(), subject=b"z" * 32), trust.WrongContext)


# 6: time


def test_a_record_counts_from_its_issue_to_just_before_its_expiry(world):
    data, record = world.sealed_record(), world.record()
    skew_s = world.store.clock_skew_s
    for now_s in (record.issued_at_s - skew_s, record.expires_at_s - 0.001):
        trust.verify_template(data, world.store, now_s=now_s)
    for now_s in (record.issued_at_s - skew_s - 1, record.expires_at_s, math.nan, math.inf, -math.inf):
        assert isinstance(_refused(world, data, now_s=now_s), trust.Expired)


def test_a_record_issued_outside_its_grants_time_is_refused(world):
    for changes in ({"expires_at_s": world.now_s}, {"issued_at_s": world.now_s + 121}):
        data = world.sealed_record(grant=world.sealed_grant(**changes))
        assert isinstance(_refused(world, data), trust.Expired)


def test_a_grant_at_no_time_is_refused(world):
    with pytest.raises(trust.Expired):
        trust.verify_grant(world.sealed_grant(), world.store, at_s=math.nan)


# 7: withdrawal


@pytest.mark.parametrize(
    "changes",
    [
        {"revoked_records": frozenset({b"r" * 16})},
        {"revoked_subjects": frozenset({b"s" * 32})},
        {"minimum_epoch": 5},
    ],
)
def test_what_was_withdrawn_is_refused(world, changes):
    assert isinstance(_refused(world, world.sealed_record(), world.believing(**changes)), trust.Revoked)


def test_a_revoked_subjects_record_is_refused_whomever_its_grant_is_for(world):
    data = world.sealed_record(grant=world.sealed_grant(subject=b"z" * 32))
    store = world.believing(revoked_subjects=frozenset({b"s" * 32}))
    assert isinstance(_refused(world, data, store), trust.Revoked)


def test_the_higher_of_both_epochs_counts(world):
    data = world.sealed_record()
    trust.verify_template(data, world.believing(minimum_epoch=4), now_s=world.now_s, epoch=4)
    assert isinstance(_refused(world, data, epoch=5), trust.Revoked)
    assert isinstance(_refused(world, data, world.believing(minimum_epoch=5), epoch=1), trust.Revoked)


def test_a_grant_for_a_revoked_subject_is_refused(world):
    with pytest.raises(trust.Revoked):
        trust.verify_grant(
            world.sealed_grant(), world.believing(revoked_subjects=frozenset({b"s" * 32})), at_s=world.now_s
        )


# 8: liveness


@pytest.mark.parametrize(
    "outcome",
    [template_pb2.OUTCOME_NOT_LIVE, template_pb2.OUTCOME_INCONCLUSIVE, template_pb2.OUTCOME_NOT_EVALUATED],
)
@pytest.mark.parametrize("where", ["outcome", "gates__0__outcome", "gates__1__outcome"])
def test_any_answer_but_live_is_refused(world, where, outcome):
    assert isinstance(_refused(world, world.sealed_record(**{where: outcome})), trust.NotShownLive)


def test_a_required_gate_must_be_there(world):
    trust.verify_template(
        world.sealed_record(), world.believing(required_gates=frozenset({"flatness"})), now_s=world.now_s
    )
    error = _refused(world, world.sealed_record(), world.believing(required_gates=frozenset({"flatness", "eyes"})))
    assert isinstance(error, trust.NotShownLive)
    assert "eyes" in str(error)


def test_no_gates_at_all_are_refused(world):
    assert isinstance(_refused(world, world.sealed_record(gates=None)), trust.UnsupportedRecord)


def test_a_policy_that_is_not_pinned_is_refused(world):
    trust.verify_template(
        world.sealed_record(), world.believing(policy_hashes=frozenset({b"p" * 32})), now_s=world.now_s
    )
    for pinned in (frozenset(), frozenset({b"q" * 32})):
        error = _refused(world, world.sealed_record(), world.believing(policy_hashes=pinned))
        assert isinstance(error, trust.NotShownLive)


def test_an_extractor_that_is_not_pinned_is_refused(world):
    trust.verify_template(
        world.sealed_record(), world.believing(extractors=frozenset({("sface", "1")})), now_s=world.now_s
    )
    for pinned in (frozenset(), frozenset({("sface", "2")}), frozenset({("other", "1")})):
        error = _refused(world, world.sealed_record(), world.believing(extractors=pinned))
        assert isinstance(error, trust.UnsupportedRecord)


# 9: sensor


def test_a_simulated_sensor_is_refused_unless_it_is_allowed_by_name(world):
    data = world.sealed_record(sensor__attestation=template_pb2.ATTESTATION_SIMULATED)
    loosened = world.believing(allow_development=True, allow_unattested=True)
    assert isinstance(_refused(world, data, loosened), trust.UntrustedSensor)
    assert trust.verify_template(data, world.believing(allow_simulated=True), now_s=world.now_s).simulated


def test_a_sensor_that_proved_nothing_is_refused_by_default(world):
    store = world.believing(allow_unattested=False, allow_simulated=True, allow_development=True)
    assert isinstance(_refused(world, world.sealed_record(), store), trust.UntrustedSensor)


def test_a_trust_store_loosens_nothing_by_default(world):
    store = trust.TrustStore("acme", "doors", world.store.hosts, world.store.administrators)
    assert not (store.allow_development or store.allow_unattested or store.allow_simulated)


# 10: grant


@pytest.mark.parametrize("attestation", [template_pb2.ATTESTATION_SIMULATED, template_pb2.ATTESTATION_VERIFIED])
def test_evidence_that_nothing_here_verifies_is_refused_whatever_its_label(world, attestation):
    data = world.sealed_record(
        sensor__attestation=attestation, sensor__evidence_kind="faceward.sensor.v1", sensor__evidence=b"made up"
    )
    store = world.believing(allow_simulated=True, allow_unattested=True)
    assert isinstance(_refused(world, data, store), trust.UntrustedSensor)


def test_a_grant_for_a_sensors_key_permits_no_record_of_a_sensor_that_proved_none(world):
    grant = world.sealed_grant(sensor_key=b"k" * 32)
    assert isinstance(_refused(world, world.sealed_record(grant=grant)), trust.PermissionInvalid)


def test_a_grant_of_another_purpose_is_no_permission_to_enroll(world):
    cleared = world.sealed_grant(
        purpose=grant_pb2.GRANT_PURPOSE_CLEAR_LOCKOUT, subject=b"", max_attempts=0
    )
    with pytest.raises(trust.PermissionInvalid, match="purpose"):
        trust.verify_grant(cleared, world.store, at_s=world.now_s)


@pytest.mark.parametrize("changes", [{"subject": b"z" * 32}, {"sensor_serial": "W-2"}, {"host_key": b"k" * 32}])
def test_a_grant_for_something_else_is_refused(world, changes):
    data = world.sealed_record(grant=world.sealed_grant(**changes))
    assert isinstance(_refused(world, data), trust.PermissionInvalid)


def test_a_grant_for_this_sensor_and_host_permits(world):
    grant = world.sealed_grant(sensor_serial="W-1", host_key=world.host.public.digest)
    trust.verify_template(world.sealed_record(grant=grant), world.store, now_s=world.now_s)


def test_a_development_grant_is_refused_unless_it_is_allowed_by_name(world):
    data = world.sealed_record(grant=world.sealed_grant(development=True))
    loosened = world.believing(allow_simulated=True, allow_unattested=True)
    assert isinstance(_refused(world, data, loosened), trust.PermissionInvalid)
    assert trust.verify_template(data, world.believing(allow_development=True), now_s=world.now_s).development


def test_a_grant_that_is_none_is_refused(world, new_key):
    for grant in (b"junk", world.sealed_record()[:4096], world.sealed_grant() + b"\0"):
        assert isinstance(_refused(world, world.sealed_record(grant=grant)), trust.UnsupportedRecord)
    data = world.sealed_record(grant=world.sealed_grant(new_key()))
    assert isinstance(_refused(world, data), trust.SignatureInvalid)


def test_a_grant_out_of_bounds_is_refused(world):
    data = world.sealed_record(grant=world.sealed_grant(max_attempts=11))
    assert isinstance(_refused(world, data), trust.UnsupportedRecord)


def test_every_kind_of_error_has_a_name_of_its_own():
    kinds = [error.kind for error in (trust.VerificationError, *trust.VerificationError.__subclasses__())]
    assert len(set(kinds)) == len(kinds) == 10
