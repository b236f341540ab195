"""The extractor `sface`: SFace's 128 numbers for each pose, and the relief of the frontal face.

Score: the weighted mean cosine of the embeddings of poses that both templates have, the frontal one counting threefold
(turned heads differ by how far they turned), less what the reliefs differ by:

    score = mean cosine - RELIEF_WEIGHT * max(0, rms difference of reliefs in mm - RELIEF_FREE_MM)

so that a picture of the right face on the wrong shape loses and a good shape never makes up for another face. Weights and
threshold were chosen on simulated people, development seeds 0 to 23 alone (see `SFaceExtractor.threshold`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from faceward.errors import CaptureRejected, ConfigError
from faceward.extract.extractor import TemplateExtractor
from faceward.extract.relief import CELLS, measure_relief, relief_distance_mm
from faceward.face.detect import ToneCurve
from faceward.face.embedding import DIMENSIONS, FaceEmbedder
from faceward.face.models import ModelFiles
from faceward.liveness.admit import LiveCapture
from faceward.liveness.hookspecs import hookimpl
from faceward.model.capture import FaceTemplate
from faceward.model.face import Pose

NAME = "sface"
VERSION = "1"
FRONTAL_WEIGHT = 3.0
RELIEF_FREE_MM = 1.5  # the same simulated face at another distance and on another sensor: 1.9 mm in the middle
RELIEF_WEIGHT = 0.05  # per mm
THRESHOLD = 0.655


class SFaceExtractor(TemplateExtractor):
    """SFace over the key frames of an admitted capture. One thread at a time."""

    name = NAME
    version = VERSION

    def __init__(self, models: ModelFiles) -> None:
        self._models = models

    @property
    def threshold(self) -> float:
        """.655, from simulated people: no evidence of error rates with real ones.

        SFace's own cosine threshold is .363 for colour pictures (OpenCV model zoo, over LFW); infrared faces, and
        rendered ones more so, lie closer together (impostors' median .45). Over 24 development people, each enrolled on
        one sensor and compared at another distance (80 to 150 mm off) on another sensor, frontal with one turn: 96
        genuine scores from .658 on (median .75), 2,208 impostor scores up to .652 (simulated).
        """
        return THRESHOLD

    def extract(self, live: LiveCapture) -> FaceTemplate:
        """Embeddings in the order of the key frames; the relief of the frontal one.

        Raises: CaptureRejected (no frontal key frame, no usable face or depth in one), ConfigError (calibration).
        """
        capture = live.capture
        frontal = next((key for key in capture.key_frames if key.pose is Pose.FRONTAL), None)
        if frontal is None:
            raise CaptureRejected("the capture has no frontal face", "pose-not-reached")
        calibration = capture.sensor.calibration
        tone = ToneCurve(calibration.black_level_counts, calibration.saturation_counts)
        embedder = FaceEmbedder(self._models.recogniser, tone)
        rows = []
        for key in capture.key_frames:
            row = embedder.embed(key.flood, key.sighting.landmarks_px)
            if row is None:
                raise CaptureRejected(f"the key frame of pose {key.pose} gives no usable face", "blurred")
            rows.append(row)
        relief = measure_relief(frontal, calibration)
        if relief is None:
            raise CaptureRejected("the frontal key frame has too little depth for a relief", "covered")
        poses = tuple(key.pose for key in capture.key_frames)
        return FaceTemplate(self.name, self.version, poses, np.stack(rows), relief)

    def compare(self, probe: FaceTemplate, reference: FaceTemplate) -> float:
        """The score above, in [-1, 1]; -1 unless both have a frontal face.

        Raises: ConfigError (a template of another extractor or version, or one whose numbers are none of ours).
        """
        for template in (probe, reference):
            _check(template)
        shared = [pose for pose in probe.poses if pose in reference.poses]
        if Pose.FRONTAL not in shared:
            return -1.0
        weights = [FRONTAL_WEIGHT if pose is Pose.FRONTAL else 1.0 for pose in shared]
        cosines = [
            float(probe.embeddings[probe.poses.index(pose)] @ reference.embeddings[reference.poses.index(pose)])
            for pose in shared
        ]
        apart_mm = relief_distance_mm(probe.relief, reference.relief)
        score = float(np.average(cosines, weights=weights)) - RELIEF_WEIGHT * max(0.0, apart_mm - RELIEF_FREE_MM)
        return min(max(score, -1.0), 1.0)


def _check(template: FaceTemplate) -> None:
    """A template of another extractor, or one that is none: nothing may be compared with it."""
    if (template.extractor, template.extractor_version) != (NAME, VERSION):
        raise ConfigError(
            f"a template of extractor {template.extractor} {template.extractor_version} can't be compared by "
            f"{NAME} {VERSION}"
        )
    embeddings, relief = template.embeddings, template.relief
    if embeddings.shape != (len(template.poses), DIMENSIONS) or relief.shape != (CELLS * CELLS,):
        raise ConfigError(f"a template of {NAME} with shapes {embeddings.shape} and {relief.shape}")
    if len(set(template.poses)) != len(template.poses):
        raise ConfigError(f"a template of {NAME} with a pose twice")
    if not (np.isfinite(embeddings).all() and np.isfinite(relief).all()):
        raise ConfigError(f"a template of {NAME} with numbers that are none")
    if len(embeddings) and not np.allclose(np.linalg.norm(embeddings, axis=1), 1.0, atol=1e-3):
        raise ConfigError(f"a template of {NAME} whose rows are not of unit length")


@hookimpl
def faceward_extractor(models: Path) -> TemplateExtractor:
    """Entry point `sface`. Raises: ConfigError (model files missing or not the pinned ones)."""
    return SFaceExtractor(ModelFiles.locate(models))
