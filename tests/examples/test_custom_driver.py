"""The example of a driver installs, passes its own tests and opens its camera when a policy names it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from faceward.config import development_policy

DRIVER = """
[[drivers]]
name = "acme-depthcam"
distribution = "acme-depthcam"
version = "1.0.0"
"""


def test_its_own_tests_pass(install: Callable[[str], Any]) -> None:
    done = install("custom_driver").pytest()
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_the_camera_is_listed_only_when_the_policy_names_its_driver(
    install: Callable[[str], Any], faceward_sim_server: Callable[..., Any], tmp_path: Path
) -> None:
    server = faceward_sim_server(actor="live", seed=1, faults=["wrong-ids"])
    example = install("custom_driver")
    listed = {}
    for name, addition in (("without", ""), ("with", DRIVER)):
        policy = tmp_path / f"{name}.toml"
        policy.write_bytes(development_policy() + addition.encode())
        listed[name] = example.python(
            "-m", "faceward.cli", "--policy", str(policy), "--usbip", f"127.0.0.1:{server.port}", "--json", "sensors"
        )
    assert listed["without"].returncode == 11, listed["without"].stderr
    assert listed["with"].returncode == 0, listed["with"].stderr
    (found,) = json.loads(listed["with"].stdout)["sensors"]
    assert (found["vid"], found["pid"], found["driver"]) == ("1209", "0002", "acme-depthcam")
