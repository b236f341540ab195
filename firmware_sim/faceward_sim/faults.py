"""What goes wrong with sensors in the field, to be put around a firmware: `inject(firmware, *faults)`.

Faults compose: each sees what the ones before it left. A slot as argument is the slot at which the fault sets in.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from faceward_sim.firmware.descriptors import DEPTH_ENDPOINT, STREAMS, Descriptors
from faceward_sim.firmware.device import Firmware
from faceward_sim.firmware.imager import Exposure, Illumination, Imager, SlotImage
from faceward_sim.firmware.messages import DeviceFault
from faceward_sim.firmware.payload import HEADER_BYTES, WireFrame
from faceward_sim.firmware.setup import NoAnswer, PowerLost, Setup, Stall

Frames = tuple[WireFrame, ...]

_STANDARD_HEADER_BYTES = 12
_SEQUENCE_AT, _SLOT_AT, _TIME_AT, _CONFIG_HASH_AT = 20, 24, 28, 48
_CLEAR_FEATURE, _SET_INTERFACE = 1, 11
_CLASS_SPECIFIC = 0x24
# Faults that are random are so from this seed: a test that failed once fails again.
_SEED = 0x0FA7


class Fault:
    """The hooks that a fault may use; each does nothing here."""

    def attach(self, firmware: Firmware) -> None:
        """Once, before anything else."""

    def before_slot(self, slot: int, firmware: Firmware) -> None:
        """Before a slot is taken; raises PowerLost to fall off the bus."""

    def frames(self, slot: int, frames: Frames) -> Frames:
        """What leaves the sensor in place of these frames."""
        return frames

    def control(self, packet: Setup, answer: Callable[[], bytes]) -> bytes:
        """A control transfer's answer; raises Stall or NoAnswer."""
        return answer()


class FaultyFirmware:
    """A firmware with faults around it, for a port to run."""

    def __init__(self, firmware: Firmware, faults: Sequence[Fault]) -> None:
        self.firmware = firmware
        self.claimed_elsewhere = firmware.claimed_elsewhere
        self._faults = tuple(faults)
        for fault in self._faults:
            fault.attach(firmware)
            self.claimed_elsewhere |= isinstance(fault, Busy)

    @property
    def descriptors(self) -> Descriptors:
        """As the firmware's."""
        return self.firmware.descriptors

    @property
    def streaming(self) -> bool:
        """As the firmware's."""
        return self.firmware.streaming

    @property
    def slot_period_us(self) -> float:
        """As the firmware's."""
        return self.firmware.slot_period_us

    def stream_run(self, endpoint: int) -> int:
        """As the firmware's."""
        return self.firmware.stream_run(endpoint)

    def halted(self, endpoint: int) -> bool:
        """As the firmware's."""
        return self.firmware.halted(endpoint)

    def reset(self) -> None:
        """As the firmware's."""
        self.firmware.reset()

    def power_cycle(self) -> None:
        """As the firmware's."""
        self.firmware.power_cycle()

    def report_dropped(self, frames: int) -> None:
        """As the firmware's."""
        self.firmware.report_dropped(frames)

    def skip_slot(self) -> None:
        """As the firmware's."""
        self.firmware.skip_slot()

    def next_slot(self) -> Frames:
        """The firmware's slot, after every fault had its way with it. Raises PowerLost."""
        if not self.firmware.streaming:
            return ()
        slot = self.firmware.slot
        for fault in self._faults:
            fault.before_slot(slot, self.firmware)
        frames = self.firmware.next_slot()
        for fault in self._faults:
            frames = fault.frames(slot, frames)
        return frames

    def control(self, setup: bytes, data: bytes = b"") -> bytes:
        """The firmware's answer, or what the faults make of it. Raises Stall, NoAnswer."""
        packet = Setup.parse(setup)

        def answer_of(number: int) -> bytes:
            if number == len(self._faults):
                return self.firmware.control(setup, data)
            return self._faults[number].control(packet, lambda: answer_of(number + 1))

        return answer_of(0)


def inject(firmware: Firmware, *faults: Fault) -> FaultyFirmware:
    """Put faults around a firmware. The firmware itself is changed where the fault lies in the hardware behind it."""
    return FaultyFirmware(firmware, faults)


class _FromSlot(Fault):
    """Sets in at a slot."""

    def __init__(self, slot: int) -> None:
        self.slot = slot


class _ImagerFault(_FromSlot):
    """Lies in the optics: exposures pass through `distort` from the slot on."""

    def attach(self, firmware: Firmware) -> None:
        firmware.imager = _FaultyImager(firmware.imager, self)

    def distort(self, imager: Imager, exposure: Exposure) -> SlotImage:
        """What the pixels see."""
        return imager.expose(exposure)


