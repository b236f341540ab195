"""A file with a secret is made whole, once, and read only where nobody else can touch it."""

from __future__ import annotations

import errno
import os
import stat

import pytest
from faceward.errors import SigningError
from faceward.signing import secret_file


def test_a_new_secret_is_for_its_owner_alone(tmp_path):
    before = os.umask(0)
    try:
        secret_file.create(tmp_path / "keys" / "k", b"secret")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "keys" / "k").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["k"]
    assert secret_file.read(tmp_path / "keys" / "k", 6) == b"secret"


def test_a_secret_is_never_written_over(tmp_path):
    secret_file.create(tmp_path / "k", b"first")
    with pytest.raises(SigningError, match="there already"):
        secret_file.create(tmp_path / "k", b"second")
    assert secret_file.read(tmp_path / "k", 100) == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["k"]


def test_a_dangling_link_is_not_written_through(tmp_path):
    (tmp_path / "k").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SigningError, match="there already"):
        secret_file.create(tmp_path / "k", b"secret")
    assert not (tmp_path / "elsewhere").exists()


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SigningError, match="No space left"):
        secret_file.create(tmp_path / "k", b"secret")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_one_clear_error(tmp_path):
    (tmp_path / "keys").write_text("")
    with pytest.raises(SigningError, match="can't write the key file"):
        secret_file.create(tmp_path / "keys" / "k", b"secret")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666])
def test_a_secret_that_others_may_touch_is_refused(tmp_path, mode):
    secret_file.create(tmp_path / "k", b"secret")
    (tmp_path / "k").chmod(mode)
    with pytest.raises(SigningError, match="chmod 600"):
        secret_file.read(tmp_path / "k", 100)


def test_a_secret_of_another_user_is_refused(tmp_path, monkeypatch):
    secret_file.create(tmp_path / "k", b"secret")
    owner = (tmp_path / "k").stat().st_uid
    real = os.fstat

    def of_another(descriptor):
        found = list(real(descriptor))
        found[stat.ST_UID] = owner + 1
        return os.stat_result(found)

    monkeypatch.setattr(os, "fstat", of_another)
    with pytest.raises(SigningError, match="another user"):
        secret_file.read(tmp_path / "k", 100)


def test_links_folders_and_pipes_are_no_secrets(tmp_path):
    secret_file.create(tmp_path / "k", b"secret")
    (tmp_path / "link").symlink_to(tmp_path / "k")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("link", "folder", "pipe"):
        with pytest.raises(SigningError, match=name):
            secret_file.read(tmp_path / name, 100)


def test_a_missing_secret_names_the_command_that_makes_it(tmp_path):
    with pytest.raises(SigningError, match="faceward keys init"):
        secret_file.read(tmp_path / "k", 100)


def test_a_file_that_is_too_long_is_refused(tmp_path):
    secret_file.create(tmp_path / "k", b"secret!")
    with pytest.raises(SigningError, match="too long"):
        secret_file.read(tmp_path / "k", 6)
