"""Permission as a command: a host asks, administrators sign, and anybody may look at what was signed."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from faceward.cli.files import read_file, write_instead, write_new
from faceward.cli.invocation import Invocation
from faceward.cli.output import moment
from faceward.cli.signers import KEY_OPTION, TOKEN_OPTION, open_signer
from faceward.errors import VerificationError

if TYPE_CHECKING:
    from rich.console import Console

    from faceward.model.template import Grant, GrantRequest
    from faceward.signing.grants import SeenGrant

LIFETIME_S = 86_400  # faceward.permission.REQUEST_LIFETIME_S
UNVERIFIED = "nothing here is verified: --admin PEM says which administrators signed it"

grant = typer.Typer(help="Permission to enroll: ask, issue, sign, look.", no_args_is_help=True)

OUT_OPTION = typer.Option("--out", help="Write it to this new file.", metavar="FILE", show_default=False)
YES_OPTION = typer.Option("--yes", help="Don't ask, at a terminal.")


def add_to(app: typer.Typer) -> None:
    """Give the application these commands."""
    app.add_typer(grant, name="grant")


@grant.command("request")
def request(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Whom to enroll: letters, digits and . _ @ -")],
    out: Annotated[Path, OUT_OPTION],
    lifetime_s: Annotated[
        int, typer.Option("--lifetime", help="For how long it may be answered.", metavar="SECONDS")
    ] = LIFETIME_S,
    this_sensor: Annotated[
        bool, typer.Option("--this-sensor", help="Ask for the sensor at --sensor alone, by its serial and key.")
    ] = False,
) -> None:
    """Ask for the permission to enroll NAME on this host, once: an administrator answers the file."""
    from faceward.permission import request_enrollment
    from faceward.store.subjects import parse_subject

    invocation: Invocation = ctx.obj
    subject, serial, key = parse_subject(name), "", b""
    with invocation.open_host() as host:
        if this_sensor:
            with host.open_sensor(invocation.sensor) as sensor:
                serial, key = sensor.info.serial, host.provenance(sensor).device_key
        asked = request_enrollment(host, subject, sensor_serial=serial, sensor_key=key, lifetime_s=lifetime_s)
    leave_request(invocation, asked, out)


def leave_request(invocation: Invocation, asked: GrantRequest, out: Path) -> None:
    """Write a request to its file and say who has to see it. Raises: ConfigError, VerificationError."""
    from faceward.wire.request import encode_request

    write_new(out, encode_request(asked))

    def tell(console: Console) -> None:
        for line in _request_lines(asked):
            console.print(line, markup=False)
        console.print(f"asked in {out}: an administrator answers it with `faceward grant issue`", markup=False)

    invocation.output.document({**request_document(asked), "written_to": str(out)}, tell)


@grant.command("issue")
def issue(
    ctx: typer.Context,
    asked_in: Annotated[Path, typer.Argument(help="The request.", metavar="REQUEST", show_default=False)],
    out: Annotated[Path, OUT_OPTION],
    key: Annotated[Path | None, KEY_OPTION] = None,
    token: Annotated[Path | None, TOKEN_OPTION] = None,
    attempts: Annotated[int, typer.Option(help="Captures that it permits, the first one included.", min=1, max=10)] = 3,
    lifetime_s: Annotated[
        int, typer.Option("--lifetime", help="For how long it counts; never longer than the request.", min=1)
    ] = 3600,
    yes: Annotated[bool, YES_OPTION] = False,
) -> None:
    """Permit what a request asks for, as an administrator. Needs no home; says what it is about to permit."""
    from faceward.signing.grants import issue_grant, look_at_grant

    invocation: Invocation = ctx.obj
    asked = _read_request(asked_in)
    signer = open_signer(key, token)
    _before_signing(invocation, _request_lines(asked), yes)
    envelope = issue_grant(asked, signer, now_s=time.time(), lifetime_s=lifetime_s, max_attempts=attempts)
    write_new(out, envelope)
    issued = look_at_grant(envelope).grant
    document = {
        **grant_document(issued),
        "subject_name": asked.subject_name,
        "signed_by": [signer.key_id],
        "written_to": str(out),
    }
    until = f"until {moment(issued.expires_at_s)}"
    if issued.max_attempts:
        until += f", {issued.max_attempts} captures"
    said = f"signed by key {signer.key_id[:16]}, {until}: {out}"
    invocation.output.document(document, lambda console: console.print(said, markup=False))


@grant.command("sign")
def sign(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The grant.", metavar="GRANT", show_default=False)],
    key: Annotated[Path | None, KEY_OPTION] = None,
    token: Annotated[Path | None, TOKEN_OPTION] = None,
    asked_in: Annotated[
        Path | None,
        typer.Option(
            "--request", help="The request that it has to answer; tells the name.", metavar="FILE", show_default=False
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write it to this new file.", metavar="FILE", show_default="in place")
    ] = None,
    yes: Annotated[bool, YES_OPTION] = False,
) -> None:
    """Add another administrator's signature to a grant, where more than one must sign."""
    from faceward.signing.grants import countersign_grant, look_at_grant, require_answer

    invocation: Invocation = ctx.obj
    envelope = read_grant_file(file)
    seen = look_at_grant(envelope)
    lines = grant_lines(seen.grant)
    if asked_in is not None:
        asked = _read_request(asked_in)
        require_answer(seen.grant, asked)
        lines = [*_request_lines(asked), *lines]
    signer = open_signer(key, token)
    _before_signing(invocation, lines, yes)
    signed = countersign_grant(envelope, signer, now_s=time.time())
    if out is None:
        write_instead(file, signed)
    else:
        write_new(out, signed)
    document = {
        **grant_document(seen.grant),
        "signatures": seen.signatures + 1,
        "signed_by": [signer.key_id],
        "written_to": str(out or file),
    }
    said = f"signed by key {signer.key_id[:16]} as well, {seen.signatures + 1} signatures: {out or file}"
    invocation.output.document(document, lambda console: console.print(said, markup=False))