class _FaultyImager:
    def __init__(self, imager: Imager, fault: _ImagerFault) -> None:
        self.identity = imager.identity
        self.calibration = imager.calibration
        self._imager = imager
        self._fault = fault

    def expose(self, exposure: Exposure) -> SlotImage:
        if exposure.slot < self._fault.slot:
            return self._imager.expose(exposure)
        return self._fault.distort(self._imager, exposure)


class Unplug(_FromSlot):
    """The cable is pulled."""

    def before_slot(self, slot: int, firmware: Firmware) -> None:
        if slot >= self.slot:
            raise PowerLost("unplugged")


class BrownOut(_FromSlot):
    """The voltage drops once: the sensor falls off the bus, starts anew and says why."""

    def __init__(self, slot: int) -> None:
        super().__init__(slot)
        self._done = False

    def before_slot(self, slot: int, firmware: Firmware) -> None:
        if slot >= self.slot and not self._done:
            self._done = True
            firmware.conditions.add(DeviceFault.BROWNOUT)
            raise PowerLost("brown-out", comes_back=True)


class Silent(_FromSlot):
    """No frames."""

    def frames(self, slot: int, frames: Frames) -> Frames:
        return () if slot >= self.slot else frames


class SilentDepth(_FromSlot):
    """No depth frames, though infrared goes on."""

    def frames(self, slot: int, frames: Frames) -> Frames:
        if slot < self.slot:
            return frames
        return tuple(frame for frame in frames if frame.endpoint != DEPTH_ENDPOINT)


class LostFrame(_FromSlot):
    """One slot's frames get lost."""

    def frames(self, slot: int, frames: Frames) -> Frames:
        return () if slot == self.slot else frames


def _is_stop(packet: Setup) -> bool:
    if packet.request_type == 0x02 and packet.request == _CLEAR_FEATURE:
        return True
    streaming = {stream.interface for stream in STREAMS}
    return packet.request_type == 0x01 and packet.request == _SET_INTERFACE and packet.index in streaming


class StopBlocks(Fault):
    """A request to stop is never answered."""

    def control(self, packet: Setup, answer: Callable[[], bytes]) -> bytes:
        if _is_stop(packet):
            raise NoAnswer("the sensor is stuck in its stop")
        return answer()


class StopStalls(Fault):
    """A request to stop is stalled, and the stream goes on."""

    def control(self, packet: Setup, answer: Callable[[], bytes]) -> bytes:
        if _is_stop(packet):
            raise Stall("the sensor does not stop")
        return answer()


class ZeroDepth(_ImagerFault):
    """The dot projector is dead: dots slots are dark and no pixel has a depth; metadata says nothing of it."""

    def distort(self, imager: Imager, exposure: Exposure) -> SlotImage:
        if exposure.illumination is not Illumination.DOTS:
            return imager.expose(exposure)
        image = imager.expose(replace(exposure, illumination=Illumination.OFF))
        return replace(image, depth=np.zeros_like(image.infrared))


class AlternationSlip(_ImagerFault):
    """The emitters lag a slot behind: the light is the last slot's, the metadata this slot's."""

    def __init__(self, slot: int) -> None:
        super().__init__(slot)
        self._last = Illumination.OFF

    def distort(self, imager: Imager, exposure: Exposure) -> SlotImage:
        lit, self._last = self._last, exposure.illumination
        image = imager.expose(replace(exposure, illumination=lit))
        if exposure.illumination is not Illumination.DOTS:
            return replace(image, depth=None)
        return image if image.depth is not None else replace(image, depth=np.zeros_like(image.infrared))


class SwappedCalibration(Fault):
    """The calibration in flash is another unit's."""

    def attach(self, firmware: Firmware) -> None:
        own = firmware.imager.calibration
        other = replace(own.infrared, fx_px=own.infrared.fx_px * 0.9, fy_px=own.infrared.fy_px * 0.9)
        other = replace(other, cx_px=other.cx_px + 12.0, cy_px=other.cy_px - 9.0)
        wrapped = _FaultyImager(firmware.imager, _ImagerFault(0))
        wrapped.calibration = replace(own, infrared=other, depth=other, baseline_mm=own.baseline_mm * 1.15)
        firmware.imager = wrapped


