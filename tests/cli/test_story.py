"""The story from a shell, with a simulated sensor: enrolled, shown, verified, refused, erased."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SEED = 20_021  # nobody tuned on it: those seeds are below 1,000

pytestmark = pytest.mark.e2e


def address(server: Any) -> str:
    return f"usbip://127.0.0.1:{server.port}/1-1"


def lock(template: Path, home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """What a lock says of a template: the example that has no SDK in it."""
    return subprocess.run(
        [sys.executable, str(ROOT / "examples/verify_template.py"), str(template),
         "--host-key", str(home / "keys/signer.pub.pem"), *options],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_person_enrolls_is_shown_verified_and_erased(
    home: Path, faceward: Any, faceward_sim_server: Any, tmp_path: Path
) -> None:
    print(f"seed {SEED}")
    live = ("--home", home, "--sensor", address(faceward_sim_server(actor="live", seed=SEED)), "--json")

    enrolled = faceward(*live, "--log-file", tmp_path / "log", "enroll", "alice")
    assert enrolled.code == 0, enrolled.err
    events = [line["event"] for line in enrolled.lines]
    assert events[-1] == "enrolled"
    assert events.index("attempt-begun") < events.index("capture-started") < events.index("verdict")
    assert enrolled.lines[-1]["simulated"] is True
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert '"gate": "skin-optics"' in log
    assert "alice" not in log

    assert [entry["name"] for entry in faceward(*live, "list").json["subjects"]] == ["alice"]

    template = tmp_path / "alice.fwt"
    shown = faceward(*live, "show", "alice", "--export", template)
    assert shown.code == 0, shown.err
    assert {gate["outcome"] for gate in shown.json["gates"]} == {"live"}
    assert shown.json["attestation"] == "simulated"
    assert template.stat().st_mode & 0o777 == 0o600
    assert faceward(*live, "show", "alice", "--export", template).code == 3  # never written over

    trusted = lock(template, home, "--development", "--simulated")
    assert trusted.returncode == 0, trusted.stderr
    assert "SIMULATED" in trusted.stdout
    assert "untrusted" in lock(template, home).stderr
    assert "untrusted-sensor" in lock(template, home, "--development").stderr
    forged = bytearray(template.read_bytes())
    forged[len(forged) // 2] ^= 1
    template.write_bytes(forged)
    assert lock(template, home, "--development", "--simulated").returncode == 1

    again = faceward(*live, "enroll", "alice")
    assert again.code == 35
    assert "capture-started" not in [line.get("event") for line in again.lines]

    accepted = faceward(*live, "verify", "alice")
    assert accepted.code == 0, accepted.err
    assert accepted.lines[-1]["score"] >= accepted.lines[-1]["threshold"]

    assert faceward(*live, "remove", "alice").json == {"removed": "alice"}
    assert faceward(*live, "list").json == {"subjects": []}
    assert faceward(*live, "verify", "alice").code == 41


def test_a_phone_is_refused_by_a_named_cue_and_nothing_is_stored(
    home: Path, faceward: Any, faceward_sim_server: Any
) -> None:
    print(f"seed {SEED}")
    sensor = address(faceward_sim_server(actor="phone-screen", seed=SEED))
    ran = faceward("--home", home, "--sensor", sensor, "--json", "enroll", "mallory")
    assert ran.code == 31, ran.err
    gates = ran.lines[-1]["error"]["verdict"]["gates"]
    detections = [gate for gate in gates if gate["outcome"] == "not-live"]
    assert detections
    assert all(gate["cue"] and gate["measures"] for gate in detections)
    assert faceward("--home", home, "list", "--json").json == {"subjects": []}


def test_a_recording_is_made_looked_into_and_judged_and_never_enrolls(
    home: Path, faceward: Any, faceward_sim_server: Any, tmp_path: Path
) -> None:
    recording = tmp_path / "live.mcap"
    sensor = address(faceward_sim_server(actor="live", seed=SEED))
    made = faceward("--home", home, "--sensor", sensor, "--json", "record", recording, "--seconds", "4")
    assert made.code == 0, made.err
    assert made.lines[-1]["frames"] == 120 + 40  # thirty slots a second, ten of them with depth

    looked = faceward("inspect", recording, "--frames", tmp_path / "pictures", "--every", "30", "--json")
    assert looked.code == 0, looked.err
    assert looked.json["frames"] == {"infrared": 120, "depth": 40}
    pictures = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert len(pictures) == looked.json["pictures"]["count"]
    assert any(name.startswith("depth_") for name in pictures)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "pictures").iterdir()} == {0o600}
    again = faceward("inspect", recording, "--frames", tmp_path / "pictures", "--every", "30")
    assert again.code == 3 and "nothing is written over" in again.err
    assert any(name.endswith("_flood.png") for name in pictures)

    judged = faceward("--home", home, "evaluate", recording, "--json")
    assert judged.code in (0, 31, 32), judged.err
    outcome = judged.json["verdict"]["outcome"]
    assert judged.code == {"live": 0, "not-live": 31, "inconclusive": 32}[outcome]
    assert "never become a template" in judged.json["note"]
    assert len(judged.json["verdict"]["gates"]) == 4
    assert faceward("--home", home, "list", "--json").json == {"subjects": []}
