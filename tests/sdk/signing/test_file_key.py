"""The signer over a file signs what its public key verifies, and takes no other key."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from faceward.errors import ConfigError, SigningError
from faceward.signing import file_key_plugin, secret_file
from faceward.signing.file_key import FileKeySigner
from faceward_proto.keys import PublicKey
from hypothesis import given
from hypothesis import strategies as st

SIGNER = FileKeySigner(ec.generate_private_key(ec.SECP256R1()))


@given(st.binary(max_size=200))
def test_what_it_signs_its_public_key_verifies(message):
    signature = SIGNER.sign(message)
    assert len(signature) == 64
    key = PublicKey(SIGNER.public_key_der)
    assert key.verifies(signature, message)
    assert not key.verifies(signature, message + b"x")


def test_a_key_is_the_same_after_it_was_loaded(tmp_path):
    made = FileKeySigner.create(tmp_path / "k.pem")
    loaded = FileKeySigner.load(tmp_path / "k.pem")
    assert loaded.public_key_der == made.public_key_der
    assert loaded.key_id == made.key_id == PublicKey(made.public_key_der).key_id
    assert (loaded.algorithm, loaded.custody) == ("ES256", "file")
    assert FileKeySigner.create(tmp_path / "other.pem").key_id != made.key_id


def test_its_repr_tells_the_key_id_alone():
    assert repr(SIGNER) == f"FileKeySigner(key_id={SIGNER.key_id!r})"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"junk",
        ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        ec.generate_private_key(ec.SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase")
        ),
        ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        b"x" * 20_000,
    ],
    ids=["empty", "junk", "ed25519", "p384", "passphrase", "der", "long"],
)
def test_a_file_without_a_plain_p256_key_is_refused(tmp_path, content):
    secret_file.create(tmp_path / "k.pem", content)
    with pytest.raises(SigningError, match=r"k\.pem"):
        FileKeySigner.load(tmp_path / "k.pem")


def test_the_plugin_loads_the_key_at_its_option(tmp_path):
    made = FileKeySigner.create(tmp_path / "k.pem")
    assert file_key_plugin.faceward_signer({"path": str(tmp_path / "k.pem")}).key_id == made.key_id


@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519", "ML-DSA-65"])
def test_a_key_of_each_algorithm_is_made_loaded_and_verified(tmp_path, algorithm):
    made = FileKeySigner.create(tmp_path / "k.pem", algorithm)
    loaded = FileKeySigner.load(tmp_path / "k.pem", algorithm)
    key = PublicKey(made.public_key_der)
    assert (made.algorithm, loaded.algorithm, key.algorithm) == (algorithm,) * 3
    assert key.verifies(loaded.sign(b"message"), b"message")
    assert not key.verifies(loaded.sign(b"message"), b"another")
    assert FileKeySigner.load(tmp_path / "k.pem", None).key_id == made.key_id == key.key_id
    assert file_key_plugin.faceward_signer({"path": str(tmp_path / "k.pem"), "algorithm": algorithm.lower()}).key_id


@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519", "ML-DSA-65"])
@pytest.mark.parametrize("wanted", ["ES256", "Ed25519", "ML-DSA-65"])
def test_a_key_of_another_algorithm_than_is_asked_for_is_refused(tmp_path, algorithm, wanted):
    FileKeySigner.create(tmp_path / "k.pem", algorithm)
    if algorithm == wanted:
        assert FileKeySigner.load(tmp_path / "k.pem", wanted).algorithm == wanted
        return
    with pytest.raises(SigningError, match=f"is one of {algorithm}, and {wanted} is asked for"):
        FileKeySigner.load(tmp_path / "k.pem", wanted)


@pytest.mark.parametrize("algorithm", ["", "RSA", "es256"])
def test_an_algorithm_that_there_is_not_makes_no_file(tmp_path, algorithm):
    with pytest.raises(SigningError, match="there is no algorithm"):
        FileKeySigner.create(tmp_path / "k.pem", algorithm)
    assert not (tmp_path / "k.pem").exists()


@pytest.mark.parametrize("algorithm", ["ES256", "rsa", "ed448", ""])
def test_the_plugin_names_the_algorithms_that_there_are(tmp_path, algorithm):
    with pytest.raises(ConfigError, match="es256, ed25519, ml-dsa-65 are known"):
        file_key_plugin.faceward_signer({"path": str(tmp_path / "k.pem"), "algorithm": algorithm})


@pytest.mark.parametrize("options", [{}, {"path": ""}, {"path": "k", "pth": "k"}])
def test_the_plugin_takes_the_option_path_and_no_other(options):
    with pytest.raises(ConfigError, match="file-key"):
        file_key_plugin.faceward_signer(options)
