"""Enrollment: from a name to a signed template in the store, or to a refusal that says nothing was stored."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from faceward_proto.trust import TrustStore

from faceward.capture.run import Recorder
from faceward.errors import (
    CaptureCancelled,
    CaptureRejected,
    DuplicateSubject,
    LivenessInconclusive,
    NotLive,
    PermissionRefused,
    SubjectUnknown,
)
from faceward.hal.sensor import Sensor
from faceward.host import Host
from faceward.judgement import Judged, judge
from faceward.liveness.admit import admit
from faceward.liveness.worker import GateWorker
from faceward.model.liveness import LivenessVerdict
from faceward.model.template import PermittedGrant, TemplateRecordModel
from faceward.permission import occasion_of, request_enrollment
from faceward.signing.grants import issue_grant, permit, verify_grant
from faceward.signing.provenance import Provenance
from faceward.signing.sealing import Validity, make_record, seal, unseal
from faceward.signing.trust_file import check_host
from faceward.store.attempts import AttemptResult
from faceward.store.subjects import Subject, parse_subject
from faceward.store.watermarks import Watermark
from faceward.version import VERSION

DAY_S: Final = 86_400
DEVELOPMENT_LIFETIME_S: Final = 600

Handler = Callable[[object], None]


@dataclass(frozen=True, slots=True)
class GrantAccepted:
    """The permission was verified; the first frame will spend an attempt of it. `development`: no administrator stands
    behind it, because the host gave it to itself."""

    development: bool
    attempts: int


@dataclass(frozen=True, slots=True)
class AttemptBegun:
    """An attempt was spent, durably, before the first frame."""

    left: int


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """How an attempt ended, and how many the grant still has."""

    result: str
    left: int


@dataclass(frozen=True, slots=True)
class RetryFollows:
    """The attempt reached no verdict and found no attack; the next one begins, `left` more can."""

    code: str
    left: int


@dataclass(frozen=True, slots=True)
class TemplateStored:
    """A signed template is in the store."""

    record_id: str
    simulated: bool


EnrollmentEvent = GrantAccepted | AttemptBegun | AttemptEnded | RetryFollows | TemplateStored


@dataclass(frozen=True, slots=True, eq=False)
class Enrollment:
    """What an enrollment left: the record, the envelope that a lock verifies, and the verdict for whoever develops."""

    subject: Subject
    record: TemplateRecordModel
    envelope: bytes
    verdict: LivenessVerdict
    seconds: float  # of the capture, by the device's clock


def enroll(
    host: Host,
    name: str,
    address: str = "usb:",
    grant: bytes | None = None,
    *,
    on_event: Handler | None = None,
    record: Recorder | None = None,
    retries: bool = True,
) -> Enrollment:
    """Enroll one person, live, on the sensor at `address`.

    1. The name is one, and is not taken. Enrollment is not locked. The host is one whose records are taken (trust store),
       and `grant`, an administrator's, permits just this; without one a development host may permit itself, and says so.
    2. The gates' process starts; the sensor opens and is one that the policy allows.
    3. The grant is held against all of the occasion, the sensor too (faceward.signing.grants).
    4. An attempt of the grant is spent, durably, before the first frame; whatever happens after, it is not given back.
    5. One capture is run and judged by every gate (faceward.judgement).
    6. `admit` lets it through, or raises; NOT_LIVE ends the grant.
    7. What was admitted is extracted, recorded, signed, verified as a lock would, and stored with its audit entry, all
       or nothing.

    An attempt that found no attack but did not reach a verdict is followed by another while the grant has one and
    `retries` is true. `on_event` gets EnrollmentEvent and the capture's events; what it raises ends the attempt. Once a
    template is stored nothing ends it any more: what `on_event` raises then, what goes wrong when the sensor is given
    back, and an interruption are not heard, so that an error always means that nothing was stored.

    Raises: ConfigError, PluginError, DeviceError, CaptureRejected, CaptureCancelled, NotLive, LivenessInconclusive,
    PermissionRefused, LockedOut, DuplicateSubject, StoreError, SigningError, VerificationError.
    """
    tell = on_event or _ignore
    # 1
    subject = parse_subject(name)
    _require_free(host, subject)
    host.ledger.check_lockout()
    trust = host.trust()
    check_host(trust, host.signers, host.policy)
    _require_permission(host, trust, subject, grant)
    # 2
    worker = GateWorker(host.policy)
    made: Enrollment | None = None
    try:
        try:
            worker.start()
            with host.open_sensor(address) as sensor:
                # 3
                provenance = host.provenance(sensor)
                permitted = _permission(host, trust, subject, sensor.info.serial, provenance.device_key, grant)
                _announce(host, tell, GrantAccepted(permitted.grant.development, permitted.grant.max_attempts))
                while True:
                    try:
                        made = _attempt(host, sensor, worker, permitted, trust, provenance, subject, tell, record)
                        break
                    except (CaptureRejected, LivenessInconclusive) as error:
                        left = host.ledger.attempts_left(permitted.grant.grant_id)
                        if not (retries and left):
                            raise
                        _announce(host, tell, RetryFollows(error.code, left))
                    # A worker judges one capture.
                    worker.close()
                    worker = GateWorker(host.policy)
                    worker.start()
        finally:
            worker.close()
    except BaseException:
        if made is None:
            raise
    return made


def _require_free(host: Host, subject: Subject) -> None:
    try:
        host.templates.get(subject)
    except SubjectUnknown:
        return
    raise DuplicateSubject(f"{subject} is enrolled already; remove it first to enroll anew")


def _require_permission(host: Host, trust: TrustStore, subject: Subject, grant: bytes | None) -> None:
    if grant is not None:
        verify_grant(grant, trust, occasion_of(host, subject), host_key=host.key_digest, now_s=host.clock())
    elif not host.policy.self_permitting:
        raise PermissionRefused(
            "this policy wants an administrator's grant: `faceward grant request NAME --out FILE` asks for one, and "
            "`faceward enroll NAME --grant FILE` takes it"
        )


def _permission(
    host: Host, trust: TrustStore, subject: Subject, serial: str, key: bytes, grant: bytes | None
) -> PermittedGrant:
    if grant is None:
        request = request_enrollment(
            host, subject, sensor_serial=serial, sensor_key=key, lifetime_s=DEVELOPMENT_LIFETIME_S
        )
        limit = host.policy.attempts.captures_per_grant
        grant = issue_grant(request, host.signer, now_s=host.clock(), max_attempts=limit, development=True)
    occasion = occasion_of(host, subject, sensor_serial=serial, sensor_key=key)
    return permit(grant, trust, occasion, host_key=host.key_digest, now_s=host.clock())


def _attempt(
    host: Host,
    sensor: Sensor,
    worker: GateWorker,
    permitted: PermittedGrant,
    trust: TrustStore,
    provenance: Provenance,
    subject: Subject,
    tell: Handler,
    record: Recorder | None,
) -> Enrollment:
    # 4
    attempt = host.ledger.begin_attempt(permitted, sensor=sensor.info.serial)
    judged: Judged | None = None
    try:
        _announce(host, tell, AttemptBegun(attempt.left))
        # 5
        judged = judge(
            host.policy, host.models, sensor, worker,
            purpose="enroll", on_event=tell, record=record, grant_digest=hashlib.sha256(permitted.envelope).digest(),
        )  # fmt: skip
        # 6
        live = admit(judged.capture, judged.verdict)
        # 7
        template = host.extractor.extract(live)
        now_s = int(host.clock())
        terms = host.policy.records
        validity = Validity(now_s, now_s + terms.valid_days * DAY_S, terms.epoch)
        made = make_record(live, template, permitted, validity, trust, sdk_version=VERSION)
        envelope = seal(made, *host.signers)
        checked = unseal(envelope, trust, now_s=now_s, epoch=terms.epoch, subject=made.subject)
        with host.database.transaction():
            host.watermarks.reach(Watermark.EPOCH, terms.epoch)
            host.templates.add(subject, envelope, record_id=made.record_id, stored_at_s=now_s)
            left = host.ledger.end_attempt(attempt, AttemptResult.ENROLLED)
            _log(host, permitted, provenance, AttemptResult.ENROLLED, judged)
    except BaseException as error:
        with host.database.transaction():
            # An interruption may come while the disk is asked to keep what was stored: then it is stored.
            stored = host.ledger.enrolled(attempt)
            result = _result_of(error)
            left = 0 if stored else host.ledger.end_attempt(attempt, result)
            if not stored:
                _log(host, permitted, provenance, result, judged)
        if not stored:
            host.plugins.notify(AttemptEnded(result.value, left))
            raise
    for event in (
        AttemptEnded(AttemptResult.ENROLLED.value, left),
        TemplateStored(checked.record_id.hex(), checked.simulated),
    ):
        with contextlib.suppress(Exception, KeyboardInterrupt, SystemExit):
            _announce(host, tell, event)
    return Enrollment(subject, checked, envelope, judged.verdict, judged.capture.seconds)


def _result_of(error: BaseException) -> AttemptResult:
    match error:
        case NotLive():
            return AttemptResult.NOT_LIVE
        case LivenessInconclusive():
            return AttemptResult.INCONCLUSIVE
        case CaptureRejected():
            return AttemptResult.REJECTED
        case CaptureCancelled() | KeyboardInterrupt():
            return AttemptResult.CANCELLED
        case _:
            return AttemptResult.FAILED


def _log(
    host: Host, permitted: PermittedGrant, provenance: Provenance, result: AttemptResult, judged: Judged | None
) -> None:
    """One audit entry an attempt: what decided, never what was measured of the person."""
    details: dict[str, str | int | float | bool] = {
        "result": result.value,
        "grant": permitted.grant.grant_id.hex(),
        "development_grant": permitted.grant.development,
        "attestation": provenance.attestation.value,
    }
    if judged is not None:
        details |= {
            "capture": judged.capture.capture_id,
            "verdict": judged.verdict.outcome.value,
            "rejection": judged.capture.rejection or "",
            "cues": "; ".join(f"{each.gate}: {each.evidence.cue}" for each in judged.verdict.deciding)[:256],
        }
    event = "enrolled" if result is AttemptResult.ENROLLED else "enrollment-refused"
    host.audit.append(event, at_s=host.clock(), subject=permitted.grant.subject, details=details)


def _announce(host: Host, tell: Handler, event: EnrollmentEvent) -> None:
    host.plugins.notify(event)
    tell(event)


def _ignore(event: object) -> None:
    """Nobody listens."""
