"""A face as 128 numbers, with SFace over an aligned crop of an infrared frame."""

from __future__ import annotations

import threading

import cv2
import numpy as np
from numpy.typing import NDArray

from faceward.errors import ConfigError
from faceward.face.detect import ToneCurve, load_network
from faceward.model.frame import Frame

DIMENSIONS = 128
CROP_PX = 112


class _Loaded(threading.local):
    """The recogniser that this thread read last: reading takes a third of a second, and every capture needs it twice."""

    model: bytes = b""
    network: cv2.FaceRecognizerSF | None = None

    def network_of(self, model: bytes) -> cv2.FaceRecognizerSF:
        """Raises: ConfigError when OpenCV can't read the model."""
        if self.network is None or (self.model is not model and self.model != model):
            try:
                self.network = cv2.FaceRecognizerSF.create("onnx", load_network(model), np.empty(0, np.uint8))
            except cv2.error as error:
                raise ConfigError(f"OpenCV {cv2.__version__} can't read the face recogniser: {error.err}") from error
        self.model = model
        return self.network


_LOADED = _Loaded()


class FaceEmbedder:
    """SFace. One thread at a time; all that use one model in one thread share its network."""

    def __init__(self, model: bytes, tone: ToneCurve) -> None:
        """Raises: ConfigError when OpenCV can't read the model."""
        self._tone, self._model = tone, model
        _LOADED.network_of(model)

    def embed(self, flood: Frame, landmarks_px: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """(128,) float32 of unit length, or None where the crop holds nothing. `landmarks_px` is (5, 2)."""
        height, width = flood.height_px, flood.width_px
        spread = float(np.ptp(landmarks_px, axis=0).max())
        if not np.isfinite(landmarks_px).all() or spread < 4.0:
            return None
        # The crop reaches about one and a half spreads beyond the points; only that much of the frame is converted.
        low = np.clip(np.floor(landmarks_px.min(axis=0) - 1.5 * spread), 0, (width - 1, height - 1)).astype(int)
        high = np.clip(np.ceil(landmarks_px.max(axis=0) + 1.5 * spread), low + 1, (width, height)).astype(int)
        counts = flood.pixels[low[1] : high[1], low[0] : high[0]]
        picture = cv2.cvtColor(self._tone.apply(counts), cv2.COLOR_GRAY2BGR)
        row = np.zeros((1, 15), dtype=np.float32)
        row[0, 4:14] = (landmarks_px - low).ravel()
        network = _LOADED.network_of(self._model)
        vector = network.feature(network.alignCrop(picture, row))[0].astype(np.float32)
        length = float(np.linalg.norm(vector))
        if not np.isfinite(length) or length <= 1e-6:
            return None
        return vector / np.float32(length)
