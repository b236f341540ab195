"""The press test in the simulator: one tester, three silicone masks, four devices. Who is enrolled, and by which?

    python examples/press_test.py [--devices two-cameras door-lock ...] [--masks 3200 ...] [--seed 20021]

The two-camera attendance machine is the naive pipeline below: it takes whatever face its two colour cameras show twice
alike, asks nothing about life, and signs nothing. The attendance machine, the door lock and the phone run Faceward, each
with a sensor of structured light, a policy and a store of its own.

Everything is simulated: sensors, tester and masks, which are drawn after what the press told of theirs. Seconds are the
sensor's: what a person would wait.
Ends with 0 when the living tester was enrolled by every device, and no typical mask by a device with Faceward. What a
matched mask gets is told as it is: one infrared band can't promise to see it.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from faceward import (
    CaptureRejected,
    FacewardError,
    Home,
    Host,
    LivenessInconclusive,
    NotLive,
    enroll,
)
from faceward_sim.optics.dual_camera import DualCamera, StereoPicture
from faceward_sim.rig import scene_actor
from faceward_sim.scene import load_scene
from rich.console import Console
from rich.table import Table

BIN = Path(sys.executable).parent
DETECTOR = "face_detection_yunet_2023mar_int8bq.onnx"
RECOGNISER = "face_recognition_sface_2021dec_int8bq.onnx"
SAME_FACE = 0.363  # SFace's own threshold for colour pictures (OpenCV model zoo)
SIMULATOR_START_S = 180.0  # the first start compiles the renderer, on a machine that may be busy
TWO_CAMERAS = "two-cameras"


@dataclass(frozen=True)
class Shown:
    """Who or what is before the sensors. `typical`: Faceward must refuse it."""

    name: str
    title: str
    actor: str
    note: str
    typical: bool = False


TESTER = Shown("live", "the tester, alive", "live", "")
MASKS = (
    Shown("3200", "mask, 3,200 yuan", "mask-press-3200", "typical silicone after a photograph, painted hair", True),
    Shown("6800", "mask, 6,800 yuan", "mask-press-6800", "typical silicone after a photograph, implanted hair", True),
    Shown("15600", "mask, 15,600 yuan", "mask-press-15600", "after a 3D scan, tinted to skin at 940 nm"),
)  # fmt: skip


@dataclass(frozen=True)
class Device:
    """A device with Faceward: what its policy says otherwise than the packaged one for development."""

    name: str
    title: str
    policy: dict[str, str]


DEVICES = (
    Device("attendance", "attendance machine, Faceward", {"lock_group": '"attendance"', "captures_per_grant": "3"}),
    Device(
        "door-lock",
        "door lock, Faceward",
        {"lock_group": '"front-door"', "captures_per_grant": "2", "refusals_before_lockout": "3", "lockout_s": "180"},
    ),
    Device(
        "phone",
        "phone, Faceward",
        {"lock_group": '"phone"', "captures_per_grant": "2", "gate_timeout_s": "8.0", "valid_days": "30"},
    ),
)


@dataclass(frozen=True)
class Before:
    """A face before the devices: the scene that two cameras look at, and the address of a sensor that sees the same."""

    scene: Path
    address: str


@dataclass(frozen=True)
class Told:
    """What one device made of one face."""

    enrolled: bool
    text: str


class TwoCameraMachine:
    """A machine that compares faces and nothing else: it looks with both cameras and compares what the left one shows."""

    def __init__(self, models: Path) -> None:
        def network(name: str) -> np.ndarray:
            return np.frombuffer((models / name).read_bytes(), np.uint8)

        self._detector = cv2.FaceDetectorYN.create("onnx", network(DETECTOR), np.empty(0, np.uint8), (320, 240), 0.6)
        self._recogniser = cv2.FaceRecognizerSF.create("onnx", network(RECOGNISER), np.empty(0, np.uint8))
        self.enrolled: dict[str, np.ndarray] = {}

    def enroll(self, name: str, before: Before) -> Told:
        """Enroll whatever face is seen twice alike within three seconds, and has a face's depth in both pictures."""
        scene = load_scene(before.scene)
        cameras = DualCamera(scene_actor(scene), scene.seed)
        seen: list[np.ndarray] = []
        for number in range(18):
            seconds = number / 6
            face = self._embedding(cameras.look(round(seconds * 1e6)))
            if face is not None:
                if any(float(face @ earlier) >= SAME_FACE for earlier in seen):
                    self.enrolled[name] = face
                    return Told(True, f"enrolled ({seconds:.1f} s)")
                seen.append(face)
        return Told(False, "no face seen twice alike")

    def _embedding(self, looked: StereoPicture) -> np.ndarray | None:
        picture = cv2.resize(looked.left, (320, 240), interpolation=cv2.INTER_AREA)
        _, faces = self._detector.detect(picture)
        if faces is None or not self._stands_out(looked.depth_mm, faces[0]):
            return None
        vector = self._recogniser.feature(self._recogniser.alignCrop(picture, faces[0]))[0]
        return vector / np.linalg.norm(vector)

    @staticmethod
    def _stands_out(depth_mm: np.ndarray, found: np.ndarray) -> bool:
        """Whether the face is nearer than what is beside it: no picture on a wall, and that is all it asks."""
        x, y, width, height = (2 * int(part) for part in found[:4])  # the picture was halved
        face = depth_mm[max(y, 0) : y + height, max(x, 0) : x + width]
        known = face[face > 0]
        return known.size > 500 and float(np.percentile(known, 90) - np.percentile(known, 10)) > 15.0


