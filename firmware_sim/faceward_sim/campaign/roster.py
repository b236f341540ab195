"""Who stands before the sensor, one after the other: a plan's grants with their scenes and seeds.

Seeds come from a hash over the plan's seed, the split, the generator and who it is. Splits have ranges of their own, so
no person, instrument or unit of one is ever in another: train has the seeds below 1,000, counted up, dev those from 10,000
and test those from 2^40 on. For the test split the hash is also over the digest of the frozen gates and thresholds: whoever
changes them meets other people.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from faceward_sim.campaign.plan import TRAIN_SEEDS, Attack, LivePeople, Plan
from faceward_sim.scene import Environment, Scene, SensorDraw, Who

RANGES = {"train": (0, TRAIN_SEEDS), "dev": (10_000, 2**40), "test": (2**40, 2**41)}


@dataclass(frozen=True, slots=True)
class Entry:
    """One grant: what stands in its lines, and the scene that is presented. It can be sent to another machine."""

    grant_id: str
    attack: bool
    species: str
    person_id: str
    instrument_id: str | None
    tone: str | None
    sensor_kind: str
    sensor_unit: str
    split: str
    generator: str
    purpose: str
    captures: int | None
    scene: Scene
    nonce_seed: bytes
    replay: str = ""  # what its lines say of seeing it again; empty: as a campaign's

    def nonce(self, attempt: int) -> bytes:
        """The nonce of an attempt, so that the presentation can be run again as it was."""
        return hashlib.sha256(self.nonce_seed + attempt.to_bytes(4, "little")).digest()[:16]


def roster(plan: Plan, frozen: str) -> tuple[Entry, ...]:
    """Every grant of a plan, the groups mixed, so that what is there of an unfinished run is a run in small.

    Everybody is presented before one sensor, by turns, until all have been; then before the next. So of two sensors half
    a run has every draw once. Turns last as long as tones, or distances, take to come round: each sensor has all of them.

    :param frozen: the digest of gates and thresholds.
    """
    placed = []
    for turn, sensor in enumerate(plan.sensors):
        groups = [(list(_attacks(plan, attack, sensor, frozen)), len(plan.distances_mm)) for attack in plan.attacks]
        if plan.live is not None:
            groups.insert(0, (list(_living(plan, plan.live, sensor, frozen)), len(plan.live.tones)))
        for at, (group, lasts) in enumerate(groups):
            for number, entry in enumerate(group):
                lap = (number // lasts + turn) % len(plan.sensors)
                placed.append(((lap, (number + 0.5) / len(group), turn, at), entry))
    return tuple(entry for _, entry in sorted(placed, key=lambda each: each[0]))


def grant_of(presentation_id: str) -> str:
    """The grant of a presentation (or the grant itself, whose last part is no attempt's number of one or two digits)."""
    grant, _, attempt = presentation_id.rpartition("-")
    return grant if attempt.isascii() and attempt.isdigit() and len(attempt) <= 2 else presentation_id


def _living(plan: Plan, people: LivePeople, sensor: str, frozen: str) -> Iterator[Entry]:
    for number in range(people.people_per_tone * len(people.tones)):
        tone = people.tones[number % len(people.tones)]
        yield _entry(plan, people.actor, "live", sensor, number, frozen, tone=tone, captures=people.captures)


def _attacks(plan: Plan, attack: Attack, sensor: str, frozen: str) -> Iterator[Entry]:
    for number in range(attack.draws):
        yield attack_entry(plan, attack, sensor, number, frozen)


def attack_entry(plan: Plan, attack: Attack, sensor: str, number: int, frozen: str) -> Entry:
    """One grant of an attack. A design says where its wearer stands."""
    entry = _entry(plan, attack.actor, attack.species, sensor, number, frozen, tone=None, captures=attack.captures)
    if not attack.designs:
        return entry
    design = attack.designs[number % len(attack.designs)]
    scene = entry.scene
    place = replace(scene.environment, distance_mm=design.distance_mm)
    return replace(entry, scene=replace(scene, who=replace(scene.who, design=design), environment=place))


def _entry(
    plan: Plan,
    actor: str,
    species: str,
    sensor: str,
    number: int,
    frozen: str,
    *,
    tone: float | None,
    captures: int | None,
) -> Entry:
    attack = species != "live"
    if plan.split == "train":
        seed = unit = number
    else:
        seed = _seed(plan, frozen, "who", actor, str(number))
        unit = _seed(plan, frozen, "unit", sensor, actor, str(number))
    # Distances and angles go on at different paces, so that every pair comes about.
    distance = plan.distances_mm[number % len(plan.distances_mm)]
    angle = plan.angles_deg[number // len(plan.distances_mm) % len(plan.angles_deg)]
    return Entry(
        grant_id=f"{sensor}-{actor}-{number:05d}",
        attack=attack,
        species=species,
        person_id=f"person-{seed}",
        instrument_id=f"{actor}-{seed}" if attack else None,
        tone=None if tone is None else f"{tone:g}",
        sensor_kind=sensor,
        sensor_unit=f"{sensor}-{unit}",
        split=plan.split,
        generator=plan.generator,
        purpose=plan.purpose,
        captures=captures,
        scene=Scene(
            seed=seed,
            who=Who(actor=actor, tone=tone),
            generator=plan.generator,
            sensor=SensorDraw(model=sensor, unit=unit),
            environment=Environment(distance_mm=distance, yaw_deg=angle),
        ),
        nonce_seed=_hash(plan, frozen, "nonce", sensor, actor, str(number)),
    )


def _seed(plan: Plan, frozen: str, *parts: str) -> int:
    low, high = RANGES[plan.split]
    return low + int.from_bytes(_hash(plan, frozen, *parts)[:8], "little") % (high - low)


def _hash(plan: Plan, frozen: str, *parts: str) -> bytes:
    bound = frozen if plan.split == "test" else ""
    told = chain(("faceward.campaign.v1", plan.split, bound, plan.generator, str(plan.seed)), parts)
    return hashlib.sha256(b"\0".join(part.encode() for part in told)).digest()
