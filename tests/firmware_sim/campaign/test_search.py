"""The search itself, against scores that are made up."""

from __future__ import annotations

import pytest
from faceward_sim.campaign.search import Search
from faceward_sim.world.adaptive import BOUNDS, AdaptiveDesign

GOAL = AdaptiveDesign(mu_s_reduced_per_mm=5.0, thickness_mm=1.2, turn_share=0.8, distance_mm=550.0, hole_mm=6.0)


def near(design: AdaptiveDesign) -> float:
    """1 at the goal, less with every share of a bound away from it."""
    away = [bound.share(getattr(design, name)) - bound.share(getattr(GOAL, name)) for name, bound in BOUNDS.items()]
    return 1.0 / (1.0 + sum(part * part for part in away))


def run(search: Search, generations: int) -> list[float]:
    best = []
    for _ in range(generations):
        designs = search.ask()
        best.append(max(map(near, designs)))
        search.tell(designs, [near(design) for design in designs])
    return best


def test_it_finds_a_design_that_scores_better_than_where_it_began():
    search = Search(7, 10, second_band=True)
    best = run(search, 60)
    assert near(AdaptiveDesign()) < 0.6
    assert near(search.middle) > 0.98 and max(best[-5:]) > max(best[:5])


def test_it_is_a_function_of_its_seed_and_of_what_it_is_told():
    one, other, another = (Search(seed, 6, second_band=False) for seed in (7, 7, 8))
    run(one, 3), run(other, 3), run(another, 3)
    assert one.ask() == other.ask() != another.ask()


def test_it_goes_on_from_the_designs_that_were_presented_whatever_it_asked_for():
    one, other = Search(7, 6, second_band=False), Search(7, 6, second_band=False)
    designs = one.ask()
    scores = [near(design) for design in designs]
    one.tell(designs, scores)
    other.ask()
    other.tell(tuple(reversed(designs)), list(reversed(scores)))
    assert one.middle == other.middle
    assert one.middle != Search(7, 6, second_band=False).middle


def test_every_design_is_one_that_can_be_cast_and_the_unseen_band_stays_as_usual():
    search = Search(3, 12, second_band=False)
    for _ in range(10):
        designs = search.ask()
        assert {design.mu_a_850_share for design in designs} == {1.0}
        search.tell(designs, [-near(design) for design in designs])
    assert len({design.mu_a_850_share for design in Search(3, 12, second_band=True).ask()}) == 12


def test_half_a_generation_is_none():
    search = Search(7, 6, second_band=False)
    with pytest.raises(ValueError, match="5 designs and 6 scores"):
        search.tell(search.ask()[:5], [0.0] * 6)
    with pytest.raises(ValueError, match="4 designs at least"):
        Search(7, 3, second_band=False)