class Overheat(_ImagerFault):
    """The die reaches 96 degrees and says so; five slots later the sensor protects itself and sends nothing more."""

    _GRACE_SLOTS = 5

    def before_slot(self, slot: int, firmware: Firmware) -> None:
        if slot >= self.slot:
            firmware.conditions.add(DeviceFault.OVERHEAT)

    def distort(self, imager: Imager, exposure: Exposure) -> SlotImage:
        return replace(imager.expose(exposure), temperature_c=96.0)

    def frames(self, slot: int, frames: Frames) -> Frames:
        return () if slot >= self.slot + self._GRACE_SLOTS else frames


class _Patch(_FromSlot):
    """Changes bytes of each payload's header from the slot on."""

    def frames(self, slot: int, frames: Frames) -> Frames:
        if slot >= self.slot:
            for frame in frames:
                for payload in frame.payloads:
                    self.patch(payload)
        return frames

    def patch(self, payload: memoryview) -> None:
        """Change the header in place."""


class CounterReset(_Patch):
    """Slot and sequence begin at 0 again."""

    def __init__(self, slot: int) -> None:
        super().__init__(slot)
        self._first_sequence: dict[int, int] = {}

    def patch(self, payload: memoryview) -> None:
        sequence, slot = struct.unpack_from("<II", payload, _SEQUENCE_AT)
        first = self._first_sequence.setdefault(payload[16], sequence)
        struct.pack_into("<II", payload, _SEQUENCE_AT, max(sequence - first, 0), slot - self.slot)


class ClockReset(_Patch):
    """The device's clock begins at 0 again."""

    def __init__(self, slot: int) -> None:
        super().__init__(slot)
        self._start_us: int | None = None

    def patch(self, payload: memoryview) -> None:
        (time_us,) = struct.unpack_from("<Q", payload, _TIME_AT)
        if self._start_us is None:
            self._start_us = time_us
        struct.pack_into("<Q", payload, _TIME_AT, max(time_us - self._start_us, 0))


class WrongConfigHash(_Patch):
    """The sensor runs with another configuration than the host's."""

    def patch(self, payload: memoryview) -> None:
        payload[_CONFIG_HASH_AT] ^= 0x01


class GarbageMetadata(_Patch):
    """Random bytes behind the standard header."""

    def __init__(self, slot: int) -> None:
        super().__init__(slot)
        self._random = np.random.default_rng(_SEED)

    def patch(self, payload: memoryview) -> None:
        payload[_STANDARD_HEADER_BYTES:HEADER_BYTES] = self._random.bytes(HEADER_BYTES - _STANDARD_HEADER_BYTES)


class StuckFid(_Patch):
    """The frame bit does not toggle any more."""

    def patch(self, payload: memoryview) -> None:
        payload[1] &= 0xFE


class MissingMetadata(_FromSlot):
    """Payloads with the twelve standard bytes of header and no more."""

    def frames(self, slot: int, frames: Frames) -> Frames:
        if slot >= self.slot:
            for frame in frames:
                frame.payloads = [self._without(payload) for payload in frame.payloads]
        return frames

    def _without(self, payload: memoryview) -> memoryview:
        short = bytearray(payload[:_STANDARD_HEADER_BYTES]) + payload[HEADER_BYTES:]
        short[0] = _STANDARD_HEADER_BYTES
        return memoryview(short)


