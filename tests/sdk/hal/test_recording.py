"""Sessions on disk: written, read back, opened by MCAP's own reader, and refused where they are none."""

from __future__ import annotations

import random
import struct
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zstandard
from faceward.errors import CaptureCancelled, ConfigError, DeviceError, DeviceProtocolError, StoreError
from faceward.hal.discovery import open_sensor
from faceward.hal.recording import EndOfRecording, RecordingWriter, ReplaySensor, read_recording
from faceward.hal.uvc import UvcDriver
from faceward.model.frame import Frame, IlluminationSchedule, Prompt, SensorInfo, Slot, Stream
from faceward.wire.device import RecordedPrompt, RecordedSensor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcap.reader import make_reader
from mcap.writer import CompressionType, Writer
from mcap_protobuf.decoder import DecoderFactory

COUNT = 24


@pytest.fixture
def session(
    make_rig: Callable[..., Any], schedule: IlluminationSchedule, request: pytest.FixtureRequest
) -> tuple[SensorInfo, list[Slot]]:
    with make_rig(way="usb").open() as sensor:
        sensor.start(sensor.info.profiles[1], schedule)
        return sensor.info, [sensor.read_slot() for _ in range(COUNT)]


@pytest.fixture
def transport() -> str:
    return "usb"


@pytest.fixture
def recording(tmp_path: Path, session: tuple[SensorInfo, list[Slot]], schedule: IlluminationSchedule) -> Path:
    info, slots = session
    path = tmp_path / "session.mcap"
    with RecordingWriter(path, info, schedule, simulated=True) as writer:
        for index, slot in enumerate(slots):
            writer.write_slot(slot)
            if index == 10:
                writer.write_prompt(Prompt.SMILE, slot.infrared.device_time_us)
    return path


def alike(a: Frame, b: Frame) -> bool:
    plain = {"data": b""}
    return bytes(a.data) == bytes(b.data) and repr(replace(a, **plain)) == repr(replace(b, **plain))


def test_what_was_recorded_is_what_is_read(
    recording: Path, session: tuple[SensorInfo, list[Slot]], schedule: IlluminationSchedule
) -> None:
    info, slots = session
    sensor, *items = read_recording(recording)
    assert isinstance(sensor, RecordedSensor)
    assert (sensor.address, sensor.schedule, sensor.streams) == (info.address, schedule, info.streams)
    assert (sensor.identity.serial, sensor.calibration, sensor.simulated) == ("TEST0001", info.calibration, True)
    frames = [item for item in items if isinstance(item, Frame)]
    expected = [frame for slot in slots for frame in (slot.infrared, slot.depth) if frame is not None]
    assert len(frames) == len(expected)
    assert all(alike(read, written) for read, written in zip(frames, expected, strict=True))
    (prompt,) = [item for item in items if isinstance(item, RecordedPrompt)]
    assert prompt == RecordedPrompt(slots[10].infrared.device_time_us, Prompt.SMILE)
    assert [path.name for path in recording.parent.iterdir()] == ["session.mcap"]


