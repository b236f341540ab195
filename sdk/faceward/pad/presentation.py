"""One presentation to a sensor and what came of it: the unit of every figure in a report."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from itertools import chain
from types import MappingProxyType
from typing import Any, Final

from faceward.errors import ConfigError
from faceward.model.liveness import LivenessVerdict, Outcome

SPLITS: Final = ("train", "dev", "test")
PURPOSES: Final = ("enroll", "verify")

_FILE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,127}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+()/-]{0,63}")
_PICTURE = re.compile(r"pictures/[A-Za-z0-9][A-Za-z0-9._-]{0,127}\.png")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LONGEST_TEXT = 1000
_LARGEST = 2**53  # every whole number up to here is a float, and sums of millions of them are numbers


class CaptureOutcome(StrEnum):
    """How one capture ended. LIVE alone made a template, or was let on to matching."""

    LIVE = "live"
    NOT_LIVE = "not-live"
    INCONCLUSIVE = "inconclusive"
    REJECTED = "rejected"  # by quality: the person can mend it
    FAILED = "failed"  # by an error of sensor or host


# What became a decision. A capture that was rejected or failed became none, whatever its gates said: it is a non-response.
RESPONSES: Final = frozenset({CaptureOutcome.LIVE, CaptureOutcome.NOT_LIVE, CaptureOutcome.INCONCLUSIVE})


@dataclass(frozen=True, slots=True)
class MeasureLine:
    """One number that a gate judged by; `value` is None where it was no number."""

    name: str
    value: float | None
    unit: str
    limit: float | None
    sense: str


@dataclass(frozen=True, slots=True)
class GateLine:
    """One gate's answer. `score` rises with the likelihood of life; None where it was no number."""

    gate: str
    version: str
    outcome: Outcome
    cue: str
    score: float | None
    measures: tuple[MeasureLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """One line of results. docs/pad-report.md has the schema; making one checks it.

    `attack` says what was presented, `species` of which kind: of attack instruments, or of living people ("live").
    `instrument_id` names one instrument, and only an attack has one; `person_id` names who stood there (of an attack:
    wearer or holder). `target_id` is set where the system under test matches: whose template was attacked or claimed.
    `adaptive` says that the instrument, or its wearer's behaviour, was searched against the very gates under test.
    A `grant_id` joins the attempts that one permission, or one verification, allowed; `attempt` counts from 1.
    `decision_s` is from the first frame to the verdict by the sensor's clock, which is what a person waits.

    Raises: ConfigError, which names the presentation and the field.
    """

    presentation_id: str
    attack: bool
    species: str
    person_id: str | None
    instrument_id: str | None
    target_id: str | None = None
    adaptive: bool = False
    tone: str | None = None
    sensor_kind: str
    sensor_unit: str
    split: str
    generator: str | None = None
    simulated: bool
    seed: int | None = None
    replay: str = ""
    policy_sha256: str | None = None
    purpose: str
    grant_id: str
    attempt: int
    outcome: CaptureOutcome
    rejection_reason: str | None = None
    error_code: str | None = None
    gates: tuple[GateLine, ...] = ()
    decision_s: float | None = None
    match_tried: bool = False
    match_score: float | None = None
    match_threshold: float | None = None
    picture: str | None = None

    def __post_init__(self) -> None:
        # Lazily: what the fields say together is only looked at where each of them is sound.
        for flaw in chain(_flaws_of_form(self), _flaws_of_sense(self)):
            raise ConfigError(f"presentation {str(self.presentation_id)[:128]!r}: {flaw}")

    @property
    def responded(self) -> bool:
        """Whether it came to a decision, one way or another."""
        return self.outcome in RESPONSES

    @property
    def accepted(self) -> bool:
        """Whether every gate found it alive."""
        return self.outcome is CaptureOutcome.LIVE

    @property
    def answered(self) -> bool:
        """Whether the gates answered, which they also do where a capture is rejected for what it lacks."""
        return bool(self.gates) and self.outcome is not CaptureOutcome.FAILED

    @property
    def found_alive(self) -> bool:
        """Whether every gate found it alive, whatever became of the capture."""
        return self.answered and all(answer.outcome is Outcome.LIVE for answer in self.gates)

    @property
    def matched(self) -> bool:
        """Whether the whole system let it in: alive and matched. False where matching did not run."""
        if self.match_score is None or self.match_threshold is None:
            return False
        return self.accepted and self.match_tried and self.match_score >= self.match_threshold


def gate_lines(verdict: LivenessVerdict) -> tuple[GateLine, ...]:
    """A verdict's answers as results hold them; of a gate's text what fits, and no number where a line can't hold it."""
    return tuple(
        GateLine(
            gate=result.gate,
            version=result.version,
            outcome=result.evidence.outcome,
            cue=_fitting(result.evidence.cue),
            score=_finite(result.evidence.score),
            measures=tuple(
                MeasureLine(
                    _fitting(each.name), _finite(each.value), _fitting(each.unit), _finite(each.limit), each.sense
                )
                for each in result.evidence.measures
            ),
        )
        for result in sorted(verdict.results, key=lambda result: result.gate)
    )


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) and abs(value) <= _LARGEST else None


