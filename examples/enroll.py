"""Enrollment in a program of your own, with every way it can end.

    python examples/enroll.py --home HOME --out NAME.fwt NAME usbip://127.0.0.1:3240/1-1
    python examples/enroll.py --grant NAME.grant --out NAME.fwt NAME

The signed template goes into a file of its owner's alone, for the lock, or to stdout; everything else goes to stderr.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from faceward import (
    CaptureRejected,
    DeviceError,
    EnrollmentRefused,
    FacewardError,
    Home,
    Host,
    LivenessInconclusive,
    LockedOut,
    NotLive,
    PermissionRefused,
    enroll,
)


def say(text: str) -> None:
    print(text, file=sys.stderr)


def show(event: object) -> None:
    """A product would light its ring or speak here; events hold no biometrics."""
    say(f"  {event}")


def explain(error: FacewardError) -> str:
    """What to tell, by kind. In production a person who is refused hears one sentence and no measure."""
    match error:
        case NotLive():
            return "refused: this is not a living face"
        case LivenessInconclusive():
            return "refused: could not be sure; ask for another permission and try again"
        case LockedOut():
            return f"locked: too many refusals, wait {error.retry_after_s:.0f} s"
        case PermissionRefused():
            return f"not permitted: {error}"
        case EnrollmentRefused():
            return f"refused: {error}"
        case CaptureRejected():
            return f"not good enough to judge ({error.reason}): try again"
        case DeviceError():
            return f"the sensor: {error}"
        case _:
            return f"set-up, store or keys: {error}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Enroll one person.")
    parser.add_argument("--home", type=Path, help="default: the user's own")
    parser.add_argument("--models", type=Path, help="folder of face models; default: the user's own")
    parser.add_argument("--grant", type=Path, help="an administrator's grant; a development host may do without")
    parser.add_argument("--out", type=Path, help="file for the signed template, not there yet; default: stdout")
    parser.add_argument("name")
    parser.add_argument("address", nargs="?", default="usb:")
    arguments = parser.parse_args()
    if arguments.out is not None and arguments.out.exists():
        parser.error(f"{arguments.out} is there already, and nothing is written over")
    home = Home(arguments.home) if arguments.home else Home.default()
    grant = arguments.grant.read_bytes() if arguments.grant else None
    try:
        with Host.open(home, models_folder=arguments.models or Home.default().models) as host:
            done = enroll(host, arguments.name, arguments.address, grant, on_event=show)
    except FacewardError as error:
        say(f"{explain(error)} [{error.code}]")
        return error.exit_code
    say(f"{done.subject} is enrolled; the lock gets {len(done.envelope)} signed bytes")
    if done.record.simulated:
        say("simulated: a production lock refuses them")
    if arguments.out is None:
        sys.stdout.buffer.write(done.envelope)
    else:
        with open(arguments.out, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(done.envelope)
    return 0


if __name__ == "__main__":
    sys.exit(main())
