"""The request for a grant, between bytes and model: signed by nobody, so it is held to every bound of a grant."""

from __future__ import annotations

from typing import Final

from faceward_proto.bounds import DIGEST_BYTES, ID_BYTES, MAX_TEXT, MAX_TIME_S, require, size
from faceward_proto.reader import MalformedMessage, read_message
from faceward_proto.records import check_grant
from faceward_proto.v1 import grant_pb2
from google.protobuf.message import EncodeError

from faceward.errors import VerificationError
from faceward.model.template import GrantPurpose, GrantRequest
from faceward.wire.record import PURPOSE_OF, PURPOSES

REQUEST_VERSION: Final = 1
MAX_REQUEST_BYTES: Final = 4096


def encode_request(request: GrantRequest) -> bytes:
    """The request's one form in bytes. Raises: VerificationError for a request that breaks a bound."""
    try:
        message = grant_pb2.GrantRequest(
            version=REQUEST_VERSION,
            purpose=PURPOSES[request.purpose],
            challenge=request.challenge,
            expires_at_s=request.expires_at_s,
            subject=request.subject,
            tenant=request.tenant,
            lock_group=request.lock_group,
            host_key=request.host_key,
            subject_name=request.subject_name,
            sensor_serial=request.sensor_serial,
            sensor_key=request.sensor_key,
        )
        _check(message)
        data: bytes = message.SerializeToString(deterministic=True)
    except MalformedMessage as error:
        raise _unfit("can't be written", error) from None
    except (TypeError, ValueError, KeyError, EncodeError) as error:
        raise _unfit("can't be written", error) from None
    return data


def decode_request(data: bytes) -> GrantRequest:
    """The request that these bytes are the one form of. Raises: VerificationError ("unsupported-record")."""
    try:
        message = read_message(grant_pb2.GrantRequest, data, max_bytes=MAX_REQUEST_BYTES)
        _check(message)
    except MalformedMessage as error:
        raise _unfit("is not one of version 1", error) from None
    return GrantRequest(
        purpose=PURPOSE_OF[message.purpose],
        challenge=message.challenge,
        expires_at_s=message.expires_at_s,
        tenant=message.tenant,
        lock_group=message.lock_group,
        host_key=message.host_key,
        subject=message.subject,
        subject_name=message.subject_name,
        sensor_serial=message.sensor_serial,
        sensor_key=message.sensor_key,
    )


def _check(request: grant_pb2.GrantRequest) -> None:
    """Whatever a grant can't say, nobody can ask for. Raises: MalformedMessage."""
    enrolls = request.purpose == PURPOSES[GrantPurpose.ENROLL]
    name = request.subject_name
    require(request.version == REQUEST_VERSION, f"version {request.version} is not {REQUEST_VERSION}")
    require(1 < request.expires_at_s < MAX_TIME_S, f"expires at {request.expires_at_s}")
    size("host_key", request.host_key, DIGEST_BYTES)
    # It is shown to an administrator, who must not be told another name than this.
    plain = len(name) <= MAX_TEXT and name.isascii() and name.isprintable()
    require(plain and bool(name) == enrolls, "subject_name is no name, or there is none to enroll")
    check_grant(
        grant_pb2.Grant(
            version=1,
            grant_id=bytes(ID_BYTES),
            challenge=request.challenge,
            subject=request.subject,
            tenant=request.tenant,
            lock_group=request.lock_group,
            host_key=request.host_key,
            sensor_serial=request.sensor_serial,
            issued_at_s=1,
            expires_at_s=request.expires_at_s,
            max_attempts=1 if enrolls else 0,
            purpose=request.purpose,
            sensor_key=request.sensor_key,
        )
    )


def _unfit(what: str, error: Exception) -> VerificationError:
    return VerificationError(f"this request for a grant {what}: {error}", "unsupported-record")
