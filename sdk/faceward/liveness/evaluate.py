"""From answers to a verdict: one plain loop, in which anything but LIVE refuses."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from faceward.model.liveness import Evidence, GateResult, LivenessVerdict, Measure, Outcome

if TYPE_CHECKING:
    from faceward.config import Policy
    from faceward.liveness.worker import GateAnswer

GATE_FAILED = "gate-failed"
_DIGEST_BYTES = 32


class ExpectedGate(Protocol):
    """A gate that must answer; faceward.liveness.worker.RemoteGate is one."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def distribution(self) -> str: ...


def decide(
    policy: Policy,
    expected_gates: Sequence[ExpectedGate],
    answers: Iterable[GateAnswer],
    seen_digests: Collection[bytes],
) -> LivenessVerdict:
    """The verdict over one capture.

    1. Every gate that the policy names, in name order, has exactly one answer; a missing, doubled, failed or malformed
       one becomes INCONCLUSIVE with the cue `gate-failed`.
    2. One NOT_LIVE makes NOT_LIVE.
    3. LIVE from every gate makes LIVE.
    4. All else is INCONCLUSIVE: an answer NOT_EVALUATED refuses too.
    """
    given: dict[str, list[GateAnswer]] = {}
    for answer in answers:
        given.setdefault(answer.gate, []).append(answer)
    expected = {gate.name: gate for gate in expected_gates}
    seen = seen_digests if isinstance(seen_digests, frozenset | set) else frozenset(seen_digests)
    results: list[GateResult] = []
    for name in sorted({ref.name for ref in policy.gates} | set(expected)):
        gate = expected.get(name)
        evidence, flaw = _checked(given.get(name, []), seen)
        if gate is None:
            flaw = "the gate was never loaded"
        if flaw is not None or evidence is None:
            evidence = Evidence(Outcome.INCONCLUSIVE, GATE_FAILED, f"gate {name} {flaw}")
        results.append(
            GateResult(
                gate=name,
                version=gate.version if gate is not None else "",
                distribution=gate.distribution if gate is not None else "",
                evidence=evidence,
            )
        )
    outcomes = [result.evidence.outcome for result in results]
    if Outcome.NOT_LIVE in outcomes:
        outcome = Outcome.NOT_LIVE
    elif outcomes and all(each is Outcome.LIVE for each in outcomes):
        outcome = Outcome.LIVE
    else:
        outcome = Outcome.INCONCLUSIVE
    return LivenessVerdict(outcome, tuple(results), policy.hash)


def _checked(answers: Sequence[GateAnswer], seen: Collection[bytes]) -> tuple[Evidence | None, str | None]:
    if len(answers) != 1:
        return None, f"gave {len(answers)} answers"
    answer = answers[0]
    if answer.problem is not None:
        return None, f"failed: {answer.problem}"
    return answer.evidence, _flaw_of(answer.evidence, seen)


def _flaw_of(evidence: object, seen: Collection[bytes]) -> str | None:
    """What makes this no evidence, or None."""
    if type(evidence) is not Evidence:
        return f"answered with a {type(evidence).__name__}"
    if type(evidence.outcome) is not Outcome:
        return "answered with no outcome"
    if type(evidence.cue) is not str or type(evidence.reason) is not str:
        return "answered with a cue or reason that is no text"
    if type(evidence.measures) is not tuple or any(type(measure) is not Measure for measure in evidence.measures):
        return "answered with measures that are none"
    judged = evidence.outcome in (Outcome.LIVE, Outcome.NOT_LIVE)
    if not _is_number(evidence.score, finite=judged):
        return "answered with a score that is no number"
    for measure in evidence.measures:
        if not _is_number(measure.value, finite=judged) or not (
            measure.limit is None or _is_number(measure.limit, finite=True)
        ):
            return f"answered with a measure {measure.name!r} that is no number"
        if evidence.outcome is Outcome.LIVE and measure.passes is False:
            return f"answered live although its measure {measure.name!r} fails its own limit"
    if type(evidence.covered) is not frozenset:
        return "answered with covered digests that are no frozenset"
    for digest in evidence.covered:
        if type(digest) is not bytes or len(digest) != _DIGEST_BYTES:
            return "covers something that is no digest"
        if digest not in seen:
            return "covers a frame that it was never shown"
    return None


def _is_number(value: object, *, finite: bool) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and (not finite or math.isfinite(value))
