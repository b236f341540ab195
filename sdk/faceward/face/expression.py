"""How much a mouth has changed, by comparing pictures of it: YuNet's corners of the mouth do not follow a smile.

That somebody smiled when asked proves nothing; this only tells whether the gates have an expression to look at.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from faceward.model.frame import Frame

PATCH_PX = (64, 40)
_EYES_PX = 30.0  # the distance of the eyes in the patch: the mouth is 25 px wide and the whole smile fits
_BELOW_EYES_PX = 16.0  # where the patch begins: under the eyes, so that blinks stay out
_SHIFT_PX = 6  # how far the points may have slipped between two looks


def mouth_patch(flood: Frame, landmarks_px: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The lower face, levelled by the eyes and scaled to their distance: (40, 64) float32 counts; None without eyes."""
    right_eye, left_eye = landmarks_px[0].astype(np.float64), landmarks_px[1].astype(np.float64)
    axis = left_eye - right_eye
    length = float(np.linalg.norm(axis))
    if not np.isfinite(length) or length < 8.0:
        return None
    cos, sin = axis / length * (_EYES_PX / length)
    middle = (right_eye + left_eye) / 2
    place = np.array([
        [cos, sin, PATCH_PX[0] / 2 - cos * middle[0] - sin * middle[1]],
        [-sin, cos, -_BELOW_EYES_PX + sin * middle[0] - cos * middle[1]],
    ])  # fmt: skip
    # Shrinking by a factor of two to five without averaging would let noise decide: average what one pixel covers first.
    reach = 2.5 * length
    around, above = np.array([reach / 1.5, reach]), np.array([reach / 1.5, 0.3 * length])
    low = np.clip(np.floor(middle - above), 0, None).astype(int)
    high = np.clip(np.ceil(middle + around), 0, None).astype(int)
    region = flood.pixels[low[1] : high[1], low[0] : high[0]]
    if min(region.shape, default=0) < 8:
        return None
    size = max(1, round(length / _EYES_PX))
    smooth = cv2.blur(region, (size, size))
    place[:, 2] += place[:, :2] @ low
    return cv2.warpAffine(smooth, place, PATCH_PX, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(
        np.float32
    )


def mouth_change(patch: NDArray[np.float32], before: Iterable[NDArray[np.float32]]) -> float:
    """1 less the best normalised correlation with any of the earlier patches, slipped by up to 6 px: 0 is the same mouth.

    1.0 without anything to compare with.
    """
    inner = slice(_SHIFT_PX, -_SHIFT_PX)
    earlier = [other[inner, inner] for other in before]
    if not earlier:
        return 1.0
    # One product of two matrices: OpenCV's matchTemplate takes a Fourier transform a patch, ten times as long.
    level = patch - patch.mean()
    rows, columns = earlier[0].shape
    windows = np.lib.stride_tricks.sliding_window_view(level, (rows, columns)).reshape(-1, rows * columns)
    total, squares = (_box_sums(table, rows, columns) for table in cv2.integral2(level, sdepth=cv2.CV_64F))
    spread = np.sqrt(np.maximum(squares - total * total / (rows * columns), 0.0))
    others = np.stack([(other - other.mean()).ravel() for other in earlier])
    lengths = spread[:, None] * np.linalg.norm(others, axis=1)
    scores = np.divide(windows @ others.T, lengths, out=np.zeros(lengths.shape), where=lengths > 1e-6)
    best = float(scores.max())
    return 1.0 - max(best, 0.0) if np.isfinite(best) else 1.0


def _box_sums(table: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.float64]:
    """Sums over every window of that size, from an integral image."""
    sums = table[rows:, columns:] - table[:-rows, columns:] - table[rows:, :-columns] + table[:-rows, :-columns]
    return sums.ravel()
