"""Sessions on disk: MCAP files with Faceward's protobuf messages, which public MCAP tools open.

| topic | message | when |
|---|---|---|
| `/sensor` | RecordedSensor | first, once |
| `/infrared`, `/depth` | RecordedFrame | a slot's infrared before its depth |
| `/prompt` | RecordedPrompt | as the person was told |

A message's log time is the device's time. A recording is input from outside: sizes are capped before anything is
unpacked, and what it says of itself proves nothing. A file that can't be read or is no recording is a ConfigError;
one whose content breaks off or contradicts itself is a DeviceProtocolError, as the same from a sensor would be.
"""

from __future__ import annotations

import contextlib
import os
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import zstandard
from mcap.exceptions import McapError
from mcap.records import Channel, Chunk, Header, Message, Schema
from mcap.stream_reader import StreamReader, breakup_chunk
from mcap.writer import CompressionType
from mcap_protobuf.writer import Writer

from faceward.errors import CaptureCancelled, ConfigError, DeviceProtocolError, DeviceTimeout, StoreError
from faceward.hal.inspection import measures_depth
from faceward.hal.sensor import Sensor
from faceward.model.frame import (
    Frame,
    Health,
    IlluminationSchedule,
    Prompt,
    SensorInfo,
    Slot,
    Stream,
    StreamProfile,
)
from faceward.wire import device as wire
from faceward.wire.device import RecordedPrompt, RecordedSensor

SENSOR_TOPIC: Final = "/sensor"
PROMPT_TOPIC: Final = "/prompt"
FRAME_TOPICS: Final = {Stream.INFRARED: "/infrared", Stream.DEPTH: "/depth"}
_MESSAGE_TYPES: Final = {
    SENSOR_TOPIC: "faceward.v1.RecordedSensor",
    PROMPT_TOPIC: "faceward.v1.RecordedPrompt",
    FRAME_TOPICS[Stream.INFRARED]: "faceward.v1.RecordedFrame",
    FRAME_TOPICS[Stream.DEPTH]: "faceward.v1.RecordedFrame",
}
# One frame at full size and a little: a chunk is what a reader holds at once.
_CHUNK_BYTES: Final = 1024 * 1024
_MAX_RECORD_BYTES: Final = 2 * wire.MAX_FRAME_MESSAGE_BYTES
_MAX_CHUNK_BYTES: Final = 2 * wire.MAX_FRAME_MESSAGE_BYTES
_MAX_CHANNELS: Final = 64


