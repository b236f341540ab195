"""A subject's name is a name and never a path, and its pseudonym tells nothing without the key."""

from __future__ import annotations

import re

import pytest
from faceward.errors import ConfigError
from faceward.signing.file_kek import FileKeyProvider
from faceward.store.subjects import parse_subject, pseudonym
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("name", ["a", "Alice", "alice.b-c_d@example.org", "7", "x" * 64])
def test_a_name_is_taken_as_it_is(name):
    assert parse_subject(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".hidden",
        "-x",
        "_x",
        "@x",
        "..",
        "a..b",
        "a/b",
        "../etc/passwd",
        "a\\b",
        "C:x",
        "a b",
        "a\n",
        "a\0",
        "é",
        "а",  # Cyrillic
        "x" * 65,
        "a'; DROP TABLE templates;--",
    ],
)
def test_what_is_no_name_is_refused_in_a_sentence(name):
    with pytest.raises(ConfigError, match="no name for a subject"):
        parse_subject(name)


@given(st.text(max_size=80))
def test_no_name_holds_anything_but_the_allowed_characters(text):
    try:
        subject = parse_subject(text)
    except ConfigError:
        return
    assert re.fullmatch("[A-Za-z0-9._@-]{1,64}", subject)
    assert ".." not in subject


def test_a_pseudonym_depends_on_name_and_key():
    one, other = FileKeyProvider(bytes(32)), FileKeyProvider(b"k" * 32)
    found = {pseudonym(parse_subject(name), keys) for name in ("alice", "bob") for keys in (one, other)}
    assert len(found) == 4
    assert pseudonym(parse_subject("alice"), one) in found
