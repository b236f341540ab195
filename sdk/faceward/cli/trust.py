"""Trust stores as commands: made and signed by the root's owner, looked at by anybody."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from faceward.cli.files import read_file, write_new
from faceward.cli.grants import OUT_OPTION
from faceward.cli.invocation import Invocation
from faceward.cli.output import moment
from faceward.cli.signers import KEY_OPTION, TOKEN_OPTION, open_signers
from faceward.errors import ConfigError

if TYPE_CHECKING:
    from faceward_proto.attestation import FirmwareFloor, SensorRoot
    from faceward_proto.trust import ComponentFloor, KeyRule, TrustStore
    from rich.console import Console

UNVERIFIED = "nothing here is verified: --root PEM says whether the root's keys signed it"

trust = typer.Typer(help="Trust stores: what locks and production hosts believe.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Give the application these commands."""
    app.add_typer(trust, name="trust")


@trust.command("make")
def make(
    ctx: typer.Context,
    description: Annotated[
        Path, typer.Argument(help="What to believe (docs/permission.md).", metavar="STORE.toml", show_default=False)
    ],
    out: Annotated[Path, OUT_OPTION],
    key: Annotated[list[Path] | None, KEY_OPTION] = None,
    token: Annotated[list[Path] | None, TOKEN_OPTION] = None,
) -> None:
    """Sign a trust store: a TOML file becomes the signed file that locks and hosts take. Keys may be repeated."""
    from faceward.signing.trust_file import describe_trust, sign_trust

    invocation: Invocation = ctx.obj
    store = describe_trust(description, now_s=time.time())
    signers = open_signers(key or [], token or [])
    signed = sign_trust(store, *signers)
    write_new(out, signed)
    document = {
        **store_document(store),
        "signed_by": [signer.key_id for signer in signers],
        "bytes": len(signed),
        "written_to": str(out),
    }
    said = f"signed by {', '.join(signer.key_id[:16] for signer in signers)}: {out} ({len(signed)} bytes)"
    _tell(invocation, document, [*store_lines(store), said])


@trust.command("show")
def show(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The signed file.", metavar="FILE", show_default=False)],
    root: Annotated[
        list[Path] | None, typer.Option(help="Public key of a root; may be repeated.", metavar="PEM")
    ] = None,
    need: Annotated[
        int | None,
        typer.Option(help="How many of the roots must have signed.", metavar="N", min=1, show_default="all"),
    ] = None,
) -> None:
    """Say what a trust store believes, and with --root whether it is signed and counts now."""
    from faceward.signing.public_keys import load_rule
    from faceward.signing.trust_file import MAX_FILE_BYTES, look_at_trust, verify_trust

    invocation: Invocation = ctx.obj
    if need is not None and not root:
        raise ConfigError("--need counts the keys that --root names, and there is none")
    content = read_file(file, MAX_FILE_BYTES, "trust store")
    if root:
        rule = load_rule(root, len(root) if need is None else need)
        store = verify_trust(content, rule, now_s=time.time())
        said = f"signed by at least {rule.need} of {len(root)} roots, and counts now"
    else:
        store, signatures = look_at_trust(content)
        said = f"signed by {signatures}; {UNVERIFIED}"
    _tell(invocation, {**store_document(store), "verified": bool(root)}, [*store_lines(store), said])


def store_document(store: TrustStore) -> dict[str, Any]:
    """A trust store as JSON, under the names of its TOML file."""
    return {
        "sequence": store.sequence,
        "tenant": store.tenant,
        "lock_group": store.lock_group,
        "issued_at_s": store.issued_at_s,
        "expires_at_s": store.expires_at_s,
        "hosts": [_rule_document(rule) for rule in store.hosts],
        "administrators": [_rule_document(rule) for rule in store.administrators],
        "sensor_roots": [
            {"key_id": each.key.key_id, "name": each.name, "simulated": each.is_simulator} for each in store.sensor_roots
        ],
        "firmware": [
            {
                "vendor": floor.vendor,
                "model": floor.model,
                "minimum_security_version": floor.minimum_security_version,
            }
            for floor in store.firmware
        ],
        "gates": [_component_document(floor) for floor in store.gates],
        "extractors": None if store.extractors is None else [_component_document(floor) for floor in store.extractors],
        "policy_hashes": None if store.policy_hashes is None else sorted(store.policy_hashes),
        "minimum_epoch": store.minimum_epoch,
        "revoked": {
            "keys": sorted(store.revoked_keys),
            "records": sorted(store.revoked_records),
            "subjects": sorted(store.revoked_subjects),
        },
        "allow": {
            "development": store.allow_development,
            "unattested": store.allow_unattested,
            "simulated": store.allow_simulated,
        },
    }


def store_lines(store: TrustStore) -> list[str]:
    """A trust store, for people."""
    counts = f"{moment(store.issued_at_s or 0)} to {moment(store.expires_at_s or 0)}"
    if store.expires_at_s is not None and time.time() >= store.expires_at_s:
        counts += ", EXPIRED"
    pinned = "any" if store.policy_hashes is None else f"{len(store.policy_hashes)} pinned"
    lines = [
        f"trust store {store.sequence} of {store.tenant} / {store.lock_group}",
        f"  counts          {counts}",
        *(f"  hosts           {_rule_text(rule)}" for rule in store.hosts),
        *(f"  administrators  {_rule_text(rule)}" for rule in store.administrators),
        *(f"  sensor root     {_root_text(each)}" for each in store.sensor_roots),
        *(f"  firmware        {_firmware_text(floor)}" for floor in store.firmware),
        *(f"  gate            {_component_text(floor)}" for floor in store.gates),
        *(f"  extractor       {_component_text(floor)}" for floor in store.extractors or ()),
        f"  policies        {pinned}",
        f"  epoch           {store.minimum_epoch} or later",
        f"  revoked         {len(store.revoked_keys)} keys, {len(store.revoked_records)} records, "
        f"{len(store.revoked_subjects)} subjects",
    ]
    allowed = [name for name, value in store_document(store)["allow"].items() if value]
    if allowed:
        lines.append(f"  ALLOWS          {', '.join(allowed)}: not for a production lock")
    return lines


def _rule_document(rule: KeyRule) -> dict[str, Any]:
    return {
        "need": rule.need,
        "keys": [
            {"key_id": trusted.key.key_id, "algorithm": trusted.key.algorithm, "custody": trusted.custody}
            for trusted in rule.keys
        ],
    }


def _rule_text(rule: KeyRule) -> str:
    keys = ", ".join(f"{trusted.key.key_id[:16]} ({trusted.custody})" for trusted in rule.keys)
    return f"{rule.need} of {keys}"


def _root_text(root: SensorRoot) -> str:
    return f"{root.name}, {root.key.key_id[:16]}" + (", SIMULATED" if root.is_simulator else "")


def _firmware_text(floor: FirmwareFloor) -> str:
    return f"{floor.vendor} {floor.model}, security version {floor.minimum_security_version} or later"


def _component_document(floor: ComponentFloor) -> dict[str, str]:
    return {"name": floor.name, "minimum_version": floor.minimum_version}


def _component_text(floor: ComponentFloor) -> str:
    return f"{floor.name} {floor.minimum_version} or later" if floor.minimum_version else f"{floor.name}, any version"


def _tell(invocation: Invocation, document: dict[str, Any], lines: list[str]) -> None:
    def show_lines(console: Console) -> None:
        for line in lines:
            console.print(line, markup=False)

    invocation.output.document(document, show_lines)
