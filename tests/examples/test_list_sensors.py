"""The example that lists sensors, run as an integrator would run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def listed(home: Path, *servers: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "examples/list_sensors.py"), "--home", str(home), *servers]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_each_sensor_has_a_line_with_its_address(bench: Any, faceward_sim_server: Any) -> None:
    server = f"127.0.0.1:{faceward_sim_server(actor='empty', seed=20_021).port}"
    done = listed(bench.home().folder, server)
    assert done.returncode == 0, done.stderr
    assert f"usbip://{server}/1-1  1209:" in done.stdout and "by driver uvc" in done.stdout


def test_a_home_that_is_none_is_said(tmp_path: Path) -> None:
    done = listed(tmp_path / "nowhere")
    assert done.returncode == 3
    assert "nowhere" in done.stderr and done.stderr.endswith("(config)\n")
