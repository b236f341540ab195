"""The suite's cases, by what they try. Each says in one sentence why a verifier must accept or refuse it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from faceward_proto.attestation import (
    CAPTURE_LABEL,
    DEVICE_LABEL,
    FIRMWARE_LABEL,
    MODEL_LABEL,
    SIMULATOR_ROOT_DIGEST,
    FirmwareFloor,
    SensorRoot,
)
from faceward_proto.envelope import GRANT_TYPE, MAX_PAYLOAD_BYTES, TEMPLATE_TYPE, TRUST_TYPE
from faceward_proto.trust import ComponentFloor, all_of, any_of, at_least
from faceward_proto.truststore import write_trust_statement
from faceward_proto.v1 import attestation_pb2, grant_pb2, template_pb2, trust_pb2
from faceward_proto.v1.envelope_pb2 import Envelope, Signature
from ingredients import (
    ADMINISTRATOR,
    DAY_S,
    ED25519_ADMINISTRATOR,
    ED25519_HOST,
    EPOCH,
    HOST,
    ML_DSA_ADMINISTRATOR,
    ML_DSA_HOST,
    NOW_S,
    OTHER_MODEL,
    OTHER_VENDOR_ROOT,
    P256_ORDER,
    ROOT,
    SECOND_ADMINISTRATOR,
    SECOND_HOST,
    SECOND_ROOT,
    SECOND_SENSOR,
    SENSOR,
    SEQUENCE,
    SIMULATOR,
    SIMULATOR_ROOT,
    STORE,
    STRANGER,
    THIRD_ADMINISTRATOR,
    THIRD_HOST,
    VENDOR_ROOT,
    Key,
    Sensor,
    appended,
    attested,
    changed,
    compressed,
    doubled,
    evidence,
    field,
    flipped,
    grant,
    grant_message,
    p384,
    pieces,
    record,
    record_message,
    resigned,
    seal,
    signed,
    substituted,
    swapped,
    trust,
    varint,
)

ED25519, ML_DSA_65 = "ed25519", "ml-dsa-65"
GRANT_ID = grant_message().grant_id
SUBJECT = grant_message().subject
Change = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Case:
    """One run of a verifier, and what must come of it. `kind` is "" where it must accept."""

    name: str
    why: str
    kind: str
    record: bytes
    trust: bytes
    needs: tuple[str, ...] = ()  # algorithms besides ES256
    roots: tuple[Key, ...] = (ROOT,)
    need: int | None = None
    now_s: int = NOW_S + 3600
    epoch: int = EPOCH
    minimum_sequence: int = SEQUENCE
    grant_seen: tuple[bytes, ...] = ()
    subject: bytes | None = None
    tenant: str | None = None
    lock_group: str | None = None


def all_cases() -> list[Case]:
    """Every case, each name once."""
    groups = (
        good,
        edges,
        envelopes,
        payloads,
        bounds,
        contexts,
        signatures,
        liveness,
        chains,
        captures,
        labels,
        permissions,
        trust_stores,
    )
    found = [case for group in groups for case in group()]
    names = [case.name for case in found]
    if len(set(names)) != len(names):
        raise ValueError(f"a name twice: {sorted({name for name in names if names.count(name) > 1})}")
    return found


def good() -> Iterator[Case]:
    """What must be accepted."""

    def accepted(name: str, why: str, *, data: bytes | None = None, store: bytes | None = None, **more: object) -> Case:
        return Case(
            f"good/{name}", why, "", record() if data is None else data, trust() if store is None else store, **more
        )  # type: ignore[arg-type]

    def sealed(message: template_pb2.TemplateRecord, *keys: Key) -> bytes:
        return seal(message, TEMPLATE_TYPE, *(keys or (HOST,)))

    yield accepted("baseline", "every rule is kept")
    yield accepted(
        "context",
        "subject, tenant and lock group are the lock's own",
        subject=SUBJECT,
        tenant="acme",
        lock_group="doors.north",
    )
    yield accepted("later-epoch", "the record's epoch is above the lock's", data=record(epoch=EPOCH + 3))
    yield accepted("newer-store", "the trust store is newer than the one taken last", minimum_sequence=SEQUENCE - 1)
    yield accepted("other-grants-seen", "other grants were taken, this one was not", grant_seen=(bytes(16), b"\1" * 16))
    yield accepted("clock-behind", "the lock's clock is 120 s behind the host's, which is allowed", now_s=NOW_S - 120)
    yield accepted("last-second", "the record expires in the next second", now_s=NOW_S + 30 * DAY_S - 1)
    yield accepted(
        "no-pins",
        "a store without pins takes any policy, gate and extractor",
        store=trust(policy_hashes=None, extractors=None, gates=()),
    )
    yield accepted(
        "versions-are-numbers",
        "1.10 is above 1.9, and 1 is 1.0",
        data=record(gates__0__version="1.10"),
        store=trust(gates=(ComponentFloor("flatness", "1.9"),), extractors=(ComponentFloor("sface", "1.0.0"),)),
    )
    yield accepted(
        "any-version",
        "a gate without a floor may have any version",
        data=record(gates__0__version="1.0rc1"),
        store=trust(gates=(ComponentFloor("flatness"),)),
    )
    yield accepted(
        "bare",
        "measures, cue, relief and hardware revision may be missing",
        data=record(gates__0__measures=None, gates__0__cue=None, relief=None, sensor__hardware_revision=None),
    )
    yield accepted(
        "floor-of-another-model",
        "a firmware floor binds its own model alone",
        store=trust(firmware=(FirmwareFloor("Ward Optics", "SL-941", 9), FirmwareFloor("Ward", "SL-940", 9))),
    )
    yield accepted(
        "no-firmware-floor",
        "a model without a floor may have any firmware, even of security version 0",
        data=sealed(attested(record_message(), replace(SENSOR, security_version=0))),
        store=trust(firmware=()),
    )
    yield accepted(
        "one-root-of-two-revoked",
        "a revoked sensor root does not stain another",
        store=trust(
            sensor_roots=(SensorRoot(OTHER_VENDOR_ROOT.public, "other"), *STORE.sensor_roots),
            revoked_keys=frozenset({OTHER_VENDOR_ROOT.public.digest}),
        ),
    )
    bound = grant(host_key=HOST.public.digest, sensor_serial=SENSOR.serial, sensor_key=SENSOR.device_key.public.digest)
    yield accepted(
        "bound-grant", "the grant names this host, this serial and this sensor's key", data=record(permission=bound)
    )

    yield accepted(
        "key-id-lies",
        "key ids decide nothing: the signature is the host's, whatever its key id says",
        data=_with_key_id(record(), STRANGER),
    )
    yield accepted("beside-a-stranger", "a signature by a stranger changes nothing", data=record(STRANGER, HOST))
    yield accepted(
        "beside-ml-dsa-65",
        "a signature that this rule does not ask for changes nothing",
        data=record(HOST, ML_DSA_HOST),
    )
    yield accepted("twice", "one key signed twice, and one is enough", data=record(HOST, HOST))
    yield accepted("high-s", "r, n - s is an ES256 signature too", data=_high_s(record()))
    hosts = [HOST.trusted(), SECOND_HOST.trusted(), THIRD_HOST.trusted()]
    yield accepted(
        "two-of-three",
        "two different keys of three signed",
        data=record(THIRD_HOST, HOST),
        store=trust(hosts=(at_least(2, hosts),)),
    )
    yield accepted(
        "two-rules",
        "both rules for hosts are met",
        data=record(HOST, SECOND_HOST),
        store=trust(hosts=(any_of([HOST.trusted()]), any_of([SECOND_HOST.trusted("pkcs11")]))),
    )
    yield accepted(
        "any-of-two-algorithms",
        "any of the two is enough, and the ES256 key signed",
        store=trust(hosts=(any_of([ED25519_HOST.trusted(), HOST.trusted(), ML_DSA_HOST.trusted()]),)),
    )
    yield accepted(
        "ed25519",
        "Ed25519 signs as well",
        data=record(ED25519_HOST),
        needs=(ED25519,),
        store=trust(hosts=(any_of([ED25519_HOST.trusted()]),)),
    )
    hybrid = (any_of([HOST.trusted()]), any_of([ML_DSA_HOST.trusted()]))
    yield accepted(
        "es256-and-ml-dsa-65",
        "both signatures that the two rules ask for are there",
        data=record(HOST, ML_DSA_HOST),
        needs=(ML_DSA_65,),
        store=trust(hosts=hybrid),
    )
    yield accepted(
        "one-host-key-revoked",
        "the other key is enough for any of two",
        data=record(HOST, SECOND_HOST),
        store=trust(hosts=(any_of(hosts[:2]),), revoked_keys=frozenset({HOST.public.digest})),
    )
    administrators = [key.trusted() for key in (ADMINISTRATOR, SECOND_ADMINISTRATOR, THIRD_ADMINISTRATOR)]
    yield accepted(
        "two-administrators",
        "two administrators of three signed",
        data=record(permission=grant(THIRD_ADMINISTRATOR, ADMINISTRATOR)),
        store=trust(administrators=(at_least(2, administrators),)),
    )
    yield accepted(
        "ed25519-administrator",
        "an administrator's key may be Ed25519",
        data=record(permission=grant(ED25519_ADMINISTRATOR)),
        needs=(ED25519,),
        store=trust(administrators=(any_of([ED25519_ADMINISTRATOR.trusted()]),)),
    )
    yield accepted(
        "ml-dsa-65-administrator",
        "a grant may carry an ES256 and an ML-DSA-65 signature",
        data=record(permission=grant(ADMINISTRATOR, ML_DSA_ADMINISTRATOR)),
        needs=(ML_DSA_65,),
        store=trust(administrators=(all_of([ADMINISTRATOR.trusted(), ML_DSA_ADMINISTRATOR.trusted()]),)),
    )

    yield accepted(
        "simulated",
        "the sensor is simulated, says so, and the store allows it by name",
        data=sealed(attested(record_message(), SIMULATOR, simulated=True)),
        store=_simulators(),
    )
    yield accepted(
        "simulator-listed-as-a-vendors",
        "it is a simulator whatever the store says of its root, and allowed",
        data=sealed(attested(record_message(), SIMULATOR, simulated=True)),
        store=_simulators(simulated=False),
    )
    yield accepted(
        "unattested",
        "the sensor proved nothing, and the store allows it by name",
        data=sealed(record_message()),
        store=trust(allow_unattested=True),
    )
    yield accepted(
        "development",
        "keys in files and a development grant, and the store allows them by name",
        data=record(permission=grant(HOST, development=True)),
        store=trust(
            hosts=(any_of([HOST.trusted("file")]),),
            administrators=(any_of([HOST.trusted("file")]),),
            allow_development=True,
        ),
    )
    yield accepted(
        "two-trust-roots",
        "both roots that the lock pins signed its store",
        store=trust(ROOT, SECOND_ROOT),
        roots=(ROOT, SECOND_ROOT),
    )
    yield accepted(
        "any-trust-root",
        "the lock pins two roots and asks for one",
        store=trust(SECOND_ROOT),
        roots=(ROOT, SECOND_ROOT),
        need=1,
    )


def edges() -> Iterator[Case]:
    """The last value that every bound allows: a verifier that refuses more than it must locks people out."""

    def accepted(
        name: str,
        why: str,
        *,
        store: bytes | None = None,
        permission: bytes | None = None,
        more: dict[str, object] | None = None,
        **changes: object,
    ) -> Case:
        return Case(
            f"edge/{name}",
            why,
            "",
            record(permission=permission, **changes),
            trust() if store is None else store,
            **(more or {}),
        )  # type: ignore[arg-type]

    long = "a" * 64
    yield accepted(
        "long-names",
        "identifiers of 64 characters",
        store=trust(tenant=long, lock_group="9" * 64),
        permission=grant(tenant=long, lock_group="9" * 64),
        tenant=long,
        lock_group="9" * 64,
    )
    yield accepted(
        "signs-in-names", "identifiers may hold . _ + -", sdk_version="0.1.0+a_b-c", capture__capture_id="A.b_c+d-9"
    )
    yield accepted(
        "two-byte-text", "a text of 64 bytes is of 32 Cyrillic letters", gates__0__distribution="\u0444" * 32
    )
    yield accepted("four-byte-text", "a character beyond the first plane", gates__0__cue="\U0001f512")
    yield accepted("long-cue", "a cue of 128 bytes", gates__0__cue="c" * 128)
    yield accepted("highest-epoch", "the highest epoch", epoch=(1 << 40) - 1)
    yield accepted("far-expiry", "the last time that there is", expires_at_s=(1 << 40) - 1)
    yield accepted("short-nonce", "a nonce of 8 bytes", capture__nonce=b"n" * 8)
    yield accepted("long-nonce", "a nonce of 32 bytes", capture__nonce=b"n" * 32)
    yield accepted("one-slot", "a capture of one slot", capture__slots=1)
    yield accepted("most-slots", "a capture of 65,536 slots", capture__slots=65_536)
    yield accepted(
        "negative-numbers",
        "negative and tiny numbers, and minus zero",
        relief=[-0.0, 1e-45, -3.4e38],
        gates__0__measures__0__value=-1e-320,
    )
    yield accepted(
        "nearly-unit", "an embedding within a thousandth of unit length", poses__1__embedding=[0.0, 0.9995, 0.0, 0.0]
    )
    yield accepted(
        "long-embedding",
        "embeddings of 1,024 numbers",
        poses__0__embedding=[0.03125] * 1024,
        poses__1__embedding=[-0.03125] * 1024,
    )
    yield accepted(
        "grant-ends-after-issue",
        "the record was issued in the grant's last second",
        permission=grant(expires_at_s=NOW_S + 1),
    )
    yield accepted(
        "grant-by-a-faster-clock",
        "the administrator's clock is 120 s before the host's",
        permission=grant(issued_at_s=NOW_S + 120),
    )
    yield accepted("one-attempt", "a grant for one capture", permission=grant(max_attempts=1))
    yield accepted("ten-attempts", "a grant for ten captures", permission=grant(max_attempts=10))
    yield accepted(
        "store-by-a-faster-clock",
        "the store's clock is 120 s before the lock's",
        store=trust(issued_at_s=NOW_S + 3600 + 120),
    )
    yield accepted(
        "store-in-its-last-second", "the store expires in the next second", store=trust(expires_at_s=NOW_S + 3601)
    )
    yield accepted("same-sequence", "the store that was taken last, once more", more={"minimum_sequence": SEQUENCE})
    others = [Key(f"suite host {number}").trusted() for number in range(15)]
    yield accepted(
        "sixteen-keys",
        "a rule of 16 keys, and the last one signed",
        store=trust(hosts=(any_of([*others, HOST.trusted()]),)),
    )
    yield accepted("four-rules", "four rules that one key meets", store=trust(hosts=(any_of([HOST.trusted()]),) * 4))
    yield accepted(
        "sixteen-roots",
        "16 sensor roots, and the last one certified the model",
        store=trust(
            sensor_roots=(
                *(SensorRoot(Key(f"suite sensor root {number}").public, "other") for number in range(15)),
                *STORE.sensor_roots,
            )
        ),
    )
    yield accepted(
        "many-floors",
        "64 firmware floors",
        store=trust(
            firmware=(*(FirmwareFloor("Acme", f"M-{number}", 4_294_967_295) for number in range(63)), *STORE.firmware)
        ),
    )
    many = frozenset(hashlib.sha256(b"%d" % number).digest() for number in range(300))
    yield accepted(
        "many-revocations",
        "300 others were revoked",
        store=trust(revoked_keys=many, revoked_subjects=many, revoked_records=frozenset(one[:16] for one in many)),
    )
    yield accepted(
        "policy-among-others",
        "the policy is one of three",
        store=trust(policy_hashes=STORE.policy_hashes | {bytes(32), b"\xff" * 32}),
    )
    yield accepted(
        "eight-numbers",
        "a version of eight numbers, the last one decides",
        gates__0__version="1.0.0.0.0.0.0.2",
        store=trust(gates=(ComponentFloor("flatness", "1.0.0.0.0.0.0.1"),)),
    )
    yield accepted(
        "nine-digits",
        "a number of nine digits",
        gates__0__version="999999999.0",
        store=trust(gates=(ComponentFloor("flatness", "999999998.999999999"),)),
    )
    yield accepted("lowest-floor", "the floor is 0", store=trust(firmware=(FirmwareFloor("Ward Optics", "SL-940", 0),)))


def envelopes() -> Iterator[Case]:
    """The record's envelope: anything but the one canonical form is refused."""

    def refused(name: str, why: str, data: bytes, kind: str = "unsupported-record", **more: object) -> Case:
        return Case(f"envelope/{name}", why, kind, data, more.pop("store", None) or trust(), **more)  # type: ignore[arg-type]

    data = record()
    parts = dict(pieces(data))
    payload, kind, signature = parts[1], parts[2], parts[3]
    envelope = Envelope.FromString(data)
    message = envelope.payload
    yield refused("empty", "no bytes are no envelope", b"")
    yield refused("cut-off", "the last byte is missing", data[:-1])
    yield refused("trailing-zero", "a byte is left over", data + b"\0")
    yield refused("trailing-empty-signature", "an empty signature follows", data + field(3, b""))
    yield refused("concatenated", "two envelopes are none", data + data)
    yield refused("two-payloads", "which one was signed?", field(1, b"x") + data)
    yield refused("two-types", "which one was signed?", payload + field(2, GRANT_TYPE.encode()) + kind + signature)
    yield refused("unknown-field", "a field that nobody knows", data + field(15, b"x"))
    yield refused(
        "unknown-field-in-signature",
        "a field that nobody knows, deeper",
        payload + kind + field(3, field(1, envelope.signatures[0].sig) + field(7, 1)),
    )
    yield refused("reordered", "the type stands before the payload", kind + payload + signature)
    yield refused("signature-first", "the signature stands before the payload", signature + payload + kind)
    yield refused(
        "key-id-before-signature",
        "fields out of order, deeper",
        payload + kind + field(3, field(2, b"k") + field(1, envelope.signatures[0].sig)),
    )
    yield refused(
        "overlong-length",
        "the payload's length is written in more bytes than it needs",
        field(1, message, longer=1) + kind + signature,
    )
    yield refused(
        "overlong-tag",
        "a tag is written in more bytes than it needs",
        varint(1 << 3 | 2, longer=1) + payload[1:] + kind + signature,
    )
    yield refused(
        "empty-key-id",
        "an empty key id is written out",
        payload + kind + field(3, field(1, envelope.signatures[0].sig) + field(2, b"")),
    )
    yield refused("wrong-wire-type", "the payload is a number", field(1, 5) + kind + signature)
    yield refused("type-not-utf-8", "the payload's type is not UTF-8", payload + field(2, b"\xff\xfe") + signature)
    yield refused("no-payload", "there is nothing to sign", seal(b"", TEMPLATE_TYPE, HOST))
    yield refused("no-type", "without a type nobody knows what was signed", payload + signature)
    yield refused("no-signatures", "nobody signed", payload + kind)
    yield refused("nine-signatures", "more signatures than a verifier must have room for", record(*[HOST] * 9))
    yield refused(
        "oversize",
        "the payload is a byte too long",
        seal(message + bytes(MAX_PAYLOAD_BYTES[TEMPLATE_TYPE] + 1 - len(message)), TEMPLATE_TYPE, HOST),
    )
    short = Envelope(
        payload=message, payload_type=TEMPLATE_TYPE, signatures=[Signature(sig=envelope.signatures[0].sig[:-1])]
    )
    yield refused("short-signature", "63 bytes are no signature", short.SerializeToString())
    der = Envelope(
        payload=message, payload_type=TEMPLATE_TYPE, signatures=[Signature(sig=_der(envelope.signatures[0].sig))]
    )
    yield refused("der-signature", "an ES256 signature is r and s, not DER", der.SerializeToString())
    yield refused("wrong-type", "it says that it is something else", seal(message, "application/octet-stream", HOST))
    yield refused("grant-as-record", "a grant is no template, whoever signed it", grant(HOST))
    yield refused("trust-store-as-record", "a trust store is no template", trust(HOST))
    relabelled = Envelope.FromString(seal(message, GRANT_TYPE, HOST))
    relabelled.payload_type = TEMPLATE_TYPE
    yield refused(
        "relabelled",
        "it was signed as a grant and then called a template",
        relabelled.SerializeToString(),
        "signature-invalid",
    )
    bare = Envelope(payload=message, payload_type=TEMPLATE_TYPE, signatures=[Signature(sig=HOST.sign(message))])
    yield refused(
        "payload-signed-alone", "the payload was signed without its type", bare.SerializeToString(), "signature-invalid"
    )
    yield refused("payload-flipped", "a bit of the payload is turned over", flipped(data, 40), "signature-invalid")
    yield refused(
        "embedding-flipped",
        "a bit of an embedding is turned over",
        flipped(data, data.index(bytes.fromhex("0000003f0000003f"))),
        "signature-invalid",
    )
    yield refused(
        "signature-flipped", "a bit of the signature is turned over", flipped(data, len(data) - 1), "signature-invalid"
    )
    for name, sig, why in (
        ("zero-signature", bytes(64), "r and s are zero"),
        ("r-is-zero", bytes(32) + envelope.signatures[0].sig[32:], "r is zero"),
        ("s-is-the-order", envelope.signatures[0].sig[:32] + P256_ORDER.to_bytes(32, "big"), "s is out of range"),
        ("s-and-the-order", _plus_order(envelope.signatures[0].sig), "s + n is out of range"),
    ):
        forged = Envelope(payload=message, payload_type=TEMPLATE_TYPE, signatures=[Signature(sig=sig)])
        yield refused(name, why, forged.SerializeToString(), "signature-invalid")


