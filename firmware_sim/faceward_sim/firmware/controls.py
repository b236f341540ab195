"""UVC controls that hold one unsigned number: requests, range and errors (UVC 1.1, 4.2)."""

from __future__ import annotations

from enum import IntEnum

SET_CUR, GET_CUR, GET_MIN, GET_MAX, GET_RES, GET_LEN, GET_INFO, GET_DEF = (
    0x01,
    0x81,
    0x82,
    0x83,
    0x84,
    0x85,
    0x86,
    0x87,
)
CAN_GET, CAN_SET = 0b01, 0b10


class RequestError(IntEnum):
    """Why the last request was stalled (UVC 1.1, 4.2.1.2)."""

    NONE = 0
    WRONG_STATE = 2
    OUT_OF_RANGE = 4
    INVALID_UNIT = 5
    INVALID_CONTROL = 6
    INVALID_REQUEST = 7


class RequestRefused(Exception):
    """The request ends in a STALL, for a reason that the host may ask for."""

    def __init__(self, reason: RequestError) -> None:
        super().__init__(reason.name)
        self.reason = reason


class NumberControl:
    """A number with a range that the host reads and sets."""

    def __init__(self, size: int, minimum: int, maximum: int, default: int) -> None:
        self._size = size
        self._limits = {GET_MIN: minimum, GET_MAX: maximum, GET_RES: 1, GET_DEF: default}
        self.value = default

    def reset(self) -> None:
        """Back to the default."""
        self.value = self._limits[GET_DEF]

    def takes(self, value: int) -> bool:
        """Whether the value is in range."""
        return self._limits[GET_MIN] <= value <= self._limits[GET_MAX]

    def request(self, code: int, data: bytes) -> bytes:
        """Answer one class request.

        Raises RequestRefused.
        """
        if code == SET_CUR:
            self._set(data)
            return b""
        if code == GET_CUR:
            return self.value.to_bytes(self._size, "little")
        if code == GET_LEN:
            return self._size.to_bytes(2, "little")
        if code == GET_INFO:
            return bytes([CAN_GET | CAN_SET])
        if code in self._limits:
            return self._limits[code].to_bytes(self._size, "little")
        raise RequestRefused(RequestError.INVALID_REQUEST)

    def _set(self, data: bytes) -> None:
        value = int.from_bytes(data, "little")
        if len(data) != self._size or not self.takes(value):
            raise RequestRefused(RequestError.OUT_OF_RANGE)
        self.value = value
