"""device.proto as the firmware knows it: which fields there are, and what a request means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from faceward_sim.firmware.imager import FactoryCalibration, FactoryIdentity, FactoryIntrinsics, Prompt
from faceward_sim.firmware.protobuf import Field, Kind, Malformed, decode, encode, fields

NONCE_BYTES = range(8, 33)


class ReplyStatus(IntEnum):
    """How a request ended (device.proto)."""

    OK = 1
    MALFORMED = 2
    UNSUPPORTED = 3
    BUSY = 4
    FAULT = 5
    UNAUTHENTICATED = 6


class DeviceFault(IntEnum):
    """What is wrong with the sensor (device.proto)."""

    PROJECTOR = 1
    FLOOD = 2
    OVERHEAT = 3
    BROWNOUT = 4
    CLOCK = 5


_SCHEDULE = fields((1, "nonce", Kind.BYTES), (2, "slots", Kind.BYTES))
_INDICATOR = fields((1, "prompt", Kind.ENUM))
_CONFIGURATION = fields(
    (1, "infrared_width_px", Kind.UINT32),
    (2, "infrared_height_px", Kind.UINT32),
    (3, "depth_width_px", Kind.UINT32),
    (4, "depth_height_px", Kind.UINT32),
)
_EXPOSURE = fields((1, "exposure_us", Kind.UINT32), (2, "gain_centi", Kind.UINT32))
_CONNECT = fields((1, "host_random", Kind.BYTES), (2, "host_key", Kind.BYTES))
_AUTHENTICATED = fields((1, "counter", Kind.UINT32), (2, "message", Kind.BYTES), (3, "tag", Kind.BYTES))
_ATTEST = fields(
    (1, "slots", Kind.UINT32),
    Field(2, "key_frames", Kind.BYTES, repeated=True),
    (3, "grant_digest", Kind.BYTES),
)
# The schedule stays raw bytes here: the config hash is over them as they were received.
REQUEST = fields(
    Field(1, "identity", Kind.MESSAGE),
    Field(2, "calibration", Kind.MESSAGE),
    Field(3, "health", Kind.MESSAGE),
    (4, "schedule", Kind.BYTES),
    Field(5, "indicator", Kind.MESSAGE, _INDICATOR),
    Field(6, "configuration", Kind.MESSAGE, _CONFIGURATION),
    Field(7, "exposure", Kind.MESSAGE, _EXPOSURE),
    Field(8, "stop", Kind.MESSAGE),
    Field(16, "connect", Kind.MESSAGE, _CONNECT),
    Field(17, "authenticated", Kind.MESSAGE, _AUTHENTICATED),
    Field(18, "attest", Kind.MESSAGE, _ATTEST),
)

_EMITTER = fields((1, "illumination", Kind.ENUM), (2, "wavelength_nm", Kind.UINT32))
_IDENTITY = fields(
    (1, "vendor", Kind.STRING),
    (2, "model", Kind.STRING),
    (3, "serial", Kind.STRING),
    (4, "firmware_version", Kind.STRING),
    (5, "hardware_revision", Kind.STRING),
    (6, "kind", Kind.ENUM),
    Field(7, "emitters", Kind.MESSAGE, _EMITTER, repeated=True),
    (8, "slot_rate_mhz", Kind.UINT32),
    (9, "max_schedule_slots", Kind.UINT32),
)
_INTRINSICS = fields(
    (1, "width_px", Kind.UINT32),
    (2, "height_px", Kind.UINT32),
    (3, "fx_px", Kind.FLOAT),
    (4, "fy_px", Kind.FLOAT),
    (5, "cx_px", Kind.FLOAT),
    (6, "cy_px", Kind.FLOAT),
)
_CALIBRATION = fields(
    Field(1, "infrared", Kind.MESSAGE, _INTRINSICS),
    Field(2, "depth", Kind.MESSAGE, _INTRINSICS),
    (3, "depth_unit_um", Kind.FLOAT),
    (4, "baseline_mm", Kind.FLOAT),
    (5, "depth_min_mm", Kind.FLOAT),
    (6, "depth_max_mm", Kind.FLOAT),
    (7, "dot_pitch_mrad", Kind.FLOAT),
    (8, "dot_spot_mrad", Kind.FLOAT),
    (9, "lens_mtf50_cy_per_px", Kind.FLOAT),
    (10, "flood_counts_per_us_at_1m", Kind.FLOAT),
    (11, "flood_second_counts_per_us_at_1m", Kind.FLOAT),
    (12, "dot_counts_per_us_at_1m", Kind.FLOAT),
    (13, "black_level_counts", Kind.FLOAT),
    (14, "read_noise_counts", Kind.FLOAT),
    (15, "counts_per_electron", Kind.FLOAT),
    (16, "saturation_counts", Kind.FLOAT),
)
_HEALTH = fields(
    (1, "temperature_centi_c", Kind.SINT32),
    (2, "uptime_us", Kind.UINT64),
    Field(3, "faults", Kind.ENUM, repeated=True),
    (4, "dropped_frames", Kind.UINT32),
)
_CONNECT_REPLY = fields((1, "device_random", Kind.BYTES), (2, "chain", Kind.BYTES), (3, "mac", Kind.BYTES))
_ATTEST_REPLY = fields((1, "statement", Kind.BYTES), (2, "signature", Kind.BYTES))
REPLY = fields(
    (1, "status", Kind.ENUM),
    Field(2, "identity", Kind.MESSAGE, _IDENTITY),
    Field(3, "calibration", Kind.MESSAGE, _CALIBRATION),
    Field(4, "health", Kind.MESSAGE, _HEALTH),
    Field(16, "connect", Kind.MESSAGE, _CONNECT_REPLY),
    Field(17, "authenticated", Kind.MESSAGE, _AUTHENTICATED),
    Field(18, "attest", Kind.MESSAGE, _ATTEST_REPLY),
)

# attestation.proto
SIGNED = fields((1, "statement", Kind.BYTES), (2, "signature", Kind.BYTES))
CHAIN = fields(
    Field(1, "model", Kind.MESSAGE, SIGNED),
    Field(2, "device", Kind.MESSAGE, SIGNED),
    Field(3, "firmware", Kind.MESSAGE, SIGNED),
)
MODEL_STATEMENT = fields((1, "vendor", Kind.STRING), (2, "model", Kind.STRING), (3, "key", Kind.BYTES))
DEVICE_STATEMENT = fields((1, "serial", Kind.STRING), (2, "key", Kind.BYTES))
FIRMWARE_STATEMENT = fields(
    (1, "version", Kind.STRING),
    (2, "security_version", Kind.UINT32),
    (3, "firmware_hash", Kind.BYTES),
    (4, "signing_key", Kind.BYTES),
    (5, "agreement_key", Kind.BYTES),
)
CAPTURE_STATEMENT = fields(
    (1, "nonce", Kind.BYTES),
    (2, "schedule_digest", Kind.BYTES),
    (3, "capture_digest", Kind.BYTES),
    (4, "slots", Kind.UINT32),
    Field(5, "key_frames", Kind.BYTES, repeated=True),
    (6, "grant_digest", Kind.BYTES),
)


@dataclass(frozen=True, slots=True)
class ScheduleRequest:
    """An IlluminationSchedule: its bytes as received, and what they say."""

    raw: bytes
    nonce: bytes
    slots: bytes


@dataclass(frozen=True, slots=True)
class IndicatorRequest:
    """An Indicator; None for a prompt that this firmware does not know."""

    prompt: Prompt | None


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """One of the requests without content."""

    name: str  # "identity", "calibration", "health" or "stop"


@dataclass(frozen=True, slots=True)
class ConfigurationRequest:
    """The sizes that both streams will be committed at; (0, 0) for one that will not."""

    infrared_px: tuple[int, int]
    depth_px: tuple[int, int]


@dataclass(frozen=True, slots=True)
class ExposureRequest:
    """Of the slots to come."""

    exposure_us: int
    gain_centi: int


@dataclass(frozen=True, slots=True)
class ConnectRequest:
    """The host's half of a handshake."""

    host_random: bytes
    host_key: bytes


