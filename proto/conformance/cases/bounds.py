"""Records that are canonical and out of bounds."""

from __future__ import annotations

from collections.abc import Iterator

from faceward_proto.envelope import TEMPLATE_TYPE
from faceward_proto.v1 import template_pb2
from ingredients import (
    HOST,
    NOW_S,
    attested,
    changed,
    grant,
    record,
    record_message,
    seal,
    trust,
)

from cases.case import (
    Case,
)


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
    yield refused("model-control", "a control character in a text", sensor__model="a\x7fb")
    yield refused("serial-control", "a control character in a text", sensor__serial="a\x7fb")
    yield refused("firmware-version-control", "a control character in a text", sensor__firmware_version="a\x7fb")
    yield refused("no-grant", "no grant", grant=None)
    yield from _one_above()
    yield refused("grant-too-long", "a grant's envelope beyond 16,384 bytes", grant=bytes(16_385))


def _one_above() -> Iterator[Case]:
    """One more than there may be, and sizes and texts that are none; the sensor signed what it signs of them."""

    def refused(name: str, why: str, **changes: object) -> Case:
        return Case(f"bounds/{name}", why, "unsupported-record", record(**changes), trust())

    gate = record_message().gates[0]
    many = [template_pb2.GateResult.FromString(gate.SerializeToString()) for _ in range(17)]
    for number, each in enumerate(many):
        each.name = f"gate-{number:02}"
    many[-1].name = "skin-optics"
    many[0].name = "flatness"
    measures = [gate.measures[0]] * 33
    one = [1.0] + [0.0] * 1024
    yield refused("embedding-too-long", "embeddings of 1,025 numbers", poses__0__embedding=one, poses__1__embedding=one)
    yield refused("relief-too-long", "a relief of 1,025 numbers", relief=[0.5] * 1025)
    yield refused("gates-too-many", "17 gates", gates=sorted(many, key=lambda each: each.name))
    yield refused("measures-too-many", "a gate with 33 measures", gates__0__measures=measures)
    yield refused("cue-too-long", "a cue of 129 bytes", gates__0__cue="x" * 129)
    yield refused("policy-hash", "a policy's digest of 31 bytes", policy_hash=bytes(31))
    yield refused("capture-digest", "a capture's digest of 33 bytes", capture__digest=bytes(33))
    yield refused("schedule-digest", "a schedule's digest of 31 bytes", capture__schedule_digest=bytes(31))
    yield refused("depth-digest", "a depth frame's digest of 31 bytes", poses__0__depth_digest=bytes(31))
    for name, path in {
        "extractor-name": "extractor__name", "extractor-version": "extractor__version", "sdk-version": "sdk_version",
        "capture-id": "capture__capture_id", "gate-version": "gates__0__version", "tenant-too-long": "tenant",
    }.items():  # fmt: skip
        value = "x" * 65 if name == "tenant-too-long" else "a b"
        yield refused(name, f"no identifier: {path.replace('__', '.')}", **{path: value})
    for name, path in {
        "hardware-revision": "sensor__hardware_revision", "distribution": "gates__0__distribution",
        "measure-name": "gates__0__measures__0__name", "measure-unit": "gates__0__measures__0__unit",
    }.items():  # fmt: skip
        yield refused(f"{name}-control", f"a control character in a text: {path.replace('__', '.')}", **{path: "a\x7fb"})
    grant_key = grant(sensor_key=bytes(31))
    yield Case(
        "bounds/grant-sensor-key", "a grant for a sensor's key of 31 bytes", "unsupported-record",
        record(permission=grant_key), trust(),
    )  # fmt: skip
