"""Records that every rule is kept by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from faceward_proto.attestation import (
    FirmwareFloor,
    SensorRoot,
)
from faceward_proto.envelope import TEMPLATE_TYPE
from faceward_proto.trust import ComponentFloor, all_of, any_of, at_least
from faceward_proto.v1 import template_pb2
from faceward_proto.v1.envelope_pb2 import Envelope
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
    OTHER_VENDOR_ROOT,
    ROOT,
    SECOND_ADMINISTRATOR,
    SECOND_HOST,
    SECOND_ROOT,
    SENSOR,
    SEQUENCE,
    SIMULATOR,
    STORE,
    STRANGER,
    THIRD_ADMINISTRATOR,
    THIRD_HOST,
    Key,
    attested,
    grant,
    record,
    record_message,
    seal,
    trust,
)

from cases.case import (
    ED25519,
    ML_DSA_65,
    SUBJECT,
    Case,
    other_s,
    simulators,
    with_key_id,
)


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
        data=with_key_id(record(), STRANGER),
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
        store=simulators(),
    )
    yield accepted(
        "simulator-listed-as-a-vendors",
        "it is a simulator whatever the store says of its root, and allowed",
        data=sealed(attested(record_message(), SIMULATOR, simulated=True)),
        store=simulators(simulated=False),
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


def _high_s(data: bytes) -> bytes:
    # Whichever half s is in: its other is a signature as well. The larger one is meant.
    envelope = Envelope.FromString(data)
    envelope.signatures[0].sig = max(envelope.signatures[0].sig, other_s(envelope.signatures[0].sig))
    return envelope.SerializeToString(deterministic=True)
