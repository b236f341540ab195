"""A campaign from its plan to its last line: begun, gone on with after a kill, or replayed one by one."""

from __future__ import annotations

import contextlib
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from faceward import ConfigError
from faceward.pad import About, Presentation, ResultsWriter, read_results, write_about
from faceward.trial import SystemUnderTest, Trial, failed_line

from faceward_sim.campaign.crew import Crew, CrewError, Done
from faceward_sim.campaign.folder import OPENINGS, POLICY, CampaignFolder, FolderError, Standing
from faceward_sim.campaign.plan import LeaveOut, Plan
from faceward_sim.campaign.presenting import Order, presented
from faceward_sim.campaign.roster import Entry, grant_of

RUN_KILLED = "run-killed"
TUNED_ON = "A"  # the generator that thresholds were chosen on
# Of one core: 67 s were used for four captures and the start of two processes. Captures that run out of time take longer.
SECONDS_A_CAPTURE = 15.0


@dataclass(frozen=True, slots=True)
class Progress:
    """A grant that has just ended, and where the campaign is."""

    grant_id: str
    lines: tuple[Presentation, ...]
    done: int
    total: int
    left_s: float | None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended. `ends` counts the lines of this run by outcome."""

    grants: int
    total: int
    ends: Counter[str]
    openings: int | None


def open_system(plan: Plan, models_folder: Path | None) -> SystemUnderTest:
    """What a plan tests. Raises ConfigError: no such policy, or gates that its designs were not searched against."""
    system = SystemUnderTest.open(plan.policy, models_folder=models_folder)
    if plan.frozen is not None and plan.frozen != (found := system.frozen_digest()):
        raise ConfigError(
            f"{plan.path} is for gates of the digest {plan.frozen[:16]}, against which its designs were searched, and "
            f"those here have {found[:16]}; search again with `faceward-sim campaign adapt`, or present the designs "
            "without `frozen`"
        )
    return system


def run_campaign(
    plan: Plan,
    out: Path,
    crew: Crew,
    *,
    models_folder: Path | None = None,
    openings: Path | None = None,
    tell: Callable[[Progress], None] = lambda progress: None,
    stop: Callable[[], bool] = lambda: False,
) -> Ending:
    """Present what has no lines yet.

    1. The folder is this plan's under these gates, or is made so; nobody else writes into it.
    2. What has its lines is left out. A grant that a kill cut between two lines gets one that says so.
    3. Where the split is test, its opening is counted before anything of it is presented.
    4. Every grant that ends is written at once: pictures, then lines.

    `openings` is where openings are counted (None: in the folder); `tell` hears of every grant, and `stop` is asked before
    each new one.

    Raises ConfigError, PluginError, FolderError, CrewError.
    """
    # 1
    system = open_system(plan, models_folder)
    folder = CampaignFolder.claim(out, plan, system.frozen_digest(), system.policy.path.read_bytes())
    with ResultsWriter(out) as writer:
        # 2
        entries = folder.roster()
        lines = read_results(out).presentations if writer.done else ()
        standing = Standing.of(entries, lines, system.captures_per_grant)
        by_grant = {entry.grant_id: entry for entry in entries}
        for grant_id, attempts in sorted(standing.cut.items()):
            entry = by_grant[grant_id]
            sha256 = system.policy.hash.hex()
            writer.write(failed_line(presented(entry), attempts + 1, RUN_KILLED, policy_sha256=sha256))
        left = [
            entry for entry in entries if entry.grant_id not in standing.done and entry.grant_id not in standing.cut
        ]
        # 3
        opened = None
        if plan.split == "test" and left:
            opened = folder.note_opening(openings or out / OPENINGS, len(writer.done))
        if left:
            write_about(out, About(plan.name, notes_of(plan), opened))
        # 4
        ends: Counter[str] = Counter()
        pace = Pace(len(left))
        finished = len(entries) - len(left)
        for done in crew.work(_orders(left, folder, models_folder, stop)):
            written = write_done(folder, writer, done, system)
            ends.update(line.outcome.value for line in written)
            finished += 1
            tell(Progress(done.order.entry.grant_id, written, finished, len(entries), pace.left_s()))
    return Ending(finished, len(entries), ends, opened)


def _orders(
    entries: list[Entry], folder: CampaignFolder, models_folder: Path | None, stop: Callable[[], bool]
) -> Iterator[Order]:
    for entry in entries:
        if stop():
            return
        yield Order(entry, folder.policy, folder.frozen, None if models_folder is None else str(models_folder))


def write_done(
    folder: CampaignFolder, writer: ResultsWriter, done: Done, system: SystemUnderTest
) -> tuple[Presentation, ...]:
    """Write what came of an order: failures and pictures, then lines.

    Raises FolderError, ConfigError, CrewError (lines of another order).
    """
    trials = done.trials
    if done.code is not None:
        line = failed_line(presented(done.order.entry), 1, done.code, policy_sha256=system.policy.hash.hex())
        trials = (Trial(line, error=done.error),)
    ordered = _whose_order(done.order.entry)
    for found in (_whose(trial.line) for trial in trials):
        if found != ordered:
            raise CrewError(f"a worker answered {ordered} with {found}; nothing of it was written")
    for trial in trials:
        if trial.error is not None:
            folder.note_failure(trial.line.presentation_id, trial.error)
        if trial.picture is not None and trial.line.picture is not None:
            folder.keep_picture(trial.line.picture, trial.picture)
        writer.write(trial.line)
    return tuple(trial.line for trial in trials)


def _whose(line: Presentation) -> tuple[object, ...]:
    return line.grant_id, line.split, line.seed, line.sensor_unit, line.species


def _whose_order(entry: Entry) -> tuple[object, ...]:
    return entry.grant_id, entry.split, entry.scene.seed, entry.sensor_unit, entry.species


class Pace:
    """What is left, by the last grants: the mean time between two ends."""

    def __init__(self, left: int) -> None:
        self._left = left
        self._ends: deque[float] = deque([time.monotonic()], maxlen=41)

    def left_s(self) -> float | None:
        """One more has ended; about how long the others will take."""
        self._ends.append(time.monotonic())
        self._left -= 1
        return self._left * (self._ends[-1] - self._ends[0]) / (len(self._ends) - 1)


def replay(
    path: Path, presentation_id: str, *, models_folder: Path | None = None, any_gates: bool = False
) -> tuple[list[Trial], list[Presentation]]:
    """Present one grant of a campaign again, as it was; what comes of it, and the lines that it has.

    With `any_gates` it is presented to those that are here, whatever the campaign's were. Nothing is written, but that the
    test split was opened once more where it is of that.

    Raises FolderError (no such presentation), ConfigError, SetUpError: other gates or models than the campaign's.
    """
    from faceward_sim.campaign.presenting import present, system_of

    folder = CampaignFolder.open(path)
    entry = find_entry(folder, presentation_id)
    frozen = folder.frozen
    if any_gates:
        frozen = SystemUnderTest.open(path / POLICY, models_folder=models_folder).frozen_digest()
    order = Order(entry, folder.policy, frozen, None if models_folder is None else str(models_folder))
    system_of(order)
    about, lines = About(folder.plan.name, notes_of(folder.plan)), []
    with contextlib.suppress(ConfigError):  # nothing was presented yet
        results = read_results(path)
        about, lines = results.about, [line for line in results.presentations if line.grant_id == entry.grant_id]
    if folder.plan.split == "test":
        counted = folder.note_opening(path / OPENINGS, len(lines))
        # Somebody may know of openings that are not in the ledger.
        write_about(path, replace(about, test_openings=max(counted, (about.test_openings or 0) + 1)))
    return list(present(order)), lines


def find_entry(folder: CampaignFolder, presentation_id: str) -> Entry:
    """The grant of a presentation, by either's id. Raises FolderError."""
    grant_id = grant_of(presentation_id)
    for entry in folder.roster():
        if entry.grant_id == grant_id:
            return entry
    raise FolderError(f"the plan of {folder.path} has no presentation {presentation_id!r}")


