"""The shares against examples that were counted by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from faceward.model.liveness import Outcome
from faceward.pad import metrics
from faceward.pad.intervals import Rate
from faceward.pad.presentation import GateLine, Presentation
from hypothesis import given, settings
from hypothesis import strategies as st

Make = Callable[..., Presentation]
OUTCOMES = ("live", "not-live", "inconclusive", "rejected", "failed")


def several(make: Make, species: str, **counts: int) -> list[Presentation]:
    return [make(species, name.replace("_", "-")) for name, count in counts.items() for _ in range(count)]


def test_attacks_of_one_species_by_hand(make: Make) -> None:
    """20 presented: 3 passed, 9 detected, 3 undecided; 4 rejected and 1 failed got no response."""
    attacks = several(make, "mask", live=3, not_live=9, inconclusive=3, rejected=4, failed=1)
    assert metrics.apcer(attacks) == Rate(3, 15)
    assert metrics.apcer_decided(attacks) == Rate(3, 12)
    assert metrics.non_response(attacks) == Rate(5, 20)
    assert metrics.outcomes(attacks) == {"live": 3, "not-live": 9, "inconclusive": 3, "rejected": 4, "failed": 1}


def test_living_people_by_hand(make: Make) -> None:
    """20 presented: 12 passed, 1 called an attack, 2 undecided; 4 rejected and 1 failed got no response."""
    living = several(make, "live", live=12, not_live=1, inconclusive=2, rejected=4, failed=1)
    assert metrics.bpcer(living) == Rate(3, 15)
    assert metrics.non_response(living) == Rate(5, 20)
    assert metrics.refused(living) == Rate(8, 20)


def answered(make: Make, species: str, outcome: str, said: str) -> Presentation:
    return make(species, outcome, gates=(GateLine("optics", "1", Outcome(said), "cue", 0.5),))


def test_the_gates_alone_by_hand(make: Make) -> None:
    """Of 10 attacks 2 passed and 3 were caught; 4 were rejected, 3 of them found alive; 1 failed, which is no answer."""
    attacks = several(make, "mask", live=2, not_live=3, failed=1)
    attacks += [answered(make, "mask", "rejected", "live") for _ in range(3)]
    attacks += [answered(make, "mask", "rejected", "inconclusive")]
    assert metrics.apcer(attacks) == Rate(2, 5)
    assert metrics.found_alive(attacks) == Rate(5, 9)
    living = [*several(make, "live", live=3, inconclusive=1), answered(make, "live", "rejected", "live")]
    assert metrics.gates_refused(living) == Rate(1, 5)


def test_two_gates_find_alive_together_or_not_at_all(make: Make) -> None:
    one, other = (GateLine(name, "1", Outcome.LIVE, "cue", 0.5) for name in ("optics", "pulse"))
    undecided = GateLine("pulse", "1", Outcome.NOT_EVALUATED, "cue", None)
    lines = [make("mask", "rejected", gates=gates) for gates in ((one, other), (one, undecided), ())]
    assert [line.found_alive for line in lines] == [True, False, False]
    assert metrics.found_alive(lines) == Rate(1, 2)


def test_presentations_without_any_response_have_no_error_rate(make: Make) -> None:
    attacks = several(make, "mask", rejected=2, failed=1)
    assert metrics.apcer(attacks).share is None
    assert metrics.non_response(attacks) == Rate(3, 3)


def attempts(make: Make, name: str, species: str, outcomes: Sequence[str], **changes: Any) -> list[Presentation]:
    return [
        make(species, outcome, grant_id=name, attempt=number, **changes) for number, outcome in enumerate(outcomes, 1)
    ]


def test_grants_by_hand(make: Make) -> None:
    """Four grants: alive at the third try, refused at once, out of tries, and never a response."""
    living = [
        *attempts(make, "a", "live", ["rejected", "inconclusive", "live"]),
        *attempts(make, "b", "live", ["not-live"]),
        *attempts(make, "c", "live", ["inconclusive", "inconclusive", "inconclusive"]),
        *attempts(make, "d", "live", ["rejected", "failed", "rejected"]),
    ]
    assert metrics.bpcer(living) == Rate(5, 6)
    assert metrics.bpcer_per_grant(living) == Rate(2, 3)
    assert metrics.non_response_per_grant(living) == Rate(1, 4)
    assert metrics.failure_to_enrol(living) == Rate(3, 4)


def test_retries_help_an_attack_by_grant(make: Make) -> None:
    attacks = [
        *attempts(make, "a", "mask", ["inconclusive", "inconclusive", "live"]),
        *attempts(make, "b", "mask", ["not-live"]),
    ]
    assert metrics.apcer(attacks) == Rate(1, 4)
    assert metrics.apcer_per_grant(attacks) == Rate(1, 2)


def test_only_enrollments_can_fail_to_enrol(make: Make) -> None:
    living = [make("live", "not-live"), make("live", "not-live", purpose="verify"), make()]
    assert metrics.failure_to_enrol(living) == Rate(1, 2)


def matching(make: Make, species: str, outcome: str, score: float | None = None, **changes: Any) -> Presentation:
    tried = {"match_tried": True, "match_score": score, "match_threshold": 0.4} if score is not None else {}
    return make(species, outcome, purpose="verify", **{"target_id": "victim", **tried, **changes})


def test_impostor_attack_presentations_by_hand(make: Make) -> None:
    """8 presented to the full system: 2 alive and matched, 1 alive and no match, 3 detected, 1 rejected, 1 undecided."""
    attacks = [
        matching(make, "mask", "live", 0.7),
        matching(make, "mask", "live", 0.4),
        matching(make, "mask", "live", 0.39),
        *(matching(make, "mask", "not-live") for _ in range(3)),
        matching(make, "mask", "rejected"),
        matching(make, "mask", "inconclusive"),
    ]
    assert metrics.iapar(attacks) == Rate(2, 8)
    assert metrics.iapar([*attacks, make("mask", "live")]) == Rate(2, 8), "matching did not run on this one"


def test_false_rejects_are_of_those_who_claim_themselves(make: Make) -> None:
    living = [
        matching(make, "live", "live", 0.9, target_id="me", person_id="me"),
        matching(make, "live", "live", 0.1, target_id="me", person_id="me"),
        matching(make, "live", "rejected", target_id="me", person_id="me"),
        matching(make, "live", "live", 0.1, target_id="other", person_id="me"),
    ]
    assert metrics.false_rejects(living) == Rate(2, 3)


def test_by_grant_any_attempt_lets_in(make: Make) -> None:
    attacks = [
        matching(make, "mask", "not-live", grant_id="a", attempt=1),
        matching(make, "mask", "live", 0.8, grant_id="a", attempt=2),
        matching(make, "mask", "not-live", grant_id="b", attempt=1),
    ]
    assert metrics.iapar_per_grant(attacks) == Rate(1, 2)
    own = {"person_id": "victim"}
    living = [
        matching(make, "live", "rejected", grant_id="c", attempt=1, **own),
        matching(make, "live", "live", 0.8, grant_id="c", attempt=2, **own),
        matching(make, "live", "rejected", grant_id="d", attempt=1, **own),
    ]
    assert metrics.false_rejects_per_grant(living) == Rate(1, 2)


@pytest.mark.parametrize(
    ("accepted", "rejected", "expected"),
    [
        # ISO/IEC 30107-3:2023, 13.4: 1 + (IAPAR - (1 - FRR)), which is IAPAR + FRR.
        (Rate(2, 8), Rate(1, 10), 0.35),
        (Rate(0, 8), Rate(0, 10), 0.0),  # the ideal
        (Rate(8, 8), Rate(0, 10), 1.0),  # lets everybody in
        (Rate(0, 8), Rate(10, 10), 1.0),  # lets nobody in
        (Rate(8, 8), Rate(10, 10), 2.0),  # lets in attacks alone
        (Rate(0, 0), Rate(1, 10), None),
        (Rate(1, 8), Rate(0, 0), None),
    ],
)
def test_riapar_is_its_formula(accepted: Rate, rejected: Rate, expected: float | None) -> None:
    assert metrics.riapar(accepted, rejected) == (expected if expected is None else pytest.approx(expected))


def test_clusters_without_a_response_are_none(make: Make) -> None:
    attacks = [
        make("mask", "live", instrument_id="a"),
        make("mask", "not-live", instrument_id="a"),
        make("mask", "rejected", instrument_id="b"),
    ]
    assert metrics.by_cluster(attacks, lambda line: line.instrument_id, metrics.apcer) == {"a": Rate(1, 2)}


# What may follow what in one enrollment's grant: any number of tries without a verdict, then at most one verdict.
grant_outcomes = st.tuples(
    st.lists(st.sampled_from(["inconclusive", "rejected", "failed"]), max_size=3),
    st.sampled_from([[], ["live"], ["not-live"]]),
).map(lambda pair: [*pair[0], *pair[1]]).filter(bool)  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(st.lists(grant_outcomes, min_size=1, max_size=8))
def test_grants_agree_with_their_captures(make: Make, outcomes: list[list[str]]) -> None:
    attacks = [
        line for number, each in enumerate(outcomes) for line in attempts(make, f"g{number}", "mask", each)
    ]  # fmt: skip
    living = [line for number, each in enumerate(outcomes) for line in attempts(make, f"g{number}", "live", each)]
    captures, grants = metrics.apcer(attacks), metrics.apcer_per_grant(attacks)
    assert grants.errors == captures.errors, "an accepted attempt ends its grant"
    assert grants.trials <= captures.trials
    refused, refused_grants = metrics.bpcer(living), metrics.bpcer_per_grant(living)
    assert refused_grants.errors <= refused.errors
    assert refused_grants.trials - refused_grants.errors == refused.trials - refused.errors
    unheard = metrics.non_response_per_grant(living)
    assert unheard.errors <= metrics.non_response(living).errors
    assert unheard.trials == len(outcomes)
    failed = metrics.failure_to_enrol(living)
    assert failed.errors == refused_grants.errors + unheard.errors


MEASURES = (
    metrics.apcer,
    metrics.apcer_decided,
    metrics.bpcer,
    metrics.non_response,
    metrics.refused,
    metrics.apcer_per_grant,
    metrics.bpcer_per_grant,
    metrics.non_response_per_grant,
    metrics.iapar,
    metrics.iapar_per_grant,
    metrics.false_rejects,
    metrics.false_rejects_per_grant,
    metrics.failure_to_enrol,
)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.__name__)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_the_order_of_lines_changes_nothing(
    make: Make, measure: Callable[[Sequence[Presentation]], Rate], data: st.DataObject
) -> None:
    lines = [
        *attempts(make, "a", "live", ["rejected", "inconclusive", "live"]),
        *attempts(make, "b", "live", ["inconclusive", "not-live"]),
        matching(make, "live", "live", 0.9, target_id="me", person_id="me"),
        matching(make, "live", "live", 0.2, target_id="me", person_id="me"),
    ]
    assert measure(data.draw(st.permutations(lines))) == measure(lines)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=30))
def test_counts_add_up(make: Make, outcomes: list[str]) -> None:
    attacks = [make("mask", outcome) for outcome in outcomes]
    assert metrics.apcer(attacks).trials + metrics.non_response(attacks).errors == len(outcomes)
    decided, share = metrics.apcer_decided(attacks).share, metrics.apcer(attacks).share
    if decided is not None:
        assert share is not None
        assert decided >= share