def payloads() -> Iterator[Case]:
    """Well signed, and not the canonical form: a host's key in the wrong hands must not open two readings."""

    def refused(name: str, why: str, change: Change) -> Case:
        return Case(f"payload/{name}", why, "unsupported-record", resigned(record(), change, HOST), trust())

    data = Envelope.FromString(record()).payload
    parts = dict(pieces(data))
    pose = next(raw for number, raw in pieces(data) if number == 11)
    yield refused("concatenated", "a second record follows in the same payload", lambda data: data + data)
    yield refused("subject-twice", "a singular field twice: the last would win", doubled(3))
    yield refused("sensor-twice", "a singular message twice: they would merge", doubled(17))
    yield refused("unknown-field", "a field that nobody knows", appended(field(99, b"x")))
    yield refused("reserved-field", "a reserved field", appended(field(19, b"x")))
    yield refused("unknown-group", "a group of a field that nobody knows", appended(b"\xa3\x06\xa4\x06"))
    yield refused("reordered", "two fields in each other's place", swapped(3, 4))
    yield refused(
        "overlong-number", "the epoch is written in more bytes than it needs", substituted(6, field(6, EPOCH, longer=2))
    )
    yield refused("eleven-byte-number", "no number is so long", substituted(6, varint(6 << 3) + b"\x80" * 10 + b"\1"))
    yield refused("number-out-of-range", "the version does not fit 32 bits", substituted(1, field(1, 1 << 32 | 1)))
    yield refused("zero-written-out", "a zero is written out", substituted(6, field(6, 0)))
    yield refused("empty-relief", "an empty list of numbers is written out", substituted(12, field(12, b"")))
    yield refused("relief-in-two", "a packed list in two pieces", doubled(12))
    yield refused(
        "relief-unpacked",
        "a list of numbers that is not packed",
        substituted(12, b"\x65\x00\x00\x00\x3f\x65\x00\x00\x80\xbe"),
    )
    yield refused(
        "relief-cut-off",
        "a list of numbers that ends in the middle of one",
        substituted(12, field(12, b"\x00\x00\x00\x3f\x00")),
    )
    yield refused("relief-not-finite", "infinity is no measure", substituted(12, field(12, b"\x00\x00\x80\x7f")))
    yield refused("embedding-not-finite", "NaN is no measure", _nested(pose, 2, field(2, b"\x00\x00\xc0\x7f" * 4)))
    yield refused("unknown-outcome", "an outcome that nobody knows", substituted(13, field(13, 9)))
    yield refused("tenant-not-utf-8", "a text that is not UTF-8", substituted(4, field(4, b"ac\xffme")))
    yield refused("tenant-with-surrogate", "a surrogate is not UTF-8", substituted(4, field(4, b"a\xed\xa0\x80")))
    yield refused(
        "length-past-the-end", "a field is longer than what is left", substituted(18, field(18, b"x" * 9)[:-4])
    )
    yield refused("trailing-zero", "a byte is left over", appended(b"\0"))
    yield refused("nested-field-twice", "a singular field twice, deeper", substituted(10, _grown(parts[10], 2)))
    yield refused(
        "nested-unknown-field",
        "a field that nobody knows, deeper",
        substituted(16, field(16, _body(parts[16]) + field(9, b"x"))),
    )
    yield refused("wrong-wire-type", "the epoch as bytes", substituted(6, field(6, b"\4")))