def notes_of(plan: Plan) -> str:
    """What every report of the folder says of its plan."""
    said = [] if plan.headline else [f"{plan.name}: makes no headline."]
    said += [f"Generator {plan.generator}, split {plan.split}, everything simulated."]
    if plan.split == "test" and plan.generator == TUNED_ON:
        said.append(f"Generator {TUNED_ON} made the people of the tuning seeds too: its test people are unseen, it is not.")
    if any(attack.designs for attack in plan.attacks) and plan.frozen is None:
        said.append("The plan does not say which gates its adaptive designs were searched against: they may be others.")
    if plan.leave_out is not None:
        said.append(_left_out(plan.leave_out))
    if plan.notes:
        said.append(plan.notes)
    return " ".join(said)


def _left_out(left: LeaveOut) -> str:
    tuned = ", ".join(left.tuned_on) or "nothing"
    return (
        f"Leave one {left.by} out: nothing is trained here. The gates' thresholds are the policy's, chosen once on {tuned} "
        f"of the tuning seeds, so leaving a {left.by} out changes no threshold. Each {left.by} is reported by itself; "
        f"those that are not among {tuned} are the ones that the thresholds have never met."
    )


def folds(plan: Plan) -> list[tuple[str, str, bool]]:
    """For each group of a leave-out plan: its name, what its fold's thresholds were chosen on, whether they met it."""
    if plan.leave_out is None:
        return []
    left = plan.leave_out
    groups = list(dict.fromkeys(attack.species for attack in plan.attacks)) if left.by == "species" else plan.sensors
    tuned = ", ".join(left.tuned_on) or "nothing"
    return [(group, tuned, group in left.tuned_on) for group in groups]


def counts(plan: Plan) -> list[tuple[str, str, int]]:
    """How many grants of a plan stand before each sensor: sensor, species, number."""
    rows = []
    for sensor in plan.sensors:
        if plan.live is not None:
            people = plan.live
            rows.append((sensor, f"live ({people.actor})", people.people_per_tone * len(people.tones)))
        rows.extend((sensor, f"{attack.species} ({attack.actor})", attack.draws) for attack in plan.attacks)
    return rows


def estimated_s(plan: Plan, jobs: int, *, retried: float = 0.15) -> float:
    """About how long a plan takes: a capture a grant, and a share of them once more."""
    grants = sum(number for _, _, number in counts(plan))
    return grants * (1.0 + retried) * SECONDS_A_CAPTURE / jobs
