from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GrantPurpose(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GRANT_PURPOSE_UNSPECIFIED: _ClassVar[GrantPurpose]
    GRANT_PURPOSE_ENROLL: _ClassVar[GrantPurpose]
    GRANT_PURPOSE_CLEAR_LOCKOUT: _ClassVar[GrantPurpose]
GRANT_PURPOSE_UNSPECIFIED: GrantPurpose
GRANT_PURPOSE_ENROLL: GrantPurpose
GRANT_PURPOSE_CLEAR_LOCKOUT: GrantPurpose

class Grant(_message.Message):
    __slots__ = ("version", "grant_id", "challenge", "subject", "tenant", "lock_group", "host_key", "sensor_serial", "issued_at_s", "expires_at_s", "max_attempts", "development", "purpose", "sensor_key")
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
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    SENSOR_KEY_FIELD_NUMBER: _ClassVar[int]
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
    purpose: GrantPurpose
    sensor_key: bytes
    def __init__(self, version: _Optional[int] = ..., grant_id: _Optional[bytes] = ..., challenge: _Optional[bytes] = ..., subject: _Optional[bytes] = ..., tenant: _Optional[str] = ..., lock_group: _Optional[str] = ..., host_key: _Optional[bytes] = ..., sensor_serial: _Optional[str] = ..., issued_at_s: _Optional[int] = ..., expires_at_s: _Optional[int] = ..., max_attempts: _Optional[int] = ..., development: _Optional[bool] = ..., purpose: _Optional[_Union[GrantPurpose, str]] = ..., sensor_key: _Optional[bytes] = ...) -> None: ...

class GrantRequest(_message.Message):
    __slots__ = ("version", "purpose", "challenge", "expires_at_s", "subject", "tenant", "lock_group", "host_key", "subject_name", "sensor_serial", "sensor_key")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    CHALLENGE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_S_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    LOCK_GROUP_FIELD_NUMBER: _ClassVar[int]
    HOST_KEY_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_NAME_FIELD_NUMBER: _ClassVar[int]
    SENSOR_SERIAL_FIELD_NUMBER: _ClassVar[int]
    SENSOR_KEY_FIELD_NUMBER: _ClassVar[int]
    version: int
    purpose: GrantPurpose
    challenge: bytes
    expires_at_s: int
    subject: bytes
    tenant: str
    lock_group: str
    host_key: bytes
    subject_name: str
    sensor_serial: str
    sensor_key: bytes
    def __init__(self, version: _Optional[int] = ..., purpose: _Optional[_Union[GrantPurpose, str]] = ..., challenge: _Optional[bytes] = ..., expires_at_s: _Optional[int] = ..., subject: _Optional[bytes] = ..., tenant: _Optional[str] = ..., lock_group: _Optional[str] = ..., host_key: _Optional[bytes] = ..., subject_name: _Optional[str] = ..., sensor_serial: _Optional[str] = ..., sensor_key: _Optional[bytes] = ...) -> None: ...
