"""A running stream: a reader thread for each endpoint, bounded queues between them and the caller, slots put together.

Threads: each reader owns its endpoint's buffer and assembler. Everything shared stands under one condition. The
caller's thread takes frames, hashes them and inspects the slots, so that readers do nothing but read and copy.
"""

from __future__ import annotations

import array
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from faceward.errors import CaptureCancelled, DeviceError, DeviceProtocolError, DeviceTimeout, FacewardError
from faceward.hal.inspection import Expectations, SlotInspector
from faceward.hal.payload import FrameAssembler, finish
from faceward.model.frame import Frame, Slot, Stream

# A second of slots: 18 MB of infrared at full size.
QUEUE_FRAMES: Final = 30
# How long a reader waits for a payload before it looks whether it should stop.
_READ_S = 0.25


class BulkReader(Protocol):
    """What a stream needs of a device."""

    def read_into(self, endpoint: int, buffer: array.array[int], *, timeout_s: float) -> int:
        """One bulk read; the bytes that came. Raises: DeviceError."""
        ...


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """One stream as it was negotiated."""

    stream: Stream
    endpoint: int
    width_px: int
    height_px: int
    read_bytes: int  # a whole payload, rounded up to the endpoint's packets


class SlotStream:
    """Slots from two endpoints. Reading begins in the constructor. `check` sees every frame, hashed, and may raise."""

    def __init__(
        self,
        device: BulkReader,
        plans: tuple[StreamPlan, ...],
        expected: Expectations,
        check: Callable[[Frame], None] | None = None,
    ) -> None:
        self._device = device
        self._check = check
        self._inspector = SlotInspector(expected)
        self._changed = threading.Condition()
        self._queues: dict[Stream, deque[Frame]] = {plan.stream: deque() for plan in plans}
        self._failure: FacewardError | None = None
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._read, args=(plan,), name=f"faceward {plan.stream.name.lower()}", daemon=True)
            for plan in plans
        ]
        for thread in self._threads:
            thread.start()

    @property
    def failure(self) -> FacewardError | None:
        """Why the stream is over, if it is."""
        return self._failure

    def next_slot(self, timeout_s: float) -> Slot:
        """The next slot, hashed, checked and inspected.

        Raises: DeviceTimeout, DeviceLost, DeviceProtocolError, DeviceFault, CaptureCancelled, and what `check` raises;
        from then on always the same.
        """
        deadline = time.monotonic() + timeout_s
        try:
            infrared = self._take(Stream.INFRARED, deadline, "the next slot")
            depth = None
            if self._inspector.wants_depth(infrared):
                depth = self._finished(self._take_depth(infrared.slot, deadline))
            elif (early := self._peek(Stream.DEPTH)) is not None and early.slot <= infrared.slot:
                raise DeviceProtocolError(f"slot {early.slot}: a depth frame where there should be none")
            infrared = self._finished(infrared)
            self._inspector.accept(infrared, depth)
        except FacewardError as error:
            self.fail(error)
            raise
        return Slot(infrared, depth)

    def _finished(self, frame: Frame) -> Frame:
        finished = finish(frame)
        if self._check is not None:
            self._check(finished)
        return finished

    def _take(self, stream: Stream, deadline: float, what: str) -> Frame:
        queue = self._queues[stream]
        with self._changed:
            while True:
                if self._failure is not None:
                    raise self._failure
                if queue:
                    frame = queue.popleft()
                    self._changed.notify_all()
                    return frame
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    raise DeviceTimeout(f"{what} did not come in time")
                self._changed.wait(left_s)

    def _take_depth(self, slot: int, deadline: float) -> Frame:
        frame = self._take(Stream.DEPTH, deadline, f"the depth frame of slot {slot}")
        if frame.slot != slot:
            raise DeviceProtocolError(f"the depth frame of slot {frame.slot} came where slot {slot}'s was due")
        return frame

    def _peek(self, stream: Stream) -> Frame | None:
        with self._changed:
            queue = self._queues[stream]
            return queue[0] if queue else None

    def fail(self, error: FacewardError) -> None:
        """End the stream: every waiting and later `next_slot` raises this, if nothing was raised before."""
        with self._changed:
            if self._failure is None:
                self._failure = error
            self._changed.notify_all()

    def cancel(self) -> None:
        """From any thread: end the stream with CaptureCancelled, whatever was before."""
        with self._changed:
            self._failure = CaptureCancelled("cancelled")
            self._changed.notify_all()

    def stop_reading(self) -> None:
        """Tell the readers to end; they do so when their read returns."""
        with self._changed:
            self._stopping = True
            for queue in self._queues.values():
                queue.clear()
            self._changed.notify_all()

    def join(self, timeout_s: float) -> bool:
        """Wait for the readers; False when one is still in a read."""
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0.0))
        return not any(thread.is_alive() for thread in self._threads)

    def _read(self, plan: StreamPlan) -> None:
        assembler = FrameAssembler(plan.stream, plan.width_px, plan.height_px)
        buffer = array.array("B", bytes(plan.read_bytes))
        view = memoryview(buffer)
        try:
            while not self._stopping:
                try:
                    count = self._device.read_into(plan.endpoint, buffer, timeout_s=_READ_S)
                except DeviceTimeout:
                    continue
                # An empty packet is the bus's way to end a transfer and holds nothing.
                frame = assembler.feed(view[:count]) if count else None
                if frame is not None and not self._put(plan.stream, frame):
                    return
        except FacewardError as error:
            if not self._stopping:
                self.fail(error)
        except Exception as error:  # noqa: BLE001 - a reader that dies silently would look like a silent sensor
            self.fail(DeviceError(f"reading the {plan.stream.name.lower()} stream failed: {error!r}"))

    def _put(self, stream: Stream, frame: Frame) -> bool:
        queue = self._queues[stream]
        with self._changed:
            while len(queue) >= QUEUE_FRAMES and not self._over:
                self._changed.wait()
            if self._over:
                return False
            queue.append(frame)
            self._changed.notify_all()
            return True

    @property
    def _over(self) -> bool:
        return self._stopping or self._failure is not None
