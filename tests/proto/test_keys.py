"""Public keys: one key is one key however it is written, and a signature is good or it isn't."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from faceward_proto.keys import PublicKey, UnusableKey, _is_sound_point

# RFC 8032, 7.1, test 1: the empty message.
RFC_8032_KEY = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
RFC_8032_SIGNATURE = bytes.fromhex(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
)
ED25519_PREFIX = bytes.fromhex("302a300506032b6570032100")  # RFC 8410, 10.1
# RFC 6979, A.2.5: P-256, SHA-256, message "sample".
RFC_6979_POINT = bytes.fromhex(
    "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
)
RFC_6979_SIGNATURE = bytes.fromhex(
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
)
P256_PREFIX = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")


def test_ed25519_agrees_with_rfc_8032():
    key = PublicKey(ED25519_PREFIX + RFC_8032_KEY)
    assert key.algorithm == "Ed25519"
    assert key.verifies(RFC_8032_SIGNATURE, b"")
    assert not key.verifies(RFC_8032_SIGNATURE, b"x")


def test_es256_agrees_with_rfc_6979():
    key = PublicKey(P256_PREFIX + RFC_6979_POINT)
    assert key.algorithm == "ES256"
    assert key.verifies(RFC_6979_SIGNATURE, b"sample")
    assert not key.verifies(RFC_6979_SIGNATURE, b"Sample")


@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519", "ML-DSA-65"])
def test_a_signature_of_another_length_is_no_signature(new_key, algorithm):
    key = new_key(algorithm)
    good = key.sign(b"m")
    assert key.public.verifies(good, b"m")
    for signature in (b"", good[:-1], good + b"\0", bytes(len(good)), b"\xff" * len(good), b"\1" * 64, b"\1" * 3309):
        assert not key.public.verifies(signature, b"m")


@pytest.mark.parametrize("length", [65, 3309])
def test_an_es256_signature_with_zeros_before_its_s_is_refused(new_key, length):
    key = new_key()
    good = key.sign(b"m")
    assert not key.public.verifies(good[:32] + bytes(length - 64) + good[32:], b"m")


def test_an_es256_signature_in_der_is_refused(new_key):
    key = new_key()
    der = key.private.sign(b"m", ec.ECDSA(SHA256()))
    assert not key.public.verifies(der, b"m")


def test_a_key_with_a_compressed_point_is_the_same_key(new_key):
    key = new_key()
    point = key.private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    algorithm = P256_PREFIX[2:23]
    compressed = b"\x30" + bytes([len(algorithm) + 36]) + algorithm + b"\x03\x22\x00" + point
    assert compressed != key.public.der
    assert PublicKey(compressed) == key.public
    assert len({PublicKey(compressed), key.public}) == 1


@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519", "ML-DSA-65"])
def test_a_key_comes_back_from_pem(new_key, algorithm):
    key = new_key(algorithm).public
    assert PublicKey.from_pem(key.to_pem()) == key
    assert PublicKey.from_pem(key.to_pem()).key_id == key.key_id == key.digest.hex()


def test_what_is_no_usable_key_is_refused():
    p384 = ec.generate_private_key(ec.SECP384R1()).public_key()
    rsa_key = rsa.generate_private_key(65537, 2048).public_key()
    for key in (p384, rsa_key):
        with pytest.raises(UnusableKey):
            PublicKey(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
        with pytest.raises(UnusableKey):
            PublicKey.from_pem(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    for junk in (b"", b"junk", b"\x30\x80", P256_PREFIX + b"\x04" + bytes(64)):
        with pytest.raises(UnusableKey):
            PublicKey(junk)
    with pytest.raises(UnusableKey):
        PublicKey.from_pem(b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")


# The eight points of small order, and other spellings of some of them that OpenSSL takes for more keys (p is
# 2^255 - 19; RFC 8032, 5.1.3 refuses all spellings but one).
SMALL_ORDER = [
    "01" + 31 * "00", "ec" + 30 * "ff" + "7f", 32 * "00", 31 * "00" + "80",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
]  # fmt: skip
RESPELLED = ["01" + 30 * "00" + "80", "ee" + 30 * "ff" + "7f", "ed" + 30 * "ff" + "7f", "ed" + 31 * "ff"]
NO_POINTS = [32 * "ff", "02" + 31 * "00"]


def ed25519_of(raw: bytes) -> PublicKey:
    key = ed25519.Ed25519PublicKey.from_public_bytes(raw)
    return PublicKey(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize("spelling", [*SMALL_ORDER, *RESPELLED, *NO_POINTS])
def test_an_ed25519_key_by_which_anybody_can_sign_or_that_is_no_point_verifies_nothing(spelling):
    base = bytes.fromhex("58" + 31 * "66")
    signature = base + (1).to_bytes(32, "little")  # R = B and s = 1: good under the neutral point, over any message
    key = ed25519_of(bytes.fromhex(spelling))
    assert not any(key.verifies(signature, message) for message in (b"", b"a", b"b", b"c", b"d", b"e", b"f", b"g"))
    assert not _is_sound_point(bytes.fromhex(spelling))


def test_openssl_would_take_a_signature_that_nobody_made():
    key = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex("01" + 31 * "00"))
    key.verify(bytes.fromhex("58" + 31 * "66") + (1).to_bytes(32, "little"), b"whatever")


def test_every_ed25519_key_that_somebody_made_is_sound():
    made = [ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw() for _ in range(200)]
    assert all(map(_is_sound_point, made))
