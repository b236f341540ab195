"""Attacks: an instrument or a trick before a real host, and how it must be refused."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from faceward.config import Home
from faceward.enrollment import enroll
from faceward.errors import NotLive
from faceward.host import Host
from faceward.model.liveness import LivenessVerdict, Outcome
from faceward.store.subjects import parse_subject

from tests.attacks.records import Enrolled


@pytest.fixture
def refused_as_not_live(
    host_before: Callable[..., Host],
    keeps_the_promise: Callable[..., None],
    record_property: Callable[[str, object], None],
) -> Callable[..., LivenessVerdict]:
    """Lets an actor try to enroll once, and asserts that a named cue of a named gate found it not to be alive."""

    def refuse(
        actor: str, seed: int, distance_mm: float, *, cues: Collection[tuple[str, str]], tone: float | None = None
    ) -> LivenessVerdict:
        host = host_before(actor, seed, distance_mm=distance_mm, tone=tone)
        with pytest.raises(NotLive) as refused:
            enroll(host, "mallory", retries=False)
        verdict = refused.value.verdict
        assert verdict is not None
        assert verdict.outcome is Outcome.NOT_LIVE
        found = {(result.gate, result.evidence.cue) for result in verdict.deciding}
        record_property("found", f"{actor} at {distance_mm:.0f} mm: " + ", ".join(map(": ".join, sorted(found))))
        assert found & set(cues), f"refused, but by {found}"
        keeps_the_promise(host, attempts=["not-live"])
        return verdict

    return refuse


@pytest.fixture(scope="session")
def enrolled(enrolled_homes: Path, host_in: Callable[[Home], Host]) -> Iterator[Enrolled]:
    """Two people, enrolled by one host on one attested sensor after another. Tests change nothing in its store."""
    with host_in(Home(enrolled_homes / "both")) as host:
        yield Enrolled(host, *(host.templates.get(parse_subject(name)) for name in ("alice", "bob")))


@pytest.fixture
def takes_unattested() -> Callable[[Host], Host]:
    """The host under a policy that takes sensors that prove nothing."""
    return lambda host: replace(host, policy=replace(host.policy, allow_unattested=True))


_PROPERTIES = ("found", "miss", "flipped", "promise")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What gave each instrument away."""
    lines = [
        f"{dict(report.user_properties).get('seed', '')!s:>7}  {value}"
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in getattr(report, "user_properties", ())
        if name in _PROPERTIES
    ]
    if lines:
        terminalreporter.section("attacks (simulated): seed if one was drawn, and what gave them away")
        for line in lines:
            terminalreporter.write_line(line)
