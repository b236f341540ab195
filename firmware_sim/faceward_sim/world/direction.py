"""What a scene's script does to an actor: prompts ignored or answered late, motions unasked, a swap."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from faceward_sim.firmware.imager import Prompt
from faceward_sim.world.surface import Actor, SceneState


@dataclass(frozen=True, slots=True)
class Unasked:
    """A motion that is done whatever the indicator shows."""

    prompt: Prompt
    from_us: int
    until_us: int


class Directed:
    """An actor who answers some prompts only, or late, and moves by a script of their own.

    :param obeys: prompts that are answered; None for all.
    """

    def __init__(
        self, actor: Actor, *, obeys: Collection[Prompt] | None, late_us: int, motions: Sequence[Unasked]
    ) -> None:
        self.name = actor.name
        self.species = actor.species
        self._actor = actor
        self._obeys = obeys
        self._late_us = late_us
        self._motions = tuple(motions)
        self._shown: list[tuple[int, Prompt]] = []

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        return self._actor.at(time_us, self.heard(time_us, prompt))

    def heard(self, time_us: int, prompt: Prompt) -> Prompt:
        """What the actor acts on at a moment; called with rising times."""
        if not self._shown or self._shown[-1][1] is not prompt:
            self._shown.append((time_us, prompt))
        for motion in self._motions:
            if motion.from_us <= time_us < motion.until_us:
                return motion.prompt
        since = [shown for start_us, shown in self._shown if start_us + self._late_us <= time_us]
        answered = since[-1] if since else Prompt.NONE
        return answered if self._obeys is None or answered in self._obeys else Prompt.NONE


class Swapped:
    """One actor until a moment, and then another in the same place."""

    def __init__(self, first: Actor, second: Actor, at_us: int) -> None:
        self.name = first.name
        self.species = first.species
        self._actors = (first, second)
        self._at_us = at_us

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        # Both live through the same prompts, so that the second is in the pose that the first would be in.
        scenes = tuple(actor.at(time_us, prompt) for actor in self._actors)
        return scenes[time_us >= self._at_us]
