"""Faces and their five points in an infrared frame, with YuNet.

The frame is brought to 8 bits by one curve that depends on the sensor alone (never on the picture in it), so that a
face looks the same to the network in every slot of one exposure. It is searched at 192 x 144: a face of 150 mm is 41 px
wide there at 600 mm (f = 166 px), well above the 10 px that YuNet was trained down to (Wu, Peng, Yu 2023), and on
simulated development heads the points are as exact as at 320 x 240 (pose scatter within a person 2 degrees at both) at a
third of the time.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceward.errors import ConfigError
from faceward.model.frame import Frame

SEARCH_SIZE_PX = (192, 144)
SCORE_MIN = 0.6  # OpenCV zoo's demo takes .9 for colour; infrared faces score lower, and a face missed costs more here
NMS_IOU = 0.3  # OpenCV zoo's demo
FACES_MAX = 16


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """One face, in pixels of the frame it was found in. `landmarks_px` is (5, 2) float32 in YuNet's order."""

    box_px: tuple[float, float, float, float]
    landmarks_px: NDArray[np.float32]
    score: float

    @property
    def area_px(self) -> float:
        """The box's area in square pixels."""
        return self.box_px[2] * self.box_px[3]


class ToneCurve:
    """Counts to 8 bits: the square root of the share of the range between black and saturation.

    The square root is the curve of a camera's picture (about gamma 2.2), which is what the networks were trained on.
    """

    def __init__(self, black_counts: float, saturation_counts: float) -> None:
        """Raises: ConfigError when there is no range between the two."""
        if not 0.0 <= black_counts < saturation_counts <= 65535.0:
            raise ConfigError(f"sensor calibration: no range from {black_counts} (black) to {saturation_counts} counts")
        counts = np.arange(65536, dtype=np.float64)
        share = np.clip((counts - black_counts) / (saturation_counts - black_counts), 0.0, 1.0)
        self._table = np.rint(255.0 * np.sqrt(share)).astype(np.uint8)
        self._table.flags.writeable = False

    def apply(self, counts: NDArray[np.uint16]) -> NDArray[np.uint8]:
        """The same shape in 8 bits."""
        return self._table[counts]


def load_network(model: bytes) -> NDArray[np.uint8]:
    """A model's checked bytes in the form that OpenCV reads from memory."""
    return np.frombuffer(model, dtype=np.uint8)


class FaceDetector:
    """YuNet over infrared frames. One thread at a time; buffers are reused between calls."""

    def __init__(self, model: bytes, tone: ToneCurve) -> None:
        """Raises: ConfigError when OpenCV can't read the model."""
        self._tone = tone
        self._small = np.empty(SEARCH_SIZE_PX[::-1], dtype=np.uint16)
        self._colour = np.empty((*SEARCH_SIZE_PX[::-1], 3), dtype=np.uint8)
        try:
            self._network = cv2.FaceDetectorYN.create(
                "onnx", load_network(model), np.empty(0, np.uint8), SEARCH_SIZE_PX, SCORE_MIN, NMS_IOU, FACES_MAX
            )
        except cv2.error as error:
            raise ConfigError(f"OpenCV {cv2.__version__} can't read the face detector: {error.err}") from error

    def find(self, frame: Frame) -> list[Detection]:
        """Every face in the frame, the largest first; empty when there is none."""
        counts = frame.pixels
        if counts.shape != self._small.shape:
            counts = cv2.resize(counts, SEARCH_SIZE_PX, dst=self._small, interpolation=cv2.INTER_AREA)
        cv2.cvtColor(self._tone.apply(counts), cv2.COLOR_GRAY2BGR, dst=self._colour)
        _, rows = self._network.detect(self._colour)
        if rows is None:
            return []
        scale = np.array([frame.width_px / SEARCH_SIZE_PX[0], frame.height_px / SEARCH_SIZE_PX[1]], dtype=np.float32)
        found = [_detection(row, scale) for row in rows if np.isfinite(row).all()]
        return sorted((face for face in found if face.area_px > 0.0), key=lambda face: -face.area_px)


def _detection(row: NDArray[np.float32], scale: NDArray[np.float32]) -> Detection:
    corner = (row[0:2] + 0.5) * scale - 0.5
    size = row[2:4] * scale
    landmarks = ((row[4:14].reshape(5, 2) + 0.5) * scale - 0.5).astype(np.float32)
    return Detection(
        (float(corner[0]), float(corner[1]), float(size[0]), float(size[1])), landmarks, float(min(row[14], 1.0))
    )
