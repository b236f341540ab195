"""The press test in the simulator: one tester, three silicone masks, four devices. Who is enrolled, and by which?

    python examples/press_test.py [--devices two-cameras door-lock ...] [--masks 3200 ...] [--seed 20021]

The two-camera attendance machine is the naive pipeline below: it takes whatever face its cameras show twice alike, asks
nothing about life, and signs nothing. (Its cameras are played by the flood frames of the simulated infrared sensor; it
uses neither dots nor depth.) The attendance machine, the door lock and the phone run Faceward, each with a policy and a
store of its own.

Everything is simulated: sensor, tester and masks. Seconds are the sensor's: what a person would wait. The table says which
masks stand in for the press test's.
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
    open_sensor,
)
from faceward.plugin import Frame, Illumination, IlluminationSchedule, UvcDriver
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
    Shown("3200", "mask, 3,200 yuan", "mask-silicone", "stand-in: typical silicone, a face of its own", True),
    Shown("6800", "mask, 6,800 yuan", "mask-silicone", "stand-in: another batch and face of the same", True),
    Shown("15600", "mask, 15,600 yuan", "mask-silicone-matched", "stand-in: silicone matched to skin at 940 nm"),
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
class Told:
    """What one device made of one face."""

    enrolled: bool
    text: str


class TwoCameraMachine:
    """A machine that compares faces and nothing else."""

    def __init__(self, models: Path) -> None:
        def network(name: str) -> np.ndarray:
            return np.frombuffer((models / name).read_bytes(), np.uint8)

        self._detector = cv2.FaceDetectorYN.create("onnx", network(DETECTOR), np.empty(0, np.uint8), (320, 240), 0.6)
        self._recogniser = cv2.FaceRecognizerSF.create("onnx", network(RECOGNISER), np.empty(0, np.uint8))
        self.enrolled: dict[str, np.ndarray] = {}

    def enroll(self, name: str, address: str) -> Told:
        """Enroll whatever face is seen twice alike within three seconds."""
        seen: list[np.ndarray] = []
        for seconds, frame in flood_frames(address, seconds=3.0):
            face = self._embedding(frame)
            if face is not None:
                if any(float(face @ before) >= SAME_FACE for before in seen):
                    self.enrolled[name] = face
                    return Told(True, f"enrolled ({seconds:.1f} s)")
                seen.append(face)
        return Told(False, "no face seen twice alike")

    def _embedding(self, frame: Frame) -> np.ndarray | None:
        counts = frame.pixels.astype(np.float32)
        grey = (np.clip(counts / max(float(np.percentile(counts, 99)), 1.0), 0, 1) ** 0.5 * 255).astype(np.uint8)
        picture = cv2.cvtColor(cv2.resize(grey, (320, 240), interpolation=cv2.INTER_AREA), cv2.COLOR_GRAY2BGR)
        _, faces = self._detector.detect(picture)
        if faces is None:
            return None
        vector = self._recogniser.feature(self._recogniser.alignCrop(picture, faces[0]))[0]
        return vector / np.linalg.norm(vector)


def flood_frames(address: str, seconds: float) -> Iterator[tuple[float, Frame]]:
    """Evenly lit infrared pictures, every fifth slot's, from a sensor that is told to flood all the time.

    Each with the seconds since the first slot, by the sensor's clock.
    """
    with open_sensor(address, [UvcDriver()], transports={"usbip"}) as sensor:
        slots = round(seconds * sensor.info.slot_rate_hz)
        schedule = IlluminationSchedule(bytes(16), bytes([Illumination.FLOOD]) * slots)
        sensor.start(sensor.info.profiles[0], schedule)
        sensor.set_exposure(2_000)
        for number in range(slots):
            slot = sensor.read_slot()
            if number % 5 == 4 and slot.infrared is not None:
                yield number / sensor.info.slot_rate_hz, slot.infrared
        sensor.stop()


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

    def enroll(self, name: str, address: str) -> Told:
        """Enroll as a product would, and say what came of it."""
        # Each face comes on a day of its own, so that no mask is refused for the refusals before it.
        self._days += 1
        try:
            with Host.open(self._home, models_folder=self._models, clock=self._clock) as host:
                done = enroll(host, name, address)
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
def simulated_sensor(shown: Shown, seed: int, folder: Path) -> Iterator[str]:
    """A simulated sensor with somebody before it, on USB/IP; yields its address."""
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
        yield f"usbip://127.0.0.1:{port}/1-1"
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
            with simulated_sensor(face, seed + (number if face is not TESTER else 0), folder) as address:
                for title, machine in machines.items():
                    told = machine.enroll(f"tester-{face.name}", address)
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