class RecordingWriter:
    """Writes one session as it comes, in bounded memory.

    The file appears under its name only when it is whole: until `finish` it is `NAME.part`, and `abandon` (or leaving the
    context by an exception) takes that away. Frames' pixels are not kept.

    Raises: ConfigError (the folder or an existing file), StoreError (the disk).
    """

    def __init__(
        self,
        path: Path,
        sensor: SensorInfo,
        schedule: IlluminationSchedule,
        *,
        simulated: bool,
        overwrite: bool = False,
    ) -> None:
        self.path = path
        self.frames = 0
        self._part = path.with_name(path.name + ".part")
        self._closed = False
        if path.exists() and not overwrite:
            raise ConfigError(f"{path} is there already")
        message = wire.recorded_sensor_message(
            RecordedSensor(
                address=sensor.address,
                identity=_identity_of(sensor),
                calibration=sensor.calibration,
                schedule=schedule,
                streams=sensor.streams,
                simulated=simulated,
            )
        )
        try:
            self._part.unlink(missing_ok=True)  # what a kill left, or somebody's link
            self._file: IO[bytes] = open(self._part, "xb", opener=_private)  # noqa: SIM115 - closed by finish and abandon
        except OSError as error:
            raise ConfigError(f"can't write {self._part}: {error.strerror or error}") from error
        try:
            with self._guarded():
                self._writer = Writer(
                    self._file, chunk_size=_CHUNK_BYTES, compression=CompressionType.ZSTD, profile="faceward"
                )
                self._writer.write_message(SENSOR_TOPIC, message, log_time=0, publish_time=0)
        except BaseException:
            self.abandon()
            raise

    def write_slot(self, slot: Slot) -> None:
        """Write a slot's frames. Raises: StoreError."""
        for frame in slot.frames:
            self.write_frame(frame)

    def write_frame(self, frame: Frame) -> None:
        """Write one frame, for sources that have no slots of infrared. Raises: StoreError."""
        message = wire.recorded_frame_message(frame)
        time_ns = frame.device_time_us * 1000
        with self._guarded():
            self._writer.write_message(
                FRAME_TOPICS[frame.stream], message, log_time=time_ns, publish_time=time_ns, sequence=frame.sequence
            )
        self.frames += 1

    def write_prompt(self, prompt: Prompt, device_time_us: int) -> None:
        """Write what the person was told after that moment. Raises: StoreError."""
        message = wire.recorded_prompt_message(RecordedPrompt(device_time_us, prompt))
        time_ns = device_time_us * 1000
        with self._guarded():
            self._writer.write_message(PROMPT_TOPIC, message, log_time=time_ns, publish_time=time_ns)

    def finish(self) -> None:
        """Write the index and let the file appear under its name. Raises: StoreError."""
        if self._closed:
            return
        with self._guarded():
            self._writer.finish()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.replace(self.path)
        self._closed = True

    def abandon(self) -> None:
        """Leave nothing behind. Idempotent; does nothing after `finish`."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._part.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        if self._closed:
            raise StoreError(f"the recording {self.path} is finished")
        try:
            yield
        except (OSError, McapError, struct.error) as error:
            raise StoreError(f"can't write {self._part}: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            try:
                self.finish()
            except BaseException:
                self.abandon()
                raise
        else:
            self.abandon()


def _identity_of(sensor: SensorInfo) -> wire.Identity:
    return wire.Identity(
        vendor=sensor.vendor,
        model=sensor.model,
        serial=sensor.serial,
        firmware_version=sensor.firmware_version,
        hardware_revision=sensor.hardware_revision,
        kind=sensor.kind,
        wavelengths_nm=dict(sensor.wavelengths_nm),
        slot_rate_hz=sensor.slot_rate_hz,
        max_schedule_slots=sensor.max_schedule_slots,
    )


def _private(path: str, flags: int) -> int:
    # A recording holds faces.
    return os.open(path, flags, 0o600)


Item = RecordedSensor | RecordedPrompt | Frame


@dataclass(frozen=True, slots=True)
class _ChannelType:
    topic: str
    known: bool


def read_recording(path: Path) -> Iterator[Item]:
    """A recording's content in file order, one message in memory at a time; the RecordedSensor comes first.

    Topics that Faceward doesn't know are passed over.

    Raises: ConfigError (unreadable, or no recording), DeviceProtocolError (malformed, cut short, too large).
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise ConfigError(f"can't read the recording {path}: {error.strerror or error}") from error
    with file:
        try:
            yield from _items(path, file)
        except OSError as error:
            raise ConfigError(f"can't read the recording {path}: {error.strerror or error}") from error


def _items(path: Path, file: IO[bytes]) -> Iterator[Item]:
    is_first = True
    channels: dict[int, _ChannelType] = {}
    for record in _messages(path, file, channels):
        channel = channels.get(record.channel_id)
        if channel is None:
            raise DeviceProtocolError(f"{path} has a message of a channel that it doesn't describe")
        if not channel.known:
            continue
        if is_first != (channel.topic == SENSOR_TOPIC):
            if is_first:
                raise ConfigError(f"{path} is no Faceward recording: {SENSOR_TOPIC} does not come first")
            raise DeviceProtocolError(f"{path} describes its sensor twice")
        is_first = False
        if channel.topic == SENSOR_TOPIC:
            yield wire.read_recorded_sensor(record.data)
        elif channel.topic == PROMPT_TOPIC:
            yield wire.read_recorded_prompt(record.data)
        else:
            frame = wire.read_recorded_frame(record.data)
            if FRAME_TOPICS[frame.stream] != channel.topic:
                raise DeviceProtocolError(f"{path} has a frame of {frame.stream.name.lower()} on {channel.topic}")
            yield frame
    if is_first:
        raise ConfigError(f"{path} is no Faceward recording: it has no {SENSOR_TOPIC}")


