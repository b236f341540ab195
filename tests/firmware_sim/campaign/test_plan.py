"""Plans: what is wrong is told by key, and those that ship can be read."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest
from faceward_sim.campaign.plan import load_plan
from faceward_sim.campaign.roster import roster
from faceward_sim.campaign.run import counts, notes_of
from faceward_sim.tables import TableError
from faceward_sim.world.actors import attacks
from faceward_sim.world.adaptive import AdaptiveDesign

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
    assert "its test people are unseen, it is not" not in notes_of(plan)
    assert plan.generator == ("B" if plan.split == "test" else "A")
    if plan.leave_out is not None:
        assert "nothing is trained" in notes_of(plan)


def test_the_plans_that_ship_have_the_numbers_that_the_rules_ask_for():
    by_name = {path.stem: load_plan(path) for path in PLANS}
    smoke, first, headline = by_name["smoke"], by_name["first"], by_name["headline"]
    assert not smoke.headline
    assert set(_by_species(first).values()) == {42} and first.live.people_per_tone == 60
    draws = _by_species(headline)
    silicone = {species for species in draws if "silicone" in species or "press" in species}
    assert len(silicone) == 9 and {draws.pop(species) for species in silicone} == {299}
    assert set(draws.values()) == {86} and headline.live.people_per_tone == 150
    for plan in (first, headline):
        assert {attack.actor for attack in plan.attacks} == {spec.name for spec in attacks()}
        assert plan.split == "test" and plan.sensors == ("sl-940", "sl-850-940")


def _by_species(plan):
    draws = Counter()
    for attack in plan.attacks:
        draws[attack.species] += attack.draws
    return draws


def test_a_test_split_by_the_generator_that_gates_were_tuned_on_says_so(plan_of):
    said = "its test people are unseen, it is not"
    assert said in notes_of(plan_of(split='"test"'))
    assert said not in notes_of(plan_of(GENEROUS, split='"test"', generator='"B"'))


def test_actors_of_one_species_are_reported_as_one_and_apart_by_instrument(plan_of):
    plan = plan_of(GENEROUS.replace("draws = 3", 'draws = 3\nspecies = "paper"'))
    entries = [entry for entry in roster(plan, "frozen") if entry.attack]
    assert {entry.species for entry in entries} == {"paper"}
    assert all(entry.instrument_id.startswith("print-a4-") for entry in entries)


def test_a_plans_generator_is_its_scenes_and_draws_others(plan_of):
    one, other = (roster(plan_of(GENEROUS, generator=f'"{name}"'), "frozen") for name in "AB")
    assert {entry.scene.generator for entry in one} == {"A"} and {entry.scene.generator for entry in other} == {"B"}
    assert not {entry.scene.seed for entry in one} & {entry.scene.seed for entry in other}


@pytest.mark.parametrize(
    ("replaced", "told"),
    [
        ({"generator": '"C"'}, "generator: this version has no generator 'C'; there is A, B"),
        ({"actor": '"head-wax"'}, r"attacks\[0\].actor: generator A has no actor 'head-wax'; set generator = \"B\""),
        ({"sensors": '["sl-wide-940"]'}, "sensors: generator A has no sensor 'sl-wide-940'"),
        ({"draws": '3\nspecies = "live"'}, r"attacks\[0\].species: 'live' is nothing that a gate should stop"),
        ({"draws": '3\nspecies = "mask-adaptive"'}, r"attacks\[0\].species: 'mask-adaptive' is what was searched"),
        ({"name": '"x"\nfrozen = "ab"'}, "frozen: 'ab' is not of the form"),
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


SEARCHED = GENEROUS.replace("print-a4", "mask-adaptive")
ONE, TWO = "[[designs]]\nwash = 0.9\n", "[[designs]]\nwash = 0.9\n[[designs]]\nthickness_mm = 1.0\n"


def test_designs_are_read_beside_the_plan_and_belong_to_its_digest(plan_of, tmp_path):
    (tmp_path / "found.toml").write_text(ONE)
    text = SEARCHED.replace("draws = 3", 'draws = 3\ndesigns = "found.toml"')
    one = plan_of(text)
    assert (one.attacks[0].species, one.attacks[0].designs) == ("mask-adaptive", (AdaptiveDesign(wash=0.9),))
    (tmp_path / "found.toml").write_text(TWO)
    two = plan_of(text)
    assert len(two.attacks[0].designs) == 2 and two.content == one.content and two.digest != one.digest
    assert two.beside == (("found.toml", TWO.encode()),)


def test_without_designs_a_plans_digest_is_that_of_its_bytes(plan_of):
    assert plan_of().digest == hashlib.sha256(plan_of().content).hexdigest()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", "attacks[0].designs: is missing"),
        ('designs = "nothing.toml"', "nothing.toml can't be read"),
        ('designs = "../found.toml"', "is not of the form"),
        ('designs = "policy.toml"', "is the name of another file of a campaign"),
        ('designs = "empty.toml"', "holds no design"),
    ],
)
def test_an_adaptive_species_without_designs_is_refused(plan_of, tmp_path, line, told):
    (tmp_path / "empty.toml").write_text("")
    with pytest.raises(TableError) as refused:
        plan_of(SEARCHED.replace("draws = 3", f"draws = 3\n{line}"))
    assert told in str(refused.value)


def test_nobody_else_has_designs(plan_of, tmp_path):
    (tmp_path / "found.toml").write_text(ONE)
    with pytest.raises(TableError, match="designs: no such key"):
        plan_of(GENEROUS.replace("draws = 3", 'draws = 3\ndesigns = "found.toml"'))
