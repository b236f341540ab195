"""Whole enrollments: somebody to sit before the sensor, and what the living went through, printed at the end."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from faceward.config import Home


@pytest.fixture
def enrolled_home(enrolled_homes: Path, tmp_path: Path) -> Home:
    """A home of the test's own in which `alice` is enrolled."""
    folder = tmp_path / "enrolled"
    shutil.copytree(enrolled_homes / "alice", folder)
    return Home(folder)


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
