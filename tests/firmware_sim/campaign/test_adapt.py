"""A search from its first presentation to its report: resumable, on the attacker's own wearers, and told as simulated."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from faceward import ConfigError
from faceward.pad import CaptureOutcome, read_results
from faceward_sim.campaign import adapt as adapting
from faceward_sim.campaign.adapt import FINALISTS, IDENTITY, SCENES, Budget, adapt
from faceward_sim.campaign.designs import read_designs
from faceward_sim.campaign.finding import DESIGNS, PRESENT, REPORT, write_found
from faceward_sim.campaign.folder import CampaignFolder, FolderError
from faceward_sim.campaign.plan import load_plan
from faceward_sim.campaign.presenting import Order
from faceward_sim.campaign.roster import RANGES, roster
from faceward_sim.campaign.run import notes_of, open_system
from faceward_sim.scene import load_scene

LIVE, NOT_LIVE = CaptureOutcome.LIVE, CaptureOutcome.NOT_LIVE


@pytest.fixture(autouse=True)
def one_band(monkeypatch):
    monkeypatch.setattr(adapting, "_sees_second_band", lambda sensors: False)


def thin_passes(order: Order):
    design = order.entry.scene.who.design
    assert design is not None
    return [LIVE if design.thickness_mm < 2.4 else NOT_LIVE]


def searched(plan, out, crew, presentations=28, **options):
    return adapt(plan, out, crew, presentations=presentations, **options)


def test_a_budget_is_spent_on_generations_and_on_finals_and_never_beyond():
    for presentations in range(8, 400):
        budget = Budget.of(presentations)
        assert budget.size >= 4 and budget.generations >= 1 and budget.finals >= 1
        assert presentations - FINALISTS < budget.total <= presentations
    assert Budget.of(24) == Budget(6, 3, 2)
    with pytest.raises(ValueError, match="8 presentations at least"):
        Budget.of(7)
    with pytest.raises(ValueError, match="15 presentations at least"):
        Budget.of(14, size=12)


def test_a_search_turns_to_what_is_taken_for_living(plan_of, made_up_crew, tmp_path):
    told = []
    found = searched(plan_of(), tmp_path / "out", made_up_crew(thin_passes), 160, tell=told.append)
    assert found.complete and len(found.finalists) == FINALISTS
    first, last = ([each.design.thickness_mm for each in found.generations[place]] for place in (0, -1))
    assert sum(last) / len(last) < sum(first) / len(first)
    assert found.finalists[0].accepted == len(found.finalists[0].finals) == Budget.of(160).finals
    assert [each.score for each in found.finalists] == sorted((each.score for each in found.finalists), reverse=True)
    assert (told[-1].done, told[-1].total, told[-1].left_s) == (Budget.of(160).total, Budget.of(160).total, 0)


def test_a_generation_differs_in_its_designs_alone_and_finals_have_other_wearers(plan_of, made_up_crew, tmp_path):
    found = searched(plan_of(), tmp_path / "out", made_up_crew(thin_passes))
    wearers = []
    for tried in found.generations:
        assert len({each.entry.scene.seed for each in tried}) == len({each.entry.nonce(1) for each in tried}) == 1
        assert len({each.entry.sensor_unit for each in tried}) == 1
        assert len({each.design for each in tried}) == len(tried) == len({each.entry.instrument_id for each in tried})
        wearers.append(tried[0].entry.scene.seed)
    for finalist in found.finalists:
        seeds = [each.entry.scene.seed for each in finalist.finals]
        assert len(set(seeds)) == len(seeds) and not set(seeds) & set(wearers)
    assert len(set(wearers)) == len(wearers)


@pytest.mark.parametrize("split", ["dev", "test", "train"])
def test_whatever_the_plans_split_the_attacker_has_dev_people_that_the_plan_never_presents(
    plan_of, made_up_crew, tmp_path, split
):
    plan = plan_of(split=f'"{split}"')
    searched(plan, tmp_path / "out", made_up_crew(thin_passes))
    lines = read_results(tmp_path / "out").presentations
    low, high = RANGES["dev"]
    assert all(line.split == "dev" and low <= line.seed < high and line.adaptive and line.simulated for line in lines)
    assert not {line.seed for line in lines} & {entry.scene.seed for entry in roster(plan, "frozen")}


def test_every_presentation_is_a_line_with_its_scene_beside(plan_of, made_up_crew, tmp_path):
    out = tmp_path / "out"
    found = searched(plan_of(), out, made_up_crew(thin_passes))
    lines = read_results(out).presentations
    assert len(lines) == Budget.of(28).total == len(list((out / SCENES).iterdir()))
    for tried in found.generations[0]:
        scene = load_scene(out / SCENES / f"{tried.line.grant_id}.toml")
        assert scene == tried.entry.scene and scene.environment.distance_mm == tried.design.distance_mm
        assert tried.line.replay.endswith(f"{tried.line.grant_id}.toml")


def test_a_search_that_is_killed_comes_to_what_it_would_have_come_to(plan_of, made_up_crew, tmp_path):
    whole = searched(plan_of(), tmp_path / "whole", made_up_crew(thin_passes))
    out, worked = tmp_path / "out", []
    for lasts in (3, 9, 5):
        crew = made_up_crew(thin_passes, lasts=lasts)
        with pytest.raises(KeyboardInterrupt):
            searched(plan_of(), out, crew)
        worked += crew.worked
    crew = made_up_crew(thin_passes)
    found = searched(plan_of(), out, crew)
    worked += crew.worked
    assert len(worked) == len(set(worked)) == Budget.of(28).total
    assert found == whole
    idle = made_up_crew(thin_passes)
    assert searched(plan_of(), out, idle) == whole and idle.worked == []


def test_a_search_that_is_interrupted_says_that_it_has_not_ended(plan_of, made_up_crew, tmp_path):
    out, crew = tmp_path / "out", made_up_crew(thin_passes)
    found = searched(plan_of(), out, crew, stop=lambda: len(crew.worked) >= 4)
    assert not found.complete and found.finalists == () and len(crew.worked) == 4
    write_found(out, plan_of(), found)
    assert "Stopped before its end" in (out / REPORT).read_text()
    assert not (out / DESIGNS).exists() and not (out / PRESENT).exists()
    assert searched(plan_of(), out, made_up_crew(thin_passes)).complete


def test_a_larger_budget_goes_on_searching_where_it_was(plan_of, made_up_crew, tmp_path):
    out = tmp_path / "out"
    few = searched(plan_of(), out, made_up_crew(thin_passes))
    crew = made_up_crew(thin_passes)
    many = searched(plan_of(), out, crew, 60)
    assert many.generations[: len(few.generations)] == few.generations
    assert len(many.generations) > len(few.generations)
    assert not {each.line.grant_id for tried in few.generations for each in tried} & set(crew.worked)


def test_what_fails_scores_nothing_and_the_search_goes_on(plan_of, made_up_crew, tmp_path):
    out = tmp_path / "out"
    found = searched(plan_of(), out, made_up_crew(lambda order: "worker-died"))
    assert found.complete and {each.score for tried in found.generations for each in tried} == {0.0}
    write_found(out, plan_of(), found)
    assert "| worker-died | 6 | 6 | 18 |" in (out / REPORT).read_text()


def test_a_folder_belongs_to_one_search(plan_of, made_up_crew, tmp_path):
    out, crew = tmp_path / "out", made_up_crew(thin_passes)
    searched(plan_of(), out, crew)
    with pytest.raises(FolderError, match="begun under another seed"):
        searched(plan_of(), out, crew, seed=2)
    with pytest.raises(FolderError, match="begun under another plan"):
        searched(plan_of(draws="4"), out, crew)
    identity = json.loads((out / IDENTITY).read_bytes())
    (out / IDENTITY).write_text(json.dumps({**identity, "frozen_sha256": "0" * 64}))
    with pytest.raises(FolderError, match="begun under other gates"):
        searched(plan_of(), out, crew)
    (out / IDENTITY).write_text("[]")
    with pytest.raises(FolderError, match="can't be read"):
        searched(plan_of(), out, crew)
    with pytest.raises(FolderError, match="has results of something else"):
        CampaignFolder.claim(out, plan_of(), "frozen", b"policy")
    CampaignFolder.claim(tmp_path / "other", plan_of(), "frozen", b"policy")
    with pytest.raises(FolderError, match="has results of something else"):
        searched(plan_of(), tmp_path / "other", crew)


def test_another_seed_searches_another_way_on_other_wearers(plan_of, made_up_crew, tmp_path):
    one = searched(plan_of(), tmp_path / "one", made_up_crew(thin_passes))
    other = searched(plan_of(), tmp_path / "other", made_up_crew(thin_passes), seed=2)
    seeds, designs = (
        [{read(each) for each in found.generations[0]} for found in (one, other)]
        for read in (lambda each: each.entry.scene.seed, lambda each: each.design)
    )
    assert not seeds[0] & seeds[1] and not designs[0] & designs[1]


def test_what_is_left_can_be_presented_on_test_seeds_as_an_adaptive_species(plan_of, made_up_crew, tmp_path):
    out = tmp_path / "out"
    found = searched(plan_of(), out, made_up_crew(thin_passes))
    write_found(out, plan_of(), found)
    assert read_designs(out / DESIGNS) == tuple(each.design for each in found.finalists)
    plan = load_plan(out / PRESENT)
    assert (plan.split, plan.attacks[0].draws, plan.live) == ("test", 42, plan_of().live)
    assert plan.frozen == found.frozen and "other" not in notes_of(plan)
    open_system(plan, None)
    with pytest.raises(ConfigError, match="its designs were searched"):
        open_system(replace(plan, frozen="0" * 64), None)
    assert "they may be others" in notes_of(replace(plan, frozen=None))
    entries = [entry for entry in roster(plan, "frozen") if entry.attack]
    assert {entry.species for entry in entries} == {"mask-adaptive"}
    assert {entry.scene.who.design for entry in entries} == set(read_designs(out / DESIGNS))
    assert not {entry.scene.seed for entry in entries} & {line.seed for line in read_results(out).presentations}


def test_the_report_says_what_held_and_that_it_is_simulated(plan_of, made_up_crew, tmp_path):
    out = tmp_path / "out"
    found = searched(plan_of(), out, made_up_crew(thin_passes))
    write_found(out, plan_of(), found)
    text = (out / REPORT).read_text()
    assert "Everything here is simulated" in text and found.frozen in text
    taken = sum(each.line.outcome is LIVE for tried in found.generations for each in tried)
    held = sum(len(tried) for tried in found.generations) - taken
    assert taken > 0 and held > 0
    assert f" | {held} | " in next(line for line in text.splitlines() if line.startswith("| drawn: cue"))
    assert text.count("of 6 |") == len(found.generations) == Budget.of(28).generations
    assert "| thickness_mm |" in text and "0.8 to 4" in text


def test_a_policy_of_its_own_goes_with_the_plan_that_presents(plan_of, made_up_crew, tmp_path):
    packaged = open_system(plan_of(), None).policy.path.read_bytes()
    (tmp_path / "mine.toml").write_bytes(packaged)
    plan, out = plan_of('policy = "mine.toml"\n' + plan_of().content.decode()), tmp_path / "out"
    write_found(out, plan, searched(plan, out, made_up_crew(thin_passes)))
    presented = load_plan(out / PRESENT)
    assert presented.policy is not None and presented.policy.read_bytes() == packaged
