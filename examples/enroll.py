"""Enrollment in a program of your own, with every way it can end.

    python examples/enroll.py --home HOME NAME usbip://127.0.0.1:3240/1-1 > NAME.fwt
    python examples/enroll.py --grant NAME.grant NAME > NAME.fwt

The signed template goes to stdout, for the lock; everything else goes to stderr.
"""

from __future__ import annotations

import argparse
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
    parser.add_argument("name")
    parser.add_argument("address", nargs="?", default="usb:")
    arguments = parser.parse_args()
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
    sys.stdout.buffer.write(done.envelope)
    return 0


if __name__ == "__main__":
    sys.exit(main())
