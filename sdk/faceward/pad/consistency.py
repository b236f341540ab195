"""What the lines of one test have to agree on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from faceward.errors import ConfigError
from faceward.pad.presentation import CaptureOutcome, Presentation

_SHARED = (
    "attack", "species", "person_id", "instrument_id", "target_id", "adaptive", "sensor_kind", "sensor_unit", "split",
    "purpose", "simulated"
)  # fmt: skip


def check_together(presentations: Sequence[Presentation]) -> None:
    """Refuse lines that can't be of one test.

    1. A species is one of attacks or of living people, adaptive or not, and an instrument is of one species.
    2. Attempts of a grant are numbered from 1 without a gap and are of one person, instrument and sensor unit; in an
       enrollment none follows a live or a not-live one.
    3. A living person has one tone.
    4. Splits share no person, instrument or sensor unit.
    5. One policy and one version of each gate was tested.

    Raises: ConfigError.
    """
    # 1
    _one(
        presentations, lambda line: line.species, lambda line: line.attack, "species {} is said to be attack and living"
    )
    attacks = [line for line in presentations if line.attack]
    _one(attacks, lambda line: line.instrument_id, lambda line: line.species, "instrument {} is of several species")
    _one(attacks, lambda line: line.species, lambda line: line.adaptive, "species {} is said to be adaptive and not")
    # 2
    grants = defaultdict(list)
    for line in presentations:
        grants[line.grant_id].append(line)
    for name, lines in grants.items():
        _check_grant(name, sorted(lines, key=lambda line: line.attempt))
    # 3
    living = [line for line in presentations if not line.attack]
    _one(living, lambda line: line.person_id, lambda line: line.tone, "person {} is given several tones")
    # 4
    for name in ("person_id", "instrument_id", "sensor_unit"):
        known = [line for line in presentations if getattr(line, name) is not None]
        article = "an" if name == "instrument_id" else "a"
        told = "{} " + f"is {article} {name} of several splits, and splits must be disjoint"
        _one(known, lambda line, name=name: getattr(line, name), lambda line: line.split, told)
    # 5
    policies = {line.policy_sha256 for line in presentations if line.policy_sha256 is not None}
    if len(policies) > 1:
        raise ConfigError(f"{len(policies)} policies were tested in one folder; keep a folder for each")
    versions = defaultdict(set)
    for line in presentations:
        for answer in line.gates:
            if answer.version:  # a gate that never loaded has none
                versions[answer.gate].add(answer.version)
    for gate, told in versions.items():
        if len(told) > 1:
            raise ConfigError(f"gate {gate} was tested in versions {', '.join(sorted(told))}; keep a folder for each")


def _one(
    lines: Iterable[Presentation],
    key: Callable[[Presentation], object],
    value: Callable[[Presentation], object],
    sentence: str,
) -> None:
    seen: dict[object, object] = {}
    for line in lines:
        if seen.setdefault(key(line), value(line)) != value(line):
            raise ConfigError(sentence.format(repr(key(line))))


def _check_grant(name: str, attempts: Sequence[Presentation]) -> None:
    if [line.attempt for line in attempts] != list(range(1, len(attempts) + 1)):
        numbers = ", ".join(str(line.attempt) for line in attempts)
        raise ConfigError(f"grant {name!r} has attempts {numbers}; they count from 1 without a gap")
    for field_name in _SHARED:
        if len({getattr(line, field_name) for line in attempts}) > 1:
            raise ConfigError(f"the attempts of grant {name!r} differ in {field_name}")
    ends = {CaptureOutcome.LIVE, CaptureOutcome.NOT_LIVE}
    if attempts[0].purpose == "enroll" and any(line.outcome in ends for line in attempts[:-1]):
        raise ConfigError(f"grant {name!r} goes on after a live or not-live attempt, which ends an enrollment's grant")
