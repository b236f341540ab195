from faceward_proto.v1 import device_pb2 as _device_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Stream(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STREAM_UNSPECIFIED: _ClassVar[Stream]
    STREAM_INFRARED: _ClassVar[Stream]
    STREAM_DEPTH: _ClassVar[Stream]
STREAM_UNSPECIFIED: Stream
STREAM_INFRARED: Stream
STREAM_DEPTH: Stream

class RecordedFrame(_message.Message):
    __slots__ = ("stream", "width_px", "height_px", "sequence", "slot", "device_time_us", "exposure_us", "gain_centi", "illumination", "wavelength_nm", "temperature_centi_c", "config_hash", "tag", "pixels")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    DEVICE_TIME_US_FIELD_NUMBER: _ClassVar[int]
    EXPOSURE_US_FIELD_NUMBER: _ClassVar[int]
    GAIN_CENTI_FIELD_NUMBER: _ClassVar[int]
    ILLUMINATION_FIELD_NUMBER: _ClassVar[int]
    WAVELENGTH_NM_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_CENTI_C_FIELD_NUMBER: _ClassVar[int]
    CONFIG_HASH_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    stream: Stream
    width_px: int
    height_px: int
    sequence: int
    slot: int
    device_time_us: int
    exposure_us: int
    gain_centi: int
    illumination: _device_pb2.Illumination
    wavelength_nm: int
    temperature_centi_c: int
    config_hash: bytes
    tag: bytes
    pixels: bytes
    def __init__(self, stream: _Optional[_Union[Stream, str]] = ..., width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., sequence: _Optional[int] = ..., slot: _Optional[int] = ..., device_time_us: _Optional[int] = ..., exposure_us: _Optional[int] = ..., gain_centi: _Optional[int] = ..., illumination: _Optional[_Union[_device_pb2.Illumination, str]] = ..., wavelength_nm: _Optional[int] = ..., temperature_centi_c: _Optional[int] = ..., config_hash: _Optional[bytes] = ..., tag: _Optional[bytes] = ..., pixels: _Optional[bytes] = ...) -> None: ...

class RecordedPrompt(_message.Message):
    __slots__ = ("device_time_us", "prompt")
    DEVICE_TIME_US_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    device_time_us: int
    prompt: _device_pb2.Prompt
    def __init__(self, device_time_us: _Optional[int] = ..., prompt: _Optional[_Union[_device_pb2.Prompt, str]] = ...) -> None: ...

class RecordedSensor(_message.Message):
    __slots__ = ("address", "identity", "calibration", "schedule", "streams", "simulated")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    SIMULATED_FIELD_NUMBER: _ClassVar[int]
    address: str
    identity: _device_pb2.Identity
    calibration: _device_pb2.Calibration
    schedule: _device_pb2.IlluminationSchedule
    streams: _containers.RepeatedScalarFieldContainer[Stream]
    simulated: bool
    def __init__(self, address: _Optional[str] = ..., identity: _Optional[_Union[_device_pb2.Identity, _Mapping]] = ..., calibration: _Optional[_Union[_device_pb2.Calibration, _Mapping]] = ..., schedule: _Optional[_Union[_device_pb2.IlluminationSchedule, _Mapping]] = ..., streams: _Optional[_Iterable[_Union[Stream, str]]] = ..., simulated: _Optional[bool] = ...) -> None: ...
