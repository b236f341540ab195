"""What a command signs with: a key in a file, or one on a token that a TOML file describes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from faceward.cli.signers import open_signer, open_signers, read_token_file
from faceward.errors import ConfigError
from faceward.signing.grants import look_at_grant
from faceward_proto.keys import PublicKey

TOKEN = """
module_path = "{module}"
token = "lock"
key = "{key}"
pin_path = "pin"
"""


@pytest.fixture
def described(softhsm: Path, tmp_path: Path) -> Path:
    """A token file for a key that is not there yet."""
    pin = tmp_path / "pin"
    pin.touch(mode=0o600)
    pin.write_text("76543210\n")
    path = tmp_path / "token.toml"
    path.write_text(TOKEN.format(module=softhsm, key=tmp_path.name))
    return path


def test_an_administrator_whose_key_is_on_a_token_issues_a_grant(
    described: Path, home: Path, faceward: Any, tmp_path: Path
) -> None:
    public, request, grant = tmp_path / "admin.pub.pem", tmp_path / "request", tmp_path / "grant"
    made = faceward("keys", "token", described, "--new", "--out", public, "--json")
    assert made.code == 0, made.err
    assert made.json["algorithm"] == "ES256"
    assert faceward("--home", home, "grant", "request", "alice", "--out", request).code == 0
    issued = faceward("grant", "issue", request, "--token", described, "--out", grant)
    assert issued.code == 0, issued.err
    key = PublicKey.from_pem(public.read_bytes())
    assert look_at_grant(grant.read_bytes(), [key]).signed_by == {key}

    again = tmp_path / "again.pub.pem"
    assert faceward("keys", "token", described, "--out", again).code == 0
    assert again.read_bytes() == public.read_bytes()
    twice = faceward("keys", "token", described, "--new", "--out", tmp_path / "third")
    assert twice.code == 42
    assert "already" in twice.err


def test_a_public_key_is_not_written_over_and_no_pair_is_made_for_it(
    described: Path, faceward: Any, tmp_path: Path
) -> None:
    (tmp_path / "there").write_text("kept")
    assert faceward("keys", "token", described, "--new", "--out", tmp_path / "there").code == 3
    assert (tmp_path / "there").read_text() == "kept"
    missing = faceward("keys", "token", described, "--out", tmp_path / "new")
    assert missing.code == 42
    assert "has no key pair" in missing.err


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("module_path", "modul_path", r"module_path is missing \(there is 'modul_path' instead\)"),
        ('token = "lock"', "token = 3", "token must be a text"),
        ('key = "k"', "", "key is missing"),
        ("pin_path", "pin", "pin_path is missing"),
        ('token = "lock"', 'token = "lock"\nslot = "1"', "slot is not a known key"),
    ],
)
def test_a_token_file_is_read_strictly(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "token.toml"
    path.write_text(TOKEN.format(module="m.so", key="k").replace(old, new))
    with pytest.raises(ConfigError, match=words) as caught:
        read_token_file(path)
    assert "token.toml" in str(caught.value)


def test_paths_in_a_token_file_are_taken_from_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "token.toml"
    path.write_text(TOKEN.format(module="m.so", key="k"))
    assert (read_token_file(path).module, read_token_file(path).pin) == (tmp_path / "m.so", tmp_path / "pin")
    path.write_text(TOKEN.format(module="/usr/lib/m.so", key="k"))
    assert read_token_file(path).module == Path("/usr/lib/m.so")


def test_one_signature_takes_one_key(tmp_path: Path, faceward: Any) -> None:
    for name in ("a", "b"):
        assert faceward("keys", "new", tmp_path / f"{name}.pem").code == 0
    signers = open_signers([tmp_path / "a.pem", tmp_path / "b.pem"], [])
    assert open_signer(tmp_path / "a.pem", None).key_id == signers[0].key_id != signers[1].key_id
    with pytest.raises(ConfigError, match="nothing to sign with"):
        open_signer(None, None)


def test_a_key_and_a_token_are_one_too_many(tmp_path: Path, described: Path, faceward: Any) -> None:
    assert faceward("keys", "new", tmp_path / "a.pem").code == 0
    assert faceward("keys", "token", described, "--new", "--out", tmp_path / "t.pub.pem").code == 0
    with pytest.raises(ConfigError, match="and not both"):
        open_signer(tmp_path / "a.pem", described)
