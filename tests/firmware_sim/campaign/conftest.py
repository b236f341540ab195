"""Plans in a folder, and crews that present nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from faceward.model.liveness import Outcome
from faceward.pad import CaptureOutcome, GateLine, Presentation
from faceward.trial import Trial
from faceward_sim.campaign.crew import Done
from faceward_sim.campaign.plan import Plan, load_plan
from faceward_sim.campaign.presenting import Order, presented

SMALL = """
name = "small"
split = "dev"
sensors = ["sl-940"]
headline = false
[live]
tones = [1.0, 4.0]
people_per_tone = 2
[[attacks]]
actor = "print-a4"
draws = 3
captures = 1
"""


@pytest.fixture
def plan_of(tmp_path: Path) -> Callable[..., Plan]:
    """Makes a plan of a text, SMALL with replacements by default."""

    def make(text: str = SMALL, **replaced: str) -> Plan:
        for before, after in replaced.items():
            line = next(each for each in text.splitlines() if each.startswith(f"{before} = "))
            text = text.replace(line, f"{before} = {after}", 1)
        path = tmp_path / "plan.toml"
        path.write_text(text, encoding="utf-8")
        return load_plan(path)

    return make


def line_of(order: Order, attempt: int, outcome: CaptureOutcome) -> Presentation:
    """A line such as a trial makes it."""
    entry = order.entry
    verdict = {CaptureOutcome.LIVE: Outcome.LIVE, CaptureOutcome.NOT_LIVE: Outcome.NOT_LIVE}
    gate = GateLine("drawn", "1", verdict.get(outcome, Outcome.INCONCLUSIVE), "cue", 0.5)
    shown = presented(entry)
    return Presentation(
        **{name: getattr(shown, name) for name in shown.__slots__},
        presentation_id=f"{entry.grant_id}-{attempt}", attempt=attempt, outcome=outcome, gates=(gate,),
        rejection_reason="too-dark" if outcome is CaptureOutcome.REJECTED else None, decision_s=9.0,
        picture=f"pictures/{entry.grant_id}-{attempt}.png" if shown.attack and outcome is CaptureOutcome.LIVE else None,
    )  # fmt: skip


class MadeUpCrew:
    """Ends every order at once as `come_to` says: outcomes by attempt, or the code of an error. Dies after `lasts`."""

    def __init__(self, come_to: Callable[[Order], list[CaptureOutcome] | str], lasts: int | None = None) -> None:
        self.come_to, self.lasts = come_to, lasts
        self.worked: list[str] = []

    def work(self, orders: Iterable[Order]) -> Iterator[Done]:
        for order in orders:
            if len(self.worked) == self.lasts:
                raise KeyboardInterrupt
            self.worked.append(order.entry.grant_id)
            ends = self.come_to(order)
            if isinstance(ends, str):
                yield Done(order, code=ends, error="all that is known")
                continue
            lines = [line_of(order, number, outcome) for number, outcome in enumerate(ends, 1)]
            yield Done(order, tuple(Trial(line, b"png" if line.picture else None) for line in lines))

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def made_up_crew() -> type[MadeUpCrew]:
    """See MadeUpCrew."""
    return MadeUpCrew


@pytest.fixture
def line_maker() -> Callable[[Order, int, CaptureOutcome], Presentation]:
    """See line_of."""
    return line_of
