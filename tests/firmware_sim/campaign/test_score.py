"""The score of a search: gates first, then how far their measures are from their limits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from faceward.model.liveness import Outcome
from faceward.pad import CaptureOutcome, GateLine, MeasureLine, Presentation
from faceward_sim.campaign.score import gate_margin, holding, score
from hypothesis import given
from hypothesis import strategies as st

GATES = ("flatness", "skin-optics", "continuity")


def measure(value: float | None, limit: float | None = 1.0, sense: str = "<=") -> MeasureLine:
    return MeasureLine("measure", value, "mm", limit, sense)


def gate(name: str, outcome: str, *measures: MeasureLine) -> GateLine:
    return GateLine(name, "1", Outcome(outcome), f"cue of {name}", None, measures)


def line(*gates: GateLine, outcome: str | None = None) -> Presentation:
    said = {each.outcome.value for each in gates}
    if outcome is None:
        outcome = "not-live" if "not-live" in said else "rejected" if said == {"live"} else "inconclusive"
    ended = CaptureOutcome(outcome)
    return Presentation(
        presentation_id="g-1", attack=True, species="mask-adaptive", person_id="p", instrument_id="i", adaptive=True,
        sensor_kind="sl-940", sensor_unit="u", split="dev", simulated=True, purpose="enroll", grant_id="g", attempt=1,
        outcome=ended, gates=tuple(sorted(gates, key=lambda each: each.gate)),
        decision_s=9.0 if outcome in ("live", "not-live", "inconclusive") else None,
        rejection_reason="turned" if outcome == "rejected" else None,
        error_code="device-lost" if outcome == "failed" else None,
    )  # fmt: skip


values = st.floats(-100, 100)
limited = st.builds(measure, values, values, st.sampled_from(["<=", ">="]))
answers = st.sampled_from(["live", "not-live", "inconclusive", "not-evaluated"])
gates = st.tuples(*[st.builds(gate, st.just(name), answers, limited, limited) for name in GATES])


@given(gates)
def test_whatever_the_gates_measured_the_score_lies_between_0_and_1(drawn):
    assert 0.0 <= score(line(*drawn)) <= 1.0


@given(gates, gates)
def test_one_more_gate_that_says_live_outweighs_every_margin(one, other):
    live = [sum(each.outcome == "live" for each in drawn) for drawn in (one, other)]
    if live[0] > live[1]:
        assert score(line(*one)) >= score(line(*other))


def test_the_nearer_a_measure_is_to_its_limit_the_better_and_both_ways_round():
    refused = [score(line(gate("flatness", "not-live", measure(value)))) for value in (3.0, 2.0, 1.2, 1.01)]
    assert refused == sorted(refused) and len(set(refused)) == 4
    assert gate_margin(gate("g", "live", measure(2.0, 1.0, ">="))) == gate_margin(gate("g", "live", measure(0.0)))
    assert gate_margin(gate("g", "live", measure(1.0))) == pytest.approx(0.5)


def test_a_gate_that_could_not_judge_is_no_step_forward():
    assert gate_margin(gate("g", "inconclusive", measure(0.0))) == 0.0
    assert gate_margin(gate("g", "not-evaluated")) == 0.0
    assert gate_margin(gate("g", "not-live", measure(0.0), measure(0.0))) == 0.5
    assert gate_margin(gate("g", "live", measure(None))) == 0.0
    assert gate_margin(gate("g", "live", measure(7.0, None))) == 1.0


def test_all_gates_without_acceptance_are_less_than_acceptance_and_a_failure_is_nothing():
    every = [gate(name, "live", measure(0.0)) for name in GATES]
    rejected, taken = line(*every, outcome="rejected"), line(*every, outcome="live")
    assert 0.7 < score(rejected) < 0.81 < 0.95 < score(taken)
    assert score(line(outcome="failed")) == 0.0


def test_what_held_is_told_by_gate_and_cue_or_by_the_reason_without_one():
    held = line(gate("flatness", "live"), gate("skin-optics", "not-live"), gate("continuity", "inconclusive"))
    assert holding(held) == ("continuity: cue of continuity", "skin-optics: cue of skin-optics")
    assert holding(line(gate("flatness", "live"), outcome="rejected")) == ("turned",)
    assert holding(line(outcome="failed")) == ("device-lost",)
    assert holding(replace(line(gate("flatness", "live"), outcome="live"))) == ()
