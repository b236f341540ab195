"""The commands `faceward-sim validate`: the simulator held against what it must obey."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure materials in rendered frames beside the sheet's values; exit 1 if one is off by more than 10 %."""
    from faceward_sim.optics.validation import measure

    rows = list(measure(seed, lambda name: print(f"measuring {name}", file=sys.stderr, flush=True)))
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
        int, typer.Option(min=0, help="Living people, and as many null instruments, that are enrolled; 0 leaves it out.")
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
