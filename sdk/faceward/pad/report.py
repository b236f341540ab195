"""What a folder of results comes to, as values: a scope for each split, kind of sensor and purpose.

Presentations of different splits, sensor kinds or purposes are tests of different things, so nothing is pooled over them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from faceward.errors import ConfigError
from faceward.model.liveness import Outcome
from faceward.pad import metrics
from faceward.pad.cautions import cautions, scope_cautions
from faceward.pad.gates import GateReport, gate_reports
from faceward.pad.intervals import Bootstrap, Rate, bootstrap, joint_upper_bound
from faceward.pad.presentation import SPLITS, CaptureOutcome, Presentation
from faceward.pad.results import About, Results

UNTOLD: Final = "not told"
NOT_COVERED: Final = "a key frame was not covered"

Lines = Sequence[Presentation]


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its exact interval, and bootstraps over whoever stood there and over what was presented."""

    rate: Rate
    by_person: Bootstrap | None
    by_instrument: Bootstrap | None


@dataclass(frozen=True, slots=True)
class Part:
    """The same shares for a part of the presentations: one instrument, one tone, one kind of living person."""

    name: str
    presentations: int
    error: Rate  # APCER or BPCER
    non_response: Rate


@dataclass(frozen=True, slots=True)
class Matching:
    """The full system: liveness and matching together."""

    iapar: Rate
    iapar_per_grant: Rate
    riapar: float | None
    riapar_per_grant: float | None


@dataclass(frozen=True, slots=True)
class SpeciesReport:
    """Attacks of one species. `matching` is None where matching did not run."""

    species: str
    adaptive: bool
    presentations: int
    instruments: int
    people: int
    outcomes: Mapping[str, int]
    apcer: Share
    apcer_decided: Rate
    found_alive: Rate  # by the gates alone
    apnrr: Rate
    grants: int
    apcer_per_grant: Rate
    apnrr_per_grant: Rate
    matching: Matching | None
    by_instrument: tuple[Part, ...]
    by_tone: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class LivingReport:
    """Bona fide presentations. False rejects are None where matching did not run."""

    presentations: int
    people: int
    outcomes: Mapping[str, int]
    bpcer: Share
    bpnrr: Rate
    gates_refused: Rate  # the gates alone
    refused: Rate
    grants: int
    bpcer_per_grant: Rate
    bpnrr_per_grant: Rate
    failure_to_enrol: Rate | None
    false_rejects: Rate | None
    false_rejects_per_grant: Rate | None
    by_tone: tuple[Part, ...]
    by_species: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Cue:
    """How often a gate decided a refusal by a cue."""

    species: str
    attack: bool
    outcome: str
    gate: str
    cue: str
    count: int


@dataclass(frozen=True, slots=True)
class Reason:
    """How often a capture got no response, and why: a rejection's reason or an error's code."""

    species: str
    attack: bool
    outcome: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds from first frame to verdict."""

    count: int
    median_s: float
    p90_s: float
    p95_s: float
    longest_s: float


@dataclass(frozen=True, slots=True)
class AcceptedAttack:
    """An attack that every gate found alive, and how to see it again."""

    presentation_id: str
    species: str
    instrument_id: str
    person_id: str | None
    tone: str | None
    seed: int | None
    replay: str
    picture: str | None
    matched: bool


@dataclass(frozen=True, slots=True)
class Worst:
    """The species with the highest APCER; of equals, the one of which least is known."""

    species: str
    apcer: Rate


@dataclass(frozen=True, slots=True)
class Scope:
    """One split, one kind of sensor, one purpose. `joint_upper` bounds the APCER of all species at once; of the species in
    `unheard` no presentation got a response, so that they have no APCER and are no headline.
    """

    split: str
    sensor_kind: str
    purpose: str
    generators: tuple[str, ...]
    sensor_units: int
    presentations: int
    simulated: int
    worst: Worst | None
    worst_adaptive: Worst | None
    unheard: tuple[str, ...]
    joint_upper: float | None
    worst_tone: Part | None
    living: LivingReport | None
    species: tuple[SpeciesReport, ...]
    gates: tuple[GateReport, ...]
    cues: tuple[Cue, ...]
    reasons: tuple[Reason, ...]
    decision_living: Durations | None
    decision_attacks: Durations | None
    accepted: tuple[AcceptedAttack, ...]
    cautions: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.split}, {self.sensor_kind}, {self.purpose}"


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that page and JSON say. `simulated` counts the lines that a simulator gave."""

    about: About
    presentations: int
    simulated: int
    policy_sha256: str | None
    scopes: tuple[Scope, ...]
    cautions: tuple[str, ...]


