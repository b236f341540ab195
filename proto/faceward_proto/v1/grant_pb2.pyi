from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Grant(_message.Message):
    __slots__ = ("version", "grant_id", "challenge", "subject", "tenant", "lock_group", "host_key", "sensor_serial", "issued_at_s", "expires_at_s", "max_attempts", "development")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    CHALLENGE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    LOCK_GROUP_FIELD_NUMBER: _ClassVar[int]
    HOST_KEY_FIELD_NUMBER: _ClassVar[int]
    SENSOR_SERIAL_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_S_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_S_FIELD_NUMBER: _ClassVar[int]
    MAX_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    DEVELOPMENT_FIELD_NUMBER: _ClassVar[int]
    version: int
    grant_id: bytes
    challenge: bytes
    subject: bytes
    tenant: str
    lock_group: str
    host_key: bytes
    sensor_serial: str
    issued_at_s: int
    expires_at_s: int
    max_attempts: int
    development: bool
    def __init__(self, version: _Optional[int] = ..., grant_id: _Optional[bytes] = ..., challenge: _Optional[bytes] = ..., subject: _Optional[bytes] = ..., tenant: _Optional[str] = ..., lock_group: _Optional[str] = ..., host_key: _Optional[bytes] = ..., sensor_serial: _Optional[str] = ..., issued_at_s: _Optional[int] = ..., expires_at_s: _Optional[int] = ..., max_attempts: _Optional[int] = ..., development: _Optional[bool] = ...) -> None: ...
