"""What a person sees while a capture runs: the prompt, what to mend, how far it is; or the same as JSON lines."""

from __future__ import annotations

import re
from dataclasses import fields
from enum import Enum
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from faceward.capture.events import CaptureEnded, CaptureStarted, Guidance, Progress, StageDone, StageStarted
from faceward.capture.guidance import Reason
from faceward.cli.log import Log
from faceward.cli.output import Output
from faceward.enrollment import GrantAccepted, RetryFollows
from faceward.model.face import Pose
from faceward.model.frame import Prompt

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

PROMPTS = {
    Prompt.NONE: "",
    Prompt.LOOK_STRAIGHT: "Look straight at the sensor",
    Prompt.HOLD_STILL: "Hold still",
    Prompt.TURN_LEFT: "Turn your head to your left",
    Prompt.TURN_RIGHT: "Turn your head to your right",
    Prompt.LOOK_UP: "Look up a little",
    Prompt.LOOK_DOWN: "Look down a little",
    Prompt.SMILE: "Smile",
    Prompt.MOVE_CLOSER: "Move closer",
    Prompt.MOVE_BACK: "Move back",
    Prompt.UNCOVER_FACE: "Uncover your face",
    Prompt.ONE_PERSON: "One person at a time",
    Prompt.DONE: "Done",
    Prompt.REFUSED: "Refused",
}
REASONS = {
    Reason.NO_FACE: "no face in sight: look at the sensor",
    Reason.TWO_FACES: "more than one face: one person at a time",
    Reason.TOO_FAR: "too far: move closer",
    Reason.TOO_CLOSE: "too close: move back",
    Reason.TURNED: "turned away: look straight",
    Reason.COVERED: "covered: uncover your face",
    Reason.TOO_BRIGHT: "too bright: move out of the light",
    Reason.TOO_DARK: "too dark: come closer",
    Reason.HOLD_STILL: "hold still",
    Reason.BLURRED: "blurred: hold still",
}


def event_document(event: object) -> dict[str, Any]:
    """An event as a JSON line: its kind in words joined by hyphens, and its fields."""
    kind = re.sub(r"(?<!^)(?=[A-Z])", "-", type(event).__name__).lower()
    document: dict[str, Any] = {"event": kind}
    for each in fields(event):  # type: ignore[arg-type]
        value = getattr(event, each.name)
        if isinstance(value, Prompt):
            value = value.name.lower().replace("_", "-")
        elif isinstance(value, Enum):
            value = value.value
        elif isinstance(value, tuple):
            value = [entry.value if isinstance(entry, Enum) else entry for entry in value]
        document[each.name] = value
    return document


def _permission(event: GrantAccepted) -> str:
    if event.development:
        return "development grant: no administrator stands behind it"
    return f"an administrator's grant, for {event.attempts} captures in all"


class CaptureView:
    """Shows a capture's events. A context manager, and the handler to pass as `on_event`."""

    def __init__(self, output: Output, log: Log) -> None:
        self._output, self._log = output, log
        self._poses: tuple[Pose, ...] = ()
        self._done: list[Pose] = []
        self._asked: Pose | None = None
        self._prompt = ""
        self._reason: Reason | None = None
        self._fraction = 0.0
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._output.live:
            from rich.live import Live

            self._live = Live(
                console=self._output.console, refresh_per_second=8, transient=True, get_renderable=self._render
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def __call__(self, event: object) -> None:
        """Take one event."""
        document = event_document(event)
        self._output.line(document)
        if not isinstance(event, Progress):
            self._log.info(document.pop("event"), **document)
        match event:
            case GrantAccepted():
                self._output.say(_permission(event))
            case CaptureStarted():
                self._poses, self._done, self._fraction, self._reason = event.poses, [], 0.0, None
                self._line(f"capture of {len(event.poses)} poses")
            case StageStarted():
                self._asked, self._prompt = event.pose, PROMPTS[event.prompt]
                self._line(f"  > {self._prompt}")
            case Guidance():
                self._reason = event.reason
                if event.reason is not None:
                    self._line(f"    {REASONS[event.reason]}")
            case Progress():
                self._fraction = event.fraction
            case StageDone():
                self._done.append(event.pose)
                self._line(f"    {event.pose.value}: good ({len(self._done)} of {len(self._poses)})")
            case RetryFollows():
                self._line(f"  not sure yet: another attempt follows, {event.left} left")
            case CaptureEnded():
                self._line("  capture complete" if event.complete else f"  capture ended early: {event.rejection}")

    def _line(self, text: str) -> None:
        if self._live is None:
            self._output.say(text)

    def _render(self) -> RenderableType:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        poses = Text("  ")
        for pose in self._poses:
            done = pose in self._done
            style = "green" if done else "bold cyan" if pose is self._asked else "dim"
            poses.append(f"{'✔' if done else '•'} {pose.value}   ", style=style)
        bar = Table.grid(padding=(0, 1))
        share = f"{round(100 * self._fraction)} %"
        bar.add_row("  ", ProgressBar(total=1.0, completed=self._fraction, width=40), share)
        reason = Text(f"  {REASONS[self._reason]}" if self._reason is not None else "", style="yellow")
        return Group(Text(f"  {self._prompt or 'Starting the sensor'}", style="bold"), reason, poses, bar)
