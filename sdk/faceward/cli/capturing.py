"""Commands with a person before the sensor: enroll and verify."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from faceward.cli.invocation import Invocation
from faceward.errors import EnrollmentRefused

if TYPE_CHECKING:
    from rich.console import Console

    from faceward.host import Host
    from faceward.model.liveness import LivenessVerdict


def add_to(app: typer.Typer) -> None:
    """Give the application these commands."""
    app.command("enroll")(enroll)
    app.command("verify")(verify)


def enroll(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Whom to enroll: letters, digits and . _ @ -")],
    grant: Annotated[
        Path | None,
        typer.Option(
            help="An administrator's grant for it (`faceward grant request`).",
            metavar="FILE",
            show_default="a development host's own",
        ),
    ] = None,
) -> None:
    """Enroll the person before the sensor: guided capture, every gate, a signed template."""
    from faceward.cli.grants import read_grant_file
    from faceward.cli.watching import CaptureView
    from faceward.enrollment import enroll as run

    invocation: Invocation = ctx.obj
    envelope = None if grant is None else read_grant_file(grant)
    with invocation.open_host() as host:
        try:
            with CaptureView(invocation.output, invocation.log) as view:
                done = run(host, name, invocation.sensor, envelope, on_event=view)
                invocation.keep()
        except EnrollmentRefused as error:
            tell_verdict(invocation, host, error.verdict)
            raise
        tell_verdict(invocation, host, done.verdict)
        key_id = host.signer.key_id
    record = done.record
    simulated = " (simulated)" if record.simulated else ""
    invocation.output.line(
        {
            "event": "enrolled",
            "name": done.subject,
            "record_id": record.record_id,
            "poses": [pose.value for pose in record.template.poses],
            "key_id": key_id,
            "expires_at_s": record.expires_at_s,
            "simulated": record.simulated,
            "seconds": done.seconds,
        }
    )
    invocation.output.say(
        f"{done.subject} is enrolled{simulated}: {len(record.template.poses)} poses in {done.seconds:.1f} s, "
        f"signed by key {key_id[:16]}, record {record.record_id.hex()}"
    )


def verify(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Who it should be.")],
) -> None:
    """Say whether the living person before the sensor is the one enrolled as NAME: 0 accepts, all else refuses."""
    from faceward.cli.watching import CaptureView
    from faceward.verification import verify as run

    invocation: Invocation = ctx.obj
    with invocation.open_host() as host:
        try:
            with CaptureView(invocation.output, invocation.log) as view:
                done = run(host, name, invocation.sensor, on_event=view)
        except EnrollmentRefused as error:
            tell_verdict(invocation, host, error.verdict)
            raise
        tell_verdict(invocation, host, done.verdict)
    simulated = " (simulated)" if done.record.simulated else ""
    invocation.output.line(
        {
            "event": "accepted",
            "name": done.subject,
            "score": done.score,
            "threshold": done.threshold,
            "simulated": done.record.simulated,
            "seconds": done.seconds,
        }
    )
    invocation.output.say(
        f"accepted: this is {done.subject}{simulated}, score {done.score:.3f} of at least {done.threshold:.3f}, "
        f"{done.seconds:.1f} s"
    )


def tell_verdict(invocation: Invocation, host: Host, verdict: LivenessVerdict | None) -> None:
    """Show and log every gate's answer; in production nobody who stands before the sensor learns more than the code."""
    if verdict is None or host.policy.production:
        return
    from faceward.cli.verdict import as_document, as_table

    for result in verdict.results:
        invocation.log.info(
            "gate",
            gate=result.gate,
            gate_version=result.version,
            outcome=result.evidence.outcome.value,
            cue=result.evidence.cue,
            reason=result.evidence.reason,
        )
    document: dict[str, Any] = {"event": "verdict", **as_document(verdict)}
    invocation.output.line(document)
    if not invocation.output.as_json:
        console: Console = invocation.output.console
        console.print(as_table(verdict))
