from faceward_proto.v1 import device_pb2 as _device_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Pose(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    POSE_UNSPECIFIED: _ClassVar[Pose]
    POSE_FRONTAL: _ClassVar[Pose]
    POSE_LEFT: _ClassVar[Pose]
    POSE_RIGHT: _ClassVar[Pose]
    POSE_UP: _ClassVar[Pose]
    POSE_DOWN: _ClassVar[Pose]
    POSE_SMILE: _ClassVar[Pose]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_LIVE: _ClassVar[Outcome]
    OUTCOME_NOT_LIVE: _ClassVar[Outcome]
    OUTCOME_INCONCLUSIVE: _ClassVar[Outcome]
    OUTCOME_NOT_EVALUATED: _ClassVar[Outcome]

class Sense(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SENSE_UNSPECIFIED: _ClassVar[Sense]
    SENSE_AT_MOST: _ClassVar[Sense]
    SENSE_AT_LEAST: _ClassVar[Sense]

class Attestation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTESTATION_UNSPECIFIED: _ClassVar[Attestation]
    ATTESTATION_NONE: _ClassVar[Attestation]
    ATTESTATION_SIMULATED: _ClassVar[Attestation]
    ATTESTATION_VERIFIED: _ClassVar[Attestation]
POSE_UNSPECIFIED: Pose
POSE_FRONTAL: Pose
POSE_LEFT: Pose
POSE_RIGHT: Pose
POSE_UP: Pose
POSE_DOWN: Pose
POSE_SMILE: Pose
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_LIVE: Outcome
OUTCOME_NOT_LIVE: Outcome
OUTCOME_INCONCLUSIVE: Outcome
OUTCOME_NOT_EVALUATED: Outcome
SENSE_UNSPECIFIED: Sense
SENSE_AT_MOST: Sense
SENSE_AT_LEAST: Sense
ATTESTATION_UNSPECIFIED: Attestation
ATTESTATION_NONE: Attestation
ATTESTATION_SIMULATED: Attestation
ATTESTATION_VERIFIED: Attestation

class TemplateRecord(_message.Message):
    __slots__ = ("version", "record_id", "subject", "tenant", "lock_group", "epoch", "issued_at_s", "expires_at_s", "sdk_version", "extractor", "poses", "relief", "outcome", "gates", "policy_hash", "capture", "sensor", "grant")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    LOCK_GROUP_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_S_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_S_FIELD_NUMBER: _ClassVar[int]
    SDK_VERSION_FIELD_NUMBER: _ClassVar[int]
    EXTRACTOR_FIELD_NUMBER: _ClassVar[int]
    POSES_FIELD_NUMBER: _ClassVar[int]
    RELIEF_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    GATES_FIELD_NUMBER: _ClassVar[int]
    POLICY_HASH_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_FIELD_NUMBER: _ClassVar[int]
    SENSOR_FIELD_NUMBER: _ClassVar[int]
    GRANT_FIELD_NUMBER: _ClassVar[int]
    version: int
    record_id: bytes
    subject: bytes
    tenant: str
    lock_group: str
    epoch: int
    issued_at_s: int
    expires_at_s: int
    sdk_version: str
    extractor: Extractor
    poses: _containers.RepeatedCompositeFieldContainer[PoseTemplate]
    relief: _containers.RepeatedScalarFieldContainer[float]
    outcome: Outcome
    gates: _containers.RepeatedCompositeFieldContainer[GateResult]
    policy_hash: bytes
    capture: CaptureRecord
    sensor: SensorRecord
    grant: bytes
    def __init__(self, version: _Optional[int] = ..., record_id: _Optional[bytes] = ..., subject: _Optional[bytes] = ..., tenant: _Optional[str] = ..., lock_group: _Optional[str] = ..., epoch: _Optional[int] = ..., issued_at_s: _Optional[int] = ..., expires_at_s: _Optional[int] = ..., sdk_version: _Optional[str] = ..., extractor: _Optional[_Union[Extractor, _Mapping]] = ..., poses: _Optional[_Iterable[_Union[PoseTemplate, _Mapping]]] = ..., relief: _Optional[_Iterable[float]] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., gates: _Optional[_Iterable[_Union[GateResult, _Mapping]]] = ..., policy_hash: _Optional[bytes] = ..., capture: _Optional[_Union[CaptureRecord, _Mapping]] = ..., sensor: _Optional[_Union[SensorRecord, _Mapping]] = ..., grant: _Optional[bytes] = ...) -> None: ...

class Extractor(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class PoseTemplate(_message.Message):
    __slots__ = ("pose", "embedding", "flood_digest", "depth_digest")
    POSE_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    FLOOD_DIGEST_FIELD_NUMBER: _ClassVar[int]
    DEPTH_DIGEST_FIELD_NUMBER: _ClassVar[int]
    pose: Pose
    embedding: _containers.RepeatedScalarFieldContainer[float]
    flood_digest: bytes
    depth_digest: bytes
    def __init__(self, pose: _Optional[_Union[Pose, str]] = ..., embedding: _Optional[_Iterable[float]] = ..., flood_digest: _Optional[bytes] = ..., depth_digest: _Optional[bytes] = ...) -> None: ...

class GateResult(_message.Message):
    __slots__ = ("name", "version", "distribution", "outcome", "cue", "measures")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DISTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    CUE_FIELD_NUMBER: _ClassVar[int]
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    distribution: str
    outcome: Outcome
    cue: str
    measures: _containers.RepeatedCompositeFieldContainer[Measure]
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., distribution: _Optional[str] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., cue: _Optional[str] = ..., measures: _Optional[_Iterable[_Union[Measure, _Mapping]]] = ...) -> None: ...

class Measure(_message.Message):
    __slots__ = ("name", "value", "unit", "limit", "sense")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SENSE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: float
    unit: str
    limit: float
    sense: Sense
    def __init__(self, name: _Optional[str] = ..., value: _Optional[float] = ..., unit: _Optional[str] = ..., limit: _Optional[float] = ..., sense: _Optional[_Union[Sense, str]] = ...) -> None: ...

class CaptureRecord(_message.Message):
    __slots__ = ("capture_id", "digest", "nonce", "schedule_digest", "slots")
    CAPTURE_ID_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    capture_id: str
    digest: bytes
    nonce: bytes
    schedule_digest: bytes
    slots: int
    def __init__(self, capture_id: _Optional[str] = ..., digest: _Optional[bytes] = ..., nonce: _Optional[bytes] = ..., schedule_digest: _Optional[bytes] = ..., slots: _Optional[int] = ...) -> None: ...

class SensorRecord(_message.Message):
    __slots__ = ("vendor", "model", "serial", "firmware_version", "hardware_revision", "kind", "attestation", "evidence_kind", "evidence")
    VENDOR_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SERIAL_FIELD_NUMBER: _ClassVar[int]
    FIRMWARE_VERSION_FIELD_NUMBER: _ClassVar[int]
    HARDWARE_REVISION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ATTESTATION_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_KIND_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    vendor: str
    model: str
    serial: str
    firmware_version: str
    hardware_revision: str
    kind: _device_pb2.SensorKind
    attestation: Attestation
    evidence_kind: str
    evidence: bytes
    def __init__(self, vendor: _Optional[str] = ..., model: _Optional[str] = ..., serial: _Optional[str] = ..., firmware_version: _Optional[str] = ..., hardware_revision: _Optional[str] = ..., kind: _Optional[_Union[_device_pb2.SensorKind, str]] = ..., attestation: _Optional[_Union[Attestation, str]] = ..., evidence_kind: _Optional[str] = ..., evidence: _Optional[bytes] = ...) -> None: ...
