"""The firmware's P-256, against published values."""

from __future__ import annotations

import hashlib

import pytest
from faceward_sim.firmware.keys import KeyPair, derive

# RFC 6979, A.2.5: P-256 with SHA-256, message "sample".
RFC_KEY = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
RFC_X = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"


def test_the_public_key_is_the_rfcs():
    pair = KeyPair(RFC_KEY)
    assert pair.point[1:33].hex() == RFC_X
    assert pair.public_der.endswith(pair.point)
    assert len(pair.public_der) == 91


def test_two_sides_agree_on_the_x_coordinate():
    one, two = KeyPair(RFC_KEY), KeyPair(7)
    assert one.agree(two.point) == two.agree(one.point)
    assert KeyPair(1).agree(one.point).hex() == RFC_X


@pytest.mark.parametrize("point", [b"", bytes(65), b"\4" + bytes(64), b"\2" + bytes(32), bytes(66)])
def test_what_is_no_uncompressed_point_is_refused(point):
    with pytest.raises(ValueError):
        KeyPair(RFC_KEY).agree(point)


def test_signatures_are_reproducible_and_the_label_counts():
    pair = KeyPair(RFC_KEY)
    assert pair.sign(b"label", b"statement") == pair.sign(b"label", b"statement")
    assert len({pair.sign(b"label", b"statement"), pair.sign(b"other", b"statement")}) == 2


def test_every_secret_makes_a_key_and_labels_part_them():
    assert KeyPair.of(b"\xff" * 32).point != KeyPair.of(bytes(32)).point
    assert KeyPair.of(bytes(32)).point == KeyPair(1).point
    secret = hashlib.sha256(b"secret").digest()
    assert len({derive(secret, b"a", b""), derive(secret, b"b", b""), derive(secret, b"a", b"b")}) == 3
