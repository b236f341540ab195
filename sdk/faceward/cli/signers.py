"""Whose key a command signs with: one in a file, or one on a token that a small TOML file describes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from faceward.errors import ConfigError

if TYPE_CHECKING:
    from faceward.signing.pkcs11 import TokenKey
    from faceward.signing.signer import Signer

KEY_OPTION = typer.Option(
    "--key", help="File of a private key in PEM (`faceward keys new`).", metavar="PEM", show_default=False
)
TOKEN_OPTION = typer.Option(
    "--token",
    help="TOML file with module_path, token, key and pin_path of a key on a PKCS#11 token.",
    metavar="TOML",
    show_default=False,
)


def open_signer(key: Path | None, token: Path | None) -> Signer:
    """The one signer that --key or --token names. Raises: ConfigError, SigningError."""
    found = open_signers([] if key is None else [key], [] if token is None else [token])
    if len(found) != 1:
        raise ConfigError("give one of --key and --token, and not both")
    return found[0]


def open_signers(keys: Sequence[Path], tokens: Sequence[Path]) -> list[Signer]:
    """Every signer that --key and --token name, keys in files first. Raises: ConfigError, SigningError."""
    from faceward.signing.file_key import FileKeySigner

    if not keys and not tokens:
        raise ConfigError("there is nothing to sign with: give --key FILE.pem, or --token FILE.toml")
    return [*(FileKeySigner.load(path, algorithm=None) for path in keys), *(_on_token(path) for path in tokens)]


def read_token_file(path: Path) -> TokenKey:
    """Where a token file says that the key is; paths in it are taken from its folder. Raises: ConfigError."""
    from faceward.signing.pkcs11 import TokenKey
    from faceward.table import read_document

    root, folder = read_document(path, "token file").root, path.absolute().parent
    try:
        found = TokenKey(
            module=folder / root.text("module_path"),
            token=root.text("token"),
            key=root.text("key"),
            pin=folder / root.text("pin_path"),
        )
        root.close()
    except ConfigError as error:
        raise ConfigError(f"token file {path}: {error}") from error
    return found


def _on_token(path: Path) -> Signer:
    from faceward.signing.pkcs11 import Pkcs11Signer

    return Pkcs11Signer.open(read_token_file(path))