class ShortFrame(_FromSlot):
    """One slot's frames end half a payload early."""

    def frames(self, slot: int, frames: Frames) -> Frames:
        if slot == self.slot:
            for frame in frames:
                last = frame.payloads[-1]
                frame.payloads[-1] = last[: HEADER_BYTES + (len(last) - HEADER_BYTES) // 2]
        return frames


class OverlongFrame(_FromSlot):
    """One slot's frames go on for two rows more than they should."""

    def frames(self, slot: int, frames: Frames) -> Frames:
        if slot == self.slot:
            for frame in frames:
                frame.payloads[-1] = memoryview(bytearray(frame.payloads[-1]) + bytes(2 * 640 * 2))
        return frames


class DuplicateFrame(_FromSlot):
    """One slot's frames are sent twice."""

    def frames(self, slot: int, frames: Frames) -> Frames:
        if slot != self.slot:
            return frames
        again = tuple(replace(frame, payloads=[memoryview(bytearray(p)) for p in frame.payloads]) for frame in frames)
        return frames + again


class Stuck(_ImagerFault):
    """The pixels stand still while the metadata goes on."""

    def __init__(self, slot: int) -> None:
        super().__init__(slot)
        self._held = SlotImage(np.zeros((0, 0), np.uint16))

    def distort(self, imager: Imager, exposure: Exposure) -> SlotImage:
        image = imager.expose(exposure)
        if not self._held.infrared.size:
            self._held = replace(image, infrared=image.infrared.copy())
        if self._held.depth is None and image.depth is not None:
            self._held = replace(self._held, depth=image.depth.copy())
        return replace(self._held, depth=None if image.depth is None else self._held.depth)


class GarbageDescriptors(Fault):
    """The video-specific descriptors hold random bytes; lengths, interfaces and endpoints are in order."""

    def attach(self, firmware: Firmware) -> None:
        random = np.random.default_rng(_SEED)
        raw = bytearray(firmware.descriptors.configuration)
        at = 0
        while at < len(raw):
            length = raw[at]
            if raw[at + 1] == _CLASS_SPECIFIC:
                raw[at + 2 : at + length] = random.bytes(length - 2)
            at += length
        firmware.descriptors.configuration = bytes(raw)


class WrongIds(Fault):
    """Another product's ids."""

    def attach(self, firmware: Firmware) -> None:
        descriptors = firmware.descriptors
        descriptors.pid ^= 0x0003
        raw = bytearray(descriptors.device)
        struct.pack_into("<H", raw, 10, descriptors.pid)
        descriptors.device = bytes(raw)


class Busy(Fault):
    """Another program has the sensor."""


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """A fault by name; `default_slot` is None for one that is there from the start and takes no slot."""

    name: str
    description: str
    make: Callable[..., Fault]
    default_slot: int | None = None

    def build(self, slot: int | None = None) -> Fault:
        """The fault, setting in at a slot. Raises ValueError for a slot that it doesn't take."""
        if self.default_slot is None:
            if slot is not None:
                raise ValueError(f"the fault {self.name} takes no slot")
            return self.make()
        return self.make(self.default_slot if slot is None else slot)


FAULTS: dict[str, FaultSpec] = {
    spec.name: spec
    for spec in (
        FaultSpec("alternation-slip", "the light lags one slot behind the metadata", AlternationSlip, 30),
        FaultSpec("brown-out", "falls off the bus once, comes back and reports it", BrownOut, 30),
        FaultSpec("busy", "another program has the sensor", Busy),
        FaultSpec("clock-reset", "device time begins at 0 again", ClockReset, 30),
        FaultSpec("counter-reset", "slot and sequence begin at 0 again", CounterReset, 30),
        FaultSpec("duplicate-frame", "one slot's frames are sent twice", DuplicateFrame, 30),
        FaultSpec("garbage-descriptors", "random video descriptors", GarbageDescriptors),
        FaultSpec("garbage-metadata", "random bytes in place of the metadata", GarbageMetadata, 0),
        FaultSpec("lost-frame", "one slot's frames get lost", LostFrame, 30),
        FaultSpec("missing-metadata", "payload headers of 12 bytes", MissingMetadata, 0),
        FaultSpec("overheat", "96 degrees, reported; then no frames", Overheat, 30),
        FaultSpec("overlong-frame", "one slot's frames are too long", OverlongFrame, 30),
        FaultSpec("short-frame", "one slot's frames are too short", ShortFrame, 30),
        FaultSpec("silent", "no frames", Silent, 0),
        FaultSpec("silent-depth", "no depth frames", SilentDepth, 0),
        FaultSpec("stop-blocks", "a request to stop is never answered", StopBlocks),
        FaultSpec("stop-stalls", "a request to stop is refused", StopStalls),
        FaultSpec("stuck", "the same picture again and again", Stuck, 30),
        FaultSpec("stuck-fid", "the frame bit does not toggle", StuckFid, 30),
        FaultSpec("swapped-calibration", "another unit's calibration", SwappedCalibration),
        FaultSpec("unplug", "the cable is pulled", Unplug, 30),
        FaultSpec("wrong-config-hash", "frames of another configuration", WrongConfigHash, 0),
        FaultSpec("wrong-ids", "another product's USB ids", WrongIds),
        FaultSpec("zero-depth", "the dot projector is dead: dots slots dark, depth all zero", ZeroDepth, 0),
    )
}


def parse_fault(text: str) -> Fault:
    """A fault from `NAME` or `NAME:SLOT`.

    Raises ValueError, with the names that there are.
    """
    name, colon, argument = text.partition(":")
    if name not in FAULTS:
        raise ValueError(f"no fault {name!r}; there are {', '.join(sorted(FAULTS))}")
    if not colon:
        return FAULTS[name].build()
    if not (argument.isascii() and argument.isdigit()):
        raise ValueError(f"the slot of the fault {name} is a whole number, not {argument!r}")
    return FAULTS[name].build(int(argument))
