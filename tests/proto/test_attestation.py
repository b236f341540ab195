"""A sensor's evidence proves what the record says of it, or nothing."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from faceward_proto import attestation
from faceward_proto.attestation import (
    DEVICE_LABEL,
    FIRMWARE_LABEL,
    MODEL_LABEL,
    FirmwareFloor,
    SensorRoot,
    claim_of,
    simulator_root,
    verify_capture,
    verify_chain,
)
from faceward_proto.errors import Revoked, UntrustedSensor, VerificationError
from faceward_proto.keys import PublicKey
from faceward_proto.v1 import attestation_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

LEVELS = ("root", "model", "device", "signing", "agreement")


@pytest.fixture(scope="module")
def sensor(world):
    return world.sensor


@pytest.fixture(scope="module")
def chain(sensor):
    return sensor.chain().SerializeToString(deterministic=True)


@pytest.fixture(scope="module")
def roots(sensor):
    return (sensor.trusted(),)


@pytest.fixture(scope="module")
def record(world):
    return world.record()


@pytest.fixture(scope="module")
def claim(record):
    return claim_of(record)


@pytest.fixture(scope="module")
def evidence(record, sensor):
    return sensor.evidence(sensor.statement(record))


def _private_simulator_root() -> ec.EllipticCurvePrivateKey:
    scalar = int.from_bytes(hashlib.sha256(b"faceward simulated root, worth nothing").digest(), "big")
    return ec.derive_private_key(scalar, ec.SECP256R1())


def test_the_simulators_root_is_the_published_one():
    der = _private_simulator_root().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert der == attestation.SIMULATOR_ROOT_DER
    assert hashlib.sha256(der).digest() == attestation.SIMULATOR_ROOT_DIGEST
    assert simulator_root().key.der == der


def test_the_simulators_root_is_a_simulators_whatever_it_is_called(new_key):
    assert simulator_root().is_simulator
    assert SensorRoot(simulator_root().key, "Ward", simulated=False).is_simulator
    key = new_key().public
    assert SensorRoot(key, "bench", simulated=True).is_simulator
    assert not SensorRoot(key, "Ward").is_simulator


@pytest.mark.parametrize("algorithm", ["Ed25519", "ML-DSA-65"])
def test_a_root_is_a_p256_key(new_key, algorithm):
    with pytest.raises(ValueError, match="P-256"):
        SensorRoot(new_key(algorithm).public, "Ward")


# The chain


def test_a_chain_tells_which_sensor_it_is(sensor, chain, roots):
    proven = verify_chain(chain, roots)
    assert (proven.vendor, proven.model, proven.serial) == ("Ward", "SL-940", "W-1")
    assert (proven.firmware_version, proven.security_version, proven.firmware_hash) == ("1.2.0", 3, b"i" * 32)
    assert proven.device_key == sensor.device.public
    assert proven.signing_key == sensor.signing.public
    assert proven.agreement_key == sensor.agreement.public
    assert proven.simulated is False


def test_a_chain_under_a_simulators_root_is_simulated(sensor, chain):
    assert verify_chain(chain, (sensor.trusted(simulated=True),)).simulated is True


def test_a_chain_under_another_root_is_refused(chain, new_key):
    for roots in ((), (SensorRoot(new_key().public, "other"),), (simulator_root(),)):
        with pytest.raises(UntrustedSensor, match="none of the trusted roots"):
            verify_chain(chain, roots)


def test_no_byte_of_a_chain_can_be_changed(chain, roots):
    for index in range(len(chain)):
        changed = bytes([*chain[:index], chain[index] ^ 0x41, *chain[index + 1 :]])
        with pytest.raises(UntrustedSensor):
            verify_chain(changed, roots)


def test_no_chain_can_be_cut_or_lengthened(chain, roots):
    for changed in (b"", chain[:-1], chain + b"\0", chain + chain, bytes(5000)):
        with pytest.raises(UntrustedSensor):
            verify_chain(changed, roots)


@settings(deadline=None)
@given(data=st.binary(max_size=200))
def test_garbage_is_no_chain_and_no_evidence(roots, claim, data):
    with pytest.raises(UntrustedSensor):
        verify_chain(data, roots)
    with pytest.raises(UntrustedSensor):
        verify_capture(data, claim, roots)


@pytest.mark.parametrize("link", ["model", "device", "firmware"])
def test_no_link_of_another_sensor_fits(sensor, roots, new_sensor, link):
    other = new_sensor(sensor.root)
    chain = sensor.chain()
    getattr(chain, link).CopyFrom(getattr(other.chain(), link))
    with pytest.raises(UntrustedSensor):
        verify_chain(chain.SerializeToString(), roots)


@pytest.mark.parametrize("level", LEVELS)
def test_a_revoked_key_at_any_level_is_refused(sensor, chain, roots, level):
    revoked = frozenset({getattr(sensor, level).public.digest})
    with pytest.raises(Revoked):
        verify_chain(chain, roots, revoked_keys=revoked)


def test_a_revoked_root_beside_a_good_one_stains_nothing(sensor, chain, roots, new_key):
    other = new_key().public
    assert verify_chain(chain, (SensorRoot(other, "other"), *roots), revoked_keys=frozenset({other.digest}))


@pytest.mark.parametrize(("floor", "taken"), [(0, True), (3, True), (4, False)])
def test_firmware_must_reach_the_floor_of_its_model(chain, roots, floor, taken):
    others = (FirmwareFloor("Ward", "SL-941", 9), FirmwareFloor("Acme", "SL-940", 9))
    floors = (*others, FirmwareFloor("Ward", "SL-940", floor))
    if taken:
        assert verify_chain(chain, roots, floors=floors).security_version == 3
    else:
        with pytest.raises(UntrustedSensor, match="security version 3"):
            verify_chain(chain, roots, floors=floors)


@pytest.mark.parametrize(
    ("link", "field", "value"),
    [
        ("model", "vendor", ""),
        ("model", "model", "x" * 65),
        ("model", "key", b""),
        ("device", "serial", "\n"),
        ("device", "key", b"junk"),
        ("firmware", "version", ""),
        ("firmware", "firmware_hash", b"i" * 31),
        ("firmware", "signing_key", b""),
        ("firmware", "agreement_key", b""),
    ],
)
def test_a_certified_statement_out_of_bounds_is_refused(sensor, roots, sign_statement, link, field, value):
    above = {"model": (MODEL_LABEL, sensor.root), "device": (DEVICE_LABEL, sensor.model),
             "firmware": (FIRMWARE_LABEL, sensor.device)}  # fmt: skip
    statement = type(getattr(sensor, f"{link}_statement"))()
    statement.CopyFrom(getattr(sensor, f"{link}_statement"))
    setattr(statement, field, value)
    chain = sensor.chain()
    getattr(chain, link).CopyFrom(sign_statement(statement, *above[link]))
    with pytest.raises(UntrustedSensor):
        verify_chain(chain.SerializeToString(), roots)


@pytest.mark.parametrize(("algorithm", "why"), [("Ed25519", "P-256"), ("ML-DSA-65", "at most 2048")])
def test_a_certified_key_that_is_not_p256_is_refused(sensor, roots, sign_statement, new_key, algorithm, why):
    statement = type(sensor.firmware_statement)()
    statement.CopyFrom(sensor.firmware_statement)
    statement.agreement_key = new_key(algorithm).public.der
    chain = sensor.chain()
    chain.firmware.CopyFrom(sign_statement(statement, FIRMWARE_LABEL, sensor.device))
    with pytest.raises(UntrustedSensor, match=why):
        verify_chain(chain.SerializeToString(), roots)


def test_a_certified_key_in_another_spelling_is_refused(sensor, roots, sign_statement):
    point = sensor.device.private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    compressed = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + point
    assert PublicKey(compressed) == sensor.device.public
    statement = type(sensor.device_statement)(serial="W-1", key=compressed)
    chain = sensor.chain()
    chain.device.CopyFrom(sign_statement(statement, DEVICE_LABEL, sensor.model))
    with pytest.raises(UntrustedSensor, match="usual form"):
        verify_chain(chain.SerializeToString(), roots)


# The capture


def test_evidence_of_the_records_capture_proves_the_sensor(sensor, evidence, claim, roots, chain):
    assert verify_capture(evidence, claim, roots) == verify_chain(chain, roots)


def test_what_a_record_claims_is_read_off_it(record, claim):
    assert (claim.vendor, claim.model, claim.serial, claim.firmware_version) == ("Ward", "SL-940", "W-1", "1.2.0")
    assert (claim.nonce, claim.schedule_digest) == (b"n" * 16, b"y" * 32)
    assert (claim.capture_digest, claim.slots) == (b"x" * 32, 300)
    assert claim.key_frames == (b"f" * 32, b"d" * 32, b"h" * 32)
    assert claim_of(record).grant_digest == hashlib.sha256(record.grant).digest()


@pytest.mark.parametrize(
    "changes",
    [
        {"vendor": "Acme"},
        {"model": "SL-941"},
        {"serial": "W-2"},
        {"firmware_version": "1.2.1"},
        {"nonce": b"m" * 16},
        {"schedule_digest": b"z" * 32},
        {"capture_digest": b"z" * 32},
        {"slots": 301},
        {"key_frames": (b"d" * 32, b"f" * 32, b"h" * 32)},
        {"key_frames": (b"f" * 32, b"d" * 32)},
        {"key_frames": (b"f" * 32, b"d" * 32, b"h" * 32, b"h" * 32)},
        {"grant_digest": b"z" * 32},
        {"grant_digest": b""},
    ],
    ids=str,
)
def test_evidence_proves_no_other_claim(evidence, claim, roots, changes):
    with pytest.raises(UntrustedSensor):
        verify_capture(evidence, replace(claim, **changes), roots)


def test_evidence_is_held_to_floors_and_revocations(sensor, evidence, claim, roots):
    with pytest.raises(UntrustedSensor):
        verify_capture(evidence, claim, roots, floors=(FirmwareFloor("Ward", "SL-940", 4),))
    with pytest.raises(Revoked):
        verify_capture(evidence, claim, roots, revoked_keys=frozenset({sensor.device.public.digest}))


@pytest.mark.parametrize("key", ["root", "model", "device", "agreement"])
def test_only_the_firmwares_signing_key_signs_captures(record, sensor, claim, roots, sign_statement, key):
    message = attestation_pb2.SensorEvidence(
        chain=sensor.chain().SerializeToString(),
        capture=sign_statement(
            sensor.statement(record), attestation.CAPTURE_LABEL, getattr(sensor, key)
        ),
    )
    with pytest.raises(UntrustedSensor, match="did not sign"):
        verify_capture(message.SerializeToString(), claim, roots)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("nonce", b"n" * 7), ("nonce", b"n" * 33), ("schedule_digest", b"y" * 31), ("capture_digest", b""),
        ("slots", 0), ("slots", 65_537), ("grant_digest", b"g" * 31),
    ],
)  # fmt: skip
def test_a_signed_capture_out_of_bounds_is_refused(record, sensor, claim, roots, field, value):
    statement = sensor.statement(record)
    setattr(statement, field, value)
    # The claim agrees, so that nothing but the bound refuses.
    agreeing = replace(claim, **{field: value}) if field in claim.__dataclass_fields__ else claim
    with pytest.raises(UntrustedSensor, match=r"is none"):
        verify_capture(sensor.evidence(statement), agreeing, roots)


def test_a_signed_capture_of_too_many_or_short_key_frames_is_refused(record, sensor, claim, roots):
    for frames in ([b"f" * 32] * 17, [b"f" * 31]):
        statement = sensor.statement(record)
        statement.key_frames[:] = frames
        with pytest.raises(UntrustedSensor, match="is none"):
            verify_capture(sensor.evidence(statement), replace(claim, key_frames=tuple(frames)), roots)


def test_no_byte_of_evidence_can_be_changed(evidence, claim, roots):
    for index in range(len(evidence)):
        changed = bytes([*evidence[:index], evidence[index] ^ 0x08, *evidence[index + 1 :]])
        with pytest.raises(VerificationError):
            verify_capture(changed, claim, roots)
