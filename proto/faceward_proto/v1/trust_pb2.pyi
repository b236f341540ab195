from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TrustStatement(_message.Message):
    __slots__ = ("version", "sequence", "issued_at_s", "expires_at_s", "tenant", "lock_group", "hosts", "administrators", "sensor_roots", "firmware", "gates", "extractors", "policy_hashes", "minimum_epoch", "revoked_keys", "revoked_records", "revoked_subjects", "allow_development", "allow_unattested", "allow_simulated")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_S_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_S_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    LOCK_GROUP_FIELD_NUMBER: _ClassVar[int]
    HOSTS_FIELD_NUMBER: _ClassVar[int]
    ADMINISTRATORS_FIELD_NUMBER: _ClassVar[int]
    SENSOR_ROOTS_FIELD_NUMBER: _ClassVar[int]
    FIRMWARE_FIELD_NUMBER: _ClassVar[int]
    GATES_FIELD_NUMBER: _ClassVar[int]
    EXTRACTORS_FIELD_NUMBER: _ClassVar[int]
    POLICY_HASHES_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_EPOCH_FIELD_NUMBER: _ClassVar[int]
    REVOKED_KEYS_FIELD_NUMBER: _ClassVar[int]
    REVOKED_RECORDS_FIELD_NUMBER: _ClassVar[int]
    REVOKED_SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_DEVELOPMENT_FIELD_NUMBER: _ClassVar[int]
    ALLOW_UNATTESTED_FIELD_NUMBER: _ClassVar[int]
    ALLOW_SIMULATED_FIELD_NUMBER: _ClassVar[int]
    version: int
    sequence: int
    issued_at_s: int
    expires_at_s: int
    tenant: str
    lock_group: str
    hosts: _containers.RepeatedCompositeFieldContainer[KeyRule]
    administrators: _containers.RepeatedCompositeFieldContainer[KeyRule]
    sensor_roots: _containers.RepeatedCompositeFieldContainer[SensorRoot]
    firmware: _containers.RepeatedCompositeFieldContainer[FirmwareFloor]
    gates: _containers.RepeatedCompositeFieldContainer[ComponentFloor]
    extractors: _containers.RepeatedCompositeFieldContainer[ComponentFloor]
    policy_hashes: _containers.RepeatedScalarFieldContainer[bytes]
    minimum_epoch: int
    revoked_keys: _containers.RepeatedScalarFieldContainer[bytes]
    revoked_records: _containers.RepeatedScalarFieldContainer[bytes]
    revoked_subjects: _containers.RepeatedScalarFieldContainer[bytes]
    allow_development: bool
    allow_unattested: bool
    allow_simulated: bool
    def __init__(self, version: _Optional[int] = ..., sequence: _Optional[int] = ..., issued_at_s: _Optional[int] = ..., expires_at_s: _Optional[int] = ..., tenant: _Optional[str] = ..., lock_group: _Optional[str] = ..., hosts: _Optional[_Iterable[_Union[KeyRule, _Mapping]]] = ..., administrators: _Optional[_Iterable[_Union[KeyRule, _Mapping]]] = ..., sensor_roots: _Optional[_Iterable[_Union[SensorRoot, _Mapping]]] = ..., firmware: _Optional[_Iterable[_Union[FirmwareFloor, _Mapping]]] = ..., gates: _Optional[_Iterable[_Union[ComponentFloor, _Mapping]]] = ..., extractors: _Optional[_Iterable[_Union[ComponentFloor, _Mapping]]] = ..., policy_hashes: _Optional[_Iterable[bytes]] = ..., minimum_epoch: _Optional[int] = ..., revoked_keys: _Optional[_Iterable[bytes]] = ..., revoked_records: _Optional[_Iterable[bytes]] = ..., revoked_subjects: _Optional[_Iterable[bytes]] = ..., allow_development: _Optional[bool] = ..., allow_unattested: _Optional[bool] = ..., allow_simulated: _Optional[bool] = ...) -> None: ...

class KeyRule(_message.Message):
    __slots__ = ("need", "keys")
    NEED_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    need: int
    keys: _containers.RepeatedCompositeFieldContainer[TrustedKey]
    def __init__(self, need: _Optional[int] = ..., keys: _Optional[_Iterable[_Union[TrustedKey, _Mapping]]] = ...) -> None: ...

class TrustedKey(_message.Message):
    __slots__ = ("key", "custody")
    KEY_FIELD_NUMBER: _ClassVar[int]
    CUSTODY_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    custody: str
    def __init__(self, key: _Optional[bytes] = ..., custody: _Optional[str] = ...) -> None: ...

class SensorRoot(_message.Message):
    __slots__ = ("key", "name", "simulated")
    KEY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SIMULATED_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    name: str
    simulated: bool
    def __init__(self, key: _Optional[bytes] = ..., name: _Optional[str] = ..., simulated: _Optional[bool] = ...) -> None: ...

class FirmwareFloor(_message.Message):
    __slots__ = ("vendor", "model", "minimum_security_version")
    VENDOR_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_SECURITY_VERSION_FIELD_NUMBER: _ClassVar[int]
    vendor: str
    model: str
    minimum_security_version: int
    def __init__(self, vendor: _Optional[str] = ..., model: _Optional[str] = ..., minimum_security_version: _Optional[int] = ...) -> None: ...

class ComponentFloor(_message.Message):
    __slots__ = ("name", "minimum_version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    minimum_version: str
    def __init__(self, name: _Optional[str] = ..., minimum_version: _Optional[str] = ...) -> None: ...
