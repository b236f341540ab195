from __future__ import annotations

from typing import Any

from faceward.capture.sets import SLOTS_MAX, SetAssembler, frame_sets
from faceward.model.frame import Illumination, Slot
from hypothesis import given
from hypothesis import strategies as st


def test_a_set_begins_with_its_depth_and_ends_before_the_next(script: Any) -> None:
    lights = [Illumination.FLOOD, Illumination.DOTS, Illumination.FLOOD, Illumination.OFF, Illumination.DOTS]
    slots = [script.slot(n, light) for n, light in enumerate(lights)]
    found = list(frame_sets(slots))
    assert [[slot.infrared.slot for slot in frame_set.slots] for frame_set in found] == [[0], [1, 2, 3], [4]]
    assert found[0].depth is None and found[1].depth is slots[1].depth


def test_without_depth_a_set_still_ends(script: Any) -> None:
    found = list(frame_sets(script.slot(n, Illumination.FLOOD) for n in range(SLOTS_MAX + 3)))
    assert [len(frame_set.slots) for frame_set in found] == [SLOTS_MAX, 3]


def test_nothing_makes_no_set() -> None:
    assert list(frame_sets([])) == [] and SetAssembler().close() is None


@given(st.lists(st.sampled_from(Illumination), max_size=60))
def test_every_slot_is_in_one_set_in_order(lights: list[Illumination]) -> None:
    slots = [Slot(infrared=n, depth=n if light is Illumination.DOTS else None) for n, light in enumerate(lights)]  # type: ignore[arg-type]
    found = list(frame_sets(slots))
    assert [slot for frame_set in found for slot in frame_set.slots] == slots
    assert [frame_set.index for frame_set in found] == list(range(len(found)))
    assert all(slot.depth is None for frame_set in found for slot in frame_set.slots[1:])
