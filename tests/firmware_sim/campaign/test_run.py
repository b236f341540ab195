"""A campaign's run: every presentation a line, gone on with after a kill, openings counted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from faceward import ConfigError
from faceward.pad import About, CaptureOutcome, ResultsWriter, read_results, write_about
from faceward.trial import Trial
from faceward_sim.campaign.crew import CrewError, Done
from faceward_sim.campaign.folder import FAILURES, CampaignFolder, FolderError
from faceward_sim.campaign.presenting import Order, SetUpError
from faceward_sim.campaign.run import RUN_KILLED, find_entry, notes_of, open_system, replay, run_campaign

LIVE, NOT_LIVE = CaptureOutcome.LIVE, CaptureOutcome.NOT_LIVE
INCONCLUSIVE, REJECTED = CaptureOutcome.INCONCLUSIVE, CaptureOutcome.REJECTED


def right(order: Order):
    return [NOT_LIVE] if order.entry.attack else [INCONCLUSIVE, LIVE]


def test_every_attempt_is_a_line_and_a_second_run_has_nothing_to_do(plan_of, made_up_crew, tmp_path):
    plan, out, told = plan_of(), tmp_path / "out", []
    ending = run_campaign(plan, out, made_up_crew(right), tell=told.append)
    lines = read_results(out).presentations
    assert (ending.grants, ending.total, len(lines)) == (7, 7, 4 * 2 + 3)
    assert ending.ends == {"live": 4, "inconclusive": 4, "not-live": 3}
    assert [each.done for each in told] == list(range(1, 8)) and told[-1].left_s == 0
    idle = made_up_crew(right)
    assert run_campaign(plan, out, idle).ends == {} and idle.worked == []


def test_a_run_that_ends_early_is_gone_on_with_where_it_ended(plan_of, made_up_crew, tmp_path):
    plan, out = plan_of(), tmp_path / "out"
    first, second = made_up_crew(right, lasts=3), made_up_crew(right)
    with pytest.raises(KeyboardInterrupt):
        run_campaign(plan, out, first)
    ending = run_campaign(plan, out, second)
    assert ending.grants == 7
    assert len(first.worked) == 3 and not set(first.worked) & set(second.worked)
    assert len(read_results(out).presentations) == 11


def test_a_grant_that_was_cut_between_two_lines_gets_one_that_says_so(plan_of, made_up_crew, tmp_path, line_maker):
    plan, out = plan_of(), tmp_path / "out"
    system = open_system(plan, None)
    folder = CampaignFolder.claim(out, plan, system.frozen_digest(), system.policy.path.read_bytes())
    entry = next(each for each in folder.roster() if not each.attack)
    with ResultsWriter(out) as writer:
        writer.write(line_maker(Order(entry, b"", "", None), 1, INCONCLUSIVE))
    crew = made_up_crew(right)
    run_campaign(plan, out, crew)
    assert entry.grant_id not in crew.worked
    lines = [line for line in read_results(out).presentations if line.grant_id == entry.grant_id]
    assert [(line.attempt, line.error_code) for line in lines] == [(1, None), (2, RUN_KILLED)]


def test_what_breaks_is_a_line_and_what_is_known_of_it_is_kept(plan_of, made_up_crew, tmp_path):
    out = tmp_path / "out"
    ending = run_campaign(plan_of(), out, made_up_crew(lambda order: "worker-died"))
    lines = read_results(out).presentations
    assert ending.ends == {"failed": 7} and {line.error_code for line in lines} == {"worker-died"}
    told = (out / FAILURES).read_text()
    assert told.count("all that is known") == 7 and lines[0].presentation_id in told


def test_an_accepted_attack_has_its_picture_beside(plan_of, made_up_crew, tmp_path):
    out = tmp_path / "out"
    run_campaign(plan_of(), out, made_up_crew(lambda order: [LIVE]))
    shown = [line.picture for line in read_results(out).presentations if line.attack]
    assert len(shown) == 3 and all((out / name).read_bytes() == b"png" for name in shown)
    assert all(line.picture is None for line in read_results(out).presentations if not line.attack)


def test_an_opening_of_the_test_split_is_counted_before_anything_is_presented(plan_of, made_up_crew, tmp_path):
    plan, out = plan_of(split='"test"'), tmp_path / "out"

    def none(order: Order):
        raise AssertionError("nothing was to be presented")

    with pytest.raises(KeyboardInterrupt):
        run_campaign(plan, out, made_up_crew(none, lasts=0))
    ending = run_campaign(plan, out, made_up_crew(right))
    assert ending.openings == 2 and read_results(out).about.test_openings == 2
    assert run_campaign(plan, out, made_up_crew(right)).openings is None
    assert read_results(out).about.test_openings == 2


def test_openings_can_be_counted_in_one_place_for_several_folders(plan_of, made_up_crew, tmp_path):
    plan, ledger = plan_of(split='"test"'), tmp_path / "openings.log"
    for number in (1, 2):
        out = tmp_path / f"out{number}"
        assert run_campaign(plan, out, made_up_crew(right), openings=ledger).openings == number


def test_a_dev_run_opens_nothing(plan_of, made_up_crew, tmp_path):
    ending = run_campaign(plan_of(), tmp_path / "out", made_up_crew(right))
    about = read_results(tmp_path / "out").about
    assert ending.openings is None and about.test_openings is None
    assert about.notes == notes_of(plan_of()) and "makes no headline" in about.notes


def test_a_run_that_is_told_to_stop_says_how_far_it_is(plan_of, made_up_crew, tmp_path):
    ends = []
    crew = made_up_crew(right)
    ending = run_campaign(plan_of(), tmp_path / "out", crew, tell=ends.append, stop=lambda: len(ends) >= 2)
    assert (ending.grants, ending.total) == (2, 7)


def test_lines_of_another_order_are_not_written(plan_of, made_up_crew, tmp_path, line_maker):
    class Confused(made_up_crew):
        def work(self, orders):
            first, second, *_ = orders
            yield Done(first, (Trial(line_maker(first, 1, INCONCLUSIVE)), Trial(line_maker(second, 2, LIVE))))

    with pytest.raises(CrewError, match="nothing of it was written"):
        run_campaign(plan_of(), tmp_path / "out", Confused(right))
    with pytest.raises(ConfigError, match="no results"):
        read_results(tmp_path / "out")


def test_a_replay_of_the_test_split_is_an_opening(plan_of, made_up_crew, tmp_path, monkeypatch):
    monkeypatch.setattr("faceward_sim.campaign.presenting.present", lambda order: ())
    for split, openings in (("test", 2), ("dev", None)):
        out = tmp_path / split
        run_campaign(plan_of(split=f'"{split}"'), out, made_up_crew(right))
        _, lines = replay(out, "sl-940-live-00000")
        assert len(lines) == 2 and read_results(out).about.test_openings == openings
    known = About("mine", "six more were lost", 9)
    write_about(tmp_path / "test", known)
    replay(tmp_path / "test", "sl-940-live-00000")
    assert read_results(tmp_path / "test").about == replace(known, test_openings=10)


def test_a_replay_is_before_the_campaigns_gates_unless_any_will_do(plan_of, made_up_crew, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("faceward_sim.campaign.presenting.present", lambda order: asked.append(order.frozen) or ())
    plan, out = plan_of(split='"test"'), tmp_path / "out"
    run_campaign(plan, out, made_up_crew(right))
    here = open_system(plan, None).frozen_digest()
    identity = (out / "campaign.json").read_text()
    (out / "campaign.json").write_text(identity.replace(here, "0" * 64))
    with pytest.raises(SetUpError, match="other gates"):
        replay(out, "sl-940-live-00000")
    assert read_results(out).about.test_openings == 1
    replay(out, "sl-940-live-00000", any_gates=True)
    assert asked == [here] and read_results(out).about.test_openings == 2


def test_a_presentation_is_found_by_its_id_and_by_its_grants(plan_of, tmp_path):
    folder = CampaignFolder.claim(tmp_path / "out", plan_of(), "frozen", b"")
    entry = folder.roster()[3]
    assert find_entry(folder, f"{entry.grant_id}-2") == find_entry(folder, entry.grant_id) == entry
    with pytest.raises(FolderError, match="has no presentation 'sl-940-live-09999-1'"):
        find_entry(folder, "sl-940-live-09999-1")
