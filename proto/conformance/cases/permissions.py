"""Grants."""

from __future__ import annotations

from collections.abc import Iterator

from faceward_proto.envelope import TEMPLATE_TYPE
from faceward_proto.trust import all_of, any_of, at_least
from faceward_proto.v1 import grant_pb2
from ingredients import (
    ADMINISTRATOR,
    HOST,
    NOW_S,
    SECOND_ADMINISTRATOR,
    SECOND_HOST,
    SECOND_SENSOR,
    SENSOR,
    STRANGER,
    THIRD_ADMINISTRATOR,
    appended,
    doubled,
    field,
    flipped,
    grant,
    record,
    record_message,
    resigned,
    seal,
    substituted,
    swapped,
    trust,
)

from cases.case import (
    GRANT_ID,
    Case,
    with_key_id,
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
    yield Case(
        "grant/host-in-a-file",
        "a grant for a host whose key can be copied, beside one that can't: that signature counts for nothing",
        "permission-invalid",
        record(HOST, SECOND_HOST, permission=grant(host_key=SECOND_HOST.public.digest)),
        trust(hosts=(any_of([HOST.trusted(), SECOND_HOST.trusted("file")]),)),
    )
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
        with_key_id(grant(STRANGER), ADMINISTRATOR),
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
