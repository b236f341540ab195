"""What host and sensor say to each other, and what a recording holds, between protobuf and the model.

Reading is strict (faceward_proto.reader), and then every value is held against what it may be: a sensor's description
is input from outside.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, fields
from typing import Any, Final

from faceward_proto.reader import MalformedMessage, read_message
from faceward_proto.v1 import capture_pb2, device_pb2

from faceward.errors import ConfigError, DeviceBusy, DeviceError, DeviceFault, DeviceNotAttested, DeviceProtocolError
from faceward.model.frame import (
    Calibration,
    Frame,
    Health,
    Illumination,
    IlluminationSchedule,
    Intrinsics,
    Prompt,
    SensorKind,
    Stream,
    digest_of,
)

MAX_MESSAGE_BYTES: Final = 8_192  # docs/protocol.md, extension unit
MAX_SIDE_PX: Final = 4_096
MAX_FRAME_MESSAGE_BYTES: Final = 2 * MAX_SIDE_PX * MAX_SIDE_PX + 4_096
_MAX_TEXT = 128
_NONCE_BYTES = range(8, 33)
_FAULTS: Final = {
    device_pb2.DEVICE_FAULT_PROJECTOR: "projector",
    device_pb2.DEVICE_FAULT_FLOOD: "flood",
    device_pb2.DEVICE_FAULT_OVERHEAT: "overheat",
    device_pb2.DEVICE_FAULT_BROWNOUT: "brownout",
    device_pb2.DEVICE_FAULT_CLOCK: "clock",
}
# Calibration's numbers must not be below zero; these must be above it. A recording may lack what is not of depth.
_POSITIVE_IN_RECORDING = frozenset({"depth_unit_um", "depth_max_mm"})
_POSITIVE = _POSITIVE_IN_RECORDING | {"flood_counts_per_us_at_1m", "counts_per_electron", "saturation_counts"}


class UnsupportedRequest(DeviceError):
    """The sensor has no such function."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a sensor says it is (device.proto)."""

    vendor: str
    model: str
    serial: str
    firmware_version: str
    hardware_revision: str
    kind: SensorKind
    wavelengths_nm: dict[Illumination, int]
    slot_rate_hz: float
    max_schedule_slots: int


@dataclass(frozen=True, slots=True)
class RecordedSensor:
    """The first message of a recording (capture.proto)."""

    address: str
    identity: Identity
    calibration: Calibration
    schedule: IlluminationSchedule
    streams: frozenset[Stream]
    simulated: bool


@dataclass(frozen=True, slots=True)
class RecordedPrompt:
    """What the person was told, and when (capture.proto)."""

    device_time_us: int
    prompt: Prompt


def schedule_bytes(schedule: IlluminationSchedule) -> bytes:
    """The IlluminationSchedule message: what the sensor receives and what config hash and schedule digest are over.

    Raises: ConfigError for a nonce that has not 8 to 32 bytes, or a slot that is no Illumination.
    """
    return _schedule_message(schedule).SerializeToString(deterministic=True)


def config_hash(infrared_px: tuple[int, int], depth_px: tuple[int, int], schedule: bytes) -> bytes:
    """The 8 bytes that every frame carries (docs/protocol.md); `schedule` is `schedule_bytes`, or empty without one."""
    sizes = struct.pack("<4H", *infrared_px, *depth_px)
    text = b"faceward.config.v1\0" + sizes + hashlib.sha256(schedule).digest()
    return hashlib.sha256(text).digest()[:8]


def _schedule_message(schedule: IlluminationSchedule) -> device_pb2.IlluminationSchedule:
    if len(schedule.nonce) not in _NONCE_BYTES:
        raise ConfigError(f"a schedule's nonce has 8 to 32 bytes, not {len(schedule.nonce)}")
    if schedule.slots and max(schedule.slots) > max(Illumination):
        raise ConfigError(f"a schedule's slot can't be {max(schedule.slots)}")
    return device_pb2.IlluminationSchedule(nonce=schedule.nonce, slots=schedule.slots)


def identity_request() -> bytes:
    """A DeviceRequest for the identity."""
    return device_pb2.DeviceRequest(identity=device_pb2.IdentityRequest()).SerializeToString()


def calibration_request() -> bytes:
    """A DeviceRequest for the calibration."""
    return device_pb2.DeviceRequest(calibration=device_pb2.CalibrationRequest()).SerializeToString()


def health_request() -> bytes:
    """A DeviceRequest for the health."""
    return device_pb2.DeviceRequest(health=device_pb2.HealthRequest()).SerializeToString()


