"""Who stands where: seeds by split, by frozen gates and by nothing else."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, pairwise
from operator import attrgetter

from faceward_sim.campaign.presenting import presented
from faceward_sim.campaign.roster import RANGES, grant_of, roster
from hypothesis import given
from hypothesis import strategies as st


def seeds(entries):
    return {entry.scene.seed for entry in entries}


def test_a_roster_is_the_same_each_time_and_has_everybody_once(plan_of):
    entries = roster(plan_of(), "frozen")
    assert entries == roster(plan_of(), "frozen")
    assert len({entry.grant_id for entry in entries}) == len(entries) == 7
    assert sum(entry.attack for entry in entries) == 3
    assert {entry.tone for entry in entries if not entry.attack} == {"1", "4"}


def test_another_plan_seed_and_another_split_are_other_people(plan_of):
    dev = roster(plan_of(), "frozen")
    text = plan_of().content.decode() + '[leave_out]\nby = "species"\n'
    assert seeds(roster(plan_of(text), "frozen")) == seeds(dev)
    others = roster(plan_of("seed = 2\n" + plan_of().content.decode()), "frozen")
    test = roster(plan_of(split='"test"'), "frozen")
    train = roster(plan_of(split='"train"'), "frozen")
    for one, other in combinations((dev, others, test, train), 2):
        assert not seeds(one) & seeds(other)
        assert not {entry.sensor_unit for entry in one} & {entry.sensor_unit for entry in other}


def test_the_ranges_of_splits_do_not_touch():
    ranges = sorted(RANGES.values())
    assert all(before[1] <= after[0] for before, after in pairwise(ranges))


def test_test_seeds_follow_the_frozen_gates_and_dev_seeds_do_not(plan_of):
    dev, test = plan_of(), plan_of(split='"test"')
    assert seeds(roster(dev, "one")) == seeds(roster(dev, "other"))
    assert not seeds(roster(test, "one")) & seeds(roster(test, "other"))


def test_more_draws_leave_those_that_were_there_as_they_were(plan_of):
    few, many = roster(plan_of(), "f"), roster(plan_of(draws="50", people_per_tone="20"), "f")
    by_id = {entry.grant_id: entry for entry in many}
    assert all(by_id[entry.grant_id].scene == entry.scene for entry in few)


def test_groups_are_mixed_so_that_half_a_run_is_a_run_in_small(plan_of):
    entries = roster(plan_of(draws="20", people_per_tone="20"), "f")
    half = entries[: len(entries) // 2]
    assert sum(entry.attack for entry in half) == 10


def test_half_a_run_before_two_sensors_has_everybody_once_and_either_sensor_as_often(plan_of):
    text = plan_of(draws="24", people_per_tone="24").content.decode().replace('["sl-940"]', '["sl-940", "sl-850-940"]')
    entries = roster(plan_of("distances_mm = [300.0, 400.0, 500.0]\n" + text), "f")
    half = entries[: len(entries) // 2]
    assert len({entry.scene.seed for entry in half}) == len(half)
    for attack in (True, False):
        mine = [entry for entry in half if entry.attack is attack]
        for what in (attrgetter("tone"), attrgetter("scene.environment.distance_mm")):
            met = Counter((entry.sensor_kind, what(entry)) for entry in mine)
            assert len(met) == 2 * len({what(entry) for entry in mine})
            assert max(met.values()) - min(met.values()) <= 4


def test_each_attempt_has_a_nonce_of_its_own_that_is_the_same_again(plan_of):
    entry, other = roster(plan_of(), "f")[:2]
    nonces = [entry.nonce(1), entry.nonce(2), other.nonce(1)]
    assert len(set(nonces)) == 3 and {len(nonce) for nonce in nonces} == {16}
    assert entry.nonce(1) == roster(plan_of(), "f")[0].nonce(1)


@given(st.integers(1, 99))
def test_the_grant_of_a_presentation_is_what_stands_before_the_attempt(attempt):
    assert grant_of(f"sl-940-live-00012-{attempt}") == "sl-940-live-00012"


def test_a_grants_own_id_is_its_grant():
    assert grant_of("sl-940-live-00012") == "sl-940-live-00012"


def test_designs_are_presented_in_turn_each_where_it_wants_to_stand(plan_of, tmp_path):
    (tmp_path / "found.toml").write_text("[[designs]]\ndistance_mm = 300.0\n[[designs]]\ndistance_mm = 500.0\n")
    text = plan_of().content.decode().replace("print-a4", "mask-adaptive")
    plan = plan_of(text + 'designs = "found.toml"\n')
    attacks = [entry for entry in roster(plan, "f") if entry.attack]
    stood = {entry.grant_id[-1]: entry.scene.environment.distance_mm for entry in attacks}
    assert stood == {"0": 300.0, "1": 500.0, "2": 300.0}
    assert all(entry.scene.who.design.distance_mm == stood[entry.grant_id[-1]] for entry in attacks)
    assert len(seeds(attacks)) == 3
    assert [presented(entry).adaptive for entry in roster(plan, "f")].count(True) == 3
    assert not any(presented(entry).adaptive for entry in roster(plan_of(), "f"))