def bounds() -> Iterator[Case]:
    """Well signed, canonical, and out of the bounds that every record keeps."""

    def refused(name: str, why: str, **changes: object) -> Case:
        message = attested(record_message())
        data = seal(changed(message, changes), TEMPLATE_TYPE, HOST)
        return Case(f"bounds/{name}", why, "unsupported-record", data, trust())

    yield refused("version", "a record of another version", version=2)
    yield refused("record-id", "a record id of 15 bytes", record_id=b"r" * 15)
    yield refused("subject", "a pseudonym of 31 bytes", subject=b"s" * 31)
    yield refused("tenant-path", "an identifier with a slash", tenant="../acme")
    yield refused("tenant-newline", "an identifier that ends in a new line", tenant="acme\n")
    yield refused("lock-group-empty", "an empty identifier", lock_group=None)
    yield refused("epoch", "an epoch beyond all bounds", epoch=1 << 40)
    yield refused("issued-never", "no time of issue", issued_at_s=None)
    yield refused("expires-before-issue", "it expired before it was issued", expires_at_s=NOW_S)
    yield refused("no-poses", "a template without a pose", poses=None)
    yield refused("pose-twice", "one pose twice", poses__1__pose=template_pb2.POSE_FRONTAL)
    yield refused("pose-unspecified", "a pose that is none", poses__0__pose=None)
    yield refused(
        "embedding-longer-than-one", "an embedding is of unit length", poses__0__embedding=[0.5, 0.5, -0.5, 0.6]
    )
    yield refused("embedding-zero", "nothing is as near to everybody as a zero", poses__0__embedding=[0.0] * 4)
    yield refused("embeddings-differ", "embeddings differ in length", poses__1__embedding=[1.0])
    yield refused("flood-digest", "a digest of 31 bytes", poses__0__flood_digest=b"f" * 31)
    yield refused("no-gates", "a verdict that no gate gave", gates=None)
    yield refused("gate-twice", "one gate twice", gates__0__name="skin-optics")
    yield refused("gates-out-of-order", "gates out of name order", gates__1__name="ears")
    yield refused("gate-name", "a gate's name is an identifier", gates__1__name="skin optics")
    yield refused("cue-with-escape", "a control character in a text", gates__0__cue="\x1b[2J")
    yield refused("cue-with-c1-control", "a control character in a text, of the second kind", gates__0__cue="a\x9bb")
    yield refused("limit-without-sense", "a limit that nobody knows how to hold", gates__0__measures__0__sense=None)
    yield refused("outcome-unspecified", "no verdict", outcome=None)
    yield refused("no-capture", "no capture", capture=None)
    yield refused("nonce", "a nonce of 7 bytes", capture__nonce=b"n" * 7)
    yield refused("no-slots", "a capture of no slots", capture__slots=None)
    yield refused("slots", "a capture of more slots than there can be", capture__slots=65_537)
    yield refused("vendor-too-long", "a text of 65 bytes", sensor__vendor="x" * 65)
    yield refused("kind-unspecified", "a sensor of no kind", sensor__kind=None)
    yield refused("attestation-unspecified", "neither attested nor not", sensor__attestation=None)
    yield refused(
        "evidence-with-none",
        "evidence where the label says that there is none",
        sensor__attestation=template_pb2.ATTESTATION_NONE,
    )
    yield refused("evidence-without-kind", "evidence of no kind", sensor__evidence_kind=None)
    yield refused("kind-without-evidence", "a kind of evidence without evidence", sensor__evidence=None)
    yield refused(
        "verified-without-evidence",
        "the label claims a proof that is not there",
        sensor__evidence=None,
        sensor__evidence_kind=None,
    )
    yield refused("evidence-too-long", "evidence beyond 4,096 bytes", sensor__evidence=bytes(4097))
    yield refused("no-grant", "no grant", grant=None)
    yield refused("grant-too-long", "a grant's envelope beyond 16,384 bytes", grant=bytes(16_385))