def test_public_tools_open_it_by_the_schemas_inside(recording: Path) -> None:
    with recording.open("rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        topics = [(channel.topic, schema.name) for schema, channel, _, _ in reader.iter_decoded_messages()]
        summary = reader.get_summary()
    assert topics[0] == ("/sensor", "faceward.v1.RecordedSensor")
    assert set(topics[1:]) == {
        ("/infrared", "faceward.v1.RecordedFrame"),
        ("/depth", "faceward.v1.RecordedFrame"),
        ("/prompt", "faceward.v1.RecordedPrompt"),
    }
    assert summary is not None
    assert summary.statistics is not None
    assert summary.statistics.message_count == len(topics)


def test_a_recording_replays_as_a_sensor_of_its_own_transport(
    recording: Path, session: tuple[SensorInfo, list[Slot]], schedule: IlluminationSchedule
) -> None:
    with open_sensor(f"replay:{recording}", [UvcDriver()], transports=frozenset({"replay"})) as sensor:
        assert isinstance(sensor, ReplaySensor)
        assert (sensor.info.transport, sensor.info.streams) == ("replay", frozenset(Stream))
        assert sensor.schedule == schedule
        for _ in range(2):
            replayed = list(sensor.slots())
            assert len(replayed) == COUNT
            for again, slot in zip(replayed, session[1], strict=True):
                assert alike(again.infrared, slot.infrared)
                assert (again.depth is None) == (slot.depth is None)
        sensor.start(sensor.info.profiles[0], schedule)
        sensor.set_exposure(5)
        sensor.indicate(Prompt.DONE)
        sensor.read_slot()
        assert sensor.health().temperature_c == 36.5
        sensor.stop()
        with pytest.raises(ConfigError, match="start it first"):
            sensor.read_slot()
        sensor.start(sensor.info.profiles[0], schedule)
        sensor.cancel()
        with pytest.raises(CaptureCancelled):
            sensor.read_slot()


def test_the_end_of_a_recording_has_an_error_of_its_own(recording: Path, schedule: IlluminationSchedule) -> None:
    with ReplaySensor(recording) as sensor:
        sensor.start(sensor.info.profiles[0], schedule)
        for _ in range(COUNT):
            sensor.read_slot()
        for _ in range(2):
            with pytest.raises(EndOfRecording):
                sensor.read_slot()


def test_a_recording_of_depth_alone_says_so_and_replays(
    tmp_path: Path, session: tuple[SensorInfo, list[Slot]], schedule: IlluminationSchedule
) -> None:
    info, slots = session
    depths = [slot.depth for slot in slots if slot.depth is not None]
    path = tmp_path / "depth.mcap"
    with RecordingWriter(path, replace(info, streams=frozenset({Stream.DEPTH})), schedule, simulated=False) as writer:
        for depth in depths:
            writer.write_frame(depth)
    with ReplaySensor(path) as sensor:
        assert sensor.info.streams == {Stream.DEPTH}
        replayed = list(sensor.slots())
    assert [slot.depth.slot for slot in replayed if slot.depth] == [depth.slot for depth in depths]
    assert all(slot.infrared is None for slot in replayed)


def test_a_slot_without_the_depth_that_it_must_have_is_refused(
    tmp_path: Path, session: tuple[SensorInfo, list[Slot]], schedule: IlluminationSchedule
) -> None:
    info, slots = session
    path = tmp_path / "gap.mcap"
    with RecordingWriter(path, info, schedule, simulated=False) as writer:
        for slot in slots:
            writer.write_frame(slot.infrared)
    with ReplaySensor(path) as sensor, pytest.raises(DeviceProtocolError, match="no depth"):
        list(sensor.slots())


def test_depth_without_its_infrared_is_refused(
    tmp_path: Path, session: tuple[SensorInfo, list[Slot]], schedule: IlluminationSchedule
) -> None:
    info, slots = session
    path = tmp_path / "gap.mcap"
    with RecordingWriter(path, info, schedule, simulated=False) as writer:
        writer.write_frame(next(slot.depth for slot in slots if slot.depth))
    with ReplaySensor(path) as sensor, pytest.raises(DeviceProtocolError, match="depth without infrared"):
        list(sensor.slots())


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_recording_leaves_nothing_behind(
    tmp_path: Path,
    session: tuple[SensorInfo, list[Slot]],
    schedule: IlluminationSchedule,
    interruption: type[BaseException],
) -> None:
    info, slots = session
    with pytest.raises(interruption), RecordingWriter(tmp_path / "x.mcap", info, schedule, simulated=True) as writer:
        writer.write_slot(slots[0])
        assert (tmp_path / "x.mcap.part").exists()
        raise interruption
    assert list(tmp_path.iterdir()) == []
    writer.abandon()
    with pytest.raises(StoreError, match="finished"):
        writer.write_slot(slots[0])


def test_a_file_that_is_there_is_kept(
    recording: Path, session: tuple[SensorInfo, list[Slot]], schedule: IlluminationSchedule
) -> None:
    before = recording.read_bytes()
    with pytest.raises(ConfigError, match="there already"):
        RecordingWriter(recording, session[0], schedule, simulated=True)
    assert recording.read_bytes() == before
    with RecordingWriter(recording, session[0], schedule, simulated=True, overwrite=True):
        assert recording.read_bytes() == before
    assert recording.read_bytes() != before


def test_a_folder_that_is_not_there_is_named(
    tmp_path: Path, session: tuple[SensorInfo, list[Slot]], schedule: IlluminationSchedule
) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        RecordingWriter(tmp_path / "nowhere" / "x.mcap", session[0], schedule, simulated=True)


@pytest.mark.parametrize("content", [b"", b"not a recording at all, but long enough", b"\x89MCAP0\r\n"])
def test_a_file_that_is_no_recording_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.mcap"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"no recording|no Faceward recording"):
        ReplaySensor(path)


@pytest.mark.parametrize("name", ["absent.mcap", "."])
def test_a_file_that_can_not_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="can't read the recording"):
        ReplaySensor(tmp_path / name)