@grant.command("show")
def show(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A grant, or a request for one.", metavar="FILE", show_default=False)],
    admin: Annotated[
        list[Path] | None,
        typer.Option(help="Public key of an administrator who must have signed; may be repeated.", metavar="PEM"),
    ] = None,
) -> None:
    """Say what a grant permits, and which administrators signed it: 0 when all that were named did."""
    from faceward.signing.grants import look_at_grant
    from faceward.signing.public_keys import load_public_key

    invocation: Invocation = ctx.obj
    keys = {path: load_public_key(path) for path in admin or ()}
    content = read_grant_file(file)
    asked = _as_request(content)
    if asked is not None and not keys:
        lines = [*_request_lines(asked), "a request: nobody signed it, and it permits nothing"]
        _tell(invocation, {**request_document(asked), "kind": "request", "verified": False}, lines)
        return
    seen = look_at_grant(content, keys.values())
    missing = [key for key in keys.values() if key not in seen.signed_by]
    document: dict[str, Any] = {
        **grant_document(seen.grant),
        "kind": "grant",
        "expired": time.time() >= seen.grant.expires_at_s,
        "signatures": seen.signatures,
        "verified": bool(keys) and not missing,
        "signed_by": [key.key_id for key in seen.signed_by],
        "not_signed_by": [key.key_id for key in missing],
    }
    _tell(invocation, document, [*grant_lines(seen.grant), *_signature_lines(seen, keys)])
    if missing:
        raise typer.Exit(VerificationError.exit_code)


def read_grant_file(path: Path) -> bytes:
    """The bytes of a file that should hold a grant. Raises: ConfigError."""
    from faceward_proto.envelope import GRANT_TYPE, MAX_PAYLOAD_BYTES, MAX_SIGNATURES_BYTES

    return read_file(path, MAX_PAYLOAD_BYTES[GRANT_TYPE] + MAX_SIGNATURES_BYTES, "grant")


