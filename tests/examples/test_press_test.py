"""The press test's story, in short: one mask, the naive machine and the door lock."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/press_test.py"


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_the_naive_machine_enrolls_the_mask_and_the_door_lock_the_tester_alone() -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), "--devices", "two-cameras", "door-lock", "--masks", "3200"],
        capture_output=True, text=True, timeout=580, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "two cameras: mask, 3,200 yuan: enrolled" in done.stdout
    assert "two cameras: the tester, alive: enrolled" in done.stdout
    assert "door lock, Faceward: the tester, alive: enrolled" in done.stdout
    assert "door lock, Faceward: mask, 3,200 yuan: refused, not live" in done.stdout
    assert all("(simulated)" in line for line in done.stdout.splitlines() if ": refused" in line or ": enrolled" in line)
    assert "(all simulated)" in done.stdout
