"""Payloads, against one written by hand."""

from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.firmware.imager import Illumination
from faceward_sim.firmware.payload import (
    FrameMetadata,
    StreamId,
    downscale_depth,
    downscale_infrared,
    pack_frame,
)
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

METADATA = FrameMetadata(
    stream=StreamId.DEPTH,
    illumination=Illumination.DOTS,
    wavelength_nm=940,
    sequence=3,
    slot=9,
    device_time_us=0x1_0000_0005,
    exposure_us=2000,
    gain=1.5,
    temperature_c=-1.25,
    config_hash=bytes(range(0xA0, 0xA8)),
)
# Length 88, FID + EOF + PTS + SCR + EOH, PTS, SCR; then the metadata, row by row of docs/protocol.md.
GOLDEN_HEADER = bytes.fromhex(
    "58 8f 05000000 d5070000 b507"
    "46574d31 02 01 ac03 03000000 09000000 0500000001000000 d0070000 9600 83ff 08000000"
    "a0a1a2a3a4a5a6a7" + "00" * 32
)


def test_a_payload_is_the_one_written_by_hand():
    image = np.array([[1, 2], [3, 0xABCD]], np.uint16)
    frame = pack_frame(0x82, image, METADATA, 0x1_0000_0005 + 2000)
    bus_frame = ((0x1_0000_0005 + 2000) // 1000) & 0x7FF
    header = GOLDEN_HEADER[:10] + bus_frame.to_bytes(2, "little") + GOLDEN_HEADER[12:]
    assert [bytes(payload) for payload in frame.payloads] == [header + bytes.fromhex("01000200 0300cdab")]
    assert frame.endpoint == 0x82


@pytest.mark.parametrize(
    ("shape", "sizes"), [((480, 640), [65_536] * 9 + [25_456]), ((240, 320), [65_536, 65_536, 22_792])]
)
def test_a_frame_is_cut_into_payloads_of_64_kilobytes_each_with_the_whole_header(shape, sizes):
    image = np.random.default_rng(1).integers(0, 1 << 16, shape).astype(np.uint16)
    payloads = pack_frame(0x81, image, METADATA, 0).payloads
    assert [len(payload) for payload in payloads] == sizes
    assert [payload[1] for payload in payloads] == [0x8D] * (len(sizes) - 1) + [0x8F]
    assert len({bytes(payload[2:88]) for payload in payloads}) == 1
    assert b"".join(payload[88:] for payload in payloads) == image.tobytes()


def test_the_frame_is_a_copy_of_the_pixels():
    image = np.zeros((2, 2), np.uint16)
    frame = pack_frame(0x81, image, METADATA, 0)
    image += 7
    assert bytes(frame.payloads[0][88:]) == bytes(8)


@given(hnp.arrays(np.uint16, (4, 6)))
def test_half_size_infrared_is_the_mean_of_four_rounded_half_up(image):
    blocks = image.reshape(2, 2, 3, 2).astype(int).sum(axis=(1, 3))
    assert downscale_infrared(image).tolist() == ((blocks + 2) // 4).tolist()


@given(hnp.arrays(np.uint16, (4, 6), elements=st.sampled_from([0, 1, 5, 900, 65535])))
def test_half_size_depth_is_the_nearest_of_four_that_has_one(image):
    small = downscale_depth(image)
    for (y, x), value in np.ndenumerate(small):
        valid = [v for v in image[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].ravel() if v]
        assert value == (min(valid) if valid else 0)
