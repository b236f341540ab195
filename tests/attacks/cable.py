"""Somebody on the cable, or in a hub on it: sees every frame that leaves the sensor and sends what he likes instead."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable

from faceward_sim.faults import Fault
from faceward_sim.firmware.device import Firmware
from faceward_sim.firmware.payload import HEADER_BYTES, WireFrame

_LIGHT_AT = 17  # the illumination in a payload's metadata (docs/protocol.md)

Frames = tuple[WireFrame, ...]


class Film(Fault):
    """Keeps the first slots of the sensor's first stream, and sends them in place of every later stream's."""

    def __init__(self, slots: int) -> None:
        self.film: list[Frames] = []
        self.slots = slots
        self.showing = False

    def attach(self, firmware: Firmware) -> None:
        self._firmware = firmware

    @property
    def complete(self) -> bool:
        return len(self.film) == self.slots

    def frames(self, slot: int, frames: Frames) -> Frames:
        if not self.showing:
            if slot == len(self.film) < self.slots:
                self.film.append(copies(frames, runs=None))
            return frames
        return copies(self.film[slot], runs=self._firmware.stream_run) if slot < len(self.film) else ()


class Sorted(Film):
    """The same film, sorted into the schedule that runs now: the next picture of each slot's light, under the words that
    the sensor says of this slot. Where the film ends, its last pictures come again with a changed pixel: the same
    picture twice would look like a stuck sensor."""

    def frames(self, slot: int, frames: Frames) -> Frames:
        if not self.showing:
            return super().frames(slot, frames)
        for live in frames:
            self._relabel(live)
        return frames

    def _relabel(self, live: WireFrame) -> None:
        pictures = self._by_light[_light_of(live)]
        filmed = pictures.pop(0) if len(pictures) > 1 else pictures[0]
        filmed.payloads[0][HEADER_BYTES] ^= len(pictures) == 1
        for mine, shown in zip(live.payloads, filmed.payloads, strict=True):
            mine[HEADER_BYTES:] = shown[HEADER_BYTES:]

    def show(self) -> None:
        """From the next stream on."""
        self._by_light: dict[tuple[int, int], list[WireFrame]] = defaultdict(list)
        for frame in itertools.chain.from_iterable(self.film):
            self._by_light[_light_of(frame)].append(frame)
        self.showing = True


def _light_of(frame: WireFrame) -> tuple[int, int]:
    return frame.endpoint, frame.payloads[0][_LIGHT_AT]


class Meddling(Fault):
    """Changes each frame from a slot on, in place."""

    def __init__(self, slot: int, change: Callable[[WireFrame], None]) -> None:
        self.slot, self.change = slot, change

    def frames(self, slot: int, frames: Frames) -> Frames:
        if slot >= self.slot:
            for frame in frames:
                self.change(frame)
        return frames


def copies(frames: Frames, runs: Callable[[int], int] | None) -> Frames:
    """Frames with bytes of their own, in the stream that runs now."""
    return tuple(
        WireFrame(
            frame.endpoint,
            [memoryview(bytearray(payload)) for payload in frame.payloads],
            frame.run if runs is None else runs(frame.endpoint),
        )
        for frame in frames
    )


def black(frame: WireFrame) -> None:
    """No light at all."""
    for payload in frame.payloads:
        payload[HEADER_BYTES:] = bytes(len(payload) - HEADER_BYTES)
