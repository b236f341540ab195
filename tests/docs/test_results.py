"""The results that the documents quote lie beside them, and their summary is what the report makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from faceward.pad import build_report, read_results, render_summary
from faceward_sim.campaign.folder import CampaignFolder

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted(path.parent for path in (ROOT / "docs/results").glob("*/campaign.json"))


def test_there_are_results() -> None:
    assert [folder.name for folder in FOLDERS] == ["first"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_summary_is_the_reports(folder: Path) -> None:
    assert (folder / "README.md").read_text(encoding="utf-8") == render_summary(build_report(read_results(folder)))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_results_are_those_of_the_plan_that_ships_and_quoted_as_far_as_they_are(folder: Path) -> None:
    campaign = CampaignFolder.open(folder)
    assert campaign.plan.content == (ROOT / f"firmware_sim/plans/{folder.name}.toml").read_bytes()
    done = {line.grant_id for line in read_results(folder).presentations}
    roster = campaign.roster()
    assert done <= {entry.grant_id for entry in roster}
    quoted = f"{len(done):,} of {len(roster):,} grants"
    for document in ("README.md", "docs/measured.md"):
        assert quoted in (ROOT / document).read_text(encoding="utf-8"), document
