"""The driver for Faceward sensors: UVC 1.1 over bulk, with the extension unit of docs/protocol.md.

A sensor that can attest itself is talked to in an attested session from its opening to its closing: every command and
every reply is authenticated, and every frame's tag is verified before its slot leaves `read_slot`. There is no way back
to plain words inside a session. A sensor that can't stays usable, with `claim` None.

Threads: the sensor belongs to one process, and one thread at a time calls it; `cancel` alone may come from any. Two
reader threads of its own live from `start` to `stop`. Control transfers go one at a time under one lock, so that the
caller may set exposure or show a prompt while slots stream.
"""

from __future__ import annotations

import contextlib
import itertools
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from faceward.errors import (
    CaptureCancelled,
    ConfigError,
    DeviceBusy,
    DeviceError,
    DeviceFault,
    DeviceLost,
    DeviceNotAttested,
    DeviceProtocolError,
    DeviceTimeout,
)
from faceward.hal.attestation import Handshake, Session
from faceward.hal.chunks import CHUNK_BYTES, ReplyAssembler, split
from faceward.hal.descriptors import FrameChoice, StreamingInterface, VideoFunction, parse_video_function
from faceward.hal.inspection import Expectations
from faceward.hal.payload import HEADER_BYTES, MAX_PAYLOAD_BYTES
from faceward.hal.sensor import Sensor, SensorAddress, SensorDriver, UsbMatch
from faceward.hal.stream import SlotStream, StreamPlan
from faceward.hal.usb import UsbDevice, time_left_s
from faceward.model.capture import CaptureClaim, SensorEvidence
from faceward.model.frame import (
    Health,
    Illumination,
    IlluminationSchedule,
    Prompt,
    SensorInfo,
    Slot,
    Stream,
    StreamProfile,
)
from faceward.wire import attestation as attested
from faceward.wire import device as wire

# pid.codes keeps 1209:0001 to 1209:0010 for tests and prototypes: https://pid.codes/1209/0001/
MATCHES: Final = (
    UsbMatch(0x1209, 0x0001, "sl-940"),
    UsbMatch(0x1209, 0x0003, "sl-850-940"),
    UsbMatch(0x1209, 0x0004, "tof-940"),
    UsbMatch(0x1209, 0x0005, "sl-wide-940"),
)

_SET_CUR, _GET_CUR, _GET_MIN, _GET_MAX = 0x01, 0x81, 0x82, 0x83
_TO_INTERFACE, _FROM_INTERFACE = 0x21, 0xA1
_PROBE, _COMMIT = 1, 2
_EXPOSURE, _GAIN = 4, 4
_COMMAND, _REPLY = 1, 2
_EXPOSURE_STEP_US = 100  # UVC 1.1, 4.2.2.1.4
# UVC 1.1, 4.3.1.1: hint, format, frame, interval, five of compression, frame and payload bytes, clock, framing and
# versions.
_PROBE_LAYOUT = struct.Struct("<HBBIHHHHHIIIBBBB")
_KEEP_INTERVAL = 1
# What is left of a stop's time for the reader threads to end.
_CLOSE_S = 1.0


class UvcDriver(SensorDriver):
    """Opens Faceward sensors."""

    name = "uvc"
    matches: Sequence[UsbMatch] = MATCHES

    def open(self, device: object, address: SensorAddress, *, timeout_s: float = 5.0) -> Sensor:
        """Claim the sensor's three interfaces and ask it what it is, in an attested session where it has one.

        1. The session begins, if the sensor can attest itself.
        2. Identity and calibration are asked in the session, so that nobody on the way can swap them.
        3. The identity is that of the sensor's chain.

        Raises: DeviceBusy, DeviceDenied, DeviceLost, DeviceTimeout, DeviceProtocolError (descriptors or replies that
        are not a sensor's), DeviceNotAttested (it claims to be attested and does not prove it), DeviceError.
        """
        return UvcSensor(UsbDevice(device), address, timeout_s=timeout_s)


@dataclass(frozen=True, slots=True)
class _Range:
    low: int
    high: int

    def nearest(self, value: float) -> int:
        return max(self.low, min(self.high, round(value)))


