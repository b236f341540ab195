"""The commands `faceward-sim validate`: the simulator held against what it must obey."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from faceward_sim.optics.sensor_laws import Law
    from faceward_sim.optics.validation import Row

EXIT_MISSED = 1
EXIT_CONFIG = 3
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
