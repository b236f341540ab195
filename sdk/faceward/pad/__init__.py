"""Reports on presentation attack detection, after ISO/IEC 30107-3, from results that a campaign or an integrator wrote.

It needs the extra packages of `faceward[pad]`; importing this module alone needs none of them, and every name below is
fetched when it is first used. What the figures mean: docs/pad-report.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faceward.pad.document import as_document
    from faceward.pad.extra import require_extra
    from faceward.pad.journal import ResultsWriter
    from faceward.pad.page import render_page, write_page
    from faceward.pad.presentation import CaptureOutcome, GateLine, MeasureLine, Presentation, gate_lines
    from faceward.pad.report import Report, build_report
    from faceward.pad.results import About, Results, read_results, write_about
    from faceward.pad.summary import render_summary

_EXPORTS = {
    "About": "faceward.pad.results",
    "CaptureOutcome": "faceward.pad.presentation",
    "GateLine": "faceward.pad.presentation",
    "MeasureLine": "faceward.pad.presentation",
    "Presentation": "faceward.pad.presentation",
    "Report": "faceward.pad.report",
    "Results": "faceward.pad.results",
    "ResultsWriter": "faceward.pad.journal",
    "as_document": "faceward.pad.document",
    "build_report": "faceward.pad.report",
    "gate_lines": "faceward.pad.presentation",
    "read_results": "faceward.pad.results",
    "render_page": "faceward.pad.page",
    "render_summary": "faceward.pad.summary",
    "require_extra": "faceward.pad.extra",
    "write_about": "faceward.pad.results",
    "write_page": "faceward.pad.page",
}

__all__ = [
    "About",
    "CaptureOutcome",
    "GateLine",
    "MeasureLine",
    "Presentation",
    "Report",
    "Results",
    "ResultsWriter",
    "as_document",
    "build_report",
    "gate_lines",
    "read_results",
    "render_page",
    "render_summary",
    "require_extra",
    "write_about",
    "write_page",
]


def __getattr__(name: str) -> object:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'faceward.pad' has no attribute {name!r}")
    value = getattr(import_module(_EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *_EXPORTS]