class UvcSensor(Sensor):
    """An open Faceward sensor. Made by `UvcDriver.open`."""

    def __init__(self, device: UsbDevice, address: SensorAddress, *, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        self._device = device
        self._control = threading.Lock()
        self._transactions = itertools.cycle(range(1, 256))
        self._session: Session | None = None
        self._stream: SlotStream | None = None
        self._cancelled = False
        self._closed = False
        try:
            left_s = time_left_s(deadline, "opening the sensor")
            self._function = parse_video_function(device.configuration_bytes(timeout_s=left_s))
            device.configure(self._function.configuration)
            device.claim(self._function.interfaces)
            # 1
            self._session = self._connect(deadline)
            # 2
            identity = wire.read_identity(self._ask(wire.identity_request(), deadline))
            calibration = wire.read_calibration(self._ask(wire.calibration_request(), deadline))
            # 3
            if self._session is not None:
                self._session.check_identity(identity)
                self.claim = self._session.claim
            self._exposure_range = self._range(self._function.camera_terminal, _EXPOSURE, 4, deadline)
            self._gain_range = self._range(self._function.processing_unit, _GAIN, 2, deadline)
            profiles = _profiles(self._function)
            full = max(profiles, key=lambda profile: profile.width_px)
            for camera in (calibration.infrared, calibration.depth):
                if (camera.width_px, camera.height_px) != (full.width_px, full.height_px):
                    raise DeviceProtocolError("the sensor's calibration is for another size than its full one")
        except BaseException:
            device.close()
            raise
        self.info = SensorInfo(
            address=address.address,
            vendor=identity.vendor,
            model=identity.model,
            serial=identity.serial,
            firmware_version=identity.firmware_version,
            hardware_revision=identity.hardware_revision,
            kind=identity.kind,
            wavelengths_nm=dict(identity.wavelengths_nm),
            slot_rate_hz=identity.slot_rate_hz,
            max_schedule_slots=identity.max_schedule_slots,
            calibration=calibration,
            profiles=profiles,
            transport="usbip" if address.address.startswith("usbip:") else "usb",
            driver=address.driver,
        )

    # The contract

    def start(self, profile: StreamProfile, schedule: IlluminationSchedule, *, timeout_s: float = 5.0) -> None:
        """Load the schedule, negotiate both streams and begin with slot 0.

        Raises: ConfigError (a profile or schedule that this sensor has not, already streaming), DeviceError.
        """
        deadline = time.monotonic() + timeout_s
        self._check_open()
        if self._stream is not None:
            raise ConfigError("the sensor streams already: stop it first")
        choices = self._choices(profile)
        self._check_schedule(schedule)
        size = (profile.width_px, profile.height_px)
        try:
            if self._session is not None:
                wire.read_done(self._ask(wire.configuration_request(size, size), deadline))
            try:
                wire.read_done(self._ask(wire.schedule_request(schedule), deadline))
            except DeviceFault:
                self._raise_fault(deadline)
                raise
            # Infrared last: with its commit slot 0 begins, and depth must flow by then.
            plans = tuple(
                self._negotiate(self._function.streams[stream], choices[stream], deadline)
                for stream in (Stream.DEPTH, Stream.INFRARED)
            )
        except BaseException:
            with contextlib.suppress(DeviceError):
                self._end_streams(deadline)
            raise
        expected = Expectations(
            kind=self.info.kind,
            wavelengths_nm=self.info.wavelengths_nm,
            slot_rate_hz=self.info.slot_rate_hz,
            schedule=schedule,
            config_hash=wire.config_hash(size, size, wire.schedule_bytes(schedule)),
            flood_counts_per_us_at_1m=self.info.calibration.flood_counts_per_us_at_1m,
            black_level_counts=self.info.calibration.black_level_counts,
        )
        check = None if self._session is None else self._session.check_frame
        self._stream = SlotStream(self._device, plans, expected, check)
        if self._cancelled:
            self._stream.cancel()

    def read_slot(self, *, timeout_s: float = 2.0) -> Slot:
        """The next slot, in order, each once, with depth where the slot measured it.

        Raises: DeviceTimeout, DeviceLost, DeviceProtocolError (a slot missing, twice, short, mislabelled), DeviceFault,
        DeviceNotAttested (a frame without the session's tag), CaptureCancelled (after `cancel`). After any of them the
        stream is over.
        """
        if self._cancelled:
            raise CaptureCancelled("cancelled")
        self._check_open()
        if self._stream is None:
            raise ConfigError("the sensor does not stream: start it first")
        return self._stream.next_slot(timeout_s)

    def set_exposure(self, exposure_us: int, gain: float = 1.0, *, timeout_s: float = 1.0) -> None:
        """Exposure of the slots to come, the nearest that the sensor can do; frames carry what they were taken with.

        Raises: ConfigError (no positive number), DeviceError.
        """
        if not (0 < exposure_us < float("inf") and 0 < gain < float("inf")):
            raise ConfigError(f"no exposure can be {exposure_us} us at gain {gain}")
        deadline = time.monotonic() + timeout_s
        self._check_open()
        steps = self._exposure_range.nearest(exposure_us / _EXPOSURE_STEP_US)
        hundredths = self._gain_range.nearest(gain * 100)
        if self._session is not None:
            wire.read_done(self._ask(wire.exposure_request(steps * _EXPOSURE_STEP_US, hundredths), deadline))
            return
        with self._control:
            self._put(self._function.camera_terminal, _EXPOSURE, steps.to_bytes(4, "little"), deadline)
            self._put(self._function.processing_unit, _GAIN, hundredths.to_bytes(2, "little"), deadline)

    def indicate(self, prompt: Prompt, *, timeout_s: float = 1.0) -> None:
        """Show the person a prompt. Raises: DeviceError."""
        self._check_open()
        wire.read_done(self._ask(wire.indicator_request(prompt), time.monotonic() + timeout_s))

    def health(self, *, timeout_s: float = 1.0) -> Health:
        """The sensor's own report. Raises: DeviceError."""
        self._check_open()
        return wire.read_health(self._ask(wire.health_request(), time.monotonic() + timeout_s))

    def attest(self, claim: CaptureClaim, *, timeout_s: float = 2.0) -> SensorEvidence | None:
        """The sensor's signature over the capture that ended last; None from a sensor that can't attest itself.

        Raises: ConfigError (more key frames than a sensor signs), DeviceNotAttested (it saw another capture, or its
        signature is not its chain's), DeviceError.
        """
        self._check_open()
        if self._session is None:
            return None
        request = attested.attest_request(claim.slots, claim.key_frames, claim.grant_digest)
        reply = self._ask(request, time.monotonic() + timeout_s)
        try:
            signed = attested.read_attest(reply)
        except (wire.UnsupportedRequest, DeviceProtocolError) as error:
            raise DeviceNotAttested(f"the sensor does not sign what this host has seen of the capture: {error}") from error
        return self._session.check_capture(claim, signed)

    def stop(self, *, timeout_s: float = 2.0) -> None:
        """End streaming; the sensor can be started again. Idempotent, and quiet where the sensor is gone anyway.

        Raises: DeviceTimeout (it did not stop in time), DeviceProtocolError (it refused), DeviceError.
        """
        stream, self._stream = self._stream, None
        if stream is None:
            return
        deadline = time.monotonic() + timeout_s
        stream.stop_reading()
        is_gone = isinstance(stream.failure, DeviceLost)
        problem: DeviceError | None = None
        try:
            self._end_streams(deadline)
        except DeviceError as error:
            problem = None if is_gone or isinstance(error, DeviceLost) else error
        if not stream.join(max(deadline - time.monotonic(), 0.0)):
            self._leave_behind(lambda: stream.join(float("inf")))
            problem = problem or DeviceTimeout("a read of the sensor's stream does not end")
        if problem is not None:
            raise problem

    def cancel(self) -> None:
        """From any thread: make the running and every later `read_slot` raise CaptureCancelled, until it is closed."""
        self._cancelled = True
        stream = self._stream
        if stream is not None:
            stream.cancel()

    def close(self) -> None:
        """Stop, and give the sensor back. Idempotent; never raises a DeviceError."""
        if self._closed:
            return
        with contextlib.suppress(DeviceError):
            self.stop(timeout_s=_CLOSE_S)
        if not self._closed:
            self._closed = True
            self._device.close()

    def _leave_behind(self, wait: Callable[[], object]) -> None:
        # Closing a device under somebody's transfer crashes libusb: a thread closes it when that transfer has ended.
        self._closed = True

        def close_later() -> None:
            wait()
            self._device.close()

        threading.Thread(target=close_later, name="faceward close", daemon=True).start()

    def _check_open(self) -> None:
        if self._closed:
            raise DeviceLost("the sensor is closed")

    # Streaming

    def _choices(self, profile: StreamProfile) -> dict[Stream, FrameChoice]:
        if profile not in self.info.profiles:
            known = ", ".join(f"{known.width_px} x {known.height_px}" for known in self.info.profiles)
            raise ConfigError(f"the sensor has no profile {profile.width_px} x {profile.height_px}; it has {known}")
        return {
            stream: _choice_of(interface, profile.width_px, profile.height_px)
            for stream, interface in self._function.streams.items()
        }

    def _check_schedule(self, schedule: IlluminationSchedule) -> None:
        if not 0 < len(schedule.slots) <= self.info.max_schedule_slots:
            raise ConfigError(
                f"a schedule has 1 to {self.info.max_schedule_slots} slots on this sensor, not {len(schedule.slots)}"
            )
        for value in sorted(set(schedule.slots)):
            if value not in (Illumination.OFF, *self.info.wavelengths_nm):
                raise ConfigError(f"the sensor has no light {value}, which the schedule asks for")

    def _negotiate(self, interface: StreamingInterface, choice: FrameChoice, deadline: float) -> StreamPlan:
        wanted = _PROBE_LAYOUT.pack(
            _KEEP_INTERVAL, interface.format_index, choice.index, choice.interval_100ns, *[0] * 5, 0, 0, 0, 0, 0, 0, 0
        )
        with self._control:
            self._put_to_stream(interface.number, _PROBE, wanted, deadline)
            settled = self._device.control_in(
                _FROM_INTERFACE, _GET_CUR, _PROBE << 8, interface.number, _PROBE_LAYOUT.size,
                timeout_s=time_left_s(deadline, "negotiating"),
            )  # fmt: skip
            if len(settled) != _PROBE_LAYOUT.size:
                raise DeviceProtocolError(f"the sensor's probe has {len(settled)} bytes, not {_PROBE_LAYOUT.size}")
            _, format_index, frame_index, interval, *_, frame_bytes, payload_bytes, _, _, _, _, _ = (
                _PROBE_LAYOUT.unpack(settled)
            )
            asked = (interface.format_index, choice.index, choice.interval_100ns, choice.frame_bytes)
            if (format_index, frame_index, interval, frame_bytes) != asked:
                raise DeviceProtocolError("the sensor settled on another size or rate than it offered")
            if not HEADER_BYTES < payload_bytes <= MAX_PAYLOAD_BYTES:
                raise DeviceProtocolError(f"the sensor wants payloads of {payload_bytes} bytes")
            self._put_to_stream(interface.number, _COMMIT, settled, deadline)
        packets = -(-payload_bytes // interface.packet_bytes)
        return StreamPlan(
            interface.stream, interface.endpoint, choice.width_px, choice.height_px, packets * interface.packet_bytes
        )

    def _put_to_stream(self, interface: int, selector: int, data: bytes, deadline: float) -> None:
        left_s = time_left_s(deadline, "negotiating")
        self._device.control_out(_TO_INTERFACE, _SET_CUR, selector << 8, interface, data, timeout_s=left_s)

    def _end_streams(self, deadline: float) -> None:
        """The session's `stop`, and then what every sensor understands, which empties the endpoints too."""
        try:
            if self._session is not None:
                wire.read_done(self._ask(wire.stop_request(), deadline))
        finally:
            self._halt(deadline)

    def _halt(self, deadline: float) -> None:
        """CLEAR_FEATURE(ENDPOINT_HALT) for each stream, bounded: what libusb calls for that has no deadline."""
        done = threading.Event()
        problems: list[DeviceError] = []

        def halt() -> None:
            for stream in self._function.streams.values():
                try:
                    self._device.clear_halt(stream.endpoint)
                except DeviceError as error:
                    problems.append(error)
            done.set()

        thread = threading.Thread(target=halt, name="faceward stop", daemon=True)
        thread.start()
        if not done.wait(max(deadline - time.monotonic(), 0.0)):
            self._leave_behind(thread.join)
            raise DeviceTimeout("the sensor did not answer the request to stop")
        if problems:
            raise problems[0]

    def _raise_fault(self, deadline: float) -> None:
        health = wire.read_health(self._ask(wire.health_request(), deadline))
        if health.faults:
            raise DeviceFault(f"the sensor reports a fault: {', '.join(health.faults)}", health.faults[0])

    # Control transfers

    def _connect(self, deadline: float) -> Session | None:
        """A new session; None from a sensor without attestation."""
        handshake = Handshake()
        try:
            reply = attested.read_connect(self._ask(handshake.request, deadline))
        except DeviceBusy:
            # Whoever had the sensor before left it streaming, and is gone: the interfaces are ours.
            self._halt(deadline)
            reply = attested.read_connect(self._ask(handshake.request, deadline))
        return None if reply is None else handshake.finish(reply)

    def _ask(self, request: bytes, deadline: float) -> bytes:
        """One request over the extension unit, authenticated in a session; the reply's message."""
        with self._control:
            if self._session is None:
                return self._exchange(request, deadline)
            return self._session.open(self._exchange(self._session.seal(request), deadline))

    def _exchange(self, request: bytes, deadline: float) -> bytes:
        transaction = next(self._transactions)
        unit = self._function.extension_unit
        for chunk in split(transaction, request):
            self._put(unit, _COMMAND, chunk, deadline)
        assembler = ReplyAssembler(transaction)
        while True:
            message = assembler.feed(self._get(unit, _GET_CUR, _REPLY, CHUNK_BYTES, deadline))
            if message is not None:
                return message

    def _range(self, entity: int, selector: int, size: int, deadline: float) -> _Range:
        ends = []
        with self._control:
            for request in (_GET_MIN, _GET_MAX):
                answer = self._get(entity, request, selector, size, deadline)
                if len(answer) != size:
                    raise DeviceProtocolError(f"a control of {size} bytes answers with {len(answer)}")
                ends.append(int.from_bytes(answer, "little"))
        if not 0 < ends[0] <= ends[1]:
            raise DeviceProtocolError(f"a control's range of {ends[0]} to {ends[1]} is empty")
        return _Range(*ends)

    def _put(self, entity: int, selector: int, data: bytes, deadline: float) -> None:
        index = entity << 8 | self._function.control
        left_s = time_left_s(deadline, "a control transfer")
        self._device.control_out(_TO_INTERFACE, _SET_CUR, selector << 8, index, data, timeout_s=left_s)

    def _get(self, entity: int, request: int, selector: int, size: int, deadline: float) -> bytes:
        index = entity << 8 | self._function.control
        left_s = time_left_s(deadline, "a control transfer")
        return self._device.control_in(_FROM_INTERFACE, request, selector << 8, index, size, timeout_s=left_s)


def _choice_of(interface: StreamingInterface, width_px: int, height_px: int) -> FrameChoice:
    for choice in interface.frames:
        if (choice.width_px, choice.height_px) == (width_px, height_px):
            return choice
    raise ConfigError(f"the {interface.stream.name.lower()} stream has no size {width_px} x {height_px}")


def _profiles(function: VideoFunction) -> tuple[StreamProfile, ...]:
    """The sizes that both streams have, in the infrared stream's order."""
    infrared, depth = (function.streams[stream] for stream in (Stream.INFRARED, Stream.DEPTH))
    depths = {(choice.width_px, choice.height_px): choice for choice in depth.frames}
    profiles = []
    for choice in infrared.frames:
        other = depths.get((choice.width_px, choice.height_px))
        if other is not None:
            rates = (round(1e7 / choice.interval_100ns, 3), round(1e7 / other.interval_100ns, 3))
            profiles.append(StreamProfile(choice.width_px, choice.height_px, *rates))
    if not profiles:
        raise DeviceProtocolError("infrared and depth have no size in common")
    return tuple(profiles)
