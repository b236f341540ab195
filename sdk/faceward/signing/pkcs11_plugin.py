"""The entry point `pkcs11`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from faceward.liveness.hookspecs import hookimpl
from faceward.signing.options import check_options
from faceward.signing.pkcs11 import Pkcs11Signer, TokenKey
from faceward.signing.signer import Signer


@hookimpl
def faceward_signer(options: Mapping[str, str]) -> Signer:
    """The signer by `key` on `token` through `module_path`, with the PIN in `pin_path`.

    Raises: ConfigError, SigningError.
    """
    return Pkcs11Signer.open(token_key(options))


def token_key(options: Mapping[str, str]) -> TokenKey:
    """Where the options say that the key is. Raises: ConfigError."""
    check_options("pkcs11", options, required=("module_path", "token", "key", "pin_path"))
    return TokenKey(Path(options["module_path"]), options["token"], options["key"], Path(options["pin_path"]))