def _fitting(text: str) -> str:
    return text.encode(errors="replace").decode()[:_LONGEST_TEXT]


def _flaws_of_form(line: Presentation) -> Iterator[str]:
    """Types and shapes of the fields."""
    for name, kind in _KINDS.items():
        value = getattr(line, name)
        if value is None and name in _OPTIONAL:
            continue
        if kind is float and not _number(value):
            yield f"{name} is {value!r} and no finite number"
        elif kind is not float and type(value) is not kind:
            yield f"{name} is {value!r} and not of type {kind.__name__}"
    for name, pattern in _PATTERNS.items():
        value = getattr(line, name)
        if value is not None and not pattern.fullmatch(value):
            yield f"{name} {value[:140]!r} is not of the form {pattern.pattern}"
    for name, allowed in (("split", SPLITS), ("purpose", PURPOSES)):
        if getattr(line, name) not in allowed:
            yield f"{name} {getattr(line, name)!r} is none of {', '.join(allowed)}"
    if not is_text(line.replay):
        yield f"replay is no text of at most {_LONGEST_TEXT} characters"
    if line.seed is not None and not -(2**63) <= line.seed < 2**63:
        yield "seed does not fit 64 bits"
    if not 1 <= line.attempt <= 1000:
        yield f"attempt {line.attempt} is not between 1 and 1000"
    if line.decision_s is not None and line.decision_s < 0:
        yield "decision_s is negative"
    for answer in line.gates:
        yield from _flaws_of_answer(answer)
    names = [answer.gate for answer in line.gates]
    if names != sorted(set(names)):
        yield "gates must stand once each, in name order"


def _flaws_of_answer(answer: object) -> Iterator[str]:
    if type(answer) is not GateLine or type(answer.outcome) is not Outcome or type(answer.measures) is not tuple:
        yield "gates holds something that is no gate's answer"
        return
    if type(answer.gate) is not str or not _NAME.fullmatch(answer.gate):
        yield f"a gate is named {answer.gate!r}"
    if not is_text(answer.version) or not is_text(answer.cue) or not _number(answer.score):
        yield f"gate {answer.gate!r} has a version, cue or score that is none"
    for measure in answer.measures:
        if (
            type(measure) is not MeasureLine
            or not is_text(measure.name)
            or not is_text(measure.unit)
            or measure.sense not in ("<=", ">=")
            or not _number(measure.value)
            or not _number(measure.limit)
        ):
            yield f"gate {answer.gate!r} has a measure that is none: {measure!r}"


def _number(value: object) -> bool:
    return value is None or (type(value) in (int, float) and abs(value) <= _LARGEST)  # type: ignore[arg-type]


def is_text(value: object, longest: int = _LONGEST_TEXT) -> bool:
    """Whether a value is text that JSON, Parquet and a page can hold."""
    if type(value) is not str or len(value) > longest:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can write and Parquet can't hold
        return False
    return True


def _flaws_of_sense(line: Presentation) -> Iterator[str]:
    """What the fields say together."""
    answers = [answer.outcome for answer in line.gates]
    if line.attack and line.instrument_id is None:
        yield "an attack has an instrument_id"
    if not line.attack and line.instrument_id is not None:
        yield "a living person has no instrument_id"
    if not line.attack and line.adaptive:
        yield "a living person is not adaptive"
    if not line.attack and line.person_id is None:
        yield "a living person has a person_id"
    if (line.outcome is CaptureOutcome.REJECTED) is (line.rejection_reason is None):
        yield f"outcome is {line.outcome} and rejection_reason is {line.rejection_reason!r}"
    if (line.outcome is CaptureOutcome.FAILED) is (line.error_code is None):
        yield f"outcome is {line.outcome} and error_code is {line.error_code!r}"
    if line.responded and line.decision_s is None:
        yield f"outcome is {line.outcome} and decision_s is missing"
    if line.responded and not answers:
        yield f"outcome is {line.outcome} and no gate answered"
    if line.accepted and any(answer is not Outcome.LIVE for answer in answers):
        yield "outcome is live although a gate said otherwise"
    # The door's first rule: one NOT_LIVE refuses, however the capture went. A capture that failed never came to the door.
    if (Outcome.NOT_LIVE in answers) is not (line.outcome is CaptureOutcome.NOT_LIVE) and (
        line.outcome is not CaptureOutcome.FAILED
    ):
        yield f"outcome is {line.outcome} and the gates said {', '.join(sorted(set(answers))) or 'nothing'}"
    if line.match_tried:
        if line.target_id is None or line.match_score is None or line.match_threshold is None:
            yield "match_tried needs target_id, match_score and match_threshold"
        if not line.accepted:
            yield "only what is live is matched, and match_tried is true"
    elif line.accepted and line.target_id is not None:
        yield "target_id says that the system matches, outcome is live, and match_tried is false"
    elif line.match_score is not None or line.match_threshold is not None:
        yield "match_score and match_threshold stand only where match_tried is true"