class FacewardDevice:
    """A host with its own keys, policy and store, as an integrator sets one up."""

    def __init__(self, device: Device, folder: Path, models: Path) -> None:
        self.device = device
        self._home, self._models = Home(folder / device.name), models
        self._days = 0
        subprocess.run(
            [str(BIN / "faceward"), "--home", str(self._home.folder), "keys", "init"], check=True, capture_output=True
        )
        text = self._home.policy.read_text(encoding="utf-8")
        for key, value in device.policy.items():
            text, count = re.subn(rf"(?m)^{key} = \S+", f"{key} = {value}", text)
            if count != 1:
                raise SystemExit(f"the packaged policy has no {key}")
        self._home.policy.write_text(text, encoding="utf-8")

    def enroll(self, name: str, before: Before) -> Told:
        """Enroll as a product would, and say what came of it."""
        # Each face comes on a day of its own, so that no mask is refused for the refusals before it.
        self._days += 1
        try:
            with Host.open(self._home, models_folder=self._models, clock=self._clock) as host:
                done = enroll(host, name, before.address)
        except (NotLive, LivenessInconclusive) as error:
            cues = (
                []
                if error.verdict is None
                else [f"{each.gate}: {each.evidence.cue}" for each in error.verdict.deciding]
            )
            word = "not live" if isinstance(error, NotLive) else "not sure"
            return Told(False, f"refused, {word} ({', '.join(cues) or error})")
        except CaptureRejected as error:
            return Told(False, f"refused, not judged ({error.reason})")
        except FacewardError as error:
            return Told(False, f"refused ({error.code})")
        return Told(True, f"enrolled ({done.seconds:.1f} s)")

    def _clock(self) -> float:
        return time.time() + 86_400 * self._days


@contextlib.contextmanager
def simulated_sensor(shown: Shown, seed: int, folder: Path) -> Iterator[Before]:
    """A simulated sensor with somebody before it, on USB/IP."""
    scene = folder / f"{shown.name}.toml"
    scene.write_text(f'seed = {seed}\n[who]\nactor = "{shown.actor}"\n', encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [str(BIN / "faceward-sim"), "serve", "--scene", str(scene), "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        stop_by = time.monotonic() + SIMULATOR_START_S
        while time.monotonic() < stop_by and server.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
                break
            time.sleep(0.1)
        else:
            raise SystemExit("the simulator did not open its port")
        yield Before(scene, f"usbip://127.0.0.1:{port}/1-1")
    finally:
        server.terminate()
        try:
            server.wait(timeout=10.0)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def run_test(devices: list[str], masks: list[str], seed: int, models: Path, console: Console) -> bool:
    """Everybody before every device; prints the table. True where everything came as it must."""
    with tempfile.TemporaryDirectory(prefix="faceward-press-test-") as kept:
        folder = Path(kept)
        machines: dict[str, TwoCameraMachine | FacewardDevice] = {}
        if TWO_CAMERAS in devices:
            machines["attendance machine, two cameras"] = TwoCameraMachine(models)
        for device in DEVICES:
            if device.name in devices:
                machines[device.title] = FacewardDevice(device, folder, models)
        faces = [TESTER, *(mask for mask in MASKS if mask.name in masks)]
        table = Table(
            "device", *(face.title for face in faces), title="The press test (all simulated)", show_lines=True
        )
        rows: dict[str, list[str]] = {title: [] for title in machines}
        good = True
        for number, face in enumerate(faces):
            # Another seed for each mask: another wearer, another face, another batch.
            with simulated_sensor(face, seed + (number if face is not TESTER else 0), folder) as before:
                for title, machine in machines.items():
                    told = machine.enroll(f"tester-{face.name}", before)
                    console.print(f"{title}: {face.title}: {told.text} (simulated)", highlight=False, soft_wrap=True)
                    rows[title].append(told.text)
                    if face is TESTER:
                        good &= told.enrolled
                    elif face.typical and isinstance(machine, FacewardDevice):
                        good &= not told.enrolled
        for title, cells in rows.items():
            table.add_row(title, *cells)
        console.print(table)
        for face in faces:
            if face.note:
                console.print(f"{face.title}: {face.note}", highlight=False, soft_wrap=True)
        return good


def main() -> int:
    names = [TWO_CAMERAS, *(device.name for device in DEVICES)]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--devices", nargs="+", choices=names, default=names)
    parser.add_argument(
        "--masks", nargs="*", choices=[mask.name for mask in MASKS], default=[each.name for each in MASKS]
    )
    parser.add_argument("--seed", type=int, default=20_021, help="another tester, other masks")
    parser.add_argument("--models", type=Path, default=Home.default().models, help="folder of face models")
    options = parser.parse_args()
    console = Console()
    good = run_test(options.devices, options.masks, options.seed, options.models, console)
    console.print("As it must be." if good else "Not as it must be; see above.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
