"""Options of signers and key providers are all known and all there."""

from __future__ import annotations

from pathlib import Path

import pytest
from faceward.errors import ConfigError
from faceward.signing.options import algorithm_option, check_options, path_option


def test_a_path_is_taken_and_beside_it_only_what_is_named():
    assert path_option("p", {"path": "/a"}) == Path("/a")
    assert path_option("p", {"path": "/a", "algorithm": "x"}, other=("algorithm",)) == Path("/a")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "p needs the option path"),
        ({"path": ""}, "p needs the option path"),
        ({"path": "/a", "pth": "/a"}, "p has no option 'pth': it takes path and other"),
        ({"path": "/a", "": ""}, "p has no option ''"),
    ],
)
def test_an_option_that_is_missing_or_unknown_is_named(options, words):
    with pytest.raises(ConfigError, match=words):
        check_options("p", options, required=("path",), other=("other",))


def test_a_plugin_with_one_option_says_that_it_takes_it_alone():
    with pytest.raises(ConfigError, match="it takes path alone"):
        path_option("p", {"path": "/a", "x": ""})


@pytest.mark.parametrize(
    ("given", "algorithm"),
    [({}, "ES256"), ({"algorithm": "ed25519"}, "Ed25519"), ({"algorithm": "ml-dsa-65"}, "ML-DSA-65")],
)
def test_an_algorithm_is_named_in_lower_case_and_es256_where_none_is(given, algorithm):
    assert algorithm_option("p", given) == algorithm
