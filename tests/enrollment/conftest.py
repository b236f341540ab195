"""Whole enrollments: what the living went through, printed at the end."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Live refusals by tone, scores, seconds."""
    lines = [
        str(value)
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in getattr(report, "user_properties", ())
        if name == "people"
    ]
    if lines:
        terminalreporter.section("people (simulated)")
        for line in lines:
            terminalreporter.write_line(line)
