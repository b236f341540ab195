"""The last values that the bounds allow."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from faceward_proto.attestation import (
    FirmwareFloor,
    SensorRoot,
)
from faceward_proto.trust import ComponentFloor, any_of
from ingredients import (
    HOST,
    NOW_S,
    SEQUENCE,
    STORE,
    Key,
    grant,
    record,
    trust,
)

from cases.case import (
    Case,
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