def test_another_programs_mcap_file_is_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "x.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start()
        schema = writer.register_schema("Other", "jsonschema", b"{}")
        channel = writer.register_channel("/other", "json", schema)
        writer.add_message(channel, 0, b"{}", 0)
        writer.finish()
    with pytest.raises(ConfigError, match="no /sensor"):
        ReplaySensor(path)


def test_a_topic_of_ours_with_another_type_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start()
        schema = writer.register_schema("Other", "jsonschema", b"{}")
        writer.add_message(writer.register_channel("/sensor", "json", schema), 0, b"{}", 0)
        writer.finish()
    with pytest.raises(DeviceProtocolError, match="something else"):
        ReplaySensor(path)


def test_names_that_are_not_ours_fill_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "names.mcap"
    with path.open("wb") as file:
        writer = Writer(file, compression=CompressionType.ZSTD)
        writer.start()
        for number in range(10):
            schema = writer.register_schema("n" * 5_000_000 + str(number), "protobuf", b"")
            writer.add_message(writer.register_channel(f"/x{number}", "protobuf", schema), 0, b"", 0)
        writer.finish()
    tracemalloc.start()
    with pytest.raises(ConfigError, match="no /sensor"):
        ReplaySensor(path)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most_bytes < 30_000_000, most_bytes


def test_nobody_else_can_read_a_recording(recording: Path) -> None:
    assert recording.stat().st_mode & 0o777 == 0o600


def test_a_link_that_somebody_left_is_not_written_through(
    tmp_path: Path, session: tuple[SensorInfo, list[Slot]], schedule: IlluminationSchedule
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "x.mcap.part").symlink_to(victim)
    with RecordingWriter(tmp_path / "x.mcap", session[0], schedule, simulated=True):
        pass
    assert victim.read_text() == "precious"
    assert not (tmp_path / "x.mcap").is_symlink()


def test_a_time_that_a_recording_can_not_hold_is_a_store_error(
    tmp_path: Path, session: tuple[SensorInfo, list[Slot]], schedule: IlluminationSchedule
) -> None:
    info, slots = session
    late = replace(slots[0].infrared, device_time_us=1 << 63)
    with pytest.raises(StoreError), RecordingWriter(tmp_path / "x.mcap", info, schedule, simulated=True) as writer:
        writer.write_frame(late)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_recording_that_is_cut_short_is_refused(recording: Path, share: float) -> None:
    whole = recording.read_bytes()
    recording.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises((DeviceProtocolError, ConfigError)), ReplaySensor(recording) as sensor:
        list(sensor.slots())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_recording_with_bytes_changed_is_read_or_refused(recording: Path, seed: int) -> None:
    source = random.Random(seed)
    data = bytearray(recording.read_bytes())
    for _ in range(source.randint(1, 4)):
        data[source.randrange(min(len(data), 4000) if source.random() < 0.5 else len(data))] = source.randrange(256)
    broken = recording.with_name("broken.mcap")
    broken.write_bytes(data)
    try:
        with ReplaySensor(broken) as sensor:
            for slot in sensor.slots():
                assert slot.infrared.stream is Stream.INFRARED
    except (DeviceError, ConfigError):
        pass


def test_a_chunk_that_unpacks_to_more_than_it_says_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.mcap"
    packed = zstandard.compress(bytes(10_000_000))
    fields = struct.pack("<QQQII", 0, 0, 1000, 0, 4) + b"zstd" + struct.pack("<Q", len(packed)) + packed
    header = struct.pack("<BQII", 1, 8, 0, 0)
    path.write_bytes(b"\x89MCAP0\r\n" + header + struct.pack("<BQ", 6, len(fields)) + fields)
    with pytest.raises(DeviceProtocolError, match="two things of its size"):
        ReplaySensor(path)


def test_a_chunk_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.mcap"
    fields = struct.pack("<QQQII", 0, 0, 1 << 40, 0, 4) + b"zstd" + struct.pack("<Q", 4) + b"abcd"
    header = struct.pack("<BQII", 1, 8, 0, 0)
    path.write_bytes(b"\x89MCAP0\r\n" + header + struct.pack("<BQ", 6, len(fields)) + fields)
    with pytest.raises(DeviceProtocolError, match="has a chunk of"):
        ReplaySensor(path)


def test_a_packing_that_has_no_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.mcap"
    with path.open("wb") as file:
        writer = Writer(file, compression=CompressionType.LZ4)
        writer.start()
        schema = writer.register_schema("Other", "jsonschema", b"{}")
        writer.add_message(writer.register_channel("/x", "json", schema), 0, b"{}" * 100, 0)
        writer.finish()
    with pytest.raises(DeviceProtocolError, match="lz4"):
        ReplaySensor(path)
