"""Chains from a root to the firmware."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from faceward_proto.attestation import (
    DEVICE_LABEL,
    FIRMWARE_LABEL,
    MODEL_LABEL,
)
from faceward_proto.envelope import TEMPLATE_TYPE
from faceward_proto.v1 import attestation_pb2
from ingredients import (
    HOST,
    OTHER_MODEL,
    OTHER_VENDOR_ROOT,
    SECOND_SENSOR,
    SENSOR,
    STRANGER,
    VENDOR_ROOT,
    Key,
    Sensor,
    attested,
    compressed,
    doubled,
    evidence,
    field,
    flipped,
    p384,
    record_message,
    seal,
    signed,
    trust,
)

from cases.case import (
    Case,
    attested_capture,
    written,
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
        return evidence(sensor, attested_capture(sensor))

    def linked(
        change: Callable[[attestation_pb2.SensorChain], None], sensor: Sensor = SENSOR, by: Key | None = None
    ) -> bytes:
        chain = sensor.chain()
        change(chain)
        return evidence(sensor, attested_capture(sensor), chain=chain, by=by)

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
        replaced("firmware", written(SENSOR.firmware_statement()), FIRMWARE_LABEL, SENSOR.signing_key),
    )
    yield refused(
        "device-under-the-models-label",
        "a device's statement, signed under another label",
        replaced("device", written(SENSOR.device_statement()), MODEL_LABEL, SENSOR.model_key),
    )
    yield refused(
        "device-without-label",
        "a device's statement, signed without a label",
        replaced("device", written(SENSOR.device_statement()), b"", SENSOR.model_key),
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
        evidence(SENSOR, attested_capture(), chain=doubled(1)(written(SENSOR.chain()))),
    )
    yield refused(
        "chain-trailing-zero",
        "a byte is left over",
        evidence(SENSOR, attested_capture(), chain=written(SENSOR.chain()) + b"\0"),
    )
    yield refused(
        "statement-key-twice",
        "a certified statement with two keys",
        replaced("device", doubled(2)(written(SENSOR.device_statement())), DEVICE_LABEL, SENSOR.model_key),
    )
    yield refused(
        "statement-unknown-field",
        "a certified statement with a field that nobody knows",
        replaced("model", written(SENSOR.model_statement()) + field(9, b"x"), MODEL_LABEL, VENDOR_ROOT),
    )
    yield refused(
        "no-serial",
        "a certified device without a serial",
        replaced(
            "device",
            written(attestation_pb2.DeviceStatement(key=SENSOR.device_key.public.der)),
            DEVICE_LABEL,
            SENSOR.model_key,
        ),
    )
    short_hash = SENSOR.firmware_statement()
    short_hash.firmware_hash = short_hash.firmware_hash[:20]
    yield refused(
        "firmware-hash",
        "a firmware hash of 20 bytes",
        replaced("firmware", written(short_hash), FIRMWARE_LABEL, SENSOR.device_key),
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
            replaced("device", written(message), DEVICE_LABEL, SENSOR.model_key),
        )
    for name in ("serial", "model", "vendor", "firmware_version"):
        other = replace(SENSOR, **{name: "W-0009"})
        yield refused(
            f"record-names-another-{name.replace('_', '-')}",
            f"the record names another {name} than the chain proves",
            proven(),
            sensor=other,
        )


def _flip(statement: attestation_pb2.SignedStatement, name: str) -> None:
    value = getattr(statement, name)
    setattr(statement, name, flipped(value, len(value) - 1))
