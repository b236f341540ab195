"""One bulk IN endpoint: a bounded queue of frames on one side, waiting reads on the other.

Nothing here locks; the sensor that owns the endpoint does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum

from faceward_sim.firmware.descriptors import HIGH_SPEED_PACKET_BYTES, MAX_PAYLOAD_BYTES
from faceward_sim.firmware.payload import WireFrame


class Outcome(Enum):
    """How a read ended."""

    WAITING = "waiting"
    DONE = "done"
    STALL = "stall"
    OVERFLOW = "overflow"
    GONE = "gone"
    CANCELLED = "cancelled"


class Transfer:
    """One bulk read: room for `length` bytes, and views of the payloads that filled it."""

    __slots__ = ("filled", "length", "on_end", "outcome", "pieces")

    def __init__(self, length: int, on_end: Callable[[Transfer], None]) -> None:
        self.length = length
        self.on_end = on_end
        self.pieces: list[memoryview] = []
        self.filled = 0
        self.outcome = Outcome.WAITING


class _Sending:
    """A frame in the queue and how far it has been sent."""

    __slots__ = ("frame", "index", "offset")

    def __init__(self, frame: WireFrame) -> None:
        self.frame = frame
        self.index = 0
        self.offset = 0

    @property
    def started(self) -> bool:
        return self.index > 0 or self.offset > 0


class BulkIn:
    """Packets of 512 bytes out of payloads: a read ends when it is full, or at a short or empty packet."""

    def __init__(self, address: int, capacity_frames: int) -> None:
        self.address = address
        self.run = -1
        self.last_read_s = 0.0
        self._capacity_frames = capacity_frames
        self._frames: deque[_Sending] = deque()
        self._waiting: deque[Transfer] = deque()
        self._empty_packet_due = False
        self._flip_fid = False

    @property
    def full(self) -> bool:
        """True when no frame may be added."""
        return len(self._frames) >= self._capacity_frames

    @property
    def has_reader(self) -> bool:
        """True while a read waits."""
        return bool(self._waiting)

    def flush(self, run: int) -> None:
        """Throw everything away that was not sent: the stream has started or stopped."""
        self.run = run
        self._frames.clear()
        self._empty_packet_due = False
        self._flip_fid = False

    def push(self, frame: WireFrame) -> list[Transfer]:
        """Add a frame; the reads that ended by it. A frame of another run is not sent."""
        if frame.run != self.run or not frame.payloads:
            return []
        if self._flip_fid:
            _flip_fid(frame)
        self._frames.append(_Sending(frame))
        return self._match()

    def drop_oldest_whole(self) -> bool:
        """Throw away the oldest frame of which nothing was sent; False when there is none."""
        for position, sending in enumerate(self._frames):
            if not sending.started:
                del self._frames[position]
                # The frames behind it must go on toggling.
                for later in list(self._frames)[position:]:
                    _flip_fid(later.frame)
                self._flip_fid = not self._flip_fid
                return True
        return False

    def submit(self, transfer: Transfer) -> list[Transfer]:
        """Add a read; the reads that ended by it."""
        self._waiting.append(transfer)
        return self._match()

    def cancel(self, transfer: Transfer) -> bool:
        """Take a read back; False when it has ended already or never began."""
        if transfer not in self._waiting:
            return False
        self._waiting.remove(transfer)
        transfer.outcome = Outcome.CANCELLED
        return True

    def end_all(self, outcome: Outcome) -> list[Transfer]:
        """End every waiting read."""
        ended = list(self._waiting)
        self._waiting.clear()
        for transfer in ended:
            transfer.outcome = outcome
        return ended

    def _match(self) -> list[Transfer]:
        ended = []
        while self._waiting and (self._frames or self._empty_packet_due):
            transfer = self._waiting[0]
            outcome = self._fill(transfer)
            if outcome is not Outcome.WAITING:
                transfer.outcome = outcome
                ended.append(self._waiting.popleft())
        return ended

    def _fill(self, transfer: Transfer) -> Outcome:
        """Move bytes of the first payload into a read."""
        if self._empty_packet_due:
            self._empty_packet_due = False
            return Outcome.DONE
        sending = self._frames[0]
        payload = sending.frame.payloads[sending.index]
        left = len(payload) - sending.offset
        room = transfer.length - transfer.filled
        if left > room and room % HIGH_SPEED_PACKET_BYTES:
            # The host's buffer ends inside a packet: babble, and that packet is lost.
            self._move_on(sending, min(left, HIGH_SPEED_PACKET_BYTES))
            return Outcome.OVERFLOW
        taken = min(left, room)
        if taken:
            transfer.pieces.append(payload[sending.offset : sending.offset + taken])
            transfer.filled += taken
        self._move_on(sending, taken)
        is_full = transfer.filled == transfer.length
        if taken < left:
            return Outcome.DONE
        if len(payload) % HIGH_SPEED_PACKET_BYTES:
            return Outcome.DONE
        # On a packet's boundary only the agreed size ends a payload by itself; any other needs an empty packet.
        if len(payload) != MAX_PAYLOAD_BYTES:
            self._empty_packet_due = is_full
            return Outcome.DONE
        return Outcome.DONE if is_full else Outcome.WAITING

    def _move_on(self, sending: _Sending, taken: int) -> None:
        sending.offset += taken
        if sending.offset < len(sending.frame.payloads[sending.index]):
            return
        sending.index += 1
        sending.offset = 0
        if sending.index == len(sending.frame.payloads):
            self._frames.popleft()


def _flip_fid(frame: WireFrame) -> None:
    for payload in frame.payloads:
        if len(payload) > 1 and not payload.readonly:
            payload[1] ^= 1
