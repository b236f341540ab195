"""Bytes a second through the hardware layer, against pyusb reading into one reused array over the same link.

Both read the same sensor over USB/IP on the loopback interface, 64 KB a read, from a server in a process of its own whose
imager costs next to nothing. The yardstick throws its bytes away; the hardware layer checks every payload, copies every
body into a frame, hashes every frame and pairs the streams. Infrared alone is dark, so that both read one stream.

    python benchmarks/hal_throughput.py [--seconds 3] [--rounds 5] [--json]
"""

from __future__ import annotations

import argparse
import array
import json
import multiprocessing
import statistics
import struct
import time
from multiprocessing.connection import Connection

READ_BYTES = 65_536
SLOTS = 4_096


def serve(pipe: Connection) -> None:
    """The server's process: a sensor that takes a slot whenever the host has room for one."""
    import numpy as np
    from faceward_sim.firmware.device import Firmware
    from faceward_sim.firmware.imager import (
        Exposure,
        FactoryCalibration,
        FactoryIdentity,
        FactoryIntrinsics,
        Illumination,
        SensorKind,
        SlotImage,
    )
    from faceward_sim.ports.powered import PoweredSensor
    from faceward_sim.ports.usbip import UsbipServer

    class FastImager:
        identity = FactoryIdentity(
            "Faceward", "sl-940", "BENCH", "1.0.0", "A", SensorKind.STRUCTURED_LIGHT,
            ((Illumination.DOTS, 940), (Illumination.FLOOD, 940)),
        )  # fmt: skip
        _camera = FactoryIntrinsics(640, 480, 554.0, 554.0, 319.5, 239.5)
        calibration = FactoryCalibration(
            _camera, _camera, 125.0, 40.0, 200.0, 1200.0, 11.0, 0.9, 0.25, 0.2, 0.0, 5.0, 64.0, 2.5, 0.1, 1023.0
        )

        def __init__(self) -> None:
            random = np.random.default_rng(0)
            self._images = [random.integers(64, 1023, (480, 640), np.uint16) for _ in range(2)]

        def expose(self, exposure: Exposure) -> SlotImage:
            return SlotImage(self._images[exposure.slot % 2])

    server = UsbipServer([PoweredSensor(Firmware(FastImager()), capacity_frames=8)], port=0)
    pipe.send(server.port)
    pipe.recv()
    server.close()


def pyusb_rate(port: int, seconds: float) -> float:
    """Bytes a second of pyusb with one array, once the stream is committed by hand."""
    import usb.core
    import usb.util
    from faceward.hal.usbip import get_backend

    device = usb.core.find(backend=get_backend("127.0.0.1", port, "1-1"))
    probe = struct.pack("<HBBI", 1, 1, 1, 333_333).ljust(34, b"\0")
    for selector in (1, 2):
        device.ctrl_transfer(0x21, 0x01, selector << 8, 1, probe, 1000)
    buffer = array.array("B", bytes(READ_BYTES))
    for _ in range(100):
        device.read(0x81, buffer, 1000)
    total, began = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds:
        total += device.read(0x81, buffer, 1000)
    usb.util.dispose_resources(device)
    return total / elapsed


def hal_rate(port: int, seconds: float) -> float:
    """Bytes a second of frames that came out of `read_slot`."""
    from faceward.hal.discovery import open_sensor
    from faceward.hal.uvc import UvcDriver
    from faceward.model.frame import IlluminationSchedule

    schedule = IlluminationSchedule(b"benchmark", bytes([2] * SLOTS))
    address = f"usbip://127.0.0.1:{port}/1-1"
    with open_sensor(address, [UvcDriver()], transports=frozenset({"usbip"})) as sensor:
        sensor.start(sensor.info.profiles[0], schedule)
        for _ in range(10):
            sensor.read_slot()
        total, began = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - began) < seconds:
            slot = sensor.read_slot()
            total += len(slot.infrared.data)
    return total / elapsed


def main() -> None:
    """Measure in turn, so that whatever else runs on the machine meets both alike, and print the median ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(there,), daemon=True)
    process.start()
    port = here.recv()
    yardsticks, rates = [], []
    for _ in range(options.rounds):
        yardsticks.append(pyusb_rate(port, options.seconds))
        rates.append(hal_rate(port, options.seconds))
    here.send("done")
    process.join()
    ratio = statistics.median(rate / yardstick for rate, yardstick in zip(rates, yardsticks, strict=True))
    yardstick, rate = statistics.median(yardsticks), statistics.median(rates)
    if options.json:
        print(json.dumps({"pyusb_bytes_per_s": yardstick, "hal_bytes_per_s": rate, "ratio": ratio}))
        return
    print(f"pyusb, one reused array : {yardstick / 1e6:7.1f} MB/s at {READ_BYTES} bytes a read")
    print(f"faceward.hal            : {rate / 1e6:7.1f} MB/s at {READ_BYTES} bytes a read")
    print(f"ratio                   : {ratio:7.2f} (aim 0.9)")


if __name__ == "__main__":
    main()