def build_report(results: Results) -> Report:
    """Count everything. The order of lines changes nothing, and the same lines give the same report.

    Raises: ConfigError: no attack or no living person among the lines.
    """
    lines = sorted(results.presentations, key=lambda line: line.presentation_id)
    if not any(line.attack for line in lines):
        raise ConfigError(f"no attack among the {len(lines)} presentations in {results.folder}; APCER needs some")
    if all(line.attack for line in lines):
        raise ConfigError(f"nobody living among the {len(lines)} presentations in {results.folder}; BPCER needs some")
    groups = defaultdict(list)
    for line in lines:
        groups[line.split, line.sensor_kind, line.purpose].append(line)
    # The split that was kept apart comes first.
    order = sorted(groups, key=lambda key: (-SPLITS.index(key[0]), *key[1:]))
    scopes = tuple(_scope(groups[key], groups.get(("dev", *key[1:]))) for key in order)
    policies = {line.policy_sha256 for line in lines}
    return Report(
        about=results.about,
        presentations=len(lines),
        simulated=sum(line.simulated for line in lines),
        policy_sha256=next(iter(policies)) if len(policies) == 1 else None,
        scopes=scopes,
        cautions=tuple(cautions(results.about, lines, policies)),
    )


def _scope(lines: Lines, dev: Lines | None) -> Scope:
    first = lines[0]
    label = f"{first.split}/{first.sensor_kind}/{first.purpose}"
    attacks = [line for line in lines if line.attack]
    living = [line for line in lines if not line.attack]
    alive = _living(living, label) if living else None
    species = tuple(
        _species(name, group, living, label)
        for name, group in metrics.grouped(attacks, lambda line: line.species).items()
    )
    rates = [each.apcer.rate for each in species]
    tones = [part for part in alive.by_tone if part.error.trials] if alive else []
    return Scope(
        split=first.split,
        sensor_kind=first.sensor_kind,
        purpose=first.purpose,
        generators=tuple(sorted({line.generator for line in lines if line.generator is not None})),
        sensor_units=len({line.sensor_unit for line in lines}),
        presentations=len(lines),
        simulated=sum(line.simulated for line in lines),
        worst=_worst(each for each in species if not each.adaptive),
        worst_adaptive=_worst(each for each in species if each.adaptive),
        unheard=tuple(each.species for each in species if not each.apcer.rate.trials),
        joint_upper=joint_upper_bound(rates) if rates else None,
        worst_tone=max(tones, key=lambda part: (part.error.share, part.error.upper, part.name), default=None),
        living=alive,
        species=species,
        gates=gate_reports(lines, dev, first.split),
        cues=_cues(lines),
        reasons=_reasons(lines),
        decision_living=_durations(living),
        decision_attacks=_durations(attacks),
        accepted=tuple(_accepted(line) for line in attacks if line.accepted),
        cautions=tuple(scope_cautions(living, species, first.split, dev)),
    )


def _worst(species: Iterable[SpeciesReport]) -> Worst | None:
    known = [Worst(each.species, each.apcer.rate) for each in species if each.apcer.rate.trials]
    return max(known, key=lambda each: (each.apcer.share, each.apcer.upper, each.species), default=None)


def _share(lines: Lines, measure: Callable[[Iterable[Presentation]], Rate], label: str) -> Share:
    def redrawn(name: str, key: Callable[[Presentation], str | None]) -> Bootstrap | None:
        # Where somebody has no name, the others alone would not be what the share is of.
        if any(key(line) is None and measure([line]).trials for line in lines):
            return None
        return bootstrap(metrics.by_cluster(lines, key, measure), f"{label}/{name}")

    people = redrawn("person", lambda line: line.person_id)
    return Share(measure(lines), people, redrawn("instrument", lambda line: line.instrument_id))


def _parts(
    lines: Lines, key: Callable[[Presentation], str | None], measure: Callable[[Iterable[Presentation]], Rate]
) -> tuple[Part, ...]:
    return tuple(
        Part(name, len(group), measure(group), metrics.non_response(group))
        for name, group in metrics.grouped(lines, key).items()
    )


def _tone(line: Presentation) -> str:
    return line.tone or UNTOLD


