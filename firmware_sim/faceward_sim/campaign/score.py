"""How near one presentation came to being taken for living: what a search maximises.

The report has no such number, and no gate sees it: gates are never weighed together. It only tells an attacker, who has
the gates' own measures before him, where to go next.
"""

from __future__ import annotations

import math

from faceward.pad import CaptureOutcome, GateLine, MeasureLine, Presentation

LIVE, NOT_LIVE = CaptureOutcome.LIVE.value, CaptureOutcome.NOT_LIVE.value  # gates answer by the same names
_STEEP = 4.0  # a measure at twice its limit, or at none of it, has gone 98 % of the way
_LEAST_LIMIT = 1e-3


def score(line: Presentation) -> float:
    """From 0 to 1. Another gate that says live, or the capture's own acceptance, outweighs every margin.

    Without answers (a capture that failed) it is 0. Of n gates the score is (live gates + accepted + margin) / (n + 2),
    where the margin is the gates' mean.
    """
    if not line.gates:
        return 0.0
    live = sum(gate.outcome == LIVE for gate in line.gates)
    accepted = line.outcome is CaptureOutcome.LIVE
    margin = sum(gate_margin(gate) for gate in line.gates) / len(line.gates)
    return (live + accepted + margin) / (len(line.gates) + 2)


def gate_margin(gate: GateLine) -> float:
    """From 0 to 1: how far its measures are on the living's side of their limits, on average.

    A gate that could not judge has no margin; one that refused has half at most.
    """
    if gate.outcome not in (LIVE, NOT_LIVE):
        return 0.0
    margins = [_margin(measure) for measure in gate.measures if measure.limit is not None]
    mean = sum(margins) / len(margins) if margins else float(gate.outcome == LIVE)
    return mean if gate.outcome == LIVE else min(mean, 0.5)


def _margin(measure: MeasureLine) -> float:
    """.5 at the limit, 1 far beyond it."""
    if measure.value is None or measure.limit is None:
        return 0.0
    apart = (measure.limit - measure.value) / max(abs(measure.limit), _LEAST_LIMIT)
    apart = apart if measure.sense == "<=" else -apart
    return 1.0 / (1.0 + math.exp(-min(max(_STEEP * apart, -60.0), 60.0)))


def holding(line: Presentation) -> tuple[str, ...]:
    """What held it: gates with their cues, or why no capture came about; empty where it was taken for living."""
    if line.outcome is CaptureOutcome.LIVE:
        return ()
    held = tuple(f"{gate.gate}: {gate.cue}" for gate in line.gates if gate.outcome != LIVE)
    return held or (line.rejection_reason or line.error_code or "no gate",)
