"""Every way a command can end has its exit code, one sentence on stderr and, with --json, its stable word on stdout."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from faceward import __version__
from faceward.cli import app as application
from faceward.cli.app import globals_first
from faceward.errors import (
    CaptureRejected,
    DeviceFault,
    FacewardError,
    LivenessInconclusive,
    LockedOut,
    NoMatch,
    NotLive,
    StoreError,
)
from faceward.model.liveness import Evidence, GateResult, LivenessVerdict, Outcome
from hypothesis import given
from hypothesis import strategies as st

VERDICT = LivenessVerdict(
    Outcome.NOT_LIVE, (GateResult("g", "1", "d 1", Evidence(Outcome.NOT_LIVE, "dot spread", "why")),), bytes(32)
)


def ending_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def end(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("faceward.cli.invocation.Invocation.open_host", end)


@pytest.mark.parametrize(
    ("error", "code", "word", "more"),
    [
        (StoreError("can't be read"), 40, "store", {}),
        (CaptureRejected("too far", "too-far"), 20, "capture-rejected", {"reason": "too-far"}),
        (DeviceFault("dead", "projector"), 17, "device-fault", {"fault": "projector"}),
        (LockedOut("wait", 90.0), 34, "locked-out", {"retry_after_s": 90.0}),
        (NoMatch("somebody else", 0.1, 0.36), 36, "no-match", {"score": 0.1, "threshold": 0.36}),
    ],
)
def test_an_error_ends_with_its_own_code_and_says_what_it_carries(
    monkeypatch: pytest.MonkeyPatch, faceward: Any, error: FacewardError, code: int, word: str, more: dict[str, Any]
) -> None:
    ending_with(monkeypatch, error)
    ran = faceward("list", "--json")
    assert ran.code == code
    assert ran.err == f"faceward: {error}\n"
    assert ran.json["error"] == {"code": word, "message": str(error), "exit_code": code, **more}


def test_a_refusal_carries_its_verdict_for_whoever_develops(monkeypatch: pytest.MonkeyPatch, faceward: Any) -> None:
    ending_with(monkeypatch, NotLive("not a living face", VERDICT))
    assert faceward("list", "--json").json["error"]["verdict"]["gates"][0]["cue"] == "dot spread"


def test_anything_unexpected_is_a_crash_that_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, faceward: Any
) -> None:
    ending_with(monkeypatch, ZeroDivisionError("by zero"))
    ran = faceward("list", "--json")
    assert ran.code == 1
    assert ran.json["error"]["code"] == "crash"
    assert ran.err.count("\n") == 1
    assert "defect of Faceward" in ran.err
    assert "Traceback" not in ran.err


def test_a_crash_with_v_shows_its_trace_and_a_log_keeps_it(
    monkeypatch: pytest.MonkeyPatch, faceward: Any, tmp_path: Path
) -> None:
    ending_with(monkeypatch, ZeroDivisionError("by zero"))
    ran = faceward("list", "-v", "--log-file", tmp_path / "log")
    assert "Traceback" in ran.err
    last = json.loads((tmp_path / "log").read_text(encoding="utf-8").splitlines()[-1])
    assert last["crash"] == "ZeroDivisionError"
    assert "Traceback" in last["trace"]


def test_ctrl_c_ends_with_130_and_says_that_nothing_was_stored(monkeypatch: pytest.MonkeyPatch, faceward: Any) -> None:
    ending_with(monkeypatch, KeyboardInterrupt())
    ran = faceward("list", "--json")
    assert ran.code == 130
    assert ran.json["error"]["code"] == "interrupted"
    assert "nothing was stored" in ran.err


def test_a_request_to_terminate_unwinds_as_ctrl_c_does(monkeypatch: pytest.MonkeyPatch, faceward: Any) -> None:
    unwound = []

    def wait(*_: Any, **__: Any) -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        finally:
            unwound.append(True)

    monkeypatch.setattr("faceward.cli.invocation.Invocation.open_host", wait)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        faceward("list")
    assert ended.value.code == application.EXIT_TERMINATED
    assert unwound == [True]
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    "arguments", [("enrol", "alice"), ("enroll",), ("--no-such-option", "list"), ("inspect",), ("list", "surplus")]
)
def test_a_command_line_that_can_not_be_read_ends_with_2(faceward: Any, arguments: tuple[str, ...]) -> None:
    ran = faceward(*arguments, "--json")
    assert ran.code == 2
    assert ran.json["error"]["code"] == "usage"
    assert "--help" in ran.err


def test_without_a_command_the_help_is_shown(faceward: Any) -> None:
    ran = faceward()
    assert ran.code == 2
    assert "Usage: faceward" in ran.out
    assert ran.err == ""


def test_the_version_is_the_distributions(faceward: Any) -> None:
    assert faceward("--version").out == f"faceward {__version__}\n"


@pytest.mark.parametrize(
    "command",
    ["sensors", "doctor", "keys", "enroll", "verify", "list", "show", "remove", "record", "evaluate", "inspect", "models",
     "grant", "lockout", "trust"],
)
def test_every_command_has_help(faceward: Any, command: str) -> None:
    ran = faceward(command, "--help")
    assert ran.code == 0
    assert command in ran.out


def test_options_of_the_application_may_stand_behind_the_command() -> None:
    given_ = ["enroll", "alice", "--json", "--sensor", "usb:", "--home=/h", "-v"]
    assert globals_first(given_) == ["--json", "--sensor", "usb:", "--home=/h", "-v", "enroll", "alice"]


def test_nothing_behind_two_dashes_is_an_option() -> None:
    assert globals_first(["show", "--json", "--", "--json"]) == ["--json", "show", "--", "--json"]


@given(st.lists(st.sampled_from(["--json", "--home", "--policy=x", "-v", "enroll", "--", "a", "--frames"])))
def test_moving_options_loses_and_invents_nothing(arguments: list[str]) -> None:
    assert sorted(globals_first(arguments)) == sorted(arguments)


class ToldHost:
    """A host that is opened for a command whose work is told beforehand."""

    def __init__(self, *, production: bool = False, closing: Any = None) -> None:
        self.policy = SimpleNamespace(production=production)
        self.signer = SimpleNamespace(key_id="k" * 64)
        self._closing = closing

    def __enter__(self) -> ToldHost:
        return self

    def __exit__(self, *raised: object) -> None:
        if self._closing is not None:
            self._closing()


@pytest.mark.parametrize(
    ("command", "work", "error"),
    [
        ("enroll", "faceward.enrollment.enroll", NotLive("gate skin-optics: 1.31 mm", VERDICT)),
        ("enroll", "faceward.enrollment.enroll", LivenessInconclusive("gate skin-optics: 1.31 mm", VERDICT)),
        ("verify", "faceward.verification.verify", NoMatch("the score 0.131 is below 0.363", 0.131, 0.363)),
    ],
)
def test_in_production_nobody_learns_by_how_much_they_were_refused(
    monkeypatch: pytest.MonkeyPatch, faceward: Any, home: Path, tmp_path: Path, command: str, work: str, error: Any
) -> None:
    def end(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(work, end)
    told = {}
    for production in (False, True):
        monkeypatch.setattr("faceward.host.Host.open", lambda *_, _p=production, **__: ToldHost(production=_p))
        log = tmp_path / f"log{production}"
        told[production] = faceward("--home", home, command, "alice", "--json", "--log-file", log)
        assert told[production].code == error.exit_code
        assert (production and "131" in log.read_text()) is False
    assert "31" in told[False].out + told[False].err
    code = {"code": error.code, "exit_code": error.exit_code, "message": "refused; in production nobody is told more"}
    assert told[True].json["error"] == code
    assert told[True].err == "faceward: refused; in production nobody is told more\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_after_a_template_was_stored_is_not_called_a_failure(
    monkeypatch: pytest.MonkeyPatch, faceward: Any, home: Path, number: int
) -> None:
    record = SimpleNamespace(simulated=True, record_id=b"\1", template=SimpleNamespace(poses=()), expires_at_s=1)
    made = SimpleNamespace(subject="alice", verdict=None, record=record, seconds=9.0)
    monkeypatch.setattr("faceward.enrollment.enroll", lambda *_, **__: made)
    host = ToldHost(closing=lambda: os.kill(os.getpid(), number))
    monkeypatch.setattr("faceward.host.Host.open", lambda *_, **__: host)
    before = signal.getsignal(number)
    ran = faceward("--home", home, "enroll", "alice", "--json")
    assert (ran.code, ran.err, ran.json["event"]) == (0, "", "enrolled")
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("gone", ["a reader", "room"])
def test_the_exit_code_is_the_same_whether_or_not_anybody_reads_what_is_said(
    tmp_path: Path, stream: str, gone: str
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    told = writer if gone == "a reader" else os.open("/dev/full", os.O_WRONLY)
    run = "import sys; from faceward.cli import main; sys.argv[1:] = sys.argv[2:]; main()"
    command = [sys.executable, "-c", run, "", "--home", str(tmp_path / "none"), "--json", "list"]
    other = {"stdout": "stderr", "stderr": "stdout"}[stream]
    ran = subprocess.run(command, **{stream: told, other: subprocess.PIPE}, text=True, check=False, timeout=60)
    assert ran.returncode == 3, getattr(ran, other)
    assert "Traceback" not in getattr(ran, other)
    assert "Exception ignored" not in getattr(ran, other)


def test_an_answer_that_reached_nobody_is_not_called_done(home: Path) -> None:
    run = "from faceward.cli import main; main()"
    command = [sys.executable, "-c", run, "--home", str(home), "list"]
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert (ran.returncode, ran.stderr) == (1, "")
