"""What face analysis costs on one core, against a plain YuNet call on the same picture (simulated people).

    python benchmarks/face_analysis.py [--people 4] [--rounds 40]

A flood slot is detection, points, pose, quality and the mouth's patch; an identity comes five times a second. The share of
a slot's 33 ms is over the default schedule of 17 flood slots and five identities a second.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import cv2
import numpy as np
from faceward.face.analysis import IDENTITY_INTERVAL_US, FaceAnalysis
from faceward.face.detect import NMS_IOU, SCORE_MIN, SEARCH_SIZE_PX
from faceward.face.models import ModelFiles
from faceward.model.frame import (
    Calibration,
    Frame,
    FrameSet,
    Illumination,
    Intrinsics,
    SensorInfo,
    SensorKind,
    Slot,
    Stream,
    digest_of,
)
from faceward.model.frame import Prompt as Told
from faceward_sim.firmware.imager import Exposure, Prompt
from faceward_sim.firmware.imager import Illumination as Light
from faceward_sim.optics.sensors import SENSORS
from faceward_sim.world.actors import ACTORS

SLOT_US = 33_333
FLOOD_HZ, SLOTS_HZ = 17, 30


def median_ms(run: Callable[[], object], rounds: int) -> float:
    run()
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        taken.append(1e3 * (time.perf_counter() - start))
    return statistics.median(taken)


def sensor_info(imager: object) -> SensorInfo:
    identity, factory = imager.identity, imager.calibration
    numbers = {name: getattr(factory, name) for name in Calibration.__dataclass_fields__}
    for name in ("infrared", "depth"):
        camera = numbers[name]
        numbers[name] = Intrinsics(*(getattr(camera, part) for part in Intrinsics.__dataclass_fields__))
    wavelengths = {Illumination(int(light)): nm for light, nm in identity.emitters}
    return SensorInfo(
        "direct", identity.vendor, identity.model, identity.serial, identity.firmware_version,
        identity.hardware_revision, SensorKind(int(identity.kind)), wavelengths, identity.slot_rate_mhz / 1000,
        identity.max_schedule_slots, Calibration(**numbers), (),
    )  # fmt: skip


def take(imager: object, slot: int, light: Light) -> Slot:
    image = imager.expose(Exposure(slot, slot * SLOT_US, light, 2_500, 1.0, Prompt.LOOK_STRAIGHT))

    def frame(pixels: np.ndarray, stream: Stream) -> Frame:
        data = pixels.tobytes()
        return Frame(
            stream, pixels.shape[1], pixels.shape[0], data, slot, slot, slot * SLOT_US, 2_500, 1.0,
            Illumination(int(light)), 940, 35.0, b"", digest_of(data),
        )  # fmt: skip

    depth = None if image.depth is None else frame(image.depth, Stream.DEPTH)
    return Slot(frame(image.infrared, Stream.INFRARED), depth)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--people", type=int, default=4)
    options.add_argument("--rounds", type=int, default=40)
    arguments = options.parse_args()
    models = ModelFiles.locate()
    plain, looks, identities = [], [], []
    for seed in range(arguments.people):
        imager = SENSORS["sl-940"].build(ACTORS["live"].build(seed), seed)
        analysis = FaceAnalysis(models, sensor_info(imager))
        dots = [take(imager, slot, Light.DOTS) for slot in range(2)][-1]
        flood = take(imager, 2, Light.FLOOD)
        network = cv2.FaceDetectorYN.create(
            "onnx", np.frombuffer(models.detector, np.uint8), np.empty(0, np.uint8), SEARCH_SIZE_PX, SCORE_MIN, NMS_IOU
        )
        picture = cv2.resize((flood.infrared.pixels >> 8).astype(np.uint8), SEARCH_SIZE_PX)
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
        frame_set = FrameSet(0, (flood,))
        look = analysis.look(flood, dots.depth)

        def identity(
            analysis: FaceAnalysis = analysis, frame_set: FrameSet = frame_set, look: object = look
        ) -> None:
            analysis.begin()
            if analysis.assemble(frame_set, (look,), Told.NONE, None).identity is None:
                raise SystemExit("no identity: nothing was measured")

        plain.append(median_ms(lambda network=network, picture=picture: network.detect(picture), arguments.rounds))
        looks.append(
            median_ms(lambda a=analysis, f=flood, d=dots.depth: a.look(f, d), arguments.rounds)
        )
        identities.append(median_ms(identity, max(5, arguments.rounds // 4)))
    yuned, look_ms, identity_ms = (statistics.median(values) for values in (plain, looks, identities))
    slot_ms = (FLOOD_HZ * look_ms + 1e6 / IDENTITY_INTERVAL_US * identity_ms) / SLOTS_HZ
    print(f"plain YuNet at {SEARCH_SIZE_PX[0]} x {SEARCH_SIZE_PX[1]}   {yuned:6.2f} ms")
    print(f"a flood slot               {look_ms:6.2f} ms   {look_ms / yuned:.2f} of plain YuNet")
    print(f"an identity                {identity_ms:6.2f} ms")
    print(f"mean over all slots        {slot_ms:6.2f} ms   {slot_ms / (1e3 / SLOTS_HZ):.2f} of a slot (one core)")


if __name__ == "__main__":
    main()
