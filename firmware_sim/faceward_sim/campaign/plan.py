"""A plan: who and what is presented to which sensors, how often, and what the figures may be used for.

    name = "first"
    split = "dev"                  # train, dev or test; their seeds never meet
    seed = 1                       # another one, and everybody is somebody else
    generator = "B"                # "A" made the seeds that gates were tuned on
    sensors = ["sl-940"]
    policy = "development"         # the packaged one, or a file beside the plan
    distances_mm = [300.0, 400.0, 500.0]   # in turn
    angles_deg = [0.0]             # yaw of the sensor, in turn
    headline = true                # false: its figures bound too little to be a headline anywhere
    notes = "..."

    [live]
    actor = "live"
    tones = [1.0, 2.0, 3.0, 4.0]
    people_per_tone = 60
    captures = 3                   # of one grant at most; the policy's number if left out

    [[attacks]]
    actor = "print-a4"             # `faceward-sim actors`
    species = "print"              # what reports call it; the actor's own if left out, and several actors may share one
    draws = 42
    captures = 3

    [[attacks]]
    actor = "mask-adaptive"
    designs = "designs.toml"       # beside the plan, from `faceward-sim campaign adapt`; presented in turn
    draws = 42

    frozen = "..."                 # at the top: the digest of the only gates that it is for

    [leave_out]
    by = "species"                 # or "sensor"
    tuned_on = ["print", "screen"] # what the thresholds were chosen on

Another species, another tone or another sensor is one more entry. Without a [live] or without [[attacks]] there is nobody
living or no attack, and a report will say so.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from faceward_sim.campaign.designs import read_designs
from faceward_sim.scene import DEFAULT_GENERATOR, check_drawn
from faceward_sim.tables import Table, TableError, read_bytes, read_table
from faceward_sim.world.adaptive import MASK_ADAPTIVE, AdaptiveDesign

SPLITS = ("train", "dev", "test")
NOT_SPECIES = ("live", "none")
LEAVE_OUT = ("species", "sensor")
PACKAGED_POLICY = "development"

TRAIN_SEEDS = 1_000  # what gates may be tuned on

_MOST = 100_000


@dataclass(frozen=True, slots=True)
class LivePeople:
    """So many living people of each tone."""

    actor: str
    tones: tuple[float, ...]
    people_per_tone: int
    captures: int | None


@dataclass(frozen=True, slots=True)
class Attack:
    """So many draws of one instrument family, one presentation each; `species` is what reports call it."""

    actor: str
    species: str
    draws: int
    captures: int | None
    designs: tuple[AdaptiveDesign, ...] = ()  # of MASK_ADAPTIVE: each draw is made after the next of them


@dataclass(frozen=True, slots=True)
class LeaveOut:
    """By what the results are to be parted, and what the thresholds were chosen on."""

    by: str
    tuned_on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as its file has it. `digest` is the SHA-256, in hex, of the file's bytes and those of its designs."""

    path: Path
    digest: str
    content: bytes
    name: str
    split: str
    seed: int
    generator: str
    sensors: tuple[str, ...]
    policy: Path | None  # None: the packaged one for development
    purpose: str
    distances_mm: tuple[float, ...]
    angles_deg: tuple[float, ...]
    headline: bool
    notes: str
    live: LivePeople | None
    attacks: tuple[Attack, ...]
    leave_out: LeaveOut | None
    frozen: str | None = None  # the gates that it is for, as SystemUnderTest.frozen_digest; None: any
    beside: tuple[tuple[str, bytes], ...] = ()  # the files that it names, by name


def load_plan(path: Path) -> Plan:
    """Read a plan. Raises TableError, naming file and key."""
    content = read_bytes(path)
    table = read_table(path, content)
    try:
        return _plan(table, path, content)
    except TableError as error:
        raise TableError(f"{path}: {error}") from None


