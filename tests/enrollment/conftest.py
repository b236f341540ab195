"""Whole enrollments: somebody to sit before the sensor, and what the living went through, printed at the end."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from faceward.config import Home
from faceward.enrollment import enroll
from faceward.host import Host


@pytest.fixture(scope="session")
def _enrolled(
    new_bench: type, draw_seed: Callable[[str], int], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, int]:
    seed = draw_seed("enrolled")
    with new_bench(tmp_path_factory.mktemp("enrolled")) as bench:
        home = bench.home()
        enroll(bench.host_before("live", seed, home=home), "alice")
        return home.folder, seed


@pytest.fixture
def enrolled_home(_enrolled: tuple[Path, int], tmp_path: Path) -> Home:
    """A home of the test's own in which `alice` is enrolled."""
    folder = tmp_path / "enrolled"
    shutil.copytree(_enrolled[0], folder)
    return Home(folder)


@pytest.fixture
def host_in() -> Callable[[Home], Host]:
    """Opens a home on a machine without any sensor: whoever looks for one gets DeviceNotFound."""

    def open_host(home: Home) -> Host:
        from faceward.face.models import default_folder
        from faceward_sim.ports.inprocess import get_backend

        return Host.open(home, models_folder=default_folder(), backend=get_backend())

    return open_host


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
