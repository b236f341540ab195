"""What holds for every test of the project."""

from __future__ import annotations

import os

import pytest

# In CI a test may be skipped only for what an installation can't bring: data that is not the project's, or a kernel.
ALLOWED_SKIPS = ("shared data absent", "not installable:")


def _skip_reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return str(report.longrepr or "")


def refused_skip(report: pytest.TestReport | pytest.CollectReport) -> str | None:
    """The reason of a skip that CI doesn't accept, or None."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return None
    reason = _skip_reason(report)
    return None if reason.startswith(ALLOWED_SKIPS) else reason


class SkipsFail:
    """Fails the run for each skip whose reason is not one of ALLOWED_SKIPS."""

    def __init__(self) -> None:
        self.refused: list[str] = []

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        reason = refused_skip(report)
        if reason is not None:
            self.refused.append(f"{report.nodeid}: {reason}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.refused and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self.refused:
            terminalreporter.write_line(f"skipped, which CI does not accept: {line}", red=True)


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("CI") == "true":
        config.pluginmanager.register(SkipsFail(), "skips-fail")
