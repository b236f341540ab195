"""Signed trust stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from faceward_proto.envelope import TEMPLATE_TYPE, TRUST_TYPE
from faceward_proto.trust import TrustedKey
from faceward_proto.truststore import write_trust_statement
from faceward_proto.v1 import trust_pb2
from faceward_proto.v1.envelope_pb2 import Envelope
from ingredients import (
    ED25519_HOST,
    HOST,
    NOW_S,
    ROOT,
    SECOND_ROOT,
    SEQUENCE,
    STORE,
    STRANGER,
    VENDOR_ROOT,
    Key,
    appended,
    changed,
    compressed,
    doubled,
    field,
    flipped,
    p384,
    pieces,
    record,
    record_message,
    resigned,
    seal,
    swapped,
    trust,
)

from cases.case import (
    Case,
    Change,
    with_key_id,
)


def trust_stores() -> Iterator[Case]:
    """The signed trust store: whoever can exchange it owns the lock."""

    def refused(name: str, why: str, store: bytes, kind: str = "unsupported-record", **more: object) -> Case:
        return Case(f"trust/{name}", why, kind, record(), store, **more)  # type: ignore[arg-type]

    def stated(**changes: object) -> bytes:
        message = trust_pb2.TrustStatement.FromString(write_trust_statement(STORE))
        return seal(changed(message, changes), TRUST_TYPE, ROOT)

    def grown(change: Callable[[trust_pb2.TrustStatement], object]) -> bytes:
        message = trust_pb2.TrustStatement.FromString(write_trust_statement(STORE))
        change(message)
        return seal(message, TRUST_TYPE, ROOT)

    def rewritten(change: Change) -> bytes:
        return resigned(trust(), change, ROOT)

    both = (ROOT, SECOND_ROOT)
    yield refused(
        "rolled-back", "an older store than the lock took", trust(), "rolled-back", minimum_sequence=SEQUENCE + 1
    )
    yield refused("expired", "a store that expired this second", trust(expires_at_s=NOW_S + 3600), "expired")
    yield refused(
        "not-yet", "a store that was issued more than 120 s from now", trust(issued_at_s=NOW_S + 3600 + 121), "expired"
    )
    yield refused("wrong-root", "a store that another root signed", trust(SECOND_ROOT), "signature-invalid")
    yield refused("signed-by-the-host", "a host signs records and nothing else", trust(HOST), "signature-invalid")
    yield refused(
        "key-id-lies",
        "a stranger's signature under the root's key id",
        with_key_id(trust(STRANGER), ROOT),
        "signature-invalid",
    )
    yield refused("one-root-of-two", "one of two roots that are both pinned", trust(), "signature-invalid", roots=both)
    yield refused("same-root-twice", "one of two roots, twice", trust(ROOT, ROOT), "signature-invalid", roots=both)
    yield refused("flipped", "a bit of the store is turned over", flipped(trust(), 100), "signature-invalid")
    yield refused(
        "allow-flag-added",
        "a flag that loosens it was put in afterwards",
        _unsigned(trust(), appended(field(20, 1))),
        "signature-invalid",
    )
    yield refused(
        "template-type",
        "the store's bytes, signed as a template",
        seal(write_trust_statement(STORE), TEMPLATE_TYPE, ROOT),
    )
    yield refused("record-as-store", "a template is no trust store", seal(record_message(), TEMPLATE_TYPE, ROOT))
    yield refused("no-signatures", "nobody signed", b"".join(raw for number, raw in pieces(trust()) if number != 3))
    yield refused("trailing-zero", "a byte is left over", trust() + b"\0")
    yield refused("two-payloads", "which one was signed?", doubled(1)(trust()))
    yield refused("empty", "no bytes are no trust store", b"")
    yield refused("sequence-twice", "two sequences in one store: the last would win", rewritten(doubled(2)))
    yield refused(
        "unknown-field",
        "a field that nobody knows may tighten: it is not passed over",
        rewritten(appended(field(40, 1))),
    )
    yield refused("reordered", "fields out of order", rewritten(swapped(5, 6)))
    yield refused("false-written-out", "a flag that is off is written out", rewritten(appended(field(18, 0))))
    yield refused("version", "a store of another version", stated(version=2))
    yield refused("no-sequence", "a store without a sequence", stated(sequence=None), minimum_sequence=0)
    yield refused("never-expires", "a store that never expires", stated(expires_at_s=None))
    yield refused("no-tenant", "a store for no tenant", stated(tenant=None))
    yield refused("no-hosts", "a store that nobody must sign for", stated(hosts=None))
    yield refused("no-administrators", "a store without administrators", stated(administrators=None))
    yield refused("rule-for-nothing", "a rule that asks for no signature", stated(hosts__0__need=None))
    yield refused("rule-for-too-many", "a rule that asks for two of one", stated(hosts__0__need=2))
    yield refused("rule-without-keys", "a rule without keys", grown(lambda message: message.hosts.add(need=1)))
    yield refused("key-twice-in-a-rule", "one key twice in a rule for two", _rule_twice(grown))
    yield refused(
        "key-compressed",
        "one key in another spelling could count twice",
        grown(lambda message: message.hosts[0].keys.add(key=compressed(HOST), custody="pkcs11")),
    )
    yield refused(
        "key-is-noise",
        "a key that is none",
        grown(lambda message: message.hosts[0].keys.add(key=b"noise", custody="pkcs11")),
    )
    yield refused(
        "key-p384",
        "a key on a curve that nobody here verifies",
        grown(lambda message: message.hosts[0].keys.add(key=p384("suite host"), custody="pkcs11")),
    )
    yield refused("no-custody", "a key that is kept nowhere", stated(hosts__0__keys__0__custody=None))
    yield refused(
        "five-rules",
        "more rules than a lock must have room for",
        grown(lambda message: message.hosts.extend([message.hosts[0]] * 4)),
    )
    seventeen = [Key(f"suite host {number}").trusted() for number in range(17)]
    yield refused(
        "seventeen-keys",
        "more keys than a lock must have room for",
        grown(
            lambda message: message.hosts[0].keys.extend(
                trust_pb2.TrustedKey(key=one.key.der, custody=one.custody) for one in seventeen[:16]
            )
        ),
    )
    yield refused(
        "root-twice",
        "a sensor root twice, once as a vendor's and once as a simulator's",
        grown(lambda message: message.sensor_roots.add(key=VENDOR_ROOT.public.der, name="again", simulated=True)),
    )
    yield refused(
        "root-ed25519",
        "a sensor root that is not P-256",
        grown(lambda message: message.sensor_roots.add(key=ED25519_HOST.public.der, name="other")),
    )
    yield refused("root-without-name", "a sensor root without a name", stated(sensor_roots__0__name=None))
    yield refused(
        "floors-out-of-order",
        "firmware floors out of order",
        grown(lambda message: message.firmware.add(vendor="Acme", model="X", minimum_security_version=1)),
    )
    yield refused(
        "floor-twice",
        "two floors for one model",
        grown(lambda message: message.firmware.extend(list(message.firmware))),
    )
    yield refused("gates-out-of-order", "gates out of order", grown(lambda message: message.gates.add(name="eyes")))
    yield refused(
        "gate-twice",
        "two floors for one gate",
        grown(lambda message: message.gates.add(name="skin-optics", minimum_version="0")),
    )
    yield refused(
        "gate-floor-with-letters",
        "a floor that no version can be held against",
        stated(gates__0__minimum_version="1.x"),
    )
    yield refused(
        "revocations-out-of-order", "revocations out of order", stated(revoked_records=[b"\2" * 16, b"\1" * 16])
    )
    yield refused("revocation-twice", "one revocation twice", stated(revoked_keys=[b"\1" * 32, b"\1" * 32]))
    yield refused("short-revocation", "a digest of 20 bytes revokes nothing", stated(revoked_keys=[b"\1" * 20]))
    yield refused("epoch", "an epoch beyond all bounds", stated(minimum_epoch=1 << 40))
    yield refused("sequence", "a sequence beyond all bounds", stated(sequence=1 << 40))
    # One more of each than there may be, in order and each once.
    numbers = [number.to_bytes(2, "big") for number in range(4097)]
    names = [f"a-{number:02}" for number in range(65)]
    yield refused(
        "floors-too-many",
        "65 firmware floors",
        grown(lambda message: _before(message.firmware, [{"vendor": "Acme", "model": each} for each in names[:64]])),
    )
    yield refused(
        "gates-too-many", "17 gates", grown(lambda message: _before(message.gates, [{"name": each} for each in names[:15]]))
    )
    yield refused(
        "extractors-too-many",
        "17 extractors",
        grown(lambda message: _before(message.extractors, [{"name": each} for each in names[:16]])),
    )
    yield refused(
        "policies-too-many", "65 pinned policies", stated(policy_hashes=[each + bytes(30) for each in numbers[:65]])
    )
    yield refused(
        "revocations-too-many", "4,097 revoked records", stated(revoked_records=[each + bytes(14) for each in numbers])
    )
    yield refused(
        "roots-too-many",
        "17 sensor roots",
        grown(lambda message: message.sensor_roots.extend(_root(one, number) for number, one in enumerate(seventeen[:16]))),
    )
    yield refused("gate-name-with-space", "a gate's name is an identifier", stated(gates__1__name="skin optics"))
    yield refused("floor-vendor-control", "a control character in a text", stated(firmware__0__vendor="Ward\x7fOptics"))
    yield refused("root-name-control", "a control character in a text", stated(sensor_roots__0__name="Ward\x7fOptics"))


def _before(entries: Any, more: list[dict[str, Any]]) -> None:
    """Put entries before those that are there, which come later in order."""
    kept = [type(entry).FromString(entry.SerializeToString()) for entry in entries]
    del entries[:]
    for values in more:
        entries.add(**values)
    entries.extend(kept)


def _root(one: TrustedKey, number: int) -> trust_pb2.SensorRoot:
    return trust_pb2.SensorRoot(key=one.key.der, name=f"root {number}")


def _rule_twice(grown: Callable[[Callable[[trust_pb2.TrustStatement], object]], bytes]) -> bytes:
    def change(message: trust_pb2.TrustStatement) -> None:
        message.hosts[0].keys.add(key=HOST.public.der, custody="file")
        message.hosts[0].need = 2

    return grown(change)


def _unsigned(data: bytes, change: Change) -> bytes:
    envelope = Envelope.FromString(data)
    envelope.payload = change(envelope.payload)
    return envelope.SerializeToString(deterministic=True)