def _messages(path: Path, file: IO[bytes], channels: dict[int, _ChannelType]) -> Iterator[Message]:
    """The messages of an MCAP file; channels are noted as they come."""
    schemas: dict[int, str] = {}
    seen_header = False
    try:
        reader = StreamReader(file, emit_chunks=True, validate_crcs=False, record_size_limit=_MAX_RECORD_BYTES)
        for record in reader.records:
            if isinstance(record, Header):
                seen_header = True
            inner = _unpacked(path, record) if isinstance(record, Chunk) else [record]
            for entry in inner:
                if isinstance(entry, Schema):
                    # A name that isn't ours is not kept: names may be as long as a record.
                    schemas[entry.id] = entry.name if entry.name in _MESSAGE_TYPES.values() else ""
                elif isinstance(entry, Channel):
                    if len(channels) >= _MAX_CHANNELS and entry.id not in channels:
                        raise DeviceProtocolError(f"{path} has more than {_MAX_CHANNELS} channels")
                    channels[entry.id] = _channel_type(path, entry, schemas)
                elif isinstance(entry, Message):
                    yield entry
    except DeviceProtocolError:
        raise
    except OSError:
        raise
    except Exception as error:
        # mcap, zstandard and lz4 have each their own, and struct's and EOFError besides.
        if not seen_header:
            raise ConfigError(f"{path} is no recording: {error}") from error
        raise DeviceProtocolError(f"the recording {path} is damaged or cut short: {error}") from error


def _unpacked(path: Path, chunk: Chunk) -> list[object]:
    if chunk.uncompressed_size > _MAX_CHUNK_BYTES:
        raise DeviceProtocolError(f"{path} has a chunk of {chunk.uncompressed_size} bytes")
    if chunk.compression not in ("", "zstd"):
        raise DeviceProtocolError(f"{path} is packed with {chunk.compression!r}; zstd is read")
    if chunk.compression == "zstd":
        # zstandard makes room for what the frame says of itself, whatever the chunk around it says.
        size = zstandard.get_frame_parameters(chunk.data).content_size
        if size not in (chunk.uncompressed_size, zstandard.CONTENTSIZE_UNKNOWN):
            raise DeviceProtocolError(f"{path} has a chunk that says two things of its size")
    return list(breakup_chunk(chunk, validate_crc=True))


def _channel_type(path: Path, channel: Channel, schemas: dict[int, str]) -> _ChannelType:
    wanted = _MESSAGE_TYPES.get(channel.topic)
    if wanted is None:
        return _ChannelType("", False)
    if channel.message_encoding != "protobuf" or schemas.get(channel.schema_id) != wanted:
        raise DeviceProtocolError(f"{path} has something else than {wanted} on {channel.topic}")
    return _ChannelType(channel.topic, True)


