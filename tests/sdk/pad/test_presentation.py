"""A line of results is sound or is not made."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from faceward.errors import ConfigError
from faceward.model.liveness import Evidence, GateResult, LivenessVerdict, Measure, Outcome
from faceward.pad.presentation import (
    CaptureOutcome,
    GateLine,
    MeasureLine,
    Presentation,
    as_row,
    from_row,
    gate_lines,
)
from hypothesis import given, settings
from hypothesis import strategies as st

Make = Callable[..., Presentation]
LIVE = GateLine("optics", "1", Outcome.LIVE, "", 0.5)
SAID_NO = GateLine("optics", "1", Outcome.NOT_LIVE, "", 0.5)

numbers = st.none() | st.floats(-(2.0**53), 2.0**53) | st.integers(-(2**53), 2**53)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
measures = st.builds(MeasureLine, texts, numbers, texts, numbers, st.sampled_from(["<=", ">="]))
scored = st.lists(
    st.builds(GateLine, st.from_regex(r"[a-z]{1,12}", fullmatch=True), texts, st.just(Outcome.LIVE), texts, numbers,
              st.lists(measures, max_size=3).map(tuple)),
    min_size=1, max_size=4, unique_by=lambda answer: answer.gate,
).map(lambda answers: tuple(sorted(answers, key=lambda answer: answer.gate)))  # fmt: skip


@settings(deadline=None, max_examples=100)
@given(gates=scored, replay=texts, seed=st.none() | st.integers(-(2**63), 2**63 - 1))
def test_a_line_comes_back_from_json_as_it_was(
    make: Make, gates: tuple[GateLine, ...], replay: str, seed: int | None
) -> None:
    line = make(gates=gates, replay=replay, seed=seed)
    assert from_row(json.loads(json.dumps(as_row(line), allow_nan=False))) == line


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, max_examples=100)
@given(data=st.data(), value=json_values)
def test_no_value_of_any_field_is_answered_with_another_error(make: Make, data: st.DataObject, value: object) -> None:
    row = as_row(make())
    name = data.draw(st.sampled_from(sorted(row)))
    try:
        line = from_row({**row, name: value})
    except ConfigError:
        return
    assert as_row(line)[name] == value


@settings(deadline=None, max_examples=100)
@given(data=st.data(), value=json_values)
def test_no_value_in_a_gates_answer_is_answered_with_another_error(
    make: Make, data: st.DataObject, value: object
) -> None:
    row = as_row(make())
    answer = row["gates"][0]
    place = data.draw(st.sampled_from([answer, answer["measures"][0]]))
    name = data.draw(st.sampled_from(sorted(place)))
    place[name] = value
    try:
        line = from_row(row)
    except ConfigError:
        return
    assert as_row(line) == row


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"presentation_id": "../up"}, "presentation_id '../up' is not of the form"),
        ({"picture": "pictures/../../up.png"}, "picture"),
        ({"picture": "elsewhere/a.png"}, "picture"),
        ({"species": "<b>live</b>"}, "species"),
        ({"split": "training"}, "none of train, dev, test"),
        ({"purpose": "sell"}, "none of enroll, verify"),
        ({"policy_sha256": "AB" * 32}, "policy_sha256"),
        ({"simulated": None}, "simulated is None and not of type bool"),
        ({"attack": 0}, "attack is 0 and not of type bool"),
        ({"attempt": 0}, "attempt 0 is not between 1 and 1000"),
        ({"attempt": True}, "not of type int"),
        ({"seed": 2**63}, "does not fit 64 bits"),
        ({"decision_s": float("nan")}, "no finite number"),
        ({"decision_s": -0.1}, "negative"),
        ({"replay": "x" * 1001}, "replay is no text of at most 1000"),
        ({"replay": "\ud800"}, "replay is no text"),
        ({"gates": [LIVE]}, "not of type tuple"),
        ({"gates": ("live",)}, "no gate's answer"),
        ({"gates": (LIVE, LIVE)}, "once each, in name order"),
        ({"gates": (GateLine("z", "1", Outcome.LIVE, "", None), LIVE)}, "once each, in name order"),
        ({"gates": (GateLine("optics", "1", Outcome.LIVE, "", float("inf")),)}, "score that is none"),
        ({"gates": (GateLine("optics", "1", Outcome.LIVE, "", 1e308),)}, "score that is none"),
        ({"gates": (GateLine("optics", "1", Outcome.LIVE, "", 1.0, (MeasureLine("a", 1.0, "", 1.0, "<"),)),)}, "measure"),
    ],
)  # fmt: skip
def test_a_field_of_another_form_is_refused_and_named(make: Make, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make(**changes)


@pytest.mark.parametrize(
    ("species", "outcome", "changes", "said"),
    [
        ("print", "not-live", {"instrument_id": None}, "an attack has an instrument_id"),
        ("live", "live", {"instrument_id": "a"}, "a living person has no instrument_id"),
        ("live", "live", {"adaptive": True}, "a living person is not adaptive"),
        ("live", "live", {"person_id": None}, "a living person has a person_id"),
        ("live", "rejected", {"rejection_reason": None}, "rejection_reason is None"),
        ("live", "live", {"rejection_reason": "too-far"}, "rejection_reason is 'too-far'"),
        ("live", "failed", {"error_code": None}, "error_code is None"),
        ("live", "live", {"error_code": "device"}, "error_code is 'device'"),
        ("live", "inconclusive", {"decision_s": None}, "decision_s is missing"),
        ("live", "inconclusive", {"gates": ()}, "no gate answered"),
        ("live", "live", {"gates": (SAID_NO,)}, "although a gate said otherwise"),
        ("live", "inconclusive", {"gates": (SAID_NO,)}, "the gates said not-live"),
        ("live", "rejected", {"gates": (SAID_NO,)}, "the gates said not-live"),
        ("live", "not-live", {"gates": (LIVE,)}, "the gates said live"),
        ("live", "live", {"match_tried": True}, "match_tried needs target_id, match_score and match_threshold"),
        ("live", "live", {"target_id": "a"}, "the system matches, outcome is live, and match_tried is false"),
        ("live", "live", {"match_score": 0.5}, "only where match_tried is true"),
        ("live", "not-live", {"match_tried": True, "target_id": "a", "match_score": 0.5, "match_threshold": 0.4},
         "only what is live is matched"),
    ],
)  # fmt: skip
def test_fields_that_contradict_each_other_are_refused(
    make: Make, species: str, outcome: str, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        make(species, outcome, **changes)


def test_a_capture_that_failed_may_have_any_answers(make: Make) -> None:
    assert make("live", "failed", gates=(SAID_NO,)).responded is False


def test_a_capture_may_be_inconclusive_although_each_gate_said_live(make: Make) -> None:
    """A key frame that a gate has not covered ends so."""
    line = make("live", "inconclusive", gates=(LIVE,))
    assert line.responded
    assert not line.accepted


@pytest.mark.parametrize(
    ("outcome", "responded", "accepted"),
    [("live", True, True), ("not-live", True, False), ("inconclusive", True, False), ("rejected", False, False),
     ("failed", False, False)],
)  # fmt: skip
def test_what_counts_as_a_response(make: Make, outcome: str, responded: bool, accepted: bool) -> None:
    line = make("live", outcome)
    assert (line.responded, line.accepted) == (responded, accepted)


@pytest.mark.parametrize(("score", "matched"), [(0.39, False), (0.4, True), (0.41, True)])
def test_a_match_reaches_the_threshold(make: Make, score: float, matched: bool) -> None:
    line = make(match_tried=True, target_id="a", match_score=score, match_threshold=0.4)
    assert line.matched is matched
    assert make().matched is False


@pytest.mark.parametrize("change", ["drop", "add"])
def test_a_row_has_every_field_and_no_other(make: Make, change: str) -> None:
    row = as_row(make())
    row.pop("tone") if change == "drop" else row.update(colour="red")
    with pytest.raises(ConfigError, match="missing 'tone'" if change == "drop" else "unknown 'colour'"):
        from_row(row)


def test_a_verdicts_answers_are_held_without_what_json_lacks() -> None:
    measure = Measure("spread", float("nan"), "mm", 1.0, ">=")
    evidence = [Evidence(Outcome.LIVE, "spread", "why", (measure,), 0.5), Evidence(Outcome.INCONCLUSIVE, "", "why")]
    results = tuple(GateResult(name, "1", "dist", each) for name, each in zip(["b", "a"], evidence, strict=True))
    assert gate_lines(LivenessVerdict(Outcome.INCONCLUSIVE, results, b"")) == (
        GateLine("a", "1", Outcome.INCONCLUSIVE, "", None),
        GateLine("b", "1", Outcome.LIVE, "spread", 0.5, (MeasureLine("spread", None, "mm", 1.0, ">="),)),
    )


def test_every_outcome_is_live_or_refuses(make: Make) -> None:
    assert [outcome for outcome in CaptureOutcome if make("live", outcome).accepted] == [CaptureOutcome.LIVE]
