"""TOML files of ours are read key by key, and what is wrong is named."""

from __future__ import annotations

import hashlib
import math
import re
from pathlib import Path

import pytest
from faceward.errors import ConfigError
from faceward.table import FILE_CAP_BYTES, Table, read_document
from hypothesis import given
from hypothesis import strategies as st

WORD = re.compile(r"[a-z]+")


def test_a_document_is_its_tables_and_the_digest_of_its_bytes(tmp_path: Path):
    path = tmp_path / "a.toml"
    path.write_bytes(b'name = "x"\n')
    document = read_document(path, "policy")
    assert document.root.text("name") == "x"
    assert (document.path, document.digest) == (path, hashlib.sha256(b'name = "x"\n').digest())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "can't read the policy"),
        (b"\xff", "the policy .* is not UTF-8"),
        (b"a = ", "the policy .* is not TOML"),
        (b"a = 1\na = 2", "is not TOML"),
        (b"a = " + b"[" * 5000, "is not TOML"),
        (b"#" * (FILE_CAP_BYTES + 1), "is larger than 262144 bytes"),
    ],
    ids=["missing", "bytes", "cut off", "doubled key", "deep", "long"],
)
def test_a_file_that_can_not_be_read_is_one_sentence(tmp_path: Path, content: bytes | None, words: str):
    path = tmp_path / "a.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        read_document(path, "policy")


def test_what_nobody_asked_for_is_an_unknown_key():
    table = Table({"name": "x", "nmae": "y"}, "a.b")
    assert table.text("name") == "x"
    with pytest.raises(ConfigError, match=r"a\.b\.nmae is not a known key \(did you mean 'name'\?\)"):
        table.close()
    table = Table({"x": 1}, "")
    table.rest()
    table.close()


def test_a_missing_key_is_guessed_among_those_that_nobody_asked_for():
    with pytest.raises(ConfigError, match=r"a\.name is missing \(there is 'nmae' instead\)"):
        Table({"nmae": "y"}, "a").text("name")


@pytest.mark.parametrize("value", [[], ["a", "a"], ["a", ""], ["a", 1], "a", ["A"]])
def test_texts_are_a_list_of_different_texts_of_their_form(value: object):
    with pytest.raises(ConfigError, match=r"t\.names"):
        Table({"names": value}, "t").texts("names", pattern=WORD)


def test_texts_that_need_not_be_there_may_be_none():
    assert Table({}, "").texts("names", required=False) == ()
    assert Table({"names": []}, "").texts("names", required=False) == ()
    assert Table({"names": ["a", "b"]}, "").texts("names", pattern=WORD) == ("a", "b")
    with pytest.raises(ConfigError, match="names is missing"):
        Table({}, "").texts("names")


@pytest.mark.parametrize("value", [True, 1.0, "1", None, 11, -1])
def test_a_count_is_a_whole_number_within_its_bounds(value: object):
    table = Table({"n": value}, "t")
    if value is None:
        assert table.count("n", 5, low=0, high=10) == 5
        return
    with pytest.raises(ConfigError, match=r"t\.n"):
        table.count("n", 5, low=0, high=10)


@pytest.mark.parametrize("digits", [400, 4_300, 5_000])
def test_a_number_of_any_length_is_read_or_refused(tmp_path: Path, digits: int):
    path = tmp_path / "x.toml"
    path.write_text(f"n = {'1' * digits}\n")
    with pytest.raises(ConfigError):
        read_document(path, "thing").root.number("n", 0.5, low=-math.inf, high=math.inf)


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.text(max_size=3))))
def test_any_value_is_taken_as_what_it_is_or_refused(value: object):
    values = {"v": value}
    for read, kind in (
        (lambda table: table.text("v"), str),
        (lambda table: table.flag("v", default=False), bool),
        (lambda table: table.number("v", 0.5, low=0.0, high=1.0), float),
        (lambda table: table.count("v", 1), int),
        (lambda table: table.texts("v"), tuple),
        (lambda table: table.words("v", ("a", "b")), frozenset),
        (lambda table: table.table("v"), Table),
    ):
        try:
            found = read(Table(values, "t"))
        except ConfigError as error:
            assert str(error).startswith("t.v")
        else:
            assert type(found) is kind
