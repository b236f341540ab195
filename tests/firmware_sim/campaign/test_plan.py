"""Plans: what is wrong is told by key, and those that ship can be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from faceward_sim.campaign.plan import load_plan
from faceward_sim.campaign.run import counts, notes_of
from faceward_sim.tables import TableError

PLANS = sorted((Path(__file__).resolve().parents[3] / "firmware_sim/plans").glob("*.toml"))

GENEROUS = """
generator = "A"
name = "small"
split = "dev"
sensors = ["sl-940"]
headline = false
[[attacks]]
actor = "print-a4"
draws = 3
[live]
tones = [1.0, 4.0]
people_per_tone = 2
"""


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_a_plan_that_ships_is_read_and_says_what_it_may_be_used_for(path):
    plan = load_plan(path)
    assert plan.name == path.stem
    assert ("makes no headline" in notes_of(plan)) is not plan.headline
    assert "simulated" in notes_of(plan)
    assert ("its test people are unseen, it is not" in notes_of(plan)) is (plan.split == "test")
    if plan.leave_out is not None:
        assert "nothing is trained" in notes_of(plan)


def test_the_plans_that_ship_have_the_numbers_that_the_rules_ask_for():
    by_name = {path.stem: load_plan(path) for path in PLANS}
    smoke, first, headline = by_name["smoke"], by_name["first"], by_name["headline"]
    assert not smoke.headline
    assert {attack.draws for attack in first.attacks} == {42} and first.live.people_per_tone == 60
    draws = {attack.actor: attack.draws for attack in headline.attacks}
    assert draws.pop("mask-silicone") == draws.pop("mask-silicone-matched") == 299
    assert set(draws.values()) == {86} and headline.live.people_per_tone == 150
    assert {first.split, headline.split} == {"test"}


@pytest.mark.parametrize(
    ("replaced", "told"),
    [
        ({"generator": '"B"'}, "generator: this version has no generator 'B'; there is A"),
        ({"split": '"tset"'}, r"split: 'tset' is none of dev, test, train \(did you mean test\?\)"),
        ({"sensors": '["sl-1550"]'}, "sensors: 'sl-1550' is none of"),
        ({"sensors": "[]"}, "sensors: names no sensor"),
        ({"name": '"../x"'}, "name: .* is not of the form"),
        ({"headline": '"no"'}, "headline: 'no' is not true or false"),
        ({"draws": "0"}, r"attacks\[0\].draws: 0 is not between 1"),
        ({"tones": "[1.0, 1.0]"}, "live.tones: names one tone twice"),
        ({"actor": '"live"'}, r"attacks\[0\].actor: 'live' is none of"),
    ],
)
def test_what_is_wrong_is_told_by_key(plan_of, replaced, told):
    with pytest.raises(TableError, match=rf"plan\.toml: {told}"):
        plan_of(GENEROUS, **replaced)


def test_an_actor_twice_is_added_up_and_nobody_at_all_is_no_plan(plan_of):
    with pytest.raises(TableError, match="print-a4 stands there twice"):
        plan_of('name = "n"\nsplit = "dev"\nsensors = ["sl-940"]\nheadline = false\n'
                + '[[attacks]]\nactor = "print-a4"\ndraws = 1\n' * 2)  # fmt: skip
    with pytest.raises(TableError, match="presents nobody"):
        plan_of('name = "n"\nsplit = "dev"\nsensors = ["sl-940"]\nheadline = false\n')


def test_the_train_split_has_a_thousand_seeds(plan_of):
    with pytest.raises(TableError, match="train has 1000 seeds"):
        plan_of(split='"train"', draws="1001")


def test_what_a_plan_presents_is_counted_by_sensor_and_species(plan_of):
    assert counts(plan_of()) == [("sl-940", "live (live)", 4), ("sl-940", "print (print-a4)", 3)]