class ReplaySensor(Sensor):
    """A recording as a sensor, for looking at and for evaluating gates: `info.transport` is "replay".

    Slots come as fast as they are read. `start` plays from the beginning under the recording's own schedule
    (`schedule`), whatever it is given; exposure and prompts can't be changed any more and are ignored. A recording
    without infrared gives slots of depth alone, as `info.streams` says. At the end `read_slot` raises EndOfRecording.

    Raises: ConfigError, DeviceProtocolError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._items: Iterator[Item] | None = None
        self._pending: Frame | None = None
        self._cancelled = False
        self._closed = False
        self._over = False
        recording = read_recording(path)
        try:
            sensor = next(recording)
            assert isinstance(sensor, RecordedSensor)
        finally:
            recording.close()  # type: ignore[attr-defined]
        identity, calibration = sensor.identity, sensor.calibration
        camera = calibration.infrared if Stream.INFRARED in sensor.streams else calibration.depth
        self.schedule = sensor.schedule
        self.simulated = sensor.simulated
        self.recorded_from = sensor.address
        self.info = SensorInfo(
            address=f"replay:{path}",
            vendor=identity.vendor,
            model=identity.model,
            serial=identity.serial,
            firmware_version=identity.firmware_version,
            hardware_revision=identity.hardware_revision,
            kind=identity.kind,
            wavelengths_nm=dict(identity.wavelengths_nm),
            slot_rate_hz=identity.slot_rate_hz,
            max_schedule_slots=max(identity.max_schedule_slots, len(sensor.schedule.slots)),
            calibration=calibration,
            profiles=(StreamProfile(camera.width_px, camera.height_px, identity.slot_rate_hz, identity.slot_rate_hz),),
            streams=sensor.streams,
            transport="replay",
            driver="replay",
        )
        self._health = Health(0.0, 0, (), 0)

    def start(self, profile: StreamProfile, schedule: IlluminationSchedule, *, timeout_s: float = 5.0) -> None:
        """Play from the beginning. Raises: ConfigError, DeviceProtocolError."""
        if self._closed:
            raise ConfigError(f"the recording {self._path} is closed")
        self.stop()
        self._items = read_recording(self._path)
        next(self._items)
        self._pending = None
        self._over = False

    def read_slot(self, *, timeout_s: float = 2.0) -> Slot:
        """The next recorded slot.

        Raises: EndOfRecording, DeviceProtocolError, CaptureCancelled, ConfigError (not started).
        """
        deadline = time.monotonic() + timeout_s
        if self._cancelled:
            raise CaptureCancelled("cancelled")
        if self._items is None:
            raise ConfigError("the recording does not play: start it first")
        try:
            return self._next_slot(deadline)
        except BaseException:
            self._over = True
            raise

    def _next_slot(self, deadline: float) -> Slot:
        first = self._next_frame(deadline)
        if first is None:
            raise EndOfRecording(f"the recording {self._path} is over")
        if first.stream is Stream.DEPTH:
            if Stream.INFRARED in self.info.streams:
                raise DeviceProtocolError(f"slot {first.slot} of the recording has depth without infrared")
            slot = Slot(None, first)
        else:
            depth = self._next_frame(deadline)
            if depth is not None and (depth.stream is not Stream.DEPTH or depth.slot != first.slot):
                self._pending, depth = depth, None
            if (
                depth is None
                and Stream.DEPTH in self.info.streams
                and measures_depth(self.info.kind, first.illumination)
            ):
                raise DeviceProtocolError(f"slot {first.slot} of the recording has no depth")
            slot = Slot(first, depth)
        self._health = replace(self._health, temperature_c=first.temperature_c, uptime_us=first.device_time_us)
        return slot

    def _next_frame(self, deadline: float) -> Frame | None:
        pending, self._pending = self._pending, None
        if pending is not None or self._over:
            return pending
        assert self._items is not None
        for item in self._items:
            if time.monotonic() > deadline:
                self._over = True
                raise DeviceTimeout("the recording's next slot was not read in time")
            if isinstance(item, Frame):
                if item.stream not in self.info.streams:
                    raise DeviceProtocolError(f"the recording has a stream {item.stream.name} that it does not name")
                return item
        return None

    def slots(self) -> Iterator[Slot]:
        """Every slot from the beginning, to the end of the recording. Raises as `start` and `read_slot`."""
        self.start(self.info.profiles[0], self.schedule)
        while True:
            try:
                yield self.read_slot()
            except EndOfRecording:
                return

    def set_exposure(self, exposure_us: int, gain: float = 1.0, *, timeout_s: float = 1.0) -> None:
        """Nothing: what was recorded stays as it was taken."""

    def indicate(self, prompt: Prompt, *, timeout_s: float = 1.0) -> None:
        """Nothing: nobody is there to see it."""

    def health(self, *, timeout_s: float = 1.0) -> Health:
        """Temperature and time of the last slot."""
        return self._health

    def stop(self, *, timeout_s: float = 2.0) -> None:
        """End playing; it can be started again. Idempotent."""
        items, self._items = self._items, None
        if items is not None:
            items.close()  # type: ignore[attr-defined]

    def cancel(self) -> None:
        """From any thread: every later `read_slot` raises CaptureCancelled."""
        self._cancelled = True

    def close(self) -> None:
        """Close the file."""
        self.stop()
        self._closed = True


class EndOfRecording(DeviceTimeout):
    """Nothing more comes, as from a sensor that has gone silent: the end of a recording is no failure by itself."""
