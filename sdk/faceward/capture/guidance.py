"""What a person can mend, said calmly: a reason shows when it lasts and goes when it is over."""

from __future__ import annotations

from enum import StrEnum

from faceward.face.analysis import Look
from faceward.face.quality import Fault
from faceward.model.frame import Prompt

SHOW_SLOTS = 5  # 0.3 s of flood slots: a blink of a reason would only confuse
CLEAR_SLOTS = 3


class Reason(StrEnum):
    """What the person can do something about."""

    NO_FACE = "no-face"
    TWO_FACES = "two-faces"
    TOO_FAR = "too-far"
    TOO_CLOSE = "too-close"
    TURNED = "turned"
    COVERED = "covered"
    TOO_BRIGHT = "too-bright"
    TOO_DARK = "too-dark"
    HOLD_STILL = "hold-still"
    BLURRED = "blurred"


PROMPTS = {
    Reason.NO_FACE: Prompt.LOOK_STRAIGHT,
    Reason.TWO_FACES: Prompt.ONE_PERSON,
    Reason.TOO_FAR: Prompt.MOVE_CLOSER,
    Reason.TOO_CLOSE: Prompt.MOVE_BACK,
    Reason.TURNED: Prompt.LOOK_STRAIGHT,
    Reason.COVERED: Prompt.UNCOVER_FACE,
    Reason.TOO_BRIGHT: Prompt.HOLD_STILL,
    Reason.TOO_DARK: Prompt.HOLD_STILL,
    Reason.HOLD_STILL: Prompt.HOLD_STILL,
    Reason.BLURRED: Prompt.HOLD_STILL,
}

_FAULTS = {
    Fault.TOO_CLOSE: Reason.TOO_CLOSE,
    Fault.TOO_FAR: Reason.TOO_FAR,
    Fault.TOO_BRIGHT: Reason.TOO_BRIGHT,
    Fault.TOO_DARK: Reason.TOO_DARK,
    Fault.COVERED: Reason.COVERED,
    Fault.BLURRED: Reason.BLURRED,
}


def reason_of(look: Look) -> Reason | None:
    """What is wrong with one flood slot, the first thing to mend; None for a good one."""
    if look.faces == 0:
        return Reason.NO_FACE
    if look.faces > 1:
        return Reason.TWO_FACES
    faults = look.quality.faults if look.quality is not None else (Fault.BLURRED,)
    return _FAULTS[faults[0]] if faults else None


class Hysteresis:
    """Lets a reason show after five slots in a row and go after three without it."""

    def __init__(self) -> None:
        self.shown: Reason | None = None
        self._candidate: Reason | None = None
        self._count = 0

    def see(self, reason: Reason | None) -> Reason | None:
        """The reason to show after this slot."""
        if reason is self.shown:
            self._candidate, self._count = None, 0
            return self.shown
        if reason is not self._candidate:
            self._candidate, self._count = reason, 0
        self._count += 1
        if self._count >= (CLEAR_SLOTS if reason is None else SHOW_SLOTS):
            self.shown, self._candidate, self._count = reason, None, 0
        return self.shown
