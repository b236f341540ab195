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
    done = subprocess.run([*PROGRAM, "serve", "--port", "0", *option], capture_output=True, text=True, timeout=120)
    assert done.returncode == 3
    assert done.stdout == "" and done.stderr.startswith("faceward-sim: ") and done.stderr.count("\n") == 1


def test_a_port_in_use_ends_in_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run([*PROGRAM, "serve", "--port", port], capture_output=True, text=True, timeout=120)
    assert done.returncode == 3
    assert f"can't listen at 127.0.0.1:{port}" in done.stderr and done.stderr.count("\n") == 1


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
