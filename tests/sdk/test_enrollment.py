"""The order of an enrollment's steps, and what each way to end leaves behind."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from faceward.config import KeyFiles
from faceward.enrollment import AttemptBegun, AttemptEnded, GrantAccepted, RetryFollows, TemplateStored, enroll
from faceward.errors import (
    CaptureCancelled,
    CaptureRejected,
    ConfigError,
    DeviceLost,
    DeviceNotAttested,
    DuplicateSubject,
    LivenessInconclusive,
    LockedOut,
    NotLive,
    PermissionRefused,
    SigningError,
    StoreError,
    VerificationError,
)
from faceward.liveness.loader import Plugins
from faceward.model.capture import SensorClaim
from faceward.model.liveness import Outcome
from faceward.model.template import Attestation, Grant, GrantPurpose, TemplateRecordModel
from faceward.permission import request_enrollment
from faceward.signing.file_key import FileKeySigner
from faceward.signing.grants import countersign_grant, issue_grant, permit
from faceward.signing.sealing import make_record, seal_payload, unseal
from faceward.store.attempts import AttemptLedger, AttemptResult
from faceward.store.audit import AuditLog
from faceward.store.database import Database
from faceward.store.subjects import parse_subject
from faceward.store.templates import TemplateStore
from faceward.store.watermarks import Watermark
from faceward.wire.record import decode_grant
from faceward_proto.envelope import GRANT_TYPE, TEMPLATE_TYPE, read_envelope, signing_keys
from faceward_proto.keys import PublicKey
from faceward_proto.trust import verify_template

from tests.sdk.conftest import _ToldSensor

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


# By an administrator's grant


@pytest.fixture
def permitted_desk(desk: Desk, make_keys: Any) -> Any:
    """The desk, where administrator `a` must permit an enrollment; `ask` gets their grant."""
    folder = desk.host.policy.path.parent / "keys"
    (desk.administrator,) = make_keys(folder, "a")
    named = KeyFiles(1, (folder / "a.pub.pem",))
    desk.host = replace(desk.host, policy=replace(desk.host.policy, administrators=named))

    def ask(name: str = "alice", **changes: Any) -> bytes:
        terms = {key: changes.pop(key) for key in ("max_attempts", "lifetime_s") if key in changes}
        request = replace(request_enrollment(desk.host, name), **changes)
        return issue_grant(request, desk.administrator, now_s=desk.host.clock(), **terms)

    desk.ask = ask
    return desk


def test_a_grant_permits_one_enrollment_and_travels_in_the_record(permitted_desk: Any) -> None:
    desk, heard = permitted_desk, []
    desk.tell(times=2)
    grant = desk.ask(max_attempts=2)

    made = enroll(desk.host, "alice", grant=grant, on_event=heard.append)

    assert made.record.grant == grant
    assert heard[0] == GrantAccepted(False, 2)
    assert not grant_of(made.record).development
    assert desk.host.audit.entries()[-1].details["development_grant"] is False
    desk.host.templates.remove(parse_subject("alice"))
    with pytest.raises(PermissionRefused, match="used up"):
        enroll(desk.host, "alice", grant=grant)
    assert desk.attempts == ["enrolled"]


def test_without_a_grant_a_host_with_administrators_opens_no_sensor(permitted_desk: Any) -> None:
    with pytest.raises(PermissionRefused, match="faceward grant request"):
        enroll(permitted_desk.host, "alice")
    assert permitted_desk.steps == []
    assert permitted_desk.attempts == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"host_key": b"i" * 32}, "another host"),
        ({"subject": b"z" * 32}, "another subject"),
        ({"challenge": b"c" * 32}, "no open challenge"),
        ({"tenant": "other"}, "is for other"),
        ({"purpose": GrantPurpose.CLEAR_LOCKOUT, "subject": b""}, "another purpose"),
    ],
    ids=["host", "subject", "challenge", "tenant", "purpose"],
)
def test_a_grant_that_does_not_fit_opens_no_sensor_and_spends_nothing(
    permitted_desk: Any, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(PermissionRefused, match=words):
        enroll(permitted_desk.host, "alice", grant=permitted_desk.ask(**changes))
    assert permitted_desk.steps == []
    assert permitted_desk.attempts == []


@pytest.mark.parametrize(
    ("changes", "words"), [({"sensor_serial": "W-2"}, "another sensor"), ({"sensor_key": b"k" * 32}, "another key")]
)
def test_a_grant_for_another_sensor_spends_nothing_and_gives_the_sensor_back(
    permitted_desk: Any, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(PermissionRefused, match=words):
        enroll(permitted_desk.host, "alice", grant=permitted_desk.ask(**changes))
    assert permitted_desk.steps == ["worker", "open usb:", "sensor closed", "worker closed"]
    assert permitted_desk.attempts == []


def test_a_grant_for_this_sensor_s_key_needs_the_sensor_to_prove_it(permitted_desk: Any) -> None:
    desk = permitted_desk
    key = desk.scheme.proven.device_key.digest
    grant = desk.ask(sensor_serial="W-1", sensor_key=key)
    desk.claim = None
    unattested = replace(desk.host, policy=replace(desk.host.policy, allow_unattested=True))
    with pytest.raises(PermissionRefused, match="proved none"):
        enroll(unattested, "alice", grant=grant)
    desk.claim = SensorClaim("told.v1", b"proof")
    desk.tell()
    assert grant_of(enroll(desk.host, "alice", grant=grant).record).sensor_key == key


def test_a_grant_is_good_for_its_captures_over_several_tries_and_no_more(permitted_desk: Any) -> None:
    desk = permitted_desk
    grant = desk.ask(max_attempts=3)
    desk.tell(complete=False, times=9)
    for _ in range(2):
        with pytest.raises(CaptureRejected):
            enroll(desk.host, "alice", grant=grant, retries=False)
    with pytest.raises(CaptureRejected):
        enroll(desk.host, "alice", grant=grant)
    assert desk.attempts == ["rejected"] * 3
    with pytest.raises(PermissionRefused, match="used up"):
        enroll(desk.host, "alice", grant=grant)


def test_a_detection_ends_an_administrator_s_grant_for_good(permitted_desk: Any) -> None:
    desk = permitted_desk
    grant = desk.ask()
    desk.tell(Outcome.NOT_LIVE)
    with pytest.raises(NotLive):
        enroll(desk.host, "alice", grant=grant)
    desk.tell()
    with pytest.raises(PermissionRefused, match="used up"):
        enroll(desk.host, "alice", grant=grant)
    assert desk.attempts == ["not-live"]


def test_a_grant_that_expires_between_two_captures_permits_the_first_alone(permitted_desk: Any) -> None:
    desk = permitted_desk
    grant, now_s = desk.ask(lifetime_s=60), desk.host.clock()
    time_s = [now_s]
    late = AttemptLedger(desk.host.database, desk.host.policy.attempts, lambda: time_s[0])
    host = replace(desk.host, ledger=late)
    desk.tell(complete=False, times=3)

    def wait(event: object) -> None:
        if isinstance(event, RetryFollows):
            time_s[0] += 61

    with pytest.raises(PermissionRefused, match="expired"):
        enroll(host, "alice", grant=grant, on_event=wait)
    assert desk.attempts == ["rejected"]


def test_two_administrators_are_counted_by_their_keys(permitted_desk: Any, make_keys: Any) -> None:
    desk = permitted_desk
    folder = desk.host.policy.path.parent / "keys"
    (second,) = make_keys(folder, "b")
    both = KeyFiles(2, (folder / "a.pub.pem", folder / "b.pub.pem"))
    desk.host = replace(desk.host, policy=replace(desk.host.policy, administrators=both))
    first = desk.ask()
    with pytest.raises(PermissionRefused, match="1 of 2"):
        enroll(desk.host, "alice", grant=first)
    desk.tell()
    signed = countersign_grant(first, second, now_s=desk.host.clock())
    assert enroll(desk.host, "alice", grant=signed).record.grant == signed


# Second signatures, epochs, production


def test_a_record_carries_both_signatures_where_the_policy_names_two_signers(desk: Desk, make_keys: Any) -> None:
    second = FileKeySigner.create(desk.host.policy.path.parent / "keys/second.pem", "ML-DSA-65")
    host = replace(desk.host, second_signer=second)
    desk.tell()
    made = enroll(host, "alice")
    envelope = read_envelope(made.envelope, TEMPLATE_TYPE)
    assert [len(signature.sig) for signature in envelope.signatures] == [64, 3309]
    keys = [PublicKey(signer.public_key_der) for signer in host.signers]
    assert signing_keys(envelope, keys) == set(keys)
    only = seal_payload(envelope.payload, TEMPLATE_TYPE, host.signer)
    with pytest.raises(VerificationError) as caught:
        unseal(only, host.trust(), now_s=host.clock())
    assert caught.value.kind == "signature-invalid"


def test_a_record_has_the_policy_s_epoch_which_then_never_goes_back(desk: Desk) -> None:
    policy = desk.host.policy
    host = replace(desk.host, policy=replace(policy, records=replace(policy.records, epoch=4)))
    desk.tell(complete=False, times=3)
    with pytest.raises(CaptureRejected):
        enroll(host, "alice")
    assert host.watermarks.highest(Watermark.EPOCH) == 0  # nothing was signed in it
    desk.tell()
    assert enroll(host, "alice").record.epoch == 4
    assert host.watermarks.highest(Watermark.EPOCH) == 4
    desk.tell()
    with pytest.raises(StoreError, match="epoch 0 is below 4"):
        enroll(desk.host, "bob")
    assert [entry.subject for entry in host.templates.list()] == ["alice"]


@pytest.fixture
def production(desk: Desk, believer: Any) -> Any:
    """A production host before a sensor whose vendor proves it, with a trust store; all keys are said to be on tokens."""

    class OnToken(FileKeySigner):
        custody = "pkcs11"

    desk.scheme.proven = replace(desk.scheme.proven, simulated=False)
    believer.issue(development=False)
    host = believer.host
    believer.host = replace(
        host, policy=replace(host.policy, mode="production"), signer=OnToken(host.signer._key)
    )  # fmt: skip

    def ask(signer: Any = None) -> bytes:
        request = request_enrollment(believer.host, "alice")
        return issue_grant(request, signer or believer.administrator, now_s=believer.host.clock())

    believer.ask = ask
    return believer


def test_a_production_host_enrolls_by_an_administrator_s_grant_and_its_trust_store(
    desk: Desk, production: Any
) -> None:
    desk.tell()
    made = enroll(production.host, "alice", grant=production.ask())
    verified = verify_template(made.envelope, production.host.trust(), now_s=production.host.clock(), grant_seen=())
    assert (verified.simulated, verified.development) == (False, False)
    assert made.record.sensor.attestation is Attestation.VERIFIED


def test_a_production_host_never_permits_itself(desk: Desk, production: Any) -> None:
    with pytest.raises(PermissionRefused, match="faceward grant request"):
        enroll(production.host, "alice")
    with pytest.raises(PermissionRefused, match="0 of 1"):
        enroll(production.host, "alice", grant=production.ask(production.host.signer))
    assert desk.steps == []


@pytest.mark.parametrize("simulated", [True, None])
def test_a_production_host_takes_no_sensor_that_is_simulated_or_proves_nothing(
    desk: Desk, production: Any, simulated: bool | None
) -> None:
    desk.scheme.proven = replace(desk.scheme.proven, simulated=True)
    if simulated is None:
        desk.claim = None
    with pytest.raises(DeviceNotAttested):
        enroll(production.host, "alice", grant=production.ask())
    assert desk.attempts == []


def test_a_production_host_takes_no_simulated_sensor_though_its_trust_store_allows_them(
    desk: Desk, production: Any
) -> None:
    desk.scheme.proven = replace(desk.scheme.proven, simulated=True)
    production.issue(2, development=False, allow="unattested = true", simulated=True)
    with pytest.raises(DeviceNotAttested):
        enroll(production.host, "alice", grant=production.ask())
    assert desk.attempts == []


def test_a_key_that_the_trust_store_revokes_on_the_way_makes_no_record(desk: Desk, production: Any) -> None:
    desk.tell()
    grant = production.ask()
    production.issue(2, development=False, revoke="signer.pub.pem")
    with pytest.raises(ConfigError, match="revoked"):
        enroll(production.host, "alice", grant=grant)
    assert desk.steps == []


def test_a_record_that_its_trust_store_would_refuse_is_not_stored(desk: Desk, production: Any) -> None:
    desk.tell()
    production.issue(2, development=False, extra='gates = [{ name = "skin-optics", minimum_version = "9" }]')
    with pytest.raises(VerificationError) as caught:
        enroll(production.host, "alice", grant=production.ask())
    assert caught.value.kind == "not-shown-live"
    assert production.host.templates.list() == ()
    assert desk.attempts == ["failed"]


class Broken(Exception):
    """Whatever goes wrong."""


@pytest.mark.parametrize("step", ["extract", "make_record", "seal", "unseal"])
def test_what_breaks_after_the_verdict_gives_no_attempt_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def broken(*args: object, **options: object) -> Any:
        raise Broken

    if step == "extract":
        desk.extractor.problem = Broken()
    else:
        monkeypatch.setattr(f"faceward.enrollment.{step}", broken)
    desk.tell()
    with pytest.raises(Broken):
        enroll(desk.host, "mallory")
    assert desk.attempts == ["failed"]
    assert desk.host.templates.list() == ()


def test_an_interruption_while_the_disk_keeps_the_template_is_too_late(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    transaction, log = Database.transaction, AuditLog.append
    logged: list[str] = []

    @contextmanager
    def interrupted(database: Database) -> Iterator[Any]:
        with transaction(database) as connection:
            yield connection
        if logged and getattr(database._local, "connection", None) is None:
            logged.clear()
            raise KeyboardInterrupt

    def noted(audit: AuditLog, event: str, **fields: Any) -> Any:
        logged.append(event)
        return log(audit, event, **fields)

    monkeypatch.setattr(Database, "transaction", interrupted)
    monkeypatch.setattr(AuditLog, "append", noted)
    desk.tell()
    made = enroll(desk.host, "alice")

    assert not logged, "nobody was interrupted"
    assert [stored.record_id for stored in desk.host.templates.list()] == [made.record.record_id]
    assert desk.attempts == results(desk) == ["enrolled"]


@pytest.mark.parametrize("raised", [DeviceLost("unplugged"), KeyboardInterrupt(), SystemExit(143)])
def test_what_goes_wrong_when_sensor_and_worker_are_given_back_takes_no_template_away(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, raised: BaseException
) -> None:
    def close(sensor: Any) -> None:
        raise raised

    monkeypatch.setattr(_ToldSensor, "close", close)
    desk.tell(times=2)
    made = enroll(desk.host, "alice")
    assert [stored.record_id for stored in desk.host.templates.list()] == [made.record.record_id]

    desk.captures[0] = NotLive("no", desk.captures[0].verdict)
    with pytest.raises(type(raised)):
        enroll(desk.host, "mallory")
    assert desk.attempts == ["enrolled", "not-live"]


def test_a_grant_that_another_capture_ended_meanwhile_makes_no_template(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(event: object) -> None:
        if isinstance(event, AttemptBegun) and len(desk.attempts) == 1:
            other = desk.host.ledger.begin_attempt(permits[0], sensor="W-2")
            desk.host.ledger.end_attempt(other, AttemptResult.NOT_LIVE)

    permits: list[Any] = []
    begin = AttemptLedger.begin_attempt

    def noted(ledger: AttemptLedger, permitted: Any, *, sensor: str) -> Any:
        permits.append(permitted)
        return begin(ledger, permitted, sensor=sensor)

    monkeypatch.setattr(AttemptLedger, "begin_attempt", noted)
    desk.tell()
    with pytest.raises(PermissionRefused, match="the grant is over"):
        enroll(desk.host, "alice", on_event=meanwhile)
    assert desk.host.templates.list() == ()
    assert desk.attempts == ["failed", "not-live"]


@pytest.mark.parametrize("last", [AttemptEnded, TemplateStored])
@pytest.mark.parametrize("raised", [Broken, KeyboardInterrupt, SystemExit])
def test_whoever_breaks_when_the_template_is_stored_is_too_late(
    desk: Desk, last: type[object], raised: type[BaseException]
) -> None:
    def on_event(event: object) -> None:
        if isinstance(event, last):
            raise raised

    desk.tell()
    made = enroll(desk.host, "alice", on_event=on_event)
    assert [stored.record_id for stored in desk.host.templates.list()] == [made.record.record_id]
    assert desk.attempts == ["enrolled"]
