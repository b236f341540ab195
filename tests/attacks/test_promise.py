"""The promise, driven at random: no frame becomes a template except through an attested capture, a live verdict and an
unused permission, and the record lets the lock check it.

A machine of Hypothesis does to a host, through its public interface, what an operator, administrators, people, clocks and
attackers do, in any order; a model of some lines says what may have come of it. Captures are told; keys, grants, ledger,
store, audit log and the lock's verifier are the real ones. For longer: `--promise-runs=500`.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from faceward import (
    Host,
    clear_lockout,
    countersign_grant,
    enroll,
    issue_grant,
    request_clearing,
    request_enrollment,
    verify,
)
from faceward.config import KeyFiles
from faceward.errors import (
    CaptureCancelled,
    DeviceLost,
    FacewardError,
    NoMatch,
    PermissionRefused,
    SubjectUnknown,
)
from faceward.face.models import default_folder
from faceward.model.capture import SensorClaim, SensorEvidence
from faceward.model.liveness import Outcome
from faceward.signing.file_key import FileKeySigner
from faceward.store.database import ATTEMPTS, GRANTS
from faceward.store.subjects import parse_subject
from faceward_proto import trust as lock
from faceward_proto.envelope import GRANT_TYPE, read_envelope
from faceward_proto.v1.grant_pb2 import Grant
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from tests.sdk.conftest import Desk, make_key_files

NAMES = ("alice", "bob", "mallory")
START_S = 1_800_000_000.0
# How a capture is told to end. Only the first can become a template.
GOOD = "alive"
TOLD = (
    GOOD, "attack", "unsure", "incomplete", "uncovered", "unplugged", "cancelled", "signed-by-nobody", "of-another-grant",
)  # fmt: skip
# What a sensor that is plugged in claims: the real one, one that proves nothing, one that can't prove what it claims.
CLAIMS = (SensorClaim("told.v1", b"proof"), None, SensorClaim("told.v1", b"forged"))
STEPS: Counter[str] = Counter()
RUNS, STEPS_A_RUN = 20, 40


@dataclass
class Given:
    """A grant as somebody holds it, and what the model knows of it."""

    envelope: bytes
    name: str
    signers: frozenset[str]
    until_s: float
    attempts: int
    whole: bool = True  # as it was signed
    clearing: bool = False

    @property
    def grant_id(self) -> bytes:
        return Grant.FromString(read_envelope(self.envelope, GRANT_TYPE).payload).grant_id


@dataclass
class Stage:
    """What outlives the host's process: its home, the administrators' keys, the clock."""

    home: Any
    administrators: dict[str, FileKeySigner]
    need: int
    now_s: float = START_S
    captures: list[tuple[str, bytes]] = field(default_factory=list)  # how it was told, and the grant's digest


class Promise(RuleBasedStateMachine):
    """See the module."""

    new_home: Any = None
    attempts_of: Any = None

    grants = Bundle("grants")

    def __init__(self) -> None:
        super().__init__()
        self.patched = pytest.MonkeyPatch()
        self.enrolled: dict[str, bytes] = {}
        self.spent: Counter[bytes] = Counter()
        self.over: set[bytes] = set()
        self.begun = 0
        self.removed: list[bytes] = []

    @initialize(need=st.sampled_from((0, 1, 1, 2)))
    def begin(self, need: int) -> None:
        """Nobody is enrolled; `need` administrators have to agree, or the host permits itself."""
        home = type(self).new_home()
        names = ("a", "b", "c")
        self.stage = Stage(home, dict(zip(names, make_key_files(home.keys, *names), strict=True)), need)
        self.open()

    def open(self) -> None:
        """The host's process begins."""
        host = Host.open(self.stage.home, models_folder=default_folder(), clock=lambda: self.stage.now_s)
        self.desk = Desk(host, type(self).attempts_of)
        if self.stage.need:
            paths = tuple(Path(self.stage.home.keys / f"{name}.pub.pem") for name in ("a", "b"))
            policy = replace(host.policy, administrators=KeyFiles(self.stage.need, paths))
            self.desk.host = replace(self.desk.host, policy=policy)
        self.patched.setattr("faceward.host.open_sensor", self.desk.open_sensor)
        for flow in ("enrollment", "verification"):
            self.patched.setattr(f"faceward.{flow}.GateWorker", self.desk.worker)
            self.patched.setattr(f"faceward.{flow}.judge", self.judge)

    def teardown(self) -> None:
        if hasattr(self, "desk"):
            self.desk.host.close()
        self.patched.undo()

    @property
    def host(self) -> Host:
        return self.desk.host

    def judge(self, *args: object, grant_digest: bytes = b"", on_event: Any = None, **options: Any) -> Any:
        self.stage.captures.append((self.telling, grant_digest))
        if on_event is not None:
            on_event("first frame")
        return self.desk.judge(*args, grant_digest=grant_digest, on_event=on_event, **options)

    def tell(self, told: str) -> None:
        """Let the next capture, and its repetitions, end like this."""
        self.telling = told
        self.desk.captures.clear()
        if told == "unplugged":
            self.desk.captures += [DeviceLost("gone")] * 3
        elif told == "cancelled":
            self.desk.captures += [CaptureCancelled("cancelled")] * 3
        else:
            outcome = {"attack": Outcome.NOT_LIVE, "unsure": Outcome.INCONCLUSIVE}.get(told, Outcome.LIVE)
            self.desk.tell(outcome, complete=told != "incomplete", covered=told != "uncovered", times=3)
        if told in ("signed-by-nobody", "of-another-grant"):
            evidence = SensorEvidence("told.v1", b"forged") if told == "of-another-grant" else None
            self.desk.captures[:] = [
                replace(judged, capture=replace(judged.capture, evidence=evidence)) for judged in self.desk.captures
            ]

    # What operators and administrators do

    @rule(
        target=grants,
        name=st.sampled_from(NAMES),
        signers=st.lists(st.sampled_from(("a", "b", "c")), min_size=1, max_size=3, unique=True),
        attempts=st.integers(1, 4),
        lifetime_s=st.sampled_from((60, 600, 3_600)),
    )
    def permit(self, name: str, signers: list[str], attempts: int, lifetime_s: int) -> Given:
        """The host asks, and some administrators sign; c is nobody's administrator."""
        STEPS["permit"] += 1
        request = request_enrollment(self.host, name, lifetime_s=7_200)
        first, *others = (self.stage.administrators[signer] for signer in signers)
        envelope = issue_grant(request, first, now_s=self.stage.now_s, lifetime_s=lifetime_s, max_attempts=attempts)
        for other in others:
            envelope = countersign_grant(envelope, other, now_s=self.stage.now_s)
        return Given(envelope, name, frozenset(signers), self.stage.now_s + lifetime_s, attempts)

    @rule(target=grants, given=grants, at=st.integers(0, 10_000), change=st.integers(1, 255))
    def forge(self, given: Given, at: int, change: int) -> Given:
        """Somebody changes a byte of a grant."""
        STEPS["forge"] += 1
        data, at = given.envelope, at % len(given.envelope)
        return replace(given, envelope=bytes([*data[:at], data[at] ^ change, *data[at + 1 :]]), whole=False)

    @rule(target=grants, signers=st.lists(st.sampled_from(("a", "b", "c")), min_size=1, max_size=3, unique=True))
    def permit_clearing(self, signers: list[str]) -> Given:
        """A grant that ends a lock-out, and enrolls nobody."""
        STEPS["permit clearing"] += 1
        request = request_clearing(self.host, lifetime_s=3_600)
        first, *others = (self.stage.administrators[signer] for signer in signers)
        envelope = issue_grant(request, first, now_s=self.stage.now_s)
        for other in others:
            envelope = countersign_grant(envelope, other, now_s=self.stage.now_s)
        return Given(envelope, "", frozenset(signers), self.stage.now_s + 3_600, 0, clearing=True)

    @rule(given=grants)
    def clear(self, given: Given) -> None:
        """Somebody tries to end the lock-out with it."""
        STEPS["clear"] += 1
        try:
            clear_lockout(self.host, given.envelope)
        except PermissionRefused:
            return
        assert given.whole
        assert given.clearing
        assert self.enough(given)

    # What people and attackers do before the sensor

    @rule(
        name=st.none() | st.sampled_from(NAMES),
        given=grants | st.none(),
        told=st.sampled_from((GOOD, GOOD, *TOLD)),
        claim=st.sampled_from((CLAIMS[0], CLAIMS[0], *CLAIMS)),
        retries=st.booleans(),
        interrupted=st.sampled_from((None, None, None, 1, 2, 3, 4, 5)),
    )
    def enroll(
        self,
        name: str | None,
        given: Given | None,
        told: str,
        claim: SensorClaim | None,
        retries: bool,
        interrupted: int | None,
    ) -> None:
        """One enrollment, with any grant or none, however its captures end; perhaps something breaks at some event.

        Without a name, of whom the grant is for.
        """
        name = name or (given.name if given is not None else "") or NAMES[0]
        STEPS["enroll"] += 1
        self.desk.claim = claim
        heard: list[object] = []

        def on_event(event: object) -> None:
            heard.append(event)
            if interrupted == len(heard):
                raise KeyboardInterrupt

        self.tell(told)
        before, captures = dict(self.enrolled), len(self.stage.captures)
        made = None
        try:
            made = enroll(
                self.host, name, grant=None if given is None else given.envelope, on_event=on_event, retries=retries
            )
        except (FacewardError, KeyboardInterrupt) as error:
            STEPS[f"enroll: {getattr(error, 'code', 'interrupted')}"] += 1
        ran = self.stage.captures[captures:]
        self.begun = max(self.begun, len(self.desk.attempts))
        if given is not None and ran:
            self.count(given, len(ran), ended=told == "attack" or made is not None)
        if made is None:
            assert self.stored() == before
            return
        assert name not in before
        self.enrolled[name] = made.record.record_id
        self.accept(name, given, told)
        assert made.record.grant == (made.record.grant if given is None else given.envelope)

    @rule(
        target=grants,
        name=st.sampled_from(NAMES),
        signers=st.sampled_from((["a"], ["a", "b"], ["c", "a"], ["b", "c", "a"])),
        told=st.sampled_from((GOOD, GOOD, GOOD, *TOLD)),
        interrupted=st.sampled_from((None, None, None, 1, 2, 3, 4, 5)),
    )
    def permit_and_enroll(self, name: str, signers: list[str], told: str, interrupted: int | None) -> Given:
        """As it is meant to go, as far as the administrators are enough and the person is alive."""
        given = self.permit(name, signers, 3, 600) if self.stage.need else None
        self.enroll(name, given, told, CLAIMS[0], True, interrupted)
        return multiple() if given is None else given

    def accept(self, name: str, given: Given | None, told: str) -> None:
        """Somebody was enrolled: may they have been?"""
        STEPS["enrolled"] += 1
        assert told == GOOD
        assert self.desk.claim == CLAIMS[0]
        if given is None:
            assert self.stage.need == 0
        else:
            assert given.whole
            assert not given.clearing
            assert given.name == name
            assert self.enough(given)
            assert self.stage.now_s < given.until_s + 1

    def count(self, given: Given, captures: int, *, ended: bool) -> None:
        assert given.whole
        grant_id = given.grant_id
        assert grant_id not in self.over, "a grant that was over permitted another capture"
        self.spent[grant_id] += captures
        assert self.spent[grant_id] <= given.attempts
        if ended:
            self.over.add(grant_id)

    def enough(self, given: Given) -> bool:
        """Whether those signed it whose word counts on this host."""
        if self.stage.need == 0:
            return False  # the host's own key alone
        return len(given.signers & {"a", "b"}) >= self.stage.need

    @rule(name=st.sampled_from(NAMES), told=st.sampled_from((GOOD, *TOLD)), score=st.sampled_from((0.1, 0.9)))
    def verify(self, name: str, told: str, score: float) -> None:
        """Somebody stands before the door."""
        STEPS["verify"] += 1
        self.tell(told)
        self.desk.extractor.score = score
        captures = len(self.stage.captures)
        try:
            verify(self.host, name)
        except (NoMatch, FacewardError):
            pass
        else:
            assert name in self.enrolled
            # A verification is not recorded: who signed its capture is not asked.
            assert told in (GOOD, "signed-by-nobody", "of-another-grant")
            assert score == 0.9
        del self.stage.captures[captures:]

    @rule(name=st.sampled_from(NAMES))
    def remove(self, name: str) -> None:
        """The host's administrator forgets somebody."""
        STEPS["remove"] += 1
        if name in self.enrolled:
            self.removed.append(self.enrolled.pop(name))
            self.host.templates.remove(parse_subject(name))
        else:
            with pytest.raises(SubjectUnknown):
                self.host.templates.remove(parse_subject(name))

    @rule(seconds=st.sampled_from((1, 59, 100, 300, 3_700, 86_500, -300)))
    def pass_time(self, seconds: int) -> None:
        """The clock goes on, or is set back."""
        STEPS["pass time"] += 1
        self.stage.now_s = max(START_S, self.stage.now_s + seconds)

    @rule()
    def restart(self) -> None:
        """The host's process ends and begins again."""
        STEPS["restart"] += 1
        self.desk.host.close()
        self.open()

    # What holds after each step

    def stored(self) -> dict[str, bytes]:
        return {stored.subject: stored.record_id for stored in self.host.templates.list()}

    @invariant()
    def nothing_but_the_enrolled_is_stored(self) -> None:
        if hasattr(self, "stage"):
            assert self.stored() == self.enrolled

    @invariant()
    def each_capture_was_an_attempt_and_none_came_back(self) -> None:
        if not hasattr(self, "stage"):
            return
        with self.host.database.transaction() as connection:
            attempts = connection.execute(select(ATTEMPTS.c.grant_id, ATTEMPTS.c.result)).all()
            left = dict(connection.execute(select(GRANTS.c.grant_id, GRANTS.c.attempts_left)).all())
        assert len(attempts) >= len(self.stage.captures)
        assert all(result is not None for _, result in attempts)
        assert all(count >= 0 for count in left.values())
        for grant_id, result in attempts:
            if result in ("not-live", "enrolled"):
                assert left[grant_id] == 0
        results = [entry.details["result"] for entry in self.host.audit.entries() if "result" in entry.details]
        assert results == [result for _, result in attempts]

    @invariant()
    def a_lock_takes_what_is_stored_once(self) -> None:
        if not hasattr(self, "stage"):
            return
        trust, seen = self.trust_of_a_lock(), set()
        for name in self.enrolled:
            stored = self.host.templates.get(parse_subject(name))
            who = self.host.templates.pseudonym(parse_subject(name))
            if not self.stage.now_s < stored.stored_at_s + 365 * 86_400:
                continue
            found = lock.verify_template(
                stored.envelope, trust, now_s=max(self.stage.now_s, stored.stored_at_s), subject=who, grant_seen=seen
            )
            assert found.record.record_id == self.enrolled[name]
            seen.add(found.grant.grant_id)
            with pytest.raises(lock.GrantUsed):
                lock.verify_template(
                    stored.envelope, trust, now_s=max(self.stage.now_s, stored.stored_at_s), subject=who, grant_seen=seen
                )

    def trust_of_a_lock(self) -> lock.TrustStore:
        """What the host believes, without what a lock would not: unattested sensors."""
        trust = self.host.trust()
        assert not trust.allow_unattested
        return trust


@pytest.mark.timeout(0)
def test_the_promise_holds_whatever_is_done(
    bench: Any, attempts_of: Any, record_property: Any, request: pytest.FixtureRequest
) -> None:
    STEPS.clear()
    bound = {"new_home": staticmethod(bench.home), "attempts_of": staticmethod(attempts_of)}
    machine = type("PromiseHere", (Promise,), bound)
    began_s = time.monotonic()
    told = request.config.getoption("--promise-runs")
    runs = RUNS if told is None else told
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=STEPS_A_RUN,
            deadline=None,
            derandomize=told is None,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=(Phase.generate, Phase.shrink),
        ),
    )
    steps = ", ".join(f"{count} x {name}" for name, count in STEPS.most_common())
    record_property("promise", f"{runs} runs in {time.monotonic() - began_s:.0f} s: {steps}")
    if told is None:
        assert STEPS["enroll"] > runs
        assert STEPS["enrolled"] > 0
