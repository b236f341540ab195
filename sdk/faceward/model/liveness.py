"""What gates answer, and what follows from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """A gate's answer. Any but LIVE refuses; only NOT_LIVE is a detection."""

    LIVE = "live"
    NOT_LIVE = "not-live"
    INCONCLUSIVE = "inconclusive"
    NOT_EVALUATED = "not-evaluated"  # a stream or band that the cue needs is not there


@dataclass(frozen=True, slots=True)
class Measure:
    """One number that a gate judged by. `limit` is what it was held against, with `sense` ("<=" or ">=") for passing."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    sense: str = "<="

    @property
    def passes(self) -> bool | None:
        """Whether the value keeps the limit; None without one. NaN never passes."""
        if self.limit is None:
            return None
        return self.value <= self.limit if self.sense == "<=" else self.value >= self.limit


@dataclass(frozen=True, slots=True)
class Evidence:
    """One gate's answer on one capture.

    `cue` names what decided, in a word or two ("dot spread"); `reason` is a sentence for developers and the audit.
    `score` rises with the likelihood of life; it orders captures of one gate and is never combined across gates.
    `covered` are the digests of all frames that the gate judged.
    """

    outcome: Outcome
    cue: str
    reason: str
    measures: tuple[Measure, ...] = ()
    score: float = math.nan
    covered: frozenset[bytes] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class GateResult:
    """A gate by name and version with what it answered, after the decision loop has checked it."""

    gate: str
    version: str
    distribution: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class LivenessVerdict:
    """All gates' answers, in name order, and the one that follows."""

    outcome: Outcome
    results: tuple[GateResult, ...]
    policy_hash: bytes

    @property
    def deciding(self) -> tuple[GateResult, ...]:
        """The results that made the outcome what it is: for INCONCLUSIVE, every gate that could not judge."""
        decisive = {self.outcome, Outcome.NOT_EVALUATED} if self.outcome is Outcome.INCONCLUSIVE else {self.outcome}
        return tuple(result for result in self.results if result.evidence.outcome in decisive)


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a gate needs of a capture. Rates are slots a second; a plan meets the maximum over all gates or fails."""

    depth: bool = False
    dots_hz: float = 0.0
    flood_hz: float = 0.0
    flood_second_hz: float = 0.0
    off_hz: float = 0.0
    seconds: float = 0.0
    expression: bool = False


Thresholds = Mapping[str, float]
