"""The example of a gate installs, passes its own tests and runs as a policy names it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

LOAD = """
from pathlib import Path
from faceward.config import load_policy
from faceward.liveness.worker import GateWorker
with GateWorker(load_policy(Path({policy!r}))) as worker:
    worker.start()
    print([(gate.name, gate.version, gate.distribution) for gate in worker.gates])
"""


def policy_with(gate: str, folder: Path) -> Path:
    from faceward.config import development_policy

    path = folder / "policy.toml"
    path.write_bytes(development_policy() + gate.encode())
    return path


GATE = """
[[gates]]
name = "ambient-light"
distribution = "acme-ambient-light"
version = "1.0.0"
thresholds = {{ {threshold} = 0.3 }}
"""


def test_its_own_tests_pass(install: Callable[[str], Any]) -> None:
    done = install("custom_gate").pytest()
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_the_worker_loads_it_beside_ours_when_the_policy_names_it(install: Callable[[str], Any], tmp_path: Path) -> None:
    policy = policy_with(GATE.format(threshold="ambient_share_max"), tmp_path)
    done = install("custom_gate").python("-c", LOAD.format(policy=str(policy)))
    assert done.returncode == 0, done.stderr[-2000:]
    assert "('ambient-light', '1.0.0', 'acme-ambient-light 1.0.0')" in done.stdout
    assert "'flatness'" in done.stdout


def test_a_misspelt_threshold_of_it_is_refused_by_name(install: Callable[[str], Any], tmp_path: Path) -> None:
    policy = policy_with(GATE.format(threshold="ambient_share_maxx"), tmp_path)
    done = install("custom_gate").python("-c", LOAD.format(policy=str(policy)))
    assert done.returncode != 0
    assert "ConfigError" in done.stderr
    assert "did you mean 'ambient_share_max'" in done.stderr
