"""The entry point `file-key`."""

from __future__ import annotations

from collections.abc import Mapping

from faceward.liveness.hookspecs import hookimpl
from faceward.signing.file_key import FileKeySigner
from faceward.signing.options import algorithm_option, path_option
from faceward.signing.signer import Signer


@hookimpl
def faceward_signer(options: Mapping[str, str]) -> Signer:
    """The signer over the file at option `path`; option `algorithm` is es256 (usual), ed25519 or ml-dsa-65.

    Raises: ConfigError, SigningError.
    """
    path = path_option("file-key", options, other=("algorithm",))
    return FileKeySigner.load(path, algorithm_option("file-key", options))
