"""The report's first figures as a page of Markdown, for a repository or release notes; the HTML page has everything."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from faceward.pad.intervals import Rate
from faceward.pad.page import percent, worst_first
from faceward.pad.report import Report, Scope

_TEMPLATE: Final = "summary.md.jinja"


def render_summary(report: Report) -> str:
    """Rates by species and of the living, scope by scope, with what decided. The same lines give the same text."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=False,  # no markup but what `cell` lets through
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        cell=cell, rate=_rate, share=_share, refusals=_refusals, silences=_silences, worst_first=worst_first
    )
    template = environment.get_template(_TEMPLATE)
    return template.render(report=report, title=report.about.title or "Presentation attack detection")


def cell(text: str) -> str:
    """Text that ends no cell and no line and is no markup, behind other words."""
    plain = " ".join(text.split())
    for sign in "\\`*_[]<>|":
        plain = plain.replace(sign, f"\\{sign}")
    return plain


def _share(rate: Rate) -> str:
    if rate.share is None:
        return "-"
    return f"{percent(rate.share)}, {percent(rate.low)} to {percent(rate.high)}"


def _rate(rate: Rate) -> str:
    return f"{rate.errors} of {rate.trials}" + ("" if rate.share is None else f" ({_share(rate)})")


def _refusals(scope: Scope, species: str | None = None) -> str:
    """What refused attacks of a species, or the living. A capture that two gates refused counts with both."""
    found: Counter[str] = Counter()
    for cue in scope.cues:
        if (cue.species if cue.attack else None) == species:
            found[f"{cue.gate}: {cue.cue}" if cue.gate else cue.cue] += cue.count
    return _counted(found)


def _silences(scope: Scope) -> str:
    """What left the living without a decision."""
    found: Counter[str] = Counter()
    for reason in scope.reasons:
        if not reason.attack:
            found[reason.reason] += reason.count
    return _counted(found)


def _counted(found: Counter[str]) -> str:
    """Most often first."""
    return "; ".join(f"{what} ({count})" for what, count in sorted(found.items(), key=lambda each: (-each[1], each[0])))
