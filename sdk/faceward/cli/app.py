"""The application: global options, and the one place where an error becomes a sentence and an exit code."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from faceward import __version__
from faceward.cli import capturing, enrolled, grants, lockouts, recorded, reported, setup, trust
from faceward.cli.invocation import Invocation
from faceward.cli.log import Log
from faceward.cli.output import Output
from faceward.errors import (
    CaptureRejected,
    DeviceFault,
    EnrollmentRefused,
    FacewardError,
    LivenessInconclusive,
    LockedOut,
    NoMatch,
    NotLive,
)

EXIT_CRASH = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143

app = typer.Typer(
    name="faceward",
    help="Enroll a living face, refuse what is not one, verify later.",
    epilog="Options before COMMAND may stand after it as well. Exit codes: docs/exit-codes.md.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
setup.add_to(app)
capturing.add_to(app)
enrolled.add_to(app)
grants.add_to(app)
lockouts.add_to(app)
trust.add_to(app)
recorded.add_to(app)
reported.add_to(app)

# Options of the application that take a value, and those that don't: they are moved before the command.
_WITH_VALUE = ("--home", "--policy", "--sensor", "--usbip", "--log-file")
_FLAGS = ("--json", "-v", "--verbose")


def _version(asked: bool) -> None:
    if asked:
        print(f"faceward {__version__}")
        raise typer.Exit


@app.callback()
def _globals(
    ctx: typer.Context,
    home: Annotated[
        Path | None, typer.Option(help="Folder of policy, keys, templates and audit log.", show_default="the user's")
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="Policy file.", show_default="HOME/policy.toml")] = None,
    sensor: Annotated[
        str, typer.Option(help="usb:, usb:VID:PID[:SERIAL], usbip://HOST:PORT/BUSID or replay:FILE.", metavar="ADDRESS")
    ] = "usb:",
    usbip: Annotated[
        list[str] | None, typer.Option(help="USB/IP server to look on; may be repeated.", metavar="HOST:PORT")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON: one document, or one event a line.")] = False,
    log_file: Annotated[Path | None, typer.Option(help="Append a log of JSON lines, without biometrics.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more; show a crash's trace.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    invocation: Invocation = ctx.obj
    invocation.home_folder = home
    invocation.policy_path = policy
    invocation.sensor = sensor
    invocation.usbip = tuple(usbip or ())
    invocation.verbose = verbose
    invocation.output.as_json = as_json
    invocation.command = ctx.invoked_subcommand or ""
    invocation.log = Log(log_file, verbose=verbose)
    invocation.log.info("started", command=invocation.command, version=__version__)


def globals_first(arguments: Sequence[str]) -> list[str]:
    """The arguments with the application's options before the command, wherever they stood (up to `--`)."""
    front: list[str] = []
    rest: list[str] = []
    pending = iter(arguments)
    for argument in pending:
        if argument == "--":
            return [*front, *rest, argument, *pending]
        if argument in _FLAGS or argument.startswith(tuple(f"{name}=" for name in _WITH_VALUE)):
            front.append(argument)
        elif argument in _WITH_VALUE:
            front.append(argument)
            front.extend([value] if (value := next(pending, None)) is not None else [])
        else:
            rest.append(argument)
    return [*front, *rest]


def details(error: FacewardError) -> dict[str, object]:
    """What an error carries beyond its sentence, for JSON."""
    found: dict[str, object] = {}
    if isinstance(error, EnrollmentRefused) and error.verdict is not None:
        from faceward.cli.verdict import as_document

        found["verdict"] = as_document(error.verdict)
    if isinstance(error, CaptureRejected):
        found["reason"] = error.reason
    if isinstance(error, DeviceFault):
        found["fault"] = error.fault
    if isinstance(error, LockedOut):
        found["retry_after_s"] = error.retry_after_s
    if isinstance(error, NoMatch):
        found["score"], found["threshold"] = error.score, error.threshold
    return found


def _terminated(_: int, __: FrameType | None) -> NoReturn:
    raise SystemExit(EXIT_TERMINATED)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code.

    0 done; 1 a crash, which is a defect of Faceward's; 2 a command line that can't be read; 130 Ctrl-C; every other is
    the `exit_code` of the FacewardError that ended the command.
    """
    invocation = Invocation(output=Output(as_json="--json" in globals_first(arguments)))
    before = signal.getsignal(signal.SIGINT), signal.signal(signal.SIGTERM, _terminated)
    try:
        code = _run(invocation, arguments)
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
        invocation.log.close()
    # Whoever asked for an answer and did not get it must not take it for done; what is kept, is.
    return EXIT_CRASH if invocation.output.lost and code == 0 and not invocation.kept else code


def _interrupted(invocation: Invocation) -> int:
    if invocation.kept:
        return 0
    return invocation.output.failure("interrupted", "interrupted; nothing was stored", EXIT_INTERRUPTED)


def _run(invocation: Invocation, arguments: Sequence[str]) -> int:
    output, log = invocation.output, invocation.log
    try:
        code = app(globals_first(arguments), prog_name="faceward", standalone_mode=False, obj=invocation)
        output, log = invocation.output, invocation.log
        code = code if isinstance(code, int) else 0
        if code == EXIT_INTERRUPTED:
            return _interrupted(invocation)
        log.info("ended", exit_code=code)
    except FacewardError as error:
        invocation.log.error("ended", code=error.code, exit_code=error.exit_code)
        if invocation.production and isinstance(error, NotLive | LivenessInconclusive | NoMatch):
            # Measures and scores would say how far a mask is from being taken.
            return output.failure(error.code, "refused; in production nobody is told more", error.exit_code)
        return output.failure(error.code, str(error), error.exit_code, **details(error))
    except typer.TyperException as error:
        if not error.format_message():  # no command at all: the help was shown
            return EXIT_USAGE
        return output.failure("usage", f"{error.format_message()} (see `faceward --help`)", EXIT_USAGE)
    except typer.Abort:
        return _interrupted(invocation)
    except Exception as error:  # noqa: BLE001 - the last line of defence: say it is a defect and where the trace is
        invocation.log.error("ended", crash=type(error).__name__, trace=traceback.format_exc(), exit_code=EXIT_CRASH)
        if invocation.verbose:
            traceback.print_exc()
        where = f"the trace is in {invocation.log.path}" if invocation.log.path else "run it again with -v for a trace"
        what = f"this is a defect of Faceward ({type(error).__name__}: {error}); {where}"
        return output.failure("crash", what, EXIT_CRASH)
    return code
