"""The picture of all actors: a tile each, at an exposure that shows them."""

from __future__ import annotations

import numpy as np
from faceward_sim.gallery import FLOOD_PX, HEAD_PX, SMALL_PX, draw_gallery
from faceward_sim.world.actors import ACTORS


def test_every_actor_has_a_tile_that_shows_it():
    told = []
    specs = [ACTORS[name] for name in ("live", "phone-screen", "empty")]
    picture = draw_gallery(specs, 50, told=told.append)
    assert told == ["live", "phone-screen", "empty"]
    width, height = FLOOD_PX[0] + SMALL_PX[0], FLOOD_PX[1] + HEAD_PX
    assert picture.shape == (HEAD_PX + height, 5 * width, 3)
    live = picture[2 * HEAD_PX : HEAD_PX + height, : FLOOD_PX[0]]
    assert live.max() > 130 and np.ptp(live) > 100
