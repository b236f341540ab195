"""The entry point `file-kek`."""

from __future__ import annotations

from collections.abc import Mapping

from faceward.liveness.hookspecs import hookimpl
from faceward.signing.file_kek import FileKeyProvider
from faceward.signing.key_provider import KeyProvider
from faceward.signing.options import path_option


@hookimpl
def faceward_key_provider(options: Mapping[str, str]) -> KeyProvider:
    """The key provider over the file at option `path`. Raises: ConfigError, SigningError."""
    return FileKeyProvider.load(path_option("file-kek", options))
