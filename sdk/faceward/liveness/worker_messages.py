"""What the caller's process and the gates' process say to each other.

Towards the gates: pickles, for they come from the side that is trusted. Back: JSON within a size cap and nothing else,
because a hostile gate writes it, and unpickling its bytes would run its code beside the keys.
"""

from __future__ import annotations

import json
import os
import pickle
import select
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from faceward.errors import PluginError
from faceward.model.liveness import Evidence, Measure, Outcome, Requirements

REPLY_CAP_BYTES = 4 * 1024 * 1024
_HEADER_BYTES = 4
_NEED_MAX = 10_000.0


class ChannelBroken(Exception):
    """The other side is gone or talks nonsense. Stays inside the worker's modules."""


class ChannelLate(Exception):
    """The deadline passed first. Stays inside the worker's modules."""


@dataclass(slots=True)
class Sender:
    """Length-prefixed messages into a pipe, within a deadline on time.monotonic() (None: waits)."""

    fd: int

    def send(self, payload: bytes, deadline: float | None) -> None:
        """Raises: ChannelBroken, ChannelLate."""
        view = memoryview(len(payload).to_bytes(_HEADER_BYTES, "little") + payload)
        poller = select.poll()
        poller.register(self.fd, select.POLLOUT)
        while view:
            _wait(poller, deadline)
            try:
                view = view[os.write(self.fd, view) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise ChannelBroken(str(error)) from error


class Receiver:
    """Length-prefixed messages out of a pipe that another process writes."""

    def __init__(self, fd: int, cap_bytes: int = REPLY_CAP_BYTES) -> None:
        self.fd = fd
        self._cap_bytes = cap_bytes
        self._buffer = bytearray()
        self._poller = select.poll()
        self._poller.register(fd, select.POLLIN)

    def receive(self, deadline: float | None) -> bytes:
        """The next message. Raises: ChannelBroken (closed, or longer than the cap), ChannelLate."""
        while (whole := self._whole()) is None:
            _wait(self._poller, deadline)
            try:
                chunk = os.read(self.fd, 1 << 16)
            except BlockingIOError:
                continue
            except OSError as error:
                raise ChannelBroken(str(error)) from error
            if not chunk:
                raise ChannelBroken("closed")
            self._buffer += chunk
        return whole

    def ready(self) -> bool:
        """Whether `receive` has something to begin with."""
        return len(self._buffer) >= _HEADER_BYTES or bool(self._poller.poll(0))

    def _whole(self) -> bytes | None:
        if len(self._buffer) < _HEADER_BYTES:
            return None
        length = int.from_bytes(self._buffer[:_HEADER_BYTES], "little")
        if length > self._cap_bytes:
            raise ChannelBroken(f"a message of {length} bytes")
        end = _HEADER_BYTES + length
        if len(self._buffer) < end:
            return None
        message = bytes(self._buffer[_HEADER_BYTES:end])
        del self._buffer[:end]
        return message


def _wait(poller: select.poll, deadline: float | None) -> None:
    if deadline is None:
        poller.poll()
        return
    left_s = deadline - time.monotonic()
    if not poller.poll(max(0.0, left_s) * 1000.0) and left_s <= 0.0:
        raise ChannelLate


def pack_order(kind: str, *arguments: object) -> bytes:
    """An order to the gates' process."""
    return pickle.dumps((kind, *arguments), protocol=pickle.HIGHEST_PROTOCOL)


def unpack_order(payload: bytes) -> tuple[Any, ...]:
    """In the gates' process only: what the caller's process ordered."""
    return pickle.loads(payload)


def pack_reply(kind: str, **values: object) -> bytes:
    """A reply of the gates' process."""
    return json.dumps({"kind": kind, **values}).encode()


def unpack_reply(payload: bytes) -> dict[str, Any]:
    """Raises: ChannelBroken for anything but one JSON object with a kind."""
    try:
        reply = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ChannelBroken("a reply that is no JSON") from error
    if not isinstance(reply, dict) or not isinstance(reply.get("kind"), str):
        raise ChannelBroken("a reply of no kind")
    return reply


def evidence_to_json(evidence: Evidence) -> dict[str, Any]:
    """Raises: TypeError, ValueError, AttributeError for fields of the wrong type: then it is no evidence."""
    if type(evidence.covered) is not frozenset:
        raise TypeError("covered is no frozenset")
    return {
        "outcome": Outcome(evidence.outcome).value,
        "cue": evidence.cue,
        "reason": evidence.reason,
        "measures": [
            [measure.name, float(measure.value), measure.unit, _optional_float(measure.limit), measure.sense]
            for measure in evidence.measures
        ],
        "score": float(evidence.score),
        "covered": [bytes(digest).hex() for digest in evidence.covered],
    }


def evidence_from_json(values: object) -> Evidence:
    """Raises: ValueError for anything but what `evidence_to_json` makes; NaN passes: refusing it is for `decide`."""
    if not isinstance(values, dict) or set(values) != {"outcome", "cue", "reason", "measures", "score", "covered"}:
        raise ValueError("not an evidence")
    if not isinstance(values["measures"], list) or not isinstance(values["covered"], list):
        raise ValueError("measures or covered are no list")
    return Evidence(
        outcome=Outcome(_text(values["outcome"])),
        cue=_text(values["cue"]),
        reason=_text(values["reason"]),
        measures=tuple(_measure(row) for row in values["measures"]),
        score=_float(values["score"]),
        covered=frozenset(bytes.fromhex(_text(digest)) for digest in values["covered"]),
    )


def _measure(row: object) -> Measure:
    if not isinstance(row, list) or len(row) != 5:
        raise ValueError("not a measure")
    name, value, unit, limit, sense = row
    if sense not in ("<=", ">="):
        raise ValueError("a measure has an unknown sense")
    return Measure(_text(name), _float(value), _text(unit), None if limit is None else _float(limit), sense)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def _float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a number")
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError("not a number") from error


def _optional_float(value: float | None) -> float | None:
    return None if value is None else float(value)


def requirements_to_json(needs: Requirements) -> dict[str, Any]:
    """Requirements, field by field."""
    return {field.name: getattr(needs, field.name) for field in fields(Requirements)}


def requirements_from_json(values: object, gate: str) -> Requirements:
    """Raises: PluginError for anything but flags, and numbers from 0 to 10,000: more seconds or frames has no capture."""
    if not isinstance(values, Mapping) or set(values) != {field.name for field in fields(Requirements)}:
        raise PluginError(f"gate {gate!r} answered with no requirements")
    for field in fields(Requirements):
        value = values[field.name]
        if isinstance(field.default, bool):
            valid = isinstance(value, bool)
        else:
            valid = isinstance(value, int | float) and not isinstance(value, bool) and 0.0 <= value <= _NEED_MAX
        if not valid:
            raise PluginError(f"gate {gate!r} asks for {field.name} = {value!r}")
    return Requirements(**values)
