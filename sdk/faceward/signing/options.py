"""The options of the providers that read one file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from faceward.errors import ConfigError


def path_option(plugin: str, options: Mapping[str, str]) -> Path:
    """The option `path`, which must be there and alone. Raises: ConfigError."""
    unknown = sorted(options.keys() - {"path"})
    if unknown:
        raise ConfigError(f"{plugin} has no option {unknown[0]!r}: it takes path alone")
    if not options.get("path"):
        raise ConfigError(f"{plugin} needs the option path")
    return Path(options["path"])
