"""Numbers that never go back, each for its tenant and lock group."""

from __future__ import annotations

import pytest
from faceward.errors import StoreError
from faceward.store.database import Database
from faceward.store.watermarks import Watermark, Watermarks


@pytest.fixture
def marks(database) -> Watermarks:
    return Watermarks(database, "acme", "doors")


@pytest.mark.parametrize("mark", Watermark)
def test_a_mark_rises_and_is_0_before_the_first(marks, mark):
    assert marks.highest(mark) == 0
    for number in (0, 3, 3, 1 << 39):
        marks.reach(mark, number)
        assert marks.highest(mark) == number


def test_a_mark_never_goes_back(marks):
    marks.reach(Watermark.EPOCH, 4)
    with pytest.raises(StoreError, match="epoch 3 is below 4"):
        marks.reach(Watermark.EPOCH, 3)
    assert marks.highest(Watermark.EPOCH) == 4


def test_each_mark_and_each_lock_group_has_its_own(database, marks):
    marks.reach(Watermark.EPOCH, 4)
    assert marks.highest(Watermark.TRUST) == 0
    for tenant, group in (("acme", "vault"), ("other", "doors")):
        assert Watermarks(database, tenant, group).highest(Watermark.EPOCH) == 0


def test_a_mark_survives_a_restart(url, database, marks):
    marks.reach(Watermark.TRUST, 9)
    database.close()
    with Database(url) as again:
        assert Watermarks(again, "acme", "doors").highest(Watermark.TRUST) == 9


def test_a_mark_goes_with_the_transaction_around_it(database, marks):
    with pytest.raises(RuntimeError), database.transaction():
        marks.reach(Watermark.EPOCH, 4)
        raise RuntimeError
    assert marks.highest(Watermark.EPOCH) == 0
