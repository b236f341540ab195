"""A small deterministic imager, and sensors over it, for tests of the firmware and its ports."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from faceward_proto.v1 import device_pb2
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

WIDTH_PX, HEIGHT_PX = 640, 480


class RampImager:
    """Infrared is a ramp that begins at the slot's number; depth is a plane that moves by a step a slot."""

    def __init__(self, serial: str = "TEST0001") -> None:
        self.identity = FactoryIdentity(
            vendor="Faceward",
            model="sl-940",
            serial=serial,
            firmware_version="1.0.0",
            hardware_revision="A",
            kind=SensorKind.STRUCTURED_LIGHT,
            emitters=((Illumination.DOTS, 940), (Illumination.FLOOD, 940)),
        )
        intrinsics = FactoryIntrinsics(WIDTH_PX, HEIGHT_PX, 554.0, 554.0, 319.5, 239.5)
        self.calibration = FactoryCalibration(
            infrared=intrinsics,
            depth=intrinsics,
            depth_unit_um=125.0,
            baseline_mm=40.0,
            depth_min_mm=200.0,
            depth_max_mm=1200.0,
            dot_pitch_mrad=11.0,
            dot_spot_mrad=0.9,
            lens_mtf50_cy_per_px=0.25,
            flood_counts_per_us_at_1m=0.2,
            flood_second_counts_per_us_at_1m=0.0,
            dot_counts_per_us_at_1m=5.0,
            black_level_counts=64.0,
            read_noise_counts=2.5,
            counts_per_electron=0.1,
            saturation_counts=1023.0,
        )
        self.exposures: list[Exposure] = []
        self._ramp = (np.arange(HEIGHT_PX * WIDTH_PX, dtype=np.uint32) % 1000).astype(np.uint16)
        self._ramp = self._ramp.reshape(HEIGHT_PX, WIDTH_PX)

    def expose(self, exposure: Exposure) -> SlotImage:
        self.exposures.append(exposure)
        depth = None
        if exposure.illumination is Illumination.DOTS:
            depth = np.full((HEIGHT_PX, WIDTH_PX), 3200 + exposure.slot, np.uint16)
            depth[:, ::7] = 0
        return SlotImage(self._ramp + np.uint16(exposure.slot), depth, 36.5)


class Host:
    """Control transfers as bytes, for talking to a firmware without a bus."""

    def __init__(self, control: Callable[[bytes, bytes], bytes]) -> None:
        self._control = control

    def get(self, kind: int, request: int, value: int, index: int, length: int) -> bytes:
        return self._control(struct.pack("<BBHHH", kind, request, value, index, length), b"")

    def put(self, kind: int, request: int, value: int, index: int, data: bytes = b"") -> None:
        self._control(struct.pack("<BBHHH", kind, request, value, index, len(data)), data)

    def configure(self) -> None:
        self.put(0x00, 9, 1, 0)

    def probe(self, interface: int, frame: int = 1, interval: int | None = None) -> bytes:
        interval = interval or (333_333 if interface == 1 else 1_000_000)
        wanted = struct.pack("<HBBI", 1, 1, frame, interval).ljust(34, b"\0")
        self.put(0x21, 0x01, 0x0100, interface, wanted)
        return self.get(0xA1, 0x81, 0x0100, interface, 34)

    def commit(self, interface: int, frame: int = 1) -> None:
        self.put(0x21, 0x01, 0x0200, interface, self.probe(interface, frame))

    def stop(self, endpoint: int) -> None:
        self.put(0x02, 1, 0, endpoint)

    def ask(self, message: bytes, transaction: int = 7) -> bytes:
        """One request over the extension unit; the reply's message."""
        for offset in range(0, max(len(message), 1), 248):
            body = message[offset : offset + 248]
            flags = (offset == 0) | (offset + len(body) == len(message)) << 1
            chunk = struct.pack("<BBHHH", transaction, flags, len(message), offset, len(body)) + body
            self.put(0x21, 0x01, 0x0100, 0x0400, chunk.ljust(256, b"\0"))
        reply = b""
        while True:
            chunk = self.get(0xA1, 0x81, 0x0200, 0x0400, 256)
            number, flags, total, offset, length = struct.unpack_from("<BBHHH", chunk)
            assert (number, offset) == (transaction, len(reply))
            reply += chunk[8 : 8 + length]
            if flags & 2:
                assert len(reply) == total
                return reply


@pytest.fixture
def imager() -> RampImager:
    return RampImager()


@pytest.fixture
def firmware(imager: RampImager) -> Firmware:
    return Firmware(imager)


@pytest.fixture
def host(firmware: Firmware) -> Iterator[Host]:
    talk = Host(firmware.control)
    talk.configure()
    yield talk


class AttestedHost:
    """A host in an attested session with a firmware: the SDK's own half of it, over the bytes of `Host`."""

    def __init__(self, host: Host) -> None:
        from faceward.hal.attestation import Handshake
        from faceward.wire.attestation import read_connect

        self.host = host
        handshake = Handshake()
        self.session = handshake.finish(read_connect(host.ask(handshake.request)))

    def ask(self, **content: object) -> device_pb2.DeviceReply:
        """One authenticated request; what the sensor says to it."""
        return self.ask_bytes(device_pb2.DeviceRequest(**content).SerializeToString())

    def ask_bytes(self, message: bytes) -> device_pb2.DeviceReply:
        return device_pb2.DeviceReply.FromString(self.session.open(self.host.ask(self.session.seal(message))))

    def start(self, slots: bytes, *, frame: int = 2, nonce: bytes = bytes(range(16))) -> None:
        """Configuration, schedule and both commits; the small size if nothing else is said."""
        width_px, height_px = (640, 480) if frame == 1 else (320, 240)
        sizes = {f"{name}_{side}_px": n for name in ("infrared", "depth") for side, n in
                 (("width", width_px), ("height", height_px))}  # fmt: skip
        assert self.ask(configuration=device_pb2.Configuration(**sizes)).status == device_pb2.REPLY_STATUS_OK
        schedule = device_pb2.IlluminationSchedule(nonce=nonce, slots=slots)
        assert self.ask(schedule=schedule).status == device_pb2.REPLY_STATUS_OK
        self.host.commit(2, frame)
        self.host.commit(1, frame)


@pytest.fixture
def connect(host: Host) -> Callable[[], AttestedHost]:
    """Begins a session with the firmware."""
    return lambda: AttestedHost(host)
