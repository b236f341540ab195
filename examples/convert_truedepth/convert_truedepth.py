"""Depth images of a TrueDepth-class sensor into a Faceward recording, so that `faceward evaluate` can judge them.

    python examples/convert_truedepth/convert_truedepth.py FOLDER out.mcap
    faceward evaluate out.mcap

FOLDER holds `depth_NNN.png` (16 bit, 0 where there is no depth) and `frames.json`: `width_px`, `height_px`,
`depth_unit_mm`, and for each frame `index`, `timestamp_s` and the intrinsics `fx_px`, `fy_px`, `cx_px`, `cy_px`.

Only depth is written. Colour images beside it are not infrared and are not passed off as such: a gate whose cue needs
infrared answers "not-evaluated", which refuses and counts as no detection. Nor does the source have a schedule of random
light: the recording says one dots slot after the other under a nonce of zeros, which no live capture has.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from faceward import FacewardError, RecordingWriter
from faceward.plugin import (
    Calibration,
    Frame,
    Illumination,
    IlluminationSchedule,
    Intrinsics,
    SensorInfo,
    SensorKind,
    Stream,
    StreamProfile,
    digest_of,
)
from numpy.typing import NDArray

WAVELENGTH_NM = 940  # the projector of the sensor class
UNKNOWN = 0.0  # what the source doesn't tell stays at zero; gates that need it have no infrared to use it on


class BadSource(Exception):
    """The folder is not what it should be; the text says which file and why."""


@dataclass(frozen=True)
class SourceFrame:
    """One line of frames.json."""

    path: Path
    time_us: int
    camera: Intrinsics


def read_index(folder: Path) -> tuple[list[SourceFrame], float]:
    """The frames in order of time, and the depth unit in micrometres."""
    path = folder / "frames.json"
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        width_px, height_px = int(index["width_px"]), int(index["height_px"])
        unit_um = float(index["depth_unit_mm"]) * 1000.0
        entries = sorted(index["frames"], key=lambda entry: float(entry["timestamp_s"]))
        if not entries or not unit_um > 0.0:
            raise ValueError("no frames, or no depth unit")
        begin_s = float(entries[0]["timestamp_s"])
        frames = [
            SourceFrame(
                folder / f"depth_{int(entry['index']):03d}.png",
                round((float(entry["timestamp_s"]) - begin_s) * 1e6),
                Intrinsics(width_px, height_px, *(float(entry[name]) for name in ("fx_px", "fy_px", "cx_px", "cy_px"))),
            )
            for entry in entries
        ]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadSource(f"{path}: {error!r}") from error
    return frames, unit_um


def read_depth(frame: SourceFrame) -> NDArray[np.uint16]:
    """One depth image, as it lies in the file."""
    try:
        content = np.frombuffer(frame.path.read_bytes(), np.uint8)
    except OSError as error:
        raise BadSource(f"{frame.path} can't be read: {error.strerror or error}") from error
    image: Any = cv2.imdecode(content, cv2.IMREAD_UNCHANGED) if len(content) else None
    if image is None:
        raise BadSource(f"{frame.path} can't be read as an image")
    if image.dtype != np.uint16 or image.shape != (frame.camera.height_px, frame.camera.width_px):
        raise BadSource(f"{frame.path} is not a 16-bit image of {frame.camera.width_px} x {frame.camera.height_px}")
    return image


def turn(camera: Intrinsics, quarter_turns: int) -> Intrinsics:
    """The camera of images that were turned clockwise by so many quarters (pixel centres at integer coordinates)."""
    for _ in range(quarter_turns % 4):
        camera = Intrinsics(
            camera.height_px, camera.width_px, camera.fy_px, camera.fx_px,
            camera.height_px - 1 - camera.cy_px, camera.cx_px,
        )  # fmt: skip
    return camera


def describe(camera: Intrinsics, unit_um: float, rate_hz: float, range_mm: tuple[float, float]) -> SensorInfo:
    """The sensor as far as the source tells it."""
    return SensorInfo(
        address="converted:truedepth",
        vendor="unknown",
        model="TrueDepth class, converted",
        serial="unknown",
        firmware_version="unknown",
        hardware_revision="unknown",
        kind=SensorKind.STRUCTURED_LIGHT,
        wavelengths_nm={Illumination.DOTS: WAVELENGTH_NM},
        slot_rate_hz=rate_hz,
        max_schedule_slots=4096,
        calibration=Calibration(
            infrared=camera, depth=camera, depth_unit_um=unit_um, baseline_mm=UNKNOWN,
            depth_min_mm=range_mm[0], depth_max_mm=range_mm[1], dot_pitch_mrad=UNKNOWN, dot_spot_mrad=UNKNOWN,
            lens_mtf50_cy_per_px=UNKNOWN, flood_counts_per_us_at_1m=UNKNOWN, flood_second_counts_per_us_at_1m=UNKNOWN,
            dot_counts_per_us_at_1m=UNKNOWN, black_level_counts=UNKNOWN, read_noise_counts=UNKNOWN,
            counts_per_electron=UNKNOWN, saturation_counts=65_535.0,
        ),
        profiles=(StreamProfile(camera.width_px, camera.height_px, 0.0, rate_hz),),
        streams=frozenset({Stream.DEPTH}),
        transport="replay",
        driver="convert_truedepth",
    )  # fmt: skip


def convert(folder: Path, out: Path, *, quarter_turns: int) -> int:
    """Write the recording and return how many frames it holds. Raises: BadSource, FacewardError."""
    frames, unit_um = read_index(folder)
    camera = turn(frames[0].camera, quarter_turns)
    seconds = (frames[-1].time_us - frames[0].time_us) / 1e6
    rate_hz = (len(frames) - 1) / seconds if seconds > 0.0 else 30.0
    known = np.concatenate([image[image > 0] for image in map(read_depth, (frames[0], frames[-1]))])
    if known.size == 0:
        raise BadSource(f"{folder}: no depth in the first and the last image")
    range_mm = (0.0, math.ceil(float(known.max()) * unit_um / 1000.0))
    sensor = describe(camera, unit_um, rate_hz, range_mm)
    schedule = IlluminationSchedule(bytes(8), bytes([Illumination.DOTS] * len(frames)))
    with RecordingWriter(out, sensor, schedule, simulated=False) as recording:
        for slot, frame in enumerate(frames):
            upright = np.rot90(read_depth(frame), -quarter_turns)
            data = np.ascontiguousarray(upright, dtype="<u2").tobytes()
            recording.write_frame(
                Frame(
                    stream=Stream.DEPTH, width_px=camera.width_px, height_px=camera.height_px, data=data,
                    sequence=slot, slot=slot, device_time_us=frame.time_us, exposure_us=0, gain=1.0,
                    illumination=Illumination.DOTS, wavelength_nm=WAVELENGTH_NM, temperature_c=0.0, config_hash=b"",
                    digest=digest_of(data),
                )
            )  # fmt: skip
    return len(frames)


def main() -> int:
    parser = argparse.ArgumentParser(description="Convert TrueDepth-class depth images to a Faceward recording.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path, help="the recording to write (.mcap); never written over")
    parser.add_argument(
        "--turn-clockwise", type=int, default=90, choices=(0, 90, 180, 270), metavar="DEGREES",
        help="turn the images upright (default 90: a phone's sensor lies on its side)",
    )  # fmt: skip
    arguments = parser.parse_args()
    try:
        frames = convert(arguments.folder, arguments.out, quarter_turns=arguments.turn_clockwise // 90)
    except BadSource as error:
        print(error, file=sys.stderr)
        return 2
    except FacewardError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"{arguments.out}: {frames} depth frames, no infrared; now: faceward evaluate {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
