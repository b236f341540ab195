"""The commands `faceward-sim validate`: the simulator held against what it must obey."""

from __future__ import annotations

import json
import math
import secrets
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from faceward_sim.optics.sensor_laws import Law
    from faceward_sim.optics.validation import Row

EXIT_MISSED, EXIT_CONFIG = 1, 3
_WIDTH = 150  # where the output is no terminal

app = typer.Typer(
    help="Hold the simulator against the parameter sheet.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _group() -> None:
    """One command a part of the sheet."""


@app.command()
def optics(
    seed: Annotated[int, typer.Option(min=0, help="Which units of the sensor measure.")] = 7,
    material: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this one, named as in the table; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure materials in rendered frames beside the sheet's values; exit 1 if one is off by more than 10 %."""
    from faceward_sim.optics.validation import MATERIALS, measure

    for name in material or ():
        if name not in MATERIALS:
            print(f"faceward-sim: no material {name!r}; there are: {'; '.join(MATERIALS)}", file=sys.stderr)
            raise typer.Exit(EXIT_CONFIG)
    only = material or MATERIALS
    rows = list(measure(seed, lambda name: print(f"measuring {name}", file=sys.stderr, flush=True), only))
    missed = sum(not row.holds for row in rows)
    if as_json:
        print(json.dumps([_as_object(row) for row in rows], indent=2))
    else:
        table = Table("material", "quantity", "sheet", "measured", "ratio", "", "from", box=None, pad_edge=False)
        for row in rows:
            ratio = "" if row.ratio is None else f"{row.ratio:.3f}"
            unit = f" {row.unit}" if row.unit else ""
            table.add_row(
                row.material, row.quantity, f"{row.sheet}{unit}", f"{row.measured:.3f}", ratio,
                "OK" if row.holds else "MISS", row.source,
            )  # fmt: skip
        Console(width=None if sys.stdout.isatty() else _WIDTH).print(table)
        print(f"{len(rows) - missed} of {len(rows)} simulated values within 10 % of the sheet's")
    raise typer.Exit(EXIT_MISSED if missed else 0)


@app.command()
def leaks(
    count: Annotated[
        int, typer.Option(min=10, help="Living people, and as many masks, that a classifier is shown.")
    ] = 24,
    captures: Annotated[
        int,
        typer.Option(min=0, help="Living people, and as many null instruments, that are enrolled; 0 leaves it out."),
    ] = 4,
    seed: Annotated[int, typer.Option(min=0, help="From which everybody's own seed is drawn.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look for what tells attacks from the living though reality has no such thing; exit 1 if there is any.

    Needs `faceward-sim[leaks]` and, for the enrollments, faceward and faceward-gates.
    """
    from faceward_sim.leaks.acceptance import NotInstalled, check_acceptance
    from faceward_sim.leaks.swap import check_swaps
    from faceward_sim.leaks.telling import check_telling

    def told(name: str) -> None:
        print(f"presenting {name}", file=sys.stderr, flush=True)

    try:
        findings = [*check_swaps(seed), *check_telling(seed, count, told)]
        if captures:
            findings += check_acceptance(seed, captures, told)
    except ImportError as error:
        print(f"faceward-sim: {error.name} is missing; install faceward-sim[leaks]", file=sys.stderr)
        raise typer.Exit(EXIT_CONFIG) from None
    except NotInstalled as error:
        print(f"faceward-sim: {error}", file=sys.stderr)
        raise typer.Exit(EXIT_CONFIG) from None
    failed = sum(not finding.holds for finding in findings)
    if as_json:
        print(json.dumps([{**asdict(finding), "simulated": True} for finding in findings], indent=2))
    else:
        table = Table("check", "of", "found", "wanted", "", box=None, pad_edge=False)
        for finding in findings:
            verdict = "OK" if finding.holds else "LEAK"
            table.add_row(finding.check, finding.subject, finding.found, finding.wanted, verdict)
        Console(width=None if sys.stdout.isatty() else _WIDTH).print(table)
        left_out = "" if captures else "; no enrollment was tried"
        print(f"{len(findings) - failed} of {len(findings)} hold (simulated){left_out}")
    raise typer.Exit(EXIT_MISSED if failed else 0)


IMPOSTOR_MEAN_MAX, EER_MAX = 0.25, 0.01


@app.command()
def people(
    count: Annotated[int, typer.Option(min=2, help="How many people.")] = 200,
    captures: Annotated[int, typer.Option(min=2, help="Portraits of each.")] = 5,
    first_seed: Annotated[
        int | None, typer.Option(min=0, help="Seeds from here on; drawn at random from 10,000 on if left out.")
    ] = None,
    models: Annotated[Path | None, typer.Option(help="Folder of the SDK's model files.")] = None,
    sheet: Annotated[Path | None, typer.Option(help="Write a contact sheet of forty people here (PNG).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Let the SDK's recogniser compare simulated people; exit 1 if they are too much alike."""
    from faceward_sim.likeness.gallery import contact_sheet, hang
    from faceward_sim.picture import write_png

    if first_seed is None:
        first_seed = secrets.randbelow(1 << 30) + 10_000
    seeds = range(first_seed, first_seed + count)
    try:
        gallery = hang(seeds, captures, models, lambda done: _progress(done, count))
    except ValueError as error:  # no models, or no portrait with a face in it
        print(f"faceward-sim: {error}", file=sys.stderr)
        raise typer.Exit(EXIT_CONFIG) from None
    found = gallery.separation
    holds = found.impostor_mean <= IMPOSTOR_MEAN_MAX and found.eer <= EER_MAX
    if sheet is not None:
        try:
            write_png(sheet, contact_sheet(gallery.faces, f"seeds from {first_seed}"))
        except OSError as error:
            print(f"faceward-sim: {sheet} can't be written: {error.strerror or error}", file=sys.stderr)
            raise typer.Exit(EXIT_CONFIG) from None
    if as_json:
        limits = {"impostor_mean_max": IMPOSTOR_MEAN_MAX, "eer_max": EER_MAX}
        report = {"first_seed": first_seed, "captures": captures, "faces_missed": gallery.missed, **asdict(found)}
        print(json.dumps({**report, **limits, "holds": holds, "simulated": True}, indent=2))
    else:
        print(f"SFace on {found.people} simulated people x {captures} portraits, seeds from {first_seed}")
        print(f"faces missed          {gallery.missed}")
        print(f"impostor cosine       {found.impostor_mean:.3f} +- {found.impostor_sigma:.3f} (aim: at most .25)")
        print(f"highest of impostors  {found.impostor_highest:.3f}")
        print(f"genuine cosine        {found.genuine_mean:.3f} +- {found.genuine_sigma:.3f}")
        print(f"d'                    {found.d_prime:.2f}")
        print(
            f"equal error rate      {100 * found.eer:.2f} % [{100 * found.eer_low:.2f}, {100 * found.eer_high:.2f}] "
            f"at cosine {found.threshold:.3f} (aim: at most 1 %)"
        )
        print("OK" if holds else "MISS")
    raise typer.Exit(0 if holds else EXIT_MISSED)


def _progress(done: int, count: int) -> None:
    print(f"\r{done} of {count} people", end="\n" if done == count else "", file=sys.stderr, flush=True)


@app.command()
def sensors(
    seed: Annotated[int, typer.Option(min=0, help="Which units of the sensors are measured.")] = 7,
    data: Annotated[
        Path | None, typer.Option(help="A folder of a real sensor's depth images of flat boards, to stand beside.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure the sensors' noise in rendered frames beside the sheet's laws and real boards; exit 1 if one is off."""
    from faceward_sim.optics.sensor_laws import BoardsUnreadable, measure

    try:
        laws = list(measure(seed, data, lambda name: print(f"measuring {name}", file=sys.stderr, flush=True)))
    except BoardsUnreadable as error:
        print(f"faceward-sim: {error}", file=sys.stderr)
        raise typer.Exit(EXIT_CONFIG) from None
    missed = sum(not law.holds for law in laws)
    if as_json:
        print(json.dumps([_law_as_object(law) for law in laws], indent=2))
    else:
        table = Table("sensor", "quantity", "should be", "simulated", "ratio", "", "from", box=None, pad_edge=False)
        for law in laws:
            ends = f"{law.low:.3g}" if law.low == law.high else f"{law.low:.3g} to {law.high:.3g}"
            unit = f" {law.unit}" if law.unit else ""
            table.add_row(
                law.sensor, law.quantity, f"{ends}{unit}", f"{law.measured:.3f}", f"{law.ratio:.3f}",
                "OK" if law.holds else "MISS", law.source,
            )  # fmt: skip
        Console(width=None if sys.stdout.isatty() else _WIDTH).print(table)
        print(f"{len(laws) - missed} of {len(laws)} simulated values within their tolerance")
    raise typer.Exit(EXIT_MISSED if missed else 0)


def _law_as_object(law: Law) -> dict[str, Any]:
    return {
        "sensor": law.sensor,
        "quantity": law.quantity,
        "unit": law.unit,
        "should_be": [law.low, law.high],
        "measured": _number(law.measured),
        "ratio": _number(law.ratio),
        "tolerance": law.tolerance,
        "holds": law.holds,
        "from": law.source,
        "simulated": True,
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _as_object(row: Row) -> dict[str, Any]:
    return {
        "material": row.material,
        "quantity": row.quantity,
        "unit": row.unit,
        "sheet": [row.low, row.high],
        "measured": row.measured,
        "ratio": row.ratio,
        "holds": row.holds,
        "from": row.source,
        "simulated": True,
    }
