"""JSON that is JSON whatever is put into it, and one sentence on stderr."""

from __future__ import annotations

import json
import math
from enum import StrEnum
from pathlib import Path

import pytest
from faceward.cli.output import Output, plain
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
)


class Colour(StrEnum):
    RED = "red"


@given(ANYTHING)
def test_whatever_is_put_in_comes_out_as_strict_json(value: object) -> None:
    text = json.dumps(plain(value), allow_nan=False)
    assert json.loads(text) == plain(value)


def test_numbers_that_json_lacks_become_null() -> None:
    assert plain([math.nan, math.inf, -math.inf, 1.5]) == [None, None, None, 1.5]


def test_bytes_become_hex_and_paths_and_enums_text() -> None:
    found = plain({"digest": b"\x01\xff", "path": Path("a/b"), "colour": Colour.RED})
    assert found == {"digest": "01ff", "path": "a/b", "colour": "red"}


def test_a_document_is_all_that_json_puts_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).document({"a": 1}, lambda console: console.print("for people"))
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"a": 1}
    assert captured.err == ""


def test_people_get_text_and_no_json(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=False)
    output.document({"a": 1}, lambda console: console.print("for people"))
    output.line({"event": "x"})
    output.say("[bold]as it is[/bold]")
    assert capsys.readouterr().out == "for people\n[bold]as it is[/bold]\n"


def test_a_failure_is_one_line_on_stderr_however_long_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    code = Output(as_json=True).failure("store", "it broke\n  in two\nplaces", 40, retry_after_s=math.nan)
    captured = capsys.readouterr()
    assert code == 40
    assert captured.err == "faceward: it broke in two places\n"
    error = json.loads(captured.out)["error"]
    assert error == {"code": "store", "message": "it broke in two places", "exit_code": 40, "retry_after_s": None}


HOSTILE = "a\x1b]0;owned\x07\x1b[2Jb\x9b31m\u202e\r:ab:"


def test_words_of_others_do_not_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=False)
    output.say(HOSTILE)
    output.failure("x", HOSTILE, 3)
    table = Table()
    table.add_column("serial")
    table.add_row(Text(HOSTILE))
    output.console.print(table)
    output.console.print(HOSTILE, markup=False)
    out, err = capsys.readouterr()
    assert out.count("a\ufffd]0;owned") == 3 and out.count(":ab:") == 2
    assert not set(out + err) & set("\x1b\x07\x9b\u202e\r")
    assert err == "faceward: a\ufffd]0;owned\ufffd\ufffd[2Jb\ufffd31m\ufffd :ab:\n"


def test_a_long_line_is_one_line_where_no_terminal_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).say("word " * 200)
    assert capsys.readouterr().out.count("\n") == 1
