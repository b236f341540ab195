"""`faceward-sim campaign`: show a plan, run it, and take single presentations out of its results."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

if TYPE_CHECKING:
    from faceward_sim.campaign.crew import Crew
    from faceward_sim.campaign.plan import Plan
    from faceward_sim.campaign.run import Progress

EXIT_CONFIG = 3
EXIT_INTERRUPTED = 130
NEEDED = ("faceward", "faceward_gates", "pyarrow", "statsmodels")

app = typer.Typer(
    help="Many presentations through the whole path, as results for `faceward pad-report`. All simulated.",
    no_args_is_help=True,
)
_PlanFile = Annotated[Path, typer.Argument(metavar="PLAN.toml", help="The plan.")]
_Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A campaign's folder.")]
_Id = Annotated[str, typer.Argument(metavar="PRESENTATION_ID", help="As in the results; its grant's id will do.")]
_Models = Annotated[Path | None, typer.Option(help="Folder of face models; the user's own if left out.")]
_Jobs = Annotated[int | None, typer.Option(min=1, max=512, help="Processes of this machine; a core each if left out.")]


@app.command()
def show(plan_file: _PlanFile, jobs: _Jobs = None) -> None:
    """Say what a plan presents, how often, and about how long that takes."""
    _require_extra()
    from faceward_sim.campaign.run import counts, estimated_s, folds, notes_of
    from faceward_sim.world.generators import GENERATORS

    plan = _plan(plan_file)
    workers = jobs or os.cpu_count() or 1
    table = Table("sensor", "before it", "grants", box=None, pad_edge=False)
    for sensor, species, number in counts(plan):
        table.add_row(sensor, species, str(number))
    console = Console()
    drawn_by = GENERATORS[plan.generator]
    console.print(
        f"{plan.name}: split {plan.split}, generator {plan.generator}, purpose {plan.purpose}", highlight=False
    )
    console.print(f"generator {drawn_by.name}: {drawn_by.description}", highlight=False)
    console.print(table)
    if plan.leave_out is not None:
        left = Table(f"left out ({plan.leave_out.by})", "thresholds chosen on", "have met it", box=None, pad_edge=False)
        for group, tuned, met in folds(plan):
            left.add_row(group, tuned, "yes" if met else "no")
        console.print(left)
    total = sum(number for _, _, number in counts(plan))
    console.print(
        f"{total} grants, about {_duration(estimated_s(plan, workers))} with {workers} jobs on a core each (estimated)",
        highlight=False,
    )
    console.print(notes_of(plan), highlight=False)


@app.command()
def run(
    plan_file: _PlanFile,
    out: Annotated[Path, typer.Option(help="The folder of results; the same command again goes on where it ended.")],
    jobs: _Jobs = None,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler; its workers do the work.")
    ] = None,
    openings: Annotated[
        Path | None, typer.Option(help="Where openings of the test split are counted; in the folder if left out.")
    ] = None,
    models: _Models = None,
) -> None:
    """Run a plan, or what is left of it. Interrupt once to end after what runs, twice to end at once."""
    _require_extra()
    from faceward import FacewardError

    from faceward_sim.campaign.crew import CrewError
    from faceward_sim.campaign.folder import FolderError
    from faceward_sim.campaign.run import run_campaign

    plan = _plan(plan_file)
    interrupted: list[int] = []
    console = Console(stderr=True)
    try:
        with _crew(dask, jobs) as crew, _interruptible(interrupted, console), _shown(console) as tell:
            ending = run_campaign(
                plan, out, crew, models_folder=models, openings=openings, tell=tell, stop=lambda: bool(interrupted)
            )
    except (FacewardError, FolderError, CrewError) as error:
        _fail(str(error))
    told = ", ".join(f"{number} {outcome}" for outcome, number in sorted(ending.ends.items())) or "nothing new"
    print(f"{ending.grants} of {ending.total} grants in {out} (this run: {told}; simulated)")
    if ending.openings is not None:
        print(f"the test split has been opened {ending.openings} times")
    if ending.grants < ending.total:
        print("the same command goes on from here", file=sys.stderr)
        raise typer.Exit(EXIT_INTERRUPTED)
    print(f"next: faceward pad-report {out}")


@app.command()
def adapt(
    plan_file: _PlanFile,
    out: Annotated[Path, typer.Option(help="The search's folder; the same command again goes on where it ended.")],
    budget: Annotated[int, typer.Option(min=8, max=100_000, help="Presentations; a larger one goes on searching.")],
    seed: Annotated[int, typer.Option(min=0, max=2**31, help="Another one, and the search goes another way.")] = 1,
    jobs: _Jobs = None,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler; its workers do the work.")
    ] = None,
    models: _Models = None,
) -> None:
    """Search the design of a mask, and its wearer's behaviour, against the plan's gates, on wearers of its dev split."""
    _require_extra("cmaes")
    from faceward import FacewardError

    from faceward_sim.campaign.adapt import adapt as search_designs
    from faceward_sim.campaign.crew import CrewError
    from faceward_sim.campaign.finding import DESIGNS, PRESENT, REPORT, write_found
    from faceward_sim.campaign.folder import FolderError
    from faceward_sim.tables import TableError

    plan = _plan(plan_file)
    interrupted: list[int] = []
    console = Console(stderr=True)
    try:
        with _crew(dask, jobs) as crew, _interruptible(interrupted, console), _shown(console) as tell:
            found = search_designs(
                plan, out, crew, presentations=budget, seed=seed, models_folder=models, tell=tell,
                stop=lambda: bool(interrupted),
            )  # fmt: skip
        write_found(out, plan, found)
    except (FacewardError, FolderError, CrewError, TableError, ValueError) as error:
        _fail(str(error))
    for number, each in enumerate(found.finalists, 1):
        print(
            f"design {number}: taken for living {each.accepted} of {len(each.finals)} times, "
            f"mean score {each.score:.3f} (simulated)"
        )
    print(f"{out / REPORT}")
    if not found.complete:
        print("the same command goes on from here", file=sys.stderr)
        raise typer.Exit(EXIT_INTERRUPTED)
    print(f"{out / DESIGNS}; next: faceward-sim campaign run {out / PRESENT} --out DIR")


@app.command()
def scene(
    folder: _Folder,
    presentation_id: _Id,
    out: Annotated[Path | None, typer.Option(help="The scene's file; printed if left out.")] = None,
) -> None:
    """Write the scene of a presentation, to be shown, served or recorded by itself."""
    _require_extra()
    from faceward_sim.campaign.folder import CampaignFolder, FolderError
    from faceward_sim.campaign.run import find_entry
    from faceward_sim.scene import scene_text
    from faceward_sim.tables import TableError

    try:
        entry = find_entry(CampaignFolder.open(folder), presentation_id)
    except (FolderError, TableError) as error:
        _fail(str(error))
    text = f"# {presentation_id} of {folder}: {entry.species}\n{scene_text(entry.scene)}"
    if out is None:
        print(text, end="")
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        _fail(f"{out} can't be written: {error.strerror or error}")
    print(f"{out}; next: faceward-sim show {out}")


@app.command()
def replay(
    folder: _Folder,
    presentation_id: _Id,
    models: _Models = None,
    any_gates: Annotated[
        bool, typer.Option("--any-gates", help="Present it to the gates that are here, whatever the campaign's were.")
    ] = False,
) -> None:
    """Present one grant again under the same nonces, and set what comes of it beside the lines that it has."""
    _require_extra()
    from faceward import FacewardError

    from faceward_sim.campaign.folder import FolderError
    from faceward_sim.campaign.presenting import SetUpError
    from faceward_sim.campaign.run import replay as present_again
    from faceward_sim.tables import TableError

    try:
        trials, lines = present_again(folder, presentation_id, models_folder=models, any_gates=any_gates)
    except SetUpError as error:
        _fail(f"{error}; --any-gates presents to those that are here")
    except (FacewardError, FolderError, TableError) as error:
        _fail(str(error))
    before = {line.presentation_id: line for line in lines}
    table = Table("presentation", "now", "in the results", "cues now", box=None, pad_edge=False)
    for trial in trials:
        line, then = trial.line, before.get(trial.line.presentation_id)
        cues = ", ".join(f"{each.gate}: {each.cue}" for each in line.gates if each.outcome.value != "live")
        why = cues or line.rejection_reason or line.error_code or ""
        table.add_row(line.presentation_id, line.outcome.value, "none" if then is None else then.outcome.value, why)
    Console().print(table)


def _plan(file: Path) -> Plan:
    from faceward_sim.campaign.plan import load_plan
    from faceward_sim.tables import TableError

    try:
        return load_plan(file)
    except TableError as error:
        _fail(str(error))


@contextmanager
def _crew(dask: str | None, jobs: int | None) -> Iterator[Crew]:
    from faceward_sim.campaign.crew import DaskCrew, LocalCrew

    if dask is not None and jobs is not None:
        _fail("--jobs is for this machine; a Dask cluster has its own workers")
    crew: Crew = LocalCrew(jobs or os.cpu_count() or 1) if dask is None else DaskCrew(dask)
    try:
        yield crew
    finally:
        crew.close()


@contextmanager
def _interruptible(interrupted: list[int], console: Console) -> Iterator[None]:
    """One interrupt lets what runs end; the second ends everything."""

    def note(number: int, frame: object) -> None:
        if interrupted:
            os._exit(EXIT_INTERRUPTED)
        interrupted.append(number)
        console.print("ending after what runs; interrupt again to end at once", highlight=False)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _shown(console: Console) -> Iterator[Callable[[Progress], None]]:
    """A bar where there is a terminal, a line a grant where there is none."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    ends: Counter[str] = Counter()
    with Bar(*columns, console=console, disable=not console.is_terminal, transient=False) as bar:
        task = bar.add_task("presenting", total=None, left="")

        def tell(progress: Progress) -> None:
            ends.update(line.outcome.value for line in progress.lines)
            left = "" if progress.left_s is None else f"{_duration(progress.left_s)} left"
            told = ", ".join(f"{number} {outcome}" for outcome, number in sorted(ends.items()))
            bar.update(task, completed=progress.done, total=progress.total, description=told, left=left)
            if not console.is_terminal:
                outcomes = ", ".join(line.outcome.value for line in progress.lines)
                console.print(
                    f"{progress.done}/{progress.total} {progress.grant_id}: {outcomes}; {left}",
                    highlight=False,
                    soft_wrap=True,
                )

        yield tell


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def _require_extra(*more: str) -> None:
    missing = [name for name in (*NEEDED, *more) if find_spec(name) is None]
    if missing:
        _fail(f"campaigns need {', '.join(missing)}; install faceward-sim[campaign]")


def _fail(message: str) -> NoReturn:
    print(f"faceward-sim: {message}", file=sys.stderr)
    raise typer.Exit(EXIT_CONFIG)
