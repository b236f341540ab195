"""The verifier takes a record that keeps every rule, and each broken rule by itself refuses."""

from __future__ import annotations

import math
import random

import pytest
from faceward_proto import trust
from faceward_proto.envelope import GRANT_TYPE, TEMPLATE_TYPE
from faceward_proto.v1 import grant_pb2, template_pb2
from faceward_proto.v1.envelope_pb2 import Envelope


def _taken(data, store, **arguments):
    """What a lock takes that has taken nothing yet."""
    return trust.verify_template(data, store, **{"grant_seen": (), **arguments})


def _refused(world, data, store=None, **arguments):
    with pytest.raises(trust.VerificationError) as caught:
        _taken(data, store or world.store, **{"now_s": world.now_s, **arguments})
    return caught.value


def test_a_good_record_verifies_and_tells_who_signed_it(world):
    verified = _taken(world.sealed_record(), world.store, now_s=world.now_s, epoch=4, subject=b"s" * 32)
    assert verified.record == world.record(grant=verified.record.grant)
    assert verified.payload == verified.record.SerializeToString(deterministic=True)
    assert verified.grant == world.grant()
    assert verified.signed_by == {world.host.public}
    assert (verified.simulated, verified.development) == (False, False)


def test_ed25519_signs_as_well(world, new_key):
    key = new_key("Ed25519")
    store = world.believing(hosts=(trust.any_of([key.trusted()]),))
    assert _taken(world.sealed_record(key), store, now_s=world.now_s).signed_by == {key.public}


# 1, 2: envelope and signature


def test_no_byte_of_a_signed_template_can_be_flipped(world):
    data = world.sealed_record()
    draw = random.Random(1)
    for index in range(len(data)):
        changed = bytearray(data)
        changed[index] ^= draw.randrange(1, 256)
        assert isinstance(_refused(world, bytes(changed)), (trust.UnsupportedRecord, trust.SignatureInvalid)), index


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
    store = world.believing(hosts=(make([key.trusted() for key in keys]),))
    for count in (1, 2, 3):
        data = world.sealed_record(*keys[:count], keys[0], keys[0])
        if count >= enough:
            _taken(data, store, now_s=world.now_s)
        else:
            assert isinstance(_refused(world, data, store), trust.SignatureInvalid)


def test_every_rule_for_hosts_must_be_met(world, new_key):
    classical, quantum_safe = new_key(), new_key("ML-DSA-65")
    rules = (trust.any_of([classical.trusted()]), trust.any_of([quantum_safe.trusted()]))
    store = world.believing(hosts=rules)
    verified = _taken(world.sealed_record(classical, quantum_safe), store, now_s=world.now_s)
    assert verified.signed_by == {classical.public, quantum_safe.public}
    for keys in ((classical,), (quantum_safe,), (classical, classical)):
        assert isinstance(_refused(world, world.sealed_record(*keys), store), trust.SignatureInvalid)


def test_custody_is_asked_for_by_every_rule(world, new_key):
    second = new_key()
    kept = trust.any_of([world.host.trusted()])
    copied = trust.any_of([second.trusted("file")])
    store = world.believing(hosts=(kept, copied))
    assert isinstance(_refused(world, world.sealed_record(world.host, second), store), trust.UntrustedKey)


def test_a_key_in_a_file_beside_a_good_one_counts_for_nothing(world, new_key):
    second = new_key()
    store = world.believing(hosts=(trust.any_of([world.host.trusted(), second.trusted("file")]),))
    data = world.sealed_record(world.host, second)
    assert _taken(data, store, now_s=world.now_s).signed_by == {world.host.public}
    bound = world.sealed_grant(host_key=second.public.digest)
    data = world.sealed_record(world.host, second, grant=bound)
    assert isinstance(_refused(world, data, store), trust.PermissionInvalid)


def test_a_place_that_nobody_knows_is_no_safe_place(world):
    store = world.believing(hosts=(trust.any_of([world.host.trusted("vault")]),))
    assert isinstance(_refused(world, world.sealed_record(), store), trust.UntrustedKey)


def test_signatures_that_no_rule_asks_for_prove_nothing(world):
    envelope = Envelope.FromString(world.sealed_record())
    with pytest.raises(ValueError, match="no rule"):
        trust.verify_rules(envelope, (), what="record")


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
    any_of = world.believing(hosts=(trust.any_of(keys),), revoked_keys=revoked)
    assert _taken(data, any_of, now_s=world.now_s).signed_by == {second.public}
    assert isinstance(
        _refused(world, data, world.believing(hosts=(trust.all_of(keys),), revoked_keys=revoked)), trust.Revoked
    )


