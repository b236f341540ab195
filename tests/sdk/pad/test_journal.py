"""What a campaign writes stays, however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from faceward.errors import ConfigError
from faceward.pad.journal import ResultsWriter
from faceward.pad.presentation import Presentation
from faceward.pad.results import About, read_about, read_results, write_about
from faceward.pad.schema import SCHEMA

Make = Callable[..., Presentation]


def test_lines_come_back_as_they_were_written(make: Make, tmp_path: Path) -> None:
    lines = [make(), make("print", "not-live"), make("live", "rejected"), make("live", "failed", seed=None)]
    with ResultsWriter(tmp_path / "new" / "folder", lines_a_part=3) as writer:
        for line in reversed(lines):
            writer.write(line)
        assert (tmp_path / "new/folder/results.jsonl").read_bytes().count(b"\n") == 1
    assert read_results(tmp_path / "new/folder").presentations == tuple(lines)
    assert sorted(path.name for path in (tmp_path / "new/folder").iterdir()) == [
        "results-00001.parquet", "results-00002.parquet", "results.jsonl",
    ]  # fmt: skip
    assert (tmp_path / "new/folder/results.jsonl").read_bytes() == b""
    assert pq.read_schema(tmp_path / "new/folder/results-00001.parquet") == SCHEMA


def test_a_line_can_be_read_as_soon_as_it_is_written(make: Make, tmp_path: Path) -> None:
    line = make()
    with ResultsWriter(tmp_path) as writer:
        writer.write(line)
        assert read_results(tmp_path).presentations == (line,)


KILLED = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from faceward.pad.journal import ResultsWriter
from faceward.pad.presentation import from_row
import json
line = from_row(json.loads(sys.argv[2]))
writer = ResultsWriter(Path(sys.argv[1]), lines_a_part=4)
for number in range(6):
    writer.write(replace(line, presentation_id=f"k{number}", grant_id=f"k{number}"))
os.write(writer._journal, b'{"schema":1,"presentation_id":"k6"')
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_loses_the_running_line_and_no_other(make: Make, tmp_path: Path) -> None:
    from faceward.pad.presentation import as_row

    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), json.dumps(as_row(make()))], timeout=60)
    assert done.returncode == -signal.SIGKILL
    written = {f"k{number}" for number in range(6)}
    assert {line.presentation_id for line in read_results(tmp_path).presentations} == written
    with ResultsWriter(tmp_path, lines_a_part=4) as writer:
        assert writer.done == written
        writer.write(make(presentation_id="k6"))
    assert {line.presentation_id for line in read_results(tmp_path).presentations} == {*written, "k6"}


@pytest.mark.parametrize("step", ["open", "rename", "ftruncate"])
def test_a_part_that_is_not_finished_loses_and_doubles_nothing(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Compaction ends before each of its three steps; the folder has every line, and goes on where it was."""

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    lines = (make(), make())
    writer = ResultsWriter(tmp_path)
    for line in lines:
        writer.write(line)
    with monkeypatch.context() as broken:
        broken.setattr(
            *{"open": (Path, "open"), "rename": (Path, "rename"), "ftruncate": (os, "ftruncate")}[step], stop
        )
        with pytest.raises(KeyboardInterrupt):
            writer.compact()
    os.close(writer._journal)
    assert read_results(tmp_path).presentations == lines
    with ResultsWriter(tmp_path) as again:
        assert again.done == {line.presentation_id for line in lines}
    assert read_results(tmp_path).presentations == lines


def test_a_line_that_somebody_left_without_its_end_is_ended_before_the_next(make: Make, tmp_path: Path) -> None:
    lines = [make() for _ in range(3)]
    with ResultsWriter(tmp_path / "first") as writer:
        writer.write(lines[0])
        writer.write(lines[1])
        written = (tmp_path / "first" / "results.jsonl").read_bytes()
    (tmp_path / "results.jsonl").write_bytes(written[:-1])
    with ResultsWriter(tmp_path) as writer:
        assert len(writer.done) == 2
        writer.write(lines[2])
        assert read_results(tmp_path).presentations == tuple(lines)


