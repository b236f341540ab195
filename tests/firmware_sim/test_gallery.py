"""The picture of all actors: a tile each, at an exposure that shows them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from faceward_sim.gallery import FLOOD_PX, HEAD_PX, SMALL_PX, draw_gallery, write_png
from faceward_sim.world.actors import ACTORS


def test_every_actor_has_a_tile_that_shows_it(tmp_path):
    told = []
    specs = [ACTORS[name] for name in ("live", "phone-screen", "empty")]
    picture = draw_gallery(specs, 50, told=told.append)
    assert told == ["live", "phone-screen", "empty"]
    width, height = FLOOD_PX[0] + SMALL_PX[0], FLOOD_PX[1] + HEAD_PX
    assert picture.shape == (HEAD_PX + height, 5 * width, 3)
    live = picture[2 * HEAD_PX : HEAD_PX + height, : FLOOD_PX[0]]
    assert live.max() > 130 and np.ptp(live) > 100
    write_png(tmp_path / "all.png", picture)
    assert np.array_equal(cv2.imread(str(tmp_path / "all.png")), picture)


def test_a_picture_that_can_not_be_written_is_an_os_error(tmp_path):
    with pytest.raises(OSError):
        write_png(tmp_path / "no-such-folder" / "all.png", np.zeros((4, 4, 3), np.uint8))