def contexts() -> Iterator[Case]:
    """Time, place, person, and what was withdrawn."""

    def refused(
        name: str, why: str, kind: str, *, data: bytes | None = None, store: bytes | None = None, **more: object
    ) -> Case:
        return Case(
            f"context/{name}",
            why,
            kind,
            record() if data is None else data,
            trust() if store is None else store,
            **more,
        )  # type: ignore[arg-type]

    elsewhere = {"tenant": "other", "lock_group": "doors.south"}
    yield refused("tenant", "a record of another tenant", "wrong-context", data=record(tenant="other"))
    yield refused("lock-group", "a record for another group", "wrong-context", data=record(lock_group="doors.south"))
    yield refused("tenant-prefix", "a tenant whose name begins alike", "wrong-context", data=record(tenant="acm"))
    yield refused(
        "group-case", "names are compared as they are written", "wrong-context", data=record(lock_group="Doors.north")
    )
    yield refused(
        "elsewhere",
        "a whole record from elsewhere, with its grant",
        "wrong-context",
        data=record(permission=grant(**elsewhere), **elsewhere),
    )
    yield refused("subject", "a record of another person than the lock asked for", "wrong-context", subject=bytes(32))
    yield refused(
        "store-of-another-tenant",
        "a trust store for another tenant than the lock's",
        "wrong-context",
        tenant="other",
        lock_group="doors.north",
    )
    yield refused(
        "store-of-another-group",
        "a trust store for another group than the lock's",
        "wrong-context",
        tenant="acme",
        lock_group="doors.south",
    )
    yield refused("not-yet", "issued more than 120 s from now", "expired", now_s=NOW_S - 121)
    yield refused("expired", "expired this second", "expired", now_s=NOW_S + 30 * DAY_S)
    yield refused("long-expired", "expired long ago", "expired", now_s=NOW_S + 90 * DAY_S)
    yield refused("clock-at-zero", "a lock whose clock was never set knows no time", "expired", now_s=0)
    yield refused(
        "record-revoked",
        "this record was revoked",
        "revoked",
        store=trust(revoked_records=frozenset({b"\0" * 16, record_message().record_id})),
    )
    yield refused(
        "subject-revoked",
        "this person was revoked",
        "revoked",
        store=trust(revoked_subjects=frozenset({SUBJECT, b"\xff" * 32})),
    )
    yield refused("epoch-of-the-store", "the store's epoch is higher", "revoked", store=trust(minimum_epoch=EPOCH + 1))
    yield refused("epoch-of-the-lock", "the lock's epoch is higher than the store's", "revoked", epoch=EPOCH + 1)
    yield refused("epoch-zero", "a record without an epoch", "revoked", data=record(epoch=None))
    many = frozenset(hashlib.sha256(b"%d" % number).digest() for number in range(300)) | {SUBJECT}
    yield refused("revoked-among-many", "this person, among 300 others", "revoked", store=trust(revoked_subjects=many))


