"""The command line, run as a program where it serves."""

from __future__ import annotations

import json
import re
import signal
import socket
import struct
import subprocess
import sys

import pytest
from faceward_sim.cli import app
from faceward_sim.world.actors import ACTORS
from typer.testing import CliRunner

PROGRAM = [sys.executable, "-c", "from faceward_sim.cli import main; main()"]


@pytest.mark.parametrize(
    ("command", "name"), [("sensors", "sl-940"), ("actors", "live"), ("faults", "unplug"), ("lights", "sun")]
)
def test_what_there_is_is_listed_for_people_and_for_machines(command, name):
    table = CliRunner().invoke(app, [command])
    assert table.exit_code == 0 and name in table.stdout
    rows = json.loads(CliRunner().invoke(app, [command, "--json"]).stdout)
    assert name in {row["name"] for row in rows}
    assert all(row["description"] for row in rows)


def test_a_sheet_that_can_not_be_written_ends_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("faceward_sim.world.actors.ACTORS", {"empty": ACTORS["empty"]})
    done = CliRunner().invoke(app, ["actors", "--sheet", str(tmp_path / "none" / "all.png")])
    assert done.exit_code == 3
    assert "can't write" in done.stderr
    drawn = CliRunner().invoke(app, ["actors", "--sheet", str(tmp_path / "all.png"), "--seed", "50"])
    assert drawn.exit_code == 0 and "simulated" in drawn.stdout
    assert (tmp_path / "all.png").stat().st_size > 1000


@pytest.mark.parametrize(
    "option",
    [
        ["--sensor", "sl-000"],
        ["--actor", "nobody"],
        ["--light", "moon"],
        ["--fault", "rain"],
        ["--fault", "unplug:soon"],
    ],
)
def test_an_unknown_name_ends_in_one_sentence(option):
    done = CliRunner().invoke(app, ["serve", "--port", "0", *option])
    assert done.exit_code == 3
    assert done.stdout == "" and done.stderr.startswith("faceward-sim: ") and done.stderr.count("\n") == 1


def test_a_port_in_use_ends_in_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run([*PROGRAM, "serve", "--port", port], capture_output=True, text=True, timeout=120)
    assert done.returncode == 3
    assert f"can't listen at 127.0.0.1:{port}" in done.stderr and done.stderr.count("\n") == 1


SCENE = "seed = 10007\n[who]\nactor = 'empty'\n"


def test_a_scene_is_drawn_beside_its_file(tmp_path):
    path = tmp_path / "scene.toml"
    path.write_text(SCENE)
    done = CliRunner().invoke(app, ["show", str(path), "--slots", "0"])
    assert done.exit_code == 0 and done.stdout == f"{path.with_suffix('.png')}\n"
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("scene", "options", "told"),
    [
        ("seed = 'x'", [], "seed: 'x' is not a whole number"),
        (SCENE, ["--slots", "0:dance"], "'0:dance' is neither SLOT nor SLOT:PROMPT"),
        (SCENE, ["--slots", "9,3"], "each five or more after the one before it"),
        (SCENE, ["--out", "/dev/null/x.png"], "can't be written"),
        ("seed = 1\n[who]\nactor = 'mesh:a.ply'\n[who.mesh]\nmaterial = 'resin'\nspecies = 'head'\n", [],
         "a.ply can't be read"),
    ],
)  # fmt: skip
def test_a_scene_that_can_not_be_drawn_ends_in_one_sentence(tmp_path, scene, options, told):
    path = tmp_path / "scene.toml"
    path.write_text(scene)
    done = CliRunner().invoke(app, ["show", str(path), *options])
    assert done.exit_code == 3 and told in done.stderr and done.stderr.count("\n") == 1


def test_serve_takes_a_scene_or_its_parts_and_not_both(tmp_path):
    path = tmp_path / "scene.toml"
    path.write_text(SCENE)
    done = CliRunner().invoke(app, ["serve", "--scene", str(path), "--seed", "3"])
    assert done.exit_code == 3 and "--seed and --scene say the same" in done.stderr


def test_a_scene_is_served(tmp_path):
    path = tmp_path / "scene.toml"
    path.write_text(SCENE + "[script]\nfaults = ['busy']\n")
    program = subprocess.Popen(
        [*PROGRAM, "serve", "--port", "0", "--scene", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stdout.readline().startswith("serving sl-940 with empty (seed 10007) at 127.0.0.1:")
    finally:
        program.kill()
        program.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(number):
    program = subprocess.Popen(
        [*PROGRAM, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        line = program.stdout.readline()
        found = re.fullmatch(
            r"serving sl-940 with live \(seed 7\) at 127\.0\.0\.1:(\d+) busid 1-1, "
            r"try: faceward sensors --usbip 127\.0\.0\.1:\1\n",
            line,
        )
        assert found, line + program.stderr.read()
        with socket.create_connection(("127.0.0.1", int(found[1]))) as client:
            client.sendall(struct.pack(">HHI", 0x0111, 0x8003, 0) + b"1-1".ljust(32, b"\0"))
            assert client.recv(8, socket.MSG_WAITALL) == struct.pack(">HHI", 0x0111, 3, 0)
            program.send_signal(number)
            rest, errors = program.communicate(timeout=60)
        assert (program.returncode, rest, errors) == (0, "", "")
    finally:
        program.kill()
        program.communicate()