def test_a_revoked_administrator_is_refused(world):
    store = world.believing(revoked_keys=frozenset({world.administrator.public.digest}))
    assert isinstance(_refused(world, world.sealed_record(), store), trust.Revoked)


@pytest.mark.parametrize("level", ["root", "model", "device", "signing", "agreement"])
def test_a_revoked_key_of_the_sensor_is_refused(world, level):
    store = world.believing(revoked_keys=frozenset({getattr(world.sensor, level).public.digest}))
    assert isinstance(_refused(world, world.sealed(world.sensor.attest(world.record())), store), trust.Revoked)


@pytest.mark.parametrize("role", ["hosts", "administrators"])
def test_a_key_in_a_file_is_refused_unless_development_is_allowed(world, role):
    key = world.host if role == "hosts" else world.administrator
    store = world.believing(**{role: (trust.any_of([key.trusted("file")]),)})
    assert isinstance(_refused(world, world.sealed_record(), store), trust.UntrustedKey)
    allowed = world.believing(**{role: (trust.any_of([key.trusted("file")]),), "allow_development": True})
    verified = _taken(world.sealed_record(), allowed, now_s=world.now_s)
    assert verified.development


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
        _taken(data, world.store, now_s=now_s)
    for now_s in (record.issued_at_s - skew_s - 1, record.expires_at_s, math.nan, math.inf, -math.inf):
        assert isinstance(_refused(world, data, now_s=now_s), trust.Expired)


def test_a_record_issued_outside_its_grants_time_is_refused(world):
    for changes in ({"expires_at_s": world.now_s}, {"issued_at_s": world.now_s + 121}):
        data = world.sealed_record(grant=world.sealed_grant(**changes))
        assert isinstance(_refused(world, data), trust.Expired)


def test_a_grant_at_no_time_is_refused(world):
    with pytest.raises(trust.Expired):
        trust.verify_grant(world.sealed_grant(), world.store, at_s=math.nan)


def test_an_expired_trust_store_trusts_nothing(world):
    store = world.believing(expires_at_s=world.now_s + 10)
    _taken(world.sealed_record(), store, now_s=world.now_s + 9.5)
    assert isinstance(_refused(world, world.sealed_record(), store, now_s=world.now_s + 10), trust.Expired)


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
    _taken(data, world.believing(minimum_epoch=4), now_s=world.now_s, epoch=4)
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
    _taken(
        world.sealed_record(), world.believing(gates=(trust.ComponentFloor("flatness"),)), now_s=world.now_s
    )
    both = (trust.ComponentFloor("flatness"), trust.ComponentFloor("eyes"))
    error = _refused(world, world.sealed_record(), world.believing(gates=both))
    assert isinstance(error, trust.NotShownLive)
    assert "eyes" in str(error)


def test_no_gates_at_all_are_refused(world):
    assert isinstance(_refused(world, world.sealed_record(gates=None)), trust.UnsupportedRecord)


def test_a_policy_that_is_not_pinned_is_refused(world):
    _taken(
        world.sealed_record(), world.believing(policy_hashes=frozenset({b"p" * 32})), now_s=world.now_s
    )
    error = _refused(world, world.sealed_record(), world.believing(policy_hashes=frozenset({b"q" * 32})))
    assert isinstance(error, trust.NotShownLive)


@pytest.mark.parametrize(("minimum", "taken"), [("", True), ("0.9", True), ("1.0", True), ("1.0.1", False), ("2", False)])
def test_a_gate_must_reach_its_floor(world, minimum, taken):
    store = world.believing(gates=(trust.ComponentFloor("flatness", minimum),))
    if taken:
        _taken(world.sealed_record(), store, now_s=world.now_s)
    else:
        assert isinstance(_refused(world, world.sealed_record(), store), trust.NotShownLive)


@pytest.mark.parametrize("version", ["1.0rc1", "1.0+local", "v1.0", "1..0", "01.0", "1.0000000000"])
def test_a_version_without_numbers_alone_is_below_every_floor(world, version):
    data = world.sealed_record(gates__0__version=version)
    floored = world.believing(gates=(trust.ComponentFloor("flatness", "0"),))
    assert isinstance(_refused(world, data, floored), trust.NotShownLive)
    _taken(data, world.believing(gates=(trust.ComponentFloor("flatness"),)), now_s=world.now_s)


