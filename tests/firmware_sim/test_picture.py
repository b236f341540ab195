"""Pictures as files."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from faceward_sim.picture import write_png


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)], ids=["grey", "coloured"])
def test_a_picture_is_read_back_as_it_was_written(tmp_path, shape):
    picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    write_png(tmp_path / "picture.png", picture)
    assert np.array_equal(cv2.imread(str(tmp_path / "picture.png"), cv2.IMREAD_UNCHANGED), picture)


def test_a_picture_that_can_not_be_written_is_an_os_error(tmp_path):
    with pytest.raises(OSError):
        write_png(tmp_path / "no-such-folder" / "all.png", np.zeros((4, 4, 3), np.uint8))
