"""The decision loop: LIVE from every gate, or a refusal."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pytest
from faceward.config import GateRef
from faceward.liveness.evaluate import GATE_FAILED, decide
from faceward.liveness.worker import GateAnswer
from faceward.model.liveness import Evidence, LivenessVerdict, Measure, Outcome
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SEEN = frozenset({bytes([n]) * 32 for n in range(4)})
LIVE = Evidence(Outcome.LIVE, "fine", "all is well", (Measure("m", 1.0, "mm", 2.0),), 0.5, SEEN)


@dataclass(frozen=True)
class Expected:
    name: str
    version: str = "1"
    distribution: str = "toys 1.0"


@pytest.fixture
def verdict_of(policy_of):
    def run(evidences: dict[str, object], *, named: tuple[str, ...] = ("a", "b"), loaded=None) -> LivenessVerdict:
        policy = policy_of(*(GateRef(name, "toys", "1.0") for name in named))
        answers = [GateAnswer(name, evidence) for name, evidence in evidences.items()]
        return decide(policy, [Expected(name) for name in (loaded or named)], answers, SEEN)

    return run


def test_all_live_is_live_and_results_stand_in_name_order(verdict_of):
    verdict = verdict_of({"b": LIVE, "a": LIVE})
    assert verdict.outcome is Outcome.LIVE
    assert [(result.gate, result.version, result.distribution) for result in verdict.results] == [
        ("a", "1", "toys 1.0"),
        ("b", "1", "toys 1.0"),
    ]
    assert verdict.policy_hash == bytes(32)


@pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, Outcome.NOT_EVALUATED])
def test_one_answer_that_is_not_live_refuses_without_an_accusation(verdict_of, outcome: Outcome):
    evidence = Evidence(outcome, "depth", "no depth")
    verdict = verdict_of({"a": LIVE, "b": evidence})
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.results[1].evidence is evidence


def test_one_detection_decides_whatever_the_others_say(verdict_of):
    found = replace(LIVE, outcome=Outcome.NOT_LIVE, cue="dot spread")
    verdict = verdict_of({"a": Evidence(Outcome.NOT_EVALUATED, "x", "y"), "b": found})
    assert verdict.outcome is Outcome.NOT_LIVE
    assert [result.evidence.cue for result in verdict.deciding] == ["dot spread"]


def test_a_missing_answer_refuses(verdict_of):
    verdict = verdict_of({"a": LIVE})
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.results[1].evidence.cue == GATE_FAILED


def test_a_problem_refuses_even_beside_an_evidence(policy_of):
    policy = policy_of(GateRef("a", "toys", "1.0"))
    verdict = decide(policy, [Expected("a")], [GateAnswer("a", LIVE, "late")], SEEN)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "late" in verdict.results[0].evidence.reason


def test_two_answers_of_one_gate_refuse(policy_of):
    policy = policy_of(GateRef("a", "toys", "1.0"))
    verdict = decide(policy, [Expected("a")], [GateAnswer("a", LIVE), GateAnswer("a", LIVE)], SEEN)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.results[0].evidence.cue == GATE_FAILED


def test_a_gate_that_was_never_loaded_refuses(verdict_of):
    verdict = verdict_of({"a": LIVE, "b": LIVE}, loaded=("a",))
    assert verdict.outcome is Outcome.INCONCLUSIVE


def test_a_gate_that_only_the_worker_knows_is_judged_too(verdict_of):
    found = replace(LIVE, outcome=Outcome.NOT_LIVE)
    assert verdict_of({"a": LIVE, "b": found}, named=("a",), loaded=("a", "b")).outcome is Outcome.NOT_LIVE


def test_no_gate_at_all_is_not_live(policy_of):
    assert decide(policy_of(), [], [], SEEN).outcome is Outcome.INCONCLUSIVE


class _Pretender(Evidence):
    """Evidence with something behind it."""


@pytest.mark.parametrize(
    "flawed",
    [
        None,
        "live",
        Outcome.LIVE,
        _Pretender(Outcome.LIVE, "fine", "", (), 0.5, SEEN),
        replace(LIVE, outcome="live"),
        replace(LIVE, cue=None),
        replace(LIVE, reason=b""),
        replace(LIVE, score=math.nan),
        replace(LIVE, score=math.inf),
        replace(LIVE, score=True),
        replace(LIVE, score="1"),
        replace(LIVE, measures=[]),
        replace(LIVE, measures=("m",)),
        replace(LIVE, measures=(Measure("m", math.nan, ""),)),
        replace(LIVE, measures=(Measure("m", 1.0, "", math.nan),)),
        replace(LIVE, measures=(Measure("m", 3.0, "mm", 2.0),)),
        replace(LIVE, covered=set(SEEN)),
        replace(LIVE, covered=frozenset({b"short"})),
        replace(LIVE, covered=frozenset({"0" * 32})),
        replace(LIVE, covered=SEEN | {b"\xff" * 32}),
    ],
)
def test_a_flawed_answer_becomes_a_failed_gate(verdict_of, flawed: object):
    verdict = verdict_of({"a": LIVE, "b": flawed})
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.results[1].evidence.cue == GATE_FAILED
    assert not verdict.results[1].evidence.covered


def test_a_detection_with_a_flaw_is_no_detection(verdict_of):
    verdict = verdict_of({"a": LIVE, "b": replace(LIVE, outcome=Outcome.NOT_LIVE, score=math.nan)})
    assert verdict.outcome is Outcome.INCONCLUSIVE


def test_who_judged_nothing_needs_no_score(verdict_of):
    verdict = verdict_of({"a": LIVE, "b": Evidence(Outcome.NOT_EVALUATED, "depth", "no depth stream")})
    assert verdict.results[1].evidence.cue == "depth"


_OUTCOMES = st.sampled_from(list(Outcome))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from("abcde"), _OUTCOMES, min_size=1))
def test_the_verdict_is_live_only_when_every_gate_is(policy_of, outcomes: dict[str, Outcome]):
    policy = policy_of(*(GateRef(name, "toys", "1.0") for name in "abcde"))
    answers = [GateAnswer(name, replace(LIVE, outcome=outcome)) for name, outcome in outcomes.items()]
    verdict = decide(policy, [Expected(name) for name in "abcde"], answers, SEEN)
    everybody = set(outcomes) == set("abcde") and set(outcomes.values()) == {Outcome.LIVE}
    assert (verdict.outcome is Outcome.LIVE) == everybody
    assert (verdict.outcome is Outcome.NOT_LIVE) == (Outcome.NOT_LIVE in outcomes.values())
