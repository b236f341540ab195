"""The commands `faceward-sim validate`: the simulator held against what it must obey."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from faceward_sim.optics.validation import Row

EXIT_MISSED = 1
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
