"""Device messages against bytes written by hand, and every value that a sensor may not say."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from faceward.errors import ConfigError, DeviceBusy, DeviceError, DeviceFault, DeviceNotAttested, DeviceProtocolError
from faceward.model.frame import (
    Calibration,
    Frame,
    Illumination,
    IlluminationSchedule,
    Intrinsics,
    Prompt,
    SensorKind,
    Stream,
    digest_of,
)
from faceward.wire import device as wire
from faceward_proto.v1 import device_pb2 as pb
from hypothesis import given
from hypothesis import strategies as st

CAMERA = Intrinsics(640, 480, 554.0, 555.0, 319.5, 239.5)
CALIBRATION = Calibration(
    CAMERA, CAMERA, 125.0, 40.0, 200.0, 1200.0, 11.0, 0.5, 0.25, 0.5, 0.0, 5.0, 64.0, 2.5, 0.125, 1023.0
)
IDENTITY = wire.Identity(
    "Faceward", "sl-940", "TEST", "1.0.0", "A", SensorKind.STRUCTURED_LIGHT,
    {Illumination.DOTS: 940, Illumination.FLOOD: 850}, 30.0, 4096,
)  # fmt: skip
SCHEDULE = IlluminationSchedule(b"12345678", b"\x01\x02\x00")


def test_requests_are_the_bytes_of_the_protocol() -> None:
    assert wire.identity_request() == b"\x0a\x00"
    assert wire.calibration_request() == b"\x12\x00"
    assert wire.health_request() == b"\x1a\x00"
    assert wire.schedule_bytes(SCHEDULE) == b"\x0a\x0812345678\x12\x03\x01\x02\x00"
    assert wire.schedule_request(SCHEDULE) == b"\x22\x0f\x0a\x0812345678\x12\x03\x01\x02\x00"
    assert wire.indicator_request(Prompt.SMILE) == b"\x2a\x02\x08\x07"
    assert wire.indicator_request(Prompt.NONE) == b"\x2a\x00"


def test_the_config_hash_is_computed_as_the_protocol_says() -> None:
    inner = hashlib.sha256(b"\x0a\x0812345678\x12\x03\x01\x02\x00").digest()
    text = b"faceward.config.v1\0" + bytes.fromhex("8002e001 4001f000") + inner
    assert wire.config_hash((640, 480), (320, 240), wire.schedule_bytes(SCHEDULE)) == hashlib.sha256(text).digest()[:8]


@pytest.mark.parametrize(
    "schedule",
    [
        IlluminationSchedule(bytes(7), b"\x01"),
        IlluminationSchedule(bytes(33), b"\x01"),
        IlluminationSchedule(bytes(8), b"\x01\x04"),
        IlluminationSchedule(bytes(8), bytes(8200)),
    ],
)
def test_a_schedule_that_no_sensor_takes_is_refused(schedule: IlluminationSchedule) -> None:
    with pytest.raises(ConfigError):
        wire.schedule_request(schedule)


def reply(status: int = 1, **content: Any) -> bytes:
    return pb.DeviceReply(status=status, **content).SerializeToString()  # type: ignore[arg-type]


def test_an_identity_comes_back_as_it_was_sent() -> None:
    assert wire.read_identity(reply(identity=wire.identity_message(IDENTITY))) == IDENTITY


def test_a_calibration_comes_back_as_it_was_sent() -> None:
    assert wire.read_calibration(reply(calibration=wire.calibration_message(CALIBRATION))) == CALIBRATION


def test_a_health_is_read() -> None:
    # status 1; health: -5.5 degrees (zigzag 1099), 7 us, faults 1 and 5, 3 dropped
    health = wire.read_health(bytes.fromhex("0801 220b 08cb08 1007 1a020105 2003"))
    assert (health.temperature_c, health.uptime_us, health.dropped_frames) == (-5.5, 7, 3)
    assert health.faults == ("projector", "clock")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (0, DeviceProtocolError),
        (2, DeviceProtocolError),
        (3, wire.UnsupportedRequest),
        (4, DeviceBusy),
        (5, DeviceFault),
        (6, DeviceNotAttested),
    ],
)
def test_a_status_other_than_ok_is_an_error(status: int, error: type[DeviceError]) -> None:
    with pytest.raises(error) as caught:
        wire.read_done(reply(status))
    assert type(caught.value) is error


def test_the_commands_of_a_session_are_written_as_the_golden_bytes_are() -> None:
    golden = {
        name: (Path(__file__).parents[2] / f"proto/vectors/DeviceRequest.{name}.bin").read_bytes()
        for name in ("configuration", "exposure", "stop")
    }
    sizes = pb.DeviceRequest.FromString(golden["configuration"]).configuration
    infrared_px = (sizes.infrared_width_px, sizes.infrared_height_px)
    depth_px = (sizes.depth_width_px, sizes.depth_height_px)
    assert wire.configuration_request(infrared_px, depth_px) == golden["configuration"]
    exposure = pb.DeviceRequest.FromString(golden["exposure"]).exposure
    assert wire.exposure_request(exposure.exposure_us, exposure.gain_centi) == golden["exposure"]
    assert wire.stop_request() == golden["stop"]


def test_a_reply_to_another_question_is_refused() -> None:
    with pytest.raises(DeviceProtocolError, match="identity where health"):
        wire.read_health(reply(identity=wire.identity_message(IDENTITY)))
    with pytest.raises(DeviceProtocolError, match="None where identity"):
        wire.read_identity(reply())
    with pytest.raises(DeviceProtocolError, match="health where None"):
        wire.read_done(reply(health=pb.Health()))
    wire.read_done(reply())


@pytest.mark.parametrize(
    "data", [b"\x08", b"\x08\x01\x08\x01", b"\x08\x81\x00", b"\x08\x01\x50\x01", b"\x08\x09", b"\x08\x01\x12\x05a"]
)
def test_a_reply_that_is_not_canonical_is_refused(data: bytes) -> None:
    with pytest.raises(DeviceProtocolError, match="malformed"):
        wire.read_done(data)


def changed_identity(change: Callable[[pb.Identity], object]) -> bytes:
    message = wire.identity_message(IDENTITY)
    change(message)
    return reply(identity=message)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.ClearField("kind"), "measures depth"),
        (lambda m: m.ClearField("serial"), "no serial"),
        (lambda m: setattr(m, "serial", "a\x1b[2J"), "serial number is no printable"),
        (lambda m: setattr(m, "vendor", "x" * 129), "vendor is no printable"),
        (lambda m: setattr(m, "slot_rate_mhz", 999), "999 mHz"),
        (lambda m: setattr(m, "slot_rate_mhz", 1_000_001), "1000001 mHz"),
        (lambda m: m.emitters.add(illumination=1, wavelength_nm=850), "emitters"),
        (lambda m: m.emitters.add(illumination=0, wavelength_nm=850), "emitters"),
        (lambda m: m.emitters.add(illumination=3), "emitters"),
        (lambda m: m.emitters.add(illumination=3, wavelength_nm=65_536), "emitters"),
    ],
)
def test_an_identity_that_makes_no_sense_is_refused(change: Callable[[pb.Identity], object], words: str) -> None:
    with pytest.raises(DeviceProtocolError, match=words):
        wire.read_identity(changed_identity(change))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.ClearField("infrared"), "infrared camera can't be 0 x 0"),
        (lambda m: setattr(m.depth, "width_px", 4097), "depth camera can't be 4097"),
        (lambda m: setattr(m.depth, "fx_px", -1.0), "no focal length"),
        (lambda m: setattr(m.infrared, "fy_px", 0.0), "no focal length"),
        (lambda m: setattr(m, "depth_unit_um", 0.0), "depth_unit_um"),
        (lambda m: setattr(m, "baseline_mm", -1.0), "baseline_mm"),
        (lambda m: setattr(m, "flood_counts_per_us_at_1m", 0.0), "flood_counts"),
        (lambda m: setattr(m, "saturation_counts", 0.0), "saturation_counts"),
        (lambda m: setattr(m, "depth_min_mm", 1200.0), "range is empty"),
        (lambda m: setattr(m, "dot_pitch_mrad", float("nan")), "malformed"),
    ],
)
def test_a_calibration_that_makes_no_sense_is_refused(change: Callable[[pb.Calibration], object], words: str) -> None:
    message = wire.calibration_message(CALIBRATION)
    change(message)
    with pytest.raises(DeviceProtocolError, match=words):
        wire.read_calibration(reply(calibration=message))


RECORDED = wire.RecordedSensor("usb:", IDENTITY, CALIBRATION, SCHEDULE, frozenset({Stream.DEPTH}), True)


def test_a_recorded_sensor_comes_back_as_it_was_written() -> None:
    assert wire.read_recorded_sensor(wire.recorded_sensor_message(RECORDED).SerializeToString()) == RECORDED


def test_a_recording_of_depth_alone_needs_no_photometry() -> None:
    bare = replace(CALIBRATION, flood_counts_per_us_at_1m=0.0, counts_per_electron=0.0, saturation_counts=0.0)
    recorded = replace(RECORDED, calibration=bare)
    assert wire.read_recorded_sensor(wire.recorded_sensor_message(recorded).SerializeToString()).calibration == bare


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.ClearField("streams"), "which streams"),
        (lambda m: m.streams.append(0), "which streams"),
        (lambda m: m.streams.append(2), "which streams"),
        (lambda m: setattr(m, "address", "a\nb"), "printable"),
        (lambda m: setattr(m.schedule, "nonce", b"short"), "schedule is malformed"),
        (lambda m: setattr(m.schedule, "slots", b"\x09"), "schedule is malformed"),
    ],
)
def test_a_recorded_sensor_that_makes_no_sense_is_refused(change: Callable[[Any], object], words: str) -> None:
    message = wire.recorded_sensor_message(RECORDED)
    change(message)
    with pytest.raises(DeviceProtocolError, match=words):
        wire.read_recorded_sensor(message.SerializeToString())


def frame(width_px: int = 4, height_px: int = 2, **changes: Any) -> Frame:
    data = bytes(range(2 * width_px * height_px))
    made = Frame(
        Stream.DEPTH, width_px, height_px, data, 3, 9, 1_234_567, 2000, 1.25, Illumination.DOTS, 940, -3.25,
        b"CONFHASH", digest_of(data), b"t" * 32,
    )  # fmt: skip
    return replace(made, **changes)


@given(
    st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.sampled_from(Illumination),
    st.integers(-(2**31), 2**31 - 1), st.booleans(),
)  # fmt: skip
def test_a_recorded_frame_comes_back_as_it_was_written(
    sequence: int, slot: int, time_us: int, light: Illumination, centi_c: int, tagged: bool
) -> None:
    written = frame(
        sequence=sequence, slot=slot, device_time_us=time_us, illumination=light, temperature_c=centi_c / 100,
        tag=b"t" * 32 if tagged else b"",
    )  # fmt: skip
    read = wire.read_recorded_frame(wire.recorded_frame_message(written).SerializeToString())
    assert repr(read) == repr(written)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.ClearField("stream"), "no stream"),
        (lambda m: m.ClearField("width_px"), "0 x 2"),
        (lambda m: setattr(m, "height_px", 5000), "4 x 5000"),
        (lambda m: setattr(m, "pixels", m.pixels[:-1]), "holds 15 bytes"),
        (lambda m: setattr(m, "config_hash", b"short"), "config hash or tag"),
        (lambda m: setattr(m, "tag", b"short"), "config hash or tag"),
    ],
)
def test_a_recorded_frame_that_makes_no_sense_is_refused(change: Callable[[Any], object], words: str) -> None:
    message = wire.recorded_frame_message(frame())
    change(message)
    with pytest.raises(DeviceProtocolError, match=words):
        wire.read_recorded_frame(message.SerializeToString())


def test_a_recorded_prompt_comes_back_as_it_was_written() -> None:
    prompt = wire.RecordedPrompt(77, Prompt.TURN_LEFT)
    assert wire.read_recorded_prompt(wire.recorded_prompt_message(prompt).SerializeToString()) == prompt


@given(st.binary(max_size=64))
def test_no_bytes_break_a_reader(data: bytes) -> None:
    for read in (
        wire.read_identity, wire.read_calibration, wire.read_health, wire.read_done, wire.read_recorded_sensor,
        wire.read_recorded_frame, wire.read_recorded_prompt,
    ):  # fmt: skip
        try:
            made = read(data)
        except DeviceError:
            continue
        assert made is not None, "it is read whole or refused"
