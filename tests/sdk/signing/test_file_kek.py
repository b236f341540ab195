"""The key provider over a file unwraps what it wrapped, for the same purpose, and nothing else."""

from __future__ import annotations

import pytest
from faceward.errors import ConfigError, SigningError
from faceward.signing import file_kek_plugin, secret_file
from faceward.signing.file_kek import FileKeyProvider
from hypothesis import given
from hypothesis import strategies as st

KEYS = FileKeyProvider(bytes(range(32)))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=40))
def test_a_wrapped_key_comes_back(key, associated):
    wrapped = KEYS.wrap(key, associated)
    assert key not in wrapped
    assert KEYS.unwrap(wrapped, associated) == key
    assert FileKeyProvider(bytes(range(32))).unwrap(wrapped, associated) == key


def test_the_same_key_never_looks_the_same_twice():
    assert KEYS.wrap(bytes(32), b"") != KEYS.wrap(bytes(32), b"")


def test_a_changed_byte_another_purpose_or_another_key_does_not_open():
    wrapped = KEYS.wrap(bytes(32), b"a")
    for index in range(len(wrapped)):
        with pytest.raises(SigningError, match="does not open"):
            KEYS.unwrap(bytes([*wrapped[:index], wrapped[index] ^ 1, *wrapped[index + 1 :]]), b"a")
    for cut in (b"", wrapped[:11], wrapped[:-1]):
        with pytest.raises(SigningError):
            KEYS.unwrap(cut, b"a")
    with pytest.raises(SigningError):
        KEYS.unwrap(wrapped, b"b")
    with pytest.raises(SigningError):
        FileKeyProvider(bytes(32)).unwrap(wrapped, b"a")


def test_a_digest_depends_on_key_purpose_and_message():
    digests = {
        keys.keyed_digest(purpose, message)
        for keys in (KEYS, FileKeyProvider(bytes(32)))
        for purpose in ("subject", "audit")
        for message in (b"", b"alice")
    }
    assert len(digests) == 8
    assert {len(digest) for digest in digests} == {32}


def test_a_key_is_the_same_after_it_was_loaded(tmp_path):
    made = FileKeyProvider.create(tmp_path / "kek")
    assert FileKeyProvider.load(tmp_path / "kek").key_id == made.key_id
    assert FileKeyProvider.create(tmp_path / "other").key_id != made.key_id
    plugin = file_kek_plugin.faceward_key_provider({"path": str(tmp_path / "kek")})
    assert plugin.key_id == made.key_id


def test_its_repr_and_id_do_not_tell_the_key(tmp_path):
    FileKeyProvider.create(tmp_path / "kek")
    content = (tmp_path / "kek").read_bytes()
    shown = repr(FileKeyProvider.load(tmp_path / "kek"))
    assert content.hex()[:16] not in shown
    assert "key_id" in shown


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_another_length_is_refused(tmp_path, size):
    secret_file.create(tmp_path / "kek", bytes(size))
    with pytest.raises(SigningError):
        FileKeyProvider.load(tmp_path / "kek")
    with pytest.raises(SigningError):
        FileKeyProvider(bytes(size))


def test_the_plugin_takes_the_option_path_and_no_other():
    for options in ({}, {"path": "k", "other": ""}):
        with pytest.raises(ConfigError, match="file-kek"):
            file_kek_plugin.faceward_key_provider(options)