@pytest.mark.parametrize("pinned", [("sface", "1"), ("sface", "0.9"), ("sface", "")])
def test_an_extractor_that_is_pinned_and_reaches_its_floor_is_taken(world, pinned):
    store = world.believing(extractors=(trust.ComponentFloor("other", "1"), trust.ComponentFloor(*pinned)))
    extractor = _taken(world.sealed_record(), store, now_s=world.now_s).record.extractor
    assert (extractor.name, extractor.version) == ("sface", "1")


@pytest.mark.parametrize("pinned", [("sface", "2"), ("other", "1"), ("other", "")])
def test_an_extractor_that_is_not_pinned_or_below_its_floor_is_refused(world, pinned):
    error = _refused(world, world.sealed_record(), world.believing(extractors=(trust.ComponentFloor(*pinned),)))
    assert isinstance(error, trust.UnsupportedRecord)


# 9: sensor


def test_an_attested_sensor_is_taken_and_told(world):
    data = world.sealed(world.sensor.attest(world.record()))
    verified = _taken(data, world.believing(allow_unattested=False), now_s=world.now_s)
    assert (verified.sensor.serial, verified.sensor.security_version) == ("W-1", 3)
    assert verified.sensor.device_key == world.sensor.device.public
    assert not verified.simulated


def test_a_simulated_sensor_is_refused_unless_it_is_allowed_by_name(world):
    data = world.sealed(world.sensor.attest(world.record(), simulated=True))
    roots = (world.sensor.trusted(simulated=True),)
    loosened = world.believing(sensor_roots=roots, allow_development=True, allow_unattested=True)
    assert isinstance(_refused(world, data, loosened), trust.UntrustedSensor)
    allowed = world.believing(sensor_roots=roots, allow_simulated=True)
    assert _taken(data, allowed, now_s=world.now_s).simulated


@pytest.mark.parametrize("simulated", [True, False])
def test_a_label_that_the_root_contradicts_is_refused(world, simulated):
    data = world.sealed(world.sensor.attest(world.record(), simulated=not simulated))
    store = world.believing(sensor_roots=(world.sensor.trusted(simulated=simulated),), allow_simulated=True)
    error = _refused(world, data, store)
    assert isinstance(error, trust.UntrustedSensor)
    assert "label" in str(error)


def test_a_record_without_evidence_is_not_helped_by_a_root(world):
    store = world.believing(allow_unattested=False)
    assert isinstance(_refused(world, world.sealed_record(), store), trust.UntrustedSensor)


@pytest.mark.parametrize(
    "changes",
    [
        {"sensor_roots": ()},
        {"firmware": (trust.FirmwareFloor("Ward", "SL-940", 4),)},
    ],
)
def test_a_sensor_that_the_trust_store_does_not_take_is_refused(world, changes):
    data = world.sealed(world.sensor.attest(world.record()))
    assert isinstance(_refused(world, data, world.believing(**changes)), trust.UntrustedSensor)


def test_evidence_of_an_unknown_kind_is_refused(world):
    record = world.sensor.attest(world.record())
    record.sensor.evidence_kind = "acme.sensor.v1"
    error = _refused(world, world.sealed(record))
    assert isinstance(error, trust.UntrustedSensor)
    assert "acme.sensor.v1" in str(error)


def _proven(world, **changes):
    sensor = world.sensor
    fields = {
        "vendor": "Ward", "model": "SL-940", "serial": "W-1", "firmware_version": "1.2.0", "security_version": 3,
        "firmware_hash": b"i" * 32, "device_key": sensor.device.public, "signing_key": sensor.signing.public,
        "agreement_key": None, "simulated": False,
    }  # fmt: skip
    return trust.ProvenSensor(**{**fields, **changes})


def _vendors_record(world):
    return world.sealed_record(
        sensor__attestation=template_pb2.ATTESTATION_VERIFIED,
        sensor__evidence_kind="acme.sensor.v1",
        sensor__evidence=b"acme's own",
    )


def test_a_vendors_own_evidence_is_judged_by_its_verifier(world):
    asked = []

    def verifier(evidence, claim):
        asked.append((evidence, claim))
        return _proven(world)

    store = world.believing(evidence_verifiers={"acme.sensor.v1": verifier}, allow_unattested=False)
    verified = _taken(_vendors_record(world), store, now_s=world.now_s)
    assert verified.sensor == _proven(world)
    ((evidence, claim),) = asked
    assert evidence == b"acme's own"
    assert (claim.serial, claim.key_frames) == ("W-1", (b"f" * 32, b"d" * 32, b"h" * 32))


