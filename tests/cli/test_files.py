"""Files of commands: read within a limit, never written over, exchanged whole."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from faceward.cli.files import read_file, write_instead, write_new
from faceward.errors import ConfigError


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "grant"
    path.write_bytes(b"12345")
    assert read_file(path, 5, "grant") == b"12345"
    with pytest.raises(ConfigError, match="is no grant: it is larger than 4 bytes"):
        read_file(path, 4, "grant")


def test_what_can_not_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path, Path("a\0b")):
        with pytest.raises(ConfigError, match="can't read the grant"):
            read_file(path, 5, "grant")


def test_a_new_file_is_never_one_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "grant"
    write_new(path, b"first")
    with pytest.raises(ConfigError, match="is there already"):
        write_new(path, b"second")
    assert path.read_bytes() == b"first"
    with pytest.raises(ConfigError, match="can't write"):
        write_new(tmp_path / "none" / "grant", b"first")


def test_a_file_is_exchanged_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "grant"
    path.write_bytes(b"first")
    write_instead(path, b"second")
    assert path.read_bytes() == b"second"
    assert [each.name for each in tmp_path.iterdir()] == ["grant"]


def test_a_file_that_can_not_be_exchanged_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "grant"
    path.write_bytes(b"first")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("faceward.cli.files.os.fsync", full)
    with pytest.raises(ConfigError, match="No space left"):
        write_instead(path, b"second")
    assert path.read_bytes() == b"first"
    assert [each.name for each in tmp_path.iterdir()] == ["grant"]


def test_half_a_file_does_not_stay(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))
    try:
        with pytest.raises(ConfigError, match="can't write"):
            write_new(tmp_path / "x", bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
