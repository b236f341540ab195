"""Who signed, how often, and where their keys are kept."""

from __future__ import annotations

from collections.abc import Iterator

from faceward_proto.keys import PublicKey
from faceward_proto.trust import TrustedKey, all_of, any_of, at_least
from faceward_proto.v1.envelope_pb2 import Envelope
from ingredients import (
    ADMINISTRATOR,
    ED25519_HOST,
    HOST,
    ML_DSA_HOST,
    ROOT,
    SECOND_HOST,
    STRANGER,
    THIRD_HOST,
    Key,
    flipped,
    record,
    trust,
)

from cases.case import (
    Case,
    other_s,
    with_key_id,
)


def signatures() -> Iterator[Case]:
    """Who signed the record, how often, and where their keys are kept."""

    def refused(name: str, why: str, data: bytes, kind: str = "signature-invalid", **changes: object) -> Case:
        return Case(f"signature/{name}", why, kind, data, trust(**changes))

    pair, second = [HOST.trusted(), SECOND_HOST.trusted()], SECOND_HOST.trusted()
    yield refused("stranger", "a key that the store does not name", record(STRANGER))
    yield refused("key-id-lies", "a stranger's signature under the host's key id", with_key_id(record(STRANGER), HOST))
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
    neutral, again = (TrustedKey(PublicKey(_ED25519 + bytes.fromhex(one)), "secure-element") for one in _NEUTRAL)
    yield refused(
        "ed25519-neutral-point",
        "a key of small order, under which one signature that nobody made is good over every message",
        _signed_by_nobody(),
        hosts=(any_of([neutral]),),
    )
    yield refused(
        "ed25519-one-point-twice",
        "two spellings of that key are not two keys, and neither signs",
        _signed_by_nobody(),
        hosts=(all_of([neutral, again]),),
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


# The neutral point of edwards25519 as RFC 8032 spells it, and as y + p, which it refuses; both behind the head of a
# SubjectPublicKeyInfo for Ed25519 (RFC 8410).
_ED25519 = bytes.fromhex("302a300506032b6570032100")
_NEUTRAL = ("01" + 31 * "00", "ee" + 30 * "ff" + "7f")


def _signed_by_nobody() -> bytes:
    """A record under R = B and s = 1 (B is the base point), which fits every message under the neutral point."""
    envelope = Envelope.FromString(record())
    envelope.signatures[0].sig = bytes.fromhex("58" + 31 * "66") + (1).to_bytes(32, "little")
    return envelope.SerializeToString(deterministic=True)


def _both_s(data: bytes) -> bytes:
    envelope = Envelope.FromString(data)
    envelope.signatures.add(sig=other_s(envelope.signatures[0].sig))
    return envelope.SerializeToString(deterministic=True)


def _copied(data: bytes, times: int) -> bytes:
    envelope = Envelope.FromString(data)
    envelope.signatures.extend([envelope.signatures[0]] * (times - 1))
    return envelope.SerializeToString(deterministic=True)
