"""What one check of the leaks found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, what was found, what would have been right, and whether it is."""

    check: str
    subject: str
    found: str
    wanted: str
    holds: bool
