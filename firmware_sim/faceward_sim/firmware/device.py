"""The sensor's firmware: control transfers in, payloads out, one slot at a time.

A state machine without threads or wall clock. `control` may be called from any thread while another is in `next_slot`;
`next_slot` and `skip_slot` belong to one thread.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from faceward_sim.firmware.capture import SentCapture, Unattestable
from faceward_sim.firmware.chain import GENUINE, Provision, StartedFirmware, start
from faceward_sim.firmware.chunks import CHUNK_BYTES, ChunkError, CommandAssembler, split_reply
from faceward_sim.firmware.controls import (
    CAN_GET,
    CAN_SET,
    GET_CUR,
    GET_DEF,
    GET_INFO,
    GET_LEN,
    GET_MAX,
    GET_MIN,
    GET_RES,
    SET_CUR,
    NumberControl,
    RequestError,
    RequestRefused,
)
from faceward_sim.firmware.descriptors import (
    CAMERA_TERMINAL,
    CONTROL_INTERFACE,
    EXTENSION_UNIT,
    INFRARED,
    PROCESSING_UNIT,
    Descriptors,
    FrameSize,
    StreamShape,
    depth_shape,
)
from faceward_sim.firmware.imager import Exposure, Illumination, Imager, Prompt, measures_depth
from faceward_sim.firmware.messages import (
    AttestRequest,
    AuthenticatedRequest,
    ConfigurationRequest,
    ConnectRequest,
    DeviceFault,
    ExposureRequest,
    IndicatorRequest,
    QueryRequest,
    ReplyStatus,
    Request,
    ScheduleRequest,
    calibration_fields,
    decode_request,
    encode_reply,
    identity_fields,
)
from faceward_sim.firmware.payload import (
    FrameMetadata,
    StreamId,
    WireFrame,
    downscale_depth,
    downscale_infrared,
    pack_frame,
)
from faceward_sim.firmware.probe import PROBE_BYTES, Probe, committed_size, decode_probe, default_probe, settle
from faceward_sim.firmware.protobuf import Malformed
from faceward_sim.firmware.session import RANDOM_BYTES, BadPoint, Session
from faceward_sim.firmware.setup import Setup, Stall

# From power to the first answer, and from a commit to slot 0; virtual time.
BOOT_US = 1_500_000
START_US = 200_000
# Before the first exposure the die has the room's temperature.
_COLD_C = 25.0

_EXPOSURE_STEP_US = 100  # UVC 1.1, 4.2.2.1.4
_ERROR_CODE_SELECTOR, _EXPOSURE_SELECTOR, _GAIN_SELECTOR = 2, 4, 4
_COMMAND_SELECTOR, _REPLY_SELECTOR = 1, 2
_PROBE_SELECTOR, _COMMIT_SELECTOR = 1, 2

_GET_STATUS, _CLEAR_FEATURE, _SET_FEATURE, _SET_ADDRESS, _GET_DESCRIPTOR = 0, 1, 3, 5, 6
_GET_CONFIGURATION, _SET_CONFIGURATION, _GET_INTERFACE, _SET_INTERFACE = 8, 9, 10, 11
_TO_DEVICE, _TO_INTERFACE, _TO_ENDPOINT = 0, 1, 2
_ENDPOINT_HALT = 0


class _Stream:
    """State of one streaming interface; nothing here is shared with the other one."""

    def __init__(self, shape: StreamShape) -> None:
        self.shape = shape
        self.run = 0
        self.reset()

    def reset(self) -> None:
        self.probe: Probe = default_probe(self.shape)
        self.committed_probe: Probe = default_probe(self.shape)
        self.halted = False
        self.stop()

    def start(self, size: FrameSize) -> None:
        self.size: FrameSize | None = size
        self.sequence = 0
        self.run += 1

    def stop(self) -> None:
        self.size = None
        self.sequence = 0
        self.run += 1


@dataclass(frozen=True, slots=True)
class _SlotPlan:
    """What one slot is taken with, fixed before the imager works."""

    exposure: Exposure
    config_hash: bytes


class Firmware:
    """One sensor over one imager.

    `conditions` are the faults that it reports of itself; while there are any, it takes no schedule. A sensor without
    `provision` has no attestation. `random` gives so many random bytes.

    Raises ValueError for an imager whose model has no USB ids.
    """

    claimed_elsewhere = False

    def __init__(
        self,
        imager: Imager,
        provision: Provision | None = GENUINE,
        *,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self.imager = imager
        self.provision = provision
        self._random = random
        self.descriptors = Descriptors(imager.identity)
        self.conditions: set[DeviceFault] = set()
        self.dropped_frames = 0
        self._lock = threading.RLock()
        self._wavelengths = {illumination: nm for illumination, nm in imager.identity.emitters}
        self._infrared = _Stream(INFRARED)
        self._depth = _Stream(depth_shape(imager.identity.kind))
        self._streams = {stream.shape.interface: stream for stream in (self._infrared, self._depth)}
        self._endpoints = {stream.shape.endpoint: stream for stream in (self._infrared, self._depth)}
        self._exposure = NumberControl(4, 1, 330, 20)
        self._gain = NumberControl(2, 100, 1600, 100)
        self._assembler = CommandAssembler()
        self._now_us = BOOT_US
        self._start_us = BOOT_US
        self._slot = 0
        self._temperature_c = _COLD_C
        self._error = RequestError.NONE
        self.reset()

    def reset(self) -> None:
        """A bus reset: everything that a host has set is gone. The device's clock goes on."""
        with self._lock:
            self._configuration = 0
            self._unconfigure()

    def power_cycle(self) -> None:
        """Off and on again: a reset, and the start-up takes its time. The clock goes on, for people do too."""
        with self._lock:
            self.reset()
            self._now_us += BOOT_US

    def _unconfigure(self) -> None:
        for stream in self._streams.values():
            stream.reset()
        self._exposure.reset()
        self._gain.reset()
        self._assembler.reset()
        self._replies: list[bytes] = []
        self._schedule: ScheduleRequest | None = None
        self._end_session()
        self._prompt = Prompt.NONE
        self._error = RequestError.NONE
        self.dropped_frames = 0

    def _end_session(self) -> None:
        self._session: Session | None = None
        self._configured: dict[_Stream, tuple[int, int]] = {}
        self._capture: SentCapture | None = None
        self._capturing = False

    @cached_property
    def _started(self) -> StartedFirmware:
        assert self.provision is not None
        return start(self.imager.identity, self.provision)

    @property
    def streaming(self) -> bool:
        """True while slots are taken."""
        return self._infrared.size is not None

    @property
    def slot(self) -> int:
        """The number of the next slot."""
        return self._slot

    @property
    def slot_period_us(self) -> float:
        """From one slot's start to the next one's."""
        return 1e9 / self.imager.identity.slot_rate_mhz

    @property
    def uptime_us(self) -> int:
        """The device's clock: the end of what it has done so far."""
        return self._now_us

    def stream_run(self, endpoint: int) -> int:
        """Changes whenever the endpoint's stream starts or stops. Raises KeyError for another endpoint."""
        return self._endpoints[endpoint].run

    def halted(self, endpoint: int) -> bool:
        """True while the host keeps the endpoint halted. Raises KeyError for another endpoint."""
        return self._endpoints[endpoint].halted

    def report_dropped(self, frames: int) -> None:
        """The port had to throw whole frames away."""
        with self._lock:
            self.dropped_frames += frames

    # Slots

    def next_slot(self) -> tuple[WireFrame, ...]:
        """Take one slot: the infrared frame, then the depth frame where there is one.

        Empty when nothing streams, or when the host stopped while the imager worked.
        """
        with self._lock:
            if not self.streaming:
                return ()
            plan = self._plan()
            run = self._infrared.run
        image = self.imager.expose(plan.exposure)
        with self._lock:
            self._temperature_c = image.temperature_c
            if self._infrared.run != run:
                return ()
            frames = [self._frame(self._infrared, StreamId.INFRARED, image.infrared, plan)]
            if image.depth is not None and self._has_depth(plan.exposure.illumination):
                frames.append(self._frame(self._depth, StreamId.DEPTH, image.depth, plan))
            self._advance()
            return tuple(frames)

    def skip_slot(self) -> None:
        """Let one slot go by unexposed, as a late sensor does: its numbers are used up and counted as dropped."""
        with self._lock:
            if not self.streaming:
                return
            self._infrared.sequence += 1
            self.dropped_frames += 1
            if self._has_depth(self._illumination()):
                self._depth.sequence += 1
                self.dropped_frames += 1
            self._advance()

    def _has_depth(self, illumination: Illumination) -> bool:
        return self._depth.size is not None and measures_depth(self.imager.identity.kind, illumination)

    def _plan(self) -> _SlotPlan:
        exposure = Exposure(
            self._slot,
            self._slot_start_us(),
            self._illumination(),
            self._exposure.value * _EXPOSURE_STEP_US,
            self._gain.value / 100,
            self._prompt,
        )
        return _SlotPlan(exposure, self.config_hash())

    def _slot_start_us(self) -> int:
        return self._start_us + self._slot * 1_000_000_000 // self.imager.identity.slot_rate_mhz

    def _illumination(self) -> Illumination:
        if self._schedule is not None:
            slots = self._schedule.slots
            return Illumination(slots[self._slot]) if self._slot < len(slots) else Illumination.OFF
        if self._slot % 10 == 9 or not self._wavelengths:
            return Illumination.OFF
        has_dots = Illumination.DOTS in self._wavelengths
        return Illumination.DOTS if has_dots and self._slot % 3 == 0 else Illumination.FLOOD

    def _frame(self, stream: _Stream, stream_id: StreamId, image: NDArray[np.uint16], plan: _SlotPlan) -> WireFrame:
        exposure = plan.exposure
        size = stream.size
        assert size is not None
        if image.shape != (size.height_px, size.width_px):
            image = (downscale_infrared if stream is self._infrared else downscale_depth)(image)
        metadata = FrameMetadata(
            stream=stream_id,
            illumination=exposure.illumination,
            wavelength_nm=self._wavelengths.get(exposure.illumination, 0),
            sequence=stream.sequence,
            slot=exposure.slot,
            device_time_us=exposure.device_time_us,
            exposure_us=exposure.exposure_us,
            gain=exposure.gain,
            temperature_c=self._temperature_c,
            config_hash=plan.config_hash,
        )
        bus_time_us = exposure.device_time_us + exposure.exposure_us
        seal = None if self._session is None else self._seal
        frame = pack_frame(stream.shape.endpoint, image, metadata, bus_time_us, seal)
        frame.run = stream.run
        stream.sequence += 1
        return frame

    def _seal(self, record: bytes) -> bytes:
        """The tag of a frame that is about to leave, which the capture's digest then covers."""
        assert self._session is not None
        if self._capturing and self._capture is not None:
            self._capture.add(record)
        return self._session.tag(record)

    def _advance(self) -> None:
        if self._capturing and self._capture is not None:
            self._capture.end_slot()
        self._slot += 1
        self._now_us = self._slot_start_us()

    def config_hash(self) -> bytes:
        """Eight bytes over what the host has set (docs/protocol.md)."""
        sizes = []
        for stream in (self._infrared, self._depth):
            sizes += [stream.size.width_px, stream.size.height_px] if stream.size else [0, 0]
        raw = self._schedule.raw if self._schedule is not None else b""
        text = b"faceward.config.v1\0" + struct.pack("<4H", *sizes) + hashlib.sha256(raw).digest()
        return hashlib.sha256(text).digest()[:8]

    # Control transfers

    def control(self, setup: bytes, data: bytes = b"") -> bytes:
        """One control transfer: the setup packet, and what the host sends; what the device sends comes back.

        Raises Stall, or ValueError for a setup packet that is not eight bytes long.
        """
        packet = Setup.parse(setup)
        if not packet.is_in and len(data) != packet.length:
            raise Stall(f"the host announced {packet.length} bytes and sent {len(data)}")
        with self._lock:
            if packet.type == 0:
                return self._standard(packet)[: packet.length]
            if packet.type != 1 or packet.recipient != _TO_INTERFACE or not self._configuration:
                raise Stall("no such request")
            return self._class(packet, bytes(data))[: packet.length]

    def _standard(self, packet: Setup) -> bytes:
        answer = {
            (True, _GET_STATUS): self._get_status,
            (False, _CLEAR_FEATURE): self._feature,
            (False, _SET_FEATURE): self._feature,
            (False, _SET_ADDRESS): lambda packet: b"",
            (True, _GET_DESCRIPTOR): self._get_descriptor,
            (True, _GET_CONFIGURATION): lambda packet: bytes([self._configuration]),
            (False, _SET_CONFIGURATION): self._set_configuration,
            (True, _GET_INTERFACE): self._get_interface,
            (False, _SET_INTERFACE): self._set_interface,
        }.get((packet.is_in, packet.request))
        if answer is None:
            raise Stall("no such standard request")
        return answer(packet)

    def _get_status(self, packet: Setup) -> bytes:
        if packet.recipient == _TO_DEVICE:
            return b"\0\0"
        if packet.recipient == _TO_INTERFACE:
            self._known_interface(packet.index)
            return b"\0\0"
        if packet.recipient == _TO_ENDPOINT and packet.index & 0x7F == 0:
            return b"\0\0"
        return bytes([self._endpoint(packet).halted, 0])

    def _feature(self, packet: Setup) -> bytes:
        if packet.recipient != _TO_ENDPOINT or packet.value != _ENDPOINT_HALT:
            raise Stall("no such feature")
        if packet.index & 0x7F == 0:
            return b""
        stream = self._endpoint(packet)
        if packet.request == _SET_FEATURE:
            stream.halted = True
            return b""
        stream.halted = False
        self._stop(stream)
        return b""

    def _endpoint(self, packet: Setup) -> _Stream:
        stream = self._endpoints.get(packet.index)
        if packet.recipient != _TO_ENDPOINT or stream is None or not self._configuration:
            raise Stall("no such endpoint")
        return stream

    def _known_interface(self, number: int) -> None:
        if not self._configuration or number not in (CONTROL_INTERFACE, *self._streams):
            raise Stall("no such interface")

    def _get_descriptor(self, packet: Setup) -> bytes:
        found = None
        if packet.recipient == _TO_DEVICE:
            found = self.descriptors.get(packet.value >> 8, packet.value & 0xFF)
        if found is None:
            raise Stall("no such descriptor")
        return found

    def _set_configuration(self, packet: Setup) -> bytes:
        if packet.recipient != _TO_DEVICE or packet.value not in (0, 1):
            raise Stall("no such configuration")
        self._unconfigure()
        self._configuration = packet.value
        return b""

    def _get_interface(self, packet: Setup) -> bytes:
        self._known_interface(packet.index)
        return b"\0"

    def _set_interface(self, packet: Setup) -> bytes:
        self._known_interface(packet.index)
        if packet.value != 0:
            raise Stall("there is one alternate setting")
        if packet.index in self._streams:
            stream = self._streams[packet.index]
            stream.halted = False
            self._stop(stream)
        return b""

    def _stop(self, stream: _Stream) -> None:
        if stream.size is None:
            return
        stream.stop()
        if stream is self._infrared:
            self._schedule = None
            self._capturing = False

    def _class(self, packet: Setup, data: bytes) -> bytes:
        interface, entity = packet.index & 0xFF, packet.index >> 8
        if packet.is_in == (packet.request == SET_CUR) or packet.value & 0xFF:
            raise Stall("a class request's direction or value is wrong")
        if interface in self._streams and entity == 0:
            return self._stream_request(self._streams[interface], packet, data)
        if interface != CONTROL_INTERFACE:
            raise Stall("no such interface")
        if (entity, packet.value >> 8) == (0, _ERROR_CODE_SELECTOR):
            return self._error_code(packet.request)
        try:
            answer = self._control_request(entity, packet, data)
        except RequestRefused as refused:
            self._error = refused.reason
            raise Stall(str(refused)) from None
        self._error = RequestError.NONE
        return answer

    def _error_code(self, request: int) -> bytes:
        answer = {GET_CUR: bytes([self._error]), GET_INFO: bytes([CAN_GET]), GET_LEN: b"\x01\0"}.get(request)
        if answer is None:
            raise Stall("the error code is read only")
        return answer

    def _control_request(self, entity: int, packet: Setup, data: bytes) -> bytes:
        selector = packet.value >> 8
        controls = {
            CAMERA_TERMINAL: {_EXPOSURE_SELECTOR: self._exposure},
            PROCESSING_UNIT: {_GAIN_SELECTOR: self._gain},
        }
        if entity in controls:
            control = controls[entity].get(selector)
            if control is None:
                raise RequestRefused(RequestError.INVALID_CONTROL)
            if self._session is not None and packet.request == SET_CUR:
                raise RequestRefused(RequestError.WRONG_STATE)
            return control.request(packet.request, data)
        if entity == EXTENSION_UNIT:
            return self._extension_request(selector, packet, data)
        raise RequestRefused(RequestError.INVALID_UNIT)

    # Streaming interfaces

    def _stream_request(self, stream: _Stream, packet: Setup, data: bytes) -> bytes:
        selector = packet.value >> 8
        if selector not in (_PROBE_SELECTOR, _COMMIT_SELECTOR):
            raise Stall("no such control on a streaming interface")
        if packet.request == SET_CUR:
            try:
                asked = decode_probe(data)
            except ValueError as error:
                raise Stall(str(error)) from None
            if selector == _PROBE_SELECTOR:
                stream.probe = settle(stream.shape, asked)
            else:
                self._commit(stream, asked)
            return b""
        current = stream.probe if selector == _PROBE_SELECTOR else stream.committed_probe
        default = default_probe(stream.shape).encode()
        answers = {
            GET_CUR: current.encode(),
            GET_LEN: PROBE_BYTES.to_bytes(2, "little"),
            GET_INFO: bytes([CAN_GET | CAN_SET]),
        }
        if selector == _PROBE_SELECTOR:
            answers |= {GET_MIN: default, GET_MAX: default, GET_DEF: default, GET_RES: bytes(PROBE_BYTES)}
        if packet.request not in answers:
            raise Stall("no such request")
        return answers[packet.request]

    def _commit(self, stream: _Stream, asked: Probe) -> None:
        size = committed_size(stream.shape, asked)
        if size is None:
            raise Stall("a commit names what a probe has settled")
        other = self._depth if stream is self._infrared else self._infrared
        if other.size is not None and (other.size.width_px, other.size.height_px) != (size.width_px, size.height_px):
            raise Stall("both streams run at the same size")
        if self._session is not None:
            if self._configured.get(stream) != (size.width_px, size.height_px):
                raise Stall("a session takes the sizes that its configuration named")
            if self.streaming:
                raise Stall("a session takes no commit while slots are taken")
        stream.probe = stream.committed_probe = settle(stream.shape, asked)
        stream.start(size)
        if stream is self._infrared:
            self._start_us = self._now_us + START_US
            self._slot = 0
            if self._depth.size is not None:
                self._depth.start(self._depth.size)
            if self._session is not None and self._schedule is not None:
                self._capture = SentCapture(self.imager.identity, self.imager.calibration, self._schedule)
                self._capturing = True

    # Extension unit

    def _extension_request(self, selector: int, packet: Setup, data: bytes) -> bytes:
        if selector not in (_COMMAND_SELECTOR, _REPLY_SELECTOR):
            raise RequestRefused(RequestError.INVALID_CONTROL)
        is_command = selector == _COMMAND_SELECTOR
        if packet.request == GET_LEN:
            return CHUNK_BYTES.to_bytes(2, "little")
        if packet.request == GET_INFO:
            return bytes([CAN_SET if is_command else CAN_GET])
        if packet.request == SET_CUR and is_command:
            self._command_chunk(data)
            return b""
        if packet.request == GET_CUR and not is_command:
            if packet.length != CHUNK_BYTES:
                raise RequestRefused(RequestError.OUT_OF_RANGE)
            if not self._replies:
                raise RequestRefused(RequestError.WRONG_STATE)
            return self._replies.pop(0)
        raise RequestRefused(RequestError.INVALID_REQUEST)

    def _command_chunk(self, data: bytes) -> None:
        self._replies = []
        try:
            whole = self._assembler.feed(data)
        except ChunkError:
            raise RequestRefused(RequestError.OUT_OF_RANGE) from None
        if whole is not None:
            transaction, message = whole
            self._replies = split_reply(transaction, self._answer(message))

    def _answer(self, message: bytes) -> bytes:
        try:
            request = decode_request(message)
        except Malformed:
            return encode_reply(ReplyStatus.MALFORMED)
        if isinstance(request, ConnectRequest | AuthenticatedRequest | AttestRequest) and self.provision is None:
            return encode_reply(ReplyStatus.UNSUPPORTED)
        if isinstance(request, ConnectRequest):
            return self._connect(request)
        if isinstance(request, AuthenticatedRequest):
            return self._authenticated(request)
        if self._session is not None or isinstance(request, AttestRequest):
            return encode_reply(ReplyStatus.UNAUTHENTICATED)
        return self._handle(request)

    def _connect(self, request: ConnectRequest) -> bytes:
        if self.streaming:
            return encode_reply(ReplyStatus.BUSY)
        try:
            session = Session(request, self._random(RANDOM_BYTES), self._started)
        except BadPoint:
            return encode_reply(ReplyStatus.MALFORMED)
        self._end_session()
        self._schedule = None
        self._session = session
        return encode_reply(ReplyStatus.OK, connect=session.reply)

    def _authenticated(self, request: AuthenticatedRequest) -> bytes:
        session = self._session
        message = None if session is None else session.open(request)
        if session is None or message is None:
            return encode_reply(ReplyStatus.UNAUTHENTICATED)
        try:
            inner = decode_request(message)
        except Malformed:
            inner = None
        if inner is None or isinstance(inner, ConnectRequest | AuthenticatedRequest):
            reply = encode_reply(ReplyStatus.MALFORMED)
        else:
            reply = self._handle(inner)
        return encode_reply(ReplyStatus.OK, authenticated=session.seal(request.counter, reply))

    def _handle(self, request: Request) -> bytes:
        if isinstance(request, ScheduleRequest):
            return encode_reply(self._load(request))
        if isinstance(request, ConfigurationRequest):
            return encode_reply(self._configure(request))
        if isinstance(request, ExposureRequest):
            return encode_reply(self._expose(request))
        if isinstance(request, AttestRequest):
            return self._attest(request)
        if isinstance(request, IndicatorRequest):
            if request.prompt is None:
                return encode_reply(ReplyStatus.UNSUPPORTED)
            self._prompt = request.prompt
            return encode_reply(ReplyStatus.OK)
        assert isinstance(request, QueryRequest)
        if request.name == "stop":
            for stream in self._streams.values():
                self._stop(stream)
            return encode_reply(ReplyStatus.OK)
        if request.name == "identity":
            return encode_reply(ReplyStatus.OK, identity=identity_fields(self.imager.identity))
        if request.name == "calibration":
            return encode_reply(ReplyStatus.OK, calibration=calibration_fields(self.imager.calibration))
        health = {
            "temperature_centi_c": round(self._temperature_c * 100),
            "uptime_us": self._now_us,
            "faults": sorted(self.conditions),
            "dropped_frames": self.dropped_frames,
        }
        return encode_reply(ReplyStatus.OK, health=health)

    def _configure(self, request: ConfigurationRequest) -> ReplyStatus:
        if self.streaming:
            return ReplyStatus.BUSY
        wanted = {self._infrared: request.infrared_px, self._depth: request.depth_px}
        for stream, size_px in wanted.items():
            known = {(frame.width_px, frame.height_px) for frame in stream.shape.frames}
            if size_px not in known and size_px != (0, 0):
                return ReplyStatus.UNSUPPORTED
        self._configured = wanted
        return ReplyStatus.OK

    def _expose(self, request: ExposureRequest) -> ReplyStatus:
        steps = (request.exposure_us + _EXPOSURE_STEP_US // 2) // _EXPOSURE_STEP_US
        if not (self._exposure.takes(steps) and self._gain.takes(request.gain_centi)):
            return ReplyStatus.UNSUPPORTED
        self._exposure.value, self._gain.value = steps, request.gain_centi
        return ReplyStatus.OK

    def _attest(self, request: AttestRequest) -> bytes:
        if self._capture is None:
            return encode_reply(ReplyStatus.MALFORMED)
        try:
            return encode_reply(ReplyStatus.OK, attest=self._capture.attest(request, self._started))
        except Unattestable as refused:
            return encode_reply(refused.status)

    def _load(self, schedule: ScheduleRequest) -> ReplyStatus:
        if self.streaming:
            return ReplyStatus.BUSY
        if self.conditions:
            return ReplyStatus.FAULT
        if max(schedule.slots, default=0) > max(Illumination):
            return ReplyStatus.MALFORMED
        emitters = {Illumination.OFF, *self._wavelengths}
        if len(schedule.slots) > self.imager.identity.max_schedule_slots or not emitters.issuperset(schedule.slots):
            return ReplyStatus.UNSUPPORTED
        self._schedule = schedule
        self._capture = None
        return ReplyStatus.OK