def signatures() -> Iterator[Case]:
    """Who signed the record, how often, and where their keys are kept."""

    def refused(name: str, why: str, data: bytes, kind: str = "signature-invalid", **changes: object) -> Case:
        return Case(f"signature/{name}", why, kind, data, trust(**changes))

    pair, second = [HOST.trusted(), SECOND_HOST.trusted()], SECOND_HOST.trusted()
    yield refused("stranger", "a key that the store does not name", record(STRANGER))
    yield refused("key-id-lies", "a stranger's signature under the host's key id", _with_key_id(record(STRANGER), HOST))
    yield refused("administrator-as-host", "an administrator is no host", record(ADMINISTRATOR))
    yield refused("trust-root-as-host", "the root signs trust stores and nothing else", record(ROOT))
    yield refused(
        "same-key-twice", "two signatures by one key are one of two", record(HOST, HOST), hosts=(all_of(pair),)
    )
    yield refused(
        "same-key-thrice", "a copied signature is no second one", _copied(record(HOST), 3), hosts=(all_of(pair),)
    )
    yield refused(
        "high-s-is-no-second-key", "r, n - s beside r, s is one key still", _both_s(record(HOST)), hosts=(all_of(pair),)
    )
    yield refused("one-of-two", "one of two that are both needed", record(HOST), hosts=(all_of(pair),))
    yield refused(
        "one-of-three",
        "one of three where two are needed",
        record(THIRD_HOST),
        hosts=(at_least(2, [*pair, THIRD_HOST.trusted()]),),
    )
    yield refused(
        "first-rule-alone",
        "the second rule is not met",
        record(HOST),
        hosts=(any_of([HOST.trusted()]), any_of([second])),
    )
    yield refused(
        "second-rule-alone",
        "the first rule is not met",
        record(SECOND_HOST),
        hosts=(any_of([HOST.trusted()]), any_of([second])),
    )
    hybrid = (any_of([HOST.trusted()]), any_of([ML_DSA_HOST.trusted()]))
    yield refused("ml-dsa-65-missing", "the rule for ML-DSA-65 is not met", record(HOST), hosts=hybrid)
    yield refused("ml-dsa-65-alone", "the rule for ES256 is not met", record(ML_DSA_HOST), hosts=hybrid)
    broken = Envelope.FromString(record(HOST, ML_DSA_HOST))
    broken.signatures[1].sig = flipped(broken.signatures[1].sig, 100)
    yield refused(
        "ml-dsa-65-flipped", "a bit of the ML-DSA-65 signature is turned over", broken.SerializeToString(), hosts=hybrid
    )
    yield refused(
        "ed25519-by-another",
        "an Ed25519 signature by a stranger",
        record(Key("suite stranger", "Ed25519")),
        hosts=(any_of([ED25519_HOST.trusted()]),),
    )
    yield refused(
        "host-revoked", "the host's key was revoked", record(), "revoked", revoked_keys=frozenset({HOST.public.digest})
    )
    yield refused(
        "one-of-two-revoked",
        "one of two that are both needed was revoked",
        record(HOST, SECOND_HOST),
        "revoked",
        hosts=(all_of(pair),),
        revoked_keys=frozenset({SECOND_HOST.public.digest}),
    )
    yield refused(
        "host-in-a-file",
        "the host's key can be copied",
        record(),
        "untrusted-key",
        hosts=(any_of([HOST.trusted("file")]),),
    )
    yield refused(
        "host-somewhere",
        "a place that nobody knows is no safe place",
        record(),
        "untrusted-key",
        hosts=(any_of([HOST.trusted("vault")]),),
    )
    yield refused(
        "second-rule-in-a-file",
        "one of two rules is met by a key in a file",
        record(HOST, SECOND_HOST),
        "untrusted-key",
        hosts=(any_of([HOST.trusted()]), any_of([SECOND_HOST.trusted("file")])),
    )
    yield refused(
        "one-of-two-in-a-file",
        "of two that are needed, one is kept in a file",
        record(HOST, SECOND_HOST),
        "untrusted-key",
        hosts=(all_of([HOST.trusted(), SECOND_HOST.trusted("file")]),),
    )
    yield refused(
        "administrator-in-a-file",
        "the administrator's key can be copied",
        record(),
        "untrusted-key",
        administrators=(any_of([ADMINISTRATOR.trusted("file")]),),
    )


def liveness() -> Iterator[Case]:
    """The verdict, and what it was reached with."""

    def refused(
        name: str, why: str, kind: str = "not-shown-live", *, store: bytes | None = None, **changes: object
    ) -> Case:
        return Case(f"liveness/{name}", why, kind, record(**changes), trust() if store is None else store)

    for name, outcome in (
        ("not-live", template_pb2.OUTCOME_NOT_LIVE),
        ("inconclusive", template_pb2.OUTCOME_INCONCLUSIVE),
        ("not-evaluated", template_pb2.OUTCOME_NOT_EVALUATED),
    ):
        yield refused(f"verdict-{name}", f"the verdict is {name}", outcome=outcome)
        yield refused(f"gate-{name}", f"one gate answered {name}", gates__1__outcome=outcome)
    yield refused(
        "optional-gate-not-live",
        "a gate that nobody asks for counts too",
        gates__1__outcome=template_pb2.OUTCOME_NOT_LIVE,
        store=trust(gates=(ComponentFloor("flatness"),)),
    )
    yield refused(
        "gate-missing",
        "a gate that is asked for did not take part",
        store=trust(gates=(ComponentFloor("eyes"), ComponentFloor("flatness"))),
    )
    yield refused(
        "gate-named-alike",
        "a gate whose name begins alike is another",
        gates__0__name="flat",
        store=trust(gates=(ComponentFloor("flatness"),)),
    )
    yield refused("gate-below-floor", "a gate older than its floor", gates__0__version="0.9.9")
    yield refused(
        "gate-below-by-number",
        "1.9 is below 1.10",
        gates__0__version="1.9",
        store=trust(gates=(ComponentFloor("flatness", "1.10"),)),
    )
    for name, version in (
        ("candidate", "1.0rc1"),
        ("build", "1.0+local"),
        ("letter", "v2.0"),
        ("zeros", "01.5"),
        ("nine-numbers", "2.0.0.0.0.0.0.0.0"),
        ("ten-digits", "4294967297.0"),
    ):
        yield refused(
            f"gate-version-{name}",
            f"{version} is not numbers and dots, so it reaches no floor",
            gates__0__version=version,
        )
    yield refused("policy", "a policy that is not pinned", policy_hash=bytes(32))
    yield refused("extractor", "an extractor that is not pinned", "unsupported-record", extractor__name="other")
    yield refused(
        "extractor-below-floor", "an extractor older than its floor", "unsupported-record", extractor__version="0.9"
    )
    yield refused(
        "extractor-version",
        "an extractor's version that is not numbers and dots",
        "unsupported-record",
        extractor__version="2-beta",
    )


