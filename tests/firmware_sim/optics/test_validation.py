"""What a row says; the rows themselves, run as a user runs them."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from faceward_sim.cli import app
from faceward_sim.optics import bench, validation
from faceward_sim.optics.validation import FRAMES, TRANSPORT, Row
from typer.testing import CliRunner


def _row(measured, low=1.0, high=None, step=0.01):
    return Row("m", "q", "mm", low, low if high is None else high, step, measured, FRAMES)


@pytest.mark.parametrize(("measured", "holds"), [(0.9, True), (0.89, False), (1.1, True), (1.11, False)])
def test_a_row_holds_within_a_tenth(measured, holds):
    assert _row(measured).holds is holds
    assert _row(measured).ratio == pytest.approx(measured)


def test_a_row_holds_where_it_rounds_to_the_sheets_last_digit():
    assert _row(0.074, low=0.05, step=0.05).holds
    assert not _row(0.076, low=0.05, step=0.05).holds


@pytest.mark.parametrize(("measured", "holds"), [(0.55, True), (0.53, False), (0.7, True), (0.88, True), (0.9, False)])
def test_a_range_holds_inside_and_a_tenth_beyond(measured, holds):
    assert _row(measured, low=0.6, high=0.8).holds is holds


def test_a_row_of_nothing_has_no_ratio():
    assert _row(0.4, low=0.0, step=1.0).ratio is None
    assert _row(0.4, low=0.0, step=1.0).holds and not _row(0.6, low=0.0, step=1.0).holds


@pytest.mark.parametrize(
    ("row", "text"), [(_row(1), "1.00"), (_row(1, 5, 15, 1), "5 to 15"), (_row(1, 12.8, step=0.1), "12.8")]
)
def test_the_sheets_value_stands_as_it_does_there(row, text):
    assert row.sheet == text


def test_the_bench_knows_nothing_of_transport_or_of_drawn_materials():
    tree = ast.parse(Path(bench.__file__).read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name for name in imported if "transport" in name or "materials" in name}


def test_a_miss_ends_in_exit_code_1_and_is_printed_as_it_is(monkeypatch):
    rows = [_row(1.0), Row("skin", "R", "", 0.5, 0.5, 0.01, 0.7, TRANSPORT)]
    monkeypatch.setattr(validation, "measure", lambda seed, told, only: iter(rows))
    done = CliRunner().invoke(app, ["validate", "optics"])
    assert done.exit_code == 1
    assert "MISS" in done.stdout and "1.400" in done.stdout and "1 of 2 simulated values" in done.stdout
    told = json.loads(CliRunner().invoke(app, ["validate", "optics", "--json"]).stdout)
    assert [entry["holds"] for entry in told] == [True, False]
    assert told[1]["from"] == TRANSPORT and told[1]["simulated"] is True
    monkeypatch.setattr(validation, "measure", lambda seed, told, only: iter(rows[:1]))
    assert CliRunner().invoke(app, ["validate", "optics"]).exit_code == 0


@pytest.mark.e2e
def test_rows_of_the_sheet_hold_as_rendered():
    # All of them take a minute and a half: `faceward-sim validate optics`.
    wanted = ["skin III-IV", "silicone 1.5 mm, in contact", "paper 0.14 mm"]
    chosen = [word for name in wanted for word in ("--material", name)]
    done = CliRunner().invoke(app, ["validate", "optics", "--seed", "10011", "--json", *chosen])
    rows = json.loads(done.stdout)
    missed = [f"{r['material']}: {r['quantity']} {r['measured']:.3f} of {r['sheet']}" for r in rows if not r["holds"]]
    assert done.exit_code == 0 and not missed, "\n".join(missed)
    assert [*dict.fromkeys(row["material"] for row in rows)] == wanted and len(rows) == 18


def test_a_material_that_is_not_in_the_sheet_is_refused_with_those_that_are():
    done = CliRunner().invoke(app, ["validate", "optics", "--material", "wood"])
    assert done.exit_code == 3
    assert "no material 'wood'; there are: skin I-II; " in done.stderr
