"""Commands on recordings: make one, look into one, let the gates judge one."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Give the application these commands."""
