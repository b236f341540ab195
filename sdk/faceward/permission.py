"""Permission: what a host asks an administrator for, what it holds a grant against, and the end of a lock-out."""

from __future__ import annotations

from typing import Final

from faceward.errors import ConfigError
from faceward.host import Host
from faceward.model.template import GrantPurpose, GrantRequest
from faceward.signing.grants import Occasion, permit
from faceward.store.subjects import Subject, parse_subject

REQUEST_LIFETIME_S: Final = 86_400  # a request is carried to somebody, who has to find the time
SHORTEST_LIFETIME_S: Final = 60
LONGEST_LIFETIME_S: Final = 7 * 86_400


def request_enrollment(
    host: Host,
    name: str,
    *,
    sensor_serial: str = "",
    sensor_key: bytes = b"",
    lifetime_s: int = REQUEST_LIFETIME_S,
) -> GrantRequest:
    """Ask for the permission to enroll `name` on this host, by one sensor or by any.

    The challenge in it is on the disk when this returns, is good for `lifetime_s`, and for one grant.

    Raises: ConfigError (name, lifetime), SigningError, StoreError.
    """
    subject = parse_subject(name)
    return _request(
        host,
        GrantPurpose.ENROLL,
        lifetime_s,
        subject=host.templates.pseudonym(subject),
        subject_name=subject,
        sensor_serial=sensor_serial,
        sensor_key=sensor_key,
    )


def request_clearing(host: Host, *, lifetime_s: int = REQUEST_LIFETIME_S) -> GrantRequest:
    """Ask for the permission to end the lock-out of this host. Raises: ConfigError (lifetime), StoreError."""
    return _request(host, GrantPurpose.CLEAR_LOCKOUT, lifetime_s)


def occasion_of(host: Host, subject: Subject, *, sensor_serial: str = "", sensor_key: bytes = b"") -> Occasion:
    """What this host is about to do when it enrolls this subject. Raises: SigningError, StoreError."""
    terms, who = host.policy.records, host.templates.pseudonym(subject)
    return Occasion(
        challenges=host.ledger.challenges(who),
        subject=who,
        tenant=terms.tenant,
        lock_group=terms.lock_group,
        sensor_serial=sensor_serial,
        sensor_key=sensor_key,
    )


def clear_lockout(host: Host, grant: bytes) -> bool:
    """End the lock-out that holds now, by an administrator's grant; False where none does, and the grant stays good.

    1. The grant is signed by enough administrators, and is for this purpose, host and time, and for a challenge of this
       host's (faceward.signing.grants).
    2. Its challenge is burned, the wait ends, and the audit log tells of it: all of that durably, or nothing.

    The next lock-out is still twice as long. Daily caps stay.

    Raises: PermissionRefused, ConfigError, VerificationError (the trust store), StoreError, SigningError.
    """
    terms, purpose = host.policy.records, GrantPurpose.CLEAR_LOCKOUT
    occasion = Occasion(
        challenges=host.ledger.challenges(purpose=purpose),
        subject=b"",
        tenant=terms.tenant,
        lock_group=terms.lock_group,
        purpose=purpose,
    )
    # 1
    permitted = permit(grant, host.trust(), occasion, host_key=host.key_digest, now_s=host.clock())
    # 2
    with host.database.durable_transaction():
        cleared = host.ledger.clear_lockout(permitted)
        if cleared:
            details = {"grant": permitted.grant.grant_id.hex(), "development_grant": permitted.grant.development}
            host.audit.append("lockout-cleared", at_s=host.clock(), details=details)
    return cleared


def _request(
    host: Host,
    purpose: GrantPurpose,
    lifetime_s: int,
    *,
    subject: bytes = b"",
    subject_name: str = "",
    sensor_serial: str = "",
    sensor_key: bytes = b"",
) -> GrantRequest:
    if not SHORTEST_LIFETIME_S <= lifetime_s <= LONGEST_LIFETIME_S:
        raise ConfigError(
            f"a request is good for {SHORTEST_LIFETIME_S} to {LONGEST_LIFETIME_S} seconds, and not for {lifetime_s}"
        )
    terms = host.policy.records
    now_s = int(host.clock())
    return GrantRequest(
        purpose=purpose,
        challenge=host.ledger.draw_challenge(subject, purpose=purpose, lifetime_s=lifetime_s),
        expires_at_s=now_s + lifetime_s,
        tenant=terms.tenant,
        lock_group=terms.lock_group,
        host_key=host.key_digest,
        subject=subject,
        subject_name=subject_name,
        sensor_serial=sensor_serial,
        sensor_key=sensor_key,
    )
