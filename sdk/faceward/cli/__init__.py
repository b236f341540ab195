"""The command line `faceward`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit code (docs/exit-codes.md)."""
    from faceward.cli.app import run

    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))
