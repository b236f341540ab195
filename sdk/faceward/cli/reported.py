"""The command that turns a folder of results into a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from faceward.cli.invocation import Invocation
from faceward.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

    from faceward.pad import Report
    from faceward.pad.intervals import Rate

PAGE = "report.html"


def add_to(app: typer.Typer) -> None:
    """Give the application this command."""
    app.command("pad-report")(pad_report)


def pad_report(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A folder of results, one line a presentation.", metavar="DIR")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="The page to write; with .md, a summary in Markdown in its place.",
            metavar="FILE.html",
            show_default=f"DIR/{PAGE}; none with --json",
        ),
    ] = None,
) -> None:
    """Report on attack detection after ISO/IEC 30107-3, from results of a campaign or of your own captures."""
    from faceward.pad.extra import require_extra

    require_extra()
    from faceward.pad import as_document, build_report, read_results, render_page, render_summary, write_page

    invocation: Invocation = ctx.obj
    ending = "" if out is None else out.suffix.lower()
    if out is not None and ending not in (".html", ".htm", ".md"):
        raise ConfigError(f"--out {out} is no name of a page: it must end in .html, or in .md for a summary")
    report = build_report(read_results(folder))
    if out is None and not invocation.output.as_json:
        out = folder / PAGE
    if out is not None:
        write_page(out, render_summary(report) if ending == ".md" else render_page(report, folder))
    invocation.output.document(
        {**as_document(report), "page": out}, lambda console: _tell(console, report, out)
    )  # fmt: skip


def _tell(console: Console, report: Report, page: Path | None) -> None:
    simulated = f", {report.simulated} of them simulated" if report.simulated else ""
    lines = [f"{report.presentations} presentations{simulated}"]
    tag = " (simulated)" if report.simulated else ""
    for scope in report.scopes:
        lines.append(f"{scope.name}{tag}")
        for worst, which in ((scope.worst, "worst species"), (scope.worst_adaptive, "worst adaptive species")):
            if worst is not None:
                lines.append(f"  APCER {_said(worst.apcer)}, {which}: {worst.species}")
        if scope.unheard:
            lines.append(f"  APCER unknown, no response: {', '.join(scope.unheard)}")
        if scope.living is not None:
            lines.append(f"  BPCER {_said(scope.living.bpcer.rate)}")
            if scope.worst_tone is not None:
                lines.append(f"  BPCER {_said(scope.worst_tone.error)}, worst tone: {scope.worst_tone.name}")
            if scope.living.failure_to_enrol is not None:
                lines.append(f"  failure to enrol {_said(scope.living.failure_to_enrol)}")
    lines += [f"caution: {text}" for text in report.cautions]
    more = sum(len(scope.cautions) for scope in report.scopes)
    lines.append(f"page: {page}" + (f" ({more} more cautions stand in it)" if more else ""))
    for line in lines:
        console.print(line, markup=False)


def _said(rate: Rate) -> str:
    from faceward.pad.page import percent

    if rate.share is None:
        return "unknown (no response)"
    return f"{percent(rate.share)} ({rate.errors}/{rate.trials}, 95 % sure: at most {percent(rate.upper)})"
