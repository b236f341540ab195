"""A sensor under power: its firmware, the clock that drives it and its endpoints, for any port to talk to."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Protocol

from faceward_sim.firmware.descriptors import STREAMS, Descriptors
from faceward_sim.firmware.payload import WireFrame
from faceward_sim.firmware.setup import PowerLost
from faceward_sim.ports.endpoint import BulkIn, Outcome, Transfer

_log = logging.getLogger(__name__)
_INFRARED_ENDPOINT = STREAMS[0].endpoint
_SET_CONFIGURATION = bytes([0x00, 0x09, 1, 0, 0, 0, 0, 0])


class Pace(Enum):
    """How the slots' clock runs against the wall's."""

    LOCKSTEP = "lockstep"  # as fast as the host reads, nothing lost
    REAL = "real"  # thirty a second, and what comes late is lost


class Unplugged(Exception):
    """The device is not on the bus any more."""


class Occupied(Exception):
    """Somebody else has the device."""


class DeviceLogic(Protocol):
    """What a port needs of a firmware; `Firmware`, or one with faults around it."""

    @property
    def descriptors(self) -> Descriptors: ...
    @property
    def claimed_elsewhere(self) -> bool: ...
    @property
    def streaming(self) -> bool: ...
    @property
    def slot_period_us(self) -> float: ...
    def stream_run(self, endpoint: int) -> int: ...
    def halted(self, endpoint: int) -> bool: ...
    def reset(self) -> None: ...
    def power_cycle(self) -> None: ...
    def report_dropped(self, frames: int) -> None: ...
    def next_slot(self) -> tuple[WireFrame, ...]: ...
    def skip_slot(self) -> None: ...
    def control(self, setup: bytes, data: bytes = b"") -> bytes: ...


class PoweredSensor:
    """Runs a firmware in a thread of its own from construction to `close`.

    In lockstep a slot is taken when every endpoint has room for one more frame. When a frame has waited `patience_s` of
    wall time and nobody reads its endpoint, the oldest whole frame is thrown away and counted, so that a host which
    reads one stream only is not held up for ever.
    """

    def __init__(
        self,
        firmware: DeviceLogic,
        *,
        pace: Pace = Pace.LOCKSTEP,
        at_most_real_time: bool = False,
        capacity_frames: int = 2,
        patience_s: float = 0.5,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.firmware = firmware
        self.generation = 0
        self.plugged = True
        self.failure: BaseException | None = None
        self._pace = pace
        self._at_most_real_time = at_most_real_time
        self._patience_s = patience_s
        self._now_s = now_s
        self._endpoints = {stream.endpoint: BulkIn(stream.endpoint, capacity_frames) for stream in STREAMS}
        self._changed = threading.Condition()
        self._delivering = threading.Lock()
        self._ended: deque[Transfer] = deque()
        self._owner: object | None = None
        self._on_unplug: Callable[[], None] | None = None
        self._closed = False
        self._run = -1
        self._due_s = 0.0
        firmware.control(_SET_CONFIGURATION)
        self._thread = threading.Thread(target=self._drive, name="faceward-sim clock", daemon=True)
        self._thread.start()

    # For ports

    def acquire(self, owner: object, on_unplug: Callable[[], None] | None = None) -> None:
        """Take the device for one host.

        Raises: Unplugged, Occupied.
        """
        with self._changed:
            if not self.plugged:
                raise Unplugged
            if self.firmware.claimed_elsewhere or self._owner not in (None, owner):
                raise Occupied
            self._owner = owner
            self._on_unplug = on_unplug

    def release(self, owner: object) -> None:
        """Give the device back; the next host finds it freshly reset. Nothing happens to somebody else's."""
        with self._changed:
            if self._owner is not owner:
                return
            self._reset()
            self._owner = None
            self._on_unplug = None
        self._deliver()

    def reset(self) -> None:
        """A bus reset, after which the bus configures the device again."""
        with self._changed:
            self._reset()
        self._deliver()

    def _reset(self) -> None:
        self.firmware.reset()
        self.firmware.control(_SET_CONFIGURATION)
        for bulk in self._endpoints.values():
            self._ended += bulk.end_all(Outcome.GONE)
        self._follow_streams()
        self._changed.notify_all()

    def control(self, setup: bytes, data: bytes = b"") -> bytes:
        """One control transfer.

        Raises: Unplugged, Stall, NoAnswer.
        """
        if not self.plugged:
            raise Unplugged
        answer = self.firmware.control(setup, data)
        with self._changed:
            self._follow_streams()
            self._changed.notify_all()
        self._deliver()
        return answer

    def submit(self, endpoint: int, transfer: Transfer) -> None:
        """Begin a read; `transfer.on_end` is called once, from any thread, unless it is cancelled.

        Raises: Unplugged, KeyError (no such endpoint).
        """
        bulk = self._endpoints[endpoint]
        with self._changed:
            if not self.plugged:
                raise Unplugged
            bulk.last_read_s = self._now_s()
            if self.firmware.halted(endpoint):
                transfer.outcome = Outcome.STALL
                self._ended.append(transfer)
            else:
                self._ended += bulk.submit(transfer)
            self._changed.notify_all()
        self._deliver()

    def cancel(self, endpoint: int, transfer: Transfer) -> bool:
        """Take a read back; False when it has ended already (its `on_end` may still be on the way)."""
        with self._changed:
            return self._endpoints[endpoint].cancel(transfer)

    def wait_unplugged(self, timeout_s: float | None) -> bool:
        """Wait until the device is gone; False when it is still there at the end."""
        with self._changed:
            generation = self.generation
            return self._changed.wait_for(
                lambda: self._closed or not self.plugged or self.generation != generation, timeout_s
            )

    def unplug(self, *, comes_back: bool = False) -> None:
        """Take the device off the bus; with `comes_back`, it starts anew as another device of the same name."""
        with self._changed:
            self.plugged = comes_back and not self._closed
            self.generation += 1
            for bulk in self._endpoints.values():
                self._ended += bulk.end_all(Outcome.GONE)
            on_unplug, self._on_unplug, self._owner = self._on_unplug, None, None
            self.firmware.power_cycle()
            self.firmware.control(_SET_CONFIGURATION)
            self._follow_streams()
            self._changed.notify_all()
        self._deliver()
        if on_unplug is not None:
            on_unplug()

    def close(self) -> None:
        """Switch it off and end the thread. Raises what the imager raised, if it did."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self.unplug()
        self._thread.join()
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure

    # The clock

    def _drive(self) -> None:
        try:
            while self._wait_for_turn():
                self._take_slot()
        except Exception as error:  # noqa: BLE001 - whatever the imager raises, the host must see a dead device
            _log.exception("the sensor's imager failed")
            self.failure = error
            self.unplug()

    def _take_slot(self) -> None:
        try:
            frames = self.firmware.next_slot()
        except PowerLost as lost:
            self.unplug(comes_back=lost.comes_back)
            return
        with self._changed:
            self._follow_streams()
            for frame in frames:
                bulk = self._endpoints[frame.endpoint]
                if bulk.full and self._may_lose(bulk) and bulk.drop_oldest_whole():
                    self.firmware.report_dropped(1)
                self._ended += bulk.push(frame)
        self._deliver()

    def _may_lose(self, bulk: BulkIn) -> bool:
        return self._pace is Pace.REAL or self._patience_left_s(bulk, self._now_s()) <= 0

    def _patience_left_s(self, bulk: BulkIn, now_s: float) -> float:
        return bulk.last_read_s + self._patience_s - now_s

    def _wait_for_turn(self) -> bool:
        """Block until the next slot is due; False at the end."""
        with self._changed:
            while not self._closed:
                if not (self.plugged and self.firmware.streaming):
                    self._run = -1
                    self._changed.wait()
                    continue
                wait_s = self._until_due_s()
                if wait_s is None or wait_s > 0:
                    self._changed.wait(wait_s)
                    continue
                return True
        return False

    def _until_due_s(self) -> float | None:
        now_s = self._now_s()
        period_s = self.firmware.slot_period_us * 1e-6
        run = self.firmware.stream_run(_INFRARED_ENDPOINT)
        if run != self._run:
            self._run = run
            self._due_s = now_s + period_s
            for bulk in self._endpoints.values():
                bulk.last_read_s = now_s
        if self._pace is Pace.REAL:
            return self._until_due_real_s(now_s, period_s)
        wait_s, abandoned = self._until_room_s(now_s)
        if wait_s != 0:
            return wait_s
        if (self._at_most_real_time or abandoned) and now_s < self._due_s:
            return self._due_s - now_s
        self._due_s = max(now_s, self._due_s) + period_s
        return 0

    def _until_due_real_s(self, now_s: float, period_s: float) -> float:
        if now_s < self._due_s:
            return self._due_s - now_s
        while now_s >= self._due_s + period_s:
            self.firmware.skip_slot()
            self._due_s += period_s
        self._due_s += period_s
        return 0

    def _until_room_s(self, now_s: float) -> tuple[float, bool]:
        """Seconds until every endpoint has room or has lost its reader, and whether one has."""
        waits = [0.0]
        abandoned = False
        for bulk in self._endpoints.values():
            if not bulk.full:
                continue
            left_s = self._patience_left_s(bulk, now_s)
            abandoned |= left_s <= 0
            waits.append(max(left_s, 0.0))
        return max(waits), abandoned

    def _follow_streams(self) -> None:
        """Empty the queues of streams that have started or stopped, end the reads of halted ones."""
        for endpoint, bulk in self._endpoints.items():
            run = self.firmware.stream_run(endpoint)
            if run != bulk.run:
                bulk.flush(run)
            if bulk.has_reader and self.firmware.halted(endpoint):
                self._ended += bulk.end_all(Outcome.STALL)

    def _deliver(self) -> None:
        """Tell the readers, in the order in which their reads ended, whichever thread is at it."""
        while self._ended:
            with self._delivering:
                try:
                    transfer = self._ended.popleft()
                except IndexError:
                    return
                transfer.on_end(transfer)
