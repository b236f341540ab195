"""Versions are compared by their numbers, and what is no dotted version reaches nothing."""

from __future__ import annotations

import pytest
from faceward_proto.versions import MAX_NUMBERS, dotted, reaches
from hypothesis import given
from hypothesis import strategies as st

NUMBERS = st.lists(st.integers(0, 999_999_999), min_size=1, max_size=MAX_NUMBERS)


@given(NUMBERS, NUMBERS)
def test_versions_compare_as_their_numbers_do(one, other):
    padded = [numbers + [0] * (MAX_NUMBERS - len(numbers)) for numbers in (one, other)]
    assert reaches(".".join(map(str, one)), ".".join(map(str, other))) == (padded[0] >= padded[1])


@pytest.mark.parametrize(
    "version",
    [
        "",
        ".",
        "1.",
        ".1",
        "1..2",
        "01",
        "1.00",
        "-1",
        "+1",
        " 1",
        "1\n",
        "1.0rc1",
        "1,0",
        "\u0661",
        "1000000000",
        "1.2.3.4.5.6.7.8.9",
    ],
)
def test_anything_else_is_no_version(version):
    assert dotted(version) is None
    assert not reaches(version, "0")
    assert not reaches("1", version)


@given(st.text(max_size=12))
def test_what_is_read_as_a_version_is_written_as_it_was(text):
    numbers = dotted(text)
    if numbers is not None:
        count = text.count(".") + 1
        assert ".".join(map(str, numbers[:count])) == text
        assert not any(numbers[count:])
