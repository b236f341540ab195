"""Reading the recogniser: once for a thread, and never one thread's in another."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

import cv2
import numpy as np
import pytest
from faceward.errors import ConfigError
from faceward.face import embedding
from faceward.face.detect import ToneCurve
from faceward.face.embedding import FaceEmbedder


class _Network:
    """Stands in for SFace: knows which model it was read from."""

    def __init__(self, model: bytes) -> None:
        self.model = model


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The models that OpenCV was given, in order."""
    given: list[bytes] = []

    def create(_: str, model: np.ndarray, __: np.ndarray) -> _Network:
        given.append(model.tobytes())
        if given[-1].startswith(b"no"):
            raise cv2.error("not a model")
        return _Network(given[-1])

    monkeypatch.setattr(embedding.cv2.FaceRecognizerSF, "create", create)
    monkeypatch.setattr(embedding, "_LOADED", embedding._Loaded())
    return given


@pytest.fixture
def embedder_of() -> Callable[[bytes], FaceEmbedder]:
    return lambda model: FaceEmbedder(model, ToneCurve(0, 100))


def test_a_model_is_read_once_for_all_that_use_it_in_a_thread(
    read: list[bytes], embedder_of: Callable[[bytes], FaceEmbedder]
) -> None:
    embedder_of(b"one")
    embedder_of(bytes(bytearray(b"one")))
    assert read == [b"one"]
    embedder_of(b"two")
    assert read == [b"one", b"two"]


def test_each_network_is_its_own_models(read: list[bytes]) -> None:
    for model in (b"one", b"two", b"one"):
        assert embedding._LOADED.network_of(model).model == model


def test_another_thread_reads_its_own(read: list[bytes]) -> None:
    networks = [embedding._LOADED.network_of(b"one")]
    other = Thread(target=lambda: networks.append(embedding._LOADED.network_of(b"one")))
    other.start()
    other.join()
    assert networks[0] is not networks[1]
    assert read == [b"one", b"one"]


def test_a_model_that_is_none_is_a_sentence_each_time_and_never_the_one_before(
    read: list[bytes], embedder_of: Callable[[bytes], FaceEmbedder]
) -> None:
    embedder_of(b"one")
    for _ in range(2):
        with pytest.raises(ConfigError, match="can't read the face recogniser"):
            embedder_of(b"none")
    assert embedding._LOADED.network_of(b"one").model == b"one"