def schedule_request(schedule: IlluminationSchedule) -> bytes:
    """A DeviceRequest that loads a schedule.

    Raises: ConfigError.
    """
    request = device_pb2.DeviceRequest(schedule=_schedule_message(schedule))
    message = request.SerializeToString(deterministic=True)
    if len(message) > MAX_MESSAGE_BYTES:
        raise ConfigError(f"a schedule of {len(schedule.slots)} slots is too long for the sensor's control channel")
    return message


def indicator_request(prompt: Prompt) -> bytes:
    """A DeviceRequest that shows a prompt."""
    return device_pb2.DeviceRequest(
        indicator=device_pb2.Indicator(prompt=device_pb2.Prompt.ValueType(int(prompt)))
    ).SerializeToString()


def configuration_request(infrared_px: tuple[int, int], depth_px: tuple[int, int]) -> bytes:
    """A DeviceRequest that names the sizes of the commits to come."""
    configuration = device_pb2.Configuration(
        infrared_width_px=infrared_px[0],
        infrared_height_px=infrared_px[1],
        depth_width_px=depth_px[0],
        depth_height_px=depth_px[1],
    )
    return device_pb2.DeviceRequest(configuration=configuration).SerializeToString(deterministic=True)


def exposure_request(exposure_us: int, gain_centi: int) -> bytes:
    """A DeviceRequest for the exposure of the slots to come."""
    exposure = device_pb2.Exposure(exposure_us=exposure_us, gain_centi=gain_centi)
    return device_pb2.DeviceRequest(exposure=exposure).SerializeToString(deterministic=True)


def stop_request() -> bytes:
    """A DeviceRequest that ends both streams."""
    return device_pb2.DeviceRequest(stop=device_pb2.StopRequest()).SerializeToString()


def read_identity(reply: bytes) -> Identity:
    """The identity in a DeviceReply.

    Raises: DeviceProtocolError, and what the reply's status says (DeviceBusy, DeviceFault, DeviceError).
    """
    return _identity(read_reply(reply, "identity").identity)


def read_calibration(reply: bytes) -> Calibration:
    """The calibration in a DeviceReply. Raises as `read_identity`."""
    return _calibration(read_reply(reply, "calibration").calibration, _POSITIVE)


def read_health(reply: bytes) -> Health:
    """The health in a DeviceReply. Raises as `read_identity`."""
    health = read_reply(reply, "health").health
    faults = tuple(_FAULTS.get(fault, "unspecified") for fault in health.faults)
    return Health(health.temperature_centi_c / 100, health.uptime_us, faults, health.dropped_frames)


def read_done(reply: bytes) -> None:
    """Check a DeviceReply that holds nothing but its status. Raises as `read_identity`."""
    read_reply(reply, None)


def read_reply(data: bytes, content: str | None) -> device_pb2.DeviceReply:
    """A DeviceReply with that content, None for one that holds its status alone.

    Raises: DeviceProtocolError, UnsupportedRequest, and what its status says (DeviceBusy, DeviceFault,
    DeviceNotAttested).
    """
    try:
        reply = read_message(device_pb2.DeviceReply, data, max_bytes=MAX_MESSAGE_BYTES)
    except MalformedMessage as error:
        raise DeviceProtocolError(f"the sensor's reply is malformed: {error}") from error
    if reply.status == device_pb2.REPLY_STATUS_BUSY:
        raise DeviceBusy("the sensor does not take this request while it streams")
    if reply.status == device_pb2.REPLY_STATUS_FAULT:
        raise DeviceFault("the sensor refuses because of a fault of its own; its health says which")
    if reply.status == device_pb2.REPLY_STATUS_UNSUPPORTED:
        raise UnsupportedRequest("the sensor has no such function")
    if reply.status == device_pb2.REPLY_STATUS_UNAUTHENTICATED:
        raise DeviceNotAttested("the sensor takes this in an attested session alone: open it anew")
    if reply.status != device_pb2.REPLY_STATUS_OK:
        raise DeviceProtocolError(f"the sensor answered with status {reply.status}")
    if reply.WhichOneof("reply") != content:
        raise DeviceProtocolError(f"the sensor answered {reply.WhichOneof('reply')} where {content} was asked for")
    return reply


def printable(value: str, what: str) -> str:
    """A text of the sensor's that can be shown. Raises: DeviceProtocolError."""
    if len(value) > _MAX_TEXT or not value.isprintable():
        raise DeviceProtocolError(f"the sensor's {what} is no printable text of at most {_MAX_TEXT} letters")
    return value


