"""Public keys in files, and rules over them, are what they say or an error that names the file."""

from __future__ import annotations

import pytest
from faceward.errors import ConfigError
from faceward.signing.file_key import FileKeySigner
from faceward.signing.public_keys import load_public_key, load_rule
from faceward_proto.keys import PublicKey


@pytest.fixture
def paths(tmp_path):
    """Three public keys, each of another algorithm."""
    made = []
    for index, algorithm in enumerate(("ES256", "Ed25519", "ML-DSA-65")):
        signer = FileKeySigner.create(tmp_path / f"{index}.pem", algorithm)
        path = tmp_path / f"{index}.pub.pem"
        path.write_bytes(PublicKey(signer.public_key_der).to_pem())
        made.append(path)
    return made


def test_a_key_of_each_algorithm_is_read(paths):
    assert [load_public_key(path).algorithm for path in paths] == ["ES256", "Ed25519", "ML-DSA-65"]


@pytest.mark.parametrize(
    "content", [b"", b"junk", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", b"x" * 9000]
)
def test_a_file_without_a_public_key_is_named(tmp_path, content):
    (tmp_path / "k.pem").write_bytes(content)
    with pytest.raises(ConfigError, match=r"k\.pem holds no P-256, Ed25519 or ML-DSA-65 public key"):
        load_public_key(tmp_path / "k.pem")


def test_a_private_key_is_no_public_one(paths, tmp_path):
    with pytest.raises(ConfigError, match=r"0\.pem holds no"):
        load_public_key(tmp_path / "0.pem")


def test_a_file_that_can_not_be_read_is_named(tmp_path):
    for path in (tmp_path / "none.pem", tmp_path):
        with pytest.raises(ConfigError, match="can't read the public key"):
            load_public_key(path)


def test_a_rule_asks_for_so_many_of_the_keys(paths):
    rule = load_rule(paths, 2)
    assert (rule.need, [each.key for each in rule.keys]) == (2, [load_public_key(path) for path in paths])
    assert {each.custody for each in rule.keys} == {"file"}


def test_one_key_in_two_files_is_one_key(paths, tmp_path):
    (tmp_path / "copy.pem").write_bytes(paths[0].read_bytes())
    with pytest.raises(ConfigError, match=r"0\.pub\.pem, copy\.pem: a rule names one key twice"):
        load_rule([paths[0], tmp_path / "copy.pem"], 1)


@pytest.mark.parametrize("need", [0, 4])
def test_a_rule_that_asks_for_nothing_or_too_much_is_refused(paths, need):
    with pytest.raises(ConfigError, match=f"can't ask for {need} of 3"):
        load_rule(paths, need)
