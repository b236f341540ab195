"""`faceward pad-report`: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from faceward.model.liveness import Outcome
from faceward.pad import About, CaptureOutcome, GateLine, Presentation, ResultsWriter, write_about

Run = Callable[..., Any]


def line(number: int, *, attack: bool, live: bool) -> Presentation:
    answer = GateLine("optics", "1", Outcome.LIVE if live else Outcome.NOT_LIVE, "dot spread", 0.5)
    return Presentation(
        presentation_id=f"p{number}", attack=attack, species="mask" if attack else "live", person_id=f"person-{number}",
        instrument_id=f"mask-{number}" if attack else None, tone="V", sensor_kind="sl-940", sensor_unit="u", split="test",
        simulated=True, purpose="enroll", grant_id=f"g{number}", attempt=1,
        outcome=CaptureOutcome.LIVE if live else CaptureOutcome.NOT_LIVE, gates=(answer,), decision_s=4.0,
    )  # fmt: skip


def write(folder: Path, *lines: Presentation) -> None:
    with ResultsWriter(folder) as writer:
        for each in lines:
            writer.write(each)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Four people, one of whom is refused; two masks, one of which is accepted."""
    folder = tmp_path / "results"
    write(
        folder,
        *(line(number, attack=False, live=number > 0) for number in range(4)),
        *(line(number, attack=True, live=number > 4) for number in (4, 5)),
    )
    write_about(folder, About("A small test", test_openings=1))
    return folder


def test_a_page_is_written_beside_the_results(faceward: Run, results: Path) -> None:
    ran = faceward("pad-report", results)
    assert ran.code == 0
    assert "6 presentations, 6 of them simulated" in ran.out
    assert "test, sl-940, enroll (simulated)" in ran.out
    assert "APCER 50.0 % (1/2, 95 % sure: at most 97.5 %), worst species: mask" in ran.out
    assert "BPCER 25.0 % (1/4, 95 % sure: at most 75.1 %)" in ran.out
    assert f"page: {results / 'report.html'}" in ran.out.replace("\n", "")
    page = (results / "report.html").read_text()
    assert "<title>A small test (simulated)</title>" in page
    assert faceward("pad-report", results).code == 0, "a page among the results is no result"


def test_the_page_goes_where_it_is_told_to(faceward: Run, results: Path, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere.html"
    assert faceward("pad-report", results, "--out", out).code == 0
    assert out.read_text().startswith("<!DOCTYPE html>")
    assert not (results / "report.html").exists()


def test_a_name_in_markdown_gets_a_summary(faceward: Run, results: Path, tmp_path: Path) -> None:
    out = tmp_path / "summary.md"
    ran = faceward("pad-report", results, "--out", out)
    assert ran.code == 0
    assert f"page: {out}" in ran.out.replace("\n", "")
    assert out.read_text().startswith("# A small test\n")
    assert "| mask | 2 | 2 | 1 | 50.0 %, 1.3 % to 98.7 % | 0 | 1 of 2 | optics: dot spread (1) |" in out.read_text()


def test_json_holds_the_numbers_of_the_page(faceward: Run, results: Path, tmp_path: Path) -> None:
    ran = faceward("pad-report", results, "--json")
    assert ran.code == 0
    assert ran.json["page"] is None
    assert not (results / "report.html").exists()
    (scope,) = ran.json["scopes"]
    assert scope["worst"]["apcer"]["share"] == 0.5
    assert scope["living"]["bpcer"]["rate"]["errors"] == 1
    assert ran.json["simulated"] == 6
    both = faceward("--json", "pad-report", results, "--out", tmp_path / "page.html")
    assert both.json == {**ran.json, "page": str(tmp_path / "page.html")}
    assert (tmp_path / "page.html").exists()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "holds neither *.parquet nor *.jsonl"),
        ([line(0, attack=False, live=True)], "no attack among the 1 presentations"),
        ([line(0, attack=True, live=True)], "nobody living among the 1 presentations"),
    ],
)
def test_a_folder_that_gives_no_report_is_refused(
    faceward: Run, tmp_path: Path, lines: list[Presentation], said: str
) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    if lines:
        write(folder, *lines)
    ran = faceward("pad-report", folder)
    assert ran.code == 3
    assert said in ran.err
    assert not (folder / "report.html").exists()


def test_mixed_schema_versions_are_refused(faceward: Run, results: Path) -> None:
    (results / "other.jsonl").write_text(json.dumps({"schema": 2}) + "\n")
    ran = faceward("pad-report", results)
    assert ran.code == 3
    assert "mixed schema versions" in ran.err


def test_a_folder_that_is_not_there_is_refused(faceward: Run, tmp_path: Path) -> None:
    ran = faceward("pad-report", tmp_path / "none")
    assert (ran.code, "there is no folder" in ran.err) == (3, True)


@pytest.mark.parametrize("name", ["results-00001.parquet", "page", "none/page.html"])
def test_a_page_that_cant_be_one_is_refused(faceward: Run, results: Path, name: str) -> None:
    before = (results / "results-00001.parquet").read_bytes()
    assert faceward("pad-report", results, "--out", results / name).code == 3
    assert (results / "results-00001.parquet").read_bytes() == before


def test_without_the_extra_it_says_what_to_install(results: Path) -> None:
    """In a process of its own, in which none of the extra's packages can be found."""
    script = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in {'pyarrow', 'statsmodels', 'matplotlib', 'jinja2'}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "import importlib.util\n"
        "found = importlib.util.find_spec\n"
        "import faceward.pad.extra as extra\n"
        "absent = {'pyarrow', 'statsmodels', 'matplotlib', 'jinja2'}\n"
        "extra.find_spec = lambda name: None if name in absent else found(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "from faceward.cli.app import run\n"
        "sys.exit(run(['pad-report', sys.argv[1]]))\n"
    )
    assert importlib.util.find_spec("pyarrow") is not None
    done = subprocess.run([sys.executable, "-c", script, str(results)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert "install faceward[pad]" in done.stderr


def test_a_species_without_a_response_is_told_beside_the_headline(faceward: Run, results: Path) -> None:
    rejected = replace(
        line(9, attack=True, live=False), species="foam", outcome=CaptureOutcome.REJECTED, rejection_reason="too-far",
        gates=(), decision_s=None,
    )  # fmt: skip
    with ResultsWriter(results) as writer:
        writer.write(rejected)
    assert "  APCER unknown, no response: foam" in faceward("pad-report", results).out
