"""A picture, grey or blue-green-red as OpenCV has it, and its file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # (rows, columns) or (rows, columns, 3)


def write_png(path: Path, picture: Picture) -> None:
    """Write a picture.

    Raises OSError: it can't be encoded or written.
    """
    good, content = cv2.imencode(".png", picture)
    if not good:
        raise OSError(f"{path} can't be encoded")
    path.write_bytes(content.tobytes())
