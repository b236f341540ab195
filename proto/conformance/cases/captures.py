"""What sensors sign of captures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from faceward_proto.attestation import (
    CAPTURE_LABEL,
    FIRMWARE_LABEL,
)
from faceward_proto.envelope import TEMPLATE_TYPE
from ingredients import (
    HOST,
    SENSOR,
    attested,
    changed,
    doubled,
    evidence,
    field,
    flipped,
    grant,
    record_message,
    seal,
    substituted,
    trust,
)

from cases.case import (
    Case,
    attested_capture,
    written,
)


def captures() -> Iterator[Case]:
    """What the sensor signed of this capture."""

    def refused(name: str, why: str, proof: bytes, kind: str = "untrusted-sensor") -> Case:
        data = seal(attested(record_message(), proof=proof), TEMPLATE_TYPE, HOST)
        return Case(f"capture/{name}", why, kind, data, trust())

    def stated(**changes: object) -> bytes:
        return evidence(SENSOR, changed(attested_capture(), changes))

    frames = list(attested_capture().key_frames)
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
        evidence(SENSOR, attested_capture(), by=second.signing_key),
    )
    yield refused(
        "another-sensors-evidence",
        "a whole evidence of another unit, of its own capture",
        evidence(second, changed(attested_capture(), {"capture_digest": b"\2" * 32})),
    )
    yield refused(
        "signed-by-the-device-key",
        "the device's key signs firmware, not captures",
        evidence(SENSOR, attested_capture(), by=SENSOR.device_key),
    )
    yield refused(
        "signed-by-the-agreement-key",
        "the agreement key signs nothing",
        evidence(SENSOR, attested_capture(), by=SENSOR.agreement_key),
    )
    yield refused(
        "signed-by-the-host", "a host can't speak for a sensor", evidence(SENSOR, attested_capture(), by=HOST)
    )
    yield refused(
        "without-label", "a capture signed without its label", evidence(SENSOR, attested_capture(), label=b"")
    )
    yield refused(
        "under-another-label",
        "a capture signed as a firmware",
        evidence(SENSOR, attested_capture(), label=FIRMWARE_LABEL),
    )
    yield refused(
        "label-without-nul", "a label without its end", evidence(SENSOR, attested_capture(), label=CAPTURE_LABEL[:-1])
    )
    yield refused(
        "digest-twice", "a signed statement with two digests", evidence(SENSOR, doubled(3)(written(attested_capture())))
    )
    yield refused(
        "unknown-field",
        "a signed statement with a field that nobody knows",
        evidence(SENSOR, written(attested_capture()) + field(12, 1)),
    )
    yield refused(
        "overlong-number",
        "a signed statement with a number in too many bytes",
        evidence(SENSOR, substituted(4, field(4, 300, longer=1))(written(attested_capture()))),
    )
    proof = evidence(SENSOR, attested_capture())
    yield refused("statement-missing", "a chain without a capture", field(1, written(SENSOR.chain())))
    yield refused("signature-flipped", "a bit of the sensor's signature is turned over", flipped(proof, len(proof) - 1))
    yield refused("evidence-trailing-zero", "a byte is left over", proof + b"\0")
    yield refused("evidence-is-noise", "bytes that are no evidence", b"noise")
