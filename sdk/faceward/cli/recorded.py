"""Commands on recordings: make one, look into one, let the gates judge one. None of them can make a template."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from faceward.cli.files import write_new
from faceward.cli.invocation import Invocation
from faceward.errors import ConfigError, LivenessInconclusive, NotLive

if TYPE_CHECKING:
    from rich.console import Console

    from faceward.capture.plan import CapturePlan
    from faceward.face.models import ModelFiles
    from faceward.hal.recording import RecordingWriter
    from faceward.hal.sensor import Sensor
    from faceward.model.face import FaceObservation
    from faceward.model.frame import Frame, FrameSet, SensorInfo

NEVER_A_TEMPLATE = "a recording can never become a template"


def add_to(app: typer.Typer) -> None:
    """Give the application these commands."""
    app.command("record")(record)
    app.command("evaluate")(evaluate)
    app.command("inspect")(inspect)


def record(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The recording to write (.mcap); never written over.")],
    seconds: Annotated[
        float | None, typer.Option(min=0.1, max=120.0, help="Record so long, and guide nobody.")
    ] = None,
) -> None:
    """Record what an enrollment would see, guided like one. It holds pictures of the face: treat it as such."""
    from faceward.capture.plan import make_plan
    from faceward.face.models import ModelFiles
    from faceward.hal.attestation import is_simulated
    from faceward.hal.discovery import open_sensor
    from faceward.hal.recording import RecordingWriter
    from faceward.liveness.loader import load_drivers
    from faceward.liveness.worker import GateWorker

    invocation: Invocation = ctx.obj
    policy = invocation.policy()
    if policy.production:
        raise ConfigError('faces are recorded for development: not where mode = "production"')
    drivers = load_drivers(policy)
    models = ModelFiles.locate(invocation.models) if seconds is None else None
    with GateWorker(policy) as worker:
        worker.start()
        with open_sensor(invocation.sensor, drivers, transports=policy.capture_transports) as sensor:
            plan = make_plan(worker.gates, sensor.info, nonce=secrets.token_bytes(16))
            worker.close()
            # A label, no proof: a recording never becomes a template.
            simulated = is_simulated(sensor.claim)
            with RecordingWriter(file, sensor.info, plan.schedule, simulated=simulated) as writer:
                if seconds is not None:
                    _stream(sensor, plan, seconds, writer)
                elif models is not None:
                    _guide(invocation, models, sensor, plan, writer)
    invocation.output.line({"event": "recorded", "file": file, "frames": writer.frames, "note": NEVER_A_TEMPLATE})
    invocation.output.say(f"{file}: {writer.frames} frames; {NEVER_A_TEMPLATE}. Next: faceward evaluate {file}")


def _stream(sensor: Sensor, plan: CapturePlan, seconds: float, writer: RecordingWriter) -> None:
    from faceward.capture.exposure import AutoExposure

    sensor.start(plan.profile, plan.schedule)
    sensor.set_exposure(AutoExposure(sensor.info.calibration).start_us)
    for _ in range(min(len(plan.schedule.slots), round(seconds * sensor.info.slot_rate_hz))):
        writer.write_slot(sensor.read_slot())
    sensor.stop()


class _Nobody:
    """No gate looks on while a recording is made: what they would say is for `evaluate`."""

    def observe(self, frame_set: FrameSet, face: FaceObservation) -> None:
        """Nothing."""


def _guide(
    invocation: Invocation, models: ModelFiles, sensor: Sensor, plan: CapturePlan, writer: RecordingWriter
) -> None:
    from faceward.capture.run import run_capture
    from faceward.cli.watching import CaptureView
    from faceward.face.analysis import FaceAnalysis

    with CaptureView(invocation.output, invocation.log) as view:
        run_capture(sensor, plan, FaceAnalysis(models, sensor.info), _Nobody(), on_event=view, record=writer)


def evaluate(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A recording.")],
) -> None:
    """Let every gate judge a recording, each by itself: 0 if all say live, else 31 (not live) or 32 (inconclusive)."""
    from faceward.cli.verdict import as_document, as_table, cues
    from faceward.face.models import ModelFiles
    from faceward.hal.recording import ReplaySensor
    from faceward.judgement import judge_recording
    from faceward.model.liveness import Outcome

    invocation: Invocation = ctx.obj
    policy = invocation.policy_or_development()
    models = ModelFiles.locate(invocation.models)
    with ReplaySensor(file) as replay:
        verdict = judge_recording(policy, models, replay)
        simulated, origin = replay.simulated, replay.recorded_from
    document = {
        "recording": file,
        "recorded_from": origin,
        "simulated": simulated,
        "verdict": as_document(verdict),
        "note": NEVER_A_TEMPLATE,
    }

    def show(console: Console) -> None:
        console.print(f"{file}, recorded from {origin}{' (simulated)' if simulated else ''}", markup=False)
        console.print(as_table(verdict))
        for result in verdict.results:
            console.print(f"  {result.gate}: {result.evidence.reason}", markup=False)
        console.print(f"verdict: {verdict.outcome.value} ({cues(verdict)}); {NEVER_A_TEMPLATE}", markup=False)

    invocation.output.document(document, show)
    if verdict.outcome is not Outcome.LIVE:
        refusal = NotLive if verdict.outcome is Outcome.NOT_LIVE else LivenessInconclusive
        raise typer.Exit(refusal.exit_code)


@dataclass(slots=True)
class _Contents:
    """What is counted while a recording is read once."""

    frames: Counter[str] = field(default_factory=Counter)
    lights: Counter[str] = field(default_factory=Counter)
    prompts: list[tuple[int, str]] = field(default_factory=list)
    first_us: int | None = None
    last_us: int = 0
    pictures: int = 0

    @property
    def seconds(self) -> float:
        return 0.0 if self.first_us is None else (self.last_us - self.first_us) / 1e6


def inspect(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A recording.")],
    frames: Annotated[
        Path | None, typer.Option(help="Write pictures of depth and infrared into this folder, as PNG.")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="With --frames: one of so many slots, of each light.")] = 5,
) -> None:
    """Say what a recording holds, and draw its frames."""
    from faceward.hal.recording import ReplaySensor, read_recording
    from faceward.model.frame import Frame
    from faceward.wire.device import RecordedPrompt

    invocation: Invocation = ctx.obj
    with ReplaySensor(file) as replay:
        info, simulated, origin = replay.info, replay.simulated, replay.recorded_from
    contents = _Contents()
    pictures = None if frames is None else _Pictures(frames, info, every)
    for item in read_recording(file):
        if isinstance(item, Frame):
            contents.frames[item.stream.name.lower()] += 1
            if item.stream.name == "INFRARED" or "infrared" not in contents.frames:
                contents.lights[item.illumination.name.lower()] += 1
            contents.first_us = item.device_time_us if contents.first_us is None else contents.first_us
            contents.last_us = max(contents.last_us, item.device_time_us)
            if pictures is not None:
                contents.pictures += pictures.draw(item)
        elif isinstance(item, RecordedPrompt):
            contents.prompts.append((item.device_time_us, item.prompt.name.lower().replace("_", "-")))
    document = _describe(file, origin, simulated, info, contents, frames)
    invocation.output.document(document, lambda console: _tell(console, document))


def _describe(
    file: Path, origin: str, simulated: bool, info: SensorInfo, contents: _Contents, frames: Path | None
) -> dict[str, Any]:
    camera = info.calibration.depth
    return {
        "recording": file,
        "recorded_from": origin,
        "simulated": simulated,
        "sensor": {"vendor": info.vendor, "model": info.model, "serial": info.serial, "kind": info.kind.name.lower()},
        "size_px": [camera.width_px, camera.height_px],
        "depth_unit_um": info.calibration.depth_unit_um,
        "streams": sorted(stream.name.lower() for stream in info.streams),
        "frames": dict(contents.frames),
        "lights": dict(contents.lights),
        "seconds": contents.seconds,
        "prompts": [{"device_time_us": time_us, "prompt": prompt} for time_us, prompt in contents.prompts],
        "pictures": None if frames is None else {"folder": frames, "count": contents.pictures},
        "note": NEVER_A_TEMPLATE,
    }


def _tell(console: Console, document: dict[str, Any]) -> None:
    sensor = document["sensor"]
    simulated = " (simulated)" if document["simulated"] else ""
    listed = {name: ", ".join(f"{count} {what}" for what, count in document[name].items()) or "none"
              for name in ("frames", "lights")}  # fmt: skip
    lines = [
        f"{document['recording']}, recorded from {document['recorded_from']}{simulated}",
        f"  sensor   {sensor['vendor']} {sensor['model']} {sensor['serial']}, {sensor['kind'].replace('_', ' ')}",
        f"  frames   {listed['frames']} of {document['size_px'][0]} x {document['size_px'][1]}, "
        f"{document['seconds']:.1f} s",
        f"  lights   {listed['lights']}",
        f"  prompts  {', '.join(entry['prompt'] for entry in document['prompts']) or 'none'}",
    ]
    if document["pictures"] is not None:
        lines.append(f"  pictures {document['pictures']['count']} in {document['pictures']['folder']}")
    lines.append(f"  {NEVER_A_TEMPLATE}")
    for line in lines:
        console.print(line, markup=False)


class _Pictures:
    """Draws frames into a folder: infrared as the eye would see it, depth in colours from near to far."""

    def __init__(self, folder: Path, info: SensorInfo, every: int) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"--frames {folder} can't be made: {error.strerror or error}") from error
        self._folder, self._info, self._every = folder, info, every
        self._seen: Counter[tuple[str, str]] = Counter()

    def draw(self, frame: Frame) -> int:
        """Draw the frame if it is one of those asked for; returns how many were drawn."""
        import cv2

        kind = (frame.stream.name.lower(), frame.illumination.name.lower())
        number = self._seen[kind]
        self._seen[kind] += 1
        if number % self._every:
            return 0
        name = f"{kind[0]}_{frame.slot:05d}" + ("" if kind[0] == "depth" else f"_{kind[1]}")
        path = self._folder / f"{name}.png"
        picture = self._depth(frame) if kind[0] == "depth" else self._infrared(frame)
        _, encoded = cv2.imencode(".png", picture)
        write_new(path, encoded.tobytes(), mode=0o600)  # a picture of a face
        return 1

    def _infrared(self, frame: Frame) -> Any:
        import numpy as np

        calibration = self._info.calibration
        span = max(calibration.saturation_counts - calibration.black_level_counts, 1.0)
        light = np.clip((frame.pixels.astype(np.float32) - calibration.black_level_counts) / span, 0.0, 1.0)
        return np.round(255.0 * light ** (1.0 / 2.2)).astype(np.uint8)

    def _depth(self, frame: Frame) -> Any:
        import cv2
        import numpy as np

        pixels = frame.pixels
        known = pixels > 0
        if not known.any():
            return np.zeros((*pixels.shape, 3), np.uint8)
        near, far = np.percentile(pixels[known], (1.0, 90.0))
        share = np.clip((far - pixels.astype(np.float32)) / max(far - near, 1.0), 0.0, 1.0)
        picture = cv2.applyColorMap(np.round(255.0 * share).astype(np.uint8), cv2.COLORMAP_TURBO)
        picture[~known] = 0
        return picture
