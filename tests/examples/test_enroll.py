"""The example of an enrollment, run as an integrator would run it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faceward.config import Home

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def enroll(bench: Any) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    home: Home = bench.home()

    def run(*options: object) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, str(ROOT / "examples/enroll.py"), "--home", str(home.folder), *map(str, options)]
        return subprocess.run(command, capture_output=True, timeout=120, check=False)

    return run


@pytest.mark.e2e
def test_a_living_persons_template_goes_into_a_file_of_its_owners_alone(
    enroll: Any, faceward_sim_server: Any, tmp_path: Path
) -> None:
    address = f"usbip://127.0.0.1:{faceward_sim_server(actor='live', seed=20_021).port}/1-1"
    out = tmp_path / "alice.fwt"
    done = enroll("--out", out, "alice", address)
    assert done.returncode == 0, done.stderr
    assert b"simulated: a production lock refuses them" in done.stderr
    assert out.stat().st_mode & 0o777 == 0o600
    assert f"{out.stat().st_size} signed bytes".encode() in done.stderr

    again = enroll("--out", out, "bob", address)
    assert (again.returncode, again.stdout) == (2, b"")
    assert b"nothing is written over" in again.stderr


@pytest.mark.e2e
def test_a_phone_is_refused_with_one_sentence_and_leaves_no_file(
    enroll: Any, faceward_sim_server: Any, tmp_path: Path
) -> None:
    server = faceward_sim_server(actor="phone-screen", seed=20_021)
    done = enroll("--out", tmp_path / "mallory.fwt", "mallory", f"usbip://127.0.0.1:{server.port}/1-1")
    assert done.returncode == 31
    assert done.stderr.splitlines()[-1] == b"refused: this is not a living face [not-live]"
    assert not (tmp_path / "mallory.fwt").exists()
