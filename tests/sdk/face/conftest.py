"""The real model files, installed once where the set-up puts them."""

from __future__ import annotations

import pytest
from faceward.errors import ConfigError
from faceward.face.models import ModelFiles, install_models


@pytest.fixture(scope="session")
def models() -> ModelFiles:
    try:
        return ModelFiles.locate()
    except ConfigError:
        return install_models()
