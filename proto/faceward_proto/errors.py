"""Why something signed must not be trusted.

    VerificationError             catch this one and refuse
     +- UnsupportedRecord         no envelope, record, grant or trust store of this version, or not in canonical form
     +- SignatureInvalid          too few of the keys that are asked for signed these bytes
     +- UntrustedKey              they did, but of a kind that the trust store does not take
     +- WrongContext              of another tenant, lock group or subject
     +- Expired                   not valid at this time
     +- Revoked                   its key, the record, the subject or its epoch was withdrawn
     +- NotShownLive              it does not say that every gate found a living face
     +- UntrustedSensor           simulated, or it did not prove what it is or what it saw
     +- PermissionInvalid         its grant does not permit it
     +- GrantUsed                 its grant was taken before
     +- RolledBack                a trust store older than one that was seen
"""

from __future__ import annotations

from typing import ClassVar


class VerificationError(Exception):
    """Something that must not be trusted; `kind` is stable and meant for machines."""

    kind: ClassVar[str] = "verification"


class UnsupportedRecord(VerificationError):
    """Not an envelope, record, grant or trust store of this version, or not in its canonical form."""

    kind = "unsupported-record"


class SignatureInvalid(VerificationError):
    """Too few of the keys that are asked for signed these bytes."""

    kind = "signature-invalid"


class UntrustedKey(VerificationError):
    """The signature is good and its key is of a kind that the trust store does not take."""

    kind = "untrusted-key"


class WrongContext(VerificationError):
    """Made for another tenant, lock group or subject."""

    kind = "wrong-context"


class Expired(VerificationError):
    """Not valid at this time."""

    kind = "expired"


class Revoked(VerificationError):
    """Its key, the record, the subject or its epoch was withdrawn."""

    kind = "revoked"


class NotShownLive(VerificationError):
    """The record does not say that every gate found a living face."""

    kind = "not-shown-live"


class UntrustedSensor(VerificationError):
    """The sensor was simulated, or it did not prove what it is or what it saw."""

    kind = "untrusted-sensor"


class PermissionInvalid(VerificationError):
    """The grant in the record does not permit it."""

    kind = "permission-invalid"


class GrantUsed(VerificationError):
    """The grant in the record was taken before."""

    kind = "grant-used"


class RolledBack(VerificationError):
    """A trust store that is older than one that was seen."""

    kind = "rolled-back"
