"""A case, and what the cases of several groups are made with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from faceward_proto.attestation import (
    SIMULATOR_ROOT_DIGEST,
    SensorRoot,
)
from faceward_proto.v1 import attestation_pb2
from faceward_proto.v1.envelope_pb2 import Envelope
from ingredients import (
    EPOCH,
    NOW_S,
    P256_ORDER,
    ROOT,
    SENSOR,
    SEQUENCE,
    SIMULATOR_ROOT,
    STORE,
    Key,
    Sensor,
    grant_message,
    record_message,
    trust,
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


def simulators(*, simulated: bool = True, **changes: object) -> bytes:
    """A trust store that lists the simulator's root and, unless told otherwise, takes simulated sensors."""
    root = SensorRoot(SIMULATOR_ROOT.public, "simulator", simulated)
    if SIMULATOR_ROOT.public.digest != SIMULATOR_ROOT_DIGEST:
        raise ValueError("the simulator's root is not the published one")
    return trust(**{"sensor_roots": (*STORE.sensor_roots, root), "allow_simulated": True, **changes})


def attested_capture(sensor: Sensor = SENSOR) -> attestation_pb2.CaptureStatement:
    """What a sensor states of the capture in the unchanged record."""
    return sensor.capture(record_message())


def written(message: object) -> bytes:
    """The message's one form in bytes."""
    return message.SerializeToString(deterministic=True)  # type: ignore[attr-defined]


def with_key_id(data: bytes, key: Key) -> bytes:
    """The envelope with another key's id beside every signature."""
    envelope = Envelope.FromString(data)
    for signature in envelope.signatures:
        signature.keyid = key.public.key_id
    return envelope.SerializeToString(deterministic=True)


def other_s(sig: bytes) -> bytes:
    """The other ES256 signature that r, s makes: r, n - s."""
    return sig[:32] + (P256_ORDER - int.from_bytes(sig[32:], "big")).to_bytes(32, "big")