def _species(name: str, attacks: Lines, living: Lines, label: str) -> SpeciesReport:
    matching = None
    if any(line.target_id is not None for line in attacks):
        iapar, per_grant = metrics.iapar(attacks), metrics.iapar_per_grant(attacks)
        matching = Matching(
            iapar,
            per_grant,
            metrics.riapar(iapar, metrics.false_rejects(living)),
            metrics.riapar(per_grant, metrics.false_rejects_per_grant(living)),
        )
    return SpeciesReport(
        species=name,
        adaptive=attacks[0].adaptive,
        presentations=len(attacks),
        instruments=len({line.instrument_id for line in attacks}),
        people=len({line.person_id for line in attacks if line.person_id is not None}),
        outcomes=metrics.outcomes(attacks),
        apcer=_share(attacks, metrics.apcer, f"{label}/{name}"),
        apcer_decided=metrics.apcer_decided(attacks),
        found_alive=metrics.found_alive(attacks),
        apnrr=metrics.non_response(attacks),
        grants=len(metrics.grants(attacks)),
        apcer_per_grant=metrics.apcer_per_grant(attacks),
        apnrr_per_grant=metrics.non_response_per_grant(attacks),
        matching=matching,
        by_instrument=_parts(attacks, lambda line: line.instrument_id, metrics.apcer),
        by_tone=_parts(attacks, _tone, metrics.apcer),
    )


def _living(living: Lines, label: str) -> LivingReport:
    enrollments = metrics.failure_to_enrol(living)
    rejects = metrics.false_rejects(living)
    return LivingReport(
        presentations=len(living),
        people=len({line.person_id for line in living}),
        outcomes=metrics.outcomes(living),
        bpcer=_share(living, metrics.bpcer, f"{label}/living"),
        bpnrr=metrics.non_response(living),
        gates_refused=metrics.gates_refused(living),
        refused=metrics.refused(living),
        grants=len(metrics.grants(living)),
        bpcer_per_grant=metrics.bpcer_per_grant(living),
        bpnrr_per_grant=metrics.non_response_per_grant(living),
        failure_to_enrol=enrollments if enrollments.trials else None,
        false_rejects=rejects if rejects.trials else None,
        false_rejects_per_grant=metrics.false_rejects_per_grant(living) if rejects.trials else None,
        by_tone=_parts(living, _tone, metrics.bpcer),
        by_species=_parts(living, lambda line: line.species, metrics.bpcer),
    )


def _cues(lines: Lines) -> tuple[Cue, ...]:
    found: Counter[tuple[bool, str, str, str, str]] = Counter()
    for line in lines:
        if line.outcome is CaptureOutcome.NOT_LIVE:
            deciding = [answer for answer in line.gates if answer.outcome is Outcome.NOT_LIVE]
        elif line.outcome is CaptureOutcome.INCONCLUSIVE:
            deciding = [answer for answer in line.gates if answer.outcome is not Outcome.LIVE]
        else:
            continue
        told = [(answer.gate, answer.cue) for answer in deciding] or [("", NOT_COVERED)]
        found.update((line.attack, line.species, line.outcome.value, gate, cue) for gate, cue in told)
    return tuple(
        Cue(species, attack, outcome, gate, cue, found[attack, species, outcome, gate, cue])
        for attack, species, outcome, gate, cue in sorted(
            found, key=lambda key: (key[0], key[1], -found[key], key)
        )
    )  # fmt: skip


def _reasons(lines: Lines) -> tuple[Reason, ...]:
    found = Counter(
        (line.attack, line.species, line.outcome.value, line.rejection_reason or line.error_code or "")
        for line in lines
        if not line.responded
    )
    return tuple(
        Reason(species, attack, outcome, reason, found[attack, species, outcome, reason])
        for attack, species, outcome, reason in sorted(found, key=lambda key: (key[0], key[1], -found[key], key))
    )


def _durations(lines: Lines) -> Durations | None:
    seconds = [line.decision_s for line in lines if line.responded and line.decision_s is not None]
    if not seconds:
        return None
    median, p90, p95 = (float(value) for value in np.quantile(seconds, [0.5, 0.9, 0.95]))
    return Durations(len(seconds), median, p90, p95, float(max(seconds)))


def _accepted(line: Presentation) -> AcceptedAttack:
    return AcceptedAttack(
        presentation_id=line.presentation_id,
        species=line.species,
        instrument_id=line.instrument_id or "",
        person_id=line.person_id,
        tone=line.tone,
        seed=line.seed,
        replay=line.replay,
        picture=line.picture,
        matched=line.matched,
    )
