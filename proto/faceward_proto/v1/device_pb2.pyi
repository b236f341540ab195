from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReplyStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPLY_STATUS_UNSPECIFIED: _ClassVar[ReplyStatus]
    REPLY_STATUS_OK: _ClassVar[ReplyStatus]
    REPLY_STATUS_MALFORMED: _ClassVar[ReplyStatus]
    REPLY_STATUS_UNSUPPORTED: _ClassVar[ReplyStatus]
    REPLY_STATUS_BUSY: _ClassVar[ReplyStatus]
    REPLY_STATUS_FAULT: _ClassVar[ReplyStatus]
    REPLY_STATUS_UNAUTHENTICATED: _ClassVar[ReplyStatus]

class SensorKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SENSOR_KIND_UNSPECIFIED: _ClassVar[SensorKind]
    SENSOR_KIND_STRUCTURED_LIGHT: _ClassVar[SensorKind]
    SENSOR_KIND_TIME_OF_FLIGHT: _ClassVar[SensorKind]
    SENSOR_KIND_PASSIVE_STEREO: _ClassVar[SensorKind]

class Illumination(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ILLUMINATION_OFF: _ClassVar[Illumination]
    ILLUMINATION_DOTS: _ClassVar[Illumination]
    ILLUMINATION_FLOOD: _ClassVar[Illumination]
    ILLUMINATION_FLOOD_SECOND: _ClassVar[Illumination]

class DeviceFault(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEVICE_FAULT_UNSPECIFIED: _ClassVar[DeviceFault]
    DEVICE_FAULT_PROJECTOR: _ClassVar[DeviceFault]
    DEVICE_FAULT_FLOOD: _ClassVar[DeviceFault]
    DEVICE_FAULT_OVERHEAT: _ClassVar[DeviceFault]
    DEVICE_FAULT_BROWNOUT: _ClassVar[DeviceFault]
    DEVICE_FAULT_CLOCK: _ClassVar[DeviceFault]

class Prompt(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROMPT_NONE: _ClassVar[Prompt]
    PROMPT_LOOK_STRAIGHT: _ClassVar[Prompt]
    PROMPT_HOLD_STILL: _ClassVar[Prompt]
    PROMPT_TURN_LEFT: _ClassVar[Prompt]
    PROMPT_TURN_RIGHT: _ClassVar[Prompt]
    PROMPT_LOOK_UP: _ClassVar[Prompt]
    PROMPT_LOOK_DOWN: _ClassVar[Prompt]
    PROMPT_SMILE: _ClassVar[Prompt]
    PROMPT_MOVE_CLOSER: _ClassVar[Prompt]
    PROMPT_MOVE_BACK: _ClassVar[Prompt]
    PROMPT_UNCOVER_FACE: _ClassVar[Prompt]
    PROMPT_ONE_PERSON: _ClassVar[Prompt]
    PROMPT_DONE: _ClassVar[Prompt]
    PROMPT_REFUSED: _ClassVar[Prompt]
REPLY_STATUS_UNSPECIFIED: ReplyStatus
REPLY_STATUS_OK: ReplyStatus
REPLY_STATUS_MALFORMED: ReplyStatus
REPLY_STATUS_UNSUPPORTED: ReplyStatus
REPLY_STATUS_BUSY: ReplyStatus
REPLY_STATUS_FAULT: ReplyStatus
REPLY_STATUS_UNAUTHENTICATED: ReplyStatus
SENSOR_KIND_UNSPECIFIED: SensorKind
SENSOR_KIND_STRUCTURED_LIGHT: SensorKind
SENSOR_KIND_TIME_OF_FLIGHT: SensorKind
SENSOR_KIND_PASSIVE_STEREO: SensorKind
ILLUMINATION_OFF: Illumination
ILLUMINATION_DOTS: Illumination
ILLUMINATION_FLOOD: Illumination
ILLUMINATION_FLOOD_SECOND: Illumination
DEVICE_FAULT_UNSPECIFIED: DeviceFault
DEVICE_FAULT_PROJECTOR: DeviceFault
DEVICE_FAULT_FLOOD: DeviceFault
DEVICE_FAULT_OVERHEAT: DeviceFault
DEVICE_FAULT_BROWNOUT: DeviceFault
DEVICE_FAULT_CLOCK: DeviceFault
PROMPT_NONE: Prompt
PROMPT_LOOK_STRAIGHT: Prompt
PROMPT_HOLD_STILL: Prompt
PROMPT_TURN_LEFT: Prompt
PROMPT_TURN_RIGHT: Prompt
PROMPT_LOOK_UP: Prompt
PROMPT_LOOK_DOWN: Prompt
PROMPT_SMILE: Prompt
PROMPT_MOVE_CLOSER: Prompt
PROMPT_MOVE_BACK: Prompt
PROMPT_UNCOVER_FACE: Prompt
PROMPT_ONE_PERSON: Prompt
PROMPT_DONE: Prompt
PROMPT_REFUSED: Prompt

class DeviceRequest(_message.Message):
    __slots__ = ("identity", "calibration", "health", "schedule", "indicator", "configuration", "exposure", "stop", "connect", "authenticated", "attest")
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    INDICATOR_FIELD_NUMBER: _ClassVar[int]
    CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    EXPOSURE_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    CONNECT_FIELD_NUMBER: _ClassVar[int]
    AUTHENTICATED_FIELD_NUMBER: _ClassVar[int]
    ATTEST_FIELD_NUMBER: _ClassVar[int]
    identity: IdentityRequest
    calibration: CalibrationRequest
    health: HealthRequest
    schedule: IlluminationSchedule
    indicator: Indicator
    configuration: Configuration
    exposure: Exposure
    stop: StopRequest
    connect: ConnectRequest
    authenticated: AuthenticatedMessage
    attest: AttestRequest
    def __init__(self, identity: _Optional[_Union[IdentityRequest, _Mapping]] = ..., calibration: _Optional[_Union[CalibrationRequest, _Mapping]] = ..., health: _Optional[_Union[HealthRequest, _Mapping]] = ..., schedule: _Optional[_Union[IlluminationSchedule, _Mapping]] = ..., indicator: _Optional[_Union[Indicator, _Mapping]] = ..., configuration: _Optional[_Union[Configuration, _Mapping]] = ..., exposure: _Optional[_Union[Exposure, _Mapping]] = ..., stop: _Optional[_Union[StopRequest, _Mapping]] = ..., connect: _Optional[_Union[ConnectRequest, _Mapping]] = ..., authenticated: _Optional[_Union[AuthenticatedMessage, _Mapping]] = ..., attest: _Optional[_Union[AttestRequest, _Mapping]] = ...) -> None: ...

class IdentityRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CalibrationRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class HealthRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StopRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Configuration(_message.Message):
    __slots__ = ("infrared_width_px", "infrared_height_px", "depth_width_px", "depth_height_px")
    INFRARED_WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    INFRARED_HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    DEPTH_WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    DEPTH_HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    infrared_width_px: int
    infrared_height_px: int
    depth_width_px: int
    depth_height_px: int
    def __init__(self, infrared_width_px: _Optional[int] = ..., infrared_height_px: _Optional[int] = ..., depth_width_px: _Optional[int] = ..., depth_height_px: _Optional[int] = ...) -> None: ...

class Exposure(_message.Message):
    __slots__ = ("exposure_us", "gain_centi")
    EXPOSURE_US_FIELD_NUMBER: _ClassVar[int]
    GAIN_CENTI_FIELD_NUMBER: _ClassVar[int]
    exposure_us: int
    gain_centi: int
    def __init__(self, exposure_us: _Optional[int] = ..., gain_centi: _Optional[int] = ...) -> None: ...

class ConnectRequest(_message.Message):
    __slots__ = ("host_random", "host_key")
    HOST_RANDOM_FIELD_NUMBER: _ClassVar[int]
    HOST_KEY_FIELD_NUMBER: _ClassVar[int]
    host_random: bytes
    host_key: bytes
    def __init__(self, host_random: _Optional[bytes] = ..., host_key: _Optional[bytes] = ...) -> None: ...

class ConnectReply(_message.Message):
    __slots__ = ("device_random", "chain", "mac")
    DEVICE_RANDOM_FIELD_NUMBER: _ClassVar[int]
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    MAC_FIELD_NUMBER: _ClassVar[int]
    device_random: bytes
    chain: bytes
    mac: bytes
    def __init__(self, device_random: _Optional[bytes] = ..., chain: _Optional[bytes] = ..., mac: _Optional[bytes] = ...) -> None: ...

class AuthenticatedMessage(_message.Message):
    __slots__ = ("counter", "message", "tag")
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    counter: int
    message: bytes
    tag: bytes
    def __init__(self, counter: _Optional[int] = ..., message: _Optional[bytes] = ..., tag: _Optional[bytes] = ...) -> None: ...

class AttestRequest(_message.Message):
    __slots__ = ("slots", "key_frames", "grant_digest")
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    KEY_FRAMES_FIELD_NUMBER: _ClassVar[int]
    GRANT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    slots: int
    key_frames: _containers.RepeatedScalarFieldContainer[bytes]
    grant_digest: bytes
    def __init__(self, slots: _Optional[int] = ..., key_frames: _Optional[_Iterable[bytes]] = ..., grant_digest: _Optional[bytes] = ...) -> None: ...

class AttestReply(_message.Message):
    __slots__ = ("statement", "signature")
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    statement: bytes
    signature: bytes
    def __init__(self, statement: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class DeviceReply(_message.Message):
    __slots__ = ("status", "identity", "calibration", "health", "connect", "authenticated", "attest")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    CONNECT_FIELD_NUMBER: _ClassVar[int]
    AUTHENTICATED_FIELD_NUMBER: _ClassVar[int]
    ATTEST_FIELD_NUMBER: _ClassVar[int]
    status: ReplyStatus
    identity: Identity
    calibration: Calibration
    health: Health
    connect: ConnectReply
    authenticated: AuthenticatedMessage
    attest: AttestReply
    def __init__(self, status: _Optional[_Union[ReplyStatus, str]] = ..., identity: _Optional[_Union[Identity, _Mapping]] = ..., calibration: _Optional[_Union[Calibration, _Mapping]] = ..., health: _Optional[_Union[Health, _Mapping]] = ..., connect: _Optional[_Union[ConnectReply, _Mapping]] = ..., authenticated: _Optional[_Union[AuthenticatedMessage, _Mapping]] = ..., attest: _Optional[_Union[AttestReply, _Mapping]] = ...) -> None: ...

class Emitter(_message.Message):
    __slots__ = ("illumination", "wavelength_nm")
    ILLUMINATION_FIELD_NUMBER: _ClassVar[int]
    WAVELENGTH_NM_FIELD_NUMBER: _ClassVar[int]
    illumination: Illumination
    wavelength_nm: int
    def __init__(self, illumination: _Optional[_Union[Illumination, str]] = ..., wavelength_nm: _Optional[int] = ...) -> None: ...

class Identity(_message.Message):
    __slots__ = ("vendor", "model", "serial", "firmware_version", "hardware_revision", "kind", "emitters", "slot_rate_mhz", "max_schedule_slots")
    VENDOR_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SERIAL_FIELD_NUMBER: _ClassVar[int]
    FIRMWARE_VERSION_FIELD_NUMBER: _ClassVar[int]
    HARDWARE_REVISION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    EMITTERS_FIELD_NUMBER: _ClassVar[int]
    SLOT_RATE_MHZ_FIELD_NUMBER: _ClassVar[int]
    MAX_SCHEDULE_SLOTS_FIELD_NUMBER: _ClassVar[int]
    vendor: str
    model: str
    serial: str
    firmware_version: str
    hardware_revision: str
    kind: SensorKind
    emitters: _containers.RepeatedCompositeFieldContainer[Emitter]
    slot_rate_mhz: int
    max_schedule_slots: int
    def __init__(self, vendor: _Optional[str] = ..., model: _Optional[str] = ..., serial: _Optional[str] = ..., firmware_version: _Optional[str] = ..., hardware_revision: _Optional[str] = ..., kind: _Optional[_Union[SensorKind, str]] = ..., emitters: _Optional[_Iterable[_Union[Emitter, _Mapping]]] = ..., slot_rate_mhz: _Optional[int] = ..., max_schedule_slots: _Optional[int] = ...) -> None: ...

class Intrinsics(_message.Message):
    __slots__ = ("width_px", "height_px", "fx_px", "fy_px", "cx_px", "cy_px")
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    FX_PX_FIELD_NUMBER: _ClassVar[int]
    FY_PX_FIELD_NUMBER: _ClassVar[int]
    CX_PX_FIELD_NUMBER: _ClassVar[int]
    CY_PX_FIELD_NUMBER: _ClassVar[int]
    width_px: int
    height_px: int
    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float
    def __init__(self, width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., fx_px: _Optional[float] = ..., fy_px: _Optional[float] = ..., cx_px: _Optional[float] = ..., cy_px: _Optional[float] = ...) -> None: ...

class Calibration(_message.Message):
    __slots__ = ("infrared", "depth", "depth_unit_um", "baseline_mm", "depth_min_mm", "depth_max_mm", "dot_pitch_mrad", "dot_spot_mrad", "lens_mtf50_cy_per_px", "flood_counts_per_us_at_1m", "flood_second_counts_per_us_at_1m", "dot_counts_per_us_at_1m", "black_level_counts", "read_noise_counts", "counts_per_electron", "saturation_counts")
    INFRARED_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    DEPTH_UNIT_UM_FIELD_NUMBER: _ClassVar[int]
    BASELINE_MM_FIELD_NUMBER: _ClassVar[int]
    DEPTH_MIN_MM_FIELD_NUMBER: _ClassVar[int]
    DEPTH_MAX_MM_FIELD_NUMBER: _ClassVar[int]
    DOT_PITCH_MRAD_FIELD_NUMBER: _ClassVar[int]
    DOT_SPOT_MRAD_FIELD_NUMBER: _ClassVar[int]
    LENS_MTF50_CY_PER_PX_FIELD_NUMBER: _ClassVar[int]
    FLOOD_COUNTS_PER_US_AT_1M_FIELD_NUMBER: _ClassVar[int]
    FLOOD_SECOND_COUNTS_PER_US_AT_1M_FIELD_NUMBER: _ClassVar[int]
    DOT_COUNTS_PER_US_AT_1M_FIELD_NUMBER: _ClassVar[int]
    BLACK_LEVEL_COUNTS_FIELD_NUMBER: _ClassVar[int]
    READ_NOISE_COUNTS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_PER_ELECTRON_FIELD_NUMBER: _ClassVar[int]
    SATURATION_COUNTS_FIELD_NUMBER: _ClassVar[int]
    infrared: Intrinsics
    depth: Intrinsics
    depth_unit_um: float
    baseline_mm: float
    depth_min_mm: float
    depth_max_mm: float
    dot_pitch_mrad: float
    dot_spot_mrad: float
    lens_mtf50_cy_per_px: float
    flood_counts_per_us_at_1m: float
    flood_second_counts_per_us_at_1m: float
    dot_counts_per_us_at_1m: float
    black_level_counts: float
    read_noise_counts: float
    counts_per_electron: float
    saturation_counts: float
    def __init__(self, infrared: _Optional[_Union[Intrinsics, _Mapping]] = ..., depth: _Optional[_Union[Intrinsics, _Mapping]] = ..., depth_unit_um: _Optional[float] = ..., baseline_mm: _Optional[float] = ..., depth_min_mm: _Optional[float] = ..., depth_max_mm: _Optional[float] = ..., dot_pitch_mrad: _Optional[float] = ..., dot_spot_mrad: _Optional[float] = ..., lens_mtf50_cy_per_px: _Optional[float] = ..., flood_counts_per_us_at_1m: _Optional[float] = ..., flood_second_counts_per_us_at_1m: _Optional[float] = ..., dot_counts_per_us_at_1m: _Optional[float] = ..., black_level_counts: _Optional[float] = ..., read_noise_counts: _Optional[float] = ..., counts_per_electron: _Optional[float] = ..., saturation_counts: _Optional[float] = ...) -> None: ...

class Health(_message.Message):
    __slots__ = ("temperature_centi_c", "uptime_us", "faults", "dropped_frames")
    TEMPERATURE_CENTI_C_FIELD_NUMBER: _ClassVar[int]
    UPTIME_US_FIELD_NUMBER: _ClassVar[int]
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FRAMES_FIELD_NUMBER: _ClassVar[int]
    temperature_centi_c: int
    uptime_us: int
    faults: _containers.RepeatedScalarFieldContainer[DeviceFault]
    dropped_frames: int
    def __init__(self, temperature_centi_c: _Optional[int] = ..., uptime_us: _Optional[int] = ..., faults: _Optional[_Iterable[_Union[DeviceFault, str]]] = ..., dropped_frames: _Optional[int] = ...) -> None: ...

class IlluminationSchedule(_message.Message):
    __slots__ = ("nonce", "slots")
    NONCE_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    nonce: bytes
    slots: bytes
    def __init__(self, nonce: _Optional[bytes] = ..., slots: _Optional[bytes] = ...) -> None: ...

class Indicator(_message.Message):
    __slots__ = ("prompt",)
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    prompt: Prompt
    def __init__(self, prompt: _Optional[_Union[Prompt, str]] = ...) -> None: ...
