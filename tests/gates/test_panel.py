"""Mirrors' glints; what is flat is in test_flatness."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from faceward.plugin import Frame, Illumination, digest_of
from faceward_gates.panel import has_glint
from faceward_sim.conformance.scene import Scene, sensor_of

CALIBRATION = sensor_of().calibration


@pytest.fixture
def flood(shown) -> Frame:
    return shown(Scene(relief=None))[0][0].infrared(Illumination.FLOOD)[0]


def with_spot(frame: Frame, radius_px: int, around: int, stretch: int = 1) -> Frame:
    pixels = np.full((480, 640), around, np.uint16)
    cv2.ellipse(pixels, (300, 200), (radius_px * stretch, radius_px), 0, 0, 360, 65520, -1)
    data = pixels.tobytes()
    return replace(frame, data=data, digest=digest_of(data))


def test_a_bright_spot_on_dark_glass_is_a_glint(flood: Frame):
    assert has_glint(with_spot(flood, 12, 2000), CALIBRATION)


def test_nothing_bright_is_no_glint(flood: Frame):
    assert not has_glint(flood, CALIBRATION)


@pytest.mark.parametrize(
    ("radius_px", "around", "stretch"),
    [(12, 40000, 1), (2, 2000, 1), (90, 2000, 1), (8, 2000, 5)],
    ids=["on-bright-skin", "as-small-as-in-an-eye", "as-large-as-a-face", "as-long-as-an-arm"],
)
def test_other_bright_things_are_no_glint(flood: Frame, radius_px: int, around: int, stretch: int):
    assert not has_glint(with_spot(flood, radius_px, around, stretch), CALIBRATION)
