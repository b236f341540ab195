"""The entry point `file-key`."""

from __future__ import annotations

from collections.abc import Mapping

from faceward.liveness.hookspecs import hookimpl
from faceward.signing.file_key import FileKeySigner
from faceward.signing.options import path_option
from faceward.signing.signer import Signer


@hookimpl
def faceward_signer(options: Mapping[str, str]) -> Signer:
    """The signer over the file at option `path`. Raises: ConfigError, SigningError."""
    return FileKeySigner.load(path_option("file-key", options))
