"""Lock-outs as commands: whether enrollment is locked, and ending it with an administrator's grant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from faceward.cli.grants import LIFETIME_S, OUT_OPTION, leave_request, read_grant_file
from faceward.cli.invocation import Invocation

if TYPE_CHECKING:
    from rich.console import Console

lockout = typer.Typer(help="Lock-outs after too many refusals.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Give the application these commands."""
    app.add_typer(lockout, name="lockout")


@lockout.command("show")
def show(ctx: typer.Context) -> None:
    """Say whether enrollment is locked, for how long, and how near it is."""
    invocation: Invocation = ctx.obj
    with invocation.open_host() as host:
        found = host.ledger.lockout()
    document = {
        "locked": found.locked,
        "retry_after_s": found.retry_after_s,
        "refusals": found.refusals,
        "limit": found.limit,
        "window_s": found.window_s,
        "next_s": found.next_s,
    }

    def tell(console: Console) -> None:
        if found.locked:
            console.print(f"Enrollment is locked for {found.retry_after_s:.0f} s.")
        else:
            console.print("Enrollment is not locked.")
        console.print(
            f"{found.refusals} of {found.limit} refusals in the last {found.window_s:.0f} s count; "
            f"the next lock-out lasts {found.next_s:.0f} s."
        )

    invocation.output.document(document, tell)


@lockout.command("request")
def request(
    ctx: typer.Context,
    out: Annotated[Path, OUT_OPTION],
    lifetime_s: Annotated[
        int, typer.Option("--lifetime", help="For how long it may be answered.", metavar="SECONDS")
    ] = LIFETIME_S,
) -> None:
    """Ask for the permission to end this host's lock-out: an administrator answers the file with `grant issue`."""
    from faceward.permission import request_clearing

    invocation: Invocation = ctx.obj
    with invocation.open_host() as host:
        asked = request_clearing(host, lifetime_s=lifetime_s)
    leave_request(invocation, asked, out)


@lockout.command("clear")
def clear(
    ctx: typer.Context,
    grant: Annotated[
        Path, typer.Option(help="An administrator's grant for it.", metavar="FILE", show_default=False)
    ],
) -> None:
    """End the lock-out that holds now. The grant is burned; the next lock-out is still twice as long."""
    from faceward.permission import clear_lockout

    invocation: Invocation = ctx.obj
    envelope = read_grant_file(grant)
    with invocation.open_host() as host:
        cleared = clear_lockout(host, envelope)
    said = "The lock-out is over." if cleared else "Enrollment is not locked; the grant is as good as before."
    invocation.output.document({"cleared": cleared}, lambda console: console.print(said))
