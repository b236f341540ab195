"""The options of signers and key providers, which are texts in the policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from faceward.errors import ConfigError
from faceward.signing.signer import ALGORITHMS


def check_options(plugin: str, options: Mapping[str, str], *, required: Sequence[str], other: Sequence[str] = ()) -> None:
    """Options that are all known, and those that are required are there. Raises: ConfigError."""
    known = (*required, *other)
    unknown = sorted(options.keys() - set(known))
    if unknown:
        takes = f"{', '.join(known[:-1])} and {known[-1]}" if len(known) > 1 else f"{known[0]} alone"
        raise ConfigError(f"{plugin} has no option {unknown[0]!r}: it takes {takes}")
    for name in required:
        if not options.get(name):
            raise ConfigError(f"{plugin} needs the option {name}")


def path_option(plugin: str, options: Mapping[str, str], *, other: Sequence[str] = ()) -> Path:
    """The option `path`, which must be there; no option but it and `other` may be. Raises: ConfigError."""
    check_options(plugin, options, required=("path",), other=other)
    return Path(options["path"])


def algorithm_option(plugin: str, options: Mapping[str, str]) -> str:
    """The option `algorithm`, in lower case in the policy; ES256 where it isn't there. Raises: ConfigError."""
    name = options.get("algorithm", ALGORITHMS[0].lower())
    found = {algorithm.lower(): algorithm for algorithm in ALGORITHMS}.get(name)
    if found is None:
        raise ConfigError(
            f"{plugin} has no algorithm {name!r}: {', '.join(each.lower() for each in ALGORITHMS)} are known"
        )
    return found
