"""Logs hold a session id and what is allowed, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from faceward.cli.log import ALLOWED, Log
from faceward.errors import ConfigError
from hypothesis import given
from hypothesis import strategies as st


def entries(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_line_carries_the_session_the_time_and_the_level(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    log.info("started", command="enroll")
    log.error("ended", exit_code=31)
    log.close()
    first, second = entries(tmp_path / "log")
    assert first["event"] == "started"
    assert first["command"] == "enroll"
    assert first["level"] == "info"
    assert second["level"] == "error"
    assert first["session"] == second["session"] == log.session
    assert str(first["timestamp"]).endswith("Z")


def test_two_runs_append_with_two_sessions(tmp_path: Path) -> None:
    for _ in range(2):
        log = Log(tmp_path / "log")
        log.info("started")
        log.close()
    first, second = entries(tmp_path / "log")
    assert first["session"] != second["session"]


@pytest.mark.parametrize("field", ["embedding", "landmarks_px", "relief", "score", "name", "subject", "pixels", "template"])
def test_biometrics_and_names_never_reach_the_log(tmp_path: Path, field: str) -> None:
    assert field not in ALLOWED
    log = Log(tmp_path / "log")
    log.info("gate", **{field: "secret-4711"})
    log.close()
    assert "secret-4711" not in (tmp_path / "log").read_text(encoding="utf-8")


@given(st.text(st.characters(categories=["Ll"]), min_size=1, max_size=12))
def test_a_field_is_written_only_when_it_is_allowed(tmp_path_factory: pytest.TempPathFactory, field: str) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    log = Log(path)
    if field not in {"event", "level", "session", "timestamp"}:
        log.info("x", **{field: 1})
        log.close()
        (entry,) = entries(path)
        assert (field in entry) == (field in ALLOWED)


def test_debug_lines_are_written_only_when_asked_for(tmp_path: Path) -> None:
    for verbose in (False, True):
        log = Log(tmp_path / str(verbose), verbose=verbose)
        log.debug("detail")
        log.close()
    assert (tmp_path / "False").read_text(encoding="utf-8") == ""
    assert [entry["event"] for entry in entries(tmp_path / "True")] == ["detail"]


def test_a_log_that_can_not_be_written_is_said_before_anything_begins(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--log-file"):
        Log(tmp_path / "no such folder" / "log")


def test_without_a_file_nothing_happens() -> None:
    log = Log(None)
    log.info("started")
    log.close()
    assert log.path is None


def test_a_log_that_is_full_is_said_once_and_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    log = Log(Path("/dev/full"))
    for _ in range(3):
        log.info("started")
    log.close()
    assert capsys.readouterr().err == "faceward: --log-file /dev/full: No space left on device; nothing more is logged\n"
