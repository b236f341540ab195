"""The summary in Markdown: the page's figures, in a table that nothing written by others can break."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from faceward.pad.presentation import Presentation
from faceward.pad.report import build_report
from faceward.pad.results import About, Results
from faceward.pad.summary import cell, render_summary
from hypothesis import given
from hypothesis import strategies as st

Make = Callable[..., Presentation]


def summary_of(*lines: Presentation, about: About | None = None) -> str:
    return render_summary(build_report(Results(Path("results"), lines, about or About())))


def row_of(summary: str, species: str) -> list[str]:
    (line,) = (line for line in summary.splitlines() if line.startswith(f"| {species}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_species_stands_with_its_counts_its_interval_and_what_found_it(make: Make) -> None:
    lines = [make(), *(make("mask", "live") for _ in range(3)), make("mask", "not-live"), make("mask", "rejected")]
    assert row_of(summary_of(*lines), "mask") == [
        "mask", "5", "4", "3", "75.0 %, 19.4 % to 99.37 %", "1", "3 of 4", "optics: dot spread (1)",
    ]  # fmt: skip


def test_the_worst_species_comes_first_and_those_of_which_nothing_is_known_last(make: Make) -> None:
    lines = [make(), make("b", "not-live"), make("c", "live"), make("a", "rejected")]
    rows = [line[2:3] for line in summary_of(*lines).splitlines() if line.startswith(("| a ", "| b ", "| c "))]
    assert rows == ["c", "b", "a"]
    assert row_of(summary_of(*lines), "a")[4] == "-"


def test_the_living_stand_with_their_errors_by_tone_and_why(make: Make) -> None:
    lines = [make(tone="I"), make("live", "not-live", tone="VI"), make("live", "rejected", tone="VI"), make("mask")]
    summary = summary_of(*lines)
    assert "Living: 3 people, 3 captures. BPCER 1 of 2 (50.0 %, 1.3 % to 98.7 %) a capture" in summary
    assert "no decision 1 of 3 (33.3 %, 0.84 % to 90.6 %)" in summary
    assert "BPCER by tone: I: 0 of 1 (0 %, 0 % to 97.5 %); VI: 1 of 1 (100 %, 2.5 % to 100 %)." in summary
    assert "What refused the living: optics: dot spread (1)." in summary
    assert "What left them without a decision: too-far (1)." in summary


def test_every_section_says_what_is_simulated(make: Make) -> None:
    assert "**Everything on this page is simulated**" in summary_of(make(), make("mask"))
    assert "## test, sl-940, enroll (simulated)" in summary_of(make(), make("mask"))
    mixed = summary_of(make(simulated=False), make("mask", simulated=True))
    assert "**1 of 2 presentations are simulated**" in mixed
    assert "simulated" not in summary_of(make(simulated=False), make("mask", simulated=False))


def test_openings_of_the_test_split_and_cautions_are_told(make: Make) -> None:
    summary = summary_of(make(), make("mask"), about=About(test_openings=3))
    assert "The test split was opened 3 times, this one included." in summary
    assert "Caution: Fewer than 42 classified presentations of mask" in summary


def test_an_adaptive_species_is_called_so(make: Make) -> None:
    assert row_of(summary_of(make(), make("mask", adaptive=True)), "mask")[0] == "mask (adaptive)"


@given(st.text(max_size=60))
def test_text_of_others_is_one_line_without_markup_and_loses_no_word(text: str) -> None:
    escaped = cell(text)
    assert len(escaped.splitlines()) <= 1
    assert re.sub(r"\\(.)", r"\1", escaped) == " ".join(text.split())
    assert not set("`*_[]<>|\\") & set(re.sub(r"\\.", "", escaped))


def test_what_was_written_by_others_breaks_no_table(make: Make) -> None:
    summary = summary_of(make(), make("mask"), about=About(title="a | b\n# c", notes="<b>*"))
    assert summary.startswith("# a \\| b # c\n")
    assert "\nNotes: \\<b\\>\\*\n" in summary
    named = summary_of(make(sensor_kind="a_b"), make("mask", sensor_kind="a_b"))
    assert "\n## test, a\\_b, enroll (simulated)\n" in named
