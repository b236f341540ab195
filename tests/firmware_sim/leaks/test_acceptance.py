"""Null instruments before the product: counted as they end, and held against the living's interval."""

from __future__ import annotations

import subprocess

import pytest
from faceward_sim.leaks import acceptance
from faceward_sim.leaks.acceptance import NotInstalled, check_acceptance, exact_interval


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    # Clopper and Pearson 1934, as tabulated; the ends of 0 and n of n by hand: 1 - (alpha / 2)^(1 / n).
    [(0, 10, 0.0, 0.3085), (10, 10, 0.6915, 1.0), (5, 10, 0.1871, 0.8129), (1, 20, 0.0013, 0.2487)],
)
def test_the_interval_is_the_exact_one(hits, trials, low, high):
    assert exact_interval(hits, trials) == pytest.approx((low, high), abs=1e-4)


def ends_as(monkeypatch, live: list[int], null: list[int]) -> None:
    left = {"live": iter(live), "null-instrument": iter(null)}
    monkeypatch.setattr(acceptance, "present", lambda actor, *rest: (next(left[actor]), "word"))


@pytest.mark.parametrize(
    ("live", "null", "holds"),
    [
        ([0] * 12, [0] * 12, True),
        ([0] * 12, [31] * 6 + [0] * 6, False),
        ([0] * 6 + [20] * 6, [0] * 12, False),
        ([0] * 11 + [32], [0] * 10 + [31, 20], True),
    ],
)
def test_a_null_instrument_must_be_taken_as_often_as_the_living(monkeypatch, live, null, holds):
    ends_as(monkeypatch, live, null)
    (finding,) = check_acceptance(3, len(live), lambda name: None)
    assert finding.holds is holds
    assert f"{null.count(0)} of {len(null)}" in finding.found
    assert f"{live.count(0)} of {len(live)}" in finding.wanted


def test_seeds_of_the_living_and_of_null_instruments_are_all_different(monkeypatch):
    seen = []
    monkeypatch.setattr(acceptance, "present", lambda actor, seed, *rest: (seen.append(seed), (0, "word"))[1])
    list(check_acceptance(3, 20, lambda name: None))
    assert len(set(seen)) == 40


@pytest.mark.parametrize(
    ("code", "stderr", "said"),
    [(1, "No module named faceward.cli", "install faceward"), (3, "no such key", "ended with 3"), (17, "", "17")],
)
def test_a_product_that_can_not_enroll_is_no_refusal(monkeypatch, code, stderr, said):
    def run(command, **options):
        return subprocess.CompletedProcess(command, code, stdout="", stderr=stderr)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(NotInstalled, match=said):
        acceptance.present("empty", 50, 400.0, 2.0)


def test_the_word_of_a_refusal_is_its_reason_or_its_code(monkeypatch):
    lines = '{"event": "prompt"}\nnot json\n{"error": {"code": "not-live", "message": "...", "exit_code": 31}}\n'

    def run(command, **options):
        return subprocess.CompletedProcess(command, 31, stdout=lines, stderr="refused")

    monkeypatch.setattr(subprocess, "run", run)
    assert acceptance.present("empty", 50, 400.0, 2.0) == (31, "not-live")


def test_no_presentation_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        list(check_acceptance(1, 0, lambda name: None))
