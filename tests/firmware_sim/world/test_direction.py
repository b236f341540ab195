"""What a script does to an actor."""

from __future__ import annotations

from faceward_sim.firmware.imager import Prompt
from faceward_sim.world.direction import Directed, Swapped, Unasked
from faceward_sim.world.surface import SceneState

LEFT, RIGHT, SMILE, NONE = Prompt.TURN_LEFT, Prompt.TURN_RIGHT, Prompt.SMILE, Prompt.NONE


class Listener:
    """Keeps what it was told."""

    species = "live"

    def __init__(self, name: str = "listener") -> None:
        self.name = name
        self.told: list[Prompt] = []
        self.scene = SceneState(())

    def at(self, time_us: int, prompt: Prompt) -> SceneState:
        self.told.append(prompt)
        return self.scene


def heard(directed: Directed, shown: list[tuple[int, Prompt]]) -> list[Prompt]:
    return [directed.heard(time_us, prompt) for time_us, prompt in shown]


def test_a_prompt_that_is_not_obeyed_is_as_none():
    actor = Listener()
    directed = Directed(actor, obeys={LEFT}, late_us=0, motions=())
    directed.at(0, LEFT)
    directed.at(1, SMILE)
    assert actor.told == [LEFT, NONE]
    assert (directed.name, directed.species) == (actor.name, actor.species)


def test_a_late_actor_answers_the_prompt_that_was_shown_before():
    directed = Directed(Listener(), obeys=None, late_us=100, motions=())
    shown = [(0, LEFT), (99, LEFT), (100, LEFT), (150, RIGHT), (249, RIGHT), (250, RIGHT)]
    assert heard(directed, shown) == [NONE, NONE, LEFT, LEFT, LEFT, RIGHT]


def test_a_motion_is_done_unasked_from_its_moment_to_its_end():
    directed = Directed(Listener(), obeys=(), late_us=0, motions=[Unasked(SMILE, 10, 20)])
    assert heard(directed, [(9, LEFT), (10, LEFT), (19, LEFT), (20, LEFT)]) == [NONE, SMILE, SMILE, NONE]


def test_a_swap_shows_the_second_from_its_moment_and_tells_both_everything():
    first, second = Listener("first"), Listener("second")
    swapped = Swapped(first, second, 50)
    assert swapped.at(49, LEFT) is first.scene
    assert swapped.at(50, RIGHT) is second.scene
    assert first.told == second.told == [LEFT, RIGHT]
    assert swapped.name == "first"
