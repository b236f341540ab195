"""The command line `faceward-sim`."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from faceward_sim import validation
from faceward_sim.campaign import command as campaign
from faceward_sim.ports.powered import Pace

if TYPE_CHECKING:
    from faceward_sim.faults import FaultyFirmware
    from faceward_sim.firmware.chain import Provision
    from faceward_sim.firmware.device import Firmware
    from faceward_sim.firmware.imager import Prompt
    from faceward_sim.scene import Scene

EXIT_CONFIG = 3  # as in faceward_sim.campaign.command

_Argument = TypeVar("_Argument")
_Made = TypeVar("_Made")

app = typer.Typer(
    help="A USB face sensor in software, with somebody before it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(campaign.app, name="campaign")
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
app.add_typer(validation.app, name="validate")


@app.command()
def serve(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="TCP port; 0 takes a free one.")] = 3240,
    scene: Annotated[
        Path | None, typer.Option(help="A scene's file, which says all of the next five and more.")
    ] = None,
    sensor: Annotated[str, typer.Option(help="Kind of sensor; see `faceward-sim sensors`.")] = "sl-940",
    actor: Annotated[str, typer.Option(help="Who or what is before it; see `faceward-sim actors`.")] = "live",
    seed: Annotated[int, typer.Option(min=0, help="Which person, which unit, which noise.")] = 7,
    distance_mm: Annotated[float, typer.Option(min=100.0, max=2000.0, help="From sensor to face.")] = 400.0,
    light: Annotated[str, typer.Option(help="In which light; see `faceward-sim lights`.")] = "indoor",
    yaw_deg: Annotated[float, typer.Option(min=-60.0, max=60.0, help="The sensor looks from the person's left.")] = 0.0,
    pitch_deg: Annotated[float, typer.Option(min=-60.0, max=60.0, help="The sensor looks from above.")] = 0.0,
    generator: Annotated[str, typer.Option(help="What draws the world: A, or B that no gate was tuned on.")] = "A",
    tone: Annotated[
        float | None, typer.Option(help="Skin tone, 1 (I-II) to 4 (VI); the seed's own if left out.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; whoever reaches it can attach.")] = "127.0.0.1",
    fault: Annotated[
        list[str] | None, typer.Option(metavar="NAME[:SLOT]", help="See `faceward-sim faults`; may be repeated.")
    ] = None,
    pace: Annotated[
        Pace, typer.Option(help="lockstep waits for the host, real loses what comes late.")
    ] = Pace.LOCKSTEP,
    attestation: Annotated[
        bool, typer.Option("--attestation/--no-attestation", help="Whether the sensor can prove what it is.")
    ] = True,
    security_version: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Of its firmware; a verifier may ask for a higher one.")
    ] = 1,
    patched_firmware: Annotated[bool, typer.Option(help="Start an image that is not the genuine one.")] = False,
) -> None:
    """Export one sensor over USB/IP until interrupted."""
    from faceward_sim.firmware.chain import Provision, image_hash
    from faceward_sim.ports.powered import PoweredSensor
    from faceward_sim.ports.usbip import UsbipServer
    from faceward_sim.rig import build_firmware, named_environment, with_faults

    described = _described(ctx, scene) if scene is not None else None
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    provision = None
    if attestation:
        firmware_hash = image_hash("patched") if patched_firmware else None
        provision = Provision(security_version=security_version, firmware_hash=firmware_hash)
    try:
        if described is not None:
            sensor, actor, seed = described.sensor.model, described.who.actor, described.seed
            built = _built(described, provision)
        else:
            place = replace(named_environment(light), distance_mm=distance_mm, yaw_deg=yaw_deg, pitch_deg=pitch_deg)
            built = build_firmware(
                sensor, actor, seed, tone=tone, environment=place, generator=generator, provision=provision
            )
        firmware = with_faults(built, fault or [])
    except ValueError as error:
        _fail(str(error))
    powered = PoweredSensor(firmware, pace=pace)
    try:
        server = UsbipServer([powered], host, port)
    except OSError as error:
        powered.close()
        _fail(f"can't listen at {host}:{port}: {error.strerror or error}")
    try:
        where = f"{server.host}:{server.port}"
        print(
            f"serving {sensor} with {actor} (seed {seed}) at {where} busid 1-1, try: faceward sensors --usbip {where}",
            flush=True,
        )
        stop.wait()
    finally:
        server.close()


@app.command()
def show(
    file: Annotated[Path, typer.Argument(metavar="SCENE.toml", help="The scene.")],
    out: Annotated[Path | None, typer.Option(help="The picture; beside the scene, as .png, if left out.")] = None,
    slots: Annotated[
        str, typer.Option(help="Slots (30 a second), or SLOT:PROMPT for what was asked for a second before.")
    ] = "0,45:turn-left,90:turn-right,135:smile",
) -> None:
    """Draw a scene: flood, dots and depth of some slots, through the optics that a host would see it by."""
    from faceward_sim.contact_sheet import draw_contact_sheet
    from faceward_sim.picture import write_png
    from faceward_sim.rig import scene_imager

    scene = _loaded(file)
    numbers, prompts = _slots(slots)
    target = out or file.with_suffix(".png")
    title = f"{scene.who.actor} of {scene.generator}, seed {scene.seed}, {scene.sensor.model} unit {scene.sensor.unit}"
    imager = _or_fail(scene_imager, scene)
    try:
        write_png(target, draw_contact_sheet(imager, title, numbers, prompts))
    except OSError as error:
        _fail(f"{target} can't be written: {error.strerror or error}")
    print(target)


@app.command()
def actors(
    as_json: _Json = False,
    sheet: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw them all as a sensor sees them.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Which individuals the sheet shows.")] = 7,
) -> None:
    """List who and what can stand before a sensor."""
    from faceward_sim.world.actors import ACTORS

    if sheet is None:
        _list("actor", ACTORS, as_json)
        return
    from faceward_sim.gallery import draw_gallery
    from faceward_sim.picture import write_png

    picture = draw_gallery(ACTORS.values(), seed, told=lambda name: print(f"drawing {name}", file=sys.stderr))
    try:
        write_png(sheet, picture)
    except OSError as error:
        _fail(f"can't write {sheet}: {error.strerror or error}")
    print(f"{len(ACTORS)} actors of seed {seed} drawn to {sheet} (simulated)")


@app.command()
def sensors(as_json: _Json = False) -> None:
    """List the kinds of sensors."""
    from faceward_sim.optics.sensors import SENSORS

    _list("sensor", SENSORS, as_json)


@app.command()
def lights(as_json: _Json = False) -> None:
    """List in which light somebody can stand."""
    from faceward_sim.world.environment import LIGHTS

    _list("light", LIGHTS, as_json)


@app.command()
def faults(as_json: _Json = False) -> None:
    """List what can go wrong."""
    from faceward_sim.faults import FAULTS

    _list("fault", FAULTS, as_json)


def _list(kind: str, specs: Mapping[str, Any], as_json: bool) -> None:
    rows = [{"name": name, "description": spec.description} for name, spec in specs.items()]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    table = Table(kind, "what it is", box=None, pad_edge=False)
    for row in rows:
        table.add_row(row["name"], row["description"])
    Console().print(table)


def _loaded(file: Path) -> Scene:
    from faceward_sim.scene import load_scene

    return _or_fail(load_scene, file)


def _described(ctx: typer.Context, file: Path) -> Scene:
    """The scene of `serve`, beside which nothing may say the same once more."""
    given = [
        f"--{name.replace('_', '-')}"
        for name in ("sensor", "actor", "seed", "distance_mm", "tone", "generator")
        if (source := ctx.get_parameter_source(name)) is not None and source.name == "COMMANDLINE"
    ]
    if given:
        _fail(f"{' and '.join(given)} and --scene say the same; leave one away")
    return _loaded(file)


def _built(scene: Scene, provision: Provision | None) -> Firmware | FaultyFirmware:
    from faceward_sim.rig import build_scene

    return _or_fail(lambda told: build_scene(told, provision=provision), scene)


def _or_fail(make: Callable[[_Argument], _Made], argument: _Argument) -> _Made:
    """What `make` gives, or one sentence: everything that a file can have wrong is a ValueError."""
    try:
        return make(argument)
    except ValueError as error:
        _fail(str(error))


def _slots(text: str) -> tuple[list[int], list[Prompt]]:
    from faceward_sim.firmware.imager import Prompt
    from faceward_sim.scene import PROMPTS

    numbers, prompts = [], []
    for part in text.split(","):
        number, _, name = part.strip().partition(":")
        if not (number.isascii() and number.isdigit()) or (name and name not in PROMPTS):
            _fail(
                f"--slots: {part.strip()!r} is neither SLOT nor SLOT:PROMPT; prompts are {', '.join(sorted(PROMPTS))}"
            )
        numbers.append(int(number))
        prompts.append(PROMPTS[name] if name else Prompt.NONE)
    if any(later - earlier < 5 for earlier, later in pairwise(numbers)) or len(numbers) > 24:
        _fail("--slots: at most 24, each five or more after the one before it")
    return numbers, prompts


def _fail(message: str) -> NoReturn:
    print(f"faceward-sim: {message}", file=sys.stderr)
    raise typer.Exit(EXIT_CONFIG)


def main() -> None:
    """The console script."""
    app(prog_name="faceward-sim")
