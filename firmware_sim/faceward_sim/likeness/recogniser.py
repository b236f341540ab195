"""The SDK's detector and recogniser over portraits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from faceward.face.detect import Detection, FaceDetector, ToneCurve
from faceward.face.embedding import FaceEmbedder
from faceward.face.models import ModelFiles
from faceward.plugin import Frame, Illumination, Stream, digest_of
from numpy.typing import NDArray

from faceward_sim.likeness.sitting import Portrait


class Recogniser:
    """YuNet and SFace as the extractor `sface` uses them. One thread at a time."""

    def __init__(self, models: Path | None = None) -> None:
        """Raises: ConfigError of the SDK (model files missing or not the pinned ones)."""
        self._models = ModelFiles.locate(models)
        self._networks: dict[tuple[float, float], tuple[FaceDetector, FaceEmbedder]] = {}

    def find(self, portrait: Portrait) -> Detection | None:
        """The largest face; None where there is none."""
        detector, _ = self._for(portrait)
        found = detector.find(_frame(portrait))
        return found[0] if found else None

    def embed(self, portrait: Portrait, face: Detection) -> NDArray[np.float32] | None:
        """128 numbers of unit length; None where the crop holds nothing."""
        _, embedder = self._for(portrait)
        return embedder.embed(_frame(portrait), face.landmarks_px)

    def _for(self, portrait: Portrait) -> tuple[FaceDetector, FaceEmbedder]:
        levels = (portrait.calibration.black_level_counts, portrait.calibration.saturation_counts)
        if levels not in self._networks:
            tone = ToneCurve(*levels)
            self._networks[levels] = (
                FaceDetector(self._models.detector, tone),
                FaceEmbedder(self._models.recogniser, tone),
            )
        return self._networks[levels]


def _frame(portrait: Portrait) -> Frame:
    data = portrait.counts.astype("<u2").tobytes()
    height, width = portrait.counts.shape
    return Frame(
        stream=Stream.INFRARED,
        width_px=width,
        height_px=height,
        data=data,
        sequence=0,
        slot=0,
        device_time_us=0,
        exposure_us=portrait.exposure_us,
        gain=1.0,
        illumination=Illumination.FLOOD,
        wavelength_nm=940,
        temperature_c=35.0,
        config_hash=b"",
        digest=digest_of(data),
    )