def request_document(asked: GrantRequest) -> dict[str, Any]:
    """A request as JSON."""
    return {
        "purpose": asked.purpose.value,
        "subject_name": asked.subject_name,
        "subject": asked.subject,
        "tenant": asked.tenant,
        "lock_group": asked.lock_group,
        "host_key": asked.host_key,
        "sensor_serial": asked.sensor_serial,
        "sensor_key": asked.sensor_key,
        "expires_at_s": asked.expires_at_s,
    }


def grant_document(found: Grant) -> dict[str, Any]:
    """A grant as JSON."""
    return {
        "grant_id": found.grant_id,
        "purpose": found.purpose.value,
        "subject": found.subject,
        "tenant": found.tenant,
        "lock_group": found.lock_group,
        "host_key": found.host_key,
        "sensor_serial": found.sensor_serial,
        "sensor_key": found.sensor_key,
        "issued_at_s": found.issued_at_s,
        "expires_at_s": found.expires_at_s,
        "max_attempts": found.max_attempts,
        "development": found.development,
    }


def grant_lines(found: Grant) -> list[str]:
    """What a grant says, for people."""
    lines = [
        f"grant to {found.purpose.value}, {found.grant_id.hex()}",
        *_scope_lines(found),
        f"  counts    {moment(found.issued_at_s)} to {moment(found.expires_at_s)}"
        + (", EXPIRED" if time.time() >= found.expires_at_s else ""),
    ]
    if found.max_attempts:
        lines.append(f"  captures  {found.max_attempts}")
    if found.development:
        lines.append("  DEVELOPMENT: the host gave it to itself, and no administrator stands behind it")
    return lines


def _request_lines(asked: GrantRequest) -> list[str]:
    return [
        f"request to {asked.purpose.value} {asked.subject_name}".rstrip(),
        *_scope_lines(asked),
        f"  answer    until {moment(asked.expires_at_s)}",
    ]


def _scope_lines(scope: Grant | GrantRequest) -> list[str]:
    lines = []
    if scope.subject:
        lines.append(f"  subject   {scope.subject.hex()[:32]}... (pseudonym)")
    lines.append(f"  for       {scope.tenant} / {scope.lock_group}")
    lines.append(f"  host      {f'the one with key {scope.host_key.hex()[:16]}' if scope.host_key else 'any'}")
    if scope.subject:
        key = f" with key {scope.sensor_key.hex()[:16]}" if scope.sensor_key else ""
        lines.append(f"  sensor    {scope.sensor_serial or 'any'}{key}")
    return lines


def _signature_lines(seen: SeenGrant, keys: dict[Path, Any]) -> list[str]:
    if not keys:
        return [f"  signed    by {seen.signatures}; {UNVERIFIED}"]
    return [
        f"  {'signed by' if key in seen.signed_by else 'NOT signed by'} {path} (key {key.key_id[:16]})"
        for path, key in keys.items()
    ]


def _read_request(path: Path) -> GrantRequest:
    from faceward.wire.request import MAX_REQUEST_BYTES, decode_request

    return decode_request(read_file(path, MAX_REQUEST_BYTES, "request for a grant"))


def _as_request(content: bytes) -> GrantRequest | None:
    from faceward.wire.request import decode_request

    try:
        return decode_request(content)
    except VerificationError:
        return None


def _before_signing(invocation: Invocation, lines: list[str], yes: bool) -> None:
    """Show what is about to be signed; at a terminal, ask. Raises: typer.Abort."""
    for line in lines:
        invocation.output.say(line)
    if sys.stdin.isatty() and not yes and not invocation.output.as_json:
        typer.confirm("Sign this?", abort=True)


def _tell(invocation: Invocation, document: dict[str, Any], lines: list[str]) -> None:
    def show(console: Console) -> None:
        for line in lines:
            console.print(line, markup=False)

    invocation.output.document(document, show)
