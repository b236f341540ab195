from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SignedStatement(_message.Message):
    __slots__ = ("statement", "signature")
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    statement: bytes
    signature: bytes
    def __init__(self, statement: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class SensorChain(_message.Message):
    __slots__ = ("model", "device", "firmware")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    FIRMWARE_FIELD_NUMBER: _ClassVar[int]
    model: SignedStatement
    device: SignedStatement
    firmware: SignedStatement
    def __init__(self, model: _Optional[_Union[SignedStatement, _Mapping]] = ..., device: _Optional[_Union[SignedStatement, _Mapping]] = ..., firmware: _Optional[_Union[SignedStatement, _Mapping]] = ...) -> None: ...

class ModelStatement(_message.Message):
    __slots__ = ("vendor", "model", "key")
    VENDOR_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    vendor: str
    model: str
    key: bytes
    def __init__(self, vendor: _Optional[str] = ..., model: _Optional[str] = ..., key: _Optional[bytes] = ...) -> None: ...

class DeviceStatement(_message.Message):
    __slots__ = ("serial", "key")
    SERIAL_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    serial: str
    key: bytes
    def __init__(self, serial: _Optional[str] = ..., key: _Optional[bytes] = ...) -> None: ...

class FirmwareStatement(_message.Message):
    __slots__ = ("version", "security_version", "firmware_hash", "signing_key", "agreement_key")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SECURITY_VERSION_FIELD_NUMBER: _ClassVar[int]
    FIRMWARE_HASH_FIELD_NUMBER: _ClassVar[int]
    SIGNING_KEY_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_KEY_FIELD_NUMBER: _ClassVar[int]
    version: str
    security_version: int
    firmware_hash: bytes
    signing_key: bytes
    agreement_key: bytes
    def __init__(self, version: _Optional[str] = ..., security_version: _Optional[int] = ..., firmware_hash: _Optional[bytes] = ..., signing_key: _Optional[bytes] = ..., agreement_key: _Optional[bytes] = ...) -> None: ...

class CaptureStatement(_message.Message):
    __slots__ = ("nonce", "schedule_digest", "capture_digest", "slots", "key_frames", "grant_digest")
    NONCE_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    KEY_FRAMES_FIELD_NUMBER: _ClassVar[int]
    GRANT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    nonce: bytes
    schedule_digest: bytes
    capture_digest: bytes
    slots: int
    key_frames: _containers.RepeatedScalarFieldContainer[bytes]
    grant_digest: bytes
    def __init__(self, nonce: _Optional[bytes] = ..., schedule_digest: _Optional[bytes] = ..., capture_digest: _Optional[bytes] = ..., slots: _Optional[int] = ..., key_frames: _Optional[_Iterable[bytes]] = ..., grant_digest: _Optional[bytes] = ...) -> None: ...

class SensorEvidence(_message.Message):
    __slots__ = ("chain", "capture")
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_FIELD_NUMBER: _ClassVar[int]
    chain: bytes
    capture: SignedStatement
    def __init__(self, chain: _Optional[bytes] = ..., capture: _Optional[_Union[SignedStatement, _Mapping]] = ...) -> None: ...