@pytest.mark.parametrize("answer", [None, True, "sensor", RuntimeError("lost"), trust.UntrustedSensor("no")])
def test_a_vendors_verifier_that_gives_no_sensor_refuses(world, answer):
    def verifier(evidence, claim):
        if isinstance(answer, Exception):
            raise answer
        return answer

    store = world.believing(evidence_verifiers={"acme.sensor.v1": verifier})
    assert isinstance(_refused(world, _vendors_record(world), store), trust.UntrustedSensor)


@pytest.mark.parametrize(
    "changes",
    [{"serial": "W-2"}, {"model": "X"}, {"security_version": 2}, {"simulated": True}, {"simulated": None}],
    ids=str,
)
def test_a_vendors_verifier_loosens_nothing(world, changes):
    store = world.believing(
        evidence_verifiers={"acme.sensor.v1": lambda evidence, claim: _proven(world, **changes)},
        firmware=(trust.FirmwareFloor("Ward", "SL-940", 3),),
    )
    assert isinstance(_refused(world, _vendors_record(world), store), trust.UntrustedSensor)


@pytest.mark.parametrize("key", ["device", "signing"])
def test_a_revoked_key_of_a_vendors_sensor_is_refused(world, key):
    store = world.believing(
        evidence_verifiers={"acme.sensor.v1": lambda evidence, claim: _proven(world)},
        revoked_keys=frozenset({getattr(world.sensor, key).public.digest}),
    )
    assert isinstance(_refused(world, _vendors_record(world), store), trust.Revoked)


def test_no_verifier_stands_in_for_the_sensors_own_kind(world):
    with pytest.raises(ValueError, match=r"faceward\.sensor\.v1"):
        world.believing(evidence_verifiers={"faceward.sensor.v1": lambda evidence, claim: _proven(world)})


def test_a_sensor_that_proved_nothing_is_refused_by_default(world):
    store = world.believing(allow_unattested=False, allow_simulated=True, allow_development=True)
    assert isinstance(_refused(world, world.sealed_record(), store), trust.UntrustedSensor)


def test_a_trust_store_loosens_nothing_by_default(world):
    store = trust.TrustStore("acme", "doors", world.store.hosts, world.store.administrators)
    assert not (store.allow_development or store.allow_unattested or store.allow_simulated)


@pytest.mark.parametrize(
    "changes",
    [
        {"hosts": ()},
        {"administrators": ()},
        {"extractors": ()},
        {"policy_hashes": frozenset()},
        {"gates": (trust.ComponentFloor("eyes"), trust.ComponentFloor("eyes", "1"))},
        {"extractors": (trust.ComponentFloor("sface"), trust.ComponentFloor("sface", "1"))},
        {"firmware": (trust.FirmwareFloor("Ward", "SL-940", 1), trust.FirmwareFloor("Ward", "SL-940", 2))},
    ],
    ids=str,
)
def test_a_trust_store_that_asks_for_nothing_or_says_a_thing_twice_can_not_be_made(world, changes):
    with pytest.raises(ValueError, match="trust store"):
        world.believing(**changes)


def test_a_sensor_root_is_trusted_once(world):
    roots = (world.sensor.trusted(), world.sensor.trusted(simulated=True))
    with pytest.raises(ValueError, match="sensor root twice"):
        world.believing(sensor_roots=roots)


@pytest.mark.parametrize("minimum", ["1.x", "1.", "-1", "latest"])
def test_a_floor_is_made_of_numbers_and_dots(minimum):
    with pytest.raises(ValueError, match="numbers and dots"):
        trust.ComponentFloor("flatness", minimum)


# 10: grant


@pytest.mark.parametrize("changes", [{"subject": b"z" * 32}, {"sensor_serial": "W-2"}, {"host_key": b"k" * 32}])
def test_a_grant_for_something_else_is_refused(world, changes):
    data = world.sealed_record(grant=world.sealed_grant(**changes))
    assert isinstance(_refused(world, data), trust.PermissionInvalid)


def test_a_grant_for_this_sensors_key_permits_and_for_another_does_not(world):
    store = world.believing(allow_unattested=True)
    for key, taken in ((world.sensor.device, True), (world.sensor.signing, False)):
        record = world.record(grant=world.sealed_grant(sensor_key=key.public.digest))
        data = world.sealed(world.sensor.attest(record))
        if taken:
            _taken(data, store, now_s=world.now_s)
        else:
            assert isinstance(_refused(world, data, store), trust.PermissionInvalid)


