"""Verification: a live person before the sensor, against the template that was enrolled under a name."""

from __future__ import annotations

from dataclasses import dataclass

from faceward.enrollment import Handler
from faceward.errors import NoMatch
from faceward.host import Host
from faceward.judgement import judge
from faceward.liveness.admit import admit
from faceward.liveness.worker import GateWorker
from faceward.model.liveness import LivenessVerdict
from faceward.model.template import TemplateRecordModel
from faceward.signing.sealing import unseal
from faceward.store.subjects import Subject, parse_subject


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """An acceptance: the live face is the enrolled one. `score` is the extractor's, at least `threshold`."""

    subject: Subject
    score: float
    threshold: float
    record: TemplateRecordModel
    verdict: LivenessVerdict
    seconds: float


def stored_record(host: Host, name: str) -> TemplateRecordModel:
    """A subject's record, verified as a lock of this epoch would before anything in it is believed.

    Raises: ConfigError (the name), SubjectUnknown, StoreError, VerificationError.
    """
    subject = parse_subject(name)
    stored = host.templates.get(subject)
    return unseal(
        stored.envelope,
        host.trust(),
        now_s=host.clock(),
        epoch=host.policy.records.epoch,
        subject=host.templates.pseudonym(subject),
    )


def verify(host: Host, name: str, address: str = "usb:", *, on_event: Handler | None = None) -> Verification:
    """Compare the person before the sensor with the template enrolled as `name`.

    1. The stored record verifies: signatures, time, epoch, subject, gates.
    2. A short capture (frontal and one pose drawn at random) is judged by every gate, as an enrollment is.
    3. `admit` lets it through, or raises; so a mask is refused before anything is compared.
    4. The templates' score reaches the threshold (the policy's, else the extractor's own), or NoMatch is raised.

    Raises: ConfigError, PluginError, SubjectUnknown, StoreError, SigningError, VerificationError, DeviceError,
    CaptureRejected, CaptureCancelled, NotLive, LivenessInconclusive, NoMatch.
    """
    # 1
    record = stored_record(host, name)
    with GateWorker(host.policy) as worker:
        worker.start()
        with host.open_sensor(address) as sensor:
            # 2
            judged = judge(host.policy, host.models, sensor, worker, purpose="verify", on_event=on_event)
    # 3
    live = admit(judged.capture, judged.verdict)
    # 4
    score = host.extractor.compare(host.extractor.extract(live), record.template)
    limit = host.policy.match_threshold
    threshold = host.extractor.threshold if limit is None else limit
    if not score >= threshold:
        raise NoMatch(f"this is not {name}: the score {score:.3f} is below {threshold:.3f}", score, threshold)
    return Verification(parse_subject(name), score, threshold, record, judged.verdict, judged.capture.seconds)
