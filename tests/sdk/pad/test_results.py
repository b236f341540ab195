"""A folder of results is read whole and strictly, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from faceward.errors import ConfigError
from faceward.pad.journal import ResultsWriter
from faceward.pad.presentation import Presentation, as_row
from faceward.pad.results import About, read_about, read_results, write_about

Make = Callable[..., Presentation]


def write(folder: Path, *lines: Presentation, name: str = "results") -> Path:
    with ResultsWriter(folder, name=name) as writer:
        for line in lines:
            writer.write(line)
    return folder / f"{name}-00001.parquet"


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no folder"):
        read_results(tmp_path / "none")


def test_a_folder_without_results_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds neither \*\.parquet nor \*\.jsonl"):
        read_results(tmp_path)
    ResultsWriter(tmp_path).close()
    with pytest.raises(ConfigError, match="its files hold no line yet"):
        read_results(tmp_path)


def test_files_of_several_runs_are_read_together(make: Make, tmp_path: Path) -> None:
    lines = [make() for _ in range(4)]
    write(tmp_path, *lines[2:], name="one")
    write(tmp_path, *lines[:2], name="two")
    assert read_results(tmp_path).presentations == tuple(lines)


def test_mixed_versions_of_the_schema_are_refused(make: Make, tmp_path: Path) -> None:
    write(tmp_path, make(), name="one")
    part = write(tmp_path, make(), name="two")
    pq.write_table(pq.read_table(part).replace_schema_metadata({b"faceward.pad.schema": b"2"}), part)
    with pytest.raises(ConfigError, match=r"mixed schema versions .*one-00001.parquet has 1, two-00001.parquet has 2"):
        read_results(tmp_path)


def test_mixed_versions_within_a_journal_are_refused(make: Make, tmp_path: Path) -> None:
    rows = [{"schema": 1, **as_row(make())}, {"schema": 2, **as_row(make())}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(ConfigError, match="mixed schema versions"):
        read_results(tmp_path)


@pytest.mark.parametrize("metadata", [{b"faceward.pad.schema": b"2"}, {}])
def test_another_version_is_refused(make: Make, tmp_path: Path, metadata: dict[bytes, bytes]) -> None:
    part = write(tmp_path, make())
    pq.write_table(pq.read_table(part).replace_schema_metadata(metadata), part)
    with pytest.raises(ConfigError, match="this faceward reads 1"):
        read_results(tmp_path)


def test_a_part_that_is_no_parquet_is_refused(make: Make, tmp_path: Path) -> None:
    part = write(tmp_path, make())
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(ConfigError, match="can't be read as Parquet"):
        read_results(tmp_path)


def test_a_part_with_another_column_is_refused(make: Make, tmp_path: Path) -> None:
    part = write(tmp_path, make())
    table = pq.read_table(part)
    pq.write_table(table.drop_columns(["tone"]), part)
    with pytest.raises(ConfigError, match="other columns than schema 1: tone"):
        read_results(tmp_path)


def test_a_part_whose_columns_hold_something_else_is_refused(make: Make, tmp_path: Path) -> None:
    part = write(tmp_path, make())
    table = pq.read_table(part)
    at = table.column_names.index("attempt")
    pq.write_table(table.set_column(at, "attempt", [["once"]]), part)
    with pytest.raises(ConfigError, match="can't be read as results"):
        read_results(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}\n", "line 1 is no line of results"),
        ("[1]\n", "line 1 is no line of results"),
        ("nonsense\n", "line 1 is no line of results"),
        ('{"schema": 1, "decision_s": NaN}\n', "NaN is no number"),
        ('{"schema": 1}\n', "fields that are missing"),
        ("[" * 100_000 + "\n", "line 1 is no line of results"),
        ('"' + "x" * 1024 * 1024 + '"\n', "longer than a line may be"),
    ],
)
def test_a_journal_with_anything_but_lines_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_results(tmp_path)


def test_one_id_twice_is_refused(make: Make, tmp_path: Path) -> None:
    line = make()
    write(tmp_path, line, name="one")
    write(tmp_path / "elsewhere", line, name="two").rename(tmp_path / "two-00001.parquet")
    with pytest.raises(ConfigError, match=r"stands in one-00001\.parquet and in two-00001\.parquet"):
        read_results(tmp_path)


def test_one_id_twice_with_another_line_in_a_journal_is_refused(make: Make, tmp_path: Path) -> None:
    line = make()
    write(tmp_path, line)
    row = {"schema": 1, **as_row(line), "seed": 5}
    (tmp_path / "results.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(ConfigError, match=r"stands in results-00001\.parquet and in results\.jsonl"):
        read_results(tmp_path)


def test_what_a_folder_says_of_itself_comes_back(make: Make, tmp_path: Path) -> None:
    about = About("First plan", "generator B", 3)
    write_about(tmp_path, About("before"))
    write_about(tmp_path, about)
    write(tmp_path, make())
    assert read_results(tmp_path).about == about
    assert read_about(tmp_path / "elsewhere") == About()


def test_a_last_line_without_its_end_counts_where_it_is_whole(make: Make, tmp_path: Path) -> None:
    lines = [make() for _ in range(3)]
    with ResultsWriter(tmp_path) as writer:
        for line in lines:
            writer.write(line)
        journal = tmp_path / "results.jsonl"
        journal.write_bytes(journal.read_bytes()[:-1])
        assert read_results(tmp_path).presentations == tuple(lines)
        journal.write_bytes(journal.read_bytes()[:-1])
        assert read_results(tmp_path).presentations == tuple(lines[:-1])


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"schema": 2}', '{"schema": 1, "more": 1}', '{"schema": 1, "title": 1}',
     '{"schema": 1, "test_openings": -1}', '{"schema": 1, "test_openings": true}', '{"schema": 1, "notes": null}',
     r'{"schema": 1, "title": "\ud800"}', '{"schema": 1, "notes": "' + "x" * 70_000 + '"}', "[" * 60_000],
)  # fmt: skip
def test_an_about_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "about.json").write_text(text)
    with pytest.raises(ConfigError, match=r"about\.json"):
        read_about(tmp_path)
