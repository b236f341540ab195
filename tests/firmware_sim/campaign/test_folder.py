"""A campaign's folder: whose it is, and how far."""

from __future__ import annotations

import json

import pytest
from faceward.pad import CaptureOutcome
from faceward_sim.campaign.folder import OPENINGS, PLAN, CampaignFolder, FolderError, Standing
from faceward_sim.campaign.presenting import Order


def test_a_folder_is_gone_on_with_by_the_same_plan_and_gates_alone(plan_of, tmp_path):
    plan, out = plan_of(), tmp_path / "out"
    claimed = CampaignFolder.claim(out, plan, "frozen", b"policy")
    assert CampaignFolder.claim(out, plan, "frozen", b"policy") == claimed
    with pytest.raises(FolderError, match="begun under other gates"):
        CampaignFolder.claim(out, plan, "other", b"policy")
    with pytest.raises(FolderError, match="belongs to another plan"):
        CampaignFolder.claim(out, plan_of(draws="4"), "frozen", b"policy")


def test_a_folder_with_other_results_is_not_taken(plan_of, tmp_path):
    (tmp_path / "results-00001.parquet").write_bytes(b"")
    with pytest.raises(FolderError, match="has results of something else"):
        CampaignFolder.claim(tmp_path, plan_of(), "frozen", b"policy")


def test_a_kill_before_the_folder_said_whose_it_is_leaves_one_that_can_be_claimed(plan_of, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / PLAN).write_bytes(b"half")
    CampaignFolder.claim(out, plan_of(), "frozen", b"policy")
    assert CampaignFolder.open(out).plan.digest == plan_of().digest


def test_a_folder_is_opened_with_what_it_began_with(plan_of, tmp_path):
    claimed = CampaignFolder.claim(tmp_path / "out", plan_of(), "frozen", b"policy")
    found = CampaignFolder.open(tmp_path / "out")
    assert (found.frozen, found.policy, found.roster()) == ("frozen", b"policy", claimed.roster())
    with (tmp_path / "out" / PLAN).open("a") as file:
        file.write("\n")
    with pytest.raises(FolderError, match="was changed after"):
        CampaignFolder.open(tmp_path / "out")
    with pytest.raises(FolderError, match="is no campaign's folder"):
        CampaignFolder.open(tmp_path)


def test_every_opening_is_a_line_that_says_under_which_gates(plan_of, tmp_path):
    folder = CampaignFolder.claim(tmp_path / "out", plan_of(split='"test"'), "frozen", b"policy")
    ledger = tmp_path / "out" / OPENINGS
    assert [folder.note_opening(ledger, 0), folder.note_opening(ledger, 5)] == [1, 2]
    rows = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert [row["lines_before"] for row in rows] == [0, 5]
    assert {row["frozen_sha256"] for row in rows} == {"frozen"}


@pytest.mark.parametrize(
    ("ends", "captures", "standing"),
    [
        (["live"], 3, "done"),
        (["not-live"], 3, "done"),
        (["inconclusive"], 3, "cut"),
        (["rejected", "inconclusive"], 3, "cut"),
        (["inconclusive", "rejected", "inconclusive"], 3, "done"),
        (["inconclusive"], 1, "done"),
        ([], 3, "left"),
    ],
)
def test_a_grant_is_done_when_nothing_would_follow(plan_of, line_maker, ends, captures, standing):
    plan = plan_of()
    folder = CampaignFolder(plan.path, plan, "frozen", b"")
    entry = next(each for each in folder.roster() if not each.attack)
    order = Order(entry, b"", "frozen", None)
    lines = [line_maker(order, number, CaptureOutcome(end)) for number, end in enumerate(ends, 1)]
    found = Standing.of([entry], lines, captures)
    assert (entry.grant_id in found.done) is (standing == "done")
    assert found.cut == ({entry.grant_id: len(ends)} if standing == "cut" else {})


def test_a_folder_keeps_the_designs_that_its_plan_names(plan_of, tmp_path):
    (tmp_path / "found.toml").write_text("[[designs]]\nwash = 0.9\n")
    text = plan_of().content.decode().replace("print-a4", "mask-adaptive") + 'designs = "found.toml"\n'
    claimed = CampaignFolder.claim(tmp_path / "out", plan_of(text), "frozen", b"policy")
    (tmp_path / "found.toml").unlink()
    assert CampaignFolder.open(tmp_path / "out").roster() == claimed.roster()
    (tmp_path / "out" / "found.toml").write_text("[[designs]]\nwash = 0.8\n")
    with pytest.raises(FolderError, match="was changed after the campaign began"):
        CampaignFolder.open(tmp_path / "out")