@dataclass(frozen=True, slots=True)
class AuthenticatedRequest:
    """A DeviceRequest in `message`, with what shows whose it is."""

    counter: int
    message: bytes
    tag: bytes


@dataclass(frozen=True, slots=True)
class AttestRequest:
    """What the host says of a capture, for the sensor to sign if it was so."""

    slots: int
    key_frames: tuple[bytes, ...]
    grant_digest: bytes


Request = (
    ScheduleRequest
    | IndicatorRequest
    | QueryRequest
    | ConfigurationRequest
    | ExposureRequest
    | ConnectRequest
    | AuthenticatedRequest
    | AttestRequest
)


def decode_request(message: bytes) -> Request:
    """The one request in a DeviceRequest.

    Raises Malformed for none, for more than one, and for whatever the codec refuses.
    """
    values = decode(REQUEST, message)
    if len(values) != 1:
        raise Malformed(f"a request holds one message, not {len(values)}")
    name, value = values.popitem()
    if name == "schedule":
        schedule = decode(_SCHEDULE, value)
        nonce = schedule.get("nonce", b"")
        if len(nonce) not in NONCE_BYTES:
            raise Malformed(f"a nonce has 8 to 32 bytes, not {len(nonce)}")
        return ScheduleRequest(value, nonce, schedule.get("slots", b""))
    if name == "indicator":
        prompt = value.get("prompt", 0)
        return IndicatorRequest(Prompt(prompt) if prompt in Prompt.__members__.values() else None)
    build = _BUILDERS.get(name)
    return QueryRequest(name) if build is None else build(value)