def _identity(message: device_pb2.Identity) -> Identity:
    try:
        kind = SensorKind(message.kind)
    except ValueError:
        raise DeviceProtocolError("the sensor does not say how it measures depth") from None
    wavelengths: dict[Illumination, int] = {}
    for emitter in message.emitters:
        illumination = Illumination(emitter.illumination)
        if illumination is Illumination.OFF or illumination in wavelengths or not 0 < emitter.wavelength_nm < 65_536:
            raise DeviceProtocolError("the sensor's list of emitters makes no sense")
        wavelengths[illumination] = emitter.wavelength_nm
    if not 1_000 <= message.slot_rate_mhz <= 1_000_000:
        raise DeviceProtocolError(f"the sensor's slot rate of {message.slot_rate_mhz} mHz makes no sense")
    if not message.serial:
        raise DeviceProtocolError("the sensor has no serial number")
    return Identity(
        vendor=printable(message.vendor, "vendor"),
        model=printable(message.model, "model"),
        serial=printable(message.serial, "serial number"),
        firmware_version=printable(message.firmware_version, "firmware version"),
        hardware_revision=printable(message.hardware_revision, "hardware revision"),
        kind=kind,
        wavelengths_nm=wavelengths,
        slot_rate_hz=message.slot_rate_mhz / 1000,
        max_schedule_slots=message.max_schedule_slots,
    )


def _intrinsics(message: device_pb2.Intrinsics, what: str) -> Intrinsics:
    sides = (message.width_px, message.height_px)
    if not all(0 < side <= MAX_SIDE_PX for side in sides):
        raise DeviceProtocolError(f"the {what} camera can't be {sides[0]} x {sides[1]} pixels")
    if not (message.fx_px > 0 and message.fy_px > 0):
        raise DeviceProtocolError(f"the {what} camera has no focal length")
    return Intrinsics(*sides, message.fx_px, message.fy_px, message.cx_px, message.cy_px)


def _calibration(message: device_pb2.Calibration, positive: frozenset[str]) -> Calibration:
    values: dict[str, Any] = {
        "infrared": _intrinsics(message.infrared, "infrared"),
        "depth": _intrinsics(message.depth, "depth"),
    }
    for entry in fields(Calibration):
        if entry.name not in values:
            value = float(getattr(message, entry.name))
            if value < 0 or (value == 0 and entry.name in positive):
                raise DeviceProtocolError(f"the sensor's calibration has {entry.name} = {value:g}")
            values[entry.name] = value
    if values["depth_min_mm"] >= values["depth_max_mm"]:
        raise DeviceProtocolError("the sensor's depth range is empty")
    return Calibration(**values)


# Recordings


def identity_message(identity: Identity) -> device_pb2.Identity:
    """The Identity message."""
    return device_pb2.Identity(
        vendor=identity.vendor,
        model=identity.model,
        serial=identity.serial,
        firmware_version=identity.firmware_version,
        hardware_revision=identity.hardware_revision,
        kind=device_pb2.SensorKind.ValueType(int(identity.kind)),
        emitters=[
            device_pb2.Emitter(illumination=device_pb2.Illumination.ValueType(int(lit)), wavelength_nm=wavelength_nm)
            for lit, wavelength_nm in sorted(identity.wavelengths_nm.items())
        ],
        slot_rate_mhz=round(identity.slot_rate_hz * 1000),
        max_schedule_slots=identity.max_schedule_slots,
    )


def calibration_message(calibration: Calibration) -> device_pb2.Calibration:
    """The Calibration message."""
    values: dict[str, Any] = {
        entry.name: getattr(calibration, entry.name)
        for entry in fields(Calibration)
        if entry.name not in ("infrared", "depth")
    }
    for name in ("infrared", "depth"):
        camera = getattr(calibration, name)
        values[name] = device_pb2.Intrinsics(
            width_px=camera.width_px,
            height_px=camera.height_px,
            fx_px=camera.fx_px,
            fy_px=camera.fy_px,
            cx_px=camera.cx_px,
            cy_px=camera.cy_px,
        )
    return device_pb2.Calibration(**values)


def recorded_sensor_message(sensor: RecordedSensor) -> capture_pb2.RecordedSensor:
    """The RecordedSensor message. Raises: ConfigError (a schedule that no sensor takes)."""
    return capture_pb2.RecordedSensor(
        address=sensor.address,
        identity=identity_message(sensor.identity),
        calibration=calibration_message(sensor.calibration),
        schedule=_schedule_message(sensor.schedule),
        streams=[capture_pb2.Stream.ValueType(int(stream)) for stream in sorted(sensor.streams)],
        simulated=sensor.simulated,
    )


