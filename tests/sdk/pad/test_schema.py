"""What a Parquet part holds comes back as it was; what it can't hold is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from faceward.errors import ConfigError
from faceward.model.liveness import Outcome
from faceward.pad.presentation import GateLine, MeasureLine, Presentation, as_row
from faceward.pad.schema import SCHEMA, read_part, version_of_part
from hypothesis import example, given, settings
from hypothesis import strategies as st

Make = Callable[..., Presentation]
DOCUMENT = Path(__file__).resolve().parents[3] / "docs/pad-report.md"

numbers = st.none() | st.floats(-(2.0**53), 2.0**53) | st.integers(-(2**53), 2**53)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
measures = st.lists(st.builds(MeasureLine, texts, numbers, texts, numbers, st.sampled_from(["<=", ">="])), max_size=3)
answers = st.builds(GateLine, st.just("optics"), texts, st.just(Outcome.LIVE), texts, numbers, measures.map(tuple))


@pytest.fixture(scope="session")
def part(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("parts") / "part.parquet"


def write(path: Path, *lines: Presentation) -> None:
    pq.write_table(pa.Table.from_pylist([as_row(line) for line in lines], schema=SCHEMA), path, compression="zstd")


@settings(deadline=None, max_examples=30)
@given(answer=answers, replay=texts)
def test_a_line_comes_back_from_a_part_as_it_was(make: Make, part: Path, answer: GateLine, replay: str) -> None:
    lines = [make(gates=(answer,), replay=replay), make("mask", "rejected", seed=None, person_id=None)]
    write(part, *lines)
    assert version_of_part(part) == "1"
    assert list(read_part(part)) == lines


@settings(deadline=None, max_examples=30)
@example(damage=[(269429, 128)])  # a column's name that is no text
@given(damage=st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), min_size=1, max_size=3))
def test_a_damaged_part_is_refused_or_holds_sound_lines(make: Make, part: Path, damage: list[tuple[int, int]]) -> None:
    write(part, make(presentation_id="a"))
    content = bytearray(part.read_bytes())
    for place, byte in damage:
        content[place % len(content)] = byte
    part.write_bytes(content)
    try:
        version_of_part(part)
        lines = list(read_part(part))
    except ConfigError:
        return
    assert all(type(line) is Presentation for line in lines)


def test_text_that_is_none_is_refused(make: Make, part: Path) -> None:
    write(part, make())
    table = pq.read_table(part)
    at = table.column_names.index("replay")
    broken = pa.array([b"\xff"], pa.binary()).cast(pa.string(), safe=False)
    pq.write_table(table.set_column(at, "replay", broken), part)
    with pytest.raises(ConfigError, match="can't be read as results"):
        list(read_part(part))


def test_the_schema_has_the_fields_of_a_line_in_their_order() -> None:
    assert SCHEMA.names == [field.name for field in fields(Presentation)]


def test_the_document_names_every_field_of_the_schema() -> None:
    told = DOCUMENT.read_text(encoding="utf-8")
    table = told.partition("## The schema, version 1")[2].partition("## Writing results")[0]
    assert [name for name in SCHEMA.names if f"`{name}`" not in table] == []
    answer = table.partition("A gate's answer has")[2]
    for line in (GateLine, MeasureLine):
        assert [field.name for field in fields(line) if f"`{field.name}`" not in answer] == []