def test_links_that_somebody_left_in_a_folder_lead_to_nothing_that_is_written(make: Make, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder = tmp_path / "results"
    folder.mkdir()
    for name in (".about.json.writing", ".results.writing", "about.json"):
        (folder / name).symlink_to(victim)
    with ResultsWriter(folder) as writer:
        writer.write(make())
    write_about(folder, About(title="ours"))
    assert read_about(folder).title == "ours"
    (folder / "other.jsonl").symlink_to(victim)
    with pytest.raises(ConfigError, match="can't be written"):
        ResultsWriter(folder, name="other")
    assert victim.read_text() == "precious"
    assert [path for path in folder.glob(".*.writing") if not path.is_symlink()] == []


def test_a_full_disk_leaves_nothing_of_the_line(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = make(), make()
    with ResultsWriter(tmp_path) as writer:
        writer.write(first)
        whole = os.write
        with monkeypatch.context() as full:
            full.setattr(os, "write", lambda file, content: whole(file, content[:20]))
            with pytest.raises(ConfigError, match="the disk is full"):
                writer.write(second)
        assert second.presentation_id not in writer.done
        writer.write(second)
    assert read_results(tmp_path).presentations == (first, second)


def test_nothing_follows_half_a_line_that_cant_be_taken_back(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError("input/output error")

    first = make()
    writer = ResultsWriter(tmp_path)
    writer.write(first)
    whole = os.write
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", lambda file, content: whole(file, content[:20]))
        disk.setattr(os, "ftruncate", broken)
        with pytest.raises(ConfigError, match="can't be written"):
            writer.write(make())
    with pytest.raises(ConfigError, match="is closed"):
        writer.write(make())
    writer.close()
    assert read_results(tmp_path).presentations == (first,)


def test_a_closed_writer_writes_no_more(make: Make, tmp_path: Path) -> None:
    with ResultsWriter(tmp_path) as writer:
        pass
    with pytest.raises(ConfigError, match="is closed"):
        writer.write(make())


def test_an_id_is_written_once_whoever_wrote_it(make: Make, tmp_path: Path) -> None:
    line, other = make(), make()
    with ResultsWriter(tmp_path, name="one") as one, ResultsWriter(tmp_path, name="two") as two:
        one.write(line)
        with pytest.raises(ConfigError, match="has its line already"):
            one.write(line)
        two.write(other)
    with ResultsWriter(tmp_path, name="three") as three, pytest.raises(ConfigError, match="has its line already"):
        three.write(other)


def test_a_name_belongs_to_one_writer_at_a_time(tmp_path: Path) -> None:
    with ResultsWriter(tmp_path), pytest.raises(ConfigError, match="another run writes"):
        ResultsWriter(tmp_path)
    ResultsWriter(tmp_path).close()


@pytest.mark.parametrize("name", ["", "../up", "a b", "a/b", "é"])
def test_a_name_that_is_no_file_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="can't be named"):
        ResultsWriter(tmp_path, name=name)


def test_a_folder_that_cant_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="can't be written"):
        ResultsWriter(tmp_path / "file" / "folder")


def test_a_writer_can_be_closed_twice(make: Make, tmp_path: Path) -> None:
    writer = ResultsWriter(tmp_path)
    writer.write(make())
    writer.close()
    writer.close()
    assert len(read_results(tmp_path).presentations) == 1


def test_a_folder_of_another_schema_is_not_written_into(make: Make, tmp_path: Path) -> None:
    with ResultsWriter(tmp_path) as writer:
        writer.write(make())
    part = tmp_path / "results-00001.parquet"
    pq.write_table(pq.read_table(part).replace_schema_metadata({b"faceward.pad.schema": b"2"}), part)
    with pytest.raises(ConfigError, match="of another schema version"):
        ResultsWriter(tmp_path)
