"""`faceward-sim campaign`: what it says, and a campaign that is killed in the middle."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from faceward.pad import read_results
from faceward_sim.campaign import command
from faceward_sim.campaign.run import Progress
from faceward_sim.cli import app
from faceward_sim.scene import load_scene
from rich.console import Console
from typer.testing import CliRunner

PROGRAM = [sys.executable, "-c", "from faceward_sim.cli import main; main()", "campaign"]
REPORT = [sys.executable, "-c", "from faceward.cli import main; main()", "pad-report"]
TINY = """
name = "tiny"
split = "test"
sensors = ["sl-940"]
headline = false
[live]
tones = [2.0]
people_per_tone = 1
captures = 1
[[attacks]]
actor = "phone-screen"
draws = 1
captures = 1
"""


def invoke(*arguments: object):
    return CliRunner().invoke(app, ["campaign", *map(str, arguments)])


def test_a_plan_is_shown_with_its_numbers_and_about_how_long_it_takes(plan_of):
    done = invoke("show", plan_of().path, "--jobs", 2)
    assert done.exit_code == 0
    assert "7 grants, about" in done.stdout and "(estimated)" in done.stdout
    assert "makes no headline" in done.stdout and "simulated" in done.stdout


def test_a_plan_that_leaves_out_says_what_its_thresholds_have_met(plan_of):
    text = plan_of().content.decode() + '[leave_out]\nby = "species"\ntuned_on = ["screen"]\n'
    done = invoke("show", plan_of(text).path)
    assert "nothing is trained" in " ".join(done.stdout.split())
    assert next(line.split()[-1] for line in done.stdout.splitlines() if line.startswith("print ")) == "no"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", "nothing.toml"], "nothing.toml can't be read"),
        (["scene", "nowhere", "a-1"], "nowhere is no campaign's folder"),
        (["replay", "nowhere", "a-1"], "nowhere is no campaign's folder"),
    ],
)
def test_what_is_wrong_ends_in_one_sentence(arguments, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = invoke(*arguments)
    assert done.exit_code == 3 and told in done.stderr and done.stderr.count("\n") == 1


def test_jobs_are_not_for_a_cluster(plan_of, tmp_path):
    done = invoke("run", plan_of().path, "--out", tmp_path / "o", "--dask", "tcp://127.0.0.1:9", "--jobs", 2)
    assert done.exit_code == 3 and "--jobs is for this machine" in done.stderr
    assert not (tmp_path / "o").exists()


def test_without_the_extra_it_says_what_to_install(plan_of, monkeypatch):
    monkeypatch.setattr(command, "NEEDED", ("faceward", "no_such_package"))
    done = invoke("show", plan_of().path)
    assert done.exit_code == 3
    assert done.stderr == "faceward-sim: campaigns need no_such_package; install faceward-sim[campaign]\n"


@pytest.mark.parametrize("terminal", [True, False], ids=["a terminal", "a file"])
def test_progress_says_what_came_out_and_how_long_is_left(terminal):
    heard = io.StringIO()
    with command._shown(Console(file=heard, force_terminal=terminal, width=200)) as tell:
        tell(Progress("sl-940-live-00000", (), 3, 7, 600.0))
    assert "10 min left" in heard.getvalue() and "3/7" in heard.getvalue()


def test_one_interrupt_lets_what_runs_end(capsys):
    interrupted = []
    with command._interruptible(interrupted, Console(stderr=True)):
        signal.raise_signal(signal.SIGINT)
        assert interrupted == [signal.SIGINT]
    assert "interrupt again to end at once" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_a_campaign_that_is_killed_goes_on_and_loses_nothing(tmp_path: Path):
    plan, out, seen = tmp_path / "tiny.toml", tmp_path / "out", tmp_path / "seen.txt"
    plan.write_text(TINY)
    begin = [*PROGRAM, "run", str(plan), "--out", str(out), "--jobs", "1"]
    with seen.open("w") as told:
        run = subprocess.Popen(begin, stdout=told, stderr=told, text=True, start_new_session=True)
    try:
        while "1/2" not in seen.read_text() and run.poll() is None:
            time.sleep(0.2)
        started = children(run)
        assert started, seen.read_text()
        os.kill(run.pid, signal.SIGKILL)
    finally:
        run.kill()
        run.wait()
    _, alive = psutil.wait_procs(started, timeout=30)
    assert not alive, "what a campaign started ends with it"
    before = read_results(out).presentations

    again = subprocess.run(begin, capture_output=True, text=True, timeout=500)

    assert again.returncode == 0, again.stderr
    assert "2 of 2 grants" in again.stdout and "opened 2 times" in again.stdout and "simulated" in again.stdout
    results = read_results(out)
    assert len(before) == 1 and set(before) < set(results.presentations)
    assert len(results.presentations) == 2 and results.about.test_openings == 2
    assert {line.outcome.value for line in results.presentations if line.attack} == {"not-live"}
    assert all(line.responded and line.simulated for line in results.presentations)
    other = tmp_path / "other.toml"
    other.write_text(TINY.replace("draws = 1", "draws = 2"))
    refused = invoke("run", other, "--out", out)
    assert refused.exit_code == 3 and "belongs to another plan" in refused.stderr

    attack = next(line for line in results.presentations if line.attack)
    scene = tmp_path / "scene.toml"
    assert invoke("scene", out, attack.presentation_id, "--out", scene).exit_code == 0
    assert load_scene(scene).seed == attack.seed
    shown = CliRunner().invoke(app, ["show", str(scene), "--slots", "0", "--out", str(tmp_path / "shown.png")])
    assert shown.exit_code == 0, shown.output
    assert (tmp_path / "shown.png").stat().st_size > 10_000
    reported = subprocess.run([*REPORT, str(out)], capture_output=True, text=True, timeout=100)
    assert reported.returncode == 0, reported.stderr
    assert "SIMULATED" in reported.stdout.upper() and (out / "report.html").exists()
    replayed = invoke("replay", out, attack.presentation_id)
    assert replayed.exit_code == 0 and replayed.stdout.count("not-live") == 2
