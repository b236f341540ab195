"""A trust store comes back from its signed file as it was, and any other file is refused."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from faceward_proto import truststore
from faceward_proto.attestation import FirmwareFloor, SensorRoot, simulator_root
from faceward_proto.envelope import TEMPLATE_TYPE, TRUST_TYPE
from faceward_proto.errors import (
    Expired,
    RolledBack,
    SignatureInvalid,
    UnsupportedRecord,
    VerificationError,
    WrongContext,
)
from faceward_proto.keys import PublicKey
from faceward_proto.reader import MalformedMessage
from faceward_proto.trust import ComponentFloor, TrustedKey, TrustStore, all_of, any_of, at_least, verify_template
from faceward_proto.truststore import read_trust_statement, read_trust_store, write_trust_statement
from faceward_proto.v1 import trust_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

NOW_S = 1_800_000_000
WORD = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,20}", fullmatch=True)
TEXT = st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), min_size=1, max_size=20)
VERSION = st.sampled_from(["", "0", "1.4", "10.0.3"])
DIGESTS = st.frozensets(st.binary(min_size=32, max_size=32), max_size=4)


@pytest.fixture(scope="module")
def root(new_key):
    return new_key()


@pytest.fixture(scope="module")
def store(world, new_key):
    """A store with something in every field."""
    other = at_least(1, [new_key("ML-DSA-65").trusted(), new_key("Ed25519").trusted("file")])
    return replace(
        world.store,
        hosts=(any_of([world.host.trusted()]), other),
        sensor_roots=(*world.store.sensor_roots, simulator_root()),
        firmware=(FirmwareFloor("Acme", "T-1", 7), FirmwareFloor("Ward", "SL-940", 3)),
        gates=(ComponentFloor("flatness", "1.0"), ComponentFloor("skin-optics")),
        extractors=(ComponentFloor("sface", "1"),),
        policy_hashes=frozenset({b"p" * 32, b"q" * 32}),
        minimum_epoch=4,
        revoked_keys=frozenset({b"k" * 32}),
        revoked_records=frozenset({b"r" * 16, b"s" * 16}),
        revoked_subjects=frozenset({b"z" * 32}),
        allow_development=True,
        allow_unattested=True,
        allow_simulated=True,
        sequence=300,
        issued_at_s=NOW_S,
        expires_at_s=NOW_S + 3600,
    )  # fmt: skip


@pytest.fixture(scope="module")
def signed(store, root, seal):
    return seal(write_trust_statement(store), TRUST_TYPE, root)


def _read(data, root, **arguments):
    rule = any_of([root.trusted()])
    return read_trust_store(data, rule, **{"now_s": NOW_S, "minimum_sequence": 0, **arguments})


def test_a_signed_store_comes_back_with_every_field(store, signed, root):
    read = _read(signed, root, minimum_sequence=300, tenant="acme", lock_group="doors")
    assert read == store
    for field in fields(TrustStore):
        if field.name != "evidence_verifiers":
            assert getattr(read, field.name) == getattr(store, field.name), field.name


def test_what_was_read_verifies_templates(world, root, seal):
    store = replace(world.store, sequence=1, issued_at_s=NOW_S, expires_at_s=NOW_S + 60, allow_unattested=False)
    read = _read(seal(write_trust_statement(store), TRUST_TYPE, root), root)
    data = world.sealed(world.sensor.attest(world.record()))
    assert verify_template(data, read, now_s=NOW_S, grant_seen=()).sensor.serial == "W-1"


@st.composite
def stores(draw, keys, p256):
    def rules():
        count = draw(st.integers(1, 3))
        return tuple(
            at_least(
                draw(st.integers(1, len(chosen))),
                [TrustedKey(key, draw(st.sampled_from(["file", "pkcs11", "secure-element", "vault"]))) for key in chosen],
            )
            for chosen in (draw(st.lists(st.sampled_from(keys), min_size=1, max_size=3, unique=True)) for _ in range(count))
        )

    issued_at_s = draw(st.integers(1, 1 << 39))
    models = sorted(draw(st.frozensets(st.tuples(TEXT, TEXT), max_size=4)))
    return TrustStore(
        tenant=draw(WORD),
        lock_group=draw(WORD),
        hosts=rules(),
        administrators=rules(),
        sensor_roots=tuple(
            SensorRoot(key, draw(TEXT), draw(st.booleans()))
            for key in draw(st.lists(st.sampled_from(p256), max_size=3, unique=True))
        ),
        firmware=tuple(FirmwareFloor(*model, draw(st.integers(0, (1 << 32) - 1))) for model in models),
        gates=tuple(ComponentFloor(name, draw(VERSION)) for name in sorted(draw(st.frozensets(WORD, max_size=4)))),
        extractors=tuple(ComponentFloor(name, draw(VERSION)) for name in sorted(draw(st.frozensets(WORD, max_size=3))))
        or None,
        policy_hashes=draw(DIGESTS) or None,
        minimum_epoch=draw(st.integers(0, (1 << 40) - 1)),
        revoked_keys=draw(DIGESTS),
        revoked_records=draw(st.frozensets(st.binary(min_size=16, max_size=16), max_size=4)),
        revoked_subjects=draw(DIGESTS),
        allow_development=draw(st.booleans()),
        allow_unattested=draw(st.booleans()),
        allow_simulated=draw(st.booleans()),
        sequence=draw(st.integers(1, (1 << 40) - 1)),
        issued_at_s=issued_at_s,
        expires_at_s=issued_at_s + draw(st.integers(1, 1 << 30)),
    )


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_any_store_comes_back_and_has_one_form(world, store, data):
    p256 = [world.host.public, world.administrator.public, *(root.key for root in store.sensor_roots)]
    keys = [*p256, *(trusted.key for trusted in store.hosts[1].keys)]
    drawn = data.draw(stores(keys, p256))
    written = write_trust_statement(drawn)
    read = read_trust_statement(written)
    assert read == drawn
    assert write_trust_statement(read) == written


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_garbage_is_no_statement(data):
    with pytest.raises(MalformedMessage):
        read_trust_statement(data)


def test_floors_are_written_in_order_whatever_order_they_were_given_in(store):
    turned = replace(store, firmware=store.firmware[::-1], gates=store.gates[::-1])
    assert write_trust_statement(turned) == write_trust_statement(store)


# 1, 2: envelope and signature


def test_no_byte_of_a_signed_store_can_be_flipped(world, store, root, seal):
    # Without the ML-DSA-65 key, which would be most of it.
    small = replace(store, hosts=store.hosts[:1])
    signed = seal(write_trust_statement(small), TRUST_TYPE, root)
    assert _read(signed, root) == small
    for index in range(len(signed)):
        changed = bytes([*signed[:index], signed[index] ^ 0x11, *signed[index + 1 :]])
        with pytest.raises(VerificationError):
            _read(changed, root)


def test_no_signed_store_can_be_cut_or_lengthened(signed, root):
    for changed in (b"", signed[:-1], signed + b"\0", signed + signed):
        with pytest.raises(UnsupportedRecord):
            _read(changed, root)


def test_a_store_that_another_key_signed_is_refused(signed, new_key):
    with pytest.raises(SignatureInvalid):
        _read(signed, new_key())


def test_a_stores_bytes_under_another_type_are_refused(store, root, seal):
    with pytest.raises(UnsupportedRecord):
        _read(seal(write_trust_statement(store), TEMPLATE_TYPE, root), root)


def test_every_rule_that_the_lock_pins_must_be_met(store, root, seal, new_key):
    second = new_key()
    one, both = (seal(write_trust_statement(store), TRUST_TYPE, *keys) for keys in ((root,), (root, second)))
    for rules in (
        all_of([root.trusted(), second.trusted()]),
        [any_of([root.trusted()]), any_of([second.trusted()])],
    ):
        assert read_trust_store(both, rules, now_s=NOW_S, minimum_sequence=0) == store
        with pytest.raises(SignatureInvalid):
            read_trust_store(one, rules, now_s=NOW_S, minimum_sequence=0)


def test_a_lock_that_pins_nothing_reads_nothing(signed):
    with pytest.raises(ValueError, match="no rule"):
        read_trust_store(signed, [], now_s=NOW_S, minimum_sequence=0)


# 3, 4: form and bounds


CHANGES = {
    "version": [0, 2],
    "sequence": [0, 1 << 40],
    "issued_at_s": [0, NOW_S + 3600],
    "expires_at_s": [0, NOW_S, 1 << 40],
    "tenant": ["", "a b"],
    "lock_group": ["", "../x"],
    "minimum_epoch": [1 << 40],
    "policy_hashes": [[b"p" * 31], [b"q" * 32, b"p" * 32], [b"p" * 32] * 2],
    "revoked_keys": [[b"k" * 20], [b"k" * 32] * 2],
    "revoked_records": [[b"r" * 32], [b"s" * 16, b"r" * 16]],
    "revoked_subjects": [[b""], [b"z" * 32, b"a" * 32]],
    "hosts": [[]],
    "administrators": [[]],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in CHANGES for value in CHANGES[name]], ids=lambda one: f"{one!r:.30}"
)
def test_a_signed_store_out_of_bounds_is_refused(store, root, seal, name, value):
    statement = trust_pb2.TrustStatement.FromString(write_trust_statement(store))
    statement.ClearField(name)
    if isinstance(value, list):
        getattr(statement, name).extend(value)
    else:
        setattr(statement, name, value)
    with pytest.raises(UnsupportedRecord):
        _read(seal(statement.SerializeToString(deterministic=True), TRUST_TYPE, root), root, now_s=NOW_S + 1)


def _add_key(statement, der, custody="pkcs11"):
    statement.hosts[0].keys.add(key=der, custody=custody)


GROWTHS = {
    "a rule for nothing": lambda statement: statement.hosts[0].ClearField("need"),
    "a rule for too many": lambda statement: setattr(statement.hosts[0], "need", 2),
    "a rule without keys": lambda statement: statement.administrators.add(need=1),
    "a key that is none": lambda statement: _add_key(statement, b"junk"),
    "a key that is a private matter": lambda statement: _add_key(statement, b""),
    "a key twice": lambda statement: _add_key(statement, statement.hosts[0].keys[0].key),
    "no custody": lambda statement: statement.hosts[0].keys[0].ClearField("custody"),
    "five rules": lambda statement: statement.hosts.extend([statement.hosts[0]] * 3),
    "a root that is none": lambda statement: statement.sensor_roots.add(key=b"junk", name="x"),
    "a root twice": lambda statement: statement.sensor_roots.add(key=statement.sensor_roots[0].key, name="x"),
    "a root without a name": lambda statement: statement.sensor_roots[0].ClearField("name"),
    "a root of another kind": lambda statement: statement.sensor_roots.add(key=statement.hosts[1].keys[0].key, name="x"),
    "a floor of no vendor": lambda statement: statement.firmware[0].ClearField("vendor"),
    "a floor of no model": lambda statement: statement.firmware[1].ClearField("model"),
    "floors out of order": lambda statement: statement.firmware.add(vendor="Aaaa", model="x"),
    "a floor twice": lambda statement: statement.firmware.add(vendor="Ward", model="SL-940"),
    "a gate without a name": lambda statement: statement.gates.add(minimum_version="1"),
    "gates out of order": lambda statement: statement.gates.add(name="eyes"),
    "a gate twice": lambda statement: statement.gates.add(name="skin-optics"),
    "a version that is none": lambda statement: setattr(statement.gates[0], "minimum_version", "1.x"),
    "an extractor twice": lambda statement: statement.extractors.add(name="sface"),
    "17 gates": lambda statement: [statement.gates.add(name=f"z-{index:02}") for index in range(15)],
    "17 extractors": lambda statement: [statement.extractors.add(name=f"z-{index:02}") for index in range(16)],
    "65 floors": lambda statement: [statement.firmware.add(vendor="X", model=f"{index:02}") for index in range(63)],
    "65 policies": lambda statement: statement.policy_hashes.extend(b"z" * 31 + bytes([index]) for index in range(63)),
}  # fmt: skip


@pytest.mark.parametrize("growth", GROWTHS)
def test_a_signed_store_that_breaks_a_rule_of_its_lists_is_refused(store, root, seal, growth):
    statement = trust_pb2.TrustStatement.FromString(write_trust_statement(store))
    GROWTHS[growth](statement)
    with pytest.raises(UnsupportedRecord):
        _read(seal(statement.SerializeToString(deterministic=True), TRUST_TYPE, root), root)


def test_lists_are_read_up_to_their_bound_and_no_further(world, new_key):
    keys = [new_key().public for _ in range(17)]
    base = replace(world.store, sequence=1, issued_at_s=NOW_S, expires_at_s=NOW_S + 1)
    digests = frozenset(index.to_bytes(32, "big") for index in range(4097))
    for name, most, value in (
        ("hosts", 16, lambda count: (any_of(TrustedKey(key, "pkcs11") for key in keys[:count]),)),
        ("sensor_roots", 16, lambda count: tuple(SensorRoot(key, "x") for key in keys[:count])),
        ("revoked_keys", 4096, lambda count: frozenset(sorted(digests)[:count])),
        ("revoked_records", 4096, lambda count: frozenset(one[16:] for one in sorted(digests)[:count])),
        ("revoked_subjects", 4096, lambda count: frozenset(sorted(digests)[:count])),
    ):
        fits = replace(base, **{name: value(most)})
        assert read_trust_statement(write_trust_statement(fits)) == fits
        with pytest.raises(MalformedMessage, match=str(most + 1)):
            write_trust_statement(replace(base, **{name: value(most + 1)}))


def test_a_key_in_another_spelling_is_refused(world, store, root, seal):
    point = world.host.private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    compressed = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + point
    assert PublicKey(compressed) == world.host.public
    statement = trust_pb2.TrustStatement.FromString(write_trust_statement(store))
    statement.administrators[0].keys.add(key=compressed, custody="pkcs11")
    with pytest.raises(UnsupportedRecord, match="usual form"):
        _read(seal(statement.SerializeToString(deterministic=True), TRUST_TYPE, root), root)


@pytest.mark.parametrize(
    "changes",
    [
        {"sequence": 0},
        {"sequence": -1},
        {"issued_at_s": None},
        {"expires_at_s": None},
        {"tenant": "a b"},
        {"tenant": None},
        {"minimum_epoch": 1 << 70},
        {"revoked_keys": frozenset({"text"})},
    ],
)
def test_what_could_not_be_read_is_not_written(store, changes):
    with pytest.raises(MalformedMessage):
        write_trust_statement(replace(store, **changes))


# 5 to 7: context, time, rollback


@pytest.mark.parametrize("changes", [{"tenant": "other"}, {"lock_group": "other"}])
def test_a_store_for_another_place_is_refused(signed, root, changes):
    with pytest.raises(WrongContext):
        _read(signed, root, **changes)


def test_a_store_counts_from_its_issue_to_just_before_its_expiry(signed, root):
    for now_s in (NOW_S - 120, NOW_S + 3599.5):
        assert _read(signed, root, now_s=now_s).sequence == 300
    for now_s in (NOW_S - 121, NOW_S + 3600, math.nan, math.inf, -math.inf):
        with pytest.raises(Expired):
            _read(signed, root, now_s=now_s)


def test_an_older_store_than_the_lock_took_is_refused(signed, root):
    assert _read(signed, root, minimum_sequence=300).sequence == 300
    with pytest.raises(RolledBack):
        _read(signed, root, minimum_sequence=301)


def test_nothing_is_read_before_it_is_verified(monkeypatch, signed, new_key):
    monkeypatch.setattr(truststore, "read_message", lambda *arguments, **more: pytest.fail("read before verified"))
    with pytest.raises(SignatureInvalid):
        _read(signed, new_key())
