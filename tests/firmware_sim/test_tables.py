"""Strict tables: what is not allowed is told by key."""

from __future__ import annotations

import pytest
from faceward_sim.tables import FILE_CAP_BYTES, TableError, parse_table, read_table, write_table
from hypothesis import given, settings
from hypothesis import strategies as st


def test_an_unknown_key_is_named_with_what_there_is_and_what_is_near():
    table = parse_table("[a]\nseeed = 1\n").table("a")
    table.may("seed")
    with pytest.raises(TableError, match=r"a\.seeed: no such key; there are seed \(did you mean seed\?\)"):
        table.finish()


@pytest.mark.parametrize(
    ("text", "ask", "told"),
    [
        ("", lambda t: t.whole("n", low=0, high=3), "n: is missing; a whole number is wanted"),
        ("n = 4", lambda t: t.whole("n", low=0, high=3), "n: 4 is not between 0 and 3"),
        ("n = true", lambda t: t.whole("n", low=0, high=3), "n: True is not a whole number"),
        ("n = 1.0", lambda t: t.whole("n", low=0, high=3), "n: 1.0 is not a whole number"),
        ("n = nan", lambda t: t.number("n", low=0, high=3), "n: nan is not between 0 and 3"),
        ("n = '1'", lambda t: t.number("n", low=0, high=3), "n: '1' is not a number"),
        ("n = 1", lambda t: t.flag("n"), "n: 1 is not true or false"),
        ("n = 'a'", lambda t: t.choice("n", ["ab"]), r"n: 'a' is none of ab \(did you mean ab\?\)"),
        ("n = ['b', 'b']", lambda t: t.choices("n", ["b"]), "n: names one thing twice"),
        ("n = ['c']", lambda t: t.choices("n", ["b"]), "n: 'c' is none of b"),
        ("n = []", lambda t: t.numbers("n", [1.0], low=0, high=3), "n: is empty"),
        ("n = [9]", lambda t: t.numbers("n", [1.0], low=0, high=3), "n: 9 is no number between 0 and 3"),
        ("n = [1, 2]", lambda t: t.vector("n", reach=3), "n: .* is no list of three numbers"),
        ("n = 'A B'", lambda t: t.text("n", form="[a-z]+"), "n: 'A B' is not of the form"),
        ("n = 1", lambda t: t.table("n"), "n is 1; a table is wanted"),
        ("n = [1]", lambda t: t.tables("n"), r"n\[0\] is 1; a table is wanted"),
        ("n = [1]", lambda t: t.texts("n", str), "n: 1 is no text"),
        ("n = ['x']", lambda t: t.texts("n", int), "n: invalid literal"),
    ],
)
def test_a_wrong_value_is_told_by_key(text, ask, told):
    with pytest.raises(TableError, match=told):
        ask(parse_table(text))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_whatever_a_file_holds_it_is_a_table_or_a_table_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    try:
        read_table(path)
    except TableError as error:
        assert str(path) in str(error)
    else:
        assert content.decode() is not None


def test_a_file_that_is_missing_or_too_long_is_named(tmp_path):
    with pytest.raises(TableError, match=r"nothing\.toml can't be read"):
        read_table(tmp_path / "nothing.toml")
    long = tmp_path / "long.toml"
    long.write_text("#" * (FILE_CAP_BYTES + 1))
    with pytest.raises(TableError, match="is longer than"):
        read_table(long)


def test_writing_leaves_out_what_is_empty():
    assert write_table({"a": None, "b": {"c": None}, "d": [], "e": 1}) == "e = 1\n"