def _connect(value: dict[str, Any]) -> ConnectRequest:
    random, key = value.get("host_random", b""), value.get("host_key", b"")
    if (len(random), len(key)) != (32, 65):
        raise Malformed("a host's random has 32 bytes, its point 65")
    return ConnectRequest(random, key)


_BUILDERS: dict[str, Callable[[dict[str, Any]], Request]] = {
    "configuration": lambda value: ConfigurationRequest(
        (value.get("infrared_width_px", 0), value.get("infrared_height_px", 0)),
        (value.get("depth_width_px", 0), value.get("depth_height_px", 0)),
    ),
    "exposure": lambda value: ExposureRequest(value.get("exposure_us", 0), value.get("gain_centi", 0)),
    "connect": _connect,
    "authenticated": lambda value: AuthenticatedRequest(
        value.get("counter", 0), value.get("message", b""), value.get("tag", b"")
    ),
    "attest": lambda value: AttestRequest(
        value.get("slots", 0), tuple(value.get("key_frames", ())), value.get("grant_digest", b"")
    ),
}


def encode_reply(status: ReplyStatus, **content: dict[str, Any]) -> bytes:
    """A DeviceReply with at most one of its contents."""
    return encode(REPLY, {"status": status, **content})


def identity_fields(identity: FactoryIdentity) -> dict[str, Any]:
    """The Identity message's fields."""
    emitters = [{"illumination": lit, "wavelength_nm": wavelength} for lit, wavelength in identity.emitters]
    return {
        "vendor": identity.vendor,
        "model": identity.model,
        "serial": identity.serial,
        "firmware_version": identity.firmware_version,
        "hardware_revision": identity.hardware_revision,
        "kind": identity.kind,
        "emitters": emitters,
        "slot_rate_mhz": identity.slot_rate_mhz,
        "max_schedule_slots": identity.max_schedule_slots,
    }


def calibration_fields(calibration: FactoryCalibration) -> dict[str, Any]:
    """The Calibration message's fields."""
    values: dict[str, Any] = {field.name: getattr(calibration, field.name) for field in _CALIBRATION}
    values["infrared"] = _intrinsics_fields(calibration.infrared)
    values["depth"] = _intrinsics_fields(calibration.depth)
    return values


def _intrinsics_fields(intrinsics: FactoryIntrinsics) -> dict[str, Any]:
    return {field.name: getattr(intrinsics, field.name) for field in _INTRINSICS}
