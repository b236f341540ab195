"""What is said while a capture runs: to people in lines, to programs in JSON, to the log without biometrics."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from faceward.capture.events import CaptureEnded, CaptureStarted, Guidance, Progress, StageDone, StageStarted
from faceward.capture.guidance import Reason
from faceward.cli.log import Log
from faceward.cli.output import Output
from faceward.cli.watching import PROMPTS, REASONS, CaptureView, event_document
from faceward.enrollment import GrantAccepted
from faceward.model.face import Pose
from faceward.model.frame import Prompt

STORY = (
    CaptureStarted("c1", (Pose.FRONTAL, Pose.LEFT)),
    StageStarted(Pose.FRONTAL, Prompt.LOOK_STRAIGHT),
    Guidance(Reason.TOO_FAR),
    Guidance(None),
    Progress(0.5),
    StageDone(Pose.FRONTAL),
    StageStarted(Pose.LEFT, Prompt.TURN_LEFT),
    CaptureEnded("c1", False, "pose-not-reached"),
)


def tell(as_json: bool, log: Log | None = None) -> None:
    with CaptureView(Output(as_json=as_json), log or Log(None)) as view:
        for event in STORY:
            view(event)


def test_without_a_terminal_every_prompt_and_every_hint_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    tell(as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "capture of 2 poses",
        "  > Look straight at the sensor",
        "    too far: move closer",
        "    frontal: good (1 of 2)",
        "  > Turn your head to your left",
        "  capture ended early: pose-not-reached",
    ]


def test_json_has_one_event_a_line_with_its_kind(capsys: pytest.CaptureFixture[str]) -> None:
    tell(as_json=True)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == [
        "capture-started", "stage-started", "guidance", "guidance", "progress", "stage-done", "stage-started",
        "capture-ended",
    ]  # fmt: skip
    assert lines[0]["poses"] == ["frontal", "left"]
    assert lines[1]["prompt"] == "look-straight"
    assert lines[2]["reason"] == "too-far"
    assert lines[3]["reason"] is None
    assert lines[-1]["complete"] is False


def test_the_log_has_what_happened_but_not_every_step_of_progress(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    tell(as_json=True, log=log)
    log.close()
    events = [json.loads(line)["event"] for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines()]
    assert "progress" not in events
    assert events[0] == "capture-started"
    assert events[-1] == "capture-ended"


def test_there_are_words_for_every_prompt_and_every_reason() -> None:
    assert set(PROMPTS) == set(Prompt)
    assert set(REASONS) == set(Reason)
    assert all(text for prompt, text in PROMPTS.items() if prompt is not Prompt.NONE)


def test_an_event_keeps_all_of_its_fields() -> None:
    assert event_document(StageDone(Pose.UP)) == {"event": "stage-done", "pose": "up"}


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (GrantAccepted(True, 3), "development grant: no administrator stands behind it"),
        (GrantAccepted(False, 2), "an administrator's grant, for 2 captures in all"),
    ],
)
def test_people_are_told_who_stands_behind_an_enrollment(
    capsys: pytest.CaptureFixture[str], event: GrantAccepted, said: str
) -> None:
    for as_json in (False, True):
        with CaptureView(Output(as_json=as_json), Log(None)) as view:
            view(event)
    people, program = capsys.readouterr().out.splitlines()
    assert people == said
    assert json.loads(program) == {
        "event": "grant-accepted", "development": event.development, "attempts": event.attempts
    }  # fmt: skip
