"""Screens: dark panes of real size under glass; a laptop has its keyboard."""

from __future__ import annotations

import numpy as np
import pytest
from faceward_sim.world.instruments.screens import SCREENS, Screen

SEED = 50
IDENTITY = np.eye(3, dtype=np.float32)


@pytest.mark.parametrize("design", SCREENS, ids=lambda design: design.name)
def test_a_screen_is_a_dark_pane_of_its_devices_size(design):
    for seed in range(SEED, SEED + 4):
        glass, body = Screen(design, seed).surfaces(IDENTITY, np.zeros(3, np.float32))
        assert glass.reflectance.max() < 0.05
        assert glass.material.specular_share * np.median(glass.reflectance) == pytest.approx(0.04, rel=0.1)
        assert np.ptp(glass.vertices_mm[:, 2]) < 0.01
        low, high = design.device.width
        assert low <= np.ptp(body.vertices_mm[:, 0]) <= high
        assert 0.8 < np.ptp(glass.vertices_mm[:, 0]) / np.ptp(body.vertices_mm[:, 0]) < 1


def test_only_a_laptop_has_a_deck_before_the_screen():
    for design in SCREENS:
        _, body = Screen(design, SEED).surfaces(IDENTITY, np.zeros(3, np.float32))
        assert (body.vertices_mm[:, 2].min() < -150) == (design.device.name == "laptop")


def test_photograph_and_video_of_a_device_look_alike_to_the_sensor():
    by_name = {design.name: design for design in SCREENS}
    for device in ("phone", "tablet", "laptop"):
        photo, video = (Screen(by_name[f"{device}-{kind}"], SEED) for kind in ("screen", "video"))
        for one, other in zip(
            photo.surfaces(IDENTITY, np.zeros(3)), video.surfaces(IDENTITY, np.zeros(3)), strict=True
        ):
            assert np.array_equal(one.vertices_mm, other.vertices_mm)
            assert np.array_equal(one.reflectance, other.reflectance)
        assert by_name[f"{device}-video"].video and not by_name[f"{device}-screen"].video