def chains() -> Iterator[Case]:
    """Which sensor it was: the chain from a root to the firmware."""

    def refused(
        name: str,
        why: str,
        proof: bytes,
        kind: str = "untrusted-sensor",
        *,
        sensor: Sensor = SENSOR,
        store: bytes | None = None,
    ) -> Case:
        data = seal(attested(record_message(), sensor, proof=proof), TEMPLATE_TYPE, HOST)
        return Case(f"chain/{name}", why, kind, data, trust() if store is None else store)

    def proven(sensor: Sensor = SENSOR) -> bytes:
        return evidence(sensor, _statement(sensor))

    def linked(
        change: Callable[[attestation_pb2.SensorChain], None], sensor: Sensor = SENSOR, by: Key | None = None
    ) -> bytes:
        chain = sensor.chain()
        change(chain)
        return evidence(sensor, _statement(sensor), chain=chain, by=by)

    def replaced(link: str, statement: bytes, label: bytes, key: Key) -> bytes:
        return linked(lambda chain: getattr(chain, link).CopyFrom(signed(statement, label, key)))

    stranger = replace(SENSOR, root=STRANGER)
    yield refused("wrong-root", "a model that a stranger certified", proven(stranger))
    yield refused(
        "untrusted-vendor",
        "a model that another vendor's root certified",
        proven(replace(SENSOR, root=OTHER_VENDOR_ROOT)),
    )
    yield refused("no-roots", "a store without roots trusts no sensor", proven(), store=trust(sensor_roots=()))
    yield refused("self-signed", "a model that certified itself", proven(replace(SENSOR, root=SENSOR.model_key)))
    yield refused(
        "device-of-another-model",
        "a device that another model's key certified",
        linked(lambda chain: chain.device.CopyFrom(OTHER_MODEL.chain().device)),
    )
    yield refused(
        "model-of-another-device",
        "another model's statement above this device",
        linked(lambda chain: chain.model.CopyFrom(OTHER_MODEL.chain().model)),
    )
    yield refused(
        "device-swapped",
        "another unit's statement above this unit's firmware",
        linked(lambda chain: chain.device.CopyFrom(SECOND_SENSOR.chain().device)),
    )
    yield refused(
        "firmware-swapped",
        "another unit's firmware under this unit",
        linked(lambda chain: chain.firmware.CopyFrom(SECOND_SENSOR.chain().firmware), by=SECOND_SENSOR.signing_key),
    )
    yield refused(
        "firmware-self-signed",
        "a firmware that signed itself",
        replaced("firmware", _bytes(SENSOR.firmware_statement()), FIRMWARE_LABEL, SENSOR.signing_key),
    )
    yield refused(
        "device-under-the-models-label",
        "a device's statement, signed under another label",
        replaced("device", _bytes(SENSOR.device_statement()), MODEL_LABEL, SENSOR.model_key),
    )
    yield refused(
        "device-without-label",
        "a device's statement, signed without a label",
        replaced("device", _bytes(SENSOR.device_statement()), b"", SENSOR.model_key),
    )
    for link in ("model", "device", "firmware"):
        yield refused(
            f"{link}-missing", f"no statement about the {link}", linked(lambda chain, link=link: chain.ClearField(link))
        )
        yield refused(
            f"{link}-flipped",
            f"a bit of the statement about the {link} is turned over",
            linked(lambda chain, link=link: _flip(getattr(chain, link), "statement")),
        )
        yield refused(
            f"{link}-signature-flipped",
            f"a bit of the signature over the {link} is turned over",
            linked(lambda chain, link=link: _flip(getattr(chain, link), "signature")),
        )
    yield refused(
        "firmware-below-floor", "firmware that the vendor withdrew", proven(replace(SENSOR, security_version=2))
    )
    yield refused(
        "firmware-without-security-version",
        "firmware of security version 0",
        proven(replace(SENSOR, security_version=0)),
    )
    for level, key in (
        ("root", VENDOR_ROOT),
        ("model", SENSOR.model_key),
        ("device", SENSOR.device_key),
        ("signing-key", SENSOR.signing_key),
        ("agreement-key", SENSOR.agreement_key),
    ):
        yield refused(
            f"{level}-revoked",
            f"the sensor's {level} was revoked",
            proven(),
            "revoked",
            store=trust(revoked_keys=frozenset({key.public.digest})),
        )
    yield refused(
        "chain-field-twice",
        "a link twice, so that two readers see two chains",
        evidence(SENSOR, _statement(), chain=doubled(1)(_bytes(SENSOR.chain()))),
    )
    yield refused(
        "chain-trailing-zero",
        "a byte is left over",
        evidence(SENSOR, _statement(), chain=_bytes(SENSOR.chain()) + b"\0"),
    )
    yield refused(
        "statement-key-twice",
        "a certified statement with two keys",
        replaced("device", doubled(2)(_bytes(SENSOR.device_statement())), DEVICE_LABEL, SENSOR.model_key),
    )
    yield refused(
        "statement-unknown-field",
        "a certified statement with a field that nobody knows",
        replaced("model", _bytes(SENSOR.model_statement()) + field(9, b"x"), MODEL_LABEL, VENDOR_ROOT),
    )
    yield refused(
        "no-serial",
        "a certified device without a serial",
        replaced(
            "device",
            _bytes(attestation_pb2.DeviceStatement(key=SENSOR.device_key.public.der)),
            DEVICE_LABEL,
            SENSOR.model_key,
        ),
    )
    short_hash = SENSOR.firmware_statement()
    short_hash.firmware_hash = short_hash.firmware_hash[:20]
    yield refused(
        "firmware-hash",
        "a firmware hash of 20 bytes",
        replaced("firmware", _bytes(short_hash), FIRMWARE_LABEL, SENSOR.device_key),
    )
    for name, der, why in (
        ("compressed", compressed(SENSOR.device_key), "a key in another spelling"),
        ("p384", p384("suite device"), "a key on another curve"),
        ("ed25519", Key("suite device", "Ed25519").public.der, "an Ed25519 key"),
        ("trailing", SENSOR.device_key.public.der + b"\0", "a key with a byte left over"),
        ("missing", b"", "no key"),
    ):
        message = attestation_pb2.DeviceStatement(serial=SENSOR.serial, key=der)
        yield refused(
            f"device-key-{name}",
            f"{why}, certified as the device's",
            replaced("device", _bytes(message), DEVICE_LABEL, SENSOR.model_key),
        )
    for name in ("serial", "model", "vendor", "firmware_version"):
        other = replace(SENSOR, **{name: "W-0009"})
        yield refused(
            f"record-names-another-{name.replace('_', '-')}",
            f"the record names another {name} than the chain proves",
            proven(),
            sensor=other,
        )


