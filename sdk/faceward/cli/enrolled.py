"""Commands on who is enrolled: list, show and remove."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from faceward.cli.files import write_new
from faceward.cli.invocation import Invocation
from faceward.cli.output import moment

if TYPE_CHECKING:
    from rich.console import Console

    from faceward.model.template import TemplateRecordModel


def add_to(app: typer.Typer) -> None:
    """Give the application these commands."""
    app.command("list")(list_enrolled)
    app.command("show")(show)
    app.command("remove")(remove)


def list_enrolled(ctx: typer.Context) -> None:
    """List who is enrolled."""
    invocation: Invocation = ctx.obj
    with invocation.open_host() as host:
        entries = host.templates.list()
    document = {
        "subjects": [
            {"name": entry.subject, "record_id": entry.record_id, "stored_at_s": entry.stored_at_s} for entry in entries
        ]
    }

    def tell(console: Console) -> None:
        if not entries:
            console.print("Nobody is enrolled.")
        for entry in entries:
            console.print(f"{entry.subject:<24} {moment(entry.stored_at_s)}  {entry.record_id.hex()}", markup=False)

    invocation.output.document(document, tell)


def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Whose template.")],
    export: Annotated[Path | None, typer.Option(help="Write the signed template to this new file.")] = None,
) -> None:
    """Verify a stored template as a lock would, and show what it says of itself."""
    from faceward.store.subjects import parse_subject
    from faceward.verification import stored_record

    invocation: Invocation = ctx.obj
    with invocation.open_host() as host:
        record = stored_record(host, name)
        envelope = host.templates.get(parse_subject(name)).envelope
    if export is not None:
        write_new(export, envelope, mode=0o600)  # a template is of somebody's face
    document = _as_document(name, record, len(envelope), export)
    invocation.output.document(document, lambda console: _tell_record(console, name, record, len(envelope), export))


def _as_document(name: str, record: TemplateRecordModel, size: int, export: Path | None) -> dict[str, object]:
    return {
        "name": name,
        "verified": True,
        "record_id": record.record_id,
        "subject": record.subject,
        "tenant": record.tenant,
        "lock_group": record.lock_group,
        "epoch": record.epoch,
        "issued_at_s": record.issued_at_s,
        "expires_at_s": record.expires_at_s,
        "sdk_version": record.sdk_version,
        "simulated": record.simulated,
        "attestation": record.sensor.attestation.value,
        "sensor": {
            "vendor": record.sensor.vendor,
            "model": record.sensor.model,
            "serial": record.sensor.serial,
            "firmware_version": record.sensor.firmware_version,
        },
        "extractor": {"name": record.template.extractor, "version": record.template.extractor_version},
        "poses": [pose.pose.value for pose in record.poses],
        "gates": [
            {"gate": gate.name, "version": gate.version, "outcome": gate.outcome.value, "cue": gate.cue}
            for gate in record.gates
        ],
        "policy_hash": record.policy_hash,
        "capture": {"id": record.capture.capture_id, "digest": record.capture.digest},
        "envelope_bytes": size,
        "exported_to": None if export is None else str(export),
    }


def _tell_record(console: Console, name: str, record: TemplateRecordModel, size: int, export: Path | None) -> None:
    sensor = record.sensor
    lines = [
        f"{name}: the signature, the grant and every gate's answer were verified as a lock would",
        f"  record      {record.record_id.hex()} ({size} bytes signed and sealed)",
        f"  subject     {record.subject.hex()[:32]}... (pseudonym)",
        f"  for         {record.tenant} / {record.lock_group}, epoch {record.epoch}",
        f"  counts      {moment(record.issued_at_s)} to {moment(record.expires_at_s)}",
        f"  sensor      {sensor.vendor} {sensor.model} {sensor.serial}, firmware {sensor.firmware_version}, "
        f"attestation: {sensor.attestation.value}",
        f"  template    {', '.join(pose.pose.value for pose in record.poses)} by {record.template.extractor} "
        f"{record.template.extractor_version}",
        *(f"  gate        {gate.name} {gate.version}: {gate.outcome.value} ({gate.cue})" for gate in record.gates),
        f"  capture     {record.capture.capture_id}, digest {record.capture.digest.hex()[:32]}...",
        f"  policy      {record.policy_hash.hex()[:32]}...",
    ]
    if record.simulated:
        lines.append("  SIMULATED: a production lock refuses this template")
    if export is not None:
        lines.append(f"  exported to {export}")
    for line in lines:
        console.print(line, markup=False)


def remove(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Whose template.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask, at a terminal.")] = False,
) -> None:
    """Erase a template: its key is destroyed, so that no copy of it can be read again."""
    from faceward.store.subjects import parse_subject

    invocation: Invocation = ctx.obj
    subject = parse_subject(name)
    if sys.stdin.isatty() and not yes and not invocation.output.as_json:
        typer.confirm(f"Erase the template of {subject} for good?", abort=True)
    with invocation.open_host() as host, host.database.transaction():
        host.templates.remove(subject)
        host.audit.append("removed", at_s=host.clock(), subject=host.templates.pseudonym(subject), details={})
    invocation.output.document(
        {"removed": subject}, lambda console: console.print(f"{subject} is erased.", markup=False)
    )
