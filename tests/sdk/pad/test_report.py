"""What a folder comes to, counted by hand over a small campaign."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from faceward.errors import ConfigError
from faceward.model.liveness import Outcome
from faceward.pad.document import as_document
from faceward.pad.intervals import Rate, upper_bound
from faceward.pad.presentation import GateLine, Presentation
from faceward.pad.report import Report, Scope, build_report
from faceward.pad.results import About, Results

Make = Callable[..., Presentation]


def report_of(*lines: Presentation, about: About | None = None) -> Report:
    return build_report(Results(Path("results"), lines, about or About()))


def scope_of(*lines: Presentation) -> Scope:
    (scope,) = report_of(*lines).scopes
    return scope


def answers(**outcomes: str) -> tuple[GateLine, ...]:
    return tuple(GateLine(name, "1", Outcome(end), f"{name} cue", 0.5) for name, end in sorted(outcomes.items()))


def test_without_an_attack_or_without_anybody_living_there_is_no_report(make: Make) -> None:
    with pytest.raises(ConfigError, match="no attack among the 2 presentations"):
        report_of(make(), make())
    with pytest.raises(ConfigError, match="nobody living among the 1 presentations"):
        report_of(make("mask", "live"))


def test_the_worst_species_is_the_headline(make: Make) -> None:
    scope = scope_of(
        *(make("mask", outcome) for outcome in ("live", "live", "not-live", "not-live")),
        *(make("print", outcome) for outcome in ("live", "not-live", "not-live")),
        make(),
    )
    assert scope.worst is not None
    assert (scope.worst.species, scope.worst.apcer) == ("mask", Rate(2, 4))
    assert [each.apcer.rate for each in scope.species] == [Rate(2, 4), Rate(1, 3)]
    assert scope.joint_upper == max(upper_bound(2, 4, 0.975), upper_bound(1, 3, 0.975))


def test_of_equal_species_the_less_known_is_the_worst(make: Make) -> None:
    scope = scope_of(make("print", "not-live"), make("mask", "not-live"), make("mask", "not-live"), make())
    assert scope.worst is not None
    assert scope.worst.species == "print"


def test_a_species_that_was_searched_has_a_headline_of_its_own(make: Make) -> None:
    scope = scope_of(make("mask", "not-live"), make("searched", "live", adaptive=True), make())
    assert scope.worst is not None
    assert scope.worst_adaptive is not None
    assert (scope.worst.species, scope.worst_adaptive.species) == ("mask", "searched")


def test_a_species_without_a_response_is_no_headline_and_is_said(make: Make) -> None:
    scope = scope_of(make("mask", "rejected"), make("print", "not-live"), make())
    assert scope.worst is not None
    assert scope.worst.species == "print"
    assert scope.unheard == ("mask",)
    assert scope.joint_upper == 1.0, "of the mask nothing is known"
    assert any("No presentation of mask got a response" in text for text in scope.cautions)


def test_splits_sensors_and_purposes_are_never_pooled(make: Make) -> None:
    kinds = [("dev", "sl-940", "enroll"), ("test", "tof-940", "enroll"), ("test", "sl-940", "verify"),
             ("test", "sl-940", "enroll"), ("train", "sl-940", "enroll")]  # fmt: skip
    lines = [
        make(species, "live", split=split, sensor_kind=kind, purpose=purpose, sensor_unit=f"{split}-1")
        for split, kind, purpose in kinds
        for species in ("live", "mask")
    ]
    report = report_of(*lines)
    assert [(scope.split, scope.sensor_kind, scope.purpose) for scope in report.scopes] == [
        ("test", "sl-940", "enroll"), ("test", "sl-940", "verify"), ("test", "tof-940", "enroll"),
        ("dev", "sl-940", "enroll"), ("train", "sl-940", "enroll"),
    ]  # fmt: skip
    assert all(scope.presentations == 2 for scope in report.scopes)


def test_the_living_by_tone(make: Make) -> None:
    scope = scope_of(
        make(tone="I-II"),
        make("live", "not-live", tone="VI"),
        make(tone="VI"),
        make("live", "rejected", tone="VI"),
        make(tone=None),
        make("mask", "not-live", tone=None),
    )
    assert scope.living is not None
    assert [(part.name, part.error, part.non_response) for part in scope.living.by_tone] == [
        ("I-II", Rate(0, 1), Rate(0, 1)),
        ("VI", Rate(1, 2), Rate(1, 3)),
        ("not told", Rate(0, 1), Rate(0, 1)),
    ]
    assert scope.worst_tone == scope.living.by_tone[1]
    assert scope.species[0].by_tone[0].name == "not told"


def test_a_bootstrap_by_person_is_of_everybody_or_is_none(make: Make) -> None:
    living = [make() for _ in range(3)]
    held = [make("print", "not-live") for _ in range(3)]
    nameless = [make("print", "live", person_id=None) for _ in range(20)]
    with_all, without = (
        report_of(*living, *held, *some).scopes[0].species[0].apcer for some in ([], nameless)
    )
    assert with_all.by_person is not None
    assert (without.by_person, without.rate.errors, without.rate.trials) == (None, 20, 23)
    assert without.by_instrument is not None


def test_instruments_by_themselves(make: Make) -> None:
    scope = scope_of(
        make("mask", "live", instrument_id="a"),
        make("mask", "not-live", instrument_id="a"),
        make("mask", "not-live", instrument_id="b"),
        make(),
    )
    (mask,) = scope.species
    assert (mask.presentations, mask.instruments, mask.people) == (3, 2, 3)
    assert [(part.name, part.error) for part in mask.by_instrument] == [("a", Rate(1, 2)), ("b", Rate(0, 1))]
    assert mask.apcer.by_instrument is not None
    assert mask.apcer.by_instrument.clusters == 2
    assert mask.apcer.by_person is not None
    assert mask.apcer.by_person.clusters == 3


def test_each_gate_by_itself(make: Make) -> None:
    """Four masks: past both gates, stopped by optics alone, by both, and undecided by both in a capture that was rejected.

    Four living: one refused by optics alone.
    """
    scope = scope_of(
        make("mask", "live", gates=answers(optics="live", pulse="live")),
        make("mask", "not-live", gates=answers(optics="not-live", pulse="live")),
        make("mask", "not-live", gates=answers(optics="inconclusive", pulse="not-live")),
        make("mask", "rejected", gates=answers(optics="inconclusive", pulse="inconclusive")),
        make("live", "inconclusive", gates=answers(optics="inconclusive", pulse="live")),
        *(make(gates=answers(optics="live", pulse="live")) for _ in range(3)),
    )
    optics, pulse = scope.gates
    assert (optics.gate, optics.living_refused, optics.living_refused_alone) == ("optics", Rate(1, 4), Rate(1, 4))
    assert [(each.species, each.passed, each.stopped_alone) for each in optics.species] == [("mask", Rate(1, 4), 1)]
    assert (pulse.gate, pulse.living_refused) == ("pulse", Rate(0, 4))
    assert [(each.species, each.passed, each.stopped_alone) for each in pulse.species] == [("mask", Rate(2, 4), 0)]


def test_what_was_rejected_though_every_gate_found_it_alive_is_counted_and_told(make: Make) -> None:
    alive = answers(optics="live", pulse="live")
    scope = scope_of(make("mask", "rejected", gates=alive), make("mask", "not-live"), make("print", "not-live"), make())
    mask, print_ = scope.species
    assert (mask.apcer.rate, mask.found_alive, print_.found_alive) == (Rate(0, 1), Rate(1, 2), Rate(0, 1))
    (caution,) = [text for text in scope.cautions if "flatters the gates" in text]
    assert "Captures of mask were rejected" in caution
    assert not [text for text in scope_of(make("mask", "live"), make()).cautions if "flatters the gates" in text]


def test_lines_that_name_no_policy_are_told_all_of_them_or_some(make: Make) -> None:
    for policies in ((None, None), (None, "ab" * 32), ("cd" * 32, "ab" * 32)):
        lines = [make("mask", "live", policy_sha256=policies[0]), make(policy_sha256=policies[1])]
        assert any("names the policy" in text for text in report_of(*lines).cautions), policies
    assert not any("names the policy" in text for text in report_of(make("mask", "live"), make()).cautions)


def test_species_that_dev_never_met_are_told(make: Make) -> None:
    dev = [make("print", "not-live", split="dev"), make(split="dev")]
    scope = report_of(*dev, make("print", "not-live"), make("mask", "live"), make()).scopes[0]
    (caution,) = [text for text in scope.cautions if "chosen without them" in text]
    assert "has no mask:" in caution and not scope.gates[0].operating_points[0].resolved


def test_the_cues_that_decided(make: Make) -> None:
    """A not-live verdict was decided by who said so; an inconclusive one by every gate that could not judge."""
    scope = scope_of(
        make("mask", "not-live", gates=answers(optics="inconclusive", pulse="not-live")),
        make("mask", "not-live", gates=answers(optics="not-live", pulse="not-live")),
        make("live", "inconclusive", gates=answers(optics="inconclusive", pulse="not-evaluated")),
        make("live", "inconclusive", gates=answers(optics="live", pulse="live")),
        make(),
    )
    assert [(cue.species, cue.outcome, cue.gate, cue.cue, cue.count) for cue in scope.cues] == [
        ("live", "inconclusive", "", "a key frame was not covered", 1),
        ("live", "inconclusive", "optics", "optics cue", 1),
        ("live", "inconclusive", "pulse", "pulse cue", 1),
        ("mask", "not-live", "pulse", "pulse cue", 2),
        ("mask", "not-live", "optics", "optics cue", 1),
    ]


def test_why_there_was_no_response(make: Make) -> None:
    scope = scope_of(
        make("mask", "rejected"), make("mask", "failed"), make("mask", "rejected"), make("live", "rejected"), make()
    )
    assert [(each.species, each.outcome, each.reason, each.count) for each in scope.reasons] == [
        ("live", "rejected", "too-far", 1),
        ("mask", "rejected", "too-far", 2),
        ("mask", "failed", "device-lost", 1),
    ]


def test_seconds_to_a_decision_are_of_those_who_got_one(make: Make) -> None:
    scope = scope_of(
        *(make(decision_s=float(seconds)) for seconds in range(1, 12)),
        make("live", "rejected", decision_s=99.0),
        make("mask", "rejected"),
    )
    assert scope.decision_living is not None
    assert scope.decision_living.count == 11
    assert (scope.decision_living.median_s, scope.decision_living.p90_s) == pytest.approx((6.0, 10.0))
    assert (scope.decision_living.p95_s, scope.decision_living.longest_s) == pytest.approx((10.5, 11.0))
    assert scope.decision_attacks is None


def test_thresholds_come_from_the_dev_split_of_the_same_sensor(make: Make) -> None:
    dev = [make("mask", "not-live", split="dev", sensor_unit="d", score=score / 10) for score in range(10)]
    dev.append(make(split="dev", sensor_unit="d"))
    lines = [make("mask", "not-live", score=0.85), make("mask", "not-live", score=0.1), make(score=0.9)]
    other = [make("mask", "not-live", sensor_kind="tof", sensor_unit="t"), make(sensor_kind="tof", sensor_unit="t")]
    test, tof, on_dev = report_of(*dev, *lines, *other).scopes
    point = test.gates[0].operating_points[0]
    assert (point.chosen_on, point.apcer, point.bpcer) == ("dev", Rate(1, 2), Rate(0, 1))
    assert {each.chosen_on for each in tof.gates[0].operating_points} == {"test"}
    assert any("There is no dev split" in text for text in tof.cautions)
    assert not any("There is no dev split" in text for text in (*test.cautions, *on_dev.cautions))


def test_the_full_system_where_matching_ran(make: Make) -> None:
    def tried(species: str, score: float, **changes: str) -> Presentation:
        return make(
            species, "live", purpose="verify", match_tried=True, match_score=score, match_threshold=0.4, **changes
        )

    scope = scope_of(
        tried("mask", 0.9, target_id="victim"),
        make("mask", "not-live", purpose="verify", target_id="victim"),
        tried("live", 0.9, target_id="me", person_id="me"),
        tried("live", 0.1, target_id="you", person_id="you"),
        make("print", "not-live", purpose="verify"),
    )
    mask, print_ = scope.species
    assert mask.matching is not None
    assert (mask.matching.iapar, mask.matching.riapar) == (Rate(1, 2), pytest.approx(1.0))
    assert print_.matching is None
    assert scope.living is not None
    assert scope.living.false_rejects == Rate(1, 2)
    assert scope.living.failure_to_enrol is None


def test_accepted_attacks_are_named_with_their_replay(make: Make) -> None:
    line = make("mask", "live", picture="pictures/a.png")
    (accepted,) = scope_of(line, make("mask", "not-live"), make()).accepted
    assert (accepted.presentation_id, accepted.instrument_id, accepted.seed, accepted.replay, accepted.picture) == (
        line.presentation_id, line.instrument_id, line.seed, line.replay, "pictures/a.png",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("about", "split", "said"),
    [
        (About(), "dev", "There is no test split"),
        (About(), "test", "does not say how often its test split was opened"),
        (About(test_openings=3), "test", "was opened 3 times"),
        (About(test_openings=1), "test", None),
    ],
)
def test_the_openings_of_the_test_split_are_said(make: Make, about: About, split: str, said: str | None) -> None:
    report = report_of(make(split=split), make("mask", "not-live", split=split), about=about)
    assert [text for text in report.cautions if said and said in text] == list(report.cautions)
    assert bool(report.cautions) is (said is not None)


def test_lines_without_a_policy_are_said(make: Make) -> None:
    lines = [make(policy_sha256=None), make("mask", "not-live")]
    report = report_of(*lines, about=About(test_openings=1))
    assert report.policy_sha256 is None
    assert report.cautions == ("Not every line names the policy that was tested.",)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([{"instrument_id": "a"}, {"instrument_id": "a"}], "Instruments of mask were presented under several grants"),
        ([{"instrument_id": "a", "grant_id": "g", "attempt": 1}, {"instrument_id": "a", "grant_id": "g", "attempt": 2}],
         "further attempts of one grant"),
    ],
)  # fmt: skip
def test_repeats_are_said_not_to_be_independent(make: Make, changes: list[dict[str, object]], said: str) -> None:
    cautions = scope_of(*(make("mask", "inconclusive", **each) for each in changes), make()).cautions
    found = [text for text in cautions if "several grants" in text or "further attempts" in text]
    assert len(found) == 1
    assert said in found[0]


def test_people_who_come_again_are_said(make: Make) -> None:
    cautions = scope_of(make(person_id="a"), make(person_id="a"), make("mask", "not-live")).cautions
    assert any("living people came under several grants" in text for text in cautions)


@pytest.mark.parametrize(("count", "few"), [(41, True), (42, False)])
def test_a_species_with_too_few_presentations_is_said(make: Make, count: int, few: bool) -> None:
    cautions = scope_of(*(make("mask", "not-live") for _ in range(count)), make()).cautions
    assert any("Fewer than 42 classified presentations of mask" in text for text in cautions) is few


def test_inconclusive_attacks_are_said(make: Make) -> None:
    cautions = scope_of(make("mask", "inconclusive"), make("print", "not-live"), make()).cautions
    assert any("Some presentations of mask ended inconclusive" in text for text in cautions)


def test_an_empty_side_of_a_scope_is_said(make: Make) -> None:
    other = {"sensor_kind": "tof"}
    lonely, attacked = report_of(make(), make("mask", "live", **other)).scopes
    assert lonely.species == ()
    assert (lonely.worst, lonely.joint_upper) == (None, None)
    assert any("no APCER" in text for text in lonely.cautions)
    assert attacked.living is None
    assert any("no BPCER" in text for text in attacked.cautions)


def campaign(make: Make) -> list[Presentation]:
    rng = random.Random(4)
    outcomes = ("live", "not-live", "inconclusive", "rejected", "failed")
    return [
        make(species, rng.choice(outcomes), score=rng.random(), tone=rng.choice(["I-II", "VI"]))
        for species in ("live", "mask", "print")
        for _ in range(20)
    ]


def test_the_order_of_lines_changes_nothing(make: Make) -> None:
    lines = campaign(make)
    shuffled = list(lines)
    random.Random(1).shuffle(shuffled)
    assert shuffled != lines
    assert report_of(*shuffled) == report_of(*lines)


def test_the_document_has_every_number_and_is_json(make: Make) -> None:
    report = report_of(*campaign(make))
    document = json.loads(json.dumps(as_document(report), allow_nan=False))
    assert (document["report"], document["version"], document["results_schema"]) == ("faceward.pad", 1, 1)
    assert document["bootstrap"] == {"resamples": 2000, "seed": 30107}
    scope, held = report.scopes[0], document["scopes"][0]
    rate = scope.species[0].apcer.rate
    assert held["species"][0]["apcer"]["rate"] == {
        "errors": rate.errors, "trials": rate.trials, "share": rate.share, "low": rate.low, "high": rate.high,
        "upper": rate.upper,
    }  # fmt: skip
    first = scope.gates[0].curves[0].points[0]
    assert held["gates"][0]["curves"][0]["points"][0] == [first.threshold, first.apcer, first.bpcer]
    assert document["simulated"] == 60