def test_a_grant_for_a_sensors_key_is_not_met_by_a_sensor_that_proved_none(world):
    data = world.sealed_record(grant=world.sealed_grant(sensor_key=world.sensor.device.public.digest))
    assert isinstance(_refused(world, data), trust.PermissionInvalid)


def test_a_grant_of_another_purpose_permits_nothing(world):
    clearing = {"purpose": grant_pb2.GRANT_PURPOSE_CLEAR_LOCKOUT, "subject": None, "max_attempts": None}
    grant = world.sealed_grant(**clearing)
    assert isinstance(_refused(world, world.sealed_record(grant=grant)), trust.PermissionInvalid)
    purpose = grant_pb2.GRANT_PURPOSE_CLEAR_LOCKOUT
    assert trust.verify_grant(grant, world.store, at_s=world.now_s, purpose=purpose).grant.purpose == purpose
    with pytest.raises(trust.PermissionInvalid, match="purpose"):
        trust.verify_grant(world.sealed_grant(), world.store, at_s=world.now_s, purpose=purpose)


def test_every_rule_for_administrators_must_be_met(world, new_key):
    second = new_key()
    store = world.believing(administrators=(*world.store.administrators, trust.any_of([second.trusted()])))
    assert isinstance(_refused(world, world.sealed_record(), store), trust.SignatureInvalid)
    for keys in ((second,), (world.administrator, world.administrator)):
        data = world.sealed_record(grant=world.sealed_grant(*keys))
        assert isinstance(_refused(world, data, store), trust.SignatureInvalid)
    both = world.sealed_record(grant=world.sealed_grant(world.administrator, second))
    _taken(both, store, now_s=world.now_s)


# 11: a grant is taken once


def _lost(grant_id):
    raise OSError("the flash is gone")


@pytest.mark.parametrize(
    "seen",
    [None, frozenset({b"g" * 16}), [b"g" * 16], lambda grant_id: grant_id == b"g" * 16, lambda grant_id: None, _lost],
)
def test_a_grant_that_was_taken_or_may_have_been_is_refused(world, seen):
    assert isinstance(_refused(world, world.sealed_record(), grant_seen=seen), trust.GrantUsed)


@pytest.mark.parametrize("seen", [(), frozenset(), [b"h" * 16], lambda grant_id: False])
def test_a_grant_that_was_never_taken_permits(world, seen):
    taken = _taken(world.sealed_record(), world.store, now_s=world.now_s, grant_seen=seen)
    assert taken.grant.grant_id == b"g" * 16


def test_which_grants_were_taken_has_to_be_said(world):
    with pytest.raises(TypeError, match="grant_seen"):
        trust.verify_template(world.sealed_record(), world.store, now_s=world.now_s)


def test_a_record_that_was_taken_is_taken_again_and_no_other_under_its_grant(world):
    grant = world.sealed_grant()
    first = world.sealed_record(grant=grant)
    taken = _taken(first, world.store, now_s=world.now_s)
    again = trust.verify_template_again(first, world.store, now_s=world.now_s, taken=taken.digest)
    assert again.record == taken.record
    other = world.sealed_record(grant=grant, sdk_version="0.2.0")
    assert _taken(other, world.store, now_s=world.now_s).grant.grant_id == taken.grant.grant_id
    with pytest.raises(trust.GrantUsed, match="another record"):
        trust.verify_template_again(other, world.store, now_s=world.now_s, taken=taken.digest)
    with pytest.raises(trust.Expired):
        trust.verify_template_again(first, world.store, now_s=world.now_s + 1e9, taken=taken.digest)


def test_a_grant_for_this_sensor_and_host_permits(world):
    grant = world.sealed_grant(sensor_serial="W-1", host_key=world.host.public.digest)
    taken = _taken(world.sealed_record(grant=grant), world.store, now_s=world.now_s)
    assert (taken.grant.sensor_serial, taken.grant.host_key) == (taken.record.sensor.serial, world.host.public.digest)


def test_a_development_grant_is_refused_unless_it_is_allowed_by_name(world):
    data = world.sealed_record(grant=world.sealed_grant(development=True))
    loosened = world.believing(allow_simulated=True, allow_unattested=True)
    assert isinstance(_refused(world, data, loosened), trust.PermissionInvalid)
    assert _taken(data, world.believing(allow_development=True), now_s=world.now_s).development


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
    assert len(set(kinds)) == len(kinds) == 12
