"""The contract of a template extractor."""

from __future__ import annotations

from abc import ABC, abstractmethod

from faceward.liveness.admit import LiveCapture
from faceward.model.capture import FaceTemplate


class TemplateExtractor(ABC):
    """Turns a LiveCapture into a template and compares two. `name` and `version` go into every record."""

    name: str
    version: str

    @abstractmethod
    def extract(self, live: LiveCapture) -> FaceTemplate:
        """A template from the capture's key frames. Raises: CaptureRejected when a key frame gives no usable face."""

    @abstractmethod
    def compare(self, probe: FaceTemplate, reference: FaceTemplate) -> float:
        """Similarity in [-1, 1], higher is more alike. Raises: ConfigError for templates of another extractor."""

    @property
    @abstractmethod
    def threshold(self) -> float:
        """The score from which two templates are of one person; its docstring names where it comes from."""
