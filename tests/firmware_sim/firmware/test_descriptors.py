"""Descriptors, read by hand."""

from __future__ import annotations

import struct
import uuid
from dataclasses import replace

import pytest
from faceward_sim.firmware.descriptors import DEPTH, Descriptors, depth_shape
from faceward_sim.firmware.imager import SensorKind

# The whole configuration, written down from the two specifications by hand.
GOLDEN = bytes.fromhex(
    # configuration: 3 interfaces, bus powered, 500 mA
    "09 02 68 01 03 01 00 80 fa"
    # association: interfaces 0-2, video collection
    "08 0b 00 03 0e 03 00 04"
    # interface 0: video control
    "09 04 00 00 00 0e 01 00 04"
    # header: UVC 1.10, 88 bytes, 1 MHz, interfaces 1 and 2
    "0e 24 01 10 01 58 00 40 42 0f 00 02 01 02"
    # camera terminal 1: exposure time absolute
    "12 24 02 01 01 02 00 00 00 00 00 00 00 00 03 08 00 00"
    # processing unit 2 behind 1: gain
    "0c 24 05 02 01 00 00 02 00 02 00 00"
    # extension unit 4 behind 2: two controls
    "1a 24 06 04 3e 5a 1c 6f 0b 9d 7a 4b 8c 55 fa 0e 57 a4 d0 01 02 01 02 01 03 00"
    # output terminals 3 and 5 behind 4
    "09 24 03 03 01 01 00 04 00"
    "09 24 03 05 01 01 00 04 00"
    # interface 1: streaming, input header, format Y16, two frames, colour, endpoint
    "09 04 01 00 01 0e 02 00 05"
    "0e 24 01 01 6b 00 81 00 03 00 00 00 01 00"
    "1b 24 04 01 02 59 31 36 20 00 00 10 00 80 00 00 aa 00 38 9b 71 10 01 00 00 00 00"
    "1e 24 05 01 00 80 02 e0 01 93 00 ca 08 93 00 ca 08 00 60 09 00 15 16 05 00 01 15 16 05 00"
    "1e 24 05 02 00 40 01 f0 00 24 80 32 02 24 80 32 02 00 58 02 00 15 16 05 00 01 15 16 05 00"
    "06 24 0d 01 01 04"
    "07 05 81 02 00 02 00"
    # interface 2: the same for Z16 at 10 a second
    "09 04 02 00 01 0e 02 00 06"
    "0e 24 01 01 6b 00 82 00 05 00 00 00 01 00"
    "1b 24 04 01 02 5a 31 36 20 00 00 10 00 80 00 00 aa 00 38 9b 71 10 01 00 00 00 00"
    "1e 24 05 01 00 80 02 e0 01 00 00 ee 02 00 00 ee 02 00 60 09 00 40 42 0f 00 01 40 42 0f 00"
    "1e 24 05 02 00 40 01 f0 00 00 80 bb 00 00 80 bb 00 00 58 02 00 40 42 0f 00 01 40 42 0f 00"
    "06 24 0d 01 01 04"
    "07 05 82 02 00 02 00"
)


@pytest.fixture
def descriptors(imager) -> Descriptors:
    return Descriptors(imager.identity)


def test_the_configuration_is_the_one_written_by_hand(descriptors):
    assert descriptors.configuration == GOLDEN
    assert struct.unpack_from("<H", GOLDEN, 2)[0] == len(GOLDEN)


def test_the_device_descriptor_is_the_one_written_by_hand(descriptors):
    assert descriptors.device == bytes.fromhex("12 01 00 02 ef 02 01 40 09 12 01 00 00 01 01 02 03 01")


def test_at_the_other_speed_packets_have_64_bytes(descriptors):
    assert descriptors.device_qualifier == bytes.fromhex("0a 06 00 02 ef 02 01 40 01 00")
    changed = [
        (at, old, new)
        for at, (old, new) in enumerate(zip(descriptors.configuration, descriptors.other_speed, strict=True))
        if old != new
    ]
    assert [(old, new) for _, old, new in changed] == [(2, 7)] + [(0, 64), (2, 0)] * 2


def test_the_extension_guid_is_in_mixed_byte_order(descriptors):
    guid = uuid.UUID("6f1c5a3e-9d0b-4b7a-8c55-fa0e57a4d001")
    assert guid.bytes_le in descriptors.configuration
    assert GOLDEN.count(guid.bytes_le) == 1


def test_strings_are_utf_16_and_the_language_is_english(descriptors):
    assert descriptors.get(3, 0) == b"\x04\x03\x09\x04"
    assert descriptors.get(3, 3) == b"\x12\x03" + "TEST0001".encode("utf-16-le")
    assert [descriptors.get(3, index)[2:].decode("utf-16-le") for index in (1, 2, 4, 5, 6)] == [
        "Faceward",
        "Faceward sl-940",
        "Face sensor",
        "Infrared",
        "Depth",
    ]


@pytest.mark.parametrize(("kind", "index"), [(3, 7), (1, 1), (2, 1), (15, 0), (0x22, 0), (0, 0)])
def test_there_is_no_other_descriptor(descriptors, kind, index):
    assert descriptors.get(kind, index) is None


def test_a_model_without_ids_is_refused(imager):
    with pytest.raises(ValueError, match="sl-940"):
        Descriptors(replace(imager.identity, model="sl-000"))


def test_depth_that_needs_no_dots_comes_thirty_times_a_second(imager):
    assert depth_shape(SensorKind.STRUCTURED_LIGHT) is DEPTH
    for kind in (SensorKind.TIME_OF_FLIGHT, SensorKind.PASSIVE_STEREO):
        assert {size.interval_100ns for size in depth_shape(kind).frames} == {333_333}
    timed = Descriptors(replace(imager.identity, kind=SensorKind.TIME_OF_FLIGHT)).configuration
    # The two frames' rates and intervals of the second stream, and nothing else.
    changed = [k for k, (a, b) in enumerate(zip(GOLDEN, timed, strict=True)) if a != b]
    second = GOLDEN.index(bytes.fromhex("0e 24 01 01 6b 00 82"))
    assert changed and min(changed) > second


def test_every_kind_of_sensor_has_ids_of_its_own(imager):
    ids = {Descriptors(replace(imager.identity, model=model)).pid for model in ("sl-940", "sl-850-940", "tof-940")}
    assert len(ids) == 3
