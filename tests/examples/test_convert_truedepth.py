"""Another sensor's depth through the same gates: made by hand, and a real one's where that is at hand."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from faceward.hal.recording import ReplaySensor
from faceward.model.frame import Stream

ROOT = Path(__file__).resolve().parents[2]
CAMERA = {"fx_px": 300.0, "fy_px": 310.0, "cx_px": 15.0, "cy_px": 11.0}


def convert(*options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "examples/convert_truedepth/convert_truedepth.py"), *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def images(tmp_path: Path) -> list[Any]:
    """Three depth images of 32 x 24 in a folder `images`, in another order than that of their times."""
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(1)
    drawn = [rng.integers(0, 5_000, (24, 32), dtype=np.uint16) for _ in range(3)]
    frames = [{"index": index, "timestamp_s": 7.0 + (2 - index) / 30, **CAMERA} for index in range(3)]
    for index, image in enumerate(drawn):
        assert cv2.imwrite(str(folder / f"depth_{index:03d}.png"), image)
    (folder / "frames.json").write_text(
        json.dumps({"width_px": 32, "height_px": 24, "depth_unit_mm": 0.1, "frames": frames})
    )
    return drawn


@pytest.mark.parametrize(("degrees", "quarters"), [(0, 0), (90, 1)])
def test_every_image_is_in_the_recording_as_it_was(
    images: list[Any], tmp_path: Path, degrees: int, quarters: int
) -> None:
    done = convert(tmp_path / "images", tmp_path / "out.mcap", "--turn-clockwise", degrees)
    assert done.returncode == 0, done.stderr
    assert "3 depth frames, no infrared" in done.stdout
    with ReplaySensor(tmp_path / "out.mcap") as sensor:
        assert sensor.info.streams == {Stream.DEPTH}
        assert not sensor.simulated
        sensor.start(sensor.info.profiles[0], sensor.schedule)
        slots = list(sensor.slots())
    assert [slot.depth.device_time_us for slot in slots] == [0, 33_333, 66_667]
    for slot, image in zip(slots, reversed(images), strict=True):
        assert np.array_equal(slot.depth.pixels, np.rot90(image, -quarters))
    camera = sensor.info.calibration.depth
    turned = {0: (32, 24, 300.0, 310.0, 15.0, 11.0), 1: (24, 32, 310.0, 300.0, 12.0, 15.0)}[quarters]
    assert (camera.width_px, camera.height_px, camera.fx_px, camera.fy_px, camera.cx_px, camera.cy_px) == turned


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "frames.json").unlink(), "frames.json"),
        (lambda folder: (folder / "frames.json").write_text("{}"), "frames.json"),
        (lambda folder: (folder / "depth_001.png").unlink(), "depth_001.png can't be read: No such file"),
        (lambda folder: (folder / "depth_001.png").write_text(""), "depth_001.png can't be read as an image"),
        (lambda folder: cv2.imwrite(str(folder / "depth_001.png"), np.zeros((24, 32), np.uint8)), "is not a 16-bit image"),
    ],
)
def test_a_folder_that_is_no_source_is_said_and_leaves_nothing(
    images: list[Any], tmp_path: Path, spoil: Callable[[Path], object], words: str
) -> None:
    spoil(tmp_path / "images")
    done = convert(tmp_path / "images", tmp_path / "out.mcap")
    assert done.returncode == 2
    assert words in done.stderr and done.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images"]


def test_a_recording_that_is_there_is_kept(images: list[Any], tmp_path: Path) -> None:
    (tmp_path / "out.mcap").write_text("precious")
    done = convert(tmp_path / "images", tmp_path / "out.mcap")
    assert (done.returncode, (tmp_path / "out.mcap").read_text()) == (3, "precious")


def test_a_real_mannequin_has_a_faces_relief_and_is_refused_all_the_same(
    shared_data: Callable[[str], Path], bench: Any, tmp_path: Path
) -> None:
    """A head of plastic is as deep as a face: who looks at depth alone can't tell, and says nothing of life."""
    recording = tmp_path / "mannequin.mcap"
    done = convert(shared_data("truedepth_mannequin"), recording)
    assert done.returncode == 0, done.stderr
    command = [str(Path(sys.executable).with_name("faceward")), "--home", str(bench.home().folder), "--json"]
    judged = subprocess.run([*command, "evaluate", str(recording)], capture_output=True, text=True, check=False)
    assert judged.returncode == 32, judged.stderr
    outcomes = {gate["gate"]: gate["outcome"] for gate in json.loads(judged.stdout)["verdict"]["gates"]}
    assert outcomes.pop("flatness") == "live"
    assert set(outcomes.values()) == {"not-evaluated"}