def recorded_frame_message(frame: Frame) -> capture_pb2.RecordedFrame:
    """The RecordedFrame message; its pixels are a copy."""
    return capture_pb2.RecordedFrame(
        stream=capture_pb2.Stream.ValueType(int(frame.stream)),
        width_px=frame.width_px,
        height_px=frame.height_px,
        sequence=frame.sequence,
        slot=frame.slot,
        device_time_us=frame.device_time_us,
        exposure_us=frame.exposure_us,
        gain_centi=round(frame.gain * 100),
        illumination=device_pb2.Illumination.ValueType(int(frame.illumination)),
        wavelength_nm=frame.wavelength_nm,
        temperature_centi_c=round(frame.temperature_c * 100),
        config_hash=frame.config_hash,
        tag=frame.tag,
        pixels=bytes(frame.data),
    )


def recorded_prompt_message(prompt: RecordedPrompt) -> capture_pb2.RecordedPrompt:
    """The RecordedPrompt message."""
    return capture_pb2.RecordedPrompt(
        device_time_us=prompt.device_time_us, prompt=device_pb2.Prompt.ValueType(int(prompt.prompt))
    )


def _recorded(kind: Any, data: bytes, limit: int) -> Any:
    try:
        return read_message(kind, data, max_bytes=limit)
    except MalformedMessage as error:
        raise DeviceProtocolError(f"the recording is malformed: {error}") from error


def read_recorded_sensor(data: bytes) -> RecordedSensor:
    """A RecordedSensor from its bytes.

    Raises: DeviceProtocolError.
    """
    message = _recorded(capture_pb2.RecordedSensor, data, 2 * MAX_MESSAGE_BYTES)
    streams = [Stream(stream) for stream in message.streams if stream]
    if not streams or len(streams) != len(message.streams) or len(set(streams)) != len(streams):
        raise DeviceProtocolError("the recording does not say which streams it has")
    if not message.address.isprintable() or len(message.address) > 1024:
        raise DeviceProtocolError("the recording's address is no printable text")
    schedule = IlluminationSchedule(message.schedule.nonce, message.schedule.slots)
    try:
        schedule_bytes(schedule)
    except ConfigError as error:
        raise DeviceProtocolError(f"the recording's schedule is malformed: {error}") from None
    return RecordedSensor(
        address=message.address,
        identity=_identity(message.identity),
        calibration=_calibration(message.calibration, _POSITIVE_IN_RECORDING),
        schedule=schedule,
        streams=frozenset(streams),
        simulated=message.simulated,
    )


def read_recorded_frame(data: bytes) -> Frame:
    """A Frame from a RecordedFrame's bytes, with its digest.

    Raises: DeviceProtocolError.
    """
    message = _recorded(capture_pb2.RecordedFrame, data, MAX_FRAME_MESSAGE_BYTES)
    if message.stream not in (capture_pb2.STREAM_INFRARED, capture_pb2.STREAM_DEPTH):
        raise DeviceProtocolError("a recorded frame belongs to no stream")
    sides = (message.width_px, message.height_px)
    if not all(0 < side <= MAX_SIDE_PX for side in sides):
        raise DeviceProtocolError(f"a recorded frame can't be {sides[0]} x {sides[1]} pixels")
    if len(message.pixels) != 2 * sides[0] * sides[1]:
        raise DeviceProtocolError(
            f"a recorded frame of {sides[0]} x {sides[1]} pixels holds {len(message.pixels)} bytes"
        )
    if len(message.config_hash) not in (0, 8) or len(message.tag) not in (0, 32):
        raise DeviceProtocolError("a recorded frame's config hash or tag is of the wrong length")
    return Frame(
        stream=Stream(message.stream),
        width_px=sides[0],
        height_px=sides[1],
        data=message.pixels,
        sequence=message.sequence,
        slot=message.slot,
        device_time_us=message.device_time_us,
        exposure_us=message.exposure_us,
        gain=message.gain_centi / 100,
        illumination=Illumination(message.illumination),
        wavelength_nm=message.wavelength_nm,
        temperature_c=message.temperature_centi_c / 100,
        config_hash=message.config_hash,
        digest=digest_of(message.pixels),
        tag=message.tag,
    )


def read_recorded_prompt(data: bytes) -> RecordedPrompt:
    """A RecordedPrompt from its bytes.

    Raises: DeviceProtocolError.
    """
    message = _recorded(capture_pb2.RecordedPrompt, data, 64)
    return RecordedPrompt(message.device_time_us, Prompt(message.prompt))
