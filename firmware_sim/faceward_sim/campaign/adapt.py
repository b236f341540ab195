"""A search of designs against the frozen gates, from its first presentation to its report.

adapt.json            whose search it is
scenes/ID.toml        every presentation's scene, with its design, written before it is presented
results*, failures.log, pictures/    as a campaign's; a presentation's score follows from its line
designs.toml          the designs that were found, best first
present.toml          a plan that presents them on test seeds, with the people of the plan that was searched under
adapted.md            what was tried, and which gate held
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from faceward.pad import CaptureOutcome, Presentation, ResultsWriter, read_results

from faceward_sim.campaign.crew import Crew
from faceward_sim.campaign.folder import PICTURES, CampaignFolder, FolderError, write_file
from faceward_sim.campaign.plan import Attack, Plan
from faceward_sim.campaign.presenting import Order
from faceward_sim.campaign.roster import Entry, attack_entry
from faceward_sim.campaign.run import Pace, Progress, open_system, write_done
from faceward_sim.campaign.score import score
from faceward_sim.campaign.search import Search
from faceward_sim.scene import load_scene, scene_text
from faceward_sim.world.adaptive import MASK_ADAPTIVE, AdaptiveDesign

IDENTITY = "adapt.json"
SCENES = "scenes"
FINALISTS = 3
LEAST_BUDGET = 8
_MOST_SIZE = 12
_FINALS = 1_000_000  # numbers of wearers: generations below, finals from here on


@dataclass(frozen=True, slots=True)
class Tried:
    """A design as it was presented once."""

    design: AdaptiveDesign
    entry: Entry
    line: Presentation

    @property
    def score(self) -> float:
        """See `faceward_sim.campaign.score`."""
        return score(self.line)


@dataclass(frozen=True, slots=True)
class Finalist:
    """A design that was presented again, each time by another wearer to another unit."""

    design: AdaptiveDesign
    finals: tuple[Tried, ...]

    @property
    def score(self) -> float:
        """The mean over its finals; 0 without any."""
        return sum(each.score for each in self.finals) / max(len(self.finals), 1)

    @property
    def accepted(self) -> int:
        """In how many finals it was taken for living."""
        return sum(each.line.outcome is CaptureOutcome.LIVE for each in self.finals)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search has come to. `finalists` are in order, best first, and empty where it was stopped before."""

    frozen: str
    policy_sha256: str
    seed: int
    generations: tuple[tuple[Tried, ...], ...]
    finalists: tuple[Finalist, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Budget:
    """How presentations are spent: three quarters on generations, the rest on finals, in turn for each finalist."""

    size: int
    generations: int
    finals: int

    @classmethod
    def of(cls, presentations: int, size: int | None = None) -> Budget:
        """The parts of a budget; `size` is that of a search that goes on.

        Raises ValueError: fewer presentations than LEAST_BUDGET, or than one generation and its finals.
        """
        if size is None:
            size = min(max(presentations // 8 * 2, 4), _MOST_SIZE)
        generations = max(presentations * 3 // 4 // size, 1)
        finals = (presentations - generations * size) // FINALISTS
        if presentations < LEAST_BUDGET or finals < 1:
            raise ValueError(f"a search takes {max(LEAST_BUDGET, size + FINALISTS)} presentations at least")
        return cls(size, generations, finals)

    @property
    def total(self) -> int:
        """What is presented."""
        return self.generations * self.size + self.finals * FINALISTS


def adapt(
    plan: Plan,
    out: Path,
    crew: Crew,
    *,
    presentations: int,
    seed: int = 1,
    models_folder: Path | None = None,
    tell: Callable[[Progress], None] = lambda progress: None,
    stop: Callable[[], bool] = lambda: False,
) -> Found:
    """Search, or go on searching. Whoever is presented to is of the dev split, whatever the plan's own is.

    1. The folder is this plan's, under these gates and this seed, or is made so.
    2. A generation's scenes are written, then presented; its scores are told to the search. What has a line is not
       presented again, so that a search that was killed goes on where it was.
    3. The two best that were presented and the search's middle are presented again by other wearers: the best of a
       search has been lucky too.
    4. `write_found` leaves what came of it.

    Raises ConfigError, PluginError, FolderError, CrewError; ValueError for a budget that is too small.
    """
    # 1
    system = open_system(plan, models_folder)
    frozen = system.frozen_digest()
    budget = Budget.of(presentations, _claim(out, plan, frozen, seed, Budget.of(presentations).size))
    drawn = replace(plan, split="dev", seed=_drawn_seed(plan, seed))
    folder = CampaignFolder(out, drawn, frozen, system.policy.path.read_bytes())
    models = None if models_folder is None else str(models_folder)
    search = Search(seed + 1, budget.size, second_band=_sees_second_band(plan.sensors))
    with ResultsWriter(out) as writer:
        # A design has one capture, so a grant is a line.
        lines = {line.grant_id: line for line in (read_results(out).presentations if writer.done else ())}
        pace = Pace(max(budget.total - len(lines), 0))
        done = 0

        def present(entries: Sequence[Entry]) -> tuple[Tried, ...]:
            nonlocal done
            done += sum(entry.grant_id in lines for entry in entries)
            left = [entry for entry in entries if entry.grant_id not in lines]
            orders = (Order(entry, folder.policy, frozen, models) for entry in left if not stop())
            for ended in crew.work(orders):
                written = write_done(folder, writer, ended, system)
                lines[ended.order.entry.grant_id] = written[-1]
                done += 1
                tell(Progress(ended.order.entry.grant_id, written, done, budget.total, pace.left_s()))
            return tuple(_tried(entry, lines[entry.grant_id]) for entry in entries if entry.grant_id in lines)

        # 2
        generations: list[tuple[Tried, ...]] = []
        finalists: tuple[Finalist, ...] = ()
        whole = True
        for number in range(budget.generations):
            sensor = plan.sensors[number % len(plan.sensors)]
            asked = [
                _entry(drawn, design, sensor, number, f"g{number:03d}-d{place:02d}", frozen)
                for place, design in enumerate(search.ask())
            ]
            tried = present(_kept(out, asked))
            generations += [tried] if tried else []
            whole = len(tried) == budget.size
            if not whole:
                break
            search.tell([each.design for each in tried], [each.score for each in tried])
        # 3
        if whole:
            chosen = _chosen(generations, search.middle)
            entries = [
                _entry(
                    drawn, design, plan.sensors[final % len(plan.sensors)],
                    _FINALS + 1000 * budget.generations + final,
                    f"f{budget.generations:03d}-{final:03d}-d{place:02d}", frozen,
                )
                for final in range(budget.finals)
                for place, design in enumerate(chosen)
            ]  # fmt: skip
            finals = present(_kept(out, entries))
            whole = len(finals) == len(entries)
            finalists = tuple(
                Finalist(design, tuple(each for each in finals if each.design == design)) for design in chosen
            )
    ranked = tuple(sorted(finalists, key=lambda each: -each.score))
    return Found(frozen, system.policy.hash.hex(), seed, tuple(generations), ranked if whole else (), whole)


def _chosen(generations: Iterable[Sequence[Tried]], middle: AdaptiveDesign) -> tuple[AdaptiveDesign, ...]:
    ranked = sorted((each for tried in generations for each in tried), key=lambda each: -each.score)
    distinct = list(dict.fromkeys(each.design for each in ranked if each.design != middle))
    return (*distinct[: FINALISTS - 1], middle)


def _entry(plan: Plan, design: AdaptiveDesign, sensor: str, number: int, name: str, frozen: str) -> Entry:
    """One presentation: wearer, unit and nonce follow from the number, and the instrument is its own."""
    attack = Attack(MASK_ADAPTIVE, MASK_ADAPTIVE, 1, 1, (design,))
    grant_id = f"{sensor}-{MASK_ADAPTIVE}-{name}"
    return replace(
        attack_entry(plan, attack, sensor, number, frozen),
        grant_id=grant_id,
        instrument_id=grant_id,
        replay=f"faceward-sim show DIR/{SCENES}/{grant_id}.toml",
    )


def _kept(out: Path, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries with their scenes on the disk; one that is there already is what was presented.

    Raises FolderError, TableError.
    """
    kept = []
    for entry in entries:
        path = out / SCENES / f"{entry.grant_id}.toml"
        if path.exists():
            kept.append(replace(entry, scene=replace(load_scene(path), folder=entry.scene.folder)))
            continue
        try:
            write_file(path, scene_text(entry.scene).encode())
        except OSError as error:
            raise FolderError(f"{path} can't be written: {error.strerror or error}") from None
        kept.append(entry)
    return tuple(kept)


def _tried(entry: Entry, line: Presentation) -> Tried:
    design = entry.scene.who.design
    if design is None:
        raise FolderError(f"scenes/{entry.grant_id}.toml has no design; take a new folder")
    return Tried(design, entry, line)


def _claim(out: Path, plan: Plan, frozen: str, seed: int, size: int) -> int:
    """The folder is this search's, or is made so; the size of its generations. Raises FolderError."""
    wanted = {"schema": 1, "plan_sha256": plan.digest, "frozen_sha256": frozen, "seed": seed}
    path = out / IDENTITY
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            strangers = [each.name for each in out.iterdir() if each.suffix in (".parquet", ".jsonl", ".json")]
            if strangers:
                raise FolderError(f"{out} has results of something else ({strangers[0]}); take a new folder")
            (out / PICTURES).mkdir(exist_ok=True)
            (out / SCENES).mkdir(exist_ok=True)
            write_file(path, json.dumps({**wanted, "size": size}, indent=2).encode() + b"\n")
    except OSError as error:
        raise FolderError(f"{out} can't be written: {error.strerror or error}") from None
    try:
        found = dict(json.loads(path.read_bytes()))
        kept = int(found["size"])
    except (OSError, ValueError, KeyError, TypeError):
        raise FolderError(f"{path} can't be read; take a new folder") from None
    told = {"plan_sha256": "another plan", "frozen_sha256": "other gates or another policy", "seed": "another seed"}
    for key, what in told.items():
        if found.get(key) != wanted[key]:
            raise FolderError(f"{out} was begun under {what}; take a new folder")
    return kept


def _drawn_seed(plan: Plan, seed: int) -> int:
    """Of the wearers and units that an attacker has for himself: none of the plan's own dev split."""
    digest = hashlib.sha256(f"faceward.adapt.v1 {plan.seed} {seed}".encode()).digest()
    return int.from_bytes(digest[:8], "little") % 2**53


def _sees_second_band(sensors: Iterable[str]) -> bool:
    from faceward_sim.firmware.imager import Illumination
    from faceward_sim.optics.sensors import SENSORS
    from faceward_sim.world.actors import ACTORS

    nobody = ACTORS["empty"].build(0)
    lights = {light for name in sensors for light, _ in SENSORS[name].build(nobody, 0).identity.emitters}
    return Illumination.FLOOD_SECOND in lights