def captures() -> Iterator[Case]:
    """What the sensor signed of this capture."""

    def refused(name: str, why: str, proof: bytes, kind: str = "untrusted-sensor") -> Case:
        data = seal(attested(record_message(), proof=proof), TEMPLATE_TYPE, HOST)
        return Case(f"capture/{name}", why, kind, data, trust())

    def stated(**changes: object) -> bytes:
        return evidence(SENSOR, changed(_statement(), changes))

    frames = list(_statement().key_frames)
    yield refused("another-nonce", "a capture under another nonce", stated(nonce=b"m" * 16))
    yield refused("another-schedule", "a capture under another schedule", stated(schedule_digest=bytes(32)))
    yield refused("another-capture", "evidence of another capture", stated(capture_digest=b"\1" * 32))
    yield refused("another-length", "evidence over fewer slots", stated(slots=299))
    yield refused(
        "key-frames-swapped",
        "flood and depth in each other's place",
        stated(key_frames=[frames[1], frames[0], frames[2]]),
    )
    yield refused(
        "key-frame-exchanged",
        "a key frame that the sensor did not attest",
        stated(key_frames=[b"\1" * 32, *frames[1:]]),
    )
    yield refused("key-frame-missing", "one key frame fewer than the record has", stated(key_frames=frames[:-1]))
    yield refused("key-frame-more", "one key frame more than the record has", stated(key_frames=[*frames, frames[0]]))
    yield refused("no-key-frames", "no key frames", stated(key_frames=None))
    yield refused(
        "another-grant",
        "attested for another grant",
        stated(grant_digest=hashlib.sha256(grant(grant_id=b"\1" * 16)).digest()),
    )
    yield refused("no-grant", "attested for no grant", stated(grant_digest=None))
    yield refused("nonce-missing", "attested without a nonce", stated(nonce=None))
    second = replace(SENSOR, serial="W-0002")
    yield refused(
        "another-sensors-signature",
        "another unit's signature under this unit's chain",
        evidence(SENSOR, _statement(), by=second.signing_key),
    )
    yield refused(
        "another-sensors-evidence",
        "a whole evidence of another unit, of its own capture",
        evidence(second, changed(_statement(), {"capture_digest": b"\2" * 32})),
    )
    yield refused(
        "signed-by-the-device-key",
        "the device's key signs firmware, not captures",
        evidence(SENSOR, _statement(), by=SENSOR.device_key),
    )
    yield refused(
        "signed-by-the-agreement-key",
        "the agreement key signs nothing",
        evidence(SENSOR, _statement(), by=SENSOR.agreement_key),
    )
    yield refused("signed-by-the-host", "a host can't speak for a sensor", evidence(SENSOR, _statement(), by=HOST))
    yield refused("without-label", "a capture signed without its label", evidence(SENSOR, _statement(), label=b""))
    yield refused(
        "under-another-label", "a capture signed as a firmware", evidence(SENSOR, _statement(), label=FIRMWARE_LABEL)
    )
    yield refused(
        "label-without-nul", "a label without its end", evidence(SENSOR, _statement(), label=CAPTURE_LABEL[:-1])
    )
    yield refused(
        "digest-twice", "a signed statement with two digests", evidence(SENSOR, doubled(3)(_bytes(_statement())))
    )
    yield refused(
        "unknown-field",
        "a signed statement with a field that nobody knows",
        evidence(SENSOR, _bytes(_statement()) + field(12, 1)),
    )
    yield refused(
        "overlong-number",
        "a signed statement with a number in too many bytes",
        evidence(SENSOR, substituted(4, field(4, 300, longer=1))(_bytes(_statement()))),
    )
    proof = evidence(SENSOR, _statement())
    yield refused("statement-missing", "a chain without a capture", field(1, _bytes(SENSOR.chain())))
    yield refused("signature-flipped", "a bit of the sensor's signature is turned over", flipped(proof, len(proof) - 1))
    yield refused("evidence-trailing-zero", "a byte is left over", proof + b"\0")
    yield refused("evidence-is-noise", "bytes that are no evidence", b"noise")


def labels() -> Iterator[Case]:
    """What the record says of its sensor, against what its root says."""

    def refused(
        name: str, why: str, message: template_pb2.TemplateRecord, store: bytes, kind: str = "untrusted-sensor"
    ) -> Case:
        return Case(f"label/{name}", why, kind, seal(message, TEMPLATE_TYPE, HOST), store)

    simulated = attested(record_message(), SIMULATOR, simulated=True)
    as_vendors = attested(record_message(), SIMULATOR)
    yield refused("unattested", "the sensor proved nothing", record_message(), trust())
    yield refused(
        "unattested-where-simulated-is-allowed",
        "simulated sensors are allowed, unattested ones are not",
        record_message(),
        _simulators(),
    )
    yield refused(
        "simulated", "a simulated sensor, where none is allowed", simulated, _simulators(allow_simulated=False)
    )
    yield refused(
        "simulated-where-the-rest-is-allowed",
        "development and unattested sensors are allowed, simulated ones are not",
        simulated,
        _simulators(allow_simulated=False, allow_development=True, allow_unattested=True),
    )
    yield refused(
        "simulator-unknown",
        "simulated sensors are allowed, and this simulator's root is not listed",
        simulated,
        trust(allow_simulated=True),
    )
    yield refused(
        "simulated-under-a-vendors-root",
        "a vendor's sensor that is called simulated",
        attested(record_message(), simulated=True),
        _simulators(),
    )
    yield refused(
        "verified-under-a-simulators-root", "a simulator that is called a vendor's", as_vendors, _simulators()
    )
    yield refused(
        "simulator-listed-as-a-vendors",
        "the published simulator's root, listed as a vendor's, and so labelled",
        as_vendors,
        _simulators(simulated=False, allow_simulated=False),
    )
    yield refused(
        "simulator-listed-and-allowed",
        "the same where simulated sensors are allowed: the label lies",
        as_vendors,
        _simulators(simulated=False),
    )
    yield refused(
        "simulator-listed-labelled-simulated",
        "the label is right, and simulated sensors are not allowed",
        simulated,
        _simulators(simulated=False, allow_simulated=False),
    )
    own = replace(SENSOR, root=OTHER_VENDOR_ROOT)
    yield refused(
        "a-root-marked-simulated",
        "a vendor's own simulator, called a vendor's sensor",
        attested(record_message(), own),
        trust(allow_simulated=True, sensor_roots=(SensorRoot(OTHER_VENDOR_ROOT.public, "bench", True),)),
    )
    yield refused(
        "unknown-kind",
        "evidence of a kind that nothing here verifies",
        attested(record_message(), kind="acme.sensor.v1"),
        trust(),
    )
    yield refused(
        "kind-prefix", "a kind whose name begins alike", attested(record_message(), kind="faceward.sensor.v10"), trust()
    )


