"""Slots to frame sets: a depth frame with the slots up to the next one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from faceward.model.frame import FrameSet, Slot

SLOTS_MAX = 8  # a set that no depth frame ends: 0.27 s, beyond what a plan allows between two


class SetAssembler:
    """Holds the slots of the set that is still open: never more than eight."""

    def __init__(self) -> None:
        self._slots: list[Slot] = []
        self._index = 0

    def add(self, slot: Slot) -> FrameSet | None:
        """Take the next slot; the set that it closed, if it closed one (the slot itself is in the next)."""
        closed = self.close() if self._slots and (slot.depth is not None or len(self._slots) >= SLOTS_MAX) else None
        self._slots.append(slot)
        return closed

    def close(self) -> FrameSet | None:
        """The set that is open, as it is; None when it has no slot."""
        if not self._slots:
            return None
        frame_set = FrameSet(self._index, tuple(self._slots))
        self._index += 1
        self._slots.clear()
        return frame_set


def frame_sets(slots: Iterable[Slot]) -> Iterator[FrameSet]:
    """Every frame set of a finished sequence of slots, for recordings."""
    assembler = SetAssembler()
    for slot in slots:
        closed = assembler.add(slot)
        if closed is not None:
            yield closed
    last = assembler.close()
    if last is not None:
        yield last