def _plan(root: Table, path: Path, content: bytes) -> Plan:
    # Worlds and optics compile code when they are imported.
    from faceward_sim.optics.sensors import SENSORS
    from faceward_sim.world.generators import GENERATORS

    beside: dict[str, bytes] = {}
    generator = root.text("generator", DEFAULT_GENERATOR)
    if generator not in GENERATORS:
        raise root.error("generator", f"this version has no generator {generator!r}; there is {', '.join(GENERATORS)}")
    policy = root.text("policy", PACKAGED_POLICY)
    plan = Plan(
        path=path,
        digest="",
        content=content,
        name=root.text("name", form=r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"),
        split=root.choice("split", SPLITS),
        seed=root.whole("seed", 1, low=0, high=2**53),
        generator=generator,
        sensors=root.choices("sensors", SENSORS),
        policy=None if policy == PACKAGED_POLICY else path.parent / policy,
        purpose=root.choice("purpose", ("enroll", "verify"), "enroll"),
        distances_mm=root.numbers("distances_mm", [400.0], low=100.0, high=2000.0),
        angles_deg=root.numbers("angles_deg", [0.0], low=-60.0, high=60.0),
        headline=root.flag("headline"),
        notes=root.text("notes", ""),
        live=_live(root.table("live"), generator) if root.may("live") else None,
        attacks=tuple(_attack(each, generator, path.parent, beside) for each in root.tables("attacks")),
        leave_out=_leave_out(root.table("leave_out")) if root.may("leave_out") else None,
        frozen=root.text("frozen", form=r"[0-9a-f]{64}") if root.may("frozen") else None,
    )
    root.finish()
    plan = replace(plan, beside=tuple(beside.items()), digest=_digest(content, *beside.values()))
    counts = [attack.draws for attack in plan.attacks]
    counts += [plan.live.people_per_tone * len(plan.live.tones)] if plan.live is not None else []
    if plan.split == "train" and max(counts, default=0) > TRAIN_SEEDS:
        raise root.error("split", f"train has {TRAIN_SEEDS} seeds, and the plan asks for {max(counts)} of one kind")
    for sensor in plan.sensors:
        check_drawn(root, "sensors", "sensor", sensor, SENSORS[sensor].generators, generator)
    if not plan.sensors:
        raise root.error("sensors", "names no sensor")
    if plan.live is None and not plan.attacks:
        raise root.error("live", "the plan presents nobody: give [live], [[attacks]] or both")
    actors = [attack.actor for attack in plan.attacks]
    doubled = next((actor for actor in actors if actors.count(actor) > 1), None)
    if doubled is not None:
        raise root.error("attacks", f"{doubled} stands there twice; add its draws up")
    return plan


def _digest(*contents: bytes) -> str:
    if len(contents) > 1:
        contents = tuple(hashlib.sha256(content).digest() for content in contents)
    return hashlib.sha256(b"".join(contents)).hexdigest()


def _actor(table: Table, generator: str, *, living: bool) -> str:
    from faceward_sim.world.actors import ACTORS

    names = [name for name, spec in ACTORS.items() if (spec.species == "live") is living and spec.species != "none"]
    names += [] if living else [MASK_ADAPTIVE]
    actor = table.choice("actor", names, "live" if living else None)
    if actor != MASK_ADAPTIVE:
        check_drawn(table, "actor", "actor", actor, ACTORS[actor].generators, generator)
    return actor


def _live(table: Table, generator: str) -> LivePeople:
    people = LivePeople(
        actor=_actor(table, generator, living=True),
        tones=table.numbers("tones", [1.0, 2.0, 3.0, 4.0], low=1.0, high=4.0),
        people_per_tone=table.whole("people_per_tone", low=1, high=_MOST),
        captures=_captures(table),
    )
    if len(set(people.tones)) != len(people.tones):
        raise table.error("tones", "names one tone twice")
    table.finish()
    return people


def _attack(table: Table, generator: str, folder: Path, beside: dict[str, bytes]) -> Attack:
    from faceward_sim.world.actors import ACTORS

    actor = _actor(table, generator, living=False)
    designs: tuple[AdaptiveDesign, ...] = ()
    if actor == MASK_ADAPTIVE:
        # A name without a folder, since a campaign's folder keeps the file beside the plan.
        name = table.text("designs", form=r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.toml")
        if name == "plan.toml" or name == "policy.toml":
            raise table.error("designs", f"{name} is the name of another file of a campaign; rename it")
        beside[name] = read_bytes(folder / name)
        designs = read_designs(folder / name, beside[name])
        species = MASK_ADAPTIVE
    else:
        species = table.text("species", ACTORS[actor].species, form=r"[a-z0-9]+(-[a-z0-9]+)*")
        if species in NOT_SPECIES:
            raise table.error("species", f"{species!r} is nothing that a gate should stop")
        if species == MASK_ADAPTIVE:
            raise table.error("species", f"{species!r} is what was searched against the gates, and {actor} was not")
    attack = Attack(actor, species, table.whole("draws", low=1, high=_MOST), _captures(table), designs)
    table.finish()
    return attack


def _captures(table: Table) -> int | None:
    return table.whole("captures", low=1, high=10) if table.may("captures") else None


def _leave_out(table: Table) -> LeaveOut:
    left = LeaveOut(table.choice("by", LEAVE_OUT), table.texts("tuned_on", str))
    table.finish()
    return left