def permissions() -> Iterator[Case]:
    """The grant in the record."""

    def refused(
        name: str,
        why: str,
        permission: bytes,
        kind: str = "permission-invalid",
        *,
        store: bytes | None = None,
        **more: object,
    ) -> Case:
        return Case(
            f"grant/{name}", why, kind, record(permission=permission), trust() if store is None else store, **more
        )  # type: ignore[arg-type]

    pair = [ADMINISTRATOR.trusted(), SECOND_ADMINISTRATOR.trusted()]
    three = [*pair, THIRD_ADMINISTRATOR.trusted()]
    two_rules = (any_of(pair[:1]), any_of(pair[1:]))
    yield refused("subject", "a grant for another person", grant(subject=bytes(32)))
    yield refused("tenant", "a grant of another tenant", grant(tenant="other"), "wrong-context")
    yield refused("lock-group", "a grant for another group", grant(lock_group="doors.south"), "wrong-context")
    yield refused("host", "a grant for another host", grant(host_key=SECOND_HOST.public.digest))
    yield refused("sensor-serial", "a grant for another sensor", grant(sensor_serial="W-0002"))
    yield refused(
        "sensor-key", "a grant for a sensor with another key", grant(sensor_key=SECOND_SENSOR.device_key.public.digest)
    )
    yield refused(
        "sensor-signing-key",
        "a grant names the device's key, not the firmware's",
        grant(sensor_key=SENSOR.signing_key.public.digest),
    )
    yield Case(
        "grant/sensor-key-unproven",
        "a grant for a sensor's key, and a sensor that proved none",
        "permission-invalid",
        seal(record_message(grant(sensor_key=SENSOR.device_key.public.digest)), TEMPLATE_TYPE, HOST),
        trust(allow_unattested=True),
    )
    yield refused("expired-at-issue", "it had expired when the record was issued", grant(expires_at_s=NOW_S), "expired")
    yield refused("issued-later", "it was issued 121 s after the record", grant(issued_at_s=NOW_S + 121), "expired")
    yield refused("development", "a grant that no administrator stands behind", grant(development=True))
    clearing = {"purpose": grant_pb2.GRANT_PURPOSE_CLEAR_LOCKOUT, "subject": None, "max_attempts": None}
    yield refused("purpose", "a grant that ends a lock-out permits no enrollment", grant(**clearing))
    yield refused("seen", "the lock took this grant before", grant(), "grant-used", grant_seen=(GRANT_ID,))
    yield refused(
        "seen-among-others",
        "the lock took this grant before, between others",
        grant(),
        "grant-used",
        grant_seen=(bytes(16), GRANT_ID, b"\1" * 16),
    )
    yield refused("stranger", "a grant that a stranger signed", grant(STRANGER), "signature-invalid")
    yield refused("host-as-administrator", "a host is no administrator", grant(HOST), "signature-invalid")
    yield refused(
        "key-id-lies",
        "a stranger's signature under the administrator's key id",
        _with_key_id(grant(STRANGER), ADMINISTRATOR),
        "signature-invalid",
    )
    yield refused(
        "one-administrator-of-two",
        "one administrator, where two are needed",
        grant(ADMINISTRATOR),
        "signature-invalid",
        store=trust(administrators=(at_least(2, three),)),
    )
    yield refused(
        "same-administrator-twice",
        "one administrator twice, where two are needed",
        grant(ADMINISTRATOR, ADMINISTRATOR),
        "signature-invalid",
        store=trust(administrators=(at_least(2, three),)),
    )
    yield refused(
        "second-rule",
        "the second rule for administrators is not met",
        grant(ADMINISTRATOR),
        "signature-invalid",
        store=trust(administrators=two_rules),
    )
    yield refused(
        "administrator-revoked",
        "the administrator's key was revoked",
        grant(),
        "revoked",
        store=trust(revoked_keys=frozenset({ADMINISTRATOR.public.digest})),
    )
    yield refused(
        "one-of-two-administrators-revoked",
        "one of two that are both needed was revoked",
        grant(ADMINISTRATOR, SECOND_ADMINISTRATOR),
        "revoked",
        store=trust(administrators=(all_of(pair),), revoked_keys=frozenset({SECOND_ADMINISTRATOR.public.digest})),
    )
    malformed = "unsupported-record"
    yield refused("noise", "bytes that are no grant", b"noise", malformed)
    yield refused(
        "record-as-grant", "a template is no grant", seal(record_message(), TEMPLATE_TYPE, ADMINISTRATOR), malformed
    )
    yield refused("trailing-zero", "a byte is left over", grant() + b"\0", malformed)
    yield refused("payload-twice", "a grant with two payloads", doubled(1)(grant()), malformed)
    yield refused("flipped", "a bit of the grant is turned over", flipped(grant(), 30), "signature-invalid")
    for name, why, change in (
        ("subject-twice", "an administrator signed two subjects: the last would win", doubled(4)),
        ("unknown-field", "an administrator signed a field that nobody knows", appended(field(31, b"x"))),
        ("reordered", "an administrator signed fields out of order", swapped(5, 6)),
        ("unknown-purpose", "an administrator signed a purpose that nobody knows", substituted(16, field(16, 3))),
        ("boolean-two", "an administrator signed a boolean of 2", substituted(16, field(12, 2) + field(16, 1))),
    ):
        yield refused(name, why, resigned(grant(), change, ADMINISTRATOR), malformed)
    for name, why, changes in (
        ("version", "a grant of another version", {"version": 2}),
        ("no-attempts", "a grant for no capture", {"max_attempts": None}),
        ("eleven-attempts", "a grant for more captures than there may be", {"max_attempts": 11}),
        ("no-purpose", "a grant for nothing", {"purpose": None}),
        ("no-subject", "a grant for nobody", {"subject": None}),
        ("short-id", "a grant's id of 15 bytes", {"grant_id": b"g" * 15}),
        ("short-challenge", "a challenge of 31 bytes", {"challenge": b"c" * 31}),
        ("short-host-key", "a host's digest of 31 bytes", {"host_key": b"h" * 31}),
        ("never-issued", "no time of issue", {"issued_at_s": None}),
    ):
        yield refused(name, why, grant(**changes), malformed)


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
        _with_key_id(trust(STRANGER), ROOT),
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


def _simulators(*, simulated: bool = True, **changes: object) -> bytes:
    root = SensorRoot(SIMULATOR_ROOT.public, "simulator", simulated)
    if SIMULATOR_ROOT.public.digest != SIMULATOR_ROOT_DIGEST:
        raise ValueError("the simulator's root is not the published one")
    return trust(**{"sensor_roots": (*STORE.sensor_roots, root), "allow_simulated": True, **changes})


def _statement(sensor: Sensor = SENSOR) -> attestation_pb2.CaptureStatement:
    return sensor.capture(record_message())


def _bytes(message: object) -> bytes:
    return message.SerializeToString(deterministic=True)  # type: ignore[attr-defined]


def _flip(statement: attestation_pb2.SignedStatement, name: str) -> None:
    value = getattr(statement, name)
    setattr(statement, name, flipped(value, len(value) - 1))


def _rule_twice(grown: Callable[[Callable[[trust_pb2.TrustStatement], object]], bytes]) -> bytes:
    def change(message: trust_pb2.TrustStatement) -> None:
        message.hosts[0].keys.add(key=HOST.public.der, custody="file")
        message.hosts[0].need = 2

    return grown(change)


def _with_key_id(data: bytes, key: Key) -> bytes:
    envelope = Envelope.FromString(data)
    for signature in envelope.signatures:
        signature.keyid = key.public.key_id
    return envelope.SerializeToString(deterministic=True)


def _other_s(sig: bytes) -> bytes:
    return sig[:32] + (P256_ORDER - int.from_bytes(sig[32:], "big")).to_bytes(32, "big")


def _high_s(data: bytes) -> bytes:
    # Whichever half s is in: its other is a signature as well. The larger one is meant.
    envelope = Envelope.FromString(data)
    envelope.signatures[0].sig = max(envelope.signatures[0].sig, _other_s(envelope.signatures[0].sig))
    return envelope.SerializeToString(deterministic=True)


def _both_s(data: bytes) -> bytes:
    envelope = Envelope.FromString(data)
    envelope.signatures.add(sig=_other_s(envelope.signatures[0].sig))
    return envelope.SerializeToString(deterministic=True)


def _copied(data: bytes, times: int) -> bytes:
    envelope = Envelope.FromString(data)
    envelope.signatures.extend([envelope.signatures[0]] * (times - 1))
    return envelope.SerializeToString(deterministic=True)


def _plus_order(sig: bytes) -> bytes:
    # Only 256 bits are there: s + n wraps for most s, and is then a wrong s in any case.
    return sig[:32] + ((int.from_bytes(sig[32:], "big") + P256_ORDER) % (1 << 256)).to_bytes(32, "big")


def _der(sig: bytes) -> bytes:
    def integer(value: bytes) -> bytes:
        body = value.lstrip(b"\0")
        body = (b"\0" if body[0] & 0x80 else b"") + body
        return b"\x02" + bytes([len(body)]) + body

    body = integer(sig[:32]) + integer(sig[32:])
    return b"\x30" + bytes([len(body)]) + body


def _unsigned(data: bytes, change: Change) -> bytes:
    envelope = Envelope.FromString(data)
    envelope.payload = change(envelope.payload)
    return envelope.SerializeToString(deterministic=True)


def _body(raw: bytes) -> bytes:
    """What is in a field with a length."""
    at = 1
    while raw[at - 1] & 0x80:
        at += 1
    while raw[at] & 0x80:
        at += 1
    return raw[at + 1 :]


def _grown(raw: bytes, number: int) -> bytes:
    """A field with a message in it, in which this field stands twice."""
    outer = pieces(raw)[0][0]
    return field(outer, doubled(number)(_body(raw)))


def _nested(pose: bytes, number: int, raw: bytes) -> Change:
    """A change: in the first pose, these bytes in the place of this field."""
    altered = field(11, substituted(number, raw)(_body(pose)))

    def change(data: bytes) -> bytes:
        done = False
        out = b""
        for found, whole in pieces(data):
            out += altered if found == 11 and not done else whole
            done = done or found == 11
        return out

    return change
