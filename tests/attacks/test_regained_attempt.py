"""Cancel, unplug, an error or a killed process at each step, to get an attempt back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
from faceward.capture.events import CaptureEnded, CaptureStarted, StageDone
from faceward.enrollment import AttemptBegun, GrantAccepted, enroll
from faceward.errors import CaptureCancelled, DeviceError, DeviceLost
from faceward.host import Host
from faceward.model.face import Pose
from faceward.store.database import GRANTS
from faceward_sim.firmware.device import Firmware
from sqlalchemy import select

Spent = Callable[[Host], list[str | None]]


class _Error(Exception):
    """Whatever goes wrong."""


# Where somebody steps in, by the event that says so, and whether an attempt was spent by then.
STEPS: dict[str, tuple[Callable[[object], bool], bool]] = {
    "grant accepted": (lambda event: isinstance(event, GrantAccepted), False),
    "attempt begun": (lambda event: isinstance(event, AttemptBegun), True),
    "capture started": (lambda event: isinstance(event, CaptureStarted), True),
    "first pose done": (lambda event: isinstance(event, StageDone) and event.pose is Pose.FRONTAL, True),
    "capture ended": (lambda event: isinstance(event, CaptureEnded), True),
}


ERRORS = {"error": _Error, "ctrl-c": KeyboardInterrupt, "cancel": CaptureCancelled, "lost": DeviceLost}
# A whole capture takes seconds: at its end one way stands for all.
WAYS = [(step, name) for step in STEPS for name in ERRORS if step != "capture ended" or name == "ctrl-c"]


@pytest.mark.e2e
@pytest.mark.parametrize(("step", "name"), WAYS)
def test_stepping_in_gives_no_attempt_back(
    host_before: Callable[..., Host],
    keeps_the_promise: Callable[..., None],
    sitter: Firmware,
    step: str,
    name: str,
) -> None:
    happens, spent = STEPS[step]
    error = ERRORS[name]
    result = "cancelled" if name in ("ctrl-c", "cancel") else "failed"

    def step_in(event: object) -> None:
        if happens(event):
            raise error("stepped in")

    host = host_before(firmware=sitter)
    with pytest.raises(error):
        enroll(host, "mallory", on_event=step_in)
    keeps_the_promise(host, attempts=[result] if spent else [])


@pytest.mark.parametrize("slot", [0, 1, 8, 45])
def test_pulling_the_plug_at_any_slot_gives_no_attempt_back(
    host_before: Callable[..., Host], keeps_the_promise: Callable[..., None], sitter: Firmware, slot: int
) -> None:
    host = host_before(firmware=sitter, faults=[f"unplug:{slot}"])
    with pytest.raises(DeviceError):
        enroll(host, "mallory")
    keeps_the_promise(host, attempts=["failed"])


_KILLED = """
    import os, signal, sys
    from pathlib import Path
    from faceward.config import Home
    from faceward.enrollment import enroll
    from faceward.face.models import default_folder
    from faceward.host import Host
    from faceward_sim.ports.inprocess import get_backend
    from faceward_sim.rig import build_firmware

    def kill(event):
        if type(event).__name__ == sys.argv[2]:
            os.kill(os.getpid(), signal.SIGKILL)

    backend = get_backend(build_firmware("sl-940", "live", 7))
    with Host.open(Home(Path(sys.argv[1])), models_folder=default_folder(), backend=backend) as host:
        enroll(host, "mallory", on_event=kill)
"""


@pytest.mark.parametrize("event", ["AttemptBegun", "CaptureStarted", "StageStarted"])
def test_killing_the_process_gives_no_attempt_back(bench: Any, attempts_of: Spent, sitter: Firmware, event: str) -> None:
    home = bench.home()
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_KILLED), str(home.folder), event], timeout=120, check=False, env=os.environ
    )
    assert ended.returncode == -signal.SIGKILL
    host = bench.host_before(firmware=sitter, home=home)
    assert attempts_of(host) == [None]  # begun, and never ended
    assert host.templates.list() == ()
    with host.database.transaction() as connection:
        assert list(connection.execute(select(GRANTS.c.attempts_left)).scalars()) == [2]
