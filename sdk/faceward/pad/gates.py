"""Each gate by itself: what it let pass, what it alone stopped, and what its numbers separate.

Over every capture that the gates answered, those that were rejected for what they lacked among them: the others are chosen
by what the gates said (faceward.pad.metrics).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from faceward.model.liveness import Outcome
from faceward.pad.detection import Curve, Histogram, OperatingPoint, curves, histogram, operating_points
from faceward.pad.intervals import Rate
from faceward.pad.metrics import grouped
from faceward.pad.presentation import GateLine, MeasureLine, Presentation

Answers = Sequence[tuple[Presentation, GateLine]]


@dataclass(frozen=True, slots=True)
class GateSpecies:
    """What one gate made of one species: how many it let pass, and how many it alone stopped."""

    species: str
    passed: Rate
    stopped_alone: int


@dataclass(frozen=True, slots=True)
class GateReport:
    """One gate by itself, over presentations that it answered. `unscored` answers had no score and are in no curve."""

    gate: str
    version: str
    living_refused: Rate
    living_refused_alone: Rate
    species: tuple[GateSpecies, ...]
    unscored: int
    curves: tuple[Curve, ...]
    operating_points: tuple[OperatingPoint, ...]
    histograms: tuple[Histogram, ...]


def _answers(lines: Iterable[Presentation], gate: str) -> list[tuple[Presentation, GateLine]]:
    return [(line, answer) for line in lines if line.answered for answer in line.gates if answer.gate == gate]


def gate_reports(
    lines: Sequence[Presentation], dev: Sequence[Presentation] | None, split: str
) -> tuple[GateReport, ...]:
    """Every gate that answered, in name order. Thresholds of operating points come from `dev` where there is one."""
    names = sorted({answer.gate for line in lines if line.answered for answer in line.gates})
    return tuple(_gate(name, _answers(lines, name), _answers(dev or (), name), split) for name in names)


def _gate(
    name: str, answers: list[tuple[Presentation, GateLine]], dev: list[tuple[Presentation, GateLine]], split: str
) -> GateReport:
    living = [(line, answer) for line, answer in answers if not line.attack]
    attacks = [(line, answer) for line, answer in answers if line.attack]
    alone = partial(_alone, name)
    by_species = grouped((line for line, _ in attacks), lambda line: line.species)
    passed = Counter(line.species for line, answer in attacks if answer.outcome is Outcome.LIVE)
    chosen_on = ("dev", _scores(dev, attack=True)) if split != "dev" and dev else None
    attack_scores = _scores(answers, attack=True)
    living_scores = [score for scores in _scores(answers, attack=False).values() for score in scores]
    versions = sorted({answer.version for _, answer in answers if answer.version})
    return GateReport(
        gate=name,
        version=versions[0] if versions else "",
        living_refused=Rate(sum(answer.outcome is not Outcome.LIVE for _, answer in living), len(living)),
        living_refused_alone=Rate(sum(alone(line) for line, _ in living), len(living)),
        species=tuple(
            GateSpecies(species, Rate(passed[species], len(group)), sum(map(alone, group)))
            for species, group in by_species.items()
        ),
        unscored=sum(answer.score is None for _, answer in answers),
        curves=curves(attack_scores, living_scores),
        operating_points=operating_points(attack_scores, living_scores, split=split, chosen_on=chosen_on),
        histograms=_histograms(name, answers),
    )


def _alone(gate: str, line: Presentation) -> bool:
    """Whether this gate and no other refused."""
    return [answer.gate for answer in line.gates if answer.outcome is not Outcome.LIVE] == [gate]


def _scores(answers: Iterable[tuple[Presentation, GateLine]], *, attack: bool) -> dict[str, list[float]]:
    found = defaultdict(list)
    for line, answer in answers:
        if line.attack is attack and answer.score is not None:
            found[line.species].append(answer.score)
    return dict(found)


def _histograms(gate: str, answers: Iterable[tuple[Presentation, GateLine]]) -> tuple[Histogram, ...]:
    scores: dict[tuple[bool, str], list[float]] = defaultdict(list)
    measured: dict[tuple[str, str, str], list[tuple[Presentation, MeasureLine]]] = defaultdict(list)
    for line, answer in answers:
        if answer.score is not None:
            scores[line.attack, line.species].append(answer.score)
        for measure in answer.measures:
            if measure.value is not None:
                measured[measure.name, measure.unit, measure.sense].append((line, measure))
    found = [histogram(gate, "score", scores)]
    for (name, unit, sense), pairs in sorted(measured.items()):
        values: dict[tuple[bool, str], list[float]] = defaultdict(list)
        for line, measure in pairs:
            values[line.attack, line.species].append(float(measure.value or 0.0))
        limits = sorted({float(measure.limit) for _, measure in pairs if measure.limit is not None})
        found.append(histogram(gate, name, values, unit=unit, sense=sense, limits=limits))
    return tuple(each for each in found if each is not None)
