"""The order of an enrollment's steps, and what each way to end leaves behind."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from faceward.enrollment import AttemptBegun, AttemptEnded, GrantAccepted, RetryFollows, TemplateStored, enroll
from faceward.errors import (
    CaptureCancelled,
    CaptureRejected,
    DeviceLost,
    DuplicateSubject,
    LivenessInconclusive,
    LockedOut,
    NotLive,
    SigningError,
    StoreError,
    VerificationError,
)
from faceward.liveness.loader import Plugins
from faceward.model.liveness import Outcome
from faceward.model.template import Grant, TemplateRecordModel
from faceward.signing.file_key import FileKeySigner
from faceward.signing.grants import permit
from faceward.signing.sealing import make_record, unseal
from faceward.store.attempts import AttemptLedger
from faceward.store.audit import AuditLog
from faceward.store.subjects import parse_subject
from faceward.store.templates import TemplateStore
from faceward.wire.record import decode_grant
from faceward_proto.envelope import GRANT_TYPE, read_envelope

Desk = Any


def grant_of(record: TemplateRecordModel) -> Grant:
    return decode_grant(read_envelope(record.grant, GRANT_TYPE).payload)


def results(desk: Desk) -> list[object]:
    return [entry.details["result"] for entry in desk.host.audit.entries()]


def test_an_enrollment_stores_a_record_that_verifies_for_its_subject(desk: Desk) -> None:
    desk.tell()

    made = enroll(desk.host, "alice", "usb:1209:0001")

    host, alice = desk.host, parse_subject("alice")
    assert [stored.subject for stored in host.templates.list()] == ["alice"]
    assert host.templates.get(alice).envelope == made.envelope
    record = unseal(made.envelope, host.trust(), now_s=host.clock(), subject=host.templates.pseudonym(alice))
    assert record.record_id == made.record.record_id == host.templates.get(alice).record_id
    assert record.simulated
    assert record.expires_at_s - record.issued_at_s == 365 * 86_400
    assert [gate.name for gate in record.gates] == ["flatness", "skin-optics"]
    assert made.seconds == 3.0
    assert desk.grant_digests == [hashlib.sha256(record.grant).digest()]
    assert desk.attempts == ["enrolled"]


def test_gates_start_before_the_sensor_and_the_attempt_is_spent_before_the_capture(desk: Desk) -> None:
    desk.tell()

    enroll(desk.host, "alice", "usb:1209:0001")

    assert desk.steps == ["worker", "open usb:1209:0001", "capture", "sensor closed", "worker closed"]
    assert desk.purposes == ["enroll"]
    assert desk.attempts_seen == [[None]]


def test_caller_and_observers_hear_of_each_change_in_order(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[object] = []
    observed: list[object] = []
    monkeypatch.setattr(Plugins, "notify", lambda plugins, event: observed.append(event))
    desk.tell(complete=False)
    desk.tell()

    made = enroll(desk.host, "alice", on_event=heard.append)

    assert observed == [
        GrantAccepted(True, 3),
        AttemptBegun(2),
        AttemptEnded("rejected", 2),
        RetryFollows("capture-rejected", 2),
        AttemptBegun(1),
        AttemptEnded("enrolled", 0),
        TemplateStored(made.record.record_id.hex(), True),
    ]
    assert heard == [event for event in observed if event != AttemptEnded("rejected", 2)]


def test_the_grant_is_for_this_subject_and_this_sensor_alone(desk: Desk) -> None:
    desk.tell()

    made = enroll(desk.host, "alice")

    grant = grant_of(made.record)
    assert grant.subject == desk.host.templates.pseudonym(parse_subject("alice"))
    assert grant.sensor_serial == "W-1"
    assert grant.development
    assert grant.max_attempts == desk.host.policy.attempts.captures_per_grant


def test_a_detection_ends_the_grant_though_attempts_are_left(desk: Desk) -> None:
    desk.tell(Outcome.NOT_LIVE)

    with pytest.raises(NotLive) as refused:
        enroll(desk.host, "alice")

    assert refused.value.verdict.outcome is Outcome.NOT_LIVE
    assert desk.attempts == ["not-live"]
    assert results(desk) == ["not-live"]
    assert desk.host.templates.list() == ()
    assert desk.steps[-2:] == ["sensor closed", "worker closed"]


def test_a_detection_counts_although_the_capture_is_incomplete(desk: Desk) -> None:
    desk.tell(Outcome.NOT_LIVE, complete=False)
    with pytest.raises(NotLive):
        enroll(desk.host, "alice")
    assert desk.attempts == ["not-live"]


@pytest.mark.parametrize(
    ("told", "error", "result"),
    [
        ({"outcome": Outcome.INCONCLUSIVE}, LivenessInconclusive, "inconclusive"),
        ({"outcome": Outcome.NOT_EVALUATED}, LivenessInconclusive, "inconclusive"),
        ({"covered": False}, LivenessInconclusive, "inconclusive"),
        ({"complete": False}, CaptureRejected, "rejected"),
    ],
    ids=["inconclusive", "not evaluated", "key frames not covered", "incomplete"],
)
def test_what_reaches_no_verdict_is_tried_until_the_grant_is_used_up(
    desk: Desk, told: dict[str, Any], error: type[Exception], result: str
) -> None:
    desk.tell(**{"outcome": Outcome.LIVE, **told}, times=9)

    with pytest.raises(error):
        enroll(desk.host, "alice")

    assert desk.attempts == [result] * 3
    assert results(desk) == [result] * 3
    assert desk.host.templates.list() == ()
    # A worker judges one capture: each try has its own, and none is left.
    assert desk.steps.count("worker") == desk.steps.count("worker closed") == 3
    assert desk.steps.count("open usb:") == desk.steps.count("sensor closed") == 1


def test_without_retries_one_capture_is_all(desk: Desk) -> None:
    desk.tell(complete=False, times=3)
    with pytest.raises(CaptureRejected):
        enroll(desk.host, "alice", retries=False)
    assert desk.attempts == ["rejected"]


@pytest.mark.parametrize(
    ("raised", "result"),
    [
        (DeviceLost("unplugged"), "failed"),
        (CaptureCancelled("enough"), "cancelled"),
        (KeyboardInterrupt(), "cancelled"),
        (MemoryError(), "failed"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else value,
)
def test_whatever_a_capture_raises_spends_one_attempt_and_reaches_the_caller(
    desk: Desk, raised: BaseException, result: str
) -> None:
    desk.captures = [raised, raised]

    with pytest.raises(type(raised)):
        enroll(desk.host, "alice")

    assert desk.attempts == [result]
    assert results(desk) == [result]
    assert desk.host.templates.list() == ()
    assert desk.steps[-2:] == ["sensor closed", "worker closed"]


def test_key_frames_that_give_no_template_are_a_rejection(desk: Desk) -> None:
    desk.tell(times=3)
    desk.extractor.problem = CaptureRejected("no usable face", "blurred")
    with pytest.raises(CaptureRejected) as refused:
        enroll(desk.host, "alice")
    assert refused.value.reason == "blurred"
    assert desk.attempts == ["rejected"] * 3


def test_a_signer_that_fails_after_the_capture_stores_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.tell()
    sign = FileKeySigner.sign
    grants = iter([True])

    def sign_once(signer: FileKeySigner, message: bytes) -> bytes:
        signature = sign(signer, message)
        return signature if next(grants, False) else signature[:-1] + bytes([signature[-1] ^ 1])

    monkeypatch.setattr(FileKeySigner, "sign", sign_once)
    with pytest.raises(SigningError):
        enroll(desk.host, "alice")

    assert desk.attempts == ["failed"]
    assert desk.host.templates.list() == ()


def test_template_end_of_attempt_and_audit_entry_are_kept_together_or_not_at_all(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.tell()
    append = AuditLog.append

    def failing(log: AuditLog, event: str, **fields: Any) -> Any:
        if event == "enrolled":
            raise StoreError("the disk is full")
        return append(log, event, **fields)

    monkeypatch.setattr(AuditLog, "append", failing)
    with pytest.raises(StoreError, match="the disk is full"):
        enroll(desk.host, "alice")

    assert desk.host.templates.list() == ()
    assert desk.attempts == ["failed"]
    assert results(desk) == ["failed"]


def test_a_store_that_fails_at_the_template_leaves_a_refusal(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.tell()

    def failing(store: TemplateStore, *args: Any, **fields: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(TemplateStore, "add", failing)
    with pytest.raises(StoreError):
        enroll(desk.host, "alice")
    assert desk.attempts == ["failed"]
    assert results(desk) == ["failed"]


def test_somebody_who_took_the_name_meanwhile_keeps_it(desk: Desk) -> None:
    desk.tell(times=2)
    first = []

    def meanwhile(event: object) -> None:
        if isinstance(event, AttemptBegun) and not first:
            first.append(None)
            first[0] = enroll(desk.host, "alice")

    with pytest.raises(DuplicateSubject):
        enroll(desk.host, "alice", on_event=meanwhile)

    assert desk.host.templates.get(parse_subject("alice")).envelope == first[0].envelope
    assert sorted(map(str, desk.attempts)) == ["enrolled", "failed"]


def test_who_is_enrolled_already_costs_no_attempt_and_opens_nothing(desk: Desk) -> None:
    desk.tell()
    enroll(desk.host, "alice")
    desk.steps.clear()

    with pytest.raises(DuplicateSubject):
        enroll(desk.host, "alice")

    assert desk.steps == []
    assert desk.attempts == ["enrolled"]


def test_refusals_that_are_too_many_lock_enrollment_in_the_middle_of_a_grant(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.tell(complete=False, times=9)
    with pytest.raises(CaptureRejected):
        enroll(desk.host, "alice")
    with pytest.raises(LockedOut) as locked:
        enroll(desk.host, "alice")
    assert desk.attempts == ["rejected"] * 5
    assert 0 < locked.value.retry_after_s <= 90

    desk.steps.clear()
    with pytest.raises(LockedOut):
        enroll(desk.host, "bob")
    assert desk.steps == []


def test_the_audit_tells_what_decided_and_nothing_that_was_measured(desk: Desk) -> None:
    desk.tell(Outcome.NOT_LIVE)
    with pytest.raises(NotLive):
        enroll(desk.host, "alice")

    (entry,) = desk.host.audit.entries()
    assert entry.subject == desk.host.templates.pseudonym(parse_subject("alice"))
    assert set(entry.details) == {
        "result", "grant", "development_grant", "attestation", "capture", "verdict", "rejection", "cues",
    }  # fmt: skip
    assert entry.details["cues"] == "skin-optics: dot spread"
    assert entry.details["attestation"] == "simulated"
    assert "alice" not in str(entry)


def test_a_gate_that_speaks_without_end_does_not_keep_the_attempt_open(desk: Desk) -> None:
    desk.tell(Outcome.NOT_LIVE)
    told = desk.captures[0]
    long = tuple(
        replace(each, evidence=replace(each.evidence, cue="x" * 5000)) for each in told.verdict.results
    )
    desk.captures[0] = replace(told, verdict=replace(told.verdict, results=long))
    with pytest.raises(NotLive):
        enroll(desk.host, "alice")
    assert desk.attempts == ["not-live"]
    assert desk.host.audit.verify_chain() == 1


def test_the_policy_says_how_many_captures_a_grant_has(desk: Desk) -> None:
    policy = desk.host.policy
    attempts = replace(policy.attempts, captures_per_grant=2)
    host = replace(desk.host, policy=replace(policy, attempts=attempts))
    desk.tell(complete=False, times=9)
    with pytest.raises(CaptureRejected):
        enroll(host, "alice")
    assert desk.attempts == ["rejected"] * 2


def test_a_grant_is_held_against_this_host_s_own_key(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}

    def watched(*args: Any, **given: Any) -> Any:
        asked.update(given)
        return permit(*args, **given)

    monkeypatch.setattr("faceward.enrollment.permit", watched)
    desk.tell()
    enroll(desk.host, "alice")
    assert asked["host_key"] == desk.host.key_digest != b""


def test_a_record_about_somebody_else_is_not_stored(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def about_another(*args: Any, **given: Any) -> TemplateRecordModel:
        return replace(make_record(*args, **given), subject=b"s" * 32)

    monkeypatch.setattr("faceward.enrollment.make_record", about_another)
    desk.tell()
    with pytest.raises(VerificationError):
        enroll(desk.host, "alice")
    assert desk.host.templates.list() == ()
    assert desk.attempts == ["failed"]


def test_a_grant_s_challenge_is_drawn_by_the_host_and_burned_at_the_first_attempt(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[bytes] = []
    draw = AttemptLedger.draw_challenge

    def watched(*given: Any, **named: Any) -> bytes:
        drawn.append(draw(*given, **named))
        return drawn[-1]

    monkeypatch.setattr(AttemptLedger, "draw_challenge", watched)
    desk.tell(times=2)
    grants = [grant_of(enroll(desk.host, name).record) for name in ("alice", "bob")]
    assert [grant.challenge for grant in grants] == drawn
    assert len(set(drawn)) == 2