_KINDS: Final[Mapping[str, type]] = MappingProxyType(
    {
        "presentation_id": str, "attack": bool, "species": str, "person_id": str, "instrument_id": str,
        "target_id": str, "adaptive": bool, "tone": str, "sensor_kind": str, "sensor_unit": str, "split": str,
        "generator": str, "simulated": bool, "seed": int, "replay": str, "policy_sha256": str, "purpose": str,
        "grant_id": str, "attempt": int, "outcome": CaptureOutcome, "rejection_reason": str, "error_code": str,
        "gates": tuple, "decision_s": float, "match_tried": bool, "match_score": float, "match_threshold": float,
        "picture": str,
    }
)  # fmt: skip
_OPTIONAL: Final = frozenset(
    {
        "person_id", "instrument_id", "target_id", "tone", "generator", "seed", "policy_sha256", "rejection_reason",
        "error_code", "decision_s", "match_score", "match_threshold", "picture",
    }
)  # fmt: skip
_PATTERNS: Final = MappingProxyType(
    {
        "presentation_id": _FILE_ID, "species": _NAME, "person_id": _ID, "instrument_id": _ID, "target_id": _ID,
        "tone": _NAME, "sensor_kind": _NAME, "sensor_unit": _ID, "generator": _NAME, "policy_sha256": _DIGEST,
        "grant_id": _ID, "rejection_reason": _NAME, "error_code": _NAME, "picture": _PICTURE,
    }
)  # fmt: skip


def as_row(line: Presentation) -> dict[str, Any]:
    """The line as plain values, in the schema's order."""
    row: dict[str, Any] = {field.name: getattr(line, field.name) for field in fields(Presentation)}
    row["outcome"] = line.outcome.value
    row["gates"] = [
        {
            "gate": answer.gate,
            "version": answer.version,
            "outcome": answer.outcome.value,
            "cue": answer.cue,
            "score": answer.score,
            "measures": [
                {field.name: getattr(measure, field.name) for field in fields(MeasureLine)}
                for measure in answer.measures
            ],
        }
        for answer in line.gates
    ]
    return row


def from_row(row: Mapping[str, Any]) -> Presentation:
    """The line that these plain values are, each field once and no other. Raises: ConfigError."""
    values = _exactly(row, tuple(field.name for field in fields(Presentation)), "the line")
    try:
        values["outcome"] = CaptureOutcome(values["outcome"])
        values["gates"] = tuple(_answer(each) for each in _listed(values["gates"], "gates"))
    except ValueError as error:
        raise ConfigError(f"presentation {values['presentation_id']!r}: {error}") from None
    return Presentation(**values)


def _answer(row: Any) -> GateLine:
    values = _exactly(row, tuple(field.name for field in fields(GateLine)), "a gate's answer")
    measures = tuple(
        MeasureLine(**_exactly(each, tuple(field.name for field in fields(MeasureLine)), "a measure"))
        for each in _listed(values["measures"], "measures")
    )
    return GateLine(**{**values, "outcome": Outcome(values["outcome"]), "measures": measures})


def _listed(value: object, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise ConfigError(f"{name} is no list")
    return value


def _exactly(row: object, names: tuple[str, ...], what: str) -> dict[str, Any]:
    if not isinstance(row, Mapping):
        raise ConfigError(f"{what} is no object")
    unknown, missing = sorted(set(row) - set(names)), [name for name in names if name not in row]
    if unknown or missing:
        told = [f"unknown {', '.join(map(repr, unknown))}"] if unknown else []
        told += [f"missing {', '.join(map(repr, missing))}"] if missing else []
        raise ConfigError(f"{what} has fields that are {' and '.join(told)}")
    return dict(row)
