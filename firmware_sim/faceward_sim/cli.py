"""The command line `faceward-sim`."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from faceward_sim import validation
from faceward_sim.ports.powered import Pace

EXIT_CONFIG = 3

app = typer.Typer(
    help="A USB face sensor in software, with somebody before it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
app.add_typer(validation.app, name="validate")


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="TCP port; 0 takes a free one.")] = 3240,
    sensor: Annotated[str, typer.Option(help="Kind of sensor; see `faceward-sim sensors`.")] = "sl-940",
    actor: Annotated[str, typer.Option(help="Who or what is before it; see `faceward-sim actors`.")] = "live",
    seed: Annotated[int, typer.Option(min=0, help="Which person, which unit, which noise.")] = 7,
    distance_mm: Annotated[float, typer.Option(min=100.0, max=2000.0, help="From sensor to face.")] = 400.0,
    light: Annotated[str, typer.Option(help="In which light; see `faceward-sim lights`.")] = "indoor",
    yaw_deg: Annotated[float, typer.Option(min=-60.0, max=60.0, help="How far the sensor stands to the left.")] = 0.0,
    pitch_deg: Annotated[float, typer.Option(min=-60.0, max=60.0, help="How far the sensor stands below.")] = 0.0,
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
) -> None:
    """Export one sensor over USB/IP until interrupted."""
    from faceward_sim.ports.powered import PoweredSensor
    from faceward_sim.ports.usbip import UsbipServer
    from faceward_sim.rig import UnknownName, build_firmware, named_environment, with_faults

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        place = replace(named_environment(light), distance_mm=distance_mm, yaw_deg=yaw_deg, pitch_deg=pitch_deg)
        firmware = with_faults(build_firmware(sensor, actor, seed, tone=tone, environment=place), fault or [])
    except UnknownName as error:
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
def actors(as_json: _Json = False) -> None:
    """List who and what can stand before a sensor."""
    from faceward_sim.world.actors import ACTORS

    _list("actor", ACTORS, as_json)


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


def _fail(message: str) -> NoReturn:
    print(f"faceward-sim: {message}", file=sys.stderr)
    raise typer.Exit(EXIT_CONFIG)


def main() -> None:
    """The console script."""
    app(prog_name="faceward-sim")
